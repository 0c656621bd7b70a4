"""Takes up what the run before was doing: an engine that knows what was written, and the timers that were running."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Final

import structlog
from attrs import define, field

from cti.engine import Engine
from cti.engine.world import World
from cti.errors import CtiError
from cti.model import events, facts, intents, reason
from cti.model.history import InteractionHistory
from cti.model.ids import AgentId, IdSource, InteractionId, QueueId
from cti.model.states import AgentState, LinkState
from cti.store.codec import Codec
from cti.store.errors import NotUnderstood
from cti.store.past import Past
from cti.store.snapshot import restore

SESSIONS_S: Final = 12 * 3600.0
"""Agents stay logged on if the journal was written less long ago; after a night nobody sits where they sat. An hour would
not do: of a quiet night with agents on duty nothing is written."""
_SKIPPED: Final = 1_000
"""Fencing tokens left out: as many offers cannot have been made in what was not written any more."""

_log = structlog.get_logger("cti.journal")


@define
class Due:
    """When each running timer fires, by the engine's clock."""

    timers: dict[tuple[str, str], tuple[int, float]] = field(factory=dict)

    def follow(self, fact: facts.Fact, wanted: Sequence[intents.Intent], at: float) -> None:
        """A fact was handled."""
        if isinstance(fact, facts.TimerFired):
            known = self.timers.get((fact.kind, fact.key))
            if known is not None and known[0] == fact.generation:
                del self.timers[fact.kind, fact.key]
        for intent in wanted:
            if isinstance(intent, intents.StartTimer):
                self.timers[intent.kind, intent.key] = (intent.generation, at + intent.after_s)
            elif isinstance(intent, intents.CancelTimer):
                self.timers.pop((intent.kind, intent.key), None)

    def __iter__(self) -> Iterator[tuple[facts.TimerFired, float]]:
        """What fires next first; those due at once in the order in which they were started."""
        ordered = sorted(self.timers.items(), key=lambda item: (item[1][1], item[1][0]))
        return ((facts.TimerFired(kind, key, generation), at) for (kind, key), (generation, at) in ordered)


@define
class TakenUp:
    """What an engine has from the run before; nothing, where there was none.

    Args:
        calls: those that were under way.
        sessions: agents who were logged on and have not said since that they are.
        agents: those whom the program has not defined since.
        queues: likewise.
        notes: what of it is not as it was, one sentence each.
        figures: how much it was, for a log.
        ended: the histories of interactions that ended after the last snapshot.
    """

    calls: frozenset[InteractionId] = frozenset()
    sessions: set[AgentId] = field(factory=set)
    agents: set[AgentId] = field(factory=set)
    queues: set[QueueId] = field(factory=set)
    notes: list[str] = field(factory=list)
    figures: dict[str, float] = field(factory=dict)
    ended: list[InteractionHistory] = field(factory=list)

    def follow(self, fact: facts.Fact) -> None:
        """The program says something."""
        if isinstance(fact, facts.AgentDefined):
            self.agents.discard(fact.settings.id)
        elif isinstance(fact, facts.QueueDefined):
            self.queues.discard(fact.settings.id)

    def goes_on(self, fact: facts.LogOnRequested, world: World) -> bool:
        """Whether this is an agent whose session has not ended, and who only says again that they are there."""
        if fact.agent not in self.sessions:
            return False
        self.sessions.discard(fact.agent)
        agent = world.agents.get(fact.agent)
        return agent is not None and agent.state is not AgentState.NULL


def take_up(engine: Engine, past: Past, now: float, chance: random.Random | None) -> tuple[TakenUp, Due]:
    """Make a new engine know what was known when the run before ended; its links are down.

    The last snapshot is restored, and the facts after it are told again. What the engine wants meanwhile was wanted
    then, and is not done a second time.

    Args:
        engine: a new one, with a router like the one that was used.
        past: what was written.
        now: the engine's clock; see Past.clock_at.
        chance: what ids and lots are drawn from; it goes on elsewhere than it was, for what was drawn and not written
            any more is in use on the switch.

    Raises:
        CtiError: the snapshot cannot be understood; the engine is not to be used. A router may raise anything.
    """
    world = engine.world
    codec = Codec()
    notes = [*past.notes, *restore(engine, past.snapshot.picture, codec, chance)]
    due = Due({(kind, key): (int(generation), float(at)) for kind, key, generation, at in past.snapshot.picture["due"]})
    ids = world.ids
    if chance is not None:
        world.ids = IdSource(chance.getrandbits, past.header.epoch)  # the same ids again: the switch's tags name them
    ended: list[InteractionHistory] = []
    told = _tell_again(engine, past, codec, due, notes, ended)
    world.ids = ids
    if chance is not None:
        chance.seed(f"{chance.getrandbits(256):x} {now:.6f}")
    world._token += _SKIPPED  # noqa: SLF001 - part of what a snapshot holds
    for switch, state in world.links.items():
        if state is not LinkState.DOWN:
            _tell(engine, facts.LinkLost(switch), now, due)
    world.switches.clear()  # the program says which there are
    on_calls = {call.switch for call in world.interactions.values()}
    world.links = {switch: state for switch, state in world.links.items() if switch in on_calls}
    logged_on = {agent.id for agent in world.agents.values() if agent.state is not AgentState.NULL}
    if now - past.at > SESSIONS_S:
        for name in sorted(logged_on):
            _tell(engine, facts.LogOffRequested(name, reason.CONN_DOWN), now, due)
        logged_on.clear()
    taken_up = TakenUp(
        calls=frozenset(world.interactions),
        sessions=logged_on,
        agents=set(world.agents),
        queues=set(world.queues),
        notes=notes,
        figures={
            "calls": len(world.interactions),
            "agents": len(logged_on),
            "facts_after_the_snapshot": told,
            "down_s": round(now - past.at, 3),
        },
        ended=ended,
    )
    return taken_up, due


def _tell_again(  # noqa: PLR0917 - what is being made
    engine: Engine, past: Past, codec: Codec, due: Due, notes: list[str], ended: list[InteractionHistory]
) -> int:
    """Tell the facts after the snapshot, as many as can be; returns how many."""
    told = 0
    for record in past.facts:
        try:
            fact, _ = codec.load_fact(record.name, record.fields)
        except NotUnderstood as error:
            notes.append(f"{error}; what came after it is left out")
            break
        try:
            if not record.refused:  # it changed nothing then
                ended += _tell(engine, fact, record.at, due)
        except Exception as error:  # noqa: BLE001 - a defect: what is known until here is better than nothing
            notes.append(f"the engine failed on a fact {record.name}: {error!r}; what came after it is left out")
            break
        told += 1
    return told


def _tell(engine: Engine, fact: facts.Fact, at: float, due: Due) -> list[InteractionHistory]:
    """Tell a fact; the histories that it has completed."""
    try:
        wanted = Engine.handle(engine, fact, at)  # not the recorded one: it was written then
    except CtiError as error:
        _log.debug("a fact of the journal is refused now", fact=type(fact).__name__, reason=str(error))
        return []
    due.follow(fact, wanted, engine.world.now)
    told = [intent.event for intent in wanted if isinstance(intent, intents.Notify)]
    return [event.history for event in told if isinstance(event, events.InteractionEnded)]

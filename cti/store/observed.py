"""What a journal tells of callers and agents apart from any routing: who came when, how long they held on and talked."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any, Final

from attrs import define, field

from cti.engine import Engine
from cti.model import events, facts, intents, reason
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId
from cti.model.states import AgentState
from cti.store.outcome import ANSWERED, CallOutcome, Outcomes
from cti.store.replay import Replay, Step

FALLBACK_TALK_S: Final = 180.0
FALLBACK_RING_S: Final = 5.0
"""Where the journal has no answered call to measure."""
_OWN_DOING: Final = frozenset({reason.RNA, reason.REJECTED, reason.BUSY, reason.PHONE_DOWN, reason.CONN_DOWN})
"""Why an agent is made not ready without having asked for it."""
_MIGHT_TAKE: Final = (AgentState.READY, AgentState.RESERVED, AgentState.ALERTING)


@define
class ObservedCall:
    """A call as it came, and what its script and its caller did of their own."""

    arrival: facts.Offered
    at: float
    script: list[tuple[float, Any]] = field(factory=list)
    """What its script asked for, and when."""
    answers: list[facts.RouteSelected] = field(factory=list)
    """What its route scripts answered, in order."""
    gone_at: float | None = None
    """When the caller hung up without having been answered."""


@define
class Observed:
    """A stretch of a journal without a break."""

    since: float
    until: float
    epoch: float
    """The Unix time of the clock's 0."""
    settings: list[facts.Fact] = field(factory=list)
    """Queues and agents as they were at the beginning."""
    staff: list[tuple[float, facts.Fact]] = field(factory=list)
    """What agents and the host application asked for, that is not about one call."""
    calls: dict[InteractionId, ObservedCall] = field(factory=dict)
    outcomes: list[CallOutcome] = field(factory=list)
    ring_s: dict[AgentId, float] = field(factory=dict)
    """The mean time from an offer to the answer."""

    @property
    def talk_s(self) -> Mapping[ConnectionId, float]:
        """By the caller's leg, for those who were answered and whose end was seen."""
        return {call.caller: call.talk_s for call in self.outcomes if call.talk_s is not None}

    def mean_talk_s(self) -> Mapping[QueueId | None, float]:
        """By queue, and over all under None."""
        seen: dict[QueueId | None, list[float]] = {}
        for call in self.outcomes:
            if call.outcome == ANSWERED and call.talk_s is not None:
                seen.setdefault(call.queue, []).append(call.talk_s)
                seen.setdefault(None, []).append(call.talk_s)
        return {None: FALLBACK_TALK_S, **{queue: fmean(talks) for queue, talks in seen.items()}}


def observe(replay: Replay) -> list[Observed]:
    """Replay a journal and note what does not depend on routing; one Observed for each stretch without a break.

    Raises:
        ConfigurationError: the recorded router is not a SkillRouter, and none was given.
    """
    watchers: list[_Watcher] = []
    replay.on_restored = lambda engine: watchers.append(_Watcher(engine, replay.unix(0.0)))
    for step in replay.steps():
        watchers[-1].see(step)
    return [watcher.finished() for watcher in watchers if watcher.observed.until > watcher.observed.since]


class _Watcher:
    """Follows one engine from its snapshot on."""

    def __init__(self, engine: Engine, epoch: float) -> None:
        self._world = world = engine.world
        self.observed = Observed(world.now, world.now, epoch)
        self._outcomes = Outcomes(self._caller, self._service_level_s)
        self._offered_at: dict[tuple[InteractionId, AgentId], float] = {}
        self._rings: dict[AgentId, list[float]] = {}
        self._withdrawn: set[AgentId] = set()
        self._callers: dict[InteractionId, ConnectionId] = {}
        self._begun = False
        settings = self.observed.settings
        settings += [facts.QueueDefined(queue.settings) for queue in world.queues.values()]
        for agent in world.agents.values():
            settings.append(facts.AgentDefined(agent.settings))
            if agent.state is not AgentState.NULL:
                settings.append(facts.LogOnRequested(agent.id, agent.state in _MIGHT_TAKE))
                if agent.state not in _MIGHT_TAKE:
                    self._withdrawn.add(agent.id)  # until the journal shows them ready

    def _caller(self, interaction: InteractionId) -> ConnectionId | None:
        return self._callers.get(interaction)

    def _service_level_s(self, queue: QueueId) -> float:
        known = self._world.queues.get(queue)
        return known.settings.service_level_s if known is not None else 0.0

    def see(self, step: Step) -> None:
        """One fact, and what the engine made of it."""
        if not self.observed.settings and not self._begun:
            self.observed.since = step.at  # the clock of a new engine says 0 until its first fact
        self._begun = True
        self.observed.until = step.at
        fact = step.fact
        for call in self._world.interactions.values() if isinstance(fact, facts.Offered | facts.SnapshotTaken) else ():
            self._callers.setdefault(call.id, call.caller)
        if isinstance(fact, facts.Offered):
            self._arrived(fact, step.at)
        elif not hasattr(fact, "switch") and not isinstance(fact, facts.TimerFired) and not step.refused:
            asked: Any = fact
            known = self.observed.calls.get(asked.interaction) if hasattr(fact, "interaction") else None
            if known is not None and isinstance(fact, facts.RouteSelected):
                known.answers.append(fact)
            elif known is not None:
                known.script.append((step.at, fact))
            elif not hasattr(fact, "interaction"):
                self.observed.staff.append((step.at, fact))
        for intent in step.wanted:
            if isinstance(intent, intents.OfferCall | intents.PutThrough):
                self._offered_at[intent.interaction, intent.agent] = step.at
            elif isinstance(intent, intents.Notify):
                self._told(intent.event, fact)

    def _arrived(self, fact: facts.Offered, at: float) -> None:
        leg = self._world.connections.get(fact.connection)
        if leg is not None and leg.interaction not in self.observed.calls:
            self.observed.calls[leg.interaction] = ObservedCall(fact, at)

    def _told(self, event: events.Event, fact: facts.Fact) -> None:
        self._outcomes.tell(event)
        if isinstance(event, events.Established) and event.agent is not None:
            offered_at = self._offered_at.pop((event.interaction, event.agent), None)
            if offered_at is not None:
                self._rings.setdefault(event.agent, []).append(event.at - offered_at)
        elif isinstance(event, events.OfferEnded) and event.agent is not None:
            self._offered_at.pop((event.interaction, event.agent), None)
        elif isinstance(event, events.ConnectionCleared) and event.side == "caller":
            call = self.observed.calls.get(event.interaction)
            outcome = self._outcomes.calls.get(event.interaction)
            if call is not None and (outcome is None or outcome.outcome != ANSWERED):
                call.gone_at = event.at
        elif isinstance(event, events.AgentNotReady):
            if event.reason in _OWN_DOING and not isinstance(fact, facts.NotReadyRequested):
                self._withdrawn.add(event.agent)
                self.observed.staff.append((event.at, facts.NotReadyRequested(event.agent, event.reason)))
        elif isinstance(event, events.AgentReady) and event.agent in self._withdrawn:
            self._withdrawn.discard(event.agent)
            if not isinstance(fact, facts.ReadyRequested):
                self.observed.staff.append((event.at, facts.ReadyRequested(event.agent)))

    def finished(self) -> Observed:
        """All that was seen."""
        observed = self.observed
        observed.outcomes = [call for key, call in self._outcomes.calls.items() if key in observed.calls]
        observed.ring_s = {agent: fmean(rings) for agent, rings in self._rings.items()}
        return observed

"""A harness that lets tests of the engine read as stories: who called, who was offered it, what became of it."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any, TypeVar

import attrs

from cti.engine import Engine
from cti.engine.exits import LIVE
from cti.engine.invariants import broken
from cti.engine.world import World
from cti.model import events, facts, intents
from cti.model.agent import Agent, AgentSettings
from cti.model.cause import Cause
from cti.model.connection import Connection
from cti.model.figures import QueueFigures
from cti.model.ids import AgentId, ConnectionId, IdSource, InteractionId, QueueId, SwitchId
from cti.model.interaction import Interaction
from cti.model.overflow import Overflow
from cti.model.personal import LastAgent, Personal
from cti.model.queue import QueueSettings
from cti.model.reservation import Reservation
from cti.model.states import AgentState
from cti.routing import Router, SkillRouter

from .times import Sessions, check_history

T = TypeVar("T")

FS = SwitchId("fs")


class Story:
    """An engine, a clock that only ``advance`` moves, and everything that was asked for and told.

    After each fact all invariants are checked, and that the engine did not find itself in a forbidden state.

    Args:
        now: where the clock begins; 0, as the engine must not take that for "never".
        live: whether the link to the switch is up from the start.
        getrandbits: what ids are drawn from.
        router: decides who goes to whom.
        heard: takes the intents of each fact, once all is checked.
    """

    def __init__(
        self,
        *,
        now: float = 0.0,
        live: bool = True,
        getrandbits: Callable[[int], int] | None = None,
        router: Router | None = None,
        heard: Callable[[list[intents.Intent]], None] = lambda _: None,
    ) -> None:
        self.now = now
        self.engine = Engine(IdSource(getrandbits or random.Random(1).getrandbits), router or SkillRouter())
        self.told: list[tuple[facts.Fact, float]] = []
        """Every fact and when it was told, for a replay."""
        self.intents: list[intents.Intent] = []
        self.last: list[intents.Intent] = []
        """What the last fact set off."""
        self.sessions = Sessions()
        self._due: list[tuple[float, int, facts.TimerFired]] = []
        self._current: dict[tuple[str, str], int] = {}
        self._callers = 0
        self._heard = heard
        if live:
            self.link_up()

    @property
    def world(self) -> World:
        return self.engine.world

    # -- telling --------------------------------------------------------------------------------------------------

    def tell(self, fact: facts.Fact) -> list[intents.Intent]:
        """Tell the engine one fact; its intents."""
        self.told.append((fact, self.now))
        self.last = self.engine.handle(fact, self.now)
        self.intents += self.last
        for intent in self.last:
            if isinstance(intent, intents.StartTimer):
                fired = facts.TimerFired(intent.kind, intent.key, intent.generation)
                heapq.heappush(self._due, (self.now + intent.after_s, intent.generation, fired))
                self._current[intent.kind, intent.key] = intent.generation
            elif isinstance(intent, intents.CancelTimer):
                self._current.pop((intent.kind, intent.key), None)
        wrong = [e.what for e in _events(self.last) if isinstance(e, events.InvariantBroken)]
        wrong += broken(self.world)
        assert not wrong, f"after {fact}: {wrong}"
        for event in _events(self.last):
            self.sessions.hear(event)
            if isinstance(event, events.InteractionEnded):
                check_history(event.history)
        self._heard(self.last)
        return self.last

    def advance(self, seconds: float) -> None:
        """Let time pass; timers fire in order, each at its own moment."""
        until = self.now + seconds
        while self._due and self._due[0][0] <= until:
            at, _, fired = heapq.heappop(self._due)
            if self._current.get((fired.kind, fired.key)) != fired.generation:
                continue  # cancelled, or started afresh
            del self._current[fired.kind, fired.key]
            self.now = max(at, self.now)
            self.tell(fired)
        self.now = until

    @property
    def timers(self) -> list[facts.TimerFired]:
        """The timers that run, the next to fire first; but for the one that each living call has all its life."""
        return [
            fired
            for _, _, fired in sorted(self._due)
            if self._current.get((fired.kind, fired.key)) == fired.generation and fired.kind != LIVE
        ]

    # -- who is there ---------------------------------------------------------------------------------------------

    def queue(self, name: str, **settings: Any) -> QueueId:
        self.tell(facts.QueueDefined(QueueSettings(id=QueueId(name), **settings)))
        return QueueId(name)

    def agent(self, name: str, *, ready: bool = True, logged_on: bool = True, **settings: Any) -> Agent:
        """Define an agent and log them on."""
        settings.setdefault("contact", f"user/{name}")
        self.tell(facts.AgentDefined(AgentSettings(id=AgentId(name), **settings)))
        if logged_on:
            self.log_on(name, ready=ready)
        return self.world.agents[AgentId(name)]

    def log_on(self, agent: str, *, ready: bool = False) -> None:
        self.tell(facts.LogOnRequested(AgentId(agent), ready))

    def log_off(self, agent: str, why: str = "") -> None:
        self.tell(facts.LogOffRequested(AgentId(agent), why))

    def ready(self, agent: str) -> None:
        self.tell(facts.ReadyRequested(AgentId(agent)))

    def not_ready(self, agent: str, why: str = "lunch") -> None:
        self.tell(facts.NotReadyRequested(AgentId(agent), why))

    # -- callers --------------------------------------------------------------------------------------------------

    def call(self, number: str = "5000", *, established: bool = False, switch: SwitchId = FS) -> InteractionId:
        """A caller comes in."""
        self._callers += 1
        caller = ConnectionId(f"caller-{self._callers}")
        self.tell(
            facts.Offered(switch, caller, f"+44{self._callers:06}", f"Caller {self._callers}", number, established)
        )
        return self.world.connections[caller].interaction

    def enqueue(
        self,
        call: InteractionId,
        queue: str,
        priority: int = 0,
        *,
        personal: Personal | LastAgent | None = None,
        preferred: Iterable[str] = (),
        **data: Any,
    ) -> None:
        first = tuple(AgentId(agent) for agent in preferred)
        self.tell(facts.QueueRequested(call, QueueId(queue), priority, data, personal, first))

    def waiting(self, queue: str, priority: int = 0, **more: Any) -> InteractionId:
        """A caller comes in and is queued."""
        call = self.call()
        self.enqueue(call, queue, priority, **more)
        return call

    def divert(self, call: InteractionId, to: Overflow | str) -> None:
        self.tell(facts.DivertRequested(call, to))

    def select(self, call: InteractionId, **answer: Any) -> None:
        """The route script that is being asked about a call answers."""
        asked = answer.pop("cross_ref", None) or self.interaction(call).route_request
        assert asked, f"no route script is being asked about {call}"
        self.tell(facts.RouteSelected(call, asked, **answer))

    def clear(self, call: InteractionId) -> None:
        self.tell(facts.ClearRequested(call))

    def hang_up(self, call: InteractionId, cause: Cause = Cause.NORMAL_CLEARING) -> None:
        """The caller hangs up, and the switch says so."""
        self.cleared(self.caller_of(call), cause)

    # -- legs -----------------------------------------------------------------------------------------------------

    def offered_leg(self, agent: str) -> ConnectionId:
        """The leg by which this agent is being offered a call now."""
        made = self.reservation(agent)
        assert made is not None, f"{agent} is being offered nothing"
        return made.leg

    def originated(self, leg: ConnectionId) -> None:
        self.tell(facts.Originated(self._switch_of(leg), leg, self._reservation_of(leg)))

    def delivered(self, leg: ConnectionId) -> None:
        self.tell(facts.Delivered(self._switch_of(leg), leg))

    def established(self, leg: ConnectionId) -> None:
        self.tell(facts.Established(self._switch_of(leg), leg, self._reservation_of(leg)))

    def bridged(self, call: InteractionId, leg: ConnectionId) -> None:
        self.tell(facts.Bridged(self._switch_of(leg), self.caller_of(call), leg))

    def bridge_failed(self, call: InteractionId, leg: ConnectionId, why: str = "-ERR") -> None:
        self.tell(facts.BridgeFailed(self._switch_of(leg), self.caller_of(call), leg, why))

    def cleared(self, leg: ConnectionId, cause: Cause = Cause.NORMAL_CLEARING) -> None:
        self.tell(facts.ConnectionCleared(self._switch_of(leg), leg, cause, cause.name))

    def failed(self, leg: ConnectionId, cause: Cause) -> None:
        self.tell(facts.Failed(self._switch_of(leg), leg, cause, cause.name))

    def talking(self, agent: str, queue: str) -> InteractionId:
        """A caller comes in, and this agent takes the call."""
        call = self.waiting(queue)
        self.take(agent)
        assert self.world.interactions[call].agent == agent
        return call

    def take(self, agent: str) -> ConnectionId:
        """The agent takes the call that they are being offered."""
        leg = self.offered_leg(agent)
        call = self.world.connections[leg].interaction
        self.delivered(leg)
        self.established(leg)
        self.bridged(call, leg)
        return leg

    def answers(self, agent: str) -> ConnectionId:
        """The agent answers the call that they are being offered; nobody has been bridged yet."""
        leg = self.offered_leg(agent)
        self.delivered(leg)
        self.established(leg)
        return leg

    def ends(self, agent: str) -> None:
        """The agent hangs up, and the caller's leg ends too."""
        leg = self.world.agents[AgentId(agent)].connection
        assert leg is not None, f"{agent} is on no call"
        call = self.world.connections[leg].interaction
        self.cleared(leg)
        self.hang_up(call)

    # -- the link -------------------------------------------------------------------------------------------------

    def link_up(self, *channels: facts.ChannelSeen, restarted: bool = False, switch: SwitchId = FS) -> None:
        """The link comes (back) up, and the snapshot shows these channels."""
        self.tell(facts.LinkConnecting(switch))
        self.tell(facts.LinkAuthenticated(switch))
        self.snapshot(*channels, restarted=restarted, switch=switch)

    def link_lost(self, switch: SwitchId = FS) -> None:
        self.tell(facts.LinkLost(switch))

    def snapshot(self, *channels: facts.ChannelSeen, restarted: bool = False, switch: SwitchId = FS) -> None:
        self.tell(facts.SnapshotTaken(switch, channels, restarted))

    def seen(self, connection: ConnectionId, **more: Any) -> facts.ChannelSeen:
        """What a snapshot shows of a leg the engine knows, with the tags it put there."""
        leg = self.world.connections[connection]
        return facts.ChannelSeen(
            connection,
            interaction=leg.interaction,
            agent=leg.agent,
            reservation=leg.reservation,
            side=leg.side,
            established=more.pop("established", leg.established_at is not None),
            **more,
        )

    # -- looking --------------------------------------------------------------------------------------------------

    def state(self, agent: str) -> AgentState:
        return self.world.agents[AgentId(agent)].state

    def why(self, agent: str) -> str:
        """The agent's reason code."""
        return self.world.agents[AgentId(agent)].reason

    def reservation(self, agent: str) -> Reservation | None:
        held = self.world.agents[AgentId(agent)].reservation
        return self.world.reservations[held] if held is not None else None

    def interaction(self, call: InteractionId) -> Interaction:
        return self.world.interactions[call]

    def leg(self, connection: ConnectionId) -> Connection:
        return self.world.connections[connection]

    def caller_of(self, call: InteractionId) -> ConnectionId:
        return self.world.interactions[call].caller

    def ringing(self, call: InteractionId) -> list[AgentId]:
        """Who is being offered a call now, the first first."""
        return [self.world.reservations[each].agent for each in self.interaction(call).reservations]

    def is_over(self, call: InteractionId) -> bool:
        known = self.world.interactions.get(call)
        return known is None or known.state.is_over

    def figures(self, queue: str) -> QueueFigures:
        return self.world.queues[QueueId(queue)].figures

    def waits(self, queue: str) -> list[InteractionId]:
        """The queue's waiting calls that nobody is being offered, in order."""
        return list(self.world.router.waiting(QueueId(queue)))

    def offers(self) -> list[tuple[AgentId, InteractionId]]:
        """Who was offered which call, in order, since the start."""
        return [(i.agent, i.interaction) for i in self.intents if isinstance(i, intents.OfferCall)]

    def wanted(self, kind: type[T]) -> list[T]:
        """The intents of one kind that the last fact set off."""
        return [intent for intent in self.last if isinstance(intent, kind)]

    def clears(self) -> list[ConnectionId]:
        """The legs that the last fact made us ask the switch to end."""
        return [intent.connection for intent in self.wanted(intents.ClearConnection)]

    def events(self, kind: type[T], *, last: bool = False) -> list[T]:
        """The events of one kind since the start, or of the last fact."""
        return [event for event in _events(self.last if last else self.intents) if isinstance(event, kind)]

    def picture(self) -> Mapping[str, Any]:
        """Everything the engine knows, as plain values that can be compared."""
        world, router = self.world, self.world.router
        assert isinstance(router, SkillRouter)
        return deepcopy(
            {
                **{name: {k: attrs.asdict(v) for k, v in getattr(world, name).items()} for name in _KEPT},
                "links": world.links,
                "phones": world.phones,
                "adopted": world.adopted,
                "running": world.timers._running,
                "last agents": world.last_agents,
                "staff": (world.staff._serves, world.staff._counts, world.staff._groups),
                "lanes": {k: (v.queue.settings, list(v.agents), list(v.calls)) for k, v in router._lanes.items()},
            }
        )

    def _switch_of(self, leg: ConnectionId) -> SwitchId:
        known = self.world.connections.get(leg)
        return known.switch if known is not None else FS

    def _reservation_of(self, leg: ConnectionId) -> Any:
        """What the leg is tagged with: the reservation it was made for, living or not."""
        made_for = [i.reservation for i in self.intents if isinstance(i, intents.OfferCall) and i.leg == leg]
        return made_for[0] if made_for else None


_KEPT = ("agents", "queues", "interactions", "connections", "reservations")


def _events(wanted: Iterable[intents.Intent]) -> list[events.Event]:
    return [intent.event for intent in wanted if isinstance(intent, intents.Notify)]

"""The observed callers and agents with another router: the real engine, in virtual time, on a switch that does as asked."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from itertools import count
from typing import Any

from attrs import evolve

from cti.engine import Engine
from cti.errors import CtiError
from cti.model import events, facts, intents
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, IdSource, InteractionId, QueueId, SwitchId
from cti.store.observed import FALLBACK_RING_S, Observed, ObservedCall
from cti.store.outcome import CallOutcome, Outcomes
from cti.store.replay import MakeRouter

_BEFORE_TIMEOUT_S = 0.001
"""An offer that was answered in the journal is answered here, however short the queue's ring timeout is."""


class Simulation:
    """Plays one stretch of a journal with a router.

    Callers come when they came, and their scripts ask what they asked, when they asked it. A caller who hung up before
    an answer does so at the same moment, unless answered by then; one who was answered waits as long as it takes. Every
    offer is answered, after the time that this agent took on the average. A call lasts as long as it did, or the
    queue's mean if it was not answered then. Agents ask what they asked, when they asked it; wrap-up is the engine's.

    Args:
        observed: the stretch.
        router: makes the router.
        seed: what lots are drawn from.
    """

    def __init__(self, observed: Observed, router: MakeRouter, seed: int = 1) -> None:
        chance = random.Random(seed)
        self._observed = observed
        self._engine = Engine(IdSource(chance.getrandbits), router(chance.random))
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()
        self._now = observed.since
        self._timers: dict[tuple[str, str], int] = {}
        self._alive: dict[ConnectionId, SwitchId] = {}
        self._agent_of: dict[ConnectionId, AgentId] = {}
        self._standing: set[ConnectionId] = set()
        self._talk_s = observed.talk_s
        self._mean_talk_s = observed.mean_talk_s()
        rings = list(observed.ring_s.values())
        self._mean_ring_s = sum(rings) / len(rings) if rings else FALLBACK_RING_S
        self._interactions: dict[ConnectionId, InteractionId] = {}
        self._callers: dict[InteractionId, ConnectionId] = {}
        self._answers = {call.arrival.connection: iter(call.answers) for call in observed.calls.values()}
        self._outcomes = Outcomes(self._callers.get, self._service_level_s)
        self._carry: dict[type, Callable[[Any], object]] = {
            intents.OfferCall: self._offer,
            intents.MakeConnection: self._stand,
            intents.StopListening: lambda intent: self._in(0.0, lambda: self._park(intent.switch, intent.connection)),
            intents.Bridge: self._bridge,
            intents.AnswerConnection: self._answer,
            intents.ClearConnection: lambda intent: self._in(0.0, lambda: self._clear(intent.connection, intent.cause)),
            intents.DivertConnection: lambda intent: self._alive.pop(intent.connection, None),
            intents.CheckConnection: self._check,
            intents.StartTimer: self._start_timer,
            intents.CancelTimer: lambda intent: self._timers.pop((intent.kind, intent.key), None),
            intents.Notify: lambda intent: self._told(intent.event),
        }
        self.refused = 0
        """Requests that the engine refused, as the call or the agent was in another state than then."""
        self.longer = 0
        """Calls that waited longer than they did then, though they were answered then: some might have hung up."""

    def run(self) -> list[CallOutcome]:
        """Play it to the end of the stretch; what became of each call that was queued."""
        observed = self._observed
        for switch in sorted({call.arrival.switch for call in observed.calls.values()}):
            self._tell(facts.LinkConnecting(switch))
            self._tell(facts.LinkAuthenticated(switch))
            self._tell(facts.SnapshotTaken(switch, ()))
        self._set_up()
        for at, fact in observed.staff:
            self._at(at, lambda fact=fact: self._tell(fact))  # type: ignore[misc]
        for call in observed.calls.values():
            self._at(call.at, lambda call=call: self._arrive(call))  # type: ignore[misc]
        while self._due and self._due[0][0] <= observed.until:
            self._now, _, act = heapq.heappop(self._due)
            act()
        outcomes = list(self._outcomes.calls.values())
        waited = {call.caller: call.waited_s for call in observed.outcomes if call.outcome == "answered"}
        for outcome in outcomes:
            before = waited.get(outcome.caller)
            now = outcome.waited_s if outcome.waited_s is not None else observed.until - outcome.queued_at
            self.longer += before is not None and now > before
        return outcomes

    def _set_up(self) -> None:
        """Queues may name each other: those that are refused are tried again as long as that helps."""
        left = self._observed.settings
        while left:
            refused = [fact for fact in left if not self._tell(fact)]
            if len(refused) == len(left):
                return
            left = refused

    # -- time -----------------------------------------------------------------------------------------------------

    def _at(self, at: float, act: Callable[[], object]) -> None:
        heapq.heappush(self._due, (max(at, self._now), next(self._order), act))

    def _in(self, seconds: float, act: Callable[[], object]) -> None:
        self._at(self._now + seconds, act)

    def _tell(self, fact: facts.Fact) -> bool:
        try:
            wanted = self._engine.handle(fact, self._now)
        except CtiError:
            self.refused += 1
            return False
        for intent in wanted:
            carry = self._carry.get(type(intent))
            if carry is not None:
                carry(intent)
        return True

    def _start_timer(self, intent: intents.StartTimer) -> None:
        self._timers[intent.kind, intent.key] = intent.generation

        def fire() -> None:
            if self._timers.get((intent.kind, intent.key)) == intent.generation:
                del self._timers[intent.kind, intent.key]
                self._tell(facts.TimerFired(intent.kind, intent.key, intent.generation))

        self._in(intent.after_s, fire)

    # -- callers --------------------------------------------------------------------------------------------------

    def _arrive(self, call: ObservedCall) -> None:
        caller = call.arrival.connection
        self._alive[caller] = call.arrival.switch
        self._tell(call.arrival)
        leg = self._engine.world.connections.get(caller)
        if leg is None:
            return
        self._interactions[caller] = leg.interaction
        self._callers[leg.interaction] = caller
        for at, fact in call.script:
            here = evolve(fact, interaction=leg.interaction)
            self._at(at, lambda fact=here: self._tell(fact))  # type: ignore[misc]
        if call.gone_at is not None:
            self._at(call.gone_at, lambda: self._give_up(caller))

    def _told(self, event: events.Event) -> None:
        self._outcomes.tell(event)
        if isinstance(event, events.RouteRequested):
            answer = next(self._answers.get(self._callers.get(event.interaction, ConnectionId("")), iter(())), None)
            if answer is not None:  # else the deadline passes
                here = evolve(answer, interaction=event.interaction, cross_ref=event.cross_ref)
                self._in(0.0, lambda: self._tell(here))

    def _give_up(self, caller: ConnectionId) -> None:
        outcome = self._outcomes.calls.get(self._interactions[caller])
        if outcome is None or outcome.outcome != "answered":
            self._clear(caller, Cause.NORMAL_CLEARING)

    def _clear(self, leg: ConnectionId, cause: Cause) -> None:
        switch = self._alive.pop(leg, None)
        if switch is not None:
            self._tell(facts.ConnectionCleared(switch, leg, cause, ""))

    def _check(self, intent: intents.CheckConnection) -> None:
        if intent.connection not in self._alive:
            gone = facts.ConnectionCleared(intent.switch, intent.connection, Cause.NORMAL_CLEARING, "")
            self._in(0.0, lambda: self._tell(gone))

    def _answer(self, intent: intents.AnswerConnection) -> None:
        self._in(0.0, lambda: self._established(intent.switch, intent.connection, None))

    def _established(self, switch: SwitchId, leg: ConnectionId, reservation: Any) -> None:
        if leg in self._alive:
            self._tell(facts.Established(switch, leg, reservation))

    # -- agents ---------------------------------------------------------------------------------------------------

    def _offer(self, intent: intents.OfferCall) -> None:
        self._alive[intent.leg] = intent.switch
        self._agent_of[intent.leg] = intent.agent
        ring_s = self._observed.ring_s.get(intent.agent, self._mean_ring_s)
        ring_s = max(0.0, min(ring_s, intent.ring_timeout_s - _BEFORE_TIMEOUT_S))
        self._in(0.0, lambda: self._ring(intent.switch, intent.leg))
        self._in(ring_s, lambda: self._established(intent.switch, intent.leg, intent.reservation))

    def _stand(self, intent: intents.MakeConnection) -> None:
        """An agent comes on the line, to stay there; other calls that agents make are not played."""
        if intent.standing:
            self._alive[intent.leg] = intent.switch
            self._standing.add(intent.leg)
            self._in(self._mean_ring_s, lambda: self._park(intent.switch, intent.leg))

    def _park(self, switch: SwitchId, leg: ConnectionId) -> None:
        if leg in self._alive:
            self._tell(facts.Parked(switch, leg))

    def _ring(self, switch: SwitchId, leg: ConnectionId) -> None:
        if leg in self._alive:
            self._tell(facts.Delivered(switch, leg))

    def _bridge(self, intent: intents.Bridge) -> None:
        self._in(0.0, lambda: self._bridged(intent))

    def _bridged(self, intent: intents.Bridge) -> None:
        if intent.connection not in self._alive or intent.other not in self._alive:
            return  # the end of the one that is gone is on its way
        self._tell(facts.Bridged(intent.switch, intent.connection, intent.other))
        caller = intent.connection if intent.connection in self._interactions else intent.other
        self._in(self._lasts_s(caller), lambda: self._talked(intent, caller))

    def _talked(self, pair: intents.Bridge, caller: ConnectionId) -> None:
        self._clear(caller, Cause.NORMAL_CLEARING)
        for leg in {pair.connection, pair.other} & self._standing:
            self._park(pair.switch, leg)  # it stays

    def _lasts_s(self, caller: ConnectionId) -> float:
        if caller in self._talk_s:
            return self._talk_s[caller]
        outcome = self._outcomes.calls.get(self._interactions[caller])
        queue = outcome.queue if outcome is not None else None
        return self._mean_talk_s.get(queue, self._mean_talk_s[None])

    def _service_level_s(self, queue: QueueId) -> float:
        known = self._engine.world.queues.get(queue)
        return known.settings.service_level_s if known is not None else 0.0

"""The engine: one entry, one fact in, intents out. The same facts at the same times give the same intents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cti.engine.desk import PAUSE, WRAP_UP, Desk
from cti.engine.line import WAIT, WIDEN, Line
from cti.engine.links import Links
from cti.engine.offers import CHECK, LEASE, LOOK, Offers
from cti.engine.world import World
from cti.errors import ConfigurationError, IllegalTransition
from cti.model import events, facts, intents
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import ConnectionId, IdSource, InteractionId, ReservationId
from cti.model.queue import Queue, ToQueue
from cti.model.states import ConnectionTrigger, LinkTrigger
from cti.routing.router import Router


class Engine:
    """Applies facts to the model.

    It never yields, sleeps, reads a clock or draws a random number of its own.

    Args:
        ids: makes ids.
        router: decides which call goes to which agent; nobody else may use it.
    """

    def __init__(self, ids: IdSource, router: Router) -> None:
        self.world = World(ids, router)
        self._desk = Desk(self.world)
        self._offers = Offers(self.world, self._desk)
        self._line = Line(self.world, self._desk, self._offers)
        self._links = Links(self.world, self._desk, self._line, self._offers)
        self._desk.offer_to = self._line.offer_to
        self._desk.withdraw = self._offers.withdraw
        self._offers.put_back = self._line.put_back
        self._offers.route = self._line.route
        self._offers.answered = self._line.answered
        self._table: dict[type, Callable[[Any], None]] = {
            facts.Offered: self._line.offered,
            facts.Originated: self._originated,
            facts.Delivered: self._delivered,
            facts.Established: self._established,
            facts.Bridged: self._bridged,
            facts.BridgeFailed: self._bridge_failed,
            facts.Held: lambda fact: self._moved(fact.connection, ConnectionTrigger.HOLD),
            facts.Retrieved: lambda fact: self._moved(fact.connection, ConnectionTrigger.RETRIEVE),
            facts.ConnectionCleared: self._cleared,
            facts.Failed: self._cleared,
            facts.LinkConnecting: lambda fact: self._links.changed(fact.switch, LinkTrigger.CONNECT),
            facts.LinkAuthenticated: lambda fact: self._links.changed(fact.switch, LinkTrigger.AUTHENTICATE),
            facts.LinkLost: lambda fact: self._links.changed(fact.switch, LinkTrigger.LOSE),
            facts.SnapshotTaken: self._links.snapshot,
            facts.AgentDefined: lambda fact: self._desk.define(fact.settings),
            facts.AgentRemoved: lambda fact: self._desk.remove(fact.agent),
            facts.QueueDefined: self._queue_defined,
            facts.LogOnRequested: self._desk.log_on,
            facts.LogOffRequested: self._desk.log_off,
            facts.ReadyRequested: self._desk.ready,
            facts.NotReadyRequested: self._desk.not_ready,
            facts.QueueRequested: self._line.queue,
            facts.DataAttached: self._data_attached,
            facts.DivertRequested: self._line.divert,
            facts.ClearRequested: self._line.clear,
            facts.TimerFired: self._timer_fired,
        }

    def handle(self, fact: facts.Fact, now: float) -> list[intents.Intent]:
        """Apply one fact that happened at ``now`` (monotonic, seconds); returns what is wanted, in order.

        A fact about something unknown or over changes nothing and returns nothing, or asks to clear a leg that is
        nobody's. ``now`` never runs backwards: an earlier one counts as the latest seen.

        Raises:
            CtiError: a request of the host application that cannot be met; the model is as it was.
        """
        world = self.world
        world.now = world.router.now = max(now, world.now)
        world.intents = []
        try:
            self._table[type(fact)](fact)
        except IllegalTransition as error:
            # A defect of ours, not of the one who told us: say it, keep what was decided until then.
            world.notify(events.InvariantBroken(at=world.now, what=f"{type(fact).__name__}: {error}"))
        return world.intents

    # -- facts of one leg -----------------------------------------------------------------------------------------

    def _originated(self, fact: facts.Originated) -> None:
        leg = self._leg(fact)
        if leg is not None:
            leg.move(ConnectionTrigger.ORIGINATE)
            if leg.clearing:  # the caller went before the agent's channel existed (race 2)
                self._offers.clear(leg, Cause.CALL_CANCELLED)

    def _delivered(self, fact: facts.Delivered) -> None:
        leg = self._leg(fact)
        if leg is not None and leg.side is Side.AGENT:
            leg.move(ConnectionTrigger.ALERT)
            self._offers.delivered(leg)

    def _established(self, fact: facts.Established) -> None:
        leg = self._leg(fact)
        if leg is not None:
            self._line.established(leg)

    def _leg(self, fact: facts.Originated | facts.Delivered | facts.Established) -> Connection | None:
        leg = self.world.connections.get(fact.connection)
        if leg is None and not isinstance(fact, facts.Delivered) and fact.reservation is not None:
            # A leg that was made for a reservation long over: it must not ring on.
            self.world.emit(intents.ClearConnection(fact.switch, fact.connection, Cause.CALL_CANCELLED))
        return leg

    def _bridged(self, fact: facts.Bridged) -> None:
        for connection in (fact.connection, fact.other):
            leg = self.world.connections.get(connection)
            if leg is not None and leg.side is Side.AGENT:
                self._offers.bridged(leg)

    def _bridge_failed(self, fact: facts.BridgeFailed) -> None:
        for connection in (fact.connection, fact.other):
            leg = self.world.connections.get(connection)
            if leg is not None and leg.side is Side.AGENT:
                self._offers.bridge_failed(leg)

    def _moved(self, connection: ConnectionId, trigger: ConnectionTrigger) -> None:
        leg = self.world.connections.get(connection)
        if leg is not None:
            leg.move(trigger)

    def _cleared(self, fact: facts.ConnectionCleared | facts.Failed) -> None:
        self.world.ended(fact.connection)
        leg = self.world.connections.get(fact.connection)
        if leg is not None:
            self._line.connection_cleared(leg, fact.cause, fact.switch_cause)

    # -- the rest -------------------------------------------------------------------------------------------------

    def _queue_defined(self, fact: facts.QueueDefined) -> None:
        world, settings = self.world, fact.settings
        if isinstance(settings.overflow, ToQueue) and settings.overflow.queue != settings.id:
            world.queue(settings.overflow.queue)
        elif isinstance(settings.overflow, ToQueue):
            raise ConfigurationError(f"queue {settings.id!r} overflows to itself; name another queue")
        for name in [name for step in settings.widening for name in step.also]:
            if name == settings.id:
                raise ConfigurationError(f"queue {settings.id!r} widens to itself; name another queue")
            world.queue(name)
        queue = Queue(settings)
        world.router.queue_defined(queue)
        known = world.queues.get(settings.id)
        if known is not None:
            queue.figures = known.figures
        world.queues[settings.id] = queue
        self._line.redefined(queue)
        for call in world.router.concerned(settings.id):  # who may take them has changed: matched afresh (race 19)
            self._line.route(world.interactions[call])

    def _data_attached(self, fact: facts.DataAttached) -> None:
        call = self.world.interaction(fact.interaction)
        for key, value in fact.data.items():
            if value is None:
                call.data.pop(key, None)
            else:
                call.data[key] = value

    def _timer_fired(self, fact: facts.TimerFired) -> None:
        if not self.world.timers.counts(fact):
            return
        if fact.kind == LEASE:
            self._offers.lease_over(ReservationId(fact.key))
        elif fact.kind == WAIT:
            self._line.waited_too_long(InteractionId(fact.key))
        elif fact.kind == WIDEN:
            self._line.widen(InteractionId(fact.key))
        elif fact.kind == LOOK:
            self._offers.look_for(ConnectionId(fact.key))
        elif fact.kind == CHECK:
            self._line.check(ConnectionId(fact.key))
        elif fact.kind in (WRAP_UP, PAUSE):
            self._desk.timer_fired(fact)

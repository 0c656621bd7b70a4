"""The engine: one entry, one fact in, intents out. The same facts at the same times give the same intents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cti.engine import coming_up
from cti.engine.advice import check_queue
from cti.engine.after_call import AfterCall
from cti.engine.callback_parts import ABOUT_SWITCHES, CallbackParts
from cti.engine.calling_parts import CallingParts
from cti.engine.calls import Calls
from cti.engine.coming_up import HELD, LEAVING
from cti.engine.conferences import Conferences
from cti.engine.consultations import ANSWER, CAMP, Consultations
from cti.engine.counts import LATE, Counts
from cti.engine.desk import PAUSE, WRAP_UP, Desk
from cti.engine.devices import DEVICE, Devices
from cti.engine.exits import LIVE, Exits
from cti.engine.histories import Histories
from cti.engine.invitations import Invitations
from cti.engine.left_behind import LeftBehind
from cti.engine.line import Line
from cti.engine.links import Links
from cti.engine.made_calls import MadeCalls
from cti.engine.matching import RING, WIDEN, Matching
from cti.engine.media import PAIR, Media
from cti.engine.messages import Messages
from cti.engine.offers import CHECK, LEASE, LOOK, MOBILE, Offers
from cti.engine.own_calls import OWN, OwnCalls
from cti.engine.parking import RECALL, Parking
from cti.engine.pickups import Pickups
from cti.engine.putting_through import PuttingThrough
from cti.engine.recordings import SEGMENT, Recordings
from cti.engine.return_calls import RETURN, ReturnCalls
from cti.engine.route_answers import RouteAnswers
from cti.engine.route_requests import ROUTE, RouteRequests
from cti.engine.second_phones import SecondPhones
from cti.engine.standing import BETWEEN, STANDING, STRAY, Standing
from cti.engine.supervision import SUPERVISE, Supervising
from cti.engine.switches import LOST, Switches
from cti.engine.takeover import TakeOver
from cti.engine.talk import Talk
from cti.engine.tie_lines import TIE_LINE, TieLines
from cti.engine.ties import TIE, Ties
from cti.engine.trunks import Trunks
from cti.engine.wishes import PERSONAL, Wishes
from cti.engine.world import World
from cti.errors import CtiError, IllegalTransition
from cti.model import device_facts, events, facts, intents, services
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import AgentId, ConnectionId, IdSource, InteractionId, QueueId, ReservationId, SwitchId
from cti.model.interaction import Interaction
from cti.model.overflow import WAIT
from cti.model.queue import Queue
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
        self.defect: Exception | None = None
        """What the fact handled last has failed on, by a defect of ours: what was decided until then is wanted all the same."""
        self._desk = Desk(self.world)
        self._devices = Devices(self.world, self._desk)
        self._own_calls = OwnCalls(self.world, self._desk, self._devices)
        self._offers = Offers(self.world, self._desk)
        self._second_phones = SecondPhones(self.world, self._offers)
        self._matching = Matching(self.world, self._offers)
        self._wishes = Wishes(self.world)
        self._exits = Exits(self.world, self._offers)
        self._standing = Standing(self.world, self._desk, self._exits)
        self._standing.no_own_call = self._own_calls.gone
        requests = RouteRequests(self.world)
        self._counts = Counts(self.world, self._matching)
        after = AfterCall(self.world)
        self._line = Line(
            self.world, self._offers, self._matching, self._wishes, requests, self._exits, self._counts, after
        )
        self._answers = RouteAnswers(self.world, self._line, requests, self._wishes)
        self._media = Media(self.world)
        self._consultations = Consultations(self.world, self._offers, self._media)
        self._parking = Parking(self.world, self._line)
        self._invitations = Invitations(self.world, self._offers, self._consultations)
        self._pickups = Pickups(self.world, self._offers, self._matching, self._line)
        self._talk = Talk(
            self.world,
            self._offers,
            self._line,
            self._exits,
            self._media,
            self._consultations,
            self._parking,
            self._invitations,
            after,
        )
        self._made = MadeCalls(self.world, self._desk, self._offers, self._media, self._exits)
        self._returns = ReturnCalls(self.world, self._offers, self._media)
        self._calls = Calls(
            self.world,
            self._desk,
            self._offers,
            self._line,
            self._exits,
            self._talk,
            self._consultations,
            self._made,
            self._returns,
        )
        self._messages = Messages(self.world, self._desk, self._offers, self._line, self._exits)
        self._callbacks = CallbackParts(
            self.world, self._offers, self._line, self._matching, self._wishes, self._exits, self._calls
        )
        self._ties = Ties(self.world)
        self._trunks = Trunks(self.world)
        self._tie_lines = TieLines(self.world, self._offers, self._trunks)
        self._ties.came = self._tie_lines.came
        self._switches = Switches(self.world, self._desk, self._calls, self._offers, self._talk, self._ties)
        self._links = Links(
            self.world,
            self._desk,
            self._calls,
            self._matching,
            self._offers,
            self._line,
            after,
            self._switches,
            self._ties,
        )
        takeover = TakeOver(
            self.world, self._desk, self._offers, self._line, self._talk, self._media, self._consultations
        )
        self._supervising = Supervising(self.world, self._desk, takeover)
        self._calling = CallingParts(
            self.world,
            self._offers,
            self._line,
            self._matching,
            self._exits,
            self._calls,
            self._made,
            self._invitations,
            self._supervising,
        )
        self._through = PuttingThrough(self.world, self._offers, self._calls, self._invitations, self._standing)
        self._through.parked = self._calling.parked
        self._recordings = Recordings(self.world)
        self._histories, self._conferences = Histories(self.world), Conferences(self.world)
        self._recordings.overlaid = self._supervising.overlaid
        self._ties.leg_cleared = self._calls.connection_cleared
        self._switches.place_callbacks = self._callbacks.place
        self._supervising.leg_gone = self._switches.supervisor_left
        self._switches.supervisor_gone = self._supervising.gone
        self._calls.talked = self._talked
        self._calls.goes_on_without = LeftBehind(self.world, self._media).goes_on
        self._calls.leg_gone = self._leg_gone
        self._desk.offer_to = self._became_ready
        self._desk.agent_changed = self._matching.agent_changed
        self._desk.agent_left = self._agent_left
        self._desk.unstaffed = self._unstaffed
        self._desk.withdraw = self._offers.withdraw
        self._desk.logged_on = self._logged_on
        self._desk.logged_off = self._logged_off
        self._desk.stops = lambda agent: self._devices.stops(agent) or self._standing.stops(agent)
        self._desk.comes_back, self._desk.wanted = self._standing.comes_back, self._standing.wanted
        self._devices.back = self._standing.phone_back
        self._offers.put_back = self._line.put_back
        self._offers.route = self._matching.route
        self._offers.answered = self._line.answered
        self._offers.consulted_answered = self._consulted_answered
        self._offers.consultation_failed = self._consultations.failed
        self._wishes.look_again = self._line.again
        self._table: dict[type, Callable[[Any], None]] = {
            facts.Offered: self._calls.offered,
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
            facts.LinkAuthenticated: self._authenticated,
            facts.LinkLost: lambda fact: self._links.changed(fact.switch, LinkTrigger.LOSE),
            facts.SnapshotTaken: self._snapshot_taken,
            device_facts.DeviceInService: self._devices.in_service,
            device_facts.DeviceOutOfService: self._devices.out_of_service,
            **self._own_calls.table,
            facts.AgentDefined: self._agent_defined,
            facts.AgentRemoved: self._agent_removed,
            facts.QueueDefined: self._queue_defined,
            facts.LogOnRequested: self._desk.log_on,
            facts.LogOffRequested: self._log_off,
            facts.ReadyRequested: self._supervising.ready,
            facts.NotReadyRequested: self._desk.not_ready,
            facts.QueueRequested: self._line.queue,
            facts.DataAttached: self._data_attached,
            facts.RouteSelected: self._answers.selected,
            facts.DivertRequested: self._calls.divert,
            facts.ClearRequested: self._clear,
            facts.Parked: self._parked,
            services.MakeCallRequested: self._made.make,
            services.ReturnCallRequested: self._returns.request,
            facts.TimerFired: self._timer_fired,
            services.UnparkRequested: self._parking.unpark,
            services.StandingConnectionRequested: self._standing.dialled_in,
            **self._calling.table,
            **self._talk.table,
            **self._callbacks.table,
            **self._pickups.table,
            **self._supervising.table,
            **self._recordings.table,
            **self._messages.table,
            **self._switches.table,
            **self._trunks.table,
        }
        self._timers: dict[str, Callable[[facts.TimerFired], None]] = {
            **self._calling.timers,
            LEASE: lambda fact: self._offers.lease_over(ReservationId(fact.key)),
            LOOK: lambda fact: self._offers.look_for(ConnectionId(fact.key)),
            HELD: lambda fact: self._offers.held_too_long(ReservationId(fact.key)),
            LEAVING: lambda fact: self._calls.leaves_now(InteractionId(fact.key)),
            CHECK: lambda fact: self._calls.check(ConnectionId(fact.key)),
            LIVE: lambda fact: self._calls.look(InteractionId(fact.key)),
            WAIT: lambda fact: self._line.waited_too_long(InteractionId(fact.key)),
            LATE: lambda fact: self._counts.late(InteractionId(fact.key)),
            ROUTE: lambda fact: self._answers.deadline(InteractionId(fact.key)),
            WIDEN: lambda fact: self._matching.widen(InteractionId(fact.key)),
            RING: lambda fact: self._matching.ring(InteractionId(fact.key)),
            PERSONAL: lambda fact: self._wishes.over(InteractionId(fact.key)),
            PAIR: lambda fact: self._media.again(InteractionId(fact.key)),
            RECALL: lambda fact: self._parking.recall(fact.key),
            RETURN: lambda fact: self._returns.no_answer(InteractionId(fact.key)),
            CAMP: lambda fact: self._consultations.camped_too_long(InteractionId(fact.key)),
            ANSWER: lambda fact: self._consultations.no_answer(ConnectionId(fact.key)),
            SUPERVISE: lambda fact: self._supervising.timer_fired(ConnectionId(fact.key)),
            SEGMENT: lambda fact: self._recordings.timer_fired(fact.key),
            STANDING: lambda fact: self._standing.timer_fired(AgentId(fact.key)),
            STRAY: lambda fact: self._standing.end_again(ConnectionId(fact.key)),
            BETWEEN: lambda fact: self._standing.between(AgentId(fact.key)),
            DEVICE: self._devices.look,
            OWN: self._own_calls.look,
            MOBILE: self._second_phones.look,
            **self._callbacks.timers,
            LOST: lambda fact: self._switches.lost(SwitchId(fact.key)),
            TIE_LINE: lambda fact: self._tie_lines.timer_fired(ConnectionId(fact.key)),
            TIE: lambda fact: self._ties.timer_fired(ConnectionId(fact.key)),
            WRAP_UP: self._desk.timer_fired,
            PAUSE: self._desk.timer_fired,
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
        for after in (world.left, world.freed, world.through):
            after.clear()
        self.defect = None
        try:
            self._table[type(fact)](fact)
            self._follow_up()
            if type(fact) in ABOUT_SWITCHES:
                self._callbacks.look_at_switches()
                self._follow_up()
        except IllegalTransition as error:
            # A defect of ours, not of the one who told us: say it, keep what was decided until then.
            world.notify(events.InvariantBroken(at=world.now, what=f"{type(fact).__name__}: {error}"))
        except Exception as error:
            if isinstance(error, CtiError) and not world.intents:
                raise
            # What was decided is in the model: were it not wanted too, a timer would never fire, a phone never ring.
            self.defect = error
            world.notify(events.InvariantBroken(at=world.now, what=f"{type(fact).__name__}: {error!r}"))
        try:
            self._conferences.follow(self._histories.follow(fact))
        except Exception as error:  # noqa: BLE001 - a defect of what only watches must not cost a call
            world.notify(events.InvariantBroken(at=world.now, what=f"histories: {type(fact).__name__}: {error!r}"))
        return world.intents

    def _follow_up(self) -> None:
        """What the fact in hand has left to be done when all else is in its place."""
        left = self.world.left
        while left or self._through.due:
            if left:
                self._wishes.agent_left(left.pop(0))
            else:
                self._through.next()

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
        if leg is not None:
            self._made.delivered(leg)

    def _established(self, fact: facts.Established) -> None:
        leg = self._leg(fact)
        if leg is not None:
            self._calls.established(leg)
            if fact.parked:
                self._calls.parked(leg)
        elif fact.connection in self.world.stray:
            self._standing.parked(fact.connection)

    def _became_ready(self, agent: Agent) -> None:
        """An agent is ready: for whoever waits to consult them, else for the call that is due to them."""
        if not self._consultations.became_ready(agent) and not self._calling.became_ready(agent):
            self._matching.offer_to(agent)

    def _agent_left(self, agent: Agent) -> None:
        # Who waits for them is told when the call that they were being offered is back in its place, or would overtake it.
        self.world.left.append(agent)
        self._calling.agent_left(agent)

    def _consulted_answered(self, leg: Connection) -> None:
        self._consultations.answered(leg)
        self._made.answered(leg)

    def _parked(self, fact: facts.Parked) -> None:
        leg = self.world.connections.get(fact.connection)
        if leg is not None and leg.clearing and self.world.stands(leg):
            if not coming_up.is_coming_up(self.world, leg):
                self.world.freed.append(leg.id)
        elif leg is not None:
            self._calls.parked(leg)
            self._calling.parked(leg)
        else:
            self._supervising.parked(fact.connection)
            self._standing.parked(fact.connection)

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
        first, second = self.world.connections.get(fact.connection), self.world.connections.get(fact.other)
        if first is not None and second is not None and first.interaction == second.interaction:
            self._returns.bridged(first, second)
            self._talk.bridged(first, second)
            self._made.bridged(first, second)
            self._talked(self.world.interactions[first.interaction])
            for leg in (first, second):
                if leg.clearing and self.world.stands(leg):  # it was to be, when it was too late to say so
                    self._offers.clear(leg, Cause.CALL_CANCELLED)

    def _bridge_failed(self, fact: facts.BridgeFailed) -> None:
        coming_up.failed(self.world, fact.connection, fact.other)
        for connection in (fact.connection, fact.other):
            leg = self.world.connections.get(connection)
            if leg is not None and leg.side is Side.AGENT:
                self._offers.bridge_failed(leg)
            if leg is not None:
                self._calls.settled(leg)

    def _moved(self, connection: ConnectionId, trigger: ConnectionTrigger) -> None:
        leg = self.world.connections.get(connection)
        if leg is not None:
            leg.move(trigger)

    def _cleared(self, fact: facts.ConnectionCleared | facts.Failed) -> None:
        self.world.ended(fact.connection)
        if self._ties.gone(fact.connection, fact.cause, fact.switch_cause):
            return
        leg = self.world.connections.get(fact.connection)
        by_far_end = fact.by_far_end if isinstance(fact, facts.ConnectionCleared) else None
        self._standing.gone(fact.connection, fact.cause, by_far_end=by_far_end)
        if leg is not None:
            self._trunks.cleared(leg, fact.switch_cause)
            self._calls.connection_cleared(leg, fact.cause, fact.switch_cause, by_far_end=by_far_end)
        else:
            self._own_calls.gone(fact.connection)
            self._supervising.gone(fact.connection, fact.cause)

    # -- whoever follows calls ------------------------------------------------------------------------------------

    def _talked(self, call: Interaction) -> None:
        """Who hears whom in a call has changed."""
        self._calling.talked(call)
        self._recordings.settle(call)  # before the next: whoever listens in comes after the recording
        self._supervising.look()

    def _leg_gone(self, call: Interaction, leg: Connection) -> None:
        self._recordings.leg_gone(call, leg)
        self._supervising.look()
        self._switches.leg_gone(leg)

    def _authenticated(self, fact: facts.LinkAuthenticated) -> None:
        self._links.changed(fact.switch, LinkTrigger.AUTHENTICATE)
        self._devices.link_up(fact.switch)

    def _snapshot_taken(self, fact: facts.SnapshotTaken) -> None:
        self._own_calls.seen(fact)  # first: nobody is to be offered a call whose phone is in use
        self._standing.snapshot(fact)  # nor who is not on the line any more
        self._links.snapshot(fact)
        self._exits.link_is_back(fact.switch)
        for call in [each for each in self.world.interactions.values() if each.switch == fact.switch]:
            self._recordings.settle(call)  # what is being recorded on the switch is taken up again
        seen = {channel.connection: channel for channel in fact.channels}
        self._supervising.snapshot(fact.switch, seen, restarted=fact.restarted)

    def _logged_on(self, agent: Agent) -> None:
        self._devices.logged_on(agent)
        self._standing.logged_on(agent)

    def _logged_off(self, agent: Agent) -> None:
        self._devices.logged_off(agent)
        self._standing.logged_off(agent)

    def _log_off(self, fact: facts.LogOffRequested) -> None:
        self._desk.log_off(fact)
        self._supervising.leaves(fact.agent)

    def _agent_defined(self, fact: facts.AgentDefined) -> None:
        self._switches.check(fact.settings)
        self._desk.define(fact.settings)

    def _agent_removed(self, fact: facts.AgentRemoved) -> None:
        self._desk.remove(fact.agent)
        self._supervising.leaves(fact.agent)
        self._supervising.look()

    # -- the rest -------------------------------------------------------------------------------------------------

    def _queue_defined(self, fact: facts.QueueDefined) -> None:
        world, settings = self.world, fact.settings
        check_queue(world, settings)
        queue = Queue(settings)
        known = world.queues.get(settings.id)
        if known is not None:
            queue.figures, queue.recent = known.figures, known.recent
        world.router.queue_defined(queue)
        world.queues[settings.id] = queue
        concerned = frozenset({settings.id})
        if known is None or (known.settings.requires, known.settings.widening) != (
            settings.requires,
            settings.widening,
        ):
            concerned |= world.staff.redefined(settings.id)
        self._line.redefined(queue)
        self._callbacks.redefined(queue)
        self._matching.redefined(settings.id)  # who may take its calls has changed (race 19)
        self._unstaffed(concerned)

    def _unstaffed(self, queues: frozenset[QueueId]) -> None:
        for name in sorted(queues):
            if name in self.world.queues:
                self._line.unstaffed(self.world.queues[name])

    def _clear(self, fact: facts.ClearRequested) -> None:
        if not self._messages.clear(fact):
            self._calls.clear(fact)

    def _data_attached(self, fact: facts.DataAttached) -> None:
        self.world.attach(self.world.interaction(fact.interaction), fact.data)

    def _timer_fired(self, fact: facts.TimerFired) -> None:
        if not self.world.timers.counts(fact):
            return
        self._timers[fact.kind](fact)

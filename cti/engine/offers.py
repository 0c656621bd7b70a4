"""Reservations: from the promise of an agent to the bridge, and the one clean-up that every other end runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from cti.engine.blame import blame, trigger_of
from cti.engine.callback_hooks import CallbackHooks
from cti.engine.coming_up import HELD, HELD_S, ask, give_up, is_taken
from cti.engine.desk import Desk
from cti.engine.letting_go import FREE_AFTER_S, let_go
from cti.engine.offer_call import offer_call
from cti.engine.world import World
from cti.model import events, intents
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import ConnectionId, QueueId, ReservationId
from cti.model.interaction import NOBODY, Interaction, InteractionKind
from cti.model.reservation import Reservation
from cti.model.states import (
    RESERVATION,
    AgentTrigger,
    ConnectionTrigger,
    InteractionTrigger,
    ReservationState,
    ReservationTrigger,
)

HEARD_S: Final = 3600.0
"""How long may an agent hear a message, over and over, before FreeSWITCH takes their leg for forgotten?"""
LEASE = "lease"
CHECK = "check"
LOOK = "look"
MOBILE = "mobile"

BRIDGE_LEASE_S = 3.0
"""How long may pass between an agent's answer and the bridge? A loaded FreeSWITCH takes a few tenths of a second."""
RING_S = 20.0
"""How long may a consulted agent's phone ring, on a call that came by no queue?"""
LOOK_AFTER_S = 1.0
"""How long to wait for the word of an end before looking for it? Events come up to 20 ms after replies."""
CHECK_AFTER_S = 10.0
"""How long may a leg that we asked to end stay silent before we look for it? (race 15)"""


class Offers:
    """Makes, follows and ends reservations.

    Args:
        world: what is known.
        desk: changes agents.
    """

    def __init__(self, world: World, desk: Desk) -> None:
        self._world = world
        self._desk = desk
        self.put_back: Callable[[Interaction], None] = lambda _: None
        """Set by the engine: a living caller goes back to their place (or on, if their time is up)."""
        self.route: Callable[[Interaction], None] = lambda _: None
        """Set by the engine: look for an agent for a waiting call."""
        self.answered: Callable[[Interaction, Agent], None] = lambda _call, _agent: None
        """Set by the engine: count an answered call, stop its timers."""
        self.consulted_answered: Callable[[Connection], None] = lambda _: None
        """Set by the engine: a consulted agent has answered."""
        self.first_phone: Callable[[Agent], tuple[str, str]] = lambda agent: (agent.phone, "")
        """Set by the engine: which of an agent's phones rings first, and which key it has to press."""
        self.rung: Callable[[Reservation, str], None] = lambda _made, _contact: None
        """Set by the engine: an agent's first phone, at this contact, is being rung."""
        self.goes_on: Callable[..., bool] = lambda *_, **__: False
        """Set by the engine: a leg has ended before the answer; whether the agent is still being rung by another."""
        self.won: Callable[[Reservation, Connection], None] = lambda _made, _leg: None
        """Set by the engine: one of an agent's phones has been answered."""
        self.sent_over_tie: Callable[[Connection], None] = lambda _: None
        """Set by the engine: a phone at another switch is to ring."""
        self.why_ended: Callable[[Connection, Cause], Cause] = lambda _leg, cause: cause
        """Set by the engine: the cause of a leg's end that is fair to its agent."""
        self.consultation_failed: Callable[[Interaction], None] = lambda _: None
        """Set by the engine: a consulted agent has not taken the call."""
        self.callbacks = CallbackHooks()

    def make(self, call: Interaction, agent: Agent, cause: Cause = Cause.DISTRIBUTED) -> None:
        """Promise an agent to a call and ring their phone."""
        made = self._promise(call, agent, None, cause)
        call.reservations.append(made.id)
        call.move(InteractionTrigger.ROUTE, self._world.now)
        self._desk.apply(agent, AgentTrigger.RESERVE, made.cause)
        if not self.callbacks.kept_silent(call, made):
            self._ring(call, agent, made)

    def ring_kept(self, made: Reservation) -> None:
        """Ring an agent who was promised and not rung until now; harmless if they have been."""
        world = self._world
        if made.leg not in world.connections:
            call = world.interactions[made.interaction]
            self.extend(made, world.now + self._ring_s(call))
            self._ring(call, world.agents[made.agent], made)

    def extend(self, made: Reservation, until: float) -> None:
        """Let a promise hold until then."""
        made.lease_ends_at = until
        self._world.timers.start(LEASE, made.id, until - self._world.now)

    def _ring_s(self, call: Interaction) -> float:
        queue = self._world.queues.get(call.queue) if call.queue is not None else None
        return queue.settings.ring_timeout_s if queue is not None else RING_S

    def invite(self, call: Interaction, agent: Agent, asks: ConnectionId, cause: Cause) -> ConnectionId:
        """Promise an agent to one who consults or calls them, whose leg is ``asks``; returns the leg that rings."""
        made = self._promise(call, agent, asks, cause)
        call.consultation = made.id
        self._desk.apply(agent, AgentTrigger.RESERVE, made.cause)
        self._ring(call, agent, made)
        return made.leg

    def promise(self, call: Interaction, agent: Agent, asks: ConnectionId, cause: Cause, for_s: float) -> None:
        """As ``invite``, but their phone rings only when ``ring`` says so, within ``for_s``; nobody else is promised them."""
        made = self._promise(call, agent, asks, cause)
        call.consultation = made.id
        self._leg(call, agent, made)
        self._desk.apply(agent, AgentTrigger.RESERVE, cause)
        self.extend(made, self._world.now + for_s)

    def ring(self, call: Interaction, made: Reservation) -> ConnectionId:
        """Ring the phone of an agent who has been promised; returns the leg that rings."""
        made.made_at, made.lease_ends_at = self._world.now, self._world.now + RING_S
        self._ring(call, self._world.agents[made.agent], made)
        return made.leg

    def _promise(self, call: Interaction, agent: Agent, asks: ConnectionId | None, cause: Cause) -> Reservation:
        world = self._world
        queue = world.queues.get(call.queue) if call.queue is not None else None
        line = world.line_of(agent)
        leg = NOBODY if call.kind is InteractionKind.FAX else line.leg if line is not None else world.ids.connection()
        token = world.next_token()
        made = Reservation(
            id=ReservationId(f"{call.id}/{token}"),
            token=token,
            agent=agent.id,
            interaction=call.id,
            queue=queue.id if queue is not None else QueueId(""),
            leg=leg,
            made_at=world.now,
            lease_ends_at=world.now + self._ring_s(call),
            consults=asks,
            cause=cause,
        )
        world.reservations[made.id] = made
        agent.reservation = made.id
        agent.interaction = call.id
        return made

    def _leg(self, call: Interaction, agent: Agent, made: Reservation) -> None:
        """The leg by which they will be rung."""
        tie = self._world.tie_line(agent, call.switch)
        leg = Connection(made.leg, call.switch, Side.AGENT, call.id, agent.id, made.id)
        leg.via = tie.to if tie is not None else None
        self.add_leg(call, leg)

    def add_leg(self, call: Interaction, leg: Connection) -> None:
        """A leg is the call's from now on; one that stands is there already, the others are to be made."""
        leg.standing = leg.id in self._world.standing_legs
        if leg.standing:
            leg.move(ConnectionTrigger.ESTABLISH)
        self._world.connections[leg.id] = leg
        call.connections.add(leg.id)

    def _ring(self, call: Interaction, agent: Agent, made: Reservation) -> None:
        world = self._world
        tie = world.tie_line(agent, call.switch)
        ring_s = made.lease_ends_at - world.now
        world.timers.start(LEASE, made.id, ring_s)
        if call.kind is InteractionKind.FAX:
            self._alert(made)
            return
        if made.leg not in world.connections:
            self._leg(call, agent, made)
        if world.connections[made.leg].standing:
            self.put_through(call, agent, made.leg)
            return
        park_s = HEARD_S if call.kind is InteractionKind.VOICEMAIL else self.callbacks.waits_s(call)
        contact, key = self.first_phone(agent)
        tie = tie if contact == agent.phone else None  # a mobile is dialled from wherever the call is
        world.connections[made.leg].via = tie.to if tie is not None else None
        world.emit(offer_call(call, agent, made, ring_s, park_s, tie, contact=contact, confirm=key))
        self.rung(made, contact)
        if tie is not None:
            self.sent_over_tie(world.connections[made.leg])

    def put_through(self, call: Interaction, agent: Agent, leg: ConnectionId) -> None:
        """Nobody is rung: the agent is on the line, and has the call as soon as this fact has been seen to."""
        self._world.emit(
            intents.PutThrough(
                call.switch,
                leg,
                call.id,
                agent.id,
                call.queue or QueueId(""),
                call.called_number,
                tone=agent.settings.standing_tone,
            )
        )
        self._world.through.append(leg)

    # -- what becomes of the leg ----------------------------------------------------------------------------------

    def delivered(self, leg: Connection) -> None:
        """The agent's phone rings: the screen pop."""
        made = self._of(leg)
        if made is not None:
            self._alert(made)

    def _alert(self, made: Reservation) -> None:
        world = self._world
        if RESERVATION.next(made.state, ReservationTrigger.DELIVER) is None:
            return
        made.state = ReservationState.OFFERING
        made.delivered_at = world.now
        call, agent = world.interactions[made.interaction], world.agents[made.agent]
        if made.consults is None:
            call.move(InteractionTrigger.DELIVER, world.now)
        self._desk.apply(agent, AgentTrigger.ALERT, made.cause)
        world.tell(
            events.Delivered,
            call,
            made.cause,
            agent=agent.id,
            connection=made.leg,
            waited_s=call.waited_s(world.now),
            from_agent=world.comes_from(call, asked=made.consults is not None),
            previous_agents=world.had_before(call),
        )

    def established(self, leg: Connection) -> None:
        """The agent answered: connect."""
        world = self._world
        made = self._of(leg)
        if made is None:  # connected already; a leg whose promise is over is being cleared, and never gets here
            return
        self.delivered(leg)  # a phone that answers by itself may never have rung
        if RESERVATION.next(made.state, ReservationTrigger.ACCEPT) is None:
            return
        self.won(made, leg)
        made.state = ReservationState.ACCEPTED
        self.extend(made, world.now + BRIDGE_LEASE_S)
        call = world.interactions[made.interaction]
        if made.consults is not None:
            self.consulted_answered(leg)
            return
        # Of a voice message nothing can be played until the leg is parked; what is begun before is lost [live].
        if not call.is_away and call.kind is not InteractionKind.VOICEMAIL:
            self._bridge(call, made)
        world.router.call_gone(call.id)
        self._rescind_others(call, made)
        self.callbacks.accepted(call, made)

    def connect(self, call: Interaction, made: Reservation) -> None:
        """Connect a customer with the agent who has answered and waits for them."""
        self.extend(made, self._world.now + BRIDGE_LEASE_S)
        self._bridge(call, made)

    def _bridge(self, call: Interaction, made: Reservation) -> None:
        """Connect caller and agent, or do so when the caller's last bridge has been heard of, which the agent waits for."""
        caller = self._world.connections.get(call.caller)
        if caller is not None and is_taken(caller):
            self._hold_back(made)
        else:
            ask(self._world, call.switch, call.caller, made.leg)

    def caller_free(self, call: Interaction) -> None:
        """The caller is in no bridge any more: whoever has waited for that is connected with them."""
        for each in list(call.reservations):
            if self._world.timers.running(HELD, each):
                self._world.timers.cancel(HELD, each)
                self.connect(call, self._world.reservations[each])

    def held_too_long(self, reservation: ReservationId) -> None:
        """The word of the caller's last bridge has not come, and is waited for no longer."""
        world = self._world
        made = world.reservations[reservation]  # its end ends the timer
        call = world.interactions[made.interaction]
        caller = world.connections.get(call.caller)
        if not world.is_live(call.switch):
            self._hold_back(made)
        elif caller is not None:  # else the promise ends with its lease
            give_up(caller)
            self.connect(call, made)

    def _hold_back(self, made: Reservation) -> None:
        self.extend(made, self._world.now + HELD_S + BRIDGE_LEASE_S)
        self._world.timers.start(HELD, made.id, HELD_S)

    def parked(self, leg: Connection) -> None:
        """The agent's leg hears nobody; whoever has answered for a voice message can hear it from now on."""
        made = self._of(leg)
        if made is None or made.state is not ReservationState.ACCEPTED or made.consults is not None:
            return
        if self._world.interactions[made.interaction].kind is InteractionKind.VOICEMAIL:
            self.kept(made)

    def bridged(self, leg: Connection) -> None:
        """Caller and agent hear each other: the promise is kept."""
        world = self._world
        made = self._of(leg)
        if made is None:
            return
        self.delivered(leg)
        self.won(made, leg)
        leg.move(ConnectionTrigger.ESTABLISH)  # the news of the answer may come later
        if leg.established_at is None:
            leg.established_at = world.now
        if made.consults is not None:
            self._close(made, ReservationTrigger.COMPLETE)
            call, agent = world.interactions[made.interaction], world.agents[made.agent]
            agent.connection, agent.interaction, agent.no_answers = leg.id, call.id, 0
            self._desk.apply(agent, AgentTrigger.ANSWER, made.cause)
            waited_s = world.now - made.made_at
            world.tell(events.Established, call, made.cause, agent=agent.id, connection=leg.id, waited_s=waited_s)
            return
        self.kept(made)

    def kept(self, made: Reservation) -> None:
        """The agent has what they were promised."""
        world = self._world
        self._close(made, ReservationTrigger.COMPLETE)
        call, agent = world.interactions[made.interaction], world.agents[made.agent]
        world.router.call_gone(call.id)
        self._rescind_others(call, made)
        agent.connection, agent.no_answers = made.leg if made.leg in world.connections else None, 0
        agent.interaction, call.agent = call.id, agent.id
        agent.calls_answered += 1
        agent.figures.answered += 1
        call.move(InteractionTrigger.ESTABLISH, world.now)
        self._desk.apply(agent, AgentTrigger.ANSWER, made.cause)
        self.answered(call, agent)
        world.tell(
            events.Established,
            call,
            made.cause,
            connection=made.leg,
            waited_s=call.waited_s(world.now),
        )

    def _rescind_others(self, call: Interaction, winner: Reservation) -> None:
        """One of several agents was the first to answer: the others' phones stop ringing, and nobody is to blame."""
        others = [self._world.reservations[each] for each in call.reservations if each != winner.id]
        self.end_all(call, others, ReservationTrigger.RESCIND, Cause.MULTIPLE_ALERTING)

    def bridge_failed(self, leg: Connection) -> None:
        """The two could not be connected: one of them is gone, and its own end, on its way, says whose fault it was.

        Should that word be lost, looking for both finds it; should both live, the lease ends.
        """
        if self._of(leg) is not None:
            self._world.timers.start(LOOK, leg.id, LOOK_AFTER_S)

    def look_for(self, connection: ConnectionId) -> None:
        """A bridge failed, and nobody has said why: look for both ends."""
        leg = self._world.connections.get(connection)
        made = self._of(leg) if leg is not None else None
        if leg is not None and made is not None:
            for end in (leg.id, self._world.interactions[made.interaction].caller):
                self._world.emit(intents.CheckConnection(leg.switch, end))

    def leg_gone(self, leg: Connection, cause: Cause, switch_cause: str) -> None:
        """The agent's leg ended or never came to be, before the bridge."""
        made = self._of(leg)
        if made is None:
            return
        cause = self.why_ended(leg, cause)
        trigger = trigger_of(made, cause)
        if not self.goes_on(made, leg, cause, refused=trigger is ReservationTrigger.REJECT):
            self.end(made, trigger, cause, switch_cause)

    def lease_over(self, reservation: ReservationId) -> None:
        """The phone rang for too long, or the bridge never came."""
        made = self._world.reservations.get(reservation)
        if made is None:
            return
        live = self._world.is_live(self._world.interactions[made.interaction].switch)
        if made.state is ReservationState.ACCEPTED and live:
            for each in (self._world.interactions[made.interaction].caller, made.leg):
                if each in self._world.connections:
                    give_up(self._world.connections[each])
            self.end(made, ReservationTrigger.TIME_OUT, Cause.TIMEOUT, "")
        elif made.leg and made.leg not in self._world.connections:  # kept for a customer, and never rung: not to blame
            self.end(made, ReservationTrigger.CANCEL, Cause.TIMEOUT, "")
        elif made.state is ReservationState.ACCEPTED:  # the two may be talking by now: the next snapshot tells
            self.extend(made, self._world.now + BRIDGE_LEASE_S)
        elif live:
            leg = self._world.connections.get(made.leg)
            cause = self.why_ended(leg, Cause.CALL_NOT_ANSWERED) if leg is not None else Cause.CALL_NOT_ANSWERED
            self.end(made, trigger_of(made, cause), cause, "")
        else:  # nobody saw whether the phone rang at all: the agent is not to blame (race 9)
            self.end(made, ReservationTrigger.FAIL, Cause.TIMEOUT, "")

    def withdraw(self, agent: Agent, cause: Cause) -> None:
        """The agent asked for something else while being offered a call (race 7); the caller goes back in place."""
        made = self._world.reservations.get(agent.reservation) if agent.reservation else None
        if made is not None:
            self.end(made, ReservationTrigger.CANCEL, cause, "")

    def cancel(self, made: Reservation, cause: Cause) -> None:
        """Nobody needs the agent any more."""
        self.end(made, ReservationTrigger.CANCEL, cause, "")

    def end(self, made: Reservation, trigger: ReservationTrigger, cause: Cause, switch_cause: str) -> None:
        """End a reservation otherwise than by a bridge: clear the leg, put a living caller back, free the agent."""
        call = self._world.interactions[made.interaction]
        if made.consults is not None:
            self.end_all(call, [made], trigger, cause, switch_cause, then=self.consultation_failed)
            return
        self.end_all(call, [made], trigger, cause, switch_cause, then=self.put_back)
        self.route(call)

    def end_all(
        self,
        call: Interaction,
        promises: Iterable[Reservation],
        trigger: ReservationTrigger,
        cause: Cause,
        switch_cause: str = "",
        *,
        then: Callable[[Interaction], None] = lambda _: None,
    ) -> None:
        """End some of a call's reservations otherwise than by a bridge: clear the legs, free the agents.

        ``then`` says what becomes of the caller before any of the agents is free again, or a younger call would
        overtake this one.
        """
        world = self._world
        ended = [made for made in promises if self._close(made, trigger)]
        for made in ended:
            for each in made.legs:
                if each in world.connections:
                    self.clear(world.connections[each], cause)
            agent = world.agents.get(made.agent)
            if agent is not None:
                agent.interaction = None
                agent.figures.no_answers += made.state is ReservationState.TIMED_OUT
                agent.figures.rejected += made.state is ReservationState.REJECTED
            world.tell(
                events.OfferEnded,
                call,
                cause,
                agent=made.agent,
                outcome=made.state.value,
                switch_cause=switch_cause,
            )
        then(call)
        for made in ended:
            agent = world.agents.get(made.agent)
            if agent is not None:
                blame(self._desk, agent, made, cause)

    def clear(self, leg: Connection, cause: Cause) -> None:
        """Ask the switch to end a leg, and look for it later if it does not say so; one that stays on the line is to be
        parked.
        """
        leg.clearing = True
        stays = self._world.stands(leg)
        if stays:
            let_go(self._world, leg)
        else:
            self._world.emit(intents.ClearConnection(leg.switch, leg.id, cause))
        if not self._world.timers.running(CHECK, leg.id):
            self._world.timers.start(CHECK, leg.id, FREE_AFTER_S if stays else CHECK_AFTER_S)

    def _of(self, leg: Connection) -> Reservation | None:
        return self._world.reservations.get(leg.reservation) if leg.reservation else None

    def _close(self, made: Reservation, trigger: ReservationTrigger) -> bool:
        after = RESERVATION.next(made.state, trigger)
        if after is None:
            return False
        made.state = after
        world = self._world
        world.timers.cancel(LEASE, made.id)
        world.timers.cancel(HELD, made.id)
        del world.reservations[made.id]
        call, agent = world.interactions.get(made.interaction), world.agents.get(made.agent)
        if call is not None and made.consults is not None:
            call.consultation = None
        elif call is not None:
            call.reservations.remove(made.id)
        if agent is not None:
            agent.reservation = None
        world.timers.cancel(MOBILE, made.id)
        for each in made.legs:
            if each in world.connections:
                world.connections[each].reservation = None
        return True

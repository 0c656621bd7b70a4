"""Calling back: the customer's leg, from the turn in the queue until they talk with an agent, or until it comes to nothing.

Agent first: an agent answers, and waits on the line while the customer is called. Customer first: the agent is promised and
not rung while the customer is called. Whoever else goes away meanwhile, a customer whose phone rings is not hung up on: if
they answer and no agent is there, they wait before all others (race 24).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cti.engine.callback_view import callback_contact
from cti.engine.calling_out import call_out
from cti.engine.line import Line
from cti.engine.matching import Matching
from cti.engine.offers import Offers
from cti.engine.wishes import Wishes
from cti.engine.world import World
from cti.errors import DestinationNotAllowed
from cti.model import callback, callback_events, events, intents
from cti.model.callback import Callback, CallbackSettings
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import ConnectionId, InteractionId
from cti.model.interaction import Interaction
from cti.model.reservation import Reservation
from cti.model.states import CallbackState, CallbackTrigger, ConnectionTrigger, InteractionState, ReservationState

CUSTOMER: Final = "customer"

GRACE_S: Final = 5.0
"""How long may an agent be kept after the customer's phone should have stopped ringing? The news takes a moment."""
HOLD_S: Final = 3600.0
"""How long may a customer who has answered wait for an agent? They are the next; FreeSWITCH wants a figure."""
RING_BACK: Final = "tone_stream://%(1000,4000,450);loops=-1"
"""What the agent hears while the customer's phone rings."""
_AGAIN_S: Final = 1.0

_OUTCOMES = {
    Cause.BUSY: callback.BUSY,
    Cause.CALL_NOT_ANSWERED: callback.NO_ANSWER,
    Cause.ALERT_TIME_EXPIRED: callback.NO_ANSWER,
    Cause.SWITCHING_FUNCTION_TERMINATED: callback.LOST,
}


class CallingBack:
    """Calls customers back.

    Args:
        world: what is known.
        offers: makes and ends reservations, clears legs.
        matching: looks for agents.
        line: keeps the places.
        wishes: settles for whom a call waits.
    """

    def __init__(self, world: World, offers: Offers, matching: Matching, line: Line, wishes: Wishes) -> None:
        self._world = world
        self._offers = offers
        self._matching = matching
        self._line = line
        self._wishes = wishes
        self.missed: Callable[[Interaction, str, Cause, str], None] = lambda _call, _outcome, _cause, _switch: None
        """Set by the engine: a try came to nothing."""
        self.impossible: Callable[[Interaction, Cause], None] = lambda _call, _cause: None
        """Set by the engine: the number may not be called any more."""

    def settings(self, call: Interaction) -> CallbackSettings:
        """How the queue of a callback calls back; as by default, should it say nothing any more."""
        assert call.queue is not None
        return self._world.queues[call.queue].settings.callback or CallbackSettings()

    # -- an agent is there ----------------------------------------------------------------------------------------

    def kept_silent(self, call: Interaction, made: Reservation) -> bool:
        """Whether an agent who has been promised is not to be rung yet: the customer is called first, now if need be."""
        if not call.is_away or self.settings(call).first != "customer":
            return False
        self._await_customer(call, made)
        return True

    def agent_answered(self, call: Interaction, made: Reservation) -> None:
        """An agent has answered the offer of a callback: they wait for the customer, who is called now if need be."""
        if call.is_away:
            self._await_customer(call, made)

    def _await_customer(self, call: Interaction, made: Reservation) -> None:
        """Keep an agent for as long as the customer's phone may yet ring."""
        back = call.callback
        assert back is not None
        rings = back.state is CallbackState.CALLING
        rung_s = self._world.now - back.called_at if rings else 0.0
        left_s = max(0.0, self.settings(call).ring_s - rung_s)
        self._offers.extend(made, self._world.now + left_s + GRACE_S)
        if not rings:
            self._call(call, back)

    def waits_s(self, call: Interaction) -> float:
        """How long an agent who answers may have to wait for the customer, in seconds."""
        return self.settings(call).ring_s + 2 * GRACE_S if call.is_away else 0.0

    def _agent_parked(self, leg: Connection) -> None:
        """An agent who waits for a customer is in our hands: they hear that it rings."""
        made = self._world.reservations.get(leg.reservation) if leg.reservation is not None else None
        call = self._world.interactions.get(leg.interaction)
        if made is not None and made.state is ReservationState.ACCEPTED and call is not None and call.is_away:
            self._world.emit(intents.StartTreatment(leg.switch, leg.id, RING_BACK))

    def _call(self, call: Interaction, back: Callback) -> None:
        world, settings = self._world, self.settings(call)
        try:
            contact = callback_contact(world, settings, back.number)
        except DestinationNotAllowed:
            self.impossible(call, Cause.BLOCKED)
            return
        back.move(CallbackTrigger.CALL)
        back.called_at = world.now
        shown = settings.calling_number or None
        leg = call_out(
            world, call, Side.CALLER, contact, back.number, ring_s=settings.ring_s, calling_number=shown, park_s=HOLD_S
        )
        call.caller = leg.id
        call.treated = False
        world.timers.start(CUSTOMER, call.id, settings.ring_s)
        world.tell(events.Originated, call, Cause.CALL_BACK, connection=leg.id, to=back.number)

    def parked(self, leg: Connection) -> None:
        """A leg hears nobody: it may be a customer's who has answered, or of the agent who waits for them."""
        if leg.side is Side.AGENT:
            self._agent_parked(leg)
        elif self._is_customer(leg):
            self._customer_parked(leg)

    # -- the customer ---------------------------------------------------------------------------------------------

    def _is_customer(self, leg: Connection) -> bool:
        """Whether it is the leg of a customer who is being called back, or has answered and waits."""
        call = self._world.interactions.get(leg.interaction)
        return call is not None and call.callback is not None and leg.id == call.caller

    def _customer_parked(self, leg: Connection) -> None:
        """The customer has answered, and is in our hands."""
        world = self._world
        call = world.interactions[leg.interaction]
        back = call.callback
        if back is None or leg.id != call.caller or leg.clearing or not back.move(CallbackTrigger.ANSWER):
            return
        world.timers.cancel(CUSTOMER, call.id)
        if leg.established_at is None:
            leg.established_at = world.now
        assert call.queue is not None
        call.priority = call.rank(world.queues[call.queue].settings.priority)
        if back.agent is not None:  # they come first, but nobody is left waiting on the line for one who has gone
            self._wishes.drop(call)
            call.personal, call.preferred = None, (back.agent, *call.preferred)
        self._tell_answered(call, back, leg)
        made = [world.reservations[each] for each in call.reservations]
        waiting = next((each for each in made if each.state is ReservationState.ACCEPTED), None)
        if waiting is not None:
            self._line.keep(call)
            self._offers.connect(call, waiting)
            return
        leg.move(ConnectionTrigger.QUEUE)
        self._line.receive(call)
        for each in made:
            self._offers.ring_kept(each)
        self._matching.place(call)
        world.tell(events.Queued, call, Cause.CALL_BACK, position=world.router.position(call.id))
        self._matching.route(call)

    def _tell_answered(self, call: Interaction, back: Callback, leg: Connection) -> None:
        self._world.tell(
            callback_events.CallbackAnswered,
            call,
            Cause.CALL_BACK,
            number=back.number,
            state=back.state.value,
            connection=leg.id,
        )

    def ring_over(self, interaction: InteractionId) -> None:
        """The customer's phone has rung for long enough."""
        world = self._world
        call = world.interactions.get(interaction)
        back = call.callback if call is not None else None
        if call is None or back is None or back.state is not CallbackState.CALLING:
            return
        if not world.is_live(call.switch):  # they may have answered unseen: the next snapshot tells
            world.timers.start(CUSTOMER, call.id, _AGAIN_S)
            return
        leg = world.connections.get(call.caller)
        if leg is not None:
            self._offers.clear(leg, Cause.CALL_NOT_ANSWERED)
            self._missed(call, leg.id, callback.NO_ANSWER, Cause.CALL_NOT_ANSWERED, "")

    def customer_gone(self, call: Interaction, leg: Connection, cause: Cause, switch_cause: str) -> None:
        """The leg of a customer who was being called, or had answered, has ended; or it never came to be."""
        back = call.callback
        if back is None:
            return
        if back.state is CallbackState.HOLDING:
            outcome = callback.LOST if cause is Cause.SWITCHING_FUNCTION_TERMINATED else callback.ABANDONED
        elif leg.established_at is not None:
            outcome = callback.ABANDONED  # answered and gone, before we had them in our hands
        else:
            outcome = _OUTCOMES.get(cause, callback.FAILED)
        self._missed(call, leg.id, outcome, cause, switch_cause)

    def _missed(self, call: Interaction, leg: ConnectionId, outcome: str, cause: Cause, switch_cause: str) -> None:
        self._world.timers.cancel(CUSTOMER, call.id)
        if call.caller == leg:
            call.caller = self._world.ids.connection()  # nobody's yet: the next try's
        self.missed(call, outcome, cause, switch_cause)

    def back_in_place(self, call: Interaction) -> None:
        """An offer came to nothing: a customer who is on the line hears music, if they hear nothing."""
        if (
            call.callback is not None
            and not call.is_away
            and call.state is InteractionState.QUEUED
            and not call.treated
        ):
            self._line.receive(call)

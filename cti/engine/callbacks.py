"""Callbacks: taken, kept in place, due, and over. What happens while a customer is called is CallingBack's."""

from __future__ import annotations

from typing import Any, Final

from cti.engine.callback_hours import closes_at, opens_at
from cti.engine.calling_back import CUSTOMER, CallingBack
from cti.engine.exits import Exits
from cti.engine.line import Line
from cti.engine.matching import Matching
from cti.engine.offers import Offers
from cti.engine.wishes import Wishes
from cti.engine.world import World
from cti.model import callback, callback_events, events
from cti.model.callback import Callback, CallbackSettings, Try
from cti.model.cause import Cause
from cti.model.ids import InteractionId
from cti.model.interaction import Interaction
from cti.model.personal import LOGGED_OFF, NOT_READY, Personal
from cti.model.queue import Queue
from cti.model.states import (
    CallbackState,
    CallbackTrigger,
    InteractionTrigger,
    ReservationTrigger,
)

CALLBACK: Final = "callback"
FAREWELL: Final = "farewell"

FAREWELL_S: Final = 60.0
"""How long may a caller whose callback is taken stay on the line? Their script lets them go when it has said goodbye."""
LATER_S: Final = 5.0
"""How long to let an offer under way finish, when the hours end."""
LIVE_EVERY_S: Final = 60.0

_TO_COME = (CallbackState.SCHEDULED, CallbackState.WAITING)
_HOPELESS = frozenset(
    {Cause.NUMBER_UNALLOCATED, Cause.INVALID_NUMBER_FORMAT, Cause.NUMBER_CHANGED, Cause.INCOMPATIBLE_DESTINATION}
)
"""Another try would not change what the network says."""


class Callbacks:
    """Keeps the callbacks.

    Args:
        world: what is known.
        offers: makes and ends reservations, clears legs.
        line: moves calls out of queues.
        matching: looks for agents.
        wishes: settles for whom a call waits.
        exits: ends interactions.
        calling: calls customers.
    """

    def __init__(  # noqa: PLR0917 - the parts it is made of
        self,
        world: World,
        offers: Offers,
        line: Line,
        matching: Matching,
        wishes: Wishes,
        exits: Exits,
        calling: CallingBack,
    ) -> None:
        self._world = world
        self._offers = offers
        self._line = line
        self._matching = matching
        self._wishes = wishes
        self._exits = exits
        self._calling = calling

    # -- taken ----------------------------------------------------------------------------------------------------

    def begin(self, call: Interaction, queue: Queue, back: Callback) -> None:
        """Take a callback; the leg of a caller who asked for it is on its own from now on."""
        world = self._world
        leg = world.connections.get(call.caller)
        if leg is not None:
            back.leaving = leg.id
            world.timers.start(FAREWELL, leg.id, FAREWELL_S)
            call.caller = world.ids.connection()
        call.callback, call.queue = back, queue.id
        call.personal = None
        call.data["callback_number"] = back.number
        if call.queued_at is None:
            call.queued_at, call.place = world.now, world.next_place()
        call.priority = call.rank(queue.settings.priority)
        call.move(InteractionTrigger.SUSPEND, world.now)
        queue.figures.callbacks += 1
        queue.figures.callbacks_pending += 1
        world.callbacks.setdefault(queue.id, {})[back.number] = call.id
        self.tell(
            callback_events.CallbackMade, call, Cause.CALL_BACK, source=back.source, due_in_s=back.due_at - world.now
        )
        self.look(call.id)

    def let_go(self, call: Interaction) -> bool:
        """Somebody wants the call to end: a caller who is to be called back leaves the line, and keeps the place.

        Returns whether it goes on; not if the customer has answered, who is hung up on.
        """
        back = call.callback
        leg = self._world.connections.get(back.leaving) if back is not None and back.leaving is not None else None
        if leg is not None and not leg.clearing:
            self._offers.clear(leg, Cause.NORMAL_CLEARING)
        return call.is_away

    def released(self, call: Interaction) -> None:
        """A customer who has answered goes elsewhere than to an agent of the queue: they have been reached.

        They are counted as a caller of the queue once more, since they leave it as one.
        """
        figures = self._queue_of(call).figures
        figures.offered += 1
        figures.waiting += 1
        self.connected(call)

    def farewell_over(self, connection: Any) -> None:
        """A caller who should have left the line is still there."""
        leg = self._world.connections.get(connection)
        call = self._world.interactions.get(leg.interaction) if leg is not None else None
        if leg is not None and call is not None and leg.id != call.caller and not leg.clearing:
            self._offers.clear(leg, Cause.NORMAL_CLEARING)

    def leaver_gone(self, call: Interaction, leg: Any) -> None:
        """The leg of a caller who left for a callback has ended."""
        self._world.timers.cancel(FAREWELL, leg)
        if call.callback is not None and call.callback.leaving == leg:
            call.callback.leaving = None

    # -- due ------------------------------------------------------------------------------------------------------

    def opens(self, settings: CallbackSettings, at: float) -> float | None:
        """The first instant from ``at`` on at which customers may be called."""
        ids = self._world.ids
        unix = ids.unix(at)
        opens = opens_at(settings, unix)
        # Not through the other clock and back, where it is at once: that rounds.
        return None if opens is None else at if opens <= unix else ids.instant(opens)

    def look(self, interaction: InteractionId) -> None:
        """See whether a callback's turn has come, or it has to wait for the hours, or it is over; and when to look next."""
        world = self._world
        call = world.interactions.get(interaction)
        back = call.callback if call is not None else None
        if call is None or back is None or back.state not in _TO_COME:
            return
        settings = self._calling.settings(call)
        if world.now >= back.expires_at and not call.reservations:
            self.end(call, CallbackTrigger.EXPIRE, Cause.TIMEOUT)
            return
        opens = self.opens(settings, max(world.now, back.due_at))
        is_open = opens is not None and opens <= world.now
        if back.state is CallbackState.WAITING and not is_open and not call.reservations:
            self.set_aside(call, CallbackTrigger.POSTPONE, Cause.CALENDAR_OVERFLOW)
        if is_open:
            closes = closes_at(settings, world.ids.unix(world.now))
            until = world.ids.instant(closes) if closes is not None else back.expires_at
        elif call.reservations:
            until = world.now + LATER_S
        else:
            until = opens if opens is not None else back.expires_at
        if call.reservations and world.now >= back.expires_at:
            until = world.now + LATER_S
        elif not call.reservations:
            until = min(until, back.expires_at)
        world.timers.start(CALLBACK, call.id, max(0.0, until - world.now))
        if back.state is CallbackState.SCHEDULED and is_open:
            self._enter(call, back)

    def _enter(self, call: Interaction, back: Callback) -> None:
        """Back to its place among those who wait."""
        world = self._world
        assert call.queue is not None
        queue = world.queues[call.queue]
        back.move(CallbackTrigger.DUE)
        call.entered_at, call.overflow_due = world.now, False
        call.priority = call.rank(queue.settings.priority)
        queue.figures.callbacks_in_line += 1
        self._matching.widen_due(call, queue.settings)
        call.move(InteractionTrigger.QUEUE, world.now)
        if back.agent is not None:
            left_s = max(0.0, back.expires_at - world.now)
            call.personal = Personal(back.agent, left_s, {LOGGED_OFF: left_s, NOT_READY: left_s})
            self._wishes.settle(call, None)
        self._matching.place(call)
        world.tell(events.Queued, call, Cause.CALL_BACK, position=world.router.position(call.id))
        self._matching.route(call)

    def set_aside(self, call: Interaction, trigger: CallbackTrigger, cause: Cause) -> None:
        """Out of the line for a while; whoever was promised is free."""
        made = [self._world.reservations[each] for each in call.reservations]

        def aside(call: Interaction) -> None:
            self._leave_line(call)
            if call.callback is not None:
                call.callback.move(trigger)
            call.move(InteractionTrigger.SUSPEND, self._world.now)

        self._offers.end_all(call, made, ReservationTrigger.CANCEL, cause, then=aside)

    def _leave_line(self, call: Interaction) -> None:
        self._matching.forget(call)
        self._wishes.drop(call)
        call.personal = None
        if call.state.is_waiting and call.queue is not None:
            self._world.queues[call.queue].figures.callbacks_in_line -= 1

    def redefined(self, queue: Queue) -> None:
        """A queue's settings changed, and its hours perhaps: its callbacks are looked at afresh."""
        for each in list(self._world.callbacks.get(queue.id, {}).values()):
            self.look(each)

    def look_at_switches(self) -> None:
        """Which switches take calls may have changed: callbacks that are not being made go to one that does."""
        for call in sorted(self.place(), key=lambda call: call.age_key):
            self._line.again(call)

    def place(self) -> list[Interaction]:
        """The first half of it: they are in their places again, and nobody is looked for yet; returns those that wait."""
        world = self._world
        takes = [each for each in sorted(world.links) if world.takes_calls(each)]
        waiting = []
        for each in [each for pending in world.callbacks.values() for each in pending.values()]:
            call = world.interactions.get(each)
            back = call.callback if call is not None else None
            if call is None or back is None or call.reservations or back.state not in _TO_COME:
                continue
            if takes and not world.takes_calls(call.switch):
                call.switch = takes[0]
            if call.state.is_waiting:
                self._matching.place(call)
                waiting.append(call)
        return waiting

    # -- what came of a try ---------------------------------------------------------------------------------------

    def missed(self, call: Interaction, outcome: str, cause: Cause, switch_cause: str) -> None:
        """The customer was called in vain, or hung up before an agent was there: another try, later, or the end."""
        world, back = self._world, call.callback
        assert back is not None
        settings = self._calling.settings(call)
        back.tries.append(Try(world.now, outcome, switch_cause))
        last = back.tries_counted >= settings.tries or cause in _HOPELESS
        pause_s = settings.busy_pause_s if outcome in (callback.BUSY, callback.LOST) else settings.pause_s
        self.tell(
            callback_events.CallbackTried,
            call,
            cause,
            outcome=outcome,
            switch_cause=switch_cause,
            tries=back.tries_counted,
        )
        if last:
            self.end(call, CallbackTrigger.GIVE_UP, cause)
        elif world.now >= back.expires_at:
            self.end(call, CallbackTrigger.EXPIRE, cause)
        else:
            self.set_aside(call, CallbackTrigger.MISS, cause)
            back.due_at = world.now + pause_s
            self.look(call.id)

    def connected(self, call: Interaction) -> None:
        """An agent talks with the customer: from now on it is a call as any other."""
        back, queue = call.callback, self._queue_of(call)
        if back is None:
            return
        queue.figures.callbacks_in_line -= 1
        back.move(CallbackTrigger.CONNECT)
        self._close(call, back, queue)

    def end(self, call: Interaction, trigger: CallbackTrigger, cause: Cause) -> None:
        """The customer will not be called any more, and has not been reached; so ends the interaction."""
        back, queue = call.callback, self._queue_of(call)
        assert back is not None
        made = [self._world.reservations[each] for each in call.reservations]

        def over(call: Interaction) -> None:
            self._leave_line(call)
            back.move(trigger)
            self._close(call, back, queue)
            self._exits.clear(call, cause)

        self._offers.end_all(call, made, ReservationTrigger.CANCEL, cause, then=over)
        self._exits.finish(call, cause)

    def _close(self, call: Interaction, back: Callback, queue: Queue) -> None:
        world, figures = self._world, queue.figures
        left = world.connections.get(back.leaving) if back.leaving is not None else None
        if left is not None and not left.clearing:
            self._offers.clear(left, Cause.NORMAL_CLEARING)
        figures.callbacks_pending -= 1
        count = f"callbacks_{back.state.value}"
        setattr(figures, count, getattr(figures, count) + 1)
        pending = world.callbacks.get(queue.id, {})
        if pending.get(back.number) == call.id:
            del pending[back.number]
        for kind in (CALLBACK, CUSTOMER):
            world.timers.cancel(kind, call.id)
        self.tell(callback_events.CallbackEnded, call, Cause.CALL_BACK, tries=back.tries_counted)
        call.callback = None

    def _queue_of(self, call: Interaction) -> Queue:
        assert call.queue is not None
        return self._world.queues[call.queue]

    def impossible(self, call: Interaction, cause: Cause) -> None:
        """The number may not be called any more: the rules have changed."""
        self.end(call, CallbackTrigger.GIVE_UP, cause)

    def tell(self, kind: Any, call: Interaction, cause: Cause, **more: Any) -> None:
        """Tell the subscribers something of a callback."""
        assert call.callback is not None
        self._world.tell(kind, call, cause, number=call.callback.number, state=call.callback.state.value, **more)

"""What is asked for about callbacks: one more, another time, none any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cti.engine.callback_view import callback_contact, callback_settings
from cti.engine.callbacks import Callbacks
from cti.engine.calling_back import CallingBack
from cti.engine.exits import LIVE
from cti.engine.line import Line
from cti.engine.offers import Offers
from cti.engine.world import World
from cti.errors import ConfigurationError, InvalidConnection, ResourceBusy
from cti.model import callback_events, callback_requests, intents
from cti.model.callback import Callback, CallbackSettings
from cti.model.cause import Cause
from cti.model.ids import InteractionId, SwitchId
from cti.model.interaction import Interaction
from cti.model.queue import Queue
from cti.model.states import CallbackState, CallbackTrigger, ConnectionTrigger, InteractionState

LIVE_EVERY_S = 60.0


class CallbackDesk:
    """Takes requests for callbacks.

    Args:
        world: what is known.
        callbacks: keeps them.
        calling: says how a queue calls back.
        line: moves calls out of queues.
        offers: clears legs.
    """

    def __init__(self, world: World, callbacks: Callbacks, calling: CallingBack, line: Line, offers: Offers) -> None:
        self._world = world
        self._callbacks = callbacks
        self._calling = calling
        self._line = line
        self._offers = offers
        self.table: dict[type, Any] = {
            callback_requests.CallbacksHeld: self._hold,
            callback_requests.CallbackRequested: self._request,
            callback_requests.CallerLetGo: self._let_go,
            callback_requests.CancelCallbackRequested: self._cancel,
            callback_requests.RescheduleCallbackRequested: self._reschedule,
        }

    # -- taken ----------------------------------------------------------------------------------------------------

    def _request(self, fact: callback_requests.CallbackRequested) -> None:
        """Take a callback.

        Raises:
            UnknownQueue, UnknownAgent, UnknownInteraction: what it names is not there.
            ConfigurationError: the queue calls nobody back, or may not before the callback expires.
            DestinationNotAllowed: no rule lets the number be called.
            ResourceBusy: one to this number is pending, or as many as may be.
            InvalidConnection: the call is with an agent, or called back already.
        """
        world = self._world
        queue = world.queue(fact.queue)
        settings = callback_settings(world, queue.id)
        call = world.interaction(fact.interaction) if fact.interaction is not None else None
        if fact.agent is not None:
            world.agent(fact.agent)
        callback_contact(world, settings, fact.number)
        if call is not None and call.callback is not None:
            raise InvalidConnection(f"call {call.id} is a callback already")
        if call is not None and not call.on_the_line:
            raise InvalidConnection(f"{call.id} is a {call.kind.value}; only a caller can be called back")
        if call is not None and not (call.state.is_waiting or call.state is InteractionState.OFFERED):
            raise InvalidConnection(
                f"call {call.id} is {call.state.value}; only one without an agent can be called back"
            )
        pending = world.callbacks.get(queue.id, {}).get(fact.number)
        if pending is not None:
            raise ResourceBusy(f"callback {pending} to {fact.number} is pending in queue {queue.id!r}")
        if settings.most is not None and queue.figures.callbacks_pending >= settings.most:
            raise ResourceBusy(f"queue {queue.id!r} has {settings.most} callbacks pending; that is all it takes")
        due_at = world.now if fact.at is None else max(world.now, world.ids.instant(fact.at))
        back = Callback(
            fact.number,
            requested_at=world.now,
            due_at=due_at,
            expires_at=self._first_time(queue, settings, due_at) + settings.expiry_s,
            source="request" if call is None else "caller",
            agreed=fact.at is not None,
            agent=fact.agent,
        )

        def begin(call: Interaction) -> None:
            call.data.update(fact.data)
            if fact.priority is not None:
                call.own_priority = fact.priority
            self._callbacks.begin(call, queue, back)

        if call is None:
            begin(self.new(fact.number, fact.calling_name, fact.called_number))
        else:
            self._take_back(call, queue, begin)

    def _hold(self, fact: callback_requests.CallbacksHeld) -> None:
        self._world.callbacks_held = fact.held
        self._callbacks.look_at_switches()

    def _first_time(self, queue: Queue, settings: CallbackSettings, due_at: float) -> float:
        """The first instant from then on at which customers may be called; expiry counts from it."""
        opens = self._callbacks.opens(settings, due_at)
        if opens is None:
            raise ConfigurationError(
                f"queue {queue.id!r}: its callback hours ({settings.hours or 'always'} {settings.time_zone}) leave no time"
            )
        return opens

    def new(self, number: str, calling_name: str, called_number: str) -> Interaction:
        """An interaction for somebody who is not on the line."""
        world = self._world
        call = Interaction(
            id=world.ids.interaction(world.now),
            switch=self._switch(),
            caller=world.ids.connection(),
            calling_number=number,
            calling_name=calling_name,
            called_number=called_number,
            created_at=world.now,
        )
        world.interactions[call.id] = call
        world.timers.start(LIVE, call.id, LIVE_EVERY_S)
        return call

    def _switch(self) -> SwitchId:
        """The switch to call by; which may be another by then (``Callbacks.look_at_switches``)."""
        known = sorted(self._world.links)
        return self._world.switch_for() or (known[0] if known else SwitchId(""))

    def _take_back(self, call: Interaction, queue: Queue, then: Callable[[Interaction], None]) -> None:
        """The caller leaves the line for a callback: out of the queue they wait in, their leg on its own.

        ``then`` is done before an agent whom they were being offered to is free for a younger call.
        """
        world = self._world
        waited_in = world.queues.get(call.queue) if call.state.is_waiting and call.queue is not None else None

        def away() -> None:
            if waited_in is queue:
                queue.figures.taken_as_callback += 1
            else:
                if waited_in is not None:
                    waited_in.figures.left += 1
                queue.figures.offered += 1
                queue.figures.taken_as_callback += 1
            leg = world.connections[call.caller]
            if leg.established_at is not None:
                leg.move(ConnectionTrigger.ESTABLISH)
            if call.treated:
                call.treated = False
                world.emit(intents.StopTreatment(call.switch, leg.id))
            world.emit(intents.TagConnection(call.switch, leg.id, {"cti_interaction": "", "cti_queue": ""}))
            then(call)

        if waited_in is not None:
            self._line.take_out(call, away)
        else:
            away()

    def _let_go(self, fact: callback_requests.CallerLetGo) -> None:
        leg = self._world.connections.get(fact.connection)
        call = self._world.interactions.get(fact.interaction)
        back = call.callback if call is not None else None
        if leg is not None and back is not None and back.leaving == leg.id and not leg.clearing:
            self._offers.clear(leg, Cause.NORMAL_CLEARING)

    # -- asked for ------------------------------------------------------------------------------------------------

    def _pending(self, interaction: InteractionId) -> tuple[Interaction, Callback]:
        call = self._world.interaction(interaction)
        back = call.callback
        if back is None:
            raise InvalidConnection(f"call {call.id} is no pending callback")
        return call, back

    def _cancel(self, fact: callback_requests.CancelCallbackRequested) -> None:
        """Cancel a callback; the customer's phone stops ringing.

        Raises:
            UnknownInteraction: it is over, or never was.
            InvalidConnection: it is no callback, or the customer has answered.
        """
        call, back = self._pending(fact.interaction)
        if back.state is CallbackState.HOLDING:
            raise InvalidConnection(f"callback {call.id}: the customer is on the line; it cannot be cancelled")
        self._callbacks.end(call, CallbackTrigger.CANCEL, Cause.CALL_CANCELLED)

    def _reschedule(self, fact: callback_requests.RescheduleCallbackRequested) -> None:
        """Agree another time, or another number.

        Raises:
            UnknownInteraction: it is over, or never was.
            InvalidConnection: it is no callback, or the customer is being called or on the line.
            DestinationNotAllowed, ResourceBusy, ConfigurationError: as for a new one.
        """
        world = self._world
        call, back = self._pending(fact.interaction)
        if back.state not in (CallbackState.SCHEDULED, CallbackState.WAITING) or call.reservations:
            raise InvalidConnection(f"callback {call.id} is {back.state.value}; it cannot be moved now")
        assert call.queue is not None
        queue = world.queues[call.queue]
        settings = self._calling.settings(call)
        number = fact.number or back.number
        pending = world.callbacks.setdefault(queue.id, {})
        callback_contact(world, settings, number)
        if pending.get(number, call.id) != call.id:
            raise ResourceBusy(f"callback {pending[number]} to {number} is pending in queue {queue.id!r}")
        due_at, expires_at, agreed = back.due_at, back.expires_at, back.agreed
        if fact.at is not None:
            due_at, agreed = max(world.now, world.ids.instant(fact.at)), True
            expires_at = self._first_time(queue, settings, due_at) + settings.expiry_s
        pending.pop(back.number, None)
        pending[number] = call.id
        back.number, back.due_at, back.expires_at, back.agreed = number, due_at, expires_at, agreed
        call.data["callback_number"] = number
        if back.state is CallbackState.WAITING:
            self._callbacks.set_aside(call, CallbackTrigger.POSTPONE, Cause.CALL_BACK)
        self._callbacks.tell(
            callback_events.CallbackRescheduled, call, Cause.CALL_BACK, due_in_s=max(0.0, due_at - world.now)
        )
        self._callbacks.look(call.id)

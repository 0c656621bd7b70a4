"""Callers who come back by themselves, and those who are called back because they hung up while waiting."""

from __future__ import annotations

from typing import Final

from cti.engine.callback_desk import CallbackDesk
from cti.engine.callback_view import callback_contact
from cti.engine.callbacks import Callbacks
from cti.engine.world import ABANDONED_KEPT, World
from cti.errors import DestinationNotAllowed
from cti.model.callback import AbandonedCall, Callback, CallbackSettings
from cti.model.cause import Cause
from cti.model.interaction import Interaction
from cti.model.queue import Queue
from cti.model.states import CallbackState, CallbackTrigger

DAY_S: Final = 86_400.0


class ComingBack:
    """Brings together what one customer does twice.

    Args:
        world: what is known.
        callbacks: keeps the callbacks.
        desk: takes requests for them.
    """

    def __init__(self, world: World, callbacks: Callbacks, desk: CallbackDesk) -> None:
        self._world = world
        self._callbacks = callbacks
        self._desk = desk

    def rejoins(self, call: Interaction, queue: Queue) -> None:
        """A call enters a queue: if its caller is to be called back by it, it takes the place that was kept.

        The callback is cancelled; should the customer's phone ring by it just now, it stops. One that was agreed for a
        time, or is for one agent, is another matter, and stays. What was attached to it is not carried over: a calling
        number can be forged.
        """
        world = self._world
        settings = queue.settings.callback
        pending = world.callbacks.get(queue.id, {}).get(call.calling_number)
        known = world.interactions.get(pending) if pending is not None else None
        back = known.callback if known is not None else None
        if settings is None or not settings.rejoin or known is None or known is call or back is None:
            return
        if back.agreed or back.agent is not None or back.state is CallbackState.HOLDING:
            return
        assert known.queued_at is not None
        kept = (known.queued_at, known.place)
        if call.queued_at is None or kept < (call.queued_at, call.place):
            call.queued_at, call.place = kept
        call.own_priority = max(call.own_priority, known.own_priority)
        call.priority = call.rank(queue.settings.priority)
        self._callbacks.end(known, CallbackTrigger.CANCEL, Cause.CALL_BACK)

    def abandoned(self, call: Interaction, queue: Queue) -> None:
        """The caller of a waiting call hung up: noted, and called back if the queue wants it, once in a day."""
        world, settings = self._world, queue.settings.callback
        waited_s = call.waited_s(world.now)
        made = None
        short = waited_s < queue.settings.short_abandon_s
        if settings is not None and settings.abandoned and not short and self._may(call, queue, settings):
            made = self._call_back(call, queue, settings)
        noted = AbandonedCall(
            call.id,
            queue.id,
            call.calling_number,
            call.calling_name,
            world.now,
            waited_s,
            made.id if made is not None else None,
        )
        world.abandoned.append(noted)
        if len(world.abandoned) > 2 * ABANDONED_KEPT:
            del world.abandoned[:-ABANDONED_KEPT]

    def _may(self, call: Interaction, queue: Queue, settings: CallbackSettings) -> bool:
        world, number = self._world, call.calling_number
        if number in world.callbacks.get(queue.id, {}):
            return False
        if settings.most is not None and queue.figures.callbacks_pending >= settings.most:
            return False
        try:
            callback_contact(world, settings, number)
        except DestinationNotAllowed:
            return False
        due_at = world.now + settings.abandoned_after_s
        if self._callbacks.opens(settings, due_at) is None:
            return False
        for each in reversed(world.abandoned):
            if each.at < world.now - DAY_S:
                return True
            if each.callback is not None and (each.calling_number, each.queue) == (number, queue.id):
                return False
        return True

    def _call_back(self, call: Interaction, queue: Queue, settings: CallbackSettings) -> Interaction:
        world = self._world
        due_at = world.now + settings.abandoned_after_s
        opens = self._callbacks.opens(settings, due_at)
        assert opens is not None
        back = Callback(call.calling_number, world.now, due_at, opens + settings.expiry_s, source="abandoned")
        again = self._desk.new(call.calling_number, call.calling_name, call.called_number)
        again.data = dict(call.data)
        again.own_priority, again.queued_at, again.place = call.own_priority, call.queued_at, call.place
        self._callbacks.begin(again, queue, back)
        return again

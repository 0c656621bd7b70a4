"""What can be done with a centre's callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cti.engine.callback_view import CallbackView, abandoned, callbacks
from cti.engine_loop import EngineLoop
from cti.errors import ConfigurationError
from cti.model import callback_requests
from cti.model.callback import AbandonedCall
from cti.model.ids import AgentId, InteractionId, QueueId

When = datetime | float
"""An aware datetime, or Unix time in seconds."""


class CentreCallbacks:
    """The part of CallCenter that is about callbacks; see there."""

    _loop: EngineLoop

    def request_callback(
        self,
        queue: str,
        number: str,
        *,
        at: When | None = None,
        agent: str | None = None,
        priority: int = 0,
        data: Mapping[str, Any] | None = None,
        name: str = "",
        shown: str = "",
    ) -> InteractionId:
        """Have a customer called back who is not on the line; returns the callback's id.

        Args:
            queue: whose agents call.
            number: the customer's.
            at: when, at the earliest; None for now, after those who wait already.
            agent: the one agent who calls; None for whoever is free.
            priority: added to the queue's own.
            data: attached to the interaction, for the agent's screen.
            name: the customer's, for the same.
            shown: what the customer's phone shows, if the queue names no number.

        Raises:
            UnknownQueue, UnknownAgent: there is none of this id.
            ConfigurationError: the queue calls nobody back, its hours leave no time, or ``at`` is no instant.
            DestinationNotAllowed: no rule lets the number be called.
            ResourceBusy: one to this number is pending in this queue, or as many as it takes.
        """
        name_of, owner = QueueId(queue), AgentId(agent) if agent is not None else None
        self._loop.ask(
            callback_requests.CallbackRequested(
                name_of,
                number,
                at=_unix(at),
                agent=owner,
                priority=priority,
                data=dict(data or {}),
                calling_name=name,
                called_number=shown,
            )
        )
        return self._loop.engine.world.callbacks[name_of][number]

    def cancel_callback(self, callback: str) -> None:
        """Cancel a callback; the customer's phone stops ringing, and an agent who waits for them is free.

        Raises:
            UnknownInteraction: it is over, or never was.
            InvalidConnection: it is no callback, or the customer has answered.
        """
        self._loop.ask(callback_requests.CancelCallbackRequested(InteractionId(callback)))

    def reschedule_callback(self, callback: str, *, at: When | None = None, number: str = "") -> None:
        """Agree another time, or another number; what is left out stays. The tries so far count.

        Raises:
            UnknownInteraction: it is over, or never was.
            InvalidConnection: it is no callback, or it is being made.
            DestinationNotAllowed, ResourceBusy, ConfigurationError: as for a new one.
        """
        self._loop.ask(callback_requests.RescheduleCallbackRequested(InteractionId(callback), _unix(at), number))

    def hold_callbacks(self, *, held: bool = True) -> None:
        """Call nobody back from now on, or go on with it: before a program ends, say. ``start`` goes on with it.

        Customers who are being called are; the others keep their places.
        """
        self._loop.ask(callback_requests.CallbacksHeld(held))

    def _take_up_callbacks(self) -> None:
        """Go on calling back; callers whose script was saying goodbye to them hear it no more."""
        world = self._loop.engine.world
        if world.callbacks_held:
            self.hold_callbacks(held=False)
        for call in list(world.interactions.values()):
            if call.callback is not None and call.callback.leaving is not None:
                self._loop.ask(callback_requests.CallerLetGo(call.id, call.callback.leaving))

    def callbacks(self, queue: str | None = None) -> tuple[CallbackView, ...]:
        """The pending callbacks of a queue, or of all, those whose turn is next first.

        Raises:
            UnknownQueue: there is none of this id.
        """
        return callbacks(self._loop.world_now(), QueueId(queue) if queue is not None else None)

    def abandoned(self, hours: float = 24.0, queue: str | None = None) -> tuple[AbandonedCall, ...]:
        """The callers who hung up while waiting in the last so many hours, the latest first; the last 10,000 are known.

        Raises:
            UnknownQueue: there is none of this id.
        """
        return abandoned(self._loop.world_now(), hours * 3600.0, QueueId(queue) if queue is not None else None)


def _unix(at: When | None) -> float | None:
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise ConfigurationError(f"at is {at!r}; it must have a time zone")
        return at.timestamp()
    if at is not None and (not isinstance(at, int | float) or isinstance(at, bool) or not 0 <= at < 1e11):
        raise ConfigurationError(f"at is {at!r}; it must be a datetime with a time zone, or Unix time in seconds")
    return at

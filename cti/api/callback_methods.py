"""Methods about callbacks, and about those who hung up while waiting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Factory, frozen

from cti.api import attached
from cti.api.converter import Line
from cti.api.method import Subject
from cti.api.refusal import InvalidParameter, NotPermitted, TooLarge
from cti.api.service import Service
from cti.api.table import NO_TEXT, method
from cti.engine.callback_view import CallbackView
from cti.errors import (
    ConfigurationError,
    DestinationNotAllowed,
    InvalidConnection,
    ResourceBusy,
    UnknownAgent,
    UnknownInteraction,
    UnknownQueue,
)
from cti.model.ids import AgentId, InteractionId, QueueId

LONGEST_H = 720.0


@frozen
class CallbackParams:
    """Which queue calls back, whom, and on what terms."""

    queue: QueueId
    number: Line
    at: float | None = None
    agent: AgentId | None = None
    priority: int = 0
    data: Mapping[str, Any] = Factory(dict)
    name: Line = NO_TEXT
    shown: Line = NO_TEXT


@frozen
class Callback:
    """Which callback."""

    callback: InteractionId


@frozen
class Reschedule:
    """Which callback, and when, or to which number; what is left out stays."""

    callback: InteractionId
    at: float | None = None
    number: Line = NO_TEXT


@frozen
class Callbacks:
    """Of which queue; of all that the key covers if none is named."""

    queue: QueueId | None = None


@frozen
class AbandonedParams:
    """Which queue, and for how many hours back."""

    queue: QueueId
    hours: float = 24.0


@frozen
class CallbackMade:
    """The callback's id."""

    callback: str


@frozen
class TryRecord:
    """One time that the customer was called."""

    outcome: str
    ago_s: float
    switch_cause: str


@frozen
class CallbackRecord:
    """A pending callback, as it is now."""

    callback: str
    queue: str
    number: str
    calling_name: str
    state: str
    source: str
    position: int
    waited_s: float
    due_in_s: float
    expires_in_s: float
    agent: str | None
    tries: tuple[TryRecord, ...]


@frozen
class CallbackList:
    """Pending callbacks, those whose turn is next first."""

    callbacks: tuple[CallbackRecord, ...]


@frozen
class AbandonedRecord:
    """A caller who hung up while waiting."""

    call: str
    calling_number: str
    calling_name: str
    ago_s: float
    waited_s: float
    callback: str | None
    """The callback that was made for them by itself."""


@frozen
class AbandonedList:
    """Callers who hung up, the latest first."""

    calls: tuple[AbandonedRecord, ...]


@method(
    "callback.request",
    CallbackParams,
    CallbackMade,
    UnknownQueue,
    UnknownAgent,
    ConfigurationError,
    DestinationNotAllowed,
    ResourceBusy,
    TooLarge,
    subject=Subject.QUEUE,
    changes=True,
)
def request(service: Service, params: CallbackParams) -> CallbackMade:
    """Call Back: have a customer called who is not on the line, at a time or in their turn."""
    if params.agent is not None and not service.grant.covers_agent(params.agent) and not service.grant.sees_all:
        raise NotPermitted(f"this key does not cover agent {params.agent!r}", "params.agent")
    attached.checked(params.data, {})
    made = service.centre.request_callback(
        params.queue,
        params.number,
        at=params.at,
        agent=params.agent,
        priority=params.priority,
        data=params.data,
        name=params.name,
        shown=params.shown,
    )
    return CallbackMade(made)


@method("callback.cancel", Callback, None, UnknownInteraction, InvalidConnection, changes=True)
def cancel(service: Service, params: Callback) -> None:
    """Cancel a callback of a queue that the key covers; the customer's phone stops ringing."""
    _permit(service, params.callback)
    service.centre.cancel_callback(params.callback)


@method(
    "callback.reschedule",
    Reschedule,
    None,
    UnknownInteraction,
    InvalidConnection,
    ConfigurationError,
    DestinationNotAllowed,
    ResourceBusy,
    changes=True,
)
def reschedule(service: Service, params: Reschedule) -> None:
    """Agree another time, or another number, for a callback of a queue that the key covers."""
    _permit(service, params.callback)
    service.centre.reschedule_callback(params.callback, at=params.at, number=params.number)


@method("callback.list", Callbacks, CallbackList, UnknownQueue, slow=True, cost=10)
def callbacks(service: Service, params: Callbacks) -> CallbackList:
    """The pending callbacks of a queue, or of all that the key covers."""
    covers = service.grant.covers_queue
    if params.queue is not None and not covers(params.queue):
        raise NotPermitted(f"this key does not cover queue {params.queue!r}", "params.queue")
    now = service.centre.alarms.now()
    shown = (each for each in service.centre.callbacks(params.queue) if covers(each.queue))
    return CallbackList(tuple(_record(each, now) for each in shown))


@method("queue.abandoned", AbandonedParams, AbandonedList, UnknownQueue, subject=Subject.QUEUE, slow=True, cost=10)
def abandoned(service: Service, params: AbandonedParams) -> AbandonedList:
    """The callers who hung up while waiting in this queue, in the last so many hours."""
    if not 0 <= params.hours <= LONGEST_H:
        raise InvalidParameter(f"params.hours is {params.hours}; give 0 to {LONGEST_H:.0f}", "params.hours")
    now = service.centre.alarms.now()
    return AbandonedList(
        tuple(
            AbandonedRecord(
                each.interaction, each.calling_number, each.calling_name, now - each.at, each.waited_s, each.callback
            )
            for each in service.centre.abandoned(params.hours, params.queue)
        )
    )


def _permit(service: Service, callback: str) -> None:
    """Whether the key covers the queue of a callback; one that is not there is found so later."""
    for each in service.centre.callbacks():
        if each.id == callback and not service.grant.covers_queue(each.queue):
            raise NotPermitted(f"this key does not cover queue {each.queue!r}", "params.callback")


def _record(each: CallbackView, now: float) -> CallbackRecord:
    return CallbackRecord(
        callback=each.id,
        queue=each.queue,
        number=each.number,
        calling_name=each.calling_name,
        state=each.state,
        source=each.source,
        position=each.position,
        waited_s=each.waited_s,
        due_in_s=each.due_in_s,
        expires_in_s=each.expires_in_s,
        agent=each.agent,
        tries=tuple(TryRecord(one.outcome, now - one.at, one.switch_cause) for one in each.tries),
    )

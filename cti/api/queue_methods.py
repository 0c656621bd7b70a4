"""Methods about queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from cti.api import attached
from cti.api.converter import Line
from cti.api.method import Subject
from cti.api.queue_params import QueueChange, QueueParams
from cti.api.refusal import TooLarge
from cti.api.service import Service
from cti.api.table import ADMINISTRATOR, NOT_AGENTS, Nothing, Queue, method
from cti.api.values import CallMade, QueueList, QueueRecord, queue_record
from cti.errors import (
    ConfigurationError,
    DestinationNotAllowed,
    InvalidConnection,
    ResourceBusy,
    UnknownQueue,
    UnknownStrategy,
)
from cti.model.ids import QueueId
from cti.model.predictive import PredictiveFigures


@method("queue.get", Queue, QueueRecord, UnknownQueue, subject=Subject.QUEUE, slow=True, cost=10)
def get_queue(service: Service, params: Queue) -> QueueRecord:
    """A queue's figures and its waiting calls, as they are now."""
    return queue_record(service.centre.queue_view(params.queue))


@method(
    "queue.add",
    QueueParams,
    None,
    ConfigurationError,
    UnknownQueue,
    UnknownStrategy,
    roles=ADMINISTRATOR,
    changes=True,
    cost=20,
)
def add_queue(service: Service, params: QueueParams) -> None:
    """Add a queue, or change one's settings: waiting calls are matched afresh."""
    _define(service, params.queue, params.settings())


@method(
    "queue.change",
    QueueChange,
    None,
    ConfigurationError,
    UnknownQueue,
    UnknownStrategy,
    roles=ADMINISTRATOR,
    changes=True,
    cost=20,
)
def change_queue(service: Service, params: QueueChange) -> None:
    """Change some of a queue's settings; the others stay. Waiting calls are matched afresh."""
    before = service.centre.queue_settings(params.queue)
    _define(service, params.queue, params.changed(before))


def _define(service: Service, queue: QueueId, settings: Mapping[str, Any]) -> None:
    waiting = settings.get("waiting")
    for other in waiting.queues if waiting is not None else ():
        service.centre.queue_settings(other)  # that it is there; the others that are named the centre looks at
    service.centre.add_queue(queue, **settings)


@method("queue.list", Nothing, QueueList)
def list_queues(service: Service, params: Nothing) -> QueueList:  # noqa: ARG001 - the form of every method
    """The ids of all queues that the key covers."""
    covers = service.grant.covers_queue
    return QueueList(tuple(queue for queue in service.centre.queue_ids() if covers(queue)))


@frozen
class PredictiveCall:
    """Whom to call, for the agents of which queue, and what is attached to the call."""

    queue: QueueId
    number: Line
    data: Mapping[str, Any] | None = None


@method(
    "queue.make_predictive_call",
    PredictiveCall,
    CallMade,
    UnknownQueue,
    ConfigurationError,
    DestinationNotAllowed,
    InvalidConnection,
    ResourceBusy,
    TooLarge,
    roles=NOT_AGENTS,
    subject=Subject.QUEUE,
    changes=True,
)
def make_predictive_call(service: Service, params: PredictiveCall) -> CallMade:
    """Make Predictive Call: call a customer, who gets whichever agent of the queue is free when they answer."""
    data = params.data or {}
    attached.checked(data, {})
    return CallMade(service.centre.make_predictive_call(params.queue, params.number, data))


@method("queue.predictive_figures", Queue, PredictiveFigures, UnknownQueue, ConfigurationError, subject=Subject.QUEUE)
def get_predictive_figures(service: Service, params: Queue) -> PredictiveFigures:
    """How the predictive calls of a queue stand: answered and abandoned within the window, and under way."""
    return service.centre.predictive_figures(params.queue)

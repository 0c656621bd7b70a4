"""Methods about queues."""

from __future__ import annotations

from cti.api.method import Subject
from cti.api.queue_params import QueueParams
from cti.api.service import Service
from cti.api.table import ADMINISTRATOR, Nothing, Queue, method
from cti.api.values import QueueList, QueueRecord, queue_record
from cti.errors import ConfigurationError, UnknownQueue, UnknownStrategy


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
    service.centre.add_queue(params.queue, **params.settings())


@method("queue.list", Nothing, QueueList)
def list_queues(service: Service, params: Nothing) -> QueueList:  # noqa: ARG001 - the form of every method
    """The ids of all queues that the key covers."""
    covers = service.grant.covers_queue
    return QueueList(tuple(queue for queue in service.centre.queue_ids() if covers(queue)))

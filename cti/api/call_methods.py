"""Methods about calls, by their id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from cti.api import attached
from cti.api.method import Subject
from cti.api.refusal import NotPermitted, TooLarge
from cti.api.service import Service
from cti.api.table import NOT_AGENTS, Call, method
from cti.api.values import CallExplanation, reason_record
from cti.errors import InvalidConnection, UnknownInteraction, UnknownQueue
from cti.model.history import InteractionHistory
from cti.model.ids import InteractionId, QueueId


@frozen
class Attach:
    """Which call, and the data to attach to it; nil takes a key away."""

    call: InteractionId
    data: Mapping[str, Any]


@frozen
class Move:
    """Which waiting call, the queue that it is to wait in, and its own priority there if it is to be another."""

    call: InteractionId
    queue: QueueId
    priority: int | None = None


@method("call.hang_up", Call, None, subject=Subject.CALL, changes=True)
def hang_up(service: Service, params: Call) -> None:
    """End a call, whoever is on it; harmless when it has ended."""
    service.centre.hang_up(params.call)


@method(
    "call.explain",
    Call,
    CallExplanation,
    UnknownInteraction,
    roles=NOT_AGENTS,
    subject=Subject.CALL,
    slow=True,
    cost=20,
)
def explain_call(service: Service, params: Call) -> CallExplanation:
    """Why a call is where it is: each agent that the key covers, and the reason they are not offered it."""
    said = service.centre.explain_call(params.call)
    shown = tuple(
        reason_record(one) for one in said.agents if service.grant.sees_all or service.grant.covers_agent(one.agent)
    )
    return CallExplanation(said.call, said.queue, said.position, said.priority, said.widened, said.summary, shown)


@method("call.history", Call, InteractionHistory, UnknownInteraction, subject=Subject.CALL, slow=True)
def history(service: Service, params: Call) -> InteractionHistory:
    """What has happened to a call, until now or its end: who did what for how long, who had it, and how it ended."""
    return service.centre.interaction(params.call)


@method("call.attach", Attach, None, UnknownInteraction, TooLarge, subject=Subject.CALL, changes=True)
def attach(service: Service, params: Attach) -> None:
    """Associate Data: attach data to a call; whoever gets it sees them."""
    attached.checked(params.data, service.centre.attached(params.call))
    service.centre.attach(params.call, params.data)


@method(
    "call.queue",
    Move,
    None,
    UnknownInteraction,
    UnknownQueue,
    InvalidConnection,
    roles=NOT_AGENTS,
    subject=Subject.CALL,
    changes=True,
)
def queue(service: Service, params: Move) -> None:
    """Move a waiting call to a queue that the key covers too; it keeps its age."""
    if not service.grant.covers_queue(params.queue):
        raise NotPermitted(f"this key does not cover queue {params.queue!r}", "params.queue")
    service.centre.move_call(params.call, params.queue, priority=params.priority)

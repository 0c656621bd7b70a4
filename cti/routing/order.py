"""The total order of waiting calls: priority as it has grown, then the queue's deficit, then age, then place."""

from __future__ import annotations

from typing import Any

from cti.model.ids import InteractionId
from cti.model.interaction import Interaction

CallKey = tuple[float, float, int, InteractionId]
"""Within a queue, and between queues whose priority does not grow: the lower goes first, whatever the time."""

DueKey = tuple[Any, ...]
"""Among the calls of all queues at one time: the lower goes first. It begins with the priority then, negative."""


def call_key(call: Interaction, per_minute: float) -> CallKey:
    """A call's key among those of its queue.

    All of them grow at one rate, so that what they have grown by since time 0 cancels out, and the order never changes:
    ``priority + per_minute * (now - since) / 60`` is ordered as ``priority - per_minute * since / 60``.
    """
    since = call.queued_at or 0.0
    grown = -call.priority + per_minute * since / 60 if per_minute else -call.priority
    return (grown, since, call.place, call.id)


def at_time(key: CallKey, per_minute: float, now: float, deficit: float | None = None) -> DueKey:
    """The key among the calls of all queues at one time.

    Args:
        key: the key within its queue.
        per_minute: by how much the queue's priority grows in a minute.
        now: the time.
        deficit: how far the queue is below its target; None if no queue's is looked at.
    """
    if deficit is not None:
        return (key[0] - per_minute * now / 60, -deficit, *key[1:])
    return (key[0] - per_minute * now / 60, *key[1:]) if per_minute else key

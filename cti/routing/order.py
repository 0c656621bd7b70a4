"""The total order of waiting calls: priority as it has grown, then age, then place."""

from __future__ import annotations

from cti.model.ids import InteractionId
from cti.model.interaction import Interaction

CallKey = tuple[float, float, int, InteractionId]
"""Within a queue, and between queues whose priority does not grow: the lower goes first, whatever the time."""


def call_key(call: Interaction, per_minute: float) -> CallKey:
    """A call's key among those of its queue.

    All of them grow at one rate, so that what they have grown by since time 0 cancels out, and the order never changes:
    ``priority + per_minute * (now - since) / 60`` is ordered as ``priority - per_minute * since / 60``.
    """
    since = call.queued_at or 0.0
    grown = -call.priority + per_minute * since / 60 if per_minute else -call.priority
    return (grown, since, call.place, call.id)


def at_time(key: CallKey, per_minute: float, now: float) -> CallKey:
    """The key among the calls of all queues at one time: it begins with the priority then, negative."""
    return (key[0] - per_minute * now / 60, *key[1:]) if per_minute else key

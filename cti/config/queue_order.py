"""The order in which queues can be defined."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from attrs import evolve

from cti.model.ids import QueueId
from cti.model.queue import QueueSettings


def in_order(queues: Mapping[QueueId, QueueSettings]) -> tuple[list[QueueId], list[QueueId]]:
    """Queues in an order in which each comes after those that its calls overflow to; and a circle, if there is one.

    In this order, queues can be changed one by one without a circle on the way: those that were changed already go only
    to others that were.
    """
    onward = {name: [to for to in queue.overflow_queues if to in queues] for name, queue in queues.items()}
    try:
        return list(TopologicalSorter(onward).static_order()), []
    except CycleError as error:
        return list(queues), [*reversed(error.args[1])]


def definitions(queues: Mapping[QueueId, QueueSettings], known: Collection[QueueId] = ()) -> Iterator[QueueSettings]:
    """What to define, one after the other, so that none names a queue that is not there yet, nor goes in a circle.

    Two queues may widen to each other: what a new one says of others besides its overflow is left out at first, and said
    when all are there.

    Args:
        queues: those to define; their overflow goes in no circle.
        known: those that are there already, with other settings.
    """
    order, _ = in_order(queues)
    bare = {
        name: evolve(queues[name], widening=(), borrows=None, personal=None, after_call=None)
        for name in order
        if name not in known
    }
    yield from bare.values()
    yield from (queues[name] for name in order if bare.get(name) != queues[name])

"""Expected wait: how long a call at a place of a queue has yet to wait, with agents whom several queues share.

EWT = AHT x calls ahead / (agents staffed x the share of their time that goes to this queue). It is an estimate of the
mean: what it does not know (a lunch break about to begin, a caller about to give up) it does not guess.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from math import fsum

from cti.errors import ConfigurationError
from cti.model.ids import QueueId


def agents_worth(
    queue: QueueId, staff: Iterable[tuple[Collection[QueueId], int]], load_s: Mapping[QueueId, float]
) -> float:
    """How many agents' whole time goes to a queue.

    An agent's time goes to the queues they serve in proportion to these queues' loads; to each alike if none has any.

    Args:
        queue: the queue.
        staff: which queues are served, and by how many agents that are staffed (ready, offered a call, busy or in
            wrap-up); one pair for all agents who serve the same queues will do.
        load_s: a queue's work in hand, in seconds: calls waiting, and coming in some period, times their AHT. A queue
            that is not in it has none.

    Returns:
        From 0 to the number of agents who serve the queue.

    Raises:
        ConfigurationError: a load or a count is negative.
    """
    if any(load < 0 for load in load_s.values()):
        raise ConfigurationError(f"load_s is {dict(load_s)!r}; no load is below 0")
    worth = []
    for served, count in staff:
        if count < 0:
            raise ConfigurationError(f"staff has {count} agents for {sorted(served)}; it must be 0 or more")
        if queue in served:
            total = fsum(load_s.get(other, 0.0) for other in set(served))  # the same in whatever order a set has
            share = load_s.get(queue, 0.0) / total if total > 0 else 1 / len(set(served))
            worth.append(count * share)
    return fsum(worth)


def expected_wait_s(position: int, aht_s: float | None, agents: float) -> float | None:
    """How long the call at this place has yet to wait.

    Args:
        position: its place, 1 for the head: so many calls must end before it is served, if all agents are busy. 0 is a
            call for which an agent is ready.
        aht_s: the mean handling time (talk, hold and after-call work) of the queue's calls, seconds; None or 0 if no
            call has ended yet.
        agents: ``agents_worth`` of the queue.

    Returns:
        Seconds; None for "unknown": no figure of the handling time, or nobody's time goes to the queue.

    Raises:
        ConfigurationError: one of them is negative.
    """
    if position < 0 or agents < 0 or (aht_s is not None and aht_s < 0):
        raise ConfigurationError(f"position {position}, aht_s {aht_s} and agents {agents}: none of them is below 0")
    if position == 0:
        return 0.0
    if not aht_s or not agents:
        return None
    return aht_s * position / agents

"""Whom a queue's widening lets in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cti.model.ids import QueueId
from cti.model.queue import QueueSettings


def first_step(
    settings: QueueSettings, skills: Mapping[str, int], queue: Callable[[QueueId], QueueSettings | None]
) -> int | None:
    """The first step at which an agent with these skills may be offered the queue's calls.

    Args:
        settings: the queue's.
        skills: the agent's.
        queue: the settings of the queues that a step names, None for one that there is not.

    Returns:
        0 if they meet its own requirement, n if its n-th step lets them in, None if nothing does.
    """
    if settings.requires.accepts(skills):
        return 0
    for number, step in enumerate(settings.widening, 1):
        if step.requires is not None and step.requires.accepts(skills):
            return number
        for name in step.also:
            other = queue(name)
            if other is not None and other.requires.accepts(skills):
                return number
    return None

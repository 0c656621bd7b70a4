"""What is wrong with a configuration: refused where it cannot work, said where it probably does not."""

from __future__ import annotations

from collections.abc import Mapping

from cti.engine.callback_hours import check_hours
from cti.engine.wishes import queues_named
from cti.engine.world import World
from cti.errors import ConfigurationError
from cti.model.agent import Agent
from cti.model.ids import QueueId
from cti.model.mailbox import OWNERS
from cti.model.overflow import ToQueue
from cti.model.queue import Queue, QueueSettings
from cti.routing.widening import first_step


def check_queue(world: World, settings: QueueSettings) -> None:
    """Refuse settings that cannot work with the queues there are.

    Raises:
        UnknownQueue: it overflows to, widens to, borrows from, or sends personal calls to a queue that is not there.
        ConfigurationError: it does so to itself, its calls would overflow in a circle, or the hours in which it calls
            back cannot be read.
    """
    name = settings.id
    for what, others in (
        ("overflows to", settings.overflow_queues),
        ("hands its callers on to", queues_after(settings)),
        ("widens to", tuple(other for step in settings.widening for other in step.also)),
        ("borrows from", settings.borrows.lenders if settings.borrows is not None else ()),
    ):
        for other in others:
            if other == name:
                raise ConfigurationError(f"queue {name!r} {what} itself; name another queue")
            world.queue(other)
    if settings.callback is not None:
        check_hours(settings.callback)
    for other in queues_named(settings.personal):
        world.queue(other)
    onward = {queue.id: queue.settings.overflow_queues for queue in world.queues.values()}
    onward[name] = settings.overflow_queues
    circle = _circle(name, onward)
    if circle is not None:
        raise ConfigurationError(f"overflow goes in a circle: {' -> '.join(circle)}; let one of them end it")


def queues_after(settings: QueueSettings) -> tuple[QueueId, ...]:
    """The queue that its callers go to after the conversation, if it is one."""
    return (settings.after_call.queue,) if isinstance(settings.after_call, ToQueue) else ()


def _circle(start: QueueId, onward: Mapping[QueueId, tuple[QueueId, ...]]) -> list[str] | None:
    """A way from a queue back to it; None if there is none."""
    ways: list[list[QueueId]] = [[start, other] for other in onward[start]]
    seen: set[QueueId] = set()
    while ways:
        way = ways.pop()
        if way[-1] == start:
            return [*way]
        if way[-1] not in seen:
            seen.add(way[-1])
            ways += [[*way, other] for other in onward.get(way[-1], ())]
    return None


def advice(world: World) -> list[str]:
    """What probably does not do what was meant, one sentence each: nothing of it is an error."""
    agents, queues = list(world.agents.values()), list(world.queues.values())
    served = {agent.id: {queue.id for queue in queues if _may_serve(world, agent, queue)} for agent in agents}
    unmet = [
        queue
        for queue in queues
        if agents and queue.settings.requires != OWNERS and not any(queue.id in each for each in served.values())
    ]
    return [
        *(
            f"queue {queue.id!r}: none of the {len(agents)} agents meets {str(queue.settings.requires)!r}, "
            "not even by widening"
            for queue in unmet
        ),
        *(f"agent {agent!r} meets no queue's requirement" for agent, each in served.items() if queues and not each),
    ]


def _may_serve(world: World, agent: Agent, queue: Queue) -> bool:
    def settings(name: QueueId) -> QueueSettings | None:
        found = world.queues.get(name)
        return found.settings if found is not None else None

    return first_step(queue.settings, agent.skills, settings) is not None

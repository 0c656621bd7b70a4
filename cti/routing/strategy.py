"""What a strategy is, and strategies by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

from cti.errors import ConfigurationError, UnknownStrategy
from cti.model.agent import Agent
from cti.model.queue import Queue
from cti.routing.ringing import ONE, Ringing
from cti.routing.strategies import BUILT_IN, Random


@runtime_checkable
class Strategy(Protocol):
    """A sort key of an agent: the agent with the lowest key is offered the call.

    A strategy may have four things more. ``per_queue = False`` says that its key does not depend on the queue, which
    saves work and memory. ``chosen(agent, queue)`` is told of each decision by it. ``place(count)`` says which of so
    many agents in order is taken, from 0; it must give the same answer until the next ``chosen``. ``ringing``, a
    Ringing, says how many agents are offered one call at the same time.
    """

    def key(self, agent: Agent, queue: Queue) -> Any:
        """The agent's sort key in this queue, taken when the agent becomes ready; keys of one queue must compare."""
        ...


def strategy(wanted: object, chance: Callable[[], float] | None = None) -> Strategy:
    """The strategy of this name: a built-in one, or one that an installed package offers as ``cti.strategies``.

    Args:
        wanted: a name, or a strategy, which is returned.
        chance: ``random.Random(seed).random`` or alike; only ``random`` needs it.

    Raises:
        UnknownStrategy: nothing offers it; the message names the nearest that exists.
        ConfigurationError: what is offered under the name has no ``key`` method or no usable ``ringing``, or ``random``
            has no chance.
    """
    if not isinstance(wanted, str):
        made = wanted
    elif wanted == Random.name:
        if chance is None:
            raise ConfigurationError(
                "strategy 'random' draws lots; hand the router a source: SkillRouter(chance=random.Random(seed).random)"
            )
        made = Random(chance)
    elif wanted in BUILT_IN:
        made = BUILT_IN[wanted]()
    else:
        offered = {point.name: point for point in entry_points(group="cti.strategies")}
        if wanted not in offered:
            raise UnknownStrategy(wanted, {*BUILT_IN, Random.name, *offered})
        made = offered[wanted].load()()
    if not isinstance(made, Strategy):
        raise ConfigurationError(f"strategy {wanted!r} is {made!r}, which has no key(agent, queue)")
    ringing = getattr(made, "ringing", ONE)
    if not isinstance(ringing, Ringing):
        raise ConfigurationError(f"strategy {wanted!r}: ringing is {ringing!r}; it must be a Ringing")
    return made

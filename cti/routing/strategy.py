"""Strategies: which of several ready agents is offered a call first."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, ClassVar, Protocol, runtime_checkable

from cti.errors import ConfigurationError, UnknownStrategy
from cti.model.agent import Agent
from cti.model.queue import Queue


@runtime_checkable
class Strategy(Protocol):
    """A sort key of an agent: the agent with the lowest key is offered the call."""

    def key(self, agent: Agent, queue: Queue) -> Any:
        """The agent's sort key in this queue, taken when the agent becomes ready; keys of one queue must compare."""
        ...


class LongestIdle:
    """The agent who has been without a call for the longest time goes first."""

    name: ClassVar[str] = "longest-idle"

    def key(self, agent: Agent, queue: Queue) -> float:  # noqa: ARG002 - the protocol's signature
        """Since when the agent has had no call."""
        return agent.idle_since


_BUILT_IN: dict[str, type[Any]] = {LongestIdle.name: LongestIdle}


def strategy(name: str) -> Strategy:
    """The strategy of this name: a built-in one, or one that an installed package offers as ``cti.strategies``.

    Raises:
        UnknownStrategy: nothing offers it; the message names the nearest that exists.
        ConfigurationError: what is offered under the name has no ``key`` method.
    """
    if name in _BUILT_IN:
        made = _BUILT_IN[name]()
    else:
        offered = {point.name: point for point in entry_points(group="cti.strategies")}
        if name not in offered:
            raise UnknownStrategy(name, {*_BUILT_IN, *offered})
        made = offered[name].load()()
    if not isinstance(made, Strategy):
        raise ConfigurationError(f"strategy {name!r} is {made!r}, which has no key(agent, queue)")
    return made

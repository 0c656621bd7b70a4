"""Strategies that were given as objects: of them the class's name is kept, and the state they tell of, if they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cti.model.agent import Agent
from cti.model.queue import Queue
from cti.routing.strategies import BUILT_IN
from cti.routing.strategy import Strategy
from cti.store.plain import plain

TAG: Final = "_object"
_STATE: Final = "state"


class StandIn:
    """In place of a strategy of which only the class's name is known: who has been idle for the longest goes first.

    Args:
        of: the class, ``package.module:Class``.
    """

    per_queue = False

    def __init__(self, of: str) -> None:
        self.name = of

    def key(self, agent: Agent, queue: Queue) -> float:  # noqa: ARG002 - the protocol's signature
        """Since when the agent has had no call."""
        return agent.idle_since


def class_path(kind: type[Any]) -> str:
    """``package.module:Class``."""
    return f"{kind.__module__}:{kind.__qualname__}"


def dump_object(value: object, path: str, lost: list[str]) -> Any:
    """A name as it is; an object as its class's name, with its ``state()`` if it has such a method."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, StandIn):
        return {TAG: value.name}
    kept: dict[str, Any] = {TAG: class_path(type(value))}
    state = getattr(value, "state", None)
    if callable(state):
        kept[_STATE] = plain(state(), f"{path}.state()", lost)
    return kept


def load_object(raw: Any, given: Mapping[str, Strategy], notes: list[str]) -> object:
    """A name as it is; an object from those given; one of the library's own made anew; else a StandIn, with a note.

    A class is never imported because a file names it.
    """
    if not isinstance(raw, Mapping) or TAG not in raw:
        return raw
    name = str(raw[TAG])
    if name in given:
        return given[name]
    for kind in BUILT_IN.values():
        if class_path(kind) == name and (made := _made(kind)) is not None:
            restore = getattr(made, "restore", None)
            if callable(restore) and _STATE in raw:
                restore(raw[_STATE], {})
            elif vars(made):
                notes.append(f"strategy {name} was given as an object; it is made anew, without arguments")
            return made
    notes.append(
        f"strategy {name} was given as an object, of which the class's name is all that was kept; longest-idle stands in"
    )
    return StandIn(name)


def _made(kind: type[Any]) -> Any:
    """One of the library's, made anew; None if it cannot be without what it was given: a source of chance."""
    try:
        return kind()
    except TypeError:
        return None

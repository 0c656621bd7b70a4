"""Intervals, and what was counted in one; docs/statistics.md has the definitions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from attrs import fields, frozen

from cti.errors import ConfigurationError
from cti.model.figures import AgentFigures, QueueFigures

Counted = dict[str, float]
"""What was counted in an interval, or since something began, by the names of the fields of QueueFigures or AgentFigures."""
F = TypeVar("F", QueueFigures, AgentFigures)

QUEUE: Final = "queue"
AGENT: Final = "agent"
NOT_SUMMED: Final = frozenset({"longest_wait_s"})
"""A greatest value, of which no difference says anything."""
LEVELS: Final = frozenset({"waiting", "callbacks_pending", "callbacks_in_line"})
"""What falls as often as it rises."""
_KINDS: Final[Mapping[str, type[QueueFigures | AgentFigures]]] = {QUEUE: QueueFigures, AGENT: AgentFigures}
_NAMES: Final = {
    kind: tuple(one.name for one in fields(of) if one.name not in NOT_SUMMED) for kind, of in _KINDS.items()
}


@frozen
class QueueInterval:
    """What was counted of a queue.

    Args:
        name: the queue.
        begins_at: Unix seconds.
        length_s: how long the interval is.
        figures: calls count in the interval in which it happened; of the levels, such as ``waiting``, it is by how much
            more they are at its end.
    """

    name: str
    begins_at: float
    length_s: float
    figures: QueueFigures


@frozen
class AgentInterval:
    """The same of an agent."""

    name: str
    begins_at: float
    length_s: float
    figures: AgentFigures


def counted(kind: str, figures: QueueFigures | AgentFigures) -> Counted:
    """Figures as they are compared, added and kept."""
    return {name: getattr(figures, name) for name in _NAMES[kind]}


def figures_of(made: type[F], values: Mapping[str, float]) -> F:
    """Figures again; fields that this version does not know are left out."""
    known = {one.name for one in fields(made)}
    return made(**{name: value for name, value in values.items() if name in known})  # type: ignore[arg-type]


def since(before: Mapping[str, float], now: Mapping[str, float]) -> Counted:
    """What has been added; nothing where a count is lower than it was: it was begun afresh, or lost.

    But for the levels, of which the difference is told.
    """
    return {
        name: value - before.get(name, 0) if name in LEVELS else max(0, value - before.get(name, 0))
        for name, value in now.items()
    }


def added(to: Mapping[str, float], more: Mapping[str, float]) -> Counted:
    """The sum."""
    return {name: to.get(name, 0) + more.get(name, 0) for name in {**to, **more}}


def begin_of(at: float, length_s: float) -> float:
    """When the interval began that an instant is in, Unix seconds."""
    return at - at % length_s


def midnight(at: float, zone: ZoneInfo, days: int = 0) -> float:
    """When the day began that an instant is in, or so many days later, Unix seconds."""
    day = datetime.fromtimestamp(at, zone).date() + timedelta(days=days)
    return datetime.combine(day, time(), zone).timestamp()


def moment(text: str, zone: ZoneInfo) -> float:
    """Unix seconds of a day or time as ISO 8601 has it, such as ``2026-03-01`` or ``2026-03-01T09:00``.

    Raises:
        ConfigurationError: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ConfigurationError(f"{text[:60]!r} is no time; write it as 2026-03-01 or 2026-03-01T09:00") from None

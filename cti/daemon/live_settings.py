"""Which settings of the services around the calls a reload applies, which need a restart, and what is said of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import fields

from cti.config import Services

LIVE: Final[Mapping[str, frozenset[str]]] = {
    "web": frozenset({"limits", "metrics_token", "certificate", "key"}),
    "audit": frozenset({"max_bytes", "keep"}),
    "recording": frozenset({"name", "keep_s"}),
    "statistics": frozenset({"keep_s", "time_zone"}),
    "history": frozenset({"keep_s"}),
}
"""What is taken over while the daemon runs, by table. All else in these tables, and all of the others, needs a restart."""
_OTHERS: Final = ("state", "journal", "messages")
_SIZES: Final = frozenset({"connections"})
"""Of [web.limits]: gevent's pool of connections keeps its size."""
Different = tuple[str, Any, Any, bool]
"""The name of a setting, as it was, as it is to be, and whether its value may be said."""


def need_a_restart(old: Services, new: Services) -> list[str]:
    """The tables and settings that are others and cannot be changed while the daemon runs, by name."""
    names = [f"[{table}]" for table in _OTHERS if getattr(old, table) != getattr(new, table)]
    for table in LIVE:
        before, after = getattr(old, table), getattr(new, table)
        if (before is None) is not (after is None):
            names.append(f"[{table}]")
        else:
            names += [name for name, *values in _different(table, before, after) if not _is_live(table, name, *values)]
    return names


def told(old: Services, new: Services) -> Iterator[str]:
    """What is taken over, a line a table; secrets are not said."""
    for table in LIVE:
        changes = [
            name.removeprefix(f"{table}.") + (f" {before!r} -> {after!r}" if sayable else " is another")
            for name, before, after, sayable in _different(table, getattr(old, table), getattr(new, table))
        ]
        if changes:
            yield f"{table}: {', '.join(changes)}"


def _is_live(table: str, name: str, before: Any, after: Any, _sayable: bool) -> bool:
    key, _, limit = name.removeprefix(f"{table}.").partition(".")
    if key in {"certificate", "key"}:  # with TLS or without it is decided once
        return bool(before) is bool(after) or key == "key"
    return key in LIVE[table] and limit not in _SIZES


def _different(table: str, before: Any, after: Any) -> Iterator[Different]:
    if before is None or after is None:
        return
    for one in fields(type(after)):
        was, is_ = getattr(before, one.name), getattr(after, one.name)
        if (table, one.name) == ("web", "limits"):
            yield from _different("web.limits", *map(_limits, (was, is_)))
        elif was != is_:
            yield f"{table}.{one.name}", was, is_, one.repr is not False


def _limits(said: Any) -> Any:
    """None stands for the defaults."""
    from cti.web import WebLimits  # noqa: PLC0415 - an extra

    return said if said is not None else WebLimits()

"""How `cti report` writes: tables for people, CSV and JSON for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from attrs import fields, frozen
from rich.console import Console
from rich.table import Table

from cti.model.history import InteractionHistory, LeftOutRecord, SegmentRecord
from cti.statistics import AgentInterval, QueueInterval
from cti.statistics.interval import NOT_SUMMED, QUEUE

FORMATS: Final = ("table", "csv", "json")
WIDE: Final = 200
"""Columns of a table that goes into a file or a pipe."""
Values = dict[str, Any]
Column = tuple[str, Callable[[Values], str]]
"""Its heading, and its text."""


class Sheet(Protocol):
    """One table."""

    @property
    def name(self) -> str:
        """What it is about; its key in JSON."""
        ...

    @property
    def columns(self) -> Sequence[Column]:
        """For people."""
        ...

    def rows(self) -> Iterator[Values]:
        """For programs: each of them has the same keys."""
        ...


@frozen
class FigureSheet:
    """Figures of queues, or of agents."""

    kind: str
    intervals: tuple[QueueInterval | AgentInterval, ...]
    zone: ZoneInfo

    @property
    def name(self) -> str:
        """See Sheet."""
        return f"{self.kind}s"

    @property
    def columns(self) -> Sequence[Column]:
        """See Sheet."""
        return _OF_QUEUES if self.kind == QUEUE else _OF_AGENTS

    def rows(self) -> Iterator[Values]:
        """Everything that is counted, and the rates made of it."""
        for each in self.intervals:
            of = each.figures
            counts = {one.name: _round(getattr(of, one.name)) for one in fields(type(of)) if one.name not in NOT_SUMMED}
            rates = _RATES_OF_QUEUES if self.kind == QUEUE else _RATES_OF_AGENTS
            yield {
                "begins": _at(each.begins_at, self.zone),
                "length_s": each.length_s,
                self.kind: each.name,
                **counts,
                **{name: _round(getattr(of, name)) for name in rates},
            }


@frozen
class CallSheet:
    """Past calls."""

    calls: tuple[InteractionHistory, ...]
    zone: ZoneInfo
    name: str = "calls"

    @property
    def columns(self) -> Sequence[Column]:
        """See Sheet."""
        return _OF_CALLS

    def rows(self) -> Iterator[Values]:
        """See Sheet."""
        for call in self.calls:
            yield {
                "began": _at(call.began, self.zone),
                "ended": _at(call.ended, self.zone) if call.ended is not None else None,
                "call": call.interaction,
                "kind": call.interaction_kind,
                "calling_number": call.calling_number,
                "called_number": call.called_number,
                "queue": call.queue,
                "agents": " ".join(call.agents),
                "waited_s": _round(call.seconds("queued")),
                "talk_s": _round(_by_agents(call, "talk", "conference", "consult")),
                "hold_s": _round(_by_agents(call, "hold")),
                "after_call_s": _round(_by_agents(call, "wrap-up")),
                "ended_by": call.ended_by,
                "cause": call.cause,
            }


def write(sheets: Sequence[Sheet], form: str, begin: float, end: float, zone: ZoneInfo) -> None:
    """Write to standard output.

    In CSV the tables follow one another, each after a line with its columns, with an empty line between.
    """
    if form == "json":
        whole: Values = {"begins": _at(begin, zone), "ends": _at(end, zone)}
        print(
            json.dumps({**whole, **{sheet.name: list(sheet.rows()) for sheet in sheets}}, indent=1, ensure_ascii=False)
        )
    elif form == "csv":
        for number, sheet in enumerate(each for each in sheets if any(True for _ in each.rows())):
            _csv(sheet, apart=number > 0)
    else:
        console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else WIDE)
        console.print(f"{_at(begin, zone)} to {_at(end, zone)}")
        for sheet in sheets:
            _table(console, sheet)


def _csv(sheet: Sheet, *, apart: bool) -> None:
    if apart:
        print()
    written = None
    for row in sheet.rows():
        if written is None:
            written = csv.DictWriter(sys.stdout, list(row), lineterminator="\n")
            written.writeheader()
        written.writerow({name: _safe(value) for name, value in row.items()})


def _safe(value: Any) -> Any:
    """A number that called may be anything; spreadsheets take text that begins so for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "@", "\t", "\r"} else value


def _table(console: Console, sheet: Sheet) -> None:
    rows = list(sheet.rows())
    if not rows:
        console.print(f"no {sheet.name}: nothing was counted" if sheet.name != "calls" else "no calls")
        return
    shown = Table()
    for at, (heading, _) in enumerate(sheet.columns):
        shown.add_column(heading, justify="left" if at < _LEFT[sheet.name] else "right", no_wrap=True)
    for row in rows:
        shown.add_row(*(text(row) for _, text in sheet.columns))
    console.print(shown)


def _at(unix: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(unix, zone).isoformat(timespec="seconds")


def _round(value: float | None) -> float | None:
    return round(value, 3) if isinstance(value, float) else value


def _by_agents(call: InteractionHistory, *kinds: str) -> float:
    parts: tuple[SegmentRecord | LeftOutRecord, ...] = (*call.segments, *call.left_out)
    return sum(each.length_s for each in parts if each.agent is not None and each.kind in kinds)


def _text(name: str) -> Callable[[Values], str]:
    return lambda row: "" if row[name] is None else str(row[name])


def _begin(row: Values) -> str:
    return str(row["begins"])[:16].replace("T", " ")


def _time(*names: str) -> Callable[[Values], str]:
    """So many hours, minutes and seconds, the later names taken off the first."""

    def text(row: Values) -> str:
        if row[names[0]] is None:
            return "-"
        seconds = round(max(0.0, row[names[0]] - sum(row[name] for name in names[1:])))
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"

    return text


def _share(name: str) -> Callable[[Values], str]:
    return lambda row: "-" if row[name] is None else f"{row[name] * 100:.1f} %"


_LEFT: Final[Mapping[str, int]] = {"queues": 2, "agents": 2, "calls": 5}
"""So many columns have text in them."""
_RATES_OF_QUEUES: Final = (
    "service_level",
    "service_level_negative",
    "service_level_positive",
    "abandon_rate",
    "asa_s",
    "talk_s",
    "aht_s",
)
_RATES_OF_AGENTS: Final = ("logged_on_s", "occupancy", "aht_s")
_OF_QUEUES: Final[tuple[Column, ...]] = (
    ("begins", _begin),
    ("queue", _text("queue")),
    ("offered", _text("offered")),
    ("answered", _text("answered")),
    ("in time", _text("answered_in_time")),
    ("abandoned", _text("abandoned")),
    ("overflowed", _text("overflowed")),
    ("service level", _share("service_level")),
    ("mean wait", _time("asa_s")),
    ("talk", _time("talk_s")),
    ("hold", _time("hold_s")),
    ("wrap-up", _time("after_call_s")),
    ("mean handling", _time("aht_s")),
)
_OF_AGENTS: Final[tuple[Column, ...]] = (
    ("begins", _begin),
    ("agent", _text("agent")),
    ("offers", _text("offers")),
    ("answered", _text("answered")),
    ("no answer", _text("no_answers")),
    ("logged on", _time("logged_on_s")),
    ("ready", _time("ready_s")),
    ("not ready", _time("not_ready_s")),
    ("talk", _time("busy_s", "hold_s")),
    ("hold", _time("hold_s")),
    ("wrap-up", _time("after_call_s")),
    ("occupancy", _share("occupancy")),
    ("mean handling", _time("aht_s")),
)
_OF_CALLS: Final[tuple[Column, ...]] = (
    ("began", lambda row: str(row["began"])[:19].replace("T", " ")),
    ("from", _text("calling_number")),
    ("to", _text("called_number")),
    ("queue", _text("queue")),
    ("agents", _text("agents")),
    ("waited", _time("waited_s")),
    ("talk", _time("talk_s")),
    ("hold", _time("hold_s")),
    ("wrap-up", _time("after_call_s")),
    ("ended by", _text("ended_by")),
)

"""What `cti journal` prints, for people and as JSON."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from typing import Any

from attrs import asdict

from cti.store.outcome import Figures
from cti.store.replay import ReplayReport
from cti.store.survey import SegmentSurvey, Survey
from cti.store.whatif import Changed, Comparison


def when(wall: float | None) -> str:
    """Unix time as people read it, in the local zone."""
    if wall is None:
        return "-"
    try:
        return datetime.fromtimestamp(wall, UTC).astimezone().isoformat(sep=" ", timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return f"{wall} s"


def survey_text(found: Survey) -> str:
    """`cti journal info`."""
    lines = [f"{len(found.segments)} segments, {found.bytes} bytes, {when(found.since)} to {when(found.until)}"]
    for segment in found.segments:
        lines.append(
            f"  {segment.file}  {segment.bytes:>10} bytes  {segment.facts:>8} facts  {when(segment.since)}{_run(segment)}"
        )
        lines += [f"    gap before it: {gap.facts} facts were not written: {gap.why}" for gap in segment.gaps]
        lines += [
            f"    {'torn tail' if damage.tail else 'damaged'}: {damage.bytes} bytes at {damage.offset}: {damage.what}"
            for damage in segment.damages
        ]
    lines.append(f"{found.facts.total()} facts, {found.offers} offers, {found.refused} requests refused")
    if found.not_kept:
        lines.append(f"{found.not_kept} facts had a value that could not be kept")
    lines += [f"  {count:>9}  {name}" for name, count in found.facts.most_common()]
    lines.append("sound" if found.sound else "not sound: see above")
    return "\n".join(lines)


def _run(segment: SegmentSurvey) -> str:
    return (
        f"  run {segment.header.run[:8]}, node {segment.header.node}" if segment.header is not None else "  no header"
    )


def survey_json(found: Survey) -> dict[str, Any]:
    """The same as plain values."""
    return {
        "bytes": found.bytes,
        "since": found.since,
        "until": found.until,
        "facts": found.facts.total(),
        "facts_by_kind": dict(found.facts.most_common()),
        "offers": found.offers,
        "refused": found.refused,
        "not_kept": found.not_kept,
        "sound": found.sound,
        "segments": [asdict(segment) for segment in found.segments],
    }


def replay_text(report: ReplayReport) -> str:
    """`cti journal replay`."""
    lines = [
        f"{report.facts} facts of {report.segments} segments, {when(report.since)} to {when(report.until)}",
        f"{report.offers} offers, {report.refused} requests refused, {report.snapshots_compared} snapshots compared",
    ]
    if report.passed_over:
        lines.append(f"{report.passed_over} facts could not be replayed; see below")
    lines += [f"note: {what}" + (f" ({count} times)" if count > 1 else "") for what, count in report.notes.items()]
    first = report.first_difference
    if not report.facts:
        lines.append("nothing could be replayed")
    elif first is None:
        lines.append("the same: every decision is as it was")
    else:
        lines.append(f"NOT the same: {report.differing} facts led to something else. The first difference:")
        lines.append(f"  segment {first.segment}, {when(first.wall)} (clock {first.at:.6f}): {first.fact}")
        lines.append(f"  {first.what}")
    return "\n".join(lines)


def replay_json(report: ReplayReport) -> dict[str, Any]:
    """The same as plain values."""
    return {**asdict(report, recurse=True), "notes": dict(report.notes), "same": report.same}


_ROWS = (
    ("offered", "offered"),
    ("answered", "answered"),
    ("abandoned", "abandoned"),
    ("left by script or overflow", "left"),
    ("lost", "lost"),
    ("still waiting", "waiting"),
    ("overflows", "overflows"),
    ("service level", "service_level"),
    ("mean wait of the answered, s", "mean_wait_s"),
    ("median", "median_wait_s"),
    ("90th percentile", "p90_wait_s"),
    ("longest", "longest_wait_s"),
)


def compare_text(found: Comparison, name: str) -> str:
    """`cti journal compare`."""
    columns = (found.recorded, found.before, found.after)
    width = max(10, len(name))
    lines = [f"{'':30}{'recorded':>10}{'simulated':>12}  {name:>{width}}"]
    for title, field in _ROWS:
        cells = [_cell(figures, field) for figures in columns]
        lines.append(f"{title:30}{cells[0]:>10}{cells[1]:>12}  {cells[2]:>{width}}")
    lines.append("answered by")
    for agent in sorted({agent for figures in columns for agent in figures.by_agent}):
        counts = [figures.by_agent[agent] for figures in columns]
        lines.append(f"  {agent:28}{counts[0]:>10}{counts[1]:>12}  {counts[2]:>{width}}")
    lines.append(
        f"{found.agent_changed} calls go to another agent, {found.outcome_changed} end otherwise; "
        f"{found.longer} wait longer than they did and might hang up"
    )
    lines += [_changed(one) for one in found.changed]
    lines += [f"note: {what}" for what in found.replay.notes]
    if not found.replay.same:
        lines.append("note: the journal does not replay to the same decisions; run cti journal replay")
    return "\n".join([*lines, "", textwrap.fill(found.caveat, 100)])


def compare_json(found: Comparison) -> dict[str, Any]:
    """The same as plain values."""
    return {**asdict(found), "replay": replay_json(found.replay)}


def _cell(figures: Figures, field: str) -> str:
    value = getattr(figures, field)
    if value is None:
        return "-"
    if field == "service_level":
        return f"{value:.1%}"
    return str(value) if isinstance(value, int) else f"{value:.1f}"


def _changed(one: Changed) -> str:
    return f"  {when(one.at)}  {one.caller}: {_fate(one.before, one.before_agent, one.before_wait_s)} -> {_fate(one.after, one.after_agent, one.after_wait_s)}"


def _fate(outcome: str, agent: str | None, waited_s: float | None) -> str:
    by = f" by {agent}" if agent is not None else ""
    return f"{outcome}{by}" + (f" after {waited_s:.1f} s" if waited_s is not None else "")

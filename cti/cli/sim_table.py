"""The figures of `cti sim` for people: one run as a list, several as a table and a plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cti.simulation import Report, SimulationSettings
from cti.simulation.report import Estimate

_PLOT_LABEL: Final = 7
_PLOT_FIGURE: Final = 8
_PLOT_WIDEST: Final = 100
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


def heading(settings: SimulationSettings, agents: range) -> RenderableType:
    """What was simulated."""
    if len(settings.queues) > 1 or len(settings.calls) > 1:
        return _several(settings)
    [calls], [queue] = settings.calls, settings.queues
    ring_s = sum(settings.answer_s) / 2
    busy_s = calls.handle_s + ring_s + queue.wrap_up_s
    patience = "wait for ever" if calls.patience_s is None else f"wait {calls.patience_s:g} s"
    staff = f"{agents[0]} agents" if len(agents) == 1 else f"{agents[0]} to {agents[-1]} agents"
    load = calls.rate_per_s * busy_s
    traffic = f"{calls.count:,} calls, {calls.rate_per_s * 3600:g} an hour, of {calls.handle_s:g} s"
    lines = [
        f"{staff}; {traffic}; callers {patience}",
        f"ring {ring_s:g} s, wrap-up {queue.wrap_up_s:g} s; seed {settings.seed}",
        f"offered load {load:.1f} erlangs (with ring and wrap-up)",
    ]
    if calls.patience_s is None and load >= agents[0]:
        lines.append(f"{agents[0]} agents cannot carry that: their queue grows as long as calls come")
    return Text("\n".join([*lines, ""]))


def _several(settings: SimulationSettings) -> RenderableType:
    ring_s = sum(settings.answer_s) / 2
    lines = [f"{len(settings.agents)} agents; ring {ring_s:g} s; seed {settings.seed}"]
    for calls in settings.calls:
        patience = "wait for ever" if calls.patience_s is None else f"wait {calls.patience_s:g} s"
        lines.append(
            f"{calls.queue}: {calls.count:,} calls, {calls.rate_per_s * 3600:g} an hour, of {calls.handle_s:g} s; "
            f"callers {patience}"
        )
    return Text("\n".join([*lines, ""]))


def single(report: Report) -> RenderableType:
    """All figures of one run."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name in ("offered", "answered", "abandoned", "overflowed", "lost"):
        number = getattr(report, name)
        share = f"  ({number / report.offered:.1%})" if name != "offered" else ""
        table.add_row(name, f"{number:,}{share}")
    waits, answered = report.waits, report.waits_answered
    table.add_row("service level", _percent(report.service_level) + _plus_minus(report.in_time, 100, " %"))
    table.add_row("mean wait", _seconds(waits.mean_s) + _plus_minus(report.mean_wait, 1, " s"))
    table.add_row("waits", ", ".join(f"p{share} {_seconds(wait)}" for share, wait in waits.percentiles_s.items()))
    table.add_row(
        "  of answered",
        f"mean {_seconds(answered.mean_s)}, "
        + ", ".join(f"p{share} {_seconds(wait)}" for share, wait in answered.percentiles_s.items()),
    )
    table.add_row("no agent free", _percent(report.delayed.mean) + _plus_minus(report.delayed, 100, " %"))
    table.add_row("occupancy", _percent(report.occupancy))
    if report.faults:
        table.add_row("faults", ", ".join(f"{number:,} {what}" for what, number in sorted(report.faults.items())))
        table.add_row("unseen", f"{report.unseen:,} calls that the centre never heard of")
    for name, value in _soundness(report):
        table.add_row(name, value)
    table.add_row("decisions", f"{report.decisions:,}, their sha256 is")
    table.add_row("", report.decisions_sha256)
    table.add_row(
        "speed",
        f"{report.virtual_s / 3600:,.1f} h in {report.wall_s:.1f} s: "
        f"{report.calls_per_s:,.0f} calls/s, {report.facts_per_s:,.0f} facts/s",
    )
    return table


def comparison(reports: Sequence[Report], width: int) -> RenderableType:
    """A row for each number of agents, and the service level as a plot in so many columns."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("agents", "service level", "mean wait", "p95", "abandoned", "occupancy"):
        table.add_column(name, justify="right", no_wrap=True)
    for report in reports:
        table.add_row(
            str(report.agents),
            _percent(report.service_level),
            _seconds(report.waits.mean_s),
            _seconds(report.waits.percentiles_s[95]),
            _percent(report.abandoned_share),
            _percent(report.occupancy),
        )
    wrong = [
        Text(f"{report.agents} agents: {name} {value}", style="bold red")
        for report in reports
        if not report.sound
        for name, value in _soundness(report)
    ]
    room = min(width - _PLOT_LABEL - _PLOT_FIGURE, _PLOT_WIDEST)
    return Group(table, Text(""), *(plot(reports, room) if room >= 20 else ()), *wrong)


def plot(reports: Sequence[Report], room: int) -> list[Text]:
    """The service level against the number of agents, as bars of at most ``room`` columns."""
    lines = [Text(f"{'agents':>{_PLOT_LABEL - 1}} service level")]
    for report in reports:
        level = report.service_level or 0.0
        bar = _bar(level, room)
        lines.append(Text(f"{report.agents:>{_PLOT_LABEL - 1}} {bar} {level:.1%}"))
    marks = "".join(f"{mark:<{room // 4}}" for mark in ("0", "25", "50", "75"))
    lines.append(Text(f"{'%':>{_PLOT_LABEL - 1}} {marks}{' ' * (room % 4)}100"))
    return lines


def _bar(share: float, room: int) -> str:
    eighths = round(share * room * 8)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def _soundness(report: Report) -> list[tuple[str, str]]:
    if report.sound:
        return [("invariants", "none broken, every call accounted for, nobody stuck")]
    named = [f"{v.at:.3f} s {v.fact}: {v.what}" for v in report.violations_named]
    return [
        ("invariants", f"{report.violations} broken" + "".join(f"\n{what}" for what in named)),
        ("unaccounted", f"{report.unaccounted} calls"),
        ("stuck", "\n".join(report.stuck) or "nobody"),
    ]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _plus_minus(estimate: Estimate, times: float, unit: str) -> str:
    return "" if estimate.half_width is None else f" ± {estimate.half_width * times:.1f}{unit}"

"""`cti sim`: a call centre in virtual time, to plan staff with and to prove the engine."""

from __future__ import annotations

import gc
import json
import logging
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
import structlog
from click.core import ParameterSource
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cti.cli import sim_file, sim_table
from cti.errors import ConfigurationError
from cti.model.agent import AgentSettings
from cti.model.ids import AgentId, QueueId
from cti.model.queue import QueueSettings
from cti.simulation import PROFILES, Calls, Report, Simulation, SimulationSettings

_QUEUE: Final = "calls"
_MOST_RUNS: Final = 100
_MOST_AGENTS: Final = 20_000
_RING_TIMEOUT_S: Final = 20.0


class _Agents(click.ParamType[range]):
    """``20``, or ``18..26`` for a run with each."""

    name = "N or N..M"
    _form = re.compile(r"(\d{1,6})(?:\.\.(\d{1,6}))?\Z", re.ASCII)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> range:
        """The numbers of agents to run with."""
        if isinstance(value, range):
            return value
        found = self._form.match(str(value))
        if not found:
            self.fail(f"{value!r} is no number of agents; write 20, or 18..26 for a run with each", param, ctx)
        first, last = int(found[1]), int(found[2] or found[1])
        if not 1 <= first <= last <= _MOST_AGENTS:
            self.fail(f"{value!r}: from 1 to {_MOST_AGENTS} agents, the lower number first", param, ctx)
        if last - first >= _MOST_RUNS:
            self.fail(f"{value!r} asks for {last - first + 1} runs; {_MOST_RUNS} at most", param, ctx)
        return range(first, last + 1)


class _Patience(click.ParamType[float | None]):
    """Seconds, or ``none``."""

    name = "SECONDS or none"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """The mean patience; None for callers who wait for ever."""
        if value == "none":
            return None
        try:
            patience_s = float(value)
        except ValueError:
            patience_s = 0.0
        if not 0 < patience_s < float("inf"):
            self.fail(f"{value!r} is neither a number of seconds above 0 nor none", param, ctx)
        return patience_s


class _Number(click.FloatRange):
    """A number in a range; ``nan`` is in none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return float(number)


class _OneLine(click.Command):
    """A command whose misuse is said in one line, without the usage around it."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the flags."""
        try:
            return super().make_context(*args, **extra)
        except click.UsageError as error:
            raise ConfigurationError(f"sim: {error.format_message()}") from error


_more_than_nothing = _Number(min=0, max=1e6, min_open=True)
_from_nothing = _Number(min=0, max=1e6)


class _Share(click.ParamType[tuple[str, float]]):
    """``QUEUE=3``."""

    name = "QUEUE=SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """The queue and its share."""
        if isinstance(value, tuple):
            return value
        queue, _, share = str(value).rpartition("=")
        try:
            number = float(share)
        except ValueError:
            number = 0.0
        if not queue or not 0 < number < 1e6:
            self.fail(f"{value!r} is no share; write sales=3", param, ctx)
        return queue, number


@click.command(cls=_OneLine)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--agents", type=_Agents(), default="20", show_default=True, help="How many; 18..26 compares them.")
@click.option("--calls", type=click.IntRange(min=1), default=10_000, show_default=True, help="Callers in all.")
@click.option("--arrival-rate", type=_more_than_nothing, default=300.0, show_default=True, help="Mean calls an hour.")
@click.option("--handle-time", type=_more_than_nothing, default=180.0, show_default=True, help="Mean seconds of talk.")
@click.option(
    "--patience", type=_Patience(), default="120", show_default=True, help="Mean seconds until a caller hangs up."
)
@click.option("--ring-time", type=_from_nothing, default=4.0, show_default=True, help="Mean seconds to the answer.")
@click.option("--wrap-up", type=_from_nothing, default=15.0, show_default=True, help="Seconds of work after a call.")
@click.option(
    "--service-level", type=_from_nothing, default=20.0, show_default=True, help="A call answered so soon is in time."
)
@click.option("--strategy", default="longest-idle", show_default=True, help="Which ready agent goes first.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same run.")
@click.option(
    "--faults", type=click.Choice(sorted(PROFILES)), default="none", show_default=True, help="What goes wrong."
)
@click.option(
    "--errands",
    type=_more_than_nothing,
    help="Mean seconds between two services that are asked for besides, at random.",
)
@click.option(
    "--share", type=_Share(), multiple=True, help="With FILE: a queue's share of the calls; all alike without."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: an object, or a list of them for 18..26.")
@click.pass_context
def sim(
    ctx: click.Context,
    /,
    *,
    file: Path | None,
    share: tuple[tuple[str, float], ...],
    agents: range,
    as_json: bool,
    **flags: Any,
) -> None:
    """Simulate a call centre: what service, with how many agents?

    One queue, or those of a configuration FILE with its agents; callers at random, conversations of exponential length.
    The engine and the switch adapter are the real ones; FreeSWITCH and time are not.
    """
    _told_twice(ctx, file, share)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    # The collector of cycles would look through all of them a hundred times a second, which costs a tenth of the run.
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    console = Console(highlight=False)
    if file is not None:
        everything = [sim_file.settings_of(file, dict(share), **_without(flags))]
        agents = range(len(everything[0].agents), len(everything[0].agents) + 1)
    else:
        everything = [_settings(number, **flags) for number in agents]
    with _progress() as progress:
        reports = [_run(settings, progress) for settings in everything]
    if as_json:
        plain = [report.as_json() for report in reports]
        print(json.dumps(plain if len(agents) > 1 else plain[0]))
    else:
        console.print(sim_table.heading(everything[0], agents))
        console.print(sim_table.comparison(reports, console.width) if len(agents) > 1 else sim_table.single(reports[0]))
    if not all(report.sound for report in reports):
        ctx.exit(1)


_IN_THE_FILE: Final = ("agents", "wrap_up", "service_level", "strategy")


def _told_twice(ctx: click.Context, file: Path | None, share: tuple[tuple[str, float], ...]) -> None:
    """Refuse flags that the file answers, and those that need one."""
    if file is None and share:
        raise ConfigurationError("sim: --share needs a configuration: cti sim centre.toml --share sales=3")
    for name in _IN_THE_FILE:
        if file is not None and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise ConfigurationError(f"sim: --{name.replace('_', '-')} is what {file.name} says; leave one of them out")


def _without(flags: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in flags.items() if name not in _IN_THE_FILE}


def _settings(
    agents: int,
    *,
    calls: int,
    arrival_rate: float,
    handle_time: float,
    patience: float | None,
    ring_time: float,
    wrap_up: float,
    service_level: float,
    strategy: str,
    seed: int,
    faults: str,
    errands: float | None,
) -> SimulationSettings:
    queue = QueueSettings(
        id=QueueId(_QUEUE),
        strategy=strategy,
        wrap_up_s=wrap_up,
        service_level_s=service_level,
        ring_timeout_s=max(_RING_TIMEOUT_S, 2 * ring_time),
        music="",
    )
    return SimulationSettings(
        agents=tuple(AgentSettings(AgentId(f"agent-{n}"), f"user/{n}") for n in range(1, agents + 1)),
        queues=(queue,),
        calls=(
            Calls(
                queue=_QUEUE,
                count=calls,
                rate_per_s=arrival_rate / 3600,
                handle_s=handle_time,
                patience_s=patience,
            ),
        ),
        answer_s=(ring_time / 2, ring_time * 1.5),
        seed=seed,
        faults=PROFILES[faults],
        errands_every_s=errands,
    )


def _run(settings: SimulationSettings, progress: Progress) -> Report:
    total = sum(calls.count for calls in settings.calls)
    task = progress.add_task(f"{len(settings.agents)} agents", total=total)
    tell: Callable[[int], None] = lambda done: progress.update(task, completed=done)  # noqa: E731
    report = Simulation(settings).run(tell)
    progress.remove_task(task)
    return report


def _progress() -> Progress:
    """A bar on the terminal, beside whatever is printed to a file; none where there is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)

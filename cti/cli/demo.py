"""`cti demo`: a call centre at work, on a simulated switch or a real one."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time

import click
import gevent
import gevent.event
import structlog
from rich.console import Console
from rich.live import Live

from cti.center import CallCenter
from cti.centre_settings import address
from cti.cli import summary, wallboard
from cti.cli.demo_callers import Callers, SwitchCallers
from cti.cli.demo_centre import furnish
from cti.cli.sim_callers import SimCallers
from cti.model import events


@click.command()
@click.option(
    "--seconds", type=click.FloatRange(min=0), default=0, help="End by itself after so long; 0 goes on until Ctrl-C."
)
@click.option(
    "--switch",
    default=None,
    metavar="HOST:PORT",
    help="A FreeSWITCH that runs freeswitch-conf/; simulated if not given.",
)
@click.option(
    "--password", default="ClueCon", show_default=True, envvar="CTI_PASSWORD", help="The event socket's password."
)
@click.option("--rate", type=click.FloatRange(min=0.01), default=0.6, show_default=True, help="Mean calls a second.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed brings the same callers.")
@click.option("--json", "as_json", is_flag=True, help="Print nothing but the summary, as one JSON object.")
def demo(  # noqa: PLR0917 - click calls it by name
    seconds: float, switch: str | None, password: str, rate: float, seed: int, as_json: bool
) -> None:
    """Show a call centre at work: twelve agents, three queues, callers at random."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    callers: Callers
    if switch is None:
        simulated = SimCallers(rate, seed)
        simulated.connect()
        callers, where = simulated, simulated.address
        title = f"cti demo on a simulated switch ({where})"
    else:
        real = SwitchCallers(*address(switch), password, rate, seed)
        real.connect()
        callers, where = real, switch
        title = f"cti demo on FreeSWITCH at {switch}"
    centre = CallCenter(where, password)
    log = wallboard.EventLog(time.monotonic())
    centre.subscribe(log.add, events.CallEvent, events.AgentEvent, events.SystemStatus)
    furnish(centre, callers.contact)
    centre.start()
    callers.start(centre)
    ends_at = time.monotonic() + seconds if seconds else float("inf")
    with contextlib.suppress(KeyboardInterrupt):
        _show(centre, title, log, ends_at, quiet=as_json)
    view = centre.snapshot()
    callers.stop()
    centre.stop()
    if as_json:
        print(json.dumps(summary.as_json(view)))
    else:
        print(summary.as_text(view))
    if not summary.total(view).adds_up:
        sys.exit(1)


def _show(centre: CallCenter, title: str, log: wallboard.EventLog, ends_at: float, *, quiet: bool) -> None:
    console = Console()
    if quiet or not console.is_terminal:
        while (left := ends_at - time.monotonic()) > 0:
            gevent.sleep(min(1.0, left))
            if not quiet:
                print(wallboard.line(centre.snapshot()), flush=True)
        return
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while (left := ends_at - time.monotonic()) > 0:
            live.update(wallboard.board(centre.snapshot(), title, log.lines(), console.height), refresh=True)
            gevent.sleep(min(0.25, left))

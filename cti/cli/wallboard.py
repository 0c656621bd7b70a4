"""The wallboard in the terminal: queues, waiting calls, agents, the last events."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cti.engine.view import AgentView, CentreView, QueueView
from cti.model import events
from cti.model.states import AgentState

EVENTS_KEPT: Final = 30

_HEAD: Final = 2
"""Lines of a table above its rows: its title and its column names."""

_COLOUR: Final = {
    AgentState.NULL: "dim",
    AgentState.NOT_READY: "yellow",
    AgentState.READY: "green",
    AgentState.RESERVED: "cyan",
    AgentState.ALERTING: "bold cyan",
    AgentState.BUSY: "bold red",
    AgentState.WORKING_AFTER_CALL: "magenta",
}


class EventLog:
    """The last events, as one line each."""

    def __init__(self, started_at: float) -> None:
        self._started_at = started_at
        self._lines: deque[str] = deque(maxlen=EVENTS_KEPT)

    def add(self, event: events.Event) -> None:
        """Keep an event, if it is one that people watch."""
        said = _said(event)
        if said:
            self._lines.append(f"{event.at - self._started_at:7.1f} s  {said}")

    def lines(self) -> list[str]:
        """The events kept, oldest first."""
        return list(self._lines)


def board(view: CentreView, title: str, log: list[str], height: int) -> RenderableType:
    """The whole screen, in at most ``height`` lines where the agents leave room for that."""
    left = height - 2 * (_HEAD + 1) - len(view.queues) - len(view.agents) - 1
    waiting = sum(len(queue.waiting) for queue in view.queues)
    calls_shown = min(waiting, max(left // 2 - _HEAD, 3))
    events_shown = max(left - _HEAD - calls_shown - 2, 2)
    return Group(
        Text(title, style="bold"),
        _queues(view.queues),
        _waiting(view, calls_shown),
        _agents(view.agents),
        Text("last events", style="italic"),
        Text("\n".join(f" {said}" for said in log[-events_shown:]) or " none yet", style="dim"),
    )


def line(view: CentreView) -> str:
    """One line, where there is no terminal."""
    figures = [q.figures for q in view.queues]
    busy = sum(a.state is AgentState.BUSY for a in view.agents)
    ready = sum(a.state is AgentState.READY for a in view.agents)
    return (
        f"offered={sum(f.offered for f in figures)} answered={sum(f.answered for f in figures)} "
        f"abandoned={sum(f.abandoned for f in figures)} waiting={sum(f.waiting for f in figures)} "
        f"talking={view.talking} agents_ready={ready} agents_busy={busy}"
    )


def percent(share: float | None) -> str:
    """A share for people; a dash where there is none yet."""
    return "-" if share is None else f"{share:.0%}"


def seconds(value: float | None) -> str:
    """Seconds for people; a dash where there is none yet."""
    if value is None:
        return "-"
    return f"{value:.1f} s" if value < 60 else f"{int(value) // 60}:{int(value) % 60:02d}"


def _queues(queues: Iterable[QueueView]) -> Table:
    table = Table(title="queues", title_justify="left", box=None, expand=True)
    for name in ("queue", "waiting", "longest", "offered", "answered", "abandoned", "SL", "ASA", "ready"):
        table.add_column(name, justify="left" if name == "queue" else "right", no_wrap=True)
    for queue in queues:
        figures = queue.figures
        oldest = max((call.waited_s for call in queue.waiting), default=None)
        table.add_row(
            queue.id,
            str(figures.waiting),
            seconds(oldest),
            str(figures.offered),
            str(figures.answered),
            str(figures.abandoned),
            percent(figures.service_level),
            seconds(figures.asa_s),
            f"{queue.agents_ready}/{queue.agents_staffed}",
        )
    return table


def _waiting(view: CentreView, shown: int) -> Table:
    table = Table(title="waiting calls", title_justify="left", box=None, expand=True)
    for name in ("age", "caller", "queue", "priority", "being offered to"):
        table.add_column(name, no_wrap=True)
    calls = sorted(
        ((call, queue.id) for queue in view.queues for call in queue.waiting), key=lambda pair: -pair[0].waited_s
    )
    for call, queue_id in calls[:shown]:
        table.add_row(seconds(call.waited_s), call.calling_number, queue_id, str(call.priority), ", ".join(call.agents))
    if len(calls) > shown:
        table.title = f"waiting calls ({len(calls) - shown} more)"
    return table


def _agents(agents: Iterable[AgentView]) -> Table:
    table = Table(title="agents", title_justify="left", box=None, expand=True)
    for name in ("agent", "state", "for", "with", "skills", "calls", "occupancy"):
        table.add_column(name, no_wrap=True)
    for agent in agents:
        state = agent.state.value + (f" ({agent.reason})" if agent.reason else "")
        table.add_row(
            agent.id,
            Text(state, style=_COLOUR[agent.state]),
            seconds(agent.for_s),
            agent.calling_number,
            " ".join(f"{skill} {level}" for skill, level in agent.skills.items()),
            str(agent.calls_answered),
            percent(agent.occupancy),
        )
    return table


def _said(event: events.Event) -> str:
    match event:
        case events.Queued(cause=cause) if cause.csta_name != "remainsInQueue":
            return f"{event.calling_number} waits in {event.queue}"
        case events.Delivered():
            return f"{event.agent} rings for {event.calling_number} (waited {event.waited_s:.1f} s)"
        case events.Established():
            return f"{event.agent} talks with {event.calling_number} (waited {event.waited_s:.1f} s)"
        case events.OfferEnded():
            return f"{event.agent} did not take {event.calling_number}: {event.outcome} {event.switch_cause}".rstrip()
        case events.Abandoned():
            return f"{event.calling_number} gave up after {event.waited_s:.1f} s in {event.queue}"
        case events.Diverted():
            return f"{event.calling_number} went on to {event.to_queue or event.destination}"
        case events.AgentNotReady(reason=why) if why and why != "LOGGED_ON":
            return f"{event.agent} is not ready ({why})"
        case events.OutOfService():
            return f"{event.agent}'s phone {event.device} is out of service"
        case events.SystemStatus():
            return f"switch {event.switch}: {event.status}"
        case _:
            return ""

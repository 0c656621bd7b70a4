"""The part of the picture that `cti check` draws of what there is around the calls."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from rich.markup import escape
from rich.tree import Tree

from cti.config import Configuration


def draw_services(root: Tree, made: Configuration) -> None:
    """Add a branch with the doors, who is told of what, and what is kept where; none if there is nothing of it."""
    lines = list(_lines(made))
    if lines:
        branch = root.add("[dim]around the calls[/]")
        for line in lines:
            branch.add(escape(line))


def _lines(made: Configuration) -> Iterator[str]:
    services = made.services
    if made.api is not None:
        yield f"API at {made.api.bind}, {'with keys' if made.api.keys else 'not encrypted'}"
    if services.web is not None:
        web = services.web
        secure = "https" if web.certificate or web.proxied else "http"
        yield f"HTTP at {web.bind} ({secure}), {'with accounts' if web.accounts else 'nobody has to log in'}"
    for hook in services.webhooks:
        of = ", ".join(
            (*hook.kinds, *(f"queue {one}" for one in hook.queues), *(f"agent {one}" for one in hook.agents))
        )
        yield f"webhook {hook.name}: {of or 'every event'} → {urlsplit(hook.url).hostname}"
    if services.alarms.mail is not None:
        yield f"alarms from {services.alarms.mail.at_least} up → {', '.join(services.alarms.mail.to)}"
    if services.recording is not None:
        recorded = [f"queue {name}" for name, queue in made.queues.items() if queue.record]
        recorded += [f"agent {name}" for name, agent in made.agents.items() if agent.record]
        days = services.recording.keep_s
        kept = f", kept for {days / 86400:g} days" if days is not None else ""
        yield f"recordings of {', '.join(recorded[:6]) or 'what is asked for'} → {services.recording.directory}{kept}"
    if services.state is not None:
        yield f"state in {services.state.directory}, figures every {services.statistics.interval_s / 60:g} minutes"
    for name, one in (("journal", services.journal), ("audit", services.audit)):
        if one is not None:
            yield f"{name} in {one.directory}"

"""The picture that `cti check` draws: from the number that is called to the agents who may answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.markup import escape
from rich.tree import Tree

from cti.cli.check_services import draw_services
from cti.config import Configuration, Number
from cti.config.checks import reasons_in_use
from cti.model.ids import QueueId
from cti.model.overflow import (
    EXPECTED_WAIT,
    LENGTH,
    UNSTAFFED,
    WAIT,
    Overflow,
    ToDestination,
    ToFax,
    ToMailbox,
    ToQueue,
    ToScript,
    ToVoicemail,
)
from cti.model.queue import QueueSettings
from cti.plan import RouteSelect
from cti.routing.widening import first_step

_NAMES_SHOWN = 6


def picture(configuration: Configuration) -> Tree:
    """The whole of it as a tree."""
    return _Picture(configuration).drawn()


class _Picture:
    def __init__(self, configuration: Configuration) -> None:
        self._made = configuration
        self._reached: set[QueueId] = set()

    def drawn(self) -> Tree:
        made = self._made
        root = Tree(
            f"[bold]{escape(made.file.name)}[/]: {escape(made.addresses)}, calls with cti_node={made.centre.node}"
        )
        for number in made.routes.numbers:
            self._number(root, number)
        unreached = [queue for name, queue in made.queues.items() if name not in self._reached]
        if unreached:
            rest = root.add("[dim]queues that only scripts and other programs send calls to[/]")
            for queue in unreached:
                self._queue(rest, queue)
        draw_services(root, made)
        return root

    def _number(self, root: Tree, number: Number) -> None:
        branch = root.add(f"[bold]{escape(number.pattern)}[/]")
        if number.to is not None:
            self._route(branch, "", number.to)
            return
        plan = self._made.routes.plan
        assert plan is not None
        for rule in plan.rules:
            when = " and ".join(str(condition) for condition in rule.when) or "always"
            self._route(branch, f"[cyan]{escape(rule.name)}[/] [dim]({escape(when)})[/] ", rule.to)
        self._route(branch, "[cyan]otherwise[/] ", plan.default)

    def _route(self, branch: Tree, before: str, route: RouteSelect) -> None:
        more = f" [dim]priority {route.priority:+d}[/]" if route.priority else ""
        if route.personal is not None:
            more += f" [dim]first {escape(str(route.personal))}[/]"
        self._target(branch, before, route.to, more)

    def _target(self, branch: Tree, before: str, to: Overflow, more: str) -> None:
        if isinstance(to, ToQueue):
            self._queue(branch, self._made.queues[to.queue], before, more)
        else:
            branch.add(f"{before}→ {escape(_said(to))}{more}")

    def _queue(self, branch: Tree, queue: QueueSettings, before: str = "→ ", more: str = "") -> None:
        known = queue.id in self._reached
        before = before if before.endswith("→ ") else f"{before}→ "
        drawn = branch.add(f"{before}queue [bold]{escape(queue.id)}[/] {self._staff(queue)}{more}")
        if known:  # it is drawn in full where it is first met
            return
        self._reached.add(queue.id)
        for at, step in enumerate(queue.widening, 1):
            parts = [str(step.requires)] if step.requires is not None else []
            parts += [f"agents of {other}" for other in step.also]
            drawn.add(f"[dim]after {step.after_s:g} s also {escape(' or '.join(parts))}[/] {self._joining(queue, at)}")
        for to, whens in _ways_out(queue).items():
            self._target(drawn, f"[dim]{escape(', '.join(whens))}[/] ", to, "")

    def _staff(self, queue: QueueSettings) -> str:
        found = self._let_in(queue, 0)
        asked = f" with {queue.requires}" if queue.requires.text else ""
        colour = "green" if found else "red"
        return f"[{colour}]{len(found)} agents{escape(asked)}[/]{escape(_few(found))}"

    def _joining(self, queue: QueueSettings, step: int) -> str:
        found = self._let_in(queue, step)
        return f"[green]+{len(found)}[/]{escape(_few(found))}" if found else "[yellow]nobody more[/]"

    def _let_in(self, queue: QueueSettings, step: int) -> list[str]:
        """The agents whom this step of widening lets in; step 0 is the queue's own requirement."""
        agents = self._made.agents.values()
        return [each.id for each in agents if first_step(queue, each.skills, self._made.queues.get) == step]


def _said(to: Overflow) -> str:
    match to:
        case ToQueue(queue=queue):
            return f"queue {queue}"
        case ToDestination(destination=destination):
            return f"destination {destination}"
        case ToVoicemail(mailbox=mailbox, domain=domain):
            return f"voicemail {mailbox}{'@' + domain if domain else ''}"
        case ToMailbox(mailbox=mailbox):
            return f"mailbox {mailbox}"
        case ToFax(mailbox=mailbox):
            return f"fax {mailbox}"
        case ToScript(script=script):
            return f"script {script}"
        case _:
            return "hang up"


def _ways_out(queue: QueueSettings) -> dict[Overflow, list[str]]:
    """Where calls go that the queue does not keep, and when."""
    found: dict[Overflow, list[str]] = {}
    for reason in reasons_in_use(queue):
        found.setdefault(queue.overflow_for(reason), []).append(_WHEN[reason](queue))
    return found


_WHEN: Final[dict[str, Callable[[QueueSettings], str]]] = {
    WAIT: lambda queue: f"after {queue.max_wait_s:g} s",
    EXPECTED_WAIT: lambda queue: f"expected wait above {queue.max_expected_wait_s:g} s",
    LENGTH: lambda queue: f"{queue.max_waiting} waiting",
    UNSTAFFED: lambda _: "nobody logged on",
}


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f" ({shown}{', ...' if len(names) > _NAMES_SHOWN else ''})" if names else ""

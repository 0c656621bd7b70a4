"""The figures at the end of a run, for people and as JSON."""

from __future__ import annotations

from typing import Any, Final

from attrs import asdict

from cti.engine.view import CentreView
from cti.model.figures import QueueFigures

_COUNTS: Final = (
    "offered", "answered", "answered_in_time", "abandoned", "short_abandoned", "overflowed", "lost", "left", "waiting",
    "taken_as_callback",
)  # fmt: skip


def total(view: CentreView) -> QueueFigures:
    """All queues' counts together."""
    whole = QueueFigures()
    for queue in view.queues:
        for name in (*_COUNTS, "wait_answered_s"):
            setattr(whole, name, getattr(whole, name) + getattr(queue.figures, name))
        whole.longest_wait_s = max(whole.longest_wait_s, queue.figures.longest_wait_s)
    return whole


def as_json(view: CentreView) -> dict[str, Any]:
    """The summary as plain values: the total, and each queue under its id."""
    return {
        **_figures(total(view)),
        "queues": {queue.id: _figures(queue.figures) for queue in view.queues},
        "agents": {agent.id: {"calls": agent.calls_answered, "occupancy": agent.occupancy} for agent in view.agents},
    }


def as_text(view: CentreView) -> str:
    """The summary for people; the sum is written out so that everybody can check it."""
    whole = total(view)
    level, asa = whole.service_level, whole.asa_s
    lines = [
        (
            f"offered {whole.offered} = answered {whole.answered} + abandoned {whole.abandoned} + "
            f"overflowed {whole.overflowed} + lost {whole.lost} + left {whole.left} + "
            f"taken as callback {whole.taken_as_callback} + still waiting {whole.waiting}"
            + ("" if whole.adds_up else "   ** does not add up: please report **")
        ),
        (
            f"service level {'-' if level is None else f'{level:.0%}'}, mean wait of the answered "
            f"{'-' if asa is None else f'{asa:.1f} s'}, longest {whole.longest_wait_s:.1f} s"
        ),
    ]
    lines += [
        f"  {queue.id}: offered {queue.figures.offered}, answered {queue.figures.answered}, "
        f"abandoned {queue.figures.abandoned}, still waiting {queue.figures.waiting}"
        for queue in view.queues
    ]
    return "\n".join(lines)


def _figures(figures: QueueFigures) -> dict[str, Any]:
    return {
        **asdict(figures),
        "service_level": figures.service_level,
        "asa_s": figures.asa_s,
        "adds_up": figures.adds_up,
    }

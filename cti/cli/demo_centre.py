"""The centre that `cti demo` shows: three queues, twelve agents of mixed skills, and who calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cti.call import Call
from cti.center import CallCenter

NUMBERS: Final = {"5001": "sales", "5002": "claims", "5003": "chinese"}
"""Called number -> queue."""
VIP: Final = "8"
"""Callers whose number ends so go first."""

_SKILLS: Final = (
    {"sales": 5},
    {"sales": 4},
    {"sales": 3, "claims": 2},
    {"sales": 3, "chinese": 4},
    {"claims": 5},
    {"claims": 5},
    {"claims": 4, "chinese": 3},
    {"claims": 3},
    {"claims": 4, "chinese": 3},
    {"chinese": 5, "sales": 3},
    {"chinese": 5, "claims": 4},
    {"sales": 2, "claims": 2},
)
AGENTS: Final = tuple(f"agent-{1001 + i}" for i in range(len(_SKILLS)))


def furnish(centre: CallCenter, contact: Callable[[str], str]) -> None:
    """Add the demo's queues, agents and scripts, and log everybody on.

    Args:
        centre: an empty one.
        contact: the dial string of an extension's phone (``"1001"``).
    """
    centre.add_queue("sales", requires={"sales": 3}, wrap_up_s=2, service_level_s=10, max_wait_s=60, ring_timeout_s=10)
    centre.add_queue(
        "claims", requires={"claims": 3}, wrap_up_s=4, service_level_s=10, max_wait_s=90, ring_timeout_s=10
    )
    centre.add_queue(
        "chinese", requires={"chinese": 3}, wrap_up_s=2, service_level_s=10, max_wait_s=60, ring_timeout_s=10
    )
    for agent, skills in zip(AGENTS, _SKILLS, strict=True):
        phone = contact(agent.removeprefix("agent-"))
        centre.add_agent(agent, phone, skills=skills, no_answers_allowed=3).log_on(ready=True)

    def hotline(call: Call) -> None:
        call.answer()
        call.queue(NUMBERS[call.called_number], priority=5 if call.calling_number.endswith(VIP) else 0)

    for number in NUMBERS:
        centre.on_call(number)(hotline)

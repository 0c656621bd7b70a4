"""Where calls to the simulated switch go: what ``freeswitch-conf/dialplan`` does with a number."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Action = tuple[str, str]
"""An application and its argument."""

Dialplan = Callable[[str], Sequence[Action]]
"""A called number to the actions for it."""

_CENTRE = re.compile(r"5\d{3}\Z")


def centre_dialplan(node: str) -> Dialplan:
    """Numbers 5000 to 5999 are handed to the centre called ``node``, unanswered; any other number is refused with 404."""
    hand_over = (("set", f"cti_node={node}"), ("set", "hangup_after_bridge=true"), ("park", ""))
    refuse = (("respond", "404"),)

    def actions(number: str) -> Sequence[Action]:
        return hand_over if _CENTRE.match(number) else refuse

    return actions


def inline_actions(text: str) -> list[Action]:
    """The ``inline`` dialplan: ``app:data,app:data``."""
    actions: list[Action] = []
    divider = ","
    if text[:2] == "m:" and text[3:4] == ":":  # mod_dptools.c, inline_dialplan_hunt
        divider, text = text[2], text[4:]
    for piece in text.split(divider):
        application, _, data = piece.partition(":")
        actions.append((application.strip(), data))
    return actions

"""Asks a caller where to call them back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from attrs import frozen

from cti.model.callback import CallbackPrompts
from cti.model.ids import InteractionId
from cti.model.party import HIDDEN, is_number
from cti.model.treatment import filled
from cti.script.conversation import Conversation
from cti.script.prompt import Say

TRIES: Final = 3
"""How many numbers a caller may give before they are sent back to wait."""
LONGEST: Final = 20
"""Digits; E.164 has 15 at the most, with whatever leads out of the house before them."""

HERE: Final = "1"
ELSEWHERE: Final = "2"
WAIT: Final = "3"


WHY_NOT: Final = ("declined", "refused", "nothing", "pending", "busy", "closed")
"""Why a callback was not taken; see CallbackOutcome."""


@frozen
class CallbackOutcome:
    """What came of offering a callback; ``if call.callback():`` asks whether it was taken."""

    taken: bool
    why: str = ""
    """Why not: ``declined``, ``refused`` (no rule lets the number be called), ``nothing`` (no answer), ``pending`` (one to
    this number is already), ``busy`` (the queue takes no more), ``closed`` (the hours leave no time)."""
    number: str = ""
    id: InteractionId | None = None
    """The callback's, which is the call's."""

    def __bool__(self) -> bool:
        return self.taken


def agreed_number(
    call: Conversation,
    own: str,
    allowed: Callable[[str], bool],
    prompts: CallbackPrompts,
    *,
    others: bool = True,
) -> tuple[str, str]:
    """Agree on a number with a caller, who hears it and presses 1 to be called there, 2 to give another, 3 to wait on.

    Blocks. Answers the call if it is not answered. Their own number is offered if it is known and may be called; else they are asked for one.

    Args:
        call: the caller's.
        own: their number.
        allowed: whether a number may be called back.
        prompts: what they hear.
        others: whether they may give another number.

    Returns:
        The number, and an empty text; or an empty one, and why there is none (see CallbackOutcome).

    Raises:
        CallGone: the caller hung up.
    """
    call.answer()  # keys pressed during early media do not always come through
    number = own if own.lower() not in HIDDEN and is_number(own) and allowed(own) else ""
    refused = False
    for _ in range(TRIES):
        if not number and not others:
            call.play(*_worded(call, prompts.refused))
            return "", "refused"
        if not number:
            entered = call.collect(*_worded(call, prompts.enter), min_digits=3, max_digits=LONGEST, tries=2)
            if not entered:
                return "", "nothing"
            number = entered.digits
        refused = not allowed(number)
        if refused:
            call.play(*_worded(call, prompts.refused))
            number = ""
            continue
        said = Say(re.sub(r"\D", "", number), "telephone_number")
        choice = call.menu(
            *_worded(call, prompts.number),
            said,
            *_worded(call, prompts.choose),
            options={HERE: HERE, WAIT: WAIT, **({ELSEWHERE: ELSEWHERE} if others else {})},
        )
        if choice.value == HERE:
            return number, ""
        if choice.value != ELSEWHERE:
            return "", "declined" if choice else "nothing"
        number = ""
    return "", "refused" if refused else "nothing"


def goodbye(call: Conversation, prompts: CallbackPrompts) -> None:
    """Tell a caller that they will be called back. Blocks.

    Raises:
        CallGone: the caller hung up.
    """
    if prompts.goodbye:
        call.play(*_worded(call, prompts.goodbye), missing="silence_stream://200", timeout=60.0)


def _worded(call: Conversation, prompts: tuple[str, ...]) -> list[str]:
    return [filled(prompt, {"language": call.language}) for prompt in prompts]

"""A caller leaves a message: greeting, tone, recording, once more if they like."""

from __future__ import annotations

from typing import Final

import structlog
from attrs import frozen

from cti.errors import CommandRejected
from cti.model.mailbox import Mailbox
from cti.script.conversation import Conversation

MOST_TRIES: Final = 5
"""How often a caller may begin again; after that the last one counts."""

_log = structlog.get_logger("cti.script")


@frozen
class Spoken:
    """What was recorded last: for how long, and what ended it (``"terminator"``, ``"silence"``, ``"time"``)."""

    length_s: float
    ended_by: str


def leave_message(call: Conversation, box: Mailbox, path: str) -> Spoken:
    """Let a caller leave a message in a file on the switch. Blocks until they have.

    Args:
        call: the caller.
        box: what they hear, and what they may do.
        path: the file, absolute.

    Raises:
        CallGone: the caller hung up, which is how most messages end: the file holds what was said until then, if the
            tone had been heard.
    """
    call.answer()
    play(call, box.greeting)
    for number in range(1, MOST_TRIES + 1):
        recorded = call.record(
            path,
            max_s=box.max_s,
            silence_s=box.silence_s,
            terminators="#" + box.again_key,
            beep=box.beep or None,
        )
        again = bool(box.again_key) and recorded.terminator == box.again_key
        if not again and box.review and box.again_key and number < MOST_TRIES:
            again = _reviewed(call, box)
        if not again or number == MOST_TRIES:
            break
    play(call, box.thanks)
    silent_s = box.silence_s if recorded.ended_by == "silence" else 0.0
    return Spoken(max(0.0, recorded.length_s - silent_s), recorded.ended_by)


def _reviewed(call: Conversation, box: Mailbox) -> bool:
    """Whether the caller wants to begin again."""
    try:
        chosen = call.menu(*(_worded(call, prompt) for prompt in box.review), options={box.again_key: True}, tries=1)
    except CommandRejected as error:
        _log.warning("a prompt of a mailbox is missing", mailbox=box.id, why=str(error))
        return False
    return bool(chosen)


def play(call: Conversation, prompts: tuple[str, ...]) -> None:
    """Play prompts; one that is not there is left out, and the log says so."""
    for prompt in prompts:
        try:
            call.play(_worded(call, prompt))
        except CommandRejected as error:
            _log.warning("a prompt of a mailbox is missing", prompt=prompt, why=str(error))


def _worded(call: Conversation, prompt: str) -> str:
    return prompt.replace("{language}", call.language)

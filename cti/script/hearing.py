"""Somebody hears a message on their phone: over and over if they like, and deletes it with a key."""

from __future__ import annotations

from typing import Final

import structlog

from cti.errors import CommandRejected
from cti.model.mailbox import Mailbox
from cti.script.conversation import Conversation
from cti.script.leaving import play

REPEAT: Final = "1"
DELETE: Final = "3"
DECIDE_S: Final = 8.0
"""How long whoever has heard a message has for a key, before it is over."""
MOST: Final = 20
"""How often one message can be heard in one go."""
GONE_TONE: Final = "tone_stream://%(200,100,950);%(200,100,1400);%(200,0,1800)"
"""What is heard in place of a message whose file is not there."""

_log = structlog.get_logger("cti.script")


class Hearing:
    """One message being heard.

    Args:
        call: whoever hears it.
        box: the mailbox; what they hear first.
        path: the file on the switch.
    """

    def __init__(self, call: Conversation, box: Mailbox, path: str) -> None:
        self._call = call
        self._box = box
        self._path = path
        self.heard = False
        """Whether it has been played to its end, or to a key."""
        self.deleted = False
        """Whether it is not to be kept."""

    def run(self) -> None:
        """Play it until whoever hears it has had enough. Blocks.

        Raises:
            CallGone: they hung up; ``heard`` and ``deleted`` are as they were until then.
        """
        play(self._call, self._box.intro)
        for _ in range(MOST):
            self._play()
            self.heard = True
            chosen = self._call.menu(
                "silence_stream://200",
                options={REPEAT: REPEAT, DELETE: DELETE},
                tries=1,
                first_digit_s=DECIDE_S,
            )
            if chosen.value != REPEAT:
                self.deleted = chosen.value == DELETE
                return

    def _play(self) -> None:
        try:
            self._call.play(self._path, barge_in=True)
        except CommandRejected as error:
            _log.error("a message cannot be played", path=self._path, why=str(error))
            self._call.play(GONE_TONE)

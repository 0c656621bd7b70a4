"""Somebody hears a message on their phone: over and over if they like, calls back whoever left it, or deletes it, by a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from cti.errors import CallGone, CommandRejected, CtiError, LinkError
from cti.model.mailbox import Mailbox
from cti.script.conversation import Conversation
from cti.script.leaving import play

REPEAT: Final = "1"
CALL_BACK: Final = "2"
DELETE: Final = "3"
DECIDE_S: Final = 8.0
"""How long whoever has heard a message has for a key, before it is over."""
MOST: Final = 20
"""How often one message can be heard in one go."""
GONE_TONE: Final = "tone_stream://%(200,100,950);%(200,100,1400);%(200,0,1800)"
"""What is heard in place of a message whose file is not there."""

RING_BACK: Final = "tone_stream://%(1000,4000,450);loops=-1"
"""What is heard while the phone of whoever left the message rings."""
RINGS_S: Final = 3600.0
"""More than any phone rings; whoever waits for its end says when."""
STOP_AGAIN_S: Final = 0.3
MOST_STOPS: Final = 10
"""How often a tone is told to end, which may not have begun."""
IN_VAIN_TONE: Final = "tone_stream://%(350,350,480,620);loops=3"
"""What is heard when nobody has been reached, or may be called."""

_log = structlog.get_logger("cti.script")


class Listener(Conversation):
    """Whoever hears a message, on their phone."""

    def hear_until(self, tone: str, came: Callable[[], bool]) -> bool:
        """Play a tone while something is waited for; what came of it. If it was nothing, the tone ends. Blocks.

        Raises:
            CallGone: they hung up.
        """
        control = self._control
        running = control.start("playback", tone, RINGS_S)
        has_come = came()
        if not has_come:
            control.check()
            for _ in range(MOST_STOPS):
                if running.outcome is not None:
                    break
                control.stop()  # before it has begun, the switch takes no notice [live]
                control.wait(running, key=False, until=control.now() + STOP_AGAIN_S)
        return has_come


class Hearing:
    """One message being heard.

    Args:
        call: whoever hears it.
        box: the mailbox; what they hear first.
        path: the file on the switch.
        call_back: has whoever left it called, and waits for what comes of it: whether they talk. Raises CtiError if they
            may not be called.
    """

    def __init__(self, call: Listener, box: Mailbox, path: str, call_back: Callable[[], Callable[[], bool]]) -> None:
        self._call = call
        self._box = box
        self._path = path
        self._call_back = call_back
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
            chosen = self._decided()
            while chosen == CALL_BACK:
                if self._called_back():
                    return
                chosen = self._decided()
            if chosen != REPEAT:
                self.deleted = chosen == DELETE
                return

    def _decided(self) -> str | None:
        """What whoever has heard it wants; None for nothing."""
        return self._call.menu(
            "silence_stream://200",
            options={key: key for key in (REPEAT, CALL_BACK, DELETE)},
            tries=1,
            first_digit_s=DECIDE_S,
        ).value

    def _called_back(self) -> bool:
        """Call whoever left it; whether they talk now. If not, a tone says so."""
        try:
            came = self._call_back()
        except (CallGone, LinkError):
            raise
        except CtiError as refused:
            _log.warning("whoever left a message cannot be called back", why=str(refused))
        else:
            if self._call.hear_until(RING_BACK, came):
                return True
        self._call.flush_keys()
        self._call.play(IN_VAIN_TONE)
        return False

    def _play(self) -> None:
        try:
            self._call.play(self._path, barge_in=True)
        except CommandRejected as error:
            _log.error("a message cannot be played", path=self._path, why=str(error))
            self._call.play(GONE_TONE)

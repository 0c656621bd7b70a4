"""Asks while a caller listens: when it takes long they hear something."""

from __future__ import annotations

from typing import Any, Final

from cti.lookup.lookup import Lookup
from cti.script.control import Control, Running
from cti.script.prompt import Sound
from cti.script.sounding import Sounding

LOOK_S: Final = 0.25
"""How often to look whether the caller is still there."""
TONE: Final = Sound("playback", "tone_stream://%(200,1800,440);loops=-1", "a tone")
"""In place of a prompt that the switch has not."""


def look_up(
    control: Control,
    sounding: Sounding,
    lookup: Lookup,
    asked: dict[str, Any],
    *,
    hold: Sound | None,
    hold_after_s: float,
) -> Any:
    """The answer of a look-up. Blocks until its deadline at the most, and for a moment to end what plays.

    Args:
        control: the call.
        sounding: what it is made to hear.
        lookup: whom to ask.
        asked: the question.
        hold: what is played over and over when it takes long; None for nothing.
        hold_after_s: after so many seconds.

    Raises:
        CallGone: the caller hung up.
        LinkClosed: the link ended.
        ConfigurationError: the question cannot be put like this.
    """
    control.check()
    pending = lookup.begin(**asked)
    playing: Running | None = None
    done = pending.wait(hold_after_s)
    while not done:
        control.check()
        if playing is not None and playing.outcome is not None:
            response = sounding.ended(playing).text("Application-Response") or ""
            hold = TONE if response.startswith(("FILE NOT FOUND", "INVALID")) else hold
            playing = None
        if hold is not None and playing is None:
            sounding.prepare()
            playing = control.start(hold.application, hold.argument, pending.left_s + 60)
        done = pending.wait(LOOK_S)
    if playing is not None and playing.outcome is None:
        sounding.stop(playing)
    control.check()
    return pending.value

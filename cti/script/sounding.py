"""Plays prompts one after the other, and says whether a key cut them short."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import structlog

from cti.errors import CommandRejected, CtiError, JobTimeout
from cti.esl import Event
from cti.script.control import Control, Running
from cti.script.prompt import Sound

MISSING_TONE: Final = "tone_stream://%(200,100,950);%(200,100,1400);%(200,0,1800)"
"""What a caller hears in place of a prompt that is not there: the rising tones that say "not available"."""
STOP_S: Final = 2.0
"""How long an application that was told to end may take; it looks up once in a frame of 20 ms."""

_MISSING: Final = ("FILE NOT FOUND", "INVALID")

_log = structlog.get_logger("cti.script")


class Sounding:
    """What one call is made to hear. Keys end nothing by themselves: FreeSWITCH's own ``*`` is switched off."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._prepared = False
        self._engines: set[str] = set()

    def play(self, sounds: Iterable[Sound], *, barge_in: bool, until: float, missing: str = "") -> bool:
        """Play to the end, or with ``barge_in`` until there is a key; whether that was so. Blocks.

        Args:
            sounds: what to play.
            barge_in: whether a key ends it; one that is there already begins nothing.
            until: when JobTimeout is raised; what plays then plays on.
            missing: what to play in place of a file that is not there; left out, CommandRejected is raised.

        Raises:
            CallGone: the caller hung up.
            CommandRejected: the switch has no such file, or no such engine.
            JobTimeout: it did not end in time.
            LinkClosed: the link ended.
        """
        for sound in sounds:
            if barge_in and self._control.keys:
                return True
            if self._one(sound, barge_in=barge_in, until=until, missing=missing):
                return True
        return False

    def _one(self, sound: Sound, *, barge_in: bool, until: float, missing: str) -> bool:
        try:
            return self._made(sound, barge_in=barge_in, until=until)
        except CommandRejected as refused:
            if not missing:
                raise
            _log.warning("a prompt is missing", prompt=sound.name, why=str(refused))
            return self.run("playback", missing, key=barge_in, until=until) is None

    def _made(self, sound: Sound, *, barge_in: bool, until: float) -> bool:
        if sound.engine:
            self._need_engine(sound.engine)
        ended = self.run(sound.application, sound.argument, key=barge_in, until=until)
        response = ended.text("Application-Response") or "" if ended is not None else ""
        if response.startswith(_MISSING):
            raise CommandRejected(f"{sound.application} {sound.name}", response)
        return ended is None

    def run(self, application: str, argument: str, *, key: bool, until: float) -> Event | None:
        """Execute an application and return its end; None when a key ended it (if ``key``). Blocks; raises as ``play``."""
        self.prepare()
        control = self._control
        running = control.start(application, argument, max(0.0, until - control.now()))
        control.wait(running, key=key, until=until)
        if running.outcome is None:
            if key and control.keys:
                self.stop(running)
                return None
            raise JobTimeout(f"{application} did not report in time")
        return self.ended(running)

    def stop(self, running: Running) -> Event | None:
        """End an application and wait for that; None when it does not say so in time. Blocks."""
        control = self._control
        control.stop()
        control.wait(running, key=False, until=control.now() + STOP_S)
        if running.outcome is None:
            _log.warning("an application did not end when told to", application=running.application)
            return None
        return self.ended(running)

    def hush(self) -> None:
        """End whatever plays that another script has begun. Blocks for a moment."""
        self._control.stop()

    def ended(self, running: Running) -> Event:
        """The end of an application that has one. Raises what ended it otherwise."""
        outcome = running.outcome
        assert outcome is not None
        if isinstance(outcome, CtiError):
            raise outcome
        if outcome.text("Answer-State") == "hangup":  # it may be told before the hang-up is [live]
            raise self._control.gone(outcome.text("Hangup-Cause") or "")
        self._control.check()
        return outcome

    def prepare(self) -> None:
        """Once a call: keys end nothing but what we say. Blocks for a moment the first time."""
        if not self._prepared:
            self._control.set_variable("playback_terminators", "none")
            self._prepared = True

    def _need_engine(self, engine: str) -> None:
        """FreeSWITCH's ``speak`` says nothing about an engine it has not, and the caller hears nothing."""
        name = engine.partition(":")[0]
        if name in self._engines:
            return
        api = self._control.api
        if api("module_exists", f"mod_{name}").strip() == "false":
            listed = api("show", "interfaces").splitlines()
            engines = sorted({row.split(",")[1] for row in listed if row.startswith("speech,")})
            if name not in engines:
                has = ", ".join(engines) or "no text-to-speech engine at all"
                raise CommandRejected("speak", f"no text-to-speech engine {name!r} is loaded; the switch has {has}")
        self._engines.add(name)

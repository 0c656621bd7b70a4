"""Attends to one waiting caller: one sound at a time, and every key listened for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from cti.errors import CallGone, ConfigurationError, CtiError, LinkError
from cti.model.overflow import Overflow
from cti.model.treatment import Prompts, WaitingTreatment
from cti.script.control import Control, Running
from cti.script.prompt import Sound
from cti.script.sounding import Sounding
from cti.waiting.wording import minutes, worded

TONE: Final = "tone_stream://%(1000,4000,350,440);loops=-1"
"""What is heard in place of music that cannot be played."""
LOOK_EVERY_S: Final = 5.0
"""How often to look whether there is better news, once it may be told."""
TOO_SHORT_S: Final = 0.5
"""Music that ends sooner is no music: playing it again and again would only keep the switch busy."""
LONGEST_S: Final = 600.0
"""The longest an announcement may take."""
MUSIC_S: Final = 7 * 86_400.0
SETTLE_S: Final = 0.1
"""How long something that plays, and that we know nothing of, may take to end when told to; it looks once in 20 ms."""

_MISSING: Final = ("FILE NOT FOUND", "INVALID")

_log = structlog.get_logger("cti.waiting")


class Standing(Protocol):
    """How a call stands in its queue now. Nothing in it blocks."""

    @property
    def position(self) -> int:
        """Its place, 1 for the head; 0 while that is not known."""
        ...

    @property
    def expected_wait_s(self) -> float | None:
        """How long it has yet to wait; None while that is not known."""
        ...

    @property
    def language(self) -> str:
        """The caller's language."""
        ...


class _Over(Exception):
    """The caller is no longer ours to attend to."""


class Attendant:
    """Attends to one call for as long as it waits in one queue; pure of greenlets and clocks of its own.

    Args:
        control: the call.
        queue: the queue's name.
        treatment: what is to be done.
        music: what is played when the treatment has none; empty for silence.
        standing: how the call stands.
        go: takes the call elsewhere, or raises CtiError and leaves it where it is.
        missing: told of every prompt that could not be played, and why.
        greet: whether to begin with the greeting.
        settled: whether nothing plays yet.
    """

    def __init__(
        self,
        control: Control,
        queue: str,
        treatment: WaitingTreatment,
        *,
        music: str,
        standing: Standing,
        go: Callable[[Overflow], object],
        missing: Callable[[str, str], object] = lambda _prompt, _why: None,
        greet: bool = True,
        settled: bool = True,
    ) -> None:
        self._control = control
        self._sounding = Sounding(control)
        self._queue = queue
        self._treatment = treatment
        self._tracks = list(treatment.music or ((music,) if music else ()))
        self._silent = not self._tracks
        self._track = 0
        self._standing = standing
        self._go = go
        self._missing = missing
        self._greet = greet
        self._settled = settled
        self._playing: Running | None = None
        now = control.now()
        self._started_at = -math.inf
        self._best_position = 0
        self._best_minutes = 0
        self._message = 0
        told = treatment.position or treatment.expected_wait
        self._news_at = now + treatment.announce_after_s if told else math.inf
        self._offer_at = now + treatment.offer_after_s if treatment.offer_prompt else math.inf
        self._message_at = now + treatment.message_every_s if treatment.messages else math.inf
        self.over = False
        """Set when nothing may be played any more: an agent has answered, or the call is elsewhere."""

    def run(self) -> None:
        """Attend to the caller until ``over``, or until they have gone where a key took them. Blocks.

        It can be run again after that, and goes on where it was: nothing is said twice.

        Raises:
            CallGone: the caller hung up.
            LinkError: the link to the switch is down; what plays plays on.
        """
        try:
            self._begin()
            while True:
                prompts = self._due()
                if prompts:
                    self._announce(prompts)
                else:
                    self._rest()
        except _Over:
            pass

    @property
    def just_began(self) -> bool:
        """Whether the switch may not have begun yet what it was told to play."""
        return self._control.now() - self._started_at < 1.0

    # -- what is next -------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._control.keys.flush()  # what was pressed before it offered anything answers nothing
        self._sounding.prepare()
        if not self._settled:  # another queue's music, say, or what we began before the link was lost
            self._control.stop()
            self._control.wait(None, key=False, until=self._control.now() + SETTLE_S)
        self._playing, self._settled = None, False
        if self._greet:
            self._greet = False
            self._announce(self._worded(self._treatment.greeting))

    def _due(self) -> list[Sound]:
        """What is to be announced now; empty for nothing."""
        treatment, now = self._treatment, self._control.now()
        if now >= self._news_at:
            news = self._news()
            self._news_at = now + (treatment.announce_every_s if news else LOOK_EVERY_S)
            if news:
                return news
        if now >= self._offer_at:
            worth = self._worth_offering()
            self._offer_at = now + (treatment.offer_every_s if worth else LOOK_EVERY_S)
            if worth:
                return self._worded(treatment.offer_prompt)
        if now >= self._message_at:
            self._message_at = now + treatment.message_every_s
            self._message += 1
            return self._worded(treatment.messages[(self._message - 1) % len(treatment.messages)])
        return []

    def _worth_offering(self) -> bool:
        """Whether the wait is long enough for the offers to be announced."""
        least_s = self._treatment.offer_expected_wait_s
        wait_s = self._standing.expected_wait_s if least_s is not None else None
        return least_s is None or (wait_s is not None and wait_s >= least_s)

    def _news(self) -> list[Sound]:
        """Place and expected wait, whichever is known and better than what the caller was told last."""
        treatment, said = self._treatment, []
        position = self._standing.position
        if treatment.position and position and not 0 < self._best_position <= position:
            self._best_position = position
            said += self._worded(treatment.position, position=position)
        wait_s = self._standing.expected_wait_s if treatment.expected_wait else None
        if wait_s is not None:
            wait_min = minutes(wait_s)
            if not 0 < self._best_minutes <= wait_min:
                self._best_minutes = wait_min
                said += self._worded(treatment.expected_wait, wait_min=wait_min)
        return said

    def _worded(self, prompts: Prompts, **values: object) -> list[Sound]:
        try:
            return worded(prompts, self._standing.language, {"queue": self._queue, **values})
        except ConfigurationError as error:
            self._missing(str(prompts), str(error))
            return []

    # -- sounds -------------------------------------------------------------------------------------------------------

    def _announce(self, sounds: list[Sound]) -> None:
        """In place of the music; each interval counts from its end."""
        if not sounds:
            return
        began = self._control.now()
        self._quiet()
        for sound in sounds:
            running = self._start(sound.application, sound.argument, LONGEST_S)
            until = self._control.now() + LONGEST_S - 1
            while running.outcome is None and self._control.now() < until:
                self._wait(running, until)
            if running.outcome is None:
                self._quiet()
            else:
                self._playing = None
                why = self._response(running)
                if why.startswith(_MISSING):
                    self._missing(sound.name, why)
        took_s = self._control.now() - began
        self._news_at, self._offer_at, self._message_at = (
            at + took_s for at in (self._news_at, self._offer_at, self._message_at)
        )

    def _rest(self) -> None:
        """Music until something is due, a key is pressed, or it ends."""
        until = min(self._news_at, self._offer_at, self._message_at, self._control.now() + 3600.0)
        if self._playing is None and not self._silent:
            self._start("playback", self._tracks[self._track % len(self._tracks)] if self._tracks else TONE, MUSIC_S)
        playing = self._playing
        self._wait(playing, until)
        if playing is not None and playing is self._playing and playing.outcome is not None:
            self._playing = None
            self._ended(playing)

    def _ended(self, music: Running) -> None:
        why = self._response(music)
        missing, short = why.startswith(_MISSING), self._control.now() - self._started_at < TOO_SHORT_S
        if not (missing or short):
            self._track += 1
        elif self._tracks:
            track = self._tracks.pop(self._track % len(self._tracks))
            self._missing(track, why if missing else "it ends at once")
        else:
            self._missing(TONE, why)
            self._silent = True

    def _start(self, application: str, argument: str, timeout: float) -> Running:
        if self.over:
            raise _Over
        self._started_at = self._control.now()
        self._playing = self._control.start(application, argument, timeout)
        return self._playing

    def _quiet(self) -> None:
        """End what plays, and wait until it has: an application begun within another would not end it."""
        playing, self._playing = self._playing, None
        if playing is not None and playing.outcome is None:
            self._sounding.stop(playing)
        if self.over:
            raise _Over

    def _wait(self, running: Running | None, until: float) -> None:
        self._control.wait(running, key=True, until=until)
        while not self.over and (key := self._control.keys.take()):
            target = self._treatment.offers.get(key)
            if target is not None:
                self._leave(target)
        if self.over:
            raise _Over

    def _response(self, running: Running) -> str:
        return self._sounding.ended(running).text("Application-Response") or ""

    def _leave(self, target: Overflow) -> None:
        """Where a key takes the caller; an agent who has answered meanwhile is quicker."""
        self._quiet()
        self._control.keys.flush()
        try:
            self._go(target)
        except (CallGone, LinkError):
            raise
        except CtiError as refused:
            _log.error("a caller cannot be taken where a key should", queue=self._queue, reason=str(refused))
            return
        self.over = True
        raise _Over

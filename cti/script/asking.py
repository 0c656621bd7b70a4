"""Asks a caller, as often as allowed, until what they press or say will do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import structlog
from attrs import field, frozen

from cti.errors import ConfigurationError
from cti.script.collected import EndedBy
from cti.script.control import Control
from cti.script.entry import DigitRules, Rules
from cti.script.prompt import Sound
from cti.script.recognizer import Recognizer, Words, heard, option_for
from cti.script.sounding import MISSING_TONE, Sounding

PROMPT_S: Final = 600.0
"""The longest a prompt may play in a question."""
SECRET: Final = "cti_secret"  # noqa: S105 - the name of a channel variable
_NO_TERMINATOR: Final = "none"  # no letter of it is a key; `read` would take "#" for an empty text (mod_dptools.c)

_log = structlog.get_logger("cti.script")


def _seconds(_: object, attribute: object, value: float) -> None:
    if not 0 < value <= 3600:
        raise ConfigurationError(
            f"{getattr(attribute, 'name', '')} is {value}; give more than 0 and at most 3600 seconds"
        )


def _tries(_: object, __: object, value: int) -> None:
    if not 1 <= value <= 100:
        raise ConfigurationError(f"tries is {value}; give 1 to 100")


@frozen
class Question:
    """What is played, how long is waited, how often it is tried."""

    prompt: Sequence[Sound]
    nothing: Sequence[Sound] = ()
    """Played before the next try when nothing came."""
    invalid: Sequence[Sound] = ()
    """Played before the next try when what came would not do."""
    first_s: float = field(default=5.0, validator=_seconds)
    between_s: float = field(default=3.0, validator=_seconds)
    tries: int = field(default=3, validator=_tries)
    barge_in: bool = True
    flush: bool = False
    recognizer: Recognizer | None = None
    words: Words = field(factory=dict)


@frozen
class Try:
    """What came of one try."""

    pressed: str = field(default="", repr=False)
    ended_by: EndedBy = "timeout"
    terminator: str = ""
    spoken: str = ""
    option: str | None = None
    """What the spoken words mean."""

    @property
    def nothing(self) -> bool:
        """Whether neither a key nor a word came."""
        return not (self.pressed or self.terminator or self.spoken)


Once = Callable[[Question, Rules], Try]


class Asking:
    """The questions of one call."""

    def __init__(self, control: Control, sounding: Sounding) -> None:
        self._control = control
        self._sounding = sounding
        self._listens = True
        self.before_try: Callable[[], object] = lambda: None
        """Told when the caller's turn begins: at each try, and at a recording."""

    def ask(self, question: Question, rules: Rules, *, once: Once | None = None) -> tuple[Try, bool, int]:
        """Ask until an answer is good or the tries are used up; the last try, whether it is good, and its number. Blocks.

        What was pressed before the question counts as its answer, unless it says ``flush``; what is left over from an
        answer that would not do is forgotten.
        """
        once = once or self.once
        number = 0
        while True:
            number += 1
            if question.flush:
                self._control.keys.flush()
            self.before_try()
            came = once(question, rules)
            if came.option is not None:
                return came, True, number
            if not came.nothing and rules.good(came.pressed):
                return came, True, number
            self._control.keys.flush()
            if number >= question.tries:
                return came, False, number
            self._play(question.nothing if came.nothing else question.invalid, barge_in=question.barge_in)

    def once(self, question: Question, rules: Rules) -> Try:
        """One try, with what is pressed and, with a recognizer, said. Blocks."""
        keys = self._control.keys
        if question.recognizer is not None and self._listens and not keys:
            came = self._listen(question, question.recognizer)
            if came is not None:
                return came
        elif not (question.barge_in and keys):
            self._play(question.prompt, barge_in=question.barge_in)
            if question.flush and not question.barge_in:
                keys.flush()
        return self._digits(question, rules)

    def _digits(self, question: Question, rules: Rules) -> Try:
        control, keys = self._control, self._control.keys
        pressed = ""
        until = control.now() + question.first_s
        while True:
            while key := keys.take():
                if key in rules.terminators:
                    return Try(pressed, "terminator", key)
                pressed += key
                if rules.complete(pressed):
                    if rules.terminators:
                        keys.ignore_next(rules.terminators, control.now() + question.between_s)
                    return Try(pressed, "length")
                until = control.now() + question.between_s
            control.wait(None, key=True, until=until)
            if not keys:
                return Try(pressed, "timeout")

    def once_secret(self, question: Question, rules: Rules) -> Try:
        """One try in which no digit is in any event, nor in the switch's log or call record. Blocks.

        FreeSWITCH tells of no key while ``sensitive_dtmf`` is set, so its own ``read`` collects them; the variable in
        which it hands them over is taken away at once. Keys pressed before the question are forgotten: they were not
        secret.
        """
        assert isinstance(rules, DigitRules)
        control = self._control
        control.keys.flush()
        for missing in (False, True):
            control.set_variable("sensitive_dtmf", "true")
            try:
                came = self._read(question, rules, missing=missing)
            finally:
                control.set_variable("sensitive_dtmf", "")
                control.set_variable(SECRET, "")
            if came is not None:
                if came.ended_by == "length" and rules.terminators:
                    control.keys.ignore_next(rules.terminators, control.now() + question.between_s)
                return came
            _log.warning("a prompt is missing", prompt=[sound.name for sound in question.prompt])
        return Try()

    def _read(self, question: Question, rules: DigitRules, *, missing: bool) -> Try | None:
        """One `read`; None when it could not play the prompt."""
        control = self._control
        prompt = MISSING_TONE if missing else joined(question.prompt)
        first_ms, between_ms = (max(1000, round(seconds * 1000)) for seconds in (question.first_s, question.between_s))
        for name in (SECRET, "read_terminator_used", "read_result"):
            control.set_variable(name, "")
        argument = f"1 {rules.most} {prompt} {SECRET} {first_ms} {rules.terminators or _NO_TERMINATOR} {between_ms}"
        longest_s = PROMPT_S + question.first_s + question.between_s * rules.most
        ended = self._sounding.run("read", argument, key=False, until=control.now() + longest_s)
        assert ended is not None
        pressed, terminator = (ended.text(f"variable_{name}") or "" for name in (SECRET, "read_terminator_used"))
        if not ended.text("variable_read_result") and not pressed:
            return None
        return Try(
            pressed, "terminator" if terminator else "length" if len(pressed) >= rules.most else "timeout", terminator
        )

    def _listen(self, question: Question, recognizer: Recognizer) -> Try | None:
        """One try by voice; None when a key was pressed, or when the switch cannot listen, after the prompt."""
        control, sounding = self._control, self._sounding
        *before, last = question.prompt or [Sound("playback", "silence_stream://20", "silence")]
        if last.application != "playback":
            before, last = [*before, last], Sound("playback", "silence_stream://20", "silence")
        if sounding.play(before, barge_in=True, until=control.now() + PROMPT_S, missing=MISSING_TONE):
            return None
        sounding.prepare()
        running = control.start("play_and_detect_speech", recognizer.argument(last.argument), PROMPT_S)
        control.wait(running, key=True, until=control.now() + PROMPT_S)
        if running.outcome is None:
            # The break ends the prompt; closing the recognizer ends the wait for words (switch_ivr_async.c).
            control.start("detect_speech", "stop", PROMPT_S)
            sounding.stop(running)
            return None
        said = heard(sounding.ended(running))
        if said is None:
            self._listens = False
            _log.warning("the switch cannot listen; keys only for the rest of this call", engine=recognizer.engine)
            self._play([last], barge_in=True)
            return None
        return Try(spoken=said, option=option_for(said, question.words))

    def _play(self, sounds: Sequence[Sound], *, barge_in: bool) -> None:
        until = self._control.now() + PROMPT_S
        self._sounding.play(sounds, barge_in=barge_in, until=until, missing=MISSING_TONE)


def joined(sounds: Sequence[Sound]) -> str:
    """Files and tones as one argument, for an application that plays one.

    Raises:
        ConfigurationError: one of them is said or spoken, or has a blank in its name.
    """
    for sound in sounds:
        if sound.application != "playback" or " " in sound.argument:
            raise ConfigurationError(f"a secret's prompt must be files and tones without blanks, not {sound.name!r}")
    names = [sound.argument for sound in sounds]
    return names[0] if len(names) == 1 else f"file_string://{'!'.join(names)}" if names else "silence_stream://20"

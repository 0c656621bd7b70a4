"""The verbs of a conversation with a caller."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cti.errors import ConfigurationError
from cti.esl import application_argument
from cti.esl.quoting import escape
from cti.script.asking import Asking, Question
from cti.script.collected import Choice, Collected, Outcome, Recorded
from cti.script.control import Control
from cti.script.entry import MOST_DIGITS, NUMBER, DigitRules, OptionRules, Valid
from cti.script.prompt import Prompt, Say, Sayable, Sound, Speak, sounds
from cti.script.recognizer import Recognizer, Words
from cti.script.secret import Secret
from cti.script.sounding import Sounding

if TYPE_CHECKING:
    from cti.lookup import Lookup

T = TypeVar("T")

BEEP: Final = "tone_stream://%(250,0,880)"
LONGEST_S: Final = 86_400.0

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")

Prompts = Prompt | Iterable[Prompt]
"""One prompt, or several to be played one after the other."""


class Conversation:
    """A call in the hands of a script.

    Every verb raises CallGone when the caller has hung up, before or while it waits, and LinkClosed when the link to the
    switch is lost. Verbs block the script's greenlet and nobody else's, each with a deadline. One greenlet asks a caller
    at a time.

    Keys pressed before a question is asked count as its answer (type-ahead), in order, at most 64 of them, unless the
    question says ``flush``. Keys pressed after the hang-up are nobody's.
    """

    language: str = "en"
    """The caller's language: which variant of a prompt they hear, and in which one numbers are said."""
    voice: tuple[str, str] = ("", "")
    """The text-to-speech engine and voice for ``speak``, such as ``("flite", "slt")``."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._sounding = Sounding(control)
        self._asking = Asking(control, self._sounding)

    def answer(self) -> None:
        """Answer the call; harmless when it is answered already. Blocks until the switch has taken it (1-2 ms).

        Raises:
            CallGone: the caller hung up.
        """
        self._control.answer()

    def play(self, *prompts: Prompt, barge_in: bool = False, missing: str = "", timeout: float = 3600.0) -> None:
        """Play prompts to their end: a file, ``tone_stream://...``, ``local_stream://...``, ``silence_stream://...``.

        Blocks until they have ended. An unanswered caller hears them as early media where the carrier lets it through.

        Args:
            prompts: what to play, one after the other: as FreeSWITCH's playback application takes it, or a Say or a
                Speak, or any of these by language.
            barge_in: whether a key ends it; the key is kept for the next question.
            missing: what to play in place of what the switch has not, instead of raising CommandRejected.
            timeout: seconds after which JobTimeout is raised; the prompt plays on.

        Raises:
            CallGone: the caller hung up.
            CommandRejected: the switch has no such file.
            JobTimeout: it did not end in time.
            ConfigurationError: a prompt is not to be had in the caller's language, or cannot be said.
        """
        self._control.check()
        until = self._control.now() + timeout
        self._sounding.play(self._sounds(prompts), barge_in=barge_in, until=until, missing=missing)

    def say(self, value: Sayable, kind: str = "", *, digits: bool = False, timeout: float = 120.0) -> None:
        """Say a number, a date, a sum of money, ... in the caller's language, from the switch's recorded words.

        Blocks until it is said. FreeSWITCH does not tell when a word's recording is missing; it is left out then.

        Args:
            value: an int, Decimal, date, datetime, or a telephone number as text.
            kind: number, items, persons, messages, currency, date, time, date_time, duration (seconds),
                telephone_number, spelled; left out, it follows from the value's type.
            digits: one digit after the other.
            timeout: seconds after which JobTimeout is raised.

        Raises:
            CallGone: the caller hung up.
            ConfigurationError: no language module can say it.
        """
        self.play(Say(value, kind, digits), timeout=timeout)

    def speak(self, text: str, *, engine: str = "", voice: str = "", timeout: float = 120.0) -> None:
        """Speak a text by the switch's text-to-speech engine. Blocks until it is spoken.

        Args:
            text: what to speak; nothing in it is expanded.
            engine: the engine's name on the switch; left out, that of ``voice`` of the call.
            voice: the engine's voice; the same.
            timeout: seconds after which JobTimeout is raised.

        Raises:
            CallGone: the caller hung up.
            CommandRejected: the switch has no such engine; the message says which it has.
            ConfigurationError: no engine or voice is given.
        """
        self.play(Speak(text, engine, voice), timeout=timeout)

    def collect(
        self,
        *prompts: Prompt,
        min_digits: int = 1,
        max_digits: int = MOST_DIGITS,
        terminators: str = "#",
        valid: Valid = NUMBER,
        first_digit_s: float = 5.0,
        between_digits_s: float = 3.0,
        tries: int = 3,
        nothing: Prompts = (),
        invalid: Prompts = (),
        barge_in: bool = True,
        flush: bool = False,
        secret: bool = False,
    ) -> Collected:
        """Ask for digits. Blocks until they are good or the tries are used up.

        A try ends with the last digit there is room for, with a terminator, or when no key comes in time. A terminator
        pressed right after the last digit belongs to this input. A terminator alone is an empty input: invalid unless
        ``min_digits`` is 0. A ``*`` or ``#`` that is no terminator makes the input invalid, unless ``valid`` allows it.
        A prompt that is missing on the switch is logged and replaced by a tone.

        Args:
            prompts: played at the beginning of each try.
            min_digits: how many at least.
            max_digits: how many at most.
            terminators: keys that end the input and are no part of it.
            valid: a regular expression for the whole input, or a function that says whether it will do.
            first_digit_s: seconds to wait for the first key, from the end of the prompts.
            between_digits_s: seconds to wait for each further one.
            tries: how often to ask.
            nothing: played before another try when no key came.
            invalid: played before another try when the input would not do.
            barge_in: whether a key ends the prompts, and one pressed before them lets them out.
            flush: forget the keys pressed before a try; without ``barge_in`` those pressed during the prompts, too.
            secret: for a PIN: the digits are in no event, log or call record, of ours or of the switch; the answer's
                ``secret`` has them. Keys pressed before the prompt are forgotten.

        Raises:
            CallGone: the caller hung up.
            ConfigurationError: an argument makes no sense, or a prompt is not to be had in the caller's language.
        """
        rules = DigitRules(min_digits, max_digits, terminators, valid)
        question = Question(
            self._sounds(prompts),
            nothing=self._sounds(_several(nothing)),
            invalid=self._sounds(_several(invalid)),
            first_s=first_digit_s,
            between_s=between_digits_s,
            tries=tries,
            barge_in=barge_in,
            flush=flush,
        )
        self._control.check()
        once = self._asking.once_secret if secret else None
        came, good, number = self._asking.ask(question, rules, once=once)
        outcome: Outcome = "ok" if good else "nothing" if came.nothing else "invalid"
        pressed = Secret(came.pressed) if secret else came.pressed
        return Collected(outcome, came.ended_by, came.terminator, number, pressed)

    def menu(
        self,
        *prompts: Prompt,
        options: Mapping[str, T],
        first_digit_s: float = 5.0,
        between_digits_s: float = 2.0,
        tries: int = 3,
        nothing: Prompts = (),
        invalid: Prompts = (),
        barge_in: bool = True,
        flush: bool = False,
        words: Words | None = None,
        recognizer: Recognizer | None = None,
    ) -> Choice[T]:
        """Offer options by key, and with a recognizer by voice. Blocks until one is chosen or the tries are used up.

        Of options that begin alike (``1`` and ``12``) the shorter counts when no further key comes in time. A key that
        begins no option is invalid at once.

        Args:
            prompts: played at the beginning of each try.
            options: what each key (or several, one after the other) stands for.
            first_digit_s: seconds to wait for the first key, from the end of the prompts.
            between_digits_s: seconds to wait for each further one, of longer options.
            tries: how often to ask.
            nothing: played before another try when nothing came.
            invalid: played before another try when what came was no option.
            barge_in: whether a key ends the prompts, and one pressed before them lets them out.
            flush: forget the keys pressed before a try.
            words: for each option's key the words that mean it.
            recognizer: what listens. When the switch cannot, that is logged and the menu goes on with keys.

        Raises:
            CallGone: the caller hung up.
            ConfigurationError: an argument makes no sense, or a prompt is not to be had in the caller's language.
        """
        unknown = set(words or ()) - set(options)
        if unknown:
            raise ConfigurationError(f"menu: words for options that are not there: {', '.join(sorted(unknown))}")
        question = Question(
            self._sounds(prompts),
            nothing=self._sounds(_several(nothing)),
            invalid=self._sounds(_several(invalid)),
            first_s=first_digit_s,
            between_s=between_digits_s,
            tries=tries,
            barge_in=barge_in,
            flush=flush,
            recognizer=recognizer,
            words=words or {},
        )
        rules = OptionRules(options.keys())
        self._control.check()
        came, good, number = self._asking.ask(question, rules)
        if not good:
            return Choice("nothing" if came.nothing else "invalid", came.pressed, None, came.spoken, number)
        key = came.pressed if came.option is None else came.option
        return Choice("ok", key, options[key], came.spoken, number)

    def record(
        self,
        path: str,
        *,
        max_s: float = 120.0,
        silence_s: float = 4.0,
        silence_level: int = 200,
        terminators: str = "#",
        beep: Prompt | None = BEEP,
    ) -> Recorded:
        """Record the caller to a file on the switch. Blocks until it ends.

        When the caller hangs up, CallGone is raised and the file is there, up to the hang-up. FreeSWITCH ends a call
        whose recording it cannot write.

        Args:
            path: the file, absolute, with an ending that FreeSWITCH knows (``.wav``).
            max_s: seconds after which it ends.
            silence_s: seconds of silence that end it; 0 for never.
            silence_level: below which mean amplitude (of 32767) it is silent.
            terminators: keys that end it; others are ignored.
            beep: played before.

        Raises:
            CallGone: the caller hung up, or the file cannot be written.
            ConfigurationError: an argument makes no sense.
        """
        if not path.startswith("/") or "****" in path:
            raise ConfigurationError(f"record: {path!r} must be an absolute path, without secrets in it")
        if not 0 < max_s <= LONGEST_S or not 0 <= silence_s <= LONGEST_S:
            raise ConfigurationError(
                f"record: max_s {max_s} and silence_s {silence_s} must be seconds of one day at most"
            )
        control = self._control
        if beep is not None:
            self.play(beep)
        control.keys.flush()
        # FreeSWITCH counts whole seconds, up to one too few or too many: our own clock comes first.
        argument = f"{escape(path)} {math.ceil(max_s) + 2}"
        if silence_s:
            argument += f" {silence_level} {max(1, round(silence_s))}"
        until = control.now() + max_s
        self._sounding.prepare()
        self._asking.before_try()
        running = control.start("record", application_argument(argument), max_s + 30)
        terminator = ""
        while running.outcome is None and not terminator and control.now() < until:
            control.wait(running, key=True, until=until)
            key = control.keys.take()
            terminator = key if key and key in terminators else ""
        ended = self._sounding.stop(running) if running.outcome is None else self._sounding.ended(running)
        length_s, silent = 0.0, False
        if ended is not None:
            length_s = int(ended.text("variable_record_ms") or 0) / 1000
            silent = ended.text("variable_silence_hits_exhausted") == "true"
        return Recorded(path, length_s, "terminator" if terminator else "silence" if silent else "time", terminator)

    def sleep(self, seconds: float) -> None:
        """Do nothing for so long; the caller hears nothing. Blocks.

        Raises:
            CallGone: the caller hung up; at that moment, not at the end.
        """
        self._control.check()
        self._control.wait(None, key=False, until=self._control.now() + seconds)

    def flush_keys(self) -> None:
        """Forget what the caller has pressed so far. Never blocks."""
        self._control.keys.flush()

    def look_up(
        self, lookup: Lookup, /, *, hold_prompt: Prompt | None = None, hold_after_s: float = 1.0, **asked: Any
    ) -> Any:
        """Ask a look-up (docs/look-ups.md). Blocks until its deadline at the most.

        Args:
            lookup: whom to ask.
            hold_prompt: what the caller hears, over and over, when it takes long.
            hold_after_s: seconds after which they do.
            asked: the question, by name.

        Returns:
            What was found, None if there is none, or the look-up's fallback.

        Raises:
            CallGone: the caller hung up.
            ConfigurationError: the question cannot be put like this.
        """
        from cti.lookup.hold import look_up  # noqa: PLC0415 - look-ups know what a Secret is, and so this package

        (hold,) = self._sounds([hold_prompt]) if hold_prompt is not None else (None,)
        return look_up(self._control, self._sounding, lookup, asked, hold=hold, hold_after_s=hold_after_s)

    def variable(self, name: str) -> str | None:
        """A channel variable of the caller's leg; None when it is not set. Blocks for a moment."""
        return self._control.variable(_variable(name))

    def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable of the caller's leg; an empty value takes it away. Blocks for a moment."""
        self._control.set_variable(_variable(name), value)

    def _sounds(self, prompts: Iterable[Prompt]) -> list[Sound]:
        return sounds(prompts, self.language, self.voice)


def _several(prompts: Prompts) -> Iterable[Prompt]:
    return (prompts,) if isinstance(prompts, str | Say | Speak | Mapping) else prompts


def _variable(name: str) -> str:
    if not _NAME.match(name):
        raise ConfigurationError(f"channel variable {name!r}: letters, digits and _ only")
    return name

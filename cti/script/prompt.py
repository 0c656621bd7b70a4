"""What a caller can be made to hear: files and tones, numbers and dates read out, and text spoken; in their language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Union

from attrs import frozen

from cti.errors import ConfigurationError
from cti.esl import application_argument
from cti.script.saying import saying

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")

Sayable = int | Decimal | str | date | datetime


@frozen
class Say:
    """A value read out from recorded words, by FreeSWITCH's module for the caller's language (``mod_say_en``, ...).

    Args:
        value: what to say.
        kind: number, items, persons, messages, currency, date, time, date_time, duration, telephone_number, spelled;
            left out, it follows from the value's type: a str is a telephone number, a Decimal a currency.
        digits: one digit after the other rather than as a number.
    """

    value: Sayable
    kind: str = ""
    digits: bool = False


@frozen
class Speak:
    """Text for a text-to-speech engine; left out, engine and voice are those of ``Conversation.voice``."""

    text: str
    engine: str = ""
    voice: str = ""


Prompt = Union[str, Say, Speak, Mapping[str, "Prompt"]]  # noqa: UP007 - a forward reference needs Union
"""A file, tone or stream as FreeSWITCH's ``playback`` takes it; a Say; a Speak; or any of these by language."""


@frozen
class Sound:
    """One application that makes a sound, and what it is called in a message."""

    application: str
    argument: str
    name: str
    engine: str = ""


def sounds(prompts: Iterable[Prompt], language: str, voice: tuple[str, str]) -> list[Sound]:
    """The applications that play these prompts, in order.

    Args:
        prompts: what to play.
        language: the caller's, such as ``en`` or ``zh``; of a prompt without ``fr-CA``, ``fr`` is taken.
        voice: the text-to-speech engine and its voice, for a Speak that names none.

    Raises:
        ConfigurationError: a prompt has not this language, or cannot be said or spoken.
    """
    return [_sound(one, language, voice) for one in prompts]


def in_language(prompt: Prompt, language: str) -> str | Say | Speak:
    """The variant of a prompt for a language.

    Raises:
        ConfigurationError: it has none.
    """
    while isinstance(prompt, Mapping):
        found = prompt.get(language, prompt.get(language.partition("-")[0]))
        if found is None:
            raise ConfigurationError(f"a prompt has no language {language!r}; it has {', '.join(prompt) or 'none'}")
        prompt = found
    return prompt


def _sound(prompt: Prompt, language: str, voice: tuple[str, str]) -> Sound:
    one = in_language(prompt, language)
    if isinstance(one, Say):
        argument = saying(one.value, one.kind, digits=one.digits, language=language)
        return Sound("say", application_argument(argument), f"say {one.kind or type(one.value).__name__}")
    if isinstance(one, Speak):
        engine, name = one.engine or voice[0], one.voice or voice[1]
        if not engine or not name:
            # FreeSWITCH's `speak` hangs up on a caller when it is told no engine or voice (mod_dptools.c).
            raise ConfigurationError(
                "speak needs a text-to-speech engine and a voice; set call.voice = (engine, voice)"
            )
        text = _CONTROL.sub(" ", one.text)  # a line break would end the command
        return Sound("speak", application_argument(f"{engine}|{name}|{text}"), f"speech by {engine}", engine)
    if not one:
        raise ConfigurationError("a prompt is empty")
    return Sound("playback", one, one)

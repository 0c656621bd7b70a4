"""Speech: FreeSWITCH's ``play_and_detect_speech``, and which option an utterance means. Pure.

No recognizer is built here: the switch needs one (``mod_unimrcp`` or another ASR module). The forms of the commands and
results are those of ``mod_dptools.c`` and ``switch_ivr_async.c``.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import field, frozen

from cti.errors import ConfigurationError
from cti.esl import Event

Words = Mapping[str, Iterable[str]]
"""For each option the words that mean it."""

_PLAIN: Final = re.compile(r"\S+\Z")
_INPUT: Final = re.compile(r"<input\b[^>]*>(.*?)</input>", re.DOTALL)
_MARKUP: Final = re.compile(r"<[^>]*>")
_NOISE: Final = re.compile(r"[^\w]+")


def _one_word(_: object, attribute: object, value: str) -> None:
    if not _PLAIN.match(value):
        raise ConfigurationError(f"recognizer: {getattr(attribute, 'name', '')} {value!r} must have no spaces")


@frozen
class Recognizer:
    """Which engine listens, by which grammar.

    Args:
        engine: the ASR engine as FreeSWITCH knows it, such as ``unimrcp:my-profile``.
        grammar: what it takes, such as ``builtin:speech/transcribe`` or a grammar's file.
    """

    engine: str = field(validator=_one_word)
    grammar: str = field(validator=_one_word)

    def argument(self, prompt: str) -> str:
        """The argument of ``play_and_detect_speech`` with this prompt."""
        return f"{prompt} detect:{self.engine} {self.grammar}"


def heard(ended: Event) -> str | None:
    """What the recognizer understood; empty when nothing was said, None when it could not listen at all."""
    if (ended.text("Application-Response") or "DONE") not in ("DONE", "_none_"):
        return None
    return utterance(ended.text("variable_detect_speech_result") or "")


def utterance(result: str) -> str:
    """The words in a recognizer's result: NLSML (MRCP), JSON with ``text``, or the words as they are."""
    result = result.strip()
    if result.startswith("{"):
        try:
            found = json.loads(result)
        except ValueError:
            return ""
        text = found.get("text", "")
        return text.strip() if isinstance(text, str) else ""
    if result.startswith("<"):
        inputs = _INPUT.search(result)
        return html.unescape(_MARKUP.sub("", inputs[1])).strip() if inputs else ""
    return "" if result.startswith("Completion-Cause:") else result


def option_for(spoken: str, words: Words) -> str | None:
    """The option whose words are in what was said; the longest words win, and None when two options have as long ones.

    Case and punctuation do not count. Words of Latin letters are found as whole words; Chinese ones anywhere.
    """
    said = _NOISE.sub(" ", spoken.casefold()).strip()
    best: dict[int, set[str]] = {}
    for option, phrases in words.items():
        for phrase in phrases:
            wanted = _NOISE.sub(" ", phrase.casefold()).strip()
            if wanted and _is_in(wanted, said):
                best.setdefault(len(wanted), set()).add(option)
    if not best:
        return None
    options = best[max(best)]
    return options.pop() if len(options) == 1 else None


def _is_in(wanted: str, said: str) -> bool:
    if wanted.isascii():
        return re.search(rf"(?<![a-z0-9_]){re.escape(wanted)}(?![a-z0-9_])", said) is not None
    return wanted in said

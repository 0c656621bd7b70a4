"""Values as arguments of FreeSWITCH's ``say``: which type and method, and the text its language modules can read.

What each module reads is in ``mod_say_en.c`` and ``mod_say_zh.c``.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from cti.errors import ConfigurationError

KINDS: Final = {
    "number": "NUMBER",
    "items": "ITEMS",
    "persons": "PERSONS",
    "messages": "MESSAGES",
    "currency": "CURRENCY",
    "date": "CURRENT_DATE",
    "time": "CURRENT_TIME",
    "date_time": "CURRENT_DATE_TIME",
    "duration": "TIME_MEASUREMENT",
    "telephone_number": "TELEPHONE_NUMBER",
    "spelled": "NAME_SPELLED",
}
"""Our words, and FreeSWITCH's."""
LARGEST: Final = 999_999_999
"""mod_say_en reads nine places, and says nothing at all for more."""
LONGEST_SUM: Final = 15
"""Characters of a sum of money that mod_say_en reads."""

_COUNTS: Final = ("number", "items", "persons", "messages")
_TIMES: Final = ("date", "time", "date_time")
_TELEPHONE: Final = re.compile(r"\+?[0-9A-Za-z][0-9A-Za-z ()/.-]{0,39}\Z")
_SPELLED: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z .@_-]{0,79}\Z")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?\Z")


def saying(value: object, kind: str = "", *, digits: bool = False, language: str = "en") -> str:
    """The argument of ``say`` for a value, such as ``en NUMBER pronounced 42``.

    A date or time without a zone is the switch's local one; with a zone, it is said in the zone of the channel
    variable ``timezone``, or the switch's.

    Args:
        value: what to say.
        kind: one of KINDS; empty for the one that goes with the value's type.
        digits: one after the other.
        language: the module's name.

    Raises:
        ConfigurationError: no module can read it; the message says what would do.
    """
    if not _LANGUAGE.match(language):
        raise ConfigurationError(f"language {language!r} is none; write it as en, zh or en-GB")
    kind = kind or _kind(value)
    if kind not in KINDS:
        raise ConfigurationError(f"say: unknown kind {kind!r}; known: {', '.join(KINDS)}")
    if kind in _TIMES:
        text = _time(value, kind)
    elif kind == "currency":
        text = _sum(value)
    elif kind == "duration":
        text = _duration(value)
    elif kind in _COUNTS:
        text = _digits(value) if digits else str(_count(value, kind))
    else:
        text = _text(value, kind)
    module, method = language.partition("-")[0].lower(), "iterated" if digits else "pronounced"
    if kind == "telephone_number" and module != "en":
        # Only mod_say_en has telephone numbers; in other languages they are digits one by one.
        kind, method, text = "number", "iterated", re.sub(r"\D", "", text)
    return f"{module} {KINDS[kind]} {method} {text}"


def _kind(value: object) -> str:
    if isinstance(value, datetime):
        return "date_time"
    if isinstance(value, date):
        return "date"
    if isinstance(value, Decimal):
        return "currency"
    return "telephone_number" if isinstance(value, str) else "number"


def _count(value: object, kind: str) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise ConfigurationError(f"say {kind}: {value!r} is no whole number from 0 to {LARGEST}")
    return value


def _digits(value: object) -> str:
    text = str(value)
    if not re.fullmatch(r"[0-9]{1,40}", text):
        raise ConfigurationError(f"say: {text!r} is not of digits only")
    return text


def _sum(value: object) -> str:
    if isinstance(value, float):
        raise ConfigurationError("say currency: a float is not exact; give a Decimal, or a str such as '12.50'")
    text = str(value)
    if len(text) > LONGEST_SUM or not re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,2})?", text):
        raise ConfigurationError(f"say currency: {text!r} is no sum such as 12.50, up to {LARGEST}.99")
    return text


def _duration(value: object) -> str:
    # "0" would be read as "now" (mod_say_en.c), and the colons keep what is said in hours, minutes and seconds.
    seconds = _count(value, "duration")
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _time(value: object, kind: str) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return str(int(value.timestamp()))
        return f"'{value:%Y-%m-%d %H:%M:%S}'"
    if isinstance(value, date) and kind == "date":
        return f"'{value:%Y-%m-%d} 12:00:00'"
    raise ConfigurationError(f"say {kind}: {value!r} is no {'date' if kind == 'date' else 'datetime'}")


def _text(value: object, kind: str) -> str:
    text = str(value)
    if not (_TELEPHONE if kind == "telephone_number" else _SPELLED).match(text):
        raise ConfigurationError(f"say {kind}: {text!r} has characters for which there are no recorded words")
    return f"'{text}'" if " " in text else text

"""Opening hours as text: ``mon-fri 09:00-12:00, 13:00-18:00; sat 10:00-14:00``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NoReturn

from attrs import frozen

from cti.errors import ConfigurationError

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_NAMES: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_MINUTES: Final = 24 * 60
LONGEST: Final = 4000
"""Characters. Longer texts come from a program gone wrong, not from a person."""

_TOKEN = re.compile(r"\s*(?:(?P<time>\d{1,2}:\d{2}(?!\d|:))|(?P<word>[^\W\d_]+)|(?P<mark>[-\u2013,;])|(?P<bad>\S))")


class BadHours(ConfigurationError):
    """Opening hours cannot be read: ``column`` (from 1) is where, ``expected`` what should stand there."""

    def __init__(self, column: int, expected: str, found: str) -> None:
        super().__init__(f"column {column}: expected {expected}, found {found}")
        self.column = column
        self.expected = expected
        self.found = found


@frozen(order=True)
class Span:
    """From and until when, in minutes of the wall clock after the day's midnight; 1440 and more is the next day."""

    opens: int
    closes: int

    def __str__(self) -> str:
        return (
            f"{_clock(self.opens)}-{_clock(self.closes if self.closes <= DAY_MINUTES else self.closes - DAY_MINUTES)}"
        )


Hours = tuple[Span, ...]
"""One day's, in order; empty for a closed day."""
Week = tuple[Hours, ...]
"""Seven days' hours, Monday first."""


def parse_week(text: str) -> Week:
    """A week's hours; days that are not named are closed, and hours without a day are every day's.

    A closing time at or before the opening time is the next day's. ``24:00`` closes at midnight.

    Raises:
        BadHours: it cannot be read, hours of a day overlap, or a day is named twice.
    """
    return _Parser(text).week()


def parse_hours(text: str) -> Hours:
    """One day's hours, such as ``09:00-12:00, 13:00-18:00`` or ``closed``.

    Raises:
        BadHours: it cannot be read, or the hours overlap.
    """
    parser = _Parser(text)
    hours = parser.hours()
    parser.end("',' or the end")
    return hours


def parse_days(text: str) -> frozenset[int]:
    """Days of the week, such as ``mon-fri`` or ``sat, sun`` or ``daily``; Monday is 0.

    Raises:
        BadHours: it cannot be read.
    """
    parser = _Parser(text)
    days = parser.days()
    parser.end("',' or the end")
    return frozenset(days)


def week(field_name: str, value: object) -> Week:
    """A week from its text, or from days -> hours, such as ``{"mon-fri": ["09:00-12:00", "13:00-18:00"]}``.

    Raises:
        ConfigurationError: it cannot be read; the message begins with the field's name.
    """
    try:
        if isinstance(value, str):
            return parse_week(value)
    except BadHours as error:
        raise ConfigurationError(f"{field_name}: {error}") from error
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{field_name} is {value!r}; it must be text such as 'mon-fri 09:00-18:00'")
    found: dict[int, Hours] = {}
    for names, text in value.items():
        where = f"{field_name}: {names!r}"
        try:
            days = parse_days(names if isinstance(names, str) else "")
        except BadHours as error:
            raise ConfigurationError(f"{where}: {error}") from error
        for day in sorted(days & found.keys()):
            raise ConfigurationError(f"{where}: {DAYS[day]} has hours already; give each day once")
        hours = day_hours(where, text)
        found.update(dict.fromkeys(days, hours))
    return tuple(found.get(day, ()) for day in range(7))


def day_hours(field_name: str, value: object) -> Hours:
    """One day's hours from text, or from a list of texts.

    Raises:
        ConfigurationError: they cannot be read; the message begins with the field's name.
    """
    text = value
    if isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        parts = list(value)
        text = ", ".join(parts) if all(isinstance(part, str) for part in parts) else None
        text = text or ("closed" if not parts else None)
    if not isinstance(text, str):
        raise ConfigurationError(f"{field_name} is {value!r}; it must be text such as '09:00-12:00, 13:00-18:00'")
    try:
        return parse_hours(text)
    except BadHours as error:
        raise ConfigurationError(f"{field_name}: {error}") from error


@frozen
class _Token:
    kind: str
    """``time``, ``word``, ``end``, or the mark itself."""
    text: str
    column: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise BadHours(LONGEST + 1, f"at most {LONGEST} characters", f"{len(text)}")
        self._tokens = _tokens(text)
        self._at = 0

    def week(self) -> Week:
        found: dict[int, Hours] = {}
        while True:
            began = self._next
            every_day = began.kind == "time" or began.text.lower() == "closed"
            days = list(range(7)) if every_day else self.days()
            hours = self.hours()
            for day in days:
                if day in found:
                    raise BadHours(began.column, f"each day once: {DAYS[day]} has hours already", str(began))
                found[day] = hours
            if not self._take(";"):
                self.end("',', ';' or the end")
            if self._next.kind == "end":
                return tuple(found.get(day, ()) for day in range(7))

    def days(self) -> list[int]:
        if self._word("daily"):
            return list(range(7))
        found: list[int] = []
        while True:
            began = self._next
            first = self._day()
            last = self._day() if self._take("-") else first
            for day in range(first, first + (last - first) % 7 + 1):
                if day % 7 in found:
                    raise BadHours(began.column, f"each day once: {DAYS[day % 7]} is named already", str(began))
                found.append(day % 7)
            if not self._take(","):
                return found

    def hours(self) -> Hours:
        if self._word("closed"):
            return ()
        spans: list[Span] = []
        while True:
            began = self._next
            opens = self._time("an opening time such as 09:00, or 'closed'")
            if opens == DAY_MINUTES:
                raise BadHours(began.column, "an opening time up to 23:59", str(began))
            if not self._take("-"):
                self._wrong("'-'")
            end = self._next
            closes = self._time("a closing time such as 18:00")
            if closes == opens:
                raise BadHours(end.column, "another time than it opens at; the whole day is 00:00-24:00", str(end))
            span = Span(opens, closes if closes > opens else closes + DAY_MINUTES)
            if spans and span.opens < spans[-1].closes:
                raise BadHours(began.column, f"a time after {spans[-1]} has closed", str(began))
            spans.append(span)
            if not self._take(","):
                return tuple(spans)

    def end(self, expected: str) -> None:
        if self._next.kind != "end":
            self._wrong(expected)

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, kind: str) -> bool:
        taken = self._next.kind == kind
        self._at += taken
        return taken

    def _word(self, word: str) -> bool:
        return self._next.text.lower() == word and self._take("word")

    def _wrong(self, expected: str) -> NoReturn:
        raise BadHours(self._next.column, expected, str(self._next))

    def _day(self) -> int:
        word = self._next.text.lower()
        known = DAYS if word in DAYS else DAY_NAMES
        if word not in known:
            self._wrong(f"a day ({', '.join(DAYS)}) or 'daily'")
        self._at += 1
        return known.index(word)

    def _time(self, expected: str) -> int:
        token = self._next
        if not self._take("time"):
            self._wrong(expected)
        hour, minute = map(int, token.text.split(":"))
        if minute > 59 or hour * 60 + minute > DAY_MINUTES:
            raise BadHours(token.column, "a time from 00:00 to 24:00", str(token))
        return hour * 60 + minute


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        token, column = match[kind], match.start(kind) + 1
        if kind == "bad" or not (token.isascii() or kind == "mark"):
            raise BadHours(column, "a day, a time such as 09:00, '-', ',' or ';'", repr(token))
        found.append(_Token(token.replace("\u2013", "-") if kind == "mark" else kind, token, column))
    found.append(_Token("end", "", len(text) + 1))
    return found


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"

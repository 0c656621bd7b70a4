"""The commands that say which events this connection gets, and the one that makes an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from cti.errors import LocalProtocolError
from cti.esl.command import Command
from cti.esl.event_names import ALL, CUSTOM, EVENT_FORMATS, EventFormat, event_name
from cti.esl.headers import HeaderValue
from cti.esl.percent import ARRAY_PREFIX, ARRAY_SEPARATOR
from cti.esl.wire import encode, rest, word

# FreeSWITCH writes these itself; given twice, the first one counts, and the event would not be what its name says.
_NOT_OURS = frozenset({"event-name", "event-subclass", "_body"})


def _names(names: Iterable[str], subclasses: Iterable[str]) -> str:
    """Return the words of a subscription: everything after ``CUSTOM`` is a subclass, so it comes last."""
    known = [event_name(name) for name in names]
    words = [name for name in known if name != CUSTOM]
    custom = [word("subclasses", subclass) for subclass in subclasses]
    if custom or CUSTOM in known:
        words += [CUSTOM, *custom]
    if not words:
        raise LocalProtocolError("names and subclasses are both empty")
    return " ".join(words)


def _texts(names: str | Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


@attrs.frozen
class Subscribe(Command):
    """Get events of these names, besides those already subscribed to.

    ``+OK event listener enabled <format>``; ``-ERR permission denied`` when a name is not allowed to this user, those
    before it being subscribed nevertheless.

    Args:
        names: event names, of any case; ``ALL`` for all.
        subclasses: the subclasses of ``CUSTOM`` events, such as ``callcenter::info``; their case matters. Without any,
            ``CUSTOM`` brings nothing. ``ALL`` brings those that exist at that moment.
        format: how events are written from now on.

    ``encode`` raises ``UnknownEvent`` for a name FreeSWITCH does not have, which it would skip without a word.
    """

    names: tuple[str, ...] = attrs.field(default=(ALL,), converter=_texts)
    subclasses: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    format: EventFormat = "json"

    def encode(self) -> bytes:  # noqa: D102
        if self.format not in EVENT_FORMATS:
            raise LocalProtocolError(f"format {self.format!r} is none of {', '.join(EVENT_FORMATS)}")
        return encode(f"event {self.format} {_names(self.names, self.subclasses)}")


@attrs.frozen
class NixEvent(Command):
    """No longer get events of these names. ``+OK events nixed``.

    After ``ALL`` this also loses the ``CUSTOM`` subclasses that came to exist since.
    """

    names: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    subclasses: tuple[str, ...] = attrs.field(default=(), converter=_texts)

    def encode(self) -> bytes:  # noqa: D102
        return encode(f"nixevent {_names(self.names, self.subclasses)}")


@attrs.frozen
class NoEvents(Command):
    """Get no events any more, those already queued included.

    ``+OK no longer listening for events``, or ``-ERR not listening for events`` when there were none.
    """

    def encode(self) -> bytes:  # noqa: D102
        return encode("noevents")


@attrs.frozen
class Filter(Command):
    """Get only events with this header, or one of the other filters' headers. ``+OK filter added. [header]=[value]``.

    With any filter set, every event without a match is dropped, ``BACKGROUND_JOB`` and ``HEARTBEAT`` included: add
    filters on ``Event-Name`` for those.

    Args:
        header: the header's name.
        value: the value, compared without regard to case, or ``/regular expression/``; a ``-`` before either excludes
            what matches (and excluding alone drops everything).
    """

    header: str
    value: str

    def encode(self) -> bytes:  # noqa: D102
        header = word("header", self.header)
        if header.lower() in ("add", "delete"):
            raise LocalProtocolError(f"header {header!r} is a word of the filter command itself")
        return encode(f"filter {header} {rest('value', self.value)}")


@attrs.frozen
class FilterDelete(Command):
    """Take filters away. ``+OK filter deleted. [header][value]``, also when there was no such filter.

    Args:
        header: the header's name; None for all filters.
        value: the value of one filter; None for all filters on that header.
    """

    header: str | None = None
    value: str | None = None

    def encode(self) -> bytes:  # noqa: D102
        if self.header is None:
            return encode("filter delete all")
        line = f"filter delete {word('header', self.header)}"
        return encode(line if self.value is None else f"{line} {rest('value', self.value)}")


HeaderItems = tuple[tuple[str, HeaderValue], ...]


def _items(headers: Mapping[str, HeaderValue] | Iterable[tuple[str, HeaderValue]]) -> HeaderItems:
    return tuple(headers.items() if isinstance(headers, Mapping) else headers)


@attrs.frozen
class SendEvent(Command):
    """Make an event. ``+OK <Event-UUID>``.

    An event with a ``unique-id`` header goes to that channel's own queue instead of to the subscribers, when there is
    such a channel.

    Args:
        name: an event name; another than ``CUSTOM`` is a lie to every subscriber.
        headers: a mapping or pairs; a list makes an array; an empty value is left out, since FreeSWITCH keeps none.
        body: the event's body.
        subclass: what kind of ``CUSTOM`` event it is.
    """

    name: str
    headers: HeaderItems = attrs.field(default=(), converter=_items)
    body: str | None = None
    subclass: str = ""

    def encode(self) -> bytes:  # noqa: D102
        headers = [("Event-Subclass", word("subclass", self.subclass))] if self.subclass else []
        for name, value in self.headers:
            # An index in brackets is how FreeSWITCH adds to an array.
            if name.lower() in _NOT_OURS or "[" in name:
                raise LocalProtocolError(f"header {name} cannot be sent with an event")
            headers.append((name, _array(name, value)))
        return encode(f"sendevent {event_name(self.name)}", headers, self.body)


def _array(name: str, value: HeaderValue) -> str:
    if isinstance(value, str):
        return value
    if any(ARRAY_SEPARATOR in item for item in value):
        raise LocalProtocolError(f"header {name}: an element holds {ARRAY_SEPARATOR!r}, which divides elements")
    return ARRAY_PREFIX + ARRAY_SEPARATOR.join(value) if value else ""

"""Events in the ``json`` format: one object as cJSON writes it, with ``_body`` for the body.

FreeSWITCH does not check its text: the bytes may not be UTF-8, and names may repeat. Both are read as FreeSWITCH
means them: bytes survive as lone surrogates, and the first of repeated names is the one that counts.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress

from cti.errors import RemoteProtocolError
from cti.esl.event import Event
from cti.esl.headers import HeaderPair, HeaderValue, fold

BODY = "_body"

_BACKSLASH = 0x5C
_QUOTE = 0x22
# Written inside a JSON string these are or may be escaped, so a search for the plain text would miss them.
_ESCAPED = re.compile(r'["\\/\x00-\x1f]')
# How FreeSWITCH's events end: all values are texts or lists of texts.
_ENDS = (b'"}', b'"]}', b"[]}")
# How much of an event is folded at first: what everybody reads is among its first thirty headers.
_PREFIX = 1024

# Is in no JSON; what a name that may be written with an escape is looked for as, in vain.
_UNSEARCHABLE = b"\0no member\0:"

_member_starts: dict[str, bytes] = {}


def check_json(block: bytes) -> None:
    """Check that ``block`` looks like an event in JSON: its ends are those of one, or all of it is a JSON object.

    What goes wrong on an event socket (frames out of step, a frame cut off) shows at the ends, and checking all would
    cost as much again as the rest of the work on an event. What is wrong inside shows when the event is read.

    Raises:
        RemoteProtocolError: it does not; ``kind`` is ``malformed-event``.
    """
    if not (block.startswith(b'{"') and block.endswith(_ENDS)):
        _members(block)


def _members(block: bytes) -> list[tuple[str, object]]:
    """Return the members of the object in ``block`` in wire order, repeated ones included; numbers stay text."""
    try:
        members = json.loads(
            block.decode("utf-8", "surrogateescape"),
            strict=False,
            object_pairs_hook=_Members,
            parse_int=str,
            parse_float=str,
            parse_constant=str,
        )
    except (ValueError, RecursionError) as exc:
        raise RemoteProtocolError("malformed-event", "the event is not JSON") from exc
    if not isinstance(members, _Members):
        raise RemoteProtocolError("malformed-event", "the event is not a JSON object")
    return members


class _Members(list[tuple[str, object]]):
    """The members of a JSON object, told apart from a JSON array."""


def _value(member: object) -> HeaderValue:
    """Return a member as a header's value; FreeSWITCH writes nothing but text and lists of text."""
    if isinstance(member, str):
        return member
    if isinstance(member, list) and not isinstance(member, _Members):
        return [item if isinstance(item, str) else json.dumps(item) for item in member]
    return json.dumps(member)


def _member_start(name: str) -> bytes:
    """Return what a member of this name begins with, in lower case, after a comma; remembered.

    In compact JSON a quote after a comma is never within a text, where it would be escaped: the search is exact.
    """
    start = _UNSEARCHABLE
    if not _ESCAPED.search(name) and name.lower() != BODY:
        with suppress(UnicodeEncodeError):
            start = b',"%b":' % name.encode("utf-8", "surrogateescape").lower()
    if len(_member_starts) >= 4096:
        _member_starts.clear()
    _member_starts[name] = start
    return start


class JsonEvent(Event):
    """A JSON event that keeps its bytes: a header costs one search when asked for, the rest nothing.

    ``block`` must have passed ``check_json``. Reading raises ``RemoteProtocolError`` (``malformed-event``) should it
    be no JSON inside.
    """

    __slots__ = ("_block", "_folded", "_name")

    def __init__(self, block: bytes) -> None:  # the pairs are read from the block
        self._block = block
        # The block in lower case with a comma for its opening brace, so that each member follows one; empty until it
        # is needed, and at first not all of it.
        self._folded = b""
        self._name: str | None = None
        self._index = None

    def _load(self) -> list[HeaderPair]:
        members = _members(self._block)
        # A header may be called `_body` as well (`sendevent`); FreeSWITCH writes the event's own body last.
        last = max((at for at, (name, _) in enumerate(members) if name == BODY), default=-1)
        body = _value(members.pop(last)[1]) if last >= 0 else None
        self._body = body if isinstance(body, str) or body is None else "".join(body)
        return [(name, _value(member)) for name, member in members]

    def starting_with(self, prefix: str) -> list[HeaderPair]:
        """Return the pairs whose names start with ``prefix``; when there is none this costs one search."""
        if _ESCAPED.search(prefix) or b'"' + prefix.encode("utf-8", "surrogateescape") in self._block:
            return super().starting_with(prefix)
        return []

    def _find(self, name: str) -> HeaderValue | None:
        if self._index is not None:
            return self._index.get(fold(name))
        block = self._block
        folded = self._folded
        if not folded:
            folded = self._folded = b"," + block[1:_PREFIX].lower()
        start = _member_starts.get(name) or _member_start(name)
        at = folded.find(start)
        if at < 0:
            if len(folded) < len(block):
                folded = self._folded = b"," + block[1:].lower()
                at = folded.find(start)
            if at < 0:
                return None if self._lacks(start) else super()._find(name)
        begin = at + len(start) + 1
        value = block[begin : block.find(b'"', begin)]
        if block[begin - 1] != _QUOTE or _BACKSLASH in value:  # an array, or a text with escapes
            return super()._find(name)
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("utf-8", "surrogateescape")

    def _lacks(self, start: bytes) -> bool:
        """Whether no member at all can have this name: not even in JSON that has spaces or escapes."""
        folded = self._folded
        if start == _UNSEARCHABLE or folded.find(start[1:-1]) >= 0:
            return False
        # A letter can hide behind an escape only; cJSON, which FreeSWITCH writes with, never does that.
        return _BACKSLASH not in folded or folded.find(b"\\u") < 0

    @property
    def name(self) -> str:
        """The event's name, such as ``CHANNEL_ANSWER``; empty when it has none. Looked for once, since everybody asks."""
        if self._name is None:
            self._name = super().name
        return self._name

    @property
    def body(self) -> str | None:
        """The event's body, or None when it has none; an empty body is an empty text."""
        self._indexed()
        return self._body

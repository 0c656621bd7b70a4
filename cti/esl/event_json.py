"""Events in the ``json`` format: one object as cJSON writes it, with ``_body`` for the body.

FreeSWITCH does not check its text: the bytes may not be UTF-8, and names may repeat. Both are read as FreeSWITCH
means them: bytes survive as lone surrogates, and the first of repeated names is the one that counts.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

import msgspec

from cti.errors import RemoteProtocolError
from cti.esl.event import Event
from cti.esl.headers import HeaderPair, HeaderValue, fold

BODY = "_body"

_BACKSLASH = 0x5C
# Written inside a JSON string these are escaped, so a search for the plain text would miss them.
_ESCAPED = re.compile(r'["\\\x00-\x1f]')


class _AnyObject(msgspec.Struct):
    """Has no fields, so that decoding into it checks the syntax and builds nothing."""


_check_syntax = msgspec.json.Decoder(_AnyObject).decode


def check_json(block: bytes) -> None:
    """Check that ``block`` is one JSON object.

    Raises:
        RemoteProtocolError: it is not; ``kind`` is ``malformed-event``.
    """
    try:
        _check_syntax(block)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        # Slower, and more lenient about bytes that are not UTF-8 and control characters.
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


@lru_cache(maxsize=4096)
def _quoted(name: str) -> bytes:
    """Return the name as it stands in the folded bytes, quotes included; empty when a search would not do."""
    if _ESCAPED.search(name) or name.lower() == BODY:
        return b""
    try:
        return b'"%b"' % name.encode("utf-8", "surrogateescape").lower()
    except UnicodeEncodeError:
        return b""


class JsonEvent(Event):
    """A JSON event that keeps its bytes: a header costs one search when asked for, the rest nothing.

    ``block`` must have passed ``check_json``.
    """

    __slots__ = ("_block", "_folded")

    def __init__(self, block: bytes) -> None:  # the pairs are read from the block
        self._block = block
        self._folded: bytes | None = None
        self._pairs = None
        self._index = None

    def _load(self) -> list[HeaderPair]:
        members = _members(self._block)
        # A header may be called `_body` as well (`sendevent`); FreeSWITCH writes the event's own body last.
        last = max((at for at, (name, _) in enumerate(members) if name == BODY), default=-1)
        body = _value(members.pop(last)[1]) if last >= 0 else None
        self._body = body if isinstance(body, str) or body is None else "".join(body)
        return [(name, _value(member)) for name, member in members]

    def _find(self, name: str) -> HeaderValue | None:
        if self._index is not None:
            return self._index.get(fold(name))
        key = _quoted(name)
        if not key:
            return super()._find(name)
        block = self._block
        folded = self._folded
        if folded is None:
            folded = self._folded = block.lower()
        at = folded.find(key)
        while at >= 0:
            after = at + len(key)
            follows = folded[after : after + 2]
            if folded[at - 1] == _BACKSLASH or follows[:1] in b",]}":
                at = folded.find(key, after)  # the end of a longer name, or a value
            elif follows == b':"':
                begin = after + 2
                value = block[begin : block.find(b'"', begin)]
                if b"\\" in value:
                    break
                return value.decode("utf-8", "surrogateescape")
            else:
                break
        else:
            if b"\\" not in folded:  # so no name can be hidden behind an escape
                return None
        return super()._find(name)

    @property
    def body(self) -> str | None:
        """The event's body, or None when it has none; an empty body is an empty text."""
        if self._pairs is None:
            self._pairs = self._load()
        return self._body

"""The envelope of a frame: its header lines checked, and what they say about the body that follows.

Every broken rule is a ``RemoteProtocolError`` with a ``kind``; the rules are those of ``mod_event_socket.c``.
"""

from __future__ import annotations

import attrs

from cti.errors import RemoteProtocolError
from cti.esl.frame import API_RESPONSE, COMMAND_REPLY, EVENT_JSON, EVENT_PLAIN, EVENT_XML, LOG_DATA

# FreeSWITCH announces the length of these always; without it the end of the frame cannot be known.
_NEED_LENGTH = frozenset({EVENT_PLAIN, EVENT_JSON, EVENT_XML, API_RESPONSE, LOG_DATA})
_MOST_DIGITS = 18


@attrs.frozen
class Envelope:
    """What an envelope announces.

    Attributes:
        content_type: the frame's ``Content-Type``.
        length: the body's length in bytes, or None when there is no body.
        event_shaped: whether the headers are those of an event, percent-encoded (the reply to ``connect``).
    """

    content_type: str
    length: int | None
    event_shaped: bool

    @classmethod
    def of_block(cls, block: bytes, max_body_bytes: int) -> Envelope:
        """Read the envelope in ``block``, its header lines without the blank line that ends them.

        Raises:
            RemoteProtocolError: malformed-header-line, duplicate-content-type, missing-content-type,
                duplicate-content-length, bad-content-length, unexpected-content-length, body-too-large or
                missing-content-length, looked for in this order.
        """
        lines = block.split(b"\n")
        fields: list[tuple[bytes, bytes]] = []
        for line in lines:
            check_line(line)
            name, _, value = line.partition(b":")
            fields.append((name.lower(), value))
        types = [value for name, value in fields if name == b"content-type"]
        lengths = [value for name, value in fields if name == b"content-length"]
        if len(types) > 1:
            # `getvar` copies a variable raw, so a line break in it forges headers.
            raise RemoteProtocolError("duplicate-content-type")
        if not types or not types[0].strip(b" "):
            raise RemoteProtocolError("missing-content-type")
        if len(lengths) > 1:
            raise RemoteProtocolError("duplicate-content-length")
        content_type = types[0].strip(b" ").decode("utf-8", "surrogateescape")
        length = _length(lengths[0]) if lengths else None
        if length is not None and content_type == COMMAND_REPLY:
            # FreeSWITCH never sends this: two replies have run into one (a `userauth` reply cut at 512 bytes does it).
            raise RemoteProtocolError("unexpected-content-length", "a command/reply has no body")
        if length is None and content_type in _NEED_LENGTH:
            raise RemoteProtocolError("missing-content-length", content_type)
        if length is not None and length > max_body_bytes:
            raise RemoteProtocolError("body-too-large", f"{length} bytes announced, {max_body_bytes} allowed")
        event_shaped = content_type == COMMAND_REPLY and fields[0][0] == b"event-name"
        return cls(content_type, length, event_shaped)


def check_line(line: bytes) -> None:
    """Check that a complete header line has a name and a colon.

    Raises:
        RemoteProtocolError: malformed-header-line.
    """
    if line.find(b":") < 1:
        shown = line[:40].decode("ascii", "backslashreplace")
        raise RemoteProtocolError("malformed-header-line", f"no name and colon in {shown!r}")


def _length(value: bytes) -> int:
    digits = value.strip(b" ")
    # int() would take "+3", "1_0" and digits of other scripts.
    if not digits.isdigit():
        raise RemoteProtocolError("bad-content-length", repr(digits[:40]))
    if len(digits.lstrip(b"0")) > _MOST_DIGITS:
        raise RemoteProtocolError("body-too-large", f"a length of {len(digits)} digits")
    return int(digits)

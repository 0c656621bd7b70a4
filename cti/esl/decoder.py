"""Bytes in, frames out: the event socket's framing, without any input or output of its own."""

from __future__ import annotations

import re

from cti.errors import RemoteProtocolError
from cti.esl.envelope import Envelope, check_line
from cti.esl.event import Event
from cti.esl.event_json import JsonEvent, check_json
from cti.esl.event_plain import PlainEvent
from cti.esl.event_xml import XmlEvent
from cti.esl.frame import EVENT_JSON, EVENT_PLAIN, EVENT_XML, Frame

# libesl stops at 64 KiB, and users met that limit (signalwire/freeswitch#624): the reply to `connect` holds every
# channel variable. FreeSWITCH itself sets none.
DEFAULT_MAX_HEADER_BYTES = 1 << 20
# FreeSWITCH does not limit what it sends; `show channels` takes 855 bytes a call, so this is 75,000 calls.
DEFAULT_MAX_BODY_BYTES = 1 << 26

# The envelope of an event is always these two lines (mod_event_socket.c), and events are nearly all there is to read.
_EVENT_ENVELOPE = re.compile(rb"Content-Length: ([1-9][0-9]{0,8})\nContent-Type: text/event-(?:(json)|plain)\n\n").match
_LINE_BREAKS = b"\r\n"


class Decoder:
    """Turns what a FreeSWITCH event socket sends into frames, however the bytes are divided.

    Each frame is read as FreeSWITCH writes it: header lines divided by line feeds, a blank line, then exactly as many
    bytes as ``Content-Length`` says. Line breaks between frames are passed over.

    When the stream breaks the protocol, the frames that were complete before are not lost: if the same ``feed`` has
    completed any, it returns them, and the next ``feed`` or ``close`` raises; ``error`` tells at once.

    Args:
        max_header_bytes: the most bytes an envelope's header lines may have.
        max_body_bytes: the most bytes a body may have; a longer one is refused when it is announced.
    """

    __slots__ = ("_error", "_line", "_max_body", "_max_header", "_need", "_pending", "_seen")

    def __init__(
        self,
        *,
        max_header_bytes: int = DEFAULT_MAX_HEADER_BYTES,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
    ) -> None:
        self._max_header = max_header_bytes
        self._max_body = max_body_bytes
        self._error: RemoteProtocolError | None = None
        self._pending = bytearray()  # a frame that has begun, from its first byte
        self._need = 0  # how many bytes that frame has; 0 while its headers are not complete
        self._line = 0  # where in _pending the first header line begins that was not checked yet
        self._seen = 0  # how far _pending was searched for a line feed

    @property
    def error(self) -> RemoteProtocolError | None:
        """Why the stream cannot be read any further, or None while it can."""
        return self._error

    @property
    def pending(self) -> bool:
        """Whether a frame has begun and is not complete."""
        return bool(self._pending)

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes of the stream and return the frames they complete, in order; none is an empty list.

        Does not block. Takes time linear in the length of the stream, however it is divided.

        Raises:
            RemoteProtocolError: the stream breaks the protocol and this call completed no frame before the break, or
                an earlier call met it; then every further call raises the same error.
        """
        if self._error is not None:
            raise self._error.with_traceback(None)
        frames: list[Frame] = []
        data = bytes(data)
        try:
            at = self._continue(data, frames) if self._pending else 0
            self._decode(data, at, frames)
        except RemoteProtocolError as exc:
            self._pending.clear()
            self._error = exc
            if not frames:
                raise
        return frames

    def close(self) -> None:
        """Take note of the end of the stream. Does not block.

        Raises:
            RemoteProtocolError: the stream ended within a frame (eof-in-header, eof-in-body), or broke before.
        """
        if self._error is None and self._pending:
            kind = "eof-in-body" if self._need else "eof-in-header"
            self._error = RemoteProtocolError(kind, f"{len(self._pending)} bytes of an incomplete frame")
            self._pending.clear()
        if self._error is not None:
            raise self._error.with_traceback(None)

    def _continue(self, data: bytes, frames: list[Frame]) -> int:
        """Bring the pending frame further with the first bytes of ``data``; return how many that took."""
        pending = self._pending
        taken = self._need - len(pending) if self._need else len(data)
        pending += data[:taken]
        if self._complete():
            whole = bytes(pending)
            self._pending = bytearray()
            self._decode(whole, 0, frames)
        return taken

    def _decode(self, data: bytes, at: int, frames: list[Frame]) -> None:
        """Add the frames in ``data`` from ``at``, which is between two frames, to ``frames``; keep what is left."""
        end = len(data)
        max_body = self._max_body
        append = frames.append
        while at < end:
            match = _EVENT_ENVELOPE(data, at)
            if match is not None:
                begin = match.end()
                after = begin + int(match[1])
                if after <= end and after - begin <= max_body:
                    body = data[begin:after]
                    if match.lastindex == 2:
                        if body[-2:] != b'"}' or body[:2] != b'{"':  # most of what check_json asks, without a call
                            check_json(body)
                        append(Frame(EVENT_JSON, None, body, JsonEvent(body)))
                    else:
                        append(Frame(EVENT_PLAIN, None, body, PlainEvent(body)))
                    at = after
                    continue
            if data[at] in _LINE_BREAKS:
                at += 1
                continue
            after = self._decode_any(data, at, frames)
            if after < 0:
                return
            at = after

    def _decode_any(self, data: bytes, at: int, frames: list[Frame]) -> int:
        """Add the frame that starts at ``at`` and return where it ends; keep it and return -1 when it is incomplete."""
        blank = data.find(b"\n\n", at)
        if blank < 0 or blank - at > self._max_header:
            self._keep(data, at, 0)
            self._complete()
            return -1
        block = data[at:blank]
        envelope = Envelope.of_block(block, self._max_body)
        begin = blank + 2
        if envelope.length is None:
            if envelope.event_shaped:
                event = PlainEvent(block)
                frames.append(Frame(envelope.content_type, event, None, event))
            else:
                frames.append(Frame(envelope.content_type, block))
            return begin
        after = begin + envelope.length
        if after > len(data):
            self._keep(data, at, after - at)
            return -1
        body = data[begin:after]
        frames.append(Frame(envelope.content_type, block, body, _event(envelope.content_type, body)))
        return after

    def _keep(self, data: bytes, at: int, need: int) -> None:
        self._pending = bytearray(data[at:] if at else data)
        self._need = need
        self._line = self._seen = 0

    def _complete(self) -> bool:
        """Return whether the pending frame is complete, or at least its headers are when their end was not known.

        Each new header line is checked as it comes: a peer that is no event socket may never send a blank line.
        Whichever comes first in the stream, a malformed line or the limit, is what is reported.
        """
        pending = self._pending
        if self._need:
            return len(pending) >= self._need
        limit = self._max_header
        while (feed := pending.find(b"\n", max(self._line, self._seen))) >= 0:
            if feed == self._line and feed - 1 <= limit:
                return True
            if feed > limit:
                break
            check_line(bytes(pending[self._line : feed]))
            self._line = feed + 1
        self._seen = len(pending)
        if self._seen >= limit + 2:
            raise RemoteProtocolError("header-too-large", f"no blank line within {limit} bytes")
        return False


def _event(content_type: str, body: bytes) -> Event | None:
    if content_type == EVENT_JSON:
        check_json(body)
        return JsonEvent(body)
    if content_type == EVENT_PLAIN:
        return PlainEvent(body)
    if content_type == EVENT_XML:
        return XmlEvent(body)
    return None

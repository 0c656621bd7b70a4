"""One message from the event socket: an envelope of headers, perhaps a body, perhaps the event in that body."""

from __future__ import annotations

import attrs

from cti.esl.event import Event
from cti.esl.headers import HeaderMap, Headers

# Content types: mod_event_socket.c.
AUTH_REQUEST = "auth/request"
COMMAND_REPLY = "command/reply"
API_RESPONSE = "api/response"
EVENT_PLAIN = "text/event-plain"
EVENT_JSON = "text/event-json"
EVENT_XML = "text/event-xml"
LOG_DATA = "log/data"
DISCONNECT_NOTICE = "text/disconnect-notice"
RUDE_REJECTION = "text/rude-rejection"


# Not frozen: one is made for every event, and attrs' frozen __init__ takes three times as long.
@attrs.define(eq=False, repr=False)
class Frame:
    """A complete message; treat it as read-only.

    Attributes:
        content_type: what it is, such as ``command/reply`` or ``text/event-json``.
        headers: the envelope's headers, raw text. The reply to ``connect`` is shaped like an event, so there they are
            the event's headers, decoded.
        body: the bytes after the headers, exactly; None when the envelope announced none.
        event: the event in the body; for the reply to ``connect`` the channel's data; otherwise None.
    """

    content_type: str
    # None stands for the two lines that announce an event, bytes for header lines not read yet.
    _headers: HeaderMap | bytes | None = attrs.field(factory=Headers)
    body: bytes | None = None
    event: Event | None = None

    @property
    def headers(self) -> HeaderMap:
        """The envelope's headers."""
        headers = self._headers
        if headers is None:
            block = f"Content-Length: {len(self.body or b'')}\nContent-Type: {self.content_type}"
            headers = self._headers = Headers(block.encode())
        elif isinstance(headers, bytes):
            headers = self._headers = Headers(headers)
        return headers

    @property
    def text(self) -> str:
        """The body as text (UTF-8 with ``surrogateescape``); empty when there is none."""
        return "" if self.body is None else self.body.decode("utf-8", "surrogateescape")

    @property
    def reply_text(self) -> str:
        """What the switch answered, without line breaks at the end: ``Reply-Text``, or the body of ``api/response``."""
        if self.content_type == API_RESPONSE:
            return self.text.rstrip("\r\n")
        return (self.headers.text("Reply-Text") or "").rstrip("\r\n")

    @property
    def error(self) -> str | None:
        """The answer when it is a refusal (``-ERR ...`` or ``-USAGE: ...``), else None."""
        reply = self.reply_text
        return reply if reply.startswith(("-ERR", "-USAGE")) else None

    @property
    def ok(self) -> bool:
        """Whether this is an answer (``command/reply`` or ``api/response``) and not a refusal."""
        return self.content_type in (COMMAND_REPLY, API_RESPONSE) and self.error is None

    @property
    def lingering(self) -> bool:
        """Whether this is the ``text/disconnect-notice`` of a lingering socket, after which events still come."""
        return self.content_type == DISCONNECT_NOTICE and self.headers.text("Content-Disposition") == "linger"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return (
            self.content_type == other.content_type
            and self.headers.raw == other.headers.raw
            and self.body == other.body
            and self.event == other.event
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        what = repr(self.event) if self.event is not None else f"{len(self.body or b'')} bytes"
        return f"<Frame {self.content_type} {what}>"

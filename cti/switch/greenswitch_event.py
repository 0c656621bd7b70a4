"""greenswitch's event object, and its exceptions, on our decoder."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes

from cti.errors import CallGone, LinkClosed
from cti.esl import COMMAND_REPLY, EVENT_PLAIN, Frame, HeaderMap, HeaderValue


class NotConnectedError(LinkClosed):
    """There is no connection, or it ended while something was waiting on it."""


class OutboundSessionHasGoneAway(CallGone):
    """The caller hung up."""

    def __init__(self, interaction: str = "", cause: str = "") -> None:
        super().__init__(interaction, cause)


class ESLEvent:
    """A message with ``headers``, a dict, and ``data``, the body as text.

    Args:
        data: header lines, percent-encoded, and after a blank line perhaps a body; as a program may write it by hand.
            What comes from FreeSWITCH is read by our decoder instead, and turned into a dict when first asked for.
    """

    def __init__(self, data: str) -> None:
        self._frame: Frame | None = None
        self._headers: dict[str, str] | None = {}
        self.data: Any = ""
        self.parse_data(data)

    @classmethod
    def of_frame(cls, frame: Frame) -> ESLEvent:
        """Return the event for a frame; nothing of it is read yet."""
        event = cls("")
        event._frame, event._headers = frame, None
        event.data = _data(frame)
        return event

    def parse_data(self, data: str) -> None:
        """Add the headers in ``data``. Lines are divided first and values decoded after; the first of a name counts.

        A line without a colon and a space continues the value before it, line break included.
        """
        block, _, body = data.strip("\r\n ").partition("\n\n")
        lines: list[list[str]] = []
        for line in block.split("\n"):
            name, divider, value = line.partition(":")
            if divider and (value == "" or value[0] in " \r"):
                lines.append([name.strip(), value])
            elif lines:
                lines[-1][1] += "\n" + line
        for name, value in lines:
            self.headers.setdefault(name, _unquoted(value.strip()))
        if body:
            self.data = body

    @property
    def headers(self) -> dict[str, str]:
        """The headers: those of the event, and those of its envelope that it does not have itself."""
        if self._headers is None:
            frame = self._frame
            assert frame is not None, "made without one"
            if frame.content_type == EVENT_PLAIN and frame.body is not None:
                self._headers = _plain(frame.body)
            else:
                self._headers = _dict(frame.event) if frame.event is not None else {}
            for name, value in _dict(frame.headers).items():
                self._headers.setdefault(name, value)
        return self._headers

    @headers.setter
    def headers(self, headers: dict[str, str]) -> None:
        self._headers = headers

    @property
    def content_type(self) -> str:
        """What kind of message it is; no header inside an event can change that."""
        return self._frame.content_type if self._frame is not None else self.headers.get("Content-Type", "")

    def __repr__(self) -> str:
        """One line for a log; no header's value is in it."""
        return f"<ESLEvent {self.content_type} {len(self.headers)} headers>"


def _data(frame: Frame) -> str:
    if frame.content_type == COMMAND_REPLY:
        return frame.reply_text
    if frame.event is not None:
        return frame.event.body or ""
    return frame.text


def _unquoted(value: str) -> str:
    if "%" not in value:
        return value
    return unquote_to_bytes(value.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def _text(value: HeaderValue) -> str:
    if isinstance(value, str):
        return value
    # As FreeSWITCH writes an array in a plain event: one element has no mark.
    return "ARRAY::" + "|:".join(value) if len(value) > 1 else "".join(value)


def _dict(headers: HeaderMap) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers.raw:
        found.setdefault(name, _text(value))
    return found


def _plain(block: bytes) -> dict[str, str]:
    """Read an event's lines. One without a name continues the value before it, as in greenswitch; FreeSWITCH writes none."""
    found: dict[str, str] = {}
    name = ""
    for line in block.partition(b"\n\n")[0].decode("utf-8", "surrogateescape").split("\n"):
        # A value from FreeSWITCH never holds a raw ": ", a name may: the last one divides them.
        before, divider, value = line.rpartition(": ")
        if divider:
            name = before
            found.setdefault(name, _unquoted(value))
        elif name and line:
            found[name] += "\n" + _unquoted(line)
    return found

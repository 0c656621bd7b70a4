"""The commands of an outbound socket, which FreeSWITCH opens to us for one call (``socket`` application).

Without the word ``full`` in the dialplan only ``Connect``, ``MyEvents``, ``DivertEvents``, ``GetVar``, ``Resume``,
``Filter``, ``Exit`` and the ``sendmsg`` commands work; the rest is answered with ``-ERR command not found``. FreeSWITCH
sends no reply to the first command at all unless it is ``Connect`` (or ``Api``): send that first.
"""

from __future__ import annotations

import attrs

from cti.errors import LocalProtocolError
from cti.esl.command import Command
from cti.esl.event_names import EVENT_FORMATS, EventFormat
from cti.esl.wire import encode, word


@attrs.frozen
class Connect(Command):
    """Take the call.

    Answered by a ``command/reply`` shaped like an event: every header of the channel, and ``Socket-Mode`` (``async``
    or ``static``) and ``Control`` (``full`` or ``single-channel``). Its frame has them as ``event``.
    """

    def encode(self) -> bytes:  # noqa: D102
        return encode("connect")


@attrs.frozen
class MyEvents(Command):
    """Get the events of one channel. ``+OK Events Enabled``; ``-ERR aready enabled.`` (so spelled).

    Args:
        uuid: None for the call of an outbound socket. On an inbound connection a channel's uuid: ``-ERR invalid
            uuid`` when there is none; when it hangs up FreeSWITCH closes the connection.
        format: how events are written; only for the call of an outbound socket, since with a uuid FreeSWITCH keeps
            the format it had.
    """

    uuid: str | None = None
    format: EventFormat = "json"

    def encode(self) -> bytes:  # noqa: D102
        if self.format not in EVENT_FORMATS:
            raise LocalProtocolError(f"format {self.format!r} is none of {', '.join(EVENT_FORMATS)}")
        if self.uuid is None:
            return encode(f"myevents {self.format}")
        # Without a word after it, an unknown uuid is accepted and brings the events of every channel.
        return encode(f"myevents {word('uuid', self.uuid)} plain")


@attrs.frozen
class DivertEvents(Command):
    """Have events meant for the call's own queue sent to us, or no longer.

    ``+OK events diverted`` or ``+OK events not diverted``; ``-ERR not controlling a session.``
    """

    on: bool = True

    def encode(self) -> bytes:  # noqa: D102
        return encode("divert_events on" if self.on else "divert_events off")


@attrs.frozen
class Linger(Command):
    """Keep the socket open after hang-up, so that the last events come. Needs ``full``.

    ``+OK will linger`` or ``+OK will linger <n> seconds``; ``-ERR not controlling a session``. At hang-up comes a
    ``text/disconnect-notice`` with ``Content-Disposition: linger``, then events, then the end.

    Args:
        seconds: for how long; None for as long as we stay.
    """

    seconds: int | None = None

    def encode(self) -> bytes:  # noqa: D102
        if self.seconds is None:
            return encode("linger")
        if self.seconds < 0:
            raise LocalProtocolError(f"seconds is {self.seconds}, which is less than none")
        return encode(f"linger {self.seconds:d}")


@attrs.frozen
class NoLinger(Command):
    """Take ``Linger`` back. ``+OK will not linger``; ``-ERR not controlling a session``."""

    def encode(self) -> bytes:  # noqa: D102
        return encode("nolinger")


@attrs.frozen
class Resume(Command):
    """Have the dialplan go on when this socket ends, instead of the call. ``+OK``."""

    def encode(self) -> bytes:  # noqa: D102
        return encode("resume")


@attrs.frozen
class GetVar(Command):
    """Read a variable of the call; ``Api("uuid_getvar <uuid> <name>")`` is the safe way.

    The reply's text is the bare value, cut at 511 bytes; an unset one reads as ``-ERR command not found``. A value
    with a line break forges headers, and one that begins with ``~`` leaves the reply without an end: use this only on
    variables that no remote party can set.
    """

    name: str

    def encode(self) -> bytes:  # noqa: D102
        return encode(f"getvar {word('name', self.name)}")

"""``sendmsg``: what a channel is told to do. The channel is named by its uuid; None is an outbound socket's own call.

Every form is answered ``+OK`` when the message was queued (an outbound socket that is not ``async`` executes it
first), ``-ERR invalid session id [<uuid>]`` when there is no such channel, and ``-ERR memory error`` when 256 are
queued already. What the channel then does about it is in ``switch_ivr_parse_event`` (``switch_ivr.c``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs

from cti.errors import LocalProtocolError
from cti.esl.command import Command
from cti.esl.wire import encode, line_part, to_bytes, word

# A byte in a header costs FreeSWITCH about 1.1 us of processor time, since it reads them one by one; in a body
# nothing to speak of (measured: 2.9 ms against 0.12 ms for 2.6 kB).
LONG_ARGUMENT = 200

# In a header FreeSWITCH strips leading spaces, takes ARRAY:: for a list, and looks for the order to unload itself.
_NOT_IN_HEADER = re.compile(r"\A(?: |ARRAY::)|mod_event_socket", re.IGNORECASE)


def _line(uuid: str | None) -> str:
    return "sendmsg" if uuid is None else f"sendmsg {word('uuid', uuid)}"


@attrs.frozen
class SendMsg(Command):
    """Any message to a channel; the header ``call-command`` says which."""

    uuid: str | None
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=tuple)
    body: str | None = None

    def encode(self) -> bytes:  # noqa: D102
        return encode(_line(self.uuid), self.headers, self.body)


@attrs.frozen
class Execute(Command):
    """Have a channel execute a dialplan application.

    When it runs there are the events ``CHANNEL_EXECUTE`` and, at its end, ``CHANNEL_EXECUTE_COMPLETE``, both with
    ``event_uuid`` as ``Application-UUID``; the second never comes when the call ends first.

    Args:
        uuid: the channel, or None for an outbound socket's own call.
        app: the application's name.
        arg: its argument, in which FreeSWITCH expands ``${...}`` (``application_argument`` writes text literally).
        event_uuid: an id chosen by us, to know this execution's events by.
        loops: how often to run it, -1 for ever; again only after a run of at least 500 ms.
        event_lock: have the channel finish one message before it takes the next.
        async_: have an outbound socket's own call queue the message; other channels always do.
        hold_bleg: play hold music to the other leg meanwhile.
        lead_frames: how many frames of audio to wait for first.
    """

    uuid: str | None
    app: str
    arg: str = ""
    event_uuid: str | None = None
    loops: int = 1
    event_lock: bool = False
    async_: bool = False
    hold_bleg: bool = False
    lead_frames: int = 0

    def encode(self) -> bytes:  # noqa: D102
        headers = [("call-command", "execute"), ("execute-app-name", word("app", self.app))]
        line_part("arg", self.arg)
        in_body = len(to_bytes("arg", self.arg)) > LONG_ARGUMENT or bool(_NOT_IN_HEADER.search(self.arg))
        headers += [("content-type", "text/plain")] if in_body else [("execute-app-arg", self.arg)]
        if self.event_uuid is not None:
            headers.append(("Event-UUID", word("event_uuid", self.event_uuid)))
        if self.loops != 1:
            headers.append(("loops", f"{self.loops:d}"))
        if self.lead_frames:
            headers.append(("lead-frames", f"{self.lead_frames:d}"))
        flags = (("event-lock", self.event_lock), ("async", self.async_), ("hold-bleg", self.hold_bleg))
        headers += [(name, "true") for name, on in flags if on]
        return encode(_line(self.uuid), headers, self.arg if in_body else None)


@attrs.frozen
class HangUp(Command):
    """Hang a channel up. Queued behind what the channel is executing; ``Api("uuid_kill ...")`` is at once.

    Args:
        uuid: the channel, or None for an outbound socket's own call.
        cause: a hang-up cause of FreeSWITCH, by name or number; an unknown one reads as NORMAL_CLEARING.
    """

    uuid: str | None = None
    cause: str = "NORMAL_CLEARING"

    def encode(self) -> bytes:  # noqa: D102
        return encode(_line(self.uuid), [("call-command", "hangup"), ("hangup-cause", word("cause", self.cause))])


@attrs.frozen
class NoMedia(Command):
    """Have the media of channel ``nomedia_uuid`` go directly between its parties."""

    uuid: str | None
    nomedia_uuid: str

    def encode(self) -> bytes:  # noqa: D102
        target = word("nomedia_uuid", self.nomedia_uuid)
        return encode(_line(self.uuid), [("call-command", "nomedia"), ("nomedia-uuid", target)])


@attrs.frozen
class Unicast(Command):
    """Have the channel's audio exchanged with a program, by datagrams or a stream.

    Args:
        uuid: the channel, or None for an outbound socket's own call.
        local_ip: the address FreeSWITCH takes for itself.
        local_port: its port.
        remote_ip: the program's address.
        remote_port: its port.
        transport: ``udp`` or ``tcp``.
        flags: ``native`` to leave the codec as it is.
    """

    uuid: str | None
    local_ip: str = "127.0.0.1"
    local_port: int = 8025
    remote_ip: str = "127.0.0.1"
    remote_port: int = 8026
    transport: str = "udp"
    flags: str = ""

    def encode(self) -> bytes:  # noqa: D102
        for field, port in (("local_port", self.local_port), ("remote_port", self.remote_port)):
            if not 0 < port < 65536:
                raise LocalProtocolError(f"{field} {port} is no port")
        headers = [
            ("call-command", "unicast"),
            ("local-ip", word("local_ip", self.local_ip)),
            ("local-port", f"{self.local_port:d}"),
            ("remote-ip", word("remote_ip", self.remote_ip)),
            ("remote-port", f"{self.remote_port:d}"),
            ("transport", word("transport", self.transport)),
            ("flags", self.flags),
        ]
        return encode(_line(self.uuid), headers)


def _steps(steps: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((app, arg) for app, arg in steps)


@attrs.frozen
class XferExt(Command):
    """Transfer the channel to an extension made of these applications, without a dialplan.

    Args:
        uuid: the channel, or None for an outbound socket's own call.
        applications: pairs of an application and its argument, in order.
    """

    uuid: str | None
    applications: tuple[tuple[str, str], ...] = attrs.field(converter=_steps)

    def encode(self) -> bytes:  # noqa: D102
        if not self.applications:
            raise LocalProtocolError("applications is empty")
        steps = []
        for app, arg in self.applications:
            name = word("application", app)
            steps.append(("application", f"{name} {line_part('argument', arg)}" if arg else name))
        return encode(_line(self.uuid), [("call-command", "xferext"), *steps])

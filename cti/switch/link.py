"""One inbound connection to FreeSWITCH's event socket: greenswitch's client, with our decoder in its read loop.

What of greenswitch 0.0.19 is replaced, and why: its parser decodes a block before it splits it (a caller's name can
forge headers), its pending commands hang when the connection is lost, and a short ``send`` is not completed.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable
from typing import Any, Final

import gevent
import gevent.event
import gevent.socket
import greenswitch
import structlog

from cti.errors import (
    AccessDenied,
    AuthenticationFailed,
    CommandTimeout,
    ConnectFailed,
    LinkClosed,
    LinkError,
    RemoteProtocolError,
)
from cti.esl import DISCONNECT_NOTICE, Auth, Decoder, Frame
from cti.promise import Promise
from cti.switch.pending import Answer, Pending
from cti.switch.timing import REPLY_TIMEOUT_S

_BURST: Final = 16
"""Reads in a row before other greenlets get a turn, when the switch sends faster than we read."""
_UNSENT_LIMIT: Final = 16 << 20
"""More than this unsent and the switch is not reading: the link is given up before our memory is."""
# What a command is called in errors and logs: never its arguments, which hold passwords and people's numbers.
_NAME: Final = re.compile(rb"(?:(?:bg)?api +)?[^\s]{1,40}", re.IGNORECASE)

__all__ = ["REPLY_TIMEOUT_S", "Link"]

_REPLIES: Final = ("command/reply", "api/response")

_log = structlog.get_logger("cti.switch")


class Link(greenswitch.InboundESL):  # type: ignore[misc]
    """One connection. Commands are pipelined and answered in order; it never reconnects by itself.

    Args:
        host: name or address, IPv4 or IPv6.
        port: the event socket's port.
        password: never shown in a log or a repr.
        timeout: seconds to connect, to be greeted and to be let in.
        on_event: called in the reading greenlet with every frame that is no reply; must not block (``Backlog`` is for a
            handler that does). What it raises is logged and ends nothing, except LinkError and
            RemoteProtocolError: they end the link.
        on_closed: called once, in any greenlet, when the connection has ended, with the reason.
    """

    def __init__(
        self,
        host: str,
        port: int,
        password: str,
        timeout: float = 5,
        *,
        on_event: Callable[[Frame], None] | None = None,
        on_closed: Callable[[LinkError | RemoteProtocolError], None] | None = None,
    ) -> None:
        super().__init__(host, port, password, timeout)
        self._on_frame = on_event
        self._on_closed = on_closed
        self._pending = Pending()
        self._unsent = bytearray()
        self._writing = False
        self._to_send = gevent.event.Event()
        self._greeted: Promise[str] = Promise()
        self._greenlets: list[gevent.Greenlet[..., None]] = []
        self._watch: Any = None
        self._watch_at = 0.0
        self._where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.closed_by: LinkError | RemoteProtocolError | None = None

    def __repr__(self) -> str:
        """One line for a log; the password is not in it."""
        state = "connected" if self.connected else f"closed ({self.closed_by})" if self.closed_by else "new"
        return f"<Link {self._where} {state}, {len(self._pending)} commands in flight>"

    # -- opening --------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Connect and authenticate. Blocks this greenlet for at most twice ``timeout`` seconds.

        Raises:
            ConnectFailed: nothing listens there, or it did not greet as FreeSWITCH does in time.
            AccessDenied: the access list refuses our address.
            AuthenticationFailed: the password is wrong.
        """
        where = self._where
        try:
            self.sock = gevent.socket.create_connection((self.host, self.port), timeout=self.timeout)
        except OSError as error:
            raise ConnectFailed(
                f"cannot reach FreeSWITCH's event socket at {where}: {error.strerror or error}. "
                "Is FreeSWITCH running, and does event_socket.conf.xml listen on this address and port?"
            ) from error
        self.sock.settimeout(None)
        self.sock.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_NODELAY, 1)
        self.connected = True
        self.start_event_handlers()
        try:
            greeting = self._greeted.wait(self.timeout)
        except gevent.Timeout as error:
            silent = ConnectFailed(f"{where} accepted us and said nothing for {self.timeout} s; is it FreeSWITCH?")
            raise self._give_up(silent) from error
        if greeting == "text/rude-rejection":
            raise self._give_up(
                AccessDenied(
                    f"FreeSWITCH at {where} refuses this address by its access list; "
                    "allow it in apply-inbound-acl of event_socket.conf.xml"
                )
            )
        if greeting != "auth/request":
            why = self._reason()
            raise ConnectFailed(f"{where} does not greet as FreeSWITCH does ({why})") from why
        self.authenticate()

    def start_event_handlers(self) -> None:
        """Start the reading and the writing greenlet."""
        self._greenlets = [gevent.spawn(self.receive_events), gevent.spawn(self._write)]

    def authenticate(self) -> None:
        """Say the password. Blocks this greenlet.

        Raises:
            AuthenticationFailed: it is wrong.
        """
        reply = self.request(Auth(self.password).encode(), timeout=self.timeout, name="auth")
        if reply.reply_text != "+OK accepted":
            raise self._give_up(
                AuthenticationFailed(
                    f"FreeSWITCH at {self._where} refuses the password; "
                    'it is <param name="password"> in event_socket.conf.xml'
                )
            )

    # -- commands -------------------------------------------------------------------------------------------------

    def submit(self, command: bytes, answer: Answer, *, timeout: float = REPLY_TIMEOUT_S, name: str = "") -> None:
        """Send a command without waiting for its reply; ``answer`` gets the frame, or the error that ended the wait.

        Never blocks. ``answer`` is called in the reading greenlet and must not block either. On a link that is closed
        it is called at once, with the reason.

        Args:
            command: its bytes, complete.
            answer: whom to tell.
            timeout: seconds that FreeSWITCH may take for it once it has answered the commands before it.
            name: what to call it in errors; its first word, and an api command's name, if not given.
        """
        if not self.connected:
            answer(self._reason())
            return
        named = name or (_NAME.match(command) or [b""])[0].decode("utf-8", "replace")
        self._pending.add(named, timeout, answer)
        self._watch_oldest()
        self._put(command)

    def request(self, command: bytes, *, timeout: float = REPLY_TIMEOUT_S, name: str = "") -> Frame:
        """Send a command and wait for its reply. Blocks this greenlet.

        Raises:
            CommandTimeout: no reply in ``timeout`` seconds after the reply before it; the link is closed with it.
            LinkClosed: the link ended meanwhile, or before.
        """
        reply: Promise[Frame] = Promise()
        self.submit(command, reply.settle, timeout=timeout, name=name)
        return reply.wait()

    def send(self, data: str) -> Any:
        """Send a command as greenswitch does: the command without its blank line; blocks until the reply. See ``request``."""
        return self.request(data.encode("utf-8", "surrogateescape") + b"\n\n")

    def nudge(self) -> None:
        """Write a bare line feed, which wakes FreeSWITCH's listener and means nothing.

        Never blocks and may be called in the hub. While a command is being written it does nothing: a line feed inside
        one would end it.
        """
        if self.connected and not self._writing and not self._unsent:
            with contextlib.suppress(OSError):  # a full buffer needs no nudge, and the reader learns of a broken link
                os.write(self.sock.fileno(), b"\n")

    @property
    def in_flight(self) -> int:
        """Commands without a reply yet."""
        return len(self._pending)

    # -- closing --------------------------------------------------------------------------------------------------

    def close(self, reason: LinkError | RemoteProtocolError | None = None) -> None:
        """Close the connection; every waiting command fails with the reason. Never blocks; harmless when closed."""
        if self.closed_by is not None:
            return
        self.closed_by = reason or LinkClosed(f"the link to {self._where} was closed by us")
        self.connected = False
        self._run = False
        sock = getattr(self, "sock", None)
        if sock is not None:
            sock.close()
        self._greeted.settle("")
        self._pending.fail(self.closed_by)
        if self._on_closed is not None:
            self._on_closed(self.closed_by)
        current = gevent.getcurrent()
        for greenlet in self._greenlets:
            if greenlet is not current:
                greenlet.kill(block=False)
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def stop(self) -> None:
        """Close the connection; the same as ``close``, under greenswitch's name."""
        self.close()

    # -- the greenlets --------------------------------------------------------------------------------------------

    def receive_events(self) -> None:
        """Read until the connection ends. greenswitch's read loop, replaced."""
        decoder = Decoder()
        reads = 0
        try:
            while True:
                data = self.sock.recv(65536)
                if not data:
                    decoder.close()
                    break
                for frame in decoder.feed(data):
                    try:
                        self._take(frame)
                    except (LinkError, RemoteProtocolError) as error:  # an event may turn out malformed when it is read
                        self.close(error)
                    except Exception:  # noqa: BLE001 - a host's own code may raise anything; the reader must live
                        _log.exception("a handler failed", link=self._where, frame=frame.content_type)
                    if self.closed_by is not None:
                        return
                reads += 1
                if reads % _BURST == 0:
                    gevent.sleep(0)
        except RemoteProtocolError as error:
            self.close(error)
        except OSError as error:
            self.close(LinkClosed(f"the connection to {self._where} broke: {error.strerror or error}"))
        else:
            self.close(LinkClosed(f"FreeSWITCH at {self._where} closed the connection"))

    def _take(self, frame: Frame) -> None:
        kind = frame.content_type
        if kind in _REPLIES:
            if not self._pending.reply(frame):
                self.close(RemoteProtocolError("unsolicited-reply", frame.reply_text or ""))
            else:
                self._watch_oldest()
        elif kind in ("auth/request", "text/rude-rejection"):
            if self._greeted.settled:
                self.close(RemoteProtocolError("unexpected-greeting", kind))
            else:
                self._greeted.settle(kind)
        else:
            if self._on_frame is not None:
                self._on_frame(frame)
            if kind == DISCONNECT_NOTICE and not frame.lingering:
                # Nothing of use follows: FreeSWITCH is shutting down, unloading the module, or has had enough of us.
                why = frame.text.partition("\n")[0].strip() or "without a reason"
                self.close(LinkClosed(f"FreeSWITCH at {self._where} ended the connection: {why}"))

    def _put(self, data: bytes) -> None:
        if not self._writing and not self._unsent:
            # At once, if the socket takes it: a switch to the writing greenlet costs as much as the write. If it does
            # not, now or ever again, the writing greenlet finds out which.
            with contextlib.suppress(OSError):
                data = data[os.write(self.sock.fileno(), data) :]
            if not data:
                return
        self._unsent += data
        if len(self._unsent) > _UNSENT_LIMIT:
            self.close(LinkClosed(f"FreeSWITCH at {self._where} does not read what we send"))
        else:
            self._to_send.set()

    def _write(self) -> None:
        """One greenlet writes, so that no command lands inside another, however many greenlets send."""
        try:
            while True:
                self._to_send.wait()
                self._to_send.clear()
                self._writing = True
                while self._unsent:
                    data, self._unsent = self._unsent, bytearray()
                    self.sock.sendall(data)
                self._writing = False
        except OSError as error:
            self.close(LinkClosed(f"the connection to {self._where} broke: {error.strerror or error}"))

    def _watch_oldest(self) -> None:
        """See to it that the oldest command's deadline is noticed; a reply that is late would answer the next one."""
        oldest = self._pending.oldest
        if (
            oldest is None
            or self.closed_by is not None
            or (self._watch is not None and self._watch_at <= oldest.deadline)
        ):
            return  # a watch that is too early looks again
        if self._watch is not None:
            self._watch.close()
        self._watch_at = oldest.deadline
        # A timer of the loop and not a greenlet: one is armed for nearly every command on a quiet link.
        self._watch = gevent.get_hub().loop.timer(max(0.0, oldest.deadline - time.monotonic()))
        self._watch.start(gevent.spawn, self._look, update=True)

    def _look(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        oldest = self._pending.oldest
        if oldest is not None and oldest.deadline <= time.monotonic():
            self.close(CommandTimeout(f"no reply to {oldest.name!r} from {self._where} in time"))
        else:
            self._watch_oldest()

    def _give_up(self, error: LinkError) -> LinkError:
        """Close for this reason; the switch may have hung up on us before, which is not the reason to tell."""
        self.close(error)
        return error

    def _reason(self) -> Exception:
        return self.closed_by or LinkClosed(f"the link to {self._where} is not open")

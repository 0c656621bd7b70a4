"""What greenswitch's inbound and outbound classes share, on our link: handlers by event name, and ``send``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

import gevent
import gevent.event
import structlog
from gevent.queue import Queue

from cti.errors import CtiError, FellBehind, LinkClosed, LinkError, RemoteProtocolError
from cti.esl import DISCONNECT_NOTICE, LOG_DATA, Frame
from cti.switch.accepted import AcceptedLink
from cti.switch.greenswitch_event import ESLEvent, NotConnectedError, OutboundSessionHasGoneAway
from cti.switch.link import Link

EXIT_TIMEOUT_S: Final = 5.0
"""How long ``stop`` waits for FreeSWITCH's goodbye, and for a handler that is running."""

Handler = Callable[[Any], object]

_log = structlog.get_logger("cti.switch")


class ESLProtocol:
    """One connection with greenswitch's names. Handlers run one after another, in one greenlet of their own.

    Attributes:
        connected: whether the connection is up.
        event_handlers: the handlers by event name, subclass, ``log``, ``DISCONNECT`` or ``*``.
        reply_timeout: seconds until a command without a reply ends the connection; greenswitch waits for ever, so this
            is long enough for an ``api originate`` or a ``sync`` application.
        queue_limit: events that may wait for handlers before we leave rather than run out of memory.
    """

    reply_timeout: ClassVar[float] = 3600.0
    queue_limit: ClassVar[int] = 100_000

    sock: Any = None
    sock_file: Any = None

    def __init__(self) -> None:
        self._run = True
        self._commands_sent: list[Any] = []
        self._auth_request_event = gevent.event.Event()
        self._receive_events_greenlet: Any = None
        self._process_events_greenlet: Any = None
        self.event_handlers: dict[str, list[Handler]] = {}
        self._esl_event_queue: Queue[Any] = Queue()
        self._process_esl_event_queue = True
        self._lingering = False
        self._link: Link | None = None
        self.connected = False

    # -- handlers -------------------------------------------------------------------------------------------------

    def register_handle(self, name: str, handler: Handler) -> None:
        """Have ``handler(event)`` called for events of this name; the second time it is ignored."""
        handlers = self.event_handlers.setdefault(name, [])
        if handler not in handlers:
            handlers.append(handler)

    def unregister_handle(self, name: str, handler: Handler) -> None:
        """Take a handler back.

        Raises:
            ValueError: it was not registered.
        """
        if name not in self.event_handlers:
            raise ValueError(f"No handlers found for event: {name}")
        self.event_handlers[name].remove(handler)
        if not self.event_handlers[name]:
            del self.event_handlers[name]

    def process_events(self) -> None:
        """Call handlers for the events that come, until stopped. Runs in a greenlet of its own."""
        while self._run:
            if not self._process_esl_event_queue:
                gevent.sleep(1)
                continue
            event = self._esl_event_queue.get()
            if event is not None:
                self._handle(event)

    def _handle(self, event: Any) -> None:
        handlers = self._handlers_of(event)
        if not handlers:
            return
        before, after = getattr(self, "before_handle", None), getattr(self, "after_handle", None)
        if before is not None:
            self._safe_exec_handler(before, event)
        for handler in tuple(handlers):
            self._safe_exec_handler(handler, event)
        if after is not None:
            self._safe_exec_handler(after, event)

    def _handlers_of(self, event: Any) -> list[Handler] | None:
        kind = _kind(event)
        if kind == DISCONNECT_NOTICE:
            handlers = self.event_handlers.get("DISCONNECT")
        else:
            name = event.headers.get("Event-Name")
            handlers = self.event_handlers.get(event.headers.get("Event-Subclass") if name == "CUSTOM" else name)
            if not handlers and kind == LOG_DATA:
                handlers = self.event_handlers.get("log")
        return handlers or self.event_handlers.get("*")

    def _safe_exec_handler(self, handler: Handler, event: Any) -> None:
        try:
            handler(event)
        except Exception:  # noqa: BLE001 - a handler may raise anything; the others go on
            _log.exception("a handler failed", handler=getattr(handler, "__name__", repr(handler)), kind=_kind(event))

    # -- the connection -------------------------------------------------------------------------------------------

    def start_event_handlers(self) -> None:
        """Begin to read, on ``sock``, and to call handlers."""
        link = self._accepted()
        link.start_event_handlers()
        self._process_events_greenlet = gevent.spawn(self.process_events)

    def receive_events(self) -> None:
        """Read from ``sock`` until it ends. Blocks this greenlet; ``start_event_handlers`` does it in the background."""
        link = self._accepted()
        try:
            link.receive_events()
        except Exception as error:  # noqa: BLE001 - whatever stops the reader ends the connection: nobody may wait on it
            link.close(LinkClosed(f"reading failed: {error}"))

    def _accepted(self) -> AcceptedLink:
        link = AcceptedLink(self.sock, "FreeSWITCH", on_event=self._take, on_closed=self._closed)
        self._link = link
        return link

    def _take(self, frame: Frame) -> None:
        self.handle_event(ESLEvent.of_frame(frame))

    def handle_event(self, event: Any) -> None:
        """Take a message that is no reply: note what it says about the connection, and queue it for the handlers."""
        if _kind(event) == DISCONNECT_NOTICE:
            if event.headers.get("Content-Disposition") == "linger":
                self._lingering = True
            else:
                self.connected = False
        elif _kind(event) == "text/rude-rejection":
            self.connected = False
            self._auth_request_event.set()
            return
        if self._esl_event_queue.qsize() >= self.queue_limit:
            raise FellBehind(f"{self.queue_limit} events wait for their handlers")
        self._esl_event_queue.put(event)

    def _closed(self, reason: LinkError | RemoteProtocolError) -> None:
        _log.debug("event socket closed", reason=str(reason))
        self.connected = False

    def send(self, data: str) -> Any:
        """Send a command, without its blank line, and return the reply. Blocks this greenlet.

        Raises:
            NotConnectedError: there is no connection, or it ended before the reply came.
        """
        if not self.connected or self._link is None:
            raise NotConnectedError("not connected")
        try:
            frame = self._link.request(data.encode("utf-8", "surrogateescape") + b"\n\n", timeout=self.reply_timeout)
        except (LinkError, RemoteProtocolError) as error:
            raise self._lost(error) from error
        return ESLEvent.of_frame(frame)

    def _lost(self, error: CtiError) -> CtiError:
        return NotConnectedError(str(error))

    def stop(self) -> None:
        """Say goodbye, end the greenlets, close the socket. Blocks this greenlet for a few seconds at most."""
        if self.connected:
            with gevent.Timeout(EXIT_TIMEOUT_S, False):  # type: ignore[arg-type]  # False: no exception
                try:
                    self.send("exit")
                except (NotConnectedError, OutboundSessionHasGoneAway, OSError) as error:
                    _log.debug("no goodbye", reason=str(error))
        self._run = False
        self.connected = False
        self._esl_event_queue.put(None)
        if self._link is not None:
            self._link.close()
        for greenlet in (self._receive_events_greenlet, self._process_events_greenlet):
            if greenlet is not None and greenlet is not gevent.getcurrent():
                greenlet.join(timeout=EXIT_TIMEOUT_S)
        for closable in (self.sock, self.sock_file):
            if closable is not None:
                closable.close()


def _kind(event: Any) -> str:
    if isinstance(event, ESLEvent):
        return event.content_type
    return str(event.headers.get("Content-Type", ""))

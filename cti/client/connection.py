"""The connection to the server: one socket at a time, owned by one greenlet or thread, made again when it is lost."""

from __future__ import annotations

import contextlib
import itertools
import queue
import socket
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
import zmq
from attrs import define
from zmq.utils.monitor import recv_monitor_message

from cti.api import envelope
from cti.client.concurrency import Concurrency
from cti.client.failure import NoReply, OutcomeUnknown, TurnedAway, raised
from cti.client.keys import Keys
from cti.errors import CtiError

RETRY_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""How long to wait before each new try to connect; then the last for ever."""
FIRST_REPLY_S: Final = 5.0
"""A server that has not said hello by then is not there."""
GRACE_S: Final = 5.0
"""How much later than a heartbeat its reply may come."""

_FAILED: Final = {
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "the server does not accept this key",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "the server speaks without encryption, or this client does",
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "no secure connection: the server's key may be another",
}
_WATCHED: Final = zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED | sum(_FAILED)

_log = structlog.get_logger("cti.client")


@define(eq=False)
class Pending:
    """A request that waits for its reply."""

    payload: bytes
    done: Callable[[Any], None]
    """Called with the result, or with an exception."""
    sent: bool = False
    own: bool = False
    """Whether it is the connection's own, and ends with it."""


class _Lost(Exception):
    """The connection is to be made again."""


class Connection:
    """Keeps a connection to the server.

    Args:
        address: of the server's ROUTER socket.
        keys: for an encrypted connection.
        concurrency: greenlets or threads.
        on_up: called when the server has said hello; in the owner, must not block.
        on_message: called with each message that is no reply; the same.
        on_pulse: called with each answer to a heartbeat; the same.
        on_end: called when there will be no connection any more, with the reason; the same.
    """

    def __init__(
        self,
        address: str,
        keys: Keys | None,
        concurrency: Concurrency,
        *,
        on_up: Callable[[], None],
        on_message: Callable[[Mapping[str, Any]], None],
        on_pulse: Callable[[Mapping[str, Any]], None],
        on_end: Callable[[Exception], None],
    ) -> None:
        self.address = address
        self._keys = keys
        self._concurrency = concurrency
        self._on_up, self._on_message, self._on_pulse, self._on_end = on_up, on_message, on_pulse, on_end
        self._zmq = concurrency.zmq
        self._context = self._zmq.Context()
        self._prefix = uuid.uuid4().hex[:16]
        self._numbers = itertools.count(1)
        self._pending: dict[str, Pending] = {}
        self._outbox: deque[str] = deque()
        self._calls: deque[Callable[[], None]] = deque()
        self._asleep, self._alarm = socket.socketpair()
        for end in (self._asleep, self._alarm):
            end.setblocking(False)
        self._closing = False
        self._epoch = ""
        self._up = False
        self.turned_away: TurnedAway | None = None
        self.why_down = "not connected yet"
        self.welcome: Mapping[str, Any] = {}
        self._owner = concurrency.spawn(self._run)

    # -- for anybody ----------------------------------------------------------------------------------------------

    def request(self, method: str, params: Mapping[str, Any], timeout: float) -> Any:
        """Make a request and wait for its reply. Blocks the caller for at most ``timeout`` seconds.

        Raises:
            RequestRefused: the server refuses it.
            NoReply: none came in time.
            OutcomeUnknown: the server was started anew meanwhile.
            TurnedAway: the server does not accept this client.
        """
        box = self._concurrency.queue(1)
        id_ = self.begin(method, params, box.put_nowait)
        try:
            outcome = box.get(timeout=timeout)
        except queue.Empty:
            self._pending.pop(id_, None)
            why = f": {self.why_down}" if not self._up else ""
            raise NoReply(f"{self.address} did not reply to {method} within {timeout:g} s{why}") from None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def begin(self, method: str, params: Mapping[str, Any], done: Callable[[Any], None], *, own: bool = False) -> str:
        """Make a request; ``done`` is called with its outcome, in the owner. Never blocks."""
        id_ = f"{self._prefix}-{next(self._numbers)}"
        self._pending[id_] = Pending(envelope.packed_request(id_, method, params), done, own=own)
        if self.turned_away is not None or self._closing:
            self._settle(id_, self.turned_away or NoReply("the client has been closed"))
            return id_
        self._outbox.append(id_)
        self.wake()
        return id_

    def call(self, work: Callable[[], None]) -> None:
        """Have something done in the owner while there is a connection; else never, since ``on_up`` comes then."""
        self._calls.append(work)
        self.wake()

    @property
    def state(self) -> str:
        """One phrase for a log."""
        if self.turned_away is not None:
            return str(self.turned_away)
        return f"connected as {self.welcome['name']}" if self._up else self.why_down

    def wake(self) -> None:
        """Let the owner look at what there is to do."""
        with contextlib.suppress(BlockingIOError, OSError):  # full: it is awake already
            self._alarm.send(b"\0")

    def close(self) -> None:
        """Close the connection; what is pending fails. Blocks until it is done."""
        self._closing = True
        self.wake()
        self._concurrency.join(self._owner, 5.0)

    # -- in the owner ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        tries = 0
        while not self._closing and self.turned_away is None:
            began = time.monotonic()
            try:
                self._live()
            except _Lost as why:
                self.why_down = str(why)
            if self._up:
                tries = 0
            if self._up and not self._closing:
                _log.info("connection lost", server=self.address, why=self.why_down)
            self._up = False
            self._drop_own()
            if not self._closing and self.turned_away is None:
                self._sleep(began + RETRY_S[min(tries, len(RETRY_S) - 1)] - time.monotonic())
                tries += 1
        end = self.turned_away or NoReply("the client has been closed")
        for id_ in list(self._pending):
            self._settle(id_, end)
        self._on_end(end)
        self._context.destroy(linger=0)
        self._asleep.close()
        self._alarm.close()

    def _live(self) -> None:
        """One connection, from the first message to the last."""
        made = self._context.socket(self._zmq.DEALER)
        made.set(self._zmq.LINGER, 0)
        made.set(self._zmq.RECONNECT_IVL, -1)  # a connection that ends takes what the server knew of us with it
        made.set(self._zmq.SNDHWM, 0)
        made.set(self._zmq.IPV6, "[" in self.address)
        if self._keys is not None:
            self._keys.put_on(made)
        watch = made.get_monitor_socket(_WATCHED)
        try:
            made.connect(self.address)
            self._converse(made, watch)
        except zmq.ZMQError as error:
            raise _Lost(str(error)) from None
        finally:
            made.disable_monitor()
            watch.close(linger=0)
            made.close(linger=0)

    def _converse(self, made: Any, watch: Any) -> None:
        poller = self._zmq.Poller()
        for one in (made, watch, self._asleep.fileno()):
            poller.register(one, self._zmq.POLLIN)
        hello = self._pending[self.begin("hello", {}, self._greeted, own=True)]
        hello.sent = True  # nothing else is sent before its reply
        self._put(made, hello)
        heard = time.monotonic()
        ping_at, silent_at = float("inf"), heard + FIRST_REPLY_S
        while not self._closing:
            now = time.monotonic()
            if now >= silent_at:
                raise _Lost(f"nothing heard from the server for {now - heard:.0f} s")
            if now >= ping_at:
                self.begin("ping", {}, self._pulse, own=True)
                ping_at, silent_at = now + self._heartbeat_s, min(silent_at, now + GRACE_S)
            if self._up:
                self._send_waiting(made)
            poller.poll(max(0.0, min(ping_at, silent_at) - time.monotonic()) * 1000)
            self._hush()
            if self._take_all(made):
                heard = time.monotonic()
                silent_at = heard + self._heartbeat_s + GRACE_S
                ping_at = min(ping_at, heard + self._heartbeat_s) if self._up else ping_at
            self._look(watch)
            if self.turned_away is not None:
                return

    @property
    def _heartbeat_s(self) -> float:
        return float(self.welcome.get("heartbeat_s", FIRST_REPLY_S))

    def _send_waiting(self, made: Any) -> None:
        while self._calls:
            self._calls.popleft()()
        while self._outbox:
            pending = self._pending.get(self._outbox.popleft())
            if pending is not None and not pending.sent:
                pending.sent = True
                self._put(made, pending)

    def _put(self, made: Any, pending: Pending) -> None:
        try:
            made.send(pending.payload, self._zmq.NOBLOCK)
        except zmq.Again:
            raise _Lost("the connection ended") from None

    def _take_all(self, made: Any) -> bool:
        """Take what has come; says whether anything had."""
        taken = False
        while True:
            try:
                payload = made.recv(self._zmq.NOBLOCK)
            except zmq.Again:
                return taken
            taken = True
            try:
                self._take(envelope.unpacked(payload))
            except _Lost:
                raise
            except Exception as error:
                _log.exception("a message of the server makes no sense", server=self.address)
                raise _Lost(f"a message of the server makes no sense: {error}") from error

    def _take(self, message: Any) -> None:
        if not isinstance(message, dict) or message.get("v") != envelope.VERSION:
            raise _Lost("the server speaks another version of the protocol")
        if "id" in message:
            if message["id"] is not None:
                self._settle(message["id"], raised(message["error"]) if "error" in message else message.get("result"))
        elif "closed" in message:
            self._closed(message["closed"])
        else:
            self._on_message(message)

    def _closed(self, error: Mapping[str, Any]) -> None:
        if error.get("code") == "security.unknown_key":
            self._turn_away(str(error.get("message")))
        raise _Lost(str(error.get("message")))

    def _greeted(self, outcome: Any) -> None:
        if isinstance(outcome, Exception):
            if isinstance(outcome, CtiError) and outcome.retryable:
                raise _Lost(str(outcome))
            self._turn_away(str(outcome))
            return
        self.welcome, earlier, self._epoch = outcome, self._epoch, outcome["epoch"]
        self._up = True
        self._calls.clear()
        for id_, pending in list(self._pending.items()):
            if pending.own:
                continue
            if pending.sent and earlier != self._epoch:  # a server that lives on knows by the id what it has done
                self._settle(id_, OutcomeUnknown(f"{self.address} was started anew; the request may have been done"))
            else:
                pending.sent = False
                self._outbox.append(id_)
        self._on_up()

    def _pulse(self, outcome: Any) -> None:
        if not isinstance(outcome, Exception):
            self._on_pulse(outcome)

    def _turn_away(self, why: str) -> None:
        self.turned_away = TurnedAway(f"{self.address}: {why}")

    def _look(self, watch: Any) -> None:
        """See what ZeroMQ says of the connection."""
        while True:
            try:
                event = recv_monitor_message(watch, self._zmq.NOBLOCK)["event"]
            except zmq.Again:
                return
            if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                self._turn_away(_FAILED[event])
                return
            raise _Lost(_FAILED.get(event, "the connection ended" if self._up else "nothing answers there"))

    def _drop_own(self) -> None:
        for id_ in [id_ for id_, pending in self._pending.items() if pending.own]:
            del self._pending[id_]

    def _settle(self, id_: str, outcome: Any) -> None:
        pending = self._pending.pop(id_, None)
        if pending is not None:
            pending.done(outcome)

    def _hush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._asleep.recv(4096):
                pass

    def _sleep(self, seconds: float) -> None:
        """Wait for so long, or until the client is closed."""
        poller = self._zmq.Poller()
        poller.register(self._asleep.fileno(), self._zmq.POLLIN)
        until = time.monotonic() + seconds
        while not self._closing and (left := until - time.monotonic()) > 0:
            poller.poll(left * 1000)
            self._hush()

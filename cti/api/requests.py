"""Requests: from the frames of a message to the reply, within the limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import gevent.pool
import structlog
import zmq.green as zmq
from attrs import define, frozen

from cti.api import envelope
from cti.api.centre import Centre
from cti.api.converter import plain, structured
from cti.api.dispatch import find, invoke
from cti.api.grant import Grant
from cti.api.limits import Limits
from cti.api.method import Method
from cti.api.peers import Peer, Peers
from cti.api.refusal import Malformed, OwnRoutingId, TooBusy, TooFast, TooManyClients, UnknownKey, error_record
from cti.api.replay import Doing, ReplayWindow
from cti.api.service import Service
from cti.api.session_methods import SESSION_METHODS, Session
from cti.api.tally import Tally
from cti.api.telling import Telling

BYTES_PER_TOKEN: Final = 4_096
"""A long request counts for more: what it costs to read grows with its length."""
SMALL: Final = 512
"""A request too many is still read if it is so short, so that its refusal carries its id."""

_log = structlog.get_logger("cti.api")


@frozen
class Done:
    """A request that was to change something, for the audit."""

    at: float
    """Unix seconds."""
    who: str
    """The name of the key."""
    address: str
    """Where the client is."""
    method: str
    params: Mapping[str, Any]
    """As they were sent."""
    code: str
    """What it was refused with; empty when it was done."""


class Requests:
    """Handles messages, one after another; what takes long goes on in a greenlet of its own.

    Args:
        centre: what is asked for is done there.
        telling: the events' side.
        limits: of each client.
        who: the grant of a message's sender; None for an unknown key.
        send: puts a message into the queue of a connection.
        audit: called with each request that was to change something, done or refused; must not block.
    """

    def __init__(  # noqa: PLR0917 - made in one place
        self,
        centre: Centre,
        telling: Telling,
        limits: Limits,
        who: Callable[[Any], Grant | None],
        send: Callable[[bytes, bytes], object],
        audit: Callable[[Done], object] | None,
    ) -> None:
        self.peers = Peers(limits)
        self.replays = ReplayWindow()
        self.tally = Tally()
        self._centre = centre
        self._telling = telling
        self._limits = limits
        self._who = who
        self._send = send
        self._audit = audit
        self._pool = gevent.pool.Group()

    def stop(self) -> None:
        """Let nothing go on."""
        self._pool.kill(block=False)

    def forget(self, peer: Peer) -> None:
        """A client is gone, or is to be as if it were."""
        self._telling.readers.discard(peer)
        self.peers.remove(peer)

    def handle(self, frames: list[Any]) -> bool:
        """Handle a message; its reply is sent now or later. Says whether it was one too many.

        Args:
            frames: as received: the route, then what the client sent, with what ZeroMQ knows of the connection.
        """
        now = time.monotonic()
        self.tally.requests += 1
        message = _Message(frames[0].bytes)
        try:
            self._read(message, frames, now)
        except (TooFast, UnknownKey, TooManyClients, OwnRoutingId) as error:
            self._refuse(message, error, now)
            return True
        except envelope.Unreadable as error:
            message.id = error.id
            self._refuse(message, error.reason, now)
        except Exception as error:  # noqa: BLE001 - nothing a client sends may end the server
            self._refuse(message, error, now)
        return False

    def _read(self, message: _Message, frames: list[Any], now: float) -> None:
        """Find out what a message asks for, and begin it; ``message`` takes what is known of it for a refusal."""
        peer = self._peer(message.route, frames, now)
        message.who = peer.grant.name
        if len(frames) != 2:
            raise Malformed("a request is one frame")
        payload = frames[1].bytes
        within = peer.may(1 + len(payload) // BYTES_PER_TOKEN, now)
        if within or len(payload) <= SMALL:
            request = envelope.request(payload, self._limits)
            message.id = request.id
        if not within:
            raise TooFast(f"more than {self._limits.requests_per_s:g} requests a second")
        method = find(request.method, SESSION_METHODS)
        message.method = method.name
        if method.cost > 1 and not peer.may(method.cost - 1, now):
            raise TooFast(f"{method.name} counts for {method.cost:g} requests; too many for now")
        self._begin(peer, request, method, payload, now)

    def _peer(self, route: bytes, frames: list[Any], now: float) -> Peer:
        known = self.peers.find(route)
        grant = self._who(frames[-1])
        if grant is None:
            raise UnknownKey("the server does not know this key, or no longer")
        if known is None:
            # A route that the client chose itself could be another's; those that ZeroMQ gives begin with a zero byte.
            if not route.startswith(b"\0"):
                raise OwnRoutingId("do not set a routing id (ZMQ_ROUTING_ID); the server gives one")
            return self.peers.admit(route, grant, _address(frames[-1]), now)
        self.peers.heard(known, now)
        return known

    def _begin(self, peer: Peer, request: envelope.Request, method: Method, payload: bytes, now: float) -> None:
        doing = None
        if method.slow and peer.under_way >= self._limits.under_way:
            raise TooBusy(f"{peer.under_way} slow requests are under way on this connection; wait for one")
        if method.changes:
            doing, new = self.replays.begin(peer.grant.name, request.id, payload, now)
            doing.route = peer.route
            if not new:
                if doing.reply is not None:
                    self._send(peer.route, doing.reply)
                return
        if not method.slow:
            self._do(peer, request, method, doing)
            return
        peer.under_way += 1
        self._pool.spawn(self._do_slowly, peer, request, method, doing)

    def _do_slowly(self, peer: Peer, request: envelope.Request, method: Method, doing: Doing | None) -> None:
        try:
            self._do(peer, request, method, doing)
        finally:
            peer.under_way -= 1

    def _do(self, peer: Peer, request: envelope.Request, method: Method, doing: Doing | None) -> None:
        code = ""
        try:
            message = envelope.reply(request.id, self._result(peer, request, method))
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told that it failed
            said = error_record(error)
            code = said.code
            self.tally.refuse(code, peer.grant.name, time.monotonic(), method=method.name)
            message = envelope.refusal(request.id, said)
        route = peer.route
        if doing is not None:
            doing.reply, route = message, doing.route
            if self._audit is not None:
                self._audited(Done(time.time(), peer.grant.name, peer.address, method.name, request.params, code))
        self._send(route, message)

    def _result(self, peer: Peer, request: envelope.Request, method: Method) -> Any:
        if method.name in SESSION_METHODS:
            session = Session(peer, self._telling, self._limits)
            return plain(method.call(session, structured(method.params, request.params)))  # type: ignore[arg-type]
        service = Service(self._centre, self._telling.numbering, self._telling.calls, peer.grant)
        return invoke(service, method, request.params)

    def _audited(self, done: Done) -> None:
        assert self._audit is not None
        try:
            self._audit(done)
        except Exception:  # noqa: BLE001 - a host's own code may raise anything
            _log.exception("the audit failed", method=done.method, key=done.who)

    def _refuse(self, message: _Message, error: Exception, now: float) -> None:
        said = error_record(error)
        self.tally.refuse(said.code, message.who, now, method=message.method)
        self._send(message.route, envelope.refusal(message.id, said))


@define
class _Message:
    """What is known of a message so far."""

    route: bytes
    who: str = ""
    id: str | None = None
    method: str = ""


def _address(frame: Any) -> str:
    try:
        return str(frame.get("Peer-Address"))
    except zmq.ZMQError:
        return ""

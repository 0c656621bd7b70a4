"""The API's server: requests on a ROUTER socket, events to those who subscribe there, and a publisher."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import gevent
import gevent.event
import structlog
import zmq.green as zmq

from cti.api import envelope
from cti.api.centre import Centre
from cti.api.gatekeeper import Gatekeeper
from cti.api.grant import LOCAL, Grant
from cti.api.keyring import KeyRing
from cti.api.limits import Limits
from cti.api.numbering import Numbering
from cti.api.peers import Peer
from cti.api.publisher import Publisher
from cti.api.refusal import KeyChanged, UnknownKey, error_record
from cti.api.requests import Done, Requests
from cti.api.role import DefinedRole
from cti.api.sockets import Sockets, check_plain
from cti.api.tally import Tally
from cti.api.telling import Telling
from cti.errors import ConfigurationError

REQUESTS: Final = "tcp://127.0.0.1:8100"
EVENTS: Final = "tcp://127.0.0.1:8101"
SLICE_S: Final = 0.001
"""How long requests are handled before everybody else gets a turn: by so much they may delay an offer."""
PENALTY_S: Final = 0.005
"""How long nothing is read after a slice that was mostly requests too many: then their sender's queue fills, not ours."""
SWEEP_EVERY_S: Final = 1.0
"""How often silent clients are forgotten, a changed keys file is read, and the publisher beats."""

_log = structlog.get_logger("cti.api")


class ApiServer:
    """Serves a call centre to programs on other machines, over ZeroMQ; docs/protocol.md is what they read.

    To be made and used in the thread of the centre. It has a ZeroMQ context of its own.

    Args:
        centre: what is served; a CallCenter.
        bind: where requests are taken; with port ``*`` the system chooses one, see ``address``.
        publish: where events are published for those who may see all; None for nowhere.
        keys: the directory that `cti keys` makes. None: no encryption, and whoever connects may do everything.
        allow_plain: that without keys an address may be one that other machines reach.
        limits: what one client may ask for.
        audit: called with each request that was to change something, done or refused; must not block.
        roles: those of the operator's own, by name, that keys may have.

    Raises:
        ConfigurationError: plain sockets that others could reach, or keys that cannot be read.
    """

    def __init__(
        self,
        centre: Centre,
        *,
        bind: str = REQUESTS,
        publish: str | None = EVENTS,
        keys: str | os.PathLike[str] | None = None,
        allow_plain: bool = False,
        limits: Limits | None = None,
        audit: Callable[[Done], object] | None = None,
        roles: Mapping[str, DefinedRole] | None = None,
    ) -> None:
        if keys is None and not allow_plain:
            for address in filter(None, (bind, publish)):
                check_plain(address)
        self._centre = centre
        self._bind = self._address = bind
        self._publish = publish
        self._limits = limits or Limits()
        self._audit = audit
        self._keys = KeyRing(keys, roles) if keys is not None else None
        self._greenlets: list[gevent.Greenlet[..., Any]] = []
        self._gatekeeper: Gatekeeper | None = None
        self._publisher: Publisher | None = None
        self.failed: gevent.event.AsyncResult[Any] = gevent.event.AsyncResult()
        """Set when a part of the server ended that must not; ``get`` raises why."""

    def __repr__(self) -> str:
        """One line for a log."""
        state = f"{len(self._requests.peers)} clients" if self._greenlets else "stopped"
        return f"<ApiServer {self._bind} {state}>"

    def start(self) -> None:
        """Bind and serve; harmless when it serves already. Does not block.

        Raises:
            ConfigurationError: an address cannot be bound.
        """
        if self._greenlets:
            return
        sockets = self._sockets = Sockets(self._keys, self._limits, ipv6="[" in f"{self._bind}{self._publish}")
        numbering = Numbering(self._centre.alarms.now)  # the engine's clock: after a restart it is not this machine's
        try:
            if self._keys is not None:
                domains = {"requests": self._is_known, "events": self._sees_all}
                self._gatekeeper = Gatekeeper(sockets.context, domains)
            self._router = sockets.router()
            self._router.bind(self._bind)
            self._address = str(self._router.getsockopt_string(zmq.LAST_ENDPOINT))
            if self._publish is not None:
                self._publisher = Publisher(sockets.publisher, self._publish, numbering)
        except zmq.ZMQError as error:
            sockets.close()
            raise ConfigurationError(f"cannot bind {self._bind} and {self._publish}: {error}") from None
        self._telling = Telling(self._centre, numbering, self._send_to, self._publisher)
        self._requests = Requests(self._centre, self._telling, self._limits, self._grant_of, self._send, self._audit)
        work: list[Callable[[], None]] = [self._serve, self._telling.run, self._sweep]
        if self._gatekeeper is not None:
            work.append(self._gatekeeper.run)
        for one in work:
            greenlet = gevent.spawn(one)
            greenlet.link_exception(self._ended)
            self._greenlets.append(greenlet)

    def stop(self) -> None:
        """Serve no more; connections are closed, and the addresses are free again."""
        if not self._greenlets:
            return
        self._telling.stop()
        self._requests.stop()
        gevent.killall(self._greenlets)
        self._greenlets.clear()
        self._router.close(linger=0)
        if self._publisher is not None:
            self._publisher.close()
        if self._gatekeeper is not None:
            self._gatekeeper.close()
        self._sockets.close()

    @property
    def address(self) -> str:
        """Where requests are taken, with the port that the system chose."""
        return self._address

    @property
    def encrypted(self) -> bool:
        """Whether clients need a key."""
        return self._keys is not None

    @property
    def publish_address(self) -> str:
        """Where events are published; empty for nowhere."""
        return self._publisher.address if self._publisher is not None else ""

    @property
    def tally(self) -> Tally:
        """How many requests there were, and how many were refused with which code."""
        return self._requests.tally

    @property
    def clients(self) -> int:
        """How many connections are served."""
        return len(self._requests.peers)

    def reload_keys(self) -> None:
        """Read the keys file again, which also happens within a second of a change of it.

        A client whose key is gone, or allows something else now, is told so and has to connect anew. May block this
        greenlet for a second, while the publisher is opened again.

        Raises:
            ConfigurationError: the file is missing or wrong; the keys stay as they were.
        """
        if self._keys is not None:
            self._take_over(self._keys, self._keys.reload)

    def use_roles(self, roles: Mapping[str, DefinedRole]) -> None:
        """From now on these are the operator's own roles. Tells clients, and may block, as ``reload_keys`` does.

        Raises:
            ConfigurationError: the keys file cannot be used with them; the keys stay as they were until it can.
        """
        if (keys := self._keys) is not None:
            self._take_over(keys, lambda: keys.use(roles))

    def _take_over(self, keys: KeyRing, read: Callable[[], None]) -> None:
        before = keys.publics(lambda grant: grant.sees_all)
        read()
        for peer in self._requests.peers:
            grant = keys.find(peer.grant.public)
            if grant != peer.grant:
                why = KeyChanged("the key allows something else now; connect anew") if grant else _REVOKED
                self._send(peer.route, envelope.closed(error_record(why)))
                self._requests.forget(peer)
        if self._publisher is not None and before - keys.publics(lambda grant: grant.sees_all):
            self._publisher.reopen()

    # -- greenlets ------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        """The only greenlet that reads the ROUTER socket. Others write to it: a write never waits, so never switches."""
        while True:
            frames = self._router.recv_multipart(copy=False)
            until = time.monotonic() + SLICE_S
            handled = too_many = 0
            while frames is not None:
                handled += 1
                too_many += self._requests.handle(frames)
                frames = self._next_frames() if time.monotonic() < until else None
            gevent.sleep(PENALTY_S if too_many * 2 > handled else 0)

    def _next_frames(self) -> list[Any] | None:
        try:
            frames: list[Any] = self._router.recv_multipart(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return None
        return frames

    def _sweep(self) -> None:
        while True:
            gevent.sleep(SWEEP_EVERY_S)
            try:
                self._swept(time.monotonic())
            except ConfigurationError as error:
                _log.error("the keys file is not taken over", reason=str(error))
            if self._publisher is not None:
                self._publisher.beat()

    def _swept(self, now: float) -> None:
        for peer in self._requests.peers.silent(now):
            self._requests.forget(peer)
        self._requests.replays.expire(now)
        self._requests.tally.expire(now)
        if self._keys is not None and self._keys.is_changed():
            self.reload_keys()
            _log.info("the keys file was read again", keys=len(self._keys))

    def _ended(self, greenlet: gevent.Greenlet[..., Any]) -> None:
        assert greenlet.exception is not None
        _log.critical("a part of the API's server ended", exc_info=greenlet.exception)
        self.failed.set_exception(greenlet.exception)

    # -- to clients -----------------------------------------------------------------------------------------------

    def _send_to(self, peer: Peer, message: bytes) -> bool:
        return self._send(peer.route, message)

    def _send(self, route: bytes, message: bytes) -> bool:
        """Put a message into a connection's queue; False when it is full, or the connection is gone."""
        try:
            self._router.send_multipart([route, message], zmq.NOBLOCK)
        except zmq.ZMQError as error:
            if error.errno == errno.EHOSTUNREACH:
                peer = self._requests.peers.find(route)
                if peer is not None:
                    self._requests.forget(peer)
            elif error.errno != zmq.EAGAIN:
                raise
            self.tally.unsent += 1
            return False
        return True

    # -- who is who -----------------------------------------------------------------------------------------------

    def _grant_of(self, frame: Any) -> Grant | None:
        """Whose message this is: ZeroMQ keeps with it the key that its connection was made with."""
        if self._keys is None:
            return LOCAL
        return self._keys.find(frame.get("User-Id"))

    def _is_known(self, public: str) -> bool:
        assert self._keys is not None
        return self._keys.find(public) is not None

    def _sees_all(self, public: str) -> bool:
        assert self._keys is not None
        grant = self._keys.find(public)
        return grant is not None and grant.sees_all


_REVOKED: Final = UnknownKey("the key was revoked")

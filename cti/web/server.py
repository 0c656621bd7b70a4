"""The web server: the API's methods and events over HTTP, a wallboard, metrics."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import gevent
import gevent.event
import structlog

from cti.api.centre import Centre
from cti.api.requests import Done
from cti.api.role import DefinedRole
from cti.api.tally import Tally
from cti.errors import ConfigurationError
from cti.web.accounts import Accounts
from cti.web.app import application
from cti.web.door import Door
from cti.web.events_resource import EventsResource
from cti.web.feed import Feed
from cti.web.http_handler import HttpServer
from cti.web.limits import WebLimits
from cti.web.listening import check_open, listener, tls_context
from cti.web.log_in import LogIn
from cti.web.methods_resource import Methods
from cti.web.metrics import CentreMetrics, ServerMetrics, registry
from cti.web.passwords import Passwords
from cti.web.session_store import SessionStore
from cti.web.sessions import Sessions
from cti.web.standing import Pulse

BIND: Final = "127.0.0.1:8080"
SWEEP_EVERY_S: Final = 1.0
"""How often a changed accounts file is read, and what is over is forgotten."""

_log = structlog.get_logger("cti.web")


class WebServer:
    """Serves a call centre over HTTP; docs/http.md is what its users read. Does not monkey-patch.

    To be made and used in the thread of the centre.

    Args:
        centre: what is served; a CallCenter.
        bind: host and port; with port 0 the system chooses one, see ``url``.
        accounts: the file that `cti accounts` makes. None: whoever is on this machine may do everything.
        certificate: the file of a TLS certificate and its chain; empty for plain HTTP.
        key: the file of its key; empty if it is in the same.
        proxied: that a proxy on the way speaks HTTPS to clients, and says where they are in ``X-Forwarded-For``.
        allow_plain: that without TLS, or without accounts, the address may be one that other machines reach.
        metrics_token: a bearer token for ``/metrics`` alone; empty for none.
        wallboard: whether there is a page at ``/``.
        limits: what one client may ask for.
        audit: called with each request that was to change something, done or refused; must not block.
        sessions: the file where sessions are kept over a restart, as hashes; None: whoever is logged in has to log in again.
        roles: those of the operator's own, by name, that accounts may have.
        collectors: more for ``/metrics``, such as ``api_metrics(server)``.

    Raises:
        ConfigurationError: an address that others could reach without accounts or TLS, or files that cannot be read.
    """

    def __init__(
        self,
        centre: Centre,
        bind: str = BIND,
        *,
        accounts: str | os.PathLike[str] | None = None,
        certificate: str | os.PathLike[str] = "",
        key: str | os.PathLike[str] = "",
        proxied: bool = False,
        allow_plain: bool = False,
        metrics_token: str = "",
        wallboard: bool = True,
        limits: WebLimits | None = None,
        audit: Callable[[Done], object] | None = None,
        sessions: str | os.PathLike[str] | None = None,
        roles: Mapping[str, DefinedRole] | None = None,
        collectors: Iterable[Any] = (),
    ) -> None:
        self._host, self._port = listener(bind)
        self._tls = tls_context(certificate, key) if certificate else None
        if not allow_plain:
            check_open(bind, accounts=accounts is not None, tls=self._tls is not None)
        self._centre = centre
        self._limits = limits or WebLimits()
        self._accounts = Accounts(accounts, roles) if accounts is not None else None
        self._proxied = proxied
        self._allow_plain = allow_plain
        self._metrics_token = metrics_token
        self._wallboard = wallboard
        self._audit = audit
        self._kept_at = Path(sessions) if sessions is not None else None
        self._collectors = tuple(collectors)
        self._tally = Tally()
        self._server: HttpServer | None = None
        self._greenlets: list[gevent.Greenlet[..., Any]] = []
        self.failed: gevent.event.AsyncResult[Any] = gevent.event.AsyncResult()
        """Set when a part of the server ended that must not; ``get`` raises why."""

    def __repr__(self) -> str:
        """One line for a log."""
        return (
            f"<WebServer {self.url} {len(self._streams)} streams>"
            if self._server is not None
            else "<WebServer stopped>"
        )

    def start(self) -> None:
        """Bind and serve. Does not block.

        Raises:
            ConfigurationError: the address cannot be bound, or the file of the sessions cannot be used.
        """
        limits = self._limits
        kept = SessionStore(self._kept_at) if self._kept_at is not None and self._accounts is not None else None
        self._sessions = Sessions(limits, kept)
        if self._accounts is not None and (back := self._sessions.bring_back(self._accounts.by_name, time.monotonic())):
            _log.info("sessions go on", sessions=back)
        self._log_in = LogIn(self._accounts, self._sessions, limits, Passwords()) if self._accounts else None
        self._door = Door(
            self._log_in,
            self._sessions,
            limits,
            https=self._proxied or self._tls is not None,
            proxied=self._proxied,
            allow_plain=self._allow_plain,
        )
        self._feed = Feed(self._centre, limits.kept_events)
        self._methods = Methods(self._centre, self._feed, self._door, self._audit)
        self._streams = EventsResource(self._feed, self._door, self._methods)
        pulse = Pulse()
        centre_metrics = CentreMetrics(self._centre, pulse.take_worst)
        app = application(
            self._methods,
            self._feed,
            self._door,
            self._tally,
            pulse=pulse,
            events=self._streams,
            registry=registry((centre_metrics, self._own_metrics(), *self._collectors)),
            metrics_token=lambda: self._metrics_token,
            wallboard=self._wallboard,
        )
        server = HttpServer(
            (self._host, self._port),
            app,
            limits,
            one_address=self._one_address(limits),
            on_unfit=self._unfit,
            ssl=self._tls,
        )
        try:
            server.start()
        except OSError as error:
            self._feed.stop()
            self._end_log_in()
            raise ConfigurationError(f"cannot bind {self._host}:{self._port}: {error.strerror}") from None
        self._server = server
        self._feed.failed.rawlink(self.failed)
        work: list[Callable[[], None]] = [pulse.run, self._sweep]
        if kept is not None:
            work.append(lambda: kept.run(lambda: self._sessions.used(time.monotonic())))
        for each in work:
            greenlet = gevent.spawn(each)
            greenlet.link_exception(self._ended)
            self._greenlets.append(greenlet)

    def stop(self) -> None:
        """Serve no more: streams are told, and connections closed within a second."""
        if self._server is None:
            return
        gevent.killall(self._greenlets)
        self._greenlets.clear()
        self._feed.stop()
        self._server.stop()
        self._server = None
        self._end_log_in()
        self._sessions.close()

    @property
    def url(self) -> str:
        """Where it is, with the port that the system chose; empty while stopped."""
        if self._server is None:
            return ""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls is not None else 'http'}://{host}:{self._server.server_port}"

    @property
    def tally(self) -> Tally:
        """How many requests there were, and how many were refused with which code."""
        return self._tally

    def reload(self) -> None:
        """Read the accounts file again if it has changed, which also happens within a second by itself."""
        if self._log_in is not None:
            self._log_in.take_over()
            self._feed.wake()

    def use(
        self,
        limits: WebLimits,
        *,
        metrics_token: str,
        certificate: str | os.PathLike[str] = "",
        key: str | os.PathLike[str] = "",
    ) -> None:
        """Go on with other settings; nobody is disconnected or logged out for it, unless their session is too old now.

        Args:
            limits: as in the constructor; how many connections there may be stays as it was, streams that are open keep
                theirs.
            metrics_token: as there.
            certificate: as there, for connections to come: a renewed one is read even under the same name. A server that
                began without TLS goes on without it.
            key: as there.

        Raises:
            ConfigurationError: certificate or key cannot be used; nothing is changed.
        """
        if self._tls is not None:
            tls_context(certificate, key)  # so that what runs is not touched by halves
            self._tls.load_cert_chain(certificate, key or None)
        self._limits = limits
        self._metrics_token = metrics_token
        if self._server is not None:
            self._door.use(limits)
            self._feed.keep(limits.kept_events)
            self._server.use(limits, one_address=self._one_address(limits))

    def _one_address(self, limits: WebLimits) -> int:
        """Behind a proxy all connections are from its address."""
        return limits.connections if self._proxied else limits.connections_per_address

    def use_roles(self, roles: Mapping[str, DefinedRole]) -> None:
        """From now on these are the operator's own roles; whose account means something else is logged out.

        Where the accounts file cannot be used with them, that is logged, and the accounts stay as they were.
        """
        if self._log_in is not None:
            self._log_in.use_roles(roles)
            self._feed.wake()

    def _sweep(self) -> None:
        while True:
            gevent.sleep(SWEEP_EVERY_S)
            now = time.monotonic()
            if self._accounts is not None and self._accounts.is_changed():
                self.reload()
            self._sessions.expire(now)
            self._methods.replays.expire(now)
            self._tally.expire(now)

    def _unfit(self, code: str, address: str) -> None:
        self._tally.requests += 1
        self._tally.refuse(code, address, time.monotonic())

    def _ended(self, greenlet: gevent.Greenlet[..., Any]) -> None:
        assert greenlet.exception is not None
        _log.critical("a part of the web server ended", exc_info=greenlet.exception)
        self.failed.set_exception(greenlet.exception)

    def _end_log_in(self) -> None:
        if self._log_in is not None:
            self._log_in.close()

    def _own_metrics(self) -> ServerMetrics:
        log_in = self._log_in
        gauges: dict[str, tuple[str, Callable[[], float]]] = {
            "streams": ("Event streams that are open.", lambda: len(self._streams)),
            "sessions": ("Who is logged in.", lambda: len(self._sessions)),
            "log_ins_failed": ("Since the start.", lambda: log_in.failures if log_in is not None else 0),
            "streams_behind": (
                "Times a stream's reader was too slow, since the start.",
                lambda: self._feed.fell_behind,
            ),
        }
        return ServerMetrics("cti_web", lambda: self._tally.requests, lambda: self._tally.refused, gauges)

"""Who makes a request, and whether they may make it now."""

from __future__ import annotations

import hmac
import time
from typing import Final

import falcon

from cti.api.grant import LOCAL
from cti.api.refusal import TooFast
from cti.api.token_bucket import TokenBucket
from cti.web.buckets import Buckets
from cti.web.limits import WebLimits
from cti.web.log_in import LogIn, NotLoggedIn
from cti.web.problem import Forged, OtherHost
from cti.web.sessions import Session, Sessions

COOKIE: Final = "cti_session"
SECURE_COOKIE: Final = "__Host-cti_session"
"""Browsers take a cookie with this prefix over HTTPS only, and for this very host."""
CSRF_HEADER: Final = "X-CSRF-Token"
LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Door:
    """Finds the session of a request.

    Args:
        log_in: checks passwords; None where there are no accounts, and everybody on this machine may do everything.
        sessions: who is logged in.
        limits: how much a session may ask for, and an address that is not logged in.
        https: whether clients come over HTTPS.
        proxied: whether a proxy in front of us says where clients are (the last entry of ``X-Forwarded-For``).
        allow_plain: that without accounts requests may be for other hosts than this machine.
    """

    def __init__(
        self,
        log_in: LogIn | None,
        sessions: Sessions,
        limits: WebLimits,
        *,
        https: bool,
        proxied: bool,
        allow_plain: bool,
    ) -> None:
        self.log_in = log_in
        self.sessions = sessions
        self.https = https
        self.cookie = SECURE_COOKIE if https else COOKIE
        self._proxied = proxied
        self._any_host = allow_plain
        self._limits = limits
        self._strangers = Buckets(limits.requests_per_s, limits.burst)
        now = time.monotonic()
        self._local = Session(None, LOCAL, "", now, now, TokenBucket(limits.requests_per_s, limits.burst, now))

    def use(self, limits: WebLimits) -> None:
        """From now on these limits count, for those too who are here."""
        self._limits = limits
        self._strangers.use(limits.requests_per_s, limits.burst)
        self._local.bucket.use(limits.requests_per_s, limits.burst)
        self.sessions.use(limits)
        if self.log_in is not None:
            self.log_in.use(limits)

    @property
    def limits(self) -> WebLimits:
        """Those that count now."""
        return self._limits

    def session(self, request: falcon.Request, cost: float = 1.0) -> Session:
        """The session that a request belongs to.

        Args:
            request: the request.
            cost: how many requests it counts for.

        Raises:
            NotLoggedIn: none, or it has ended.
            Forged: it has the cookie, but was not made by a page of ours; or another site's page made it.
            OtherHost: without accounts: it is for another host.
            TooFast: too many for now.
        """
        self.same_origin(request)
        now = time.monotonic()
        found = self._found(request, now)
        if not found.bucket.take(cost, now):
            raise TooFast(f"more than {self._limits.requests_per_s:g} requests a second; this counts for {cost:g}")
        return found

    def stranger(self, request: falcon.Request) -> str:
        """The address of a client that need not be logged in.

        Raises:
            TooFast: too many requests from there.
            Forged: another site's page made it.
        """
        self.same_origin(request)
        address = self.address(request)
        if not self._strangers.take(address, time.monotonic()):
            raise TooFast(f"more than {self._limits.requests_per_s:g} requests a second from this address")
        return address

    def address(self, request: falcon.Request) -> str:
        """Where the client is."""
        forwarded = request.get_header("X-Forwarded-For") if self._proxied else None
        return forwarded.rpartition(",")[2].strip()[:64] if forwarded else str(request.env.get("REMOTE_ADDR", ""))

    def token(self, request: falcon.Request) -> tuple[str | None, bool]:
        """The session's token that came with a request, and whether it came as a cookie."""
        scheme, _, bearer = (request.get_header("Authorization") or "").partition(" ")
        if scheme.lower() == "bearer":
            return bearer.strip(), False
        cookies = request.get_cookie_values(self.cookie) or []
        return (cookies[0] if cookies else None), True

    def same_origin(self, request: falcon.Request) -> None:
        """Refuse what a page of another site made its reader's browser send.

        Raises:
            Forged: its origin is another.
            OtherHost: without accounts: it is for another host, whose name somebody made lead here.
        """
        host = (request.get_header("Host") or "").lower()
        origin = request.get_header("Origin")
        if origin is not None and origin.lower().partition("://")[2] != host:
            raise Forged("a page of another origin may not make requests here")
        if self.log_in is None and not self._any_host and _name(host) not in LOCAL_HOSTS:
            raise OtherHost("there are no accounts here: only requests for 127.0.0.1 and localhost are answered")

    def _found(self, request: falcon.Request, now: float) -> Session:
        if self.log_in is None:
            return self._local
        token, is_cookie = self.token(request)
        found = self.sessions.find(token, now) if token is not None else None
        if found is None:
            self.stranger(request)
            raise NotLoggedIn("log in: POST /v1/session" if token is None else "the session has ended; log in")
        if is_cookie and request.method not in _SAFE:
            said = request.get_header(CSRF_HEADER) or ""
            if not hmac.compare_digest(said.encode("utf-8", "replace"), found.csrf.encode()):
                raise Forged(f"with the cookie, {CSRF_HEADER} must say what GET /v1/session answers in csrf")
        return found


def _name(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]

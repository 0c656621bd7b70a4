"""Log in, who am I, log out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import falcon
from attrs import frozen

from cti.api.converter import plain, structured
from cti.api.refusal import InvalidParameter, NotPermitted
from cti.web.door import Door
from cti.web.json_text import read_object, written
from cti.web.methods_resource import json_body
from cti.web.sessions import Session

PATH: Final = "/v1/session"

EVERYWHERE: Final = "everywhere"
"""In the query of a log-out."""

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def wants_everywhere(params: Mapping[str, Any]) -> bool:
    """Whether all sessions of the account are to end.

    Raises:
        InvalidParameter: it is neither true nor false.
    """
    said = params.get(EVERYWHERE, "false")
    if said not in {"true", "false"}:
        raise InvalidParameter("everywhere must be true or false", f"params.{EVERYWHERE}")
    return bool(said == "true")


@frozen
class Credentials:
    """Name and password; with ``cookie`` the session is kept in one, else its token is in the answer."""

    name: str
    password: str
    cookie: bool = False


@frozen
class SessionRecord:
    """Who is logged in, and for how long."""

    name: str
    role: str
    agents: tuple[str, ...]
    queues: tuple[str, ...]
    csrf: str
    """To be sent as ``X-CSRF-Token`` with every request but GET, when the session is kept in a cookie."""
    ends_in_s: float
    idle_s: float
    """The session ends sooner when it is not used for so long."""
    token: str | None = None
    """To be sent as ``Authorization: Bearer``; given once, at log-in without a cookie."""


class SessionResource:
    """The session of a client.

    Args:
        door: finds and begins sessions.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Who is logged in."""
        session = self._door.session(request)
        response.data = written(plain(self._record(session)))

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Log in."""
        address = self._door.stranger(request)
        said = structured(Credentials, read_object(json_body(request)))
        if self._door.log_in is None:
            raise NotPermitted("there are no accounts here; everybody on this machine may do everything")
        token, session = self._door.log_in.log_in(said.name, said.password, address)
        request.context.who = session.grant.name
        response.status = falcon.HTTP_201
        response.data = written(plain(self._record(session, None if said.cookie else token)))
        if said.cookie:
            self._set_cookie(response, token)

    def on_delete(self, request: falcon.Request, response: falcon.Response) -> None:
        """Log out, here or everywhere."""
        everywhere = wants_everywhere(request.params)
        session = self._door.session(request)
        token, is_cookie = self._door.token(request)
        if token is not None:
            self._door.sessions.end(token)
        if everywhere:
            self._door.sessions.end_all(session.grant.name)
        self._door.sessions.written()
        if is_cookie and self._door.log_in is not None:
            self._set_cookie(response, "", expires=_LONG_AGO)
        response.status = falcon.HTTP_204

    def _set_cookie(self, response: falcon.Response, token: str, expires: datetime | None = None) -> None:
        """Browsers take back a cookie only from who says the same of it."""
        name, secure = self._door.cookie, self._door.https
        response.set_cookie(name, token, expires=expires, http_only=True, same_site="Strict", secure=secure, path="/")

    def _record(self, session: Session, token: str | None = None) -> SessionRecord:
        grant = session.grant
        return SessionRecord(
            name=grant.name,
            role=grant.role.value,
            agents=tuple(sorted(grant.agents)),
            queues=tuple(sorted(grant.queues)),
            csrf=session.csrf,
            ends_in_s=max(0.0, self._door.limits.session_s - (time.monotonic() - session.began_at)),
            idle_s=self._door.limits.session_idle_s,
            token=token,
        )

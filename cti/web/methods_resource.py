"""The methods of the API's table as resources: parameters in, result or problem out."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import falcon
import gevent
import structlog

from cti.api.centre import Centre
from cti.api.dispatch import invoke
from cti.api.method import Method
from cti.api.refusal import ErrorRecord, InvalidParameter, TooBusy
from cti.api.replay import ReplayWindow
from cti.api.requests import Done
from cti.api.service import Service
from cti.web import address
from cti.web.door import Door
from cti.web.feed import Feed
from cti.web.json_text import read_object, written
from cti.web.problem import TooSlow, body, problem
from cti.web.sessions import Session

KEY_HEADER: Final = "Idempotency-Key"
LONGEST_KEY: Final = 64
KEY_PATTERN: Final = re.compile(f"[!-~]{{1,{LONGEST_KEY}}}")

_log = structlog.get_logger("cti.web")
Answer = tuple[HTTPStatus, bytes]


class Methods:
    """Carries out requests in the name of a session.

    Args:
        centre: what is asked for is done there.
        feed: the events' side.
        door: finds the session.
        audit: called with each request that was to change something, done or refused; must not block.
    """

    def __init__(self, centre: Centre, feed: Feed, door: Door, audit: Callable[[Done], object] | None) -> None:
        self.replays = ReplayWindow()
        self.door = door
        self._centre = centre
        self._feed = feed
        self._audit = audit

    def call(self, session: Session, method: Method, params: Mapping[str, Any]) -> Any:
        """The result of a method. A slow one blocks this greenlet.

        Raises:
            TooBusy: as many slow requests of the session are under way as may be.
            TooSlow: it took too long.
            CtiError: as the method says.
        """
        service = Service(self._centre, self._feed.numbering, self._feed.calls, session.grant)
        if not method.slow:
            return invoke(service, method, params)
        if session.under_way >= self.door.limits.under_way:
            raise TooBusy(f"{session.under_way} slow requests are under way in this session; wait for one")
        session.under_way += 1
        try:
            with gevent.Timeout(
                self.door.limits.answer_s, TooSlow(f"no answer within {self.door.limits.answer_s:g} s")
            ):
                return invoke(service, method, params)
        finally:
            session.under_way -= 1

    def answer(self, session: Session, method: Method, params: Mapping[str, Any]) -> tuple[Answer, ErrorRecord | None]:
        """What a method answers, as status and text; and its error, if it is one."""
        try:
            result = self.call(session, method, params)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told that it failed
            status, record = problem(error)
            return (status, written(body(status, record))), record
        return ((HTTPStatus.OK, written(result)) if method.result is not None else (HTTPStatus.NO_CONTENT, b"")), None

    def audited(self, done: Done) -> None:
        """Tell the audit."""
        if self._audit is None:
            return
        try:
            self._audit(done)
        except Exception:  # noqa: BLE001 - a host's own code may raise anything
            _log.exception("the audit failed", method=done.method, key=done.who)


class Question:
    """A method that changes nothing and takes only text: GET.

    Args:
        method: which.
        methods: carry it out.
    """

    def __init__(self, method: Method, methods: Methods) -> None:
        self.method = method
        self._methods = methods

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Answer it."""
        session = self._methods.door.session(request, self.method.cost)
        request.context.who = session.grant.name
        response.data = written(self._methods.call(session, self.method, request.params))


class Order:
    """A method that changes something, or takes more than text: POST.

    Args:
        method: which.
        methods: carry it out.
    """

    def __init__(self, method: Method, methods: Methods) -> None:
        self.method = method
        self._methods = methods

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Do it, once by its Idempotency-Key."""
        session = self._methods.door.session(request, self.method.cost)
        request.context.who = session.grant.name
        text = json_body(request)
        key = request.get_header(KEY_HEADER)
        if key is None or not self.method.changes:
            answer = self._done(request, session, text)
        else:
            answer = self._done_once(request, session, text, key)
        status, response.data = answer
        response.status = falcon.code_to_http_status(status)
        if status >= HTTPStatus.BAD_REQUEST:
            response.content_type = "application/problem+json"

    def _done_once(self, request: falcon.Request, session: Session, text: bytes, key: str) -> Answer:
        if not KEY_PATTERN.fullmatch(key):
            raise InvalidParameter(f"{KEY_HEADER} must be 1 to {LONGEST_KEY} printable ASCII characters", KEY_HEADER)
        asked = hashlib.sha256(self.method.name.encode() + b"\n" + text).digest()
        doing, new = self._methods.replays.begin(session.grant.name, key, asked, time.monotonic())
        if not new:
            if doing.reply is None:
                raise TooBusy("the request with this key is under way; ask again")
            status, _, said = doing.reply.partition(b" ")
            return HTTPStatus(int(status)), said
        answer = self._done(request, session, text)
        doing.reply = b"%d %s" % answer
        return answer

    def _done(self, request: falcon.Request, session: Session, text: bytes) -> Answer:
        params: Mapping[str, Any] = {}
        error: ErrorRecord | None
        try:
            params = read_object(text)
        except Exception as unreadable:  # noqa: BLE001 - the answer says why, the audit that it came
            status, error = problem(unreadable)
            answer = status, written(body(status, error))
        else:
            answer, error = self._methods.answer(session, self.method, params)
        request.context.code = error.code if error is not None else ""
        if self.method.changes:
            where = self._methods.door.address(request)
            code = error.code if error is not None else ""
            self._methods.audited(Done(time.time(), session.grant.name, where, self.method.name, params, code))
        return answer


def resource(method: Method, methods: Methods) -> Question | Order:
    """The resource of a method, for its verb."""
    return Question(method, methods) if address.is_get(method) else Order(method, methods)


def json_body(request: falcon.Request) -> bytes:
    """The body of a request, which must say that it is JSON: what a form of another site cannot.

    Raises:
        HTTPUnsupportedMediaType: it says something else.
    """
    kind = (request.content_type or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise falcon.HTTPUnsupportedMediaType(description="send Content-Type: application/json")
    return bytes(request.bounded_stream.read())

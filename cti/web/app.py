"""The WSGI application: routes, errors as problems, headers that keep browsers safe, and counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import resources
from typing import Any, Final

import falcon
from prometheus_client import CollectorRegistry

from cti.api.methods import METHODS
from cti.api.tally import Tally
from cti.web import address, events_resource, methods_resource, openapi, session_resource
from cti.web.door import Door
from cti.web.events_resource import EventsResource
from cti.web.feed import Feed
from cti.web.json_text import written
from cti.web.methods_resource import Methods
from cti.web.problem import problem, respond
from cti.web.session_resource import SessionResource
from cti.web.standing import HealthResource, MetricsResource, Pulse, ReadyResource

PAGES: Final = {
    "/": ("wallboard.html", "text/html; charset=utf-8"),
    "/wallboard.js": ("wallboard.js", "text/javascript; charset=utf-8"),
    "/wallboard.css": ("wallboard.css", "text/css; charset=utf-8"),
}
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


class Document:
    """A document that never changes while the process lives.

    Args:
        text: what it says.
        kind: its media type.
        door: counts strangers' requests.
    """

    def __init__(self, text: bytes, kind: str, door: Door) -> None:
        self._text = text
        self._kind = kind
        self._door = door

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Give it to anybody."""
        self._door.stranger(request)
        response.content_type = self._kind
        response.data = self._text


class Surroundings:
    """Falcon middleware: counts every response, and adds the headers.

    Args:
        tally: counts requests.
        https: whether clients come over HTTPS.
    """

    def __init__(self, tally: Tally, *, https: bool) -> None:
        self._tally = tally
        self._headers = dict(HEADERS)
        if https:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    def process_request(self, request: falcon.Request, response: falcon.Response) -> None:
        """A request has come."""
        self._tally.requests += 1
        request.context.who = ""
        request.context.code = ""
        response.set_headers(self._headers)

    def process_response(
        self,
        request: falcon.Request,
        response: falcon.Response,  # noqa: ARG002 - Falcon's form
        resource: object,
        req_succeeded: bool,  # noqa: ARG002 - Falcon's form
    ) -> None:
        """It is being answered."""
        code = request.context.code
        if code:
            method = getattr(resource, "method", None)
            name = method.name if method is not None else ""
            self._tally.refuse(code, request.context.who, time.monotonic(), method=name)


def application(
    methods: Methods,
    feed: Feed,
    door: Door,
    tally: Tally,
    *,
    pulse: Pulse,
    events: EventsResource,
    registry: CollectorRegistry,
    metrics_token: Callable[[], str],
    wallboard: bool,
) -> falcon.App[Any, Any]:
    """The application.

    Args:
        methods: carry out the table's methods.
        feed: the events.
        door: finds sessions.
        tally: counts requests and refusals.
        pulse: how late greenlets get their turn.
        events: streams.
        registry: what ``/metrics`` tells.
        metrics_token: says who may ask for it without a session; empty for nobody.
        wallboard: whether there is a page at ``/``.
    """
    app = falcon.App(middleware=[Surroundings(tally, https=door.https)])
    app.req_options.strip_url_path_trailing_slash = False
    app.resp_options.secure_cookies_by_default = door.https
    app.add_error_handler(Exception, _failed)
    app.add_error_handler(falcon.HTTPError, _failed)  # Falcon has one of its own
    for method in METHODS.values():
        app.add_route(address.path(method), methods_resource.resource(method, methods))
    app.add_route(session_resource.PATH, SessionResource(door))
    app.add_route(events_resource.PATH, events)
    app.add_route("/health", HealthResource(feed, pulse))
    app.add_route("/ready", ReadyResource(feed))
    app.add_route("/metrics", MetricsResource(registry, door, metrics_token))
    described = written(openapi.description(accounts=door.log_in is not None))
    app.add_route("/openapi.json", Document(described, "application/json", door))
    if wallboard:
        for path, (name, kind) in PAGES.items():
            text = resources.files("cti.web").joinpath("static", name).read_bytes()
            app.add_route(path, Document(text, kind, door))
    return app


def _failed(request: falcon.Request, response: falcon.Response, error: Exception, params: dict[str, Any]) -> None:  # noqa: ARG001 - Falcon's form
    """Answer with a problem, whatever it is; what HTTP adds (Allow) stays."""
    status, record = problem(error)
    request.context.code = record.code
    if isinstance(error, falcon.HTTPError) and error.headers:
        response.set_headers(dict(error.headers))
    respond(response, status, record)

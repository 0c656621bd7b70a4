"""The OpenAPI 3.1 description, made from the table of methods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from cti._version import __version__
from cti.api import refusal
from cti.api.interest import InterestParams
from cti.api.method import EVERY_ROLE, Method, Subject
from cti.api.methods import METHODS
from cti.errors import UnknownEvent
from cti.web import address, events_resource, session_resource
from cti.web.log_in import LogInFailed, NotLoggedIn
from cti.web.methods_resource import KEY_HEADER, LONGEST_KEY
from cti.web.problem import MEDIA_TYPE, Forged, OtherHost, TooSlow, status_of
from cti.web.schema import Schemas

Errors = Iterable[type[BaseException]]
EVERY: Final = (NotLoggedIn, Forged, OtherHost, refusal.TooFast, refusal.Malformed, refusal.TooLarge)
"""What every request may be answered with."""
OWN: Final = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.LENGTH_REQUIRED,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The same, by what is not of the table: HTTP's own, ours to blame, and a centre that is being stopped."""

_KEY: Final = {
    "name": KEY_HEADER,
    "in": "header",
    "description": "Another request with the same key, made within a minute, gets this one's answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
}


def description(*, accounts: bool) -> dict[str, Any]:
    """The description of everything but the page and ``/metrics``.

    Args:
        accounts: whether clients have to log in.
    """
    schemas = Schemas()
    paths: dict[str, Any] = {}
    for method in METHODS.values():
        paths[address.path(method)] = {"get" if address.is_get(method) else "post": _operation(method, schemas)}
    paths[session_resource.PATH] = _session(schemas)
    paths[events_resource.PATH] = {"get": _events(schemas)}
    for path, what in (("/health", "Whether the process must be started anew"), ("/ready", "Whether calls are routed")):
        paths[path] = {"get": _standing(what)}
    schemas.named["Problem"] = _problem()
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "cti", "version": __version__, "description": "See docs/http.md and docs/protocol.md."},
        "paths": paths,
        "components": {
            "schemas": schemas.named,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}} if accounts else {},
        },
    }
    if accounts:
        described["security"] = [{"bearer": []}]
    return described


_FLAG: Final = {"type": "string", "enum": ["true", "false"]}


def _operation(method: Method, schemas: Schemas) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": method.name,
        "tags": [method.name.partition(".")[0]],
        "summary": method.summary,
        "description": _fine_print(method),
        "responses": _responses(_result(method, schemas), _errors(method)),
    }
    if address.is_get(method):
        made["parameters"] = [
            {"name": name, "in": "query", "required": required, "schema": schema}
            for name, (schema, required) in schemas.properties(method.params).items()
        ]
        return made
    made["parameters"] = [_KEY] if method.changes else []
    made["requestBody"] = _body(schemas.of(method.params, closed=True))
    return made


def _fine_print(method: Method) -> str:
    roles = ", ".join(sorted(role.value for role in method.roles))
    cost = f" Counts for {method.cost:g} requests." if method.cost != 1 else ""
    return f"For the roles {roles}.{cost}"


def _result(method: Method, schemas: Schemas) -> Mapping[HTTPStatus, Any]:
    if method.result is None:
        return {HTTPStatus.NO_CONTENT: None}
    return {HTTPStatus.OK: _json(schemas.of(method.result))}


def _errors(method: Method) -> list[type[BaseException]]:
    errors: list[type[BaseException]] = [*EVERY, *method.errors, refusal.InvalidParameter]
    if method.roles != EVERY_ROLE or method.subject is not Subject.NONE:
        errors.append(refusal.NotPermitted)
    if method.changes:
        errors.append(refusal.IdReused)
    if method.slow:
        errors += [refusal.TooBusy, TooSlow]
    return errors


def _session(schemas: Schemas) -> dict[str, Any]:
    record = schemas.of(session_resource.SessionRecord)
    log_in = (*EVERY, LogInFailed, refusal.InvalidParameter, refusal.NotPermitted, refusal.TooManyClients)
    return {
        "get": {
            "operationId": "session.get",
            "tags": ["session"],
            "summary": "Who is logged in.",
            "responses": _responses({HTTPStatus.OK: _json(record)}, EVERY),
        },
        "post": {
            "operationId": "session.log_in",
            "tags": ["session"],
            "summary": "Log in.",
            "security": [],
            "requestBody": _body(schemas.of(session_resource.Credentials, closed=True)),
            "responses": _responses({HTTPStatus.CREATED: _json(record)}, log_in),
        },
        "delete": {
            "operationId": "session.log_out",
            "tags": ["session"],
            "summary": "Log out, here or everywhere.",
            "parameters": [{"name": session_resource.EVERYWHERE, "in": "query", "schema": _FLAG}],
            "responses": _responses({HTTPStatus.NO_CONTENT: None}, (*EVERY, refusal.InvalidParameter)),
        },
    }


def _events(schemas: Schemas) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "query", "schema": schema, "style": "form", "explode": True}
        for name, (schema, _) in schemas.properties(InterestParams).items()
    ]
    parameters.append({"name": events_resource.SNAPSHOT, "in": "query", "schema": _FLAG})
    parameters.append({"name": events_resource.LAST, "in": "query", "schema": {"type": "string"}})
    errors = (
        *EVERY,
        refusal.InvalidParameter,
        refusal.NotPermitted,
        UnknownEvent,
        refusal.TooManySubjects,
        refusal.TooManyClients,
    )
    return {
        "operationId": "events",
        "tags": ["events"],
        "summary": "Events as they happen, as server-sent events.",
        "description": "Goes on after Last-Event-ID. See docs/http.md.",
        "parameters": parameters,
        "responses": _responses({HTTPStatus.OK: {"text/event-stream": {"schema": {"type": "string"}}}}, errors),
    }


def _standing(what: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
    answers = {
        str(status.value): {"description": status.phrase, "content": _json(schema)}
        for status in (HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE)
    }
    return {"summary": f"{what}.", "tags": ["monitoring"], "security": [], "responses": answers}


def _body(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": _json(schema)}


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _responses(good: Mapping[HTTPStatus, Any], errors: Errors) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for status, content in good.items():
        answers[str(status.value)] = {"description": status.phrase} | ({"content": content} if content else {})
    codes: dict[HTTPStatus, set[str]] = {status: set() for status in OWN}
    for error in errors:
        codes.setdefault(status_of(error), set()).add(getattr(error, "code", ""))
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in sorted(codes):
        said = ", ".join(sorted(codes[status]))
        answers[str(status.value)] = {
            "description": f"{status.phrase}: {said}" if said else status.phrase,
            "content": problem,
        }
    return answers


def _problem() -> dict[str, Any]:
    text = {"type": "string"}
    properties = {
        "type": text,
        "title": text,
        "status": {"type": "integer"},
        "detail": {**text, "description": "For a person; may change."},
        "code": {**text, "description": "Stable; what a program looks at."},
        "field": {**text, "description": "The parameter it is about, or empty."},
        "retryable": {"type": "boolean", "description": "Whether the same may sensibly be asked again."},
    }
    return {
        "type": "object",
        "description": "RFC 9457.",
        "properties": properties,
        "required": sorted(properties),
    }

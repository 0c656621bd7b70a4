"""Errors as problem details (RFC 9457), with the stable codes of the error tree."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import falcon

from cti import errors
from cti.api import refusal
from cti.web.json_text import written
from cti.web.log_in import LogInFailed, NotLoggedIn

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1


class TooSlow(refusal.Refused):
    """The request was not answered in time; whether it was done is unknown."""

    code = "limit.time"
    retryable = True


class Forged(refusal.Refused):
    """A request with a cookie that does not show that it was made by the page that logged in."""

    code = "security.forged"


class OtherHost(refusal.Refused):
    """The request is for another host; without accounts only those on this machine are served."""

    code = "security.other_host"


STATUS: Final[dict[type[errors.CtiError], HTTPStatus]] = {
    refusal.Malformed: HTTPStatus.BAD_REQUEST,
    LogInFailed: HTTPStatus.UNAUTHORIZED,
    NotLoggedIn: HTTPStatus.UNAUTHORIZED,
    refusal.NotPermitted: HTTPStatus.FORBIDDEN,
    Forged: HTTPStatus.FORBIDDEN,
    errors.DestinationNotAllowed: HTTPStatus.FORBIDDEN,
    errors.UnknownName: HTTPStatus.NOT_FOUND,
    errors.CallGone: HTTPStatus.NOT_FOUND,
    errors.StateIncompatibility: HTTPStatus.CONFLICT,
    errors.ResourceBusy: HTTPStatus.CONFLICT,
    refusal.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    OtherHost: HTTPStatus.MISDIRECTED_REQUEST,
    refusal.InvalidParameter: HTTPStatus.UNPROCESSABLE_ENTITY,
    refusal.IdReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    refusal.TooManySubjects: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ConfigurationError: HTTPStatus.UNPROCESSABLE_ENTITY,
    refusal.TooFast: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ProtocolError: HTTPStatus.BAD_GATEWAY,
    errors.CommandRejected: HTTPStatus.BAD_GATEWAY,
    refusal.TooBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    refusal.TooManyClients: HTTPStatus.SERVICE_UNAVAILABLE,
    TooSlow: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.LinkError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.JobTimeout: HTTPStatus.GATEWAY_TIMEOUT,
    errors.CtiError: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""An error has the status of its class, else that of its nearest ancestor; what is no error of ours has 500."""


def status_of(kind: type[BaseException]) -> HTTPStatus:
    """The status of a class of errors."""
    return next((STATUS[each] for each in kind.__mro__ if each in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)


def problem(error: Exception) -> tuple[HTTPStatus, refusal.ErrorRecord]:
    """The status and the record of an error; an unexpected one is logged and says nothing of itself."""
    if isinstance(error, falcon.HTTPError):
        status = HTTPStatus(error.status_code)
        code = f"http.{status.phrase.lower().replace(' ', '_').replace('-', '_')}"
        return status, refusal.ErrorRecord(code, error.description or error.title or status.phrase)
    return status_of(type(error)), refusal.error_record(error)


def respond(response: falcon.Response, status: HTTPStatus, record: refusal.ErrorRecord) -> None:
    """Write a problem."""
    response.status = falcon.code_to_http_status(status)
    response.content_type = MEDIA_TYPE
    response.data = written(body(status, record))
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        response.set_header("Retry-After", str(RETRY_AFTER_S))
    if status is HTTPStatus.UNAUTHORIZED:
        response.set_header("WWW-Authenticate", 'Bearer realm="cti"')


def body(status: HTTPStatus, record: refusal.ErrorRecord) -> dict[str, Any]:
    """A problem as a map: ``type`` about:blank, since ``code`` says what it is."""
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": record.message,
        "code": record.code,
        "field": record.field,
        "retryable": record.retryable,
    }

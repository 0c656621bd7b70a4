"""What can go wrong for a client, and the server's errors as the library's own classes."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from cti import errors
from cti.api import refusal
from cti.errors import CtiError


class RequestRefused(CtiError):
    """The server refused a request, and nothing was changed.

    What is raised is also of the class with this code in ``cti.errors``: ``except InvalidAgentState`` works here as in
    the library.

    Args:
        message: the server's, for a person.
        field: the parameter it is about; empty for none.
    """

    code = "refused"

    def __init__(self, message: str, field: str = "") -> None:
        Exception.__init__(self, message)
        self.field = field

    def __str__(self) -> str:
        """The server's message."""
        return str(self.args[0])


class NoReply(CtiError):
    """No reply came in time. The request may have been done, or may still be; made again by the same id it is not
    done twice, but a new call is a new request.
    """

    code = "client.no_reply"
    retryable = True


class OutcomeUnknown(CtiError):
    """The server was started anew while a request was under way: nobody knows whether it was done."""

    code = "client.outcome_unknown"


class TurnedAway(CtiError):
    """The server does not accept this client: its key is unknown or revoked, or the server's key is another."""

    code = "client.turned_away"
    connection_lost = True


def raised(error: Mapping[str, Any]) -> RequestRefused:
    """The exception for an error of a reply."""
    code = str(error.get("code", RequestRefused.code))
    kind = _class(code, bool(error.get("retryable", False)))
    return kind(str(error.get("message", code)), str(error.get("field", "")))


@functools.lru_cache(maxsize=256)
def _class(code: str, retryable: bool) -> type[RequestRefused]:
    known = {kind.code: kind for kind in _tree(CtiError) if kind.__module__ in {errors.__name__, refusal.__name__}}
    parent = known.get(code)
    parents = (RequestRefused,) if parent is None else (RequestRefused, parent)
    name = parent.__name__ if parent is not None else RequestRefused.__name__
    return type(name, parents, {"code": code, "retryable": retryable, "__module__": __name__})


def _tree(kind: type[CtiError]) -> Iterator[type[CtiError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)

"""One method of the API: what it is called, takes, gives and needs. Knows no transport."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Final

from attrs import frozen

from cti.api.grant import Role
from cti.api.service import Service
from cti.errors import CtiError

EVERY_ROLE: Final = frozenset(Role)


class Subject(Enum):
    """Which parameter a key must cover for the method to be allowed; the parameter has the same name."""

    NONE = ""
    AGENT = "agent"
    QUEUE = "queue"
    CALL = "call"


@frozen
class Method:
    """A method.

    Args:
        name: as in a request.
        params: the attrs class of its parameters.
        result: the attrs class of its result, or None.
        roles: who may call it at all.
        subject: the parameter that the key must cover.
        changes: whether it changes anything: a repeated request then gets the first one's reply, and it is audited.
        slow: whether it lets others run meanwhile; it is then run in a greenlet of its own.
        cost: how many of a client's requests it counts for.
        errors: what it may raise beyond what every method may.
        summary: one sentence.
        call: does it.
    """

    name: str
    params: type[Any]
    result: type[Any] | None
    roles: frozenset[Role]
    subject: Subject
    changes: bool
    slow: bool
    cost: float
    errors: tuple[type[CtiError], ...]
    summary: str
    call: Callable[[Service, Any], Any]

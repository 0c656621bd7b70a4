"""The table of methods, how one is added to it, and the parameters that several take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from attrs import frozen

from cti.api.converter import Line
from cti.api.grant import Role
from cti.api.method import EVERY_ROLE, Method, Subject
from cti.api.service import Service
from cti.errors import CtiError
from cti.model.ids import AgentId, InteractionId, QueueId

F = TypeVar("F", bound=Callable[[Service, Any], Any])

ADMINISTRATOR: Final = frozenset({Role.ADMINISTRATOR})
NOT_AGENTS: Final = EVERY_ROLE - {Role.AGENT}
NO_TEXT: Final = Line("")

_table: dict[str, Method] = {}
TABLE: Final[Mapping[str, Method]] = _table
"""Every method by its name, once ``cti.api.methods`` has been imported."""


@frozen
class Nothing:
    """No parameters."""


@frozen
class Agent:
    """Which agent."""

    agent: AgentId


@frozen
class Queue:
    """Which queue."""

    queue: QueueId


@frozen
class Call:
    """Which call: the ``interaction`` of its events."""

    call: InteractionId


def method(
    name: str,
    params: type[Any],
    result: type[Any] | None = None,
    *errors: type[CtiError],
    roles: frozenset[Role] = EVERY_ROLE,
    subject: Subject = Subject.NONE,
    changes: bool = False,
    slow: bool = False,
    cost: float = 1.0,
) -> Callable[[F], F]:
    """Add a method to the table; its docstring is the summary."""

    def add(call: F) -> F:
        summary = (call.__doc__ or "").strip()
        _table[name] = Method(name, params, result, roles, subject, changes, slow, cost, errors, summary, call)
        return call

    return add

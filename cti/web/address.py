"""Which URL and which verb each method of the table has."""

from __future__ import annotations

from typing import Final

from attrs import fields, resolve_types

from cti.api.converter import Line
from cti.api.method import Method
from cti.model.ids import AgentId, InteractionId, QueueId

VERSION: Final = "/v1"
"""The protocol's version; see docs/protocol.md."""

_TEXT: Final = {str, Line, AgentId, QueueId, InteractionId}


def path(method: Method) -> str:
    """``agent.log_on`` is at ``/v1/agent/log_on``."""
    return f"{VERSION}/{method.name.replace('.', '/')}"


def is_get(method: Method) -> bool:
    """Whether it is asked for by GET with its parameters in the query: it changes nothing, and they are all text."""
    kinds = (field.type for field in fields(resolve_types(method.params)))
    return not method.changes and all(kind in _TEXT for kind in kinds)

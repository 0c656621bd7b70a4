"""JSON schemas of the API's attrs classes.

msgspec can make schemas of attrs classes too, but resolves NewTypes away, and with them what the API's converter
checks of names and lines.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Final, Union, get_args, get_origin

from attrs import NOTHING, fields, has, resolve_types

from cti.api.converter import MOST_CHARACTERS, Line
from cti.model.ids import AgentId, InteractionId, QueueId

_NAME: Final = {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS}
_PLAIN: Final[dict[Any, dict[str, Any]]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": -(2**63), "maximum": 2**64 - 1},
    float: {"type": "number"},
    Line: {"type": "string", "maxLength": MOST_CHARACTERS},
    AgentId: _NAME,
    QueueId: _NAME,
    InteractionId: _NAME,
    type(None): {"type": "null"},
    Any: {},
}


class Schemas:
    """Schemas by name, each class once; others refer to it."""

    def __init__(self) -> None:
        self.named: dict[str, dict[str, Any]] = {}
        self._classes: dict[str, type[Any]] = {}

    def of(self, kind: Any, *, closed: bool = False) -> dict[str, Any]:
        """The schema of a type, or a reference to it.

        Args:
            kind: an attrs class, or a type of one's field.
            closed: whether unknown keys are refused, as in parameters.

        Raises:
            TypeError: there is no schema for such a type.
        """
        if kind in _PLAIN:
            return _PLAIN[kind]
        if has(kind):
            return self._reference(kind, closed)
        arguments = get_args(kind)
        origin = get_origin(kind)
        if origin is Union or origin is types.UnionType:
            return {"anyOf": [self.of(each, closed=closed) for each in arguments]}
        if origin is tuple and arguments[1:] == (...,):
            return {"type": "array", "items": self.of(arguments[0], closed=closed)}
        if origin is Mapping and arguments[0] is str:
            return {"type": "object", "additionalProperties": self.of(arguments[1], closed=closed)}
        raise TypeError(f"no JSON schema for {kind!r}")

    def properties(self, kind: type[Any], *, closed: bool = False) -> dict[str, tuple[dict[str, Any], bool]]:
        """The schema of each field of an attrs class, and whether it must be given."""
        return {
            field.name: (self.of(field.type, closed=closed), field.default is NOTHING)
            for field in fields(resolve_types(kind))
        }

    def _reference(self, kind: type[Any], closed: bool) -> dict[str, Any]:
        name = kind.__name__
        if self._classes.setdefault(name, kind) is not kind:
            raise TypeError(f"two classes are called {name}: {self._classes[name]} and {kind}")
        if name not in self.named:
            made: dict[str, Any] = {"type": "object"}
            self.named[name] = made
            if kind.__doc__:
                made["description"] = " ".join(kind.__doc__.split())
            known = self.properties(kind, closed=closed)
            made["properties"] = {field: schema for field, (schema, _) in known.items()}
            required = [field for field, (_, needed) in known.items() if needed]
            if required:
                made["required"] = required
            if closed:
                made["additionalProperties"] = False
        return {"$ref": f"#/components/schemas/{name}"}

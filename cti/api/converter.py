"""Messages to values and back: strict types, and errors that name the field."""

from __future__ import annotations

import types
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, NewType, TypeVar, Union, get_args, get_origin

import cattrs
from attrs import has

from cti.api.refusal import InvalidParameter
from cti.errors import CtiError
from cti.model.ids import AgentId, InteractionId, QueueId

T = TypeVar("T")

Line = NewType("Line", str)
"""Text of one line that may be empty: a reason, a number to dial."""

MOST_CHARACTERS: Final = 200
"""The longest name or line; the model allows a name no more."""

_WORD: Final = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    dict: "a map",
    list: "a list",
    float: "a number",
}


def structured(wanted: type[T], params: Mapping[str, Any]) -> T:
    """Read a map into an attrs class.

    Raises:
        InvalidParameter: a field is missing, unknown, of the wrong type or out of range; the first one is named.
    """
    try:
        return _converter.structure(params, wanted)
    except cattrs.BaseValidationError as errors:
        first = cattrs.transform_error(errors, path="params", format_exception=_said)[0]
    message, _, field = first.rpartition(" @ ")
    raise InvalidParameter(f"{field}: {message}", field)


def plain(value: Any) -> Any:
    """A value as maps, lists, text and numbers."""
    return _converter.unstructure(value)


def _said(error: BaseException, kind: type | None) -> str:
    """What was wrong with one field."""
    if isinstance(error, cattrs.errors.ForbiddenExtraKeysError):
        known = ", ".join(field.name for field in error.cl.__attrs_attrs__) if has(error.cl) else ""
        return f"unknown: {', '.join(sorted(map(str, error.extra_fields)))}; there is {known or 'none'}"
    if isinstance(error, KeyError):
        return "is missing"
    if isinstance(error, CtiError | TypeError | ValueError):
        return str(error)
    return f"cannot be read as {kind}"


def _exactly(kind: type) -> Any:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"must be {_WORD[kind]}, not {_kind(value)}")
        return value

    return structure


def _number(value: Any, _: Any) -> float:
    if type(value) is not float and type(value) is not int:
        raise TypeError(f"must be a number, not {_kind(value)}")
    return float(value)


def _kind(value: Any) -> str:
    return "nothing" if value is None else _WORD.get(type(value), type(value).__name__)


def _sequence(value: Any, kind: Any) -> Any:
    if type(value) is not list:
        raise TypeError(f"must be a list, not {_kind(value)}")
    item = kind.__args__[0]
    return tuple(_converter.structure(each, item) for each in value)


def _mapping(value: Any, kind: Any) -> Any:
    if type(value) is not dict:
        raise TypeError(f"must be a map, not {_kind(value)}")
    key, item = kind.__args__
    read = {}
    for name, each in value.items():
        try:
            read[_converter.structure(name, key)] = _converter.structure(each, item)
        except TypeError as error:
            raise TypeError(f"{name!r}: {error}") from None
    return read


def _choice(value: Any, kind: Any) -> Any:
    """Plain, or a map of one kind."""
    plain_ones, (of_maps,) = _split(kind)
    if type(value) is dict:
        return _converter.structure(value, of_maps)
    for one in plain_ones:
        if type(value) is one or (one is float and type(value) is int):
            return _converter.structure(value, one)
    raise TypeError(f"must be {' or '.join(_WORD[one] for one in plain_ones)}, or a map, not {_kind(value)}")


def _plain_choice(value: Any, kind: Any) -> Any:
    """One of several plain types, or None if that is among them."""
    if value is None and type(None) in get_args(kind):
        return None
    plain_ones = _split(kind)[0]
    for one in plain_ones:
        if type(value) is one or (one is float and type(value) is int):
            return _converter.structure(value, one)
    raise TypeError(f"must be {' or '.join(_WORD[one] for one in plain_ones)}, not {_kind(value)}")


def _split(kind: Any) -> tuple[list[Any], list[Any]]:
    """The plain types of a union, and its classes of maps."""
    arguments = [one for one in get_args(kind) if one is not type(None)]
    return [one for one in arguments if one in _WORD], [one for one in arguments if has(one)]


def _is_choice(kind: Any) -> bool:
    if get_origin(kind) not in {Union, types.UnionType} or type(None) in get_args(kind):
        return False
    return list(map(len, _split(kind))) == [len(get_args(kind)) - 1, 1]


def _is_plain_choice(kind: Any) -> bool:
    if get_origin(kind) not in {Union, types.UnionType}:
        return False
    plain_ones, maps = _split(kind)
    return len(plain_ones) > 1 and not maps


def _line(value: Any, _: Any) -> Any:
    """A name, a number or a reason: one short line."""
    if type(value) is not str:
        raise TypeError(f"must be text, not {_kind(value)}")
    if len(value) > MOST_CHARACTERS or not value.isprintable():
        raise ValueError(f"must be at most {MOST_CHARACTERS} printable characters")
    return value


def _name(value: Any, kind: Any) -> Any:
    if value == "":
        raise ValueError("must not be empty")
    return _line(value, kind)


def _of(*origins: type) -> Any:
    return lambda kind: getattr(kind, "__origin__", None) in origins


_converter: Final = cattrs.Converter(forbid_extra_keys=True)
_converter.register_structure_hook_func(lambda kind: kind is Line, _line)
_converter.register_structure_hook_func(lambda kind: kind in (AgentId, QueueId, InteractionId), _name)
_converter.register_structure_hook_func(_is_choice, _choice)
_converter.register_structure_hook_func(_is_plain_choice, _plain_choice)
for _kind_of in (str, int, bool):
    _converter.register_structure_hook(_kind_of, _exactly(_kind_of))
_converter.register_structure_hook(float, _number)
_converter.register_structure_hook_func(_of(tuple), _sequence)
_converter.register_structure_hook_func(_of(Mapping, dict), _mapping)
_converter.register_unstructure_hook(Enum, lambda value: value.value)

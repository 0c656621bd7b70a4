"""Values of any attrs class, made from its annotations: each field as it is by default, and otherwise."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Iterator, Mapping
from enum import Enum
from itertools import product
from typing import Any, NewType, Union, get_args, get_origin

import attrs

from cti.errors import ConfigurationError
from cti.model.requirement import Requirement


def samples(kind: type[Any]) -> Iterator[Any]:
    """One value with what must be given, and one for each other thing that a field can be."""
    attrs.resolve_types(kind)
    fields = [field for field in attrs.fields(kind) if field.init]
    first = _first(kind, fields)
    yield first
    for field in fields:
        for value in values(field.type):
            try:
                yield attrs.evolve(first, **{field.alias: value})
            except ConfigurationError:
                continue  # not every text is a word that the field knows


def _first(kind: type[Any], fields: list[Any]) -> Any:
    """With only what must be given, if that will do; else with one thing more."""
    needed = [field for field in fields if field.default is attrs.NOTHING]
    more = [{field.alias: value} for field in fields if field not in needed for value in values(field.type)]
    for given in product(*([*values(field.type), *_words(field.type)] for field in needed)):
        for extra in [{}, *more]:
            try:
                return kind(**dict(zip((field.alias for field in needed), given, strict=True)), **extra)
            except ConfigurationError:
                continue  # not every text is a word that the field knows
    raise AssertionError(f"no sample of {kind}")


def _words(kind: Any) -> tuple[str, ...]:
    """More texts, where a field wants one of a certain form."""
    return ("12", "user/{number}", "sound.wav", "/recordings") if kind is str else ()


def values(kind: Any) -> Iterator[Any]:
    """Some values of an annotation's type."""
    origin, parts = get_origin(kind), get_args(kind)
    if isinstance(kind, NewType):
        yield from values(kind.__supertype__)
    elif kind is Requirement:
        yield Requirement("chinese >= 3 and not trainee")
    elif kind is Any:
        yield from ("text", None, 7, [1, {"a": b"b"}])
    elif kind is object:
        yield "most-skilled"
    elif origin in (Union, types.UnionType):
        for part in parts:
            yield from values(part)
    elif origin is tuple:
        for value in values(parts[0]):
            yield (value, *(next(values(part)) for part in parts[1:] if part is not ...))
    elif origin in (dict, Mapping):
        for value in values(parts[1]):
            yield {next(values(parts[0])): value}
    elif origin in (set, frozenset, list, deque):
        yield origin(values(parts[0]))
    elif attrs.has(kind):
        yield from samples(kind)
    elif issubclass(kind, Enum):
        yield from list(kind)[:2]
    elif kind is types.NoneType:
        yield None
    else:
        yield {str: "wait", bytes: b"b", bool: True, int: 3, float: 0.5}[kind]

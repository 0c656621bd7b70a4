"""Reads a table into an attrs class, and notes all that is wrong with it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_type_hints

from attrs import NOTHING, Attribute, fields

from cti.config.duration import duration
from cti.errors import ConfigurationError
from cti.plan.condition import short
from cti.plan.section import MISSING, Section

T = TypeVar("T")

Reader = Callable[[Section, str, Any], Any]
"""Makes a field's value of what stands in the section under a key; notes there what is wrong, and returns MISSING."""


def read_into(
    section: Section,
    kind: type[T],
    readers: Mapping[str, Reader] | None = None,
    *,
    partly: bool = False,
    **given: Any,
) -> T | None:
    """A value of an attrs class; None if anything is wrong with it, which is noted in the section.

    Every field is converted and validated by itself, so that one that is wrong hides no other. Text that stands for a
    duration is taken where a field's name ends in ``_s``.

    Args:
        section: the table; no key is left in it.
        kind: the class.
        readers: for fields that need more than their own converter.
        partly: return what could be read all the same, if that makes a value, so that more can be found out about it.
        given: fields that the table does not say.
    """
    if not section.is_table:
        return None
    before = len(section.problems)
    values = dict(given)
    readers = readers or {}
    of: Any = kind
    hints = _hints(of)
    for attribute in _fields(of):
        name = attribute.name
        if not attribute.init or name in given:
            continue
        value = section.take(name)
        if value is MISSING:
            if attribute.default is NOTHING:
                section.wrong(name, "it is missing")
            continue
        if name in readers:
            value = readers[name](section, name, value)
        if value is not MISSING:
            try:
                values[name] = _checked(attribute, hints[name], value)
            except ConfigurationError as error:
                section.wrong(name, said_of(name, error))
    section.end()
    if len(section.problems) == before:
        return section.made("", kind, **values)
    try:
        return kind(**values) if partly else None
    except (ConfigurationError, TypeError):
        return None


def said_of(key: str, error: Exception) -> str:
    """An error's message without the key's name, which is said already."""
    said = str(error)
    if said.startswith(f"{key} is "):
        return f"found {said.removeprefix(f'{key} is ')}"
    return said.removeprefix(f"{key}: ")


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


@functools.cache
def _fields(kind: Any) -> tuple[Attribute[Any], ...]:
    return tuple(fields(kind))


_WORDS = {bool: "true or false", str: "text"}


def _checked(attribute: Attribute[Any], hint: Any, value: Any) -> Any:
    if (word := _WORDS.get(hint)) is not None and not isinstance(value, hint):
        found = short(value) if attribute.repr else "something else"  # a secret is in no message
        raise ConfigurationError(f"expected {word}, found {found}")
    name = attribute.name
    if name.endswith("_s") and not name.endswith("_per_s"):
        value = duration(value)
    try:
        made: Any = attribute.converter(value) if callable(attribute.converter) else value
        if attribute.validator is not None:
            attribute.validator(None, attribute, made)  # none of ours looks at the instance
    except (TypeError, ValueError, AttributeError, KeyError):
        raise ConfigurationError(f"{short(value)} is of no use here") from None
    return made

"""Facts, settings and the rest of the model as plain values, and back: by cattrs, from the attrs classes themselves."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import IntEnum
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from cti.model import facts
from cti.model.requirement import ANYBODY, Requirement
from cti.routing.strategy import Strategy
from cti.store.errors import NotKept, NotUnderstood
from cti.store.kept_object import dump_object, load_object
from cti.store.plain import plain

TAG: Final = "_type"
"""Beside the fields of a value that may be of several classes: the class's name."""
FACTS: Final[Mapping[str, type[Any]]] = {kind.__name__: kind for kind in get_args(facts.Fact)}
"""Every fact by its name."""
_MAPPINGS: Final = (dict, Mapping)
_PLAIN: Final = frozenset({str, bytes, bool, int, float})


class Codec:
    """Turns values of the model into what msgpack can write, and back. It learns of new classes and fields by itself.

    Args:
        strategies: what stands for strategies that were given as objects, by class (``package.module:Class``).
    """

    def __init__(self, strategies: Mapping[str, Strategy] | None = None) -> None:
        self._strategies = dict(strategies or {})
        self._lost: list[str] = []
        self._notes: list[str] = []
        self._converter = cattrs.Converter(unstruct_collection_overrides={set: sorted, frozenset: sorted})
        self._register()

    def dump(self, value: object) -> Any:
        """A value of an attrs class as plain values.

        Raises:
            NotKept: it holds something that cannot be written; the error names the keys.
        """
        raw, lost = self.dump_what_can_be(value)
        if lost:
            raise NotKept(type(value).__name__, lost)
        return raw

    def dump_what_can_be(self, value: object) -> tuple[Any, tuple[str, ...]]:
        """The same, with a text in place of each thing that cannot be written, and the paths of these."""
        self._lost = []
        return self._converter.unstructure(value), tuple(self._lost)

    def load(self, raw: object, kind: Any) -> tuple[Any, tuple[str, ...]]:
        """The value again, and a note on each thing that is not as it was: a field of a newer version, a strategy whose
        class is all that was kept.

        Raises:
            NotUnderstood: it cannot be such a value; the message names the field.
        """
        self._notes = []
        try:
            return self._converter.structure(raw, kind), tuple(self._notes)
        except cattrs.BaseValidationError as error:
            raise NotUnderstood(f"{_called(kind)}: {'; '.join(cattrs.transform_error(error))}") from error
        except Exception as error:  # validators of the model and of a host's strategies raise what they like
            raise NotUnderstood(f"{_called(kind)}: {error}") from error

    def load_fact(self, name: str, raw: object) -> tuple[facts.Fact, tuple[str, ...]]:
        """A fact by its name, and notes as from ``load``.

        Raises:
            NotUnderstood: this version has no such fact, or it cannot be one.
        """
        if name not in FACTS:
            raise NotUnderstood(f"fact {name!r} is not one that this version knows; a newer one wrote it")
        return self.load(raw, FACTS[name])

    # -- how ------------------------------------------------------------------------------------------------------

    def _register(self) -> None:
        converter = self._converter
        # As they are: a 5 that was given for a 5.0 must stay one, or a replay says that something differs.
        for kind in _PLAIN:
            converter.register_structure_hook(kind, _as_it_is)
        converter.register_structure_hook(IntEnum, lambda raw, kind: kind(raw))  # or it were an int
        converter.register_unstructure_hook(Requirement, str)
        converter.register_structure_hook(Requirement, lambda raw, _: Requirement(raw) if raw else ANYBODY)
        converter.register_unstructure_hook_func(_is_deque, _dump_deque)
        converter.register_structure_hook_func(_is_deque, self._load_deque)
        converter.register_structure_hook_func(lambda kind: kind is object, self._load_object)
        converter.register_unstructure_hook_factory(attrs.has, self._dump_attrs)
        converter.register_structure_hook_factory(attrs.has, self._load_attrs)
        converter.register_unstructure_hook_factory(_is_union, self._dump_any_of)
        converter.register_structure_hook_factory(_is_union, self._load_any_of)

    def _dump_attrs(self, kind: type[Any]) -> Callable[[Any], Any]:
        attrs.resolve_types(kind)
        changed: dict[str, Any] = {
            attribute.name: override(unstruct_hook=hook)
            for attribute in attrs.fields(kind)
            if (hook := self._dump_field(attribute.name, attribute.type)) is not None
        }
        return make_dict_unstructure_fn(kind, self._converter, **changed)

    def _dump_field(self, name: str, kind: Any) -> Callable[[Any], Any] | None:
        """For fields that may hold anything: what cannot be kept is named after the field."""
        if kind is object:
            return lambda value: dump_object(value, name, self._lost)
        if kind is Any or (get_origin(kind) in _MAPPINGS and get_args(kind)[1:] == (Any,)):
            return lambda value: plain(value, name, self._lost)
        return None

    def _load_attrs(self, kind: type[Any]) -> Callable[[Any, Any], Any]:
        attrs.resolve_types(kind)
        known = {attribute.name for attribute in attrs.fields(kind)} | {TAG}
        made = make_dict_structure_fn(kind, self._converter)

        def load(raw: Any, _: Any) -> Any:
            if not isinstance(raw, Mapping):
                raise NotUnderstood(f"{kind.__name__} is {raw!r:.80}; it must have fields")
            if not raw.keys() <= known:
                self._notes += [
                    f"{kind.__name__} has the field {name!r}, which this version does not know; it is left out"
                    for name in sorted(map(str, raw.keys() - known))
                ]
            return made(raw, kind)

        return load

    def _dump_any_of(self, kind: Any) -> Callable[[Any], Any]:
        if all(_is_plain(part) for part in get_args(kind)):
            return _itself
        unstructure = self._converter.unstructure
        tags: dict[type[Any], str | None] = {}

        def dump(value: Any) -> Any:
            if value is None:
                return None
            made = type(value)
            if made not in tags:
                tags[made] = made.__name__ if attrs.has(made) and made is not Requirement else None
            tag = tags[made]
            return unstructure(value) if tag is None else {TAG: tag, **unstructure(value)}

        return dump

    def _load_any_of(self, kind: Any) -> Callable[[Any, Any], Any]:
        parts = tuple(part for part in get_args(kind) if part is not NoneType)
        if all(_is_plain(part) for part in parts):
            return _as_it_is
        classes = {part.__name__: part for part in parts if attrs.has(part) and part is not Requirement}
        others = [part for part in parts if part not in classes.values()]
        structure = self._converter.structure

        def load(raw: Any, _: Any) -> Any:
            if raw is None:
                return None
            if isinstance(raw, dict):
                if TAG in raw:
                    if raw[TAG] not in classes:
                        raise NotUnderstood(
                            f"{raw[TAG]!r} is not one of {', '.join(classes)}; a newer version wrote it"
                        )
                    return structure(raw, classes[raw[TAG]])
                if len(classes) == 1 and not others:
                    return structure(raw, *classes.values())  # by itself it is dumped without a tag
            # One class that is not ours to tag (None beside an enum, a tuple, a requirement), or plain values.
            return structure(raw, others[0]) if len(others) == 1 else raw

        return load

    def _load_deque(self, raw: Any, kind: Any) -> deque[Any]:
        longest, items = raw
        return deque((self._converter.structure(item, get_args(kind)[0]) for item in items), maxlen=longest)

    def _load_object(self, raw: Any, _: Any) -> object:
        return load_object(raw, self._strategies, self._notes)


def _itself(value: Any) -> Any:
    return value


def _as_it_is(raw: Any, _: Any) -> Any:
    return raw


def _dump_deque(value: deque[Any]) -> list[Any]:
    return [value.maxlen, list(value)]


def _is_deque(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is deque


def _is_plain(kind: Any) -> bool:
    """Whether it is written as it is: one of msgpack's own types, or a name for one (``AgentId`` is a str)."""
    return kind is NoneType or getattr(kind, "__supertype__", kind) in _PLAIN


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType)


def _called(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))

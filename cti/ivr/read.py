"""Reads a voice menu from TOML. Everything that is wrong with its form is said at once."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from typing import Any, Final

import cattrs
from cattrs.gen import make_dict_structure_fn

from cti.errors import ConfigurationError
from cti.ivr.node import KINDS, Names, Node
from cti.ivr.tree import IvrTree, Piece, Spoken, Value, Variant, checked
from cti.script.prompt import Say

_TOP: Final = ("start", "main", "languages", "prompts", "nodes")


def _names(value: Any, _: Any) -> Names:
    if isinstance(value, str):
        return (value,)
    if value is True or value is False:  # hang_up = true
        return ()
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise ValueError(f"expected a name or a list of names, found {value!r}")


def _exact(kind: type[Any]) -> Any:
    """A scalar as it is: what cattrs would convert ('3' to 3) is more often a mistake."""

    def structure(value: Any, _: Any) -> Any:
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if type(value) is not kind:
            raise ValueError(f"expected {kind.__name__}, found {value!r}")
        return value

    return structure


def _reader() -> cattrs.Converter:
    reader = cattrs.Converter(detailed_validation=True, forbid_extra_keys=True)
    for kind in (str, int, float, bool):
        reader.register_structure_hook(kind, _exact(kind))
    reader.register_structure_hook_func(lambda kind: kind == Names, _names)
    for node in KINDS.values():
        reader.register_structure_hook(
            node, make_dict_structure_fn(node, reader, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True)
        )
    return reader


_READER: Final = _reader()


def read_ivr(text: str) -> IvrTree:
    """Read a voice menu.

    Raises:
        ConfigurationError: it is no TOML, or not of the form of docs/first-ivr.md; the message has all that is wrong.
            Whether it makes sense as a whole is for ``cti.ivr.problems`` to say, and for ``Ivr``.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"the voice menu is no TOML: {error}") from error
    wrong: list[str] = [f"{name!r} is not known here{_near(name, _TOP)}" for name in found if name not in _TOP]
    start = _text(found, "start", wrong)
    main = _text(found, "main", wrong) if "main" in found else ""
    languages = found.get("languages", ["en"])
    if not isinstance(languages, list) or not languages or not all(isinstance(one, str) and one for one in languages):
        wrong.append("languages: expected a list of names such as ['en', 'zh']")
        languages = ["en"]
    prompts = {name: _prompt(name, value, wrong) for name, value in _table(found, "prompts", wrong).items()}
    nodes: dict[str, Node] = {}
    for name, value in _table(found, "nodes", wrong).items():
        node = _node(name, value, wrong)
        if node is not None:
            nodes[name] = node
    checked(wrong)
    return IvrTree(start=start, main=main, languages=tuple(languages), prompts=prompts, nodes=nodes)


def _text(found: Mapping[str, Any], name: str, wrong: list[str]) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        wrong.append(f"{name}: expected a node's name, found {value!r}")
        return ""
    return value


def _table(found: Mapping[str, Any], name: str, wrong: list[str]) -> Mapping[str, Any]:
    value = found.get(name, {})
    if not isinstance(value, dict):
        wrong.append(f"{name}: expected a table [{name}], found {value!r}")
        return {}
    return value


def _prompt(name: str, value: Any, wrong: list[str]) -> dict[str, Variant]:
    """A prompt is a piece, a list of pieces, or either of these by language."""
    by_language = isinstance(value, dict) and not {"say", "data", "speak"} & set(value)
    variants = value if by_language else {"": value}
    read: dict[str, Variant] = {}
    for language, variant in variants.items():
        pieces = variant if isinstance(variant, list) else [variant]
        where = f"prompts.{name}{'.' + language if language else ''}"
        read[language] = tuple(piece for one in pieces if (piece := _piece(where, one, wrong)) is not None)
    return read


def _piece(where: str, value: Any, wrong: list[str]) -> Piece | None:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, dict):
        kind = next((one for one in ("say", "data", "speak") if one in value), "")
        rest = {name: one for name, one in value.items() if name != kind}
        try:
            if kind == "say":
                return Say(value["say"], **rest)
            if kind == "data":
                return Value(value["data"], **rest)
            if kind == "speak":
                return Spoken(value["speak"], **rest)
        except TypeError:
            allowed = "engine, voice" if kind == "speak" else "kind, digits"
            wrong.append(f"{where}: with {kind!r} there may be {allowed}, found {', '.join(rest)}")
            return None
    wrong.append(f"{where}: expected a file, or a table with say, data or speak; found {value!r}")
    return None


def _node(name: str, value: Any, wrong: list[str]) -> Node | None:
    where = f"nodes.{name}"
    if name.startswith("@") or not name:
        wrong.append(f"{where}: a node's name may not begin with @")
        return None
    if not isinstance(value, dict):
        wrong.append(f"{where}: expected a table [{where}], found {value!r}")
        return None
    kinds = [kind for kind in KINDS if kind in value]
    if len(kinds) != 1:
        what = f"is {' and '.join(kinds)} at once" if kinds else f"says not what it does{_near_kind(value)}"
        wrong.append(f"{where}: it {what}; exactly one of {', '.join(KINDS)} is needed")
        return None
    try:
        return _READER.structure(value, KINDS[kinds[0]])
    except Exception as error:  # noqa: BLE001 - cattrs raises groups of what the hooks raise
        wrong.extend(
            f"{where}: {line}" for line in cattrs.transform_error(error, path=kinds[0], format_exception=_said)
        )
        return None


def _said(error: BaseException, _: type | None) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        return f"{', '.join(sorted(error.extra_fields))} is not known there"
    return str(error)


def _near(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"


def _near_kind(value: Mapping[str, Any]) -> str:
    for key in value:
        near = difflib.get_close_matches(key, KINDS, n=1)
        if near:
            return f" ({key!r}: did you mean {near[0]!r}?)"
    return ""

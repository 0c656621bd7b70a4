"""Requirements: which skills, at which levels, an agent must have; written as text, compiled once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from cti.errors import ConfigurationError
from cti.model.requirement_text import Atom, Node, Parser

_PLAIN = re.compile(r"(?!(?:and|or|not)\Z)(?!\d+\Z)[^\W_][\w.]*\Z", re.IGNORECASE)
"""Names that need no quotes in a text that we write; fewer than those that need none in a text that we read."""

Predicate = Callable[[Mapping[str, int]], bool]


@frozen(eq=False, repr=False)
class Requirement:
    """What an agent's skills must be, such as ``chinese >= 5 and (loans >= 3 or vip) and not trainee``.

    A bare name means level 1 or more; a skill that an agent does not have counts as level 0. Two requirements that
    differ only in the order of their parts, or in ways to write one (``a > 2``, ``a >= 3``), are equal.

    Args:
        text: the requirement. Names may hold letters of any script, digits and ``- _ .``; others stand in quotes.

    Raises:
        ConfigurationError: it cannot be read; the message names the column and what was expected there.
    """

    text: str
    accepts: Predicate = field(init=False)
    """Whether an agent with these skills meets it."""
    skills: frozenset[str] = field(init=False)
    """The skills it asks for; those it forbids are not among them."""
    _tree: Node | None = field(init=False)
    _form: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        tree = Parser(self.text).parse() if self.text else None
        put = object.__setattr__
        put(self, "_tree", tree)
        put(self, "accepts", _compiled(tree))
        put(self, "skills", frozenset(a.skill for a in _atoms(tree) if a.operator in (">=", "==") and a.level > 0))
        put(self, "_form", _form(tree))

    def shortfalls(self, skills: Mapping[str, int]) -> list[str]:
        """Which parts such skills fail, one phrase a part, such as ``loans 2 < 3``; empty when they meet it."""
        return [] if self._tree is None else _shortfalls(self._tree, skills)

    def __eq__(self, other: object) -> bool:
        return self._form == other._form if isinstance(other, Requirement) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._form)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Requirement({self.text!r})"

    def __reduce__(self) -> tuple[type[Requirement], tuple[str]]:
        return Requirement, (self.text,)


def requirement(field_name: str, value: Requirement | str | Mapping[str, int]) -> Requirement:
    """A requirement from its text, or from skill -> lowest level, of which an empty one asks for nothing.

    Raises:
        ConfigurationError: it is neither, or cannot be read; the message begins with the field's name.
    """
    if isinstance(value, Requirement):
        return value
    if isinstance(value, str):
        if not value.strip():
            raise ConfigurationError(
                f"{field_name}: column 1: expected a skill's name, found nothing; leave it out to ask for no skill"
            )
        try:
            return Requirement(value)
        except ConfigurationError as error:
            raise ConfigurationError(f"{field_name}: {error}") from error
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{field_name} is {value!r}; it must be text such as 'loans >= 3', or skill -> level")
    for skill, level in value.items():
        if not isinstance(skill, str) or not skill:
            raise ConfigurationError(f"{field_name}: {skill!r} is not a skill's name; it must be text")
        if not isinstance(level, int) or isinstance(level, bool) or level < 0:
            raise ConfigurationError(
                f"{field_name}: the level of {skill!r} is {level!r}; it must be a whole number from 0 up"
            )
    return requirement(field_name, text) if (text := _written(value)) else ANYBODY


def _written(levels: Mapping[str, int]) -> str:
    return " and ".join(f"{_quoted(skill)} >= {level}" for skill, level in levels.items())


def _quoted(skill: str) -> str:
    if _PLAIN.match(skill):
        return skill
    escaped = skill.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _atoms(tree: Node | None) -> list[Atom]:
    if tree is None:
        return []
    return [tree] if isinstance(tree, Atom) else [atom for part in tree.parts for atom in _atoms(part)]


def _compiled(tree: Node | None) -> Predicate:
    """Closures: about 0.1 us a part, and nothing to evaluate that came from a text."""
    if tree is None:
        return lambda _skills: True
    if isinstance(tree, Atom):
        return _compiled_atom(tree)
    parts = tuple(_compiled(part) for part in tree.parts)
    if len(parts) == 2:
        first, second = parts
        if tree.every:
            return lambda skills: first(skills) and second(skills)
        return lambda skills: first(skills) or second(skills)
    if tree.every:
        return lambda skills: all(part(skills) for part in parts)
    return lambda skills: any(part(skills) for part in parts)


def _compiled_atom(atom: Atom) -> Predicate:
    skill, level = atom.skill, atom.level
    match atom.operator:
        case ">=":
            return lambda skills: skills.get(skill, 0) >= level
        case "<":
            return lambda skills: skills.get(skill, 0) < level
        case "==":
            return lambda skills: skills.get(skill, 0) == level
        case _:
            return lambda skills: skills.get(skill, 0) != level


def _form(tree: Node | None) -> Any:
    """What is the same for equal requirements: parts sorted, each once."""
    if tree is None:
        return ()
    if isinstance(tree, Atom):
        return (tree.skill, tree.operator, tree.level)
    forms = sorted({repr(form): form for form in map(_form, tree.parts)}.items())
    return forms[0][1] if len(forms) == 1 else ("all of" if tree.every else "any of", *(form for _, form in forms))


_OPPOSITE = {">=": "<", "<": ">=", "==": "!=", "!=": "=="}


def _shortfalls(tree: Node, skills: Mapping[str, int]) -> list[str]:
    if isinstance(tree, Atom):
        if _compiled_atom(tree)(skills):
            return []
        return [f"{tree.skill} {skills.get(tree.skill, 0)} {_OPPOSITE[tree.operator]} {tree.level}"]
    failed = [_shortfalls(part, skills) for part in tree.parts]
    if tree.every:
        return [phrase for part in failed for phrase in part]
    if not all(failed):
        return []
    return ["none of (" + "; ".join(" and ".join(part) for part in failed) + ")"]


ANYBODY = Requirement("")
"""Asks for nothing."""

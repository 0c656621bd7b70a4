"""The text of a requirement, read into a tree without ``not``: each negation is carried down to its comparisons."""

from __future__ import annotations

import unicodedata
from typing import Final, NoReturn

from attrs import frozen

from cti.errors import ConfigurationError

LONGEST: Final = 4000
"""Characters. Longer texts come from a program gone wrong, not from a person."""
DEEPEST: Final = 32
"""Parentheses and ``not`` within each other; the reader recurses, and Python's stack is not to be had by a text."""
LONGEST_NAME: Final = 200
HIGHEST: Final = 10**9

_OPERATORS: Final = (">=", "<=", "==", "!=", ">", "<")
_NEGATED: Final = {">=": "<", "<": ">=", "==": "!=", "!=": "=="}
_KEYWORDS: Final = ("and", "or", "not")


class BadRequirement(ConfigurationError):
    """A requirement's text cannot be read: ``column`` (from 1) is where, ``expected`` what should stand there."""

    def __init__(self, column: int, expected: str, found: str) -> None:
        super().__init__(f"column {column}: expected {expected}, found {found}")
        self.column = column
        self.expected = expected
        self.found = found


@frozen
class Atom:
    """One comparison; ``operator`` is ``>=``, ``<``, ``==`` or ``!=``."""

    skill: str
    operator: str
    level: int


@frozen
class Group:
    """All of its parts, or any of them."""

    every: bool
    parts: tuple[Node, ...]


Node = Atom | Group


@frozen
class _Token:
    kind: str
    """``name``, ``quoted``, ``operator``, ``(``, ``)``, ``end``, or a keyword."""
    text: str
    column: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


class Parser:
    """Reads one text: ``or`` binds loosest, then ``and``, then ``not``.

    Args:
        text: what to read.
    """

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise BadRequirement(LONGEST + 1, f"at most {LONGEST} characters", f"{len(text)}")
        self._tokens = _tokens(text)
        self._at = 0

    def parse(self) -> Node:
        """The tree.

        Raises:
            BadRequirement: the text cannot be read.
        """
        tree = self._any(negated=False, depth=0)
        if self._next.kind != "end":
            self._wrong("'and', 'or' or the end" if self._next.kind != ")" else "no ')' that nothing opened")
        return tree

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, kind: str) -> _Token | None:
        token = self._next
        if token.kind != kind:
            return None
        self._at += 1
        return token

    def _wrong(self, expected: str) -> NoReturn:
        raise BadRequirement(self._next.column, expected, str(self._next))

    def _any(self, *, negated: bool, depth: int) -> Node:
        parts = [self._all(negated=negated, depth=depth)]
        while self._take("or"):
            parts.append(self._all(negated=negated, depth=depth))
        return _group(negated, parts)

    def _all(self, *, negated: bool, depth: int) -> Node:
        parts = [self._one(negated=negated, depth=depth)]
        while self._take("and"):
            parts.append(self._one(negated=negated, depth=depth))
        return _group(not negated, parts)

    def _one(self, *, negated: bool, depth: int) -> Node:
        if depth > DEEPEST:
            self._wrong(f"at most {DEEPEST} parentheses and 'not' within each other")
        if self._take("not"):
            return self._one(negated=not negated, depth=depth + 1)
        if self._take("("):
            tree = self._any(negated=negated, depth=depth + 1)
            if not self._take(")"):
                self._wrong("'and', 'or' or ')'")
            return tree
        name = self._take("name") or self._take("quoted")
        if name is None or (name.kind == "name" and name.text.lstrip("-").isdecimal()):
            self._at -= name is not None
            self._wrong("a skill's name, 'not' or '('")
        atom = self._compared(name.text)
        return Atom(atom.skill, _NEGATED[atom.operator], atom.level) if negated else atom

    def _compared(self, skill: str) -> Atom:
        operator = self._take("operator")
        if operator is None:
            return Atom(skill, ">=", 1)
        if operator.text not in _OPERATORS:
            self._at -= 1
            self._wrong(f"an operator ({' '.join(_OPERATORS)})")
        number = self._take("name")
        if number is None or not (number.text.isascii() and number.text.isdecimal()) or len(number.text) > 9:
            self._at -= number is not None
            self._wrong(f"a level: a whole number from 0 up, below {HIGHEST}")
        level = int(number.text)
        if operator.text == "<" and level == 0:
            self._at -= 1
            self._wrong("a level from 1 up, since none is below 0")
        if operator.text == ">":
            return Atom(skill, ">=", level + 1)
        if operator.text == "<=":
            return Atom(skill, "<", level + 1)
        return Atom(skill, operator.text, level)


def _group(every: bool, parts: list[Node]) -> Node:
    """One node; groups of the same kind within each other become one."""
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Group) and part.every == every else (part,))
    return flat[0] if len(flat) == 1 else Group(every, tuple(flat))


def _in_a_name(letter: str) -> bool:
    # Letters, marks (which Indic scripts need) and digits of any script.
    return letter in "-_." or unicodedata.category(letter)[0] in "LMN"


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        letter, began = text[at], at
        if letter.isspace():
            at += 1
            continue
        if letter in "()":
            at += 1
            found.append(_Token(letter, letter, began + 1))
        elif letter in "<>=!&|":
            while at < len(text) and text[at] in "<>=!&|":
                at += 1
            found.append(_Token("operator", text[began:at], began + 1))
        elif letter in "\"'":
            name, at = _quoted(text, at)
            found.append(_Token("quoted", name, began + 1))
        elif _in_a_name(letter):
            while at < len(text) and _in_a_name(text[at]):
                at += 1
            word = text[began:at]
            if len(word) > LONGEST_NAME:
                raise BadRequirement(began + 1, f"a name of at most {LONGEST_NAME} characters", f"one of {len(word)}")
            found.append(_Token(word.lower() if word.lower() in _KEYWORDS else "name", word, began + 1))
        else:
            raise BadRequirement(began + 1, "a skill's name, an operator or a parenthesis", repr(letter))
    found.append(_Token("end", "", len(text) + 1))
    return found


def _quoted(text: str, began: int) -> tuple[str, int]:
    """A name in quotes, where a backslash takes the next character as it is; and where it ends."""
    letters: list[str] = []
    at = began + 1
    while at < len(text) and text[at] != text[began]:
        at += text[at] == "\\"
        letters.append(text[at : at + 1])
        at += 1
    name = "".join(letters)
    if at >= len(text):
        raise BadRequirement(len(text) + 1, f"the closing {text[began]}", "the end")
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadRequirement(began + 1, f"a name of 1 to {LONGEST_NAME} printable characters", repr(name))
    return name, at + 1

"""On which line of a TOML text a table or a key stands; ``tomllib`` does not say."""

from __future__ import annotations

import re
from typing import Final

Path = tuple[str | int, ...]

_HEADER: Final = re.compile(r"\s*(\[\[?)(?!\[)(.*?)\]\]?\s*(?:#.*)?$")
_PART: Final = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(\.|=|$)""")
_QUOTES: Final = ('"""', "'''")


class LineIndex:
    """The lines of a text's tables and keys.

    It reads the text line by line and knows less of TOML than tomllib does: a key inside a table that is written on
    one line is found on the line of that table's own key, and a line of a long text that looks like a key may be taken
    for one. A wrong line is the worst that comes of it.

    Args:
        text: the text, which need not be TOML.
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        table: Path = ()
        many: dict[Path, int] = {}
        within = ""
        for number, line in enumerate(text.splitlines(), 1):
            if within:
                within = "" if within in line else within
                continue
            header = _HEADER.match(line)
            if header is not None:
                keys = _keys(header[2])
                if keys:
                    table = _resolved(keys, many, new=header[1] == "[[")
                    for count in range(1, len(table) + 1):
                        self._lines.setdefault(table[:count], number)
                continue
            keys = _keys(line, assigned=True)
            for count in range(1, len(keys) + 1):
                self._lines.setdefault((*table, *keys[:count]), number)
            within = next((quotes for quotes in _QUOTES if line.count(quotes) % 2), "")

    def find(self, path: Path) -> int | None:
        """The line of the longest part of the path that stands somewhere, from 1; None for none of it."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._lines:
                return self._lines[path[:end]]
        return None


def _resolved(keys: Path, many: dict[Path, int], *, new: bool) -> Path:
    """The path with the place in each list of tables that it goes through."""
    path: Path = ()
    for at, key in enumerate(keys, 1):
        path = (*path, key)
        if new and at == len(keys):
            many[path] = many.get(path, -1) + 1
        if path in many:
            path = (*path, many[path])
    return path


def _keys(text: str, *, assigned: bool = False) -> Path:
    """The parts of a dotted key; empty if it is none, or if it has to be followed by ``=`` and is not."""
    keys: list[str] = []
    at = 0
    while True:
        part = _PART.match(text, at)
        if part is None:
            return ()
        keys.append(next(name for name in part.groups()[:3] if name is not None))
        if part[4] != ".":
            return tuple(keys) if (part[4] == "=") == assigned else ()
        at = part.end()

"""What is wrong with a configuration, and where it stands in the file."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from cti.errors import ConfigurationError


@frozen
class Problem:
    """One thing that is wrong, or probably not meant.

    Args:
        file: the file's name, as it was given.
        table: in which table, such as ``queue.sales``; empty for the file as a whole.
        key: under which key of it; empty for the table as a whole.
        what: what was expected, and what was found.
        line: where, from 1; None where it cannot be found.
    """

    file: str
    table: str
    key: str
    what: str
    line: int | None = None

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (where, f"[{self.table}]" if self.table else "", self.key, self.what) if part)


class BadConfiguration(ConfigurationError):
    """A configuration cannot be used; ``problems`` has everything that is wrong with it, a line each in the message."""

    code = "operation.bad_configuration"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

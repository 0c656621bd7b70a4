"""An audit, read and searched: also while it is written, and when it is damaged."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from cti.audit.entry import BEGINS, follows, opened
from cti.audit.log import files
from cti.errors import ConfigurationError


@frozen
class Found:
    """A line of an audit.

    Args:
        path: its file.
        line: its number there, from 1.
        values: what it says, by the fields of Entry; None if it cannot be read.
        sound: whether it is as it was written, and nothing is missing before it.
    """

    path: Path
    line: int
    values: Mapping[str, Any] | None
    sound: bool


@frozen
class Wanted:
    """What is searched for; ``*`` and ``?`` match as in file names, an empty text matches all.

    Args:
        who: the name of a key, an account, an agent.
        what: a method.
        whom: any name or id that it was done to.
        since: from then on, Unix seconds.
        until: up to then.
        refused: whether only what was refused is shown.
    """

    who: str = ""
    what: str = ""
    whom: str = ""
    since: float | None = None
    until: float | None = None
    refused: bool = False

    def matches(self, values: Mapping[str, Any]) -> bool:
        """Whether a line is one of those searched for."""
        at = values.get("at")
        at = at if isinstance(at, int | float) else 0.0
        return (
            _like(values.get("who"), self.who)
            and _like(values.get("what"), self.what)
            and (not self.whom or any(_like(each, self.whom) for each in _names(values.get("whom"))))
            and (self.since is None or at >= self.since)
            and (self.until is None or at <= self.until)
            and (not self.refused or values.get("outcome") != "done")
        )


def read_audit(path: Path) -> Iterator[Found]:
    """Every line of an audit, the oldest first.

    Args:
        path: its directory, or one of its files.

    Raises:
        ConfigurationError: there is none, or it cannot be read.
    """
    named = files(path) if path.is_dir() else [path]
    if not named:
        raise ConfigurationError(f"there is no audit in {path}")
    before: str | None = None  # what the first line goes on from may not be kept any more
    for each in named:
        try:
            with each.open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    found = opened(line) if line.endswith(b"\n") else None
                    if found is None:
                        yield Found(each, number, None, sound=False)
                        continue
                    values, body, seal = found
                    if before is None:
                        before = _after(values.get("whom")) if values.get("what") == BEGINS else ""
                    yield Found(each, number, values, sound=follows(body, seal, before))
                    before = seal
        except OSError as error:
            raise ConfigurationError(f"cannot read {each}: {error}") from None


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _names(each)
    elif value is not None:
        yield str(value)


def _after(whom: Any) -> str:
    return str(whom.get("after", "")) if isinstance(whom, Mapping) else ""


def _like(value: Any, pattern: str) -> bool:
    return not pattern or fnmatch.fnmatchcase(str(value), pattern)

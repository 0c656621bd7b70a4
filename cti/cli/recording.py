"""A recorded event-socket session as a file: JSON lines, the first a description, then ``[direction, seconds, frame]``.

Direction is ``>`` (client) or ``<`` (switch); seconds count from the beginning; a frame is text, bytes that are not
UTF-8 standing in it as lone surrogates (``surrogateescape``).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from attrs import frozen

from cti.errors import ConfigurationError

Direction = Literal["<", ">"]
DEFAULT_MAX_BYTES: Final = 100_000_000


@frozen
class Row:
    """One frame: who wrote it, when (seconds from the beginning), and its bytes."""

    direction: Direction
    at_s: float
    frame: bytes

    def line(self) -> str:
        """The row as a line of the file."""
        text = self.frame.decode("utf-8", "surrogateescape")
        return json.dumps([self.direction, round(self.at_s, 4), text]) + "\n"


class Recorder:
    """Writes a recording; every row is complete in the file before the next begins.

    Args:
        file: where to write, unbuffered (see ``create``); whoever opened it closes it.
        about: the description.
        max_bytes: the file grows no longer than this.
    """

    def __init__(self, file: BinaryIO, about: dict[str, Any], max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self.bytes = self.rows = 0
        self.full = False
        """Whether a row was left out because of the limit; none is written after that."""
        self._write(json.dumps(about) + "\n")

    def add(self, row: Row) -> bool:
        """Write a row; False when there is no room for it. Blocks for the disk only.

        Raises:
            ConfigurationError: the file cannot be written any further; the message says how much of it is good.
        """
        if not self.full and self._write(row.line()):
            self.rows += 1
        return not self.full

    def _write(self, line: str) -> bool:
        raw = memoryview(line.encode("ascii"))  # json.dumps writes nothing else
        size = len(raw)
        if self.bytes + size > self._max_bytes:
            self.full = True
            return False
        try:
            while raw:
                raw = raw[self._file.write(raw) :]
        except OSError as error:
            self.full = True
            with contextlib.suppress(OSError):
                self._file.truncate(self.bytes)  # half a row is none
            raise ConfigurationError(
                f"cannot go on recording: {error.strerror}; the first {self.rows} frames are in the file"
            ) from error
        self.bytes += size
        return True


def create(path: Path) -> BinaryIO:
    """Open a new file for a recording.

    Raises:
        ConfigurationError: it exists, or cannot be made.
    """
    try:
        return path.open("xb", buffering=0)
    except FileExistsError as error:
        raise ConfigurationError(f"{path} exists; a recording never overwrites a file") from error
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error


def load(path: Path) -> tuple[dict[str, Any], list[Row]]:
    """Read a recording: its description and its rows.

    Raises:
        ConfigurationError: it cannot be read, or is no recording; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is no recording: it is not text") from error
    try:
        about = json.loads(lines[0]) if lines else None
    except ValueError:
        about = None
    if not isinstance(about, dict):
        raise ConfigurationError(f"{path} is no recording: its first line is no description")
    return about, list(_rows(path, lines[1:]))


def _rows(path: Path, lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=2):
        try:
            direction, at_s, text = json.loads(line)
            if direction not in ("<", ">"):
                raise ValueError  # noqa: TRY301 - all that can be wrong with a line ends in one message
            row = Row(direction, float(at_s), text.encode("utf-8", "surrogateescape"))
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigurationError(f"{path}, line {number}: not a frame of a recording") from error
        yield row

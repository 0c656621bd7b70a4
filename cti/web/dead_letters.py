"""Messages that no receiver took: a file of them, bounded, that can be sent again."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import gevent
import msgspec
import structlog
from gevent.lock import BoundedSemaphore

MOST_BYTES: Final = 64 << 20
"""A file of this size becomes the older one, and the older one before it is lost."""

WAITING: Final = 1_000
"""Messages that may wait to be written; more are lost, when the disk has stopped."""

_log = structlog.get_logger("cti.web")


class DeadLetter(msgspec.Struct, frozen=True):
    """A message that was given up."""

    webhook: str
    url: str
    id: str
    at: float
    """When it was given up, Unix seconds."""
    tries: int
    why: str
    body: str
    """The message, JSON as text."""


class DeadLetters:
    """The file. Nobody but its owner may read it: attached data are in it.

    Args:
        file: where it is; beside it are the older one (``.1``), one that is being sent again, and a lock.
        most_bytes: how large it may become.
    """

    def __init__(self, file: str | os.PathLike[str], most_bytes: int = MOST_BYTES) -> None:
        self._file = Path(file)
        self._older = self._beside(".1")
        self._taken = self._beside(".taken")
        self._most_bytes = most_bytes
        self._turn = BoundedSemaphore()
        self._waiting = 0

    def add(self, letter: DeadLetter) -> bool:
        """Keep a message; False when the disk does not take it. Blocks this greenlet, but not the thread."""
        reason = "too many wait to be written"
        if self._waiting < WAITING:
            self._waiting += 1
            try:
                with self._turn:
                    gevent.get_hub().threadpool.apply(self._append, (msgspec.json.encode(letter) + b"\n",))
            except OSError as error:
                reason = str(error)
            else:
                return True
            finally:
                self._waiting -= 1
        _log.error("a dead letter is lost", webhook=letter.webhook, id=letter.id, reason=reason)
        return False

    def read(self) -> list[DeadLetter]:
        """Every message, the oldest first; a line that cannot be read is said and left out. Blocks the thread."""
        with self._locked():
            return [letter for file in (self._taken, self._older, self._file) for letter in _letters(file)]

    def take(self) -> list[DeadLetter]:
        """Every message, taken out of the file. Blocks the thread.

        They are kept beside it until ``done``: after a crash in between the next ``take`` has them again.
        """
        with self._locked():
            text = b"".join(_bytes(file) for file in (self._taken, self._older, self._file))
            if text:
                _write(self._taken, os.O_TRUNC, text)
            for file in (self._older, self._file):
                file.unlink(missing_ok=True)
            return list(_letters(self._taken))

    def done(self) -> None:
        """What was taken has been sent, or added again."""
        with self._locked():
            self._taken.unlink(missing_ok=True)

    def _append(self, line: bytes) -> None:
        """In a thread."""
        with self._locked():
            if self._file.exists() and self._file.stat().st_size + len(line) > self._most_bytes:
                if self._older.exists():
                    _log.error("the oldest dead letters are lost: the file is full", file=str(self._older))
                self._file.replace(self._older)
            _write(self._file, os.O_APPEND, line)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """The daemon and `cti webhooks replay` may be at it at the same time."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._beside(".lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _beside(self, suffix: str) -> Path:
        return self._file.with_name(self._file.name + suffix)


def _write(file: Path, how: int, text: bytes) -> None:
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | how, 0o600), "wb") as opened:  # noqa: PTH123 - with a mode
        opened.write(text)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def _letters(file: Path) -> Iterator[DeadLetter]:
    for line in _bytes(file).splitlines():
        try:
            yield msgspec.json.decode(line, type=DeadLetter)
        except (msgspec.DecodeError, UnicodeDecodeError):
            _log.error("a dead letter cannot be read", file=str(file))

"""Writes segment files: append only, one after another."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from cti.store.frame import MAGIC
from cti.store.segment import segment_path


class SegmentWriter:
    """Appends to the newest segment of a directory. All of it blocks for as long as the disk takes.

    After an OSError nothing is open; the segment ends with its last whole write, and the next begins another one.

    Args:
        directory: where the segments are.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = -1
        self._number = 0
        self._written = 0

    def probe(self) -> None:
        """Whether segments can be made here.

        Raises:
            OSError: they cannot.
        """
        path = self._directory / f".{os.getpid()}.probe"
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640))
        path.unlink()

    def write(self, number: int, data: bytes) -> bool:
        """Append to a segment; one that is not the open one is created, and the open one is completed.

        Returns whether it was created.

        Raises:
            OSError: the disk is full, say; nothing of ``data`` is in the file, as far as that could be brought about.
        """
        fresh = number != self._number or self._file < 0
        try:
            if fresh:
                self._begin(number)
            self._append(data)
        except OSError:
            self._give_up()
            raise
        self._written += len(data)
        return fresh

    def sync(self) -> None:
        """Wait until all that was written is on the disk.

        Raises:
            OSError: the disk says that it is not.
        """
        if self._file < 0:
            return
        try:
            os.fdatasync(self._file)
        except OSError:
            # What the kernel held may be gone for good: nothing more goes into this file.
            self._give_up()
            raise

    def close(self) -> None:
        """Complete the open segment; harmless when none is.

        Raises:
            OSError: the disk says that it does not hold all of it.
        """
        try:
            self.sync()
        finally:
            self._close()

    def _begin(self, number: int) -> None:
        self.close()
        path = segment_path(self._directory, number)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self._number, self._written = number, 0
        self._append(MAGIC)
        self._written = len(MAGIC)
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)  # or the file's name may be lost with the power
        finally:
            os.close(directory)

    def _append(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def _give_up(self) -> None:
        """Leave the segment as its last whole write left it; one that got nothing at all is taken away."""
        if self._file < 0:
            return
        with contextlib.suppress(OSError):
            if self._written <= len(MAGIC):
                segment_path(self._directory, self._number).unlink()
            else:
                os.ftruncate(self._file, self._written)
        self._close()

    def _close(self) -> None:
        file, self._file, self._number = self._file, -1, 0
        if file >= 0:
            with contextlib.suppress(OSError):
                os.close(file)

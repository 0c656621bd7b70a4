"""Which segments of a journal are old enough to go."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from attrs import field, frozen

from cti.model.validate import count, seconds
from cti.store.segment import numbers, segment_path


@frozen
class Retention:
    """How much of a journal is kept; the oldest segments beyond any of these go. None keeps all.

    Each segment begins with a snapshot, so that those that are left can be replayed.

    Args:
        segments: so many files.
        bytes: files of so many bytes in all.
        age_s: files that were written to within so many seconds.
    """

    segments: int | None = field(default=None)
    bytes: int | None = field(default=None)
    age_s: float | None = field(default=None, validator=seconds)

    def __attrs_post_init__(self) -> None:
        for attribute in self.__attrs_attrs__[:2]:
            if getattr(self, attribute.name) is not None:
                count(self, attribute, getattr(self, attribute.name))

    def prune(self, directory: Path, clock: Callable[[], float] = time.time) -> list[Path]:
        """Delete what is too old; the files deleted. The newest segment always stays. Blocks.

        Raises:
            OSError: one cannot be deleted; those before it are.
        """
        found = [(path, path.stat()) for path in (segment_path(directory, number) for number in numbers(directory))]
        keep, size = 0, 0
        for _, stat in reversed(found):
            size += stat.st_size
            if keep and (
                (self.segments is not None and keep >= self.segments)
                or (self.bytes is not None and size > self.bytes)
                or (self.age_s is not None and clock() - stat.st_mtime > self.age_s)
            ):
                break
            keep += 1
        gone = [path for path, _ in found[: len(found) - keep]]
        for path in gone:
            path.unlink()
        return gone

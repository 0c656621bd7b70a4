"""The file that holds the process id, locked while the process lives."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from cti.errors import ConfigurationError


class PidFile:
    """Takes the file: a lock on it ends with the process, so that a number left from before is nobody's.

    Args:
        path: the file.

    Raises:
        ConfigurationError: another process has it, or it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"{os.getpid()}\n".encode())
        except BlockingIOError:
            os.close(self._descriptor)
            raise ConfigurationError(f"daemon.pid_file {path}: process {_number(path)} runs already") from None
        except OSError as error:
            raise ConfigurationError(f"daemon.pid_file {path}: {error.strerror}") from None

    def release(self) -> None:
        """Take the file away."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def running_pid(path: Path) -> int | None:
    """The id of the process that holds a file; None if none does."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _number(path)
    except OSError:
        return None
    return None


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None

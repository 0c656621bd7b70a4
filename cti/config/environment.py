"""Secrets that do not stand in the file: ``${NAME}`` is replaced by what the environment has under that name."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cti.errors import ConfigurationError

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_LONGEST: Final = 10_000


def has_variable(text: str) -> bool:
    """Whether there is anything to replace."""
    return _VARIABLE.search(text) is not None


def expanded(value: Any, environ: Mapping[str, str]) -> Any:
    """Text with its variables replaced; anything else as it is.

    Raises:
        ConfigurationError: the environment has no such variable.
    """
    if not isinstance(value, str):
        return value

    return _VARIABLE.sub(lambda variable: of_variable(variable[1], environ), value)


def of_variable(name: str, environ: Mapping[str, str]) -> str:
    """What the environment has under a name.

    Raises:
        ConfigurationError: nothing.
    """
    if name not in environ:
        raise ConfigurationError(f"the environment variable {name} is not set")
    return environ[name]


def read_secret(path: Path) -> str:
    """The first line of a file. Blocks.

    Raises:
        ConfigurationError: it cannot be read, or is empty.
    """
    try:
        with path.open(encoding="utf-8") as file:
            secret = file.readline(_LONGEST).rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not secret:
        raise ConfigurationError(f"{path}: its first line is empty; put the secret there")
    return secret


def others_can_read(path: Path) -> bool:
    """Whether everybody on the machine may read a file."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False

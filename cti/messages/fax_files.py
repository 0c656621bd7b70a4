"""The files that other programs may have sent as faxes: those below one directory, and no others."""

from __future__ import annotations

from pathlib import Path

from cti.errors import ConfigurationError


def file_below(directory: Path, name: str) -> Path:
    """The file of this name below a directory, wherever links in it lead, unless that is outside. Blocks.

    Raises:
        ConfigurationError: there is none, it is outside or no plain file; nothing is said of what is outside.
    """
    try:
        root = directory.resolve(strict=True)
        path = (root / name).resolve(strict=True)
        found = path.is_relative_to(root) and path.is_file()
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links that go round
        found = False
    if not found:
        raise ConfigurationError(f"there is no file {name!r} among those that may be sent as faxes (fax_files)")
    return path

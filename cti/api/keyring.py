"""The keys file: who may connect, and what they may do."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import zmq.auth
from attrs import frozen

from cti.api.grant import Grant
from cti.api.grants_file import GrantsFile, grant, tables
from cti.errors import ConfigurationError

FILE: Final = "keys.toml"
SERVER: Final = "server"
"""The name of the server's own pair, beside the keys file: ``server.key`` and ``server.key_secret``."""
PUBLIC_KEY: Final = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
"""Z85 (ZeroMQ RFC 32) of 32 bytes."""

_FIELDS: Final = frozenset({"public", "role", "agents", "queues", "revoked"})


@frozen
class KeyEntry:
    """One key of the file."""

    grant: Grant
    revoked: bool


class KeyRing:
    """The keys of a directory: ``keys.toml`` says whose each public key is, ``server.key_secret`` is the server's own.

    Args:
        directory: where they are.

    Raises:
        ConfigurationError: a file is missing or wrong; the message names file and key.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._file = GrantsFile(Path(directory) / FILE)
        secret = Path(directory) / f"{SERVER}.key_secret"
        self.server_public, self.server_secret = read_pair(secret)
        self._grants = self._read()

    def __len__(self) -> int:
        """How many keys are good."""
        return len(self._grants)

    def find(self, public: str) -> Grant | None:
        """Whose key it is; None for an unknown or revoked one."""
        return self._grants.get(public)

    def publics(self, wanted: Callable[[Grant], bool]) -> set[str]:
        """The public keys of those whose grants are wanted."""
        return {public for public, grant in self._grants.items() if wanted(grant)}

    def is_changed(self) -> bool:
        """Whether the file is another than the one that was read last."""
        return self._file.is_changed()

    def reload(self) -> None:
        """Read the file again.

        Raises:
            ConfigurationError: it is missing or wrong; the keys stay as they were.
        """
        self._grants = self._read()

    def _read(self) -> dict[str, Grant]:
        self._file.about_to_read()
        return {entry.grant.public: entry.grant for entry in read_keys(self._file.path) if not entry.revoked}


def read_keys(file: Path) -> list[KeyEntry]:
    """Every key of a keys file, the revoked ones too.

    Raises:
        ConfigurationError: it cannot be read, or says something that makes no sense; the message names the key.
    """
    found = tables(file, "keys", _FIELDS, made_by="cti keys new")
    entries = [KeyEntry(_grant(where, name, values), _flag(where, values)) for where, name, values in found]
    owners: dict[str, str] = {}
    for entry in entries:
        other = owners.setdefault(entry.grant.public, entry.grant.name)
        if other != entry.grant.name:
            raise ConfigurationError(f"{file}: keys {other} and {entry.grant.name} have the same public key")
    return entries


def read_pair(file: str | os.PathLike[str]) -> tuple[bytes, bytes]:
    """The public and the secret key of a ``.key_secret`` file.

    Raises:
        ConfigurationError: it cannot be read, or has no secret key.
    """
    try:
        public, secret = zmq.auth.load_certificate(file)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"cannot read the key {file}: {error}") from None
    if secret is None:
        raise ConfigurationError(f"{file} has no secret key; name the file that ends in .key_secret")
    return public, secret


def _grant(where: str, name: str, values: dict[str, Any]) -> Grant:
    public = values.get("public")
    if not isinstance(public, str) or not PUBLIC_KEY.fullmatch(public):
        raise ConfigurationError(f"{where}: public must be a key of 40 characters (Z85)")
    return grant(where, name, values, public)


def _flag(where: str, values: dict[str, Any]) -> bool:
    revoked = values.get("revoked", False)
    if not isinstance(revoked, bool):
        raise ConfigurationError(f"{where}: revoked must be true or false")
    return revoked

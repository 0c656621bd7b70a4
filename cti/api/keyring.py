"""The keys file: who may connect, and what they may do."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import zmq.auth
from attrs import frozen

from cti.api.grant import Grant
from cti.api.grants_file import Entry, GrantsFile, entry, tables
from cti.api.role import DefinedRole
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

    said: Entry
    revoked: bool


class KeyRing(GrantsFile[Grant]):
    """The keys of a directory: ``keys.toml`` says whose each public key is, ``server.key_secret`` is the server's own.

    Args:
        directory: where they are.
        roles: those of the operator's own, by name, that keys may have.

    Raises:
        ConfigurationError: a file is missing or wrong; the message names file and key.
    """

    def __init__(self, directory: str | os.PathLike[str], roles: Mapping[str, DefinedRole] | None = None) -> None:
        secret = Path(directory) / f"{SERVER}.key_secret"
        self.server_public, self.server_secret = read_pair(secret)
        super().__init__(Path(directory) / FILE, roles)

    def find(self, public: str) -> Grant | None:
        """Whose key it is; None for an unknown or revoked one."""
        return self._granted.get(public)

    def publics(self, wanted: Callable[[Grant], bool]) -> set[str]:
        """The public keys of those whose grants are wanted."""
        return {public for public, grant in self._granted.items() if wanted(grant)}

    def _read(self, file: Path, roles: Mapping[str, DefinedRole]) -> dict[str, Grant]:
        entries = [entry.said for entry in read_keys(file) if not entry.revoked]
        return {entry.public: entry.grant(roles) for entry in entries}


def read_keys(file: Path) -> list[KeyEntry]:
    """Every key of a keys file, the revoked ones too.

    Raises:
        ConfigurationError: it cannot be read, or says something that makes no sense; the message names the key.
    """
    found = tables(file, "keys", _FIELDS, made_by="cti keys new")
    entries = [KeyEntry(_entry(where, name, values), _flag(where, values)) for where, name, values in found]
    owners: dict[str, str] = {}
    for each in entries:
        other = owners.setdefault(each.said.public, each.said.name)
        if other != each.said.name:
            raise ConfigurationError(f"{file}: keys {other} and {each.said.name} have the same public key")
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


def _entry(where: str, name: str, values: dict[str, Any]) -> Entry:
    public = values.get("public")
    if not isinstance(public, str) or not PUBLIC_KEY.fullmatch(public):
        raise ConfigurationError(f"{where}: public must be a key of 40 characters (Z85)")
    return entry(where, name, values, public)


def _flag(where: str, values: dict[str, Any]) -> bool:
    revoked = values.get("revoked", False)
    if not isinstance(revoked, bool):
        raise ConfigurationError(f"{where}: revoked must be true or false")
    return revoked

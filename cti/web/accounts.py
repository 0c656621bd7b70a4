"""The accounts file: who may log in, with which password, and what they may do."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import structlog
from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError
from attrs import frozen

from cti.api.grant import Grant
from cti.api.grants_file import Entry, GrantsFile, entry, tables
from cti.api.role import DefinedRole
from cti.errors import ConfigurationError

FILE: Final = "accounts.toml"

_FIELDS: Final = frozenset({"password", "role", "agents", "queues"})
_log = structlog.get_logger("cti.web")


@frozen
class Account:
    """Somebody who may log in.

    Args:
        grant: who they are, and what they may do.
        password: its argon2 hash.
    """

    grant: Grant
    password: str


@frozen
class AccountEntry:
    """What the file says of one: its role by name, and the argon2 hash of its password."""

    said: Entry
    password: str


class Accounts(GrantsFile[Account]):
    """The accounts of a file, which `cti accounts` writes.

    Args:
        file: the TOML file.
        roles: those of the operator's own, by name, that accounts may have.

    Raises:
        ConfigurationError: it is missing or wrong; the message names file and account.
    """

    def __init__(self, file: str | os.PathLike[str], roles: Mapping[str, DefinedRole] | None = None) -> None:
        super().__init__(file, roles)
        if self._path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            _log.warning("others can read the accounts file; chmod 600 it", file=str(self._path))

    def find(self, name: str) -> Account | None:
        """The account of a name, if there is one."""
        return self._granted.get(name)

    @property
    def by_name(self) -> Mapping[str, Account]:
        """Each account by its name."""
        return self._granted

    def any(self) -> Account | None:
        """One of them, whichever; None when there is none."""
        return next(iter(self._granted.values()), None)

    def _read(self, file: Path, roles: Mapping[str, DefinedRole]) -> dict[str, Account]:
        return {name: Account(each.said.grant(roles), each.password) for name, each in read_accounts(file).items()}


def read_accounts(file: Path) -> dict[str, AccountEntry]:
    """Every account of a file, by name.

    Raises:
        ConfigurationError: it cannot be read, or says something that makes no sense; the message names the account.
    """
    found = tables(file, "accounts", _FIELDS, made_by="cti accounts new")
    return {name: AccountEntry(entry(where, name, values), _password(where, values)) for where, name, values in found}


def _password(where: str, values: dict[str, Any]) -> str:
    said = values.get("password")
    try:
        if isinstance(said, str):
            extract_parameters(said)
            return said
    except InvalidHashError:
        pass
    raise ConfigurationError(f"{where}: password must be an argon2 hash; `cti accounts new` makes one")

"""The accounts file: who may log in, with which password, and what they may do."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import structlog
from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError
from attrs import frozen

from cti.api.grant import Grant, Role
from cti.api.keyring import NAME
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


class Accounts:
    """The accounts of a file, which `cti accounts` writes.

    Args:
        file: the TOML file.

    Raises:
        ConfigurationError: it is missing or wrong; the message names file and account.
    """

    def __init__(self, file: str | os.PathLike[str]) -> None:
        self._file = Path(file)
        self._seen = self._stamp()
        self._accounts = read_accounts(self._file)
        if self._file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            _log.warning("others can read the accounts file; chmod 600 it", file=str(self._file))

    def __len__(self) -> int:
        """How many there are."""
        return len(self._accounts)

    def find(self, name: str) -> Account | None:
        """The account of a name, if there is one."""
        return self._accounts.get(name)

    @property
    def by_name(self) -> Mapping[str, Account]:
        """Each account by its name."""
        return self._accounts

    def any(self) -> Account | None:
        """One of them, whichever; None when there is none."""
        return next(iter(self._accounts.values()), None)

    def is_changed(self) -> bool:
        """Whether the file is another than the one that was read last."""
        return self._stamp() != self._seen

    def reload(self) -> None:
        """Read the file again.

        Raises:
            ConfigurationError: it is missing or wrong; the accounts stay as they were.
        """
        self._seen = self._stamp()
        self._accounts = read_accounts(self._file)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def read_accounts(file: Path) -> dict[str, Account]:
    """Every account of a file, by name.

    Raises:
        ConfigurationError: it cannot be read, or says something that makes no sense; the message names the account.
    """
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"cannot read {file}: {error.strerror}; `cti accounts new` makes one") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} is not TOML: {error}") from None
    return {account.grant.name: account for account in _accounts(file, said)}


def _accounts(file: Path, said: dict[str, Any]) -> Iterator[Account]:
    accounts = said.get("accounts", {})
    if said.keys() - {"accounts"} or not isinstance(accounts, dict):
        raise ConfigurationError(f"{file}: there may be tables [accounts.NAME] and nothing else")
    for name, values in accounts.items():
        where = f"{file}: [accounts.{name}]"
        if not NAME.fullmatch(name) or not isinstance(values, dict):
            raise ConfigurationError(f"{where}: a name has 1 to 64 letters, digits, '-' and '_', and heads a table")
        if unknown := values.keys() - _FIELDS:
            raise ConfigurationError(
                f"{where}: unknown {', '.join(sorted(unknown))}; there is {', '.join(sorted(_FIELDS))}"
            )
        yield Account(_grant(where, name, values), _password(where, values))


def _grant(where: str, name: str, values: dict[str, Any]) -> Grant:
    try:
        role = Role(values.get("role"))
    except ValueError:
        raise ConfigurationError(f"{where}: role must be one of {', '.join(role.value for role in Role)}") from None
    return Grant(name, role, _names(where, "agents", values), _names(where, "queues", values))


def _names(where: str, field: str, values: dict[str, Any]) -> frozenset[str]:
    said = values.get(field, [])
    if not isinstance(said, list) or not all(isinstance(one, str) and one for one in said):
        raise ConfigurationError(f'{where}: {field} must be a list of names, or ["*"] for all')
    return frozenset(said)


def _password(where: str, values: dict[str, Any]) -> str:
    said = values.get("password")
    try:
        if isinstance(said, str):
            extract_parameters(said)
            return said
    except InvalidHashError:
        pass
    raise ConfigurationError(f"{where}: password must be an argon2 hash; `cti accounts new` makes one")

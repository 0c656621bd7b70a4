"""Files that say who may do what: TOML tables by name, each with a role, agents and queues."""

from __future__ import annotations

import os
import re
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from attrs import frozen

from cti.api.grant import Grant, Role
from cti.api.role import BUILT_IN, DefinedRole, UnknownRole
from cti.errors import ConfigurationError

T = TypeVar("T")

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class GrantsFile(ABC, Generic[T]):
    """One such file as it was read last, and whether it has changed since.

    Args:
        file: where it is.
        roles: those of the operator's own, by name, that it may speak of.

    Raises:
        ConfigurationError: it is missing or wrong.
    """

    def __init__(self, file: str | os.PathLike[str], roles: Mapping[str, DefinedRole] | None) -> None:
        self._path = Path(file)
        self._roles = roles or {}
        self.reload()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._granted)

    def is_changed(self) -> bool:
        """Whether the file is another than the one that was read last."""
        return self._stamp() != self._seen

    def reload(self) -> None:
        """Read the file again.

        Raises:
            ConfigurationError: it is missing or wrong; what it granted stays as it was.
        """
        self._seen = self._stamp()
        self._granted = self._read(self._path, self._roles)

    def use(self, roles: Mapping[str, DefinedRole]) -> None:
        """From now on these are the operator's own roles; reads the file again.

        Raises:
            ConfigurationError: the file is missing or wrong, or speaks of a role that is none of these; what
                it granted stays as it was, until the file is right.
        """
        self._roles = roles
        self.reload()

    @abstractmethod
    def _read(self, file: Path, roles: Mapping[str, DefinedRole]) -> dict[str, T]:
        """What it grants, by name or key."""

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def tables(
    file: Path, heading: str, fields: frozenset[str], *, made_by: str
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Where each table is (for errors), its name, and what it says.

    Args:
        file: the file.
        heading: what its tables are under: ``keys`` for ``[keys.NAME]``.
        fields: the fields that a table may have.
        made_by: the command that makes such a file.

    Raises:
        ConfigurationError: it cannot be read, or has something else in it; the message names file and table.
    """
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"cannot read {file}: {error.strerror}; `{made_by}` makes one") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} is not TOML: {error}") from None
    found = said.get(heading, {})
    if said.keys() - {heading} or not isinstance(found, dict):
        raise ConfigurationError(f"{file}: there may be tables [{heading}.NAME] and nothing else")
    for name, values in found.items():
        where = f"{file}: [{heading}.{name}]"
        if not NAME.fullmatch(name) or not isinstance(values, dict):
            raise ConfigurationError(f"{where}: a name has 1 to 64 letters, digits, '-' and '_', and heads a table")
        if unknown := values.keys() - fields:
            raise ConfigurationError(
                f"{where}: unknown {', '.join(sorted(unknown))}; there is {', '.join(sorted(fields))}"
            )
        yield where, name, values


@frozen
class Entry:
    """What one table grants, with its role by name: what that means is said elsewhere for roles of the operator's own.

    Args:
        where: where it stands, for errors.
        name: whose it is.
        role: the name of its role.
        agents: ids of agents.
        queues: ids of queues.
        public: the public key, if it is a key's.
    """

    where: str
    name: str
    role: str
    agents: frozenset[str]
    queues: frozenset[str]
    public: str = ""

    def grant(self, roles: Mapping[str, DefinedRole]) -> Grant:
        """Who somebody is, and what they may do.

        Args:
            roles: the operator's own.

        Raises:
            ConfigurationError: there is no such role, or its agents make no sense.
        """
        own = roles.get(self.role)
        if own is None and self.role not in BUILT_IN:
            near = UnknownRole(self.role, [*BUILT_IN, *roles])
            raise ConfigurationError(f"{self.where}: role must be one of {', '.join(BUILT_IN)}, or in [roles]; {near}")
        if own is None:
            return Grant(self.name, Role(self.role), self.agents, self.queues, self.public)
        agents, queues = self.agents | own.agents, self.queues | own.queues
        return Grant(self.name, own.role, agents, queues, self.public, own.methods)

    @property
    def is_of_the_api(self) -> bool:
        """Whether its role is one of the API's own, so that nothing else says what it means."""
        return self.role in BUILT_IN


def entry(where: str, name: str, values: dict[str, Any], public: str = "") -> Entry:
    """What a table says.

    Raises:
        ConfigurationError: its role is no name, its agents or queues are no lists of names, or they make no sense.
    """
    role = values.get("role")
    if not isinstance(role, str) or not NAME.fullmatch(role):
        raise ConfigurationError(f"{where}: role must be one of {', '.join(BUILT_IN)}, or in [roles]")
    made = Entry(where, name, role, _names(where, "agents", values), _names(where, "queues", values), public)
    if made.is_of_the_api:
        made.grant({})
    return made


def _names(where: str, field: str, values: dict[str, Any]) -> frozenset[str]:
    said = values.get(field, [])
    if not isinstance(said, list) or not all(isinstance(one, str) and one for one in said):
        raise ConfigurationError(f'{where}: {field} must be a list of names, or ["*"] for all')
    return frozenset(said)

"""The option for a role, of the API's own or of a configuration, as `cti keys` and `cti accounts` take it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from cti.api.grants_file import Entry
from cti.api.role import BUILT_IN, DefinedRole
from cti.config import read_configuration
from cti.errors import ConfigurationError

F = TypeVar("F", bound=Callable[..., Any])


def role_options(what: str) -> Callable[[F], F]:
    """The options ``--role`` and ``--configuration``, for a command that makes something with a role."""
    names = ", ".join(BUILT_IN)

    def add(command: F) -> F:
        of = click.option(
            "--configuration",
            type=click.Path(dir_okay=False, path_type=Path),
            help="The daemon's file, where the role is one of its [roles].",
        )
        role = click.option("--role", required=True, help=f"What the {what} is for: {names}, or one of [roles].")
        return role(of(command))

    return add


def checked(name: str, role: str, agents: Iterable[str], queues: Iterable[str], configuration: Path | None) -> Entry:
    """What somebody is to be granted.

    Args:
        name: who.
        role: the name of the role.
        agents: the ids of their agents.
        queues: the ids of their queues.
        configuration: the file that defines the role; None for one of the API's own.

    Raises:
        ConfigurationError: there is no such role, or its agents make no sense.
    """
    roles: dict[str, DefinedRole] = {}
    if configuration is not None:
        roles = dict(read_configuration(configuration, calls_only=True).roles)
    elif role not in BUILT_IN:
        raise ConfigurationError(
            f"{role!r} is none of {', '.join(BUILT_IN)}; if it is one of a configuration's [roles], name that file "
            "with --configuration"
        )
    made = Entry("--role", name, role, frozenset(agents), frozenset(queues))
    made.grant(roles)
    return made

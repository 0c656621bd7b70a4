"""Roles that an operator defines: one of the API's own, kept to some methods, with agents and queues of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import field, frozen

from cti.api.grant import Role
from cti.errors import ConfigurationError, UnknownName

BUILT_IN: Final = tuple(role.value for role in Role)
"""The names of the API's own roles, which mean what docs/protocol.md says whatever a configuration says."""


def _role(value: object) -> Role:
    try:
        return Role(value)
    except ValueError:
        raise ConfigurationError(f"role is {value!r}; it must be one of {', '.join(BUILT_IN)}") from None


def _names(value: object) -> frozenset[str]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ConfigurationError(f'found {value!r}; it must be a list of names, or ["*"] for all')
    found = list(value)
    if not all(isinstance(one, str) and one for one in found):
        raise ConfigurationError('it must be a list of names, or ["*"] for all')
    return frozenset(found)


def _patterns(value: object) -> frozenset[str]:
    if isinstance(value, frozenset):
        return value
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ConfigurationError(f"found {value!r}; it must be a list of methods, such as ['snapshot', 'queue.*']")
    found = list(value)
    if not found or not all(isinstance(one, str) and one for one in found):
        raise ConfigurationError("it must be a list of methods, such as ['snapshot', 'queue.*']; leave it out for all")
    return frozenset(found)


@frozen
class DefinedRole:
    """A role with a name of the operator's own, which keys and accounts refer to.

    Args:
        name: its name; none of the API's own roles has it.
        role: that of the API's roles whose methods it may call.
        agents: ids of agents which whoever has it covers besides their own; ``*`` for all.
        queues: the same of queues.
        methods: of the role's methods only these, ``*`` as in file names; empty for all. Events are told all the same.

    Raises:
        ConfigurationError: something of it makes no sense.
    """

    name: str
    role: Role = field(converter=_role)
    agents: frozenset[str] = field(default=frozenset(), converter=_names)
    queues: frozenset[str] = field(default=frozenset(), converter=_names)
    methods: frozenset[str] = field(default=frozenset(), converter=_patterns)


class UnknownRole(UnknownName):
    """No role has this name."""

    code = "operation.unknown_role"
    kind = "role"

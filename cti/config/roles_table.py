"""The table [roles]: what roles of the operator's own mean, which keys and accounts refer to by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Final

from cti.api import METHODS, Role
from cti.api.grant import ALL
from cti.api.grants_file import NAME
from cti.api.refusal import UnknownMethod
from cti.api.role import BUILT_IN, DefinedRole
from cti.config.table_reader import read_into
from cti.errors import UnknownAgent, UnknownName, UnknownQueue
from cti.plan.section import Section

TABLE: Final = "roles"
Said = tuple[str, str, str]
"""A warning: table, key, and what."""


def read_roles(tables: Mapping[str, Section]) -> dict[str, DefinedRole]:
    """The roles by name; what is wrong with one is noted, and it is left out.

    Args:
        tables: ``[roles.NAME]`` by name.
    """
    found: dict[str, DefinedRole] = {}
    for name, section in tables.items():
        if name in BUILT_IN:
            section.rest()
            section.wrong("", f"{name} is one of the API's own roles; choose another name")
        elif not NAME.fullmatch(name):
            section.rest()
            section.wrong("", "a role's name has 1 to 64 letters, digits, '-' and '_'")
        elif (made := read_into(section, DefinedRole, name=name)) is not None:
            for each in sorted(made.methods):
                if (wrong := _impossible(made.role, each)) is not None:
                    section.wrong("methods", wrong)
            found[name] = made
    return found


def of_roles(
    roles: Mapping[str, DefinedRole], queues: Collection[str], agents: Collection[str], used: Collection[str]
) -> list[Said]:
    """What they cover and the file does not have, and which of them nobody has.

    Args:
        roles: by name.
        queues: the names of the queues there are.
        agents: those of the agents.
        used: the roles that keys and accounts have.
    """
    names: tuple[tuple[str, Collection[str], type[UnknownName]], ...] = (
        ("queues", queues, UnknownQueue),
        ("agents", agents, UnknownAgent),
    )
    said: list[Said] = []
    for name, role in roles.items():
        for key, known, unknown in names:
            missing = sorted(getattr(role, key) - {ALL} - set(known))
            said += [(f"{TABLE}.{name}", key, str(unknown(each, known))) for each in missing]
        if name not in used:
            said.append((f"{TABLE}.{name}", "", "no key and no account has it"))
    return said


def _impossible(role: Role, pattern: str) -> str | None:
    """Why a pattern lets nothing through; None if it lets something."""
    matching = [method for name, method in METHODS.items() if fnmatchcase(name, pattern)]
    if any(role in method.roles for method in matching):
        return None
    if matching:
        return f"{pattern!r}: the role {role.value} may not call that; docs/protocol.md says who may call what"
    return str(UnknownMethod(pattern, METHODS))

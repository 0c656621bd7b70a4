"""Reads ``[switch]``, or ``[switch.NAME]`` where there are several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from cti.centre_settings import address
from cti.config.environment import has_variable, of_variable, read_secret
from cti.config.queue_table import read_overflow
from cti.config.service_tables import Tables
from cti.config.settings import SwitchSettings
from cti.config.table_reader import read_into
from cti.errors import UnknownSwitch
from cti.model.agent import AgentSettings
from cti.model.ids import AgentId
from cti.plan.section import MISSING, Section

_SECRETS = ("password", "password_env", "password_file")
_DEFAULT_PASSWORD = "ClueCon"  # noqa: S105 - FreeSWITCH's own


@frozen
class Switches:
    """The switches, as far as they could be read.

    Args:
        found: in the order of the file.
        tables: where each is written, by its name; the name of an only one is empty.
        told: the names of those whose password stands in the file itself.
    """

    found: tuple[SwitchSettings, ...]
    tables: Mapping[str, Section]
    told: frozenset[str]

    def doubts(self, *, readable: bool) -> Iterator[tuple[str, str, str]]:
        """What probably was not meant: table, key, and what of it. ``readable``: everybody can read the file."""
        for each in self.found:
            table = self.tables[each.name].where
            if each.name in self.told and readable:
                yield table, "password", "everybody on this machine can read it; chmod o-r, or use password_env"
            if each.password == _DEFAULT_PASSWORD:
                yield table, "password", "it is FreeSWITCH's default, which everybody knows; choose another"

    def check(self, agents: Mapping[AgentId, AgentSettings], sections: Mapping[str, Section]) -> None:
        """Note what is wrong with the switches that agents' phones are at."""
        known = {each.name: each for each in self.found}
        for name, agent in agents.items():
            if not agent.switch:
                continue
            at = known.get(agent.switch)
            if list(self.tables) == [""]:
                sections[name].wrong(
                    "switch", "there is one [switch] without a name; write [switch.NAME], or leave it out"
                )
            elif agent.switch not in self.tables:
                sections[name].wrong("switch", str(UnknownSwitch(agent.switch, self.tables)))
            elif at is not None and not at.sip and len(self.tables) > 1:
                self.tables[at.name].wrong("sip", f"it is missing: the other switches reach agent {name!r} there")


def read_switches(tables: Tables, top: Section) -> Switches:
    """Take the switches out of the file; what is wrong with them is noted."""
    data = top.take("switch")
    if isinstance(data, list) or _has_names(data):
        sections = dict(tables.named(Section("", {"switch": data}, top.problems), "switch"))
    else:
        sections = {"": tables.section("switch", {} if data is MISSING else data)}
    told = frozenset(name for name, table in _written(data) if _is_told(table))
    made = [_read(tables, name, section) for name, section in sections.items()]
    return Switches(tuple(each for each in made if each is not None), sections, told)


def _has_names(data: object) -> bool:
    """Whether it is a table of tables."""
    return isinstance(data, Mapping) and bool(data) and all(isinstance(each, Mapping) for each in data.values())


def _written(data: Any) -> Iterator[tuple[str, Any]]:
    """Each table by its name, as it is written; the name of an only one is empty."""
    if isinstance(data, list):
        yield from ((str(each.get("name")), each) for each in data if isinstance(each, Mapping))
    elif _has_names(data):
        yield from data.items()
    else:
        yield "", data


def _is_told(table: object) -> bool:
    password = table.get("password") if isinstance(table, Mapping) else None
    return isinstance(password, str) and not has_variable(password)


def _read(tables: Tables, name: str, section: Section) -> SwitchSettings | None:
    given = [key for key in _SECRETS if section.has(key)]
    if len(given) > 1:
        section.wrong(given[1], f"there is {given[0]} already; keep one of them")
    secret: dict[str, Any] = {}
    if (variable := section.text("password_env")) is not None:
        secret["password"] = section.made("password_env", of_variable, variable, tables.environ)
    if (file := section.text("password_file")) is not None:
        secret["password"] = section.made("password_file", read_secret, tables.path.parent / file)
    rest = tables.with_variables(section).rest()
    rest |= {key: value for key, value in secret.items() if value is not None}
    made = read_into(
        Section(section.where, rest, section.problems), SwitchSettings, {"drain": read_overflow}, name=name
    )
    if made is not None:
        section.made("address", address, made.address)
    return made

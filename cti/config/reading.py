"""Reads ``centre.toml``: everything that is wrong with it is said at once."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from attrs import evolve

from cti.api import DefinedRole, KeyRing, Limits
from cti.api.keyring import FILE, read_keys
from cti.api.sockets import check_plain
from cti.config.checks import Known, doubts, of_services, wrong_references
from cti.config.configuration import Configuration
from cti.config.environment import expanded, others_can_read
from cti.config.line_index import LineIndex
from cti.config.line_index import Path as Keys
from cti.config.problem import BadConfiguration, Problem
from cti.config.queue_order import in_order
from cti.config.queue_table import read_agent, read_overflow, read_queue
from cti.config.roles_table import TABLE as ROLES
from cti.config.roles_table import of_roles, read_roles
from cti.config.routes_table import read_routes
from cti.config.service_tables import ServiceTables, Tables
from cti.config.settings import (
    ApiSettings,
    CentreSettings,
    DaemonSettings,
    LogSettings,
)
from cti.config.switch_tables import read_switches
from cti.config.table_reader import read_into
from cti.errors import ConfigurationError, UnknownMailbox, UnknownQueue
from cti.model.agent import AgentSettings
from cti.model.ids import AgentId, QueueId
from cti.model.party import Destination
from cti.plan.condition import short
from cti.plan.section import MISSING, Section
from cti.plan.section import Problem as SectionProblem

T = TypeVar("T")

LARGEST_BYTES: Final = 50_000_000
"""A centre of 5,000 agents takes half a megabyte."""
_TOML_LINE: Final = re.compile(r" \(at line (\d+), column (\d+)\)$")
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


def read_configuration(
    path: str | os.PathLike[str], environ: Mapping[str, str] | None = None, *, calls_only: bool = False
) -> Configuration:
    """Read a configuration. Blocks, for half a second with 5,000 agents; it may run in any thread.

    No script is imported: ``load_scripts`` does that.

    Args:
        path: the file.
        environ: what ``${NAME}`` stands for; the process's environment if not given.
        calls_only: leave out the services around the calls, and the files and secrets that they need.

    Raises:
        BadConfiguration: it cannot be used; ``problems`` has everything that is wrong.
    """
    return _Reading(Path(path), os.environ if environ is None else environ).read(calls_only=calls_only)


class _Reading:
    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self._path = path
        self._environ = environ
        self._noted: list[SectionProblem] = []
        """What sections note; where they say it of is a table as it is written in the file."""
        self._paths: dict[str, Keys] = {}
        self._lines = LineIndex("")

    def read(self, *, calls_only: bool) -> Configuration:
        top = Section("", self._parsed(), self._noted)
        given = Tables(self._path, self._environ, self._section, self._with_variables, self._named)
        switches = read_switches(given, top)
        centre = self._settings(top, "centre", CentreSettings)
        daemon = self._daemon(top)
        log = self._settings(top, "log", LogSettings)
        role_tables = {name: self._with_variables(table) for name, table in self._named(top, ROLES).items()}
        roles = read_roles(role_tables)
        api = self._api(top, roles) if top.has("api") else None
        skills = self._skills(top)
        queue_tables, agent_tables = self._named(top, "queue"), self._named(top, "agent")
        queues = {QueueId(name): read_queue(section, name) for name, section in queue_tables.items()}
        agents: dict[AgentId, AgentSettings | None] = {}
        log_on: dict[AgentId, bool] = {}
        for name, section in agent_tables.items():
            agents[AgentId(name)], ready = read_agent(section, name)
            if ready is not None:
                log_on[AgentId(name)] = ready
        destinations = self._destinations(top)
        service_tables = ServiceTables(given, top, queues.keys(), agents.keys(), roles)
        services = service_tables.skip() if calls_only else service_tables.read()
        calling_back = {name for name, queue in queues.items() if queue is None or queue.callback is not None}
        names = (queues.keys(), agents.keys())
        routes = read_routes(top, self._path.parent, *names, self._section, services.mailboxes, calling_back)
        top.end()
        good_queues = {name: queue for name, queue in queues.items() if queue is not None}
        good_agents = {name: agent for name, agent in agents.items() if agent is not None}
        known = Known(queues, agents, routes, skills, services.mailboxes)
        for kind, name, key, what in wrong_references(good_queues, good_agents, known):
            (queue_tables if kind == "queue" else agent_tables)[name].wrong(key, what)
        if centre is not None and centre.on_script_error not in ("hang up", *queues):
            what = f"expected 'hang up' or a queue; {UnknownQueue(centre.on_script_error, queues)}"
            self._section("centre", {}).wrong("on_script_error", what)
        if services.messages is not None and (box := services.messages.detect_fax):
            self._section("messages", {}).known("detect_fax", UnknownMailbox, box, services.mailboxes)
        switches.check(good_agents, agent_tables)
        ordered, circle = in_order(good_queues)
        if circle:
            way = " -> ".join(circle)
            queue_tables[circle[0]].wrong("overflow", f"overflow goes in a circle: {way}; let one of them end it")
        problems = [*map(self._located, self._noted), *routes.problems]
        if problems:
            raise BadConfiguration(sorted(set(problems), key=lambda one: (one.file, one.line or 0)))
        assert centre is not None
        assert daemon is not None
        assert log is not None
        made = Configuration(
            file=self._path,
            switches=switches.found,
            centre=centre,
            daemon=daemon,
            log=log,
            services=services,
            api=api,
            roles=roles,
            queues={name: good_queues[name] for name in ordered},
            agents=good_agents,
            log_on=log_on,
            routes=routes,
            destinations=destinations,
        )
        readable = others_can_read(self._path)
        said = [
            *switches.doubts(readable=readable),
            *service_tables.doubts,
            *self._of_keys(api, service_tables),
            *of_services(made),
        ]
        if not calls_only:
            said += of_roles(roles, queues.keys(), agents.keys(), service_tables.roles_used)
        warnings = [*self._warnings(made, skills), *(self._doubt(*one) for one in said)]
        return evolve(made, warnings=tuple(warnings))

    def _parsed(self) -> dict[str, Any]:
        try:
            with self._path.open("rb") as file:
                data = file.read(LARGEST_BYTES + 1)
        except OSError as error:
            raise self._hopeless(f"it cannot be read: {error.strerror}") from None
        if len(data) > LARGEST_BYTES:
            raise self._hopeless(f"it has more than {LARGEST_BYTES} bytes")
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise self._hopeless(f"byte {error.start} is not UTF-8, as TOML must be", line) from None
        try:
            parsed = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = _TOML_LINE.search(str(error))
            said = _TOML_LINE.sub("", str(error)) + (f" (column {found[2]})" if found else "")
            raise self._hopeless(f"it is not TOML: {said}", int(found[1]) if found else None) from None
        except (RecursionError, ValueError) as error:  # tables in tables, or a number of thousands of digits
            raise self._hopeless(f"it cannot be read: {error}") from None
        self._lines = LineIndex(text)
        return parsed

    def _hopeless(self, what: str, line: int | None = None) -> BadConfiguration:
        return BadConfiguration([Problem(str(self._path), "", "", what, line)])

    # -- tables ---------------------------------------------------------------------------------------------------

    def _section(self, where: str, data: object, keys: Keys | None = None) -> Section:
        """The section of a table that is written ``[where]``."""
        self._paths[where] = keys if keys is not None else self._paths.get(where, tuple(where.split(".")))
        return Section(where, data, self._noted)

    def _table(self, top: Section, name: str) -> Section:
        data = top.take(name)
        return self._section(name, {} if data is MISSING else data)

    def _settings(self, top: Section, name: str, kind: type[T]) -> T | None:
        section = self._with_variables(self._table(top, name))
        return read_into(section, kind, {"limits": _limits} if kind is ApiSettings else None)

    def _with_variables(self, section: Section) -> Section:
        """The same with what the environment says in place of variables."""
        values: dict[str, Any] = {}
        for key, value in section.rest().items():
            try:
                values[key] = expanded(value, self._environ)
            except ConfigurationError as error:
                section.wrong(key, str(error))
        return self._section(section.where, values) if section.is_table else section

    def _daemon(self, top: Section) -> DaemonSettings | None:
        section = self._with_variables(self._table(top, "daemon"))
        made = read_into(section, DaemonSettings, {"drain": read_overflow})
        if made is None:
            return None
        return self._placed(self._placed(made, "pid_file"), "control")

    def _api(self, top: Section, roles: Mapping[str, DefinedRole]) -> ApiSettings | None:
        made = self._settings(top, "api", ApiSettings)
        if made is None:
            return None
        made, section = self._placed(made, "keys"), self._section("api", {})
        if made.keys:
            section.made("keys", KeyRing, made.keys, roles)
        elif not made.allow_plain:
            for key in ("bind", "publish"):
                if getattr(made, key):
                    section.made(key, check_plain, getattr(made, key))
        return made

    @staticmethod
    def _of_keys(api: ApiSettings | None, tables: ServiceTables) -> Iterable[tuple[str, str, str]]:
        if api is None or not api.keys:
            return ()
        return tables.of_grants(
            "api", "keys", [entry.said for entry in read_keys(Path(api.keys) / FILE) if not entry.revoked]
        )

    def _destinations(self, top: Section) -> tuple[Destination, ...]:
        section = self._table(top, "destinations")
        made = [section.made(pattern, Destination, pattern, contact) for pattern, contact in section.rest().items()]
        return tuple(one for one in made if one is not None)

    def _skills(self, top: Section) -> frozenset[str] | None:
        """The skills that are declared; None if none are, and any name will do."""
        data = top.take("skills")
        if data is MISSING:
            return None
        if isinstance(data, Mapping):
            data = list(data)
        if not isinstance(data, list) or not all(isinstance(one, str) and one for one in data):
            self._section("skills", {}).wrong(
                "", f"expected a list of skills, or skill = 'what it is'; found {short(data)}"
            )
            return None
        return frozenset(data)

    def _named(self, top: Section, kind: str) -> dict[str, Section]:
        """The tables ``[kind.NAME]``, or ``[[kind]]`` with a ``name`` in each."""
        data = top.take(kind)
        if isinstance(data, list):
            return dict(self._listed(kind, data))
        rest = self._section(kind, {} if data is MISSING else data).rest()
        for name in rest:
            if not _is_name(name):
                self._section(kind, {}, (kind, name)).wrong(name, "a name has 1 to 200 printable characters")
        return {
            name: self._section(f"{kind}.{_quoted(name)}", table, (kind, name))
            for name, table in rest.items()
            if _is_name(name)
        }

    def _listed(self, kind: str, data: list[Any]) -> Iterator[tuple[str, Section]]:
        seen: set[str] = set()
        for at, table in enumerate(data):
            name = table.get("name") if isinstance(table, dict) else None
            if not isinstance(name, str) or not _is_name(name):
                self._section(f"{kind}[{at + 1}]", {}, (kind, at)).wrong("name", "expected text, its name")
            elif name in seen:
                self._section(f"{kind}[{at + 1}]", {}, (kind, at)).wrong("name", f"there is a {kind} {name!r} already")
            else:
                seen.add(name)
                rest = {key: value for key, value in table.items() if key != "name"}
                yield name, self._section(f"{kind}.{_quoted(name)}", rest, (kind, at))

    def _beside(self, file: str) -> Path:
        return self._path.parent / file

    def _placed(self, settings: T, key: str) -> T:
        """Settings whose file, if it is named without its directories, is beside the configuration."""
        named = getattr(settings, key, "")
        return evolve(settings, **{key: str(self._beside(named).absolute())}) if named else settings  # type: ignore[misc]

    # -- what is said ---------------------------------------------------------------------------------------------

    def _located(self, noted: SectionProblem) -> Problem:
        keys = tuple(_steps(noted.key))
        line = self._lines.find((*self._paths.get(noted.where, ()), *keys))
        return Problem(str(self._path), noted.where, noted.key, noted.what, line)

    def _warnings(self, made: Configuration, skills: frozenset[str] | None) -> Iterable[Problem]:
        for table, key, what in doubts(made, skills):
            yield self._doubt(table, key, what)

    def _doubt(self, table: str, key: str, what: str) -> Problem:
        keys = self._paths.get(table, tuple(table.split(".")) if table else ())
        return Problem(str(self._path), table, key, what, self._lines.find((*keys, *_steps(key))))


def _limits(section: Section, key: str, value: Any) -> Any:
    made = read_into(section.within(key, value), Limits)
    return MISSING if made is None else made


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= 200 and name.isprintable()


def _quoted(name: str) -> str:
    return name if _PLAIN_KEY.fullmatch(name) else f'"{name}"'


def _steps(key: str) -> Iterator[str | int]:
    """``widening[2].requires`` as the steps of a path."""
    for part in filter(None, key.split(".")):
        name, bracket, number = part.partition("[")
        yield name
        if bracket and number.removesuffix("]").isdecimal():
            yield int(number.removesuffix("]")) - 1

"""The tables of numbers, scripts, voice menus, calendars and the plan."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from attrs import fields_dict

from cti.config.line_index import LineIndex
from cti.config.line_index import Path as Keys
from cti.config.problem import Problem
from cti.config.routes import PLAN, Number, Routes
from cti.config.script_reference import ScriptReference, script_reference
from cti.config.settings import MenuSettings
from cti.config.table_reader import read_into
from cti.config.voice_menu import VoiceMenu
from cti.errors import ConfigurationError
from cti.ivr import problems, read_ivr
from cti.plan import BadPlan, Calendar, Plan, read_plan
from cti.plan.condition import short
from cti.plan.route_data import read_route
from cti.plan.scope import Scope
from cti.plan.section import MISSING, Section
from cti.plan.section import Problem as SectionProblem

_RULE: Final = re.compile(r"rule (\d+)\b")
_CALENDAR: Final = re.compile(r"calendar (?:'(.*)'|\"(.*)\")$")
_OF_A_CALENDAR: Final = tuple(key for key, one in fields_dict(Calendar).items() if one.init and key != "name")


class MakeSection(Protocol):
    """Makes the section of a table, and takes note of where it stands in the file."""

    def __call__(self, where: str, data: object, keys: Keys | None = None) -> Section:
        """The section of a table that is written ``[where]``."""
        ...


def read_routes(  # noqa: PLR0917 - the names there are
    top: Section,
    directory: Path,
    queues: Collection[str],
    agents: Collection[str],
    section: MakeSection,
    mailboxes: Collection[str] | None = None,
    calling_back: Collection[str] | None = None,
) -> Routes:
    """Where calls go; what is wrong is noted in the sections, or, of other files, in ``problems``. Blocks.

    Args:
        top: the file's own tables; those read here are taken from it.
        directory: where the files are that it names.
        queues: the names of all queues.
        agents: the names of all agents.
        section: makes sections.
        mailboxes: the names of all mailboxes; None takes any name.
        calling_back: the queues that call their callers back, and those that could not be read; None takes any.
    """
    scope = Scope(queues=queues, agents=agents, mailboxes=mailboxes)
    return _Routes(top, directory, scope, section, calling_back).read()


class _Routes:
    def __init__(
        self,
        top: Section,
        directory: Path,
        scope: Scope,
        section: MakeSection,
        calling_back: Collection[str] | None,
    ) -> None:
        names = ("calendar", "scripts", "route_scripts", "menu", "plan", "numbers")
        self._given = {name: data for name in names if (data := top.take(name)) is not MISSING}
        self._directory = directory
        self._section = section
        self._scope = scope
        self._calling_back = calling_back
        self._elsewhere: list[Problem] = []
        self._said: dict[str, Any] = dict(self._given)

    def read(self) -> Routes:
        scripts, route_scripts = self._references("scripts"), self._references("route_scripts")
        if PLAN in route_scripts:
            self._section("route_scripts", {}).wrong(PLAN, "that is the name of the plan; choose another")
        menu_tables = self._table("menu").rest()
        self._scope.scripts = {*self._given_names("scripts"), *map(str, menu_tables)}
        calendars = self._calendars()
        menus = {name: made for name, data in menu_tables.items() if (made := self._menu(str(name), data, calendars))}
        for name in menus.keys() & scripts.keys():
            self._section(f"menu.{name}", {}).wrong(
                "", f"there is a script {name!r} as well; give each a name of its own"
            )
        plan = self._plan(calendars)
        return Routes(
            numbers=self._numbers(),
            scripts=scripts,
            menus=menus,
            route_scripts=route_scripts,
            plan=plan,
            said=self._said,
            problems=tuple(self._elsewhere),
        )

    def _table(self, name: str) -> Section:
        return self._section(name, self._given.get(name, {}))

    def _given_names(self, name: str) -> Collection[str]:
        data = self._given.get(name)
        return data.keys() if isinstance(data, Mapping) else ()

    def _references(self, table: str) -> dict[str, ScriptReference]:
        section = self._table(table)
        made = {name: section.made(name, script_reference, value) for name, value in section.rest().items()}
        return {name: reference for name, reference in made.items() if reference is not None}

    def _calendars(self) -> dict[str, Calendar]:
        found: dict[str, Calendar] = {}
        for name, data in self._table("calendar").rest().items():
            section = self._section(f"calendar.{name}", data, ("calendar", name))
            given = {key: value for key in _OF_A_CALENDAR if (value := section.take(key)) is not MISSING}
            section.end()
            missing = [key for key in ("hours", "time_zone") if key not in given]
            for key in missing:
                section.wrong(key, "it is missing")
            calendar = None if missing or not section.is_table else section.made("", Calendar, name, **given)
            if calendar is not None:
                found[name] = calendar
        return found

    # -- voice menus ----------------------------------------------------------------------------------------------

    def _menu(self, name: str, data: object, calendars: Mapping[str, Calendar]) -> VoiceMenu | None:
        section = self._section(f"menu.{name}", data, ("menu", name))
        settings = read_into(section, MenuSettings)
        if settings is None:
            return None
        lookups = {}
        for node, text in settings.lookups.items():
            reference = section.made(f"lookups.{node}", script_reference, text)
            if reference is not None:
                lookups[str(node)] = reference
        said = self._text(section, "file", settings.file)
        if said is None:
            return None
        try:
            tree = read_ivr(said)
        except (ConfigurationError, ValueError, RecursionError) as error:
            wrong = str(error).splitlines()
        else:
            wrong = problems(
                tree,
                lookups=settings.lookups,
                calendars=self._given_names("calendar"),
                queues=self._scope.queues,
                calling_back=self._calling_back,
                mailboxes=self._scope.mailboxes,
            )
            if not wrong:
                return VoiceMenu(tree, lookups, calendars)
        self._elsewhere += [Problem(str(self._directory / settings.file), "", "", line) for line in wrong]
        return None

    def _text(self, section: Section, key: str, file: str) -> str | None:
        """The text of another file, which is noted to tell later whether it is the same."""
        path = self._directory / file
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            section.wrong(key, f"{path} cannot be read: {getattr(error, 'strerror', None) or error}")
            return None
        self._said[f"{section.where} {file}"] = text
        return text

    # -- the plan -------------------------------------------------------------------------------------------------

    def _plan(self, calendars: Mapping[str, Calendar]) -> Plan | None:
        if PLAN not in self._given:
            return None
        section = self._table(PLAN)
        file = section.text("file") if section.has("file") else None
        rest = section.rest()
        if file is None:
            return self._read_plan(rest, calendars, None) if section.is_table else None
        for key in rest:
            section.wrong(str(key), f"the plan is in {file}; keep it in one place")
        text = self._text(section, "file", file)
        if text is None:
            return None
        try:
            data = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            self._elsewhere.append(Problem(str(self._directory / file), "", "", f"it is not TOML: {error}"))
            return None
        return self._read_plan(data, calendars, (str(self._directory / file), LineIndex(text)))

    def _read_plan(
        self, data: Mapping[str, Any], calendars: Mapping[str, Calendar], elsewhere: tuple[str, LineIndex] | None
    ) -> Plan | None:
        scope = self._scope
        names = {"queues": scope.queues, "agents": scope.agents, "scripts": scope.scripts}
        try:
            return read_plan(data, calendars=calendars.values(), **names)
        except BadPlan as error:
            for one in error.problems:
                self._plan_problem(one, elsewhere)
        except RecursionError:
            self._table(PLAN).wrong("", "it is nested too deeply")
        return None

    def _plan_problem(self, one: SectionProblem, elsewhere: tuple[str, LineIndex] | None) -> None:
        keys = _keys(one.where)
        if elsewhere is None:
            where = PLAN if one.where == PLAN else f"plan: {one.where}"
            self._section(where, {}, (PLAN, *keys)).wrong(one.key, one.what)
        else:
            file, lines = elsewhere
            self._elsewhere.append(
                Problem(file, one.where, one.key, one.what, lines.find((*keys, *one.key.split("."))))
            )

    # -- numbers --------------------------------------------------------------------------------------------------

    def _numbers(self) -> tuple[Number, ...]:
        if "numbers" not in self._given:
            return (Number("*", None),) if PLAN in self._given else ()
        section = self._table("numbers")
        found: list[Number] = []
        for pattern, data in section.rest().items():
            table = self._section(f'numbers."{pattern}"', data, ("numbers", pattern))
            if (plan := table.flag(PLAN)) is None:
                route = read_route(table, self._scope)
                if route is not None:
                    found.append(Number(pattern, route))
                continue
            table.end()
            if not plan or PLAN not in self._given:
                table.wrong(PLAN, "there is no [plan]" if plan else f"expected true, found {short(plan)}")
            found.append(Number(pattern, None))
        return tuple(found)


def _keys(where: str) -> Keys:
    """Where in its data a part of the plan stands."""
    if (rule := _RULE.match(where)) is not None:
        return ("rules", int(rule[1]) - 1)
    if (calendar := _CALENDAR.match(where)) is not None:
        return ("calendars", calendar[1] or calendar[2])
    return () if where == PLAN else (where,)

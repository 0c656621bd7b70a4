"""A routing plan from data, as ``tomllib`` reads it from a file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from attrs import fields_dict

from cti.plan.calendar import Calendar
from cti.plan.condition import Condition, short
from cti.plan.condition_data import read_conditions
from cti.plan.plan import Plan, Rule
from cti.plan.region import Regions
from cti.plan.route_data import read_route
from cti.plan.scope import Scope
from cti.plan.section import MISSING, BadPlan, Problem, Section
from cti.plan.wall_clock import time_zone

_OF_A_CALENDAR = tuple(key for key, field in fields_dict(Calendar).items() if field.init and key != "name")


def read_plan(
    data: Mapping[str, Any],
    *,
    calendars: Iterable[Calendar] = (),
    queues: Collection[str] | None = None,
    agents: Collection[str] | None = None,
    scripts: Collection[str] | None = None,
) -> Plan:
    """A plan from its data; ``Plan.warnings`` names the rules that can never be reached.

    Args:
        data: tables as TOML gives them: ``time_zone``, ``country``, ``language``, ``calendars``, ``rules``, ``default``.
        calendars: more calendars, made in Python.
        queues: the queues there are; None takes any name.
        agents: the agents there are; None takes any name.
        scripts: the scripts there are; None takes any name.

    Raises:
        BadPlan: something cannot be used; ``problems`` names the rule, the key and what was expected, for all of it.
    """
    problems: list[Problem] = []
    top = Section("plan", data, problems)
    scope = Scope(queues=queues, agents=agents, scripts=scripts)
    if (zone := top.text("time_zone")) is not None:
        # With another in place of one that is unknown, the rest can still be read for what is wrong with it.
        scope.time_zone = zone if top.made("", time_zone, zone) is not None else "UTC"
    scope.has_country = top.has("country")
    country, language = top.text("country"), top.text("language")
    if country is not None:
        scope.regions = top.made("country", Regions, country, language=language or "en")
    scope.calendars = {calendar.name: calendar for calendar in calendars}
    scope.calendars |= _calendars(top, scope)
    rules = [_rule(at, table, problems, scope) for at, table in enumerate(_list(top, "rules"), 1)]
    route = None
    if (default := top.take("default")) is MISSING:
        top.wrong("default", "expected where a call goes that no rule is for, found none")
    else:
        route = read_route(Section("default", default, problems), scope)
    top.end()
    if not problems and route is not None:
        whole = top.made("", Plan, [rule for rule in rules if rule is not None], route, scope.regions)
        if whole is not None:
            return whole
    raise BadPlan(problems)


def _list(top: Section, key: str) -> Sequence[object]:
    found = top.take(key)
    if found is MISSING:
        return ()
    if not isinstance(found, list | tuple):
        top.wrong(key, f"expected a list of tables, found {short(found)}")
        return ()
    return found


def _calendars(top: Section, scope: Scope) -> dict[str, Calendar | None]:
    if (tables := top.take("calendars")) is MISSING:
        return {}
    found: dict[str, Calendar | None] = {}
    for name, data in top.within("calendars", tables).rest().items():
        section = Section(f"calendar {name!r}", data, top.problems)
        if name in scope.calendars:
            section.wrong("", "there is one of this name already, made in Python; give each a name of its own")
        given = {key: value for key in _OF_A_CALENDAR if (value := section.take(key)) is not MISSING}
        section.end()
        given.setdefault("time_zone", scope.time_zone)
        missing = [key for key in ("hours", "time_zone") if given.get(key) is None]
        for key in missing:
            section.wrong(key, "it is missing")
        found[name] = None if missing else section.made("", Calendar, name, **given)
    return found


def _rule(at: int, data: object, problems: list[Problem], scope: Scope) -> Rule | None:
    name = data.get("name") if isinstance(data, Mapping) else None
    section = Section(f"rule {at} {name!r}" if isinstance(name, str) else f"rule {at}", data, problems)
    if not section.is_table:
        return None
    named, when, to = section.text("name"), section.take("when"), section.take("to")
    section.end()
    conditions: tuple[Condition, ...] = ()
    if when is not MISSING:
        conditions = read_conditions(section.within("when", when), scope)
    if to is MISSING:
        section.wrong("to", "expected where the call goes, found none")
        return None
    route = read_route(section.within("to", to), scope)
    return section.made("", Rule, named or f"rule {at}", route, conditions) if route is not None else None

"""Conditions from data, such as ``{called = "400*", region = "CN-44", class = "vip", calendar = "office", open = true}``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cti.errors import UnknownAgent, UnknownQueue
from cti.model.ids import AgentId, QueueId
from cti.plan.attached import OPERATORS, Attached
from cti.plan.caller import (
    CalledNumber,
    CallingName,
    CallingNumber,
    CustomerClass,
    FromCountry,
    FromRegion,
    NumberType,
)
from cti.plan.condition import AnyOf, Condition, Not, short
from cti.plan.opening import DayIs, Open, TimeIs
from cti.plan.scope import Scope, UnknownCalendar
from cti.plan.section import MISSING, Section
from cti.plan.standing import AgentKey, ExpectedWaitAbove, LongerThan, PresenceIs, Unstaffed

DEEPEST: Final = 8
"""``any_of`` and ``not`` within each other."""


def read_conditions(section: Section, scope: Scope, depth: int = 0) -> tuple[Condition, ...]:
    """All conditions of one table; what is wrong is noted in the section."""
    found: list[Condition | None] = [*_caller(section, scope), *_data(section), *_opening(section, scope)]
    found += [*_queue(section, scope), *_agent(section, scope), *_combined(section, scope, depth)]
    section.end()
    return tuple(condition for condition in found if condition is not None)


def _caller(section: Section, scope: Scope) -> list[Condition | None]:
    found: list[Condition | None] = []

    def each(key: str, make: Callable[[tuple[str, ...]], Condition], *, regions: bool = False) -> None:
        if not (texts := section.texts(key)):
            return
        if regions and not scope.has_country:
            section.wrong(key, "it needs the plan's country, such as 'CN', to look numbers up")
        found.append(section.made(key, make, texts))

    def calling(texts: tuple[str, ...]) -> Condition:
        # A number in a list means the same caller however it is written.
        international = map(scope.regions.e164, texts) if scope.regions is not None else ()
        return CallingNumber(tuple(dict.fromkeys((*texts, *international))))

    each("called", CalledNumber)
    each("calling", calling)
    each("calling_name", CallingName)
    each("class", CustomerClass)
    each("country", FromCountry, regions=True)
    each("region", FromRegion, regions=True)
    each("number_type", NumberType, regions=True)
    return found


def _data(section: Section) -> list[Condition | None]:
    if (data := section.take("data")) is MISSING:
        return []
    found: list[Condition | None] = []
    table = section.within("data", data)
    for key, value in table.rest().items():
        wanted: dict[Any, Any]
        if isinstance(value, dict):
            wanted = value
            if not value:
                table.wrong(str(key), f"expected a value, a list, or comparisons ({' '.join(OPERATORS)}), found none")
        else:
            wanted = {"in" if isinstance(value, list | tuple) else "==": value}
        for operator, operand in wanted.items():
            plain = tuple(operand) if isinstance(operand, list) else operand
            found.append(table.made(str(key), Attached, key, operator, plain))
    return found


def _opening(section: Section, scope: Scope) -> list[Condition | None]:
    found: list[Condition | None] = []
    if (time := section.text("time")) is not None and (calendar := section.made("time", scope.time, time)) is not None:
        found.append(TimeIs(calendar))
    qualified = section.has("open", "day")
    name, is_open, days = section.text("calendar"), section.flag("open"), section.texts("day")
    if name is None:
        for key in [key for key, given in (("open", is_open is not None), ("day", days)) if given]:
            section.wrong(key, "it needs calendar, to say whose")
        return found
    section.known("calendar", UnknownCalendar, name, scope.calendars)
    if not qualified:
        section.wrong("calendar", "expected open or day beside it, to say what of it")
    known = scope.calendars.get(name)
    if known is not None and is_open is not None:
        found.append(Open(known, is_open))
    if known is not None and days:
        found.append(section.made("day", DayIs, known, days))
    return found


def _queue(section: Section, scope: Scope) -> list[Condition | None]:
    qualified = section.has("waiting_above", "expected_wait_above_s", "unstaffed")
    name = section.text("queue")
    waiting, wait_s = section.number("waiting_above"), section.number("expected_wait_above_s")
    unstaffed = section.flag("unstaffed")
    given = {"waiting_above": waiting, "expected_wait_above_s": wait_s, "unstaffed": unstaffed}
    if name is None:
        for key, value in given.items():
            if value is not None:
                section.wrong(key, "it needs queue, to say whose")
        return []
    section.known("queue", UnknownQueue, name, scope.queues)
    if not qualified:
        section.wrong("queue", f"expected one of {', '.join(given)} beside it, to say what of it")
    queue, found = QueueId(name), list[Condition | None]()
    if waiting is not None:
        found.append(section.made("waiting_above", LongerThan, queue, waiting))
    if wait_s is not None:
        found.append(section.made("expected_wait_above_s", ExpectedWaitAbove, queue, wait_s))
    if unstaffed is not None:
        found.append(section.made("unstaffed", Unstaffed, queue, unstaffed))
    return found


def _agent(section: Section, scope: Scope) -> list[Condition | None]:
    qualified = section.has("presence")
    name, key, presences = section.text("agent"), section.text("agent_from"), section.texts("presence")
    if name is None and key is None:
        if presences:
            section.wrong("presence", "it needs agent or agent_from, to say whose")
        return []
    if name is not None and key is not None:
        section.wrong("agent_from", "expected agent or agent_from, found both")
    if not qualified:
        section.wrong("agent" if name is not None else "agent_from", "expected presence beside it, to say what of them")
    if not presences:
        return []
    if name is not None:
        section.known("agent", UnknownAgent, name, scope.agents)
        return [section.made("agent", PresenceIs, AgentId(name), presences)]
    made = section.made("agent_from", AgentKey, str(key))
    return [section.made("presence", PresenceIs, made, presences)] if made is not None else []


def _combined(section: Section, scope: Scope, depth: int) -> list[Condition | None]:
    found: list[Condition | None] = []
    groups, negated = section.take("any_of"), section.take("not")
    if depth >= DEEPEST and (groups is not MISSING or negated is not MISSING):
        section.wrong("not" if groups is MISSING else "any_of", f"expected at most {DEEPEST} within each other")
        return []
    if groups is not MISSING:
        if not isinstance(groups, list | tuple) or not groups:
            section.wrong("any_of", f"expected a list of tables of conditions, found {short(groups)}")
        else:
            tables = [section.within(f"any_of[{at}]", group) for at, group in enumerate(groups, 1)]
            found.append(AnyOf(tuple(_group(table, scope, depth) for table in tables)))
    if negated is not MISSING:
        found.append(Not(_group(section.within("not", negated), scope, depth)))
    return found


def _group(section: Section, scope: Scope, depth: int) -> tuple[Condition, ...]:
    before = len(section.problems)
    group = read_conditions(section, scope, depth + 1)
    if section.is_table and not group and len(section.problems) == before:
        section.wrong("", "expected at least one condition, found none")
    return group

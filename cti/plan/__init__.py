"""Routing by who calls, whom, from where, when, and who they are: calendars, regions, rules and plans."""

from cti.plan.attached import Attached
from cti.plan.calendar import Calendar, Day
from cti.plan.caller import (
    CalledNumber,
    CallingName,
    CallingNumber,
    CustomerClass,
    FromCountry,
    FromRegion,
    NumberType,
)
from cti.plan.condition import AnyOf, Condition, Not
from cti.plan.opening import DayIs, Open, TimeIs
from cti.plan.plan import Plan, RouteExplained, Rule, RuleExplained
from cti.plan.plan_data import read_plan
from cti.plan.region import Region, Regions
from cti.plan.request import QueueLoad, Request
from cti.plan.route_select import PersonalFrom, RouteSelect
from cti.plan.section import BadPlan, Problem
from cti.plan.standing import AgentKey, ExpectedWaitAbove, LongerThan, PresenceIs, Unstaffed

__all__ = [
    "AgentKey",
    "AnyOf",
    "Attached",
    "BadPlan",
    "Calendar",
    "CalledNumber",
    "CallingName",
    "CallingNumber",
    "Condition",
    "CustomerClass",
    "Day",
    "DayIs",
    "ExpectedWaitAbove",
    "FromCountry",
    "FromRegion",
    "LongerThan",
    "Not",
    "NumberType",
    "Open",
    "PersonalFrom",
    "Plan",
    "PresenceIs",
    "Problem",
    "QueueLoad",
    "Region",
    "Regions",
    "Request",
    "RouteExplained",
    "RouteSelect",
    "Rule",
    "RuleExplained",
    "TimeIs",
    "Unstaffed",
    "read_plan",
]

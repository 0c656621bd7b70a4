"""Where calls go, as a configuration says: numbers, scripts, voice menus and the plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Factory, field, frozen

from cti.config.problem import Problem
from cti.config.script_reference import ScriptReference
from cti.config.voice_menu import VoiceMenu
from cti.plan import Plan, RouteSelect

PLAN = "plan"
"""The name under which queues know the plan as a route script."""


@frozen
class Number:
    """What becomes of calls to a number.

    Args:
        pattern: the called number; ``*`` and ``?`` match as in file names.
        to: where they go; None leaves it to the plan.
    """

    pattern: str
    to: RouteSelect | None


@frozen
class Routes:
    """Where calls go.

    Args:
        numbers: in the order in which they are tried.
        scripts: by the name that numbers, plans and overflows know them by.
        menus: voice menus, which are scripts too.
        route_scripts: by the name that queues know them by.
        plan: the routing plan, None for none.
        said: what the files say, to tell whether it is the same.
        problems: what is wrong in other files than the configuration's own.
    """

    numbers: tuple[Number, ...] = ()
    scripts: Mapping[str, ScriptReference] = Factory(dict)
    menus: Mapping[str, VoiceMenu] = Factory(dict)
    route_scripts: Mapping[str, ScriptReference] = Factory(dict)
    plan: Plan | None = None
    said: Mapping[str, Any] = field(default=Factory(dict), repr=False)
    problems: tuple[Problem, ...] = ()

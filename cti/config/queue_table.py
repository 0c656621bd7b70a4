"""The tables of queues and agents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cti.config.duration import duration
from cti.config.table_reader import Reader, read_into, said_of
from cti.config.waiting_table import read_callback, read_waiting
from cti.errors import ConfigurationError
from cti.model.agent import AgentSettings
from cti.model.borrowing import Borrowing
from cti.model.ids import AgentId, QueueId
from cti.model.overflow import Overflow
from cti.model.predictive import PredictiveSettings
from cti.model.queue import QueueSettings
from cti.model.widening import Widening
from cti.plan.condition import short
from cti.plan.route_data import TARGETS, read_route
from cti.plan.scope import Scope
from cti.plan.section import MISSING, Section

LOG_ON: Final = {"ready": True, "not ready": False}
_WAITS: Final = ("wait_s", "within_s")
_PERSONAL: Final = ("agent", "last_agent", "by_presence", *_WAITS)
_ANY: Final = Scope()


def read_queue(section: Section, queue: str) -> QueueSettings | None:
    """A queue's settings, as far as they can be read; what is wrong is noted. Other queues, agents and scripts may be any."""
    return read_into(section, QueueSettings, _QUEUE, partly=True, id=QueueId(queue))


def read_agent(section: Section, agent: str) -> tuple[AgentSettings | None, bool | None]:
    """An agent's settings, as far as they can be read; and whether they are logged on ready, None for not at all."""
    log_on = section.text("log_on")
    if log_on is not None and log_on not in LOG_ON:
        section.wrong("log_on", f"expected one of {', '.join(map(repr, LOG_ON))}, found {short(log_on)}")
    return read_into(section, AgentSettings, partly=True, id=AgentId(agent)), LOG_ON.get(log_on or "")


def read_overflow(section: Section, key: str, value: Any) -> Any:
    """A Reader of where a call goes, such as ``{queue = "claims"}``."""
    table = section.within(key, value)
    if not table.is_table or not _only(section, key, value, TARGETS):
        return MISSING
    route = read_route(table, _ANY)
    return route.to if route is not None else MISSING


def _overflows(section: Section, key: str, value: Any) -> Any:
    if not section.within(key, value).is_table:
        return MISSING
    found: dict[str, Overflow] = {}
    for reason, target in value.items():
        made = read_overflow(section, f"{key}.{reason}", target)
        if made is not MISSING:
            found[str(reason).replace("_", " ")] = made
    return found


def _widening(section: Section, key: str, value: Any) -> Any:
    steps = [value] if isinstance(value, Mapping) else value
    if not isinstance(steps, list):
        section.wrong(
            key, f"expected a list of steps, such as [{{after_s = 60, requires = 'sales'}}]; found {short(value)}"
        )
        return MISSING
    made = [
        read_into(section.within(f"{key}[{at}]", step), Widening, {"also": _names}) for at, step in enumerate(steps, 1)
    ]
    return MISSING if None in made else tuple(made)


def _names(section: Section, key: str, value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(one, str) and one for one in value):
        return value
    section.wrong(key, f"expected a list of queues, found {short(value)}")
    return MISSING


def _borrows(section: Section, key: str, value: Any) -> Any:
    made = read_into(section.within(key, value), Borrowing, {"lenders": _names})
    return MISSING if made is None else made


def _predictive(section: Section, key: str, value: Any) -> Any:
    made = read_into(section.within(key, value), PredictiveSettings)
    return MISSING if made is None else made


def _personal(section: Section, key: str, value: Any) -> Any:
    """In the words of a routing plan, whose reader needs a queue to wait in: any will do."""
    if not section.within(key, value).is_table or not _only(section, key, value, _PERSONAL):
        return MISSING
    try:
        terms = {name: duration(one) if name in _WAITS else one for name, one in value.items()}
        if isinstance(value.get("by_presence"), Mapping):
            terms["by_presence"] = {presence: duration(one) for presence, one in value["by_presence"].items()}
    except ConfigurationError as error:
        section.wrong(key, said_of(key, error))
        return MISSING
    route = read_route(section.within(key, {"queue": "any", **terms}), _ANY)
    return MISSING if route is None else route.personal


def _only(section: Section, key: str, value: Mapping[str, Any], known: tuple[str, ...]) -> bool:
    """Whether a table has only these keys; others are noted."""
    table = section.within(key, value)
    for name in known:
        table.take(name)
    before = len(section.problems)
    table.end()
    return len(section.problems) == before


_QUEUE: Final[Mapping[str, Reader]] = {
    "overflow": read_overflow,
    "overflows": _overflows,
    "after_call": read_overflow,
    "widening": _widening,
    "borrows": _borrows,
    "predictive": _predictive,
    "personal": _personal,
    "callback": read_callback,
    "waiting": read_waiting(read_overflow),
}

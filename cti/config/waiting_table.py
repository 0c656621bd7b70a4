"""What callers hear while they wait, and how they are called back, in a queue's tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cti.config.table_reader import Reader, read_into
from cti.engine.callback_hours import check_hours
from cti.errors import ConfigurationError
from cti.model.callback import CallbackPrompts, CallbackSettings
from cti.model.overflow import Overflow
from cti.model.party import Destination
from cti.model.treatment import Part, SayNumber, WaitingTreatment
from cti.plan.condition import short
from cti.plan.section import MISSING, Section


def read_callback(section: Section, key: str, value: Any) -> Any:
    """A Reader of ``[queue.NAME.callback]``."""
    table = section.within(key, value)
    made = read_into(table, CallbackSettings, {"destinations": _destinations, "prompts": _callback_prompts})
    if made is None:
        return MISSING
    try:
        check_hours(made)
    except ConfigurationError as error:
        section.wrong(f"{key}.hours", str(error))
        return MISSING
    return made


def _destinations(section: Section, key: str, value: Any) -> Any:
    table = section.within(key, value)
    made = [table.made(str(pattern), Destination, pattern, contact) for pattern, contact in table.rest().items()]
    return MISSING if None in made or not table.is_table else tuple(made)


def _callback_prompts(section: Section, key: str, value: Any) -> Any:
    made = read_into(section.within(key, value), CallbackPrompts)
    return MISSING if made is None else made


def read_waiting(read_target: Reader) -> Reader:
    """A Reader of ``[queue.NAME.waiting]``; ``read_target`` is one of where a call goes."""

    def offers(section: Section, key: str, value: Any) -> Any:
        if not section.within(key, value).is_table:
            return MISSING
        found: dict[str, Overflow] = {}
        for pressed, target in value.items():
            made = read_target(section, f"{key}.{pressed}", target)
            if made is not MISSING:
                found[str(pressed)] = made
        return found

    def read(section: Section, key: str, value: Any) -> Any:
        made = read_into(section.within(key, value), WaitingTreatment, {**_PROMPTS, "offers": offers})
        return MISSING if made is None else made

    return read


def _part(section: Section, key: str, value: Any) -> Part | None:
    """A file, tone or stream as text, or ``{say = "position"}``."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        section.wrong(key, f"expected text, or {{say = 'position'}}; found {short(value)}")
        return None
    table = section.within(key, value)
    of, kind = table.text("say"), table.text("kind")
    table.end()
    if of is None:
        table.wrong("say", "it is missing")
        return None
    return table.made("", SayNumber, of, **({"kind": kind} if kind is not None else {}))


def _parts(section: Section, key: str, value: Any) -> Any:
    made = [_part(section, key, one) for one in (value if isinstance(value, list) else [value])]
    return MISSING if None in made else tuple(made)


def _messages(section: Section, key: str, value: Any) -> Any:
    made = [_parts(section, key, one) for one in (value if isinstance(value, list) else [value])]
    return MISSING if MISSING in made else tuple(made)


_Parts = Callable[[Section, str, Any], Any]
_PROMPTS: Final[Mapping[str, _Parts]] = {
    "greeting": _parts,
    "position": _parts,
    "expected_wait": _parts,
    "messages": _messages,
    "offer_prompt": _parts,
    "whisper": _parts,
}

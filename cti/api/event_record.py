"""Events in the form the wire has them, and the subjects they are about."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final
from urllib.parse import quote

from attrs import has

from cti.api.converter import plain
from cti.api.numbering import Numbering
from cti.model.cause import Cause

_SUBJECTS: Final = (("agent", "agent"), ("queue", "queue"), ("call", "interaction"))


def event_record(event: Any, numbering: Numbering) -> dict[str, Any]:
    """An event as a map: its kind, and its fields by their names; the time in Unix seconds, the cause in CSTA's words."""
    record: dict[str, Any] = {"kind": type(event).__name__}
    for field in event.__attrs_attrs__:
        record[field.name] = _plain(getattr(event, field.name))
    record["at"] = numbering.wall(event.at)
    return record


def topics(event: Any) -> list[tuple[str, str]]:
    """Subject and topic of an event, for each family: ``agent.alice.`` and ``agent.alice.Delivered``, and so on.

    The dot at a subject's end keeps ``agent.al`` from being taken for a part of ``agent.alice``.
    """
    kind = type(event).__name__
    found = [(f"kind.{kind}.", f"kind.{kind}.")]
    for family, field in _SUBJECTS:
        name = getattr(event, field, None)
        if name is not None:
            subject = f"{family}.{topic_part(name)}."
            found.append((subject, subject + kind))
    return found


def topic_part(name: str) -> str:
    """A name as a part of a topic: percent-encoded UTF-8, the dot too."""
    return quote(name, safe="").replace(".", "%2E")


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Cause):
        return value.csta_name
    return plain(value) if isinstance(value, Enum) or has(type(value)) else value

"""Where a call goes, from data, such as ``{queue = "claims", priority = 5, agent_from = "adviser", wait_s = 30}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import fields_dict

from cti.errors import UnknownAgent, UnknownMailbox, UnknownQueue
from cti.model.ids import AgentId, QueueId
from cti.model.overflow import Disconnect, Overflow, ToDestination, ToFax, ToMailbox, ToQueue, ToScript, ToVoicemail
from cti.model.personal import Deputy, LastAgent, Personal, Terms
from cti.plan.condition import short
from cti.plan.route_select import PersonalFrom, RouteSelect
from cti.plan.scope import Scope, UnknownScript
from cti.plan.section import MISSING, Section

TARGETS: Final = ("queue", "destination", "voicemail", "mailbox", "fax", "script", "hang_up")
_WHOM: Final = ("agent", "agent_from", "last_agent")


def read_route(section: Section, scope: Scope) -> RouteSelect | None:
    """Where a call goes; None if the table does not say, which is noted in the section."""
    if not section.is_table:
        return None
    before = len(section.problems)
    to = _target(section, scope)
    priority, preferred, data = section.take("priority"), section.texts("preferred"), section.take("data")
    for agent in preferred:
        section.known("preferred", UnknownAgent, agent, scope.agents)
    if data is not MISSING and not (isinstance(data, Mapping) and all(isinstance(key, str) for key in data)):
        section.wrong("data", f"expected a table, found {short(data)}")
    personal = _personal(section, scope)
    section.end()
    if to is None or len(section.problems) > before:
        return None
    return section.made(
        "",
        RouteSelect,
        to,
        priority=None if priority is MISSING else priority,
        data={} if data is MISSING else dict(data),
        personal=personal,
        preferred=tuple(map(AgentId, preferred)),
    )


def _target(section: Section, scope: Scope) -> Overflow | None:
    given = {key: value for key in TARGETS if (value := section.take(key)) is not MISSING}
    if len(given) != 1:
        found = " and ".join(given) or "none"
        section.wrong("", f"expected one of {', '.join(TARGETS)}, found {found}")
        return None
    ((key, value),) = given.items()
    if key == "hang_up":
        if value is not True:
            section.wrong(key, f"expected true, found {short(value)}")
        return Disconnect()
    if not isinstance(value, str) or not value:
        section.wrong(key, f"expected text, found {short(value)}")
        return None
    if key == "queue":
        section.known(key, UnknownQueue, value, scope.queues)
        return section.made(key, ToQueue, QueueId(value))
    if key == "destination":
        return section.made(key, ToDestination, value)
    if key in ("mailbox", "fax"):
        section.known(key, UnknownMailbox, value, scope.mailboxes)
    if key == "mailbox":
        return section.made(key, ToMailbox, value)
    if key == "fax":
        return section.made(key, ToFax, value)
    if key == "script":
        section.known(key, UnknownScript, value, scope.scripts)
        return section.made(key, ToScript, value)
    mailbox, _, domain = value.partition("@")
    return section.made(key, ToVoicemail, mailbox, domain)


def _personal(section: Section, scope: Scope) -> Personal | LastAgent | PersonalFrom | None:
    agent, key, last = section.text("agent"), section.text("agent_from"), section.flag("last_agent")
    terms: dict[str, Any] = {name: section.number(name) for name in ("wait_s", "within_s")}
    by_presence = section.take("by_presence")
    terms["by_presence"] = None if by_presence is MISSING else _by_presence(section, by_presence, scope)
    terms = {name: value for name, value in terms.items() if value is not None}
    whom = [name for name, value in zip(_WHOM, (agent, key, last), strict=True) if value]
    if len(whom) > 1:
        section.wrong(whom[1], f"expected one of {', '.join(_WHOM)}, found {' and '.join(whom)}")
        return None
    kind: type[Personal | LastAgent | PersonalFrom]
    kind = Personal if agent else PersonalFrom if key else LastAgent
    for name in terms:
        if not whom:
            section.wrong(name, f"it needs one of {', '.join(_WHOM)}, to say whom the call waits for")
        elif name not in fields_dict(kind):
            section.wrong(name, "it needs last_agent")
    if not whom or any(name not in fields_dict(kind) for name in terms):
        return None
    if agent:
        section.known("agent", UnknownAgent, agent, scope.agents)
        return section.made("agent", Personal, AgentId(agent), **terms)
    return (
        section.made("agent_from", PersonalFrom, key, **terms)
        if key
        else section.made("last_agent", LastAgent, **terms)
    )


def _by_presence(section: Section, data: object, scope: Scope) -> dict[str, Terms]:
    table = section.within("by_presence", data)
    found: dict[str, Terms] = {}
    for word, value in table.rest().items():
        presence = str(word).lower()  # as presence_of gives them
        if not isinstance(value, Mapping):
            found[presence] = value  # seconds; whoever makes use of it says what else it may be
            continue
        inner = table.within(presence, value)
        deputy = inner.text("agent")
        terms: Terms | None
        if deputy is None:
            terms = _target(inner, scope)
        else:
            inner.known("agent", UnknownAgent, deputy, scope.agents)
            terms = inner.made("agent", Deputy, AgentId(deputy))
        inner.end()
        if terms is not None:
            found[presence] = terms
    return found

"""What is to be done to a running centre to make it what another configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from attrs import evolve, fields, frozen

from cti.config import Configuration
from cti.daemon.live_settings import need_a_restart
from cti.daemon.live_settings import told as told_of_services
from cti.errors import ConfigurationError
from cti.model.agent import AgentSettings
from cti.model.ids import AgentId, QueueId
from cti.model.mailbox import Mailbox
from cti.model.overflow import Disconnect, Overflow, ToDestination, ToQueue, ToVoicemail
from cti.model.queue import QueueSettings
from cti.model.requirement import Requirement
from cti.plan.condition import short

NOBODY: Final = Requirement('"closed queue" >= 999999999')
"""What no agent meets."""
_AT_START: Final = {"switches": "switch", "centre": "centre", "api": "api", "destinations": "destinations"}
_AT_START_OF_DAEMON: Final = ("pid_file", "control")


@frozen
class Change:
    """The difference between two configurations.

    Args:
        queues: to be defined: those that are new, or whose settings are others.
        known: which of these there are already.
        closed: taken out of the file, as they are to be defined: they let nobody in.
        agents: to be defined.
        removed: to be removed.
        log_on: to be logged on, and whether ready.
        mailboxes: to be defined.
        mailboxes_gone: to be taken out.
        said: what changes, a line each.
    """

    queues: Mapping[QueueId, QueueSettings]
    known: frozenset[QueueId]
    closed: tuple[QueueSettings, ...]
    agents: Mapping[AgentId, AgentSettings]
    removed: tuple[AgentId, ...]
    log_on: Mapping[AgentId, bool]
    mailboxes: Mapping[str, Mailbox]
    mailboxes_gone: tuple[str, ...]
    said: tuple[str, ...]


def change(old: Configuration, new: Configuration) -> Change:
    """What leads from one configuration to the other. May run in any thread.

    Args:
        old: what counts now.
        new: what shall count.

    Raises:
        ConfigurationError: it cannot be done while the centre runs; the message has every reason, a line each.
    """
    refused = _only_at_start(old, new)
    gone = [name for name in old.queues if name not in new.queues]
    if refused:
        raise ConfigurationError("\n".join([*refused, "nothing was changed"]))
    queues = {name: queue for name, queue in new.queues.items() if old.queues.get(name) != queue}
    agents = {name: agent for name, agent in new.agents.items() if old.agents.get(name) != agent}
    removed = tuple(name for name in old.agents if name not in new.agents)
    log_on = {name: ready for name, ready in new.log_on.items() if name not in old.log_on}
    boxes_before, boxes_after = old.services.mailboxes or {}, new.services.mailboxes or {}
    boxes = {name: box for name, box in boxes_after.items() if boxes_before.get(name) != box}
    boxes_gone = tuple(name for name in boxes_before if name not in boxes_after)
    said = [
        *_told("queue", old.queues, queues),
        *(f"queue {name}: closed; its figures stay until the next start" for name in gone),
        *_told("agent", old.agents, agents),
        *(f"agent {name}: removed" for name in removed),
        *(f"agent {name}: to be logged on" for name in log_on),
        *_told("mailbox", boxes_before, boxes),
        *(f"mailbox {name}: taken out; its messages stay" for name in boxes_gone),
        *_told_of_routes(old, new),
        *_told_of(old.daemon, new.daemon, "daemon"),
        *_told_of(old.log, new.log, "log"),
        *_told_of(old.services.alarms.rules, new.services.alarms.rules, "alarms"),
        *(["alarms.mail: changed"] if old.services.alarms.mail != new.services.alarms.mail else []),
        *told_of_services(old.services, new.services),
        *_told_of_webhooks(old, new),
        *_told_of_roles(old, new),
    ]
    return Change(
        queues=queues,
        known=frozenset(queues.keys() & old.queues.keys()),
        closed=tuple(_closed(old.queues[name], new) for name in gone),
        agents=agents,
        removed=removed,
        log_on=log_on,
        mailboxes=boxes,
        mailboxes_gone=boxes_gone,
        said=tuple(said),
    )


def _only_at_start(old: Configuration, new: Configuration) -> list[str]:
    refused = [
        f"[{table}] is another; that needs a restart"
        for name, table in _AT_START.items()
        if getattr(old, name) != getattr(new, name)
    ]
    refused += [f"{name} is another; that needs a restart" for name in need_a_restart(old.services, new.services)]
    refused += [
        f"daemon.{name} is another; that needs a restart"
        for name in _AT_START_OF_DAEMON
        if getattr(old.daemon, name) != getattr(new.daemon, name)
    ]
    return refused


def _closed(queue: QueueSettings, new: Configuration) -> QueueSettings:
    """A queue that lets nobody in: what a script sends there all the same goes on at once, or is cleared."""
    to: Overflow = queue.overflow
    if not isinstance(to, ToDestination | ToVoicemail) and not (isinstance(to, ToQueue) and to.queue in new.queues):
        to = Disconnect()
    return evolve(
        queue,
        requires=NOBODY,
        widening=(),
        personal=None,
        borrows=None,
        route_script="",
        overflow_unstaffed=True,
        overflow=to,
        overflows={},
    )


def _told(kind: str, before: Mapping[Any, Any], after: Mapping[Any, Any]) -> list[str]:
    said = []
    for name, settings in after.items():
        if name in before:
            said += _told_of(before[name], settings, f"{kind} {name}")
        else:
            said.append(f"{kind} {name}: added")
    return said


def _told_of(before: Any, after: Any, what: str) -> list[str]:
    names = [one.name for one in fields(type(after)) if getattr(before, one.name) != getattr(after, one.name)]
    parts = [f"{name} {_short(getattr(before, name))} -> {_short(getattr(after, name))}" for name in names]
    return [f"{what}: {', '.join(parts)}"] if parts else []


def _short(value: Any) -> str:
    match value:
        case Requirement():
            return value.text or "anybody"
        case Enum():
            return str(value.value)
        case frozenset():
            return ", ".join(sorted(map(str, value))) or "none"
        case _:
            return short(value)


def _told_of_webhooks(old: Configuration, new: Configuration) -> list[str]:
    before = {each.name: each for each in old.services.webhooks}
    after = {each.name: each for each in new.services.webhooks}
    said = [f"webhook {name}: removed" for name in before if name not in after]
    said += [f"webhook {name}: added" for name in after if name not in before]
    return said + [f"webhook {name}: changed" for name, one in after.items() if before.get(name, one) != one]


def _told_of_routes(old: Configuration, new: Configuration) -> list[str]:
    before, after = old.routes.said, new.routes.said
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [f"{name}: changed" for name in names]


def _told_of_roles(old: Configuration, new: Configuration) -> list[str]:
    said = [f"role {name}: removed" for name in old.roles if name not in new.roles]
    return said + _told("role", old.roles, {name: one for name, one in new.roles.items() if old.roles.get(name) != one})

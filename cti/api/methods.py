"""Every method that the API has, by its name; here those about the whole centre. Knows no transport."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import gevent

from cti.api import (
    agent_methods,
    call_methods,
    callback_methods,
    calling_methods,
    control_methods,
    fax_methods,
    history_methods,
    mailbox_methods,
    message_methods,
    queue_methods,
    statistics_methods,
    supervision_methods,
    switch_methods,
)
from cti.api.grant import Role
from cti.api.method import Method
from cti.api.numbering import Numbering
from cti.api.service import Service
from cti.api.table import TABLE, Nothing, method
from cti.api.values import (
    AgentRecord,
    AlarmList,
    ParkedRecord,
    SnapshotRecord,
    agent_record,
    alarm_record,
    conference_record,
    queue_record,
)
from cti.errors import UnknownAgent

METHODS: Final[Mapping[str, Method]] = TABLE
"""Every method by its name."""
METHODS_ARE_IN: Final = (
    agent_methods,
    call_methods,
    callback_methods,
    calling_methods,
    control_methods,
    fax_methods,
    history_methods,
    mailbox_methods,
    message_methods,
    queue_methods,
    statistics_methods,
    supervision_methods,
    switch_methods,
)
"""The modules whose methods are in the table, besides this one's."""

_PIECE: Final = 100
"""So many agents of a snapshot are written before others get their turn: about 1 ms."""


@method("snapshot", Nothing, SnapshotRecord, slow=True, cost=40)
def snapshot(service: Service, params: Nothing) -> SnapshotRecord:  # noqa: ARG001 - the form of every method
    """All queues and agents that the key covers, and the number of the last event that it takes into account."""
    grant, numbering = service.grant, service.numbering
    epoch, at = numbering.epoch, numbering.now()
    if grant.role is Role.AGENT and not grant.queues:
        return _own(service, epoch, at)
    view = service.centre.snapshot()
    seq = _caught_up(numbering, epoch, at)
    agents = []
    for view_of in view.agents:
        if grant.covers_agent(view_of.id):
            agents.append(agent_record(view_of))
            if len(agents) % _PIECE == 0:
                gevent.sleep(0)
    return SnapshotRecord(
        epoch=epoch,
        seq=seq,
        at=numbering.wall(at),
        queues=tuple(queue_record(queue) for queue in view.queues if grant.covers_queue(queue.id)),
        agents=tuple(agents),
        links={switch: state.value for switch, state in view.links.items()} if grant.role is not Role.AGENT else {},
        calls=view.calls if grant.sees_all else None,
        talking=view.talking if grant.sees_all else None,
        parked=tuple(
            ParkedRecord(each.place, each.interaction, each.by, numbering.wall(each.since), each.recall_s)
            for each in view.parked
            if grant.sees(each.by, each.queue)
        ),
        conferences=tuple(conference_record(each) for each in view.conferences if grant.sees(each.owner, each.queue)),
    )


def _own(service: Service, epoch: str, at: float) -> SnapshotRecord:
    """One agent's own: five thousand agents who come back at once must not make five thousand views of everybody."""
    (agent,) = service.grant.agents
    try:
        found: tuple[AgentRecord, ...] = (agent_record(service.centre.agent(agent).view),)
    except UnknownAgent:
        found = ()
    seq = _caught_up(service.numbering, epoch, at)
    return SnapshotRecord(epoch, seq, service.numbering.wall(at), (), found, {}, None, None)


def _caught_up(numbering: Numbering, epoch: str, at: float) -> int:
    """The number that a view taken just now, at ``at``, is true at.

    The events of what it shows may still be waiting to be numbered. They were there first, so that they are numbered
    once everybody else has had a turn; what came after the view is told apart by its time.
    """
    gevent.sleep(0)
    return numbering.at(at) if numbering.epoch == epoch else 0


@method("alarms", Nothing, AlarmList)
def alarms(service: Service, params: Nothing) -> AlarmList:  # noqa: ARG001 - the form of every method
    """The alarms that are raised now, the oldest first: those of the key's queues, or all for a key that sees all."""
    now = service.centre.alarms.now()
    shown = (alarm for alarm in service.centre.alarms.raised if service.grant.sees(None, alarm.queue))
    return AlarmList(tuple(alarm_record(alarm, now) for alarm in shown))

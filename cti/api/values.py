"""What the API answers with: the protocol's own values, which change only with its version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from cti.alarms.alarm import Alarm
from cti.engine.view import AgentView, QueueView, WaitingCall
from cti.engine.why import Reason
from cti.model.conference import ConferenceView
from cti.model.history import InteractionHistory


@frozen
class AgentRecord:
    """An agent as they are now."""

    agent: str
    state: str
    """null, not ready, ready, reserved, alerting, busy or working after call."""
    reason: str
    for_s: float
    """Seconds in this state."""
    pending: str | None
    """The state asked for while busy, applied at the end of the call."""
    skills: Mapping[str, int]
    calling_number: str
    """With whom the agent is; empty for nobody."""
    calls_answered: int
    occupancy: float | None
    device: str
    """Whether the phone can be reached: unknown, in service or out of service."""
    blocked: bool
    """Whether they are ready as soon as their phone can take a call again."""
    standing: str | None = None
    """Their standing connection: down, ringing, up or waiting; None if they have none."""


@frozen
class WaitingRecord:
    """A call that waits; ``agents`` are those it is being offered to, if anybody."""

    call: str
    calling_number: str
    calling_name: str
    waited_s: float
    priority: int
    agents: tuple[str, ...]


@frozen
class QueueRecord:
    """A queue: its counts since the start, and its waiting calls, head first."""

    queue: str
    figures: Mapping[str, float]
    service_level: float | None
    asa_s: float | None
    agents_ready: int
    agents_staffed: int
    waiting: tuple[WaitingRecord, ...]
    service_level_s: float = 0.0
    service_level_target: float | None = None


@frozen
class ParkedRecord:
    """A place that is taken: by which call, parked by whom, since when (Unix time), and after how long it goes back."""

    place: str
    call: str
    agent: str
    since: float
    recall_s: float


@frozen
class MemberRecord:
    """One party to a conference; ``participation`` is active, silent or none (their phone rings)."""

    connection: str
    side: str
    agent: str | None
    participation: str
    since: float


@frozen
class ConferenceRecord:
    """A conference, and who is in it; times are Unix times."""

    conference: str
    call: str
    owner: str | None
    since: float
    members: tuple[MemberRecord, ...]


@frozen
class SnapshotRecord:
    """Everything the key may see, with all events up to ``seq`` taken into account and none after."""

    epoch: str
    seq: int
    at: float
    queues: tuple[QueueRecord, ...]
    agents: tuple[AgentRecord, ...]
    links: Mapping[str, str]
    """Switch -> down, connecting, snapshotting or live."""
    calls: int | None
    """Living calls in the whole centre; None for a key that does not see everything."""
    talking: int | None
    parked: tuple[ParkedRecord, ...] = ()
    """The parked calls, by place."""
    conferences: tuple[ConferenceRecord, ...] = ()
    """The conferences, the oldest first."""


@frozen
class ReasonRecord:
    """Why an agent is not, or is, the one for a call; ``code`` is stable, ``text`` is for a person."""

    agent: str
    call: str
    code: str
    text: str


@frozen
class CallExplanation:
    """Why a call is where it is."""

    call: str
    queue: str | None
    position: int
    priority: float
    widened: int
    summary: str
    agents: tuple[ReasonRecord, ...]


@frozen
class AgentExplanation:
    """Why an agent has no call."""

    agent: str
    state: str
    summary: str
    calls: tuple[ReasonRecord, ...]


@frozen
class AgentList:
    """The ids of agents."""

    agents: tuple[str, ...]


@frozen
class QueueList:
    """The ids of queues."""

    queues: tuple[str, ...]


@frozen
class CallMade:
    """A call that has been made."""

    call: str


@frozen
class FoundCalls:
    """Past calls, the latest first."""

    calls: tuple[InteractionHistory, ...]


@frozen
class Parked:
    """Where a call is parked."""

    place: str


@frozen
class AlarmRecord:
    """An alarm that is raised."""

    name: str
    """What is wrong, in a stable word such as ``link.down``."""
    subject: str
    """With what: a switch, a queue, a cause; may be empty."""
    grade: str
    """info, minor, major or critical."""
    cause: str
    suggestion: str
    queue: str | None
    for_s: float
    """Seconds since it was raised."""


@frozen
class AlarmList:
    """The alarms that are raised now, the oldest first."""

    alarms: tuple[AlarmRecord, ...]


def agent_record(view: AgentView) -> AgentRecord:
    """The wire's form of an agent."""
    return AgentRecord(
        agent=view.id,
        state=view.state.value,
        reason=view.reason,
        for_s=view.for_s,
        pending=view.pending.value if view.pending is not None else None,
        skills=view.skills,
        calling_number=view.calling_number,
        calls_answered=view.calls_answered,
        occupancy=view.occupancy,
        device=view.device.value,
        blocked=view.blocked,
        standing=view.standing.value if view.standing is not None else None,
    )


def queue_record(view: QueueView) -> QueueRecord:
    """The wire's form of a queue."""
    return QueueRecord(
        queue=view.id,
        figures=_figures(view.figures),
        service_level=view.figures.service_level,
        asa_s=view.figures.asa_s,
        agents_ready=view.agents_ready,
        agents_staffed=view.agents_staffed,
        waiting=tuple(waiting_record(call) for call in view.waiting),
        service_level_s=view.service_level_s,
        service_level_target=view.service_level_target,
    )


def waiting_record(call: WaitingCall) -> WaitingRecord:
    """The wire's form of a waiting call."""
    return WaitingRecord(
        call.interaction, call.calling_number, call.calling_name, call.waited_s, call.priority, tuple(call.agents)
    )


def conference_record(view: ConferenceView) -> ConferenceRecord:
    """The wire's form of a conference."""
    members = (
        MemberRecord(each.connection, each.side, each.agent, each.participation.value, each.since)
        for each in view.members
    )
    return ConferenceRecord(view.id, view.interaction, view.owner, view.since, tuple(members))


def reason_record(reason: Reason) -> ReasonRecord:
    """The wire's form of a reason."""
    return ReasonRecord(reason.agent, reason.call, reason.code, reason.text)


def alarm_record(alarm: Alarm, now: float) -> AlarmRecord:
    """The wire's form of a raised alarm."""
    return AlarmRecord(
        alarm.name,
        alarm.subject,
        alarm.grade.value,
        alarm.cause,
        alarm.suggestion,
        alarm.queue,
        max(0.0, now - alarm.at),
    )


def _figures(figures: Any) -> dict[str, float]:
    """A queue's counts; which there are is the model's business."""
    counts = ((field.name, getattr(figures, field.name)) for field in figures.__attrs_attrs__)
    return {name: value for name, value in counts if isinstance(value, int | float)}

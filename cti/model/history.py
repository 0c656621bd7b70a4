"""Histories: what has happened to an interaction, as segments of time that add up, each charged to whom it belongs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from attrs import Factory, define, frozen

from cti.model.cause import Cause
from cti.model.connection import Side
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, SwitchId

MOST_SEGMENTS: Final = 200
"""So many segments of one interaction are kept one by one; of the older ones only the sums (a call may overflow for days)."""


class SegmentKind(Enum):
    """What one party to an interaction is doing."""

    SCRIPT = "script"
    QUEUED = "queued"
    CALLBACK = "callback"
    """The customer is to be called back, and not yet."""
    PARKED = "parked"
    INITIATED = "initiated"
    """The phone of an agent who calls somebody is being rung, or they hear that one's phone ring."""
    RINGING = "ringing"
    TALK = "talk"
    HOLD = "hold"
    """An agent's: they hold the caller; the caller's: they are held, whatever the agent does meanwhile."""
    CONSULT = "consult"
    CONFERENCE = "conference"
    WRAP_UP = "wrap-up"


HANDLING: Final = frozenset(
    {SegmentKind.TALK, SegmentKind.HOLD, SegmentKind.CONSULT, SegmentKind.CONFERENCE, SegmentKind.WRAP_UP}
)
"""An agent's handling time is what they spent in these; a queue's figures count the same."""


class EndedBy(Enum):
    """Who hung up."""

    CALLER = "caller"
    AGENT = "agent"
    OTHER = "other"
    """Somebody outside whom an agent had called."""
    US = "us"
    """The host's script, a queue's overflow, a deadline."""
    SWITCH = "switch"
    """The switch by itself, or it has died."""


@define(eq=False)
class CallSegment:
    """One party, doing one thing. Only the engine changes it."""

    kind: SegmentKind
    side: Side
    connection: ConnectionId
    agent: AgentId | None
    """Whom its time is charged to; None for the caller and for people outside."""
    queue: QueueId | None
    began_at: float
    cause: Cause
    """Why it began."""
    from_agent: AgentId | None = None
    """Of a ringing phone: which agent had the call before, or asks for this one."""
    ended_at: float | None = None
    end_cause: Cause | None = None
    switch_cause: str = ""
    """The switch's own cause, beside CSTA's, where a leg's end ended it."""

    def length_s(self, now: float) -> float:
        """Seconds, until now if it goes on."""
        return (now if self.ended_at is None else self.ended_at) - self.began_at


@define(eq=False)
class LeftOut:
    """The sum of segments that are not kept one by one any more."""

    kind: SegmentKind
    agent: AgentId | None
    times: int = 0
    length_s: float = 0.0


@define(eq=False)
class Ending:
    """Why an interaction ended."""

    by: EndedBy
    agent: AgentId | None
    cause: Cause
    switch_cause: str
    at: float


@define(eq=False)
class History:
    """What has happened to one interaction. Only the engine changes it."""

    interaction: InteractionId
    switch: SwitchId
    calling_number: str
    calling_name: str
    called_number: str
    created_at: float
    previous: InteractionId | None = None
    """The interaction that the same channel was before it left the centre and came back."""
    kind: str = "call"
    going_on: list[CallSegment] = Factory(list)
    closed: list[CallSegment] = Factory(list)
    left_out: list[LeftOut] = Factory(list)
    agents: list[AgentId] = Factory(list)
    """The agents who have talked with the caller, the latest last."""
    queue: QueueId | None = None
    """The queue it was in last."""
    data: Mapping[str, Any] = Factory(dict)
    """What was attached to it at the end."""
    state: str = ""
    ending: Ending | None = None

    def begin(self, segment: CallSegment) -> None:
        """A party begins to do something."""
        self.going_on.append(segment)
        if segment.agent is not None and segment.kind in (SegmentKind.TALK, SegmentKind.CONFERENCE):
            if segment.agent in self.agents:
                self.agents.remove(segment.agent)
            self.agents.append(segment.agent)

    def end(self, segment: CallSegment, at: float, cause: Cause, switch_cause: str = "") -> None:
        """A party does it no more."""
        segment.ended_at, segment.end_cause, segment.switch_cause = at, cause, switch_cause
        self.going_on.remove(segment)
        self.closed.append(segment)
        if len(self.closed) > MOST_SEGMENTS:
            self._leave_out(self.closed.pop(0))

    def _leave_out(self, segment: CallSegment) -> None:
        known = next((each for each in self.left_out if (each.kind, each.agent) == (segment.kind, segment.agent)), None)
        if known is None:
            known = LeftOut(segment.kind, segment.agent)
            self.left_out.append(known)
        known.times += 1
        known.length_s += segment.length_s(0.0)

    @property
    def segments(self) -> list[CallSegment]:
        """Those that are kept, by their beginning."""
        return sorted([*self.closed, *self.going_on], key=lambda segment: segment.began_at)


@frozen
class SegmentRecord:
    """A segment as it is told: causes in CSTA's words, times in Unix seconds."""

    kind: str
    """script, queued, callback, parked, initiated, ringing, talk, hold, consult, conference or wrap-up."""
    side: str
    """caller, agent or other."""
    connection: str
    agent: str | None
    """Whom it is charged to; None for the caller and for people outside."""
    queue: str | None
    began: float
    ended: float | None
    """None while it goes on."""
    length_s: float
    cause: str
    end_cause: str | None
    switch_cause: str
    """FreeSWITCH's hang-up cause, where a leg's end ended it."""
    from_agent: str | None


@frozen
class LeftOutRecord:
    """The sum of so many older segments of one kind and agent."""

    kind: str
    agent: str | None
    times: int
    length_s: float


@frozen
class HistoryRecording:
    """A recording of an interaction: one file, of one agent's part."""

    n: int
    """Which of its recordings it is, from 1."""
    path: str
    """On the switch's machine."""
    agent: str | None
    """None for somebody outside."""
    queue: str | None
    started: float
    """Unix time, seconds."""
    ended: float | None
    """None while it goes on."""
    length_s: float
    size: int
    """Bytes; 0 while it goes on, or if the file cannot be reached by the centre."""
    sha256: str
    """Of the whole file; empty as long as the size is 0."""
    error: str
    """Why the file is not sound; empty if it is."""
    held: bool
    """Whether it may not be deleted, whatever its age."""


@frozen
class InteractionHistory:
    """All that has happened to an interaction, until now or until its end."""

    interaction: str
    previous: str | None
    """The interaction that the same channel was before it left the centre and came back."""
    interaction_kind: str
    """call, voicemail or fax."""
    switch: str
    calling_number: str
    calling_name: str
    called_number: str
    queue: str | None
    """The queue it is in, or was in last."""
    state: str
    began: float
    """Unix time, seconds."""
    ended: float | None
    """When it was over for its caller; None while it is not."""
    ended_by: str
    """caller, agent, other, us or switch; empty while it lives."""
    ended_by_agent: str | None
    cause: str
    """CSTA's word for why it ended; empty while it lives."""
    switch_cause: str
    """FreeSWITCH's hang-up cause beside it; empty if no hang-up ended it."""
    agents: tuple[str, ...]
    """Who has talked with the caller, the latest last."""
    data: Mapping[str, Any]
    segments: tuple[SegmentRecord, ...]
    """By their beginning."""
    left_out: tuple[LeftOutRecord, ...] = ()
    """Of an interaction with more than 200 segments, the sums of the oldest."""
    recordings: tuple[HistoryRecording, ...] = ()
    """Those that are there now, in order; of InteractionEnded none, since the files are looked at after it."""

    def seconds(self, *kinds: str, agent: str | None = None) -> float:
        """The sum of the segments of these kinds (all, if none is named) that are charged to an agent (to the caller and
        people outside, if none is).
        """
        parts: tuple[SegmentRecord | LeftOutRecord, ...] = (*self.segments, *self.left_out)
        return sum(each.length_s for each in parts if each.agent == agent and (not kinds or each.kind in kinds))

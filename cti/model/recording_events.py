"""Events about recordings. They may come after Call Cleared: a file is closed when its leg is gone."""

from __future__ import annotations

from attrs import frozen

from cti.model.ids import AgentId, InteractionId, QueueId


@frozen(kw_only=True)
class RecordingEvent:
    """What all events about recordings say. They may come after Call Cleared: a file is closed when its leg is gone."""

    interaction: InteractionId
    at: float
    path: str
    """On the switch's machine."""
    n: int
    """Which segment of the interaction it is, from 1."""
    agent: AgentId | None
    queue: QueueId | None


@frozen(kw_only=True)
class RecordingStarted(RecordingEvent):
    """A segment is being recorded."""


@frozen(kw_only=True)
class RecordingPaused(RecordingEvent):
    """There is silence in the file from now on."""


@frozen(kw_only=True)
class RecordingResumed(RecordingEvent):
    """What is said is in the file again."""


@frozen(kw_only=True)
class RecordingEnded(RecordingEvent):
    """A segment is complete."""

    started_at: float
    length_s: float | None
    """By the switch's own word; None when it has not said."""


@frozen(kw_only=True)
class RecordingFailed(RecordingEvent):
    """Something is not recorded that should be, or its file is not sound. The call goes on."""

    why: str


@frozen(kw_only=True)
class RecordingKept:
    """The file of a segment has been looked at, and is in the index (not CSTA)."""

    interaction: InteractionId
    at: float
    path: str
    length_s: float
    size: int
    sha256: str
    error: str

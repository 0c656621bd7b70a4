"""What all events about an interaction have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Factory, frozen

from cti.model.cause import Cause
from cti.model.ids import AgentId, InteractionId, QueueId, SwitchId


@frozen(kw_only=True)
class CallEvent:
    """What all events about an interaction say."""

    interaction: InteractionId
    at: float
    """The engine's monotonic time, seconds."""
    cause: Cause
    switch: SwitchId
    calling_number: str
    calling_name: str
    called_number: str
    queue: QueueId | None
    agent: AgentId | None
    data: Mapping[str, Any] = Factory(dict)
    interaction_kind: str = "call"
    """``call``, ``voicemail`` or ``fax``."""

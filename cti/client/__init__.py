"""A client of the API for programs in Python, on gevent or on plain threads."""

from __future__ import annotations

from cti.api.values import AgentExplanation, AgentRecord, CallExplanation, QueueRecord, SnapshotRecord
from cti.client.agent import AgentAtCentre
from cti.client.client import Client
from cti.client.event import Event
from cti.client.events import Events
from cti.client.failure import NoReply, OutcomeUnknown, RequestRefused, TurnedAway
from cti.client.subscriber import Published, Subscriber

__all__ = [
    "AgentAtCentre",
    "AgentExplanation",
    "AgentRecord",
    "CallExplanation",
    "Client",
    "Event",
    "Events",
    "NoReply",
    "OutcomeUnknown",
    "Published",
    "QueueRecord",
    "RequestRefused",
    "SnapshotRecord",
    "Subscriber",
    "TurnedAway",
]

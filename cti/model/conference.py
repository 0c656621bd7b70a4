"""Conferences: three or more who hear each other, and who is in them in which way."""

from __future__ import annotations

from enum import Enum

from attrs import define, frozen

from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, SwitchId


class Participation(Enum):
    """How somebody takes part (CSTA's words)."""

    ACTIVE = "active"
    """They hear, and are heard, by all or by some: whoever whispers is."""
    SILENT = "silent"
    """They hear, and are not heard."""
    NONE = "none"
    """Their phone rings: they are not in it yet."""


@frozen
class Member:
    """One party to a conference."""

    connection: ConnectionId
    side: str
    """``caller``, ``agent`` or ``other``; ``supervisor`` for one who listens in, by a leg that belongs to no call."""
    agent: AgentId | None
    participation: Participation
    since: float
    """Since when they take part in this way: by the engine's clock, Unix time where it is told."""


@frozen
class ConferenceView:
    """A conference as it is told."""

    id: str
    interaction: InteractionId
    queue: QueueId | None
    owner: AgentId | None
    """The agent in charge of the call."""
    since: float
    """Unix time, seconds."""
    members: tuple[Member, ...]


@define(eq=False)
class Conference:
    """One conference. Only the engine changes it."""

    id: str
    """Its name on the switch: the interaction's id, which has one conference at most."""
    interaction: InteractionId
    switch: SwitchId
    owner: AgentId | None
    """The agent in charge of the call; None when only the caller and people outside are left."""
    since: float
    members: tuple[Member, ...]
    """By their legs."""

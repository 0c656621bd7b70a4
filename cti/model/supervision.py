"""Supervisions: somebody listens to an agent or to a call, and may speak (CSTA: Join Call, Intrude Call)."""

from __future__ import annotations

from enum import Enum

from attrs import define

from cti.model.ids import AgentId, ConnectionId, InteractionId, SwitchId


class Mode(Enum):
    """Who hears the supervisor. The supervisor always hears everybody."""

    MONITOR = "monitor"
    """Nobody (CSTA: silent participation)."""
    WHISPER = "whisper"
    """The agent alone."""
    BARGE = "barge"
    """The agent and the caller (CSTA: active participation)."""


class Phase(Enum):
    """How far a supervision has come."""

    CALLING = "calling"
    """The supervisor's phone rings."""
    WAITING = "waiting"
    """The supervisor is on the line, and there is nothing to hear now."""
    LISTENING = "listening"
    """The supervisor hears the agent or the call."""
    ENDED = "ended"


@define(eq=False)
class Supervision:
    """One supervisor on the line. Only the engine changes it."""

    supervisor: AgentId
    leg: ConnectionId
    """The supervisor's own leg."""
    switch: SwitchId
    mode: Mode
    agent: AgentId | None = None
    """Whom it follows from call to call; None if it follows a call."""
    interaction: InteractionId | None = None
    """What it follows from agent to agent; None if it follows an agent."""
    phase: Phase = Phase.CALLING
    target: ConnectionId | None = None
    """The leg that is listened in on, or has been asked for."""
    pulls: bool = False
    """Whether the supervisor takes the call over as soon as they are on the line."""
    parked: bool = False
    """Whether the switch has said that the leg hears nobody, since it was last asked to let it hear somebody."""
    failed: ConnectionId | None = None
    """The leg that could not be listened in on; it is tried again by a timer."""
    tries: int = 0
    """How often that has been so in a row."""
    clearing: bool = False
    moves: bool = False
    """Whether the leg ends only since what it follows is on another switch now, where the phone is rung again."""

"""Events about the phones that register. CSTA's names."""

from __future__ import annotations

from attrs import frozen

from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, DeviceId, SwitchId


@frozen(kw_only=True)
class DeviceEvent:
    """What all events about a phone that registers say."""

    device: DeviceId
    at: float
    cause: Cause
    switch: SwitchId
    agent: AgentId
    """Who is logged on at it."""


@frozen(kw_only=True)
class BackInService(DeviceEvent):
    """The phone can be reached again."""


@frozen(kw_only=True)
class OutOfService(DeviceEvent):
    """The phone is not registered any more: nobody at it is offered a call."""


@frozen(kw_only=True)
class StandingConnectionChanged:
    """An agent's phone has come on the line to stay there between calls, or is not on it any more (not CSTA)."""

    agent: AgentId
    at: float
    cause: Cause
    switch: SwitchId
    connection: ConnectionId
    state: str
    """``ringing``, ``up``, ``waiting`` (lost, and rung again in a while) or ``down``."""


@frozen(kw_only=True)
class OwnCall(DeviceEvent):
    """A call that an agent's phone has past the centre (not CSTA)."""

    connection: ConnectionId
    incoming: bool
    """Whether somebody calls the phone."""
    number: str
    """The other's."""
    phase: str
    """``ringing``, ``talking`` or ``ended``."""

"""Facts about agents' phones, from a switch. They are part of ``cti.model.facts``."""

from __future__ import annotations

from attrs import frozen

from cti.model.ids import ConnectionId, DeviceId, SwitchId


@frozen
class DeviceInService:
    """A phone that we watch can be reached: it has registered, or nobody can say that it has not."""

    switch: SwitchId
    device: DeviceId
    registered: bool = False
    """Whether it has just registered there, by the switch's own event; else the switch was asked."""


@frozen
class DeviceOutOfService:
    """A phone that we watch is not registered."""

    switch: SwitchId
    device: DeviceId


@frozen
class OwnCallBegan:
    """A phone that we watch calls somebody, or is called, past the centre."""

    switch: SwitchId
    device: DeviceId
    connection: ConnectionId
    incoming: bool
    """Whether somebody calls the phone."""
    number: str
    """The other's."""
    established: bool = False
    """Whether it has been answered already."""


@frozen
class OwnCallAnswered:
    """A call past the centre has been answered."""

    switch: SwitchId
    device: DeviceId
    connection: ConnectionId


@frozen
class OwnCallEnded:
    """A call past the centre has ended."""

    switch: SwitchId
    device: DeviceId
    connection: ConnectionId


DeviceFact = DeviceInService | DeviceOutOfService | OwnCallBegan | OwnCallAnswered | OwnCallEnded

"""Facts about agents' phones, from a switch. They are part of ``cti.model.facts``."""

from __future__ import annotations

from attrs import frozen

from cti.model.ids import DeviceId, SwitchId


@frozen
class DeviceInService:
    """A phone that we watch can be reached: it has registered, or nobody can say that it has not."""

    switch: SwitchId
    device: DeviceId


@frozen
class DeviceOutOfService:
    """A phone that we watch is not registered."""

    switch: SwitchId
    device: DeviceId


DeviceFact = DeviceInService | DeviceOutOfService

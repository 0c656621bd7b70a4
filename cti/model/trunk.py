"""Trunks: the ways by which a switch reaches the network (on FreeSWITCH: SIP gateways), and whether they are in service."""

from __future__ import annotations

from typing import Final

from attrs import define

from cti.model.ids import SwitchId, TrunkId
from cti.model.states import DEVICE, DeviceState, DeviceTrigger

TRUNK_CAUSES: Final = frozenset(
    {
        "NORMAL_TEMPORARY_FAILURE",
        "NETWORK_OUT_OF_ORDER",
        "GATEWAY_DOWN",
        "INVALID_GATEWAY",
        "NO_ROUTE_DESTINATION",
        "NO_ROUTE_TRANSIT_NET",
        "RECOVERY_ON_TIMER_EXPIRE",
        "REQUESTED_CHAN_UNAVAIL",
        "NORMAL_CIRCUIT_CONGESTION",
        "SWITCH_CONGESTION",
        "SERVICE_UNAVAILABLE",
        "SERVICE_NOT_IMPLEMENTED",
        "BEARERCAPABILITY_NOTAVAIL",
        "DESTINATION_OUT_OF_ORDER",
        "PROTOCOL_ERROR",
        "INCOMPATIBLE_DESTINATION",
        "MEDIA_TIMEOUT",
    }
)
"""Hangup causes that say something of the way to a number, and not of who is called there (switch_types.h)."""


@define(eq=False)
class Trunk:
    """One trunk of one switch. Only the engine changes it."""

    id: TrunkId
    switch: SwitchId
    state: DeviceState = DeviceState.UNKNOWN
    detail: str = ""
    """Why it is out of service, in the switch's words; empty while it is not."""
    tie: bool = False
    """Whether it is the way to the phones at another switch of the centre, and no gateway."""
    since: float = 0.0
    """Since when it is as it is."""

    def move(self, trigger: DeviceTrigger, detail: str, now: float) -> bool:
        """Pull a trigger of the table; whether that changed what the trunk is."""
        after = DEVICE.next(self.state, trigger)
        if trigger is DeviceTrigger.OUT_OF_SERVICE:
            self.detail = detail or self.detail
        else:
            self.detail = ""
        if after is None:
            return False
        self.state, self.since = after, now
        return True

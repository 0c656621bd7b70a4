"""Devices: the phones that register at a switch, and whether they can be reached."""

from __future__ import annotations

import re
from typing import Final

from attrs import Factory, define

from cti.model.agent import NOWHERE, phone_key
from cti.model.device_facts import OwnCallBegan
from cti.model.ids import AgentId, ConnectionId, DeviceId, SwitchId
from cti.model.states import DEVICE, DeviceState, DeviceTrigger

_USER: Final = re.compile(r"(?:\{[^{}]*\})?user/([\w.+*#~-]{1,64}(?:@[\w.:-]{1,255})?)\Z", re.ASCII)


def device_of(contact: str) -> DeviceId | None:
    """The phone that a contact rings, if it is one that registers (``user/1001``, ``user/1001@example.com``).

    None for a gateway's number, several phones at once and any other dial string: of those nobody can say whether they
    are in service.
    """
    found = _USER.match(contact)
    return DeviceId(found.group(1)) if found is not None else None


@define(eq=False)
class Device:
    """One phone that somebody is logged on at. Only the engine changes it."""

    id: DeviceId
    home: SwitchId = NOWHERE
    """The switch it is at; nowhere for one that may be at any."""
    agents: set[AgentId] = Factory(set)
    """Who is logged on at it: one, unless contacts differ that mean the same phone."""
    states: dict[SwitchId, DeviceState] = Factory(dict)
    """What each switch says of it; a phone registers at one of them."""
    registered_at: SwitchId = NOWHERE
    """Where it has registered last; nowhere before the first such event."""
    since: float = 0.0
    """Since when it is as it is."""
    calls: dict[ConnectionId, OwnCallBegan] = Factory(dict)
    """The calls that it has past the centre."""

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return phone_key(self.id, self.home)

    @property
    def state(self) -> DeviceState:
        """In service if any switch reaches it, out of service if none does and one says so, else unknown."""
        said = set(self.states.values())
        for state in (DeviceState.IN_SERVICE, DeviceState.OUT_OF_SERVICE):
            if state in said:
                return state
        return DeviceState.UNKNOWN

    @property
    def at(self) -> SwitchId:
        """The switch that it is at: where it has registered last, if that still reaches it, else the only one that does.

        Nowhere when several reach it and none has told of a registration, or when none does.
        """
        reaching = [each for each, state in self.states.items() if state is DeviceState.IN_SERVICE]
        if self.registered_at in reaching:
            return self.registered_at
        return reaching[0] if len(reaching) == 1 else NOWHERE

    def move(self, switch: SwitchId, trigger: DeviceTrigger, now: float) -> bool:
        """Pull a trigger of the table for one switch; whether that changed what the phone is."""
        before = self.state
        after = DEVICE.next(self.states.get(switch, DeviceState.UNKNOWN), trigger)
        if after is not None:
            self.states[switch] = after
        if self.state is before:
            return False
        self.since = now
        return True

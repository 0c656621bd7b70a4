"""Looks at FreeSWITCH from a connection of its own and notes, for each call, when it entered the queue and what followed.

Every instant is FreeSWITCH's own (Event-Date-Timestamp), so it does not matter when the event reaches us. What decides
whether a leg belongs to a call is the bridge that joins them, which is the same for every system measured.
"""

from __future__ import annotations

import time

import attrs

from tests.live.event_socket import Event, EventSocket
from tests.live.freeswitch_process import FreeSwitchProcess

_EVENTS = ("CHANNEL_PARK", "CHANNEL_CREATE", "CHANNEL_BRIDGE", "CHANNEL_HANGUP_COMPLETE", "CUSTOM callcenter::info")


@attrs.frozen
class CallTimes:
    """From entering the queue, in milliseconds: until the agent's leg was created, and until both were bridged."""

    leg_ms: float
    bridge_ms: float


@attrs.define
class Phase:
    """What was seen of the calls of one phase."""

    entered_us: dict[str, int] = attrs.field(factory=dict)
    leg_us: dict[str, int] = attrs.field(factory=dict)
    bridged_us: dict[str, tuple[str, int]] = attrs.field(factory=dict)
    gone: set[str] = attrs.field(factory=set)

    def times(self) -> list[CallTimes]:
        """Return the times of each call that was bridged with an agent."""
        return [
            CallTimes(
                leg_ms=(self.leg_us[leg] - self.entered_us[caller]) / 1000,
                bridge_ms=(at - self.entered_us[caller]) / 1000,
            )
            for caller, (leg, at) in self.bridged_us.items()
        ]

    def is_over(self, calls: int) -> bool:
        """Return whether ``calls`` calls have come and all have ended."""
        return len(self.entered_us) >= calls and self.gone.issuperset(self.entered_us)


class Observer:
    """An event-socket connection that only looks."""

    def __init__(self, switch: FreeSwitchProcess) -> None:
        self._socket: EventSocket = switch.connect()
        self._socket.subscribe(*_EVENTS)

    def watch(self, phase: Phase, calls: int, timeout_s: float) -> None:
        """Note events in ``phase`` until ``calls`` calls have come and gone, or the time is up. Blocks."""
        deadline = time.monotonic() + timeout_s
        while not phase.is_over(calls) and (left := deadline - time.monotonic()) > 0:
            event = self._socket.next_event(min(left, 0.5))
            if event is not None:
                _note(phase, event)

    def flush(self) -> None:
        """Read away what is left of earlier calls."""
        while self._socket.next_event(0.3) is not None:
            pass

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def _note(phase: Phase, event: Event) -> None:
    name, at_us = event["Event-Name"], int(event["Event-Date-Timestamp"])
    if name == "CUSTOM":
        if event.get("CC-Action") == "member-queue-start":
            phase.entered_us[event["CC-Member-Session-UUID"]] = at_us
    elif name == "CHANNEL_PARK":
        # The agents' legs of a centre like ours are parked as well; they are outbound.
        if event["Call-Direction"] == "inbound":
            phase.entered_us.setdefault(event["Unique-ID"], at_us)
    elif name == "CHANNEL_CREATE":
        if event["Call-Direction"] == "outbound":
            phase.leg_us[event["Unique-ID"]] = at_us
    elif name == "CHANNEL_BRIDGE":
        sides = (event["Bridge-A-Unique-ID"], event["Bridge-B-Unique-ID"])
        for caller, leg in (sides, sides[::-1]):
            if caller in phase.entered_us and leg in phase.leg_us:
                phase.bridged_us.setdefault(caller, (leg, at_us))
    elif event["Unique-ID"] in phase.entered_us:
        phase.gone.add(event["Unique-ID"])

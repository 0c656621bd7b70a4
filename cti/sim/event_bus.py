"""Where events of the simulated switch are made and handed to the sessions that asked for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from cti.sim.event import HeaderValue, SimEvent

Origin = tuple[str, str, str]
"""File, function and line that an event names as its source; constants of FreeSWITCH 1.11.1."""


class Listener(Protocol):
    """A session, as the bus sees it."""

    def wants(self, name: str) -> bool:
        """Whether events of this name can be of interest."""

    def take(self, event: SimEvent) -> None:
        """Sends the event, or not, as the session's filters say."""


class EventBus:
    """The listeners by event name; an event that nobody wants is counted and never built."""

    def __init__(self, now_us: Callable[[], int], hostname: str) -> None:
        self.core_uuid = ""
        self.sequence = 0
        self._now_us = now_us
        self._hostname = hostname
        self._listeners: list[Listener] = []
        self._wanting: dict[str, tuple[Listener, ...]] = {}
        self._second = -1
        self._local = self._gmt = ""

    def attach(self, listener: Listener) -> None:
        """Adds a session."""
        self._listeners.append(listener)
        self._wanting.clear()

    def detach(self, listener: Listener) -> None:
        """Takes a session away; nothing when it is not there."""
        if listener in self._listeners:
            self._listeners.remove(listener)
            self._wanting.clear()

    def changed(self) -> None:
        """Forgets who wants what: a subscription has changed."""
        self._wanting.clear()

    def wanted(self, name: str) -> tuple[Listener, ...]:
        """The sessions to which events of this name may go."""
        found = self._wanting.get(name)
        if found is None:
            found = tuple(one for one in self._listeners if one.wants(name))
            self._wanting[name] = found
        return found

    def skip(self) -> None:
        """Counts an event that nobody wants: FreeSWITCH numbers events when it makes them."""
        self.sequence += 1

    def envelope(self, name: str, origin: Origin) -> dict[str, HeaderValue]:
        """The headers every event begins with; takes the next number."""
        now_us = self._now_us()
        second = now_us // 1_000_000
        if second != self._second:
            self._second = second
            when = time.gmtime(second)
            self._local = time.strftime("%Y-%m-%d %H:%M:%S", when)
            self._gmt = time.strftime("%a, %d %b %Y %H:%M:%S GMT", when)
        self.sequence += 1
        return {
            "Event-Name": name,
            "Core-UUID": self.core_uuid,
            "FreeSWITCH-Hostname": self._hostname,
            "FreeSWITCH-Switchname": self._hostname,
            "FreeSWITCH-IPv4": "127.0.0.1",
            "FreeSWITCH-IPv6": "::1",
            "Event-Date-Local": self._local,
            "Event-Date-GMT": self._gmt,
            "Event-Date-Timestamp": str(now_us),
            "Event-Calling-File": origin[0],
            "Event-Calling-Function": origin[1],
            "Event-Calling-Line-Number": origin[2],
            "Event-Sequence": str(self.sequence),
        }

    def fire(self, event: SimEvent) -> None:
        """Hands the event to every session that wants it."""
        for listener in self.wanted(event.name):
            listener.take(event)

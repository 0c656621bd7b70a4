"""Where events of the simulated switch are made and handed to the sessions that asked for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from cti.esl.event_names import EVENT_NAMES
from cti.sim.event import SimEvent, json_string

Origin = tuple[str, str, str]
"""File, function and line that an event names as its source; constants of FreeSWITCH 1.11.1."""


_KNOWN = frozenset(EVENT_NAMES)


class Listener(Protocol):
    """A session, as the bus sees it."""

    def wants(self, name: str) -> bool:
        """Whether events of this name can be of interest."""

    def take(self, event: SimEvent) -> None:
        """Sends the event, or not, as the session's filters say."""


class _Wanting(dict[str, tuple[Listener, ...]]):
    """Event names to the listeners that want them, found out when first asked for; it is asked for every event."""

    def __init__(self, listeners: list[Listener]) -> None:
        super().__init__()
        self._listeners = listeners

    def __missing__(self, name: str) -> tuple[Listener, ...]:
        found = tuple(one for one in self._listeners if one.wants(name))
        # A client can make up names with sendevent; those are not worth remembering.
        if name in _KNOWN:
            self[name] = found
        return found


class EventBus:
    """The listeners by event name; an event that nobody wants is counted and never built."""

    def __init__(self, now_us: Callable[[], int], hostname: str) -> None:
        self.core_uuid = ""
        self.sequence = 0
        self._now_us = now_us
        self._hostname = json_string(hostname)
        self._listeners: list[Listener] = []
        self.wanting = _Wanting(self._listeners)
        """The sessions to which events of a name may go."""
        self._second = self._day = -1
        self._date = self._gmt_date = self._head = ""

    def boot(self, core_uuid: str) -> None:
        """FreeSWITCH was started: another core, and numbers from the beginning."""
        self.core_uuid = core_uuid
        self.sequence = 0
        self._second = -1

    def attach(self, listener: Listener) -> None:
        """Adds a session."""
        self._listeners.append(listener)
        self.wanting.clear()

    def detach(self, listener: Listener) -> None:
        """Takes a session away; nothing when it is not there."""
        if listener in self._listeners:
            self._listeners.remove(listener)
            self.wanting.clear()

    def changed(self) -> None:
        """Forgets who wants what: a subscription has changed."""
        self.wanting.clear()

    def wanted(self, name: str) -> tuple[Listener, ...]:
        """The sessions to which events of this name may go."""
        return self.wanting[name]

    def skip(self) -> None:
        """Counts an event that nobody wants: FreeSWITCH numbers events when it makes them."""
        self.sequence += 1

    def envelope(self, name: str, origin: Origin) -> str:
        """The headers every event begins with, as JSON; takes the next number. ``name`` is one of FreeSWITCH's."""
        now_us = self._now_us()
        second = now_us // 1_000_000
        if second != self._second:
            self._turn(second)
        self.sequence += 1
        return (
            f'"Event-Name":"{name}",{self._head}"Event-Date-Timestamp":"{now_us}","Event-Calling-File":"{origin[0]}",'
            f'"Event-Calling-Function":"{origin[1]}","Event-Calling-Line-Number":"{origin[2]}",'
            f'"Event-Sequence":"{self.sequence}"'
        )

    def fire(self, event: SimEvent) -> None:
        """Hands the event to every session that wants it."""
        for listener in self.wanted(event.name):
            listener.take(event)

    def _turn(self, second: int) -> None:
        """Another second: what stays the same for all its events is put together anew."""
        self._second = second
        day, of_day = divmod(second, 86_400)
        if day != self._day:
            self._day = day
            when = time.gmtime(second)
            self._date, self._gmt_date = time.strftime("%Y-%m-%d", when), time.strftime("%a, %d %b %Y", when)
        clock = f"{of_day // 3600:02d}:{of_day // 60 % 60:02d}:{of_day % 60:02d}"
        self._head = (
            f'"Core-UUID":"{self.core_uuid}","FreeSWITCH-Hostname":{self._hostname},'
            f'"FreeSWITCH-Switchname":{self._hostname},"FreeSWITCH-IPv4":"127.0.0.1","FreeSWITCH-IPv6":"::1",'
            f'"Event-Date-Local":"{self._date} {clock}","Event-Date-GMT":"{self._gmt_date} {clock} GMT",'
        )

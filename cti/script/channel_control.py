"""A parked call, controlled over the inbound link."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

import gevent.event

from cti.errors import CallGone, CommandRejected, CtiError
from cti.esl import Event, api_argument
from cti.script.control import Running
from cti.script.keys import Keys

_TAKEN_S: Final = 1.0
_LOOK_S: Final = 0.005
Told = Callable[[Event | CtiError], None]


class Switch(Protocol):
    """What it needs of the switch; ``cti.switch.FreeSwitch`` is one."""

    key_pressed: dict[str, Callable[[str], None]]
    fax_heard: dict[str, Callable[[], None]]

    def api(self, command: str, argument: str = "", *, timeout: float = ...) -> str:
        """See EventSocket."""
        ...

    def begin(self, channel: str, application: str, argument: str, told: Told, *, timeout: float) -> str:
        """See EventSocket."""
        ...


class ChannelControl:
    """One parked channel; a Control. One greenlet waits at a time.

    Args:
        switch: where it is.
        channel: the channel's id.
        call: what CallGone calls it.
        taken: whether the channel is on its way into a bridge or out of it, where whatever it is told to execute ends at once
            [live]; that takes FreeSWITCH 20 to 60 ms. ``start`` waits for its end, for a second at the most.
    """

    def __init__(self, switch: Switch, channel: str, call: str, taken: Callable[[], bool] = lambda: False) -> None:
        self.keys = Keys()
        self.gone_because: str | None = None
        self._switch = switch
        self._channel = channel
        self._call = call
        self._taken = taken
        self._changed = gevent.event.Event()
        switch.key_pressed[channel] = self._pressed

    def hear_fax(self, heard: Callable[[], None] | None) -> None:
        """Have somebody told, once, when a fax machine is heard, or nobody any more. Never blocks.

        The channel itself has to be told to listen.
        """
        if heard is None:
            self._switch.fax_heard.pop(self._channel, None)
        else:
            self._switch.fax_heard[self._channel] = heard

    def now(self) -> float:
        """See Control."""
        return time.monotonic()

    def check(self) -> None:
        """See Control."""
        if self.gone_because is not None:
            raise CallGone(self._call, self.gone_because)

    def gone(self, cause: str) -> CtiError:
        """See Control. From now on no key is heard, and the keys that were are forgotten."""
        if self.gone_because is None:
            self.gone_because = cause
            self._switch.key_pressed.pop(self._channel, None)
            self._switch.fax_heard.pop(self._channel, None)
            self.keys.flush()
            self._changed.set()
        return CallGone(self._call, self.gone_because)

    def start(self, application: str, argument: str, timeout: float) -> Running:
        """See Control."""
        self.check()
        until = self.now() + _TAKEN_S
        while self._taken() and self.now() < until:
            gevent.sleep(_LOOK_S)
            self.check()
        running = Running(application)

        def told(outcome: Event | CtiError) -> None:
            # The channel's name means nothing to a script; its call's does.
            running.outcome = self.gone(outcome.cause) if isinstance(outcome, CallGone) else outcome
            self._changed.set()

        self._switch.begin(self._channel, application, argument, told, timeout=timeout)
        return running

    def wait(self, running: Running | None, *, key: bool, until: float) -> None:
        """See Control."""
        while True:
            self.check()
            if (running is not None and running.outcome is not None) or (key and self.keys):
                return
            left_s = until - time.monotonic()
            if left_s <= 0:
                return
            self._changed.clear()
            self._changed.wait(left_s)

    def stop(self) -> None:
        """See Control."""
        self._ask("uuid_break", self._channel)

    def set_variable(self, name: str, value: str) -> None:
        """See Control."""
        self._ask(
            "uuid_setvar", f"{self._channel} {name} {api_argument(value)}" if value else f"{self._channel} {name}"
        )

    def variable(self, name: str) -> str | None:
        """See Control."""
        value = self._ask("uuid_getvar", f"{self._channel} {name}")
        return None if value == "_undef_" else value

    def api(self, command: str, argument: str) -> str:
        """See Control."""
        self.check()
        return self._switch.api(command, argument)

    def answer(self) -> None:
        """See Control."""
        self._ask("uuid_answer", self._channel)

    def _ask(self, command: str, argument: str) -> str:
        self.check()
        reply = self._switch.api(command, argument)
        if reply.startswith(("-ERR", "-USAGE")):
            if "No such channel" in reply or command == "uuid_answer":
                raise self.gone(reply.strip())
            raise CommandRejected(command, reply.strip())
        return reply

    def press(self, key: str) -> None:
        """As if the key had been pressed. Never blocks."""
        self._pressed(key)

    def _pressed(self, key: str) -> None:
        self.keys.pressed(key, time.monotonic())
        self._changed.set()

"""Watches over a pair of links: are both alive, and are the events on time?"""

from __future__ import annotations

from typing import Final

import gevent
import structlog

from cti.errors import FellBehind, LinkClosed
from cti.esl import Frame, Raw
from cti.switch.canary import Canary
from cti.switch.heartbeat import Heartbeat
from cti.switch.link import Link
from cti.switch.timing import Timing

_PING: Final = Raw("noop").encode()


class Pulse:
    """Pings both links, sends canaries round the event link, counts heartbeats; closes a link that fails.

    Args:
        events: the link that events come on, subscribed to ``CUSTOM cti::canary`` and ``HEARTBEAT``.
        commands: the other one.
        timing: how often, and how patient.
    """

    def __init__(self, events: Link, commands: Link, timing: Timing) -> None:
        self._events = events
        self._commands = commands
        self._timing = timing
        self._log = structlog.get_logger("cti.switch").bind(link=repr(events))
        self.canary = Canary()
        self.heartbeat = Heartbeat()
        self._late = False
        self._measuring = True
        self._greenlets = [gevent.spawn(self._ping), gevent.spawn(self._measure)]

    def stop(self) -> None:
        """End the watch; the links are not touched. Never blocks."""
        for greenlet in self._greenlets:
            greenlet.kill(block=False)

    def _ping(self) -> None:
        # FreeSWITCH answers "-ERR command not found" in 0.03 ms; a half-open connection answers nothing, and the
        # deadline closes it.
        while True:
            gevent.sleep(self._timing.ping_every_s)
            for link in (self._events, self._commands):
                link.submit(_PING, _nothing, timeout=self._timing.ping_timeout_s, name="ping")

    def _measure(self) -> None:
        while self._events.connected:
            if self._measuring:
                self._events.submit(self.canary.command(), self._sent, name="canary")
            gevent.sleep(self._timing.canary_every_s)
            gevent.sleep(0)  # had we been busy ourselves, the reader gets its turn before we judge
            self._judge()

    def _judge(self) -> None:
        timing, lag_s = self._timing, self.canary.lag_s
        if self.canary.age_s > timing.lag_leave_s:
            self._events.close(FellBehind(f"events are more than {self.canary.age_s:.1f} s late: we start anew"))
        elif self.heartbeat.missed(timing.heartbeats_missed):
            self._events.close(LinkClosed("the switch's HEARTBEAT events have stopped"))
        elif (lag_s > timing.lag_warn_s) is not self._late:
            self._late = not self._late
            if self._late:
                self._log.warning("events are late", lag_s=round(lag_s, 3))
            else:
                self._log.info("events are on time again", lag_s=round(lag_s, 3))

    def _sent(self, reply: Frame | Exception) -> None:
        if isinstance(reply, Frame) and not reply.ok and self._measuring:
            self._measuring = False
            self.canary = Canary()
            self._log.warning("the delay of events cannot be measured", why=reply.reply_text)


def _nothing(_: Frame | Exception) -> None:
    """What a ping's answer is good for: it came."""

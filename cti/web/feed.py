"""The centre's events: numbered, kept for a while, and handed to the streams that want them."""

from __future__ import annotations

import itertools
import time
from collections import deque
from typing import Any, Final

import gevent
import gevent.event
import structlog
from attrs import frozen

from cti.api.centre import Centre
from cti.api.event_record import event_record
from cti.api.interest import Interest, Readers
from cti.api.known_calls import KnownCalls
from cti.api.numbering import Numbering
from cti.model import events
from cti.web.json_text import written_event
from cti.web.stream import Kept, Stream

SLICE_S: Final = 0.001
"""How long events are handed out before everybody else gets a turn."""
WAKE_AT_ONCE: Final = 16
"""So many streams write before everybody else gets a turn, about 1 ms; meanwhile events gather for the others."""
PAUSE_S: Final = 0.001
"""A turn for everybody, sockets included; sleeping for no time would leave out those."""
DUE_LIMIT: Final = 10_000
"""Events that may wait to be handed out; beyond it their readers take them from those that are kept."""

_log = structlog.get_logger("cti.web")


@frozen
class _Due:
    kept: Kept
    readers: list[Stream]


class Feed:
    """Takes the centre's events, one after another, and waits for nobody.

    Args:
        centre: whose events.
        kept_events: so many of the last ones are kept.
    """

    def __init__(self, centre: Centre, kept_events: int) -> None:
        self.numbering = Numbering(centre.alarms.now)
        self.calls = KnownCalls()
        self.readers: Readers[Stream] = Readers()
        self.links = {switch: state.value == "live" for switch, state in centre.snapshot().links.items()}
        """Whether each switch's link is live."""
        self.handed_out = 0
        """The number of the last event that has been handed to all who want it."""
        self.fell_behind = 0
        """How often a reader was too slow."""
        self.failed: gevent.event.AsyncResult[Any] = gevent.event.AsyncResult()
        self._kept: deque[Kept] = deque(maxlen=kept_events)
        self._due: deque[_Due] = deque()
        self._waking: dict[Stream, None] = {}
        self._more = gevent.event.Event()
        self._lost = 0
        self._centre = centre
        self._subscription = centre.subscribe(self._tell, object)
        self._greenlet = gevent.spawn(self._run)
        self._greenlet.link_exception(self._ended)

    def stop(self) -> None:
        """Take no more events, and end every stream."""
        self._centre.unsubscribe(self._subscription)
        self._greenlet.kill()
        for stream in self.readers.members():
            stream.end("link.closed", "the server is being stopped")

    def keep(self, events_: int) -> None:
        """From now on so many of the last events are kept."""
        if events_ != self._kept.maxlen:
            self._kept = deque(self._kept, maxlen=events_)

    def wake(self) -> None:
        """Let every stream look whether its session has ended."""
        for stream in self.readers.members():
            stream.due.set()

    def since(self, epoch: str, seq: int) -> list[Kept] | None:
        """The events after one, if all of them are kept; None if there is a gap."""
        if epoch != self.numbering.epoch or seq > self.numbering.seq:
            return None
        if seq == self.numbering.seq:
            return []
        if not self._kept or self._kept[0].seq > seq + 1:
            return None
        newest_first = iter(reversed(self._kept))
        found = []
        for kept in newest_first:
            if kept.seq <= seq:
                break
            found.append(kept)
        found.reverse()
        return found

    def _tell(self, event: Any) -> None:
        """In the subscription's own greenlet. Must not switch: a snapshot counts on that (methods.py, _caught_up)."""
        if self._subscription.dropped != self._lost:
            self._begin_anew()
        if isinstance(event, events.SystemStatus):
            self.links[event.switch] = event.status == "normal"
        seq = self.numbering.next(event.at)
        self.calls.follow(event)
        record = event_record(event, self.numbering)
        kept = Kept(seq, event, _text(self.numbering.epoch, seq, record))
        self._kept.append(kept)
        if len(self._due) >= DUE_LIMIT:
            for stream in self._due.popleft().readers:
                self.fell_behind += 1
                stream.fall_behind()
        self._due.append(_Due(kept, self.readers.of(event)))
        self._more.set()

    def _run(self) -> None:
        while True:
            self._more.wait()
            self._more.clear()
            while self._due or self._waking:
                until = time.monotonic() + SLICE_S
                while self._due and time.monotonic() < until:
                    self._hand_out(self._due.popleft())
                for stream in list(itertools.islice(self._waking, WAKE_AT_ONCE)):
                    del self._waking[stream]
                    stream.due.set()
                if self._due or self._waking:
                    gevent.sleep(PAUSE_S)

    def _hand_out(self, due: _Due) -> None:
        for stream in due.readers:
            if stream in self.readers:
                if not stream.offer(due.kept):
                    self.fell_behind += 1
                self._waking[stream] = None
        self.handed_out = due.kept.seq

    def _begin_anew(self) -> None:
        """The centre dropped events before we saw them: what anybody knows may be wrong."""
        _log.error("the web server fell behind the centre", lost=self._subscription.dropped - self._lost)
        self._lost = self._subscription.dropped
        self.numbering.begin()
        self.calls.forget()
        self._kept.clear()
        self._due.clear()
        self.handed_out = 0
        self.wake()

    def _ended(self, greenlet: gevent.Greenlet[..., Any]) -> None:
        assert greenlet.exception is not None
        _log.critical("the web server's feed ended", exc_info=greenlet.exception)
        self.failed.set_exception(greenlet.exception)


def matches(interest: Interest, event: Any) -> bool:
    """Whether an event would have been handed to a reader with this interest."""
    agent, queue = getattr(event, "agent", None), getattr(event, "queue", None)
    named = {("agent", agent), ("queue", queue), ("call", getattr(event, "interaction", None))}
    about = interest.subjects is None or not interest.subjects.isdisjoint(named)
    return about and interest.wants(event, agent, queue)


def _text(epoch: str, seq: int, record: dict[str, Any]) -> bytes:
    return b"id: %s-%d\ndata: %s\n\n" % (epoch.encode(), seq, written_event({"seq": seq, **record}))

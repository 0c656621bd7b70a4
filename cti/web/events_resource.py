"""The events as server-sent events."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import falcon

from cti.api.converter import structured
from cti.api.interest import InterestParams, interest
from cti.api.methods import METHODS
from cti.api.refusal import ErrorRecord, InvalidParameter, TooFast, TooManyClients, TooManySubjects, error_record
from cti.web.door import Door
from cti.web.feed import Feed, matches
from cti.web.methods_resource import Methods
from cti.web.sessions import Session
from cti.web.stream import Stream

PATH: Final = "/v1/events"
LISTS: Final = ("agents", "queues", "calls", "kinds")
"""The fields of InterestParams; each may be given several times."""
SNAPSHOT: Final = "snapshot"
LAST: Final = "last_event_id"
"""As the header ``Last-Event-ID``, for clients that cannot set it."""


class EventsResource:
    """Streams of events.

    Args:
        feed: where they come from.
        door: finds the session.
        methods: take snapshots.
    """

    def __init__(self, feed: Feed, door: Door, methods: Methods) -> None:
        self._feed = feed
        self._door = door
        self._methods = methods
        self._open: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many streams are open."""
        return self._open.total()

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Begin a stream; it lasts until the client leaves, the session ends, or the server stops."""
        session = self._door.session(request, METHODS["snapshot"].cost if wants_snapshot(request.params) else 1)
        request.context.who = session.grant.name
        wanted = structured(InterestParams, _lists(request.params))
        if wanted.subjects > self._door.limits.subjects:
            raise TooManySubjects(
                f"a stream may name {self._door.limits.subjects} agents, queues and calls, not {wanted.subjects}"
            )
        if len(self) >= self._door.limits.streams:
            raise TooManyClients("the server has as many streams as it takes; try later")
        if self._open[session.grant.name] >= self._door.limits.streams_per_account:
            raise TooManyClients(f"account {session.grant.name} has as many streams as it may; close one")
        stream = Stream(
            self._feed,
            interest(wanted, session.grant),
            matches=matches,
            snapshot=lambda: self._snapshot(session),
            unread=self._door.limits.unread,
            heartbeat_s=self._door.limits.heartbeat_s,
            is_over=lambda: self._is_over(session),
        )
        last = request.get_header("Last-Event-ID") or request.get_param(LAST)
        stream.begin(last, with_snapshot=wants_snapshot(request.params))
        response.content_type = "text/event-stream"
        response.set_header("X-Accel-Buffering", "no")  # a proxy (nginx) must not keep it back
        response.stream = self._streamed(session, stream, interest(wanted, session.grant))

    def _streamed(self, session: Session, stream: Stream, wanted: Any) -> Iterator[bytes]:
        name = session.grant.name
        self._open[name] += 1
        try:
            self._feed.readers.add(stream, wanted)
            yield from stream.pieces()
        finally:
            self._feed.readers.discard(stream)
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]

    def _is_over(self, session: Session) -> bool:
        """Whether the session has ended; a stream that is read keeps it in use."""
        now = time.monotonic()
        if session.account is not None and now - session.began_at >= self._door.limits.session_s:
            return True
        session.used_at = now
        return session.ended

    def _snapshot(self, session: Session) -> Mapping[str, Any] | ErrorRecord:
        """What fills a gap; it counts as any other snapshot does."""
        method = METHODS["snapshot"]
        if not session.bucket.take(method.cost, time.monotonic()):
            return error_record(TooFast("too many gaps: the stream is read too slowly"))
        try:
            taken: Mapping[str, Any] = self._methods.call(session, method, {})
        except Exception as error:  # noqa: BLE001 - the stream says why it ends
            return error_record(error)
        return taken


def wants_snapshot(params: Mapping[str, Any]) -> bool:
    """Whether the stream is to begin with a snapshot."""
    said = params.get(SNAPSHOT, "false")
    if said not in ("true", "false"):
        raise InvalidParameter("snapshot must be true or false", f"params.{SNAPSHOT}")
    return bool(said == "true")


def _lists(params: Mapping[str, Any]) -> dict[str, Any]:
    """The query as InterestParams has it: what is given once is a list of one."""
    return {
        name: [value] if name in LISTS and isinstance(value, str) else value
        for name, value in params.items()
        if name not in {SNAPSHOT, LAST}
    }

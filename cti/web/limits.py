"""How much one HTTP client may ask for."""

from __future__ import annotations

from attrs import field, frozen, validators

from cti.model.validate import count, seconds


@frozen
class WebLimits:
    """Bounds that keep one client from hurting the others.

    Args:
        body_bytes: a longer request body is refused unread.
        request_s: seconds in which a request must have come whole, from its first byte to the last of its body.
        idle_s: seconds a connection may be silent between requests.
        write_s: seconds a client may take to accept one piece of a response, or of a stream.
        answer_s: seconds a slow request may take.
        connections: connections that are served at once; more wait to be accepted.
        connections_per_address: the same, of one client address; more are closed.
        requests_per_s: requests a second of one session (of one address, before log-in), in the long run.
        burst: requests at once after a pause.
        under_way: slow requests of one session that may be under way at once.
        streams: event streams that are served at once.
        streams_per_account: the same, of one account.
        subjects: agents, queues and calls that one stream may name.
        unread: events that may wait for a stream's reader; beyond it they are taken from those that are kept, or the
            gap is said.
        kept_events: the last events that are kept for readers who come back.
        heartbeat_s: how often a silent stream is written to.
        session_s: seconds after log-in at which a session ends.
        session_idle_s: seconds without a request, or an open stream, after which a session ends.
        sessions: sessions there may be at once.
        sessions_per_account: the same, of one account; the oldest ends for a new one.
        log_ins_per_minute: failed log-ins that one address may make, and that may be made on one name from one
            address, in the long run; four times as many on one name from everywhere.
    """

    body_bytes: int = field(default=65_536, validator=count)
    request_s: float = field(default=10.0, validator=seconds)
    idle_s: float = field(default=30.0, validator=seconds)
    write_s: float = field(default=15.0, validator=seconds)
    answer_s: float = field(default=10.0, validator=seconds)
    connections: int = field(default=2_000, validator=count)
    connections_per_address: int = field(default=500, validator=count)
    requests_per_s: float = field(default=200.0, validator=validators.gt(0))
    burst: int = field(default=400, validator=count)
    under_way: int = field(default=8, validator=count)
    streams: int = field(default=1_000, validator=count)
    streams_per_account: int = field(default=64, validator=count)
    subjects: int = field(default=1_000, validator=count)
    unread: int = field(default=500, validator=count)
    kept_events: int = field(default=10_000, validator=count)
    heartbeat_s: float = field(default=15.0, validator=seconds)
    session_s: float = field(default=12 * 3600.0, validator=seconds)
    session_idle_s: float = field(default=3600.0, validator=seconds)
    sessions: int = field(default=20_000, validator=count)
    sessions_per_account: int = field(default=16, validator=count)
    log_ins_per_minute: int = field(default=10, validator=count)

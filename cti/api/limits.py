"""How much one client may ask for."""

from __future__ import annotations

from attrs import field, frozen, validators

from cti.model.validate import count, seconds


@frozen
class Limits:
    """Bounds that keep one client from hurting the others.

    Args:
        message_bytes: a longer message ends its connection (ZMQ_MAXMSGSIZE); that is before anything is read of it.
        text_bytes: the longest text or binary in a message.
        items: the longest list or map in a message.
        depth: how deeply lists and maps may be nested.
        requests_per_s: requests a second of one connection, in the long run.
        burst: requests at once after a pause.
        key_requests_per_s: requests a second of all connections of one key.
        key_burst: the same at once after a pause.
        clients: connections that are served at once.
        clients_per_key: the same, of one key.
        subjects: agents, queues and calls that one subscription may name.
        under_way: slow requests of one connection that may be under way at once.
        unread: messages that may wait for a client that does not read; more are dropped, which the client can see.
        heartbeat_s: how often a client has to be heard of.
        silence_s: a client not heard of for so long is forgotten, and its subscription with it.
    """

    message_bytes: int = field(default=65_536, validator=count)
    text_bytes: int = field(default=16_384, validator=count)
    items: int = field(default=1_024, validator=count)
    depth: int = field(default=8, validator=count)
    requests_per_s: float = field(default=200.0, validator=validators.gt(0))
    burst: int = field(default=400, validator=count)
    key_requests_per_s: float = field(default=1_000.0, validator=validators.gt(0))
    key_burst: int = field(default=2_000, validator=count)
    clients: int = field(default=10_000, validator=count)
    clients_per_key: int = field(default=64, validator=count)
    subjects: int = field(default=1_000, validator=count)
    under_way: int = field(default=8, validator=count)
    unread: int = field(default=500, validator=count)
    heartbeat_s: float = field(default=10.0, validator=seconds)
    silence_s: float = field(default=30.0, validator=seconds)

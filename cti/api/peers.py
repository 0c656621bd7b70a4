"""The clients that are connected: who they are, what they may still ask for, when they were last heard of."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator

from attrs import define

from cti.api.grant import Grant
from cti.api.limits import Limits
from cti.api.refusal import TooManyClients
from cti.api.token_bucket import TokenBucket


@define(eq=False)
class Peer:
    """One connection. ``route`` is its address at the ROUTER socket, given by the server and never used again."""

    route: bytes
    grant: Grant
    address: str
    bucket: TokenBucket
    key_bucket: TokenBucket
    """Shared by all connections of the key."""
    heard_at: float
    under_way: int = 0
    sent: int = 0
    """The number of the last event that it was to be told; what did not fit into its queue counts too."""
    dropped: int = 0

    def may(self, cost: float, now: float) -> bool:
        """Whether it may ask for something of this cost now; then the cost is taken."""
        return self.bucket.take(cost, now) and self.key_bucket.take(cost, now)


class Peers:
    """All connections that are served, the longest silent first."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._peers: OrderedDict[bytes, Peer] = OrderedDict()
        self._of_key: Counter[str] = Counter()
        self._key_buckets: dict[str, TokenBucket] = {}
        """Outlive the connections, so that connecting anew earns nothing; there are at most as many as keys."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self._peers)

    def __iter__(self) -> Iterator[Peer]:
        """Each of them; the set may change meanwhile."""
        return iter(list(self._peers.values()))

    def find(self, route: bytes) -> Peer | None:
        """The peer with this route, if it is known."""
        return self._peers.get(route)

    def heard(self, peer: Peer, now: float) -> None:
        """A message came from a peer."""
        peer.heard_at = now
        self._peers.move_to_end(peer.route)

    def admit(self, route: bytes, grant: Grant, address: str, now: float) -> Peer:
        """A new peer.

        Raises:
            TooManyClients: there is no room for another.
        """
        if len(self._peers) >= self._limits.clients:
            raise TooManyClients("the server has as many clients as it takes; try later")
        if self._of_key[grant.name] >= self._limits.clients_per_key:
            raise TooManyClients(f"key {grant.name} has as many connections as it may; close one")
        bucket = TokenBucket(self._limits.requests_per_s, self._limits.burst, now)
        shared = self._key_buckets.get(grant.name)
        if shared is None:
            shared = TokenBucket(self._limits.key_requests_per_s, self._limits.key_burst, now)
            self._key_buckets[grant.name] = shared
        peer = self._peers[route] = Peer(route, grant, address, bucket, shared, now)
        self._of_key[grant.name] += 1
        return peer

    def remove(self, peer: Peer) -> None:
        """Forget a peer; nothing if it is forgotten already."""
        if self._peers.pop(peer.route, None) is not None:
            self._of_key[peer.grant.name] -= 1
            if not self._of_key[peer.grant.name]:
                del self._of_key[peer.grant.name]

    def silent(self, now: float) -> list[Peer]:
        """Those that have not been heard of for too long."""
        found = []
        for peer in self._peers.values():
            if now - peer.heard_at <= self._limits.silence_s:
                break
            found.append(peer)
        return found

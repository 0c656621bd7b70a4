"""What a journal's records say. Each is a msgpack array that begins with its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import asdict, frozen

from cti.store.errors import NotUnderstood
from cti.store.plain import packer, unpack

VERSION: Final = 1
"""Of the format; a segment of a later one is not read."""
HEADER: Final = 0
SNAPSHOT: Final = 1
FACT: Final = 2
GAP: Final = 3

_PACK: Final[Callable[[Any], bytes]] = packer().pack


@frozen
class Header:
    """A segment's first record.

    Args:
        version: of the format.
        number: the segment's.
        node: whose centre.
        run: tells one run of a centre from the next.
        wall: when the segment was made, Unix time.
        at: the engine's clock, as of the fact before.
        epoch: the Unix time at which the engine's clock read 0, as its ids have it.
        router: the class of the router, ``package.module:Class``.
        software: the version of cti.
    """

    version: int
    number: int
    node: str
    run: str
    wall: float
    at: float
    epoch: float
    router: str
    software: str

    def unix(self, at: float) -> float:
        """The Unix time that belongs to the engine's ``at``, by what the two clocks said when the centre was started."""
        return self.epoch + at


@frozen
class SnapshotRecord:
    """All that the engine knew at one time; ``cti.store.snapshot`` makes it an engine again."""

    at: float
    picture: dict[str, Any]


@frozen
class FactRecord:
    """One fact, and what the engine made of it.

    Args:
        at: the engine's clock.
        name: which fact.
        fields: what it says.
        digest: of all the intents that it set off (``cti.store.digest``).
        refused: the code of the error that the engine refused it with; empty if it did not.
        offers: the interaction and the agent of each offer made.
        not_kept: the paths of values that could not be written; a text stands in for each.
    """

    at: float
    name: str
    fields: Any
    digest: int
    refused: str = ""
    offers: tuple[tuple[str, str], ...] = ()
    not_kept: tuple[str, ...] = ()


@frozen
class Gap:
    """Facts that were handled and not written, since the disk could not be."""

    facts: int
    since: float
    until: float
    why: str


Record = Header | SnapshotRecord | FactRecord | Gap


def dump_header(header: Header) -> bytes:
    """A header's payload."""
    return _PACK([HEADER, asdict(header)])


def dump_snapshot(at: float, picture: dict[str, Any]) -> bytes:
    """A snapshot's payload."""
    return _PACK([SNAPSHOT, at, picture])


def dump_fact(fact: FactRecord) -> bytes:
    """A fact's payload."""
    said = (fact.at, fact.name, fact.fields, fact.digest, fact.refused, fact.offers, fact.not_kept)
    return _PACK((FACT, *said))


def dump_gap(gap: Gap) -> bytes:
    """A gap's payload."""
    return _PACK([GAP, gap.facts, gap.since, gap.until, gap.why])


def load(payload: bytes) -> Record:
    """The record.

    Raises:
        NotUnderstood: it is none that this version knows; the message says what it is.
    """
    try:
        kind, *rest = unpack(payload)
        if kind == HEADER:
            return _header(rest[0])
        if kind == SNAPSHOT:
            return SnapshotRecord(float(rest[0]), dict(rest[1]))
        if kind == FACT:
            at, name, fields, digest, refused, offers, not_kept = rest[:7]
            made = tuple((str(call), str(agent)) for call, agent in offers)
            return FactRecord(float(at), str(name), fields, int(digest), str(refused), made, tuple(map(str, not_kept)))
        if kind == GAP:
            return Gap(int(rest[0]), float(rest[1]), float(rest[2]), str(rest[3]))
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise NotUnderstood(f"a record that cannot be read: {error}") from error
    raise NotUnderstood(f"a record of kind {kind!r:.40}, which this version does not know; a newer one wrote it")


def _header(raw: dict[str, Any]) -> Header:
    version = int(raw["version"])
    if version > VERSION:
        raise NotUnderstood(f"a segment of format {version}; this version of cti reads up to {VERSION}: upgrade it")
    return Header(
        version,
        int(raw["number"]),
        str(raw["node"]),
        str(raw["run"]),
        float(raw["wall"]),
        float(raw["at"]),
        float(raw["epoch"]),
        str(raw["router"]),
        str(raw["software"]),
    )

"""Records within a file: a mark, a length, a checksum and the bytes; and how to find them again in a damaged file.

A frame is ``C1 4A``, the length and the CRC-32 (each a 32-bit little-endian number, the checksum over the length's four
bytes and the payload), and the payload. ``C1`` is the one byte that never begins a msgpack value.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from attrs import frozen

from cti.store.errors import JournalError

MAGIC: Final = b"CTIJ\x00\x01\r\n"
"""How a segment file begins. The line break shows a file that was sent as text."""
MARK: Final = b"\xc1J"
LARGEST: Final = 1 << 28
"""A record is no longer: the snapshot of a centre of 100,000 agents takes a quarter of it."""
_HEAD: Final = struct.Struct("<2sII")


@frozen
class Damage:
    """Bytes of a file that are not records: where, how many, and what is wrong.

    ``tail`` says that no record follows: a write that was cut short.
    """

    offset: int
    bytes: int
    what: str
    tail: bool = False


@frozen
class Framed:
    """A sound record: where it begins and ends in the file, and its payload."""

    offset: int
    end: int
    payload: bytes


def frame(payload: bytes) -> bytes:
    """A payload with what is needed to find and check it again.

    Raises:
        JournalError: it is larger than any record may be.
    """
    if len(payload) > LARGEST:
        raise JournalError(f"a record of {len(payload)} bytes; {LARGEST} is the most")
    size = len(payload).to_bytes(4, "little")
    return b"".join((MARK, size, zlib.crc32(payload, zlib.crc32(size)).to_bytes(4, "little"), payload))


def scan(data: bytes) -> Iterator[Framed | Damage]:
    """The records of a file, and between them what is none; it never raises, whatever the bytes are."""
    at = 0
    if data.startswith(MAGIC):
        at = len(MAGIC)
    while at < len(data):
        found = _read(data, at)
        if isinstance(found, Framed):
            yield found
            at = found.end
            continue
        after = _next(data, at + 1)
        if after is None:
            yield Damage(at, len(data) - at, found, tail=True)
            return
        yield Damage(at, after - at, found)
        at = after


def _next(data: bytes, at: int) -> int | None:
    """Where the next sound record begins."""
    while (at := data.find(MARK, at)) >= 0:
        if isinstance(_read(data, at), Framed):
            return at
        at += 1
    return None


def _read(data: bytes, at: int) -> Framed | str:
    """The record there, or what is wrong."""
    if not data.startswith(MARK, at):
        return "no record begins here" if any(data[at : at + 64]) else "zeros"
    if len(data) - at < _HEAD.size:
        return "cut short within a record's head"
    _, size, checksum = _HEAD.unpack_from(data, at)
    begin = at + _HEAD.size
    if size > LARGEST:
        return f"a record of {size} bytes, which none is"
    if size > len(data) - begin:
        return f"a record of {size} bytes, of which {len(data) - begin} are there"
    payload = data[begin : begin + size]
    if zlib.crc32(payload, zlib.crc32(data[at + 2 : at + 6])) != checksum:
        return "a wrong checksum"
    return Framed(at, begin + size, payload)

"""The event-socket vectors, cut in every way: the messages and the error may not depend on how the bytes come."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cti.errors import RemoteProtocolError
from cti.esl import Decoder, Frame

_VECTORS = json.loads((Path(__file__).parents[1] / "data" / "esl-vectors.json").read_text())["vectors"]
_SMALL = 8_000


def _stream(vector: dict[str, Any]) -> bytes:
    if vector["input_b64"] is not None:
        return base64.b64decode(vector["input_b64"])
    parts = vector["input_gen"]
    repeated = base64.b64decode(parts["repeat_b64"]) * parts["count"]
    return base64.b64decode(parts["prefix_b64"]) + repeated + base64.b64decode(parts["suffix_b64"])


def _chunkings(stream: bytes) -> Iterator[list[bytes]]:
    yield [stream]
    small = len(stream) <= _SMALL
    for size in (1, 2, 7) if small else (4_096, 65_537):
        yield [stream[at : at + size] for at in range(0, len(stream), size)]
    chance = random.Random(len(stream))
    for _ in range(3):
        most = 50 if small else 100_000
        chunks, at = [], 0
        while at < len(stream):
            size = chance.randint(1, most)
            chunks.append(stream[at : at + size])
            at += size
        yield chunks
    cuts = (
        range(1, len(stream)) if small else sorted({*range(1, 60), *(chance.randrange(len(stream)) for _ in range(6))})
    )
    for cut in cuts:
        yield [stream[:cut], stream[cut:]]


def _decode(chunks: list[bytes], options: dict[str, int]) -> tuple[list[Frame], str | None, str | None, bool]:
    """The frames, the kind of error while reading, the kind at the end, and whether a frame was left unfinished."""
    decoder = Decoder(max_header_bytes=options.get("max_header", 1 << 20))
    frames: list[Frame] = []
    for chunk in chunks:
        try:
            frames += decoder.feed(chunk)
        except RemoteProtocolError:
            break
    broken, pending = decoder.error, decoder.pending
    try:
        decoder.close()
    except RemoteProtocolError as error:
        return frames, broken and broken.kind, error.kind, pending
    return frames, None, None, pending


def _text(value: dict[str, Any]) -> str | None:
    if "body_repeat" in value:
        return str(value["body_repeat"]["unit"]) * int(value["body_repeat"]["count"])
    return value["body"]


def _check(frame: Frame, expected: dict[str, Any]) -> None:
    assert frame.content_type == expected["content_type"]
    assert [list(pair) for pair in frame.headers.raw] == expected["headers"]
    if not expected.get("body_omitted"):
        body = _text(expected)
        assert frame.body == (None if body is None else body.encode("utf-8", "surrogateescape"))
        assert frame.text == (body or "")
    if expected["event"] is None:
        assert frame.event is None
        return
    assert frame.event is not None
    # Each header by itself first, while the event is still bytes; then all of them.
    first: dict[str, Any] = {}
    for name, value in expected["event"]["headers"]:
        first.setdefault(name.lower(), value)
    for name, value in first.items():
        assert frame.event[name.swapcase()] == value
        assert frame.event.get(name) == value
    assert "No-Such-Header" not in frame.event
    assert [list(pair) for pair in frame.event.raw] == expected["event"]["headers"]
    for name, value in first.items():
        assert frame.event[name] == value
    assert frame.event.body == _text(expected["event"])
    assert frame.event.name == first["event-name"]


@pytest.mark.parametrize("vector", _VECTORS, ids=[vector["name"] for vector in _VECTORS])
def test_vector(vector: dict[str, Any]) -> None:
    stream = _stream(vector)
    for number, chunks in enumerate(_chunkings(stream)):
        frames, broken, ended, pending = _decode(chunks, vector.get("options", {}))
        context = f"chunking {number}: {[len(chunk) for chunk in chunks][:4]}"
        assert broken == vector.get("expect_error"), context
        assert ended == (vector.get("expect_error") or vector.get("eof_error")), context
        assert pending == vector.get("pending_after", False), context
        assert len(frames) == len(vector.get("expect", [])), context
        # Frames compare by value; the full check once is enough where they are the same.
        if number == 0:
            whole = frames
            for frame, expected in zip(frames, vector.get("expect", []), strict=True):
                _check(frame, expected)
        else:
            assert [frame.body for frame in frames] == [frame.body for frame in whole], context
            assert [frame.headers.raw for frame in frames] == [frame.headers.raw for frame in whole], context


def test_there_are_vectors() -> None:
    assert len(_VECTORS) >= 46

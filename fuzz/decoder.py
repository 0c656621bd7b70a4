# ruff: noqa: INP001 - programs, not a package
"""Coverage-guided fuzzing of the decoder (atheris): any bytes, in any pieces, end in frames or RemoteProtocolError.

    pip install 'cti[fuzz]'
    python fuzz/decoder.py fuzz/corpus/decoder -max_total_time=120

What is checked: the frames and the error do not depend on how the bytes are divided; nothing but RemoteProtocolError is
raised; every frame and event that came out can be read; the limits on size hold. New inputs are added to the
corpus directory that is named first.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

with atheris.instrument_imports(include=["cti.esl"]):
    from cti.errors import RemoteProtocolError
    from cti.esl import Decoder, Event, Frame

_MAX_HEADER = 4_096
_MAX_BODY = 65_536


def decode(chunks: list[bytes]) -> tuple[list[object], str | None, bool]:
    """Return what the frames say, the kind of error (at the end of the stream too), and whether one was unfinished."""
    decoder = Decoder(max_header_bytes=_MAX_HEADER, max_body_bytes=_MAX_BODY)
    frames: list[Frame] = []
    for chunk in chunks:
        try:
            frames += decoder.feed(chunk)
        except RemoteProtocolError:
            break
    pending = decoder.pending
    try:
        decoder.close()
    except RemoteProtocolError as error:
        return [read(frame) for frame in frames], error.kind, pending
    return [read(frame) for frame in frames], None, pending


def read(frame: Frame) -> object:
    """Look at everything a consumer may look at."""
    assert len(frame.body or b"") <= _MAX_BODY
    assert isinstance(frame.text, str)
    assert frame.ok in (True, False)
    assert frame.lingering in (True, False)
    return frame.content_type, frame.headers.raw, frame.body, frame.reply_text, _read_event(frame.event)


def _read_event(event: Event | None) -> object:
    if event is None:
        return None
    try:
        name, pairs = event.name, event.raw
    except RemoteProtocolError as error:
        return error.kind  # events are lazy: one that is no JSON says so when all of it is read
    assert isinstance(event.subclass, str)
    assert event.body is None or isinstance(event.body, str)
    for header, value in pairs:
        assert event.get(header) is not None
        assert isinstance(value, str | list)
    assert len(event) <= len(pairs)
    repr(event)
    return name, pairs, event.body


def one_input(data: bytes) -> None:
    """Decode ``data`` whole, byte by byte or in pieces; compare, and read everything."""
    whole = decode([data])
    chance = random.Random(len(data) * 257 + sum(data[:64]))
    pieces, at = [], 0
    while at < len(data):
        size = chance.choice((1, 2, 3, 7, 40, 400))
        pieces.append(data[at : at + size])
        at += size
    divided = decode(pieces)
    assert divided == whole, (divided, whole)


def main() -> None:
    """Fuzz until the time or the count given by libFuzzer's options is reached."""
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

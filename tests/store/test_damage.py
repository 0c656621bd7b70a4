"""Whatever happens to the bytes of a journal, reading it says so, and does not raise."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cti.store import Replay, survey
from cti.store.frame import MAGIC, Damage, frame, scan
from cti.store.record import FactRecord
from cti.store.segment import read_segment
from tests.store.recording import a_day

from .recording import files, record

TOLD = a_day(0).told
with tempfile.TemporaryDirectory() as _made:
    record(Path(_made), TOLD[:120], segment_bytes=4_000)
    SEGMENTS = [path.read_bytes() for path in files(Path(_made))]


@st.composite
def damaged(draw):
    """The segments, one of them with bytes flipped, cut out, put in, or cut off."""
    which = draw(st.integers(0, len(SEGMENTS) - 1))
    data = bytearray(SEGMENTS[which])
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["flip", "cut", "insert", "end", "zeros"])):
            case "flip" if at < len(data):
                data[at] ^= draw(st.integers(1, 255))
            case "cut":
                del data[at : at + draw(st.integers(1, 200))]
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=50))
            case "end":
                del data[at:]
            case "zeros":
                data[at:] = b"\0" * (len(data) - at)
    return which, bytes(data)


@settings(max_examples=25, deadline=None)
@given(damaged())
def test_reading_never_raises_and_never_hides_damage(case):
    which, data = case
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        for number, segment in enumerate(SEGMENTS, 1):
            (directory / f"{number:06}.ctij").write_bytes(data if number == which + 1 else segment)
        found = survey(directory)
        report = Replay(directory).run()
    whole = sum(isinstance(r, FactRecord) for r in _records(SEGMENTS[which]))
    left = found.segments[which].facts
    assert left <= whole
    if data == SEGMENTS[which]:
        assert found.sound
    elif left < whole and not _cut_between_records(data, which):
        assert found.segments[which].damages
        assert not found.sound
    # What was sound is replayed to the same, up to the damage and from the next snapshot on.
    assert report.differing == 0
    assert report.facts + report.passed_over == found.facts.total()


def _records(data):
    with tempfile.TemporaryDirectory() as made:
        (Path(made) / "000001.ctij").write_bytes(data)
        return list(read_segment(Path(made), 1).records())


def _cut_between_records(data, which):
    """What no checksum tells: whole records are missing, at the end or in between."""
    return not [each for each in scan(data) if isinstance(each, Damage)] and data.startswith(MAGIC)


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_what_was_framed_is_found(payloads):
    data = MAGIC + b"".join(frame(payload) for payload in payloads)
    assert [each.payload for each in scan(data)] == payloads


@given(st.binary(max_size=300))
def test_any_bytes_can_be_scanned(data):
    found = list(scan(data))
    covered = sum(each.bytes if isinstance(each, Damage) else each.end - each.offset for each in found)
    assert covered == len(data) - (len(MAGIC) if data.startswith(MAGIC) else 0)


@given(st.binary(min_size=20, max_size=60), st.integers(0, 200), st.integers(1, 255))
def test_a_flipped_byte_costs_one_record_and_is_told_with_its_place(payload, at, bits):
    frames = [frame(payload + bytes([number])) for number in range(3)]
    data = bytearray(MAGIC + b"".join(frames))
    begin, end = len(MAGIC) + len(frames[0]), len(MAGIC) + len(frames[0]) + len(frames[1])
    data[begin + at % len(frames[1])] ^= bits
    first, damage, last = scan(bytes(data))
    assert (first.payload, last.payload) == (payload + b"\0", payload + b"\2")
    assert (damage.offset, damage.bytes, damage.tail) == (begin, end - begin, False)


def test_a_segment_of_a_later_format_is_named(tmp_path):
    record(tmp_path, TOLD[:5])
    path = files(tmp_path)[0]
    from cti.store.plain import packer

    later = frame(packer().pack([0, {"version": 99}]))
    path.write_bytes(MAGIC + later)
    (damage,) = survey(tmp_path).segments[0].damages
    assert "format 99" in damage.what
    report = Replay(tmp_path).run()
    assert (report.facts, "format 99" in next(iter(report.notes))) == (0, True)


def test_a_record_of_a_kind_unknown_is_named(tmp_path):
    from cti.store.plain import packer

    record(tmp_path, TOLD[:5])
    path = files(tmp_path)[0]
    path.write_bytes(path.read_bytes() + frame(packer().pack([77, 1])))
    assert "kind 77" in survey(tmp_path).segments[0].damages[0].what

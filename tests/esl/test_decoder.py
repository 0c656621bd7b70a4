from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.errors import RemoteProtocolError
from cti.esl import Decoder, Event, Frame, Headers, api_response_bytes, event_bytes, frame_bytes, reply_bytes

OK = b"Content-Type: command/reply\nReply-Text: +OK\n\n"
BAD = b"no colon here\n\n"


def _all(stream: bytes, cuts: list[int]) -> tuple[list[Frame], str | None]:
    decoder = Decoder(max_header_bytes=200, max_body_bytes=300)
    frames: list[Frame] = []
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    try:
        for start, end in itertools.pairwise(edges):
            frames += decoder.feed(stream[start:end])
        decoder.close()
    except RemoteProtocolError as error:
        return frames, error.kind
    return frames, None


def _refused(stream: bytes, **limits: int) -> str:
    decoder = Decoder(**limits)
    with pytest.raises(RemoteProtocolError) as caught:
        decoder.feed(stream)
    with pytest.raises(RemoteProtocolError) as again:
        decoder.feed(OK)
    with pytest.raises(RemoteProtocolError) as closing:
        decoder.close()
    assert decoder.error is caught.value is again.value is closing.value
    assert not decoder.pending
    return caught.value.kind


LINES = st.sampled_from(
    [
        b"Content-Type: command/reply",
        b"Content-Type: text/event-json",
        b"Content-Type: text/event-plain",
        b"Content-Type: api/response",
        b"Content-Length: 4",
        b"Content-Length: 04",
        b"Content-Length: 2",
        b"Content-Length: 999",
        b"Content-Length: x",
        b"Event-Name: A",
        b"Reply-Text: +OK",
        b"{}",
        b'{"A":"b"}',
        b"A: b",
        b"",
        b"",
        b"",
        b"\r",
        b"x" * 250,
    ]
)
STREAMS = st.lists(st.one_of(LINES.map(lambda line: line + b"\n"), st.binary(max_size=6)), max_size=30).map(b"".join)


@given(STREAMS, st.lists(st.integers(0, 2000), max_size=8))
def test_how_the_bytes_come_makes_no_difference(stream: bytes, cuts: list[int]) -> None:
    whole = _all(stream, [])
    assert _all(stream, cuts) == whole
    assert _all(stream, list(range(len(stream)))) == whole


@given(st.binary(max_size=400))
def test_any_bytes_give_frames_or_a_protocol_error(stream: bytes) -> None:
    frames, _ = _all(stream, [])
    for frame in frames:
        frame.headers.raw, frame.reply_text, frame.error, repr(frame)


def test_frames_before_a_break_are_returned_and_the_error_comes_next() -> None:
    decoder = Decoder()
    assert [frame.reply_text for frame in decoder.feed(OK + OK + BAD + OK)] == ["+OK", "+OK"]
    assert decoder.error is not None
    assert decoder.error.kind == "malformed-header-line"
    with pytest.raises(RemoteProtocolError, match="malformed-header-line"):
        decoder.feed(b"")


def test_a_frame_completed_by_the_chunk_that_breaks_is_returned_too() -> None:
    decoder = Decoder()
    stream = api_response_bytes("output")
    assert decoder.feed(stream[:-2]) == []
    assert decoder.pending
    [frame] = decoder.feed(stream[-2:] + BAD)
    assert frame.text == "output"
    with pytest.raises(RemoteProtocolError):
        decoder.close()


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (b"Foo: bar\n\n", "missing-content-type"),
        (b"Content-Type: \n\n", "missing-content-type"),
        (b"Content-Type: a\ncontent-type: b\n\n", "duplicate-content-type"),
        (b"Content-Type: api/response\nContent-Length: 1\nContent-Length: 1\n\nx", "duplicate-content-length"),
        (b"Content-Type: api/response\nContent-Length: -1\n\n", "bad-content-length"),
        (b"Content-Type: api/response\nContent-Length: \n\n", "bad-content-length"),
        (b"Content-Type: api/response\nContent-Length: \xd9\xa3\n\n", "bad-content-length"),
        (b"Content-Type: api/response\nContent-Length: 1.0\n\n", "bad-content-length"),
        (b"Content-Type: api/response\nContent-Length: " + b"9" * 5000 + b"\n\n", "body-too-large"),
        (b"Content-Type: command/reply\nContent-Length: 0\n\n", "unexpected-content-length"),
        (b"Content-Type: api/response\n\n", "missing-content-length"),
        (b"Content-Type: log/data\n\n", "missing-content-length"),
        (b"Content-Type: text/event-json\n\n", "missing-content-length"),
        (b": no name\n\n", "malformed-header-line"),
        (b"Content-Type: command/reply\r\n\r\n", "malformed-header-line"),
        (b"SSH-2.0-OpenSSH_9.2\n", "malformed-header-line"),
        (b"Content-Length: 0\nContent-Type: text/event-json\n\n", "malformed-event"),
        (b"Content-Length: 2\nContent-Type: text/event-json\n\n[]", "malformed-event"),
        (b"Content-Length: 4\nContent-Type: text/event-json\n\nnull", "malformed-event"),
        (b'Content-Length: 8\nContent-Type: text/event-json\n\n{"A":"b"', "malformed-event"),
        (b"Content-Length: 60000\nContent-Type: text/event-json\n\n" + b"[" * 60000, "malformed-event"),
    ],
)
def test_each_broken_rule_has_its_kind(stream: bytes, kind: str) -> None:
    assert _refused(stream) == kind


def test_the_limits_hold_exactly() -> None:
    block = b"Content-Type: command/reply\nReply-Text: " + b"x" * 60
    assert len(Decoder(max_header_bytes=len(block)).feed(block + b"\n\n")) == 1
    assert _refused(block + b"\n\n", max_header_bytes=len(block) - 1) == "header-too-large"
    assert len(Decoder(max_body_bytes=6).feed(api_response_bytes("123456"))) == 1
    assert _refused(api_response_bytes("1234567"), max_body_bytes=6) == "body-too-large"
    event = event_bytes([("Event-Name", "A")])
    assert _refused(event, max_body_bytes=10) == "body-too-large"


def test_a_body_that_is_too_long_is_refused_before_it_comes() -> None:
    assert _refused(b"Content-Type: api/response\nContent-Length: 100\n\n", max_body_bytes=99) == "body-too-large"


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (b"C", "eof-in-header"),
        (OK[:-1], "eof-in-header"),
        (OK + OK[:5], "eof-in-header"),
        (b"Content-Type: api/response\nContent-Length: 2\n\n", "eof-in-body"),
        (b"Content-Type: api/response\nContent-Length: 2\n\nx", "eof-in-body"),
    ],
)
def test_an_end_within_a_frame_is_told(stream: bytes, kind: str) -> None:
    decoder = Decoder()
    decoder.feed(stream)
    assert decoder.pending
    with pytest.raises(RemoteProtocolError) as caught:
        decoder.close()
    assert caught.value.kind == kind
    assert decoder.error is caught.value


def test_an_end_between_frames_is_none() -> None:
    decoder = Decoder()
    decoder.feed(OK + b"\n\r\n")
    assert not decoder.pending
    decoder.close()
    assert decoder.error is None


def test_a_buffer_of_the_caller_can_be_reused() -> None:
    buffer = bytearray(event_bytes([("Event-Name", "A")]))
    [frame] = Decoder().feed(buffer)
    buffer[:] = b"x" * len(buffer)
    assert frame.event is not None
    assert frame.event.name == "A"
    assert frame.body == b'{"Event-Name":"A"}'


def test_a_long_body_takes_linear_time() -> None:
    def seconds(size: int) -> float:
        stream = frame_bytes("api/response", body=b"x" * size)
        decoder = Decoder()
        began = time.process_time()
        frames = []
        for at in range(0, len(stream), 64):
            frames += decoder.feed(stream[at : at + 64])
        assert len(frames) == 1
        return time.process_time() - began

    # Quadratic would be 16 times as long.
    assert seconds(1 << 22) < 10 * max(seconds(1 << 20), 0.02)


def test_a_long_header_takes_linear_time() -> None:
    def seconds(size: int) -> float:
        decoder = Decoder(max_header_bytes=size + 100)
        stream = b"Content-Type: command/reply\nX: " + b"x" * size
        began = time.process_time()
        for at in range(0, len(stream), 4):
            assert decoder.feed(stream[at : at + 4]) == []
        return time.process_time() - began

    assert seconds(1 << 19) < 10 * max(seconds(1 << 17), 0.02)


def test_the_reply_to_connect_is_an_event() -> None:
    stream = (
        b"Event-Name: CHANNEL_DATA\nUnique-ID: u-1\nCaller-Caller-ID-Name: Jo%20%22%0AUnique-ID%3A%20FAKE\n"
        b"Content-Type: command/reply\nReply-Text: %2BOK%0A\nSocket-Mode: async\nControl: full\n\n"
    )
    [frame] = Decoder().feed(stream)
    assert frame.content_type == "command/reply"
    assert frame.body is None
    assert frame.ok
    assert frame.reply_text == "+OK"
    assert frame.event is not None
    assert frame.event.name == "CHANNEL_DATA"
    assert frame.headers["caller-caller-id-name"] == 'Jo "\nUnique-ID: FAKE'
    assert frame.headers["unique-id"] == "u-1"
    assert frame.headers.raw == frame.event.raw
    assert len(frame.headers) == 7


def test_what_a_reply_says() -> None:
    replies = Decoder().feed(
        reply_bytes("+OK accepted", [("Allowed-API", "show")])
        + reply_bytes("-ERR invalid")
        + api_response_bytes("UP 0 years\n")
        + api_response_bytes("-USAGE: <uuid>\n")
        + api_response_bytes("")
        + frame_bytes("auth/request")
    )
    assert [frame.ok for frame in replies] == [True, False, True, False, False, False]
    assert [frame.error for frame in replies] == [None, "-ERR invalid", None, "-USAGE: <uuid>", "-ERR no reply", None]
    assert [frame.reply_text for frame in replies[:4]] == [
        "+OK accepted",
        "-ERR invalid",
        "UP 0 years",
        "-USAGE: <uuid>",
    ]
    assert replies[0].headers["allowed-api"] == "show"


def test_a_lingering_notice_is_told_from_the_last_one() -> None:
    lingering, last = Decoder().feed(
        frame_bytes("text/disconnect-notice", [("Content-Disposition", "linger")], b"")
        + frame_bytes("text/disconnect-notice", [("Content-Disposition", "disconnect")], b"bye")
    )
    assert lingering.lingering
    assert not last.lingering
    assert last.text == "bye"


def test_frames_are_values_and_their_repr_holds_no_content() -> None:
    [frame] = Decoder().feed(reply_bytes("+OK secret"))
    assert frame == Frame("command/reply", Headers(b"Content-Type: command/reply\nReply-Text: +OK secret"))
    assert frame != Frame("command/reply")
    assert frame != "command/reply"
    assert "secret" not in repr(frame) + repr(frame.headers)
    [event] = Decoder().feed(event_bytes([("Event-Name", "DTMF")]))
    assert repr(event) == "<Frame text/event-json <JsonEvent DTMF>>"
    made = Frame("text/event-json", Headers(b"Content-Length: 21\nContent-Type: text/event-json"), event.body)
    made.event = Event([("Event-Name", "DTMF")])
    assert made == event


EVENTS = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.sampled_from(["Event-Name", "unique-id", "A b", "é"]), st.text(max_size=5)),
            min_size=1,
            max_size=4,
        ),
        st.one_of(st.none(), st.text(max_size=10)),
        st.sampled_from(["json", "plain"]),
    ),
    max_size=6,
)


@settings(max_examples=60)
@given(EVENTS, st.lists(st.integers(0, 2000), max_size=6))
def test_a_stream_of_events_comes_back(events: list, cuts: list[int]) -> None:
    stream = b"".join(event_bytes(pairs, body, fmt=fmt) for pairs, body, fmt in events)
    decoder = Decoder()
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    frames = []
    for start, end in itertools.pairwise(edges):
        frames += decoder.feed(stream[start:end])
    decoder.close()
    assert [frame.content_type for frame in frames] == [f"text/event-{fmt}" for _, _, fmt in events]
    assert [frame.headers["Content-Length"] for frame in frames] == [str(len(frame.body)) for frame in frames]


def test_an_envelope_in_another_order_is_read_the_same() -> None:
    stream = b""
    for content_type, body in (("json", b'{"A":"b"}'), ("plain", b"A: b\n\n"), ("plain", b"")):
        stream += frame_bytes(f"text/event-{content_type}", [("X", "y")], body)
    frames = Decoder().feed(stream)
    assert [frame.event.get("a") for frame in frames] == ["b", "b", None]
    assert [frame.headers["x"] for frame in frames] == ["y"] * 3

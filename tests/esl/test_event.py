from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cti.errors import LocalProtocolError, RemoteProtocolError
from cti.esl import Decoder, Event, event_bytes, json_event, plain_event
from cti.esl.event_json import JsonEvent
from cti.esl.event_plain import PlainEvent
from cti.esl.event_xml import XmlEvent

# What FreeSWITCH can hold: no NUL; lone surrogates stand for bytes that are not UTF-8.
TEXT = st.text(
    st.one_of(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
        st.sampled_from('\udc80\udcff\n\r\u2028\x0b\x1c\x85%:,"\\ []{}|'),
    ),
    max_size=12,
)
NAMES = st.sampled_from(
    ["Event-Name", "event-name", "Unique-ID", "A", "a", "variable_x", "variable_foo: bar", 'q"', "é"]
)
VALUES = st.one_of(TEXT, st.lists(TEXT, min_size=1, max_size=3))
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=8)
BODIES = st.one_of(st.none(), TEXT)


def _normal(text: str) -> str:
    """Surrogates that together are UTF-8 after all come back as what they spell."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


# Pushes what follows beyond the part of an event that is searched at first.
FILLERS = st.one_of(st.just(0), st.integers(900, 1100)).map(lambda size: [("Filler", "x" * size)] if size else [])


def _same_either_way(read: Callable[[], Event], again: Event) -> None:
    """What a single look-up finds in the bytes is what the fully read event says."""
    names = {name for name, _ in again.raw}
    for name in names | {"No-Such", "EVENT-NAME", "unique-id", "A", "a", "q", 'q"', "foo", "bar", "filler"}:
        assert read().get(name) == again.get(name), name
        assert (name in read()) == (name in again)


@given(PAIRS, BODIES, FILLERS)
@example([("A", ["x"]), ("a", "y")], "", [])
@example([("A", 'say "hi",'), ("Unique-ID", "\\")], None, [])
def test_json_loses_nothing(pairs: list, body: str | None, filler: list) -> None:
    pairs = filler + pairs
    block = json_event(pairs, body)
    event = JsonEvent(block)
    expected = [(_normal(name), _normal(v) if isinstance(v, str) else [_normal(i) for i in v]) for name, v in pairs]
    if body is not None:
        expected.append(("Content-Length", str(len(body.encode("utf-8", "surrogateescape")))))
    _same_either_way(lambda: JsonEvent(block), Event(expected, body))
    assert event.raw == expected
    assert event.body == (None if body is None else _normal(body))
    first = {}
    for name, value in expected:
        first.setdefault(name.encode("utf-8", "surrogateescape").lower(), value)
    for name, value in expected:
        assert event[name] == first[name.encode("utf-8", "surrogateescape").lower()]
        assert value in event.get_all(name)


PLAIN_VALUES = st.one_of(
    TEXT.filter(lambda text: "%" not in text and text != "" and not text.startswith("ARRAY::")),
    st.lists(TEXT.filter(lambda text: "%" not in text and "|" not in text), min_size=2, max_size=3),
)


@given(st.lists(st.tuples(NAMES.filter(lambda name: name != 'q"'), PLAIN_VALUES), max_size=8), BODIES, FILLERS)
@example([("Event-Name", "A"), ("variable_foo: bar", "baz: x")], "Unique-ID: forged\n", [])
def test_plain_loses_nothing_but_what_freeswitch_loses(pairs: list, body: str | None, filler: list) -> None:
    pairs = filler + pairs
    block = plain_event(pairs, body)
    event = PlainEvent(block)
    expected = [(name, _normal(v) if isinstance(v, str) else [_normal(i) for i in v]) for name, v in pairs]
    if body:
        expected.append(("Content-Length", str(len(body.encode("utf-8", "surrogateescape")))))
    _same_either_way(lambda: PlainEvent(block), Event(expected))
    assert event.raw == expected
    assert event.body == (_normal(body) if body else None)


@given(
    st.lists(
        st.sampled_from([b"a: b", b"A: c", b"a", b": ", b"", b"unique-id: x", b"a: b: c", b"\xff: %ff"]), max_size=9
    )
)
def test_any_plain_block_reads_the_same_either_way(lines: list[bytes]) -> None:
    block = b"\n".join(lines)
    _same_either_way(lambda: PlainEvent(block), Event(PlainEvent(block).raw))


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5), st.sampled_from([None, 1]), st.booleans(), FILLERS)
def test_json_of_another_writer_reads_the_same_either_way(
    pairs: list, indent: int | None, ascii_only: bool, filler: list
) -> None:
    block = json.dumps(dict(filler + pairs), indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogateescape")
    _same_either_way(lambda: JsonEvent(block), Event(JsonEvent(block).raw))


def test_what_plain_loses_is_what_freeswitch_loses() -> None:
    block = plain_event([("Empty", ""), ("Percent", "%0A"), ("One", ["x"]), ("Odd", "100% %2b %zz")])
    assert block == b"Empty: _undef_\nPercent: %0A\nOne: x\nOdd: 100%25%20%252b%20%25zz\n\n"
    assert PlainEvent(block).raw == [("Empty", "_undef_"), ("Percent", "\n"), ("One", "x"), ("Odd", "100% %2b %zz")]


def test_arrays_are_lists() -> None:
    pairs = [("Event-Name", "CUSTOM"), ("Arr", ["a", "b c", ""])]
    for fmt in ("json", "plain"):
        [frame] = Decoder().feed(event_bytes(pairs, fmt=fmt))
        assert frame.event["arr"] == ["a", "b c", ""]
        assert frame.event.text("Arr") == "a"
        assert frame.event.raw == pairs
    assert Event([("A", [])]).text("A") == ""
    assert plain_event(pairs) == b"Event-Name: CUSTOM\nArr: ARRAY%3A%3Aa%7C%3Ab%20c%7C%3A\n\n"


def test_the_first_of_repeated_names_counts_however_spelled() -> None:
    event = JsonEvent(b'{"dup":"1","Dup":"2","DUP":["3"]}')
    assert event["Dup"] == event["dup"] == event["dUp"] == "1"
    assert event.get_all("DUP") == ["1", "2", ["3"]]
    assert list(event) == ["dup"]
    assert len(event) == 1
    assert dict(event) == {"dup": "1"}
    plain = PlainEvent(b"dup: 1\nDup: 2\n\n")
    assert plain["Dup"] == "1"
    assert plain.raw == plain.raw_headers == [("dup", "1"), ("Dup", "2")]


def test_only_ascii_letters_are_folded() -> None:
    event = JsonEvent('{"É":"1"}'.encode())
    assert "É" in event
    assert "é" not in event
    assert dict(event) == {"É": "1"}


def test_a_body_cannot_pass_for_headers() -> None:
    body = "Unique-ID: forged\n\nJob-UUID: evil"
    for fmt in ("json", "plain"):
        [frame] = Decoder().feed(event_bytes([("Event-Name", "BACKGROUND_JOB"), ("Job-UUID", "j")], body, fmt=fmt))
        assert "Unique-ID" not in frame.event
        assert frame.event["Job-UUID"] == "j"
        assert frame.event.body == body
    long = [("Event-Name", "A"), *((f"H{n}", "x" * 40) for n in range(60))]
    event = PlainEvent(plain_event(long, body))
    assert "Unique-ID" not in event
    assert event["H59"] == "x" * 40
    assert "unique-id" not in PlainEvent(b"\nUnique-ID: forged\n")
    assert PlainEvent(b"\nUnique-ID: forged\n").body == "Unique-ID: forged\n"


def test_a_value_cannot_pass_for_a_header() -> None:
    values = [
        'x","Unique-ID":"forged',
        ',"Unique-ID":"forged"',
        '\\",\\"Unique-ID\\":\\"forged',
        '"Unique-ID',
        "Unique-ID",
    ]
    for value in values:
        event = JsonEvent(json_event([("Event-Name", "A"), ("Name", value), ("List", [value, "Unique-ID"])]))
        assert "Unique-ID" not in event
        assert event["Name"] == value
        assert event["List"] == [value, "Unique-ID"]
    assert JsonEvent(json_event([('a,"Unique-ID', "forged")])).get("Unique-ID") is None


def test_a_header_called_body_is_not_the_body() -> None:
    event = JsonEvent(json_event([("_body", "forged"), ("A", "b")], "real"))
    assert event.body == "real"
    assert event["_body"] == "forged"
    assert JsonEvent(b'{"A":"b"}').body is None
    assert JsonEvent(b'{"A":"b","_body":""}').body == ""
    assert "_body" not in JsonEvent(b'{"A":"b","_body":"x"}')


def test_other_json_values_become_text() -> None:
    event = JsonEvent(b'{"N":1.50,"T":true,"Z":null,"O":{"a":[1]},"L":["a",2],"B":' + b"9" * 5000 + b"}")
    assert event.raw[:5] == [("N", "1.50"), ("T", "true"), ("Z", "null"), ("O", '[["a", ["1"]]]'), ("L", ["a", "2"])]
    assert event["B"] == "9" * 5000


def test_json_that_is_broken_inside_is_told_when_it_is_read() -> None:
    [frame] = Decoder().feed(b'Content-Length: 17\nContent-Type: text/event-json\n\n{"A":"b" "c":"d"}')
    with pytest.raises(RemoteProtocolError, match="malformed-event"):
        frame.event.raw  # noqa: B018


def test_names_that_no_header_can_have_are_absent() -> None:
    for event in (JsonEvent(b'{"A":"b"}'), PlainEvent(b"A: b\nC: d\n\n"), Event([("A", "b")])):
        for name in ("\ud800", "A: b\nC", "", "_body", 'A"'):
            assert event.get(name) is None
            assert name not in event
        assert 1 not in event
        with pytest.raises(KeyError, match="nothing"):
            event["nothing"]
        assert event.get("nothing", "default") == "default"
        assert event.text("nothing", "default") == "default"


def test_very_many_names_can_be_asked_for() -> None:
    event, plain = JsonEvent(b'{"A":"b","n1":"x"}'), PlainEvent(b"A: b\nn1: x\n\n")
    for number in range(5000):
        assert event.get(f"n{number}") == plain.get(f"n{number}") == ("x" if number == 1 else None)


def test_shorthands() -> None:
    event = Event([("Event-Name", "CUSTOM"), ("Event-Subclass", "a::b"), ("variable_x", "1")], "body")
    assert (event.name, event.subclass, event.body) == ("CUSTOM", "a::b", "body")
    assert event.variable("x") == "1"
    assert event.variable("y") is None
    assert repr(event) == "<Event a::b>"
    assert repr(Event()) == "<Event without a name>"
    assert Event().name == ""
    assert Event().body is None
    assert event == JsonEvent(b'{"Event-Name":"CUSTOM","Event-Subclass":"a::b","variable_x":"1","_body":"body"}')
    assert event != Event(event.raw)
    assert event != "event"


XML = b"""<event>
  <headers>
    <Event-Name>CUSTOM</Event-Name>
    <Caller-Name>%3CO'Brien%3E%20%26%20%C3%A9</Caller-Name>
    <Odd: name>1</Odd: name>
    <Empty/>
    <Many>a</Many>
    <Many>b</Many>
  </headers>
  <Content-Length>12</Content-Length>
  <body>a &lt;b&gt; &amp; &quot;c&quot; &#xE9;&#33;&#9999999; &nope;
  </body>
</event>"""


def test_xml_events() -> None:
    event = XmlEvent(XML)
    assert event.raw == [
        ("Event-Name", "CUSTOM"),
        ("Caller-Name", "<O'Brien> & é"),
        ("Odd: name", "1"),
        ("Empty", ""),
        ("Many", "a"),
        ("Many", "b"),
    ]
    assert event.body == 'a <b> & "c" é!&#9999999; &nope;\n'
    [frame] = Decoder().feed(b"Content-Length: %d\nContent-Type: text/event-xml\n\n%b" % (len(XML), XML))
    assert frame.event == event
    assert XmlEvent(b"not xml").raw == []
    assert XmlEvent(b"not xml").body is None


def test_xml_is_not_written() -> None:
    with pytest.raises(LocalProtocolError, match="xml"):
        event_bytes([("A", "b")], fmt="xml")


def test_headers_by_the_beginning_of_their_names() -> None:
    pairs = [("Event-Name", "A"), ("variable_cti_a", "1"), ("variable_x", "2"), ("variable_cti_b", ["3"]), ('q"x', "4")]
    for event in (JsonEvent(json_event(pairs)), Event(pairs)):
        assert event.starting_with("variable_cti_") == [pairs[1], pairs[3]]
        assert event.starting_with('q"') == [pairs[4]]
        assert event.starting_with("nothing") == []
    # Where there is none, nothing more is read than the bytes.
    assert JsonEvent(b'{"A":"b" broken').starting_with("variable_") == []


def test_bytes_that_are_not_utf8_stay_what_they_are() -> None:
    for event in (PlainEvent(b"Name: Jos\xe9\nOther: a:b\n\n"), JsonEvent(b'{"Name":"Jos\xe9","Other":"a:b"}')):
        assert event["Name"] == "Jos\udce9"
        assert event["Other"] == "a:b"

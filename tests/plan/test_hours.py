"""Opening hours: what their text means, and what is refused and where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.errors import ConfigurationError
from cti.plan.hours import DAYS, LONGEST, BadHours, Span, day_hours, parse_days, parse_hours, parse_week, week

OFFICE = (Span(540, 720), Span(780, 1080))


def test_the_example():
    hours = parse_week("mon-fri 09:00-12:00, 13:00-18:00; sat 10:00-14:00")
    assert hours == (OFFICE,) * 5 + ((Span(600, 840),), ())
    assert [str(span) for span in hours[0]] == ["09:00-12:00", "13:00-18:00"]


@pytest.mark.parametrize(
    ("text", "days", "span"),
    [
        ("9:00-18:00", range(7), Span(540, 1080)),
        ("daily 00:00-24:00", range(7), Span(0, 1440)),
        ("DAILY 22:00-06:00", range(7), Span(1320, 1800)),
        ("mon, Wed,friday 9:00 - 10:00;", [0, 2, 4], Span(540, 600)),
        ("sat-mon 09:00\u201310:00", [5, 6, 0], Span(540, 600)),
        ("sun closed; mon-sat 9:00-10:00", range(6), Span(540, 600)),
        ("fri 12:00-00:00", [4], Span(720, 1440)),
    ],
)
def test_texts(text, days, span):
    assert parse_week(text) == tuple((span,) if day in days else () for day in range(7))


def test_closed_all_week():
    assert parse_week("closed") == week("hours", {}) == ((),) * 7


@pytest.mark.parametrize(
    ("text", "column", "expected", "found"),
    [
        ("", 1, "a day (mon, tue", "the end"),
        ("mon 9", 5, "a day, a time such as 09:00", "'9'"),
        ("mon", 4, "an opening time such as 09:00", "the end"),
        ("mon 09:00", 10, "'-'", "the end"),
        ("mon 09:00-", 11, "a closing time", "the end"),
        ("mon 09:00-9:00", 11, "another time than it opens at", "'9:00'"),
        ("mon 24:00-09:00", 5, "an opening time up to 23:59", "'24:00'"),
        ("mon 09:00-24:01", 11, "a time from 00:00 to 24:00", "'24:01'"),
        ("mon 09:60-10:00", 5, "a time from 00:00 to 24:00", "'09:60'"),
        ("mon 09:000-10:00", 5, "a day, a time", "'0'"),
        ("mon 09:00-12:00, 11:00-13:00", 18, "a time after 09:00-12:00 has closed", "'11:00'"),
        ("mon 22:00-02:00, 23:00-23:30", 18, "a time after 22:00-02:00", "'23:00'"),
        ("mon 9:00-10:00 11:00-12:00", 16, "',', ';' or the end", "'11:00'"),
        ("mon-fri 9:00-10:00; fri 9:00-10:00", 21, "each day once: fri has hours already", "'fri'"),
        ("mon, mon 9:00-10:00", 6, "each day once", "'mon'"),
        ("9:00-10:00; 11:00-12:00", 13, "each day once", "'11:00'"),
        ("mo 9:00-10:00", 1, "a day (mon", "'mo'"),
        ("周一 9:00-10:00", 1, "a day, a time", "'周一'"),
        ("mon \u0660\u0669:\u0660\u0660-10:00", 5, "a day, a time", "'\u0660\u0669:\u0660\u0660'"),
        ("mon closed, 9:00-10:00", 11, "',', ';' or the end", "','"),
        ("mon 9:00-10:00 & tue", 16, "a day, a time", "'&'"),
        ("x" * (LONGEST + 1), LONGEST + 1, "at most 4000 characters", "4001"),
    ],
)
def test_what_is_refused(text, column, expected, found):
    with pytest.raises(BadHours) as caught:
        parse_week(text)
    assert (caught.value.column, caught.value.found) == (column, found)
    assert expected in caught.value.expected
    assert str(caught.value).startswith(f"column {column}: expected ")


def test_as_data():
    assert week("hours", {"mon-fri": ["09:00-12:00", "13:00-18:00"], "sat": "10:00-14:00", "sun": []}) == parse_week(
        "mon-fri 09:00-12:00, 13:00-18:00; sat 10:00-14:00"
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (5, "hours is 5; it must be text"),
        ("x", "hours: column 1: expected a day"),
        ({"mun": "9:00-10:00"}, "hours: 'mun': column 1: expected a day"),
        ({5: "9:00-10:00"}, "hours: 5: column 1"),
        ({"mon": 5}, "hours: 'mon' is 5; it must be text"),
        ({"mon": [5]}, "hours: 'mon' is [5]; it must be text"),
        ({"mon": "9"}, "hours: 'mon': column 1: expected a day, a time"),
        ({"mon": "9:00-10:00; tue"}, "hours: 'mon': column 11: expected ',' or the end"),
        ({"mon-fri": "closed", "fri": "closed"}, "hours: 'fri': fri has hours already"),
    ],
)
def test_data_that_is_refused_is_named(value, message):
    with pytest.raises(ConfigurationError) as caught:
        week("hours", value)
    assert str(caught.value).startswith(message)


def test_one_day():
    assert day_hours("special", "09:00-12:00, 13:00-18:00") == parse_hours("9:00-12:00,13:00-18:00") == OFFICE
    assert parse_days("fri-sun") == {4, 5, 6}


@given(
    st.lists(st.integers(0, 1439), min_size=2, max_size=8, unique=True).map(sorted),
    st.sets(st.sampled_from(DAYS), min_size=1),
)
def test_what_is_written_is_what_is_read(bounds, days):
    spans = tuple(Span(opens, closes) for opens, closes in zip(bounds[::2], bounds[1::2], strict=False))
    hours = parse_week(f"{', '.join(days)} {', '.join(map(str, spans))}")
    assert hours == tuple(spans if day in days else () for day in DAYS)


@given(st.text(alphabet="monfrisat 0123456789:-,;", max_size=40) | st.text(max_size=40))
def test_no_text_raises_anything_else(text):
    try:
        column = len(parse_week(text)) // 7
    except BadHours as error:
        column = error.column
    assert 1 <= column <= len(text) + 1

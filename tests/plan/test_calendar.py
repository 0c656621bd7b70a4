"""Calendars: open or closed, over every kind of day and every change of the clock."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.errors import ConfigurationError
from cti.plan.calendar import Calendar
from cti.plan.hours import DAYS
from cti.plan.wall_clock import instant, local, unix

OFFICE = "mon-fri 09:00-12:00, 13:00-18:00; sat 10:00-14:00"


def moment(text, zone="Asia/Shanghai", fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def calendar(hours=OFFICE, zone="Asia/Shanghai", **more):
    return Calendar("office", hours, zone, **more)


@pytest.mark.parametrize(
    ("at", "is_open", "opens", "closes"),
    [
        ("2026-03-02 08:59:59.999999", False, "2026-03-02 09:00", "2026-03-02 12:00"),
        ("2026-03-02 09:00", True, "2026-03-02 13:00", "2026-03-02 12:00"),
        ("2026-03-02 11:59:59.999999", True, "2026-03-02 13:00", "2026-03-02 12:00"),
        ("2026-03-02 12:00", False, "2026-03-02 13:00", "2026-03-02 18:00"),
        ("2026-03-06 18:00", False, "2026-03-07 10:00", "2026-03-07 14:00"),
        ("2026-03-08 10:00", False, "2026-03-09 09:00", "2026-03-09 12:00"),
    ],
)
def test_a_week(at, is_open, opens, closes):
    office = calendar()
    for when in (moment(at), moment(at).timestamp(), moment(at).astimezone(UTC)):
        assert office.is_open(when) is is_open
        assert office.opens_next(when) == moment(opens)
        assert office.closes_next(when) == moment(closes)
    assert office.opens_next(moment(at)).tzinfo.key == "Asia/Shanghai"


def test_hours_over_midnight():
    bar = calendar("fri-sat 22:00-02:00; sun 02:00-03:00")
    assert not bar.is_open(moment("2026-03-06 01:00"))
    assert bar.is_open(moment("2026-03-07 01:59"))
    assert not bar.is_open(moment("2026-03-07 02:00"))
    # Saturday's hours run into Sunday's: no gap between.
    assert bar.closes_next(moment("2026-03-07 23:00")) == moment("2026-03-08 03:00")
    assert bar.opens_next(moment("2026-03-07 23:00")) == moment("2026-03-13 22:00")


def test_always_and_never():
    at = moment("2026-03-02 10:00")
    always, never = calendar("daily 00:00-24:00"), calendar({})
    assert always.is_open(at)
    assert not never.is_open(at)
    for one in (always, never):
        assert one.opens_next(at) is one.closes_next(at) is None


def test_always_but_for_a_day():
    office = calendar("00:00-24:00", closed=["2027-01-01"])
    at = moment("2026-03-02 10:00")
    assert office.closes_next(at) == moment("2027-01-01 00:00")
    assert office.opens_next(at) == moment("2027-01-02 00:00")


def test_what_lies_beyond_the_horizon_is_not_looked_for():
    office = calendar({}, special={"2030-01-01": "09:00-12:00"})
    assert office.opens_next(moment("2026-03-02 10:00")) is None
    assert office.opens_next(moment("2029-03-02 10:00")) == moment("2030-01-01 09:00")


def test_days_that_differ():
    office = calendar(
        closed=["2026-03-03", date(2026, 3, 10), "2026-03-16..2026-03-20"],
        special={
            "2026-03-04": "10:00-11:00",
            date(2026, 3, 11): ["10:00-11:00", "14:00-15:00"],
            "2026-03-12": "closed",
        },
        working=["2026-03-08"],
    )
    kinds = {day: office.on(date(2026, 3, day)).kind for day in range(1, 32)}
    assert {day for day, kind in kinds.items() if kind == "closed"} == {3, 10, 16, 17, 18, 19, 20}
    assert {day for day, kind in kinds.items() if kind == "special"} == {4, 11, 12}
    assert [day for day, kind in kinds.items() if kind == "working"] == [8]
    assert office.on(date(2026, 3, 8)).hours == office.on(date(2026, 3, 9)).hours
    assert office.opens_next(moment("2026-03-02 18:00")) == moment("2026-03-04 10:00")
    assert office.why(moment("2026-03-11 12:00")) == "closed: special wednesday, 10:00-11:00, 14:00-15:00"
    assert office.why(moment("2026-03-03 10:00")) == "closed: closed tuesday, closed all day"


# -- the clock is set forward, and back -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "hours", "opens", "closes", "minutes"),
    [
        # Berlin, 2026-03-29: 02:00 is 03:00 at once. 02:30 never comes.
        ("Europe/Berlin", "sun 02:30-04:00", "2026-03-29T03:00+02:00", "2026-03-29T04:00+02:00", 60),
        ("Europe/Berlin", "sun 01:00-02:30", "2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00", 60),
        ("Europe/Berlin", "sat 22:00-06:00", "2026-03-28T22:00+01:00", "2026-03-29T06:00+02:00", 420),
        # 2026-10-25: 03:00 is 02:00 again. 02:30 comes twice.
        ("Europe/Berlin", "sun 02:30-04:00", "2026-10-25T02:30+02:00", "2026-10-25T04:00+01:00", 150),
        ("Europe/Berlin", "sun 01:00-02:30", "2026-10-25T01:00+02:00", "2026-10-25T02:30+01:00", 150),
        ("Europe/Berlin", "sat 22:00-06:00", "2026-10-24T22:00+02:00", "2026-10-25T06:00+01:00", 540),
        # Lord Howe moves by half an hour.
        ("Australia/Lord_Howe", "sun 02:15-03:00", "2026-10-04T02:30+11:00", "2026-10-04T03:00+11:00", 30),
        # Cuba's 00:00 comes twice, and its 00:30 never in spring.
        ("America/Havana", "sat 20:00-24:00", "2026-10-31T20:00-04:00", "2026-11-01T00:00-05:00", 300),
        ("America/Havana", "sun 00:00-02:00", "2026-03-08T01:00-04:00", "2026-03-08T02:00-04:00", 60),
    ],
)
def test_changes_of_the_clock(zone, hours, opens, closes, minutes):
    office = calendar(hours, zone)
    opens, closes = datetime.fromisoformat(opens), datetime.fromisoformat(closes)
    # By their timestamps: Python finds a time that comes twice unequal to any time in another zone.
    assert office.opens_next(opens - timedelta(days=1)).timestamp() == opens.timestamp()
    assert office.closes_next(opens).timestamp() == closes.timestamp()
    assert (closes - opens) / timedelta(minutes=1) == minutes
    assert not office.is_open(opens - timedelta(microseconds=1))
    assert office.is_open(opens)
    assert office.is_open(closes - timedelta(microseconds=1))
    assert not office.is_open(closes)


def test_hours_that_never_come_are_not_open():
    office = calendar("sun 02:10-02:40", "Europe/Berlin")
    assert office.opens_next(moment("2026-03-28 12:00", "Europe/Berlin")) == moment("2026-04-05 02:10", "Europe/Berlin")


def test_a_date_that_never_came():
    # Samoa crossed the date line: after 2011-12-29 came 2011-12-31.
    office = calendar("thu-fri 22:00-24:00; sat 09:00-10:00", "Pacific/Apia")
    assert office.closes_next(moment("2011-12-29 23:00", "Pacific/Apia")) == moment("2011-12-31 00:00", "Pacific/Apia")
    assert office.opens_next(moment("2011-12-29 23:00", "Pacific/Apia")) == moment("2011-12-31 09:00", "Pacific/Apia")


ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/Havana", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia")
SPANS = st.lists(st.integers(0, 1439), min_size=2, max_size=6, unique=True).map(sorted)


def _week(draw):
    hours = {}
    for day in DAYS:
        bounds = draw(st.just([]) | SPANS)
        pairs = list(zip(bounds[::2], bounds[1::2], strict=False))
        if pairs and draw(st.booleans()):
            pairs[-1] = (pairs[-1][0], bounds[0] if bounds[0] < pairs[-1][0] else 1440)  # over midnight
        hours[day] = [f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in pairs]
    return hours


@st.composite
def calendars(draw):
    near = st.dates(date(2026, 3, 1), date(2026, 11, 30))
    closed = draw(st.sets(near, max_size=3))
    return calendar(_week(draw), draw(st.sampled_from(ZONES)), closed=closed, working=draw(st.sets(near)) - closed)


# The days on which these zones' clocks change come up often, others too.
MOMENTS = st.builds(
    lambda day, seconds: datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() + seconds,
    st.sampled_from(["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"]),
    st.floats(-86400, 2 * 86400),
) | st.floats(1.77e9, 1.80e9)


@settings(max_examples=100, deadline=None)
@given(calendars(), MOMENTS, st.floats(0, 1, exclude_max=True))
def test_is_open_agrees_with_the_next_changes(office, at, share):
    opens, closes = office.opens_next(at), office.closes_next(at)
    is_open = office.is_open(at)
    if opens is None and closes is None:
        assert not any(office.is_open(at + days * 43200.0) is not is_open for days in range(16))
        return
    assert is_open is (opens is None or (closes is not None and closes < opens))
    changes = closes if is_open else opens
    assert changes.timestamp() > at
    assert office.is_open(changes) is not is_open
    assert office.is_open(changes.timestamp() - 1e-6) is is_open
    between = at + (changes.timestamp() - at) * share
    assert office.is_open(min(between, changes.timestamp() - 1e-3)) is is_open or changes.timestamp() - at < 1e-3


@settings(max_examples=100, deadline=None)
@given(calendars(), MOMENTS)
def test_it_is_open_whenever_the_clock_shows_an_hour_of_opening(office, at):
    now = local(at, office.time_zone)
    minutes = now.hour * 60 + now.minute
    today, yesterday = (office.on(now.date() - timedelta(days=back)).hours for back in (0, 1))
    shown = any(span.opens <= minutes < span.closes for span in today) or any(
        span.opens <= minutes + 1440 < span.closes for span in yesterday
    )
    if office.time_zone.key == "Asia/Shanghai":  # no change of the clock: then only
        assert office.is_open(at) is shown
    # A skipped date is nobody's yesterday.
    elif shown:
        assert office.is_open(at)


@given(st.sampled_from(ZONES), st.dates(date(2005, 1, 1), date(2035, 1, 1)), st.integers(0, 2880), st.booleans())
def test_instants_show_the_time_they_are_of(zone, day, minutes, last):
    zone = ZoneInfo(zone)
    at = instant(day, minutes, zone, last=last)
    wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minutes)
    shown = local(at, zone)
    if shown.replace(tzinfo=None, fold=0) == wall:
        again = local(at + 1 if last else at - 1, zone).replace(tzinfo=None)
        assert shown.fold == 0 or last
        assert again != wall
    else:  # it never comes: the jump is over it
        assert local(at - 1, zone).replace(tzinfo=None) < wall < shown.replace(tzinfo=None)


# -- public holidays --------------------------------------------------------------------------------------------------


def test_china_s_holidays_and_the_weekends_that_make_up_for_them():
    # The State Council's notice for 2026: Spring Festival from 15 to 23 February, worked on the 14th and the 28th.
    office = calendar("mon-fri 09:00-18:00", holidays="CN")
    worked = {day for day in range(9, 29) if office.on(date(2026, 2, day)).hours}
    assert worked == {9, 10, 11, 12, 13, 14, 24, 25, 26, 27, 28}
    assert office.on(date(2026, 2, 14)).kind == "working"
    assert office.on(date(2026, 2, 17)).kind == "holiday"
    made_up = [day for year in (2024, 2025, 2026) for day in _days(year) if office.on(day).kind == "working"]
    assert [f"{day:%y%m%d}" for day in made_up] == [
        *("240204", "240218", "240407", "240428", "240511", "240914", "240929", "241012"),
        *("250126", "250208", "250427", "250928", "251011"),
        *("260104", "260214", "260228", "260509", "260920", "261010"),
    ]


def _days(year):
    return [date(year, 1, 1) + timedelta(days=n) for n in range(365)]


def test_holidays_in_any_order_of_asking():
    # 2011-12-31 makes up for a day off in January 2012.
    assert calendar("mon-fri 09:00-18:00", holidays="CN").on(date(2011, 12, 31)).kind == "working"


def test_a_subdivision_s_holidays_and_their_hours():
    bavaria = calendar("mon-fri 09:00-18:00", "Europe/Berlin", holidays="DE-BY", holiday_hours="10:00-12:00")
    berlin = calendar("mon-fri 09:00-18:00", "Europe/Berlin", holidays="DE", special={"2026-05-14": "09:00-10:00"})
    epiphany = moment("2026-01-06 15:00", "Europe/Berlin")
    assert not bavaria.is_open(epiphany)
    assert bavaria.is_open(epiphany.replace(hour=11))
    assert bavaria.day(epiphany).kind == "holiday"
    assert bavaria.why(epiphany).startswith("closed: holiday ")
    assert berlin.is_open(epiphany)
    assert berlin.on(date(2026, 5, 14)).kind == "special"  # what the calendar says of a date counts first


def test_the_holidays_package_is_asked_for_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    calendar()
    with pytest.raises(ConfigurationError, match=r"holidays is 'CN', but .*pip install 'cti\[holidays\]'"):
        calendar(holidays="CN")


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hours": "mon 9"}, "hours: column 5: expected"),
        ({"zone": "Asia/Shangai"}, "time_zone: unknown time zone 'Asia/Shangai'; did you mean 'Asia/Shanghai'?"),
        ({"zone": "../../etc/passwd"}, "time_zone: unknown time zone"),
        ({"zone": None}, "time_zone: unknown time zone None"),
        ({"closed": "2026-01-01"}, "closed is '2026-01-01'; it must be a list of dates"),
        ({"closed": ["2026-02-30"]}, "closed: '2026-02-30' is no date"),
        ({"closed": [5]}, "closed: 5 is no date"),
        ({"closed": ["20260101"]}, "closed: '20260101' is no date"),
        ({"closed": [datetime(2026, 1, 1, tzinfo=UTC)]}, "closed: datetime"),
        ({"closed": ["2026-01-02..2026-01-01"]}, "closed: '2026-01-02..2026-01-01' must run forwards"),
        ({"closed": ["2026-01-01..9999-01-01"]}, "closed: '2026-01-01..9999-01-01' must run forwards, over at most"),
        ({"special": ["2026-01-01"]}, "special is ['2026-01-01']; it must be date -> hours"),
        ({"special": {"2026-01-01": "9"}}, "special: 2026-01-01: column 1"),
        ({"working_as": "mo"}, "working_as is 'mo'; it must be one of 'mon'"),
        (
            {"working": ["2026-01-01"], "closed": ["2026-01-01"]},
            "calendar 'office': 2026-01-01 is in closed and in working",
        ),
        ({"holidays": 5}, "holidays is 5"),
        ({"holidays": "XX"}, "holidays: no country 'XX' is known"),
        ({"holidays": "DE-XX"}, "holidays: DE has no holidays of its own for 'XX'"),
        ({"holiday_hours": "9"}, "holiday_hours: column 1"),
    ],
)
def test_what_is_refused_is_named(wrong, message):
    with pytest.raises(ConfigurationError) as caught:
        calendar(**wrong)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "at",
    [datetime(2026, 1, 1), float("nan"), float("inf"), "now", None, True, 1e300, 10**400, -1e12],  # noqa: DTZ001
    ids=repr,
)
def test_what_is_no_instant(at):
    for ask in (calendar().is_open, calendar().opens_next, calendar().closes_next, calendar().day, unix):
        with pytest.raises(ConfigurationError, match=r"^at is "):
            ask(at)


def test_the_ends_of_time():
    always = calendar("00:00-24:00")
    for at in (datetime(10, 1, 1, tzinfo=UTC), datetime(9989, 12, 31, tzinfo=UTC)):
        assert always.is_open(at)
        assert always.opens_next(at) is None
    assert "Asia/Shanghai" in repr(always)

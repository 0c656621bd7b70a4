"""Figures by interval: sums that agree with the live ones, over ends of intervals, crashes and damaged files."""

from __future__ import annotations

import sqlite3
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.errors import ConfigurationError
from cti.model.figures import AgentFigures, QueueFigures
from cti.statistics import FigureBook, Statistics, begin_of, moment
from cti.statistics.book import FILE
from cti.statistics.interval import midnight

NOON = 1_772_366_400.0
"""2026-03-01T12:00Z."""


class Floor:
    """A centre that counts, and a clock: Unix time."""

    def __init__(self) -> None:
        self.at = NOON
        self.queues = {"claims": QueueFigures()}
        self.agents = {"ann": AgentFigures()}
        self.open_s = 0.0
        """How long ann has been ready without a pause; it is not in her figures yet."""

    def clock(self):
        return self.at

    def queue_figures(self):
        from attrs import evolve

        return {name: evolve(figures) for name, figures in self.queues.items()}

    def agent_figures(self, *, closed=False):
        from attrs import evolve

        for name, figures in self.agents.items():
            yield name, evolve(figures, ready_s=figures.ready_s + (0 if closed or name != "ann" else self.open_s))

    def advance(self, seconds):
        self.at += seconds
        self.open_s += seconds

    def calls(self, offered=0, answered=0, queue="claims"):
        figures = self.queues[queue]
        figures.offered += offered
        figures.answered += answered
        figures.waiting += offered - answered


@pytest.fixture
def floor():
    return Floor()


def begun(floor, directory, **more):
    made = Statistics(FigureBook(directory), clock=floor.clock, interval_s=1800, **more)
    made.start(floor)
    return made


def crashed(made):
    """It ends without a word."""
    made._greenlet.kill()


def offered(made, begin=0, end=1e12):
    return [(row.begins_at - NOON, row.figures.offered) for row in made.queue("claims", begin, end, 100)]


def test_what_is_counted_counts_in_the_interval_in_which_it_happened(floor, tmp_path):
    made = begun(floor, tmp_path)
    floor.calls(offered=3)
    floor.advance(1799)
    made.write()
    floor.advance(1)
    floor.calls(offered=1, answered=2)
    made.write()  # at the end of the interval
    floor.advance(10)
    floor.calls(offered=5)
    assert offered(made) == [(0, 4), (1800, 5)], "without a word to the disk: up to now"
    (first, second) = made.queue("claims", 0, 1e12, 100)
    assert (first.figures.answered, first.figures.waiting, second.figures.waiting) == (2, 2, 5)
    assert first.figures.adds_up
    assert second.figures.adds_up
    made.stop()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.integers(0, 3), st.sampled_from([1, 20, 700, 1800, 5000]), st.sampled_from("wcsn")
        ),
        max_size=25,
    )
)
def test_intervals_always_sum_up_to_what_is_live(tmp_path_factory, steps):
    """Whatever is written, read, stopped or crashed in between, with a journal that brings all back."""
    floor, directory = Floor(), tmp_path_factory.mktemp("book")
    made = begun(floor, directory)
    for came, went, seconds, what in steps:
        floor.calls(offered=came, answered=min(went, floor.queues["claims"].waiting))
        floor.advance(seconds)
        if what == "w":
            made.write()
        elif what != "n":
            made.stop() if what == "s" else crashed(made)
            made = begun(floor, directory)
    rows = made.queue("claims", 0, 1e12, 1000)
    live = floor.queues["claims"]
    for name in ("offered", "answered", "waiting"):
        assert sum(getattr(row.figures, name) for row in rows) == getattr(live, name)
    assert all(row.figures.adds_up for row in rows)
    made.stop()


def test_a_crash_loses_nothing_that_the_journal_brings_back(floor, tmp_path):
    made = begun(floor, tmp_path)
    floor.calls(offered=3, answered=1)
    made.write()
    floor.calls(offered=2)
    crashed(made)
    floor.advance(4000)  # nobody runs
    again = begun(floor, tmp_path)
    floor.calls(offered=1)
    assert offered(again) == [(0, 5), (3600, 1)]
    again.stop()


def test_without_a_journal_everything_is_counted_from_nothing_again(floor, tmp_path):
    made = begun(floor, tmp_path)
    floor.calls(offered=3)
    made.write()
    crashed(made)
    fresh = Floor()
    fresh.at = floor.at + 10
    again = begun(fresh, tmp_path)
    fresh.calls(offered=4)
    assert offered(again) == [(0, 7)]
    again.stop()


def test_a_journal_that_has_lost_a_moment_makes_nothing_count_twice(floor, tmp_path):
    made = begun(floor, tmp_path)
    floor.calls(offered=3)
    made.write()
    crashed(made)
    floor.queues["claims"] = QueueFigures(offered=2, waiting=2)
    again = begun(floor, tmp_path)
    assert offered(again) == [(0, 3)]
    floor.calls(offered=1)
    assert offered(again) == [(0, 4)]
    again.stop()


def test_an_agents_seconds_are_those_of_the_interval(floor, tmp_path):
    made = begun(floor, tmp_path)
    floor.advance(1800)
    made.write()
    floor.advance(600)
    first, second = made.agent("ann", 0, 1e12, 100)
    assert (first.figures.ready_s, second.figures.ready_s) == (1800, 600)
    made.write()
    crashed(made)
    floor.advance(1400)
    again = begun(floor, tmp_path)
    floor.advance(50)
    assert [row.figures.ready_s for row in again.agent("ann", 0, 1e12, 100)] == [1800, 600, 50], (
        "while nothing ran it is nobody's time"
    )
    again.stop()


def test_a_queue_that_is_begun_anew_and_an_agent_who_is_gone(floor, tmp_path):
    made = begun(floor, tmp_path)
    floor.calls(offered=3)
    made.write()
    floor.queues["claims"] = QueueFigures()
    del floor.agents["ann"]
    made.write()
    floor.calls(offered=1)
    made.write()
    assert sum(count for _, count in offered(made)) == 4
    made.stop()
    with sqlite3.connect(tmp_path / FILE) as database:
        assert database.execute("SELECT count(*) FROM baseline WHERE kind = 'agent'").fetchone() == (0,)


def test_what_was_counted_before_there_was_a_file_is_of_no_interval(floor, tmp_path):
    floor.calls(offered=500)
    made = begun(floor, tmp_path)
    floor.calls(offered=1)
    assert offered(made) == [(0, 1)]
    made.stop()


def test_the_day_is_the_sum_of_its_intervals_in_its_own_time_zone(floor, tmp_path):
    made = begun(floor, tmp_path, zone=ZoneInfo("Asia/Shanghai"))
    floor.calls(offered=2)
    floor.advance(3.9 * 3600)  # 19:54 there
    made.write()
    floor.calls(offered=3)
    floor.advance(600)  # 20:04
    made.write()
    floor.advance(4 * 3600)  # the next day there
    made.write()
    floor.calls(offered=7)
    today, yesterday = made.day(), made.day(NOON)
    assert [each.figures.offered for each in today.queues] == [7]
    assert [each.figures.offered for each in yesterday.queues] == [5]
    assert yesterday.begins_at == moment("2026-03-01", ZoneInfo("Asia/Shanghai"))
    assert made.midnight() == today.begins_at == yesterday.begins_at + 86400
    made.stop()


def test_days_are_as_long_as_they_are():
    berlin = ZoneInfo("Europe/Berlin")
    day = moment("2026-03-29T12:00", berlin)
    assert midnight(day, berlin, 1) - midnight(day, berlin) == 23 * 3600


def test_old_intervals_are_forgotten(floor, tmp_path):
    made = begun(floor, tmp_path, keep_s=3600)
    floor.calls(offered=1)
    made.write()
    floor.advance(7200)
    floor.calls(offered=1)
    made.write()
    made._forget()
    assert [at for at, _ in offered(made, NOON + 3600)] == [7200] or offered(made) == []
    assert not [at for at, _ in offered(made) if at == 0]
    made.stop()


def test_another_time_zone_and_retention_count_from_now_on(floor, tmp_path):
    made = begun(floor, tmp_path)
    floor.calls(offered=2)
    made.write()
    assert made.day().begins_at == NOON - 12 * 3600
    made.use(keep_s=3600, zone=ZoneInfo("Asia/Shanghai"))
    assert made.day().begins_at == moment("2026-03-01", ZoneInfo("Asia/Shanghai"))
    floor.advance(3 * 3600)
    made.write()
    made._forget()
    assert offered(made) == []
    made.stop()


def test_a_damaged_file_is_set_aside_and_a_new_one_begun(floor, tmp_path):
    made = begun(floor, tmp_path)
    floor.calls(offered=3)
    made.stop()
    (tmp_path / FILE).write_bytes(b"not a database" * 1000)
    again = begun(floor, tmp_path)
    floor.calls(offered=1)
    again.write()
    assert offered(again) == [(0, 1)]
    assert len(list(tmp_path.glob(f"{FILE}.damaged-*"))) == 1
    again.stop()


def test_a_file_that_is_damaged_while_it_is_in_use_is_set_aside_too(floor, tmp_path):
    made = begun(floor, tmp_path)
    floor.calls(offered=3)
    made.write()
    for file in tmp_path.glob(f"{FILE}*"):
        file.write_bytes(b"\xff" * 20_000)
    floor.calls(offered=1)
    made.write()
    assert offered(made) == [(0, 4)], "what is of this interval is in memory still"
    assert len([one for one in tmp_path.glob(f"{FILE}.damaged-*") if one.suffix.startswith(".damaged")]) == 1
    made.stop()


def test_a_disk_that_does_not_take_it_is_said_once_and_nothing_is_lost(floor, tmp_path, monkeypatch):
    said = []
    made = begun(floor, tmp_path, on_trouble=said.append)

    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    whole = made._book.write
    monkeypatch.setattr(made._book, "write", full)
    for _ in range(3):
        floor.calls(offered=1)
        floor.advance(1800)
        made.write()
    assert [one.over for one in said] == [False]
    monkeypatch.setattr(made._book, "write", whole)
    made.write()
    assert [one.over for one in said] == [False, True]
    crashed(made)
    again = begun(floor, tmp_path)
    assert sum(count for _, count in offered(again)) == 3
    again.stop()


def test_a_directory_that_is_not_ours(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        FigureBook(tmp_path / "file" / "below")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "9" * 400, "2026-03-01T25:00"])
def test_what_is_no_time(text):
    with pytest.raises(ConfigurationError, match="is no time; write it as"):
        moment(text, ZoneInfo("UTC"))


def test_times():
    assert moment("2026-03-01T12:00", ZoneInfo("UTC")) == NOON
    assert moment("2026-03-01T13:00+01:00", ZoneInfo("Asia/Shanghai")) == NOON
    assert begin_of(NOON + 1799.9, 1800) == NOON

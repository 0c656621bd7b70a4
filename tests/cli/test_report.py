"""`cti report`: figures of a time by interval, hour, day and in all, past calls, and every way it cannot be."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner

from cti.cli.report import report_command
from cti.errors import ConfigurationError, UnknownAgent, UnknownQueue
from cti.model.history import InteractionHistory, SegmentRecord
from cti.statistics import FigureBook
from cti.statistics.book import Entry
from cti.store import HistoryStore

MONDAY = 1_772_409_600.0
"""2026-03-02T00:00Z; one o'clock in Berlin."""
HALF = 1800.0
CLAIMS = {
    "offered": 10,
    "answered": 8,
    "answered_in_time": 6,
    "abandoned": 2,
    "short_abandoned": 1,
    "abandoned_in_time": 1,
    "wait_answered_s": 80.0,
    "handled": 8,
    "handle_s": 960.0,
    "hold_s": 60.0,
    "after_call_s": 100.0,
}
ANN = {
    "offers": 9,
    "answered": 8,
    "no_answers": 1,
    "ready_s": 840.0,
    "busy_s": 860.0,
    "hold_s": 60.0,
    "after_call_s": 100.0,
}
CENTRE = """
[switch]
password = "x"
[state]
directory = "state"
[statistics]
time_zone = "Europe/Berlin"
{more}
[queue.claims]
[queue.quiet]
[agent.ann]
contact = "user/1001"
"""


@pytest.fixture
def file(tmp_path):
    """Figures of four half hours: two before midnight in Berlin, two after it."""
    book = FigureBook(tmp_path / "state")
    intervals = {
        begin: {("queue", "claims"): CLAIMS, ("queue", "sales"): {"offered": 1, "answered": 1}, ("agent", "ann"): ANN}
        for begin in (MONDAY - 2 * 3600, MONDAY - 3600, MONDAY, MONDAY + HALF)
    }
    keys = frozenset({("queue", "claims"), ("queue", "sales"), ("agent", "ann")})
    book.write(Entry(MONDAY + 3600, HALF, intervals, {}, keys, frozenset()))
    path = tmp_path / "centre.toml"
    path.write_text(CENTRE.format(more=""))
    return path


def ran(*arguments) -> str:
    done = CliRunner().invoke(report_command, [str(each) for each in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def said(*arguments):
    return json.loads(ran(*arguments, "--format", "json"))


def test_a_day_of_the_operators_own_time_zone_by_interval(file):
    found = said(file, "--day", "2026-03-02")
    assert (found["begins"], found["ends"]) == ("2026-03-02T00:00:00+01:00", "2026-03-03T00:00:00+01:00")
    claims = [each for each in found["queues"] if each["queue"] == "claims"]
    assert [(each["begins"], each["length_s"]) for each in claims] == [
        ("2026-03-02T00:00:00+01:00", 1800),
        ("2026-03-02T01:00:00+01:00", 1800),
        ("2026-03-02T01:30:00+01:00", 1800),
    ]
    one = claims[0]
    assert {name: one[name] for name in CLAIMS} == CLAIMS
    assert (one["service_level"], one["asa_s"], one["aht_s"], one["talk_s"]) == (0.75, 10, 120, 800)
    assert one["service_level_negative"] == round(6 / 9, 3)
    assert one["abandon_rate"] == round(1 / 9, 3)
    ann = found["agents"][0]
    assert {name: ann[name] for name in ANN} == ANN
    assert (ann["agent"], ann["logged_on_s"], ann["occupancy"]) == ("ann", 1800, round(960 / 1800, 3))


@pytest.mark.parametrize(
    ("by", "begins", "offered"),
    [
        ("hour", ["01T23:00", "02T00:00", "02T01:00"], [10, 10, 20]),
        ("day", ["01T00:00", "02T00:00"], [10, 30]),
        ("total", ["01T00:00"], [40]),
    ],
)
def test_summed(file, by, begins, offered):
    found = said(file, "--since", "2026-03-01", "--until", "2026-03-03", "--by", by)
    claims = [each for each in found["queues"] if each["queue"] == "claims"]
    assert [each["begins"][8:16] for each in claims] == begins
    assert [each["offered"] for each in claims] == offered
    assert {each["service_level"] for each in claims} == {0.75}, "of the sums, not a mean of rates"


def test_only_what_is_named(file):
    time = ("--day", "2026-03-02", "--by", "day")
    assert [each["queue"] for each in said(file, *time)["queues"]] == ["claims", "sales"]
    found = said(file, *time, "--queue", "sales")
    assert ([each["queue"] for each in found["queues"]], found["agents"]) == (["sales"], [])
    found = said(file, *time, "--agent", "ann")
    assert ([each["agent"] for each in found["agents"]], found["queues"]) == (["ann"], [])
    assert said(file, *time, "--queue", "quiet")["queues"] == [], "it is in the file, and nothing came"
    with pytest.raises(UnknownQueue, match="did you mean 'claims'"):
        ran(file, *time, "--queue", "claim")
    with pytest.raises(UnknownAgent):
        ran(file, *time, "--agent", "bob")


def test_a_table_for_people(file):
    table = ran(file, "--day", "2026-03-02", "--by", "day")
    (line,) = [line for line in table.splitlines() if "claims" in line]
    cells = [cell.strip() for cell in line.strip("│|").split("│")]
    assert cells == [
        *("2026-03-02 00:00", "claims", "30", "24", "18", "6", "0", "75.0 %"),
        *("0:00:10", "0:40:00", "0:03:00", "0:05:00", "0:02:00"),
    ]
    (line,) = [line for line in table.splitlines() if "ann " in line]
    assert "53.3 %" in line
    empty = ran(file, "--day", "2020-01-01")
    assert "no queues: nothing was counted" in empty


def test_csv_for_spreadsheets(file):
    text = ran(file, "--day", "2026-03-02", "--format", "csv")
    queues, agents = text.split("\n\n")
    rows = list(csv.DictReader(io.StringIO(queues)))
    assert [(row["queue"], row["offered"], row["service_level"]) for row in rows[:2]] == [
        ("claims", "10", "0.75"),
        ("sales", "1", "0.0"),
    ]
    assert [row["agent"] for row in csv.DictReader(io.StringIO(agents))] == ["ann"] * 3
    assert ran(file, "--day", "2020-01-01", "--format", "csv") == ""


def test_of_a_directory_without_its_configuration(file):
    found = said(file.parent / "state", "--day", "2026-03-01", "--by", "day")
    assert [each["offered"] for each in found["queues"] if each["queue"] == "claims"] == [20], "a day of UTC"
    assert (
        said(file.parent / "state", "--day", "2026-03-01", "--by", "day", "--time-zone", "Europe/Berlin")["queues"][0][
            "offered"
        ]
        == 10
    )


def test_it_changes_nothing_and_needs_no_right_to(file):
    state = file.parent / "state"
    before = {path.name: path.read_bytes() for path in state.iterdir()}
    state.chmod(0o500)
    try:
        assert said(file, "--day", "2026-03-02")["queues"]
    finally:
        state.chmod(0o700)
    assert {path.name: path.read_bytes() for path in state.iterdir()} == before


def test_what_is_wrong_is_said(file, tmp_path):
    def refused(*arguments) -> str:
        with pytest.raises(ConfigurationError) as caught:
            ran(*arguments)
        return str(caught.value)

    assert "--day: 'monday' is no time" in refused(file, "--day", "monday")
    assert "--since: '2026-13-01' is no time" in refused(file, "--since", "2026-13-01")
    assert "give --day, or --since and --until" in refused(file, "--day", "2026-03-01", "--since", "2026-03-01")
    assert "is not after --since" in refused(file, "--since", "2026-03-02", "--until", "2026-03-01")
    assert "there is no time zone 'Berlin'" in refused(file, "--time-zone", "Berlin")
    assert "there is no [history]" in refused(file, "--calls")
    assert "history.db: the daemon makes it" in refused(tmp_path / "state", "--calls")
    (tmp_path / "empty").mkdir()
    assert "there is no" in refused(tmp_path / "empty")
    (tmp_path / "state" / "figures.sqlite3").write_bytes(b"garbage" * 1000)
    for beside in tmp_path.glob("state/figures.sqlite3-*"):
        beside.unlink()
    assert "cannot be read" in refused(file)
    file.write_text(CENTRE.replace('[state]\ndirectory = "state"', "").format(more=""))
    assert "there is no [state]" in refused(file)


def history(n: int, queue: str = "claims", agent: str = "ann", number: str = "138") -> InteractionHistory:
    began = MONDAY + n * 60

    def part(kind: str, side: str, of: str | None, at: float, length_s: float) -> SegmentRecord:
        begin = began + at
        return SegmentRecord(kind, side, "leg", of, queue, begin, begin + length_s, length_s, "newCall", None, "", None)

    return InteractionHistory(
        interaction=f"call-{n:05}",
        previous=None,
        interaction_kind="call",
        switch="fs",
        calling_number=number,
        calling_name="",
        called_number="5000",
        queue=queue,
        state="cleared",
        began=began,
        ended=began + 50,
        ended_by="caller",
        ended_by_agent=None,
        cause="normalClearing",
        switch_cause="NORMAL_CLEARING",
        agents=(agent,),
        data={},
        segments=(
            part("queued", "caller", None, 0, 5),
            part("talk", "agent", agent, 5, 30),
            part("hold", "agent", agent, 35, 10),
            part("hold", "caller", None, 35, 10),
            part("wrap-up", "agent", agent, 50, 7),
        ),
    )


@pytest.fixture
def with_calls(file, tmp_path):
    store = HistoryStore(str(tmp_path / "state" / "history.db"))
    for n in range(2100):
        store.take(history(n, queue="sales" if n % 3 == 0 else "claims", agent="bob" if n % 5 == 0 else "ann"))
    store.take(history(2100, number="=HYPERLINK(1)"))
    store.close()
    file.write_text(CENTRE.format(more="[history]\n"))
    return file


def test_past_calls(with_calls):
    time = ("--since", "2026-03-01", "--until", "2026-03-10", "--calls")
    found = said(with_calls, *time)["calls"]
    assert [each["call"] for each in found] == [f"call-{n:05}" for n in range(2101)], "more than one search finds"
    assert found[0] == {
        "began": "2026-03-02T01:00:00+01:00",
        "ended": "2026-03-02T01:00:50+01:00",
        "call": "call-00000",
        "kind": "call",
        "calling_number": "138",
        "called_number": "5000",
        "queue": "sales",
        "agents": "bob",
        "waited_s": 5,
        "talk_s": 30,
        "hold_s": 10,
        "after_call_s": 7,
        "ended_by": "caller",
        "cause": "normalClearing",
    }
    assert said(with_calls.parent / "state", *time, "--time-zone", "Europe/Berlin")["calls"] == found
    of_both = said(with_calls, *time, "--queue", "sales", "--agent", "bob")["calls"]
    assert len(of_both) == len([n for n in range(2100) if n % 15 == 0])
    one_day = said(with_calls, "--day", "2026-03-02", "--calls")["calls"]
    assert len(one_day) == 23 * 60
    table = ran(with_calls, "--since", "2026-03-02T01:00", "--until", "2026-03-02T01:01", "--calls")
    assert "2026-03-02 01:00:00" in table
    assert "0:00:30" in table
    (last,) = csv.DictReader(
        io.StringIO(
            ran(with_calls, "--since", "2026-03-03T12:00", "--until", "2026-03-04", "--calls", "--format", "csv")
        )
    )
    assert last["calling_number"] == "'=HYPERLINK(1)", "no spreadsheet takes it for a formula"


def test_calls_that_nobody_kept_yet(file):
    file.write_text(CENTRE.format(more="[history]\n"))
    with pytest.raises(ConfigurationError, match=r"there is no .*history\.db: the daemon makes it"):
        ran(file, "--calls")
    assert not (file.parent / "state" / "history.db").exists()

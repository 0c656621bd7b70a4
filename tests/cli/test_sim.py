"""`cti sim`: its figures, its table, its messages."""

from __future__ import annotations

import gc
import io
import json
import sys

import pytest
from click.testing import CliRunner
from rich.console import Console

from cti.cli import sim_table
from cti.cli.main import main
from cti.cli.sim import sim
from cti.simulation import Report
from cti.simulation.report import Estimate, WaitFigures
from cti.simulation.watch import Violation

FEW = ("--calls", "60", "--arrival-rate", "120", "--agents", "6")


@pytest.fixture(autouse=True)
def _collector_as_before():
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def ran(*flags, width="100"):
    return CliRunner(env={"COLUMNS": width}).invoke(sim, flags, catch_exceptions=False)


def test_the_figures_of_one_run():
    result = ran(*FEW)
    assert result.exit_code == 0
    assert result.output.startswith("6 agents; 60 calls, 120 an hour, of 180 s; callers wait 120 s\n")
    assert "offered load 6.6 erlangs" in result.output
    shown = dict(line.split(None, 1) for line in result.output.splitlines() if len(line.split(None, 1)) == 2)
    assert shown["offered"].strip() == "60"
    assert shown["invariants"].strip() == "none broken, every call accounted for, nobody stuck"


def test_json_is_the_report_and_the_same_for_a_seed():
    first, second, other = (json.loads(ran(*FEW, "--json", "--seed", seed).output) for seed in ("3", "3", "4"))
    assert first["offered"] == 60
    assert first["answered"] + first["abandoned"] + first["overflowed"] + first["lost"] == 60
    assert first["sound"]
    assert first["decisions_sha256"] == second["decisions_sha256"] != other["decisions_sha256"]
    assert set(first["waits"]["percentiles_s"]) == {"50", "90", "95", "99"}


def test_several_numbers_of_agents_are_compared():
    result = ran("--calls", "60", "--agents", "14..17", width="80")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    header = next(at for at, line in enumerate(lines) if line.split()[:3] == ["agents", "service", "level"])
    rows = [line.split() for line in lines[header + 1 : header + 5]]
    assert [row[0] for row in rows] == ["14", "15", "16", "17"]
    assert sum("█" in line for line in lines) == 4
    assert max(map(len, lines)) <= 80
    assert len(json.loads(ran("--calls", "20", "--agents", "14..15", "--json").output)) == 2


def test_callers_who_wait_for_ever_and_too_few_agents():
    result = ran("--calls", "40", "--agents", "2", "--patience", "none", "--arrival-rate", "60")
    assert result.exit_code == 0
    assert "callers wait for ever" in result.output
    assert "2 agents cannot carry that" in result.output
    assert "abandoned      0" in result.output


def test_faults_are_counted():
    result = ran("--calls", "100", "--agents", "10", "--arrival-rate", "150", "--faults", "heavy")
    assert result.exit_code == 0
    assert "links dropped" in result.output


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--agents", "many"), "'many' is no number of agents; write 20, or 18..26"),
        (("--agents", "9..5"), "the lower number first"),
        (("--agents", "0"), "from 1 to 20000 agents"),
        (("--agents", "1..500"), "asks for 500 runs; 100 at most"),
        (("--agents", "٣"), "is no number of agents"),
        (("--patience", "0"), "neither a number of seconds above 0 nor none"),
        (("--patience", "nan"), "neither a number of seconds above 0 nor none"),
        (("--patience", "long"), "neither a number of seconds above 0 nor none"),
        (("--calls", "0"), "--calls"),
        (("--arrival-rate", "0"), "--arrival-rate"),
        (("--arrival-rate", "nan"), "--arrival-rate"),
        (("--handle-time", "-1"), "--handle-time"),
        (("--faults", "some"), "'none'"),
        (("--strategy", "longest-idel"), "longest-idle"),
    ],
)
def test_bad_flags_are_said_in_one_line(monkeypatch, capsys, flags, said):
    monkeypatch.setattr(sys, "argv", ["cti", "sim", "--calls", "1", *flags])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    [line] = captured.err.splitlines()
    assert said in line


def report(**changes):
    waits = WaitFigures(None, 0.0, dict.fromkeys((50, 90, 95, 99)))
    nothing = Estimate(None, None)
    plain = {
        "agents": 1,
        "offered": 4,
        "answered": 3,
        "abandoned": 0,
        "overflowed": 0,
        "lost": 0,
        "unseen": 0,
        "unaccounted": 1,
        "waits": waits,
        "waits_answered": waits,
        "service_level": None,
        "abandoned_share": None,
        "occupancy": None,
        "mean_wait": nothing,
        "delayed": nothing,
        "in_time": nothing,
        "abandons": nothing,
        "violations": 1,
        "violations_named": (Violation(12.5, "Bridged", "agent a is busy without a living connection"),),
        "stuck": ("agent a is busy",),
        "faults": {},
        "decisions": 3,
        "decisions_sha256": "0" * 64,
        "facts": 30,
        "virtual_s": 100.0,
        "wall_s": 0.1,
    }
    return Report(**{**plain, **changes})


@pytest.mark.parametrize("width", [80, 140])
def test_what_is_wrong_is_named_in_either_form(width):
    for shown in (sim_table.single(report()), sim_table.comparison([report(), report(agents=2)], width)):
        console = Console(width=width, record=True, file=io.StringIO())
        console.print(shown)
        text = console.export_text()
        assert "12.500 s Bridged: agent a is busy without a living connection" in text
        assert "1 calls" in text
        assert max(map(len, text.splitlines())) <= width


def test_a_bar_is_as_long_as_its_share():
    lines = [line.plain for line in sim_table.plot([report(service_level=0.5), report(service_level=1.0)], 40)]
    assert lines[1].count("█") == 20
    assert lines[2].count("█") == 40


def test_a_run_that_is_not_sound_ends_with_1(monkeypatch):
    monkeypatch.setattr("cti.cli.sim.Simulation", lambda _: type("Wrong", (), {"run": lambda *_: report()})())
    assert ran("--calls", "4", "--agents", "1").exit_code == 1


CENTRE = """
[switch]
address = "${NOBODY_SETS_THIS}"
password = "x"
[queue.sales]
requires = "sales"
max_wait_s = 60
overflow = { script = "offer" }
[queue.claims]
requires = "claims"
[agent.ann]
contact = "user/1001"
skills = { sales = 1, claims = 1 }
[agent.bob]
contact = "user/1002"
skills = { sales = 1 }
[scripts]
offer = "no_such_module:offer"
"""


@pytest.fixture
def centre(tmp_path):
    file = tmp_path / "centre.toml"
    file.write_text(CENTRE)
    return str(file)


def test_a_configurations_queues_and_agents_with_callers_made_up(centre):
    flags = (centre, "--calls", "60", "--arrival-rate", "60", "--share", "sales=2", "--share", "claims=1")
    result = ran(*flags)
    assert result.exit_code == 0, result.output
    assert "2 agents; ring 4 s; seed 1\nsales: 40 calls, 40 an hour" in result.output
    assert "claims: 20 calls, 20 an hour" in result.output
    report = json.loads(ran(*flags, "--json").output)
    assert report["sound"]
    assert report["offered"] == 60


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--agents", "3"), "--agents is what centre.toml says"),
        (("--wrap-up", "3"), "--wrap-up is what centre.toml says"),
        (("--share", "slaes=1"), "has no queue 'slaes'"),
        (("--share", "sales=0"), "'sales=0' is no share"),
        (("--share", "sales"), "'sales' is no share"),
    ],
)
def test_flags_that_make_no_sense_with_a_configuration(centre, monkeypatch, capsys, flags, said):
    monkeypatch.setattr(sys, "argv", ["cti", "sim", centre, *flags])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_share_without_a_configuration(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["cti", "sim", "--share", "sales=1"])
    with pytest.raises(SystemExit):
        main()
    assert "--share needs a configuration" in capsys.readouterr().err

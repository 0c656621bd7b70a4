"""`cti journal`, run as a user runs it."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pytest

from tests.engine.story import Story
from tests.store.recording import files, record

CTI = [sys.executable, "-c", "from cti.cli.main import main; main()"]


def run(*arguments: str, cwd: object = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CTI, "journal", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False, cwd=cwd
    )


@pytest.fixture(scope="module")
def told():
    """Zoe takes a call that Ann, who is the better one, might have had; Ann takes the next."""
    s = Story(getrandbits=random.Random(42).getrandbits, now=1000.0)
    s.queue("sales", requires="talk")
    s.agent("zoe", skills={"talk": 1})
    s.advance(1)
    s.agent("ann", skills={"talk": 9})
    for name in ("zoe", "ann"):
        s.advance(10)
        call = s.waiting("sales")
        s.advance(3)
        s.take(name)
        s.advance(30)
        s.hang_up(call)
        for leg in [leg.id for leg in s.world.connections.values()]:
            s.cleared(leg)
    s.advance(1)
    s.not_ready("ann")
    return s.told


@pytest.fixture
def directory(tmp_path, told):
    record(tmp_path / "journal", told, segment_bytes=2_500)
    assert len(files(tmp_path / "journal")) > 1
    return tmp_path / "journal"


def test_info_says_what_is_in_it(directory, told):
    done = run("info", directory)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(told)} facts, 2 offers, 0 requests refused" in done.stdout
    assert "000001.ctij" in done.stdout
    assert done.stdout.endswith("sound\n")
    found = json.loads(run("info", directory, "--json").stdout)
    assert (found["facts"], found["sound"], found["facts_by_kind"]["Bridged"]) == (len(told), True, 2)
    assert [segment["file"] for segment in found["segments"]] == [path.name for path in files(directory)]


def test_info_says_what_is_torn(directory):
    path = files(directory)[-1]
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(b"\0" * 100)
    done = run("info", directory)
    assert done.returncode == 1
    assert f"torn tail: 100 bytes at {size}: zeros" in done.stdout
    (damage,) = json.loads(run("info", directory, "--json").stdout)["segments"][-1]["damages"]
    assert (damage["offset"], damage["bytes"], damage["tail"]) == (size, 100, True)


def test_replay_says_the_same(directory, told):
    done = run("replay", directory)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{len(told)} facts of {len(files(directory))} segments")
    assert done.stdout.endswith("the same: every decision is as it was\n")
    found = json.loads(run("replay", directory, "--json").stdout)
    assert (found["same"], found["facts"], found["first_difference"]) == (True, len(told), None)


def test_replay_between_two_times(directory, told):
    done = run("replay", directory, "--from", "1970-01-01T00:17:00+00:00", "--to", "1970-01-01T00:17:10Z", "--json")
    assert json.loads(done.stdout)["facts"] == sum(1020 <= at <= 1030 for _, at in told)
    assert run("replay", directory, "--from", "2400-01-01").returncode == 1  # nothing left to replay


def test_replay_names_the_first_difference(directory, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from cti.routing import SkillRouter\n"
        "class Mine(SkillRouter):\n"
        "    def __init__(self, **more):\n"
        "        super().__init__('most-skilled', **more)\n"
    )
    done = run("replay", directory, "--router", "mine:Mine", cwd=tmp_path)
    assert done.returncode == 1
    assert "NOT the same" in done.stdout
    assert "was offered to zoe, now call" in done.stdout
    found = json.loads(run("replay", directory, "--router", "mine:Mine", "--json", cwd=tmp_path).stdout)
    assert found["first_difference"]["at"] == 1011.0


def test_compare_prints_what_would_have_changed(directory):
    done = run("compare", directory, "--strategy", "most-skilled")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 calls go to another agent, 0 end otherwise" in done.stdout
    assert "answered by zoe after 3.0 s -> answered by ann after 3.0 s" in done.stdout
    assert "Both routers are simulated" in done.stdout
    found = json.loads(run("compare", directory, "--strategy", "most-skilled", "--json").stdout)
    assert found["recorded"]["by_agent"] == found["before"]["by_agent"] == {"zoe": 1, "ann": 1}
    assert found["after"]["by_agent"] == {"ann": 2}
    assert found["replay"]["same"] is True


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--strategy", "most-skiled"], "unknown strategy 'most-skiled'; did you mean 'most-skilled'?"),
        (["--router", "nowhere:Mine"], "router 'nowhere:Mine': No module named 'nowhere'"),
        (["--router", "cti.errors:CtiError"], "which is not a class of Router"),
        (["--router", "cti.routing"], "write package.module:Class"),
        (["--strategy", "most-skilled", "--from", "yesterday"], "--from 'yesterday'"),
        ([], "give either --strategy or --router"),
    ],
)
def test_wrong_use_is_named(directory, arguments, says):
    done = run("compare", directory, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_directory_without_a_journal(tmp_path):
    for command in ("info", "replay"):
        done = run(command, tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert "there are no segments" in done.stderr

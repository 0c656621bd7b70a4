"""`cti demo`, run as a user runs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from cti.sim import SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer

CTI = [sys.executable, "-c", "from cti.cli.main import main; main()"]


def run(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CTI, *arguments], capture_output=True, text=True, timeout=timeout, check=False)


def test_the_summary_as_json_adds_up():
    done = run("demo", "--seconds", "4", "--rate", "4", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    gone = sum(summary[name] for name in ("answered", "abandoned", "overflowed", "lost", "left", "waiting"))
    assert summary["offered"] == gone > 0
    assert summary["answered"] > 0
    assert summary["offered"] == sum(queue["offered"] for queue in summary["queues"].values())
    assert summary["answered"] == sum(agent["calls"] for agent in summary["agents"].values())
    assert summary["adds_up"] is True


def test_without_a_terminal_a_line_a_second_and_a_summary():
    done = run("demo", "--seconds", "3", "--rate", "4")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len([line for line in lines if line.startswith("offered=")]) >= 2
    found = re.search(
        r"^offered (\d+) = answered (\d+) \+ abandoned (\d+) \+ overflowed (\d+) \+ lost (\d+) \+ left (\d+) "
        r"\+ taken as callback (\d+) \+ still waiting (\d+)$",
        done.stdout,
        re.MULTILINE,
    )
    assert found is not None, done.stdout
    offered, *parts = map(int, found.groups())
    assert offered == sum(parts) > 0


def test_nothing_listens():
    done = run("demo", "--seconds", "1", "--switch", "127.0.0.1:9")
    assert (done.returncode, done.stdout) == (10, "")
    assert "127.0.0.1:9" in done.stderr
    assert "Is FreeSWITCH running" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("refuses", "password", "status", "says"),
    [(False, "wrong", 12, "password"), (True, "ClueCon", 11, "access list")],
)
def test_a_switch_that_does_not_let_us_in(refuses, password, status, says):
    switch = SimulatedSwitch(GeventScheduler())
    switch.reject_connections = refuses
    server = SimServer(switch)
    server.start()
    try:
        host, port = server.address
        from gevent import subprocess as green

        process = green.Popen(
            [*CTI, "demo", "--seconds", "1", "--switch", f"{host}:{port}", "--password", password],
            stdout=green.PIPE,
            stderr=green.PIPE,
        )
        _, said = process.communicate(timeout=30)
    finally:
        server.stop()
    assert process.returncode == status
    assert says in said.decode()
    assert "Traceback" not in said.decode()
    assert password not in said.decode().replace("refuses the password", "")


@pytest.mark.parametrize("wrong", [["--switch", "here:there"], ["--rate", "0"], ["--seconds", "soon"]])
def test_wrong_use_is_a_message_and_status_2(wrong):
    done = run("demo", *wrong)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr

"""The examples of docs/event-socket.md run, and print what the page says they print."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import gevent
import pytest
from gevent import subprocess

from cti.sim import SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer

PAGE = Path(__file__).parents[1] / "docs" / "event-socket.md"
BLOCK = re.compile(r"```(python|sh)\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
EXAMPLES = BLOCK.findall(PAGE.read_text()) if PAGE.exists() else []
CTI = [sys.executable, "-c", "from cti.cli.main import main; main()"]


@pytest.fixture
def port():
    server = SimServer(SimulatedSwitch(GeventScheduler(), seed=1, heartbeat_s=0.05))
    server.start()
    yield str(server.address[1])
    server.stop()


def run(arguments, folder):
    # The tests' own environment, so that the same cti is found, wherever it is installed.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with gevent.Timeout(30):
        return subprocess.run(
            arguments,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )


@pytest.mark.parametrize(("language", "source", "expected"), EXAMPLES)
def test_the_example_runs(language, source, expected, port, tmp_path):
    source = source.replace("8021", port)
    commands = (
        [[sys.executable, "-c", source]]
        if language == "python"
        else [[*CTI, *line.split()[1:]] for line in source.splitlines()]
    )
    for command in commands:
        done = run(command, tmp_path)
        assert done.returncode == 0, done.stderr
        printed = [line for line in done.stdout.splitlines() if not re.match(r"\d{4}-\d\d-\d\d |event HEARTBEAT", line)]
        if expected:
            assert printed == expected.splitlines()


def test_every_example_is_found():
    if not PAGE.exists():
        pytest.skip("no docs/ beside the tests")
    assert len(EXAMPLES) == PAGE.read_text().count("```python") + PAGE.read_text().count("```sh") >= 5

"""What the README shows runs as printed, and its error table is true."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cti import errors
from cti.cli.main import exit_status

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
QUICKSTART, SIMULATED = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[:2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_listener(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "the simulated switch does not listen"
        else:
            return


def test_the_quickstart_routes_a_call_of_the_simulated_switch(tmp_path):
    # As printed, but for the port, which may be taken here, and the pace.
    port = free_port()
    served = tmp_path / "served.py"
    served.write_text(SIMULATED.replace("8021", str(port)).replace("gevent.sleep(10)", "gevent.sleep(0.5)"))
    program = tmp_path / "quickstart.py"
    program.write_text(QUICKSTART.replace("8021", str(port)), encoding="utf-8")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([sys.executable, served], env=environment) as switch:
        try:
            wait_for_listener(port)
            with subprocess.Popen(
                [sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
            ) as centre:
                try:
                    assert centre.stdout is not None
                    lines = iter(centre.stdout.readline, "")
                    said = next(line for line in lines if "13800000008" in line)
                finally:
                    centre.terminate()
        finally:
            switch.terminate()
    assert re.match(r"(alice|bob): 13800000008 from claims after \d+\.\d s", said)


def test_the_quickstart_is_about_twenty_five_lines():
    assert len([line for line in QUICKSTART.splitlines() if line.strip()]) <= 25


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.ConnectFailed(""), 10),
        (errors.AccessDenied(""), 11),
        (errors.AuthenticationFailed(""), 12),
        (errors.SwitchTooOld(""), 13),
        (errors.LinkClosed(""), 14),
        (errors.UnknownAgent("x"), 2),
        (errors.ConfigurationError(""), 2),
        (errors.JobTimeout(""), 1),
    ],
)
def test_each_error_has_the_exit_status_the_readme_says(error, status):
    assert exit_status(error) == status
    if status >= 10:
        assert f"| {status} |" in README


def test_every_relative_link_leads_somewhere():
    root = Path(__file__).parent.parent
    for page in (root / "README.md", *sorted((root / "docs").glob("*.md"))):
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"

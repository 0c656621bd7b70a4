"""`cti demo` against a real FreeSWITCH, which plays the callers and the agents' phones itself."""

from __future__ import annotations

import json
import sys

import gevent
import pytest
from gevent import subprocess

from .freeswitch_process import FreeSwitchProcess

pytestmark = pytest.mark.live


def test_the_demo_on_freeswitch_adds_up_and_leaves_nothing_behind(switch: FreeSwitchProcess):
    command = [sys.executable, "-c", "from cti.cli.main import main; main()", "demo", "--seconds", "10", "--rate", "3"]
    process = subprocess.Popen(
        [*command, "--switch", switch.address, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with gevent.Timeout(90, AssertionError("the demo did not end")):
        said, wrong = process.communicate()
    assert process.returncode == 0, wrong.decode()
    summary = json.loads(said)
    gone = sum(summary[name] for name in ("answered", "abandoned", "overflowed", "lost", "left", "waiting"))
    assert summary["offered"] == gone >= 10
    assert summary["answered"] >= 3

"""Every example runs, as a user runs it, against a simulated switch."""

from __future__ import annotations

import sys
from pathlib import Path

import gevent
import pytest
from gevent import subprocess

from cti.sim import SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer

EXAMPLES = Path(__file__).parent.parent / "examples"


CLIENTS = ("agent_client.py", "wallboard_client.py", "crm_webhook.py")
"""They talk to a centre and not to a switch: tests/api and tests/web run them."""


@pytest.mark.parametrize("example", sorted({path.name for path in EXAMPLES.glob("*.py")} - set(CLIENTS)))
def test_it_runs(example):
    switch = SimulatedSwitch(GeventScheduler(), seed=1)
    for user in ("1001", "1002"):
        switch.phones.add(f"user/{user}")
    server = SimServer(switch)
    server.start()
    host, port = server.address
    process = subprocess.Popen(
        [sys.executable, "-u", str(EXAMPLES / example), f"{host}:{port}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        caller = switch.incoming(calling_number="138", called_number="5000", talk_s=0.2)
        with gevent.Timeout(30, AssertionError("the call never ended")):
            while not caller.ended:
                gevent.sleep(0.01)
    finally:
        process.terminate()
        said = process.communicate()[0].decode()
        server.stop()
    assert caller.connected, said
    assert "Traceback" not in said
    assert "138" in said

"""Attached data survive us on the channels of a real FreeSWITCH, typed, with no journal."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from gevent import subprocess

from cti import CallCenter, events
from cti.model.attached_data import MOST_BYTES

from .test_line import Watch

pytestmark = pytest.mark.live

DATA: dict[str, Any] = {
    "policy": "4711; park_after_bridge=x} {a=b} 'q' \"r\" 愛麗絲",
    "visits": 3,
    "paid": True,
    "raw": b"\x00\xff",
    "claims": [{"id": 7, "open": None}, 2.5],
}
FILL = {"notes": "n" * (MOST_BYTES - 400)}
_PROCESS = """
import sys
import gevent
from cti.model.states import InteractionState
from tests.live.test_attached_data import DATA, FILL, a_centre

centre = a_centre(*sys.argv[1:4])
centre.start()
centre.agent("ann").log_on(ready=True)
world = centre._loop.engine.world
with gevent.Timeout(30):
    while sorted(c.state.value for c in world.interactions.values()) != ["established", "queued"]:
        gevent.sleep(0.02)
for call in list(world.interactions):
    centre.attach(call, {**DATA, **FILL, "gone": None, "_card": "1111"})
caller = next(c.caller for c in world.interactions.values())
assert centre.switch.api("uuid_getvar", f"{caller} cti_attached") != "_undef_"
print("attached", flush=True)
gevent.sleep(60)
"""


def a_centre(address: str, password: str, contact: str = "user/nobody") -> CallCenter:
    centre = CallCenter(address, password)
    for queue in ("talk", "wait"):
        centre.add_queue(queue, requires=queue)
    centre.add_agent("ann", contact, skills={"talk": 1})
    centre.on_call("5001")(lambda call: call.queue("talk", data={"gone": 1}))
    centre.on_call("5002")(lambda call: call.queue("wait", data={"gone": 1}))
    return centre


def test_our_process_is_killed_and_the_switch_alone_brings_the_data_back(switch, start_agents, start_callers):
    answering = start_agents(ring_s=0.05)
    settings = [switch.address, switch.password, answering.contact("ann")]

    process = subprocess.Popen(
        [sys.executable, "-c", _PROCESS, *settings], stdout=subprocess.PIPE, cwd=Path(__file__).resolve().parents[2]
    )
    try:
        start_callers("5001", hold_s=60)
        start_callers("5002", hold_s=60)
        assert process.stdout is not None
        assert b"attached\n" in process.stdout, "it has ended before that; its log is above"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    centre = a_centre(*settings)
    watch = Watch(centre)
    try:
        centre.start()
        calls = watch.until(
            "both calls are known", lambda: len(found := centre._loop.engine.world.interactions) == 2 and found
        )
        for call in calls:
            assert centre.attached(call) == {**DATA, **FILL}
        assert watch.wait_for(events.Established).data["visits"] == 3
        for call in list(calls):
            centre.hang_up(call)
        watch.until("all is over", lambda: centre.snapshot().calls == 0)
        watch.nothing_is_wrong()
    finally:
        centre.stop()

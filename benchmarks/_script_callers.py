"""The simulated switch whose callers press keys, in a process of its own: ``_script_callers.py CALLS RATE KEYS_PER_S``.

Prints its port, then waits for a line on stdin and brings the calls in; at the next line each caller presses a key while
a prompt plays, and the times until the prompt is told to stop are printed.
"""

from __future__ import annotations

import json
import random
import sys
import time
from typing import Any

import gevent
from gevent.fileobject import FileObjectThread

from cti.sim import SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.ivr_application import press
from cti.sim.server import SimServer


def main(calls: int, rate: float, keys_per_s: float) -> None:
    """See the module."""
    switch = SimulatedSwitch(GeventScheduler(), seed=1)
    server = SimServer(switch)
    server.start()
    stdin = FileObjectThread(sys.stdin)
    print(server.address[1], flush=True)
    stdin.readline()
    callers = []
    for number in range(calls):
        callers.append(switch.incoming(calling_number=f"{number:07}", called_number="5000"))
        gevent.sleep(1 / rate)
    print("in", flush=True)
    stdin.readline()
    pressed: dict[str, float] = {}
    took_ms: list[float] = []
    carry_out = switch.api

    def timed(name: str, arguments: str, done: Any) -> None:
        if name == "uuid_break":
            began = pressed.pop(arguments.split(" ", maxsplit=1)[0], None)
            if began is not None:
                took_ms.append((time.perf_counter() - began) * 1000)
        carry_out(name, arguments, done)

    switch.api = timed  # type: ignore[method-assign]
    fire = type(callers[0].channel).fire

    def fired(channel: Any, name: str, *arguments: Any, **more: Any) -> None:
        if name == "DTMF":
            pressed[channel.uuid] = time.perf_counter()
        fire(channel, name, *arguments, **more)

    type(callers[0].channel).fire = fired
    random.Random(1).shuffle(callers)
    for caller in callers:
        press(caller.channel, "1")
        gevent.sleep(1 / keys_per_s)
    deadline = time.monotonic() + 10
    while len(took_ms) < calls and time.monotonic() < deadline:
        gevent.sleep(0.05)
    print(json.dumps(took_ms), flush=True)
    stdin.readline()
    server.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))

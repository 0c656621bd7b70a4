"""Many scripts at once in one process: what a waiting one costs, and how soon a key is answered.

Prints ``key=value`` lines. The simulated switch is in a process of its own, over TCP. Memory is the resident set of this
process, with engine, links and all, divided by the calls: first while a prompt plays to each, then while each waits for a
second key. A key's answer is the time from the key's event at the switch to the command that stops the prompt.

    python benchmarks/scripts.py [--calls 1000] [--rate 50] [--keys 50]
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import subprocess
import sys
import time
from pathlib import Path

import gevent
import structlog
from _figures import line, percentile
from gevent.subprocess import PIPE, Popen

from cti import CallCenter

PROMPT = "tone_stream://%(3600000,0,440)"


def resident_kb() -> float:
    """The resident set of this process, in kilobytes."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4.096


def main() -> None:
    """See the module."""
    options = argparse.ArgumentParser()
    options.add_argument("--calls", type=int, default=1000)
    options.add_argument("--rate", type=float, default=50, help="new calls a second")
    options.add_argument("--keys", type=float, default=50, help="keys a second, over all calls")
    asked = options.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    program = Path(__file__).parent / "_script_callers.py"
    arguments = [sys.executable, str(program), str(asked.calls), str(asked.rate), str(asked.keys)]
    with Popen(arguments, stdin=PIPE, stdout=PIPE, text=True, bufsize=1) as callers:
        try:
            run(asked.calls, callers)
        finally:
            callers.kill()


def run(calls: int, callers: subprocess.Popen[str]) -> None:
    """Measure."""
    assert callers.stdin is not None
    assert callers.stdout is not None
    centre = CallCenter(f"127.0.0.1:{int(callers.stdout.readline())}")
    state = {"playing": 0, "waiting": 0}

    @centre.on_call("5*")
    def script(call):
        call.answer()
        state["playing"] += 1
        call.menu(PROMPT, options={"1": "on"})
        state["waiting"] += 1
        call.collect(max_digits=4, first_digit_s=3600, between_digits_s=3600)

    centre.start()
    gevent.sleep(0.5)
    before_kb, busy = resident_kb(), time.process_time()
    callers.stdin.write("\n")
    callers.stdin.flush()
    callers.stdout.readline()
    until(lambda: state["playing"] == calls)
    print(line("calls", calls=calls, cpu_ms_per_call=(time.process_time() - busy) * 1000 / calls))
    gevent.sleep(1)
    print(line("memory", state="prompt", kb_per_script=(resident_kb() - before_kb) / calls))
    callers.stdin.write("\n")
    callers.stdin.flush()
    took_ms = json.loads(callers.stdout.readline())
    until(lambda: state["waiting"] == calls)
    print(line("memory", state="waiting", kb_per_script=(resident_kb() - before_kb) / calls))
    figures = {f"p{name}_ms": percentile(took_ms, at) for name, at in (("50", 50), ("99", 99), ("100", 100))}
    late = sum(one >= 20 for one in took_ms)
    print(line("key", answered=len(took_ms), late=late, **figures))
    centre.stop()


def until(true, timeout_s: float = 60) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "the scripts do not get there"
        gevent.sleep(0.01)


if __name__ == "__main__":
    main()

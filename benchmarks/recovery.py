"""How soon is a centre back after kill -9, with every call in the model again?

    python benchmarks/recovery.py
    python benchmarks/recovery.py --freeswitch --talking 60 --waiting 60 --script 20 --idle 40

A centre with a journal, in a process of its own, takes calls; it is killed, started again and killed again, so many
times. The switch is the simulated one, over TCP; with ``--freeswitch`` a real one is booted, with channels of its own
(``null/``, no sound) as callers and as agents' phones, each of which costs it a thread that wakes 50 times a second.

Lines of ``key=value``, times in seconds. ``live_s`` is from the making of the CallCenter until ``start`` has returned,
that is until all calls are in the model and routed again; of it ``set_up_s`` is for the journal and for defining queues
and agents, and at least 0.25 are a wait: FreeSWITCH's list of channels lags. ``cpu_s`` is the processor time that took. ``process_s`` is from the start of the
process, the interpreter and its imports included. ``busy`` is the share of the machine's processor time that was taken
during the run, by whomever.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import gevent
import structlog
from attrs import frozen
from gevent import subprocess

from benchmarks._figures import line, machine_seconds, percentile
from cti import CallCenter
from cti.engine.invariants import broken
from cti.model.states import InteractionState
from cti.sim import Behaviour, SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer
from cti.store import RecordedEngine
from tests.live.freeswitch_process import FreeSwitchProcess, find_freeswitch

NUMBERS = {"talking": "5001", "waiting": "5002", "script": "5003"}


def _centre(options: argparse.Namespace) -> CallCenter:
    centre = CallCenter(options.switch, options.password, journal=options.journal)
    for queue in ("talk", "wait", "other"):
        centre.add_queue(queue, requires=queue, music="")
    for number in range(options.talking):
        centre.add_agent(f"a{number}", options.contact.format(f"a{number}"), skills={"talk": 1}).log_on(ready=True)
    for number in range(options.idle):
        centre.add_agent(f"b{number}", options.contact.format(f"b{number}"), skills={"other": 1}).log_on(ready=True)
    centre.on_call(NUMBERS["talking"])(lambda call: call.queue("talk"))
    centre.on_call(NUMBERS["waiting"])(lambda call: call.queue("wait"))

    @centre.on_call(NUMBERS["script"])
    def script(_call: Any) -> None:
        gevent.sleep(3600)

    return centre


def _phases(centre: CallCenter) -> tuple[int, int, int]:
    states = [call.state for call in centre._loop.engine.world.interactions.values()]  # noqa: SLF001 - the same
    wanted = (InteractionState.ESTABLISHED, InteractionState.QUEUED, InteractionState.OFFERED)
    return tuple(states.count(state) for state in wanted)  # type: ignore[return-value]


def run_centre(options: argparse.Namespace) -> None:
    """A centre, in a process of its own: say when it is live, and when all calls are where they should be."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    began, spent = time.perf_counter(), time.process_time()
    centre = _centre(options)
    made = time.perf_counter()
    centre.start()
    live = time.perf_counter()
    spent = time.process_time() - spent
    found = _phases(centre)
    engine = centre._loop.engine  # noqa: SLF001 - what is in the model is the question
    assert isinstance(engine, RecordedEngine)
    wrong = broken(engine.world)
    told = {"live_s": live - began, "set_up_s": made - began, "calls": sum(found), "wrong": len(wrong)}
    told["cpu_s"] = spent
    told["facts"] = engine.taken_up.figures.get("facts_after_the_snapshot", 0)
    print(json.dumps(told), flush=True)
    wanted = (options.talking, options.waiting, options.script)
    while _phases(centre) != wanted:
        gevent.sleep(0.1)
    gevent.sleep(0.5)
    print(json.dumps({"reached": wanted}), flush=True)
    centre.run_forever()


@frozen
class Switch:
    """What the calls are on."""

    address: str
    password: str
    contact: str
    call: Callable[[str, int], object]
    channels: Callable[[], int]


class Process:
    """One life of the centre."""

    def __init__(self, arguments: list[str]) -> None:
        self.began = time.perf_counter()
        self._process = subprocess.Popen([sys.executable, __file__, "--centre", *arguments], stdout=subprocess.PIPE)

    def said(self, timeout_s: float) -> dict[str, Any]:
        """The next thing it says."""
        with gevent.Timeout(timeout_s):
            return dict(json.loads(self._process.stdout.readline()))

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()


@contextmanager
def _freeswitch(_options: argparse.Namespace, directory: Path) -> Iterator[Switch]:
    binary = find_freeswitch()
    if binary is None:
        sys.exit("no freeswitch on the PATH")
    switch = FreeSwitchProcess(directory / "freeswitch", binary)
    switch.start()
    try:
        with switch.connect() as control:
            control.api("fsctl max_sessions 5000")
            control.api("fsctl sps 1000")

            def call(number: str, calling: int) -> None:
                variables = f"{{cti_node=cti,origination_caller_id_number={calling},hangup_after_bridge=true}}"
                control.command(f"bgapi originate {variables}null/{number} &park()")

            yield Switch(switch.address, switch.password, "null/{}", call, lambda: len(control.channels()))
    finally:
        switch.stop()


@contextmanager
def _simulated(options: argparse.Namespace, _directory: Path) -> Iterator[Switch]:
    switch = SimulatedSwitch(GeventScheduler(), seed=1)
    server = SimServer(switch)
    server.start()
    for number in range(options.talking):
        switch.phones.add(f"user/a{number}", Behaviour(answer_s=(0.01, 0.02)))

    def call(number: str, calling: int) -> None:
        switch.incoming(called_number=number, calling_number=str(calling), talk_s=3600.0)

    try:
        host, port = server.address
        yield Switch(f"{host}:{port}", switch.password, "user/{}", call, lambda: len(switch.channels))
    finally:
        server.stop()


def main(options: argparse.Namespace) -> int:
    """Call in, kill and start again."""
    lives: list[dict[str, Any]] = []
    busy, there_is = machine_seconds()
    with tempfile.TemporaryDirectory() as directory:
        counts = [f"--{name}={getattr(options, name)}" for name in ("talking", "waiting", "script", "idle")]
        with (_freeswitch if options.freeswitch else _simulated)(options, Path(directory)) as switch:
            where = [f"--switch={switch.address}", f"--password={switch.password}", f"--contact={switch.contact}"]
            process = Process([*where, f"--journal={directory}/journal", *counts])
            try:
                process.said(60)
                for kind, number in NUMBERS.items():
                    for calling in range(getattr(options, kind)):
                        switch.call(number, calling)
                        gevent.sleep(1 / options.rate)
                process.said(300)
                channels = switch.channels()
                for _ in range(options.times):
                    process.kill()
                    process = Process([*where, f"--journal={directory}/journal", *counts])
                    said = process.said(60)
                    said["process_s"] = time.perf_counter() - process.began
                    lives.append(said)
                    print(line("life", **said), flush=True)
                    process.said(60)
            finally:
                process.kill()
    taken, there_was = machine_seconds()
    live = [life["live_s"] for life in lives]
    wanted = options.talking + options.waiting + options.script
    print(
        line(
            "recovery",
            switch="freeswitch" if options.freeswitch else "simulated",
            channels=channels,
            calls=wanted,
            agents=options.talking + options.idle,
            live_p50_s=percentile(live, 50),
            live_max_s=max(live),
            set_up_p50_s=percentile([life["set_up_s"] for life in lives], 50),
            process_p50_s=percentile([life["process_s"] for life in lives], 50),
            busy=(taken - busy) / (there_was - there_is),
        )
    )
    return int(any(life["calls"] != wanted or life["wrong"] for life in lives))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--talking", type=int, default=300, help="callers who talk with an agent: two channels each")
    parser.add_argument("--waiting", type=int, default=300)
    parser.add_argument("--script", type=int, default=100)
    parser.add_argument("--idle", type=int, default=200, help="agents besides those who talk")
    parser.add_argument("--rate", type=float, default=50.0, help="calls a second")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--freeswitch", action="store_true", help="on a real one")
    parser.add_argument("--centre", action="store_true", help=argparse.SUPPRESS)
    for hidden in ("--switch", "--password", "--journal", "--contact"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.centre:
        run_centre(given)
        sys.exit(0)
    sys.exit(main(given))

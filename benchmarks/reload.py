"""A reload of 5,000 agents while calls are routed: how long it takes, and by how much it delays offers.

The daemon and a simulated switch share this process, so that both are held up by the reload: the figures are on the safe
side. Lateness is that of a greenlet which wants to run every millisecond.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gevent
import structlog
from _figures import line, percentile

from cti.daemon import Daemon
from cti.sim import Behaviour, SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.phone import Phone
from cti.sim.server import SimServer

QUEUES = 20
QUICK = Behaviour(ring_s=(0.001, 0.002), answer_s=(0.2, 0.4))


def configuration(address: str, agents: int, level: int, wait_s: int = 60) -> str:
    """A centre in which every agent has two of the queues' skills at this level; with another, all are changed.

    With another ``wait_s``, all queues are.
    """
    queues = "\n".join(f'[queue.q{n}]\nrequires = "s{n}"\nmusic = ""\nmax_wait_s = {wait_s}' for n in range(QUEUES))
    table = "\n".join(
        f'a{n} = {{ contact = "user/{n}", log_on = "ready", '
        f"skills = {{ s{n % QUEUES} = {level}, s{(n * 7 + 1) % QUEUES} = {level} }} }}"
        for n in range(agents)
    )
    numbers = "\n".join(f'"{5000 + n}" = {{ queue = "q{n}" }}' for n in range(QUEUES))
    return (
        f'[switch]\naddress = "{address}"\npassword_env = "BENCH_PASSWORD"\n[log]\nformat = "json"\nlevel = "error"\n'
        f"{queues}\n[agent]\n{table}\n[numbers]\n{numbers}\n"
    )


class Load:
    """Calls at a steady rate, and how long after each the phone of an agent was asked to ring."""

    def __init__(self, switch: SimulatedSwitch, rate: float) -> None:
        self._switch = switch
        self._every_s = 1 / rate
        self.offers_s: list[float] = []
        self.late_s: list[float] = []
        gevent.spawn(self._call)
        gevent.spawn(self._tick)

    def _call(self) -> None:
        number = 0
        while True:
            number += 1
            began = time.perf_counter()
            before = Counting.offered
            self._switch.incoming(called_number=str(5000 + number % QUEUES), talk_s=0.5)
            while Counting.offered == before:
                gevent.sleep(0.0005)
            self.offers_s.append(time.perf_counter() - began)
            gevent.sleep(max(0.0, self._every_s - (time.perf_counter() - began)))

    def _tick(self) -> None:
        while True:
            began = time.perf_counter()
            gevent.sleep(0.001)
            self.late_s.append(time.perf_counter() - began - 0.001)

    def figures(self) -> dict[str, float]:
        """What there was since the last time, in milliseconds."""
        offers, late = self.offers_s[:], self.late_s[:]
        self.offers_s.clear()
        self.late_s.clear()
        return {
            "offer_p50_ms": 1000 * percentile(offers, 50),
            "offer_max_ms": 1000 * max(offers, default=0.0),
            "late_p99_ms": 1000 * percentile(late, 99),
            "late_max_ms": 1000 * max(late, default=0.0),
        }


class Counting:
    """How many times any phone was asked to ring."""

    offered = 0


def main() -> None:
    """Start it, load it, reload it; print lines of figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--agents", type=int, default=5000)
    options.add_argument("--rate", type=float, default=20.0, help="calls a second")
    options.add_argument("--reloads", type=int, default=5)
    given = options.parse_args()
    os.environ["BENCH_PASSWORD"] = "ClueCon"
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    _count()
    switch = SimulatedSwitch(GeventScheduler(), seed=1)
    for number in range(given.agents):
        switch.phones.add(f"user/{number}", QUICK)
    server = SimServer(switch)
    server.start()
    host, port = server.address
    with TemporaryDirectory() as directory:
        file = Path(directory) / "centre.toml"
        file.write_text(configuration(f"{host}:{port}", given.agents, 1))
        daemon = Daemon(file)
        running = gevent.spawn(daemon.run)
        gevent.wait([running, daemon.ready], count=1)
        load = Load(switch, given.rate)
        gevent.sleep(3)
        load.figures()
        gevent.sleep(5)
        print(line("before", agents=given.agents, **load.figures()), flush=True)
        for level in range(2, given.reloads + 2):
            file.write_text(configuration(f"{host}:{port}", given.agents, level))
            load.figures()
            began = time.perf_counter()
            changes = daemon.reload()
            took_s = time.perf_counter() - began
            print(line("agents_changed", changes=len(changes), reload_s=took_s, **load.figures()), flush=True)
            gevent.sleep(1)
        file.write_text(configuration(f"{host}:{port}", given.agents, level, wait_s=70))
        load.figures()
        began = time.perf_counter()
        changes = daemon.reload()
        took_s = time.perf_counter() - began
        print(line("queues_changed", changes=len(changes), reload_s=took_s, **load.figures()), flush=True)
        load.figures()
        began = time.perf_counter()
        daemon.reload()
        print(line("nothing_changed", reload_s=time.perf_counter() - began, **load.figures()), flush=True)
        os._exit(0)


def _count() -> None:
    invited = Phone.invited

    def counted(phone: Phone, channel: Any) -> None:
        Counting.offered += 1
        invited(phone, channel)

    Phone.invited = counted


if __name__ == "__main__":
    main()

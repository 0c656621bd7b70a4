"""Does the daemon's memory stay flat? Calls at a steady rate for half an hour, a line of figures every minute.

    python benchmarks/soak.py
    python benchmarks/soak.py --minutes 5 --rate 40

The daemon is a process of its own (`cti run`), with its journal and its API, one client of which hears every event; the
simulated switch and its callers are this process, and speak TCP. A fifth of the callers give up early. ``growth`` is the
daemon's memory at the end over that after a tenth of the time, when every cache has been used.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

import gevent
from _figures import cpu_seconds, line
from gevent import subprocess

from cti.client import Client
from cti.errors import CtiError
from cti.sim import Behaviour, SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer
from cti.sim.traffic import Traffic

QUEUES = 3
CALLERS = 5_000
"""Different people: who talked last with each is remembered, and up to 200,000 of them."""
READY_S = 60.0

CENTRE = """
[switch]
address = "{switch}"
password_env = "SOAK_PASSWORD"
[log]
format = "json"
level = "warning"
[journal]
directory = "{directory}/journal"
keep_segments = 4
segment_bytes = 16_000_000
[api]
bind = "ipc://{directory}/requests"
publish = "ipc://{directory}/events"
"""


def centre(switch: str, directory: Path, agents: int) -> str:
    """The daemon's file."""
    queues = "".join(f'[queue.q{n}]\nrequires = "s{n}"\nmax_wait_s = 60\n' for n in range(QUEUES))
    names = "".join(
        f'[agent.a{n}]\ncontact = "user/{n}"\nlog_on = "ready"\nwrap_up_s = 0.5\n'
        f"skills = {{ s{n % QUEUES} = 3, s{(n + 1) % QUEUES} = 1 }}\n"
        for n in range(agents)
    )
    numbers = "[numbers]\n" + "".join(f'"{5000 + n}" = {{ queue = "q{n}" }}\n' for n in range(QUEUES))
    return CENTRE.format(switch=switch, directory=directory) + queues + names + numbers


def resident_mb(pid: int) -> float:
    """A process's memory."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def hear(client: Client, heard: list[int]) -> None:
    """Take every event, until killed."""
    for _ in client.events():
        heard[0] += 1


def connected(directory: Path, daemon: subprocess.Popen[bytes]) -> Client:
    """A client, as soon as the daemon answers."""
    with gevent.Timeout(READY_S):
        while True:
            if daemon.poll() is not None:
                raise SystemExit(f"the daemon ended with {daemon.returncode}")
            try:
                client = Client(f"ipc://{directory}/requests")
                client.queue_ids()
            except CtiError:
                gevent.sleep(0.2)
            else:
                return client


def main() -> None:
    """Run it, and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=30.0)
    options.add_argument("--rate", type=float, default=20.0, help="calls a second")
    options.add_argument("--agents", type=int, default=90)
    given = options.parse_args()
    switch = SimulatedSwitch(GeventScheduler(), seed=1)
    switch.phones.add_rule(r"user/.*", Behaviour(ring_s=(0.05, 0.1), answer_s=(0.2, 1.0)))
    server = SimServer(switch)
    server.start()
    host, port = server.address
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        (directory / "centre.toml").write_text(centre(f"{host}:{port}", directory, given.agents))
        daemon = subprocess.Popen(
            [sys.executable, "-c", "from cti.cli.main import main; main()", "run", str(directory / "centre.toml")],
            env={**os.environ, "SOAK_PASSWORD": "ClueCon"},
        )
        try:
            soak(given, switch, daemon, connected(directory, daemon))
        finally:
            daemon.kill()
            daemon.wait()


def soak(given: argparse.Namespace, switch: SimulatedSwitch, daemon: subprocess.Popen[bytes], client: Client) -> None:
    """Let it run; say what it needs."""
    heard = [0]
    gevent.spawn(hear, client, heard)
    traffic = Traffic(
        switch,
        rate_per_s=given.rate,
        numbers=[str(5000 + n) for n in range(QUEUES)],
        patience_s=1.0,
        impatient=0.2,
        handle_s=2.0,
        callers=CALLERS,
    )
    traffic.start()
    steps = max(10, round(given.minutes))
    early_mb = 0.0
    for step in range(1, steps + 1):
        used = cpu_seconds(daemon.pid)
        gevent.sleep(given.minutes * 60 / steps)
        now_mb = resident_mb(daemon.pid)
        if step == max(1, steps // 10):
            early_mb = now_mb
        share = (cpu_seconds(daemon.pid) - used) / (given.minutes * 60 / steps)
        print(
            line(
                f"step={step}/{steps}",
                rss_mb=now_mb,
                cpu=share,
                callers=traffic.counters.offered,
                connected=traffic.counters.connected,
                abandoned=traffic.counters.abandoned,
                events=heard[0],
                switch_rss_mb=resident_mb(os.getpid()),
            ),
            flush=True,
        )
    print(
        line("soak", minutes=given.minutes, rate=given.rate, early_mb=early_mb, end_mb=now_mb, growth=now_mb / early_mb)
    )


if __name__ == "__main__":
    main()

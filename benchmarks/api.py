"""What the API carries, and what it costs the calls.

    python benchmarks/api.py requests [--seconds 5] [--plain]
    python benchmarks/api.py subscribers [--clients 5000] [--rate 20] [--seconds 20] [--plain]

``requests``: requests a second that the server answers while its whole process, ZeroMQ's thread and all, is kept on one
core; the clients have the other.

``subscribers``: a centre on a simulated switch over TCP routes calls; first without any client, then with so many that are
each subscribed to one agent and send their heartbeats. ``offer`` is the time from a caller's arrival at the switch to the
agent's phone ringing; ``pop`` from Delivered to the moment when the agent's client has it. The centre's side is one process,
switch and callers included; all clients are another.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import gevent
import msgpack
import structlog
import zmq.green as zmq
from _figures import line, percentile
from gevent import subprocess

PATIENCE_S = 600


def keys_in(directory: Path) -> None:
    """Make the server's key and an administrator's."""
    from click.testing import CliRunner  # noqa: PLC0415 - only here

    from cti.cli.keys import keys  # noqa: PLC0415 - the same

    CliRunner().invoke(keys, ["new", "ann", "--role", "administrator", "--directory", str(directory)])


def watch(stalls: list[float]) -> None:
    """Note by how much a sleep of 5 ms is late: what this process, or the machine, keeps everything waiting for."""
    while True:
        due = time.monotonic() + 0.005
        gevent.sleep(0.005)
        stalls.append(time.monotonic() - due)


class Centre:
    """The centre's side: a child process that is told what to do by lines of JSON, and answers with one each."""

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "centre", *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.hello = self.hear()

    def hear(self) -> dict:
        """Its next line."""
        return json.loads(self.process.stdout.readline())

    def tell(self, **what: object) -> dict:
        """Have something done."""
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        self.process.stdin.flush()
        return self.hear()

    def end(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


def centre(arguments: argparse.Namespace) -> None:
    """Run the centre's side."""
    from cti import CallCenter, events  # noqa: PLC0415 - the clients' side does not need it
    from cti.api import ApiServer, Limits  # noqa: PLC0415
    from cti.sim import Behaviour, SimulatedSwitch  # noqa: PLC0415
    from cti.sim.gevent_scheduler import GeventScheduler  # noqa: PLC0415
    from cti.sim.server import SimServer  # noqa: PLC0415

    if arguments.core is not None:
        os.sched_setaffinity(0, {arguments.core})
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(40), logger_factory=structlog.PrintLoggerFactory(sys.stderr)
    )
    switch = SimulatedSwitch(GeventScheduler(), seed=1)
    behaviour = Behaviour(ring_s=(0.001, 0.001), answer_s=(0.2, 0.4))
    switch.phones.add_rule(r"user/.*", behaviour)
    simulated = SimServer(switch)
    simulated.start()
    host, port = simulated.address
    made = CallCenter(f"{host}:{port}")
    made.add_queue("q")
    for number in range(arguments.agents):
        made.add_agent(f"a{number}", f"user/a{number}", wrap_up_s=0).log_on(ready=True)
    stalls: list[float] = []
    gevent.spawn(watch, stalls)
    came: dict[str, float] = {}
    offers: list[float] = []

    @made.on_call("5*")
    def script(call):
        call.queue("q")

    @made.on(events.Delivered)
    def ring(event):
        offers.append(event.at - came.pop(event.calling_number))

    made.start()
    limits = Limits(
        requests_per_s=1e9, burst=10**9, key_requests_per_s=1e9, key_burst=10**9, clients=10**6, clients_per_key=10**6
    )
    keys = arguments.keys or None
    server = ApiServer(made, bind="tcp://127.0.0.1:*", publish="tcp://127.0.0.1:*", keys=keys, limits=limits)
    server.start()
    gc.collect()
    gc.freeze()  # as a host with thousands of agents does when all is set up: a full collection takes 50 ms of a call's time
    say = lambda **what: print(json.dumps(what), flush=True)  # noqa: E731 - one line
    say(address=server.address)
    reader = gevent.os.tp_read
    buffer = b""
    number = 0
    while True:
        while b"\n" not in buffer:
            buffer += reader(0, 65_536)
        text, _, buffer = buffer.partition(b"\n")
        wanted = json.loads(text)
        offers.clear()
        stalls.clear()
        used = time.process_time()
        until = time.monotonic() + wanted["seconds"]
        at = time.monotonic()
        while at < until:
            gevent.sleep(max(0.0, at - time.monotonic()))
            number += 1
            came[f"n{number}"] = time.monotonic()
            switch.incoming(calling_number=f"n{number}", called_number="5000", talk_s=0.5)
            at += 1 / wanted["rate"]
        gevent.sleep(2)
        say(
            offers=len(offers),
            p50=percentile(offers, 50),
            p99=percentile(offers, 99),
            cpu=(time.process_time() - used) / (wanted["seconds"] + 2),
            unsent=server.tally.unsent,
            stall_p99=percentile(stalls, 99),
            stall_max=max(stalls),
        )


def dealer(context: zmq.Context, address: str, directory: Path | None) -> zmq.Socket:
    """One client's socket."""
    import zmq.auth  # noqa: PLC0415 - only here

    made = context.socket(zmq.DEALER)
    made.linger = 0
    if directory is not None:
        made.curve_publickey, made.curve_secretkey = zmq.auth.load_certificate(directory / "ann.key_secret")
        made.curve_serverkey = zmq.auth.load_certificate(directory / "server.key")[0]
    made.connect(address)
    return made


def packed(number: int, method: str, **params: object) -> bytes:
    """One request."""
    return msgpack.packb({"v": 1, "id": f"{os.getpid()}-{number}", "method": method, "params": params})


def requests(arguments: argparse.Namespace, directory: Path | None) -> None:
    """Measure requests a second."""
    side = Centre("--agents", 12, "--core", 0, "--keys", directory or "")
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)) - {0} or {0})
    context = zmq.Context()
    sockets = [dealer(context, side.hello["address"], directory) for _ in range(8)]
    counted, refused = 0, 0
    numbers = iter(range(10**12))
    for method, params in (
        ("ping", {}),
        ("agent.not_ready", {"agent": "a1", "reason": "LUNCH"}),
        ("agent.get", {"agent": "a1"}),
    ):
        counted = refused = 0
        began = time.perf_counter()
        until = began + arguments.seconds

        def one(socket, method=method, params=params, until=until):
            nonlocal counted, refused
            for _ in range(40):
                socket.send(packed(next(numbers), method, **params))
            flying = 40
            while flying:
                answer = socket.recv()
                counted += 1
                refused += b"\xa5error" in answer
                if time.perf_counter() < until:
                    socket.send(packed(next(numbers), method, **params))
                else:
                    flying -= 1

        gevent.joinall([gevent.spawn(one, socket) for socket in sockets], raise_error=True, timeout=PATIENCE_S)
        took = time.perf_counter() - began
        print(line("requests", method=method, per_s=counted / took, refused=refused, clients=len(sockets)), flush=True)
    side.end()


def subscribers(arguments: argparse.Namespace, directory: Path | None) -> None:
    """Measure offers with and without clients, and how late a screen pop is."""
    side = Centre("--agents", arguments.agents or arguments.clients, "--keys", directory or "")
    run = {"rate": arguments.rate, "seconds": arguments.seconds}
    side.tell(rate=arguments.rate, seconds=3)  # warm
    without = side.tell(**run)
    _offers("without", 0, without)
    context = zmq.Context()
    context.set(zmq.MAX_SOCKETS, arguments.clients + 100)
    began = time.perf_counter()
    sockets, numbers, pops = [], iter(range(10**12)), []
    ready = gevent.pool.Pool(50)

    def join(number):
        socket = dealer(context, side.hello["address"], directory)
        socket.send(packed(next(numbers), "subscribe", agents=[f"a{number}"]))
        assert b"result" in socket.recv()
        sockets.append(socket)

    for number in range(arguments.clients):
        ready.spawn(join, number)
    ready.join(raise_error=True)
    print(line("connected", clients=len(sockets), took_s=time.perf_counter() - began), flush=True)

    def listen(socket):
        while True:
            message = socket.recv()
            if b"Delivered" in message:
                now = time.time()
                pops.append(now - msgpack.unpackb(message)["event"]["at"])

    def beat():
        while True:
            for socket in sockets:
                socket.send(packed(next(numbers), "ping"))
                gevent.sleep(10 / len(sockets))

    gc.collect()
    gc.freeze()
    for socket in sockets:
        gevent.spawn(listen, socket)
    gevent.spawn(beat)
    stalls: list[float] = []
    gevent.spawn(watch, stalls)
    telling = gevent.get_hub().threadpool.spawn(_blocking_tell, side, run)
    with_them = telling.get()
    _offers("with", len(sockets), with_them)
    late = {f"p{percent}_ms": percentile(pops, percent) * 1e3 for percent in (50, 90, 99, 100)}
    print(
        line("pop", count=len(pops), **late, stall_p99_ms=percentile(stalls, 99) * 1e3, stall_max_ms=max(stalls) * 1e3)
    )
    for name in ("p50", "p99"):
        print(line("offers", later=name, ms=(with_them[name] - without[name]) * 1e3))
    side.end()


def _blocking_tell(side: Centre, run: dict) -> dict:
    os.write(side.process.stdin.fileno(), json.dumps(run).encode() + b"\n")
    os.set_blocking(side.process.stdout.fileno(), True)
    text = b""
    while not text.endswith(b"\n"):
        text += os.read(side.process.stdout.fileno(), 65_536)
    return json.loads(text)


def _offers(which: str, clients: int, said: dict) -> None:
    values = {f"{name}_ms": said[name] * 1e3 for name in ("p50", "p99", "stall_p99", "stall_max")}
    print(line("offers", which=which, clients=clients, **values, count=said["offers"], cpu=said["cpu"]), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["requests", "subscribers", "centre"])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=5_000)
    parser.add_argument("--agents", type=int, default=0)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--plain", action="store_true", help="without encryption")
    parser.add_argument("--core", type=int, default=None)
    parser.add_argument("--keys", default="")
    arguments = parser.parse_args()
    if arguments.what == "centre":
        centre(arguments)
        return
    with tempfile.TemporaryDirectory() as made:
        directory = None if arguments.plain else Path(made) / "keys"
        if directory is not None:
            keys_in(directory)
        print(line(python=sys.version.split()[0], encrypted=not arguments.plain))
        {"requests": requests, "subscribers": subscribers}[arguments.what](arguments, directory)


if __name__ == "__main__":
    main()

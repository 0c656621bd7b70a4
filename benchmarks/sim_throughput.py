"""What a call costs in the simulated switch, in virtual time, with a client in the same process and no engine.

Prints ``key=value`` lines; times are microseconds of processor time a call, on one core. The client does to each call
what a centre does and no more: it answers, originates an agent's leg, bridges the two; caller or agent hangs up. It
hears the events our adapter subscribes to, on a connection of its own as the adapter does, and finds what it needs in
them by searching the bytes. ``client_us_per_call`` is what it takes itself, ``switch_us_per_call`` all the rest.

    python benchmarks/sim_throughput.py [--calls 10000] [--rate 50] [--rounds 3] [--format json]
"""

from __future__ import annotations

import argparse
import gc
import sys
import time

from _figures import line

from cti.sim import Behaviour, SimulatedSwitch, Traffic, VirtualScheduler
from cti.switch.event_fact import EVENTS

PHONES = 200
TALK_S = 20.0
# Beside the uuid, what our adapter writes into a dial string.
VARIABLES = (
    "cti_node=cti,cti_interaction=018f,cti_agent=a1,cti_queue=sales,cti_reservation={leg},"
    "origination_caller_id_number={number},originate_timeout=22,park_timeout=10,ignore_early_media=true,"
    "rdnis=5000,hangup_after_bridge=true"
)


class Client:
    """The least a centre can be, on two connections: one for events, one for commands."""

    def __init__(self, switch: SimulatedSwitch, scheduler: VirtualScheduler, form: str) -> None:
        self.form = form
        self.cpu_s = 0.0
        self.events = self.bytes = self.bridges = self.legs = 0
        self._callers: dict[bytes, bytes] = {}
        self._commands, self._events = switch.connect(), switch.connect()
        self._events.on_send = self._event
        scheduler.run_for(0.001)  # the greeting
        for session in (self._commands, self._events):
            session.receive(f"auth {switch.password}\n\n".encode())
        self._events.receive(f"event {form} {' '.join(EVENTS)} BACKGROUND_JOB HEARTBEAT\n\n".encode())

    def _event(self, data: bytes) -> None:
        started = time.perf_counter()
        self.events += 1
        self.bytes += len(data)
        # What is written from inside a write is only put by: the switch sees to it later, on its own account.
        name = self._header(data, b"Event-Name")
        if name == b"CHANNEL_PARK":
            if self._header(data, b"Call-Direction") == b"inbound":
                self._offered(self._header(data, b"Unique-ID"), self._header(data, b"Caller-Caller-ID-Number"))
        elif name == b"CHANNEL_ANSWER":
            leg = self._header(data, b"Unique-ID")
            caller = self._callers.pop(leg, None)
            if caller is not None:
                self._commands.receive(b"api uuid_bridge %s %s\n\n" % (caller, leg))
        elif name == b"CHANNEL_BRIDGE":
            self.bridges += 1
        self.cpu_s += time.perf_counter() - started

    def _offered(self, caller: bytes, number: bytes) -> None:
        self.legs += 1
        leg = f"0190a0b0-0000-7000-8000-{self.legs:012x}"
        self._callers[leg.encode()] = caller
        variables = VARIABLES.format(leg=leg, number=number.decode())
        dial = f"{{origination_uuid={leg},{variables}}}user/{self.legs % PHONES}@cti.internal &park()"
        self._commands.receive(f"bgapi originate {dial}\nJob-UUID: {leg}\n\n".encode())
        self._commands.receive(b"api uuid_answer %s\n\n" % caller)

    def _header(self, data: bytes, name: bytes) -> bytes:
        opening, closing = (b'"%s":"' % name, b'"') if self.form == "json" else (b"\n%s: " % name, b"\n")
        at = data.find(opening)
        if at < 0:
            return b""
        at += len(opening)
        return data[at : data.index(closing, at)]


def measure(calls: int, rate_per_s: float, form: str) -> dict[str, object]:
    """Play so many calls to their end; return the figures."""
    scheduler = VirtualScheduler()
    switch = SimulatedSwitch(scheduler, seed=1)
    for number in range(PHONES):
        switch.phones.add(f"user/{number}@cti.internal", Behaviour(talk_s=2 * TALK_S))
    client = Client(switch, scheduler, form)
    traffic = Traffic(switch, rate_per_s, seed=2, handle_s=2 * TALK_S, limit=calls)
    gc.collect()
    traffic.start()
    started = time.process_time()
    while traffic.counters.ended < calls:
        scheduler.run_for(60.0)
        if scheduler.now() > calls / rate_per_s * 2 + 3600:
            raise SystemExit(f"calls that never ended: {traffic.counters}")
    cpu_s = time.process_time() - started
    if client.bridges != calls:
        raise SystemExit(f"{client.bridges} of {calls} calls were bridged")
    return {
        "calls": calls,
        "calls_per_cpu_s": round(calls / cpu_s),
        "us_per_call": cpu_s / calls * 1e6,
        "switch_us_per_call": (cpu_s - client.cpu_s) / calls * 1e6,
        "client_us_per_call": client.cpu_s / calls * 1e6,
        "events_per_call": client.events / calls,
        "bytes_per_call": round(client.bytes / calls),
        "times_real_time": round(scheduler.now() / cpu_s),
    }


def main() -> int:
    """Measure and print; the best round counts, since what disturbs a round only ever slows it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=50.0, help="calls a second")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--format", choices=("json", "plain"), default="json")
    arguments = parser.parse_args()
    rounds = (measure(arguments.calls, arguments.rate, arguments.format) for _ in range(arguments.rounds))
    print(line("sim_throughput", format=arguments.format, **min(rounds, key=lambda found: found["us_per_call"])))
    return 0


if __name__ == "__main__":
    sys.exit(main())

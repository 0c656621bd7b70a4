"""How soon is an event with us? As it is, with the line feeds that wake FreeSWITCH's event socket, and with a doorbell.

    python benchmarks/event_latency.py
    python benchmarks/event_latency.py --rate 50 --events 500

A FreeSWITCH is booted for the run. Another connection makes the events (``sendevent CUSTOM``), at random moments, each
with the time of its making in it; the delay is from that moment, before the command was written, to our handler, on this machine's
monotonic clock. ``phase=idle`` is without wake-ups, ``phase=warm`` with them, as during the offer of a call, ``phase=doorbell``
with FreeSWITCH's datagrams instead, where it has mod_event_multicast; they run in turns, in one run. Lines of ``key=value``, times in milliseconds. ``canary_ms`` is what the library itself says of its delay
(``lag_s``: the longest of ten). ``cpu_s`` are of FreeSWITCH and of this process, the maker of the events included.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import gevent
import structlog

from benchmarks._figures import cpu_seconds, line, machine_seconds, percentile
from cti.esl import Event, SendEvent
from cti.switch import EventSocket, Link
from tests.live.freeswitch_process import FreeSwitchProcess, find_freeswitch

_SUBCLASS = "bench::latency"
_MADE = "Bench-Made"


class Watch:
    """Hears the events and keeps their delays, in milliseconds."""

    def __init__(self) -> None:
        self.delays_ms: list[float] = []

    def take(self, event: Event) -> None:
        """Note how long an event took."""
        made = event.text(_MADE)
        if made is not None:
            self.delays_ms.append((time.perf_counter() - float(made)) * 1000)


def _phase(phase: str, options: argparse.Namespace, switch: FreeSwitchProcess, chance: random.Random) -> list[float]:
    """Run one phase, print its line and return the delays."""
    watch = Watch()
    heard = EventSocket(
        "127.0.0.1",
        switch.event_port,
        switch.password,
        on_event=watch.take,
        subclasses=[_SUBCLASS],
        doorbell=switch.doorbell if phase == "doorbell" else "",
    )
    maker = Link("127.0.0.1", switch.event_port, switch.password)
    heard.start()
    maker.connect()
    freeswitch, ours, machine = cpu_seconds(switch.pid), time.process_time(), machine_seconds()
    for _ in range(options.events):
        gevent.sleep(chance.expovariate(options.rate))
        if phase == "warm":
            heard.warm()
        made = {_MADE: repr(time.perf_counter())}
        maker.submit(SendEvent("CUSTOM", made, subclass=_SUBCLASS).encode(), lambda _: None)
    deadline = time.monotonic() + 5
    while len(watch.delays_ms) < options.events and time.monotonic() < deadline:
        gevent.sleep(0.02)
    canary_ms = heard.lag_s * 1000
    busy, available = (now - then for now, then in zip(machine_seconds(), machine, strict=True))
    print(
        line(
            phase=phase,
            rate=f"{options.rate:g}",
            events=options.events,
            heard=len(watch.delays_ms),
            mean_ms=sum(watch.delays_ms) / max(1, len(watch.delays_ms)),
            p50_ms=percentile(watch.delays_ms, 50),
            p95_ms=percentile(watch.delays_ms, 95),
            p99_ms=percentile(watch.delays_ms, 99),
            max_ms=max(watch.delays_ms, default=float("nan")),
            canary_ms=canary_ms,
            freeswitch_cpu_s=cpu_seconds(switch.pid) - freeswitch,
            cpu_s=time.process_time() - ours,
            machine_busy=busy / available,
        ),
        flush=True,
    )
    maker.close()
    heard.stop()
    return watch.delays_ms


def main() -> int:
    """Boot FreeSWITCH and run the phases; the exit status is 1 when an event was lost, 2 without FreeSWITCH."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=300, help="events a phase (%(default)s)")
    parser.add_argument("--rate", type=float, default=40.0, help="events a second, at random (%(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="times that all phases run (%(default)s)")
    options = parser.parse_args()
    binary = find_freeswitch()
    if binary is None:
        print("no FreeSWITCH: put `freeswitch` on the PATH or name the binary in CTI_FREESWITCH", file=sys.stderr)
        return 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    chance = random.Random(1)
    delays: dict[str, list[float]] = {"idle": [], "warm": [], "doorbell": []}
    with tempfile.TemporaryDirectory(prefix="cti-bench-") as directory:
        switch = FreeSwitchProcess(Path(directory) / "freeswitch", binary, overlay=_ring_for_ours)
        switch.start()
        try:
            with switch.connect() as control:
                if control.api("module_exists mod_event_multicast").strip() != "true":
                    del delays["doorbell"]
            for _ in range(options.rounds):
                for phase, known in delays.items():
                    known.extend(_phase(phase, options, switch, chance))
        finally:
            switch.stop()
    idle = delays["idle"]
    for phase, woken in list(delays.items())[1:]:
        ratios = {f"p{percent}": percentile(idle, percent) / percentile(woken, percent) for percent in (50, 95, 99)}
        print(line("ratio", phase=phase, mean=(sum(idle) / len(idle)) / (sum(woken) / len(woken)), **ratios))
    return 0 if all(len(known) == options.events * options.rounds for known in delays.values()) else 1


def _ring_for_ours(configuration: Path) -> None:
    path = configuration / "autoload_configs" / "event_multicast.conf.xml"
    # Subclasses come last: whatever follows CUSTOM is one.
    path.write_text(path.read_text().replace('DTMF"', f'DTMF CUSTOM {_SUBCLASS}"'))


if __name__ == "__main__":
    sys.exit(main())

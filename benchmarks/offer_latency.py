"""How soon does a call that enters the queue reach an agent? The centre against mod_callcenter, on one FreeSWITCH.

Both route the same callers to the same SIP agents, one after the other, in one run:

    python benchmarks/offer_latency.py
    python benchmarks/offer_latency.py --only callcenter --rates 5,20 --seconds 10

Measured from entering the queue (CHANNEL_PARK for the centre, member-queue-start for mod_callcenter), on FreeSWITCH's
clock, to the creation of the agent's leg (leg_*) and to the bridge (bridge_*). Lines of ``key=value``; in the ``ratio``
lines a number above one says how many times shorter the centre's time is. ``cpu_ratio`` is the centre's processor time
over FreeSWITCH's for the same calls. ``machine_busy`` is the share of all processors' time that was in use, by this
and by anything else: figures taken with it near one say more about the machine. FreeSWITCH's clock moves in steps of
1 ms, so the shortest times are good to 1 ms.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import attrs

from benchmarks import _callcenter
from benchmarks._figures import cpu_seconds, line, machine_seconds, percentile
from benchmarks._observer import Observer, Phase
from tests.live.freeswitch_process import FreeSwitchProcess, find_freeswitch
from tests.live.ports import free_ports
from tests.live.sipp import AgentBehaviour, CallerBehaviour, SippAgents, SippCallers

SYSTEMS = {"callcenter": _callcenter.NUMBER, "cti": "5000"}
_DRAIN_S = 30.0


@attrs.frozen
class Outcome:
    """The figures of one phase."""

    leg_p50: float
    leg_p99: float
    bridge_p50: float
    bridge_p99: float
    lost: int

    def times(self) -> dict[str, float]:
        """Return the times by name, in milliseconds."""
        return {key: value for key, value in attrs.asdict(self).items() if key != "lost"}


@attrs.frozen
class Bench:
    """Everything that is shared by the phases."""

    switch: FreeSwitchProcess
    observer: Observer
    agents: int
    sip_port: int
    seconds: float
    workdir: Path
    doorbell: str

    def phase(self, system: str, rate: float) -> Outcome:
        """Run one system at one rate of calls a second, print its line, and return its figures."""
        with self._running(system) as pid:
            # The first calls pay for what is made once: database handles, memory pools, imports.
            self._calls(system, f"warm-up-{system}-{rate:g}", calls=5, rate=5)
            before, machine_before = self._cpu(pid), machine_seconds()
            calls = round(rate * self.seconds)
            phase = self._calls(system, f"{system}-{rate:g}", calls=calls, rate=rate)
            freeswitch_cpu, centre_cpu = (now - then for now, then in zip(self._cpu(pid), before, strict=True))
            busy, available = (now - then for now, then in zip(machine_seconds(), machine_before, strict=True))
        times = phase.times()
        legs, bridges = [t.leg_ms for t in times], [t.bridge_ms for t in times]
        outcome = Outcome(
            leg_p50=percentile(legs, 50),
            leg_p99=percentile(legs, 99),
            bridge_p50=percentile(bridges, 50),
            bridge_p99=percentile(bridges, 99),
            lost=calls - len(times),
        )
        cpu = {"freeswitch_cpu_s": freeswitch_cpu}
        if pid:
            cpu |= {"cti_cpu_s": centre_cpu, "cpu_ratio": centre_cpu / freeswitch_cpu if freeswitch_cpu else 0.0}
        figures = {f"{key}_ms": value for key, value in outcome.times().items()}
        print(
            line(
                phase=system,
                rate=f"{rate:g}",
                calls=calls,
                entered=len(phase.entered_us),
                # More legs than calls: some agents did not take the first offer.
                legs=len(phase.leg_us),
                bridged=len(times),
                **figures,
                **cpu,
                machine_busy=busy / available,
            ),
            flush=True,
        )
        return outcome

    def _calls(self, system: str, label: str, *, calls: int, rate: float) -> Phase:
        self.observer.flush()
        phase = Phase()
        port, media_port = free_ports(2, block=8)
        with SippCallers(
            CallerBehaviour(hold_s=60),
            self.workdir / label,
            switch_port=self.switch.callers_port,
            number=SYSTEMS[system],
            calls=calls,
            rate=rate,
            port=port,
            media_port=media_port,
        ):
            self.observer.watch(phase, calls, calls / rate + _DRAIN_S)
        # A call that was lost must not wait on into the next phase.
        with self.switch.connect() as control:
            control.api("hupall NORMAL_CLEARING")
        return phase

    def _cpu(self, pid: int | None) -> tuple[float, float]:
        return cpu_seconds(self.switch.pid), cpu_seconds(pid) if pid else 0.0

    @contextlib.contextmanager
    def _running(self, system: str) -> Iterator[int | None]:
        """Run the centre for the length of a phase and give its process id; mod_callcenter is always there."""
        if system != "cti":
            yield None
            return
        script = Path(__file__).with_name("_centre.py")
        arguments = (self.switch.address, self.switch.password, str(self.agents), str(self.sip_port), self.doorbell)
        process = subprocess.Popen([sys.executable, str(script), *arguments], stdout=subprocess.PIPE, text=True)
        try:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise SystemExit("the centre did not start")
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rates", default="5,20,40", help="calls a second, comma-separated (%(default)s)")
    parser.add_argument("--seconds", type=float, default=12.0, help="length of each phase (%(default)s)")
    parser.add_argument("--agents", type=int, default=100, help="SIP agents (%(default)s)")
    parser.add_argument("--talk", type=float, default=1.0, help="seconds until an agent hangs up (%(default)s)")
    parser.add_argument("--doorbell", action="store_true", help="with a doorbell (mod_event_multicast)")
    parser.add_argument("--only", choices=sorted(SYSTEMS), help="measure one of the two")
    return parser.parse_args()


def main() -> int:
    """Boot FreeSWITCH, run the phases and print the figures; the exit status is 1 when a call was lost, 2 without FreeSWITCH."""
    options = _arguments()
    binary = find_freeswitch()
    if binary is None:
        print("no FreeSWITCH: put `freeswitch` on the PATH or name the binary in CTI_FREESWITCH", file=sys.stderr)
        return 2
    rates = [float(rate) for rate in options.rates.split(",")]
    systems = [options.only] if options.only else list(SYSTEMS)
    with tempfile.TemporaryDirectory(prefix="cti-bench-") as directory, contextlib.ExitStack() as stack:
        workdir = Path(directory)
        sip_port, media_port = free_ports(2, block=8)
        names = [f"a{number}" for number in range(options.agents)]
        contacts = {name: f"sofia/agents/{name}@127.0.0.1:{sip_port}" for name in names}
        switch = FreeSwitchProcess(workdir / "freeswitch", binary, overlay=_callcenter.overlay(contacts))
        switch.start()
        stack.callback(switch.stop)
        stack.enter_context(
            SippAgents(
                AgentBehaviour(ring_s=0.0, talk_s=options.talk),
                workdir / "agents",
                port=sip_port,
                media_port=media_port,
            )
        )
        observer = Observer(switch)
        stack.callback(observer.close)
        doorbell = switch.doorbell if options.doorbell else ""
        bench = Bench(switch, observer, options.agents, sip_port, options.seconds, workdir, doorbell)
        lost = 0
        for rate in rates:
            outcomes = {system: bench.phase(system, rate) for system in systems}
            lost += sum(outcome.lost for outcome in outcomes.values())
            if len(outcomes) == len(SYSTEMS):
                theirs, ours = outcomes["callcenter"].times(), outcomes["cti"].times()
                ratios = {key: theirs[key] / ours[key] for key in theirs if ours[key]}
                print(line("ratio", rate=f"{rate:g}", **ratios), flush=True)
    if lost:
        print(f"{lost} calls never reached an agent: these figures are not to be trusted", file=sys.stderr)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())

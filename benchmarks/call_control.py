"""How soon does FreeSWITCH acknowledge a hold, a retrieve, a transfer, and how soon is it done?

    python benchmarks/call_control.py
    python benchmarks/call_control.py --times 200

One call on an idle FreeSWITCH of its own. ``ack_*`` is from the method's call to FreeSWITCH's reply to the command,
``done_*`` to the moment the model knows that it has happened (who hears whom), both in milliseconds. Lines of
``key=value``. ``machine_busy`` is the share of all processors' time that was in use, by this and by anything else.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import gevent
import structlog

from benchmarks._figures import line, machine_seconds, percentile
from cti import CallCenter, ToAgent, events
from cti.model.states import AgentState
from tests.live.freeswitch_process import FreeSwitchProcess, find_freeswitch
from tests.live.ports import free_ports
from tests.live.sipp import AgentBehaviour, CallerBehaviour, SippAgents, SippCallers

_COMMANDS = ("uuid_dual_transfer", "uuid_bridge")
_WAIT_S = 20.0


class Stopwatch:
    """Takes the time of one service: when it was asked for, acknowledged, done."""

    def __init__(self, centre: CallCenter) -> None:
        self.times: dict[str, list[tuple[float, float]]] = {}
        self._done: Callable[[], bool] = lambda: False
        self._begun = self._acknowledged = self._finished = 0.0
        translator = centre.switch._translator  # noqa: SLF001 - between it and the wire is what is measured
        self._submit, self._on_fact = translator._submit, translator._on_fact  # noqa: SLF001
        translator._submit, translator._on_fact = self._sent, self._told  # noqa: SLF001

    def _sent(self, command, then) -> None:
        def replied(reply) -> None:
            if not self._acknowledged and any(name in repr(command) for name in _COMMANDS):
                self._acknowledged = time.perf_counter()
            then(reply)

        self._submit(command, replied)

    def _told(self, fact) -> None:
        self._on_fact(fact)
        if not self._finished and self._done():
            self._finished = time.perf_counter()

    def take(self, name: str, service: Callable[[], None], done: Callable[[], bool]) -> None:
        """Ask for a service and wait until it is done."""
        self._done, self._acknowledged, self._finished = done, 0.0, 0.0
        self._begun = time.perf_counter()
        service()
        wait(lambda: self._acknowledged and self._finished, name)
        times = self._acknowledged - self._begun, self._finished - self._begun
        self.times.setdefault(name, []).append((times[0] * 1000, times[1] * 1000))


def wait(true: Callable[[], object], what: str) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + _WAIT_S
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit(f"never: {what}")
        gevent.sleep(0.005)


def measure(centre: CallCenter, times: int) -> Stopwatch:
    """Hold, retrieve and transfer the one call there is, so often."""
    talk: list[events.Established] = []
    centre.on(events.Established)(talk.append)
    wait(lambda: talk, "an agent answers")
    world = centre._loop.engine.world  # noqa: SLF001
    gevent.sleep(0.5)
    call = world.interactions[talk[0].interaction]
    watch = Stopwatch(centre)

    def pair() -> set[str]:
        return {world.connections[leg].agent or "caller" for leg in call.pair or ()}

    for _ in range(times):
        agent = centre.agent(call.agent)
        watch.take("hold", agent.hold, lambda: not pair())
        gevent.sleep(0.05)
        watch.take("retrieve", agent.retrieve, lambda: "caller" in pair())
        gevent.sleep(0.05)
    for _ in range(max(1, times // 5)):
        mine = call.agent
        other = "bob" if mine == "ann" else "ann"
        wait(lambda other=other: centre.agent(other).view.state is AgentState.READY, "the other agent is free")
        centre.agent(mine).consult(ToAgent(other))
        wait(lambda mine=mine, other=other: pair() == {mine, other}, "they talk")
        gevent.sleep(0.05)
        watch.take("transfer", centre.agent(mine).transfer, lambda other=other: pair() == {"caller", other})
        gevent.sleep(0.05)
    return watch


def main() -> None:
    """Boot FreeSWITCH, take the times, print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100, help="holds and retrieves; a fifth as many transfers")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    binary = find_freeswitch() or sys.exit("no freeswitch on the PATH")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="call-control-")))
        switch = FreeSwitchProcess(folder / "switch", binary)
        switch.start()
        stack.callback(switch.stop)
        agents_port, agents_media, callers_port, callers_media = free_ports(4, block=8)
        phones = stack.enter_context(
            SippAgents(
                AgentBehaviour(ring_s=0.02, talk_s=600), folder / "agents", port=agents_port, media_port=agents_media
            )
        )
        centre = CallCenter(switch.address, switch.password)
        stack.callback(centre.stop)
        centre.add_queue("bench")
        for name in ("ann", "bob"):
            centre.add_agent(name, phones.contact(name)).log_on(ready=True)
        centre.on_call("5000")(lambda call: call.queue("bench"))
        centre.start()
        stack.enter_context(
            SippCallers(
                CallerBehaviour(hold_s=600),
                folder / "callers",
                switch_port=switch.callers_port,
                number="5000",
                calls=1,
                rate=1,
                port=callers_port,
                media_port=callers_media,
            )
        )
        busy, there = machine_seconds()
        watch = measure(centre, options.times)
        busy, there = (now - then for now, then in zip(machine_seconds(), (busy, there), strict=True))
    for name, taken in watch.times.items():
        acknowledged, done = zip(*taken, strict=True)
        print(
            line(
                f"service={name}",
                times=len(taken),
                ack_p50=percentile(acknowledged, 50),
                ack_p99=percentile(acknowledged, 99),
                done_p50=percentile(done, 50),
                done_p99=percentile(done, 99),
            )
        )
    print(line(machine_busy=busy / there))


if __name__ == "__main__":
    main()

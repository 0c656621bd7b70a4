"""A centre on a simulated switch over TCP, quick enough for unit tests: phones answer in hundredths of a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent

from cti import CallCenter, events
from cti.engine.invariants import broken
from cti.sim import Behaviour, SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer

QUICK = Behaviour(ring_s=(0.001, 0.002), answer_s=(0.01, 0.02), reject_s=(0.01, 0.02))


class Bench:
    """The switch, the centre and everything it said."""

    def __init__(self, centre: CallCenter, switch: SimulatedSwitch, server: SimServer) -> None:
        self.centre = centre
        self.switch = switch
        self.server = server
        self.said: list[Any] = []
        centre.subscribe(self.said.append, events.CallEvent, events.AgentEvent, events.SystemStatus)

    def agent(self, name: str, behaviour: Behaviour = QUICK, **settings: Any) -> None:
        """An agent with a phone of this behaviour, ready."""
        self.switch.phones.add(f"user/{name}", behaviour)
        self.centre.add_agent(name, f"user/{name}", **settings).log_on(ready=True)

    def of(self, kind: type[Any], **wanted: Any) -> list[Any]:
        return [e for e in self.said if isinstance(e, kind) and all(getattr(e, k) == v for k, v in wanted.items())]

    def until(self, what: str, true: Callable[[], Any], timeout_s: float = 10) -> Any:
        deadline = time.monotonic() + timeout_s
        while not (value := true()):
            assert time.monotonic() < deadline, f"never: {what}; said: {[type(e).__name__ for e in self.said[-20:]]}"
            gevent.sleep(0.002)
        return value

    def wait_for(self, kind: type[Any], **wanted: Any) -> Any:
        return self.until(f"{kind.__name__} {wanted}", lambda: self.of(kind, **wanted))[0]

    def all_is_over(self) -> None:
        """Everybody has hung up, and nothing is wrong or left."""
        world = self.centre._loop.engine.world
        self.until("no call is left", lambda: not world.interactions)
        assert broken(world) == []
        assert not world.connections
        assert not world.reservations
        assert not self.centre._scripts._calls


@contextmanager
def bench(**settings: Any) -> Iterator[Bench]:
    switch = SimulatedSwitch(GeventScheduler(), seed=1)
    server = SimServer(switch)
    server.start()
    host, port = server.address
    made = Bench(CallCenter(f"{host}:{port}", **settings), switch, server)
    try:
        yield made
    finally:
        made.centre.stop()
        server.stop()

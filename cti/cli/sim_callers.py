"""Callers and phones of the demo on a simulated switch, which listens on a loopback port like a real one."""

from __future__ import annotations

from cti.center import CallCenter
from cti.cli.demo_callers import HANDLE_S, IMPATIENT, PATIENCE_S
from cti.cli.demo_centre import NUMBERS
from cti.sim import Behaviour, SimulatedSwitch, Traffic
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer


class SimCallers:
    """A simulated switch with phones that mostly answer, and Poisson callers.

    Args:
        rate_per_s: mean calls a second.
        seed: for the same callers again.
    """

    def __init__(self, rate_per_s: float, seed: int) -> None:
        self._switch = SimulatedSwitch(GeventScheduler(), seed=seed)
        self._switch.phones.add_rule(r"user/1\d\d\d", Behaviour(busy=0.04, no_answer=0.03))
        self._traffic = Traffic(
            self._switch,
            rate_per_s,
            numbers=sorted(NUMBERS),
            patience_s=PATIENCE_S,
            impatient=IMPATIENT,
            handle_s=HANDLE_S,
            seed=seed,
        )
        self._server = SimServer(self._switch)

    def connect(self) -> None:
        """Listen on a free port."""
        self._server.start()

    @property
    def address(self) -> str:
        """The event socket as ``host:port``."""
        host, port = self._server.address
        return f"{host}:{port}"

    def contact(self, extension: str) -> str:
        """A registered user."""
        return f"user/{extension}"

    def start(self, centre: CallCenter) -> None:  # noqa: ARG002 - the switch itself knows when a caller is connected
        """Begin to call: the first caller is there at once."""
        self._switch.incoming(calling_number="0300000000", called_number=min(NUMBERS), talk_s=HANDLE_S)
        self._traffic.start()

    def stop(self) -> None:
        """Call no more, and end the switch with every call on it."""
        self._traffic.stop()
        self._server.stop()

"""Lets callers come in: each drawn at arrival, whatever the centre does with the others."""

from __future__ import annotations

import random
from collections.abc import Sequence

from cti.sim import SimulatedSwitch
from cti.simulation.ledger import Ledger
from cti.simulation.settings import Calls


class Arrivals:
    """The callers of one number.

    Args:
        switches: where they come in, at one as often as at another.
        calls: who they are.
        called_number: the number they call.
        ledger: keeps account of them.
        seed: for the same callers again.
    """

    def __init__(
        self, switches: Sequence[SimulatedSwitch], calls: Calls, called_number: str, ledger: Ledger, seed: str
    ) -> None:
        self._switches = switches
        self._calls = calls
        self._called_number = called_number
        self._ledger = ledger
        self._chance = random.Random(seed)
        self._left = calls.count

    @property
    def done(self) -> bool:
        """Whether all have come."""
        return not self._left

    def start(self) -> None:
        """The first comes after the first drawn gap."""
        self._wait()

    def _wait(self) -> None:
        if self._left:
            gap_s = self._chance.expovariate(self._calls.rate_per_s)
            self._switches[0].scheduler.call_later(gap_s, self._arrive)

    def _arrive(self) -> None:
        calls, chance = self._calls, self._chance
        self._left -= 1
        talk_s = chance.expovariate(1 / calls.handle_s)
        patience_s = chance.expovariate(1 / calls.patience_s) if calls.patience_s is not None else None
        self._wait()
        calling_number, call = self._ledger.arrives(calls)
        switch = chance.choice(self._switches) if len(self._switches) > 1 else self._switches[0]
        call.caller = switch.incoming(
            calling_number=calling_number,
            called_number=self._called_number,
            patience_s=patience_s,
            talk_s=talk_s,
        )

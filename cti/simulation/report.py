"""What a run came to: plain figures, each with one definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
from attrs import frozen

from cti.simulation.watch import Violation

PERCENTILES: Final = (50, 90, 95, 99)


@frozen
class Estimate:
    """A mean with half the width of its 99 % confidence interval (batch means); None where a run is too short for one."""

    mean: float | None
    half_width: float | None

    def agrees_with(self, value: float) -> bool:
        """Whether the value is within the interval."""
        return self.mean is not None and self.half_width is not None and abs(self.mean - value) <= self.half_width


@frozen
class WaitFigures:
    """Waits in seconds, from the call's arrival; percentiles by their number, to a tenth of a second."""

    mean_s: float | None
    longest_s: float
    percentiles_s: Mapping[int, float | None]


@frozen(kw_only=True)
class Report:
    """Offered = answered + abandoned + overflowed + lost + unaccounted; unaccounted must be 0.

    A call counts as answered once it has been, whatever became of it then; else as what the centre last took it for.
    ``lost`` are callers that the switch lost, or of whose end no word came. A call that the centre never heard of is
    counted by what its caller did, and is one of ``unseen`` as well.
    """

    agents: int
    offered: int
    answered: int
    abandoned: int
    overflowed: int
    lost: int
    unseen: int
    unaccounted: int
    waits: WaitFigures
    """Of the calls answered, abandoned and overflowed."""
    waits_answered: WaitFigures
    service_level: float | None
    """Answered in time / (offered - abandoned)."""
    abandoned_share: float | None
    """Abandoned / (answered + abandoned)."""
    occupancy: float | None
    """Busy and wrap-up / (these, and ready, reserved, alerting), of all agents until the last call came in."""
    mean_wait: Estimate
    """Of ``waits``, without the first twentieth of the calls, in which the centre fills up; so the others."""
    delayed: Estimate
    """The share of calls for which no agent was free at once."""
    in_time: Estimate
    """As ``service_level``."""
    abandons: Estimate
    """The share of calls abandoned."""
    violations: int
    violations_named: tuple[Violation, ...]
    stuck: tuple[str, ...]
    """What was left at the end that should not be: agents, calls, channels; empty when all is well."""
    faults: Mapping[str, int]
    """How often each fault has struck."""
    decisions: int
    decisions_sha256: str
    """Over each offer in turn: its time in microseconds, the call's number in order of arrival, the agent, the queue."""
    facts: int
    virtual_s: float
    wall_s: float

    @property
    def calls_per_s(self) -> float:
        """Calls simulated in a second of wall time."""
        return self.offered / self.wall_s if self.wall_s else 0.0

    @property
    def facts_per_s(self) -> float:
        """Facts handled in a second of wall time."""
        return self.facts / self.wall_s if self.wall_s else 0.0

    @property
    def sound(self) -> bool:
        """Whether no invariant was broken, every call is accounted for and nothing is stuck."""
        return not (self.violations or self.unaccounted or self.stuck)

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON, speeds included."""
        plain = attrs.asdict(self)
        plain["faults"] = dict(sorted(self.faults.items()))
        plain["calls_per_s"], plain["facts_per_s"] = round(self.calls_per_s), round(self.facts_per_s)
        plain["sound"] = self.sound
        return plain

"""What goes wrong in a simulation, as data: how often each fault strikes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import Attribute, field, frozen, validators

from cti.errors import ConfigurationError

_time = validators.optional(validators.gt(0.0))


def _share(_instance: object, attribute: Attribute[float], value: float) -> None:
    if not 0 <= value <= 1:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a share from 0 to 1")


@frozen(kw_only=True)
class FaultProfile:
    """Shares are chances from 0 to 1, ``..._every_s`` mean seconds between two (exponential unless said otherwise; None
    for never).

    Args:
        events_lost: of each event of the switch.
        events_late: of each event, by up to ``late_s``; those behind it overtake it.
        late_s: the longest delay of a late event.
        events_doubled: of each event.
        events_swapped: of each event, to come after the one behind it.
        commands_refused: of each command of a call: ``-ERR``, and nothing is done.
        jobs_lost: of each originate: taken (``+OK``), never begun, no word of it.
        unanswered_every_s: commands in between: it is never answered, nor is any behind it; the link is made anew.
        drops_every_s: between two losses of the link.
        restarts_every_s: between two deaths of the switch, with all its calls.
        kills_every_s: between two deaths of our own process, which comes back from its journal; exactly so many.
        journal: whether it keeps one; without, all that it knows when it comes back is what the switches' channels say.
        away_s: the mean time that the switch cannot be reached after a drop or a restart, or that our process is away.
        busy: of each offer, the phone is busy.
        rejects: of each offer, the agent rejects it.
        no_answer: of each offer, the phone rings on.
        unplugged_every_s: between two moments at which a phone of some agent is not registered any more.
        unplugged_s: the mean time until it is registered again.
        receiver_down_s: the mean time after which an agent's side ends a conversation; None: the caller always does.
    """

    events_lost: float = field(default=0.0, validator=_share)
    events_late: float = field(default=0.0, validator=_share)
    late_s: float = field(default=2.0, validator=validators.gt(0.0))
    events_doubled: float = field(default=0.0, validator=_share)
    events_swapped: float = field(default=0.0, validator=_share)
    commands_refused: float = field(default=0.0, validator=_share)
    jobs_lost: float = field(default=0.0, validator=_share)
    unanswered_every_s: float | None = field(default=None, validator=_time)
    drops_every_s: float | None = field(default=None, validator=_time)
    restarts_every_s: float | None = field(default=None, validator=_time)
    kills_every_s: float | None = field(default=None, validator=_time)
    journal: bool = True
    away_s: float = field(default=2.0, validator=validators.gt(0.0))
    busy: float = field(default=0.0, validator=_share)
    rejects: float = field(default=0.0, validator=_share)
    no_answer: float = field(default=0.0, validator=_share)
    unplugged_every_s: float | None = field(default=None, validator=_time)
    unplugged_s: float = field(default=60.0, validator=validators.gt(0.0))
    receiver_down_s: float | None = field(default=None, validator=_time)

    @property
    def touches_the_link(self) -> bool:
        """Whether anything happens to single events or commands."""
        return bool(
            self.events_lost
            or self.events_late
            or self.events_doubled
            or self.events_swapped
            or self.commands_refused
            or self.jobs_lost
            or self.unanswered_every_s
        )


NONE: Final = FaultProfile()
"""Nothing goes wrong."""

DEFAULT: Final = FaultProfile(
    events_lost=0.0002,
    events_late=0.001,
    events_doubled=0.001,
    events_swapped=0.001,
    commands_refused=0.0005,
    jobs_lost=0.0002,
    unanswered_every_s=4 * 3600.0,
    drops_every_s=1800.0,
    restarts_every_s=12 * 3600.0,
    busy=0.01,
    rejects=0.01,
    no_answer=0.02,
    unplugged_every_s=1800.0,
    receiver_down_s=3600.0,
)
"""A bad week: each kind of fault now and then."""

HEAVY: Final = FaultProfile(
    events_lost=0.005,
    events_late=0.02,
    late_s=5.0,
    events_doubled=0.02,
    events_swapped=0.02,
    commands_refused=0.01,
    jobs_lost=0.005,
    unanswered_every_s=1800.0,
    drops_every_s=300.0,
    restarts_every_s=3600.0,
    kills_every_s=1800.0,
    away_s=5.0,
    busy=0.03,
    rejects=0.03,
    no_answer=0.05,
    unplugged_every_s=300.0,
    unplugged_s=120.0,
    receiver_down_s=600.0,
)
"""Nothing can be relied on."""

PROFILES: Final[Mapping[str, FaultProfile]] = {"none": NONE, "default": DEFAULT, "heavy": HEAVY}
"""By the names that ``cti sim --faults`` knows."""

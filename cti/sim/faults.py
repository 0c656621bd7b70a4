"""What goes wrong in the simulated switch itself: as data, and the chance that brings it about."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import Attribute, field, frozen, validators

if TYPE_CHECKING:
    from cti.sim.bridge import Bridge
    from cti.sim.channel import Channel
    from cti.sim.scheduler import Scheduler

Done = Callable[[str], None]

_NO_CHANNEL = "-ERR No such channel!\n"
# What mod_commands.c says when it will not; what is not here answers as a command whose module is not loaded.
_REFUSALS = {
    "originate": "-ERR DESTINATION_OUT_OF_ORDER\n",  # mod_sofia's cause when no session can be made
    "sched_hangup": _NO_CHANNEL,
    "uuid_answer": "-ERROR\n",
    "uuid_break": _NO_CHANNEL,
    "uuid_bridge": "-ERR Invalid uuid\n",
    "uuid_broadcast": "-ERR invalid uuid\n",
    "uuid_dump": _NO_CHANNEL,
    "uuid_exists": "false",
    "uuid_getvar": _NO_CHANNEL,
    "uuid_hold": "-ERR Operation failed\n",
    "uuid_kill": _NO_CHANNEL,
    "uuid_park": _NO_CHANNEL,
    "uuid_pre_answer": "-ERROR\n",
    "uuid_send_dtmf": "-ERR Cannot locate session!\n",
    "uuid_setvar": _NO_CHANNEL,
    "uuid_setvar_multi": _NO_CHANNEL,
    "uuid_transfer": _NO_CHANNEL,
}
SENDMSG_REFUSED = "-ERR memory error"
"""What ``mod_event_socket.c`` says when a channel's queue of messages is full."""

# uuid_bridge takes at least this long from its "+OK" to the bridge (recorded: 26 to 60 ms).
_BRIDGING_S = 0.02

_share = [validators.ge(0.0), validators.le(1.0)]


def _shares(_faults: Faults, attribute: Attribute[Mapping[str, float]], value: Mapping[str, float]) -> None:
    for name, share in value.items():
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"{attribute.name} of {name} is a share from 0 to 1, not {share!r}")


@frozen(kw_only=True)
class Faults:
    """How often each fault strikes: shares from 0 to 1, 0 unless said otherwise.

    Args:
        refused: by the name of an api command, ``sendmsg``, or ``*`` for any other: refused in FreeSWITCH's words for that
            command, without effect. One in ``bgapi`` reports the refusal.
        unanswered: by the name of an api command, or ``*``: never carried out and never answered. Its connection hears
            nothing more, no event either, as when the command hangs in FreeSWITCH; in ``bgapi``, the job never ends.
        late: by the name of an api command, or ``*``: carried out at once, answered later.
        late_s: how much later, in seconds; drawn evenly.
        jobs_lost: the share of ``bgapi`` that is acknowledged but never begun: FreeSWITCH could not start a thread.
        agent_leaves: the share of bridges whose second leg hangs up between ``+OK`` and the bridge.
        caller_leaves: the same of the first leg; the second stays in CS_RESET for ever then, without an event.
        events_lost: the share of events that are not queued for a connection; it is ended after 501 in a row.
        seed: for the same faults again.

    Raises:
        ValueError: a share is below 0 or above 1.
    """

    refused: Mapping[str, float] = field(factory=dict, validator=_shares)
    unanswered: Mapping[str, float] = field(factory=dict, validator=_shares)
    late: Mapping[str, float] = field(factory=dict, validator=_shares)
    late_s: tuple[float, float] = (0.5, 5.0)
    jobs_lost: float = field(default=0.0, validator=_share)
    agent_leaves: float = field(default=0.0, validator=_share)
    caller_leaves: float = field(default=0.0, validator=_share)
    events_lost: float = field(default=0.0, validator=_share)
    seed: int = 0


class Mishaps:
    """Faults at work; draws from a chance of its own, so that nothing else in the switch is drawn otherwise."""

    def __init__(self, faults: Faults, scheduler: Scheduler) -> None:
        self.faults = faults
        self.counts: Counter[str] = Counter()
        """How often each fault has struck, by the names of the fields of :class:`Faults`."""
        self._scheduler = scheduler
        self._random = random.Random(faults.seed)

    def command(self, name: str, done: Done) -> Done | None:
        """What an api command's output is to go to; None when it is not to be carried out, and has been seen to."""
        faults = self.faults
        if self._one_of(faults.unanswered, "unanswered", name):
            return None
        if self._one_of(faults.refused, "refused", name):
            done(_REFUSALS.get(name, f"-ERR {name} Command not found!\n"))
            return None
        if self._one_of(faults.late, "late", name):
            delay_s = self._random.uniform(*faults.late_s)

            def done_late(output: str) -> None:
                self._scheduler.call_later(delay_s, done, output)

            return done_late
        return done

    def sendmsg_refused(self) -> bool:
        """Whether this ``sendmsg`` is refused."""
        return self._one_of(self.faults.refused, "refused", "sendmsg")

    def job_lost(self) -> bool:
        """Whether this job is never begun."""
        return self._strikes("jobs_lost", self.faults.jobs_lost)

    def event_lost(self) -> bool:
        """Whether this event is not queued for this connection."""
        return self._strikes("events_lost", self.faults.events_lost)

    def bridging(self, bridge: Bridge) -> None:
        """Two legs are on their way to each other: one of them may not stay."""
        for kind, share, leg in (
            ("agent_leaves", self.faults.agent_leaves, bridge.b),
            ("caller_leaves", self.faults.caller_leaves, bridge.a),
        ):
            if self._strikes(kind, share):
                self._scheduler.call_later(self._random.random() * _BRIDGING_S, _leave, leg)
                return

    def _one_of(self, shares: Mapping[str, float], kind: str, name: str) -> bool:
        return self._strikes(kind, shares.get(name, shares.get("*", 0.0)))

    def _strikes(self, kind: str, share: float) -> bool:
        if share <= 0.0 or self._random.random() >= share:
            return False
        self.counts[kind] += 1
        return True


def _leave(leg: Channel) -> None:
    if leg.up:
        leg.far.leave(leg)

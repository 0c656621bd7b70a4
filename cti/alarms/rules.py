"""What of a look at the centre is cause for an alarm: a pure function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from cti.alarms import kinds
from cti.alarms.failures import Failed
from cti.alarms.judge import Observation
from cti.alarms.look import Look, QueueLook
from cti.alarms.settings import AlarmSettings
from cti.model.states import DeviceState

CALM: Final = 0.8
"""A longest wait is over as a cause when it is this part of the limit; the lag when it is half."""

CALLED_PARTY: Final = frozenset(
    {"", "NORMAL_CLEARING", "USER_BUSY", "NO_ANSWER", "NO_USER_RESPONSE", "CALL_REJECTED", "ORIGINATOR_CANCEL"}
    | {"ALLOTTED_TIMEOUT", "LOSE_RACE", "PICKED_OFF"}
)
"""Hangup causes that say what the called person did: no phone has failed."""

NOT_REGISTERED: Final = "USER_NOT_REGISTERED"
"""What FreeSWITCH says of an offer to a phone that is not registered, and we of such a phone before there is an offer."""

_ROUNDING: Final = 1e-9


def observations(look: Look, failures: Iterable[Failed], settings: AlarmSettings) -> Iterator[Observation]:
    """Everything that is cause for an alarm, or is so no longer."""
    for switch, state in look.links.items():
        yield Observation(kinds.LINK_DOWN, switch, state != "live", f"the link to {switch} is {state}")
        lag_s = look.lag_s[switch]
        late = lag_s > settings.lag_s or (None if lag_s > settings.lag_s / 2 else False)
        yield Observation(kinds.LINK_LATE, switch, late, f"events of {switch} come {lag_s:.1f} s late")
    for trunk in look.trunks:
        down = None if trunk.state is DeviceState.UNKNOWN else trunk.state is DeviceState.OUT_OF_SERVICE
        said = f"gateway {trunk.id} of {trunk.switch} is out of service"
        yield Observation(
            kinds.TRUNK_DOWN, f"{trunk.switch}/{trunk.id}", down, f"{said}: {trunk.detail or 'no word why'}"
        )
    for queue in look.queues:
        yield from _queue(queue, settings)
    for failed in failures:
        yield _failing(failed, settings)


def _queue(look: QueueLook, settings: AlarmSettings) -> Iterator[Observation]:
    name, queue = look.queue, look.queue
    nobody = look.staffed == 0
    yield Observation(kinds.UNSTAFFED, name, nobody, f"nobody is logged on for {queue}", queue)
    unserved = nobody and look.waiting > 0
    yield Observation(kinds.UNSERVED, name, unserved, f"{look.waiting} calls wait in {queue} for nobody", queue)
    if settings.longest_wait_s is not None:
        waited_s, most_s = look.longest_wait_s, settings.longest_wait_s
        too_long = waited_s > most_s or (None if waited_s > CALM * most_s else False)
        said = f"a call has waited {waited_s:.0f} s in {queue}; {most_s:.0f} s is the limit"
        yield Observation(kinds.LONGEST_WAIT, name, too_long, said, queue)
    target = look.target if look.target is not None else settings.service_level
    share = look.service_level
    if target is not None and share is not None and look.calls >= settings.service_level_calls:
        enough = min(1.0, target + settings.service_level_margin) - _ROUNDING
        low = share < target or (None if share < enough else False)
        said = f"{share:.0%} of the last calls of {queue} were answered in time; {target:.0%} should be"
        yield Observation(kinds.SERVICE_LEVEL, name, low, said, queue)


def _failing(failed: Failed, settings: AlarmSettings) -> Observation:
    count, enough, whose = failed.times, 1, ""
    if failed.name == kinds.OFFERS:
        count, enough, whose = failed.different, settings.agents_failing, " agents"
    elif failed.name == kinds.TRUNK:
        enough = settings.trunk_failures
    about = f"{failed.subject}: " if failed.subject else ""
    said = f"{about}{count}{whose} in {settings.window_s:.0f} s; last: {failed.last}"
    return Observation(failed.name, failed.subject, count >= enough, said)

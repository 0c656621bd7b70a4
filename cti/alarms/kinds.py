"""The alarms there are: how bad each is, how long its cause must hold, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from cti.alarms.alarm import Grade

LINK_DOWN: Final = "link.down"
LINK_LATE: Final = "link.late"
UNSTAFFED: Final = "queue.unstaffed"
UNSERVED: Final = "queue.unserved"
SERVICE_LEVEL: Final = "queue.service_level"
LONGEST_WAIT: Final = "queue.longest_wait"
OFFERS: Final = "offers.failing"
TRUNK_DOWN: Final = "trunk.down"
TRUNK: Final = "trunk.failing"
RECORDING: Final = "recording.failing"
INVARIANT: Final = "invariant.broken"
JOURNAL: Final = "journal.trouble"
AUDIT: Final = "audit.trouble"
STATE: Final = "state.trouble"
PART: Final = "part.failed"


@frozen
class Kind:
    """One kind of alarm.

    Args:
        grade: how bad it is.
        raise_after_s: its cause must hold for so long without a pause.
        clear_after_s: its cause must be gone for so long without a pause.
        suggestion: what to do about it.
    """

    grade: Grade
    raise_after_s: float
    clear_after_s: float
    suggestion: str


KINDS: Final[Mapping[str, Kind]] = {
    LINK_DOWN: Kind(
        Grade.CRITICAL,
        3,
        3,
        "see whether FreeSWITCH runs and its event socket can be reached from here; the link comes back by itself",
    ),
    LINK_LATE: Kind(
        Grade.MAJOR,
        10,
        30,
        "events come late: see which of the two machines is short of CPU, and what else reads the event socket",
    ),
    UNSTAFFED: Kind(Grade.MINOR, 60, 10, "have somebody with the required skills log on, or close the queue"),
    UNSERVED: Kind(
        Grade.MAJOR,
        10,
        10,
        "callers wait and nobody who may take them is logged on: have somebody log on, or move the calls (call.queue)",
    ),
    SERVICE_LEVEL: Kind(
        Grade.MAJOR, 30, 60, "make more agents ready for the queue; `cti` explains an idle one (agent.explain)"
    ),
    LONGEST_WAIT: Kind(
        Grade.MAJOR, 0, 30, "look why the oldest call is not offered (call.explain); make more agents ready"
    ),
    OFFERS: Kind(
        Grade.MAJOR,
        0,
        30,
        "the phones of several agents cannot be reached: see the registrar, the network, the gateway",
    ),
    TRUNK_DOWN: Kind(
        Grade.MAJOR,
        10,
        10,
        "see the carrier, the network on the way, and the gateway's account (`sofia status gateway NAME`); calls go out by"
        " another one only where a dial string names it",
    ),
    TRUNK: Kind(Grade.MAJOR, 0, 30, "calls outside fail: see the gateway's state on the switch, and the carrier"),
    RECORDING: Kind(Grade.MAJOR, 0, 30, "see whether the switch can write where recordings go, and has room there"),
    INVARIANT: Kind(Grade.MAJOR, 0, 30, "a defect of this software, which mends what it can: report it with the log"),
    JOURNAL: Kind(
        Grade.CRITICAL,
        0,
        0,
        "see the disk of the journal: it is full, gone, or not ours to write; calls go on meanwhile",
    ),
    AUDIT: Kind(
        Grade.CRITICAL,
        0,
        0,
        "see the disk of the audit: it is full, gone, or not ours to write; requests go on meanwhile",
    ),
    STATE: Kind(
        Grade.MAJOR,
        0,
        0,
        "see the disk of the state: it is full, gone, or not ours to write; figures are kept in memory meanwhile",
    ),
    PART: Kind(Grade.CRITICAL, 0, 0, "a part of this program has ended that must not: start it anew, report the log"),
}
"""Every kind that AlarmWatch raises, by its name."""

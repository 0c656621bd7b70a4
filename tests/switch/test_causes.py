"""FreeSWITCH's causes in CSTA's words."""

from __future__ import annotations

import pytest

from cti.model.cause import Cause
from cti.switch.causes import cause_of, hangup_cause_of


@pytest.mark.parametrize(
    ("hangup_cause", "cause"),
    [
        ("USER_BUSY", Cause.BUSY),
        ("NO_ANSWER", Cause.CALL_NOT_ANSWERED),
        ("USER_NOT_REGISTERED", Cause.DEST_NOT_OBTAINABLE),
        ("NORMAL_TEMPORARY_FAILURE", Cause.DEST_OUT_OF_ORDER),
        ("SOMETHING_NEW", Cause.NORMAL),
    ],
)
def test_known_and_unknown(hangup_cause, cause):
    assert cause_of(hangup_cause) is cause


def test_every_cause_can_clear_a_channel():
    assert {hangup_cause_of(cause) for cause in Cause} <= {
        "NORMAL_CLEARING",
        "ORIGINATOR_CANCEL",
        "NO_ANSWER",
        "LOSE_RACE",
        "USER_BUSY",
        "UNALLOCATED_NUMBER",
        "SWITCH_CONGESTION",
    }
    assert hangup_cause_of(Cause.CALL_CANCELLED) == "ORIGINATOR_CANCEL"


def test_numbers_and_names_are_the_standards():
    assert Cause.NORMAL_CLEARING == 48
    assert Cause.NORMAL_CLEARING.csta_name == "normalClearing"
    assert Cause.QUEUE_TIME_OVERFLOW == 110

"""Causes carry the standard's numbers."""

from __future__ import annotations

import pytest

from cti.model.cause import Cause

USED_MOST = """
busy 3, callCancelled 5, callNotAnswered 10, callPickup 11, destNotObtainable 13, doNotDisturb 14, newCall 22,
noAvailableAgents 23, overflow 26, redirected 28, resourcesNotAvailable 30, silentParticipation 31, transfer 32,
consultation 37, distributed 38, enteringDistribution 42, forcedPause 43, normalClearing 48, singleStepConference 51,
singleStepTransfer 52, switchingFunctionTerminated 54, timeout 56, alertTimeExpired 60, autoWork 61, conference 63,
destOutOfOrder 65, forcedTransition 67, multipleAlerting 74, remainsInQueue 83, queueTimeOverflow 110
"""


@pytest.mark.parametrize(("name", "number"), [pair.split() for pair in USED_MOST.replace("\n", " ").split(",")])
def test_a_cause_has_the_standards_name_and_number(name, number):
    assert Cause(int(number)).csta_name == name


def test_no_two_causes_share_a_name():
    assert len({cause.csta_name for cause in Cause}) == len(Cause)

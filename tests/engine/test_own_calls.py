"""Calls that agents' phones have past the centre: seen, told, and nothing is offered meanwhile."""

from __future__ import annotations

import pytest

from cti.engine.why import explain_agent
from cti.model import device_facts, events, facts, intents, reason
from cti.model.agent import AgentSettings
from cti.model.ids import AgentId, ConnectionId, DeviceId
from cti.model.states import AgentState

from .story import FS, Story

NULL, NOT_READY, READY, RESERVED, ALERTING, BUSY, WORKING = AgentState
PHONE = DeviceId("ann")
OWN = ConnectionId("own")


@pytest.fixture
def s() -> Story:
    """A queue."""
    story = Story()
    story.queue("sales")
    return story


def began(s: Story, *, incoming: bool = False, established: bool = False, own: ConnectionId = OWN) -> None:
    s.tell(device_facts.OwnCallBegan(FS, PHONE, own, incoming, "+49301234", established))


def answered(s: Story) -> None:
    s.tell(device_facts.OwnCallAnswered(FS, PHONE, OWN))


def ended(s: Story, own: ConnectionId = OWN) -> None:
    s.tell(device_facts.OwnCallEnded(FS, PHONE, own))


def is_(s: Story) -> tuple[AgentState, str]:
    return s.state("ann"), s.why("ann")


def phases(s: Story) -> list[str]:
    return [event.phase for event in s.events(events.OwnCall)]


@pytest.mark.parametrize("incoming", [True, False])
def test_nothing_is_offered_while_the_phone_is_in_use_and_then_all_is_as_before(s, incoming):
    s.agent("ann")
    began(s, incoming=incoming)
    assert is_(s) == (NOT_READY, reason.NON_ACD_CALL)
    call = s.waiting("sales")
    answered(s)
    assert not s.offers()
    ended(s)
    assert s.ringing(call) == ["ann"]
    assert phases(s) == ["ringing", "talking", "ended"]
    [first, *_] = s.events(events.OwnCall)
    assert (first.agent, first.device, first.number, first.incoming) == ("ann", PHONE, "+49301234", incoming)


def test_by_policy_it_is_told_and_nothing_else(s):
    s.agent("ann", own_calls="ignore")
    began(s)
    assert is_(s) == (READY, "")
    ended(s)
    assert phases(s) == ["ringing", "ended"]


def test_a_policy_that_changes_meanwhile_counts_at_once(s):
    s.agent("ann", own_calls="ignore")
    began(s)
    contact = "user/ann"
    s.tell(facts.AgentDefined(AgentSettings(AgentId("ann"), contact)))
    assert is_(s) == (NOT_READY, reason.NON_ACD_CALL)
    s.tell(facts.AgentDefined(AgentSettings(AgentId("ann"), contact, own_calls="ignore")))
    assert is_(s) == (READY, "")


@pytest.mark.parametrize("rings", [True, False])
def test_an_agent_who_calls_somebody_while_being_offered_a_call_is_no_victim_of_rna(s, rings):
    s.agent("ann")
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    if rings:
        s.delivered(leg)
    began(s)
    assert is_(s) == (NOT_READY, reason.NON_ACD_CALL)
    assert s.clears() == [leg]
    s.cleared(leg)
    assert s.waits("sales") == [call]
    ended(s)
    assert s.ringing(call) == ["ann"]


def test_being_called_as_well_takes_no_offer_away_until_that_is_answered(s):
    s.agent("ann")
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.delivered(leg)
    began(s, incoming=True)
    assert s.state("ann") is ALERTING
    answered(s)
    assert is_(s) == (NOT_READY, reason.NON_ACD_CALL)
    assert s.waits("sales") == [call]


def test_whoever_takes_the_offer_instead_is_busy_and_not_ready_after_it_for_as_long_as_it_takes(s):
    s.agent("ann")
    s.waiting("sales")
    s.delivered(s.offered_leg("ann"))
    began(s, incoming=True)
    s.take("ann")
    assert s.state("ann") is BUSY
    s.ends("ann")
    assert is_(s) == (NOT_READY, reason.NON_ACD_CALL)
    ended(s)
    assert is_(s) == (READY, "")


def test_a_call_of_their_own_during_one_of_the_centres_changes_nothing_until_its_end(s):
    s.agent("ann", wrap_up_s=5)
    s.talking("ann", "sales")
    began(s)
    assert s.state("ann") is BUSY
    ended(s)
    s.ends("ann")
    s.advance(5)
    assert is_(s) == (READY, "")


def test_of_several_calls_the_last_one_counts(s):
    s.agent("ann")
    began(s)
    began(s, own=ConnectionId("second"))
    began(s)  # told twice
    ended(s)
    assert is_(s) == (NOT_READY, reason.NON_ACD_CALL)
    ended(s, ConnectionId("second"))
    assert is_(s) == (READY, "")
    assert phases(s) == ["ringing", "ringing", "ended", "ended"]


def test_who_is_not_ready_stays_so_and_a_wish_is_kept(s):
    s.agent("ann", ready=False)
    began(s)
    assert is_(s) == (NOT_READY, reason.LOGGED_ON)
    s.ready("ann")
    assert is_(s) == (NOT_READY, reason.NON_ACD_CALL)
    s.not_ready("ann", "lunch")
    ended(s)
    assert is_(s) == (NOT_READY, "lunch")


def test_a_phone_that_is_down_and_in_use_comes_back_when_it_is_neither(s):
    s.agent("ann")
    began(s, established=True)
    s.tell(device_facts.DeviceOutOfService(FS, PHONE))
    ended(s)
    assert is_(s) == (NOT_READY, reason.PHONE_DOWN)
    began(s, established=True)
    s.tell(device_facts.DeviceInService(FS, PHONE))
    assert is_(s) == (NOT_READY, reason.NON_ACD_CALL)
    ended(s)
    assert is_(s) == (READY, "")


def test_an_end_that_nobody_told_is_found(s):
    s.agent("ann")
    began(s)
    s.last = []
    s.advance(60)
    assert s.wanted(intents.CheckConnection) == [intents.CheckConnection(FS, OWN)]
    s.cleared(OWN) if OWN in s.world.connections else s.tell(
        facts.ConnectionCleared(FS, OWN, events.Cause.NORMAL_CLEARING, "NOT_THERE_ANY_MORE")
    )
    assert is_(s) == (READY, "")
    assert not s.world.own_calls


def test_after_a_gap_what_lives_is_what_counts(s):
    s.agent("ann")
    began(s)
    other = device_facts.OwnCallBegan(FS, PHONE, ConnectionId("other"), True, "1", True)
    s.link_lost()
    s.tell(facts.LinkConnecting(FS))
    s.tell(facts.LinkAuthenticated(FS))
    s.tell(facts.SnapshotTaken(FS, (), own_calls=(other,)))
    assert set(s.world.own_calls) == {"other"}
    assert is_(s) == (NOT_READY, reason.NON_ACD_CALL)
    s.snapshot()
    assert is_(s) == (READY, "")


def test_after_log_off_nothing_is_left_of_it(s):
    s.agent("ann")
    began(s)
    s.log_off("ann")
    assert not s.world.own_calls
    assert s.timers == []
    ended(s)
    s.log_on("ann", ready=True)
    assert is_(s) == (READY, "")


def test_a_phone_that_calls_the_centre_itself_is_in_use_and_its_call_a_call(s):
    s.agent("ann")
    began(s)
    s.tell(facts.Offered(FS, OWN, "ann", "ann", "5000"))
    s.cleared(OWN)
    ended(s)
    assert is_(s) == (READY, "")
    assert not s.world.interactions


def test_why_an_agent_is_idle_names_the_call(s):
    s.agent("ann")
    began(s)
    s.waiting("sales")
    [why] = explain_agent(s.world, AgentId("ann")).calls
    assert why.text == "not ready (NON_ACD_CALL): their phone has a call to +49301234 past the centre"

"""Agents' phones: whose phone is not registered is offered nothing, and is what they were when it is back."""

from __future__ import annotations

import pytest

from cti.engine.why import explain_agent
from cti.model import device_facts, events, facts, intents, reason
from cti.model.cause import Cause
from cti.model.device import device_of
from cti.model.ids import AgentId, DeviceId, SwitchId
from cti.model.states import AgentState, DeviceState

from .story import FS, Story

NULL, NOT_READY, READY, RESERVED, ALERTING, BUSY, WORKING = AgentState
PHONE = DeviceId("ann")
OTHER = SwitchId("other")


@pytest.fixture
def s() -> Story:
    """A queue."""
    story = Story()
    story.queue("sales")
    return story


def down(s: Story, switch: SwitchId = FS) -> None:
    s.tell(device_facts.DeviceOutOfService(switch, PHONE))


def up(s: Story, switch: SwitchId = FS) -> None:
    s.tell(device_facts.DeviceInService(switch, PHONE))


def is_(s: Story) -> tuple[AgentState, str, bool]:
    ann = s.world.agents[AgentId("ann")]
    return ann.state, ann.reason, ann.blocked


@pytest.mark.parametrize(
    ("contact", "device"),
    [
        ("user/1001", "1001"),
        ("user/1001@example.com", "1001@example.com"),
        ("{sip_secure_media=true}user/1001", "1001"),
        ("sofia/gateway/mobile/13800000000", None),
        ("sofia/agents/1001@127.0.0.1:5062", None),
        ("user/1001,user/1002", None),
        ("user/1001|sofia/gateway/mobile/1", None),
        ("[leg_timeout=5]user/1001", None),
        ("error/user_busy", None),
        ("user/", None),
        ("user/1001\n", None),
    ],
)
def test_which_contacts_are_phones_that_register(contact, device):
    assert device_of(contact) == device


def test_a_phone_is_watched_from_log_on_to_log_off(s):
    s.agent("ann", logged_on=False)
    assert not s.wanted(intents.WatchDevice)
    s.log_on("ann")
    assert s.wanted(intents.WatchDevice) == [intents.WatchDevice(FS, PHONE)]
    s.log_off("ann")
    assert s.wanted(intents.UnwatchDevice) == [intents.UnwatchDevice(FS, PHONE)]
    assert not s.world.devices
    down(s)  # late
    assert is_(s) == (NULL, "", False)
    assert not s.events(events.DeviceEvent, last=True)


def test_a_phone_that_cannot_be_known_is_not_watched_and_counts_as_in_service(s):
    s.agent("ann", contact="sofia/gateway/mobile/1")
    assert not s.wanted(intents.WatchDevice)
    assert s.state("ann") is READY


@pytest.mark.parametrize("ready", [True, False])
def test_whoever_logs_on_before_the_phone_registers_gets_calls_once_it_does(s, ready):
    s.agent("ann", ready=ready)
    down(s)
    assert is_(s) == ((NOT_READY, reason.PHONE_DOWN, True) if ready else (NOT_READY, reason.LOGGED_ON, False))
    call = s.waiting("sales")
    assert not s.offers()
    up(s)
    assert s.offers() == ([("ann", call)] if ready else [])


def test_the_events_say_what_they_are_and_will_be(s):
    s.agent("ann")
    down(s)
    [out] = s.events(events.OutOfService, last=True)
    assert (out.agent, out.device, out.switch) == ("ann", PHONE, FS)
    [told] = s.events(events.AgentNotReady, last=True)
    assert (told.reason, told.pending) == (reason.PHONE_DOWN, "ready")
    up(s)
    assert [e.agent for e in s.events(events.BackInService, last=True)] == ["ann"]
    assert [e.agent for e in s.events(events.AgentReady, last=True)] == ["ann"]


def test_a_phone_that_was_never_away_is_not_back(s):
    s.agent("ann")
    up(s)
    assert not s.events(events.DeviceEvent)
    assert s.world.devices["ann"].state is DeviceState.IN_SERVICE


def test_flapping_says_each_change_once(s):
    s.agent("ann")
    for _ in range(3):
        up(s)
        up(s)
        down(s)
        down(s)
    assert len(s.events(events.OutOfService)) == 3
    assert len(s.events(events.BackInService)) == 2


@pytest.mark.parametrize("rings", [True, False])
def test_a_phone_that_goes_while_it_is_offered_a_call_is_no_victim_of_rna(s, rings):
    s.agent("ann", no_answers_allowed=1)
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    if rings:
        s.delivered(leg)
    down(s)
    assert is_(s) == (NOT_READY, reason.PHONE_DOWN, True)
    assert s.clears() == [leg]
    assert s.world.agents[AgentId("ann")].no_answers == 0
    assert s.waits("sales") == [call]
    s.cleared(leg)
    s.advance(120)
    assert is_(s) == (NOT_READY, reason.PHONE_DOWN, True)
    up(s)
    assert s.ringing(call) == ["ann"]


def test_a_call_in_hand_goes_on_and_so_does_the_work_after_it(s):
    s.agent("ann", wrap_up_s=30)
    call = s.talking("ann", "sales")
    down(s)
    assert s.state("ann") is BUSY
    s.ends("ann")
    assert s.is_over(call)
    assert s.state("ann") is WORKING
    s.advance(30)
    assert is_(s) == (NOT_READY, reason.PHONE_DOWN, True)
    up(s)
    assert s.state("ann") is READY


def test_back_before_the_call_ends_is_as_if_nothing_had_been(s):
    s.agent("ann")
    s.talking("ann", "sales")
    down(s)
    up(s)
    s.ends("ann")
    assert is_(s) == (READY, "", False)


def test_whoever_is_not_ready_by_their_own_wish_stays_so(s):
    s.agent("ann")
    s.not_ready("ann", "lunch")
    down(s)
    assert is_(s) == (NOT_READY, "lunch", False)
    up(s)
    assert is_(s) == (NOT_READY, "lunch", False)


def test_ready_is_a_wish_that_waits_for_the_phone_and_can_be_taken_back(s):
    s.agent("ann", ready=False)
    down(s)
    s.ready("ann")
    assert is_(s) == (NOT_READY, reason.PHONE_DOWN, True)
    s.not_ready("ann", "lunch")
    assert is_(s) == (NOT_READY, "lunch", False)
    up(s)
    assert is_(s) == (NOT_READY, "lunch", False)


def test_by_policy_whoever_has_had_no_phone_says_themselves_when_they_are_ready(s):
    s.agent("ann", after_phone_up="not ready")
    down(s)
    up(s)
    assert is_(s) == (NOT_READY, reason.PHONE_UP, False)


def test_an_offer_to_a_phone_that_is_not_registered_leads_there_too(s):
    s.agent("ann", phone_down_delay_s=15)
    up(s)
    call = s.waiting("sales")
    s.failed(s.offered_leg("ann"), Cause.DEST_NOT_OBTAINABLE)
    assert is_(s) == (NOT_READY, reason.PHONE_DOWN, False)  # for a while, as of any phone
    down(s)  # the switch's word for it
    assert is_(s) == (NOT_READY, reason.PHONE_DOWN, True)
    s.advance(14)
    up(s)
    assert s.ringing(call) == ["ann"], "not to wait for the end of the pause"


def test_a_phone_that_is_down_is_looked_for_in_case_its_event_is_lost(s):
    s.agent("ann", phone_down_delay_s=15)
    down(s)
    looked = []
    for _ in range(150):
        s.advance(1)
        if s.wanted(intents.WatchDevice):
            looked.append(s.now)
            s.last = []
    assert looked == [15, 75, 135]
    s.tell(device_facts.DeviceInService(FS, PHONE))
    s.last = []
    s.advance(500)
    assert not s.wanted(intents.WatchDevice)
    assert s.state("ann") is READY


def test_a_pause_that_ends_while_the_phone_is_down_does_not_make_ready(s):
    s.agent("ann", reject_delay_s=5)
    s.waiting("sales")
    leg = s.offered_leg("ann")
    s.delivered(leg)
    s.cleared(leg, Cause.CALL_CANCELLED)
    assert s.why("ann") == reason.REJECTED
    down(s)
    s.advance(60)
    assert is_(s) == (NOT_READY, reason.PHONE_DOWN, True)


def test_after_a_lost_link_every_phone_is_looked_at_again(s):
    s.agent("ann")
    s.link_lost()
    assert s.state("ann") is READY
    s.tell(facts.LinkConnecting(FS))
    s.tell(facts.LinkAuthenticated(FS))
    assert s.wanted(intents.WatchDevice) == [intents.WatchDevice(FS, PHONE)]
    down(s)
    call = s.waiting("sales")
    s.snapshot(s.seen(s.caller_of(call)))
    assert not s.offers()
    up(s)
    assert s.ringing(call) == ["ann"]


def test_who_logged_on_without_any_link_is_looked_at_when_there_is_one():
    s = Story(live=False)
    s.queue("sales")
    s.agent("ann")
    assert not s.wanted(intents.WatchDevice)
    s.tell(facts.LinkConnecting(FS))
    assert s.tell(facts.LinkAuthenticated(FS))[-1] == intents.WatchDevice(FS, PHONE)


def test_a_phone_registers_at_one_of_several_switches(s):
    s.link_up(switch=OTHER)
    s.agent("ann")
    assert {i.switch for i in s.intents if isinstance(i, intents.WatchDevice)} == {FS, OTHER}
    up(s)
    down(s, OTHER)
    assert s.state("ann") is READY
    down(s)
    assert is_(s) == (NOT_READY, reason.PHONE_DOWN, True)
    up(s, OTHER)
    assert s.state("ann") is READY
    assert s.world.devices["ann"].state is DeviceState.IN_SERVICE


def test_the_same_user_at_two_switches_is_two_phones(s):
    s.link_up(switch=OTHER)
    s.agent("ann", contact="user/1", switch=FS)
    s.agent("bob", contact="user/1", switch=OTHER)
    s.tell(device_facts.DeviceOutOfService(OTHER, DeviceId("1")))
    assert (s.state("ann"), s.state("bob")) == (READY, NOT_READY)
    s.log_off("bob")
    assert s.wanted(intents.UnwatchDevice) == [intents.UnwatchDevice(OTHER, DeviceId("1"))]
    assert s.state("ann") is READY


def test_a_phone_at_a_switch_that_is_drained_comes_back_only_when_both_are(s):
    s.agent("ann", switch=FS)
    down(s)
    s.world.draining[FS] = False
    s.engine._desk.look_at_phones(FS, Cause.FORCED_TRANSITION)
    up(s)
    assert is_(s) == (NOT_READY, reason.PHONE_DOWN, True)
    del s.world.draining[FS]
    s.engine._desk.look_at_phones(FS, Cause.FORCED_TRANSITION)
    assert s.state("ann") is READY


def test_why_an_agent_is_idle_names_the_phone(s):
    s.agent("ann")
    down(s)
    s.advance(7)
    s.waiting("sales")
    [why] = explain_agent(s.world, AgentId("ann")).calls
    assert why.code == "state"
    assert why.text == (
        "not ready (PHONE_DOWN): phone user/ann has not been registered for 7.0 s; ready again when it is"
    )

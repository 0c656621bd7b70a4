"""A mobile after, or together with, the phone at the desk: the first answer wins."""

from __future__ import annotations

import pytest

from cti.errors import ConfigurationError
from cti.model import device_facts, events, facts, intents, reason
from cti.model.agent import AgentSettings
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, DeviceId
from cti.model.states import AgentState

from .story import FS, Story

NULL, NOT_READY, READY, RESERVED, ALERTING, BUSY, WORKING = AgentState
MOBILE = "sofia/gateway/mobile/138"


@pytest.fixture
def s() -> Story:
    """A queue that lets phones ring for 30 s."""
    story = Story()
    story.queue("sales", ring_timeout_s=30)
    return story


def legs(s: Story) -> dict[str, ConnectionId]:
    """The legs by which Ann is being rung, by contact."""
    offers = {i.leg: i.contact for i in s.intents if isinstance(i, intents.OfferCall)}
    made = s.reservation("ann")
    assert made is not None
    return {offers[leg]: leg for leg in made.legs}


def both(s: Story) -> tuple[ConnectionId, ConnectionId]:
    found = legs(s)
    return found["user/ann"], found[MOBILE]


def test_it_rings_after_the_phone_at_the_desk_for_what_is_left_of_the_time(s):
    s.agent("ann", mobile=MOBILE, mobile_after_s=10)
    s.waiting("sales")
    assert list(legs(s)) == ["user/ann"]
    s.advance(10)
    [offer] = s.wanted(intents.OfferCall)
    assert (offer.contact, offer.confirm, offer.ring_timeout_s) == (MOBILE, "1", 20)
    desk, mobile = both(s)
    s.delivered(desk)
    s.delivered(mobile)
    assert len(s.events(events.Delivered)) == 1, "one screen pop"


@pytest.mark.parametrize("wins", ["user/ann", MOBILE])
def test_the_first_answer_wins_and_the_other_stops_ringing(s, wins):
    s.agent("ann", mobile=MOBILE)
    call = s.waiting("sales")
    found = legs(s)
    first, other = found.pop(wins), *found.values()
    for leg in (first, other):
        s.delivered(leg)
    s.established(first)
    assert s.clears() == [other]
    assert s.wanted(intents.Bridge) == [intents.Bridge(FS, s.caller_of(call), first)]
    s.established(other)  # at the same moment
    assert s.clears() == [other]
    s.bridged(call, first)
    s.cleared(other, Cause.MULTIPLE_ALERTING)
    assert s.state("ann") is BUSY
    assert s.world.agents[AgentId("ann")].connection == first
    assert not s.is_over(call)
    s.ends("ann")
    assert s.state("ann") is READY
    assert not s.world.connections


@pytest.mark.parametrize(
    "cause", [Cause.DEST_NOT_OBTAINABLE, Cause.BUSY, Cause.DEST_OUT_OF_ORDER, Cause.CALL_NOT_ANSWERED]
)
def test_it_is_not_waited_for_when_the_phone_at_the_desk_cannot_ring(s, cause):
    s.agent("ann", mobile=MOBILE, mobile_after_s=10)
    call = s.waiting("sales")
    s.failed(legs(s)["user/ann"], cause)
    assert list(legs(s)) == [MOBILE]
    mobile = legs(s)[MOBILE]
    s.advance(10)
    assert list(legs(s)) == [MOBILE]
    s.established(mobile)
    s.bridged(call, mobile)
    assert s.state("ann") is BUSY


def test_it_is_not_waited_for_when_the_caller_has_gone(s):
    s.agent("ann", mobile=MOBILE, mobile_after_s=10)
    call = s.waiting("sales")
    assert [timer for timer in s.timers if timer.kind == "mobile"]
    s.hang_up(call)
    assert not [timer for timer in s.timers if timer.kind == "mobile"]


def test_who_refuses_at_the_desk_refuses_the_call(s):
    s.agent("ann", mobile=MOBILE)
    call = s.waiting("sales")
    desk, mobile = both(s)
    s.delivered(desk)
    s.cleared(desk, Cause.CALL_CANCELLED)
    assert s.clears() == [mobile]
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, reason.REJECTED)
    assert s.waits("sales") == [call]


def test_a_mobile_that_ends_first_leaves_the_desk_ringing(s):
    s.agent("ann", mobile=MOBILE)
    call = s.waiting("sales")
    desk, mobile = both(s)
    s.failed(mobile, Cause.DEST_OUT_OF_ORDER)
    assert s.state("ann") is RESERVED
    s.delivered(desk)
    s.established(desk)
    s.bridged(call, desk)
    assert s.state("ann") is BUSY


def test_when_neither_answers_both_stop_and_it_counts_once(s):
    s.agent("ann", mobile=MOBILE, no_answers_allowed=2, no_answer_delay_s=1)
    s.waiting("sales")
    s.advance(29)
    desk, mobile = both(s)
    s.advance(1)
    assert set(s.clears()) == {desk, mobile}
    assert s.world.agents[AgentId("ann")].no_answers == 1
    assert len(s.events(events.OfferEnded)) == 1


def test_a_caller_who_gives_up_frees_both(s):
    s.agent("ann", mobile=MOBILE, mobile_after_s=5)
    call = s.waiting("sales")
    s.hang_up(call)
    s.advance(10)
    assert [i.contact for i in s.intents if isinstance(i, intents.OfferCall)] == ["user/ann"]
    assert s.state("ann") is READY
    assert s.timers == [] or all(timer.kind != "mobile" for timer in s.timers)


def test_with_a_mobile_nobody_is_stopped_by_a_phone_that_is_not_registered(s):
    s.agent("ann", mobile=MOBILE, mobile_after_s=10, mobile_key="")
    s.tell(device_facts.DeviceOutOfService(FS, DeviceId("ann")))
    assert s.state("ann") is READY
    s.waiting("sales")
    [offer] = [i for i in s.intents if isinstance(i, intents.OfferCall)]
    assert (offer.contact, offer.confirm) == (MOBILE, "")
    s.advance(10)
    assert list(legs(s)) == [MOBILE]


def test_a_restart_of_the_switch_ends_both(s):
    s.agent("ann", mobile=MOBILE)
    s.waiting("sales")
    s.link_lost()
    s.link_up(restarted=True)
    assert not s.world.connections
    assert not s.world.reservations
    assert s.state("ann") is READY


@pytest.mark.parametrize("wrong", [{"mobile": "user/1\n2"}, {"mobile_key": "12"}, {"mobile_key": "x"}, {"mobile": 5}])
def test_bad_input_is_named(wrong):
    [name] = wrong
    with pytest.raises(ConfigurationError, match=name):
        AgentSettings(AgentId("ann"), "user/1", **wrong)


def test_a_snapshot_shows_both_ringing_and_nothing_changes(s):
    s.agent("ann", mobile=MOBILE)
    call = s.waiting("sales")
    desk, mobile = both(s)
    s.link_lost()
    s.link_up(s.seen(s.caller_of(call)), s.seen(desk), s.seen(mobile))
    assert s.clears() == []
    s.tell(facts.Established(FS, mobile, s.reservation("ann").id))
    s.bridged(call, mobile)
    assert s.state("ann") is BUSY


def test_the_phone_at_the_desk_is_asked_to_answer_by_itself_and_the_mobile_never(s):
    s.agent("ann", mobile=MOBILE, auto_answer_offers=True)
    s.waiting("sales")
    asked = {offer.contact: offer.auto_answer for offer in s.intents if isinstance(offer, intents.OfferCall)}
    assert asked == {"user/ann": True, MOBILE: False}

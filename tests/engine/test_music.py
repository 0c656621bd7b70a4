"""A caller who waits hears music again when a bridge has come to nothing; FreeSWITCH ends it for the bridge."""

from __future__ import annotations

import pytest

from cti.engine.coming_up import HELD_S
from cti.model import facts, intents
from cti.model.ids import ConnectionId
from cti.model.overflow import ToScript
from cti.model.states import AgentState
from cti.model.treatment import WaitingTreatment
from cti.routing import RingAll

from .story import FS, Story

MUSIC = "local_stream://moh"


class Waiting(Story):
    """Bob takes the calls of sales."""

    def __init__(self) -> None:
        super().__init__()
        self.queue("sales", music=MUSIC)
        self.agent("bob", ready=False)
        self.call_waits = self.waiting("sales")
        self.ready("bob")

    @property
    def caller(self) -> ConnectionId:
        return self.caller_of(self.call_waits)

    def parks(self) -> None:
        self.tell(facts.Parked(FS, self.caller))

    def music(self) -> list[str]:
        """What has been begun since the last fact."""
        return [each.music for each in self.wanted(intents.ResumeTreatment)]

    def all_music(self) -> list[str]:
        return [each.music for each in self.intents if isinstance(each, intents.ResumeTreatment)]


@pytest.fixture
def s() -> Waiting:
    return Waiting()


def test_not_before_the_switch_has_said_what_became_of_the_bridge(s):
    leg = s.answers("bob")
    s.cleared(leg)
    assert s.all_music() == []  # the caller is on their way into the bridge: what they are told to play ends at once
    s.parks()
    assert s.wanted(intents.ResumeTreatment) == [intents.ResumeTreatment(FS, s.caller, MUSIC)]
    s.parks()
    assert s.music() == []


def test_the_switch_says_so_before_the_agents_end(s):
    leg = s.answers("bob")
    s.advance(HELD_S + 0.1)
    s.parks()
    assert s.music() == [MUSIC]
    s.cleared(leg)
    assert s.all_music() == [MUSIC]


def test_the_switch_refuses_the_bridge(s):
    leg = s.answers("bob")
    s.bridge_failed(s.call_waits, leg)
    s.cleared(leg)
    assert s.all_music() == [MUSIC]


def test_nothing_is_heard_of_the_bridge_at_all(s):
    s.answers("bob")
    s.advance(60)
    assert s.state("bob") is not AgentState.ALERTING
    assert s.all_music() == [MUSIC]


def test_the_other_phones_ring_on(s):
    s.queue("all", music=MUSIC, strategy=RingAll(most=3))
    s.not_ready("bob")
    s.log_off("bob")
    for name in ("dan", "eve"):
        s.agent(name)
    call = s.call_waits
    s.enqueue(call, "all")
    assert sorted(s.ringing(call)) == ["dan", "eve"]
    leg = s.answers("dan")
    s.cleared(leg)
    s.parks()
    assert s.all_music() == [MUSIC]


def test_who_is_connected_with_the_next_agent_at_once_hears_no_music_between(s):
    s.agent("ann", ready=False)
    first = s.answers("bob")
    s.cleared(first)
    s.ready("ann")
    second = s.answers("ann")
    assert s.wanted(intents.Bridge) == []  # held back until the first is over
    s.parks()
    assert s.wanted(intents.Bridge) == [intents.Bridge(FS, s.caller, second)]
    assert s.all_music() == []
    s.cleared(second)
    s.parks()
    assert s.all_music() == [MUSIC]


def test_a_call_that_has_moved_on_hears_the_music_of_where_it_is(s):
    s.queue("loans", music="local_stream://loans")
    s.answers("bob")
    s.enqueue(s.call_waits, "loans")
    s.parks()
    assert s.all_music() == ["local_stream://loans"]


def test_who_has_moved_on_and_was_in_no_bridge_needs_none(s):
    s.queue("loans", music="local_stream://loans")
    s.enqueue(s.call_waits, "loans")
    s.parks()
    assert s.all_music() == []


def test_music_that_was_begun_anew_since_is_not_begun_once_more(s):
    s.cleared(s.answers("bob"))
    s.divert(s.call_waits, ToScript("sorry"))
    s.parks()
    s.enqueue(s.call_waits, "sales")
    assert [each.music for each in s.wanted(intents.StartTreatment)] == [MUSIC]
    s.ready("bob")
    s.cleared(s.offered_leg("bob"))
    assert s.all_music() == []


def test_the_link_was_down_meanwhile(s):
    leg = s.answers("bob")
    s.link_lost()
    s.advance(5)
    assert s.all_music() == []
    s.link_up(s.seen(s.caller, established=True))
    assert leg not in s.world.connections
    assert s.all_music() == [MUSIC]


def test_a_bridge_that_was_never_asked_for_as_the_link_broke(s):
    """Something was being whispered to the agent."""
    leg = s.answers("bob")
    s.link_lost()
    s.bridge_failed(s.call_waits, leg)
    assert s.all_music() == []  # nobody would hear of it
    s.link_up(s.seen(s.caller, established=True))
    assert s.all_music() == [MUSIC]


def test_the_bridge_had_come_up_while_the_link_was_down(s):
    leg = s.answers("bob")
    s.link_lost()
    s.link_up(s.seen(s.caller, established=True, bridged_to=leg), s.seen(leg, bridged_to=s.caller))
    assert s.state("bob") is AgentState.BUSY
    assert s.all_music() == []


def test_a_caller_who_has_hung_up_hears_nothing(s):
    leg = s.answers("bob")
    s.cleared(leg)
    s.hang_up(s.call_waits)
    assert s.all_music() == []
    assert s.is_over(s.call_waits)


def test_an_offer_that_nobody_has_answered_ends_no_music(s):
    s.delivered(s.offered_leg("bob"))
    s.cleared(s.offered_leg("bob"))
    s.parks()
    assert s.all_music() == []


def test_who_is_connected_hears_none(s):
    s.take("bob")
    s.parks()
    assert s.all_music() == []


@pytest.mark.parametrize(("waiting", "told"), [(None, []), (WaitingTreatment(messages="a.wav"), [""])])
def test_a_queue_without_music(s, waiting, told):
    s.queue("sales", music="", waiting=waiting)
    s.cleared(s.answers("bob"))
    s.parks()
    assert s.all_music() == told

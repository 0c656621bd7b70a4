"""What has happened to a call: segments charged to the right agent, who hung up, and who had it before."""

from __future__ import annotations

import random

import pytest

from cti.engine.histories import told
from cti.model import events, facts, services
from cti.model.cause import Cause
from cti.model.history import MOST_SEGMENTS, EndedBy, InteractionHistory
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId
from cti.model.overflow import ToDestination, ToQueue
from cti.model.party import Destination, ToNumber
from cti.store import Codec
from cti.store.plain import packer, unpack
from cti.store.snapshot import restore, take

from .story import FS, Story
from .test_talk import ANN, BOB, Desk

HANDLED = ("talk", "hold", "consult", "conference", "wrap-up")
ALL = Destination("*", "sofia/gateway/trunk/{number}")


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.advance(10)
    return made


def history(story: Story, call: InteractionId) -> InteractionHistory:
    """The one that was told, if it has been; else as it is now."""
    for event in story.events(events.InteractionEnded):
        if event.interaction == call:
            return event.history
    story.world.now = story.now
    return told(story.world, story.world.histories[call])


def parts(story: Story, call: InteractionId, agent: str | None) -> list[tuple[str, float]]:
    return [(each.kind, each.length_s) for each in history(story, call).segments if each.agent == agent]


def far_end_hangs_up(story: Story, leg: ConnectionId, why: str = "NORMAL_CLEARING") -> None:
    story.tell(facts.ConnectionCleared(FS, leg, Cause.NORMAL_CLEARING, why, by_far_end=True))


def test_a_call_from_the_script_to_the_end_of_the_wrap_up():
    s = Story()
    s.queue("claims", wrap_up_s=30)
    s.agent("ann")
    call = s.call()
    s.advance(3)
    s.enqueue(call, "claims")
    s.advance(4)
    leg = s.take("ann")
    caller = s.caller_of(call)
    s.advance(50)
    far_end_hangs_up(s, caller)
    assert not s.events(events.InteractionEnded)
    s.cleared(leg)
    assert [e.state for e in s.events(events.CallCleared)] == ["cleared"]
    assert not s.events(events.InteractionEnded), "the wrap-up belongs to it"
    s.advance(29)
    assert not s.events(events.InteractionEnded)
    s.advance(1)
    (ended,) = s.events(events.InteractionEnded)
    assert (ended.agent, ended.queue, ended.history.agents) == ("ann", "claims", ("ann",))
    assert parts(s, call, None) == [("script", 3), ("queued", 4), ("talk", 50)]
    assert parts(s, call, "ann") == [("ringing", 4), ("talk", 50), ("wrap-up", 30)]
    done = ended.history
    assert (done.ended_by, done.cause, done.switch_cause) == ("caller", "normalClearing", "NORMAL_CLEARING")
    assert (done.state, done.ended - done.began) == ("cleared", 57)
    assert s.figures("claims").handle_s == done.seconds("talk", "wrap-up", agent="ann") == 80


def test_a_call_that_is_made_in_the_wrap_up_is_no_part_of_it():
    s = Story()
    s.queue("claims", wrap_up_s=30)
    s.agent("ann")
    s.tell(services.DestinationsDefined((ALL,)))
    s.talking("ann", "claims")
    s.advance(10)
    s.ends("ann")
    s.advance(5)
    s.tell(services.MakeCallRequested(ANN, ToNumber("13800000001")))
    s.advance(100)
    assert s.figures("claims").handle_s == 15
    (ended,) = s.events(events.InteractionEnded)
    assert ended.history.seconds("wrap-up", agent="ann") == 5


def test_an_offer_that_comes_to_nothing_is_charged_to_the_agent_whose_phone_rang():
    s = Story()
    s.queue("claims", ring_timeout_s=10)
    s.agent("ann")
    call = s.waiting("claims")
    leg = s.offered_leg("ann")
    s.delivered(leg)
    s.advance(15)
    s.cleared(leg)
    s.advance(5)
    assert parts(s, call, "ann") == [("ringing", 10)], "not until its leg was gone"
    (ringing,) = [each for each in history(s, call).segments if each.agent == "ann"]
    assert (ringing.cause, ringing.end_cause) == ("distributed", "callNotAnswered")
    assert parts(s, call, None) == [("script", 0), ("queued", 20)]


def test_hold_consultation_and_transfer(desk):
    desk.hold()
    desk.advance(5)
    desk.tell(services.RetrieveRequested(ANN))
    desk.pair(desk.caller, desk.ann_leg)
    desk.advance(5)
    bob_leg = desk.consult()
    desk.advance(20)
    desk.tell(services.TransferRequested(ANN))
    desk.park(desk.ann_leg, bob_leg)
    desk.pair(desk.caller, bob_leg)
    desk.cleared(desk.ann_leg)
    desk.advance(30)
    far_end_hangs_up(desk, bob_leg, "NORMAL_CLEARING")
    desk.cleared(desk.caller)
    desk.advance(60)
    call = desk.call_id
    assert parts(desk, call, "ann") == [("ringing", 0), ("talk", 10), ("hold", 5), ("talk", 5), ("consult", 20)]
    assert parts(desk, call, "bob") == [("ringing", 0), ("consult", 20), ("talk", 30)]
    caller = [("talk", 10), ("hold", 5), ("talk", 5), ("hold", 20), ("talk", 30)]
    assert parts(desk, call, None) == [("script", 0), ("queued", 0), *caller]
    done = history(desk, call)
    assert (done.ended_by, done.ended_by_agent, done.agents) == ("agent", "bob", ("ann", "bob"))
    transferred = [each for each in done.segments if each.agent == "bob"][-1]
    assert transferred.cause == "transfer"


def test_a_consulted_agent_is_told_who_has_the_call_and_who_had_it(desk):
    desk.tell(facts.DataAttached(desk.call_id, {"policy": "4711"}))
    desk.consult()
    delivered = desk.events(events.Delivered)[-1]
    assert (delivered.agent, delivered.from_agent, delivered.previous_agents) == (BOB, ANN, (ANN,))
    assert delivered.data == {"policy": "4711"}


def test_after_a_transfer_to_a_queue_the_next_agent_is_told_who_had_the_call(desk):
    desk.tell(services.SingleStepTransferRequested(ANN, ToQueue(QueueId("loans"))))
    desk.park(desk.caller, desk.ann_leg)
    desk.cleared(desk.ann_leg)
    desk.take("bob")
    first, second = desk.events(events.Delivered)
    assert (first.from_agent, first.previous_agents) == (None, ())
    assert (second.agent, second.from_agent, second.previous_agents) == (BOB, ANN, (ANN,))
    assert [each.kind for each in history(desk, desk.call_id).segments if each.side == "caller"] == [
        "script",
        "queued",
        "talk",
        "queued",
        "talk",
    ]


def test_a_conference_is_charged_to_everybody_in_it(desk):
    bob_leg = desk.consult()
    desk.tell(services.ConferenceRequested(ANN))
    desk.advance(7)
    assert parts(desk, desk.call_id, "ann")[-1] == ("conference", 7)
    assert parts(desk, desk.call_id, "bob")[-1] == ("conference", 7)
    assert parts(desk, desk.call_id, None)[-1] == ("conference", 7)
    desk.cleared(desk.ann_leg)
    desk.advance(3)
    assert parts(desk, desk.call_id, "bob")[-1] == ("conference", 10)
    far_end_hangs_up(desk, bob_leg)
    desk.cleared(desk.caller)
    assert history(desk, desk.call_id).ended_by_agent == "bob"


def test_a_parked_call_is_parked(desk):
    desk.tell(services.ParkRequested(ANN))
    desk.park(desk.caller, desk.ann_leg)
    desk.cleared(desk.ann_leg)
    desk.advance(40)
    assert parts(desk, desk.call_id, None)[-1] == ("parked", 40)
    desk.tell(services.UnparkRequested(BOB, "701"))
    assert parts(desk, desk.call_id, None)[-1] == ("queued", 0)
    (ringing,) = [each for each in history(desk, desk.call_id).segments if each.agent == "bob"]
    assert (ringing.kind, ringing.from_agent) == ("ringing", ANN)


def test_a_hold_is_as_long_in_the_history_as_in_the_figures(desk):
    """Until the switch has put the two together again, not until that is asked for; and not beyond the caller's leaving."""
    desk.queue("claims", requires="claims", wrap_up_s=30)
    desk.hold()
    desk.advance(5)
    desk.tell(services.RetrieveRequested(ANN))
    desk.advance(0.5)
    desk.pair(desk.caller, desk.ann_leg)
    desk.advance(2)
    bob_leg = desk.consult()
    desk.advance(7)
    desk.tell(services.AlternateRequested(ANN))
    desk.advance(0.25)
    desk.park(desk.ann_leg, bob_leg)
    desk.pair(desk.caller, desk.ann_leg)
    desk.advance(3)
    desk.tell(services.AlternateRequested(ANN))
    desk.park(desk.caller, desk.ann_leg)
    desk.pair(desk.ann_leg, bob_leg)
    desk.advance(1)
    far_end_hangs_up(desk, desk.caller)
    desk.advance(60)
    desk.cleared(desk.ann_leg)
    desk.cleared(bob_leg)
    desk.advance(30)
    done, figures = history(desk, desk.call_id), desk.figures("claims")
    assert done.seconds("hold") == 5.5 + 7.25 + 1
    assert done.seconds("talk") == 10 + 2 + 3
    assert figures.hold_s == done.seconds("hold")
    assert figures.after_call_s == done.seconds("wrap-up", agent="ann") == 30
    assert figures.handle_s == done.seconds(*HANDLED, agent="ann")
    ann = desk.world.agents[ANN].figures
    assert (ann.hold_s, ann.after_call_s, ann.busy_s) == (13.75, 30, figures.handle_s - 30)


# -- who hung up --------------------------------------------------------------------------------------------------------


def gone(desk: Desk, first: ConnectionId, second: ConnectionId, **how: bool) -> tuple[str, str | None]:
    desk.tell(facts.ConnectionCleared(FS, first, Cause.NORMAL_CLEARING, "NORMAL_CLEARING", **how))
    desk.cleared(second)
    done = history(desk, desk.call_id)
    return done.ended_by, done.ended_by_agent


def test_the_agent_hangs_up(desk):
    assert gone(desk, desk.ann_leg, desk.caller, by_far_end=True) == ("agent", "ann")


def test_the_caller_hangs_up(desk):
    assert gone(desk, desk.caller, desk.ann_leg, by_far_end=True) == ("caller", None)


def test_a_switch_that_does_not_say_who_is_believed_by_whose_leg_ended_first(desk):
    assert gone(desk, desk.caller, desk.ann_leg) == ("caller", None)


def test_the_words_of_both_ends_may_come_in_the_other_order(desk):
    """The agent's leg is let go since the caller has hung up, and we hear of it first."""
    desk.tell(facts.ConnectionCleared(FS, desk.ann_leg, Cause.NORMAL_CLEARING, "NORMAL_CLEARING", by_far_end=False))
    far_end_hangs_up(desk, desk.caller)
    assert history(desk, desk.call_id).ended_by == "caller"


def test_the_switch_lets_a_leg_go_by_itself(desk):
    desk.tell(facts.ConnectionCleared(FS, desk.ann_leg, Cause.TIMEOUT, "MEDIA_TIMEOUT", by_far_end=False))
    desk.tell(facts.ConnectionCleared(FS, desk.caller, Cause.NORMAL_CLEARING, "NORMAL_CLEARING", by_far_end=False))
    done = history(desk, desk.call_id)
    assert (done.ended_by, done.cause, done.switch_cause) == ("switch", "timeout", "MEDIA_TIMEOUT")


def test_an_agent_hangs_up_by_the_service(desk):
    desk.tell(services.ClearConnectionRequested(ANN))
    desk.cleared(desk.caller)
    desk.cleared(desk.ann_leg)
    done = history(desk, desk.call_id)
    assert (done.ended_by, done.ended_by_agent) == ("agent", "ann")


def test_we_hang_up(desk):
    desk.clear(desk.call_id)
    desk.cleared(desk.caller)
    desk.cleared(desk.ann_leg)
    assert history(desk, desk.call_id).ended_by == "us"


def test_the_switch_dies(desk):
    desk.link_lost()
    desk.link_up(restarted=True)
    done = history(desk, desk.call_id)
    assert (done.ended_by, done.cause, done.switch_cause) == (
        "switch",
        "switchingFunctionTerminated",
        "SWITCH_SNAPSHOT",
    )


def test_each_leg_says_who_ended_it(desk):
    far_end_hangs_up(desk, desk.caller)
    desk.cleared(desk.ann_leg)
    assert [e.by for e in desk.events(events.ConnectionCleared)] == [EndedBy.CALLER, EndedBy.US]


# -- bounds and restarts ------------------------------------------------------------------------------------------------


def test_a_call_that_rings_for_ever_has_a_bounded_history_that_still_adds_up():
    s = Story()
    s.queue("claims", ring_timeout_s=1)
    s.agent("ann", no_answers_allowed=10_000, no_answer_delay_s=1)
    call = s.waiting("claims")
    for _ in range(MOST_SEGMENTS + 50):
        leg = s.offered_leg("ann")
        s.advance(1)
        s.cleared(leg)
        s.advance(1)
    s.hang_up(call)
    done = history(s, call)
    assert len(done.segments) <= MOST_SEGMENTS + 2
    assert sum(each.times for each in done.left_out) >= 50
    assert done.seconds("ringing", agent="ann") == pytest.approx(MOST_SEGMENTS + 50)
    assert done.seconds("queued") == pytest.approx(2 * (MOST_SEGMENTS + 50))


def test_a_channel_that_comes_back_is_linked_to_what_it_was():
    s = Story()
    first = s.call()
    caller = s.caller_of(first)
    s.divert(first, ToDestination("mobile"))
    (tags,) = [i.tags for i in s.last if hasattr(i, "tags")]
    assert tags["cti_previous"] == first
    s.tell(facts.Offered(FS, caller, "1", "", "5000", previous=first))
    second = s.world.connections[caller].interaction
    assert second != first
    assert history(s, second).previous == first


@pytest.mark.parametrize("when", ["talking", "wrap-up"])
def test_a_snapshot_holds_the_histories(when):
    s = Story()
    s.queue("claims", wrap_up_s=30)
    s.agent("ann")
    s.talking("ann", "claims")
    s.advance(10)
    if when == "wrap-up":
        s.ends("ann")
        s.advance(5)
    picture, lost = take(s.engine, Codec(), None)
    assert not lost
    copy = Story(live=False, now=s.now)
    assert restore(copy.engine, unpack(packer().pack(picture)), Codec(), random.Random()) == ()
    for story in (s, copy):
        if when == "talking":
            story.ends("ann")
        story.tell(facts.ReadyRequested(AgentId("ann")))
        story.tell(facts.LogOffRequested(AgentId("ann")))
    (first,), (second,) = s.events(events.InteractionEnded), copy.events(events.InteractionEnded)
    assert first == second

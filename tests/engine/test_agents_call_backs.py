"""What agents want of each other besides a call: call backs when both are free, requests to be called, messages."""

from __future__ import annotations

from typing import Any

import pytest

from cti.errors import ConfigurationError, InvalidAgentState, InvalidConnection, ResourceBusy
from cti.model import events, facts, intents
from cti.model.agent import AgentSettings
from cti.model.call_back import (
    MOST_REQUESTS,
    MOST_WISHES,
    CallBackCancelled,
    CallBackMessageCancelled,
    CallBackMessageRequested,
    CallBackRequested,
    MessageRequested,
)
from cti.model.cause import Cause
from cti.model.ids import AgentId
from cti.model.states import AgentState, ReservationState

from .story import FS
from .test_talk import ANN, BOB, Desk


class Busy(Desk):
    """Ann talks with a caller; Bob is ready, and wants to talk with her."""

    def ask(self, expires_s: float = 3600.0) -> None:
        self.tell(CallBackRequested(BOB, ANN, expires_s))

    def rung(self) -> list[Any]:
        return [i for i in self.asked(intents.MakeConnection, intents.OfferCall) if i.agent in (ANN, BOB)]

    def sets(self) -> list[tuple[bool, Cause]]:
        return [(e.set, e.cause) for e in self.heard(events.CallBack)]

    def waits(self) -> bool:
        return bool(self.world.call_backs)

    def empty(self) -> None:
        assert not self.world.call_backs
        assert not self.world.called_back
        assert not [t for t in self.timers if t.kind == "call back"]


@pytest.fixture
def desk() -> Busy:
    return Busy()


def answered(desk: Busy) -> None:
    """Bob's own phone is answered."""
    desk.established(desk.leg_of("bob"))
    desk.park(desk.leg_of("bob"))


def test_both_are_called_when_both_are_free(desk):
    desk.ask()
    assert desk.rung() == []
    desk.ends("ann")
    (own,) = desk.rung()
    assert own.agent == BOB
    assert (desk.state("bob"), desk.state("ann")) == (AgentState.BUSY, AgentState.RESERVED)
    assert desk.sets() == [(True, Cause.CALL_BACK), (False, Cause.CALL_BACK)]
    waiting = desk.waiting("claims")  # Ann is kept free for Bob
    assert desk.ringing(waiting) == []
    answered(desk)
    (hers,) = desk.rung()
    assert hers.agent == ANN
    made = desk.reservation("ann")
    assert made is not None
    desk.delivered(made.leg)
    desk.established(made.leg)
    desk.park(made.leg)
    desk.pair(desk.leg_of("bob"), made.leg)
    assert (desk.state("bob"), desk.state("ann")) == (AgentState.BUSY, AgentState.BUSY)
    desk.empty()
    for leg in (desk.leg_of("ann"), desk.leg_of("bob")):
        desk.cleared(leg)
    assert desk.ringing(waiting) == [ANN]


def test_the_one_who_asked_becomes_ready_last(desk):
    desk.not_ready("bob")
    desk.ask()
    desk.ends("ann")
    assert desk.state("ann") is AgentState.READY
    assert desk.waits()
    desk.ready("bob")
    assert [each.agent for each in desk.rung()] == [BOB]
    desk.empty()


def test_the_one_who_asked_does_not_answer_and_nobody_is_stuck(desk):
    desk.ask()
    desk.ends("ann")
    waiting = desk.waiting("claims")
    leg = desk.leg_of("bob")
    desk.delivered(leg)
    desk.advance(20)
    desk.cleared(leg, Cause.CALL_NOT_ANSWERED)
    assert desk.ringing(waiting) == [ANN]  # at once, and she is not to blame
    assert desk.state("bob") is AgentState.READY
    desk.empty()
    assert [e.outcome for e in desk.heard(events.OfferEnded)] == ["cancelled"]


def test_the_other_does_not_answer(desk):
    desk.ask()
    desk.ends("ann")
    answered(desk)
    made = desk.reservation("ann")
    assert made is not None
    assert made.state is ReservationState.PENDING
    desk.delivered(made.leg)
    desk.advance(20)
    assert (desk.state("ann"), desk.why("ann")) == (AgentState.NOT_READY, "RNA")
    desk.cleared(made.leg)
    desk.cleared(desk.leg_of("bob"))
    assert desk.state("bob") is AgentState.READY
    desk.empty()


def test_the_other_asks_for_not_ready_meanwhile_and_the_call_back_waits_on(desk):
    desk.ask()
    desk.ends("ann")
    desk.not_ready("ann")
    answered(desk)
    desk.cleared(desk.leg_of("bob"))
    assert desk.sets()[-1] == (True, Cause.CALL_BACK)
    assert desk.state("bob") is AgentState.READY
    desk.ready("ann")
    assert [each.agent for each in desk.rung()][-1] == BOB
    desk.empty()


@pytest.mark.parametrize("link", ["cut", "restarted"])
def test_the_link_is_lost_while_both_are_being_called(desk, link):
    desk.ask()
    desk.ends("ann")
    leg = desk.leg_of("bob")
    desk.link_lost()
    desk.advance(60)
    desk.link_up(restarted=link == "restarted")
    desk.advance(60)
    assert leg not in desk.world.connections
    assert (desk.state("ann"), desk.state("bob")) == (AgentState.READY, AgentState.READY)
    desk.empty()


@pytest.mark.parametrize("how", ["cancelled", "expired", "logged off", "removed", "asked again"])
def test_how_it_ends_without_a_call(desk, how):
    desk.ask(60)
    if how == "cancelled":
        desk.tell(CallBackCancelled(BOB, ANN))
    elif how == "expired":
        desk.advance(61)
    elif how == "logged off":
        desk.log_off("bob")
    elif how == "removed":
        desk.tell(facts.AgentRemoved(BOB))
    else:
        desk.advance(50)
        desk.ask(60)
        desk.advance(50)
        assert desk.waits()
        desk.advance(10)
    desk.empty()
    expected = Cause.TIMEOUT if how in ("expired", "asked again") else Cause.CALL_CANCELLED
    assert desk.sets()[-1] == (False, expected)
    desk.ends("ann")
    assert desk.state("ann") is AgentState.READY


def test_what_is_refused(desk):
    desk.agent("eve")
    desk.agent("off", logged_on=False)
    with pytest.raises(InvalidConnection, match="agent 'eve' is ready; 'make call' reaches them now"):
        desk.tell(CallBackRequested(BOB, AgentId("eve")))
    with pytest.raises(InvalidConnection, match="of themselves"):
        desk.tell(CallBackRequested(BOB, BOB))
    with pytest.raises(InvalidAgentState, match=r"is logged off; .*possible: log on"):
        desk.tell(CallBackRequested(AgentId("off"), ANN))
    with pytest.raises(InvalidConnection, match=r"waits for no call back to 'ann' \(waits: for none\)"):
        desk.tell(CallBackCancelled(BOB, ANN))
    for wrong in (0, -1, 86_401, float("nan"), True):
        with pytest.raises(ConfigurationError, match="expires_s"):
            CallBackRequested(BOB, ANN, wrong)
    for n in range(MOST_WISHES):
        desk.tell(facts.AgentDefined(AgentSettings(id=AgentId(f"a{n}"), contact=f"user/a{n}")))
        desk.tell(CallBackRequested(BOB, AgentId(f"a{n}")))
    with pytest.raises(ResourceBusy, match="take one back"):
        desk.ask()


# -- messages -----------------------------------------------------------------------------------------------------------


def test_an_agent_is_asked_to_call_until_the_two_have_talked(desk):
    desk.tell(CallBackMessageRequested(BOB, ANN, "about\npolicy 4711"))
    desk.tell(CallBackMessageRequested(BOB, ANN, "policy 4712"))  # in place of the first
    assert [each.text for each in desk.world.call_me[ANN]] == ["policy 4712"]
    told = desk.heard(events.CallBackMessage)
    assert [(e.agent, e.from_agent, e.set, e.cause) for e in told] == [(ANN, BOB, True, Cause.CALL_BACK)] * 2
    desk.consult()
    assert not desk.world.call_me
    assert (desk.heard(events.CallBackMessage)[-1].set, desk.heard(events.CallBackMessage)[-1].cause) == (
        False,
        Cause.NORMAL,
    )


def test_a_request_to_be_called_is_taken_back_or_seen_to(desk):
    desk.tell(CallBackMessageRequested(BOB, ANN))
    desk.tell(CallBackMessageCancelled(ANN, BOB))
    assert not desk.world.call_me
    with pytest.raises(InvalidConnection, match=r"has not been asked to call 'bob' \(asked: by nobody\)"):
        desk.tell(CallBackMessageCancelled(ANN, BOB))
    desk.tell(CallBackMessageRequested(BOB, ANN))
    desk.tell(facts.AgentRemoved(BOB))
    assert not desk.world.call_me


def test_requests_are_bounded(desk):
    for n in range(MOST_REQUESTS):
        desk.tell(facts.AgentDefined(AgentSettings(id=AgentId(f"a{n}"), contact=f"user/a{n}")))
        desk.tell(CallBackMessageRequested(AgentId(f"a{n}"), ANN))
    with pytest.raises(ResourceBusy, match="agent 'ann' has been asked"):
        desk.tell(CallBackMessageRequested(BOB, ANN))
    desk.tell(CallBackMessageRequested(AgentId("a0"), ANN, "again"))
    for wrong in ("x" * 501, "a\x00b", "a\rb"):
        with pytest.raises(ConfigurationError, match="text must be"):
            CallBackMessageRequested(BOB, ANN, wrong)


def test_a_message_is_told_and_sent_to_a_phone_during_a_call(desk):
    desk.tell(MessageRequested(BOB, ANN, "please hurry"))
    (told,) = desk.heard(events.MessageReceived)
    assert (told.agent, told.from_agent, told.text, told.on_phone) == (ANN, BOB, "please hurry", False)
    assert desk.asked(intents.SendMessage) == []
    desk.tell(MessageRequested(BOB, ANN, "please hurry", phone=True))
    assert desk.asked(intents.SendMessage) == [intents.SendMessage(FS, desk.ann_leg, "please hurry")]
    with pytest.raises(InvalidConnection, match="agent 'bob' is on no call"):
        desk.tell(MessageRequested(ANN, BOB, "hello", phone=True))
    desk.log_off("bob")
    with pytest.raises(InvalidAgentState, match="is logged off; nobody would read it"):
        desk.tell(MessageRequested(ANN, BOB, "hello"))
    with pytest.raises(ConfigurationError, match="is empty"):
        MessageRequested(ANN, BOB, " \n")

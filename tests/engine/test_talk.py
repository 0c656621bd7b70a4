"""What an agent does with a call they have: hold, consult, transfer, confer, hang up; and every way it can go wrong."""

from __future__ import annotations

from typing import Any

import pytest

from cti.errors import ConfigurationError, DestinationNotAllowed, InvalidConnection, UnknownAgent, UnknownQueue
from cti.model import events, facts, intents, services
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId
from cti.model.overflow import ToDestination, ToQueue, ToScript
from cti.model.party import Destination, ToAgent, ToNumber
from cti.model.states import AgentState, InteractionState, TalkState

from .story import FS, Story

ANN, BOB = AgentId("ann"), AgentId("bob")


class Desk(Story):
    """Ann talks with a caller of claims, who is parked and bridged as a real switch tells it; Bob is ready."""

    def __init__(self) -> None:
        super().__init__()
        self.queue("claims", requires="claims", music="music")
        self.queue("loans", requires="loans")
        self.agent("ann", skills={"claims": 1})
        self.agent("bob", skills={"loans": 1})
        self.tell(services.DestinationsDefined((Destination("9*", "sofia/gateway/trunk/{number}"),)))
        self.call_id = self.talking("ann", "claims")
        self.ann_leg = self.leg_of("ann")
        self.start = len(self.intents)

    def leg_of(self, agent: str) -> ConnectionId:
        leg = self.world.agents[AgentId(agent)].connection
        assert leg is not None
        return leg

    @property
    def caller(self) -> ConnectionId:
        return self.caller_of(self.call_id)

    @property
    def talk(self) -> TalkState:
        return self.interaction(self.call_id).talk

    @property
    def consulted(self) -> ConnectionId:
        leg = self.interaction(self.call_id).consulted
        assert leg is not None
        return leg

    def park(self, *legs: ConnectionId) -> None:
        for leg in legs:
            self.tell(facts.Parked(FS, leg))

    def pair(self, first: ConnectionId, second: ConnectionId) -> None:
        self.tell(facts.Bridged(FS, first, second))

    def asked(self, *kinds: type[Any]) -> list[Any]:
        """What the switch has been asked for since the last time this was called."""
        found = [i for i in self.intents[self.start :] if isinstance(i, kinds)]
        self.start = len(self.intents)
        return found

    def heard(self, kind: type[Any]) -> list[Any]:
        return [i.event for i in self.intents if isinstance(i, intents.Notify) and isinstance(i.event, kind)]

    def hold(self) -> None:
        self.tell(services.HoldRequested(ANN))
        self.park(self.caller, self.ann_leg)

    def consult(self, to: ToAgent | ToNumber | None = None) -> ConnectionId:
        """Ann consults somebody, who answers and talks with her."""
        self.tell(services.ConsultationRequested(ANN, to or ToAgent(BOB)))
        leg = self.consulted
        self.park(self.caller, self.ann_leg)
        self.delivered(leg)
        self.established(leg)
        self.park(leg)
        self.pair(self.ann_leg, leg)
        return leg


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_hold_and_retrieve(desk):
    desk.tell(services.HoldRequested(ANN))
    assert desk.asked(intents.Separate) == [intents.Separate(FS, desk.caller, desk.ann_leg)]
    assert [e.connection for e in desk.heard(events.Held)] == [desk.ann_leg]
    desk.park(desk.caller, desk.ann_leg)
    assert desk.asked(intents.StartTreatment, intents.Bridge) == [intents.StartTreatment(FS, desk.caller, "music")]
    desk.tell(services.RetrieveRequested(ANN))
    assert desk.asked(intents.Bridge) == [intents.Bridge(FS, desk.caller, desk.ann_leg)]
    assert not desk.heard(events.Retrieved)
    desk.pair(desk.caller, desk.ann_leg)
    assert [e.connection for e in desk.heard(events.Retrieved)] == [desk.ann_leg]
    assert {(i.connection, i.keep) for i in desk.asked(intents.KeepCaller)} == {
        (desk.caller, False),
        (desk.ann_leg, False),
    }
    assert desk.talk is TalkState.TALKING
    assert desk.timers == []


def test_holding_twice_and_retrieving_what_is_not_held_change_nothing(desk):
    desk.hold()
    desk.asked(object)
    desk.tell(services.HoldRequested(ANN))
    assert desk.asked(intents.Separate) == []
    desk.tell(services.RetrieveRequested(ANN))
    desk.pair(desk.caller, desk.ann_leg)
    desk.asked(object)
    desk.tell(services.RetrieveRequested(ANN))
    assert desk.asked(intents.Bridge, intents.Separate) == []


def test_a_hold_that_is_taken_back_before_the_switch_has_done_it(desk):
    desk.tell(services.HoldRequested(ANN))
    desk.tell(services.RetrieveRequested(ANN))
    assert desk.asked(intents.Bridge) == []  # the two are still on their way apart
    desk.park(desk.caller, desk.ann_leg)
    assert desk.asked(intents.Bridge) == [intents.Bridge(FS, desk.caller, desk.ann_leg)]
    desk.pair(desk.caller, desk.ann_leg)
    assert desk.talk is TalkState.TALKING


def test_what_the_switch_does_not_do_is_asked_for_again_and_then_said(desk):
    desk.tell(services.HoldRequested(ANN))
    desk.asked(object)
    desk.advance(2)
    assert len(desk.asked(intents.Separate)) == 1
    with pytest.raises(AssertionError, match="the switch does not make the pair None"):
        desk.advance(30)


def test_hold_while_the_link_is_down_is_refused_and_one_under_way_waits_for_it(desk):
    desk.tell(services.HoldRequested(ANN))
    desk.link_lost()
    desk.asked(object)
    desk.advance(60)
    assert desk.asked(intents.Separate, intents.Bridge) == []
    with pytest.raises(InvalidConnection, match="not live; 'retrieve' has to wait"):
        desk.tell(services.RetrieveRequested(ANN))


def test_a_consulted_agent_gets_the_screen_pop_and_the_caller_hears_music(desk):
    leg = desk.consult()
    (offer,) = desk.asked(intents.OfferCall)
    assert (offer.leg, offer.agent, offer.interaction) == (leg, BOB, desk.call_id)
    (popped,) = [e for e in desk.heard(events.Delivered) if e.agent == BOB]
    assert popped.cause is Cause.CONSULTATION
    assert desk.heard(events.Established)[-1].cause is Cause.CONSULTATION
    assert desk.state("bob") is AgentState.BUSY
    assert desk.talk is TalkState.CONSULTING
    assert desk.interaction(desk.call_id).agent == ANN
    assert desk.figures("claims").answered == 1  # a consultation is no second answer


def test_the_agent_and_the_consulted_are_joined_only_when_both_hear_nobody(desk):
    desk.tell(services.ConsultationRequested(ANN, ToAgent(BOB)))
    leg = desk.consulted
    desk.delivered(leg)
    desk.established(leg)
    desk.park(leg)
    assert desk.asked(intents.Bridge) == []
    desk.park(desk.caller)
    assert desk.asked(intents.Bridge) == []
    desk.park(desk.ann_leg)
    assert desk.asked(intents.Bridge) == [intents.Bridge(FS, desk.ann_leg, leg)]


@pytest.mark.parametrize("how", ["rejects", "rings for too long", "hangs up having answered", "goes not ready"])
def test_a_consultation_that_fails_leaves_the_caller_held_and_nobody_stuck(desk, how):
    desk.tell(services.ConsultationRequested(ANN, ToAgent(BOB)))
    leg = desk.consulted
    desk.park(desk.caller, desk.ann_leg)
    desk.delivered(leg)
    if how == "rejects":
        desk.failed(leg, Cause.BUSY)
    elif how == "rings for too long":
        desk.advance(21)
        desk.cleared(leg, Cause.CALL_NOT_ANSWERED)
    elif how == "goes not ready":
        desk.not_ready("bob")
        desk.cleared(leg)
    else:
        desk.established(leg)
        desk.cleared(leg)
    assert desk.talk is TalkState.HELD
    assert desk.interaction(desk.call_id).consulted is None
    assert desk.state("bob") in (AgentState.NOT_READY, AgentState.READY)
    desk.tell(services.RetrieveRequested(ANN))
    desk.pair(desk.caller, desk.ann_leg)
    assert desk.talk is TalkState.TALKING


def test_alternate_and_reconnect(desk):
    leg = desk.consult()
    desk.asked(object)
    desk.tell(services.AlternateRequested(ANN))
    desk.park(desk.ann_leg, leg)
    assert desk.asked(intents.Bridge) == [intents.Bridge(FS, desk.caller, desk.ann_leg)]
    desk.pair(desk.caller, desk.ann_leg)
    assert desk.talk is TalkState.ALTERNATED
    desk.tell(services.AlternateRequested(ANN))
    desk.park(desk.caller, desk.ann_leg)
    assert desk.asked(intents.Bridge) == [intents.Bridge(FS, desk.ann_leg, leg)]
    desk.pair(desk.ann_leg, leg)
    desk.tell(services.ReconnectRequested(ANN))
    assert [i.connection for i in desk.asked(intents.ClearConnection)] == [leg]
    desk.park(desk.ann_leg)
    desk.cleared(leg)
    assert desk.asked(intents.Bridge) == [intents.Bridge(FS, desk.caller, desk.ann_leg)]
    desk.pair(desk.caller, desk.ann_leg)
    assert (desk.talk, desk.state("bob")) == (TalkState.TALKING, AgentState.READY)


def test_the_consulted_hang_up_while_they_are_alternated(desk):
    leg = desk.consult()
    desk.tell(services.AlternateRequested(ANN))
    desk.park(desk.ann_leg, leg)
    desk.pair(desk.caller, desk.ann_leg)
    desk.asked(object)
    desk.cleared(leg)
    assert desk.talk is TalkState.TALKING
    assert desk.asked(intents.Bridge, intents.Separate) == []


def test_a_transfer_gives_the_call_to_the_consulted_agent(desk):
    leg = desk.consult()
    desk.asked(object)
    desk.tell(services.TransferRequested(ANN))
    (told,) = desk.heard(events.Transferred)
    assert (told.from_agent, told.agent, told.cause) == (ANN, BOB, Cause.TRANSFER)
    desk.park(desk.ann_leg, leg)
    assert desk.asked(intents.ClearConnection, intents.Bridge) == [
        intents.ClearConnection(FS, desk.ann_leg, Cause.TRANSFER),
        intents.Bridge(FS, desk.caller, leg),
    ]
    desk.cleared(desk.ann_leg)
    desk.pair(desk.caller, leg)
    assert (desk.state("ann"), desk.state("bob")) == (AgentState.READY, AgentState.BUSY)
    assert desk.interaction(desk.call_id).agent == BOB
    desk.cleared(leg)  # Bob hangs up: the call is over, as any
    assert desk.is_over(desk.call_id)


def test_an_agent_who_is_only_consulted_can_hang_up_and_nothing_else(desk):
    leg = desk.consult()
    for kind in (services.HoldRequested, services.TransferRequested, services.AlternateRequested):
        with pytest.raises(InvalidConnection, match="consulted on a call of 'ann'"):
            desk.tell(kind(BOB))
    desk.tell(services.ClearConnectionRequested(BOB))
    assert [i.connection for i in desk.asked(intents.ClearConnection)] == [leg]
    desk.park(desk.ann_leg)
    desk.cleared(leg)
    assert desk.talk is TalkState.HELD


def test_a_number_outside(desk):
    for number in ("0900123", "9&originate", "9,1", "9 1", "9{a=b}1", ""):
        with pytest.raises((DestinationNotAllowed, ConfigurationError)):
            desk.tell(services.ConsultationRequested(ANN, ToNumber(number)))
    assert desk.talk is TalkState.TALKING
    desk.asked(object)
    leg = desk.consult(ToNumber("9123"))
    (made,) = desk.asked(intents.MakeConnection)
    assert (made.leg, made.contact, made.called_number) == (leg, "sofia/gateway/trunk/9123", "9123")
    desk.tell(services.TransferRequested(ANN))
    desk.park(desk.ann_leg, leg)
    desk.cleared(desk.ann_leg)
    desk.pair(desk.caller, leg)
    assert desk.state("ann") is AgentState.READY
    desk.cleared(leg)
    assert desk.is_over(desk.call_id)


@pytest.mark.parametrize("fails", [True, False], ids=["the switch says so", "nobody answers"])
def test_a_number_that_does_not_answer(desk, fails):
    desk.tell(services.ConsultationRequested(ANN, ToNumber("9123")))
    leg = desk.consulted
    desk.park(desk.caller, desk.ann_leg)
    if fails:
        desk.failed(leg, Cause.NUMBER_UNALLOCATED)
    else:
        desk.advance(31)
        assert [i.connection for i in desk.asked(intents.ClearConnection)] == [leg]
    assert (desk.talk, desk.interaction(desk.call_id).consulted) == (TalkState.HELD, None)


def test_a_conference_of_three_and_who_may_leave_it(desk):
    leg = desk.consult()
    desk.asked(object)
    desk.tell(services.ConferenceRequested(ANN))
    room = desk.call_id
    assert desk.asked(intents.JoinConference) == [
        intents.JoinConference(FS, desk.ann_leg, leg, room),
        intents.JoinConference(FS, desk.caller, None, room),
    ]
    desk.cleared(desk.ann_leg)
    assert (desk.state("ann"), desk.state("bob")) == (AgentState.READY, AgentState.BUSY)
    assert desk.interaction(desk.call_id).agent == BOB
    assert not desk.is_over(desk.call_id)
    desk.cleared(leg)
    assert [i.connection for i in desk.asked(intents.ClearConnection)] == [desk.caller]
    desk.hang_up(desk.call_id)
    assert desk.is_over(desk.call_id)
    assert desk.state("bob") is AgentState.READY


@pytest.mark.parametrize("during", ["hold", "calling", "consulting"])
def test_an_agents_phone_that_goes_while_the_caller_is_held_costs_the_caller_nothing(desk, during):
    if during == "hold":
        desk.hold()
    elif during == "consulting":
        desk.consult()
    else:
        desk.tell(services.ConsultationRequested(ANN, ToAgent(BOB)))
        desk.park(desk.caller, desk.ann_leg)
    desk.cleared(desk.ann_leg)
    call = desk.interaction(desk.call_id)
    assert call.state in (InteractionState.QUEUED, InteractionState.ROUTING)  # Ann may be ready for it again
    assert call.queue == QueueId("claims")
    assert call.consulted is None
    assert desk.figures("claims").adds_up


def test_sent_on_to_a_queue(desk):
    desk.tell(services.SingleStepTransferRequested(ANN, ToQueue(QueueId("loans"))))
    assert desk.asked(intents.OfferCall) == []
    desk.advance(5)
    desk.park(desk.caller, desk.ann_leg)
    assert ("bob", desk.call_id) in desk.offers()
    assert [i.connection for i in desk.asked(intents.ClearConnection)][:1] == [desk.ann_leg]
    assert desk.interaction(desk.call_id).waited_s(desk.now) == 0  # a wait of its own
    desk.cleared(desk.ann_leg)
    desk.take("bob")
    assert (desk.state("ann"), desk.interaction(desk.call_id).agent) == (AgentState.READY, BOB)
    assert (desk.figures("claims").answered, desk.figures("loans").answered) == (1, 1)


def test_sent_on_to_an_agent_who_need_not_have_the_skill(desk):
    desk.tell(services.SingleStepTransferRequested(ANN, ToAgent(BOB)))
    desk.park(desk.caller, desk.ann_leg)
    assert desk.ringing(desk.call_id) == [BOB]
    desk.cleared(desk.ann_leg)
    desk.failed(desk.offered_leg("bob"), Cause.BUSY)
    assert desk.ringing(desk.call_id) == [ANN]  # who has it now, as everybody in the queue may


def test_sent_on_out_of_the_centre_and_to_a_script(desk):
    desk.hold()
    desk.tell(services.SingleStepTransferRequested(ANN, ToScript("survey")))
    assert desk.interaction(desk.call_id).state is InteractionState.OFFERED
    assert desk.heard(events.Diverted)[-1].to_script == "survey"
    desk.cleared(desk.ann_leg)
    desk.divert(desk.call_id, ToDestination("4000"))
    assert desk.is_over(desk.call_id)
    assert desk.state("ann") is AgentState.READY


def test_sent_on_to_what_there_is_not(desk):
    for to, error in ((ToAgent(AgentId("eve")), UnknownAgent), (ToQueue(QueueId("eve")), UnknownQueue)):
        with pytest.raises(error):
            desk.tell(services.SingleStepTransferRequested(ANN, to))
    assert desk.talk is TalkState.TALKING


def test_hanging_up(desk):
    desk.tell(services.ClearConnectionRequested(ANN))
    assert {i.connection for i in desk.asked(intents.ClearConnection)} == {desk.caller, desk.ann_leg}
    with pytest.raises(InvalidConnection, match="'bob' has no call"):
        desk.tell(services.ClearConnectionRequested(BOB))


def test_digits(desk):
    desk.tell(services.DigitsRequested(ANN, "12w#"))
    assert desk.asked(intents.SendDigits) == [intents.SendDigits(FS, desk.caller, "12w#")]
    desk.hold()
    with pytest.raises(InvalidConnection, match="talks with nobody"):
        desk.tell(services.DigitsRequested(ANN, "1"))
    for digits in ("", "12 3", "1;originate", "x"):
        with pytest.raises(ConfigurationError, match="digits are"):
            services.DigitsRequested(ANN, digits)


def test_what_is_possible_is_said(desk):
    with pytest.raises(InvalidConnection, match=r"is talking; 'transfer' is not possible \(possible: hold, .*consult"):
        desk.tell(services.TransferRequested(ANN))
    with pytest.raises(InvalidConnection, match="'bob' has no call; 'hold' needs one"):
        desk.tell(services.HoldRequested(BOB))
    desk.not_ready("bob")
    with pytest.raises(InvalidConnection, match="agent 'bob' is not ready; only one who is ready"):
        desk.tell(services.ConsultationRequested(ANN, ToAgent(BOB)))
    assert desk.talk is TalkState.TALKING


def test_race_15_both_ends_of_a_call_are_lost(desk):
    """Two hang-ups that the switch never told: the agent is asked after, and free again within a minute or so."""
    desk.advance(61)
    checked = {i.connection for i in desk.asked(intents.CheckConnection)}
    assert checked == {desk.caller, desk.ann_leg}
    for leg in checked:
        desk.tell(facts.ConnectionCleared(FS, leg, Cause.SWITCHING_FUNCTION_TERMINATED, "NOT_THERE_ANY_MORE"))
    assert desk.is_over(desk.call_id)
    assert desk.state("ann") is AgentState.READY


def test_a_destination_without_a_place_for_the_number_is_refused():
    for contact in ("user/1000", "sofia/gateway/trunk/{nr}", "sofia/{number}/{number}"):
        with pytest.raises(ConfigurationError, match="must hold"):
            Destination("9*", contact)
    assert InteractionId("x")


@pytest.mark.parametrize("how", ["rejects", "no answer", "hangs up while they talk"])
def test_race_10_an_attended_transfer_that_fails_gives_the_held_call_back(desk, how):
    if how == "hangs up while they talk":
        desk.cleared(desk.consult())
        desk.park(desk.ann_leg)
    else:
        desk.tell(services.ConsultationRequested(ANN, ToAgent(BOB)))
        leg = desk.consulted
        desk.park(desk.caller, desk.ann_leg)
        desk.delivered(leg)
        if how == "rejects":
            desk.cleared(leg, Cause.BUSY)
        else:
            desk.advance(20)
            desk.cleared(leg, Cause.CALL_NOT_ANSWERED)
    assert desk.talk is TalkState.HELD
    with pytest.raises(InvalidConnection, match="'transfer' is not possible"):
        desk.tell(services.TransferRequested(ANN))
    assert desk.interaction(desk.call_id).agent == ANN
    desk.tell(services.RetrieveRequested(ANN))
    assert desk.asked(intents.Bridge)[-1] == intents.Bridge(FS, desk.caller, desk.ann_leg)


def test_race_10_a_blind_transfer_frees_the_agent_without_waiting_for_anybody(desk):
    desk.tell(services.SingleStepTransferRequested(ANN, ToAgent(BOB)))
    desk.park(desk.caller, desk.ann_leg)
    assert desk.ann_leg in {each.connection for each in desk.asked(intents.ClearConnection)}
    desk.cleared(desk.ann_leg)
    assert desk.state("ann") is AgentState.READY
    assert desk.ringing(desk.call_id) == [BOB]  # who has not answered yet


def test_race_11_a_transfer_to_a_queue_keeps_the_data_and_frees_the_agent_when_it_is_queued(desk):
    desk.tell(facts.DataAttached(desk.call_id, {"policy": "4711"}))
    desk.tell(services.SingleStepTransferRequested(ANN, ToQueue(QueueId("loans"))))
    assert desk.state("ann") is AgentState.BUSY  # the switch has not parted them
    assert [e.queue for e in desk.heard(events.Queued)] == ["claims"]
    desk.park(desk.caller, desk.ann_leg)
    queued = desk.heard(events.Queued)[-1]
    assert (queued.queue, queued.data) == ("loans", {"policy": "4711"})
    desk.cleared(desk.ann_leg)
    assert desk.state("ann") is AgentState.READY
    desk.take("bob")
    assert desk.heard(events.Established)[-1].data == {"policy": "4711"}
    assert desk.figures("loans").adds_up
    assert desk.figures("claims").adds_up


def test_a_call_that_has_been_cleared_is_nobodys_to_work_with_while_its_legs_end(desk):
    desk.clear(desk.call_id)
    for fact in (
        services.HoldRequested(ANN),
        services.ConsultationRequested(ANN, ToNumber("9123")),
        services.SingleStepConferenceRequested(ANN, ToNumber("9123")),
        services.ParkRequested(ANN),
    ):
        before = desk.picture()
        with pytest.raises(InvalidConnection, match="is not under way"):
            desk.tell(fact)
        assert desk.picture() == before
    assert desk.asked(intents.MakeConnection) == []


# -- one word of two is lost ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["caller", "agent"])
def test_a_retrieve_comes_about_though_a_hold_was_half_told(desk, lost):
    """Nothing says that one of the two is parked, and it waits for nothing else: they are bridged all the same."""
    desk.tell(services.HoldRequested(ANN))
    desk.park(desk.caller if lost == "agent" else desk.ann_leg)
    desk.tell(services.RetrieveRequested(ANN))
    assert not desk.asked(intents.Bridge)
    desk.advance(2.0)
    assert desk.asked(intents.Bridge) == [intents.Bridge(FS, desk.caller, desk.ann_leg)]
    desk.pair(desk.caller, desk.ann_leg)
    assert desk.timers == []


def test_a_transfer_comes_about_though_only_the_agents_leg_was_told_parked(desk):
    desk.tell(services.SingleStepTransferRequested(ANN, ToQueue(QueueId("loans"))))
    desk.park(desk.ann_leg)
    assert desk.interaction(desk.call_id).onward is not None
    desk.advance(2.0)
    assert desk.asked(intents.StopListening) == [intents.StopListening(FS, desk.caller)]
    desk.park(desk.caller)
    assert desk.interaction(desk.call_id).queue == "loans"
    assert desk.ann_leg in desk.clears()


def test_it_is_asked_for_a_few_times_only(desk):
    desk.tell(services.SingleStepTransferRequested(ANN, ToQueue(QueueId("loans"))))
    desk.park(desk.ann_leg)
    with pytest.raises(AssertionError, match="does not make"):
        desk.advance(60.0)
    assert len(desk.asked(intents.StopListening)) == 5

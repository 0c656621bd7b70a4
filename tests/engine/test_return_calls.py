"""An agent who hears a message calls whoever left it: in the same interaction, by the rules, and back at the message in vain."""

from __future__ import annotations

import contextlib
import random

import pytest

from cti.errors import CtiError, DestinationNotAllowed, InvalidConnection, UnknownAgent
from cti.model import callback_events, events, facts, intents, services
from cti.model.callback import CallbackSettings
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId
from cti.model.interaction import NOBODY, InteractionKind
from cti.model.overflow import ToQueue
from cti.model.party import Destination, ToAgent
from cti.model.states import AgentState, InteractionState, TalkState

from .story import FS, Story
from .test_messages import FAX, VOICEMAIL, heard, leave

ANN = AgentId("ann")


class Returning(Story):
    """Ann hears a message of +441; numbers that begin with +44 may be called."""

    def __init__(self, **queue: object) -> None:
        super().__init__()
        self.tell(services.DestinationsDefined((Destination("+44*", "sofia/gateway/trunk/{number}"),)))
        self.queue("claims", wrap_up_s=10.0, **queue)
        self.agent("ann")
        self.message: InteractionId = leave(self, VOICEMAIL, "claims")
        self.own: ConnectionId = heard(self, "ann")

    def return_call(self, number: str = "") -> None:
        self.tell(services.ReturnCallRequested(ANN, number))

    def called(self) -> intents.MakeConnection:
        return [each for each in self.intents if isinstance(each, intents.MakeConnection)][-1]

    def answers_back(self) -> ConnectionId:
        """Whoever is called answers, and is in our hands."""
        leg = self.called().leg
        self.delivered(leg)
        self.established(leg)
        self.tell(facts.Parked(FS, leg))
        return leg

    def talk(self) -> ConnectionId:
        leg = self.answers_back()
        self.tell(facts.Bridged(FS, leg, self.own))
        return leg


@pytest.fixture
def story() -> Returning:
    return Returning()


def test_whoever_left_the_message_is_called_and_talks_with_the_agent_in_the_same_interaction(story):
    story.advance(3.0)
    story.return_call()
    made = story.called()
    assert (made.contact, made.interaction, made.called_number, made.calling_number) == (
        "sofia/gateway/trunk/+441",
        story.message,
        "+441",
        "5000",
    )
    told = story.events(events.Originated)[-1]
    assert (told.interaction, told.agent, told.to, told.cause) == (story.message, ANN, "+441", Cause.CALL_BACK)
    assert story.wanted(intents.Bridge) == []
    leg = story.answers_back()
    assert [{each.connection, each.other} for each in story.wanted(intents.Bridge)] == [{leg, story.own}]
    answered = story.events(callback_events.CallbackAnswered)[-1]
    assert (answered.number, answered.connection, answered.interaction) == ("+441", leg, story.message)
    assert story.interaction(story.message).kind is InteractionKind.VOICEMAIL
    story.tell(facts.Bridged(FS, leg, story.own))
    call = story.interaction(story.message)
    assert (call.kind, call.message, call.caller, call.talk) == (InteractionKind.CALL, None, leg, TalkState.TALKING)
    told = story.events(events.Established)[-1]
    assert (told.interaction_kind, told.agent, told.cause, told.data["callback_number"]) == (
        "call",
        ANN,
        Cause.CALL_BACK,
        "+441",
    )
    story.advance(60.0)
    assert story.clears() == []
    story.cleared(leg)
    assert story.own in story.clears()
    story.cleared(story.own)
    assert story.message not in story.world.interactions
    assert story.state("ann") is AgentState.WORKING_AFTER_CALL
    figures = story.figures("claims")
    assert (figures.offered, figures.answered, figures.waiting, figures.abandoned) == (1, 1, 0, 0)


def test_from_then_on_it_is_a_call_as_any_other(story):
    story.queue("other", wrap_up_s=10.0)
    story.return_call()
    leg = story.talk()
    story.tell(services.HoldRequested(ANN))
    assert story.interaction(story.message).talk is TalkState.HELD
    story.tell(facts.Parked(FS, leg))
    story.tell(facts.Parked(FS, story.own))
    story.tell(services.RetrieveRequested(ANN))
    story.tell(facts.Bridged(FS, leg, story.own))
    story.tell(services.SingleStepTransferRequested(ANN, ToQueue("other")))
    story.tell(facts.Parked(FS, leg))
    story.cleared(story.own)
    assert story.waits("other") == [story.message]
    story.agent("bob")
    story.delivered(story.offered_leg("bob"))
    story.established(story.offered_leg("bob"))
    assert len(story.wanted(intents.Bridge)) == 1


@pytest.mark.parametrize("cause", [Cause.BUSY, Cause.CALL_NOT_ANSWERED, Cause.NUMBER_UNALLOCATED])
def test_nobody_is_reached_and_the_agent_is_back_at_the_message(story, cause):
    story.return_call()
    first = story.called().leg
    story.failed(first, cause)
    call = story.interaction(story.message)
    assert (call.kind, call.caller, call.state) == (InteractionKind.VOICEMAIL, NOBODY, InteractionState.ESTABLISHED)
    told = story.events(events.ConnectionCleared)[-1]
    assert (told.connection, told.side, told.cause, told.interaction_kind) == (first, "caller", cause, "voicemail")
    assert story.clears() == []
    assert story.state("ann") is AgentState.BUSY
    story.return_call()
    assert story.called().leg != first
    story.talk()
    assert call.kind is InteractionKind.CALL


def test_a_phone_that_rings_for_too_long_is_given_up():
    story = Returning(callback=CallbackSettings(ring_s=12.0))
    story.return_call()
    leg = story.called().leg
    assert story.called().ring_timeout_s == 12.0
    story.delivered(leg)
    story.advance(12.0)
    assert story.clears() == [leg]
    story.cleared(leg, Cause.CALL_NOT_ANSWERED)
    assert story.interaction(story.message).caller == NOBODY
    story.advance(3600.0)
    assert story.interaction(story.message).state is InteractionState.ESTABLISHED


@pytest.mark.parametrize("when", ["rings", "answers", "talks"])
def test_an_agent_who_hangs_up_ends_it_for_both(story, when):
    story.return_call()
    leg = story.called().leg
    if when == "rings":
        story.delivered(leg)
    elif when == "answers":
        story.answers_back()
    else:
        story.talk()
    story.cleared(story.own)
    assert leg in story.clears()
    story.cleared(leg)
    assert story.message not in story.world.interactions
    assert story.state("ann") is AgentState.WORKING_AFTER_CALL


@pytest.mark.parametrize("by", ["agent", "centre"])
def test_ending_it_while_it_rings_ends_both_legs(story, by):
    story.return_call()
    leg = story.called().leg
    if by == "agent":
        story.tell(services.ClearConnectionRequested(ANN))
    else:
        story.clear(story.message)
    assert set(story.clears()) == {leg, story.own}
    story.cleared(leg)
    story.cleared(story.own)
    assert story.message not in story.world.interactions


def test_an_answer_that_comes_as_the_agent_goes_is_hung_up_on(story):
    story.return_call()
    leg = story.called().leg
    story.delivered(leg)
    story.cleared(story.own)
    story.established(leg)
    story.tell(facts.Parked(FS, leg))
    assert story.wanted(intents.Bridge) == []
    story.cleared(leg)
    assert story.message not in story.world.interactions


@pytest.mark.parametrize("number", ["+331", "anonymous", "+44 1", "+44}x", "0900"])
def test_numbers_that_no_rule_lets_through_are_refused_and_nothing_changes(story, number):
    story.tell(
        services.DestinationsDefined((Destination("+44*", "trunk/{number}"), Destination("a*", "trunk/{number}")))
    )
    before = story.picture()
    with pytest.raises(DestinationNotAllowed):
        story.return_call(number)
    assert story.picture() == before


def test_another_number_by_the_queues_own_rules_shown_as_the_queue_says():
    settings = CallbackSettings(
        destinations=(Destination("+33*", "sofia/gateway/paris/{number}"),), calling_number="0800"
    )
    story = Returning(callback=settings)
    with pytest.raises(DestinationNotAllowed):
        story.return_call()
    story.return_call("+3312")
    assert (story.called().contact, story.called().calling_number) == ("sofia/gateway/paris/+3312", "0800")
    assert story.called().park_s > 0, "the switch keeps whoever answers until they are connected"
    assert story.interaction(story.message).data["callback_number"] == "+3312"


def test_who_hears_no_message_can_return_no_call(story):
    with pytest.raises(UnknownAgent):
        story.tell(services.ReturnCallRequested(AgentId("nobody")))
    story.agent("bob")
    with pytest.raises(InvalidConnection, match="hears no message"):
        story.tell(services.ReturnCallRequested(AgentId("bob")))
    story.talking("bob", "claims")
    with pytest.raises(InvalidConnection, match="hears no message"):
        story.tell(services.ReturnCallRequested(AgentId("bob")))
    story.return_call()
    with pytest.raises(InvalidConnection, match="calling back already"):
        story.return_call()
    story.talk()
    with pytest.raises(InvalidConnection, match="hears no message"):
        story.return_call()


def test_a_fax_is_returned_by_no_call():
    story = Returning()
    story.agent("bob")
    leave(story, FAX, "claims", "m2")
    story.tell(services.AcceptTaskRequested(AgentId("bob")))
    with pytest.raises(InvalidConnection, match="hears no message"):
        story.tell(services.ReturnCallRequested(AgentId("bob")))


def test_nothing_else_can_be_asked_while_it_rings(story):
    story.agent("bob")
    story.return_call()
    for asked in (services.HoldRequested(ANN), services.ConsultationRequested(ANN, ToAgent(AgentId("bob")))):
        with pytest.raises(InvalidConnection):
            story.tell(asked)


def test_a_message_that_waits_again_after_a_lost_leg_calls_nobody(story):
    """The agent's leg went with the switch's word, the other's rings on."""
    story.return_call()
    leg = story.called().leg
    story.cleared(story.own, Cause.SWITCHING_FUNCTION_TERMINATED)
    assert leg in story.clears()
    story.cleared(leg)
    assert story.waits("claims") == [story.message] or story.offers()
    assert story.interaction(story.message).caller == NOBODY


def test_the_history_is_one(story):
    story.advance(5.0)
    story.return_call()
    leg = story.talk()
    story.advance(20.0)
    story.cleared(leg)
    story.cleared(story.own)
    story.advance(10.0)
    ended = story.events(events.InteractionEnded)[-1].history
    assert (ended.interaction, ended.interaction_kind, ended.agents) == (story.message, "voicemail", (ANN,))
    talks = [(each.side, each.length_s) for each in ended.segments if each.kind == "talk"]
    assert ("caller", 20.0) in talks
    assert ("agent", 25.0) in talks


def test_they_answer_while_the_link_is_down(story):
    story.return_call()
    leg = story.called().leg
    story.link_lost()
    story.advance(45.0)  # longer than the phone may ring: nobody knows whether it did
    assert story.clears() == []
    story.link_up(story.seen(story.own, established=True), story.seen(leg, established=True))
    assert [{each.connection, each.other} for each in story.wanted(intents.Bridge)] == [{leg, story.own}]
    story.tell(facts.Bridged(FS, leg, story.own))
    assert story.interaction(story.message).kind is InteractionKind.CALL


def test_they_were_connected_while_the_link_was_down(story):
    story.return_call()
    leg = story.answers_back()
    story.link_lost()
    story.link_up(
        story.seen(story.own, established=True, bridged_to=leg), story.seen(leg, established=True, bridged_to=story.own)
    )
    call = story.interaction(story.message)
    assert (call.kind, call.talk) == (InteractionKind.CALL, TalkState.TALKING)
    assert [each.interaction_kind for each in story.events(events.Established)] == ["voicemail", "call"]


def test_they_gave_up_while_the_link_was_down_and_the_agent_is_back_at_the_message(story):
    story.return_call()
    story.link_lost()
    story.link_up(story.seen(story.own, established=True))
    call = story.interaction(story.message)
    assert (call.kind, call.caller, call.state) == (InteractionKind.VOICEMAIL, NOBODY, InteractionState.ESTABLISHED)
    story.return_call()


def test_everything_was_lost_and_the_message_waits_again(story):
    story.return_call()
    story.link_lost()
    story.link_up(restarted=True)
    assert story.interaction(story.message).caller == NOBODY
    assert story.offers()[-1] == ("ann", story.message) or story.waits("claims") == [story.message]


def test_nothing_can_be_begun_while_the_link_is_down(story):
    story.link_lost()
    with pytest.raises(InvalidConnection, match="not live"):
        story.return_call()


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_in_whatever_order_nobody_is_stuck(seed):
    """The story looks for broken invariants after each fact."""
    chance = random.Random(seed)
    story = Returning()

    def legs() -> list[ConnectionId]:
        return sorted(story.world.connections)

    def any_leg() -> ConnectionId:
        return chance.choice(legs() or [ConnectionId("gone")])

    def answer() -> None:
        leg = any_leg()
        story.established(leg)
        story.tell(facts.Parked(FS, leg))

    def bridge() -> None:
        if len(legs()) > 1:
            story.tell(facts.Bridged(FS, *chance.sample(legs(), 2)))

    def snapshot() -> None:
        story.link_lost()
        story.link_up(*(story.seen(leg, established=chance.random() < 0.7) for leg in legs() if chance.random() < 0.8))

    asked = (
        services.HoldRequested(ANN),
        services.RetrieveRequested(ANN),
        services.ClearConnectionRequested(ANN),
        services.SingleStepTransferRequested(ANN, ToQueue("claims")),
        facts.ClearRequested(story.message),
    )
    steps = (
        *[story.return_call] * 3,
        *[answer] * 3,
        *[bridge] * 3,
        lambda: story.delivered(any_leg()),
        lambda: story.cleared(any_leg(), chance.choice((Cause.NORMAL_CLEARING, Cause.SWITCHING_FUNCTION_TERMINATED))),
        lambda: story.tell(facts.Parked(FS, any_leg())),
        lambda: story.tell(chance.choice(asked)),
        lambda: story.advance(chance.choice((0.5, 5.0, 40.0))),
        snapshot,
    )
    for _ in range(60):
        with contextlib.suppress(CtiError):
            chance.choice(steps)()
    for _ in range(5):
        story.clear(story.message)
        for leg in legs():
            story.cleared(leg)
        story.advance(15.0)
    assert story.message not in story.world.interactions
    assert legs() == []
    assert story.state("ann") in (AgentState.READY, AgentState.NOT_READY)

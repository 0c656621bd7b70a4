"""Predictive calls: who answers gets an agent or a message, and the abandon cap is kept (race 23)."""

from __future__ import annotations

from typing import Any

import pytest

from cti.engine.predictive import predictive_figures
from cti.errors import ConfigurationError, DestinationNotAllowed, InvalidConnection, ResourceBusy, UnknownQueue
from cti.model import events, facts, intents, services
from cti.model.cause import Cause
from cti.model.connection import Side
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId
from cti.model.party import Destination
from cti.model.predictive import PredictiveCallRequested, PredictiveFigures, PredictiveSettings
from cti.model.states import AgentState, InteractionState

from .story import FS, Story

SALES = QueueId("sales")
CAUSE = Cause.MAKE_PREDICTIVE_CALL


class Dialler(Story):
    """Ann is ready for sales, which makes predictive calls."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        settings.setdefault("message", "sorry.wav")
        more = {name: settings.pop(name) for name in ("overflow_unstaffed", "max_wait_s") if name in settings}
        self.queue("sales", requires="sales", predictive=PredictiveSettings(**settings), **more)
        self.queue("other")
        self.agent("ann", skills={"sales": 1})
        self.tell(services.DestinationsDefined((Destination("9*", "sofia/gateway/trunk/{number}"),)))

    def dial(self, number: str = "9123", **data: Any) -> InteractionId:
        self.tell(PredictiveCallRequested(SALES, number, data))
        return self.world.predicted[SALES].under_way[-1]

    def answered(self, call: InteractionId) -> ConnectionId:
        """The customer answers."""
        leg = self.caller_of(call)
        self.delivered(leg)
        self.established(leg)
        self.tell(facts.Parked(FS, leg))
        return leg

    @property
    def now_is(self) -> PredictiveFigures:
        return predictive_figures(self.world, self.world.queues[SALES])

    def heard_of(self, kind: type) -> list[Any]:
        return [i.event for i in self.intents if isinstance(i, intents.Notify) and isinstance(i.event, kind)]

    def asked(self, kind: type) -> list[Any]:
        return [i for i in self.intents if isinstance(i, kind)]


@pytest.fixture
def s() -> Dialler:
    return Dialler()


def test_the_customer_answers_and_the_agent_who_is_free_gets_them(s):
    call = s.dial(policy="4711")
    (made,) = s.asked(intents.MakeConnection)
    assert (made.contact, made.called_number) == ("sofia/gateway/trunk/9123", "9123")
    assert [(e.cause, e.to) for e in s.heard_of(events.Originated)] == [(CAUSE, "9123")]
    assert s.state("ann") is AgentState.READY
    leg = s.answered(call)
    assert [(e.cause, e.queue) for e in s.heard_of(events.Queued)] == [(CAUSE, SALES)]
    assert s.ringing(call) == [AgentId("ann")]
    agent = s.offered_leg("ann")
    s.delivered(agent)
    (popped,) = s.heard_of(events.Delivered)
    assert (popped.calling_number, popped.data) == ("9123", {"policy": "4711"})
    s.established(agent)
    s.bridged(call, agent)
    assert s.interaction(call).state is InteractionState.ESTABLISHED
    assert s.now_is == PredictiveFigures(1, 0, 0, 0.03)
    assert not [timer for timer in s.timers if timer.kind == "alone"]
    assert s.interaction(call).predicted_for is None, "a call like any other from now on"
    s.advance(30)
    assert s.asked(intents.PlayMessage) == []
    s.cleared(agent)
    s.cleared(leg)
    assert s.is_over(call)
    assert s.figures("sales").adds_up
    assert s.timers == []


def test_race_23_nobody_is_there_and_the_customer_hears_so_within_two_seconds_and_it_counts_at_once(s):
    """A predictive call is answered and no agent is there: message within 2 s, counted against the cap at once."""
    call = s.dial()
    s.not_ready("ann")
    leg = s.answered(call)
    s.advance(1.99)
    assert s.asked(intents.PlayMessage) == []
    s.advance(0.02)
    assert s.asked(intents.PlayMessage) == [intents.PlayMessage(FS, leg, "sorry.wav")]
    assert s.now_is == PredictiveFigures(1, 1, 0, 0.03)
    (told,) = s.heard_of(events.PredictiveCallAbandoned)
    assert (told.cause, told.answered, told.abandoned) == (Cause.NO_AVAILABLE_AGENTS, 1, 1)
    s.ready("ann")  # too late for this one
    assert s.reservation("ann") is None
    s.cleared(leg)
    assert s.is_over(call)
    assert s.figures("sales").adds_up
    assert s.timers == []
    s.dial()  # Ann is free for it
    with pytest.raises(ResourceBusy, match=r"1 agents ready for 2 predictive calls.*1 answered 1 were abandoned"):
        s.dial()


def test_race_23_the_agents_phone_rings_on_and_nobody_answers_it(s):
    call = s.dial()
    s.answered(call)
    s.delivered(s.offered_leg("ann"))
    s.advance(2.1)
    assert len(s.asked(intents.PlayMessage)) == 1
    assert s.reservation("ann") is None
    assert s.state("ann") is AgentState.READY  # it is nobody's fault
    assert s.now_is.abandoned == 1


@pytest.mark.parametrize("bridged", [True, False])
def test_race_23_the_agent_answers_in_the_last_moment(s, bridged):
    call = s.dial()
    leg = s.answered(call)
    agent = s.offered_leg("ann")
    s.delivered(agent)
    s.advance(1.9)
    s.established(agent)
    s.advance(0.2)
    assert s.asked(intents.PlayMessage) == []
    if bridged:
        s.bridged(call, agent)
        s.advance(10)
        assert s.now_is == PredictiveFigures(1, 0, 0, 0.03)
    else:
        s.cleared(agent)  # and goes before they are connected
        s.advance(5)
        assert s.asked(intents.PlayMessage) == [intents.PlayMessage(FS, leg, "sorry.wav")]
        assert s.now_is.abandoned == 1


def test_the_message_does_not_end_by_itself(s):
    call = s.dial()
    s.not_ready("ann")
    leg = s.answered(call)
    s.advance(2)
    s.advance(60)
    assert [each.connection for each in s.asked(intents.ClearConnection)] == [leg]
    s.cleared(leg)
    assert s.is_over(call)


@pytest.mark.parametrize("settings", [{"overflow_unstaffed": True}, {"max_wait_s": 0.5}])
def test_a_queue_that_would_hang_up_says_something_first(settings):
    s = Dialler(**settings)
    call = s.dial()
    s.not_ready("ann")
    s.answered(call)
    if "overflow_unstaffed" in settings:
        s.log_off("ann")
    s.advance(2)
    assert len(s.asked(intents.PlayMessage)) == 1
    assert s.asked(intents.ClearConnection) == []
    assert s.now_is.abandoned == 1


@pytest.mark.parametrize("how", ["busy", "no answer", "hangs up while it rings", "hangs up at once"])
def test_a_customer_whom_nobody_leaves_alone_is_not_counted(s, how):
    call = s.dial()
    leg = s.caller_of(call)
    if how == "busy":
        s.failed(leg, Cause.BUSY)
    elif how == "no answer":
        s.delivered(leg)
        s.advance(30)
        s.cleared(leg, Cause.CALL_NOT_ANSWERED)
    elif how == "hangs up while it rings":
        s.delivered(leg)
        s.cleared(leg)
    else:
        s.answered(call)
        s.cleared(leg)
        s.cleared(next(iter(s.world.connections)))
    assert s.is_over(call)
    s.advance(60)
    assert s.now_is.abandoned == 0
    assert s.now_is.under_way == 0
    assert s.state("ann") is AgentState.READY
    assert s.timers == []


def test_the_cap_is_hard():
    s = Dialler(abandon_cap=0.1)
    for n in range(19):  # all of these get Ann
        call = s.dial(f"9{n}")
        s.answered(call)
        s.take("ann")
        s.cleared(s.world.agents[AgentId("ann")].connection)
        s.cleared(s.caller_of(call))
    assert s.now_is.answered == 19
    first = s.dial()  # Ann's
    second = s.dial()  # at worst 1 of 20
    third = s.dial()  # at worst 2 of 21
    with pytest.raises(ResourceBusy, match=r"the cap is 10\.0%"):  # 3 of 22
        s.dial()
    s.not_ready("ann")
    for call in (first, second):
        s.answered(call)
    s.advance(2)
    assert (s.now_is.answered, s.now_is.abandoned) == (21, 2)
    assert s.now_is.abandoned / s.now_is.answered <= 0.1
    s.failed(s.caller_of(third), Cause.BUSY)
    with pytest.raises(ResourceBusy):
        s.dial()
    s.advance(86_400)  # a day later it is forgotten
    assert (s.now_is.answered, s.now_is.abandoned) == (0, 0)


def test_what_is_refused_before_the_switch_hears_of_it(s):
    with pytest.raises(UnknownQueue, match="did you mean 'sales'"):
        s.tell(PredictiveCallRequested(QueueId("sale"), "9123"))
    with pytest.raises(ConfigurationError, match="queue 'other' makes no predictive calls"):
        s.tell(PredictiveCallRequested(QueueId("other"), "9123"))
    for number in ("0900", "9,1", "9{a=b}", "9\n1", ""):
        with pytest.raises(DestinationNotAllowed):
            s.tell(PredictiveCallRequested(SALES, number))
    s.link_lost()
    with pytest.raises(InvalidConnection, match="has to wait"):
        s.dial()
    assert s.asked(intents.MakeConnection) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"message": ""},
        {"message": "a|b"},
        {"message": "a'b"},
        {"message": "a\nb"},
        {"abandon_cap": 2},
        {"alone_s": 2.5},
        {"alone_s": True},
        {"ring_s": -1},
        {"calling_number": "9,1"},
    ],
)
def test_settings_that_cannot_be_used(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        PredictiveSettings(**{"message": "sorry.wav", **wrong})


@pytest.mark.parametrize("when", ["ringing", "alone", "message"])
def test_the_switch_restarts(s, when):
    call = s.dial()
    s.not_ready("ann")
    if when != "ringing":
        s.answered(call)
    if when == "message":
        s.advance(2)
    s.link_lost()
    s.advance(90)
    s.link_up(restarted=True)
    assert s.is_over(call)
    assert s.figures("sales").adds_up
    s.advance(120)
    assert s.timers == []


def test_race_23_the_link_is_down_when_the_two_seconds_are_over(s):
    call = s.dial()
    s.not_ready("ann")
    leg = s.answered(call)
    s.link_lost()
    s.advance(5)
    assert s.asked(intents.PlayMessage) == []
    s.link_up(s.seen(leg, queue=SALES, queued_at=0.0))
    s.advance(1)
    assert len(s.asked(intents.PlayMessage)) == 1


def test_a_new_process_finds_a_customer_who_was_called_in_their_place():
    """What the tags tell: whoever has answered is a caller like any."""
    s = Dialler()
    call = s.dial()
    s.not_ready("ann")
    leg = s.answered(call)
    tags = [dict(i.tags) for i in s.asked(intents.TagConnection) if i.connection == leg]
    assert {"cti_other": ""} in tags
    after = Dialler()
    after.not_ready("ann")
    seen = facts.ChannelSeen(
        leg, established=True, interaction=call, queue=SALES, queued_at=1.0, side=Side.CALLER, calling_number="9123"
    )
    after.link_lost()
    after.link_up(seen)
    assert after.interaction(call).state is InteractionState.QUEUED


@pytest.mark.parametrize("when", ["while it rings", "while they wait"])
def test_a_queue_that_makes_none_any_more_leaves_nobody_on_the_line(when):
    """Its settings are others before the customer answers, or before they are told that nobody is there: there is no message."""
    s = Dialler(abandon_cap=1.0)
    s.log_off("ann")
    call = s.dial()
    leg = s.caller_of(call)
    if when == "while they wait":
        s.answered(call)
    s.queue("sales", requires="sales")
    if when == "while it rings":
        s.answered(call)
    s.advance(2.0)
    assert s.leg(leg).clearing
    assert s.asked(intents.PlayMessage) == []
    s.cleared(leg)
    assert call not in s.world.interactions
    assert s.figures("sales").adds_up
    assert s.timers == []

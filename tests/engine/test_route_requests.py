"""Route scripts: asked about each call that comes, with so much time to answer; late, wrong and repeated answers."""

from __future__ import annotations

import pytest

from cti.engine.route_requests import MOST
from cti.engine.why import explain_call
from cti.model import events, facts, intents
from cti.model.ids import AgentId, QueueId
from cti.model.overflow import Disconnect, ToDestination, ToQueue, ToScript, ToVoicemail
from cti.model.personal import LastAgent, Personal
from cti.model.states import InteractionState

from .story import FS, Story

ANN, BOB = AgentId("ann"), AgentId("bob")
SALES, LOANS = QueueId("sales"), QueueId("loans")


@pytest.fixture
def s() -> Story:
    """A queue that asks a route script, one that does not, and two ready agents, bob idle for longer."""
    story = Story()
    story.queue("sales", route_script="who", route_deadline_s=2)
    story.queue("loans", requires="loans")
    story.agent("bob")
    story.advance(1)
    story.agent("ann")
    return story


def asked(s: Story, call: object) -> list[events.RouteRequested]:
    return [e for e in s.events(events.RouteRequested) if e.interaction == call]


def ended(s: Story) -> list[str]:
    return [e.error for e in s.events(events.RouteEnded)]


def used(s: Story) -> list[str]:
    return [e.to for e in s.events(events.RouteUsed)]


# -- in time ----------------------------------------------------------------------------------------------------------


def test_nobody_is_offered_the_call_until_the_script_has_answered(s):
    call = s.waiting("sales", 1)
    [request] = asked(s, call)
    assert (request.script, request.deadline_s, request.queue) == ("who", 2, "sales")
    assert request.cross_ref == s.interaction(call).route_request
    assert [(e.position, e.queue) for e in s.events(events.Queued)] == [(0, "sales")]
    assert [type(i).__name__ for i in s.last if isinstance(i, intents.SwitchIntent)] == [
        "AnswerConnection",
        "KeepCaller",
        "StartTreatment",
        "TagConnection",
    ]
    s.agent("dan")
    assert s.offers() == []
    s.select(call)
    assert s.ringing(call) == ["bob"]
    assert used(s) == ["default"]
    assert ended(s) == []
    s.advance(10)
    assert len(s.offers()) == 1


@pytest.mark.parametrize(
    ("to", "said"),
    [
        (ToQueue(LOANS), "queue loans"),
        (ToDestination("9138"), "destination 9138"),
        (ToVoicemail("1000"), "voicemail 1000"),
        (ToScript("callback"), "script callback"),
        (Disconnect(), "disconnect"),
    ],
)
def test_the_script_sends_the_call_elsewhere(s, to, said):
    call = s.waiting("sales")
    s.select(call, to=to, data={"tier": "gold"})
    assert used(s) == [said]
    assert s.offers() == []
    assert (s.figures("sales").overflowed, s.figures("sales").waiting) == (1, 0)
    for diverted in s.events(events.Diverted):
        assert diverted.data == {"tier": "gold"}
    assert len(s.events(events.Diverted)) == (0 if isinstance(to, Disconnect) else 1)
    if isinstance(to, ToQueue):
        assert s.waits("loans") == [call]
    assert [timer.kind for timer in s.timers] in ([], ["check"])


def test_the_script_changes_priority_and_data(s):
    s.not_ready("ann")
    s.not_ready("bob")
    first, second = s.waiting("sales", 1), s.waiting("sales")
    s.select(first)
    s.select(second, priority=2, data={"tier": "gold"})
    assert s.waits("sales") == [second, first]
    s.ready("ann")
    s.take("ann")
    [talk] = s.events(events.Established)
    assert (talk.interaction, talk.data) == (second, {"tier": "gold"})


def test_a_priority_that_is_not_said_is_left(s):
    s.not_ready("ann")
    s.not_ready("bob")
    first, second = s.waiting("sales", 3), s.waiting("sales", 3)
    s.select(second)
    s.select(first, priority=0)
    assert s.waits("sales") == [second, first]


def test_preferred_agents(s):
    call = s.waiting("sales")
    s.select(call, preferred=(ANN,))
    assert s.ringing(call) == ["ann"]


@pytest.mark.parametrize("to", [None, ToQueue(SALES)], ids=["here", "here, by name"])
def test_an_agent_to_wait_for(s, to):
    """A plan's answer always names a queue; that it is this one changes nothing."""
    call = s.waiting("sales")
    s.select(call, to=to, personal=Personal(ANN))
    assert s.ringing(call) == ["ann"]
    assert used(s) == ["agent ann" if to is None else "queue sales"]
    assert (s.figures("sales").offered, s.figures("sales").overflowed) == (1, 0)
    assert len(asked(s, call)) == 1


def test_an_agent_to_wait_for_in_another_queue(s):
    call = s.waiting("sales")
    s.select(call, to=ToQueue(LOANS), personal=Personal(ANN))
    assert s.ringing(call) == ["ann"]
    assert s.interaction(call).queue == "loans"


def test_an_agent_who_is_not_there_to_be_waited_for(s):
    s.not_ready("ann", "mobile")
    call = s.waiting("sales")
    s.select(call, personal=Personal(ANN, by_presence={"mobile": ToDestination("9138")}))
    assert [e.destination for e in s.events(events.Diverted)] == ["9138"]
    assert s.figures("sales").overflowed == 1


def test_the_last_agent(s):
    s.advance(1)
    call = s.call()
    number = s.interaction(call).calling_number
    s.world.spoke(number, ANN)
    s.enqueue(call, "sales")
    s.select(call, personal=LastAgent())
    assert s.ringing(call) == ["ann"]
    assert used(s) == ["last agent"]


def test_what_the_queue_says_holds_if_the_script_says_nothing_of_it(s):
    s.queue("sales", route_script="who", personal=Personal(ANN))
    call = s.waiting("sales")
    s.select(call)
    assert s.ringing(call) == ["ann"]


def test_the_script_names_another_agent_than_the_queue_and_no_timer_is_left(s):
    s.queue("sales", route_script="who", personal=Personal(ANN, wait_s=50))
    call = s.waiting("sales")
    s.select(call, personal=Personal(BOB, wait_s=0))
    assert s.ringing(call) == ["bob"]
    assert "personal" not in [timer.kind for timer in s.timers]


def test_a_script_that_has_failed(s):
    call = s.waiting("sales")
    s.select(call, error="it raised KeyError('tier')", priority=9)
    assert ended(s) == ["it raised KeyError('tier')"]
    assert used(s) == []
    assert s.ringing(call) == ["bob"]
    assert s.interaction(call).priority == 0


# -- too late, twice, wrong -------------------------------------------------------------------------------------------


def test_no_answer_in_time(s):
    call = s.waiting("sales")
    cross_ref = s.interaction(call).route_request
    s.advance(2)
    assert ended(s) == ["no answer in time"]
    assert s.ringing(call) == ["bob"]
    before = s.picture()
    s.select(call, cross_ref=cross_ref, to=Disconnect())
    assert s.last == []
    assert s.picture() == before


def test_the_answer_comes_twice(s):
    call = s.waiting("sales")
    cross_ref = s.interaction(call).route_request
    s.select(call)
    before = s.picture()
    s.select(call, cross_ref=cross_ref, to=Disconnect())
    assert s.last == []
    assert s.picture() == before


@pytest.mark.parametrize("cross_ref", ["somebody-else's", "x/route/1"])
def test_an_answer_to_what_was_not_asked(s, cross_ref):
    call = s.waiting("sales")
    s.select(call, cross_ref=cross_ref, to=Disconnect())
    assert s.last == []
    assert s.interaction(call).route_request
    other = s.waiting("loans")
    s.tell(facts.RouteSelected(other, "", to=Disconnect()))
    assert s.last == []


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"to": ToQueue(QueueId("loan"))}, "unknown queue 'loan'; did you mean 'loans'?"),
        ({"personal": Personal(AgentId("anne"))}, "unknown agent 'anne'; did you mean 'ann'?"),
        ({"preferred": (AgentId("bobb"),)}, "unknown agent 'bobb'; did you mean 'bob'?"),
        ({"personal": Personal(ANN, by_presence={"x": ToQueue(QueueId("loan"))})}, "unknown queue 'loan'"),
    ],
)
def test_an_answer_that_names_nobody_known_is_none(s, answer, says):
    """The offer that follows must reach the switch: the fact is not refused."""
    call = s.waiting("sales")
    s.select(call, data={"k": 1}, priority=9, **answer)
    [error] = ended(s)
    assert says in error
    assert s.ringing(call) == ["bob"]
    assert [i.agent for i in s.wanted(intents.OfferCall)] == ["bob"]
    assert (s.interaction(call).data, s.interaction(call).priority) == ({}, 0)
    s.take("bob")


# -- the call goes meanwhile ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["abandoned", "cleared", "diverted", "queued elsewhere", "waited too long"])
def test_the_call_goes_while_the_script_is_being_asked(s, ending):
    s.queue("sales", route_script="who", route_deadline_s=60, max_wait_s=30)
    call = s.waiting("sales")
    cross_ref = s.interaction(call).route_request
    match ending:
        case "abandoned":
            s.hang_up(call)
        case "cleared":
            s.clear(call)
        case "diverted":
            s.divert(call, "ivr")
        case "queued elsewhere":
            s.enqueue(call, "loans")
        case "waited too long":
            s.advance(30)
    assert ended(s) == [""]
    assert "route" not in [timer.kind for timer in s.timers]
    s.tell(facts.RouteSelected(call, cross_ref, to=ToDestination("9138")))
    assert s.last == []
    assert s.offers() == []


def test_a_call_that_is_moved_is_asked_about_afresh(s):
    call = s.waiting("sales")
    first = s.interaction(call).route_request
    s.enqueue(call, "sales")
    second = s.interaction(call).route_request
    assert first != second
    s.select(call, cross_ref=first, to=Disconnect())
    assert s.interaction(call).route_request == second
    s.select(call)
    assert s.ringing(call) == ["bob"]


@pytest.mark.parametrize("when", ["down", "snapshotting"])
@pytest.mark.parametrize("answer", ["default", "nothing"])
def test_the_link_is_lost_while_the_script_is_being_asked(s, when, answer):
    call = s.waiting("sales")
    s.link_lost()
    if when == "snapshotting":
        s.tell(facts.LinkConnecting(FS))
        s.tell(facts.LinkAuthenticated(FS))
    if answer == "default":
        s.select(call)
    else:
        s.advance(5)
    assert s.offers() == []
    if when == "down":
        s.link_up(s.seen(s.caller_of(call)))
    else:
        s.snapshot(s.seen(s.caller_of(call)))
    assert s.ringing(call) == ["bob"]


def test_the_link_is_back_while_the_script_is_still_being_asked(s):
    call = s.waiting("sales")
    s.link_lost()
    s.link_up(s.seen(s.caller_of(call)))
    assert s.offers() == []
    s.select(call)
    assert s.ringing(call) == ["bob"]


def test_the_caller_was_lost_while_the_script_was_being_asked(s):
    call = s.waiting("sales")
    cross_ref = s.interaction(call).route_request
    s.link_lost()
    s.link_up(restarted=True)
    assert ended(s) == [""]
    s.tell(facts.RouteSelected(call, cross_ref))
    assert s.last == []
    assert (s.figures("sales").lost, s.timers) == (1, [])


def test_the_last_agent_logs_off_while_the_script_is_being_asked(s):
    """The script's word goes first; the queue is closed if it leaves the call there."""
    s.queue("sales", route_script="who", overflow_unstaffed=True, overflow=ToDestination("closed"))
    stays, goes = s.waiting("sales"), s.waiting("sales")
    s.log_off("ann")
    s.log_off("bob")
    assert s.events(events.Diverted) == []
    s.select(goes, to=ToDestination("9138"))
    s.select(stays)
    assert [(e.interaction, e.destination) for e in s.events(events.Diverted)] == [(goes, "9138"), (stays, "closed")]


def test_the_link_was_lost_too_while_the_script_was_being_asked(s):
    s.queue("sales", route_script="who", overflow_unstaffed=True, overflow=ToDestination("closed"))
    call = s.waiting("sales")
    s.log_off("ann")
    s.log_off("bob")
    s.link_lost()
    s.link_up(s.seen(s.caller_of(call)))
    assert s.events(events.Diverted) == []
    s.select(call, to=ToDestination("9138"))
    assert [e.destination for e in s.events(events.Diverted)] == ["9138"]


def test_the_agent_it_waits_for_goes_while_the_script_is_being_asked(s):
    s.queue("sales", route_script="who", personal=Personal(ANN, by_presence={"mobile": ToDestination("9138")}))
    call = s.waiting("sales")
    s.not_ready("ann", "mobile")
    s.select(call)
    assert [e.destination for e in s.events(events.Diverted)] == ["9138"]


# -- onward -----------------------------------------------------------------------------------------------------------


def test_two_scripts_that_send_a_call_to_each_other_come_to_an_end(s):
    s.queue("loans", requires="loans", route_script="who")
    call = s.waiting("sales")
    times = 0
    while s.interaction(call).route_request:
        here = s.interaction(call).queue
        s.select(call, to=ToQueue(LOANS if here == "sales" else SALES))
        times += 1
        assert times <= MOST
    assert times == MOST == len(asked(s, call))
    assert ended(s) == [f"route scripts have been asked {MOST} times about this call"]
    assert s.ringing(call) == ["bob"]
    assert s.interaction(call).state is InteractionState.ROUTING
    assert s.figures("sales").offered + s.figures("loans").offered == MOST + 1


def test_a_call_that_overflows_is_asked_about_in_the_next_queue_too(s):
    s.queue("first", requires="none", max_wait_s=10, overflow=ToQueue(SALES))
    call = s.waiting("first")
    s.advance(10)
    assert [e.queue for e in asked(s, call)] == ["sales"]
    s.select(call)
    assert s.ringing(call) == ["bob"]


def test_a_queue_that_refuses_a_call_asks_nobody(s):
    s.queue("sales", route_script="who", max_waiting=1, overflow=ToQueue(LOANS))
    s.waiting("sales")
    call = s.waiting("sales")
    assert asked(s, call) == []
    assert s.interaction(call).queue == "loans"


def test_a_deadline_of_nought_asks_and_does_not_wait(s):
    s.queue("sales", route_script="who", route_deadline_s=0)
    call = s.waiting("sales")
    s.advance(0)
    assert s.ringing(call) == ["bob"]


def test_why_a_call_waits_while_a_script_is_being_asked(s):
    call = s.waiting("sales")
    assert {reason.code for reason in explain_call(s.world, call).agents} == {"route script"}

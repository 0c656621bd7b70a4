"""Calls that wait for one agent first: for whom, for how long, and what becomes of them when that agent is gone."""

from __future__ import annotations

import pytest

from cti.errors import UnknownAgent, UnknownQueue
from cti.model import events, facts, intents
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId
from cti.model.overflow import Disconnect, ToDestination, ToQueue, ToScript, ToVoicemail
from cti.model.personal import Deputy, LastAgent, Personal
from cti.model.states import AgentState, InteractionState

from .story import FS, Story

ANN, BOB, MEI = AgentId("ann"), AgentId("bob"), AgentId("mei")
FOR_ANN = Personal(ANN, wait_s=30)


@pytest.fixture
def s() -> Story:
    """A queue with ann, who is asked for, and bob, who is ready; mei is logged off."""
    story = Story()
    story.queue("sales")
    story.queue("loans", requires="loans")
    story.agent("ann", ready=False)
    story.agent("bob")
    story.agent("mei", logged_on=False)
    return story


def busy(s: Story, agent: str) -> None:
    """The agent is on a call that they were asked for by name."""
    s.ready(agent)
    s.waiting("sales", personal=Personal(AgentId(agent)))
    s.take(agent)


# -- for one agent ----------------------------------------------------------------------------------------------------


def test_it_goes_to_the_agent_it_is_for_though_another_is_idle_for_longer(s):
    s.advance(100)
    s.ready("ann")
    call = s.waiting("sales", personal=FOR_ANN)
    assert s.offers() == [("ann", call)]
    s.take("ann")
    assert s.timers == []


def test_the_agent_need_not_have_the_skills(s):
    s.ready("ann")
    call = s.waiting("loans", personal=FOR_ANN)
    assert s.offers() == [("ann", call)]


def test_it_waits_for_a_busy_agent_and_goes_to_them_when_they_are_free(s):
    busy(s, "ann")
    call = s.waiting("sales", personal=FOR_ANN)
    s.advance(29)
    assert s.ringing(call) == []
    assert s.state("bob") is AgentState.READY
    s.ends("ann")
    assert s.ringing(call) == ["ann"]


def test_it_waits_through_the_wrap_up(s):
    s.queue("sales", wrap_up_s=10)
    busy(s, "ann")
    call = s.waiting("sales", personal=FOR_ANN)
    s.ends("ann")
    assert s.state("ann") is AgentState.WORKING_AFTER_CALL
    s.advance(10)
    assert s.ringing(call) == ["ann"]


def test_after_the_time_everybody_may_be_offered_it(s):
    busy(s, "ann")
    call = s.waiting("sales", personal=FOR_ANN)
    s.advance(30)
    assert s.ringing(call) == ["bob"]
    assert s.interaction(call).wanted is None


def test_after_the_time_it_waits_with_the_others_in_its_place(s):
    busy(s, "ann")
    s.not_ready("bob")
    call = s.waiting("sales", personal=FOR_ANN)
    younger = s.waiting("sales")
    s.advance(30)
    assert s.waits("sales") == [call, younger]
    s.ready("bob")
    assert s.ringing(call) == ["bob"]


def test_the_time_is_over_while_the_agent_is_being_offered_it(s):
    s.ready("ann")
    call = s.waiting("sales", personal=Personal(ANN, wait_s=5))
    s.delivered(s.offered_leg("ann"))
    s.advance(5)
    assert s.ringing(call) == ["ann"]
    s.failed(s.offered_leg("ann"), Cause.CALL_CANCELLED)
    assert s.ringing(call) == ["bob"]


def test_the_time_is_over_while_the_agent_is_being_offered_it_where_all_ring(s):
    s.queue("sales", strategy="ring-all")
    s.ready("ann")
    call = s.waiting("sales", personal=Personal(ANN, wait_s=5))
    assert s.ringing(call) == ["ann"]
    assert s.waits("sales") == []  # nobody else is looked for
    s.advance(5)
    assert s.ringing(call) == ["ann", "bob"]
    s.take("bob")
    assert s.state("ann") is AgentState.READY


def test_the_agent_rejects_and_is_offered_it_again_while_the_time_lasts(s):
    s.ready("ann")
    call = s.waiting("sales", personal=Personal(ANN, by_presence={"rejected": 30, "no answer": 30}))
    s.failed(s.offered_leg("ann"), Cause.CALL_CANCELLED)
    assert s.ringing(call) == []
    s.advance(5)
    assert s.ringing(call) == ["ann"]


def test_the_agent_does_not_answer_and_everybody_may_be_offered_it(s):
    s.ready("ann")
    call = s.waiting("sales", personal=FOR_ANN)
    s.advance(20)
    assert s.state("ann") is AgentState.NOT_READY
    assert s.ringing(call) == ["bob"]


@pytest.mark.parametrize("goes", ["not ready", "log off", "removed"])
def test_the_agent_goes_while_it_waits(s, goes):
    s.queue("sales", wrap_up_s=60)
    busy(s, "ann")
    call = s.waiting("sales", personal=FOR_ANN)
    s.ends("ann")
    match goes:
        case "not ready":
            s.not_ready("ann")
        case "log off":
            s.log_off("ann")
        case "removed":
            s.tell(facts.AgentRemoved(ANN))
    assert s.ringing(call) == ["bob"]
    assert "personal" not in [timer.kind for timer in s.timers]


@pytest.mark.parametrize("goes", ["not ready", "log off", "removed"])
def test_the_agent_goes_while_being_offered_it(s, goes):
    s.ready("ann")
    call = s.waiting("sales", personal=FOR_ANN)
    leg = s.offered_leg("ann")
    match goes:
        case "not ready":
            s.not_ready("ann")
        case "log off":
            s.log_off("ann")
        case "removed":
            s.tell(facts.AgentRemoved(ANN))
    assert leg in s.clears()
    assert s.ringing(call) == ["bob"]


def test_an_agent_who_is_logged_off_is_waited_for_and_then_removed(s):
    call = s.waiting("sales", personal=Personal(MEI, by_presence={"logged off": 300}))
    assert s.ringing(call) == []
    s.tell(facts.AgentRemoved(MEI))
    assert s.ringing(call) == ["bob"]


def test_an_agent_who_is_logged_off_is_waited_for_and_logs_on(s):
    call = s.waiting("sales", personal=Personal(MEI, by_presence={"logged off": 300}))
    s.advance(200)
    s.log_on("mei")
    assert s.ringing(call) == []
    s.ready("mei")
    assert s.ringing(call) == ["mei"]


def test_several_wait_for_the_same_agent_in_order(s):
    busy(s, "ann")
    first, second = (s.waiting("sales", personal=FOR_ANN) for _ in range(2))
    urgent = s.waiting("sales", 5, personal=FOR_ANN)
    s.ends("ann")
    assert s.ringing(urgent) == ["ann"]
    s.take("ann")
    s.ends("ann")
    assert s.ringing(first) == ["ann"]
    s.not_ready("ann")
    assert {*s.ringing(first), *s.ringing(second)} == {"bob"}


def test_an_older_call_for_anybody_is_not_overtaken_by_one_for_the_agent(s):
    busy(s, "ann")
    s.not_ready("bob")
    older = s.waiting("sales")
    mine = s.waiting("sales", personal=FOR_ANN)
    s.ends("ann")
    assert s.ringing(older) == ["ann"]
    assert s.ringing(mine) == []


@pytest.mark.parametrize("ending", ["abandoned", "moved", "diverted", "cleared", "overflowed"])
def test_no_timer_is_left_when_it_goes(s, ending):
    s.queue("sales", max_wait_s=20, overflow=ToDestination("elsewhere"))
    busy(s, "ann")
    call = s.waiting("sales", personal=FOR_ANN)
    match ending:
        case "abandoned":
            s.hang_up(call)
        case "moved":
            s.enqueue(call, "sales")
        case "diverted":
            s.divert(call, "ivr")
        case "cleared":
            s.clear(call)
        case "overflowed":
            s.advance(20)
    assert "personal" not in [timer.kind for timer in s.timers]
    assert s.world.router.waiting_for(ANN) == ()


def test_no_timer_is_left_when_the_queue_does_not_take_it(s):
    s.queue("sales", max_waiting=1, overflow=ToScript("full"))
    busy(s, "ann")
    s.waiting("sales", personal=FOR_ANN)
    call = s.waiting("sales", personal=FOR_ANN)
    assert s.interaction(call).state is InteractionState.OFFERED
    assert s.interaction(call).wanted is None
    assert ("personal", call) not in [(timer.kind, timer.key) for timer in s.timers]


def test_what_is_asked_for_one_call_goes_before_what_its_queue_says(s):
    s.queue("sales", personal=Personal(MEI, by_presence={"logged off": 60}))
    busy(s, "ann")
    assert s.interaction(s.waiting("sales")).wanted == "mei"
    assert s.interaction(s.waiting("sales", personal=FOR_ANN)).wanted == "ann"


def test_a_wish_does_not_follow_a_call_that_overflows(s):
    s.queue("sales", max_wait_s=10, overflow=ToQueue(QueueId("loans")))
    s.agent("dan", skills={"loans": 1})
    busy(s, "ann")
    call = s.waiting("sales", personal=FOR_ANN)
    s.advance(10)
    assert s.ringing(call) == ["dan"]


def test_nobody_known(s):
    call = s.call()
    before = s.picture()
    with pytest.raises(UnknownAgent, match="did you mean 'ann'"):
        s.enqueue(call, "sales", personal=Personal(AgentId("anne")))
    with pytest.raises(UnknownAgent, match="did you mean 'bob'"):
        s.enqueue(call, "sales", preferred=("bobb",))
    with pytest.raises(UnknownQueue, match="did you mean 'loans'"):
        s.enqueue(call, "sales", personal=Personal(ANN, by_presence={"away": ToQueue(QueueId("loan"))}))
    assert s.picture() == before
    with pytest.raises(UnknownQueue, match="did you mean 'loans'"):
        s.queue("sales", personal=LastAgent(by_presence={"away": ToQueue(QueueId("loan"))}))


def test_a_queue_may_wait_for_an_agent_who_is_not_there_yet(s):
    s.queue("sales", personal=Personal(AgentId("new")))
    call = s.waiting("sales")
    assert s.ringing(call) == ["bob"]


# -- by presence ------------------------------------------------------------------------------------------------------

BY_PRESENCE = {
    "leave": Deputy(MEI),
    "mobile": ToDestination("91380000"),
    "away": 20.0,
    "training": ToVoicemail("1000", "example.org"),
    "meeting": ToScript("callback"),
    "sick": ToQueue(QueueId("loans")),
    "gone": Disconnect(),
    "not ready": 7.0,
}


def where(s: Story) -> list[str]:
    """Where the call went, as the events say."""
    return [e.destination or e.to_queue or f"script {e.to_script}" for e in s.events(events.Diverted)]


@pytest.mark.parametrize("when", ["before", "while it waits", "during the offer"])
@pytest.mark.parametrize(
    ("presence", "to"),
    [
        ("mobile", ["91380000"]),
        ("Training", ["voicemail:1000"]),
        ("meeting", ["script callback"]),
        ("sick", ["loans"]),
        ("gone", []),
    ],
)
def test_an_absent_agents_calls_go_elsewhere(s, presence, to, when):
    wish = Personal(ANN, by_presence=BY_PRESENCE)
    if when == "before":
        s.not_ready("ann", presence)
        call = s.waiting("sales", personal=wish)
    elif when == "while it waits":
        s.queue("sales", wrap_up_s=60)
        busy(s, "ann")
        call = s.waiting("sales", personal=wish)
        s.ends("ann")
        s.not_ready("ann", presence)
    else:
        s.ready("ann")
        call = s.waiting("sales", personal=wish)
        s.not_ready("ann", presence)
    assert where(s) == to
    figures = s.figures("sales")
    assert figures.waiting == 0
    if when == "before":  # it never came into this queue
        assert figures.offered == 0
    else:
        assert figures.overflowed == 1
    match presence:
        case "gone":
            assert s.caller_of(call) in s.clears()
        case "sick":
            assert s.waits("loans") == [call]
        case "meeting":
            assert s.interaction(call).state is InteractionState.OFFERED
        case "Training":
            [left] = [i for i in s.intents if isinstance(i, intents.LeaveMessage)]
            assert (left.mailbox, left.domain) == ("1000", "example.org")
        case "mobile":
            assert [i.destination for i in s.intents if isinstance(i, intents.DivertConnection)] == ["91380000"]
    assert "bob" not in [agent for agent, offered in s.offers() if offered == call]


def test_a_presence_with_seconds_of_its_own(s):
    s.not_ready("ann", "Away")
    call = s.waiting("sales", personal=Personal(ANN, by_presence=BY_PRESENCE))
    s.advance(19.9)
    assert s.ringing(call) == []
    s.advance(0.1)
    assert s.ringing(call) == ["bob"]


def test_a_reason_that_is_not_named_counts_as_not_ready(s):
    s.not_ready("ann", "coffee")
    call = s.waiting("sales", personal=Personal(ANN, by_presence=BY_PRESENCE))
    s.advance(7)
    assert s.ringing(call) == ["bob"]


def test_the_seconds_of_a_presence_count_from_when_the_call_began_to_wait(s):
    s.queue("sales", wrap_up_s=5)
    busy(s, "ann")
    call = s.waiting("sales", personal=Personal(ANN, 300, BY_PRESENCE))
    s.advance(15)
    s.ends("ann")
    s.not_ready("ann", "away")  # 20 s, of which 15 are over
    s.advance(4.9)
    assert s.ringing(call) == []
    s.advance(0.1)
    assert s.ringing(call) == ["bob"]


def test_an_agent_who_goes_when_the_time_of_that_presence_is_over_already(s):
    s.queue("sales", wrap_up_s=5)
    busy(s, "ann")
    call = s.waiting("sales", personal=Personal(ANN, 300, BY_PRESENCE))
    s.advance(25)
    s.ends("ann")
    s.not_ready("ann", "away")
    assert s.ringing(call) == ["bob"]


def test_going_and_coming_does_not_make_the_wait_longer(s):
    s.not_ready("ann", "away")
    call = s.waiting("sales", personal=Personal(ANN, 300, BY_PRESENCE))
    for _ in range(6):
        s.advance(3)
        s.not_ready("ann", "coffee")
        s.not_ready("ann", "away")
    assert s.ringing(call) == ["bob"]


def test_a_deputy_is_waited_for_on_the_same_terms(s):
    s.log_on("mei", ready=True)
    s.not_ready("ann", "leave")
    wish = Personal(ANN, by_presence=BY_PRESENCE)
    first = s.waiting("sales", personal=wish)
    assert s.ringing(first) == ["mei"]
    second = s.waiting("sales", personal=wish)
    assert s.ringing(second) == []
    s.take("mei")
    s.advance(30)
    assert s.ringing(second) == ["bob"]


def test_a_deputy_takes_over_while_it_waits(s):
    s.log_on("mei", ready=True)
    s.queue("sales", wrap_up_s=60)
    busy(s, "ann")
    call = s.waiting("sales", personal=Personal(ANN, by_presence=BY_PRESENCE))
    s.ends("ann")
    s.not_ready("ann", "leave")
    assert s.ringing(call) == ["mei"]


def test_deputies_in_a_circle_are_waited_for_by_nobody(s):
    s.log_on("mei")
    wish = Personal(ANN, by_presence={"leave": Deputy(MEI), "logged on": Deputy(BOB), "lunch": Deputy(ANN)})
    s.not_ready("ann", "leave")
    s.not_ready("bob", "lunch")
    s.agent("dan")
    call = s.waiting("sales", personal=wish)
    assert s.ringing(call) == ["dan"]
    assert s.interaction(call).wanted is None


def test_a_deputy_who_is_themselves(s):
    s.not_ready("ann", "leave")
    call = s.waiting("sales", personal=Personal(ANN, by_presence={"leave": Deputy(ANN)}))
    assert s.ringing(call) == ["bob"]


def test_a_deputy_who_is_not_there(s):
    s.not_ready("ann", "leave")
    call = s.waiting("sales", personal=Personal(ANN, by_presence={"leave": Deputy(AgentId("nobody"))}))
    assert s.ringing(call) == ["bob"]


def test_a_target_that_is_the_queue_itself_means_everybody_in_it(s):
    s.not_ready("ann", "away")
    call = s.waiting("sales", personal=Personal(ANN, by_presence={"away": ToQueue(QueueId("sales"))}))
    assert s.ringing(call) == ["bob"]
    assert (s.figures("sales").offered, s.figures("sales").waiting) == (1, 1)


# -- unstaffed, and links ---------------------------------------------------------------------------------------------


def test_a_call_that_waits_for_an_agent_without_the_skill_goes_when_they_do(s):
    """Nobody is logged on for the queue, and the call waited only since it was for one who is not of it."""
    s.queue("loans", requires="loans", overflow_unstaffed=True, overflow=ToDestination("elsewhere"))
    s.queue("sales", wrap_up_s=60)
    busy(s, "ann")
    call = s.waiting("loans", personal=FOR_ANN)
    assert not s.is_over(call)
    s.log_off("ann")
    s.ends("ann")
    s.advance(60)
    assert where(s) == ["elsewhere"]


def test_the_time_is_over_and_nobody_else_is_logged_on(s):
    s.queue("loans", requires="loans", overflow_unstaffed=True, overflow=ToDestination("elsewhere"))
    busy(s, "ann")
    call = s.waiting("loans", personal=FOR_ANN)
    s.advance(29)
    assert not s.is_over(call)
    s.advance(1)
    assert where(s) == ["elsewhere"]
    assert s.figures("loans").overflowed == 1


@pytest.mark.parametrize("goes", ["leave", "removed", "mobile"])
def test_the_agent_goes_while_the_link_is_down(s, goes):
    """Nobody is offered anything then; what holds when it is back is what counts."""
    s.queue("sales", wrap_up_s=60)
    busy(s, "ann")
    talking = s.interaction(s.world.agents[ANN].interaction)
    leg = s.world.agents[ANN].connection
    call = s.waiting("sales", personal=Personal(ANN, by_presence={"mobile": ToDestination("91380000")}))
    s.link_lost()
    s.tell(facts.LinkConnecting(FS))
    s.tell(facts.LinkAuthenticated(FS))
    s.cleared(leg)
    s.cleared(talking.caller)
    match goes:
        case "removed":
            s.tell(facts.AgentRemoved(ANN))
        case _:
            s.not_ready("ann", goes)
    assert s.offers()[-1][1] != call
    s.snapshot(s.seen(s.caller_of(call)))
    if goes == "mobile":
        assert where(s) == ["91380000"]
    else:
        assert s.ringing(call) == ["bob"]


# -- the last agent ---------------------------------------------------------------------------------------------------


def talked(s: Story, agent: str, number: str, **data: str) -> None:
    """A customer calls from this number, and the agent talks with them; others have been idle for longer."""
    s.advance(1)
    s.ready(agent)
    call = calls_again(s, number, personal=Personal(AgentId(agent)), **data)
    s.take(agent)
    assert s.interaction(call).agent == agent
    s.ends(agent)
    s.not_ready(agent)


def calls_again(s: Story, number: str, queue: str = "sales", **more: object) -> InteractionId:
    s._callers += 1
    caller = ConnectionId(f"again-{s._callers}")
    s.tell(facts.Offered(FS, caller, number, "", "5000"))
    call = s.world.connections[caller].interaction
    s.enqueue(call, queue, **more)
    return call


def test_who_talked_last_is_asked_first(s):
    talked(s, "ann", "+44100")
    s.ready("ann")
    call = calls_again(s, "+44100", personal=LastAgent())
    assert s.ringing(call) == ["ann"]
    other = calls_again(s, "+44200", personal=LastAgent())
    assert s.ringing(other) == ["bob"]


def test_who_talked_last_and_is_busy_is_not_waited_for_without_a_time(s):
    talked(s, "ann", "+44100")
    busy(s, "ann")
    assert s.ringing(calls_again(s, "+44100", personal=LastAgent())) == ["bob"]


def test_who_talked_last_and_is_busy_is_waited_for_so_long(s):
    s.queue("sales", personal=LastAgent(wait_s=15))
    talked(s, "ann", "+44100")
    busy(s, "ann")
    call = calls_again(s, "+44100")
    s.advance(14)
    assert s.ringing(call) == []
    s.advance(1)
    assert s.ringing(call) == ["bob"]


def test_the_customer_counts_rather_than_the_number(s):
    talked(s, "ann", "+44100", customer="C17")
    s.ready("ann")
    assert s.ringing(calls_again(s, "+44100", personal=LastAgent())) == ["bob"]
    call = calls_again(s, "+44999", personal=LastAgent(), customer="C17")
    assert s.ringing(call) == ["ann"]


def test_a_caller_without_a_number_is_nobodys(s):
    talked(s, "ann", "")
    s.ready("ann")
    s.advance(1)
    assert s.ringing(calls_again(s, "", personal=LastAgent(wait_s=10))) == ["bob"]
    assert "" not in s.world.last_agents


@pytest.mark.parametrize(("later_s", "to"), [(100, "ann"), (101, "bob")])
def test_it_counts_for_so_long(s, later_s, to):
    talked(s, "ann", "+44100")
    s.advance(later_s)
    s.ready("ann")
    assert s.ringing(calls_again(s, "+44100", personal=LastAgent(within_s=100))) == [to]


def test_who_talked_last_is_the_last_who_did(s):
    talked(s, "ann", "+44100")
    talked(s, "bob", "+44100")
    s.ready("ann")
    s.ready("bob")
    assert s.ringing(calls_again(s, "+44100", personal=LastAgent())) == ["bob"]


def test_who_talked_last_and_has_not_the_skill_is_waited_for_only_if_a_time_says_so(s):
    talked(s, "ann", "+44100")
    s.ready("ann")
    assert s.ringing(calls_again(s, "+44100", "loans", personal=LastAgent())) == []
    assert s.ringing(calls_again(s, "+44100", "loans", personal=LastAgent(wait_s=5))) == ["ann"]


def test_who_talked_last_is_gone(s):
    talked(s, "ann", "+44100")
    s.tell(facts.AgentRemoved(ANN))
    assert s.ringing(calls_again(s, "+44100", personal=LastAgent(wait_s=60))) == ["bob"]


def test_the_presence_of_who_talked_last_counts_too(s):
    talked(s, "ann", "+44100")
    s.not_ready("ann", "leave")
    wish = LastAgent(wait_s=60, by_presence={"leave": Deputy(MEI)})
    s.log_on("mei", ready=True)
    assert s.ringing(calls_again(s, "+44100", personal=wish)) == ["mei"]


def test_so_many_customers_are_remembered_and_no_more(s, monkeypatch):
    monkeypatch.setattr("cti.engine.world.CUSTOMERS_KEPT", 2)
    for number in ("+1", "+2", "+1", "+3"):
        talked(s, "ann", number)
    assert list(s.world.last_agents) == ["+1", "+3"]


# -- preferred --------------------------------------------------------------------------------------------------------


def test_preferred_agents_are_asked_first_in_their_order(s):
    s.advance(10)
    s.ready("ann")
    s.log_on("mei", ready=True)
    calls = [s.waiting("sales", preferred=("mei", "ann")) for _ in range(3)]
    assert [s.ringing(call) for call in calls] == [["mei"], ["ann"], ["bob"]]


def test_a_preferred_agent_without_the_skill_is_not_asked(s):
    s.ready("ann")
    s.agent("dan", skills={"loans": 1})
    assert s.ringing(s.waiting("loans", preferred=("ann",))) == ["dan"]


def test_nobody_is_remembered_for_callers_without_a_number():
    s = Story()
    s.queue("claims", personal=LastAgent(wait_s=60))
    s.agent("ann")
    s.tell(facts.Offered(FS, ConnectionId("hidden"), "Anonymous", "", "5000"))
    s.enqueue(s.world.connections[ConnectionId("hidden")].interaction, "claims")
    s.take("ann")
    assert s.world.last_agents == {}


def test_a_call_that_was_being_offered_to_their_agent_is_not_overtaken_by_one_that_waits_for_the_same(s):
    """The agent leaves during the offer, and a deputy takes over: first the older call."""
    terms = Personal(ANN, 30, {"lunch": Deputy(BOB)})
    s.ready("ann")
    older, younger = (s.waiting("sales", personal=terms) for _ in range(2))
    assert s.ringing(older) == [ANN]
    s.not_ready("ann", "lunch")
    assert s.ringing(older) == [BOB]
    assert s.interaction(younger).wanted == BOB

"""An agent's session: log-on, ready, not ready, what is pending, wrap-up, and pauses that end by themselves."""

from __future__ import annotations

import pytest

from cti.errors import InvalidAgentState
from cti.model import events, facts, reason
from cti.model.cause import Cause
from cti.model.ids import AgentId
from cti.model.states import AgentState

from .story import Story

NULL, NOT_READY, READY, RESERVED, ALERTING, BUSY, WORKING = AgentState


@pytest.fixture
def s() -> Story:
    """A queue."""
    story = Story()
    story.queue("sales")
    return story


def talking(s: Story, *, wrap_up_s: float | None = None, **settings: object) -> None:
    """Ann talks to a caller."""
    s.agent("ann", wrap_up_s=wrap_up_s, **settings)
    s.talking("ann", "sales")


def ends(s: Story) -> None:
    """Ann's call ends: she hangs up, then the caller is cleared."""
    call = s.world.agents[AgentId("ann")].interaction
    s.cleared(s.world.agents[AgentId("ann")].connection)
    s.hang_up(call)


def put(s: Story, state: AgentState) -> None:
    """Bring Ann into a state by the way that leads there."""
    s.agent("ann", wrap_up_s=60, logged_on=False)
    if state is NULL:
        return
    s.log_on("ann", ready=state is not NOT_READY)
    if state in (RESERVED, ALERTING):
        s.waiting("sales")
        if state is ALERTING:
            s.delivered(s.offered_leg("ann"))
    elif state in (BUSY, WORKING):
        s.talking("ann", "sales")
        if state is WORKING:
            ends(s)
    assert s.state("ann") is state


# -- asking -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", AgentState)
@pytest.mark.parametrize(
    ("ask", "into"),
    [
        (Story.ready, {NOT_READY: READY, WORKING: READY}),
        (Story.not_ready, dict.fromkeys((NOT_READY, READY, RESERVED, ALERTING, WORKING), NOT_READY)),
        (Story.log_off, dict.fromkeys((NOT_READY, READY, RESERVED, ALERTING, WORKING), NULL)),
    ],
    ids=["ready", "not ready", "log off"],
)
def test_what_an_agent_may_ask_for_in_each_state(s, state, ask, into):
    put(s, state)
    if state is NULL and ask is not Story.log_off:
        before = s.picture()
        with pytest.raises(InvalidAgentState, match=r"agent 'ann' is logged off; .* \(possible: log on, log off\)"):
            ask(s, "ann")
        assert s.picture() == before
        return
    ask(s, "ann")
    assert s.state("ann") is into.get(state, state)
    pending = s.world.agents[AgentId("ann")].pending
    assert (pending is not None) is (state is BUSY)


@pytest.mark.parametrize("state", [state for state in AgentState if state is not NULL])
def test_logging_on_once_more_is_refused(s, state):
    put(s, state)
    before = s.picture()
    with pytest.raises(InvalidAgentState, match=rf"'ann' is logged on already \({state.value}\); log off first"):
        s.log_on("ann")
    assert s.picture() == before


def test_log_on_is_not_ready_unless_asked_for(s):
    s.agent("ann", ready=False)
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, reason.LOGGED_ON)
    assert [type(e).__name__ for e in s.events(events.AgentEvent)] == ["AgentLoggedOn"]
    s.log_off("ann")
    s.log_on("ann", ready=True)
    assert [type(e).__name__ for e in s.events(events.AgentEvent, last=True)] == ["AgentLoggedOn", "AgentReady"]


def test_log_on_takes_the_call_that_waits(s):
    call = s.waiting("sales")
    s.agent("ann")
    assert s.reservation("ann").interaction == call


def test_not_ready_has_a_reason_that_can_be_changed(s):
    s.agent("ann")
    s.not_ready("ann", "lunch")
    assert s.why("ann") == "lunch"
    s.not_ready("ann", "training")
    assert [(e.reason, e.state) for e in s.events(events.AgentNotReady)] == [
        ("lunch", "not ready"),
        ("training", "not ready"),
    ]
    s.ready("ann")
    assert s.why("ann") == ""


def test_a_session_begins_with_clean_counts(s):
    ann = s.agent("ann", no_answers_allowed=3)
    s.talking("ann", "sales")
    ends(s)
    s.advance(10)
    s.waiting("sales")
    s.advance(20)
    assert (ann.calls_answered, ann.no_answers) == (1, 1)
    s.log_off("ann")
    s.advance(100)
    s.log_on("ann")
    assert (ann.calls_answered, ann.no_answers, ann.seconds_in) == (0, 0, {})
    assert ann.logged_on_since == ann.idle_since == s.now


def test_the_time_in_each_state_adds_up(s):
    ann = s.agent("ann", ready=False, wrap_up_s=7)
    s.advance(1)
    s.ready("ann")
    s.advance(2)
    call = s.waiting("sales")
    s.advance(3)
    leg = s.offered_leg("ann")
    s.delivered(leg)
    s.advance(4)
    s.established(leg)
    s.advance(1)
    s.bridged(call, leg)
    s.advance(50)
    ends(s)
    s.advance(7)
    s.advance(10)
    s.log_off("ann")
    assert ann.seconds_in == {NOT_READY: 1, READY: 12, RESERVED: 3, ALERTING: 5, BUSY: 50, WORKING: 7}


# -- pending ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "state", "why"),
    [
        ([], READY, ""),
        ([Story.not_ready], NOT_READY, "lunch"),
        ([Story.log_off], NULL, ""),
        ([Story.not_ready, Story.ready], READY, ""),
        ([Story.log_off, Story.not_ready], NOT_READY, "lunch"),
    ],
    ids=["nothing", "not ready", "log off", "not ready, then ready", "log off, then not ready"],
)
@pytest.mark.parametrize("wrap_up_s", [0, 30])
def test_the_last_wish_of_a_busy_agent_comes_true_after_the_call(s, asked, state, why, wrap_up_s):
    talking(s, wrap_up_s=wrap_up_s)
    for ask in asked:
        ask(s, "ann")
        assert s.state("ann") is BUSY
    ends(s)
    if wrap_up_s:
        assert s.state("ann") is WORKING
        s.advance(wrap_up_s)
    assert (s.state("ann"), s.why("ann")) == (state, why)
    assert s.world.agents[AgentId("ann")].pending is None
    assert len(s.events(events.AgentPending)) == len(asked)


def test_what_is_asked_for_in_wrap_up_goes_before_what_was_pending(s):
    talking(s, wrap_up_s=30)
    s.log_off("ann")
    ends(s)
    assert s.events(events.AgentWorkingAfterCall)[0].pending == "null"
    s.ready("ann")
    assert s.timers == []
    s.advance(60)
    assert s.state("ann") is READY


# -- wrap-up ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("own", "queues", "lasts"), [(None, 0, 0), (None, 12, 12), (0, 12, 0), (5, 12, 5), (5, 0, 5)])
def test_the_agents_own_wrap_up_goes_before_the_queues(s, own, queues, lasts):
    s.queue("sales", wrap_up_s=queues)
    talking(s, wrap_up_s=own)
    ends(s)
    if lasts:
        assert s.state("ann") is WORKING
        s.advance(lasts - 0.001)
        assert s.state("ann") is WORKING
        s.advance(0.001)
    assert s.state("ann") is READY
    assert len(s.events(events.AgentWorkingAfterCall)) == (1 if lasts else 0)


def test_nobody_is_offered_a_call_in_wrap_up(s):
    talking(s, wrap_up_s=30)
    call = s.waiting("sales")
    ends(s)
    assert len(s.offers()) == 1
    s.advance(30)
    assert s.offers()[1:] == [("ann", call)]


@pytest.mark.parametrize("wrap_up_s", [0, 30])
def test_after_wrap_up_not_ready(s, wrap_up_s):
    talking(s, wrap_up_s=wrap_up_s, after_wrap_up="not ready")
    call = s.waiting("sales")
    ends(s)
    s.advance(wrap_up_s)
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, reason.WORK_TIMER_EXPIRED)
    assert s.waits("sales") == [call]


def test_the_wish_goes_before_after_wrap_up(s):
    talking(s, wrap_up_s=30, after_wrap_up="not ready")
    s.ready("ann")
    ends(s)
    s.advance(30)
    assert s.state("ann") is READY


def test_wrap_up_begins_when_the_agents_leg_ends_not_the_callers(s):
    talking(s, wrap_up_s=30)
    ann = s.world.agents[AgentId("ann")]
    leg = ann.connection
    s.hang_up(ann.interaction)
    assert s.state("ann") is BUSY
    s.cleared(leg)
    assert s.state("ann") is WORKING


def test_idle_time_counts_from_the_end_of_the_last_call(s):
    talking(s, wrap_up_s=30)
    s.advance(100)
    ends(s)
    s.advance(30)
    assert s.world.agents[AgentId("ann")].idle_since == 100


# -- pauses -----------------------------------------------------------------------------------------------------------

PAUSES = [
    (Cause.CALL_CANCELLED, "reject_delay_s", reason.REJECTED),
    (Cause.BUSY, "busy_delay_s", reason.BUSY),
    (Cause.DEST_NOT_OBTAINABLE, "phone_down_delay_s", reason.PHONE_DOWN),
    (Cause.NETWORK_CONGESTION, "phone_down_delay_s", reason.CONN_DOWN),
    (Cause.CALL_NOT_ANSWERED, "no_answer_delay_s", reason.RNA),
]


@pytest.mark.parametrize(("cause", "delay", "why"), PAUSES)
def test_a_pause_ends_by_itself(s, cause, delay, why):
    s.agent("ann", **{"no_answers_allowed": 2, delay: 3})
    call = s.waiting("sales")
    s.failed(s.offered_leg("ann"), cause)
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, why)
    s.advance(2.9)
    assert s.waits("sales") == [call]
    s.advance(0.1)
    assert s.reservation("ann").interaction == call


@pytest.mark.parametrize(("cause", "delay", "why"), PAUSES)
def test_a_pause_of_nought_is_none(s, cause, delay, why):
    s.agent("ann", **{"no_answers_allowed": 2, delay: 0})
    call = s.waiting("sales")
    first = s.offered_leg("ann")
    s.failed(first, cause)
    assert s.reservation("ann").interaction == call
    assert s.offered_leg("ann") != first
    assert why not in [e.reason for e in s.events(events.AgentNotReady)]


@pytest.mark.parametrize(("cause", "delay", "why"), PAUSES)
def test_a_wish_ends_a_pause(s, cause, delay, why):
    s.agent("ann", **{"no_answers_allowed": 2, delay: 3})
    call = s.waiting("sales")
    s.failed(s.offered_leg("ann"), cause)
    s.not_ready("ann", "lunch")
    s.advance(60)
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, "lunch")
    s.ready("ann")
    s.failed(s.offered_leg("ann"), Cause.BUSY)
    s.ready("ann")
    assert s.reservation("ann").interaction == call
    s.failed(s.offered_leg("ann"), Cause.BUSY)
    s.log_off("ann")
    s.advance(60)
    assert s.state("ann") is NULL
    assert not [t for t in s.timers if t.kind == "pause"]


def test_a_call_that_an_agent_rejects_goes_to_the_next(s):
    s.agent("ann")
    s.advance(1)
    s.agent("bob")
    call = s.waiting("sales")
    s.failed(s.offered_leg("ann"), Cause.CALL_CANCELLED)
    assert s.offers() == [("ann", call), ("bob", call)]


# -- changing who is there --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [state for state in AgentState if state is not BUSY])
def test_removing_an_agent_who_is_not_busy(s, state):
    put(s, state)
    s.tell(facts.AgentRemoved(AgentId("ann")))
    assert AgentId("ann") not in s.world.agents
    assert s.world.phones == {}
    assert [e.agent for e in s.events(events.AgentLoggedOff)] == ([] if state is NULL else ["ann"])
    s.advance(600)
    s.waiting("sales")
    assert len(s.offers()) == (1 if state in (RESERVED, ALERTING, WORKING) else 0)


def test_a_changed_contact_counts_from_the_next_log_on(s):
    s.agent("ann")
    s.agent("ann", contact="user/new", logged_on=False)
    s.waiting("sales")
    assert s.intents[-1] == s.last[-1]
    assert [i.contact for i in s.intents if type(i).__name__ == "OfferCall"] == ["user/ann"]
    s.log_off("ann")
    s.log_on("ann", ready=True)
    assert [i.contact for i in s.intents if type(i).__name__ == "OfferCall"] == ["user/ann", "user/new"]


def test_one_session_after_another_at_one_phone(s):
    s.agent("ann", contact="user/desk")
    s.agent("bob", contact="user/desk", logged_on=False)
    s.log_off("ann")
    s.log_on("bob")
    assert s.world.phones == {"user/desk": "bob"}

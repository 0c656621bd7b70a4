"""Why a call waits and an agent is idle, in the cases there are; and that asking changes nothing."""

from __future__ import annotations

import pytest

from cti.engine.why import explain_agent, explain_call
from cti.errors import UnknownAgent, UnknownInteraction
from cti.model.ids import AgentId, InteractionId
from cti.model.widening import Widening

from .story import Story


def later(s: Story, seconds: float) -> None:
    """Let time pass, and the engine know of it, without a fact."""
    s.advance(seconds)
    s.world.now = s.world.router.now = s.now


@pytest.fixture
def s():
    story = Story()
    story.queue("loans", requires="loans >= 5", widening=(Widening(30, requires="loans >= 3"),))
    return story


def test_why_a_call_waits(s):
    s.agent("off", logged_on=False, skills={"loans": 5})
    s.agent("lunch", ready=False, skills={"loans": 5})
    s.not_ready("lunch", "eats")
    s.agent("busy", skills={"loans": 5})
    s.talking("busy", "loans")
    s.agent("less", skills={"loans": 3})
    s.agent("never", skills={"art": 1})
    call = s.waiting("loans")
    later(s, 10)
    before = s.picture()
    why = explain_call(s.world, call)
    assert [(reason.agent, reason.code, reason.text) for reason in why.agents] == [
        ("busy", "state", "busy"),
        ("lunch", "state", "not ready (eats)"),
        ("off", "state", "logged off"),
        ("less", "not yet", "loans 3 < 5; widening lets the agent in after 20.0 s more"),
        ("never", "lacking skill", "loans 0 < 5"),
    ]
    assert (why.position, why.widened, why.summary) == (1, 0, "3 state, 1 not yet, 1 lacking skill")
    assert s.picture() == before
    assert len(explain_call(s.world, call, most=2).agents) == 2


def test_why_an_offered_call_is_not_somebody_elses(s):
    s.agent("ann", skills={"loans": 5})
    s.advance(1)
    s.agent("bob", skills={"loans": 5})
    call = s.waiting("loans")
    later(s, 2)
    why = explain_call(s.world, call)
    assert [(reason.agent, reason.code, reason.text) for reason in why.agents] == [
        ("ann", "offered", "is being offered the call since 2.0 s"),
        ("bob", "better agent", "the call is being offered to ann"),
    ]
    [reason] = explain_agent(s.world, AgentId("bob")).calls
    assert (reason.call, reason.code) == (call, "better agent")


def test_why_an_agent_is_idle(s):
    s.queue("art", requires="art", priority=1, priority_per_minute=1)
    s.agent("ann", skills={"cards": 1})
    older = s.waiting("loans")
    s.advance(5)
    urgent = s.waiting("art")
    why = explain_agent(s.world, AgentId("ann"))
    assert [(reason.call, reason.code, reason.text) for reason in why.calls] == [
        (urgent, "lacking skill", "art 0 < 1"),
        (older, "lacking skill", "loans 0 < 5"),
    ]
    assert why.summary == "2 lacking skill"
    later(s, 30)
    assert explain_call(s.world, urgent).priority == pytest.approx(1.5)
    s.hang_up(older)
    s.hang_up(urgent)
    assert explain_agent(s.world, AgentId("ann")).summary == "there is no call"


def test_when_the_link_is_down(s):
    call = s.waiting("loans")
    s.link_lost()
    s.agent("ann", skills={"loans": 5})
    why = explain_call(s.world, call)
    assert [(reason.code, reason.text) for reason in why.agents] == [("link", "the link to switch fs is not live")]
    assert why.position == 0


def test_a_call_with_an_agent_does_not_wait(s):
    s.agent("ann", skills={"loans": 5})
    call = s.talking("ann", "loans")
    [reason] = explain_call(s.world, call).agents
    assert (reason.code, reason.text) == ("not waiting", "the call is established")
    assert explain_agent(s.world, AgentId("ann")).calls == ()


def test_the_log_tells_it_after_the_fact(s):
    s.agent("ann", skills={"loans": 5})
    s.advance(1)
    s.agent("bob", skills={"loans": 6})
    call = s.waiting("loans")
    s.take("ann")
    s.hang_up(call)
    [made] = s.world.router.decisions
    assert (made.call, made.agent, made.key, made.agents_over) == (call, "ann", 0.0, (("bob", 1.0),))


def test_strangers(s):
    with pytest.raises(UnknownInteraction):
        explain_call(s.world, InteractionId("none"))
    with pytest.raises(UnknownAgent):
        explain_agent(s.world, AgentId("none"))

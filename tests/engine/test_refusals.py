"""A request that cannot be met says why, names the nearest known name, and leaves the world as it was."""

from __future__ import annotations

import pytest

from cti.errors import (
    ConfigurationError,
    CtiError,
    InvalidAgentState,
    InvalidConnection,
    ResourceBusy,
    UnknownAgent,
    UnknownInteraction,
    UnknownQueue,
    UnknownStrategy,
)
from cti.model import facts
from cti.model.agent import AgentSettings
from cti.model.ids import AgentId, InteractionId, QueueId
from cti.model.overflow import ToQueue
from cti.model.queue import QueueSettings

from .story import Story

NOBODY, NOWHERE, NOTHING = AgentId("anne"), QueueId("sale"), InteractionId("no-such-call")


@pytest.fixture
def s() -> Story:
    """A centre at work: somebody talks, is being offered a call, waits, is logged off."""
    story = Story()
    story.queue("sales")
    story.agent("ann")
    story.talking("ann", "sales")
    story.agent("bob")
    story.waiting("sales")
    story.waiting("sales")
    story.agent("eve", logged_on=False)
    story.advance(3)
    return story


def with_agent(s: Story) -> InteractionId:
    return s.world.agents[AgentId("ann")].interaction


REFUSED = [
    ("log on nobody", lambda _: facts.LogOnRequested(NOBODY), UnknownAgent, "did you mean 'ann'?"),
    ("log off nobody", lambda _: facts.LogOffRequested(NOBODY), UnknownAgent, "unknown agent 'anne'"),
    ("ready nobody", lambda _: facts.ReadyRequested(NOBODY), UnknownAgent, "did you mean 'ann'?"),
    ("not ready nobody", lambda _: facts.NotReadyRequested(NOBODY), UnknownAgent, "did you mean 'ann'?"),
    ("remove nobody", lambda _: facts.AgentRemoved(AgentId("xyz")), UnknownAgent, "known: 'ann', 'bob', 'eve'"),
    ("remove a busy agent", lambda _: facts.AgentRemoved(AgentId("ann")), InvalidAgentState, "'ann' is busy; log off"),
    ("log on twice", lambda _: facts.LogOnRequested(AgentId("ann")), InvalidAgentState, "is logged on already (busy)"),
    ("ready when logged off", lambda _: facts.ReadyRequested(AgentId("eve")), InvalidAgentState, "possible: log on"),
    ("not ready when logged off", lambda _: facts.NotReadyRequested(AgentId("eve")), InvalidAgentState, "logged off"),
    (
        "queue into nothing",
        lambda s: facts.QueueRequested(next(iter(s.world.interactions)), NOWHERE),
        UnknownQueue,
        "unknown queue 'sale'; did you mean 'sales'?",
    ),
    (
        "queue nothing",
        lambda _: facts.QueueRequested(NOTHING, QueueId("sales"), data={"k": 1}),
        UnknownInteraction,
        "unknown interaction 'no-such-call'",
    ),
    (
        "queue a call with an agent",
        lambda s: facts.QueueRequested(with_agent(s), QueueId("sales"), data={"k": 1}),
        InvalidConnection,
        "is established; only a call without an agent can be queued",
    ),
    (
        "divert a call with an agent",
        lambda s: facts.DivertRequested(with_agent(s), "ivr"),
        InvalidConnection,
        "is established; only a call without an agent can be diverted",
    ),
    ("divert nothing", lambda _: facts.DivertRequested(NOTHING, "ivr"), UnknownInteraction, "no-such-call"),
    ("attach data to nothing", lambda _: facts.DataAttached(NOTHING, {"k": 1}), UnknownInteraction, "no-such-call"),
    (
        "overflow to nowhere",
        lambda _: facts.QueueDefined(QueueSettings(id=QueueId("new"), overflow=ToQueue(NOWHERE))),
        UnknownQueue,
        "did you mean 'sales'?",
    ),
    (
        "overflow to itself",
        lambda _: facts.QueueDefined(QueueSettings(id=QueueId("sales"), overflow=ToQueue(QueueId("sales")))),
        ConfigurationError,
        "queue 'sales' overflows to itself; name another queue",
    ),
    (
        "an unknown strategy",
        lambda _: facts.QueueDefined(QueueSettings(id=QueueId("sales"), strategy="longest_idle", priority=9)),
        UnknownStrategy,
        "unknown strategy 'longest_idle'; did you mean 'longest-idle'?",
    ),
    (
        "an unknown strategy for a new queue",
        lambda _: facts.QueueDefined(QueueSettings(id=QueueId("new"), strategy="")),
        UnknownStrategy,
        "unknown strategy ''; known: ",
    ),
]


@pytest.mark.parametrize(("request_", "error", "says"), [pytest.param(*r[1:], id=r[0]) for r in REFUSED])
def test_a_refused_request_changes_nothing(s, request_, error, says):
    fact = request_(s)
    before, told = s.picture(), len(s.intents)
    with pytest.raises(error) as caught:
        s.tell(fact)
    assert says in str(caught.value)
    assert s.picture() == before
    assert len(s.intents) == told
    s.advance(300)  # and the world goes on
    assert s.figures("sales").adds_up


def test_a_phone_that_somebody_has(s):
    s.tell(facts.AgentDefined(AgentSettings(id=AgentId("dan"), contact="user/bob")))
    before = s.picture()
    with pytest.raises(ResourceBusy, match="agent 'bob' is logged on at 'user/bob' already") as caught:
        s.log_on("dan")
    assert caught.value.retryable
    assert s.picture() == before


def test_before_anything_is_defined():
    s = Story()
    with pytest.raises(UnknownAgent, match="no agent has been defined yet"):
        s.log_on("ann")
    call = s.call()
    with pytest.raises(UnknownQueue, match="no queue has been defined yet"):
        s.enqueue(call, "sales")
    s.queue("sales")
    s.enqueue(call, "sales")


@pytest.mark.parametrize("error", [UnknownAgent, UnknownQueue, UnknownInteraction, UnknownStrategy])
def test_an_unknown_name_has_fields(error):
    caught = error("salse", ["sales", "loans"])
    assert (caught.name, caught.nearest) == ("salse", "sales")
    assert caught.code.startswith("operation.unknown_")
    assert isinstance(caught, CtiError)


def test_the_intents_of_a_refused_request_are_not_those_of_the_next(s):
    with pytest.raises(UnknownAgent):
        s.log_on("anne")
    s.tell(facts.ReadyRequested(AgentId("ann")))
    assert [type(i.event).__name__ for i in s.last] == ["AgentPending"]

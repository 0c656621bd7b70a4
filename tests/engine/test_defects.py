"""A part of the engine raises what it never should: what was decided until then is wanted all the same, and it is said."""

from __future__ import annotations

from typing import ClassVar

import gevent
import pytest

from cti.engine_loop import EngineLoop
from cti.errors import InvalidConnection, UnknownAgent
from cti.model import events, facts, intents
from cti.model.cause import Cause
from cti.model.ids import AgentId, QueueId
from cti.model.states import AgentState

from .story import FS, Story

ANN = AgentId("ann")


class Defective(Story):
    """Ann works after calls; whoever looks for supervisors of a call raises ``error``."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.queue("sales", wrap_up_s=10.0)
        self.agent("ann")
        self.call_id = self.talking("ann", "sales")

        def look() -> None:
            raise error

        self.engine._supervising.look = look  # type: ignore[method-assign]

    def handle(self, fact: facts.Fact) -> list[intents.Intent]:
        return self.engine.handle(fact, self.now)


@pytest.mark.parametrize("error", [KeyError("leg"), InvalidConnection("not in the middle of it")])
def test_what_was_decided_is_wanted_and_the_defect_is_told(error):
    story = Defective(error)
    leg = story.world.agents[ANN].connection
    wanted = story.handle(facts.ConnectionCleared(FS, leg, Cause.NORMAL_CLEARING, "NORMAL_CLEARING"))
    assert story.state("ann") is AgentState.WORKING_AFTER_CALL
    assert [i.key for i in wanted if isinstance(i, intents.StartTimer) and i.kind == "wrap-up"] == ["ann"]
    assert story.caller_of(story.call_id) in [i.connection for i in wanted if isinstance(i, intents.ClearConnection)]
    (told,) = [i.event for i in wanted if isinstance(i, intents.Notify) and isinstance(i.event, events.InvariantBroken)]
    assert told.what == f"ConnectionCleared: {error!r}"
    assert story.engine.defect is error
    story.handle(facts.NotReadyRequested(ANN, "lunch"))
    assert story.engine.defect is None


def test_a_refusal_is_none():
    story = Defective(KeyError())
    with pytest.raises(UnknownAgent):
        story.handle(facts.ReadyRequested(AgentId("nobody")))
    assert story.engine.defect is None


def test_an_intent_that_fails_costs_no_other():
    """Whoever follows the calls raises at the first event, a switch at the first command: timers come after both."""
    story = Story()
    story.queue("sales", max_wait_s=60.0)
    call = story.call()
    told: list[type] = []

    def follows(event: events.Event) -> None:
        told.append(type(event))
        raise ZeroDivisionError

    class Switch:
        def execute(self, intent: intents.SwitchIntent) -> None:
            told.append(type(intent))
            raise ZeroDivisionError

    loop = EngineLoop(story.engine, on_event=follows)
    loop.switches[FS] = Switch()
    loop.ask(facts.QueueRequested(call, QueueId("sales")))
    assert {events.Queued, intents.AnswerConnection, intents.KeepCaller} <= set(told)
    assert ("wait", call) in loop._timers
    loop.stop()


def test_the_loop_carries_out_what_was_decided_and_tells_who_asked():
    story = Defective(KeyError("leg"))
    told: list[events.Event] = []
    loop = EngineLoop(story.engine, on_event=told.append)

    class Switch:
        asked: ClassVar[list[intents.SwitchIntent]] = []

        def execute(self, intent: intents.SwitchIntent) -> None:
            self.asked.append(intent)

    loop.switches[FS] = Switch()
    leg = story.world.agents[ANN].connection
    with gevent.Timeout(5), pytest.raises(KeyError, match="leg"):
        loop.ask(facts.ConnectionCleared(FS, leg, Cause.NORMAL_CLEARING, "NORMAL_CLEARING"))
    assert [type(each) for each in Switch.asked] == [intents.ClearConnection]
    assert ("wrap-up", "ann") in loop._timers
    assert any(isinstance(event, events.InvariantBroken) for event in told)
    loop.stop()

"""Whatever agents ask for, in whatever order: no invariant breaks, and nobody is stuck when all have hung up."""

from __future__ import annotations

import pytest

from cti.model import events, intents
from cti.model.states import AgentState

from .agents_day import agents_day

IDLE = {AgentState.READY, AgentState.NOT_READY, AgentState.NULL}


@pytest.mark.parametrize("seed", range(25))
def test_nobody_is_stuck(seed):
    day = agents_day(seed)
    world = day.world
    assert not world.interactions
    assert not world.connections
    assert not world.reservations
    assert not world.supervisions
    assert {agent.state for agent in world.agents.values()} <= IDLE
    assert day.figures("sales").adds_up
    assert all(timer.kind in {"call back", "pause"} for timer in day.timers), day.timers


def test_the_day_has_something_in_it():
    told = [i.event for seed in range(40) for i in agents_day(seed).intents if isinstance(i, intents.Notify)]
    causes = {e.cause.csta_name for e in told if isinstance(e, events.Conferenced | events.Established)}
    assert {"joinCall", "intrude", "singleStepConference", "makeCall", "distributed"} <= causes
    kinds = {type(e).__name__ for e in told}
    assert {"DigitsDialled", "PredictiveCallAbandoned", "CallBack", "CallBackMessage", "MessageReceived"} <= kinds

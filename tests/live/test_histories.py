"""What has happened to a call on a real FreeSWITCH: who did what for how long, and which end hung up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cti import CallCenter, ToAgent, ToQueue, events
from cti.model.history import InteractionHistory
from cti.model.states import AgentState

from .freeswitch_process import FreeSwitchProcess
from .test_call_control import Desk

pytestmark = pytest.mark.live


class Story(Desk):
    """Ann talks with a caller who hangs up after a while; Bob is ready."""

    def __init__(self, centre: CallCenter, workdir: Path) -> None:
        super().__init__(centre, workdir)
        centre.subscribe(self.said.append, events.InteractionEnded)

    def ended(self) -> InteractionHistory:
        return self.wait_for(events.InteractionEnded, interaction=self.call).history


@pytest.fixture
def story(
    switch: FreeSwitchProcess, start_agents: Any, start_callers: Any, tmp_path: Path
) -> Iterator[Callable[..., Story]]:
    centres = []

    def begin(*, hold_s: float = 40.0, talk_s: float = 60.0) -> Story:
        phones = {name: start_agents(ring_s=0.05, talk_s=talk_s) for name in ("ann", "bob")}
        centre = CallCenter(switch.address, switch.password, history=tmp_path / "history.db")
        centres.append(centre)
        centre.add_queue("claims", requires="claims", wrap_up_s=0.5)
        centre.add_queue("loans", requires="loans")
        for name, skill in (("ann", "claims"), ("bob", "loans")):
            centre.add_agent(name, phones[name].contact(name), skills={skill: 1}).log_on(ready=True)
        centre.on_call("5*")(lambda call: call.queue("claims", data={"policy": "4711", "visits": 3}))
        made = Story(centre, tmp_path)
        centre.start()
        start_callers("5000", hold_s=hold_s)
        made.begin()
        return made

    yield begin
    for centre in centres:
        centre.stop()


def test_the_caller_hangs_up_and_the_agents_finish_talking(story):
    made = story(hold_s=6)
    made.ann.consult(ToAgent("bob"))
    popped = made.wait_for(events.Delivered, agent="bob")
    assert (popped.from_agent, popped.previous_agents) == ("ann", ("ann",))
    assert popped.data == {"policy": "4711", "visits": 3}
    made.until_pair("ann", "bob")
    assert made.centre.interaction(made.call).segments[-1].kind == "consult"
    gone = made.wait_for(events.ConnectionCleared, side="caller")
    assert gone.by.value == "caller"
    made.until_pair("ann", "bob")
    assert {made.state("ann"), made.state("bob")} == {AgentState.BUSY}
    made.bob.hang_up()
    history = made.ended()
    assert (history.ended_by, history.cause, history.switch_cause) == ("caller", "normalClearing", "NORMAL_CLEARING")
    assert history.agents == ("ann",)
    kinds = {each: [part.kind for part in history.segments if part.agent == each] for each in ("ann", "bob")}
    assert kinds == {"ann": ["ringing", "talk", "consult", "wrap-up"], "bob": ["ringing", "consult", "wrap-up"]}
    for agent in ("ann", "bob"):
        assert history.seconds("wrap-up", agent=agent) == pytest.approx(0.5, abs=0.4)
    assert history.seconds("hold") <= history.seconds("consult", agent="ann")
    made.is_over()


def test_the_agent_hangs_up_at_the_phone(story):
    made = story(talk_s=2)
    history = made.ended()
    assert (history.ended_by, history.ended_by_agent) == ("agent", "ann")
    assert {part.switch_cause for part in history.segments if part.kind == "talk"} == {"NORMAL_CLEARING"}
    made.until("it is kept", lambda: made.centre.find_calls(agent="ann"))
    assert made.centre.find_calls(queue="claims", number=history.calling_number) == [history]
    assert made.centre.interaction(made.call) == history
    made.is_over()


def test_who_had_the_call_is_told_to_whom_it_is_sent(story):
    made = story()
    made.ann.transfer_to(ToQueue("loans"))
    popped = made.wait_for(events.Delivered, agent="bob")
    assert (popped.from_agent, popped.previous_agents, popped.data["policy"]) == ("ann", ("ann",), "4711")
    made.until_pair("bob", "caller")
    made.bob.hang_up()
    history = made.ended()
    assert (history.agents, history.ended_by, history.ended_by_agent) == (("ann", "bob"), "agent", "bob")
    assert [part.kind for part in history.segments if part.side == "caller"][-3:] == ["talk", "queued", "talk"]
    made.is_over()


def test_a_conference_goes_on_without_its_caller(story):
    made = story(hold_s=6)
    made.ann.invite(ToAgent("bob"))
    made.until("three are in it", lambda: made.members() == 3)
    made.wait_for(events.ConnectionCleared, side="caller")
    made.until("two are left", lambda: made.members() == 2)
    assert {made.state("ann"), made.state("bob")} == {AgentState.BUSY}
    made.ann.hang_up()
    assert made.ended().seconds("conference", agent="bob") > 0
    made.is_over()

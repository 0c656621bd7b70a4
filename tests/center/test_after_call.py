"""A survey after the call: the caller stays when the agent hangs up, and a script has them."""

from __future__ import annotations

import pytest

from cti import ToScript, events
from cti.model.states import AgentState
from cti.sim import Behaviour
from cti.sim.ivr_application import press

from .bench import QUICK, Bench
from .test_recovery import a_centre, an_agent, kill, server, world  # noqa: F401 - a fixture

SHORT = Behaviour(ring_s=(0.001, 0.002), answer_s=(0.01, 0.02), talk_s=0.05)
"""An agent's phone that hangs up first."""


def queues(b: Bench) -> list[tuple[str, object, object]]:
    """A queue with a survey; what its callers answered."""
    answered: list[tuple[str, object, object]] = []
    b.centre.add_queue("claims", after_call=ToScript("survey"))
    b.centre.on_call("5*")(lambda call: call.queue("claims", data={"policy": "4711"}))

    @b.centre.script("survey")
    def survey(call):
        answered.append((call.id, call.agent, dict(call.data)))
        mark = call.collect("tone_stream://%(40,0,440)", max_digits=1, valid="[1-5]", first_digit_s=2.0)
        call.attach(mark=mark.digits)
        answered.append((call.id, call.agent, dict(call.data)))

    return answered


def test_the_agent_hangs_up_and_the_caller_answers_the_survey(line):
    answered = queues(line)
    line.centre.start()
    line.agent("ann", SHORT)
    caller = line.switch.incoming(calling_number="0301", called_number="5000", talk_s=60)
    talking = line.wait_for(events.Established)
    line.centre.attach(talking.interaction, {"claim": "C-1"})
    press(caller.channel, "3")  # into the conversation: no answer to anything
    line.until("the survey has begun", lambda: answered)
    assert line.centre.agent("ann").view.state is AgentState.READY
    press(caller.channel, "5")
    line.wait_for(events.CallCleared)
    data = {"policy": "4711", "claim": "C-1"}
    assert [(agent, said) for _, agent, said in answered] == [("ann", data), ("ann", {**data, "mark": "5"})]
    assert line.of(events.CallCleared)[0].data["mark"] == "5"
    line.all_is_over()


def test_the_caller_hangs_up_first_and_is_asked_nothing(line):
    answered = queues(line)
    line.centre.start()
    line.agent("ann")
    line.switch.incoming(calling_number="0301", called_number="5000", talk_s=0.05)
    line.wait_for(events.CallCleared)
    assert answered == []
    line.all_is_over()


def test_the_caller_hangs_up_in_the_survey(line):
    answered = queues(line)
    line.centre.start()
    line.agent("ann", SHORT)
    caller = line.switch.incoming(calling_number="0301", called_number="5000", talk_s=60)
    line.until("the survey has begun", lambda: answered)
    caller.hang_up()
    line.wait_for(events.CallCleared)
    assert len(answered) == 1
    line.all_is_over()


def test_a_survey_that_is_not_there_is_said_at_the_start_and_ends_the_call(line):
    line.centre.add_queue("claims", after_call=ToScript("survey"))
    line.centre.on_call("5*")(lambda call: call.queue("claims"))
    assert any("no script 'survey'" in each for each in line.centre.advice())
    line.centre.start()
    line.agent("ann", SHORT)
    line.switch.incoming(called_number="5000", talk_s=60)
    line.wait_for(events.CallCleared)
    line.all_is_over()


def test_a_survey_that_fails_costs_its_own_call_only(line):
    line.centre.add_queue("claims", after_call=ToScript("survey"))
    line.centre.on_call("5*")(lambda call: call.queue("claims"))

    @line.centre.script("survey")
    def survey(call):
        raise RuntimeError(call.id)

    line.centre.start()
    line.agent("ann", SHORT)
    for number in range(3):
        line.switch.incoming(calling_number=f"030{number}", called_number="5000", talk_s=60)
    line.until("all are over", lambda: len(line.of(events.CallCleared)) == 3)
    assert {event.agent for event in line.of(events.Established)} == {"ann"}
    line.all_is_over()


@pytest.mark.parametrize("hangs_up", ["while we are away", "before"])
def test_killed_and_started_again_the_caller_is_in_the_survey(server, tmp_path, hangs_up):  # noqa: F811
    """And not at the beginning of their number's script."""
    with a_centre(server, tmp_path) as b:
        answered = queues(b)
        b.centre.start()
        an_agent(b, "ann", SHORT if hangs_up == "before" else QUICK)
        caller = b.switch.incoming(calling_number="0301", called_number="5000", talk_s=60)
        b.wait_for(events.Established)
        if hangs_up == "before":
            b.until("the survey has begun", lambda: answered)
        legs = [channel for channel in b.switch.channels.values() if channel.direction == "outbound"]
        kill(b.centre)
        if hangs_up == "while we are away":
            legs[0].hangup("NORMAL_CLEARING")
    with a_centre(server, tmp_path) as b:
        again = queues(b)
        an_agent(b, "ann")
        b.centre.start()
        b.until("the survey has begun", lambda: again)
        press(caller.channel, "4")
        b.wait_for(events.CallCleared)
        assert again[-1][2] == {"policy": "4711", "mark": "4"}
        assert not world(b).interactions
        assert b.centre.agent("ann").view.state is AgentState.READY


def test_a_parked_call_stays_parked_when_we_start_again(server, tmp_path):  # noqa: F811
    """Its number's script does not fetch it from its place."""
    begun = []

    def set_up(b: Bench) -> None:
        b.centre.add_queue("claims")

        @b.centre.on_call("5*")
        def script(call):
            begun.append(call.id)
            call.queue("claims")

    with a_centre(server, tmp_path) as b:
        set_up(b)
        b.centre.start()
        an_agent(b, "ann")
        b.switch.incoming(calling_number="0301", called_number="5000", talk_s=60)
        b.wait_for(events.Established)
        place = b.centre.agent("ann").park()
        b.wait_for(events.Diverted, to_place=place)
    assert len(begun) == 1
    with a_centre(server, tmp_path) as b:
        set_up(b)
        an_agent(b, "ann")
        b.centre.start()
        b.centre.agent("ann").unpark(place)
        b.wait_for(events.Established)
        assert len(begun) == 1
        b.centre.hang_up(b.of(events.Established)[0].interaction)
        b.all_is_over()

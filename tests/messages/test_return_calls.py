"""An agent who hears a message calls back whoever left it, by a key or a method: a centre on the simulated switch."""

from __future__ import annotations

import gevent
import pytest

from cti import Destination, ToScript, errors, events
from cti.messages.message_record import HEARD, NEW
from cti.model import callback_events
from cti.model.states import AgentState
from cti.script.hearing import IN_VAIN_TONE, RING_BACK
from cti.sim import Behaviour
from cti.sim.ivr_application import press
from tests.center.bench import QUICK, bench

from .test_voicemail import SHORT, box, kept, leave, running

CONTACT = "sofia/agents/138@127.0.0.1:5990"
BUSY = Behaviour(ring_s=(0.001, 0.002), reject_s=(0.01, 0.02), busy=1.0)
SILENT = Behaviour(ring_s=(0.001, 0.002), no_answer=1.0)


@pytest.fixture
def line(messages):
    """A message of 138 waits in the queue claims; 138 may be called, and answers at once."""
    with bench(
        messages=messages, allowed_destinations=[Destination("1*", "sofia/agents/{number}@127.0.0.1:5990")]
    ) as made:
        made.switch.writes_files = True
        made.phone = made.switch.phones.add(CONTACT, QUICK)
        made.centre.add_queue("claims", after_call=ToScript("survey"))
        made.surveyed = []
        made.centre.script("survey")(lambda call: made.surveyed.append(call.play(SHORT)))
        box(made, queue="claims")
        made.centre.on_call("5000")(lambda call: call.voicemail("claims"))
        made.centre.start()
        leave(made, 0.6)
        made.message = made.wait_for(events.MessageDelivered)
        made.until("it is kept", lambda: kept(made))
        yield made


@pytest.fixture
def own(line):
    """The leg by which ann hears it."""
    line.agent("ann")
    heard = line.wait_for(events.Established, agent="ann")
    leg = line.switch.channels[heard.connection]
    line.until("it plays", lambda: running(leg, "playback") and leg.stack[-1].data.endswith(".wav"))
    return leg


def talks(line):
    return any(leg.bridge is not None and leg.bridge.joined for leg in line.switch.channels.values())


def test_a_key_calls_back_and_the_two_talk_in_the_same_interaction(line, own):
    press(own, "2")
    answered = line.wait_for(callback_events.CallbackAnswered)
    assert (answered.interaction, answered.number) == (line.message.interaction, "138")
    talk = line.wait_for(events.Established, interaction_kind="call")
    assert (talk.interaction, talk.agent, talk.data["message"]) == (
        line.message.interaction,
        "ann",
        line.message.message,
    )
    line.until("they talk", lambda: talks(line))
    (record,) = kept(line)
    line.until("it has been heard", lambda: kept(line)[0].state == HEARD)
    assert kept(line)[0].heard_by == "ann"
    gevent.sleep(0.3)
    assert talks(line), "what was heard goes on"
    assert not running(own, "playback")
    line.centre.agent("ann").hang_up()
    line.until("the caller is asked how it was", lambda: line.surveyed)
    line.all_is_over()
    assert line.centre.queue_view("claims").figures.answered == 1
    assert line.centre._mailroom._hearings._controls == {}
    assert line.centre._mailroom._hearings._returning == {}
    assert line.centre.switch.key_pressed == {}
    assert record.id == line.message.message


def test_a_method_calls_back_while_it_plays(line, own):
    line.centre.agent("ann").return_call()
    line.wait_for(events.Established, interaction_kind="call")
    line.until("they talk", lambda: talks(line))
    gevent.sleep(0.3)
    assert talks(line)
    assert len([each for each in line.said if isinstance(each, events.Originated)]) == 1
    line.until("it has been heard", lambda: kept(line)[0].state == HEARD)
    line.centre.agent("ann").hang_up()
    line.all_is_over()


def test_the_agent_hears_that_it_rings(line, own):
    line.phone.behaviour = Behaviour(ring_s=(5.0, 6.0))
    press(own, "2")
    line.until("it rings", lambda: running(own, "playback") and own.stack[-1].data == RING_BACK)
    line.centre.agent("ann").hang_up()
    line.all_is_over()
    line.until("no channel is left", lambda: not line.switch.channels)
    line.until("it has been heard", lambda: kept(line)[0].state == HEARD)


@pytest.mark.parametrize("by", ["key", "method"])
def test_nobody_is_reached_and_the_agent_is_back_at_the_message(line, own, by):
    line.phone.behaviour = BUSY
    press(own, "2") if by == "key" else line.centre.agent("ann").return_call()
    line.wait_for(events.ConnectionCleared, side="caller", interaction=line.message.interaction)
    line.until("a tone says so", lambda: running(own, "playback") and own.stack[-1].data == IN_VAIN_TONE)
    assert line.centre.agent("ann").view.state is AgentState.BUSY
    line.phone.behaviour = QUICK
    press(own, "2")
    line.wait_for(
        events.Established,
        interaction_kind="call",
    )
    line.until("they talk", lambda: talks(line))
    line.centre.agent("ann").hang_up()
    line.all_is_over()
    assert len([each for each in line.said if isinstance(each, events.Originated)]) == 2


def test_after_a_call_in_vain_the_message_can_be_deleted(line, own):
    line.phone.behaviour = BUSY
    press(own, "2")
    line.until("a tone says so", lambda: running(own, "playback") and own.stack[-1].data == IN_VAIN_TONE)
    press(own, "3")
    line.all_is_over()
    line.until("it is deleted", lambda: kept(line) == [])


def test_a_number_that_may_not_be_called(line, own):
    with pytest.raises(errors.DestinationNotAllowed):
        line.centre.agent("ann").return_call("0900")
    assert line.of(events.Originated) == []
    line.centre._loop.engine.world.destinations = ()
    press(own, "2")
    line.until("a tone says so", lambda: running(own, "playback") and own.stack[-1].data == IN_VAIN_TONE)
    assert line.of(events.Originated) == []
    press(own, "3")
    line.all_is_over()


def test_another_number(line, own):
    line.switch.phones.add("sofia/agents/139@127.0.0.1:5990", QUICK)
    line.centre.agent("ann").return_call("139")
    assert line.wait_for(callback_events.CallbackAnswered).number == "139"
    line.wait_for(events.Established, interaction_kind="call")
    line.centre.agent("ann").hang_up()
    line.all_is_over()


def test_the_customer_hangs_up_and_the_agent_works_after_it(line, own):
    press(own, "2")
    line.wait_for(events.Established, interaction_kind="call")
    line.until("they talk", lambda: talks(line))
    (customer,) = [leg for leg in line.switch.channels.values() if leg is not own]
    customer.hangup("NORMAL_CLEARING")
    line.all_is_over()
    line.until("the agent is ready again", lambda: line.centre.agent("ann").view.state is AgentState.READY)
    assert line.surveyed == []
    line.until("it has been heard", lambda: kept(line)[0].state == HEARD)
    assert len(line.of(events.MessageDelivered)) == 1


@pytest.mark.parametrize("outcome", ["answered", "in vain"])
def test_what_rings_as_the_link_is_lost_goes_on_when_it_is_back(line, own, outcome):
    """The greenlet that waited for it is gone, as after a restart."""
    line.phone.behaviour = Behaviour(ring_s=(0.001, 0.002), answer_s=(1.5, 1.6))
    if outcome == "in vain":
        line.phone.behaviour = Behaviour(ring_s=(0.001, 0.002), reject_s=(1.5, 1.6), busy=1.0)
    press(own, "2")
    line.until("it rings", lambda: running(own, "playback") and own.stack[-1].data == RING_BACK)
    hearings = line.centre._mailroom._hearings
    for greenlet in [each for each in line.centre._mailroom._greenlets if "_hear" in repr(each)]:
        greenlet.kill()
    assert not hearings._by_call
    hearings._ends.clear()
    hearings.resume()
    if outcome == "answered":
        line.wait_for(events.Established, interaction_kind="call")
        line.until("it has been heard", lambda: kept(line)[0].heard_by == "ann")
    else:
        line.wait_for(events.ConnectionCleared, side="caller", interaction=line.message.interaction)
        line.until("it plays again", lambda: hearings._by_call)
        gevent.sleep(kept(line)[0].length_s + 0.1)  # whoever hangs up sooner has not heard it, and it rings again
    assert not hearings._left_to_themselves
    line.centre.agent("ann").hang_up()
    line.all_is_over()


def test_somebody_who_hears_no_message(line):
    line.agent("bob")
    line.wait_for(events.Established, agent="bob")
    line.centre.agent("bob").hang_up()
    line.until("bob hears nothing", lambda: line.centre.agent("bob").view.state is not AgentState.BUSY)
    with pytest.raises(errors.InvalidConnection, match="hears no message"):
        line.centre.agent("bob").return_call()
    assert kept(line)[0].state in (NEW, HEARD)

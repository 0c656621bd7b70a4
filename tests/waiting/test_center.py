"""Waiting on the simulated switch over TCP: agents who answer, callers who press keys and hang up, links that drop."""

from __future__ import annotations

import gevent
import pytest

from cti import events
from cti.engine.coming_up import is_taken
from cti.model.cause import Cause
from cti.model.ids import QueueId
from cti.model.overflow import Disconnect, ToQueue, ToScript
from cti.model.treatment import SayNumber, WaitingTreatment
from cti.sim import Behaviour, phone
from cti.sim.ivr_application import press
from tests.center.bench import bench

DROPS = Behaviour(ring_s=(0.001, 0.002), answer_s=(0.01, 0.02), drops=1.0)
"""Answers, and hangs up before the bridge."""
MUSIC = "tone_stream://%(1000,0,300);loops=-1"
OTHER = "tone_stream://%(1000,0,500);loops=-1"
HELLO = "tone_stream://%(60000,0,440)"
MESSAGE = "tone_stream://%(50,0,660)"
WHISPER = "tone_stream://%(300,0,880)"


@pytest.fixture
def line():
    with bench() as made:
        yield made


@pytest.fixture
def at_the_answer():
    """Where an agent who hangs up at once has been asked into a bridge."""
    with bench(bridge_at="answer") as made:
        yield made


def call_in(line, queue="claims"):
    line.centre.on_call("*")(lambda call: call.queue(queue))
    return line.switch.incoming(called_number="5000")


def sounds(channel):
    """All that plays on a channel, the innermost last."""
    return [one.data for one in channel.stack if one.application == "playback"]


def plays(leg, sound):
    """Whether this, and nothing else, plays on a channel."""
    return sounds(leg.channel) == [sound]


def others(line, caller):
    """The channels that are not the caller's."""
    return [each for each in line.switch.channels.values() if each is not caller.channel]


def all_hear(line, callers, sound):
    """The agent of each has gone, and each hears this, until they hang up."""
    line.until("all agents have gone", lambda: len(line.of(events.OfferEnded)) == len(callers))
    gevent.sleep(0.1)  # what is to end unheard has ended
    for caller in callers:
        line.until("they hear it", lambda caller=caller: plays(caller, sound))
        caller.hang_up()
    line.all_is_over()


def started(line, treatment, **settings):
    line.centre.add_queue("claims", music=MUSIC, waiting=treatment, **settings)
    line.centre.start()


def test_greeting_music_and_messages(line):
    started(line, WaitingTreatment(greeting=MESSAGE, messages=HELLO, message_every_s=1))
    caller = call_in(line)
    line.until("the music plays", lambda: plays(caller, MUSIC))
    line.until("the message plays", lambda: plays(caller, HELLO))
    assert caller.channel.variable("playback_terminators") == "none"
    caller.hang_up()
    line.all_is_over()
    assert line.centre._waitings[line.centre.switch.id]._stays == {}
    assert line.centre._waitings[line.centre.switch.id]._greeted == {}


def test_race_14_an_agent_who_answers_cuts_the_announcement(line):
    started(line, WaitingTreatment(greeting=HELLO))
    caller = call_in(line)
    line.until("the greeting plays", lambda: plays(caller, HELLO))
    line.agent("ann")
    line.wait_for(events.Established)
    line.until("they talk", lambda: caller.channel.bridge is not None and caller.channel.bridge.joined)
    gevent.sleep(0.1)
    assert not [one for one in caller.channel.stack if one.application == "playback"]
    caller.hang_up()
    line.all_is_over()


def test_after_an_agent_who_answered_and_went_the_music_goes_on(line):
    started(line, WaitingTreatment(greeting=MESSAGE))
    caller = call_in(line)
    line.until("the music plays", lambda: plays(caller, MUSIC))
    waiting = line.centre._waitings[line.centre.switch.id]
    (stay,) = waiting._stays.values()
    line.agent("bob", DROPS)
    line.wait_for(events.OfferEnded)
    line.centre.agent("bob").log_off()
    line.until("the music plays again", lambda: plays(caller, MUSIC))
    assert list(waiting._stays.values()) == [stay]
    caller.hang_up()
    line.all_is_over()


def test_plain_music_goes_on_too_after_a_bridge_that_failed(line):
    line.centre.add_queue("claims", music=MUSIC)
    line.centre.start()
    caller = call_in(line)
    line.until("the music plays", lambda: plays(caller, MUSIC))
    line.agent("bob", DROPS)
    line.wait_for(events.OfferEnded)
    line.centre.agent("bob").log_off()
    line.until("the music plays again", lambda: plays(caller, MUSIC))
    caller.hang_up()
    line.all_is_over()


@pytest.mark.parametrize("treatment", [None, WaitingTreatment(greeting=HELLO)], ids=["plain", "attended"])
def test_nobody_waits_in_silence_after_an_agent_who_went_while_the_bridge_came_up(
    at_the_answer, monkeypatch, treatment
):
    line = at_the_answer
    monkeypatch.setattr(phone, "_DROP_S", 0.003)
    line.centre.add_queue("claims", music=MUSIC, waiting=treatment)
    line.centre.start()
    callers = [call_in(line) for _ in range(10)]
    for caller in callers:
        line.until("it begins", lambda caller=caller: plays(caller, HELLO if treatment else MUSIC))
    for number in range(10):
        line.agent(f"bob{number}", DROPS)
    all_hear(line, callers, MUSIC)


def test_a_script_that_gets_a_caller_back_from_a_bridge_is_heard(at_the_answer, monkeypatch):
    line = at_the_answer
    monkeypatch.setattr(phone, "_DROP_S", 0.003)
    line.centre.script("sorry")(lambda call: call.play(HELLO))
    line.centre.add_queue("claims", music=MUSIC, overflow=ToScript("sorry"), max_wait_s=0.1, ring_timeout_s=5)
    line.centre.start()
    callers = [call_in(line) for _ in range(5)]
    slow = Behaviour(ring_s=(0.001, 0.002), answer_s=(0.15, 0.2), drops=1.0)
    for number in range(5):
        line.agent(f"bob{number}", slow)
    all_hear(line, callers, HELLO)


def test_an_agent_who_goes_while_something_is_whispered_keeps_nobody_from_the_next(line):
    started(line, WaitingTreatment(whisper=HELLO))
    caller = call_in(line)
    line.until("the music plays", lambda: plays(caller, MUSIC))
    for name in ("bob", "ann"):
        line.agent(name)
        line.until("the agent hears it", lambda: [sounds(leg) for leg in others(line, caller)] == [[HELLO]])
        (leg,) = others(line, caller)
        leg.hangup("NORMAL_CLEARING", disposition="recv_bye")
        line.wait_for(events.OfferEnded, agent=name)
        line.until("the music plays", lambda: plays(caller, MUSIC))
        assert not is_taken(line.centre._loop.engine.world.connections[caller.channel.uuid])
    caller.hang_up()
    line.all_is_over()


def test_an_offer_that_nobody_answers_disturbs_nothing(line):
    started(line, WaitingTreatment(greeting=HELLO), ring_timeout_s=0.1)
    caller = call_in(line)
    line.until("the greeting plays", lambda: plays(caller, HELLO))
    (greeting,) = (one for one in caller.channel.stack if one.application == "playback")
    line.agent("ann", Behaviour(ring_s=(0.001, 0.002), answer_s=(60, 61)))
    line.wait_for(events.Queued, cause=Cause.REMAINS_IN_QUEUE)
    gevent.sleep(0.1)
    assert greeting in caller.channel.stack
    caller.hang_up()
    line.all_is_over()


def test_a_key_takes_the_caller_to_a_script_that_they_hear_at_once(line):
    started(line, WaitingTreatment(offers={"1": ToScript("callback")}))
    line.centre.script("callback")(lambda call: call.play(OTHER))
    caller = call_in(line)
    line.until("the music plays", lambda: plays(caller, MUSIC))
    press(caller.channel, "51")
    line.until("the script speaks", lambda: plays(caller, OTHER))
    assert line.of(events.Diverted)[0].to_script == "callback"
    caller.hang_up()
    line.all_is_over()


def test_a_key_takes_the_caller_to_a_queue_with_its_own_treatment(line):
    line.centre.add_queue("other", waiting=WaitingTreatment(greeting=MESSAGE, music=OTHER))
    line.centre.add_queue("plain", music=MUSIC)
    offers = {"3": ToQueue(QueueId("other")), "4": ToQueue(QueueId("plain")), "9": Disconnect()}
    started(line, WaitingTreatment(greeting=HELLO, offers=offers))
    first, second, third = (call_in(line) for _ in range(3))
    for caller, key in ((first, "3"), (second, "4"), (third, "9")):
        line.until("the greeting plays", lambda caller=caller: plays(caller, HELLO))
        press(caller.channel, key)
    line.until("it has the other queue's music", lambda: plays(first, OTHER))
    line.until("it has the other queue's music", lambda: plays(second, MUSIC))
    line.until("it is over", lambda: third.ended)
    for caller in (first, second):
        caller.hang_up()
    line.all_is_over()


def test_an_overflow_ends_the_announcement_and_the_other_queue_has_its_own(line):
    line.centre.add_queue("other", waiting=WaitingTreatment(music=OTHER))
    started(line, WaitingTreatment(greeting=HELLO), max_wait_s=0.3, overflow=ToQueue(QueueId("other")))
    caller = call_in(line)
    line.until("the greeting plays", lambda: plays(caller, HELLO))
    line.until("the other queue's music plays", lambda: plays(caller, OTHER))
    caller.hang_up()
    line.all_is_over()


def test_an_overflow_to_a_script_ends_the_announcement(line):
    started(line, WaitingTreatment(greeting=HELLO), max_wait_s=0.3, overflow=ToScript("late"))
    line.centre.script("late")(lambda call: call.play(OTHER))
    caller = call_in(line)
    line.until("the script speaks", lambda: plays(caller, OTHER))
    caller.hang_up()
    line.all_is_over()


def test_an_agent_hears_the_whisper_before_the_caller_is_there(line):
    started(line, WaitingTreatment(whisper=(WHISPER, SayNumber("waited_min"))))
    line.agent("ann")
    caller = call_in(line)
    line.wait_for(events.Delivered)
    line.until("the agent is told", lambda: [c for c in line.switch.channels.values() if _plays_to(c, WHISPER)])
    assert caller.channel.bridge is None
    line.wait_for(events.Established)
    caller.hang_up()
    line.all_is_over()
    assert line.centre._waitings[line.centre.switch.id]._whispers == {}


def _plays_to(channel, sound):
    return any(one.data == sound for one in channel.stack)


def test_a_whisper_is_bounded_and_the_caller_may_go_in_its_middle(line):
    started(line, WaitingTreatment(whisper=HELLO, whisper_s=0.2))
    line.agent("ann")
    caller = call_in(line)
    line.wait_for(events.Established)
    caller.hang_up()
    line.all_is_over()
    line.centre.add_queue("claims", music=MUSIC, waiting=WaitingTreatment(whisper=HELLO))
    caller = call_in(line)
    line.until("the agent is told", lambda: [c for c in line.switch.channels.values() if _plays_to(c, HELLO)])
    caller.hang_up()
    line.all_is_over()
    assert len(line.of(events.Established)) == 1
    line.until("the agent's leg is gone", lambda: not line.switch.channels)


def test_the_link_drops_in_the_middle(line):
    started(line, WaitingTreatment(messages=MESSAGE, message_every_s=1, offers={"9": Disconnect()}))
    caller = call_in(line)
    line.until("the music plays", lambda: plays(caller, MUSIC))
    (stay,) = line.centre._waitings[line.centre.switch.id]._stays.values()
    first = stay.greenlet
    line.centre.switch._socket._events.close()
    line.until("the link is back", lambda: len(line.of(events.SystemStatus, status="normal")) == 2)
    line.until("the caller is attended to again", lambda: stay.greenlet is not first and stay.greenlet is not None)
    line.until("the music plays", lambda: plays(caller, MUSIC))
    line.until("a message plays", lambda: plays(caller, MESSAGE))
    press(caller.channel, "9")
    line.all_is_over()


def test_a_defect_in_an_attendant_costs_its_caller_nothing_but_the_announcements(line, monkeypatch):
    started(line, WaitingTreatment(greeting=HELLO))

    def fail(self):
        raise RuntimeError("a defect")

    monkeypatch.setattr("cti.waiting.attendant.Attendant.run", fail)
    caller = call_in(line)
    line.until("the music plays", lambda: plays(caller, MUSIC))
    line.agent("ann")
    line.wait_for(events.Established)
    caller.hang_up()
    line.all_is_over()


def test_a_star_does_not_end_plain_music(line):
    line.centre.add_queue("claims", music=MUSIC)
    line.centre.start()
    caller = call_in(line)
    line.until("the music plays", lambda: plays(caller, MUSIC))
    line.until("keys end nothing", lambda: caller.channel.variable("playback_terminators") == "none")
    press(caller.channel, "*")
    gevent.sleep(0.1)
    assert plays(caller, MUSIC)
    caller.hang_up()
    line.all_is_over()


def test_what_will_not_work_is_said_at_the_start(line):
    offers = {"1": ToScript("callback"), "2": ToScript("later"), "3": ToQueue(QueueId("nowhere"))}
    line.centre.add_queue("claims", waiting=WaitingTreatment(offers=offers))
    said = "\n".join(line.centre.advice())
    assert "there is no script 'later'" in said
    assert "'claims': the script 'callback' offers its callers a callback, and it calls nobody back" in said
    assert "queue 'claims': a key takes its callers to the queue 'nowhere', which is not there" in said


def test_many_wait_at_once(line):
    started(line, WaitingTreatment(greeting=MESSAGE, offers={"9": Disconnect()}))
    callers = [call_in(line) for _ in range(50)]
    line.until("all hear music", lambda: all(plays(caller, MUSIC) for caller in callers), 30)
    for caller in callers:
        press(caller.channel, "9")
    line.all_is_over()
    line.until("all have hung up", lambda: all(caller.ended for caller in callers))

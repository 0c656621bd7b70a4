"""Callbacks through the library's face, on a simulated switch over TCP: offered, agreed, made, and what comes between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import gevent
import pytest

from cti import CallbackPrompts, CallbackSettings, Destination, errors, events
from cti.model import callback_events
from cti.model.overflow import ToScript
from cti.model.states import AgentState
from cti.model.treatment import WaitingTreatment
from cti.sim import Behaviour
from cti.sim.ivr_application import press

from .bench import QUICK, Bench, bench

BEEP = "tone_stream://%(20,0,440)"
LONG = "tone_stream://%(60000,0,440)"
PROMPTS = CallbackPrompts(number=BEEP, choose=BEEP, enter=BEEP, refused=BEEP, goodbye=BEEP)
BUSY = Behaviour(ring_s=(0.001, 0.002), reject_s=(0.01, 0.02), busy=1.0)
SILENT = Behaviour(ring_s=(0.001, 0.002), no_answer=1.0)
CUSTOMER = "0301234567"


def contact(number: str) -> str:
    return f"sofia/agents/{number}@127.0.0.1:5990"


@pytest.fixture
def line() -> Iterator[Bench]:
    with bench(allowed_destinations=[Destination("0*", contact("{number}"))]) as made:
        made.switch.phones.add(contact(CUSTOMER), QUICK)
        yield made


def started(line: Bench, script: Any = None, *, waiting: WaitingTreatment | None = None, **settings: Any) -> None:
    settings.setdefault("prompts", PROMPTS)
    line.centre.add_queue("claims", music=LONG, callback=CallbackSettings(**settings), waiting=waiting)
    line.centre.on_call("5000")(script or (lambda call: call.callback("claims")))
    line.centre.start()


def agreed(line: Bench, keys: str = "1") -> str:
    """A caller calls, is asked, and presses these keys; the callback's id."""
    caller = line.switch.incoming(calling_number=CUSTOMER, called_number="5000")
    press(caller.channel, keys)
    made = line.wait_for(callback_events.CallbackMade)
    line.until("the caller has left", lambda: caller.ended)
    return str(made.interaction)


def talks(line: Bench) -> bool:
    return any(leg.bridge is not None and leg.bridge.joined for leg in line.switch.channels.values())


@pytest.mark.parametrize("first", ["agent", "customer"])
def test_a_caller_is_asked_leaves_and_is_called_back(line, first):
    outcomes = []
    started(line, lambda call: outcomes.append(call.callback("claims", data={"policy": "12"})), first=first)
    back = agreed(line)
    assert outcomes[0].taken
    assert (outcomes[0].number, outcomes[0].id) == (CUSTOMER, back)
    (pending,) = line.centre.callbacks("claims")
    assert (pending.id, pending.number, pending.state, pending.position) == (back, CUSTOMER, "waiting", 1)
    line.agent("ann")
    answered = line.wait_for(events.Established, interaction=back)
    assert (answered.agent, answered.data["policy"]) == ("ann", "12")
    line.until("they talk", lambda: talks(line))
    assert line.centre.callbacks() == ()
    assert line.wait_for(callback_events.CallbackEnded).state == "answered"
    line.centre.agent("ann").hang_up()
    line.all_is_over()
    line.until("no channel is left", lambda: not line.switch.channels)
    figures = line.centre.queue_view("claims").figures
    assert (figures.offered, figures.taken_as_callback, figures.callbacks_answered) == (1, 1, 1)


@pytest.mark.parametrize("first", ["agent", "customer"])
@pytest.mark.parametrize(("how", "outcome"), [(BUSY, "busy"), (SILENT, "no answer")])
def test_a_customer_who_is_not_reached_is_tried_again_and_the_agent_is_free(line, first, how, outcome):
    started(line, first=first, ring_s=1.0, pause_s=1.0, busy_pause_s=1.0)
    line.switch.phones.add(contact(CUSTOMER), how)
    agreed(line)
    line.agent("ann")
    tried = line.wait_for(callback_events.CallbackTried)
    assert (tried.outcome, tried.tries) == (outcome, 1)
    line.until("ann is ready", lambda: line.centre.agent("ann").view.state is AgentState.READY)
    line.switch.phones.add(contact(CUSTOMER), QUICK)
    line.wait_for(events.Established)
    line.until("they talk", lambda: talks(line))
    line.centre.agent("ann").hang_up()
    line.all_is_over()
    line.until("no channel is left", lambda: not line.switch.channels)


def test_another_number_is_collected_and_read_back(line):
    started(line)
    line.switch.phones.add(contact("04055"), QUICK)
    agreed(line, "204055#1")
    (pending,) = line.centre.callbacks()
    assert pending.number == "04055"
    line.agent("ann")
    line.wait_for(events.Established)
    line.centre.agent("ann").hang_up()
    line.all_is_over()


def test_a_number_that_no_rule_allows_is_refused_and_the_call_is_still_the_scripts(line):
    outcomes = []

    def script(call):
        outcomes.append(call.callback("claims"))
        call.play(LONG)

    started(line, script)
    caller = line.switch.incoming(calling_number="anonymous", called_number="5000")
    press(caller.channel, "991234#992#993#")
    line.until("it is refused", lambda: outcomes)
    assert (outcomes[0].taken, outcomes[0].why) == (False, "refused")
    assert line.centre.callbacks() == ()
    assert not caller.ended
    caller.hang_up()
    line.all_is_over()


def test_a_key_while_waiting_offers_it_and_who_declines_keeps_the_place(line):
    offers = WaitingTreatment(offers={"1": ToScript("callback")})
    started(line, lambda call: call.queue("claims"), waiting=offers)
    first = line.switch.incoming(calling_number=CUSTOMER, called_number="5000")
    line.wait_for(events.Queued)
    since = line.centre.queue_view("claims").waiting[0].interaction
    line.switch.incoming(calling_number="0302", called_number="5000")
    line.until("two wait", lambda: len(line.centre.queue_view("claims").waiting) == 2)
    gevent.sleep(0.1)  # their attendants listen
    press(first.channel, "1")
    line.wait_for(events.Diverted, to_script="callback")
    press(first.channel, "3")
    line.until("back", lambda: len(line.centre.queue_view("claims").waiting) == 2)
    assert line.centre.queue_view("claims").waiting[0].interaction == since
    gevent.sleep(0.1)
    press(first.channel, "1")
    line.until("asked again", lambda: len(line.of(events.Diverted, to_script="callback")) == 2)
    press(first.channel, "1")
    line.until("gone", lambda: first.ended)
    view = line.centre.queue_view("claims")
    assert [each.calling_number for each in view.waiting] == ["0302"]
    assert (view.figures.waiting, view.figures.in_line) == (1, 2)
    assert line.centre.callbacks()[0].position == 1
    line.agent("ann")
    assert line.wait_for(events.Established).interaction == since


def test_the_party_who_answers_and_finds_no_agent_hears_music_at_the_head(line):
    """Race 24."""
    started(line, first="customer", waiting=WaitingTreatment(offers={"9": ToScript("callback")}))
    line.switch.phones.add(contact(CUSTOMER), Behaviour(ring_s=(0.001, 0.002), answer_s=(0.3, 0.31)))
    back = agreed(line)
    line.agent("ann")
    line.wait_for(events.Originated, interaction=back)
    line.centre.agent("ann").log_off()
    line.wait_for(callback_events.CallbackAnswered)
    leg = line.centre._loop.engine.world.interactions[back].caller
    channel = line.switch.channels[leg]
    line.until(
        "they hear music", lambda: [one.data for one in channel.stack if one.application == "playback"] == [LONG]
    )
    other = line.switch.incoming(calling_number="0302", called_number="5000")
    press(other.channel, "3")
    line.agent("bob")
    assert line.wait_for(events.Established).interaction == back
    line.until("they talk", lambda: channel.bridge is not None and channel.bridge.joined)
    line.centre.agent("bob").hang_up()
    other.hang_up()
    line.all_is_over()


def test_a_customer_who_waits_after_all_can_press_a_key(line):
    taken = []
    started(line, first="customer", waiting=WaitingTreatment(offers={"9": ToScript("other")}))
    line.centre.script("other")(lambda call: taken.append(call.play(BEEP)))
    line.switch.phones.add(contact(CUSTOMER), Behaviour(ring_s=(0.001, 0.002), answer_s=(0.3, 0.31)))
    back = agreed(line)
    line.agent("ann")
    line.wait_for(events.Originated, interaction=back)
    line.centre.agent("ann").log_off()
    line.wait_for(callback_events.CallbackAnswered)
    channel = line.switch.channels[line.centre._loop.engine.world.interactions[back].caller]
    line.until("music", lambda: [one for one in channel.stack if one.application == "playback"])
    press(channel, "9")
    line.until("the script has them", lambda: taken)
    line.all_is_over()
    assert line.of(callback_events.CallbackEnded)[0].state == "answered"


def test_it_is_asked_for_moved_and_cancelled_from_outside(line):
    started(line)
    at = datetime(2100, 1, 1, tzinfo=UTC)
    back = line.centre.request_callback("claims", "04055", at=at, data={"who": "us"}, name="Mrs Hill")
    (pending,) = line.centre.callbacks()
    assert (pending.state, pending.source, pending.calling_name, pending.position) == (
        "scheduled",
        "request",
        "Mrs Hill",
        0,
    )
    assert pending.due_in_s > 86_400
    line.centre.reschedule_callback(back, number="04056")
    assert [(each.number, each.state) for each in line.centre.callbacks("claims")] == [("04056", "scheduled")]
    line.centre.reschedule_callback(back, at=0)
    assert [(each.number, each.state) for each in line.centre.callbacks("claims")] == [("04056", "waiting")]
    with pytest.raises(errors.ResourceBusy):
        line.centre.request_callback("claims", "04056")
    line.centre.cancel_callback(back)
    assert line.centre.callbacks() == ()
    with pytest.raises(errors.UnknownInteraction):
        line.centre.cancel_callback(back)
    for at in (datetime(2100, 1, 1), "soon", -1, True):  # noqa: DTZ001 - without a time zone, that is the point
        with pytest.raises(errors.ConfigurationError):
            line.centre.request_callback("claims", "04057", at=at)
    with pytest.raises(errors.DestinationNotAllowed):
        line.centre.request_callback("claims", "9001")
    with pytest.raises(errors.UnknownQueue):
        line.centre.callbacks("clams")


def test_who_hung_up_is_listed(line):
    started(line, lambda call: call.queue("claims"))
    caller = line.switch.incoming(calling_number=CUSTOMER, called_number="5000")
    line.wait_for(events.Queued)
    caller.hang_up()
    line.wait_for(events.Abandoned)
    (one,) = line.centre.abandoned(hours=1)
    assert (one.calling_number, one.queue, one.callback) == (CUSTOMER, "claims", None)
    assert line.centre.abandoned(hours=0) == ()


def test_the_link_drops_while_the_customer_is_called(line):
    started(line, first="agent")
    phone = line.switch.phones.add(contact(CUSTOMER), Behaviour(ring_s=(0.001, 0.002), answer_s=(0.6, 0.7)))
    back = agreed(line)
    line.agent("ann")
    line.until("the customer's phone rings", lambda: phone.offered)
    line.server.drop_links()
    line.wait_for(events.SystemStatus, status="disabled")
    assert line.wait_for(events.Established, interaction=back).agent == "ann"
    line.until("they talk", lambda: talks(line))
    assert not line.of(callback_events.CallbackTried)
    line.centre.agent("ann").hang_up()
    line.all_is_over()

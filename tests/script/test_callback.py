"""Offering a callback: what the caller hears and presses, without a switch, in virtual time."""

from __future__ import annotations

import pytest

from cti.errors import CallGone
from cti.model.callback import CallbackPrompts
from cti.testing import FakeCall, HangUp

PROMPTS = CallbackPrompts(
    number="{language}/number.wav",
    choose="choose.wav",
    enter="enter.wav",
    refused="refused.wav",
    goodbye="goodbye.wav",
)


def offered(turns, **caller):
    """The call after it was offered a callback, and what came of it."""
    call = FakeCall(turns, **caller)
    outcomes = []
    ended = call.run(lambda call: outcomes.append(call.callback("claims", prompts=PROMPTS, data={"policy": "12"})))
    return call, ended, outcomes


def test_the_callers_own_number_is_read_and_taken():
    call, ended, (outcome,) = offered(["1"])
    assert (outcome.taken, outcome.why, outcome.number) == (True, "", "0301234567")
    assert outcome
    assert ended == "called back"
    assert call.called_back == [("claims", "0301234567")]
    assert call.data == {"policy": "12"}
    number, said, choose, goodbye = call.heard
    assert (number, choose, goodbye) == ("en/number.wav", "choose.wav", "goodbye.wav")
    assert "0301234567" in said
    with pytest.raises(CallGone):
        call.play("more.wav")


def test_another_number_is_collected_and_read_back():
    call, _, (outcome,) = offered(["2", "04055#", "1"])
    assert outcome.number == "04055"
    assert call.heard.count("enter.wav") == 1
    assert any("04055" in heard for heard in call.heard)


@pytest.mark.parametrize(
    ("turns", "why"),
    [(["3"], "declined"), ([""], "nothing"), (["2", "3"], "nothing"), (["2", "04055#", "3"], "declined")],
)
def test_who_does_not_want_it_is_the_scripts_again(turns, why):
    call, ended, (outcome,) = offered(turns)
    assert (outcome.taken, outcome.why) == (False, why)
    assert not outcome
    assert (ended, call.called_back, call.data) == ("returned", [], {})
    call.play("more.wav")


@pytest.mark.parametrize("hidden", ["anonymous", "", "Restricted", "sip:a b"])
def test_a_caller_without_a_number_is_asked_for_one(hidden):
    call, _, (outcome,) = offered(["04055#", "1"], calling_number=hidden)
    assert outcome.number == "04055"
    assert call.heard[0] == "enter.wav"


def test_numbers_that_no_rule_allows_are_refused_three_times():
    call, _, (outcome,) = offered(["0900#", "0901#", "0902#"], calling_number="0900", callbacks=["04*"])
    assert (outcome.taken, outcome.why) == (False, "refused")
    assert call.heard == ["enter.wav", "refused.wav"] * 3


def test_a_number_is_taken_without_asking():
    call = FakeCall([], callbacks=["04*"])
    assert call.run(lambda call: call.callback("claims", number="0405", confirm=False)) == "called back"
    assert call.called_back == [("claims", "0405")]
    call = FakeCall([], callbacks=["04*"])
    outcomes = []
    call.run(lambda call: outcomes.append(call.callback("claims", number="0900", confirm=False)))
    assert outcomes[0].why == "refused"


def test_the_queue_of_before_is_meant_when_none_is_named():
    call = FakeCall(["1"], queues={"claims": "ann"})

    def script(call):
        call.queue("claims")
        call.callback()

    call.run(script)
    assert call.called_back == [("claims", "0301234567")]


def test_a_caller_who_hangs_up_while_they_are_asked_is_not_called_back():
    call, ended, outcomes = offered([HangUp()])
    assert (ended, call.called_back, outcomes) == ("caller gone", [], [])


def test_a_queue_that_calls_nobody_but_the_caller():
    call, _, (outcome,) = offered(["2", "1"], other_numbers=False)
    assert outcome.number == "0301234567"  # 2 was no option
    assert "enter.wav" not in call.heard
    call, _, (outcome,) = offered(["04055#"], calling_number="anonymous", other_numbers=False)
    assert (outcome.why, call.heard) == ("refused", ["refused.wav"])

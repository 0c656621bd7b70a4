"""Asking for digits and offering menus, without a switch and without waiting."""

from __future__ import annotations

import pytest

from cti.errors import ConfigurationError
from cti.script import Secret
from cti.testing import FakeCall, HangUp, Press


def collected(turns, **asked):
    call = FakeCall(turns)
    result = []
    ended = call.run(lambda call: result.append(call.collect("enter.wav", **asked)))
    assert ended == "returned"
    return result[0], call


@pytest.mark.parametrize(
    ("turns", "asked", "expected"),
    [
        (["4711#"], {}, ("ok", "4711", "terminator", "#", 1)),
        (["4711"], {"max_digits": 4}, ("ok", "4711", "length", "", 1)),
        (["4711"], {}, ("ok", "4711", "timeout", "", 1)),
        (["", "12#"], {}, ("ok", "12", "terminator", "#", 2)),
        (["#", "12#"], {}, ("ok", "12", "terminator", "#", 2)),  # a hash where a number is wanted
        (["#"], {"min_digits": 0}, ("ok", "", "terminator", "#", 1)),
        (["1#", "123#"], {"min_digits": 3}, ("ok", "123", "terminator", "#", 2)),
        (["1*2#", "12#"], {}, ("ok", "12", "terminator", "#", 2)),  # a star is no digit
        (["1*2#"], {"valid": r"[0-9*]+"}, ("ok", "1*2", "terminator", "#", 1)),
        (
            ["1#2", "77"],
            {"terminators": "", "max_digits": 3},
            ("ok", "77", "timeout", "", 2),
        ),  # no terminator: no digit
        (["13#", "12#"], {"valid": lambda digits: int(digits) % 2 == 0}, ("ok", "12", "terminator", "#", 2)),
        (["5*"], {"terminators": "*#"}, ("ok", "5", "terminator", "*", 1)),
        ([], {}, ("nothing", "", "timeout", "", 3)),
        (["1", "2", "3"], {"min_digits": 2}, ("invalid", "", "timeout", "", 3)),
        (["", "", "9"], {"min_digits": 2}, ("invalid", "", "timeout", "", 3)),
        (["1", "", ""], {"min_digits": 2}, ("nothing", "", "timeout", "", 3)),
        ([Press("12#", early=True)], {}, ("ok", "12", "terminator", "#", 1)),
    ],
)
def test_what_comes_of_the_keys(turns, asked, expected):
    result, _ = collected(turns, **asked)
    assert (result.outcome, result.digits, result.ended_by, result.terminator, result.tries) == expected
    assert bool(result) == (result.outcome == "ok")


def test_the_prompts_for_nothing_and_for_invalid_input_come_before_the_next_try():
    call = FakeCall(["", "1", "22"])
    call.run(lambda call: call.collect("ask", min_digits=2, nothing="quiet", invalid=["bad", "again"]))
    assert call.heard == ["ask", "quiet", "ask", "bad", "again", "ask"]


def test_waiting_is_counted_from_the_end_of_the_prompt_and_from_each_key():
    _, call = collected([], tries=1, first_digit_s=4)
    assert call.elapsed_s == 3 + 4
    _, call = collected(["12"], tries=1, first_digit_s=4, between_digits_s=2)
    assert call.elapsed_s == pytest.approx(3 + 0.5 + 0.2 + 2)


def test_a_key_ends_the_prompt_unless_told_otherwise():
    _, call = collected([Press("1#", early=True)])
    assert call.elapsed_s == pytest.approx(0.7)
    # Without barge-in the keys count after the prompt, and with flush they do not.
    result, call = collected([Press("1#", early=True)], barge_in=False)
    assert result.digits == "1"
    assert call.elapsed_s > 3


def test_keys_before_the_prompt_are_its_answer_and_let_it_out():
    call = FakeCall()
    call.control.keys.pressed("4", 0)
    call.control.keys.pressed("#", 0)
    result = call.collect("enter.wav")
    assert (result.digits, call.heard, call.elapsed_s) == ("4", [], 0)


def test_flush_forgets_them():
    call = FakeCall(["5#"])
    call.control.keys.pressed("4", 0)
    result = call.collect("enter.wav", flush=True)
    assert (result.digits, call.heard) == ("5", ["enter.wav"])


def test_flush_without_barge_in_forgets_those_pressed_during_the_prompt():
    call = FakeCall()
    call.control._later(1.0, lambda: call.control.keys.pressed("9", 1.0))
    assert call.collect("enter.wav", flush=True, barge_in=False, tries=1).outcome == "nothing"


def test_what_is_left_of_a_bad_input_is_forgotten():
    call = FakeCall(["", "4711"])
    for key in "12345678#":
        call.control.keys.pressed(key, 0)
    result = call.collect("enter.wav", max_digits=4, valid="4711")
    assert (result.digits, result.tries) == ("4711", 2)


def test_the_hash_after_the_last_digit_answers_no_later_question():
    call = FakeCall(["4711#", "1"])
    assert call.collect("policy.wav", max_digits=4).ended_by == "length"
    assert call.menu("menu.wav", options={"1": "yes", "#": "no"}).value == "yes"


def test_that_hash_counts_when_it_comes_late():
    call = FakeCall(["4711"])
    call.collect("policy.wav", max_digits=4, between_digits_s=1)
    call.sleep(2)
    call.control.keys.pressed("#", call.elapsed_s)
    assert call.menu("menu.wav", options={"1": "yes", "#": "no"}).value == "no"


def test_other_keys_are_type_ahead_for_the_next_question():
    call = FakeCall(["47112"])
    assert call.collect("policy.wav", max_digits=4).digits == "4711"
    call.sleep(1)
    assert call.menu("menu.wav", options={"1": "yes", "2": "no"}).value == "no"
    assert call.heard == ["policy.wav"]


def test_a_script_that_does_not_ask_keeps_64_keys_at_most():
    keys = FakeCall().control.keys
    for _ in range(500):
        keys.pressed("1", 0)
    keys.pressed("x", 0)
    assert len(keys) == 64


@pytest.mark.parametrize(
    "asked",
    [
        {"min_digits": 5, "max_digits": 4},
        {"max_digits": 0, "min_digits": 0},
        {"terminators": "x"},
        {"valid": "["},
        {"tries": 0},
        {"first_digit_s": 0},
        {"between_digits_s": -1},
        {"max_digits": 100_000},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(asked):
    with pytest.raises(ConfigurationError):
        FakeCall().collect("enter.wav", **asked)


# -- menus --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turns", "key", "value", "tries"),
    [
        (["1"], "1", "one", 1),
        (["12"], "12", "twelve", 1),
        (["7", "1"], "1", "one", 2),
        (["", "*"], "*", "back", 2),
        (["19", "#"], "#", "hash", 2),
    ],
)
def test_a_menu(turns, key, value, tries):
    options = {"1": "one", "12": "twelve", "*": "back", "#": "hash"}
    choice = FakeCall(turns).menu("menu.wav", options=options)
    assert (choice.outcome, choice.key, choice.value, choice.tries) == ("ok", key, value, tries)


def test_a_key_that_is_no_option_is_said_so_at_once():
    call = FakeCall(["7", "1"])
    call.menu("menu.wav", options={"1": 1}, invalid="sorry.wav", tries=2)
    assert call.heard == ["menu.wav", "sorry.wav", "menu.wav"]
    assert call.elapsed_s == pytest.approx(3 + 0.5 + 3 + 3 + 0.5)


def test_a_menu_without_an_answer():
    choice = FakeCall(["7", ""]).menu("menu.wav", options={"1": 1}, tries=2)
    assert (choice.outcome, choice.value, bool(choice)) == ("nothing", None, False)
    assert FakeCall(["7"]).menu("menu.wav", options={"1": 1}, tries=1).outcome == "invalid"


@pytest.mark.parametrize("options", [{}, {"": 1}, {"a": 1}, {"1 2": 1}])
def test_options_that_nobody_can_press_are_refused(options):
    with pytest.raises(ConfigurationError, match="menu"):
        FakeCall().menu("menu.wav", options=options)


# -- secrets ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turns", "outcome", "digits", "tries"),
    [
        (["9248"], "ok", "9248", 1),
        (["92#", "9248"], "ok", "9248", 2),
        (["", ""], "nothing", "", 2),
        (["9", "9#"], "invalid", "", 2),
        ([Press("9248", early=True)], "ok", "9248", 1),
    ],
)
def test_a_secret(turns, outcome, digits, tries):
    call = FakeCall(turns)
    result = call.collect("pin.wav", min_digits=4, max_digits=4, secret=True, tries=2)
    assert (result.outcome, result.secret.reveal(), result.tries) == (outcome, digits, tries)
    with pytest.raises(ConfigurationError, match="secret"):
        result.digits  # noqa: B018
    assert not {"cti_secret", "sensitive_dtmf"} & set(call.control.variables)


def test_a_secret_is_shown_by_nothing():
    secret = FakeCall(["9248"]).collect("pin.wav", max_digits=4, secret=True)
    for shown in (repr(secret), str(secret.secret), f"{secret.secret:>8}", f"/rec/{secret.secret}.wav"):
        assert "9248" not in shown
    assert secret.secret.matches("9248")
    assert not secret.secret.matches("9249")
    assert secret.secret == Secret("9248")
    assert secret.secret != "9248"


def test_a_secret_is_attached_to_nothing_and_names_no_file():
    call = FakeCall()
    with pytest.raises(ConfigurationError, match="'pin' is secret"):
        call.attach(pin=Secret("9248"))
    with pytest.raises(ConfigurationError, match="secrets"):
        call.record(f"/rec/{Secret('9248')}.wav")
    import copy
    import json
    import pickle

    for leak in (json.dumps, pickle.dumps, copy.copy, hash):
        with pytest.raises(TypeError):
            leak(Secret("9248"))


def test_keys_before_a_secret_were_not_secret_and_are_forgotten():
    call = FakeCall(["9248"])
    call.control.keys.pressed("1", 0)
    assert call.collect("pin.wav", max_digits=4, secret=True).secret.reveal() == "9248"


def test_a_secrets_prompt_is_files():
    from cti.script import Say

    with pytest.raises(ConfigurationError, match="files and tones"):
        FakeCall().collect(Say(4), secret=True)


def test_several_files_before_a_secret_are_played_as_one():
    call = FakeCall(["1"])
    call.collect("a.wav", "b.wav", max_digits=1, secret=True)
    assert call.heard == ["file_string://a.wav!b.wav"]


# -- the end ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [HangUp(), HangUp(early=True)])
@pytest.mark.parametrize("secret", [False, True])
def test_a_hang_up_ends_the_script(turn, secret):
    reached = []

    def script(call):
        call.collect("enter.wav", secret=secret, max_digits=4)
        reached.append(1)

    call = FakeCall([turn])
    assert call.run(script) == "caller gone"
    assert (reached, call.is_gone) == ([], True)
    # Digits after the hang-up are nobody's.
    call.control.keys.pressed("1", 99)
    assert call.run(script) == "caller gone"


def test_a_script_that_goes_round_for_ever_ends_with_the_callers_patience():
    def script(call):
        while True:
            call.menu("menu.wav", options={"1": 1})

    call = FakeCall()
    assert call.run(script) == "caller gone"
    assert call.elapsed_s == 3600


def test_a_script_that_does_nothing_for_ever_is_found_out():
    def script(call):
        while True:
            call.variable("x")

    with pytest.raises(AssertionError, match="without any time passing"):
        FakeCall().run(script)

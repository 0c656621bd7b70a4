"""Each path through the hotline, walked by callers without a switch."""

from __future__ import annotations

import sqlite3
import tomllib
from pathlib import Path
from typing import Any

import gevent
import pytest
from insurance.centre import CALLED_BACK, mailboxes

from cti import Personal
from cti.model.mailbox import BEEP, Mailbox
from cti.testing import FakeCall, HangUp, Press

from .conftest import ADA, BOB, EVE, EXAMPLES, NEVER, STRANGER, WEI


def names(call: FakeCall) -> list[str]:
    """What the caller heard, recordings by their names."""
    return [Path(each).stem if each.endswith(".wav") else each for each in call.heard]


MAILBOXES = [Mailbox(name, **settings) for name, settings in mailboxes("/sounds").items()]


class Walked(FakeCall):
    """A call that has been through the hotline."""

    ended: str


def at_desk(hotline: Any, turns: Any, number: str, **more: Any) -> Walked:
    """A caller of this number; the call when the script has ended."""
    call = Walked(turns, calling_number=number, mailboxes=MAILBOXES, **more)
    call.ended = call.run(hotline.call_in)
    return call


def test_a_vip_goes_first_and_to_their_own_adviser(hotline):
    call = at_desk(hotline(), ["2"], ADA)
    assert call.queued == [("claims", 10)]
    assert call.personal == Personal("1001", 20.0)
    assert names(call) == ["welcome", "menu", "connecting"]
    known = {"identified": True, "customer": 1, "name": "Ada Byron", "policy": "100001", "kind": "home", "vip": True}
    assert call.data == {"language": "en", **known}


def test_a_customer_whose_language_is_known_is_not_asked_for_it(hotline):
    call = at_desk(hotline(), ["0"], WEI)
    assert call.heard[0] == "/sounds/zh/welcome.wav"
    assert call.data["language"] == "zh"
    assert (call.queued, call.personal) == ([("service", 0)], Personal("1002", 20.0))


@pytest.mark.parametrize("number", [BOB, EVE])
def test_without_an_adviser_or_with_one_who_has_left_everybody_may_have_the_call(hotline, number):
    call = at_desk(hotline(), ["2"], number)
    assert (call.queued, call.personal) == ([("claims", 0)], None)


def test_policy_and_claim_by_voice(hotline):
    call = at_desk(hotline(), ["1", "1815", "2"], ADA)
    heard = names(call)
    assert heard[heard.index("pin") :] == [
        "pin",
        "your-policy",
        "en NUMBER iterated 100001",
        "policy-active",
        "en CURRENCY pronounced 1250.00",
        "due-on",
        "en CURRENT_DATE pronounced '2026-12-31 12:00:00'",
        "number-of-claims",
        "en NUMBER pronounced 1",
        "claim-examined",
        "en CURRENCY pronounced 4800.00",
        "since",
        "en CURRENT_DATE pronounced '2026-11-12 12:00:00'",
        "menu",
        "connecting",
    ]
    assert "1815" not in str(call.data)


def test_a_lapsed_policy_and_one_without_claims(hotline):
    assert "policy-lapsed" in names(at_desk(hotline(), ["1", "9248"], BOB))
    assert "no-claims" in names(at_desk(hotline(), ["1", "1357"], EVE))


def test_a_pin_that_is_wrong_three_times_is_for_an_agent(hotline):
    call = at_desk(hotline(), ["1", "0000", "1111", "2222"], ADA)
    assert names(call).count("wrong-pin") == 3
    assert "your-policy" not in names(call)
    assert call.queued == [("service", 10)]


def test_a_pin_of_another_customer_is_wrong(hotline):
    assert names(at_desk(hotline(), ["1", "1815"], BOB)).count("wrong-pin") == 1


def test_a_pin_of_which_a_digit_is_no_digit(hotline):
    call = at_desk(hotline(), ["1", "18*5", "#", "1815", "2"], ADA)
    assert "your-policy" in names(call)


def test_a_stranger_chooses_a_language_and_is_found_by_the_policy_number(hotline):
    call = at_desk(hotline(), ["2", "100003", "2"], STRANGER)
    assert call.heard[:2] == ["/sounds/en/language.wav", "/sounds/zh/language.wav"]
    assert call.heard[2] == "/sounds/zh/welcome.wav"
    assert call.data["name"] == "Bob Marsh"
    assert call.data["language"] == "zh"


@pytest.mark.parametrize("language", ["", "7", "#"])
def test_who_chooses_no_language_hears_the_first(hotline, language):
    call = at_desk(hotline(), [language, "100003", "2"], STRANGER)
    assert "/sounds/en/welcome.wav" in call.heard


def test_three_wrong_policy_numbers_and_somebody_talks_with_them(hotline):
    call = at_desk(hotline(), ["1", "999999", "999998", "999997"], STRANGER)
    assert names(call).count("no-such-policy") == 3
    assert call.queued == [("service", 0)]
    assert call.data == {"language": "en", "identified": False}


def test_a_policy_number_that_is_none(hotline):
    call = at_desk(hotline(), ["1", "12*456", "100003", "2"], STRANGER)
    assert names(call).count("invalid") == 1
    assert call.data["policy"] == "100003"


@pytest.mark.parametrize("turns", [["1", "#"], ["1", "", ""], ["1"]])
def test_a_caller_without_a_policy_gets_an_agent(hotline, turns):
    call = at_desk(hotline(), turns, STRANGER)
    assert (call.queued, call.data["identified"]) == ([("service", 0)], False)
    assert "no-such-policy" not in names(call)


@pytest.mark.parametrize("number", ["anonymous", "", "0' or '1'='1"])
def test_a_number_that_is_withheld_or_none_at_all(hotline, number):
    assert at_desk(hotline(), ["1", "#"], number).queued == [("service", 0)]


def test_outside_business_hours(hotline):
    call = at_desk(hotline(office=NEVER), [], ADA)
    assert names(call) == ["welcome", "closed", "goodbye"]
    assert (call.ended, call.queued, call.messages) == ("hung up", [], [])
    call = at_desk(hotline(office=NEVER), ["1"], ADA)
    assert names(call)[:3] == ["welcome", "closed", "leave-message"]
    assert (call.ended, call.queued, call.messages) == ("hung up", [], [("office", 180.0)])


def test_the_menu_again_and_nothing_chosen(hotline):
    call = at_desk(hotline(), ["9", "9", "5", "", ""], ADA)
    assert names(call).count("menu") == 5
    assert call.queued == [("service", 10)]


def test_keys_before_the_prompts_are_over(hotline):
    """Who knows the way types ahead: language, policy, claim."""
    call = at_desk(hotline(), [Press("1100003" + "2", early=True)], STRANGER)
    assert call.queued == [("claims", 0)]
    assert call.elapsed_s < 6


def test_a_complaint_is_talked_about_or_left_as_a_message(hotline):
    assert at_desk(hotline(), ["3", "1"], BOB).queued == [("complaints", 0)]
    assert at_desk(hotline(), ["3", "", ""], BOB).queued == [("complaints", 0)]
    call = at_desk(hotline(), ["3", "2"], BOB)
    assert (call.ended, call.queued) == ("hung up", [])
    assert call.messages == [("complaints", 180.0)]
    heard = names(call)
    assert heard[heard.index("complaint-message") :] == ["complaint-message", BEEP, "message-kept", "goodbye"]


def test_a_complaint_whose_caller_hangs_up_in_it_is_kept(hotline):
    call = at_desk(hotline(), ["3", "2"], BOB, hang_up_s=30.0)
    assert call.ended == "caller gone"
    ((mailbox, length_s),) = call.messages
    assert mailbox == "complaints"
    assert 5 < length_s < 30


def test_a_callback_from_the_menu(hotline):
    """1 agrees to the number; the adviser's screen will show who it is."""
    call = at_desk(hotline(), ["4", "1"], ADA)
    assert (call.ended, call.queued) == ("called back", [])
    assert call.called_back == [("service", ADA)]
    assert (call.data["policy"], call.data["vip"]) == ("100001", True)


def test_a_callback_to_another_number_and_one_that_is_declined(hotline):
    call = at_desk(hotline(), ["4", "2", "02079460111#", "1"], ADA)
    assert call.called_back == [("service", "02079460111")]
    call = at_desk(hotline(), ["4", "3", "0"], ADA)
    assert (call.ended, call.called_back) == ("queued", [])
    assert names(call).count("menu") == 2


def test_a_callback_to_a_number_that_no_rule_allows(hotline):
    """Refused each time, and back to the menu."""
    call = at_desk(
        hotline(), ["4", "2", "0900123456#", "0900123456#", "0900123456#", "0"], ADA, callbacks=[CALLED_BACK]
    )
    assert (call.ended, call.called_back) == ("queued", [])


def kept(database: Path, query: str) -> list[Any]:
    """What has been written, once the greenlets that write have."""
    with gevent.Timeout(10, AssertionError(f"nothing: {query}")):
        while True:
            connection = sqlite3.connect(database)
            rows = connection.execute(query).fetchall()
            connection.close()
            if rows:
                return rows
            gevent.sleep(0.01)


def test_the_survey(hotline, database):
    call = FakeCall(["7", "4"], calling_number=ADA)
    call.agent = "1002"
    assert call.run(hotline().survey) == "returned"
    assert call.data["mark"] == 4
    assert names(call) == ["survey", "invalid", "survey", "goodbye"]
    assert kept(database, "select call, agent, mark from surveys") == [("fake", "1002", 4)]
    silent = FakeCall([], calling_number=ADA)
    assert silent.run(hotline().survey) == "returned"
    assert "mark" not in silent.data


# -- the database ------------------------------------------------------------------------------------------------------


def test_a_slow_database_tells_nobody_that_they_are_unknown(hotline, database):
    """Somebody has it locked: each question costs the caller its deadline, and they get an agent."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("begin exclusive")
    try:
        call = at_desk(hotline(deadline_s=0.2), ["1", "100003"], ADA)
    finally:
        connection.close()
    assert "no-such-policy" not in names(call)
    assert "unavailable" in names(call)
    assert call.queued == [("service", 0)]


def test_a_database_that_is_not_there(hotline, tmp_path):
    call = at_desk(hotline(file=tmp_path / "nothing.db"), ["1", "100003"], ADA)
    assert names(call)[-2:] == ["unavailable", "connecting"]
    assert call.queued == [("service", 0)]
    assert not (tmp_path / "nothing.db").exists()


@pytest.mark.parametrize("lost", [("claims",), ("claims", "policies"), ("claims", "policies", "customers")])
def test_a_database_that_dies_in_the_middle(hotline, database, lost):
    """While the PIN is typed: nobody is told that it is wrong, and nothing of the status is said."""

    class Dies(FakeCall):
        def collect(self, *prompts: Any, **asked: Any) -> Any:
            connection = sqlite3.connect(database)
            connection.executescript("".join(f"drop table {table};" for table in lost))
            connection.close()
            return super().collect(*prompts, **asked)

    call = Dies(["1", "1815"], calling_number=ADA)
    assert call.run(hotline().call_in) == "queued"
    assert "unavailable" in names(call)
    assert not {"wrong-pin", "your-policy"} & set(names(call))
    assert call.queued == [("service", 10)]


def test_a_database_that_takes_no_answer_disturbs_no_caller(hotline, database):
    line = hotline()
    database.unlink()
    call = FakeCall(["5"], calling_number=ADA)
    assert call.run(line.survey) == "returned"
    assert names(call)[-1] == "goodbye"


# -- and everybody may hang up -------------------------------------------------------------------------------------------

WALKS = {
    "status": (["1", "1815", "9", "2"], ADA),
    "stranger": (["1", "999999", "12#", "100003", "1", "0000", "9248", "0"], STRANGER),
    "complaint": (["3", "2", "#"], BOB),
}


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("walk", sorted(WALKS))
def test_hanging_up_at_every_question(hotline, walk, early):
    turns, number = WALKS[walk]
    for at in range(len(turns)):
        call = at_desk(hotline(), [*turns[:at], HangUp(early=early)], number)
        assert (call.ended, call.queued) == ("caller gone", [])


@pytest.mark.parametrize("walk", sorted(WALKS))
def test_hanging_up_at_every_second(hotline, walk):
    turns, number = WALKS[walk]
    whole = at_desk(hotline(), turns, number)
    for second in range(int(whole.elapsed_s)):
        assert at_desk(hotline(), turns, number, hang_up_s=second).ended == "caller gone"


def test_every_recording_may_be_missing(hotline):
    """A tone in its place, and nothing else changes."""
    for walk, (turns, number) in WALKS.items():
        whole = at_desk(hotline(), turns, number)
        files = {each for each in whole.heard if each.startswith("/sounds")}
        without = at_desk(hotline(), turns, number, missing=files)
        assert (without.ended, without.queued, without.data) == (whole.ended, whole.queued, whole.data), walk


def test_every_recording_is_used_and_has_words():
    """Nobody has to record what no caller hears."""
    folder = EXAMPLES / "insurance"
    words = tomllib.loads((folder / "prompts.toml").read_text(encoding="utf-8"))
    code = "".join((folder / name).read_text() for name in ("hotline.py", "centre.py"))
    by_kind = {"policy": ("active", "lapsed"), "claim": ("received", "examined", "paid")}
    by_kind["callback"] = ("number", "choose", "enter", "refused", "goodbye")
    unused = {name for name in words if f'"{name}"' not in code and f"/{name}.wav" not in code}
    assert unused == {f"{kind}-{each}" for kind, them in by_kind.items() for each in them}
    assert all(text for by_language in words.values() for text in by_language.values())

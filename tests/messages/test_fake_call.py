"""Scripts that let callers leave messages, tested without a switch."""

from __future__ import annotations

from cti.model.mailbox import Mailbox
from cti.testing import FakeCall, HangUp

BOX = Mailbox("claims", greeting="greet-{language}.wav", review="review.wav", thanks="thanks.wav", max_s=30)


def script(call):
    return call.voicemail("claims")


def test_a_caller_who_hangs_up_has_left_a_message():
    call = FakeCall(hang_up_s=20.0, mailboxes=[BOX])
    assert call.run(script) == "caller gone"
    ((mailbox, length_s),) = call.messages
    assert mailbox == "claims"
    assert 10 < length_s < 20
    assert call.heard[0] == "greet-en.wav"
    assert call.control.answered


def test_a_caller_who_hangs_up_during_the_greeting_has_not():
    call = FakeCall(hang_up_s=1.0, mailboxes=[BOX])
    assert call.run(script) == "caller gone"
    assert call.messages == []


def test_a_message_is_reviewed_and_recorded_again():
    left = []
    call = FakeCall(["#", "*", "#", "1"], mailboxes=[BOX])
    call.run(lambda call: left.append(call.voicemail("claims")))
    assert [name for name, _ in call.control.executed].count("record") == 2
    assert call.heard[-1] == "thanks.wav"
    assert (left[0].kept, len(call.messages)) == (left[0].length_s >= 2.0, int(left[0].length_s >= 2.0))


def test_a_message_ends_at_its_longest():
    call = FakeCall(mailboxes=[Mailbox("claims", max_s=30)])
    assert call.run(script) == "returned"
    assert call.messages == [("claims", 30.0)]


def test_a_caller_who_begins_again_for_ever_is_let_go():
    call = FakeCall(["*"] * 20, mailboxes=[Mailbox("claims")])
    assert call.run(script) == "returned"
    assert [name for name, _ in call.control.executed].count("record") == 5


def test_a_review_prompt_that_is_missing_keeps_the_message():
    call = FakeCall(missing=["review.wav", "greet-en.wav", "thanks.wav"], mailboxes=[BOX])
    assert call.run(script) == "returned"
    assert call.messages == [("claims", 30.0)]


def test_whoever_hangs_up_at_once_is_not_kept():
    call = FakeCall([HangUp()], mailboxes=[Mailbox("claims")])
    assert call.run(script) == "caller gone"
    assert call.messages == []

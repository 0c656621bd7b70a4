"""Intents become commands, and nothing in them can become another."""

from __future__ import annotations

import attrs
import pytest

from cti.errors import LocalProtocolError
from cti.model import intents
from cti.model.cause import Cause
from cti.switch.intent_command import commands_for


def encoded(intent) -> list[str]:
    return [command.encode().decode("utf-8", "surrogateescape") for command in commands_for(intent, "cti")]


def offer(**changes) -> intents.OfferCall:
    values = {
        "switch": "s",
        "leg": "11111111-2222-4333-8444-555555555555",
        "contact": "user/1001",
        "interaction": "i",
        "agent": "alice",
        "queue": "q",
        "reservation": "i/1",
        "ring_timeout_s": 20.0,
        "calling_number": "123",
        "calling_name": "Bob",
        "called_number": "5000",
    }
    return intents.OfferCall(**{**values, **changes})


def test_an_offer_names_its_leg_its_tags_and_its_job():
    (command,) = encoded(offer())
    assert command.startswith("bgapi originate {")
    assert "user/1001 &park" in command
    for part in ("cti_node=", "cti_agent=", "cti_reservation=", "ignore_early_media=", "park_timeout="):
        assert part in command
    assert "Job-UUID: 11111111-2222-4333-8444-555555555555" in command


@pytest.mark.parametrize("agent", ["al,ice", "al}ice", "a b", "a'b", "a;b=c", "愛麗絲"])
def test_names_of_ours_are_percent_encoded_in_tags(agent):
    (command,) = encoded(offer(agent=agent))
    assert agent not in command


def test_simple_intents():
    leg = {"switch": "s", "connection": "c"}
    assert encoded(intents.AnswerConnection(**leg)) == ["api uuid_answer c\n\n"]
    assert encoded(intents.Bridge(**leg, other="o")) == ["api uuid_bridge c o\n\n"]
    kept = "api uuid_setvar_multi c park_after_bridge=true;park_timeout=\n\n"  # or FreeSWITCH may let it go in between
    assert encoded(intents.Separate(**leg, other="o")) == [
        kept,
        "api uuid_dual_transfer c park/inline park/inline\n\n",
    ]
    room = "conference:r@default/inline"
    joined = intents.JoinConference(**leg, other="o", conference="r")
    assert encoded(joined) == [kept, f"api uuid_dual_transfer c {room} {room}\n\n"]
    assert encoded(intents.ClearConnection(**leg, cause=Cause.CALL_CANCELLED)) == [
        "api uuid_kill c ORIGINATOR_CANCEL\n\n"
    ]
    assert encoded(intents.CheckConnection(**leg)) == ["api uuid_exists c\n\n"]
    assert encoded(intents.TagConnection(**leg, tags={"cti_queue": "a;b=c d"})) == [
        "api uuid_setvar_multi c cti_queue=a%3Bb%3Dc%20d\n\n"
    ]
    assert encoded(intents.DivertConnection(**leg, destination="9000")) == ["api uuid_transfer c 9000\n\n"]


def test_music_replaces_music():
    first = intents.StartTreatment("s", "c", "local_stream://moh")
    assert len(encoded(first)) == 1
    again = encoded(intents.StartTreatment("s", "c", "local_stream://moh", replace=True))
    assert again[0] == "api uuid_break c all\n\n"
    assert again[1:] == encoded(first)
    assert encoded(intents.ResumeTreatment("s", "c", "local_stream://moh")) == again
    assert encoded(intents.ResumeTreatment("s", "c", "")) == again[:1]


@pytest.mark.parametrize("destination", ["", "90 00", "9000\nexit", "a b XML public", "x;y", "90,1", "&park()"])
def test_a_destination_that_could_be_more_is_refused(destination):
    with pytest.raises(LocalProtocolError):
        commands_for(intents.DivertConnection("s", "c", destination), "cti")


@pytest.mark.parametrize("contact", ["user/1 &system(x)", "user/1\t1", "user/'1'", 'user/"1', "user/\\1", ""])
def test_a_contact_that_is_not_one_word_is_refused(contact):
    with pytest.raises(LocalProtocolError, match="contact"):
        encoded(offer(contact=contact))


def test_a_contact_with_a_line_break_is_refused():
    with pytest.raises(LocalProtocolError):
        encoded(offer(contact="user/1001\n\napi fsctl shutdown"))


def test_a_leg_may_be_parked_any_number_of_times():
    """FreeSWITCH hangs a leg up that has been transferred 70 times, and a hold is a transfer."""
    (command,) = encoded(intents.KeepCaller("s", "11111111-2222-4333-8444-555555555555", keep=True))
    assert "max_session_transfers=1000000" in command
    assert "max_session_transfers=1000000" in encoded(offer())[0]
    assert command.endswith(";park_timeout=\n\n"), (
        "a leg bridged at its answer would be let go when it is held for long"
    )


def test_the_phone_of_an_agent_who_calls_is_asked_to_answer_by_itself_and_waits_for_the_other_party():
    made = intents.MakeConnection(
        "s", "11111111-2222-4333-8444-555555555555", "user/1001", "i", 20.0, "9123", "", "9123"
    )
    assert "answer-after" not in encoded(made)[0]
    (command,) = encoded(attrs.evolve(made, agent="ann", auto_answer=True, park_s=60.0))
    assert "sip_h_Call-Info=<sip:cti>;answer-after=0" in command.replace("\\", "").replace("'", "")
    assert "park_timeout=80" in command
    assert "cti_agent=ann" in command
    assert "Call-Info" not in encoded(offer())[0]
    (command,) = encoded(attrs.evolve(offer(), auto_answer=True))
    assert "sip_h_Call-Info=<sip:cti>;answer-after=0" in command.replace("\\", "").replace("'", "")


def test_a_leg_that_stays_has_no_time_limit_and_outlives_its_bridges():
    ring = intents.MakeConnection(
        "s", "leg", "user/1001", "", 30.0, "standing", "", "ann", agent="ann", auto_answer=False, standing=True
    )
    (command,) = encoded(ring)
    for part in (
        "cti_standing=ann",
        "park_after_bridge=true",
        "uuid_bridge_park_on_cancel=true",
        "max_session_transfers=",
    ):
        assert part in command
    for part in ("park_timeout", "hangup_after_bridge", "rdnis", "cti_interaction"):
        assert part not in command


def test_a_call_is_put_through_with_a_tone_and_where_its_caller_goes_should_that_fail():
    put = intents.PutThrough("s", "leg", "i", "ann", "a b", "5000", tone=True)
    tags = "api uuid_setvar_multi leg cti_interaction=i;cti_queue=a%20b;rdnis=5000\n\n"
    tone, tagged = encoded(put)
    assert tone == "api uuid_displace leg start tone_stream://%(180,40,1000) 0 mux\n\n"
    assert tagged == tags
    assert encoded(attrs.evolve(put, tone=False)) == [tags]
    assert encoded(attrs.evolve(put, tone=False, called_number="5000;x=y"))[0].endswith("rdnis=\n\n")


def test_between_calls_a_leg_that_stays_is_nobodys_and_may_hear_music():
    cleared = "api uuid_setvar_multi leg cti_interaction=;cti_queue=;rdnis=\n\n"
    assert encoded(intents.StandBy("s", "leg")) == [cleared]
    played = "api uuid_transfer leg 'm:|:playback:local_stream://moh|park' inline\n\n"
    assert encoded(intents.PlayBetweenCalls("s", "leg", "local_stream://moh")) == [played]

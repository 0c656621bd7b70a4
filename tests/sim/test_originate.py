"""``originate``: dial strings, variables, phones, and the causes it ends with."""

from __future__ import annotations

import pytest

from cti.sim import Behaviour
from cti.sim.arguments import bracketed, separate

from .client import Client

QUICK = Behaviour(answer_s=(0.1, 0.1))


@pytest.fixture
def phone(switch):
    return switch.phones.add("user/1001@cti.internal", QUICK)


def originate(client: Client, text: str, seconds: float = 5.0) -> str:
    client.command(f"bgapi originate {text}\nJob-UUID: job")
    client.run(seconds)
    return client.job("job")


# What FreeSWITCH 1.11.1 made of each (a live originate to a dead port, the variable read from CHANNEL_CREATE).
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("'Ada, L.'", "Ada"),  # the quotes are gone when the commas are looked for
        (r"'Ada\, L.'", "Ada, L."),
        (r"'O\'Brien, A'", "O'Brien"),
        ("a;b", "a;b"),
        ("'it''s'", "its"),
        ("'{br}ace'", "{br}ace"),
        ("'br[a]cket'", "br[a]cket"),
        ("'per%2Ccent'", "per%2Ccent"),
        ("'pi|pe'", "pi|pe"),
        (r"'back\\slash'", "back lash"),
        ("' lead'", "lead"),
    ],
)
def test_a_variable_is_read_as_freeswitch_reads_it(switch, client, phone, written, read):
    job = originate(
        client, f"{{origination_uuid=u1,origination_caller_id_name={written},zz=1}}user/1001@cti.internal &park()"
    )
    assert job == "+OK u1\n"
    (event,) = client.events("CHANNEL_CREATE")
    assert event["variable_origination_caller_id_name"] == read
    assert event["Caller-Caller-ID-Name"] == read
    assert event["variable_zz"] == "1"


@pytest.mark.parametrize("written", ["plain space", '"dq, x"'])
def test_a_space_outside_quotes_ends_the_dial_string(client, phone, written):
    assert not originate(client, f"{{a={written},zz=1}}user/1001@cti.internal &park()").startswith("+OK")


def test_braces_may_be_repeated_nested_and_bring_their_own_delimiter():
    assert bracketed("{a=1}{b={x}}rest", "{", "}") == ({"a": "1", "b": "{x}"}, "rest")
    assert bracketed("{^^:a=1,2:b=3}rest", "{", "}") == ({"a": "1,2", "b": "3"}, "rest")
    assert bracketed("{a=1", "{", "}") is None
    assert bracketed("rest", "{", "}") == ({}, "rest")


def test_pieces_are_cut_at_the_limit_and_cleaned():
    assert separate("a  'b c' d e", " ", 3) == ["a", "b c", "d e"]
    assert separate(r"x\,y, 'p,q' ,r", ",") == ["x,y", "p,q", "r"]
    assert separate("a;;b=c;", ";") == ["a", "", "b=c"]
    assert separate("", ",") == []


def test_an_answered_leg_parks_and_carries_our_name_and_variables(client, phone):
    assert originate(client, "{origination_uuid=leg,cti_agent=a1}user/1001@cti.internal &park()") == "+OK leg\n"
    assert client.names("leg") == ["CHANNEL_CREATE", "CHANNEL_ANSWER", "CHANNEL_PARK"]
    assert client.events("CHANNEL_PARK")[0]["variable_cti_agent"] == "a1"
    assert (phone.offered, phone.answers) == (1, 1)


@pytest.mark.parametrize(
    ("dial", "cause"),
    [
        ("user/1009@cti.internal", "SUBSCRIBER_ABSENT"),
        ("user/1002@cti.internal", "USER_NOT_REGISTERED"),
        ("sofia/nosuch/x@y", "INVALID_PROFILE"),
        ("nosuch/1", "CHAN_NOT_IMPLEMENTED"),
        ("error/user_busy", "USER_BUSY"),
        ("{a=1", "DESTINATION_OUT_OF_ORDER"),
    ],
)
def test_without_a_phone_there_is_no_channel_but_a_cause(switch, client, dial, cause):
    switch.phones.add("user/1002@cti.internal", registered=False)
    assert originate(client, f"{dial} &park()") == f"-ERR {cause}\n"
    assert client.names() == ["BACKGROUND_JOB"]


def test_where_nothing_listens_the_channel_ends_at_once(client):
    assert originate(client, "sofia/agents/x@127.0.0.1:1 &park()") == "-ERR NORMAL_TEMPORARY_FAILURE\n"
    assert client.names() == [
        "CHANNEL_CREATE", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "BACKGROUND_JOB", "CHANNEL_DESTROY",
    ]  # fmt: skip


def test_a_user_without_a_domain_is_one_of_ours(switch, client):
    switch.phones.add("user/1002", QUICK)
    originate(client, "{origination_uuid=leg}user/1002 &park()")
    assert client.events("CHANNEL_CREATE", "leg")[0]["Channel-Presence-ID"] == "1002@cti.internal"


def test_a_uuid_in_use_is_refused_and_the_old_leg_stays(client, phone):
    originate(client, "{origination_uuid=leg}user/1001@cti.internal &park()")
    client.heard.events.clear()
    assert (
        originate(client, "{origination_uuid=leg}user/1001@cti.internal &park()") == "-ERR DESTINATION_OUT_OF_ORDER\n"
    )
    assert client.names() == ["BACKGROUND_JOB"]
    assert client.api("uuid_exists leg") == "true"


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [(Behaviour(busy=1.0), ("USER_BUSY", "486")), (Behaviour(rejects=1.0), ("CALL_REJECTED", "603"))],
)
def test_a_phone_that_refuses(client, phone, behaviour, told):
    phone.behaviour = behaviour
    cause, status = told
    assert originate(client, "{origination_uuid=leg}user/1001@cti.internal &park()") == f"-ERR {cause}\n"
    (hangup,) = client.events("CHANNEL_HANGUP")
    assert (hangup["Hangup-Cause"], hangup["variable_sip_term_status"]) == (cause, status)
    assert (phone.rejections, phone.cancelled) == (1, 0)


def test_originate_timeout_compares_whole_seconds_and_ends_with_no_answer(switch, client, phone):
    phone.behaviour = Behaviour(no_answer=1.0)
    client.run(0.6)
    assert (
        originate(client, "{originate_timeout=2,origination_uuid=leg}user/1001@cti.internal &park()")
        == "-ERR NO_ANSWER\n"
    )
    created, hung = client.events("CHANNEL_CREATE")[0], client.events("CHANNEL_HANGUP")[0]
    rang_us = int(hung["Event-Date-Timestamp"]) - int(created["Event-Date-Timestamp"])
    assert 1_000_000 <= rang_us < 2_000_000
    assert hung["Hangup-Cause"] == "NO_ANSWER"
    assert phone.cancelled == 1


def test_a_killed_leg_ends_the_job_with_its_cause_and_never_parks(client, phone):
    client.command("bgapi originate {origination_uuid=leg}user/1001@cti.internal &park()\nJob-UUID: job")
    client.run(0.05)
    assert client.api("uuid_kill leg ORIGINATOR_CANCEL") == "+OK\n"
    client.run(5)
    assert client.job("job") == "-ERR ORIGINATOR_CANCEL\n"
    assert client.names("leg") == ["CHANNEL_CREATE", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"]


def test_a_kill_before_the_channel_exists_is_not_remembered(client, phone):
    assert client.api("uuid_kill leg") == "-ERR No such channel!\n"
    assert originate(client, "{origination_uuid=leg}user/1001@cti.internal &park()") == "+OK leg\n"


def test_a_phone_that_hangs_up_right_after_its_answer_never_parks(switch, client, phone):
    client.command("bgapi originate {origination_uuid=leg}user/1001@cti.internal &park()\nJob-UUID: job")
    while not client.events("CHANNEL_ANSWER"):
        client.run(0.001)
    phone.hang_up(switch.channels["leg"])
    client.run(1)
    assert client.job("job") == "-ERR NORMAL_CLEARING\n"
    assert client.events("CHANNEL_PARK") == []


def test_of_several_phones_the_first_to_answer_wins_and_the_next_group_waits(switch, client):
    slow = switch.phones.add("user/1@x", Behaviour(answer_s=(1, 1)))
    fast = switch.phones.add("user/2@x", Behaviour(answer_s=(0.1, 0.1)))
    busy = switch.phones.add("user/3@x", Behaviour(busy=1.0))
    assert originate(client, "user/3@x|user/1@x,[cti_agent=a2]user/2@x &park()").startswith("+OK ")
    assert (busy.offered, slow.offered, fast.answers, slow.cancelled) == (1, 1, 1, 1)
    (parked,) = client.events("CHANNEL_PARK")
    assert parked["variable_cti_agent"] == "a2"
    assert {e["Hangup-Cause"] for e in client.events("CHANNEL_HANGUP")} == {"USER_BUSY", "LOSE_RACE"}


def test_an_answered_leg_plays_or_goes_to_an_extension(client, phone):
    assert (
        originate(client, "{origination_uuid=a}user/1001@cti.internal &playback(tone_stream://%(1000,0,440))")
        == "+OK a\n"
    )
    assert client.names("a")[2:5] == ["PLAYBACK_START", "PLAYBACK_STOP", "CHANNEL_HANGUP"]
    client.heard.events.clear()
    assert originate(client, "{origination_uuid=b}user/1001@cti.internal 5000 XML callers") == "+OK b\n"
    (parked,) = client.events("CHANNEL_PARK", "b")
    assert parked["variable_cti_node"] == "cti"


def test_park_timeout_clears_an_orphan(client, phone):
    originate(client, "{origination_uuid=leg,park_timeout=3:ALLOTTED_TIMEOUT}user/1001@cti.internal &park()", 10)
    (hangup,) = client.events("CHANNEL_HANGUP", "leg")
    assert hangup["Hangup-Cause"] == "ALLOTTED_TIMEOUT"


def test_too_few_or_too_many_words_show_the_usage(client):
    assert client.api("originate user/1001@x").startswith("-USAGE: <call url>")
    assert client.api("originate a b c d e f g h").startswith("-USAGE: <call url>")

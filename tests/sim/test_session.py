"""The event-socket protocol, from the server's side."""

from __future__ import annotations

import json

import pytest

from cti.sim import SimulatedSwitch, VirtualScheduler

from .client import Client

GHOST = "11111111-2222-3333-4444-555555555555"


def test_a_session_is_greeted_and_logs_in(switch):
    client = Client(switch, log_in=False)
    assert client.raw == b"Content-Type: auth/request\n\n"
    assert client.command("auth ClueCon") == "+OK accepted"
    assert client.raw.endswith(b"\n\nContent-Type: command/reply\nReply-Text: +OK accepted\n\n")
    assert client.command("auth ClueCon") == "-ERR command not found"


def test_a_wrong_password_ends_the_connection_with_a_notice(switch):
    client = Client(switch, log_in=False)
    assert client.command("auth wrong") == "-ERR invalid"
    assert client.raw.endswith(
        b"Content-Type: text/disconnect-notice\nContent-Length: 67\n\n"
        b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
    )
    assert client.closed_by_switch
    assert switch.sessions == []


def test_before_the_login_every_command_is_unknown(switch):
    client = Client(switch, log_in=False)
    for text in ("api status", "event json ALL", "noop", "sendmsg x", "bgapi status"):
        assert client.command(text) == "-ERR command not found"


def test_a_client_that_says_nothing_is_disconnected_after_25_s_and_one_that_spoke_is_not(switch):
    silent, garbled = Client(switch, log_in=False), Client(switch, log_in=False)
    garbled.command("hello")
    silent.run(30)
    assert silent.closed_by_switch
    assert not garbled.closed_by_switch


def test_a_user_logs_in_in_either_spelling(switch):
    switch.users["op@cti.internal"] = "secret"
    for text in ("op@cti.internal:secret", "op:secret@cti.internal"):
        client = Client(switch, log_in=False)
        assert client.command(f"userauth {text}") == "+OK accepted"
        assert b"\nAllowed-Events: all\nAllowed-API: all\n\n" in client.raw
    assert Client(switch, log_in=False).command("userauth op@cti.internal:no") == "-ERR invalid"


def test_the_access_list_rejects_rudely(switch):
    switch.reject_connections = True
    client = Client(switch, log_in=False)
    assert client.raw.startswith(
        b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
        b"Content-Type: text/disconnect-notice\n"
    )
    assert client.closed_by_switch


def test_line_feeds_between_commands_are_nothing(client):
    before = client.raw
    client.write(b"\n\n\r\n\n")
    client.run(1)
    assert client.raw == before
    assert client.command("\n\napi echo x") == "x"


def test_commands_may_come_in_any_pieces(switch):
    whole = (
        b"api echo one\n\nsendmsg %b\ncall-command: execute\ncontent-length: 3\n\na\n\napi echo two\n\n"
        % GHOST.encode()
    )
    for size in range(1, len(whole)):
        client = Client(switch)
        for start in range(0, len(whole), size):
            client.write(whole[start : start + size])
        client.run(0.1)
        assert client.heard.replies[1:] == ["one", f"-ERR invalid session id [{GHOST}]", "two"]


def test_carriage_returns_are_forgiven_and_mixed_line_ends_merge_lines(client):
    assert client.command("api echo x\r\n\r") == "x"
    client.command("event json CUSTOM a::b")
    client.write(b"sendevent CUSTOM\nEvent-Subclass: a::b\nA: 1\r\n\r\n")
    client.run(1)
    assert client.heard.events == []
    client.write(b"sendevent CUSTOM\r\nEvent-Subclass: a::b\r\nA: 1\r\n\r\n")
    client.run(1)
    assert client.heard.events[-1]["Event-Subclass"] == "a::b"


def test_events_wait_for_an_api_command_on_their_own_connection_only(switch, client):
    other = Client(switch, events="CHANNEL_CREATE")
    client.write(b"api msleep 1000\n\n")
    switch.incoming()
    client.run(0.5)
    assert other.names() == ["CHANNEL_CREATE"]
    assert client.names() == []
    client.run(0.6)
    assert client.heard.replies[-1] == "+OK"
    assert client.names() == ["CHANNEL_CREATE", "CHANNEL_PARK"]


def test_commands_behind_a_slow_one_wait_their_turn(client):
    client.write(b"api msleep 500\n\napi echo after\n\n")
    client.run(0.4)
    assert client.heard.replies[-1] == "+OK event listener enabled json"
    client.run(0.2)
    assert client.heard.replies[-2:] == ["+OK", "after"]


def test_what_a_command_brings_about_comes_after_its_answer(switch, client):
    channel = switch.incoming().channel
    client.run(0.1)
    mark = len(client.raw)
    client.api(f"uuid_answer {channel.uuid}")
    client.run(0.1)
    answer, event = client.raw[mark:].index(b"api/response"), client.raw[mark:].index(b"CHANNEL_ANSWER")
    assert answer < event


def test_a_job_is_acknowledged_before_its_result_and_keeps_the_id_we_chose(client):
    assert client.command("bgapi echo a b\nJob-UUID: mine") == "+OK Job-UUID: mine"
    assert b"Reply-Text: +OK Job-UUID: mine\nJob-UUID: mine\n\n" in client.raw
    client.run(0.1)
    (event,) = client.events("BACKGROUND_JOB")
    assert (event["Job-UUID"], event["Job-Command"], event["Job-Command-Arg"]) == ("mine", "echo", "a b")
    assert (event["_body"], event["Content-Length"]) == ("a b", "3")
    assert len(client.command("bgapi echo").removeprefix("+OK Job-UUID: ")) == 36


def test_everybody_hears_of_a_job_even_when_its_owner_has_gone(switch, client):
    owner = Client(switch)
    owner.command("bgapi msleep 100\nJob-UUID: j")
    owner.session.close()
    client.run(1)
    assert client.job("j") == "+OK"


def test_subscriptions_add_up_and_are_taken_back(switch):
    client = Client(switch)
    assert client.command("event json NOSUCH CHANNEL_CREATE") == "+OK event listener enabled json"
    assert client.command("events SWITCH_EVENT_CHANNEL_PARK nosuch") == "+OK event listener enabled json"
    switch.incoming()
    client.run(0.1)
    assert client.names() == ["CHANNEL_CREATE", "CHANNEL_PARK"]
    assert client.command("nixevent CHANNEL_PARK") == "+OK events nixed"
    switch.incoming()
    client.run(0.1)
    assert client.names() == ["CHANNEL_CREATE", "CHANNEL_PARK", "CHANNEL_CREATE"]
    assert client.command("noevents") == "+OK no longer listening for events"
    switch.incoming()
    client.run(0.1)
    assert len(client.names()) == 3


def test_everything_after_custom_is_a_subclass_and_its_case_matters(switch):
    client = Client(switch, events="CUSTOM cti::a BACKGROUND_JOB")
    client.command("bgapi echo x")
    client.command("sendevent CUSTOM\nEvent-Subclass: cti::A")
    client.command("sendevent CUSTOM\nEvent-Subclass: cti::b")
    reply = client.command("sendevent CUSTOM\nEvent-Subclass: cti::a\nX: 1\nEvent-UUID: u1\ncontent-length: 2\n\nhi")
    client.run(0.1)
    assert reply == "+OK u1"
    (event,) = client.heard.events
    assert (event["Event-Subclass"], event["_body"], event["Event-Name"]) == ("cti::a", "hi", "CUSTOM")
    bare = Client(switch, events="CUSTOM")
    client.command("sendevent CUSTOM\nEvent-Subclass: cti::a")
    client.run(0.1)
    assert bare.heard.events == []


def test_filters_or_together_and_drop_what_lacks_the_header(switch, client):
    first, second, third = (switch.incoming(calling_number=number).channel.uuid for number in "123")
    client.run(0.1)
    client.heard.events.clear()
    assert client.command(f"filter Unique-ID {first.upper()}") == f"+OK filter added. [Unique-ID]=[{first.upper()}]"
    client.command(f"filter add Unique-ID /^{second[:8]}/")
    client.command("bgapi echo x")
    for uuid in (first, second, third):
        client.api(f"uuid_kill {uuid}")
    client.run(0.1)
    assert {event["Unique-ID"] for event in client.heard.events} == {first, second}
    client.command("filter delete all")
    client.command("filter Event-Name -CHANNEL_CREATE")
    switch.incoming()
    client.heard.events.clear()
    client.run(0.1)
    assert client.heard.events == []  # nothing but filters that keep out: nothing comes in
    assert client.command("filter delete Event-Name") == "+OK filter deleted. [Event-Name][]"
    assert client.command("filter x") == "-ERR invalid syntax"


def test_a_plain_event_says_the_same_as_a_json_one(switch, client):
    plain = Client(switch)
    plain.command("event plain CHANNEL_PARK")
    switch.incoming(calling_name="50% off: a,b\n[x] %0A %zz \xe9")
    client.run(0.1)
    assert b"Content-Type: text/event-plain\n\nEvent-Name: CHANNEL_PARK\n" in plain.raw
    lines = plain.raw.decode().split("\n")
    assert "Caller-Caller-ID-Name: 50%25%20off%3A%20a,b%0A%5Bx%5D%20%0A%20%25zz%20%C3%A9" in lines
    assert client.events("CHANNEL_PARK")[0]["Caller-Caller-ID-Name"] == "50% off: a,b\n[x] %0A %zz \xe9"


def test_bytes_that_are_not_utf_8_go_out_raw_in_json_and_encoded_in_plain(switch):
    as_json, plain = Client(switch), Client(switch)
    as_json.session.on_send = lambda data: setattr(as_json, "raw", as_json.raw + data)
    as_json.write(b"event json CHANNEL_PARK\n\n")
    plain.command("event plain CHANNEL_PARK")
    switch.incoming(calling_name=b"J\xf6rg".decode("utf-8", "surrogateescape"))
    plain.run(0.1)
    assert b'"Caller-Caller-ID-Name":"J\xf6rg"' in as_json.raw
    head, _, body = as_json.raw.rpartition(b"text/event-json\n\n")
    assert int(head.rsplit(b"Content-Length: ", 1)[1].split(b"\n")[0]) == len(body)
    assert b"\nCaller-Caller-ID-Name: J%F6rg\n" in plain.raw


def test_exit_says_goodbye_and_closes(client):
    assert client.command("exit") == "+OK bye"
    assert client.closed_by_switch
    client.write(b"api echo late\n\n")
    client.run(1)
    assert b"late" not in client.raw


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("log info", "+OK log level info [6]"),
        ("log 99", "+OK log level 99 [63]"),
        ("log loud", "-ERR invalid log level"),
        ("linger 5", "-ERR not controlling a session"),
        ("frobnicate", "-ERR command not found"),
    ],
)
def test_other_commands_answer_as_freeswitch_does(client, text, reply):
    assert client.command(text) == reply


# -- faults ------------------------------------------------------------------------------------------------------------


def test_a_silent_switch_takes_bytes_and_writes_none(switch, client):
    switch.silent = True
    before = client.raw
    client.write(b"api echo x\n\n")
    switch.incoming()
    client.run(60)
    assert client.raw == before
    assert not client.closed_by_switch


def test_late_replies_keep_their_order(switch, client):
    switch.reply_delay_s = 2.0
    client.write(b"api echo one\n\nnoop\n\napi echo two\n\n")
    client.run(1.9)
    assert client.heard.replies[-1] == "+OK event listener enabled json"
    client.run(4.2)
    assert client.heard.replies[-3:] == ["one", "-ERR command not found", "two"]


def test_a_polling_switch_lets_events_wait_unless_a_line_feed_wakes_it():
    switch = SimulatedSwitch(VirtualScheduler(), seed=3, heartbeat_s=0)
    switch.event_poll_s = 0.02
    nudging, waiting = (Client(switch, events="CHANNEL_CREATE") for _ in range(2))
    delays = []
    for _ in range(50):
        switch.incoming()
        started = switch.scheduler.now()
        nudging.write(b"\n")
        count = len(nudging.names())
        while len(waiting.names()) < count:
            switch.scheduler.run_next()
        delays.append(switch.scheduler.now() - started)
    assert len(nudging.names()) == 50
    assert 0.005 < sum(delays) / len(delays) < 0.015
    assert max(delays) <= 0.02


def test_refused_logins_and_a_restart(switch, client):
    caller = switch.incoming()
    client.run(0.1)
    core = client.events("CHANNEL_PARK")[0]["Core-UUID"]
    switch.restart()
    assert client.closed_by_switch
    assert (caller.ended, caller.channel.up, switch.channels) == (True, False, {})
    assert "CHANNEL_HANGUP" not in client.names()
    switch.refuse_logins = True
    assert Client(switch, log_in=False).command("auth ClueCon") == "-ERR invalid"
    switch.refuse_logins = False
    again = Client(switch, events="CHANNEL_PARK")
    switch.incoming()
    again.run(0.1)
    (event,) = again.heard.events
    assert event["Core-UUID"] != core
    assert json.loads(again.api("show channels as json"))["row_count"] == 1


def test_a_client_may_answer_from_inside_a_write(switch):
    scheduler = switch.scheduler
    session = switch.connect()
    got = []

    def react(data: bytes) -> None:
        got.append(data)
        if b"auth/request" in data:
            session.receive(b"auth ClueCon\n\nevent json CHANNEL_PARK\n\n")
        elif b"CHANNEL_PARK" in data:
            session.receive(b"api hupall\n\n")

    session.on_send = react
    scheduler.run_for(0.1)
    channel = switch.incoming().channel
    assert channel.up  # what was written from inside the write happens after it
    scheduler.run_for(0.1)
    assert got[-1].endswith(b"\n\n+OK hangup all channels with cause MANAGER_REQUEST\n")
    assert switch.channels == {}

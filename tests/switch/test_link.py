"""One connection against a switch that answers late, wrongly, half, or not at all: nobody hangs, no reply is mistaken."""

from __future__ import annotations

import logging
from contextlib import contextmanager

import gevent
import pytest
import structlog
from gevent import event, socket

from cti.errors import (
    AccessDenied,
    AuthenticationFailed,
    CommandTimeout,
    ConnectFailed,
    FellBehind,
    LinkClosed,
    RemoteProtocolError,
)
from cti.esl import Api, BgApi
from cti.promise import Promise
from cti.switch import Link

from .fake_switch import GREETING, NOTICE, PASSWORD, REJECTION, fake_switch


@pytest.fixture(autouse=True)
def _nobody_hangs():
    with gevent.Timeout(10):
        yield


@contextmanager
def linked(script, *, timeout=2.0, **options):
    """A link that was let in; ``script`` is what the switch does then."""

    def serve(client):
        client.let_in()
        script(client)

    with fake_switch(serve) as (host, port):
        link = Link(host, port, PASSWORD, timeout, **options)
        link.connect()
        yield link
        link.close()


def refused(script, *, timeout=0.2, host="127.0.0.1"):
    """What connecting to this switch raises."""
    with fake_switch(script, host=host) as (where, port):
        link = Link(where, port, PASSWORD, timeout)
        with pytest.raises(Exception) as caught:
            link.connect()
        assert not link.connected
        assert link.closed_by is not None
        assert PASSWORD not in f"{caught.value!r} {link!r} {link.closed_by}"
        return caught.value


# -- opening ----------------------------------------------------------------------------------------------------------


def test_nothing_listens():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        link = Link("127.0.0.1", unused.getsockname()[1], PASSWORD)
        with pytest.raises(ConnectFailed, match="Is FreeSWITCH running"):
            link.connect()
    with pytest.raises(LinkClosed, match="not open"):
        link.request(b"api version\n\n")


def test_silent_after_the_accept():
    error = refused(lambda client: client.stay())
    assert isinstance(error, ConnectFailed)
    assert "said nothing" in str(error)


def test_closed_before_the_greeting():
    error = refused(lambda _: None)
    assert isinstance(error, ConnectFailed)
    assert "closed the connection" in str(error)


def test_refused_by_the_access_list():
    error = refused(lambda client: client.write(REJECTION))
    assert isinstance(error, AccessDenied)
    assert "apply-inbound-acl" in str(error)
    assert not error.retryable


def test_a_wrong_password_though_the_switch_hangs_up_at_once():
    def script(client):
        client.write(GREETING)
        client.line()
        body = b"Disconnected, goodbye.\nSee you at ClueCon!\n"
        client.write(b"Content-Type: command/reply\nReply-Text: -ERR invalid\n\n" + NOTICE % (len(body), body))

    error = refused(script)
    assert isinstance(error, AuthenticationFailed)
    assert not error.retryable


def test_the_answer_to_the_password_never_comes():
    def script(client):
        client.write(GREETING)
        client.stay()

    error = refused(script)
    assert isinstance(error, CommandTimeout)
    assert "'auth'" in str(error)


def test_a_web_server():
    error = refused(lambda client: client.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"))
    assert isinstance(error, ConnectFailed)
    assert "does not greet as FreeSWITCH does" in str(error)


def test_another_greeting():
    assert isinstance(refused(lambda client: client.reply("+OK hello")), ConnectFailed)


def test_half_a_greeting():
    error = refused(lambda client: client.write(GREETING[:9]))
    assert isinstance(error, ConnectFailed)
    assert "eof-in-header" in str(error)


def test_ipv6():
    def script(client):
        client.let_in()
        client.line()
        client.api("yes")

    try:
        with fake_switch(script, host="::1") as (host, port):
            link = Link(host, port, PASSWORD, 2)
            link.connect()
            assert link.request(Api("version").encode()).text == "yes"
            assert f"[::1]:{port}" in repr(link)
            link.close()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")


# -- the connection ends ----------------------------------------------------------------------------------------------


def pending_on(link, count=3):
    """So many commands in flight."""
    waiting = [Promise() for _ in range(count)]
    for number, promise in enumerate(waiting):
        link.submit(Api("echo", str(number)).encode(), promise.settle)
    return waiting


def ended_by(script):
    """The error that the commands in flight end with."""
    closed = []
    with linked(script, on_closed=closed.append) as link:
        waiting = pending_on(link)
        errors = []
        for promise in waiting:
            with pytest.raises(Exception) as caught:
                promise.wait(5)
            errors.append(caught.value)
        assert closed == [link.closed_by]
        assert all(error is link.closed_by for error in errors)
        with pytest.raises(type(errors[0])):
            link.request(b"api version\n\n")
        assert link.in_flight == 0
        return errors[0]


def test_closed_while_commands_wait():
    error = ended_by(lambda client: client.line())
    assert isinstance(error, LinkClosed)


def test_half_a_frame_and_the_end():
    def script(client):
        client.line()
        client.write(b"Content-Type: api/response\nContent-Length: 10\n\nhalf")

    error = ended_by(script)
    assert isinstance(error, RemoteProtocolError)
    assert error.kind == "eof-in-body"


def test_not_the_protocol_any_more():
    error = ended_by(lambda client: client.write(b"nonsense without a colon\n\n") or client.stay())
    assert isinstance(error, RemoteProtocolError)
    assert error.kind == "malformed-header-line"


def test_a_second_greeting():
    error = ended_by(lambda client: client.write(GREETING) or client.stay())
    assert isinstance(error, RemoteProtocolError)
    assert error.kind == "unexpected-greeting"


def test_the_switch_is_shut_down():
    body = b"The system is being shut down.\n"
    error = ended_by(lambda client: client.write(NOTICE % (len(body), body)) or client.stay())
    assert isinstance(error, LinkClosed)
    assert "The system is being shut down." in str(error)


def test_a_lingering_socket_is_not_the_end():
    notice = b"Content-Type: text/disconnect-notice\nContent-Disposition: linger\nContent-Length: 0\n\n"

    def script(client):
        client.write(notice)
        client.line()
        client.api("still here")
        client.stay()

    with linked(script) as link:
        assert link.request(Api("x").encode()).text == "still here"


def test_we_close_while_commands_wait():
    with linked(lambda client: client.stay()) as link:
        waiting = pending_on(link)
        gevent.spawn(link.close)
        for promise in waiting:
            with pytest.raises(LinkClosed, match="closed by us"):
                promise.wait(5)


def test_a_reply_nobody_asked_for():
    with linked(lambda client: client.reply("+OK surprise") or client.stay()) as link:
        gone = event.Event()
        link._on_closed = lambda _: gone.set()
        assert gone.wait(5)
        assert isinstance(link.closed_by, RemoteProtocolError)
        assert link.closed_by.kind == "unsolicited-reply"


# -- deadlines --------------------------------------------------------------------------------------------------------


def test_a_reply_that_never_comes_closes_the_link_and_frees_everybody():
    with linked(lambda client: client.stay()) as link:
        first = Promise()
        link.submit(Api("lost").encode(), first.settle, timeout=0.03)
        for promise in (first, *pending_on(link, 2)):
            with pytest.raises(CommandTimeout, match="'api lost'"):
                promise.wait(5)
        assert not link.connected


def _expire(link):
    link._pending.oldest.deadline = 0.0
    link._look()
    return True


def test_a_late_reply_goes_to_nobody():
    late = event.Event()

    def script(client):
        client.line()
        late.wait()
        client.api("late")
        client.stay()

    with linked(script) as link:
        with pytest.raises(CommandTimeout, match="'api slow'"):
            link.request(Api("slow").encode(), timeout=0.03)
        late.set()
        with pytest.raises(CommandTimeout):
            link.request(Api("next").encode())


def test_a_short_deadline_counts_from_when_its_turn_comes():
    go_on = event.Event()

    def script(client):
        client.line()
        go_on.wait()
        client.api("the slow one")
        client.line()
        client.api("the quick one")
        client.stay()

    with linked(script) as link:
        slow, quick = Promise(), Promise()
        link.submit(Api("slow").encode(), slow.settle, timeout=60)
        link.submit(Api("quick").encode(), quick.settle, timeout=0.05)
        with pytest.raises(gevent.Timeout):
            quick.wait(0.1)
        go_on.set()
        assert slow.wait(5).text == "the slow one"
        assert quick.wait(5).text == "the quick one"


def test_a_long_deadline_hides_no_later_one():
    """A watch that sleeps until the first command's deadline would find the second one's an hour late."""

    def script(client):
        client.line()
        client.api("at once")
        client.stay()

    with linked(script) as link:
        assert link.request(Api("patient").encode(), timeout=3600).text == "at once"
        with pytest.raises(CommandTimeout):
            link.request(Api("impatient").encode(), timeout=0.03)


# -- commands ---------------------------------------------------------------------------------------------------------


def echo(client):
    for line in client.read_on():
        client.api(line.rpartition(" ")[2])


def test_ten_thousand_commands_in_flight_are_answered_without_a_mismatch():
    with linked(echo) as link:
        answers = []
        done = event.Event()

        def take(number, reply):
            answers.append((number, reply if isinstance(reply, Exception) else reply.text))
            if len(answers) == 10_000:
                done.set()

        for number in range(10_000):
            link.submit(Api("echo", str(number)).encode(), lambda reply, n=number: take(n, reply))
        assert done.wait(8)
        assert answers == [(number, str(number)) for number in range(10_000)]


def test_replies_arrive_in_pieces_among_events():
    def script(client):
        lines = [client.line(), client.line()]
        stream = bytearray()
        for line in lines:
            body = line.encode()
            stream += b'Content-Length: 26\nContent-Type: text/event-json\n\n{"Event-Name":"HEARTBEAT"}'
            stream += b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(body), body)
        for at in range(0, len(stream), 7):
            client.write(bytes(stream[at : at + 7]))
        client.stay()

    seen = []
    with linked(script, on_event=seen.append) as link:
        waiting = pending_on(link, 2)
        assert [promise.wait(5).text for promise in waiting] == ["api echo 0", "api echo 1"]
        assert [frame.event.name for frame in seen] == ["HEARTBEAT", "HEARTBEAT"]


def test_a_command_of_six_megabytes_is_written_to_the_end_and_nothing_lands_in_it():
    length = 6_000_025

    def script(client):
        got = 0
        gevent.sleep(0)
        while got < length + len(b"api after\n\n"):
            data = client.sock.recv(1 << 16)
            assert b"\n\n" not in data or got + len(data) >= length
            got += len(data)
        client.api("big")
        client.api("after")
        client.stay()

    with linked(script) as link:
        answers = [Promise(), Promise()]
        command = b"api x ".ljust(length - 2, b"y") + b"\n\n"
        link.submit(command, answers[0].settle)
        link.nudge()
        link.submit(Api("after").encode(), answers[1].settle)
        assert [answer.wait(8).text for answer in answers] == ["big", "after"]


def test_a_switch_that_does_not_read_costs_us_no_memory():
    with linked(lambda client: client.stay()) as link:
        answer = Promise()
        for _ in range(5):
            link.submit(b"api x ".ljust(6_000_000, b"y") + b"\n\n", answer.settle)
        with pytest.raises(LinkClosed, match="does not read"):
            answer.wait(5)


def test_a_body_that_is_not_utf_8():
    def script(client):
        client.line()
        client.write(b"Content-Type: api/response\nContent-Length: 4\n\n\xff\xfeab")
        client.stay()

    with linked(script) as link:
        frame = link.request(Api("x").encode())
        assert frame.body == b"\xff\xfeab"
        assert frame.text.encode("utf-8", "surrogateescape") == frame.body


def test_nudges_mean_nothing():
    heard = []

    def script(client):
        heard.append(client.sock.recv(100))
        client.write(b"")
        heard.append(client.line())
        client.api("fine")
        client.stay()

    with linked(script) as link:
        link.nudge()
        gevent.sleep(0.01)
        assert link.request(Api("x").encode()).text == "fine"
        assert heard == [b"\n", "api x"]
        link.close()
        link.nudge()  # harmless


# -- handlers ---------------------------------------------------------------------------------------------------------


def two_events_and_an_answer(client):
    client.event(("Event-Name", "HEARTBEAT"))
    client.event(("Event-Name", "HEARTBEAT"))
    client.line()
    client.api("alive")
    client.stay()


def test_a_handler_that_fails_ends_nothing():
    def fail(_):
        raise ZeroDivisionError

    with linked(two_events_and_an_answer, on_event=fail) as link, structlog.testing.capture_logs() as logs:
        assert link.request(Api("x").encode()).text == "alive"
        assert link.connected
    assert {entry["event"] for entry in logs} == {"a handler failed"}


def test_a_handler_that_has_had_enough_ends_the_link():
    def fail(_):
        raise FellBehind("enough")

    with linked(two_events_and_an_answer, on_event=fail) as link:
        with pytest.raises(FellBehind, match="enough"):
            link.request(Api("x").encode())
        assert isinstance(link.closed_by, FellBehind)


def test_an_event_that_turns_out_to_be_no_json_ends_the_link():
    broken = b'{"Event-Name":nonsense"}'
    frame = b"Content-Length: %d\nContent-Type: text/event-json\n\n%b" % (len(broken), broken)

    def script(client):
        client.line()
        client.write(frame)
        client.stay()

    name = lambda frame: frame.event.name  # noqa: E731
    with linked(script, on_event=name) as link, pytest.raises(RemoteProtocolError, match="not JSON"):
        link.request(Api("x").encode())


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_neither_password_nor_arguments_are_in_what_is_shown(caplog):
    caplog.set_level(logging.DEBUG)
    secret = f"{{sip_auth_password={PASSWORD}}}user/1001 &park()"
    with linked(lambda client: client.stay()) as link, structlog.testing.capture_logs() as logs:
        shown = [repr(link)]
        answer = Promise()
        link.submit(BgApi("originate", secret).encode(), answer.settle, timeout=0.02)
        with pytest.raises(CommandTimeout) as caught:
            answer.wait(5)
        shown += [str(caught.value), repr(caught.value), repr(link), str(logs), caplog.text]
    assert "'bgapi originate'" in str(caught.value)
    assert not [text for text in shown if PASSWORD in text or "1001" in text]


def test_a_password_sent_as_greenswitch_does_is_not_shown_either():
    with linked(lambda client: client.stay()) as link:
        gevent.spawn_later(0.01, _expire, link)
        with pytest.raises(CommandTimeout) as caught:
            link.send(f"auth {PASSWORD}")
        assert PASSWORD not in str(caught.value)

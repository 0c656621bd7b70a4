"""greenswitch's names on our link: its surface, and that its defects are gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent import socket
from gevent.event import AsyncResult, Event

from cti.esl import event_bytes
from cti.switch.greenswitch import (
    ESLEvent,
    InboundESL,
    NotConnectedError,
)

from .scripted_peer import ScriptedPeer, outcome_of


def listening_socket() -> Any:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


class Inbound:
    """A connected InboundESL and its FreeSWITCH."""

    def __init__(self) -> None:
        listener = listening_socket()
        self.esl = InboundESL("127.0.0.1", listener.getsockname()[1], "ClueCon")
        connecting = gevent.spawn(self.esl.connect)
        accepted, _ = listener.accept()
        listener.close()
        self.peer = ScriptedPeer(accepted)
        self.peer.write(b"Content-Type: auth/request\n\n")
        assert self.peer.command() == "auth ClueCon"
        self.peer.reply("+OK accepted")
        connecting.get(timeout=5)

    def heard(self, name: str) -> AsyncResult:
        heard = AsyncResult()
        self.esl.register_handle(name, heard.set)
        return heard


@pytest.fixture
def inbound() -> Iterator[Inbound]:
    inbound = Inbound()
    yield inbound
    inbound.peer.close()
    inbound.esl.stop()


# -- inbound ----------------------------------------------------------------------------------------------------------


def test_send_returns_the_reply_and_its_data(inbound):
    asking = outcome_of(inbound.esl.send, "api status")
    assert inbound.peer.command() == "api status"
    inbound.peer.write(b"Content-Type: api/response\nContent-Length: 5\n\n100%\n")
    reply = asking.get(timeout=5)
    assert (reply.data, reply.headers["Content-Length"]) == ("100%\n", "5")
    asking = outcome_of(inbound.esl.send, "noop")
    inbound.peer.command()
    inbound.peer.reply("-ERR command not found")
    assert asking.get(timeout=5).headers["Reply-Text"] == asking.get().data == "-ERR command not found"


@pytest.mark.parametrize("fmt", ["plain", "json"])
def test_handlers_get_events_by_name_subclass_and_star(inbound, fmt):
    named, custom, other = inbound.heard("HEARTBEAT"), inbound.heard("sofia::register"), inbound.heard("*")
    inbound.peer.event("HEARTBEAT", {"Up-Time": "0 years, 1 day"}, fmt=fmt)
    inbound.peer.event("CUSTOM", {"Event-Subclass": "sofia::register"}, fmt=fmt)
    inbound.peer.event("CHANNEL_CREATE", fmt=fmt)
    assert named.get(timeout=5).headers["Up-Time"] == "0 years, 1 day"
    assert custom.get(timeout=5).headers["Event-Subclass"] == "sofia::register"
    assert other.get(timeout=5).headers["Event-Name"] == "CHANNEL_CREATE"


def test_before_and_after_surround_each_handler_and_a_failing_one_stops_nobody(inbound):
    order: list[str] = []
    over = Event()

    def failing(event: ESLEvent) -> None:
        order.append("failing")
        raise ZeroDivisionError

    inbound.esl.before_handle = lambda event: order.append("before")
    inbound.esl.after_handle = lambda event: (order.append("after"), over.set())
    inbound.esl.register_handle("HEARTBEAT", failing)
    inbound.esl.register_handle("HEARTBEAT", lambda event: order.append("second"))
    inbound.peer.event("HEARTBEAT")
    assert over.wait(5)
    assert order == ["before", "failing", "second", "after"]


def test_a_handler_taken_back_is_not_called_any_more(inbound):
    def never(event: ESLEvent) -> None:
        raise AssertionError

    inbound.esl.register_handle("HEARTBEAT", never)
    inbound.esl.unregister_handle("HEARTBEAT", never)
    assert "HEARTBEAT" not in inbound.esl.event_handlers
    with pytest.raises(ValueError, match="HEARTBEAT"):
        inbound.esl.unregister_handle("HEARTBEAT", never)


def test_log_lines_go_to_log(inbound):
    log = inbound.heard("log")
    inbound.peer.write(b"Content-Type: log/data\nContent-Length: 4\nLog-Level: 4\nUser-Data: \n\nline")
    assert (log.get(timeout=5).data, log.get().headers["User-Data"]) == ("line", "")


def test_a_wrong_password_is_a_value_error():
    listener = listening_socket()
    esl = InboundESL("127.0.0.1", listener.getsockname()[1], "wrong")
    connecting = outcome_of(esl.connect)
    accepted, _ = listener.accept()
    peer = ScriptedPeer(accepted)
    peer.write(b"Content-Type: auth/request\n\n")
    peer.command()
    peer.reply("-ERR invalid")
    assert isinstance(connecting.get(timeout=5), ValueError)
    assert not esl.connected
    esl.stop()


@pytest.mark.parametrize("greeting", [b"", b"Content-Type: text/rude-rejection\nContent-Length: 3\n\nno\n"])
def test_whoever_does_not_let_us_in_is_not_waited_for(greeting):
    listener = listening_socket()
    esl = InboundESL("127.0.0.1", listener.getsockname()[1], "ClueCon")
    connecting = outcome_of(esl.connect)
    accepted, _ = listener.accept()
    accepted.sendall(greeting)
    accepted.close()
    assert isinstance(connecting.get(timeout=5), NotConnectedError)


def test_where_nothing_listens_the_error_is_the_sockets():
    listener = listening_socket()
    port = listener.getsockname()[1]
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        InboundESL("127.0.0.1", port, "ClueCon").connect()


# -- the defects ------------------------------------------------------------------------------------------------------


def test_a_callers_name_forges_no_header(inbound):
    heard = inbound.heard("CHANNEL_CREATE")
    block = (
        b"Event-Name: CHANNEL_CREATE\nUnique-ID: real\nCaller-Caller-ID-Name: Bob%0AUnique-ID%3A%20FAKE%E2%80%A8X\n\n"
    )
    inbound.peer.write(b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(block), block))
    headers = heard.get(timeout=5).headers
    assert headers["Unique-ID"] == "real"
    assert headers["Caller-Caller-ID-Name"] == "Bob\nUnique-ID: FAKE\u2028X"


def test_a_body_is_data_and_no_header(inbound):
    heard = inbound.heard("BACKGROUND_JOB")
    inbound.peer.event("BACKGROUND_JOB", {"Job-UUID": "mine"}, "+OK done\nJob-UUID: evil\n", fmt="plain")
    job = heard.get(timeout=5)
    assert (job.data, job.headers["Job-UUID"]) == ("+OK done\nJob-UUID: evil\n", "mine")


def test_an_events_own_content_type_does_not_make_it_a_notice(inbound):
    heard = inbound.heard("MESSAGE")
    inbound.peer.event("MESSAGE", {"Content-Type": "text/disconnect-notice"}, "hello")
    assert heard.get(timeout=5).data == "hello"
    assert inbound.esl.connected


@pytest.mark.parametrize(
    "end",
    [b"", b"Content-Type: api/response\nContent-Length: 100\n\nhalf", b"Content-Type: text/disconnect-notice\n\n"],
    ids=["end of stream", "end in a body", "notice"],
)
def test_a_pending_command_ends_with_the_connection(inbound, end):
    asking = outcome_of(inbound.esl.send, "api status")
    inbound.peer.command()
    inbound.peer.write(end)
    inbound.peer.close()
    assert isinstance(asking.get(timeout=5), NotConnectedError)
    assert isinstance(outcome_of(inbound.esl.send, "api status").get(timeout=5), NotConnectedError)


def test_bytes_that_are_no_utf8_survive(inbound):
    asking = outcome_of(inbound.esl.send, "api echo")
    inbound.peer.command()
    inbound.peer.write(b"Content-Type: api/response\nContent-Length: 2\n\n\xff\xfe")
    assert asking.get(timeout=5).data.encode("utf-8", "surrogateescape") == b"\xff\xfe"


def test_an_unsolicited_reply_ends_the_connection_and_is_no_ones_answer(inbound):
    inbound.peer.reply("+OK nobody asked")
    assert inbound.esl.sock is not None
    while inbound.esl.connected:
        gevent.sleep(0)
    assert isinstance(outcome_of(inbound.esl.send, "noop").get(timeout=5), NotConnectedError)


def test_a_command_longer_than_the_sockets_buffer_arrives_whole(inbound):
    long = "x" * 6_000_000
    asking = outcome_of(inbound.esl.send, f"api echo {long}")
    assert len(inbound.peer.command()) == len(long) + len("api echo ")
    inbound.peer.reply()
    assert asking.get(timeout=5).data == "+OK"


def test_events_nobody_handles_in_time_end_the_connection_before_memory_does(inbound):
    inbound.esl.queue_limit = 10
    started, go_on = Event(), Event()
    inbound.esl.register_handle("HEARTBEAT", lambda event: (started.set(), go_on.wait(5)))
    inbound.peer.event("HEARTBEAT")
    assert started.wait(5)
    inbound.peer.write(event_bytes([("Event-Name", "HEARTBEAT")]) * 12)
    while inbound.esl.connected:
        gevent.sleep(0)
    go_on.set()


def test_stop_may_be_called_by_a_handler(inbound):
    stopped = AsyncResult()
    inbound.esl.register_handle("HEARTBEAT", lambda event: stopped.set(outcome_of(inbound.esl.stop)))
    inbound.peer.event("HEARTBEAT")
    stopping = stopped.get(timeout=5)
    assert inbound.peer.command() == "exit"
    inbound.peer.reply("+OK bye")
    assert stopping.get(timeout=5) is None


# -- events written by hand -------------------------------------------------------------------------------------------


def test_an_event_from_text():
    event = ESLEvent("Content-Type: text/event-plain\nA: 1%202\nlonger\nA: 3\n\nbody")
    assert event.headers == {"Content-Type": "text/event-plain", "A": "1 2\nlonger"}
    assert event.data == "body"
    event.headers["B"] = "4"
    assert event.headers["B"] == "4"
    assert repr(event) == "<ESLEvent text/event-plain 3 headers>"


def test_an_array_reads_as_in_a_plain_event(inbound):
    heard = inbound.heard("CUSTOM")
    inbound.esl.register_handle("a::b", heard.set)
    inbound.peer.write(
        event_bytes([("Event-Name", "CUSTOM"), ("Event-Subclass", "a::b"), ("many", ["x", "y"]), ("one", ["z"])])
    )
    headers = heard.get(timeout=5).headers
    assert (headers["many"], headers["one"]) == ("ARRAY::x|:y", "z")

"""greenswitch's outbound session and server on our link: their surface, and that their defects are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent import socket
from gevent.event import AsyncResult, Event

from cti.errors import ConfigurationError, LocalProtocolError
from cti.switch.greenswitch import OutboundESLServer, OutboundSession, OutboundSessionHasGoneAway

from .scripted_peer import UUID, ScriptedPeer, outcome_of, pair


class Outbound:
    def __init__(self) -> None:
        sock, self.peer = pair()
        self.session = OutboundSession(("127.0.0.1", 1), sock)
        connecting = outcome_of(self.session.connect)
        self.peer.answer_connect()
        connecting.get(timeout=5)

    def executing(self, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[gevent.Greenlet[..., Any], str]:
        waiting = outcome_of(verb, *args, **kwargs)
        command = self.peer.command()
        self.peer.reply()
        return waiting, command


@pytest.fixture
def outbound() -> Iterator[Outbound]:
    outbound = Outbound()
    yield outbound
    outbound.peer.close()
    outbound.session.stop()


def test_connect_gives_the_channel_data(outbound):
    session = outbound.session
    assert (session.uuid, session.caller_id_number) == (UUID, "100")
    assert session.session_data["Caller-Caller-ID-Name"] == "Bob\nUnique-ID: FAKE"
    session.raise_if_disconnected()
    assert session.connect() is session.session_data


def test_a_playback_ends_by_its_own_id_even_when_the_program_handles_the_event_itself(outbound):
    outbound.session.register_handle("CHANNEL_EXECUTE_COMPLETE", lambda event: None)
    waiting, command = outbound.executing(outbound.session.playback, "x.wav")
    executed = outbound.peer.header(command, "Event-UUID")
    both = {"variable_current_application": "playback"}
    outbound.peer.event("CHANNEL_EXECUTE_COMPLETE", {**both, "Application-UUID": "an earlier one"}, fmt="plain")
    outbound.peer.event("CHANNEL_EXECUTE_COMPLETE", {**both, "Application-UUID": executed, "A": "1"}, fmt="plain")
    assert waiting.get(timeout=5).headers["A"] == "1"


@pytest.mark.parametrize(
    ("verb", "args", "app", "argument"),
    [
        ("playback", ("x.wav", False), "playback", "x.wav"),
        ("bridge", ("user/1001", False), "bridge", "user/1001"),
        ("hangup", ("USER_BUSY",), "hangup", "USER_BUSY"),
        (
            "say",
            ("en", None, "NUMBER", "pronounced", "FEMININE", "42", False),
            "say",
            "en NUMBER pronounced FEMININE 42",
        ),
        (
            "play_and_get_digits",
            ("1", "2", "3", "5000", "#", "p.wav", "e.wav", "var", r"\d", "1000", "''", False),
            "play_and_get_digits",
            r"1 2 3 5000 # p.wav e.wav var \d 1000 ''",
        ),
        ("call_command", ("sleep", 100), "sleep", "100"),
    ],
)
def test_verbs_send_what_greenswitch_sends(outbound, verb, args, app, argument):
    waiting, command = outbound.executing(getattr(outbound.session, verb), *args)
    assert not isinstance(waiting.get(timeout=5), Exception)
    assert outbound.peer.header(command, "execute-app-name") == app
    assert outbound.peer.header(command, "execute-app-arg") == argument


def test_digits_are_read_from_the_completion(outbound):
    waiting, command = outbound.executing(outbound.session.play_and_get_digits, variable="pin")
    executed = outbound.peer.header(command, "Event-UUID")
    outbound.peer.event("CHANNEL_EXECUTE_COMPLETE", {"Application-UUID": executed, "variable_pin": "42"})
    assert waiting.get(timeout=5) == "42"


def test_a_response_timeout_is_geventss(outbound):
    waiting = gevent.spawn(pytest.raises, gevent.Timeout, outbound.session.bridge, "x", response_timeout=0.01)
    outbound.peer.command()
    outbound.peer.reply()
    waiting.get(timeout=5)


@pytest.mark.parametrize("how", ["hang-up", "linger", "end"])
def test_who_waits_learns_that_the_caller_has_gone_away(outbound, how):
    waiting, _ = outbound.executing(outbound.session.playback, "x.wav")
    if how == "hang-up":
        outbound.peer.event("CHANNEL_HANGUP", {"Hangup-Cause": "NORMAL_CLEARING"})
    elif how == "linger":
        outbound.peer.notice("linger")
    else:
        outbound.peer.close()
    assert isinstance(waiting.get(timeout=5), OutboundSessionHasGoneAway)
    with pytest.raises(OutboundSessionHasGoneAway):
        outbound.session.raise_if_disconnected()


def test_while_connected_checks_at_both_ends(outbound):
    @outbound.session.while_connected()
    def work() -> str:
        return "done"

    assert work() == "done"
    with pytest.raises(OutboundSessionHasGoneAway), outbound.session.while_connected():
        outbound.session.on_hangup(None)
    with pytest.raises(OutboundSessionHasGoneAway):
        work()


def test_a_line_break_in_an_argument_sends_nothing(outbound):
    error = outcome_of(outbound.session.playback, "x\n\napi shutdown").get(timeout=5)
    assert isinstance(error, LocalProtocolError)


def test_an_expected_event_is_told_by_its_variable(outbound):
    expected = AsyncResult()
    outbound.session.register_expected_event("DTMF", "state", "open", expected)
    outbound.peer.event("DTMF", {"variable_state": "closed"})
    outbound.peer.event("DTMF", {"variable_state": "open", "DTMF-Digit": "5"})
    assert expected.get(timeout=5).headers["DTMF-Digit"] == "5"


def test_the_server_runs_an_application_a_call_and_lets_go_what_is_beyond():
    held, inside = Event(), AsyncResult()

    class Application:
        def __init__(self, session: OutboundSession) -> None:
            self.session = session

        def run(self) -> None:
            inside.set(self.session.uuid)
            held.wait(5)

    server = OutboundESLServer("127.0.0.1", [0], Application, max_connections=1)
    listening = gevent.spawn(server.listen)
    while server.bound_port is None:
        gevent.sleep(0)
    first, second = (ScriptedPeer(socket.create_connection(("127.0.0.1", server.bound_port))) for _ in range(2))
    first.answer_connect()
    assert inside.get(timeout=5) == UUID
    second.answer_connect()
    second.goodbye()
    assert server.connection_count == 1
    server.stop()
    held.set()
    first.goodbye()
    listening.get(timeout=5)
    assert server.connection_count == 0


def test_a_server_without_a_free_port_says_so_and_ends_nobodys_process():
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    port = taken.getsockname()[1]
    server = OutboundESLServer("127.0.0.1", [port], lambda _: None)
    with pytest.raises(ConfigurationError, match=str(port)):
        server.listen()
    taken.close()


@pytest.mark.parametrize("wrong", [{"bind_port": []}, {"application": None}])
def test_a_server_needs_a_port_and_an_application(wrong):
    with pytest.raises(ValueError, match=r"bind_port|Application"):
        OutboundESLServer(**{"application": lambda _: None, **wrong})


def test_the_other_verbs_of_a_session(outbound):
    session, peer = outbound.session, outbound.peer
    for verb, args, command in (
        (session.myevents, (), "myevents"),
        (session.linger, (), "linger"),
        (session.linger, (5,), "linger 5"),
        (session.uuid_break, (), f"api uuid_break {UUID}"),
    ):
        doing = outcome_of(verb, *args)
        assert peer.command() == command
        peer.reply()
        assert doing.get(timeout=5) is None
    for verb, app in ((session.answer, "answer"), (session.park, "park")):
        doing, command = outbound.executing(verb)
        assert not isinstance(doing.get(timeout=5), Exception)
        assert peer.header(command, "execute-app-name") == app
    peer.notice("linger")
    while not session._lingering:
        gevent.sleep(0)
    for verb in (session.uuid_break, session.park):
        assert isinstance(outcome_of(verb).get(timeout=5), OutboundSessionHasGoneAway)

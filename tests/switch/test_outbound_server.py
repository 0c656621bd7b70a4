"""The outbound server: sessions, the limit, the drain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import pytest
from gevent import socket
from gevent.event import AsyncResult, Event

from cti.errors import CallGone
from cti.switch.outbound import OutboundSession
from cti.switch.outbound_server import OutboundServer

from .scripted_peer import ScriptedPeer


@contextmanager
def serving(handler: Any, **options: Any) -> Iterator[OutboundServer]:
    with OutboundServer(("127.0.0.1", 0), handler, **options) as server:
        yield server


def call(server: OutboundServer) -> ScriptedPeer:
    peer = ScriptedPeer(socket.create_connection(server.address))
    peer.answer_connect()
    return peer


def test_each_call_gets_a_session_that_is_connected_and_left_in_order():
    seen = AsyncResult()
    with serving(lambda session: seen.set(session.uuid)) as server:
        peer = call(server)
        assert seen.get(timeout=5) == "c0ffee00-0000-4000-8000-000000000001"
        peer.goodbye()
        gevent.wait(list(server._sessions.values()), timeout=5)
        assert len(server) == 0


def test_sessions_run_side_by_side():
    both, inside = Event(), []

    def handler(session: OutboundSession) -> None:
        inside.append(session)
        if len(inside) == 2:
            both.set()
        assert both.wait(5)

    with serving(handler) as server:
        peers = [call(server), call(server)]
        assert both.wait(5)
        for peer in peers:
            peer.goodbye()


def test_a_call_beyond_the_limit_is_hung_up_with_the_cause():
    held = Event()
    with serving(lambda _: held.wait(5), max_sessions=1) as server:
        first, second = call(server), call(server)
        assert second.command().startswith("api uuid_kill c0ffee00-0000-4000-8000-000000000001 SWITCH_CONGESTION")
        second.write(b"Content-Type: api/response\nContent-Length: 3\n\n+OK")
        second.goodbye()
        assert (len(server), server.refused) == (1, 1)
        held.set()
        first.goodbye()


def test_a_call_beyond_the_limit_may_have_a_handler_of_its_own():
    held = Event()
    sorry = AsyncResult()
    with serving(lambda _: held.wait(5), max_sessions=1, on_full=sorry.set) as server:
        first, second = call(server), call(server)
        assert sorry.get(timeout=5).full
        second.goodbye()
        held.set()
        first.goodbye()


def test_a_script_that_fails_hangs_up():
    def handler(session: OutboundSession) -> None:
        raise ZeroDivisionError

    with serving(handler) as server:
        peer = call(server)
        assert "NORMAL_TEMPORARY_FAILURE" in peer.command()
        peer.write(b"Content-Type: api/response\nContent-Length: 3\n\n+OK")
        peer.goodbye()


def test_a_caller_who_goes_is_no_failure():
    errors = AsyncResult()

    def handler(session: OutboundSession) -> None:
        try:
            session.playback("x.wav")
        except CallGone as error:
            errors.set(error)
            raise

    with serving(handler) as server:
        peer = call(server)
        peer.command()
        peer.close()
        assert isinstance(errors.get(timeout=5), CallGone)
        gevent.wait(list(server._sessions.values()), timeout=5)
        assert len(server) == 0


def test_a_drain_refuses_new_calls_waits_for_those_there_and_hangs_up_the_rest():
    ended: list[str] = []

    def handler(session: OutboundSession) -> None:
        try:
            session.execute("park", wait=True)
        except CallGone:
            ended.append(session.uuid)

    with serving(handler) as server:
        peer = call(server)
        peer.command()
        peer.reply("+OK Events Enabled")
        peer.command()
        peer.reply()
        address = server.address
        stopping = gevent.spawn(server.stop, drain_s=0.01)
        assert "uuid_kill" in peer.command()
        with pytest.raises(OSError):
            socket.create_connection(address, timeout=1)
        peer.write(b"Content-Type: api/response\nContent-Length: 3\n\n+OK")
        peer.event("CHANNEL_HANGUP", {"Hangup-Cause": "NORMAL_TEMPORARY_FAILURE"})
        peer.goodbye()
        stopping.get(timeout=5)
        assert len(ended) == 1
        assert len(server) == 0


def test_its_repr_says_how_full_it_is():
    with serving(lambda _: None, max_sessions=7) as server:
        assert repr(server) == f"<OutboundServer 127.0.0.1:{server.address[1]}, 0 of 7 sessions>"

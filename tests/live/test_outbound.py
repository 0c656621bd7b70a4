"""The outbound server and greenswitch's names for it, with calls from a real FreeSWITCH."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from gevent.event import AsyncResult

from cti.errors import CallGone, CommandRejected, LinkClosed
from cti.switch.greenswitch import OutboundESLServer, OutboundSessionHasGoneAway
from cti.switch.outbound import OutboundSession
from cti.switch.outbound_server import OutboundServer

from .freeswitch_process import FreeSwitchProcess, find_freeswitch
from .ports import free_ports

pytestmark = pytest.mark.live

TONE = "tone_stream://%(2000,0,440);loops=-1"
SHORT = "tone_stream://%(200,0,440)"
# Numbers 61xx hand the call over; the second digit pair says in which mode.
MODES = {"6100": "async full", "6101": "full", "6102": "async", "6103": ""}


@pytest.fixture(scope="module")
def outbound_switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A FreeSWITCH whose numbers 6100 to 6103 connect to a port of ours."""
    (port,) = free_ports(1)

    def overlay(configuration: Path) -> None:
        extensions = "".join(
            f'<extension name="outbound-{number}"><condition field="destination_number" expression="^{number}$">'
            f'<action application="socket" data="127.0.0.1:{port} {mode}"/></condition></extension>\n'
            for number, mode in MODES.items()
        )
        path = configuration / "dialplan" / "callers.xml"
        path.write_text(path.read_text().replace('<context name="callers">', f'<context name="callers">\n{extensions}'))

    binary = find_freeswitch()
    assert binary is not None, "collected in spite of the skip"
    process = FreeSwitchProcess(tmp_path_factory.mktemp("outbound"), binary, overlay=overlay)
    process.start()
    yield SimpleNamespace(process=process, port=port)
    process.stop()


@pytest.fixture
def switch(outbound_switch: SimpleNamespace) -> Iterator[FreeSwitchProcess]:
    """The same, without calls after each test; what ``start_callers`` calls."""
    yield outbound_switch.process
    with outbound_switch.process.connect() as control:
        control.api("hupall NORMAL_CLEARING")


@pytest.fixture
def serve(outbound_switch: SimpleNamespace) -> Iterator[Callable[..., Any]]:
    """Start a server: ``serve(handler)`` returns the outcome of its first call, and the server."""
    servers: list[OutboundServer] = []

    def start(handler: Callable[[OutboundSession], Any], **options: Any) -> tuple[AsyncResult, OutboundServer]:
        outcome: AsyncResult = AsyncResult()

        def run(session: OutboundSession) -> None:
            try:
                outcome.set(handler(session))
            except Exception as error:
                outcome.set_exception(error)
                raise

        server = OutboundServer(("127.0.0.1", outbound_switch.port), run, **options)
        server.start()
        servers.append(server)
        return outcome, server

    yield start
    for server in servers:
        server.stop()


def test_an_async_full_call_is_answered_played_to_and_asked(switch, serve, start_callers):
    def script(session: OutboundSession) -> dict[str, Any]:
        session.myevents()
        session.linger(2)
        session.answer()
        began = time.monotonic()
        played = session.playback(SHORT)
        seen = {
            "mode": (session.mode, session.full),
            "played": played.text("Application-Response"),
            "took": time.monotonic() - began,
            "api": session.api("uuid_exists", session.uuid),
            "job": session.bgapi("echo", "done in the background").strip(),
        }
        session.set_variable("cti_test", "it's ${not} expanded")
        seen["variable"] = session.variable("cti_test")
        seen["unset"] = session.variable("cti_never_set")
        session.hangup("USER_BUSY")
        seen["gone"] = session.wait_gone(2)
        seen["cause"] = session.cause
        return seen

    outcome, _ = serve(script)
    start_callers("6100")
    seen = outcome.get(timeout=20)
    assert seen.pop("took") > 0.15
    assert seen == {
        "mode": ("async", True),
        "played": "FILE PLAYED",
        "api": "true",
        "job": "done in the background",
        "variable": "it's ${not} expanded",
        "unset": None,
        "gone": True,
        "cause": "USER_BUSY",
    }


def test_a_sync_call_executes_one_command_after_the_other(switch, serve, start_callers):
    def script(session: OutboundSession) -> Any:
        session.answer()
        began = time.monotonic()
        session.execute("playback", SHORT)  # the reply alone tells the end
        took = time.monotonic() - began
        played = session.playback(SHORT)
        return session.mode, session.full, took > 0.15, played.text("Application-Response")

    outcome, _ = serve(script)
    start_callers("6101")
    assert outcome.get(timeout=20) == ("static", True, True, "FILE PLAYED")


@pytest.mark.parametrize("number", ["6102", "6103"])
def test_without_full_a_call_can_be_played_to_but_nothing_else(switch, serve, start_callers, number):
    def script(session: OutboundSession) -> Any:
        with pytest.raises(CommandRejected, match="full"):
            session.linger()
        with pytest.raises(CommandRejected, match="full"):
            session.api("status")
        session.answer()
        played = session.playback(SHORT).text("Application-Response")
        session.hangup()
        return session.full, played, session.wait_gone(2)

    outcome, _ = serve(script)
    start_callers(number)
    assert outcome.get(timeout=20) == (False, "FILE PLAYED", True)


def test_who_waits_learns_at_once_that_the_caller_hung_up(switch, serve, start_callers):
    """The delay is from the time FreeSWITCH stamped the hang-up with to the exception in the script."""
    hangups: list[tuple[str, float]] = []

    def heard(event: Any) -> None:
        if event.name.startswith("CHANNEL_HANGUP"):
            hangups.append((event.name, float(event["Event-Date-Timestamp"]) / 1e6))

    def script(session: OutboundSession) -> Any:
        session.on_event = heard
        session.linger(3)
        session.answer()
        with pytest.raises(CallGone) as gone:
            session.playback(TONE)
        when = time.time()
        assert session.wait_over(6), "the lingering connection never ended"
        with pytest.raises(CallGone):
            session.playback(TONE)
        return gone.value, when

    outcome, _ = serve(script)
    start_callers("6100", hold_s=0.5)
    error, when = outcome.get(timeout=20)
    assert error.cause == "NORMAL_CLEARING"
    assert [name for name, _ in hangups] == ["CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE"]
    assert when - hangups[0][1] < 0.1


@pytest.mark.parametrize("number", ["6101", "6102", "6103"])
def test_without_linger_who_waits_learns_it_too(switch, serve, start_callers, number):
    def script(session: OutboundSession) -> Any:
        session.answer()
        with pytest.raises(CallGone):
            session.playback(TONE)
        return session.gone

    outcome, _ = serve(script)
    start_callers(number, hold_s=0.5)
    assert outcome.get(timeout=20)


def test_a_call_beyond_the_limit_is_hung_up_with_a_cause(switch, serve, start_callers):
    done = AsyncResult()

    def script(session: OutboundSession) -> Any:
        session.answer()
        done.get(timeout=20)

    outcome, server = serve(script, max_sessions=1)
    with switch.connect() as control:
        control.subscribe("CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE")
        first = start_callers("6100")
        control.wait_event(lambda e: e["Event-Name"] == "CHANNEL_ANSWER", 10, "answered call")
        second = start_callers("6100")
        ended = control.wait_event(lambda e: e["Event-Name"] == "CHANNEL_HANGUP_COMPLETE", 10, "refused call")
        assert ended["Hangup-Cause"] == "SWITCH_CONGESTION"
        assert ended["variable_sip_hangup_disposition"] == "send_refuse"
        assert (len(server), server.refused) == (1, 1)
        done.set(None)
        outcome.get(timeout=10)
        assert second.wait(10).failed == 1
        assert first.wait(10).successful == 1


def test_a_drain_lets_calls_end_and_hangs_up_the_rest(switch, serve, start_callers):
    ended: list[str] = []

    def script(session: OutboundSession) -> Any:
        session.answer()
        seconds = 400 if not ended else 0
        ended.append("began")
        try:
            session.playback(TONE if seconds else SHORT)
        except (CallGone, LinkClosed) as error:
            ended.append(type(error).__name__)
            raise
        ended.append("ended by itself")

    _, server = serve(script)
    start_callers("6100", calls=1)
    start_callers("6100", calls=1)
    deadline = time.monotonic() + 15
    while ended.count("began") < 2 and time.monotonic() < deadline:
        gevent.sleep(0.02)
    began = time.monotonic()
    server.stop(drain_s=1.0)
    assert 1.0 <= time.monotonic() - began < 4
    assert sorted(ended) == ["CallGone", "began", "began", "ended by itself"]
    assert len(server) == 0


def test_a_program_written_for_greenswitch(outbound_switch, switch, start_callers):
    seen: dict[str, Any] = {}
    over = AsyncResult()

    class Application:
        def __init__(self, session: Any) -> None:
            self.session = session

        def run(self) -> None:
            session = self.session
            session.connect()
            session.myevents()
            session.linger(2)
            session.answer()
            seen["caller"] = session.caller_id_number
            seen["played"] = session.playback(SHORT).headers["Application-Response"]
            session.playback(TONE, block=False)
            gevent.sleep(0.1)
            session.uuid_break()
            try:
                session.playback(TONE)
            except OutboundSessionHasGoneAway:
                seen["gone"] = True
            over.set(None)

    server = OutboundESLServer("127.0.0.1", outbound_switch.port, Application, max_connections=5)
    listening = gevent.spawn(server.listen)
    start_callers("6100", hold_s=1.5)
    over.get(timeout=20)
    server.stop()
    listening.join(timeout=10)
    assert listening.ready()
    assert seen == {"caller": "sipp", "played": "FILE PLAYED", "gone": True}

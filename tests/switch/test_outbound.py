"""The outbound session against a scripted FreeSWITCH."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from cti.errors import (
    CallGone,
    CommandRejected,
    CommandTimeout,
    JobTimeout,
    LinkClosed,
    LocalProtocolError,
    RemoteProtocolError,
)
from cti.switch.outbound import OutboundSession

from .scripted_peer import UUID, pair


class Rig:
    """A session, its peer, and greenlets that fail the test when they do not end."""

    def __init__(self) -> None:
        sock, self.peer = pair()
        self.heard: list[str] = []
        self.session = OutboundSession(sock, ("127.0.0.1", 1), on_event=lambda event: self.heard.append(event.name))

    def connect(self, **how: str) -> None:
        taking = self.script(self.session.connect)
        self.peer.answer_connect(**how)
        taking.get(timeout=5)

    def script(self, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> gevent.Greenlet[..., Any]:
        def run() -> Any:
            try:
                return verb(*args, **kwargs)
            except Exception as error:
                return error

        return gevent.spawn(run)

    def executing(self, *, events: bool = True) -> tuple[gevent.Greenlet[..., Any], str]:
        """A script that waits for a playback, and the playback's id; replies are given."""
        waiting = self.script(self.session.playback, "x.wav")
        if events:
            assert self.peer.command() == "myevents json"
            self.peer.reply("+OK Events Enabled")
        command = self.peer.command()
        self.peer.reply()
        return waiting, self.peer.header(command, "Event-UUID")


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.session.close()
    rig.peer.close()


def test_connect_comes_first_and_tells_the_channel_and_the_mode(rig):
    rig.connect(mode="static", control="single-channel")
    assert (rig.session.uuid, rig.session.mode, rig.session.full) == (UUID, "static", False)
    assert rig.session.channel["Caller-Caller-ID-Name"] == "Bob\nUnique-ID: FAKE"
    assert rig.session.connect() is rig.session.channel  # nothing more is sent


def test_who_connects_and_is_no_freeswitch_is_refused(rig):
    taking = rig.script(rig.session.connect)
    rig.peer.command()
    rig.peer.reply("+OK hello")
    error = taking.get(timeout=5)
    assert isinstance(error, RemoteProtocolError)
    assert error.kind == "not-an-outbound-socket"
    assert rig.session.over


def test_who_connects_and_says_nothing_is_given_up(rig):
    assert isinstance(rig.script(rig.session.connect, timeout=0.01).get(timeout=5), CommandTimeout)


def test_a_completion_is_known_by_its_id_and_by_nothing_else(rig):
    rig.connect()
    waiting, played = rig.executing()
    rig.peer.event("CHANNEL_EXECUTE_COMPLETE", {"Application": "playback", "Application-UUID": "another"})
    rig.peer.event("CHANNEL_EXECUTE_COMPLETE", {"Application": "playback", "Application-UUID": played, "mark": "mine"})
    assert waiting.get(timeout=5)["mark"] == "mine"
    assert rig.heard == ["CHANNEL_EXECUTE_COMPLETE"] * 2


def test_a_completion_may_overtake_the_reply(rig):
    rig.connect()
    waiting = rig.script(rig.session.playback, "x.wav")
    rig.peer.command()
    rig.peer.reply("+OK Events Enabled")
    command = rig.peer.command()
    rig.peer.event("CHANNEL_EXECUTE_COMPLETE", {"Application-UUID": rig.peer.header(command, "Event-UUID")})
    rig.peer.reply()
    assert waiting.get(timeout=5).name == "CHANNEL_EXECUTE_COMPLETE"


@pytest.mark.parametrize(
    ("ends", "cause"),
    [
        (lambda peer, _: peer.event("CHANNEL_HANGUP", {"Hangup-Cause": "USER_BUSY"}), "USER_BUSY"),
        (
            lambda peer, id_: peer.event(
                "CHANNEL_EXECUTE_COMPLETE",
                {"Application-UUID": id_, "Answer-State": "hangup", "Hangup-Cause": "NORMAL_CLEARING"},
            ),
            "NORMAL_CLEARING",
        ),
        (lambda peer, _: peer.notice("linger"), ""),
        (lambda peer, _: peer.notice("disconnect"), ""),
        (lambda peer, _: peer.close(), ""),
    ],
    ids=["hang-up", "completion of a dead call", "linger notice", "disconnect notice", "end of stream"],
)
def test_whoever_waits_learns_that_the_caller_is_gone(rig, ends, cause):
    rig.connect()
    waiting, played = rig.executing()
    ends(rig.peer, played)
    error = waiting.get(timeout=5)
    assert isinstance(error, CallGone)
    assert (error.interaction, error.cause) == (UUID, cause)
    assert rig.session.gone
    assert isinstance(rig.script(rig.session.playback, "y.wav").get(timeout=5), CallGone)


def test_a_notice_that_overtakes_the_hang_up_does_not_hide_its_cause(rig):
    rig.connect()
    waiting, _ = rig.executing()
    rig.peer.notice("linger")
    rig.peer.event("CHANNEL_HANGUP", {"Hangup-Cause": "USER_BUSY"})
    assert rig.session.wait_gone(5)
    assert rig.session.cause == "USER_BUSY"
    assert waiting.get(timeout=5).cause == "USER_BUSY"


def test_somebody_elses_hang_up_is_not_ours(rig):
    rig.connect()
    waiting, played = rig.executing()
    rig.peer.event("CHANNEL_HANGUP", {"Unique-ID": "the-other-leg"})
    rig.peer.event("CHANNEL_EXECUTE_COMPLETE", {"Application-UUID": played})
    assert waiting.get(timeout=5).name == "CHANNEL_EXECUTE_COMPLETE"
    assert not rig.session.gone


def test_a_command_without_its_reply_ends_with_the_stream(rig):
    rig.connect()
    waiting = rig.script(rig.session.api, "status")
    assert rig.peer.command() == "api status"
    rig.peer.close()
    assert isinstance(waiting.get(timeout=5), CallGone)


def test_after_hang_up_a_lingering_session_still_hears_and_asks(rig):
    rig.connect()
    rig.script(rig.session.myevents)
    rig.peer.command()
    rig.peer.reply("+OK Events Enabled")
    rig.peer.event("CHANNEL_HANGUP", {"Hangup-Cause": "NORMAL_CLEARING"})
    rig.peer.notice("linger")
    rig.peer.event("CHANNEL_HANGUP_COMPLETE", {"Hangup-Cause": "NORMAL_CLEARING"})
    assert rig.session.wait_gone(5)
    asking = rig.script(rig.session.api, "status")
    rig.peer.command()
    rig.peer.write(b"Content-Type: api/response\nContent-Length: 2\n\nup")
    assert asking.get(timeout=5) == "up"
    rig.peer.notice("disconnect")
    assert rig.session.wait_over(5)
    assert rig.heard == ["CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE"]
    assert rig.session.cause == "NORMAL_CLEARING"


def test_leaving_is_no_hang_up(rig):
    rig.connect()
    waiting, _ = rig.executing()
    rig.session.close()
    assert isinstance(waiting.get(timeout=5), LinkClosed)


def test_an_application_has_a_deadline_with_its_name(rig):
    rig.connect()
    waiting = rig.script(rig.session.execute, "bridge", "nobody", wait=True, timeout=0.01)
    rig.peer.command()
    rig.peer.reply("+OK Events Enabled")
    rig.peer.command()
    rig.peer.reply()
    error = waiting.get(timeout=5)
    assert isinstance(error, JobTimeout)
    assert "bridge" in str(error)
    assert not rig.session.gone


def test_a_refused_application_is_an_error_at_once(rig):
    rig.connect()
    waiting = rig.script(rig.session.execute, "playback", "x.wav")
    rig.peer.command()
    rig.peer.reply("-ERR memory error")
    assert isinstance(waiting.get(timeout=5), CommandRejected)


def test_a_line_break_in_an_argument_is_refused_before_anything_is_sent(rig):
    rig.connect()
    error = rig.script(rig.session.execute, "playback", "x\n\napi shutdown").get(timeout=5)
    assert isinstance(error, LocalProtocolError)


@pytest.mark.parametrize("verb", ["linger", "stop_playing"])
def test_without_full_the_error_says_what_to_do(rig, verb):
    rig.connect(control="single-channel")
    error = rig.script(getattr(rig.session, verb)).get(timeout=5)
    assert isinstance(error, CommandRejected)
    assert "full" in str(error)


def test_a_job_is_known_by_the_id_we_chose(rig):
    rig.connect()
    waiting = rig.script(rig.session.bgapi, "status")
    assert rig.peer.command() == "event json BACKGROUND_JOB"
    rig.peer.reply("+OK event listener enabled json")
    job = rig.peer.header(rig.peer.command(), "Job-UUID")
    rig.peer.reply(f"+OK Job-UUID: {job}")
    rig.peer.event("BACKGROUND_JOB", {"Job-UUID": "foreign"}, "not yours")
    rig.peer.event("BACKGROUND_JOB", {"Job-UUID": job}, "up")
    assert waiting.get(timeout=5) == "up"


def test_in_static_mode_the_reply_may_take_as_long_as_the_application(rig):
    rig.connect(mode="static")
    waiting = rig.script(rig.session.execute, "playback", "x.wav", timeout=50)
    rig.peer.command()
    oldest = rig.session._link._pending.oldest
    assert oldest.timeout == 60
    rig.peer.reply()
    assert waiting.get(timeout=5) is None


def test_a_reply_nobody_asked_for_ends_the_session(rig):
    rig.connect()
    waiting, _ = rig.executing()
    rig.peer.reply("+OK what?")
    assert isinstance(waiting.get(timeout=5), RemoteProtocolError)


def test_its_repr_shows_no_number(rig):
    rig.connect()
    assert repr(rig.session) == f"<OutboundSession {UUID} async, full>"


def test_digits_come_from_the_completion(rig):
    rig.connect()
    asking = rig.script(rig.session.play_and_get_digits, "menu.wav", max_digits=3)
    assert "unset" in rig.peer.command()
    rig.peer.reply()
    rig.peer.command()
    rig.peer.reply("+OK Events Enabled")
    command = rig.peer.command()
    assert rig.peer.header(command, "execute-app-arg") == (
        r"1 3 3 5000 # menu.wav silence_stream://250 cti_digits \d+ 2000"
    )
    rig.peer.reply()
    executed = rig.peer.header(command, "Event-UUID")
    rig.peer.event("CHANNEL_EXECUTE_COMPLETE", {"Application-UUID": executed, "variable_cti_digits": "42"})
    assert asking.get(timeout=5) == "42"


def test_variables_are_set_literally_and_read_by_api(rig):
    rig.connect()
    setting = rig.script(rig.session.set_variable, "greeting", "it's ${x}")
    command = rig.peer.command()
    assert command.startswith(f"api uuid_setvar {UUID} greeting ")
    rig.peer.write(b"Content-Type: api/response\nContent-Length: 4\n\n+OK\n")
    assert setting.get(timeout=5) is None
    for answer, value in ((b"hello", "hello"), (b"_undef_", None)):
        reading = rig.script(rig.session.variable, "greeting")
        assert rig.peer.command() == f"api uuid_getvar {UUID} greeting"
        rig.peer.write(b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(answer), answer))
        assert reading.get(timeout=5) == value


@pytest.mark.parametrize("verb", ["variable", "set_variable"])
def test_a_refused_variable_is_an_error(rig, verb):
    rig.connect()
    asking = rig.script(getattr(rig.session, verb), "name", *(["x"] if verb == "set_variable" else []))
    rig.peer.command()
    rig.peer.write(b"Content-Type: api/response\nContent-Length: 21\n\n-ERR No such channel!")
    assert isinstance(asking.get(timeout=5), CommandRejected)


@pytest.mark.parametrize(
    ("verb", "args", "app", "argument"),
    [("say", ("42",), "say", "en NUMBER pronounced 42"), ("bridge", ("user/1001",), "bridge", "user/1001")],
)
def test_verbs_that_wait_return_the_completion(rig, verb, args, app, argument):
    rig.connect()
    doing = rig.script(getattr(rig.session, verb), *args)
    rig.peer.command()
    rig.peer.reply("+OK Events Enabled")
    command = rig.peer.command()
    assert rig.peer.header(command, "execute-app-name") == app
    assert rig.peer.header(command, "execute-app-arg") == argument
    rig.peer.reply()
    rig.peer.event("CHANNEL_EXECUTE_COMPLETE", {"Application-UUID": rig.peer.header(command, "Event-UUID")})
    assert doing.get(timeout=5).name == "CHANNEL_EXECUTE_COMPLETE"

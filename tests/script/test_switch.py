"""Scripts on the simulated switch over TCP: the same verbs, real greenlets, real bytes."""

from __future__ import annotations

import gc
import sqlite3
import weakref

import gevent
import pytest
from gevent.event import AsyncResult

from cti import errors, events
from cti.lookup import SqlLookup
from cti.script import Recognizer, Say, Secret
from cti.script.socket_control import SocketControl
from cti.sim.ivr_application import press, speak_up
from cti.switch import OutboundSession
from tests.center.bench import Bench, bench

LONG = "tone_stream://%(60000,0,440)"
SHORT = "tone_stream://%(20,0,440)"


@pytest.fixture
def line():
    with bench() as made:
        yield made


def begin(line: Bench, script) -> tuple[AsyncResult, object]:
    """Run a script on a new call; what becomes of it, and the caller."""
    outcome: AsyncResult = AsyncResult()

    def run(call):
        try:
            outcome.set(script(call))
        except BaseException as error:
            outcome.set_exception(error)
            raise

    line.centre.on_call("5*")(run)
    line.centre.start()
    return outcome, line.switch.incoming(called_number="5000")


def executing(caller, application: str):
    """Whether the caller's channel executes this."""
    return caller.channel.stack and caller.channel.stack[-1].application == application


def test_keys_reach_the_script_and_cut_the_prompt_short(line):
    outcome, caller = begin(line, lambda call: (call.answer(), call.collect(LONG, max_digits=8))[1])
    line.until("the prompt plays", lambda: executing(caller, "playback"))
    press(caller.channel, "4711#")
    result = outcome.get(timeout=20)
    assert (result.digits, result.ended_by) == ("4711", "terminator")
    line.until("the call is over", lambda: caller.ended)
    line.all_is_over()
    assert line.centre.switch.key_pressed == {}


def test_a_star_ends_no_prompt_that_is_not_to_be_ended(line):
    outcome, caller = begin(line, lambda call: call.play("tone_stream://%(300,0,440)"))
    line.until("the prompt plays", lambda: executing(caller, "playback"))
    began = line.switch.scheduler.now()
    press(caller.channel, "*")
    outcome.get(timeout=20)
    assert line.switch.scheduler.now() - began > 0.2


def test_a_menu_after_a_number_was_said(line):
    def script(call):
        call.answer()
        call.play(SHORT, Say(7), barge_in=True)
        return call.menu(SHORT, options={"1": "claims"}).value

    outcome, caller = begin(line, script)
    line.until("the number is said", lambda: executing(caller, "say"))
    press(caller.channel, "1")  # type-ahead
    assert outcome.get(timeout=20) == "claims"


def test_a_secret_is_told_to_nobody_and_not_left_behind(line):
    keys: list[str] = []

    def script(call):
        line.centre.switch.key_pressed[call.channel] = keys.append
        pin = call.collect(LONG, max_digits=4, secret=True)
        return pin, call.variable("cti_secret"), call.variable("sensitive_dtmf")

    outcome, caller = begin(line, script)
    line.until("it reads", lambda: executing(caller, "read"))
    press(caller.channel, "9248")
    pin, *left = outcome.get(timeout=20)
    assert pin.secret.reveal() == "9248"
    assert left == [None, None]
    assert keys == []
    assert "9248" not in str(line.said)


def test_a_secrets_prompt_that_is_missing_is_a_tone(line):
    line.switch.missing_files.add("/pin.wav")
    outcome, caller = begin(line, lambda call: call.collect("/pin.wav", max_digits=2, secret=True))
    line.until("it reads", lambda: executing(caller, "read"))
    press(caller.channel, "12")
    assert outcome.get(timeout=20).secret.reveal() == "12"


def test_a_recording_ends_with_a_key(line):
    outcome, caller = begin(line, lambda call: call.record("/recordings/m.wav", beep=None))
    line.until("it records", lambda: executing(caller, "record"))
    gevent.sleep(0.05)
    press(caller.channel, "5#")
    recorded = outcome.get(timeout=20)
    assert (recorded.ended_by, recorded.terminator) == ("terminator", "#")
    assert recorded.length_s >= 0.05


def test_a_caller_is_understood_or_falls_back_to_keys(line):
    def script(call):
        speak_up(line.switch.channels[call.channel], "I want to buy")
        asked = {
            "options": {"1": "claims", "2": "sales"},
            "words": {"1": ["claim"], "2": ["buy"]},
            "recognizer": Recognizer("unimrcp", "g"),
        }
        return call.menu(SHORT, **asked), call.menu(LONG, **asked)

    outcome, caller = begin(line, script)
    line.until("the second menu", lambda: caller.channel.stack and caller.channel.stack[-1].data.startswith(LONG))
    press(caller.channel, "1")
    first, second = outcome.get(timeout=20)
    assert (first.value, first.spoken) == ("sales", "I want to buy")
    assert (second.value, second.spoken) == ("claims", "")


def test_a_hang_up_wakes_whoever_waits_for_a_key(line):
    outcome, caller = begin(line, lambda call: (call.answer(), call.collect(max_digits=4, first_digit_s=600))[1])
    line.until("it is answered", lambda: caller.channel.answered)
    gevent.sleep(0.05)
    caller.hang_up()
    with pytest.raises(errors.CallGone) as gone:
        outcome.get(timeout=20)
    line.wait_for(events.CallCleared)
    assert gone.value.cause == "NORMAL_CLEARING"
    line.all_is_over()


def test_keys_pressed_while_waiting_for_an_agent_answer_no_later_question(line):
    line.centre.add_queue("sales")
    seen: list[int] = []

    def script(call):
        call.queue("sales")
        seen.append(len(call._control.keys))

    outcome, caller = begin(line, script)
    line.wait_for(events.Queued)
    press(caller.channel, "123")
    gevent.sleep(0.2)
    line.agent("ann")
    outcome.get(timeout=20)
    assert seen == [0]
    caller.hang_up()


def test_keys_after_the_hang_up_are_nobodys(line):
    """Neither those that come late, nor those that were there before it."""
    controls = []

    def script(call):
        call.answer()
        controls.append(call._control)
        call.sleep(60)

    outcome, caller = begin(line, script)
    line.until("it sleeps", lambda: controls and controls[0]._channel in line.centre.switch.key_pressed)
    press(caller.channel, "47")
    line.until("they have come", lambda: len(controls[0].keys) == 2)
    heard = line.centre.switch.key_pressed[controls[0]._channel]
    caller.hang_up()
    with pytest.raises(errors.CallGone):
        outcome.get(timeout=20)
    assert len(controls[0].keys) == 0
    assert line.centre.switch.key_pressed == {}
    heard("9")  # an event that was on its way
    with pytest.raises(errors.CallGone):
        controls[0].wait(None, key=True, until=0)
    line.all_is_over()


def test_a_secret_is_in_no_journal_and_no_log(tmp_path, capfd):
    """The database is asked with it, and everything that happens is written down."""
    pin = "918273645546"
    database = tmp_path / "pins.db"
    connection = sqlite3.connect(database)
    connection.executescript(f"create table pins (pin text, who text); insert into pins values ('{pin}', 'ada');")
    connection.close()
    lookup = SqlLookup(f"sqlite:///{database}", "select who from pins where pin = :pin", deadline_s=10)
    with bench(journal=tmp_path / "journal") as line:
        line.centre.add_queue("claims")

        def script(call):
            call.answer()
            asked = call.collect(SHORT, max_digits=len(pin), secret=True)
            found = call.look_up(lookup, pin=asked.secret)
            with pytest.raises(errors.ConfigurationError):
                call.attach(pin=asked.secret)
            with pytest.raises(errors.ConfigurationError):
                call.record(f"/tmp/{asked.secret}.wav")
            call.attach(who=found["who"])
            wrong = call.look_up(lookup, pin=Secret("0"))
            call.queue("claims", data={"wrong": wrong is None})

        outcome, caller = begin(line, script)
        line.until("it reads", lambda: executing(caller, "read"))
        press(caller.channel, pin)
        line.until("it waits", lambda: line.of(events.Queued) or (outcome.ready() and outcome.get()))
        assert line.of(events.Queued)[0].data == {"who": "ada", "wrong": True}
        caller.hang_up()
        line.all_is_over()
        assert pin not in str(line.said)
    lookup.close()
    written = b"".join(file.read_bytes() for file in (tmp_path / "journal").rglob("*") if file.is_file())
    assert b"ada" in written
    assert pin.encode() not in written
    said = capfd.readouterr()
    assert pin not in said.out + said.err


def test_a_call_that_is_over_is_kept_by_nobody(line):
    kept: list[weakref.ref[object]] = []

    def script(call):
        kept.append(weakref.ref(call))
        call.answer()
        call.play(SHORT)

    outcome, caller = begin(line, script)
    outcome.get(timeout=20)
    line.until("the call is over", lambda: caller.ended)
    line.all_is_over()

    def gone() -> bool:
        gc.collect()
        return kept[0]() is None

    line.until("nobody keeps it", gone)


def test_the_outbound_way_needs_async_full():
    session = OutboundSession.__new__(OutboundSession)
    session.mode, session.full = "static", True
    with pytest.raises(errors.CommandRejected, match="async full"):
        SocketControl(session)


def test_without_a_script_a_star_ends_a_prompt_as_freeswitch_has_it():
    from cti.sim import SimulatedSwitch
    from cti.sim.scheduler import VirtualScheduler

    switch = SimulatedSwitch(VirtualScheduler(), dialplan=lambda _: [("playback", LONG), ("park", "")])
    caller = switch.incoming()
    press(caller.channel, "5*")
    switch.scheduler.run_for(1)
    assert caller.channel.stack[-1].application == "park"
    assert caller.channel.variable("playback_terminator_used") == "*"

"""Callers leave messages, agents hear them: a centre on the simulated switch."""

from __future__ import annotations

import wave

import gevent
import pytest

from cti import CallCenter, ToMailbox, ToQueue, errors, events
from cti.messages import Messages, hearings, mailroom
from cti.messages.message_record import HEARD, NEW, RECORDING
from cti.model.states import AgentState
from cti.sim.ivr_application import press
from tests.center.bench import QUICK, bench

SHORT = "tone_stream://%(20,0,440)"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Whoever has heard a message decides at once."""
    monkeypatch.setattr("cti.script.hearing.DECIDE_S", 0.05)


def box(line, name="claims", **settings):
    settings = {"beep": SHORT, "min_s": 0.1, "silence_s": 0, **settings}
    line.centre.add_mailbox(name, **settings)


def speaks(line, caller):
    """Wait until the caller is being recorded."""
    line.until("the tone was heard", lambda: running(caller.channel, "record"))


def running(channel, application):
    return bool(channel is not None and channel.stack and channel.stack[-1].application == application)


def leave(line, seconds=0.3, number="5000"):
    """A caller comes, says something, and hangs up, as most do."""
    caller = line.switch.incoming(calling_number="138", calling_name="Mei", called_number=number)
    speaks(line, caller)
    gevent.sleep(seconds)
    caller.hang_up()
    return caller


@pytest.fixture
def claims(line):
    """A mailbox whose messages go to the claims queue, and a number that leads there."""
    line.centre.add_queue("claims")
    box(line, queue="claims")
    left = []

    @line.centre.on_call("5000")
    def script(call):
        left.append(call.voicemail("claims"))

    line.left = left
    line.centre.start()
    return line


def kept(line):
    return line.centre.messages("claims")


def test_a_message_that_ends_by_hanging_up_is_heard_by_an_agent(claims):
    leave(claims)
    delivered = claims.wait_for(events.MessageDelivered)
    assert (delivered.mailbox, delivered.calling_number, delivered.interaction_kind) == ("claims", "138", "voicemail")
    (record,) = kept(claims)
    assert (record.state, record.calling_name, record.called_number, record.error) == (NEW, "Mei", "5000", "")
    assert record.length_s == pytest.approx(0.3, abs=0.2)
    assert len(record.sha256) == 64
    with wave.open(str(claims.centre.message_file(record.id)), "rb") as opened:
        assert opened.getnframes() > 1000
    claims.agent("ann")
    heard = claims.wait_for(events.Established, agent="ann")
    assert heard.data["message"] == record.id
    claims.all_is_over()
    (after,) = kept(claims)
    assert (after.state, after.heard_by) == (HEARD, "ann")
    figures = claims.centre.queue_view("claims").figures
    assert (figures.offered, figures.answered, figures.abandoned, figures.waiting) == (1, 1, 0, 0)
    claims.until("the agent is ready again", lambda: claims.centre.agent("ann").view.state is AgentState.READY)
    played = list(claims.of(events.ConnectionCleared, side="agent"))
    assert len(played) == 1


def test_a_hash_ends_a_message_and_the_script_goes_on(claims):
    caller = claims.switch.incoming(called_number="5000")
    speaks(claims, caller)
    gevent.sleep(0.2)
    press(caller.channel, "#")
    claims.until("the call is over", lambda: caller.ended)
    (left,) = claims.left
    assert left.kept
    assert left.length_s == pytest.approx(0.2, abs=0.2)
    assert kept(claims)[0].id == left.message


def test_a_star_begins_again_and_the_last_one_counts(claims):
    caller = claims.switch.incoming(called_number="5000")
    speaks(claims, caller)
    gevent.sleep(0.5)
    press(caller.channel, "*")
    claims.until("the first has ended", lambda: not running(caller.channel, "record"))
    speaks(claims, caller)
    gevent.sleep(0.15)
    caller.hang_up()
    claims.wait_for(events.MessageDelivered)
    (record,) = kept(claims)
    assert record.length_s < 0.4


def test_what_is_too_short_is_no_message(claims):
    box(claims, queue="claims", min_s=5.0)
    caller = leave(claims, 0.05)
    claims.until("the call is over", lambda: caller.ended)
    claims.until("nothing is being recorded", lambda: not claims.centre._messages.index.in_state(RECORDING))
    assert kept(claims) == []
    assert claims.of(events.MessageDelivered) == []
    gevent.sleep(0.05)
    assert list(claims.centre._messages._reached_at.rglob("*.wav")) == []


def test_hanging_up_during_the_greeting_leaves_nothing(line):
    line.centre.add_queue("claims")
    box(line, queue="claims", greeting="tone_stream://%(60000,0,440)")
    line.centre.on_call("5000")(lambda call: call.voicemail("claims"))
    line.centre.start()
    caller = line.switch.incoming(called_number="5000")
    line.until("the greeting plays", lambda: running(caller.channel, "playback"))
    caller.hang_up()
    line.until(
        "nothing is being recorded",
        lambda: line.of(events.CallCleared) and not line.centre._messages.index.in_state(RECORDING),
    )
    assert kept(line) == []


def test_a_greeting_that_is_missing_does_not_keep_anybody_from_speaking(line):
    line.centre.add_queue("claims")
    box(line, queue="claims", greeting=("/nowhere/{language}.wav",))
    line.switch.missing_files.add("/nowhere/en.wav")
    line.centre.on_call("5000")(lambda call: call.voicemail("claims"))
    line.centre.start()
    leave(line)
    line.wait_for(events.MessageDelivered)


def test_a_queue_that_overflows_takes_callers_to_the_mailbox(line):
    line.centre.add_queue("claims", overflow_unstaffed=True, overflow=ToMailbox("claims"))
    line.centre.add_queue("messages")
    box(line, queue="messages")
    line.centre.on_call("5000")(lambda call: call.queue("claims"))
    line.centre.start()
    assert line.centre.advice() == []
    leave(line)
    line.wait_for(events.MessageDelivered, mailbox="claims")
    assert line.of(events.Diverted)[0].to_script == "mailbox:claims"
    figures = line.centre.queue_view("claims").figures
    assert (figures.offered, figures.overflowed) == (1, 1)


def test_a_queue_that_sends_callers_to_a_mailbox_that_is_not_there_is_advised_of(line):
    line.centre.add_queue("claims", overflow_unstaffed=True, overflow=ToMailbox("clams"))
    assert any("mailbox:clams" in each for each in line.centre.advice())


def test_a_message_rings_at_its_owner_and_nobody_else(line):
    box(line, agent="ann")
    line.agent("bob")
    line.switch.phones.add("user/ann", QUICK)
    line.centre.add_agent("ann", "user/ann")
    line.centre.on_call("5000")(lambda call: call.voicemail("claims"))
    line.centre.start()
    assert line.centre.advice() == [] or all("mailbox" not in each for each in line.centre.advice())
    leave(line)
    line.wait_for(events.MessageDelivered)
    assert line.of(events.Delivered) == []
    line.centre.agent("ann").log_on(ready=True)
    line.wait_for(events.Established, agent="ann")
    line.all_is_over()
    assert kept(line)[0].heard_by == "ann"


def test_a_message_is_repeated_and_deleted_by_key(claims, monkeypatch):
    monkeypatch.setattr("cti.script.hearing.DECIDE_S", 30.0)
    leave(claims, 0.2)
    claims.agent("ann")
    leg = claims.wait_for(events.Established, agent="ann").connection
    channel = claims.switch.channels[leg]
    record = kept(claims)[0]
    played = []
    claims.until("it plays", lambda: plays(channel, record.path))
    for key in "13":
        claims.until("it has been played", lambda: not plays(channel, record.path))
        press(channel, key)
        played.append(key)
        if key == "1":
            claims.until("it plays again", lambda: plays(channel, record.path))
    claims.all_is_over()
    assert kept(claims) == []
    with pytest.raises(errors.UnknownMessage):
        claims.centre.message(record.id)


def plays(channel, path):
    return running(channel, "playback") and channel.stack[-1].data == path


def test_a_message_that_its_agent_hangs_up_on_rings_again(claims, monkeypatch):
    monkeypatch.setattr(hearings, "HEARD_S", 30.0)
    leave(claims, 1.0)
    claims.agent("ann")
    first = claims.wait_for(events.Established, agent="ann")
    claims.centre.agent("ann").hang_up()
    claims.until("it rings again", lambda: len(claims.of(events.Established)) == 2)
    claims.all_is_over()
    assert len(claims.of(events.MessageDelivered)) == 2
    assert claims.of(events.Established)[1].interaction != first.interaction
    assert kept(claims)[0].state == HEARD


def test_a_message_that_is_marked_or_deleted_waits_no_longer(claims):
    leave(claims, 0.2)
    claims.wait_for(events.MessageDelivered)
    (record,) = kept(claims)
    claims.centre.mark_message(record.id, by="boss")
    claims.all_is_over()
    assert kept(claims)[0].heard_by == "boss"
    claims.centre.mark_message(record.id, heard=False)
    claims.until("it is delivered again", lambda: len(claims.of(events.MessageDelivered)) == 2)
    claims.centre.delete_message(record.id)
    claims.all_is_over()
    assert kept(claims) == []
    for what in (claims.centre.message, claims.centre.delete_message, claims.centre.mark_message):
        with pytest.raises(errors.UnknownMessage, match="deleted"):
            what(record.id)


def test_a_message_that_somebody_withdraws_is_kept_and_does_not_come_back(claims):
    leave(claims, 0.2)
    interaction = claims.wait_for(events.MessageDelivered).interaction
    claims.centre.hang_up(interaction)
    claims.all_is_over()
    claims.until("it is noted", lambda: kept(claims)[0].deliveries == mailroom.MOST_DELIVERIES)
    claims.centre._mailroom._sweep(first=True)
    assert len(claims.of(events.MessageDelivered)) == 1


def test_a_mailbox_is_wrong_or_unknown_and_says_so(claims):
    with pytest.raises(errors.UnknownMailbox, match="claims"):
        claims.centre.messages("clams")
    with pytest.raises(errors.UnknownQueue):
        box(claims, "other", queue="nowhere")
    for wrong in ({"max_s": 0}, {"again_key": "#"}, {"email": "nobody"}, {"light": "ann"}, {"greeting": ("",)}):
        with pytest.raises(errors.ConfigurationError, match=next(iter(wrong))):
            box(claims, "other", **wrong)
    with bench() as other, pytest.raises(errors.ConfigurationError, match="messages="):
        other.centre.add_mailbox("claims")


def test_what_was_left_undone_is_taken_up_by_the_next_run(tmp_path):
    """The first run dies while a caller speaks; another is killed with a message waiting; nothing is lost or told twice."""
    directory = str(tmp_path / "messages")
    with bench(messages=Messages(directory), journal=tmp_path / "journal") as first:
        first.switch.writes_files = True
        first.centre.add_queue("claims")
        box(first, queue="claims")
        first.centre.on_call("5000")(lambda call: call.voicemail("claims"))
        first.centre.start()
        leave(first, 0.2)
        first.wait_for(events.MessageDelivered)
        caller = first.switch.incoming(calling_number="139", called_number="5000")
        speaks(first, caller)
        gevent.sleep(0.2)
        first.centre.stop()  # its greenlets are killed; what the switch does goes on
        caller.hang_up()
        first.until("the file is there", lambda: caller.ended)
        second = CallCenter(
            f"{first.server.address[0]}:{first.server.address[1]}",
            messages=Messages(directory),
            journal=tmp_path / "journal",
        )
        said = []
        second.subscribe(said.append, events.CallEvent)
        try:
            second.add_queue("claims")
            second.add_mailbox("claims", queue="claims", min_s=0.1)
            second.start()
            first.until("the second is delivered", lambda: [e for e in said if isinstance(e, events.MessageDelivered)])
            world = second._loop.engine.world
            waiting = [call.message.id for call in world.interactions.values()]
            assert sorted(waiting) == sorted(each.id for each in second.messages("claims"))
            assert len(waiting) == 2
            assert {each.calling_number for each in second.messages("claims")} == {"138", "139"}
        finally:
            second.stop()


def test_old_messages_are_deleted_once_they_have_been_heard(claims):
    leave(claims, 0.2)
    claims.wait_for(events.MessageDelivered)
    (record,) = kept(claims)
    index = claims.centre._messages.index
    claims.centre._mailroom._sweep(first=False)
    assert kept(claims)
    claims.centre.mark_message(record.id)
    index.change(record.id, heard_at=1.0)
    path = claims.centre.message_file(record.id)
    assert path.exists()
    claims.centre._mailroom._sweep(first=False)
    assert kept(claims) == []
    assert not path.exists()


def test_a_message_overflows_to_another_queue(claims):
    claims.centre.add_queue("second")
    claims.centre.add_queue("claims", max_wait_s=0.1, overflow=ToQueue("second"))
    leave(claims, 0.2)
    claims.wait_for(events.Queued, queue="second")


def test_a_link_that_is_lost_while_somebody_speaks_loses_nothing(claims):
    caller = claims.switch.incoming(calling_number="138", called_number="5000")
    speaks(claims, caller)
    gevent.sleep(0.2)
    claims.server.drop_links()
    claims.until("the link is back", lambda: len(claims.of(events.SystemStatus, status="normal")) == 2)
    # The script has failed, and its call is hung up on; the recording is FreeSWITCH's until then.
    claims.until("the call is over", lambda: caller.ended and claims.of(events.CallCleared))
    claims.centre._mailroom._sweep(first=False)
    claims.wait_for(events.MessageDelivered)
    (record,) = kept(claims)
    assert record.length_s > 0.15


def test_a_file_that_is_never_closed_is_measured_by_its_size(claims, monkeypatch):
    monkeypatch.setattr("cti.messages.messages.CLOSED_S", 0.1)

    def unclosed(path, length_ms):
        path.write_bytes(
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0" + (8000).to_bytes(4, "little") + (16000).to_bytes(4, "little")
            + b"\2\0\x10\0data\0\0\0\0" + bytes(16 * length_ms)
        )  # fmt: skip

    monkeypatch.setattr("cti.sim.ivr_application.silence", unclosed)
    leave(claims, 0.8)
    claims.wait_for(events.MessageDelivered)
    (record,) = kept(claims)
    assert 0.3 < record.length_s < 1.0

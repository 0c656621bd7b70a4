"""The library's face, on a simulated switch over TCP."""

from __future__ import annotations

import gevent
import pytest

from cti import CallCenter, Cause, ToDestination, ToQueue, Widening, errors, events
from cti.model.states import AgentState
from cti.sim import Behaviour

from .bench import bench

NEVER = Behaviour(ring_s=(0.001, 0.002), no_answer=1.0)


def test_a_call_reaches_the_agent_with_the_skill_and_the_screen_pops_first(line):
    line.centre.add_queue("claims", requires={"claims": 3})
    line.agent("novice", skills={"claims": 2})
    line.agent("expert", skills={"claims": 5})
    outcomes = []

    @line.centre.on_call("5000")
    def script(call):
        call.answer()
        call.attach(policy="4711")
        outcomes.append(call.queue("claims", priority=2, data={"language": "zh"}))

    line.centre.start()
    caller = line.switch.incoming(calling_number="138", called_number="5000", talk_s=0.05)
    line.until("the caller hung up", lambda: caller.ended)
    line.all_is_over()
    delivered, established = line.wait_for(events.Delivered), line.wait_for(events.Established)
    assert line.said.index(delivered) < line.said.index(established)
    assert (delivered.agent, delivered.queue, delivered.calling_number) == ("expert", "claims", "138")
    assert delivered.data == {"policy": "4711", "language": "zh"}
    (outcome,) = outcomes
    assert (outcome.answered, outcome.agent, outcome.queue) == (True, "expert", "claims")
    assert len(line.of(events.CallCleared)) == 1
    figures = line.centre.snapshot().queues[0].figures
    assert (figures.offered, figures.answered, figures.waiting) == (1, 1, 0)


def test_a_prompt_plays_to_its_end_and_a_missing_one_says_so(line):
    heard = []

    @line.centre.on_call("5000")
    def script(call):
        call.answer()
        call.play("tone_stream://%(20,0,640)")
        heard.append("prompt")
        try:
            call.play("/nowhere/missing.wav")
        except errors.CommandRejected as refused:
            heard.append(refused.code)

    line.switch.missing_files.add("/nowhere/missing.wav")
    line.centre.start()
    line.switch.incoming(called_number="5000")
    line.until("the script ended", lambda: len(heard) == 2)
    assert heard == ["prompt", "switch.command_rejected"]
    line.all_is_over()


def test_the_verb_that_waits_raises_call_gone_when_the_caller_hangs_up(line):
    ended = []

    @line.centre.on_call("*")
    def script(call):
        try:
            if call.called_number == "5001":
                call.answer()
                call.play("tone_stream://%(60000,0,640)")
            else:
                line.centre.add_queue("nobody")
                call.queue("nobody")
        except errors.CallGone as gone:
            ended.append((call.called_number, gone.interaction == call.id, call.is_gone))
            raise

    line.centre.start()
    line.switch.incoming(called_number="5001", patience_s=0.05)
    line.switch.incoming(called_number="5002", patience_s=0.05)
    line.until("both scripts ended", lambda: len(ended) == 2)
    assert sorted(ended) == [("5001", True, True), ("5002", True, True)]
    line.all_is_over()
    assert line.centre.snapshot().queues[0].figures.abandoned == 1


def test_race_26_a_script_that_raises_costs_its_own_call_only(line):
    line.centre.add_queue("sales")
    line.agent("ann")

    @line.centre.on_call("5001")
    def bad(call):
        raise RuntimeError("boom")

    @line.centre.on_call("5000")
    def good(call):
        call.queue("sales")

    line.centre.start()
    hurt = line.switch.incoming(called_number="5001")
    well = line.switch.incoming(called_number="5000", talk_s=0.05)
    line.until("both are over", lambda: hurt.ended and well.ended)
    assert well.connected
    assert not hurt.connected
    line.all_is_over()


def test_race_26_a_failed_scripts_call_can_go_to_a_queue_instead():
    with bench(on_script_error="rescue") as line:
        line.centre.add_queue("rescue")
        line.agent("ann")
        line.centre.on_call("5000")(lambda call: 1 / 0)
        line.centre.start()
        caller = line.switch.incoming(called_number="5000", talk_s=0.05)
        line.until("it is over", lambda: caller.ended)
        assert caller.connected
        line.all_is_over()


def test_race_26_a_handler_that_never_returns_or_raises_delays_nobody(line):
    line.centre.add_queue("sales")
    line.agent("ann")
    line.centre.on_call("5000")(lambda call: call.queue("sales"))
    line.centre.on_call("5001")(lambda call: gevent.event.Event().wait())
    seen = []

    @line.centre.on(events.CallEvent)
    def stuck(event):
        gevent.event.Event().wait()

    @line.centre.on("Established")
    def failing(event):
        raise ValueError("no")

    line.centre.on(events.Established)(seen.append)
    line.centre.start()
    line.switch.incoming(called_number="5001", patience_s=0.2)
    for _ in range(2):
        caller = line.switch.incoming(called_number="5000", talk_s=0.02)
        line.until("it is over", lambda caller=caller: caller.ended)
        assert caller.connected
    assert len(seen) == 2
    line.all_is_over()


def test_a_number_without_a_script_is_refused(line):
    line.centre.start()
    caller = line.switch.incoming(called_number="5999")
    line.until("refused", lambda: caller.ended)
    cleared = line.wait_for(events.CallCleared)
    assert cleared.state == "cleared"
    line.all_is_over()


def test_a_script_that_just_returns_ends_its_call(line):
    line.centre.on_call("5000")(lambda call: call.answer())
    line.centre.start()
    caller = line.switch.incoming(called_number="5000")
    line.until("cleared", lambda: caller.ended)
    line.all_is_over()


def test_overflow_to_a_queue_and_out_of_the_centre(line):
    line.centre.add_queue("second", max_wait_s=0.05, overflow=ToDestination("4000"))
    line.centre.add_queue("first", max_wait_s=0.05, overflow=ToQueue("second"))
    outcomes = []
    line.centre.on_call("5000")(lambda call: outcomes.append(call.queue("first")))
    line.centre.start()
    line.switch.incoming(called_number="5000")
    line.until("diverted", lambda: outcomes)
    assert (outcomes[0].answered, outcomes[0].destination) == (False, "4000")
    assert [e.to_queue or e.destination for e in line.of(events.Diverted)] == ["second", "4000"]
    assert [(q.id, q.figures.overflowed) for q in line.centre.snapshot().queues] == [("second", 1), ("first", 1)]
    line.all_is_over()


def test_a_script_can_divert_and_hang_up(line):
    line.centre.on_call("5000")(lambda call: call.divert("4000"))
    line.centre.on_call("5001")(lambda call: call.hang_up(Cause.BUSY))
    line.centre.start()
    line.switch.incoming(called_number="5000")
    line.wait_for(events.CallCleared, state="diverted")
    line.switch.incoming(called_number="5001")
    assert line.wait_for(events.ConnectionCleared).switch_cause == "USER_BUSY"
    line.all_is_over()


def test_agents_states_by_their_control(line):
    line.centre.add_queue("sales", wrap_up_s=60)
    line.agent("ann")
    line.centre.on_call("5000")(lambda call: call.queue("sales"))
    line.centre.start()
    ann = line.centre.agent("ann")
    with pytest.raises(errors.InvalidAgentState, match="logged on already"):
        ann.log_on()
    caller = line.switch.incoming(called_number="5000")
    line.wait_for(events.Established)
    ann.not_ready("LUNCH")
    assert ann.view.pending is AgentState.NOT_READY
    caller.hang_up()
    line.wait_for(events.AgentWorkingAfterCall)
    ann.ready()
    assert ann.view.state is AgentState.READY
    ann.log_off()
    assert ann.view.state is AgentState.NULL
    with pytest.raises(errors.InvalidAgentState, match="logged off"):
        ann.ready()
    line.centre.remove_agent("ann")
    with pytest.raises(errors.UnknownAgent):
        line.centre.agent("ann")
    line.all_is_over()


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda c: c.agent("alcie"), errors.UnknownAgent, "did you mean 'alice'"),
        (lambda c: c.add_queue("q", strategy="longest-idel"), errors.UnknownStrategy, "did you mean 'longest-idle'"),
        (lambda c: c.add_queue("q", overflow=ToQueue("slaes")), errors.UnknownQueue, "did you mean 'sales'"),
        (lambda c: c.add_queue("q", overflow=ToQueue("q")), errors.ConfigurationError, "overflows to itself"),
        (lambda c: c.on("Establised"), errors.UnknownEvent, "did you mean 'Established'"),
        (lambda c: c.add_queue("q", max_wait=3), errors.ConfigurationError, "max_wait_s"),
        (lambda c: c.add_queue("q", max_wait_s=-1), errors.ConfigurationError, "max_wait_s is -1"),
        (lambda c: c.add_agent("bob", "user/1", skills={"x": -2}), errors.ConfigurationError, "'x' is -2"),
        (lambda c: c.add_agent("bob", "user/1\nexit"), errors.ConfigurationError, "contact"),
        (lambda c: c.add_agent("bob", "user/alice").log_on(), errors.ResourceBusy, "'alice' is logged on"),
        (lambda c: CallCenter("nonsense:port"), errors.ConfigurationError, "127.0.0.1:8021"),
    ],
)
def test_bad_input_is_named_with_what_would_do(line, wrong, error, says):
    line.centre.add_queue("sales")
    line.agent("alice")
    with pytest.raises(error, match=says):
        wrong(line.centre)


def test_an_unknown_queue_in_a_script_names_the_nearest(line):
    line.centre.add_queue("sales")
    refused = []

    @line.centre.on_call("5000")
    def script(call):
        with pytest.raises(errors.UnknownQueue, match="did you mean 'sales'"):
            call.queue("salse")
        refused.append(call)

    line.centre.start()
    line.switch.incoming(called_number="5000")
    line.until("refused", lambda: refused)
    line.all_is_over()


@pytest.mark.parametrize(
    "name",
    [
        "Bob%0AUnique-ID: FAKE%0A%0AContent-Length: 0",
        'O\'Brien, "Bob" {x=1} [y=2]',
        "a,b|c:_:d^^e;f\\g",
        "${hangup}",
        "王小明",
        "bad \udcff\udcfe bytes",
        "%n%s%d",
        "}{user/1001",
    ],
)
def test_a_callers_name_changes_nothing_but_that_name(line, name):
    line.centre.add_queue("sales")
    line.agent("ann")
    line.centre.on_call("5000")(lambda call: call.queue("sales"))
    line.centre.start()
    caller = line.switch.incoming(calling_number="138", calling_name=name, called_number="5000", talk_s=0.05)
    line.until("it is over", lambda: caller.ended)
    established = line.wait_for(events.Established)
    assert (established.agent, established.calling_name, established.calling_number) == ("ann", name, "138")
    line.all_is_over()


def test_the_link_comes_back_and_waiting_callers_keep_their_place(line):
    line.centre.add_queue("sales")
    line.centre.on_call("5000")(lambda call: call.queue("sales"))
    line.centre.start()
    line.switch.incoming(called_number="5000", calling_number="1", talk_s=0.05)
    line.wait_for(events.Queued, calling_number="1")
    line.switch.drop_links()
    lost = line.wait_for(events.SystemStatus, status="messagesLost")
    line.until("live again", lambda: [e for e in line.of(events.SystemStatus, status="normal") if e.at >= lost.at])
    line.switch.incoming(called_number="5000", calling_number="2", talk_s=0.05)
    line.wait_for(events.Queued, calling_number="2")
    line.agent("ann")
    line.until("both were answered", lambda: len(line.of(events.Established)) == 2)
    assert [e.calling_number for e in line.of(events.Established)] == ["1", "2"]
    line.all_is_over()


def test_a_restarted_switch_loses_its_calls_and_frees_the_agents(line):
    line.centre.add_queue("sales")
    line.agent("ann")
    line.centre.on_call("5000")(lambda call: call.queue("sales"))
    line.centre.start()
    line.switch.incoming(called_number="5000", calling_number="1")
    line.wait_for(events.Established)
    line.switch.incoming(called_number="5000", calling_number="2")
    line.wait_for(events.Queued, calling_number="2")
    line.switch.restart()
    line.until("both are over", lambda: len(line.of(events.CallCleared, state="lost")) == 2)
    assert {e.cause.csta_name for e in line.of(events.CallCleared)} == {"switchingFunctionTerminated"}
    line.until("ann is ready", lambda: line.centre.agent("ann").view.state is AgentState.READY)
    caller = line.switch.incoming(called_number="5000", talk_s=0.02)
    line.until("the next call works", lambda: caller.ended)
    assert caller.connected
    line.all_is_over()


def test_nobody_answers_so_the_agent_is_not_ready_and_the_caller_waits_on(line):
    line.centre.add_queue("sales", ring_timeout_s=0.05)
    line.agent("ann", NEVER)
    line.centre.on_call("5000")(lambda call: call.queue("sales"))
    line.centre.start()
    caller = line.switch.incoming(called_number="5000", talk_s=0.05)
    line.wait_for(events.AgentNotReady, reason="RNA")
    line.agent("bob")
    line.until("it is over", lambda: caller.ended)
    assert line.wait_for(events.Established).agent == "bob"
    line.all_is_over()


def test_a_stopped_centre_says_so_and_nobody_hangs(line):
    line.centre.add_queue("sales")
    ended = []

    @line.centre.on_call("5000")
    def script(call):
        try:
            call.queue("sales")
        finally:
            ended.append(call)

    line.centre.start()
    line.switch.incoming(called_number="5000")
    line.wait_for(events.Queued)
    line.centre.stop()
    line.until("the script ended", lambda: ended)
    with pytest.raises(errors.LinkClosed, match="stopped"):
        line.centre.add_queue("more")


def test_why_a_call_waits_and_an_agent_idles_and_what_widening_does_about_it(line):
    line.centre.add_queue(
        "loans",
        requires="loans >= 5 and not trainee",
        widening=(Widening(after_s=0.2, requires="loans >= 2"),),
    )
    line.agent("novice", skills={"loans": 2, "trainee": 1})
    line.centre.on_call("5000")(lambda call: call.queue("loans"))
    line.centre.start()
    caller = line.switch.incoming(called_number="5000", talk_s=0.02)
    waiting = line.wait_for(events.Queued).interaction
    (reason,) = line.centre.explain_call(waiting).agents
    assert (reason.agent, reason.code) == ("novice", "not yet")
    assert "loans 2 < 5" in reason.text
    assert line.centre.explain_agent("novice").calls[0].call == waiting
    line.until("it is over", lambda: caller.ended)
    assert line.wait_for(events.Established).waited_s >= 0.2
    line.all_is_over()
    with pytest.raises(errors.UnknownInteraction, match="it has ended"):
        line.centre.explain_call(waiting)


def test_the_random_strategy_needs_nothing_more(line):
    line.centre.add_queue("sales", strategy="random")
    line.agent("ann")
    line.centre.on_call("5000")(lambda call: call.queue("sales"))
    line.centre.start()
    caller = line.switch.incoming(called_number="5000", talk_s=0.02)
    line.until("it is over", lambda: caller.ended)
    assert caller.connected


def test_a_requirement_that_cannot_be_read_names_the_column(line):
    with pytest.raises(errors.ConfigurationError, match="column 10"):
        line.centre.add_queue("q", requires="loans >= and x")

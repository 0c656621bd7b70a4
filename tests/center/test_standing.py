"""Standing connections on a simulated switch, over its own bytes: the phone rings once, and calls are put through to it."""

from __future__ import annotations

import random
from pathlib import Path

import gevent
import pytest
from attrs import evolve

from cti import events
from cti.errors import InvalidAgentState
from cti.model.ids import AgentId
from cti.model.overflow import ToScript
from cti.model.party import Destination, ToAgent, ToNumber
from cti.model.standing_states import StandingState
from cti.model.states import AgentState, InteractionState

from .bench import QUICK, Bench, bench
from .test_recovery import a_centre, kill, server, world

__all__ = ["server"]


def standing(b: Bench, name: str = "ann", *, wait: bool = True, **settings: object):
    """An agent with a standing connection, ready."""
    phone = b.switch.phones.find(f"user/{name}") or b.switch.phones.add(f"user/{name}", QUICK)
    settings.setdefault("wrap_up_s", 0)
    b.centre.add_agent(name, f"user/{name}", standing=True, **settings).log_on(ready=True)
    if wait:
        up(b, name)
    return phone


def up(b: Bench, name: str = "ann") -> None:
    b.until(f"{name} is on the line", lambda: b.centre.agent(name).view.standing is StandingState.UP)


def state(b: Bench, agent: str = "ann"):
    view = b.centre.agent(agent).view
    return view.state, view.reason


def a_queue(b: Bench, **settings: object) -> None:
    b.centre.add_queue("sales", **settings)
    b.centre.on_call("5*")(lambda call: call.queue("sales"))


def ready(b: Bench, agent: str = "ann") -> None:
    b.until(f"{agent} is ready", lambda: state(b, agent)[0] is AgentState.READY)


def leg_of(b: Bench, agent: str = "ann"):
    return b.switch.channels[world(b).standing[agent].leg]


def clean(b: Bench) -> None:
    """No call is left, everybody is as they should be, and no leg hears anything it should not."""
    b.all_is_over()
    for known in world(b).standing.values():
        if known.is_up:
            assert known.leg in b.switch.channels
    assert world(b).stray == {}


def test_calls_in_a_row_on_one_connection(line):
    a_queue(line, music="local_stream://moh")
    line.centre.start()
    ann = standing(line)
    leg = leg_of(line).uuid
    for number in range(5):
        line.switch.incoming(talk_s=0.02)
        line.until("it is over", lambda n=number: len(line.of(events.CallCleared)) == n + 1)
    assert (ann.offered, ann.answers) == (1, 1)
    assert [e.connection for e in line.of(events.Established)] == [leg] * 5
    assert leg_of(line).up
    ready(line)
    assert line.of(events.OfferEnded) == []
    clean(line)


def test_the_caller_is_connected_at_once(line):
    a_queue(line)
    line.centre.start()
    standing(line)
    line.switch.incoming(talk_s=0.02)
    told = line.wait_for(events.Established)
    assert told.waited_s < 1
    line.wait_for(events.CallCleared)
    line.centre.agent("ann").log_off()
    line.until("the line is cleared", lambda: not line.switch.channels)
    clean(line)


def test_music_between_calls(line):
    a_queue(line)
    line.centre.start()
    standing(line, standing_music="local_stream://moh")
    leg = leg_of(line)
    line.until("it plays", lambda: leg.last_data == "local_stream://moh")
    for number in range(2):
        line.switch.incoming(talk_s=0.02)
        line.until("it is over", lambda n=number: len(line.of(events.CallCleared)) == n + 1)
    ready(line)
    line.until("it plays again", lambda: [r.data for r in leg.stack] == ["local_stream://moh"])
    clean(line)


def test_an_agent_who_hangs_up_in_a_call_ends_it_and_is_rung_when_they_are_ready(line):
    a_queue(line)
    line.centre.start()
    ann = standing(line)
    caller = line.switch.incoming()
    line.wait_for(events.Established)
    ann.hang_up(leg_of(line))
    line.until("the call is over", lambda: caller.ended)
    line.until("not ready", lambda: state(line) == (AgentState.NOT_READY, "LINE_DOWN"))
    assert line.centre.agent("ann").view.standing is StandingState.DOWN
    gevent.sleep(1.2)
    assert ann.offered == 1
    line.centre.agent("ann").ready()
    ready(line)
    assert ann.offered == 2
    line.switch.incoming(talk_s=0.02)
    line.until("talked", lambda: len(line.of(events.CallCleared)) == 2)
    clean(line)


def test_a_line_that_breaks_is_rung_again_by_itself(line):
    a_queue(line)
    line.centre.start()
    ann = standing(line)
    leg_of(line).hangup("MEDIA_TIMEOUT")
    line.until("it was lost", lambda: state(line) == (AgentState.NOT_READY, "LINE_DOWN"))
    line.switch.incoming(talk_s=0.02)
    line.wait_for(events.Established)
    assert ann.offered == 2
    line.wait_for(events.CallCleared)
    clean(line)


def test_the_services_of_a_call_leave_the_line_as_it_was(line):
    a_queue(line)
    line.centre.on_call("survey")(lambda call: call.hang_up())
    line.centre.start()
    ann = standing(line, "ann")
    caller = line.switch.incoming()
    line.wait_for(events.Established)
    control = line.centre.agent("ann")
    control.hold()
    line.wait_for(events.Held)
    control.retrieve()
    line.wait_for(events.Retrieved)
    bob = standing(line, "bob")
    line.until("bob waits", lambda: state(line, "bob")[0] is AgentState.READY)
    control.consult(ToAgent(AgentId("bob")))
    line.wait_for(events.Established, agent="bob")
    control.transfer()
    line.wait_for(events.Transferred)
    ready(line, "ann")
    line.centre.agent("bob").hang_up()
    line.until("over", lambda: caller.ended)
    ready(line, "bob")
    assert (ann.offered, bob.offered) == (1, 1)
    clean(line)


def test_a_conference_and_a_survey_afterwards(line):
    a_queue(line, after_call=ToScript("survey"))
    asked = []
    line.centre.script("survey")(lambda call: (asked.append(call.id), call.hang_up()))
    line.centre.start()
    standing(line, "ann")
    caller = line.switch.incoming()
    line.wait_for(events.Established)
    standing(line, "bob")
    line.centre.agent("ann").invite(ToAgent(AgentId("bob")))
    line.wait_for(events.Conferenced)
    line.centre.agent("bob").hang_up()
    ready(line, "bob")
    line.centre.agent("ann").hang_up()
    line.until("the caller was asked", lambda: asked)
    line.until("the caller is gone", lambda: caller.ended)
    ready(line, "ann")
    clean(line)


def test_a_call_made_by_the_line():
    with bench(allowed_destinations=[Destination("9*", "sofia/gateway/out/{number}")]) as out:
        out.switch.phones.add("sofia/gateway/out/9123", evolve(QUICK, talk_s=0.05))
        out.centre.start()
        ann = standing(out)
        out.centre.agent("ann").make_call(ToNumber("9123"))
        out.wait_for(events.Established)
        out.wait_for(events.CallCleared)
        ready(out)
        assert ann.offered == 1
        clean(out)


def test_log_off_in_a_call_lets_it_end_first(line):
    a_queue(line)
    line.centre.start()
    standing(line)
    caller = line.switch.incoming()
    line.wait_for(events.Established)
    line.centre.agent("ann").log_off()
    gevent.sleep(0.1)
    assert not caller.ended
    caller.hang_up()
    line.until("off", lambda: state(line)[0] is AgentState.NULL)
    line.until("the line is cleared", lambda: not line.switch.channels)
    clean(line)


def test_whoever_stands_is_told_why_they_cannot_supervise(line):
    a_queue(line)
    line.centre.start()
    standing(line)
    line.centre.add_agent("bob", "user/bob")
    line.centre.agent("ann").not_ready()
    with pytest.raises(InvalidAgentState, match="standing connection"):
        line.centre.supervisor("ann").monitor(agent="bob")


# -- restarts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_journal", [True, False])
def test_our_process_is_killed_with_agents_on_the_line(server, tmp_path: Path, with_journal):
    """One is in a call, one is idle: nobody's phone rings again, and nobody is taken for a caller."""
    journal = tmp_path if with_journal else None
    with a_centre(server, journal) as b:
        a_queue(b)
        b.centre.start()
        ann = standing(b, "ann")
        caller = b.switch.incoming()
        b.wait_for(events.Established)
        bob = standing(b, "bob")
        legs = {name: leg_of(b, name).uuid for name in ("ann", "bob")}
        b.until("the tags are there", lambda: "cti_interaction" in str(leg_of(b, "ann").variables))
        gevent.sleep(0.1)
    with a_centre(server, journal) as b:
        a_queue(b)
        for name in ("ann", "bob"):
            control = b.centre.add_agent(name, f"user/{name}", standing=True, wrap_up_s=0)
            if not with_journal:
                control.log_on(ready=True)
        b.centre.start()
        assert b.of(events.Offered) == []
        up(b, "ann")
        up(b, "bob")
        assert {name: leg_of(b, name).uuid for name in ("ann", "bob")} == legs
        assert state(b, "ann")[0] is AgentState.BUSY
        ready(b, "bob")
        b.switch.incoming(talk_s=0.02)
        b.wait_for(events.Established, agent="bob")
        b.until("bob is free", lambda: b.of(events.CallCleared))
        caller.hang_up()
        ready(b, "ann")
        ready(b, "bob")
        b.switch.incoming(talk_s=0.02)
        b.switch.incoming(talk_s=0.02)
        b.until("all are served", lambda: len(b.of(events.CallCleared)) == 4)
        assert (ann.offered, bob.offered) == (1, 1)
        clean(b)
        kill(b.centre)


def test_the_caller_goes_while_we_are_away(server):
    with a_centre(server) as b:
        a_queue(b)
        b.centre.start()
        ann = standing(b)
        caller = b.switch.incoming()
        b.wait_for(events.Established)
        gevent.sleep(0.1)
    caller.hang_up()
    gevent.sleep(0.1)
    with a_centre(server) as b:
        a_queue(b)
        b.centre.start()
        standing(b)
        ready(b)
        b.switch.incoming(talk_s=0.02)
        b.wait_for(events.CallCleared)
        assert ann.offered == 1
        clean(b)


def test_a_restart_of_the_switch_brings_them_back(line):
    a_queue(line)
    line.centre.start()
    ann = standing(line)
    line.switch.incoming()
    line.wait_for(events.Established)
    line.switch.restart()
    line.until("lost", lambda: line.of(events.CallCleared))
    ready(line)
    assert ann.offered == 2
    line.switch.incoming(talk_s=0.02)
    line.until("talked", lambda: len(line.of(events.Established)) == 2)
    line.until("over", lambda: len(line.of(events.CallCleared)) == 2)
    clean(line)


# -- whatever happens --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_nobody_sticks(line, seed):
    """Callers come and go at any moment, lines break, agents hang up and change their minds: in the end all is well."""
    chance = random.Random(seed)
    a_queue(line, music="local_stream://moh")
    line.centre.start()
    names = ("ann", "bob", "dan")
    for name in names:
        standing(line, name, wait=False)
    for _ in range(120):
        what = chance.random()
        name = chance.choice(names)
        known = world(line).standing.get(name)
        leg = line.switch.channels.get(known.leg) if known is not None else None
        if what < 0.5:
            line.switch.incoming(
                talk_s=chance.choice((0.005, 0.03, 0.1)), patience_s=chance.choice((0.005, 0.03, None))
            )
        elif what < 0.58 and leg is not None and leg.up:
            leg.hangup("MEDIA_TIMEOUT")
        elif what < 0.64 and leg is not None and leg.up:
            line.switch.phones.find(f"user/{name}").leave(leg)
        elif what < 0.70:
            line.centre.agent(name).log_off()
        elif what < 0.76 and state(line, name)[0] is AgentState.NULL:
            line.centre.agent(name).log_on(ready=True)
        elif what < 0.82 and state(line, name)[0] is not AgentState.NULL:
            line.centre.agent(name).not_ready("lunch")
        elif what < 0.92 and state(line, name)[0] is not AgentState.NULL:
            line.centre.agent(name).ready()
        elif what < 0.94:
            line.switch.drop_links()
        elif what < 0.97 and state(line, name)[0] is AgentState.BUSY:
            talking = [c for c in world(line).interactions.values() if c.state is InteractionState.ESTABLISHED]
            if talking:
                line.centre.hang_up(talking[0].id)
        gevent.sleep(chance.choice((0.0, 0.001, 0.01, 0.03)))
    line.until("the link is up", lambda: line.centre.switch.connected, 20)
    for name in names:
        line.until(f"{name} is on no call", lambda n=name: state(line, n)[0] is not AgentState.BUSY, 20)
        if state(line, name)[0] is AgentState.NULL:
            line.centre.agent(name).log_on(ready=True)
        else:
            line.centre.agent(name).ready()
    line.until("no call waits", lambda: not world(line).interactions, 40)
    for name in names:
        line.until(f"{name} is ready", lambda n=name: state(line, n)[0] is AgentState.READY, 40)
    line.until("no leg is stray", lambda: not world(line).stray, 20)
    legs = {world(line).standing[name].leg for name in names}
    line.until("the lines are all there is", lambda: set(line.switch.channels) == legs, 20)
    done = len(line.of(events.Established))
    for _ in names:
        line.switch.incoming(talk_s=0.05)
    line.until("each serves another", lambda: len(line.of(events.Established)) == done + 3, 20)
    clean(line)


def test_an_agent_dials_in(line):
    line.centre.add_queue("sales")
    line.centre.on_call("5000")(lambda call: call.queue("sales"))

    @line.centre.on_call("5999")
    def dial_in(call):
        call.answer()
        call.stay_on_the_line("ann")

    line.centre.start()
    ann = standing(line, wait=False, standing_rings=False)
    phone = line.switch.incoming(called_number="5999", calling_number="0309")
    up(line)
    assert ann.offered == 0
    assert leg_of(line).uuid == phone.channel.uuid
    for number in range(2):
        line.switch.incoming(talk_s=0.02)
        line.until("it is over", lambda n=number: len(line.of(events.CallCleared, called_number="5000")) == n + 1)
    line.switch.drop_links()
    line.until("the link is back", lambda: line.of(events.SystemStatus, status="messagesLost"))
    line.until("it is live", lambda: line.centre.switch.connected and state(line)[0] is AgentState.READY)
    assert not phone.ended
    line.switch.incoming(talk_s=0.02)
    line.until("it is over", lambda: len(line.of(events.CallCleared, called_number="5000")) == 3)
    assert len(line.of(events.Offered)) == 4, "and was offered no more"
    line.centre.agent("ann").log_off()
    line.until("the line is cleared", lambda: phone.ended)
    clean(line)

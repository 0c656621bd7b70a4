"""Plans, route scripts, named scripts and personal routing through the library's face, on a simulated switch over TCP."""

from __future__ import annotations

import gevent
import pytest

from cti import (
    LastAgent,
    Personal,
    Plan,
    RouteSelect,
    Rule,
    ToDestination,
    ToQueue,
    ToScript,
    ToVoicemail,
    errors,
    events,
)
from cti.plan import CalledNumber, CustomerClass, Unstaffed
from cti.routing import GuardedRouter, Router, SkillRouter
from cti.sim import Behaviour

from .bench import QUICK, bench

NEVER = Behaviour(ring_s=(0.001, 0.002), no_answer=1.0)
SLOW = Behaviour(ring_s=(0.001, 0.002), answer_s=(0.3, 0.3))


class _Raises(Router):
    """Knows nothing, and raises when it is asked."""

    def queue_defined(self, queue):
        pass

    def agent_available(self, agent):
        pass

    def agent_unavailable(self, agent):
        pass

    def call_waiting(self, call):
        pass

    def call_gone(self, call):
        pass

    def agent_for(self, call):
        raise LookupError("no such customer")

    def call_for(self, agent):
        raise LookupError("no such customer")

    def position(self, call):
        return 0

    def waiting(self, queue):
        return ()


def test_a_plan_sends_calls_where_its_rules_say(line):
    line.centre.add_queue("vip")
    line.centre.add_queue("sales")
    line.agent("ann")
    plan = Plan(
        rules=(
            Rule("vips", RouteSelect(ToQueue("vip"), priority=5, data={"via": "vip desk"}), CustomerClass(("vip",))),
            Rule("fax", RouteSelect(ToDestination("4000")), CalledNumber(("5009",))),
            Rule("nobody", RouteSelect(ToVoicemail("1000", "cti.internal")), Unstaffed("sales")),
        ),
        default=RouteSelect(ToQueue("sales")),
    )
    seen = []

    @line.centre.on_call("*")
    def script(call):
        if call.calling_number == "138":
            call.attach(**{"class": "vip"})
        seen.append(call.route(plan))

    line.centre.start()
    line.switch.incoming(calling_number="138", called_number="5000", talk_s=0.01)
    offered = line.wait_for(events.Established, queue="vip")
    assert offered.data == {"class": "vip", "via": "vip desk"}
    line.switch.incoming(called_number="5009")
    assert line.wait_for(events.Diverted).destination == "4000"
    line.switch.incoming(called_number="5000", talk_s=0.01)
    line.wait_for(events.Established, queue="sales")
    line.until("three routes", lambda: len(seen) == 3)
    line.all_is_over()
    line.centre.agent("ann").log_off()
    line.switch.incoming(called_number="5000", talk_s=0.01)
    line.until("the mailbox", lambda: line.of(events.Diverted, destination="voicemail:1000"))
    line.until("four routes", lambda: len(seen) == 4)
    assert seen.count(None) == 2  # the destination and the mailbox
    assert [outcome.agent for outcome in seen if outcome is not None] == ["ann", "ann"]


def test_a_route_script_decides_and_one_that_fails_or_dawdles_costs_nothing_but_its_decision(line):
    line.centre.add_queue("sales")
    for name in ("right", "raises", "dawdles", "babbles", "missing"):
        line.centre.add_queue(name, route_script=name, route_deadline_s=0.1)
    line.agent("ann")
    line.agent("bob")
    asked = []

    @line.centre.route_script("right")
    def right(request):
        asked.append((request.calling_number, request.presence("bob"), request.load("sales").waiting, request.data))
        return RouteSelect(ToQueue("sales"), priority=3, data={"by": "script"}, personal=Personal("bob"))

    @line.centre.route_script("raises")
    def raises(request):
        raise LookupError("no such customer")

    @line.centre.route_script("dawdles")
    def dawdles(request):
        gevent.sleep(60)

    @line.centre.route_script("babbles")
    def babbles(request):
        return "sales"

    numbers = {"5001": "right", "5002": "raises", "5003": "dawdles", "5004": "babbles", "5005": "missing"}
    line.centre.on_call("*")(lambda call: call.queue(numbers[call.called_number], data={"from": "ivr"}))
    line.centre.start()
    line.switch.incoming(calling_number="138", called_number="5001", talk_s=0.01)
    established = line.wait_for(events.Established)
    assert (established.agent, established.queue) == ("bob", "sales")
    assert established.data == {"from": "ivr", "by": "script"}
    assert asked == [("138", "ready", 0, {"from": "ivr"})]
    assert line.wait_for(events.RouteUsed).to == "queue sales"
    for number, why in (
        ("5002", "LookupError('no such customer')"),
        ("5003", "no answer in time"),
        ("5004", "it must be a RouteSelect or None"),
        ("5005", "there is no route script 'missing'"),
    ):
        line.switch.incoming(called_number=number, talk_s=0.01)
        assert line.wait_for(events.Established, queue=numbers[number]).agent in {"ann", "bob"}
        assert why in line.wait_for(events.RouteEnded, queue=numbers[number]).error
    line.all_is_over()


def test_a_call_that_overflows_to_a_script_keeps_its_place_and_the_first_script_lets_go(line):
    line.centre.add_queue("claims", max_wait_s=0.05, overflow=ToScript("offer"))
    line.centre.add_queue("patient")
    outcomes = []

    @line.centre.on_call("5000")
    def script(call):
        outcomes.append(call.queue("claims"))

    @line.centre.script("offer")
    def offer(call):
        call.play("tone_stream://%(20,0,640)")
        outcomes.append(call.data["waited for"])
        outcomes.append(call.queue("patient"))

    @line.centre.on_call("5001")
    def label(call):
        call.attach(**{"waited for": "claims"})
        script(call)

    line.centre.start()
    line.switch.incoming(called_number="5001", talk_s=0.01)
    line.wait_for(events.Queued, queue="patient")
    line.agent("ann")
    established = line.wait_for(events.Established)
    assert established.waited_s > 0.05  # counted from the first queue
    line.until("the second script ended", lambda: len(outcomes) == 3)
    assert (outcomes[0].answered, outcomes[0].script) == (False, "offer")
    assert outcomes[1] == "claims"
    assert outcomes[2].agent == "ann"
    line.all_is_over()


def test_a_script_that_is_not_there_is_said_at_start_and_its_calls_are_cleared(line):
    line.centre.add_queue("claims", max_wait_s=0.02, overflow=ToScript("offer"), route_script="crm")
    line.centre.add_queue("loans", requires="loans >= 3")
    line.agent("ann", skills={"claims": 1})
    line.centre.agent("ann").not_ready()
    said = line.centre.advice()
    assert [each for each in said if "'offer'" in each]
    assert [each for each in said if "'crm'" in each]
    assert [each for each in said if "queue 'loans'" in each and "loans >= 3" in each]
    line.centre.on_call("*")(lambda call: call.queue("claims"))
    line.centre.start()
    line.switch.incoming(called_number="5000")
    assert line.wait_for(events.CallCleared).state == "cleared"
    line.all_is_over()


def test_the_last_agent_is_waited_for_and_others_are_not_asked(line):
    line.centre.add_queue("claims", personal=LastAgent(wait_s=30))
    line.agent("ann")
    line.centre.on_call("*")(lambda call: call.queue("claims"))
    line.centre.start()
    line.switch.incoming(calling_number="138", called_number="5000", talk_s=0.01)
    line.wait_for(events.Established)
    line.all_is_over()
    line.agent("bob")  # idle for longer than ann from now on
    line.centre.agent("ann").not_ready()
    line.centre.agent("ann").ready()
    line.switch.incoming(calling_number="138", called_number="5000", talk_s=0.01)
    line.until("both calls", lambda: len(line.of(events.Established)) == 2)
    assert [e.agent for e in line.of(events.Established)] == ["ann", "ann"]
    line.all_is_over()


def test_position_and_expected_wait_of_a_waiting_call(line):
    line.centre.add_queue("claims")
    line.agent("ann")
    calls = []

    @line.centre.on_call("*")
    def script(call):
        calls.append(call)
        call.queue("claims")

    line.centre.start()
    line.switch.incoming(called_number="5000", talk_s=0.2)
    line.wait_for(events.Established)
    assert (calls[0].position, calls[0].expected_wait_s) == (0, None)
    for _ in range(2):
        line.switch.incoming(called_number="5000", talk_s=0.01)
    line.until("both wait", lambda: len(line.of(events.Queued)) == 3)
    assert [call.position for call in calls[1:]] == [1, 2]
    assert calls[1].expected_wait_s is None  # nobody has been handled yet
    line.until("the first has been handled", lambda: line.centre.snapshot().queues[0].figures.handled)
    line.all_is_over()


def test_ring_all_the_first_to_answer_gets_the_call():
    with bench() as line:
        line.centre.add_queue("claims", strategy="ring-all")
        for name in ("ann", "bob", "cem"):
            line.agent(name, QUICK if name == "bob" else SLOW)
        line.centre.on_call("*")(lambda call: call.queue("claims"))
        line.centre.start()
        line.switch.incoming(called_number="5000", talk_s=0.05)
        assert line.wait_for(events.Established).agent == "bob"
        assert {e.agent for e in line.of(events.OfferEnded, outcome="rescinded")} == {"ann", "cem"}
        line.all_is_over()
        states = {agent.id: agent.state.value for agent in line.centre.snapshot().agents}
        assert states == dict.fromkeys(("ann", "bob", "cem"), "ready")


def test_a_router_of_ones_own_that_fails_costs_its_own_decision_and_is_said():
    with bench(router=_Raises()) as line:
        line.centre.add_queue("claims")
        line.agent("ann")
        line.centre.on_call("*")(lambda call: call.queue("claims"))
        line.centre.start()
        line.switch.incoming(called_number="5000", talk_s=0.01)
        assert line.wait_for(events.Established).agent == "ann"
        line.all_is_over()
        guarded = line.centre._loop.engine.world.router
        assert isinstance(guarded, GuardedRouter)
        assert "no such customer" in guarded.faults[0].what


def test_a_personal_agent_whom_there_is_not_is_refused(line):
    line.centre.add_queue("claims")
    line.agent("ann")
    refused = []

    @line.centre.on_call("*")
    def script(call):
        with pytest.raises(errors.UnknownAgent, match="did you mean 'ann'") as found:
            call.queue("claims", personal="anne")
        refused.append(found.value.code)

    line.centre.start()
    line.switch.incoming(called_number="5000")
    line.until("the script ended", lambda: refused)
    line.all_is_over()
    assert isinstance(line.centre._loop.engine.world.router, SkillRouter)

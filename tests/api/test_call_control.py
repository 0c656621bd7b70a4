"""Call control, attached data and alarms by requests: what is done on the switch, and what is refused."""

from __future__ import annotations

import inspect
import time

import pytest

from cti import Destination, ToAgent, ToNumber, ToQueue, errors
from cti.agent_control import AgentControl
from cti.alarms import Alarm, Grade
from cti.api import METHODS, ApiServer, Limits, attached
from cti.api.refusal import TooLarge
from cti.api.whither import WhitherParams
from cti.client import AgentAtCentre, Client, Event, RequestRefused
from cti.model import services
from cti.model.overflow import Disconnect, ToDestination, ToScript, ToVoicemail
from tests.center.bench import QUICK, bench

from .wire import served, until


@pytest.fixture
def talking(open_centre, wire):
    """Alice talks with a caller; the call's id."""
    open_centre.centre.agent("bob").not_ready()
    wire.ask("subscribe", kinds=["CallEvent"])
    open_centre.call(policy="4711")
    return wire.event("Established")["event"]["interaction"]


def test_every_verb_of_the_library_is_a_request_and_a_verb_of_the_client():
    verbs = {name for name, _ in inspect.getmembers(AgentControl, inspect.isfunction) if not name.startswith("_")}
    assert verbs <= {name.removeprefix("agent.") for name in METHODS}
    for verb in verbs:
        ours, theirs = (inspect.signature(getattr(kind, verb)) for kind in (AgentControl, AgentAtCentre))
        assert ours == theirs, verb


def test_hold_consult_transfer(open_centre, wire, talking):
    wire.ask("agent.hold", agent="alice")
    wire.event("Held")
    wire.ask("agent.retrieve", agent="alice")
    wire.event("Retrieved")
    assert wire.refused("agent.transfer", agent="alice")["code"] == "state.invalid_connection"
    assert wire.refused("agent.consult", agent="alice", to={"agent": "bob"})["code"] == "state.invalid_connection"
    open_centre.centre.agent("bob").ready()
    wire.ask("agent.consult", agent="alice", to={"agent": "bob"})
    until(lambda: open_centre.centre.agent("bob").view.state.value == "busy", "bob has answered")
    until(lambda: wire_ok(wire, "agent.alternate"), "alternated")
    wire.event("Retrieved")
    wire.ask("agent.transfer", agent="alice")
    assert wire.event("Transferred")["event"]["agent"] == "bob"
    wire.ask("agent.hang_up", agent="bob")
    assert wire.event("CallCleared")["event"]["interaction"] == talking


def wire_ok(wire, method):
    return "error" not in wire._asked(method, {"agent": "alice"})


def test_a_conference_a_reconnection_and_digits(open_centre, wire, talking):
    open_centre.centre.agent("bob").ready()
    wire.ask("agent.consult", agent="alice", to={"agent": "bob"})
    until(lambda: open_centre.centre.agent("bob").view.state.value == "busy", "bob has answered")
    wire.ask("agent.reconnect", agent="alice")
    wire.event("Retrieved")
    wire.ask("agent.send_digits", agent="alice", digits="12#")
    assert wire.refused("agent.send_digits", agent="alice", digits="secret")["code"] == "operation.configuration"
    until(lambda: open_centre.centre.agent("bob").view.state.value == "ready", "bob is ready")
    wire.ask("agent.consult", agent="alice", to={"agent": "bob"})
    until(lambda: wire_ok(wire, "agent.conference"), "bob has answered")
    assert len(wire.event("Conferenced")["event"]["connections"]) == 3


def test_a_call_is_made_and_a_number_that_is_not_allowed_is_not_called():
    allowed = [Destination("9*", "sofia/agents/{number}@127.0.0.1:5990")]
    with served() as one, Client(one.server.address) as client:
        one.centre._loop.ask(services.DestinationsDefined(tuple(allowed)))
        one.bench.agent("alice")
        one.bench.switch.phones.add("sofia/agents/9123@127.0.0.1:5990", QUICK)
        alice = client.agent("alice")
        with client.events(kinds=["CallEvent"]) as events:
            assert events.next(timeout=10) is not None
            with pytest.raises(errors.DestinationNotAllowed):
                alice.make_call(ToNumber("0900"))
            alice.make_call(ToNumber("9123"))
            kinds = []
            while (item := events.next(timeout=10)) is not None and item.kind != "Established":
                kinds.append(item.kind)
            assert {"ServiceInitiated", "Originated"} <= set(kinds)
            alice.hang_up()
            until(lambda: alice.view.state == "ready", "it is over")


def test_the_client_says_where_a_call_goes():
    asked = []
    agent = AgentAtCentre("alice", lambda method, **params: asked.append((method, params["to"])))
    for to in (ToAgent("bob"), ToQueue("loans"), ToDestination("5"), ToVoicemail("1000"), ToScript("menu")):
        agent.transfer_to(to)
    assert [to for _, to in asked] == [
        {"agent": "bob"},
        {"queue": "loans"},
        {"destination": "5"},
        {"voicemail": "1000"},
        {"script": "menu"},
    ]
    with pytest.raises(errors.ConfigurationError):
        agent.transfer_to(Disconnect())
    agent.deflect(ToVoicemail("1000", "example.org"))
    assert asked[-1] == ("agent.deflect", {"voicemail": "1000@example.org"})
    assert WhitherParams(voicemail="1000@example.org").whither() == ToVoicemail("1000", "example.org")


@pytest.mark.parametrize(
    ("method", "params", "code", "field"),
    [
        ("agent.consult", {"agent": "alice", "to": {}}, "operation.invalid_parameter", "params.to"),
        ("agent.consult", {"agent": "alice", "to": {"agent": "b", "number": "1"}}, "operation.invalid_parameter", "params.to"),
        ("agent.consult", {"agent": "alice", "to": "bob"}, "operation.invalid_parameter", "params.to"),
        ("agent.consult", {"agent": "alice", "to": {"agent": 1}}, "operation.invalid_parameter", "params.to.agent"),
        ("agent.consult", {"agent": "alice", "to": {"number": ""}}, "operation.configuration", ""),
        ("agent.consult", {"agent": "nobody", "to": {"agent": "bob"}}, "operation.unknown_agent", ""),
        ("agent.transfer_to", {"agent": "alice", "to": {"script": ""}}, "operation.configuration", ""),
        ("agent.transfer_to", {"agent": "alice", "to": {"queue": "claims"}}, "state.invalid_connection", ""),
        ("agent.hold", {"agent": "alice"}, "state.invalid_connection", ""),
        ("agent.hang_up", {"agent": "alice"}, "state.invalid_connection", ""),
        ("agent.park", {"agent": "alice"}, "state.invalid_connection", ""),
        ("agent.pick_up", {"agent": "alice", "at": "bob"}, "state.invalid_connection", ""),
        ("agent.make_call", {"agent": "alice", "to": {"number": "0900"}}, "destination.not_allowed", ""),
        ("agent.pause_recording", {"agent": "alice"}, "state.invalid_connection", ""),
        ("call.attach", {"call": "gone", "data": {}}, "operation.unknown_interaction", ""),
        ("call.attach", {"call": "gone", "data": [1]}, "operation.invalid_parameter", "params.data"),
        ("call.queue", {"call": "gone", "queue": "claims"}, "operation.unknown_interaction", ""),
        ("call.queue", {"call": "gone", "queue": "claims", "priority": "1"}, "operation.invalid_parameter", "params.priority"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(wire, method, params, code, field):
    error = wire.refused(method, **params)
    assert (error["code"], error["field"]) == (code, field)


def test_a_snapshot_shows_conferences_and_parked_calls(open_centre, wire, talking):
    open_centre.centre.agent("bob").ready()
    wire.ask("subscribe", kinds=["ConferenceChanged", "Conferenced", "Diverted"])
    wire.ask("agent.invite", agent="alice", to="bob")
    wire.event("Conferenced")
    until(
        lambda: [each["participation"] for each in wire.ask("snapshot")["conferences"][0]["members"]] == ["active"] * 3,
        "three are in it",
    )
    (shown,) = wire.ask("snapshot")["conferences"]
    assert (shown["call"], shown["owner"]) == (talking, "alice")
    assert abs(shown["since"] - time.time()) < 60
    assert {each["agent"] or each["side"] for each in shown["members"]} == {"alice", "bob", "caller"}
    assert wire.event("ConferenceChanged")["event"]["members"][0].keys() == shown["members"][0].keys()
    wire.ask("call.hang_up", call=talking)
    until(lambda: wire.ask("snapshot")["conferences"] == [], "it is over")


def test_a_parked_call_is_in_the_snapshot_and_the_call_has_a_history(open_centre, wire, talking):
    wire.ask("subscribe", kinds=["Diverted"])
    place = wire.ask("agent.park", agent="alice")["place"]
    wire.event("Diverted")
    (shown,) = wire.ask("snapshot")["parked"]
    assert (shown["place"], shown["call"], shown["agent"]) == (place, talking, "alice")
    assert abs(shown["since"] - time.time()) < 60
    said = wire.ask("call.history", call=talking)
    assert [each["kind"] for each in said["segments"] if each["side"] == "caller"] == [
        "script",
        "queued",
        "talk",
        "parked",
    ]
    assert (said["agents"], said["data"]["policy"], said["ended"]) == (["alice"], "4711", None)


def test_data_are_attached_within_limits(open_centre, wire, talking):
    wire.ask(
        "call.attach", call=talking, data={"name": "Zoë", "list": [1, {"a": None}], "raw": b"\x00", "policy": None}
    )
    assert open_centre.centre.attached(talking) == {"name": "Zoë", "list": [1, {"a": None}], "raw": b"\x00"}
    refused = wire.refused("call.attach", call=talking, data={"more": "x" * 16_000, "a": "x" * 400})
    assert (refused["code"], refused["field"]) == ("limit.size", "params.data")
    for index in range(5):
        last = wire._asked("call.attach", {"call": talking, "data": {f"part{index}": "x" * 4_000}})
    assert last["error"]["code"] == "limit.size"
    for bad in ({"": 1}, {"a\n": 1}, {"k" * 201: 1}, {"a": float("nan")}, {"a": [float("inf")]}):
        assert wire.refused("call.attach", call=talking, data=bad)["code"] == "operation.invalid_parameter"
    assert "part0" in open_centre.centre.attached(talking)
    wire.ask("agent.hold", agent="alice")
    assert wire.event("Held")["event"]["data"]["name"] == "Zoë"


def test_data_from_elsewhere_are_no_deeper_than_a_message_may_be():
    deep = []
    for _ in range(500):
        deep = [deep]
    with pytest.raises(TooLarge):
        attached.checked({"a": deep}, {})
    attached.checked({"a": [[[[[[1]]]]]]}, {"script": 1})


def test_the_time_of_an_event_is_right_when_the_engine_s_clock_is_another(monkeypatch):
    """As after a restart with a journal."""
    with bench() as made:
        monkeypatch.setattr(made.centre._loop, "_clock", lambda: time.monotonic() + 100_000)
        server = ApiServer(made.centre, bind="tcp://127.0.0.1:*", publish=None)
        server.start()
        with Client(server.address) as client, client.events() as events:
            assert abs(events.next(timeout=10).at - time.time()) < 100
            made.centre.add_agent("alice", "user/alice").log_on()
            event = events.next(timeout=10)
            assert abs(event.at - time.time()) < 100
            assert client.snapshot().seq >= event.seq
        server.stop()


def test_a_waiting_call_is_moved_and_keeps_its_age(open_centre, wire):
    for agent in ("alice", "bob"):
        wire.ask("agent.not_ready", agent=agent)
    wire.ask("queue.add", queue="loans", requires="loans")
    wire.ask("subscribe", kinds=["Queued"])
    open_centre.call()
    first = wire.event("Queued")["event"]
    call = open_centre.centre._loop.engine.world.interactions[first["interaction"]]
    since = call.queued_at
    wire.ask("call.queue", call=call.id, queue="loans", priority=3)
    assert wire.event("Queued")["event"]["queue"] == "loans"
    assert (call.queued_at, call.own_priority) == (since, 3)
    wire.ask("call.queue", call=call.id, queue="claims")
    assert (call.queue, call.own_priority) == ("claims", 3)
    assert wire.refused("call.queue", call=call.id, queue="nowhere")["code"] == "operation.unknown_queue"
    assert call.queue == "claims"
    assert wire.ask("queue.list") == {"queues": ["claims", "loans"]}
    assert wire.ask("agent.list") == {"agents": ["alice", "bob"]}


def test_a_call_with_an_agent_is_not_moved(wire, talking):
    assert wire.refused("call.queue", call=talking, queue="claims")["code"] == "state.invalid_connection"


def test_keys_act_and_see_within_their_bounds(locked_centre):
    alice, sue = locked_centre.wire("alice"), locked_centre.wire("sue")
    assert alice.refused("agent.hold", agent="bob")["field"] == "params.agent"
    assert alice.refused("agent.stop_recording", agent="alice")["code"] == "security.not_permitted"
    assert alice.refused("call.queue", call="any", queue="claims")["code"] == "security.not_permitted"
    assert alice.refused("call.attach", call="any", data={})["field"] == "params.call"
    assert alice.ask("agent.list") == {"agents": ["alice"]}
    assert (alice.ask("queue.list"), sue.ask("queue.list")) == ({"queues": []}, {"queues": ["claims"]})
    for agent in ("alice", "bob"):
        locked_centre.centre.agent(agent).not_ready()
    sue.ask("subscribe", kinds=["Queued"])
    locked_centre.call()
    call = sue.event("Queued")["event"]["interaction"]
    locked_centre.centre.add_queue("loans")
    assert sue.refused("call.queue", call=call, queue="loans")["field"] == "params.queue"
    sue.ask("call.queue", call=call, queue="claims")


def test_alarms_are_told_and_listed_to_those_who_may_see_them(locked_centre):
    wires = {name: locked_centre.wire(name) for name in ("alice", "sue", "ann")}
    for wire in wires.values():
        wire.ask("subscribe", kinds=["Alarm"])
    board = locked_centre.centre.alarms
    board.sound("link.down", "here", grade=Grade.CRITICAL, cause="gone", suggestion="look")
    board.sound("queue.unstaffed", "claims", grade=Grade.MINOR, cause="nobody", queue="claims")
    listed = {name: [one["name"] for one in wire.ask("alarms")["alarms"]] for name, wire in wires.items()}
    assert listed == {"alice": [], "sue": ["queue.unstaffed"], "ann": ["link.down", "queue.unstaffed"]}
    told = wires["ann"].event("Alarm")["event"]
    assert (told["name"], told["state"], told["grade"], told["suggestion"]) == (
        "link.down",
        "raised",
        "critical",
        "look",
    )
    assert wires["sue"].event("Alarm")["event"]["subject"] == "claims"
    board.clear("queue.unstaffed", "claims")
    assert wires["sue"].event("Alarm")["event"]["state"] == "cleared"
    assert wires["alice"].receive(50) is None


def test_the_client_reads_alarms_attaches_and_moves():
    with served(limits=Limits()) as one, Client(one.server.address) as client:
        one.bench.agent("alice", skills={"claims": 5})
        with client.events(kinds=["CallEvent", "Alarm"]) as events:
            assert events.next(timeout=10) is not None
            one.call()
            while (item := events.next(timeout=10)).kind != "Established":
                assert isinstance(item, Event)
            client.attach(item.interaction, {"seen": True})
            assert one.centre.attached(item.interaction) == {"seen": True}
            with pytest.raises(errors.InvalidConnection):
                client.move_call(item.interaction, "claims")
            with pytest.raises(RequestRefused):
                client.attach(item.interaction, {"a": "x" * 9_000, "b": "x" * 9_000})
        one.centre.alarms.sound("mine", "x", grade=Grade.INFO, cause="a test")
        (alarm,) = client.alarms()
        assert (alarm.name, alarm.grade, alarm.cause) == ("mine", "info", "a test")
        assert isinstance(one.centre.alarms.raised[0], Alarm)
        assert (client.agent_ids(), client.queue_ids()) == (("alice",), ("claims",))

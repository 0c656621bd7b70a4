"""Requests over a real socket: what is done, what is refused, and that nothing sent can hurt."""

from __future__ import annotations

import contextlib

import msgpack
import pytest
import zmq.green as zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cti.api import Limits
from cti.model.states import AgentState

from .wire import served, until


def state(one, agent):
    return one.centre.agent(agent).view.state


def test_what_an_agent_asks_for_is_done(open_centre, wire):
    assert wire.ask("agent.not_ready", agent="alice", reason="LUNCH") is None
    record = wire.ask("agent.get", agent="alice")
    assert (record["state"], record["reason"], record["skills"]) == ("not ready", "LUNCH", {"claims": 5})
    wire.ask("agent.ready", agent="alice")
    assert state(open_centre, "alice") is AgentState.READY
    wire.ask("agent.log_off", agent="alice")
    assert state(open_centre, "alice") is AgentState.NULL
    wire.ask("agent.log_on", agent="alice", ready=True)
    assert state(open_centre, "alice") is AgentState.READY


def test_an_agent_who_stays_on_the_line_is_added_and_shown(wire):
    wire.ask("agent.add", agent="zoe", contact="user/zoe", standing=True, standing_music="local_stream://moh")
    assert wire.ask("agent.get", agent="zoe")["standing"] is None
    wire.ask("agent.log_on", agent="zoe", ready=True)
    assert wire.ask("agent.get", agent="zoe")["standing"] in ("ringing", "waiting", "up")
    both = wire.refused("agent.add", agent="zoe", contact="user/zoe", standing=True, mobile="user/9")
    assert both["code"] == "operation.configuration"
    wire.ask("agent.remove", agent="zoe")


def test_agents_and_queues_are_added_and_removed(wire):
    wire.ask(
        "queue.add",
        queue="loans",
        requires="loans >= 3",
        priority=2,
        max_wait_s=30,
        overflow={"queue": "claims"},
        widening=[{"after_s": 10, "requires": "loans >= 1"}, {"after_s": 20, "also": ["claims"]}],
    )
    wire.ask("agent.add", agent="carol", contact="user/carol", skills={"loans": 4}, wrap_up_s=1.5)
    wire.ask("agent.log_on", agent="carol", ready=True)
    assert wire.ask("queue.get", queue="loans")["agents_ready"] == 1
    wire.ask("agent.remove", agent="carol")
    assert wire.refused("agent.get", agent="carol")["code"] == "operation.unknown_agent"


def test_only_the_operators_rules_let_a_client_choose_a_phone(open_centre, wire):
    fraud = "sofia/gateway/premium/0190123456"
    refused = wire.refused("agent.add", agent="carol", contact=fraud)
    assert refused["code"] == "contact.not_allowed"
    assert fraud in refused["message"]
    assert "allowed_contacts" in refused["message"]
    assert wire.refused("agent.get", agent="carol")["code"] == "operation.unknown_agent"
    assert wire.refused("agent.add", agent="alice", contact="user/alice", mobile=fraud)["code"] == "contact.not_allowed"
    for trick in (f"user/alice,{fraud}", "{execute_on_answer=x}user/alice", "user/alice|user/bob"):
        assert wire.refused("agent.add", agent="alice", contact=trick)["code"] == "contact.not_allowed"
    assert wire.refused("agent.add", agent="alice", contact="user/alice &park()")["code"] == "operation.configuration"
    alice = open_centre.centre._loop.engine.world.agents["alice"].settings
    assert (alice.contact, alice.mobile) == ("user/alice", "")
    # What the operator has set, in the program, a client may leave as it is.
    open_centre.centre.add_agent("dora", "sofia/agents/dora@192.0.2.7:5062", mobile=fraud)
    wire.ask("agent.add", agent="dora", contact="sofia/agents/dora@192.0.2.7:5062", mobile=fraud, wrap_up_s=3)
    assert wire.refused("agent.add", agent="dora", contact=fraud)["code"] == "contact.not_allowed"


def test_a_rule_of_the_operator_lets_a_phone_through():
    with served(allowed_contacts=["sofia/gateway/mobile/1*"]) as made:
        wire = made.wire()
        wire.ask("agent.add", agent="carol", contact="user/carol", mobile="sofia/gateway/mobile/138")
        refused = wire.refused("agent.add", agent="carol", contact="user/carol", mobile="sofia/gateway/mobile/0190")
        assert refused["code"] == "contact.not_allowed"


def test_a_call_is_explained_and_ended(open_centre, wire):
    for agent in ("alice", "bob"):
        wire.ask("agent.not_ready", agent=agent)
    wire.ask("subscribe", kinds=["Queued", "CallCleared"])
    caller = open_centre.call()
    call = wire.event("Queued")["event"]["interaction"]
    said = wire.ask("call.explain", call=call)
    assert (said["queue"], said["position"]) == ("claims", 1)
    assert {reason["agent"]: reason["code"] for reason in said["agents"]} == {"alice": "state", "bob": "state"}
    assert [reason["call"] for reason in wire.ask("agent.explain", agent="bob")["calls"]] == [call]
    waiting = wire.ask("snapshot")["queues"][0]["waiting"]
    assert [(one["call"], one["calling_number"]) for one in waiting] == [(call, "138")]
    wire.ask("call.hang_up", call=call)
    assert wire.event("CallCleared")["event"]["interaction"] == call
    until(lambda: caller.ended, "the caller has ended")


@pytest.mark.parametrize(
    ("method", "params", "code", "field"),
    [
        ("agent.ready", {}, "operation.invalid_parameter", "params.agent"),
        ("agent.ready", {"agent": 5}, "operation.invalid_parameter", "params.agent"),
        ("agent.ready", {"agent": None}, "operation.invalid_parameter", "params.agent"),
        ("agent.ready", {"agent": ""}, "operation.invalid_parameter", "params.agent"),
        ("agent.ready", {"agent": "a" * 201}, "operation.invalid_parameter", "params.agent"),
        ("agent.ready", {"agent": "a\nb"}, "operation.invalid_parameter", "params.agent"),
        ("agent.ready", {"agent": "alice", "now": True}, "operation.invalid_parameter", "params"),
        ("agent.log_on", {"agent": "alice", "ready": 1}, "operation.invalid_parameter", "params.ready"),
        ("agent.not_ready", {"agent": "alice", "reason": "x" * 201}, "operation.invalid_parameter", "params.reason"),
        ("agent.add", {"agent": "c", "contact": "user/c", "skills": {"a": "b"}}, "operation.invalid_parameter", "params.skills"),
        ("agent.add", {"agent": "c", "contact": "user/c", "skills": [1]}, "operation.invalid_parameter", "params.skills"),
        ("agent.add", {"agent": "c", "contact": "user/c", "wrap_up_s": -1}, "operation.configuration", ""),
        ("queue.add", {"queue": "q", "widening": [{"after_s": "1"}]}, "operation.invalid_parameter", "params.widening.after_s"),
        ("queue.add", {"queue": "q", "requires": "sales >="}, "operation.configuration", ""),
        ("queue.add", {"queue": "q", "strategy": "longst-idle"}, "operation.unknown_strategy", ""),
        ("queue.add", {"queue": "q", "overflow": {"queue": "a", "destination": "1"}}, "operation.configuration", ""),
        ("queue.get", {"queue": "clams"}, "operation.unknown_queue", ""),
        ("call.explain", {"call": "nothing"}, "operation.unknown_interaction", ""),
        ("agent.log_on", {"agent": "alice"}, "state.invalid_agent_state", ""),
        ("subscribe", {"kinds": ["Deliverd"]}, "operation.unknown_event", ""),
        ("agent.rady", {"agent": "alice"}, "operation.unknown_method", ""),
        ("x" * 10_000, {}, "operation.unknown_method", ""),
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused_with_code_and_field(open_centre, method, params, code, field):
    wire = open_centre.wire()
    said = wire.refused(method, **params)
    assert (said["code"], said["field"]) == (code, field)
    assert len(said["message"]) < 1_000
    assert "Traceback" not in said["message"]
    assert open_centre.server.tally.refused[code] == 1
    assert state(open_centre, "alice") is AgentState.READY


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "protocol.malformed"),
        (b"\xc1", "protocol.malformed"),
        (b"GET / HTTP/1.1\r\n\r\n", "protocol.malformed"),
        (b"\x90\x90", "protocol.malformed"),
        (msgpack.packb("text"), "protocol.malformed"),
        (msgpack.packb({}), "protocol.malformed"),
        (msgpack.packb({"v": 1, "id": 5, "method": "ping"}), "protocol.malformed"),
        (msgpack.packb({"v": 1, "id": "a" * 65, "method": "ping"}), "protocol.malformed"),
        (msgpack.packb({"v": 1, "id": "a", "method": 5}), "protocol.malformed"),
        (msgpack.packb({"v": 1, "id": "a", "method": "ping", "params": []}), "protocol.malformed"),
        (msgpack.packb({"v": 1, "id": "a", "method": "ping", "more": 1}), "protocol.malformed"),
        (msgpack.packb({"v": 2, "id": "a", "method": "ping"}), "protocol.version"),
        (msgpack.packb({"v": True, "id": "a", "method": "ping"}), "protocol.version"),
        (b"\x91" * 3_000, "limit.size"),
        (b"\xdd\xff\xff\xff\xff", "limit.size"),
        (b"\xdf\xff\xff\xff\xff", "limit.size"),
        (b"\xd4\x05a", "limit.size"),
        (msgpack.packb({"v": 1, "id": "a", "method": "ping", "params": {"a": [[[[[[[[[]]]]]]]]]}}), "limit.size"),
        (msgpack.packb({"v": 1, "id": "a", "method": "ping", "params": {"a": list(range(2_000))}}), "limit.size"),
        (msgpack.packb({"v": 1, "id": "a", "method": "ping", "params": {"a": "b" * 20_000}}), "limit.size"),
        (msgpack.packb({"v": 1, "id": "a", "method": "ping", "params": {5: 6}}), "protocol.malformed"),
    ],
)  # fmt: skip
def test_a_malformed_message_gets_an_error_and_the_next_is_served(wire, payload, code):
    wire.send(payload)
    assert wire.reply()["error"]["code"] == code
    assert wire.ask("ping")["subscribed"] is False


def test_frames_too_many_or_a_routing_id_of_ones_own_are_refused(open_centre, wire):
    wire.send(b"", msgpack.packb({"v": 1, "id": "a", "method": "ping"}))
    assert wire.reply()["error"]["code"] == "protocol.malformed"
    named = open_centre.wire(ROUTING_ID=b"somebody")
    named.request("ping", {}, "a")
    assert "routing id" in named.reply()["error"]["message"]
    assert open_centre.server.clients == 1


def test_an_oversized_message_ends_its_connection_and_nobody_elses(open_centre, wire):
    other = open_centre.wire(RECONNECT_IVL=-1)
    assert other.ask("ping")
    other.send(b"\xc4" * 100_000)
    with contextlib.suppress(zmq.Again):  # ZeroMQ may have noticed the end already
        other.socket.send(msgpack.packb({"v": 1, "id": "after", "method": "ping"}), zmq.NOBLOCK)
    assert wire.ask("ping")
    assert other.receive(300) is None
    assert wire.ask("ping")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=200),
            st.recursive(
                st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=20),
                lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=5), inside, max_size=4),
                max_leaves=20,
            ).map(msgpack.packb),
            st.fixed_dictionaries(
                {
                    "v": st.sampled_from([1, 1, 1, 0, None]),
                    "id": st.text(max_size=70) | st.none(),
                    "method": st.sampled_from(["ping", "subscribe", "agent.ready", "call.hang_up", "", "nonsense"]),
                    "params": st.dictionaries(
                        st.sampled_from(["agent", "call", "kinds", "x"]),
                        st.text(max_size=5) | st.lists(st.text(max_size=3)),
                    ),
                }
            ).map(msgpack.packb),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_frames_get_one_answer_and_the_server_lives(open_centre, wire, frames):
    wire.send(*frames)
    answer = wire.reply()
    assert "result" in answer or answer["error"]["code"] != "internal"
    assert wire.ask("ping") is not None
    assert not open_centre.server.failed.ready()


def test_a_request_made_again_is_done_once_and_gets_the_same_reply(open_centre):
    said = []
    open_centre.centre.subscribe(said.append, "AgentNotReady")
    first, second = open_centre.wire(), open_centre.wire()
    for wire in (first, second, first):
        wire.request("agent.not_ready", {"agent": "alice", "reason": "LUNCH"}, "the-same")
        assert wire.reply() == {"v": 1, "id": "the-same", "result": None}
    first.ask("ping")
    until(lambda: said, "the event")
    assert len(said) == 1
    first.request("agent.ready", {"agent": "alice"}, "the-same")
    assert first.reply()["error"]["code"] == "operation.id_reused"
    assert state(open_centre, "alice") is AgentState.NOT_READY


def test_a_refusal_is_repeated_too(open_centre, wire):
    for _ in range(2):
        wire.request("agent.log_on", {"agent": "alice"}, "again")
        assert wire.reply()["error"]["code"] == "state.invalid_agent_state"
    assert open_centre.server.tally.refused["state.invalid_agent_state"] == 1


def test_too_many_requests_are_refused_and_others_are_served():
    with served(limits=Limits(requests_per_s=1, burst=5)) as one:
        fast, calm = one.wire(), one.wire()
        for number in range(40):
            fast.request("ping", {}, str(number))
        replies = [fast.reply() for _ in range(40)]
        codes = [reply.get("error", {}).get("code") for reply in replies]
        assert codes[:5] == [None] * 5
        assert codes.count("limit.rate") >= 33
        assert [reply["id"] for reply in replies] == [str(number) for number in range(40)]
        assert all(reply["error"]["retryable"] for reply in replies if "error" in reply)
        assert calm.ask("ping")
        assert one.server.tally.refused["limit.rate"] == codes.count("limit.rate")


def test_the_connections_of_a_key_share_what_the_key_may_ask_for():
    with served(limits=Limits(key_requests_per_s=1, key_burst=10)) as one:
        first, second = one.wire(), one.wire()
        for _ in range(5):
            first.ask("ping")
            second.ask("ping")
        assert first.refused("ping")["code"] == "limit.rate"
        assert second.refused("ping")["code"] == "limit.rate"


def test_a_costly_request_counts_for_many():
    with served(limits=Limits(requests_per_s=1, burst=60)) as one:
        wire = one.wire()
        wire.ask("snapshot")
        assert wire.refused("snapshot")["code"] == "limit.rate"
        assert wire.ask("ping")


def test_clients_beyond_the_limit_are_refused():
    with served(limits=Limits(clients=2)) as one:
        first, second, third = one.wire(), one.wire(), one.wire()
        first.ask("ping")
        second.ask("ping")
        third.request("ping", {}, "a")
        assert third.reply()["error"]["code"] == "limit.clients"
        first.ask("ping")


def test_a_silent_client_is_forgotten_and_makes_room():
    with served(limits=Limits(clients=1, silence_s=0.5)) as one:
        first, second = one.wire(), one.wire()
        first.ask("subscribe")
        second.request("ping", {}, "a")
        assert second.reply()["error"]["code"] == "limit.clients"
        until(lambda: one.server.clients == 0, "the first is forgotten")
        assert second.ask("ping")["subscribed"] is False


def test_a_subscription_may_not_name_too_much():
    with served(limits=Limits(subjects=3)) as one:
        said = one.wire().refused("subscribe", agents=["a", "b"], queues=["c"], calls=["d"])
        assert said["code"] == "limit.subjects"


def test_a_failure_of_ours_says_nothing_of_itself(open_centre, wire, monkeypatch):
    def broken(*_):
        raise RuntimeError("a secret of the server")

    monkeypatch.setattr(open_centre.centre, "hang_up", broken)
    said = wire.refused("call.hang_up", call="x")
    assert said["code"] == "internal"
    assert "secret" not in said["message"]
    assert wire.ask("ping")


def test_what_was_asked_for_is_audited():
    done = []
    with served(audit=done.append) as one:
        wire = one.wire()
        wire.ask("agent.add", agent="carol", contact="user/carol")
        wire.refused("agent.ready", agent="carol")
        wire.ask("snapshot")
    assert [(one.who, one.method, one.code) for one in done] == [
        ("local", "agent.add", ""),
        ("local", "agent.ready", "state.invalid_agent_state"),
    ]
    assert done[0].params == {"agent": "carol", "contact": "user/carol"}
    assert done[0].address == "127.0.0.1"

"""Events: who is told what, in which order, and how what was missed shows."""

from __future__ import annotations

from itertools import pairwise

import msgpack
import pytest
import zmq.green as zmq

from cti import Cause, events
from cti.api import ApiServer, Limits, envelope

from .wire import served


def chain(messages):
    """Whether each message names the one before it."""
    return all(later["prev"] == earlier["seq"] for earlier, later in pairwise(messages))


def test_a_call_is_told_in_order_with_numbers_that_join(open_centre, wire):
    began = wire.ask("subscribe")
    caller = open_centre.call(policy="4711")
    messages = [wire.event()]
    while messages[-1]["event"]["kind"] != "Established":
        messages.append(wire.event())
    caller.hang_up()
    while messages[-1]["event"]["kind"] != "CallCleared":
        messages.append(wire.event())
    assert messages[0]["prev"] == began["seq"]
    assert chain(messages)
    assert {message["epoch"] for message in messages} == {began["epoch"]}
    kinds = [message["event"]["kind"] for message in messages]
    assert [k for k in kinds if k in {"Offered", "Queued", "Delivered", "Established", "CallCleared"}] == [
        "Offered",
        "Queued",
        "Delivered",
        "Established",
        "CallCleared",
    ]
    delivered = next(m["event"] for m in messages if m["event"]["kind"] == "Delivered")
    assert delivered["data"] == {"policy": "4711"}
    assert delivered["calling_number"] == "138"
    assert delivered["cause"] in {cause.csta_name for cause in Cause}
    assert abs(delivered["at"] - wire.ask("snapshot")["at"]) < 60


def test_a_subscription_by_agent_queue_call_and_kind(open_centre):
    of_bob, of_claims, delivered = (open_centre.wire() for _ in range(3))
    of_bob.ask("subscribe", agents=["bob"])
    of_claims.ask("subscribe", queues=["claims"], kinds=["CallEvent"])
    delivered.ask("subscribe", kinds=["Delivered"])
    open_centre.centre.agent("bob").not_ready()
    open_centre.call()
    established = of_claims.event("Established")["event"]
    assert established["agent"] == "alice"
    assert of_bob.event()["event"]["kind"] == "AgentNotReady"
    assert delivered.event()["event"]["interaction"] == established["interaction"]
    of_call = open_centre.wire()
    of_call.ask("subscribe", calls=[established["interaction"]])
    of_call.ask("call.hang_up", call=established["interaction"])
    assert of_call.event("CallCleared")
    assert not any("agent" in m["event"] and m["event"]["agent"] == "alice" for m in of_bob.aside)


def test_a_new_subscription_replaces_the_old_and_unsubscribe_ends_it(open_centre, wire):
    wire.ask("subscribe", agents=["alice"])
    wire.ask("subscribe", agents=["bob"])
    wire.ask("agent.not_ready", agent="alice")
    wire.ask("agent.not_ready", agent="bob")
    assert wire.event()["event"]["agent"] == "bob"
    wire.ask("unsubscribe")
    wire.ask("agent.ready", agent="bob")
    wire.ask("snapshot")
    assert wire.aside == []
    assert wire.ask("ping")["subscribed"] is False


def test_a_snapshot_is_true_at_its_number(open_centre, wire):
    """What happened before the snapshot was taken is at or below its number, though its event was still on its way."""
    wire.ask("subscribe")
    for state in ("not ready", "ready") * 3:
        open_centre.centre.agent("alice").not_ready() if state == "not ready" else open_centre.centre.agent(
            "alice"
        ).ready()
        wire.request("snapshot", {}, "s")
        snapshot = wire.reply()["result"]
        event = wire.event("AgentReady" if state == "ready" else "AgentNotReady")
        shown = next(agent["state"] for agent in snapshot["agents"] if agent["agent"] == "alice")
        assert event["event"]["state"] == state == shown
        assert event["seq"] <= snapshot["seq"]


def test_a_client_that_never_reads_misses_events_sees_it_and_delays_nobody():
    with served(limits=Limits(unread=5, silence_s=600)) as one:
        reader, sleeper = one.wire(), one.wire(RCVHWM=1, RCVBUF=65_536)
        began = sleeper.ask("subscribe")
        reader.ask("subscribe", kinds=["Queued", "CallCleared"])
        calls = 0
        while not any(peer.dropped for peer in one.server._requests.peers):
            calls += 1
            assert calls < 2_000
            caller = one.call(blob="x" * 15_000)
            reader.event("Queued")
            caller.hang_up()
            reader.event("CallCleared")
        assert reader.ask("ping")["subscribed"]
        # It wakes up: what it reads first joins, and then there is a hole, or the heartbeat says that more was sent.
        last = began["seq"]
        seen, gap = 0, False
        while (message := sleeper.receive(1_000)) is not None:
            gap = gap or message["prev"] > last
            last, seen = message["seq"], seen + 1
        assert seen > 0
        assert gap or sleeper.ask("ping")["sent"] > last


def test_an_event_that_cannot_be_written_arrives_without_its_data():
    loop = []
    loop.append(loop)
    start = envelope.event_start("e", 1, {"kind": "Queued", "data": {"loop": loop}})
    assert msgpack.unpackb(envelope.event_end(start, 0))["event"] == {"kind": "Queued", "data": {}}


class TestPublisher:
    def subscribe(self, one, *topics):
        context = zmq.Context()
        socket = context.socket(zmq.SUB)
        socket.linger = 0
        for topic in topics:
            socket.subscribe(topic)
        socket.connect(one.server.publish_address)
        assert socket.poll(10_000), "no beat"  # the subscription is there once a beat came
        return socket

    def take(self, socket):
        assert socket.poll(10_000), "nothing"
        topic, payload = socket.recv_multipart()
        return topic.decode(), msgpack.unpackb(payload)

    def test_topics_numbers_and_beats(self, open_centre):
        socket = self.subscribe(open_centre, "agent.alice.", "beat.")
        for _ in range(2):
            open_centre.centre.agent("alice").not_ready()
            open_centre.centre.agent("bob").not_ready()
            open_centre.centre.agent("alice").ready()
        events, beats = [], []
        while not (beats and events and beats[-1]["beat"].get("agent.alice.") == events[-1]["seq"]):
            topic, message = self.take(socket)
            (beats if "beat" in message else events).append(message)
            assert topic.startswith(("agent.alice.Agent", "beat."))
        assert [m["event"]["kind"] for m in events][-4:] == ["AgentNotReady", "AgentReady"] * 2
        assert chain(events)
        assert any("agent.bob." in beat["beat"] for beat in beats)
        assert chain(beats)
        socket.close()

    def test_a_name_with_a_dot_is_no_other_ones_prefix(self, open_centre):
        open_centre.bench.agent("alice.b")
        socket = self.subscribe(open_centre, "agent.alice.", "beat.")
        open_centre.centre.agent("alice.b").not_ready()
        open_centre.centre.agent("alice").not_ready()
        topics = []
        while "agent.alice.AgentNotReady" not in topics:
            topic, message = self.take(socket)
            if "event" in message:  # those of her log-on may come yet
                assert message["event"]["agent"] == "alice"
                topics.append(topic)
        assert all(topic.startswith("agent.alice.") for topic in topics)
        socket.close()

    def test_the_numbers_of_ended_calls_are_forgotten(self, open_centre, wire):
        wire.ask("subscribe", kinds=["InteractionEnded", "Established"])
        caller = open_centre.call()
        ended = wire.event("Established")["event"]
        publisher = open_centre.server._publisher
        assert any(subject.startswith("call.") for subject in publisher._last)
        caller.hang_up()
        wire.event("InteractionEnded")
        assert not any(subject.startswith("call.") for subject in publisher._last)
        late = events.RecordingKept(
            interaction=ended["interaction"], at=1.0, path="/r", length_s=1.0, size=1, sha256="", error=""
        )
        open_centre.centre._loop.tell(late)
        wire.ask("snapshot")
        assert not any(subject.startswith("call.") for subject in publisher._last)
        assert len(open_centre.server._telling.calls) == 0


def test_events_lost_on_the_way_to_us_begin_a_new_epoch(open_centre, wire):
    began = wire.ask("subscribe", agents=["alice"])
    open_centre.server._telling._subscription.dropped += 3
    open_centre.centre.agent("alice").not_ready()
    message = wire.event()
    assert message["epoch"] != began["epoch"]
    assert message["seq"] == 1
    assert wire.ask("snapshot")["epoch"] == message["epoch"]


@pytest.mark.parametrize("publish", [True, False])
def test_a_server_stops_and_its_addresses_are_free(publish):
    with served() as one:
        wire = one.wire()
        wire.ask("subscribe")
        requests, events = one.server.address, one.server.publish_address
        one.server.stop()
        one.server.stop()
        again = ApiServer(one.centre, bind=requests, publish=events if publish else None)
        again.start()
        try:
            fresh = type(wire)(requests)
            assert fresh.ask("hello")["publish"] == (events if publish else "")
            fresh.close()
        finally:
            again.stop()

"""cti.Client against a served centre: the library's verbs, events without gaps, and what happens when things end."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time

import gevent
import pytest

from cti import errors
from cti.api import ApiServer, Limits
from cti.client import Client, Event, NoReply, OutcomeUnknown, RequestRefused, SnapshotRecord, Subscriber, TurnedAway

from .wire import cti_keys, served, until


@pytest.fixture
def client(open_centre):
    with Client(open_centre.server.address) as made:
        yield made


def following(events, true, timeout_s=10):
    """Read until an item is as wanted; all that came."""
    items = []
    deadline = time.monotonic() + timeout_s
    while not (items and true(items[-1])):
        assert time.monotonic() < deadline, f"never; came: {items[-10:]}"
        item = events.next(timeout=1)
        if item is not None:
            items.append(item)
    return items


def test_the_librarys_verbs(open_centre, client):
    alice = client.agent("alice")
    alice.not_ready("LUNCH")
    assert (alice.view.state, alice.view.reason) == ("not ready", "LUNCH")
    alice.ready()
    alice.log_off()
    alice.log_on(ready=True)
    client.add_queue("loans", requires="loans >= 2")
    client.add_agent("carol", "user/carol", skills={"loans": 3}).log_on()
    snapshot = client.snapshot()
    assert {agent.agent: agent.state for agent in snapshot.agents} == {
        "alice": "ready",
        "bob": "ready",
        "carol": "not ready",
    }
    assert client.queue("loans").agents_staffed == 1
    client.remove_agent("carol")
    assert client.explain_agent("bob").calls == ()
    assert repr(client).endswith("connected as local>")


def test_errors_are_the_librarys_classes(client):
    with pytest.raises(errors.InvalidAgentState) as caught:
        client.agent("alice").log_on()
    assert isinstance(caught.value, RequestRefused)
    assert caught.value.code == "state.invalid_agent_state"
    with pytest.raises(errors.UnknownAgent, match="did you mean 'alice'"):
        client.agent("alcie").ready()
    with pytest.raises(RequestRefused) as refused:
        client.request("agent.ready", agent=5)
    assert (refused.value.code, refused.value.field) == ("operation.invalid_parameter", "params.agent")
    with pytest.raises(errors.UnknownName):
        client.request("agent.rady")


def test_a_snapshot_first_and_then_events(open_centre, client):
    with client.events(agents=["alice"]) as events:
        first = events.next(timeout=10)
        assert isinstance(first, SnapshotRecord)
        open_centre.centre.agent("alice").not_ready("LUNCH")
        item = next(iter(events))
        assert isinstance(item, Event)
        assert (item.kind, item.agent, item.reason, item.queue) == ("AgentNotReady", "alice", "LUNCH", None)
        assert item.seq > first.seq
        with pytest.raises(AttributeError, match="it has kind"):
            item.nothing  # noqa: B018
        with pytest.raises(errors.InvalidConnection):
            client.events()
    assert events.next(timeout=0) is None
    with client.events(kinds=["Deliverd"]) as wrong, pytest.raises(errors.UnknownEvent):
        wrong.next(timeout=10)


def test_a_listener_is_called_until_it_is_closed(open_centre, client):
    heard = []
    listening = client.listen(heard.append, agents=["bob"])
    until(lambda: heard, "the snapshot")
    open_centre.centre.agent("bob").not_ready()
    until(lambda: len(heard) == 2, "the event")
    listening.close()
    open_centre.centre.agent("bob").ready()
    client.snapshot()
    assert [getattr(item, "kind", "snapshot") for item in heard] == ["snapshot", "AgentNotReady"]


def test_a_gap_is_filled_by_a_snapshot(open_centre, client):
    """The server drops a message that finds no room; the next one shows it."""
    telling = open_centre.server._telling
    send, dropping = telling._send, []

    def lossy(peer, message):
        if dropping:
            dropping.pop()
            return False
        return send(peer, message)

    with client.events(agents=["alice"]) as events:
        assert isinstance(events.next(timeout=10), SnapshotRecord)
        telling._send = lossy
        dropping.append(1)
        open_centre.centre.agent("alice").not_ready("LOST")
        until(lambda: not dropping, "it is dropped")
        open_centre.centre.agent("alice").not_ready("SEEN")
        items = following(events, lambda item: isinstance(item, SnapshotRecord))
        (alice,) = [agent for agent in items[-1].agents if agent.agent == "alice"]
        assert alice.reason == "SEEN"
        assert not [item for item in items if isinstance(item, Event) and item.reason == "LOST"]
        open_centre.centre.agent("alice").ready()
        assert events.next(timeout=10).kind == "AgentReady"


def test_a_gap_at_the_end_shows_at_the_next_heartbeat():
    with served(limits=Limits(heartbeat_s=0.2)) as one, Client(one.server.address) as client:
        one.bench.agent("alice")
        with client.events() as events:
            assert isinstance(events.next(timeout=10), SnapshotRecord)
            telling = one.server._telling
            send = telling._send
            telling._send = lambda *_: False
            one.centre.agent("alice").not_ready("LOST")
            until(lambda: any(peer.dropped for peer in one.server._requests.peers), "it is dropped")
            telling._send = send
            (item,) = following(events, lambda item: isinstance(item, SnapshotRecord))
            assert item.agents[0].reason == "LOST"


def test_a_reader_that_is_too_slow_gets_a_snapshot_instead(open_centre, client, monkeypatch):
    monkeypatch.setattr("cti.client.client.UNREAD", 5)
    with client.events(agents=["alice"]) as events:
        until(lambda: not events._inbox.empty(), "the snapshot")
        for _ in range(20):
            open_centre.centre.agent("alice").not_ready()
            open_centre.centre.agent("alice").ready()
        client.snapshot()
        open_centre.centre.agent("alice").not_ready("LAST")
        items = following(
            events,
            lambda item: item.reason == "LAST" if isinstance(item, Event) else item.agents[0].reason == "LAST",
        )
        assert sum(isinstance(item, SnapshotRecord) for item in items) >= 1


def test_a_restart_is_survived_and_shows_as_a_snapshot(open_centre, client):
    one = open_centre
    with client.events() as events:
        first = events.next(timeout=10)
        address = one.server.address
        one.server.stop()
        one.centre.agent("alice").not_ready("MEANWHILE")
        impatient = Client(address, timeout=0.3)
        with pytest.raises(NoReply, match="nothing answers there"):
            impatient.snapshot()
        impatient.close()
        one.server = ApiServer(one.centre, bind=address, publish=None)
        one.server.start()
        items = following(events, lambda item: isinstance(item, SnapshotRecord))
        assert items[-1].epoch != first.epoch
        assert {a.agent: a.reason for a in items[-1].agents}["alice"] == "MEANWHILE"
        client.agent("alice").ready()
        assert events.next(timeout=10).kind == "AgentReady"


def test_a_request_whose_reply_was_lost_is_done_once(open_centre, client):
    """The reply is lost with the connection; the client asks again by the same id."""
    said = []
    open_centre.centre.subscribe(said.append, "AgentNotReady")
    client.snapshot()
    server = open_centre.server
    send = server._requests._send

    def lose(route, message):
        server._requests._send = send
        server._send(route, b"\x81\xa1v\x63")  # a message that makes the client connect anew
        return True

    server._requests._send = lose
    client.agent("alice").not_ready("ONCE")
    assert client.agent("alice").view.reason == "ONCE"
    assert len(said) == 1


def test_a_request_under_way_when_the_server_is_started_anew_has_an_unknown_outcome(open_centre, client):
    one = open_centre
    client.snapshot()
    one.server._requests._send = lambda *_: True  # it does what is asked and never says so
    asking = gevent.spawn(client.agent("alice").not_ready)
    until(lambda: one.centre.agent("alice").view.state.value == "not ready", "it is done")
    address = one.server.address
    one.server.stop()
    one.server = ApiServer(one.centre, bind=address, publish=None)
    one.server.start()
    with pytest.raises(OutcomeUnknown):
        asking.get(timeout=10)


def test_a_revoked_client_is_told_wherever_it_waits(keys, tmp_path):
    own = tmp_path / "keys"
    shutil.copytree(keys, own)
    with (
        served(own) as one,
        Client(one.server.address, key=own / "ann.key_secret", server_key=own / "server.key") as client,
        client.events() as events,
    ):
        assert isinstance(events.next(timeout=10), SnapshotRecord)
        cti_keys("revoke", "ann", "--directory", str(own))
        one.server.reload_keys()
        with pytest.raises(TurnedAway, match="revoked"):
            events.next(timeout=10)
        with pytest.raises(TurnedAway):
            client.snapshot()


@pytest.mark.parametrize("nonsense", [b"\xc1", b"\x90", b"\x81\xa1v\x01", b"\x82\xa1v\x01\xa5event\x01"])
def test_a_server_that_talks_nonsense_is_asked_anew(open_centre, client, nonsense):
    with client.events() as events:
        assert isinstance(events.next(timeout=10), SnapshotRecord)
        (peer,) = open_centre.server._requests.peers
        open_centre.server._send(peer.route, nonsense)
        if nonsense != b"\x81\xa1v\x01":  # a kind of message that is not known is let be
            assert isinstance(events.next(timeout=10), SnapshotRecord)
        assert client.agent("alice").view.state == "ready"


def test_a_closed_client_refuses(open_centre):
    client = Client(open_centre.server.address)
    client.snapshot()
    client.close()
    with pytest.raises(NoReply, match="closed"):
        client.snapshot()


def test_keys_that_cannot_be_used_are_said(keys, tmp_path):
    for wrong in (
        {"key": keys / "alice.key_secret"},
        {"key": keys / "alice.key", "server_key": keys / "server.key"},
        {"key": keys / "alice.key_secret", "server_key": "x"},
        {"key": tmp_path / "none", "server_key": keys / "server.key"},
    ):
        with pytest.raises(errors.ConfigurationError):
            Client("tcp://127.0.0.1:1", **wrong)


def test_on_plain_threads(open_centre):
    """Another process, without gevent's hub in its main thread: threads ask while one reads events."""
    program = """
import sys, threading
from cti.client import Client, SnapshotRecord
with Client(sys.argv[1], concurrency="threads") as client, client.events(agents=["alice"]) as events:
    assert isinstance(events.next(timeout=10), SnapshotRecord)
    threads = [threading.Thread(target=lambda: [client.agent("bob").view for _ in range(20)]) for _ in range(4)]
    for thread in threads: thread.start()
    client.agent("alice").not_ready("LUNCH")
    print(events.next(timeout=10).reason)
    for thread in threads: thread.join(10); assert not thread.is_alive()
"""
    done = gevent.get_hub().threadpool.spawn(
        subprocess.run,
        [sys.executable, "-c", program, open_centre.server.address],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    done = done.get(timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "LUNCH"), done.stderr


class Deaf:
    """Loses one message of a publisher."""

    def __init__(self, publisher):
        self.publisher, self.socket = publisher, publisher._socket

    def send_multipart(self, *_):
        self.publisher._socket = self.socket


class TestSubscriber:
    def read(self, subscriber, timeout_s=10):
        item = subscriber.next(timeout_s)
        assert item is not None
        return item

    def test_events_of_the_publisher_join_a_snapshot(self, open_centre, client):
        with Subscriber(client.request("hello")["publish"], ["kind.AgentNotReady."]) as subscriber:
            assert self.read(subscriber).event is None  # the first beat: nothing is known yet
            snapshot = client.snapshot()
            subscriber.synced(snapshot.epoch, snapshot.seq)
            client.agent("alice").not_ready("LUNCH")
            client.agent("alice").ready()
            client.agent("bob").not_ready("TEA")
            assert [self.read(subscriber).event.reason for _ in range(2)] == ["LUNCH", "TEA"]

    def test_what_was_lost_shows_by_the_next_message_or_the_next_beat(self, open_centre, client):
        publisher = open_centre.server._publisher
        with Subscriber(publisher.address) as subscriber:
            self.read(subscriber)
            for last in (False, True):
                snapshot = client.snapshot()
                subscriber.synced(snapshot.epoch, snapshot.seq)
                publisher._socket = Deaf(publisher)
                client.agent("alice").not_ready("LOST")  # by kind: lost; by agent: sent, but not subscribed here
                if not last:
                    client.agent("alice").not_ready("SEEN")
                assert self.read(subscriber).event is None
                client.agent("alice").ready()

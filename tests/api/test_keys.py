"""Who may connect, and what each may do and see: CURVE keys, roles, revocation, `cti keys`."""

from __future__ import annotations

import shutil
import stat

import msgpack
import pytest
import zmq.green as zmq

from cti import errors
from cti.api import ApiServer, KeyRing
from cti.api.keyring import read_pair
from cti.client import Client, TurnedAway
from tests.center.bench import bench

from .wire import Wire, cti_keys, served, until


def test_each_key_is_who_it_is(locked_centre):
    said = {name: locked_centre.wire(name).ask("hello") for name in ("alice", "sue", "crm", "ann")}
    assert {name: (one["name"], one["role"]) for name, one in said.items()} == {
        "alice": ("alice", "agent"),
        "sue": ("sue", "supervisor"),
        "crm": ("crm", "application"),
        "ann": ("ann", "administrator"),
    }
    assert said["sue"]["queues"] == ["claims"]
    assert [name for name, one in said.items() if one["publish"]] == ["ann"]


def answered(wire: Wire) -> bool:
    try:
        wire.socket.send(msgpack.packb({"v": 1, "id": "a", "method": "ping"}), zmq.NOBLOCK)
    except zmq.Again:  # ZeroMQ has given the connection up
        return False
    return wire.receive(700) is not None


def test_no_key_a_wrong_key_or_a_wrong_server_key_gets_no_answer(locked_centre):
    server = read_pair(locked_centre.keys / "server.key_secret")[0]
    stranger, other = zmq.curve_keypair(), zmq.curve_keypair()[0]
    alice = read_pair(locked_centre.keys / "alice.key_secret")
    address = locked_centre.server.address
    wires = [Wire(address), Wire(address, stranger, server), Wire(address, alice, other)]
    assert [answered(wire) for wire in wires] == [False] * 3
    assert locked_centre.server.clients == 0
    assert locked_centre.server._gatekeeper.denied == 1
    assert locked_centre.wire("alice").ask("ping")
    for wire in wires:
        wire.close()


def test_a_client_is_told_that_its_key_is_not_accepted(locked_centre, tmp_path):
    cti_keys("new", "stranger", "--role", "administrator", "--directory", str(tmp_path))
    client = Client(
        locked_centre.server.address,
        key=tmp_path / "stranger.key_secret",
        server_key=locked_centre.keys / "server.key",
    )
    with client, pytest.raises(TurnedAway, match="does not accept this key"):
        client.snapshot()


@pytest.mark.parametrize(
    ("name", "method", "params", "field"),
    [
        ("alice", "agent.ready", {"agent": "bob"}, "params.agent"),
        ("alice", "agent.log_off", {"agent": "bob"}, "params.agent"),
        ("alice", "agent.get", {"agent": "bob"}, "params.agent"),
        ("alice", "queue.get", {"queue": "claims"}, "params.queue"),
        ("alice", "call.hang_up", {"call": "any"}, "params.call"),
        ("alice", "agent.explain", {"agent": "alice"}, ""),
        ("alice", "agent.add", {"agent": "alice", "contact": "user/x"}, ""),
        ("alice", "subscribe", {"agents": ["bob"]}, "params.agents"),
        ("alice", "subscribe", {"queues": ["claims"]}, "params.queues"),
        ("sue", "agent.ready", {"agent": "bob"}, "params.agent"),
        ("sue", "queue.get", {"queue": "loans"}, "params.queue"),
        ("sue", "queue.add", {"queue": "claims"}, ""),
        ("crm", "agent.ready", {"agent": "alice"}, "params.agent"),
        ("crm", "agent.remove", {"agent": "alice"}, ""),
    ],
)
def test_what_a_key_does_not_cover_is_refused(locked_centre, name, method, params, field):
    said = locked_centre.wire(name).refused(method, **params)
    assert (said["code"], said["field"]) == ("security.not_permitted", field)
    assert locked_centre.centre.agent("alice").view.state.value == "ready"


def test_what_a_key_covers_is_done(locked_centre):
    alice, sue = locked_centre.wire("alice"), locked_centre.wire("sue")
    alice.ask("agent.not_ready", agent="alice")
    sue.ask("agent.ready", agent="alice")
    assert sue.ask("queue.get", queue="claims")["agents_ready"] == 2


def test_each_is_told_and_shown_what_is_theirs(locked_centre):
    locked_centre.centre.add_queue("loans", requires="loans >= 1")
    wires = {name: locked_centre.wire(name) for name in ("alice", "sue", "crm", "ann")}
    for wire in wires.values():
        wire.ask("subscribe")
    locked_centre.centre.agent("bob").not_ready()
    locked_centre.centre.agent("alice").not_ready()
    locked_centre.centre.agent("alice").ready()
    caller = locked_centre.call()
    call = wires["ann"].event("Established")["event"]["interaction"]
    snapshots = {name: wire.ask("snapshot") for name, wire in wires.items()}
    shown = {
        name: ([one["agent"] for one in s["agents"]], [one["queue"] for one in s["queues"]])
        for name, s in snapshots.items()
    }
    assert shown == {
        "alice": (["alice"], []),
        "sue": (["alice"], ["claims"]),
        "crm": ([], ["claims"]),
        "ann": (["alice", "bob"], ["claims", "loans"]),
    }
    assert snapshots["ann"]["calls"] == 1
    assert snapshots["sue"]["calls"] is None
    assert wires["crm"].refused("call.hang_up", call="other")["code"] == "security.not_permitted"
    wires["alice"].ask("call.hang_up", call=call)
    told = {}
    for name, wire in wires.items():
        messages = [wire.event()]
        while messages[-1]["event"]["kind"] != "CallCleared":
            messages.append(wire.event())
        told[name] = [m["event"] for m in wire.aside + messages]
    assert {e.get("agent") for e in told["alice"]} == {"alice"}
    assert {"Delivered", "Established", "AgentBusy"} <= {e["kind"] for e in told["alice"]}
    assert {e.get("agent") for e in told["sue"]} <= {"alice", None}
    assert {e["queue"] for e in told["crm"]} == {"claims"}
    assert not [e for name in ("alice", "sue", "crm") for e in told[name] if e.get("agent") == "bob"]
    assert [e for e in told["crm"] if e["kind"] == "Queued"]
    until(lambda: caller.ended, "the call has ended")


def test_an_explanation_shows_only_what_is_covered(locked_centre):
    for agent in ("alice", "bob"):
        locked_centre.centre.agent(agent).not_ready()
    sue, crm = locked_centre.wire("sue"), locked_centre.wire("crm")
    crm.ask("subscribe", kinds=["Queued"])
    locked_centre.call()
    call = crm.event("Queued")["event"]["interaction"]
    assert [reason["agent"] for reason in sue.ask("call.explain", call=call)["agents"]] == ["alice"]
    assert crm.ask("call.explain", call=call)["agents"] == []
    assert [reason["call"] for reason in sue.ask("agent.explain", agent="alice")["calls"]] == [call]


def subscribed_to_publisher(one, name):
    """A SUB socket that is connected with this key; whether a beat comes."""
    context = zmq.Context()
    socket = context.socket(zmq.SUB)
    socket.linger = 0
    socket.curve_publickey, socket.curve_secretkey = read_pair(one.keys / f"{name}.key_secret")
    socket.curve_serverkey = read_pair(one.keys / "server.key_secret")[0]
    socket.subscribe("")
    socket.connect(one.server.publish_address)
    return socket


def test_the_publisher_is_for_those_who_see_all(locked_centre):
    ann, sue = (subscribed_to_publisher(locked_centre, name) for name in ("ann", "sue"))
    assert ann.poll(10_000)
    assert not sue.poll(1_500)
    ann.close()
    sue.close()


@pytest.fixture
def own_keys(keys, tmp_path):
    """A copy that the test may change."""
    shutil.copytree(keys, tmp_path / "keys")
    return tmp_path / "keys"


def test_a_revoked_key_is_shut_out_at_once_and_others_stay(own_keys):
    with served(own_keys) as one:
        one.bench.agent("alice", skills={"claims": 5})
        alice, ann = one.wire("alice"), one.wire("ann")
        alice.ask("subscribe")
        ann.ask("ping")
        published = subscribed_to_publisher(one, "ann")
        assert published.poll(10_000)
        cti_keys("revoke", "alice", "--directory", str(own_keys))
        closed = alice.receive()
        assert closed is not None
        assert closed["closed"]["code"] == "security.unknown_key"
        alice.request("agent.not_ready", {"agent": "alice"}, "a")
        assert alice.reply()["error"]["code"] == "security.unknown_key"
        one.centre.agent("alice").not_ready()
        assert alice.receive(100) is None
        assert ann.ask("ping")
        assert not answered(one.wire("alice"))
        # And a key that may read the publisher: whoever reads it has to show a key again.
        cti_keys("revoke", "ann", "--directory", str(own_keys))
        assert ann.receive()["closed"]["code"] == "security.unknown_key"
        while published.poll(2_500):
            published.recv_multipart()
        published.close()


def test_a_new_key_is_let_in_without_a_restart(own_keys):
    with served(own_keys) as one:
        cti_keys("new", "zoe", "--role", "application", "--queue", "*", "--directory", str(own_keys))
        one.server.reload_keys()
        assert one.wire("zoe").ask("hello")["queues"] == ["*"]


def test_a_key_that_allows_something_else_now_has_to_connect_anew(own_keys):
    with served(own_keys) as one:
        sue, alice = one.wire("sue"), one.wire("alice")
        sue.ask("subscribe")
        alice.ask("ping")
        file = own_keys / "keys.toml"
        file.write_text(file.read_text().replace('queues = ["claims"]', "queues = []"))
        one.server.reload_keys()
        assert sue.receive()["closed"]["code"] == "security.key_changed"
        assert sue.ask("hello")["queues"] == []
        assert alice.ask("ping")


def test_a_broken_keys_file_is_not_taken_over(own_keys):
    with served(own_keys) as one:
        alice = one.wire("alice")
        alice.ask("ping")
        (own_keys / "keys.toml").write_text("[keys.alice\n")
        with pytest.raises(errors.ConfigurationError, match="not TOML"):
            one.server.reload_keys()
        assert alice.ask("ping")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[keys.a]\n", "public must be"),
        ('[keys.a]\npublic = "short"\nrole = "agent"\n', "public must be"),
        (f'[keys.a]\npublic = "{"a" * 40}"\nrole = "king"\n', "role must be one of"),
        (f'[keys.a]\npublic = "{"a" * 40}"\nrole = "agent"\n', "exactly one agent"),
        (f'[keys.a]\npublic = "{"a" * 40}"\nrole = "agent"\nagents = ["*"]\n', "exactly one agent"),
        (f'[keys.a]\npublic = "{"a" * 40}"\nrole = "supervisor"\nqueues = "*"\n', "queues must be a list"),
        (f'[keys.a]\npublic = "{"a" * 40}"\nrole = "supervisor"\nqueue = ["*"]\n', "unknown queue"),
        (f'[keys.a]\npublic = "{"a" * 40}"\nrole = "supervisor"\nrevoked = 1\n', "revoked must be"),
        ("".join(f'[keys.{n}]\npublic = "{"a" * 40}"\nrole = "supervisor"\n' for n in "ab"), "same public key"),
        ("[server]\n", "nothing else"),
        ('[keys."a b"]\n', "a name has"),
        ("\x00", "not TOML"),
    ],
)
def test_a_wrong_keys_file_says_what_is_wrong(own_keys, text, says):
    (own_keys / "keys.toml").write_text(text)
    with pytest.raises(errors.ConfigurationError, match=says) as caught:
        KeyRing(own_keys)
    assert "keys.toml" in str(caught.value) or "key a" in str(caught.value)


def test_plain_sockets_are_for_this_machine_only(keys):
    with bench() as made:
        for address in ("tcp://*:0", "tcp://0.0.0.0:8100", "tcp://192.0.2.1:8100", "tcp://[::]:8100", "tcp://eth0:1"):
            with pytest.raises(errors.ConfigurationError, match="nothing is encrypted"):
                ApiServer(made.centre, bind=address)
        for address in ("tcp://127.0.0.1:*", "tcp://[::1]:*", "tcp://localhost:*", "ipc:///nowhere/x"):
            ApiServer(made.centre, bind=address, publish=None)
        ApiServer(made.centre, bind="tcp://0.0.0.0:*", publish=None, allow_plain=True)
        ApiServer(made.centre, bind="tcp://0.0.0.0:*", publish=None, keys=keys)


def test_secret_keys_are_their_owners_alone(keys):
    for name in ("server", "alice"):
        assert stat.S_IMODE((keys / f"{name}.key_secret").stat().st_mode) == 0o600


def test_the_command_lists_and_refuses(keys, own_keys):
    at = ["--directory", str(own_keys)]
    cti_keys("revoke", "crm", *at)
    assert "revoked before" in cti_keys("revoke", "crm", *at)
    listed = {line.split()[0]: line for line in cti_keys("list", *at).splitlines()}
    assert listed["alice"].startswith("alice agent agents=alice queues=- ")
    assert listed["crm"].endswith("revoked")
    assert listed["ann"].endswith("good")
    before = (own_keys / "keys.toml").read_text()
    for wrong in (
        ["new", "alice", "--role", "administrator"],
        ["new", "server", "--role", "administrator"],
        ["new", "a/b", "--role", "administrator"],
        ["new", "x", "--role", "agent"],
        ["revoke", "nobody"],
    ):
        with pytest.raises(errors.ConfigurationError):
            cti_keys(*wrong, *at)
    assert (own_keys / "keys.toml").read_text() == before

"""An enemy with a key at the ZeroMQ port: whatever they send, a refusal changes nothing, is counted, and says nothing of it.

Methods and parameters are drawn from the table itself, so that a method that is added is attacked at once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgpack
import pytest
import structlog
from attrs import fields
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cti import CallCenter
from cti.api import METHODS, ApiServer, Limits
from cti.api.keyring import read_pair
from cti.api.session_methods import SESSION_METHODS
from cti.store import Codec
from cti.store.plain import packer
from cti.store.snapshot import take

from .wire import Wire

SECRET = "4929-7731-0042-1111"
"""What a caller typed in confidence, in every text of every message."""
FREE = Limits(requests_per_s=1e9, burst=10**9, key_requests_per_s=1e9, key_burst=10**9)
NAMES = ("alice", "sue", "crm", "ann")
ALL = {**METHODS, **SESSION_METHODS}
PARAMETERS = {name: [field.name for field in fields(method.params)] for name, method in ALL.items()}
CHANGING = [name for name, method in METHODS.items() if method.changes]

_SUBJECTS = st.sampled_from(["alice", "bob", "claims", "sales", SECRET, "*", ""])
_ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.just(SECRET)
    | st.just("x" * 17_000)
    | st.binary(max_size=10)
    | _SUBJECTS,
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from([SECRET, "queue", "agent"]), inside, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """A method that there is, with its parameters or others, of any type."""
    method = draw(st.sampled_from(sorted(ALL)))
    names = st.sampled_from([*PARAMETERS[method], "nonsense"])
    return method, draw(st.dictionaries(names, _SUBJECTS | _ODD, max_size=4))


@pytest.fixture(scope="module")
def port(keys) -> Iterator[Port]:
    made = Port(keys)
    try:
        yield made
    finally:
        made.close()


class Port:
    """The port of a centre whose switch is not there, so that nothing happens but what is asked for; a wire for each key."""

    def __init__(self, keys):
        self.centre = CallCenter("127.0.0.1:9")
        self.centre.add_queue("claims", requires="claims >= 3")
        for name in ("alice", "bob"):
            self.centre.add_agent(name, f"user/{name}", skills={"claims": 5}).log_on(ready=True)
        address = "tcp://127.0.0.1:*"
        self.server = ApiServer(self.centre, bind=address, publish=address, keys=keys, limits=FREE)
        self.server.start()
        self.engine = self.centre._loop.engine
        server = read_pair(keys / "server.key_secret")[0]
        self.wires = {name: Wire(self.server.address, read_pair(keys / f"{name}.key_secret"), server) for name in NAMES}
        self.codec = Codec()
        self.chance = random.Random(7)

    def close(self):
        for wire in self.wires.values():
            wire.close()
        self.server.stop()
        self.centre.stop()

    def picture(self) -> bytes:
        """All that the engine knows, but the time."""
        picture, _ = take(self.engine, self.codec)
        return packer().pack({name: value for name, value in picture.items() if name != "now"})

    def ask(self, name, payload):
        wire = self.wires[name]
        wire.send(payload)
        return wire.reply()

    def new_id(self):
        return f"{self.chance.getrandbits(64):x}"


def _sent(id_, method, params):
    return msgpack.packb({"v": 1, "id": id_, "method": method, "params": params})


_SETTINGS = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))


@_SETTINGS
@given(st.sampled_from(NAMES), requests())
def test_a_refusal_changes_nothing_is_counted_and_tells_the_log_nothing(port, name, request_):
    method, params = request_
    payload, before, refused = _sent(port.new_id(), method, params), port.picture(), dict(port.server.tally.refused)
    assume(len(payload) < FREE.message_bytes)  # a longer one ends its connection, before anybody reads it
    total = port.server.tally.requests
    with structlog.testing.capture_logs() as log:
        answer = port.ask(name, payload)
    assert port.server.tally.requests == total + 1
    assert SECRET not in str(log), "what was sent is in no log"
    assert "Traceback" not in str(answer)
    if "error" not in answer:
        return
    code = answer["error"]["code"]
    assert code != "internal", answer
    assert port.server.tally.refused.get(code, 0) == refused.get(code, 0) + 1
    assert port.picture() == before
    assert len(answer["error"]["message"]) < 5_000


@_SETTINGS
@given(st.sampled_from(NAMES[:-1]), st.sampled_from(CHANGING), _SUBJECTS, _SUBJECTS)
def test_nobody_changes_what_their_key_does_not_cover(port, name, method, agent, queue):
    grant = {"alice": ({"alice"}, set()), "sue": ({"alice"}, {"claims"}), "crm": (set(), {"claims"})}[name]
    params = {"agent": agent, "queue": queue, "contact": "user/x", "call": "no such call", "data": {SECRET: SECRET}}
    wanted = {key: value for key, value in params.items() if key in PARAMETERS[method]}
    before = port.picture()
    answer = port.ask(name, _sent(port.new_id(), method, wanted))
    if "error" in answer:
        assert port.picture() == before
        return
    for covered, key in zip(grant, ("agent", "queue"), strict=True):
        assert key not in wanted or wanted[key] in covered, answer


@_SETTINGS
@given(st.sampled_from(NAMES), st.sampled_from(CHANGING), st.sampled_from(["alice", "bob"]), st.binary(max_size=30))
def test_what_is_replayed_is_not_done_again(port, name, method, agent, noise):
    known = {"agent": agent, "queue": "claims", "contact": "user/x", "call": "x"}
    params = {key: value for key, value in known.items() if key in PARAMETERS[method]}
    id_ = port.new_id()
    payload = _sent(id_, method, params)
    first = port.ask(name, payload)
    after = port.picture()
    assert port.ask(name, payload) == first
    assert port.picture() == after
    other = _sent(id_, method, {**params, "reason": noise.hex()})
    if other != payload and "error" not in first:
        assert port.ask(name, other)["error"]["code"] in {"operation.id_reused", "operation.invalid_parameter"}
        assert port.picture() == after


@_SETTINGS
@given(st.sampled_from(NAMES), st.binary(max_size=400), st.integers(0, 400), st.data())
def test_a_good_request_with_something_wrong_in_its_bytes(port, name, noise, at, data):
    payload = bytearray(_sent(port.new_id(), "agent.not_ready", {"agent": "alice", "reason": SECRET}))
    kind = data.draw(st.sampled_from(["cut", "flip", "insert", "after"]))
    at %= len(payload)
    match kind:
        case "cut":
            del payload[at:]
        case "flip":
            payload[at] ^= data.draw(st.integers(1, 255))
        case "insert":
            payload[at:at] = noise
        case _:
            payload += noise
    before = port.picture()
    with structlog.testing.capture_logs() as log:
        answer = port.ask(name, bytes(payload))
    assert SECRET not in str(log)
    if "error" in answer:
        assert answer["error"]["code"] != "internal"
        assert port.picture() == before


def test_after_all_of_this_it_serves(port):
    for name in NAMES:
        answer = port.ask(name, _sent(port.new_id(), "ping", {}))
        assert "result" in answer
    assert not port.server.failed.ready()
    assert len(port.server._requests.replays) <= 256 * len(NAMES)

"""A client of raw frames, and a served centre: what the tests of the API work with."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import msgpack
import zmq.green as zmq
from click.testing import CliRunner

from cti.api import ApiServer, Limits
from cti.api.keyring import read_pair
from cti.cli.keys import keys
from tests.center.bench import Bench, bench

PATIENCE_MS = 10_000


class Wire:
    """One DEALER socket; what it sends and receives is msgpack, or any bytes."""

    def __init__(self, address: str, pair: tuple[bytes, bytes] | None = None, server: bytes = b"", **options: Any):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        for name, value in options.items():
            self.socket.set(getattr(zmq, name), value)
        if pair is not None:
            self.socket.curve_publickey, self.socket.curve_secretkey = pair
            self.socket.curve_serverkey = server
        self.socket.connect(address)
        self._numbers = itertools.count(1)
        self.aside: list[dict[str, Any]] = []

    def send(self, *frames: bytes) -> None:
        with gevent.Timeout(10, AssertionError("ZeroMQ has given the connection up")):
            self.socket.send_multipart(frames)

    def request(self, method: str, params: Any, id_: str) -> None:
        self.send(msgpack.packb({"v": 1, "id": id_, "method": method, "params": params}))

    def receive(self, timeout_ms: int = PATIENCE_MS) -> dict[str, Any] | None:
        if not self.socket.poll(timeout_ms):
            return None
        return msgpack.unpackb(self.socket.recv())

    def reply(self, timeout_ms: int = PATIENCE_MS) -> dict[str, Any]:
        """The next reply; events before it are put aside."""
        while True:
            message = self.receive(timeout_ms)
            assert message is not None, "no reply"
            if "id" in message:
                return message
            self.aside.append(message)

    def ask(self, method: str, **params: Any) -> Any:
        """The result of a request that must succeed."""
        reply = self._asked(method, params)
        assert "error" not in reply, reply
        return reply["result"]

    def refused(self, method: str, **params: Any) -> dict[str, Any]:
        """The error of a request that must not."""
        reply = self._asked(method, params)
        assert "error" in reply, reply
        return reply["error"]

    def event(self, kind: str | None = None) -> dict[str, Any]:
        """The next event's message, of this kind if one is given."""
        while True:
            message = self.aside.pop(0) if self.aside else self.receive()
            assert message is not None, f"no {kind}"
            if "event" in message and kind in {None, message["event"]["kind"]}:
                return message

    def _asked(self, method: str, params: Any) -> dict[str, Any]:
        id_ = f"{id(self)}-{next(self._numbers)}"
        self.request(method, params, id_)
        reply = self.reply()
        assert reply["id"] == id_
        return reply

    def close(self) -> None:
        self.socket.close()
        self.context.term()


class Served:
    """A bench whose centre is served."""

    def __init__(self, bench: Bench, server: ApiServer, keys: Path | None) -> None:
        self.bench = bench
        self.centre = bench.centre
        self.server = server
        self.keys = keys
        self._wires: list[Wire] = []

    def wire(self, key: str | None = None, **options: Any) -> Wire:
        """A client, with the key of this name."""
        if self.keys is None:
            made = Wire(self.server.address, **options)
        else:
            server = read_pair(self.keys / "server.key_secret")[0]
            pair = read_pair(self.keys / f"{key}.key_secret") if key is not None else None
            made = Wire(self.server.address, pair, server, **options)
        self._wires.append(made)
        return made

    def call(self, **data: Any) -> Any:
        """A call comes in and goes to the queue ``claims`` with these data."""
        return self.bench.switch.incoming(
            calling_number="138", called_number="5000", variables={f"cti_data_{k}": v for k, v in data.items()}
        )

    def close(self) -> None:
        for wire in self._wires:
            wire.close()
        self.server.stop()


@contextmanager
def served(
    keys: Path | None = None, limits: Limits | None = None, allowed_contacts: Iterable[str] = (), **settings: Any
) -> Iterator[Served]:
    """A centre with a queue ``claims`` and its script, started, on a simulated switch, and its API."""
    with bench(allowed_contacts=allowed_contacts) as made:
        made.centre.add_queue("claims", requires="claims >= 3")
        made.centre.on_call("5*")(lambda call: call.queue("claims"))
        made.centre.start()
        server = ApiServer(
            made.centre,
            bind="tcp://127.0.0.1:*",
            publish="tcp://127.0.0.1:*",
            keys=keys,
            limits=limits,
            **settings,
        )
        server.start()
        one = Served(made, server, keys)
        try:
            yield one
        finally:
            one.close()


def cti_keys(*arguments: str) -> str:
    """Run `cti keys`, which must succeed."""
    done = CliRunner().invoke(keys, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def until(true: Any, what: str = "it", timeout_s: float = 10) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (value := true()):
        assert time.monotonic() < deadline, f"never: {what}"
        gevent.sleep(0.005)
    return value

"""The simulated switch over TCP, with a raw socket as its client."""

from __future__ import annotations

import gevent
import pytest
from gevent import socket

from cti.sim import Behaviour, SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer

from .recording import Transcript, split


class RawClient:
    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.create_connection(address, timeout=5)
        self.data = b""

    def until(self, text: bytes) -> bytes:
        """Everything up to and with ``text``; fails at the end of the stream or after 5 s."""
        with gevent.Timeout(5):
            while text not in self.data:
                got = self.sock.recv(65536)
                assert got, f"the connection ended before {text!r}: {self.data!r}"
                self.data += got
        end = self.data.index(text) + len(text)
        found, self.data = self.data[:end], self.data[end:]
        return found

    def ask(self, text: str, until: bytes) -> bytes:
        self.sock.sendall(text.encode() + b"\n\n")
        return self.until(until)

    def log_in(self) -> RawClient:
        self.until(b"auth/request\n\n")
        self.ask("auth ClueCon", b"+OK accepted\n\n")
        return self

    def at_end(self) -> bool:
        with gevent.Timeout(5):
            while got := self.sock.recv(65536):
                self.data += got
        return True


@pytest.fixture
def server():
    server = SimServer(SimulatedSwitch(GeventScheduler(), seed=1, heartbeat_s=0.2))
    server.start()
    yield server
    server.stop()


def test_a_client_logs_in_calls_and_hears(server):
    client = RawClient(server.address).log_in()
    client.ask("event json CHANNEL_PARK CHANNEL_ANSWER BACKGROUND_JOB HEARTBEAT", b"enabled json\n\n")
    server.switch.phones.add("user/1001@x", Behaviour(answer_s=(0.01, 0.02)))
    client.ask("bgapi originate {origination_uuid=leg}user/1001@x &park()\nJob-UUID: j", b"Job-UUID: j\n\n")
    heard = Transcript()
    text = client.until(b'"Event-Name":"CHANNEL_PARK"')
    start = text.index(b"Content-Length")
    whole = text[start : text.rindex(b"Content-Length")]
    for frame in split(whole):
        heard.take(*frame)
    assert {"CHANNEL_ANSWER", "BACKGROUND_JOB"} <= {e["Event-Name"] for e in heard.events}
    client.until(b'"Event-Name":"HEARTBEAT"')
    assert client.ask("exit", b"cluecon.com/\n").count(b"+OK bye") == 1
    assert client.at_end()


def test_a_megabyte_of_answer_arrives_whole(server):
    client = RawClient(server.address).log_in()
    text = "x" * 1_000_000
    answer = client.ask(f"api echo {text}", text.encode())
    assert b"Content-Length: 1000000\n\n" in answer


def test_dropped_links_end_and_calls_go_on(server):
    first, second = RawClient(server.address).log_in(), RawClient(server.address).log_in()
    caller = server.switch.incoming()
    server.drop_links()
    assert first.at_end()
    assert second.at_end()
    assert caller.channel.up
    again = RawClient(server.address).log_in()
    assert b'"row_count":1' in again.ask("api show channels as json", b"]}")


def test_a_restart_cuts_the_links_forgets_the_calls_and_keeps_the_port(server):
    client = RawClient(server.address).log_in()
    caller, address, core = server.switch.incoming(), server.address, server.switch.bus.core_uuid
    server.restart(down_s=0.01)
    assert client.at_end()
    assert (server.address, caller.ended) == (address, True)
    assert server.switch.bus.core_uuid != core
    assert b'{"row_count": 0}' in RawClient(address).log_in().ask("api show channels as json", b"}\n")


def test_while_it_is_stopped_nobody_gets_in(server):
    server.stop()
    with pytest.raises(OSError, match="refused"):
        RawClient(server.address)
    server.start()
    RawClient(server.address).log_in()


def test_a_client_that_vanishes_is_forgotten(server):
    client = RawClient(server.address).log_in()
    assert len(server.switch.sessions) == 1
    client.sock.close()
    with gevent.Timeout(5):
        while server.switch.sessions:
            gevent.sleep(0.001)


def test_rejected_and_refused_clients_are_told(server):
    server.switch.reject_connections = True
    client = RawClient(server.address)
    client.until(b"Access Denied, go away.\n")
    assert client.at_end()
    server.switch.reject_connections, server.switch.refuse_logins = False, True
    client = RawClient(server.address)
    client.until(b"auth/request\n\n")
    client.ask("auth ClueCon", b"Reply-Text: -ERR invalid\n\n")
    assert client.at_end()


def test_the_events_carry_the_wall_clock(server):
    import time

    assert abs(server.switch.now_us() / 1_000_000 - time.time()) < 1

"""A datagram wakes the event socket; while the doorbell rings nobody has to tick."""

from __future__ import annotations

import socket

import gevent
import pytest

from cti.errors import ConfigurationError
from cti.switch import awake
from cti.switch.awake import Awake
from cti.switch.doorbell import SHORTEST_S, Doorbell


@pytest.fixture
def woken():
    return []


@pytest.fixture
def bell(woken):
    made = Doorbell("127.0.0.1:0", lambda: woken.append(1))
    yield made
    made.close()


def ring(address: str, times: int = 1, data: bytes = b"x") -> None:
    host, port = address.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _ in range(times):
            sock.sendto(data, (host, int(port)))


def until(condition) -> None:
    with gevent.Timeout(5):
        while not condition():
            gevent.sleep(0.001)


def test_a_datagram_wakes_whatever_is_in_it(bell, woken):
    for number, data in enumerate((b"", b"x", b"\xff" * 60_000), 1):
        ring(bell.address, data=data)
        until(lambda number=number: len(woken) >= number)
        gevent.sleep(2 * SHORTEST_S)
    assert len(woken) == 3


def test_a_flood_wakes_seldom_and_its_last_one_is_not_lost(bell, woken):
    for _ in range(20):
        ring(bell.address, times=50)
        gevent.sleep(0.001)
    gevent.sleep(0.01)
    assert 2 <= len(woken) < 100


def test_a_ring_too_soon_after_another_wakes_a_moment_later(bell, woken, monkeypatch):
    monkeypatch.setattr("cti.switch.doorbell.SHORTEST_S", 10.0)
    ring(bell.address)
    until(lambda: len(woken) == 1)
    ring(bell.address)
    until(lambda: len(woken) == 2)  # by the timer, which was made before


def test_it_is_quiet_when_closed(bell, woken):
    address = bell.address
    bell.close()
    ring(address)
    gevent.sleep(0.02)
    assert not woken
    bell.close()


def test_two_processes_may_listen_while_one_takes_over_from_the_other(bell):
    second = Doorbell(bell.address, lambda: None)
    assert second.address == bell.address
    second.close()


def test_a_group_may_ring(woken):
    made = Doorbell("239.255.77.77:0", lambda: woken.append(1))
    try:
        assert made.address.startswith("239.255.77.77:")
    finally:
        made.close()


@pytest.mark.parametrize(
    "address", ["", "8022", "localhost:8022", "127.0.0.2:door", "127.0.0.2:99999", "192.0.2.1:8022", "::1:8022"]
)
def test_an_address_that_cannot_be_listened_at_is_named(address):
    with pytest.raises(ConfigurationError, match="doorbell"):
        Doorbell(address, lambda: None)


def test_the_ticker_rests_while_the_doorbell_rings_and_takes_over_when_it_is_silent(woken, monkeypatch):
    made = Awake(lambda: woken.append(1), 60.0, "127.0.0.1:0")
    made.open()
    try:
        made.came("CHANNEL_PARK")  # nobody has rung
        assert not made.rings
        made.warm()
        until(lambda: len(woken) > 3)
        made.rest()

        ring(made._bell.address)
        until(lambda: made._bell.last > 0)
        made.came("CHANNEL_CREATE")  # what it does not ring for proves nothing
        assert not made.rings
        made.came("CHANNEL_PARK")
        assert made.rings
        woken.clear()
        made.warm()
        gevent.sleep(0.02)
        assert not woken

        monkeypatch.setattr(awake, "SILENT_S", 0.0)
        made.came("CHANNEL_ANSWER")  # it has not rung for this
        assert not made.rings
        made.warm()
        until(lambda: len(woken) > 3)
    finally:
        made.close()


def test_without_a_doorbell_the_ticker_ticks(woken):
    made = Awake(lambda: woken.append(1), 60.0)
    made.open()
    made.came("CHANNEL_PARK")
    made.warm()
    until(lambda: len(woken) > 3)
    made.close()
    assert not made.rings

"""A switch in virtual time, without heartbeats unless a test wants them."""

from __future__ import annotations

import pytest

from cti.sim import SimulatedSwitch, VirtualScheduler

from .client import EVENTS, Client


@pytest.fixture
def switch() -> SimulatedSwitch:
    return SimulatedSwitch(VirtualScheduler(), seed=7, heartbeat_s=0)


@pytest.fixture
def client(switch) -> Client:
    return Client(switch, events=EVENTS)

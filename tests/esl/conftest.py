from __future__ import annotations

from collections.abc import Iterator

import pytest

from .loopback_switch import Client, LoopbackSwitch, find_freeswitch


@pytest.fixture(scope="session")
def loopback_switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackSwitch]:
    binary = find_freeswitch()
    if binary is None:
        pytest.skip("no FreeSWITCH: put `freeswitch` on the PATH or name the binary in CTI_FREESWITCH")
    switch = LoopbackSwitch(binary, tmp_path_factory.mktemp("loopback"))
    switch.start()
    yield switch
    switch.stop()


@pytest.fixture
def client(loopback_switch: LoopbackSwitch) -> Iterator[Client]:
    connection = loopback_switch.connect()
    yield connection
    connection.close()
    closing = loopback_switch.connect()
    closing.api("hupall")
    closing.close()

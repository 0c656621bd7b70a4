"""Fixtures for tests against a real FreeSWITCH; without one, or without SIPp, these tests are skipped with that reason."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .event_socket import EventSocket
from .freeswitch_process import CONFIGURATION, FreeSwitchProcess, find_freeswitch
from .ports import free_ports
from .sipp import AgentBehaviour, CallerBehaviour, SippAgents, SippCallers

StartAgents = Callable[..., SippAgents]
StartCallers = Callable[..., SippCallers]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = _why_not()
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("live") and reason:
            item.add_marker(pytest.mark.skip(reason=reason))


def _why_not() -> str:
    if find_freeswitch() is None:
        return "no FreeSWITCH: put `freeswitch` on the PATH or name the binary in CTI_FREESWITCH"
    if shutil.which("sipp") is None:
        return "no SIPp: put `sipp` on the PATH (Debian: apt install sip-tester)"
    if not CONFIGURATION.is_dir():
        return f"no {CONFIGURATION.name} beside the tests"
    return ""


@pytest.fixture(scope="session")
def running_switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreeSwitchProcess]:
    """One FreeSWITCH for all tests; use ``switch``, which gives it to a test without anybody else's calls."""
    binary = find_freeswitch()
    assert binary is not None, "collected in spite of the skip"
    process = FreeSwitchProcess(tmp_path_factory.mktemp("freeswitch"), binary)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def switch(running_switch: FreeSwitchProcess, request: pytest.FixtureRequest) -> Iterator[FreeSwitchProcess]:
    """A booted FreeSWITCH without calls; its log is shown when the test fails."""
    yield running_switch
    report = getattr(request.node, "call_report", None)
    if report is not None and report.failed:
        print(running_switch.log_tail())
    with running_switch.connect() as control:
        control.api("hupall NORMAL_CLEARING")
        _wait_until_idle(control)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.call_report = report


def _wait_until_idle(control: EventSocket) -> None:
    import time

    import gevent

    deadline = time.monotonic() + 10
    while (rows := control.channels()) and time.monotonic() < deadline:
        gevent.sleep(0.1)
    assert not rows, f"channels that do not end: {rows}"


@pytest.fixture
def control(switch: FreeSwitchProcess) -> Iterator[EventSocket]:
    """A connection of the test's own to the event socket."""
    with switch.connect() as connection:
        yield connection


@pytest.fixture
def start_agents(tmp_path: Path) -> Iterator[StartAgents]:
    """Start a SIPp process that plays agents' phones: ``start_agents(ring_s=0.1, talk_s=2)``, see AgentBehaviour."""
    with ExitStack() as stack:

        def start(**behaviour: object) -> SippAgents:
            port, media_port = free_ports(2, block=8)
            workdir = tmp_path / f"agents-{port}"
            return stack.enter_context(
                SippAgents(AgentBehaviour(**behaviour), workdir, port=port, media_port=media_port)
            )

        yield start


@pytest.fixture
def start_callers(tmp_path: Path, switch: FreeSwitchProcess) -> Iterator[StartCallers]:
    """Start a SIPp process that calls in: ``start_callers("5000", calls=100, rate=10, hold_s=3)``, see CallerBehaviour."""
    with ExitStack() as stack:

        def start(number: str, *, calls: int = 1, rate: float = 20, **behaviour: object) -> SippCallers:
            port, media_port = free_ports(2, block=8)
            return stack.enter_context(
                SippCallers(
                    CallerBehaviour(**behaviour),
                    tmp_path / f"callers-{port}",
                    switch_port=switch.callers_port,
                    number=number,
                    calls=calls,
                    rate=rate,
                    port=port,
                    media_port=media_port,
                )
            )

        yield start

"""A FreeSWITCH that is killed, or that nobody hears of any more, and what becomes of its callers, who call back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import gevent
import gevent.event
import gevent.server
import gevent.socket
import pytest

from cti import CallCenter, events
from cti.model.states import AgentState, InteractionState, LinkState

from .freeswitch_process import FreeSwitchProcess, find_freeswitch
from .ports import free_ports
from .sipp import CallerBehaviour, SippCallers
from .test_line import Watch

pytestmark = pytest.mark.live


class Relay:
    """Stands between us and an event socket: bytes pass, until ``cut``; then nothing does, and nobody is told."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._server = gevent.server.StreamServer(("127.0.0.1", 0), self._take)
        self._open = gevent.event.Event()
        self._open.set()
        self._sockets: list[Any] = []
        self.taken = 0

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.heal()
        self._server.stop(timeout=1)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def cut(self) -> None:
        """From now on nothing gets through, on old connections and on new ones."""
        self._open.clear()

    def heal(self) -> None:
        """New connections get through again; the old ones are gone by now, as after a reboot of the router."""
        for each in self._sockets:
            each.close()
        self._sockets.clear()
        self._open.set()

    def _take(self, client: Any, _: Any) -> None:
        self.taken += 1
        self._sockets.append(client)
        self._open.wait()
        if client.closed:
            return
        switch = gevent.socket.create_connection(("127.0.0.1", self._to))
        self._sockets.append(switch)
        gevent.joinall([gevent.spawn(self._pass, client, switch), gevent.spawn(self._pass, switch, client)])

    def _pass(self, source: Any, target: Any) -> None:
        try:
            while data := source.recv(65536):
                self._open.wait()
                target.sendall(data)
        except OSError:
            pass
        for each in (source, target):
            each.close()


@contextmanager
def caller(switch: FreeSwitchProcess, workdir: Path, user: str, number: str = "5000", **more: Any) -> Iterator[Any]:
    """A caller with a number of their own."""
    port, media_port = free_ports(2, block=8)
    with SippCallers(
        CallerBehaviour(user=user, **{"hold_s": 60, **more}),
        workdir / f"caller-{user}-{port}",
        switch_port=switch.callers_port,
        number=number,
        calls=1,
        rate=10,
        port=port,
        media_port=media_port,
    ) as made:
        yield made


def test_the_network_is_cut_silently_and_found_out_within_ten_seconds(switch, control, start_agents, tmp_path):
    agents = start_agents(ring_s=0.05)
    with Relay(switch.event_port) as relay:
        centre = CallCenter(relay.address, switch.password)
        centre.add_queue("sales", requires="sales")
        for name in ("ann", "bob"):
            centre.add_agent(name, agents.contact(name), skills={"sales": 1}).log_on(ready=True)
        centre.on_call("5*")(lambda call: call.queue("sales"))
        watch = Watch(centre)
        try:
            centre.start()
            with caller(switch, tmp_path, "stays"), caller(switch, tmp_path, "goes"):
                watch.until("both talk", lambda: len(watch.of(events.Established)) == 2)
                gone = next(e.interaction for e in watch.of(events.Established) if e.calling_number == "goes")
                leg = centre._loop.engine.world.interactions[gone].caller
                cut_at = time.monotonic()
                relay.cut()
                watch.wait_for(events.SystemStatus, status="disabled", timeout_s=20)
                assert time.monotonic() - cut_at < 10
                assert control.api(f"uuid_kill {leg}").startswith("+OK")  # and we do not hear of it
                with caller(switch, tmp_path, "comes"):
                    gevent.sleep(1)
                    assert {watch.state("ann"), watch.state("bob")} == {AgentState.BUSY}
                    relay.heal()
                    watch.until("live", lambda: list(centre.snapshot().links.values()) == [LinkState.LIVE], 40)
                    assert watch.wait_for(events.CallCleared, interaction=gone).state == "lost"
                    talk = watch.until(
                        "who came meanwhile is answered",
                        lambda: [e for e in watch.of(events.Established) if e.calling_number == "comes"],
                    )[0]
                    assert talk.agent == next(e.agent for e in watch.of(events.Established) if e.interaction == gone)
                    stays = next(e for e in watch.of(events.Established) if e.calling_number == "stays")
                    call = centre._loop.engine.world.interactions[stays.interaction]
                    assert call.state is InteractionState.ESTABLISHED
                    watch.nothing_is_wrong()
        finally:
            centre.stop()


def test_freeswitch_is_killed_and_those_who_call_back_are_where_they_were(tmp_path, start_agents):
    binary = find_freeswitch()
    assert binary is not None
    switch = FreeSwitchProcess(tmp_path / "freeswitch", binary)
    agents = start_agents(ring_s=0.05)
    journal = str(tmp_path / "journal")

    def made() -> CallCenter:
        centre = CallCenter(switch.address, switch.password, journal=journal)
        centre.add_queue("sales", requires="sales", keep_place_s=120)
        centre.add_agent("ann", agents.contact("ann"), skills={"sales": 1})
        centre.on_call("5*")(lambda call: call.queue("sales"))
        return centre

    centre = made()
    watch = Watch(centre)
    try:
        switch.start()
        centre.start()
        for who in ("first", "second"):
            with_them = caller(switch, tmp_path, who)
            with_them.__enter__()
            watch.until(f"{who} waits", lambda: watch.of(events.Queued, calling_number=who))  # noqa: B023
        switch.kill()
        watch.wait_for(events.SystemStatus, status="disabled")
        switch.start()
        watch.until("live again", lambda: list(centre.snapshot().links.values()) == [LinkState.LIVE], 40)
        assert [e.state for e in watch.of(events.CallCleared)] == ["lost", "lost"]
        centre.stop()
        centre = made()  # so much for the worst night of the year: our process goes, too
        watch = Watch(centre)
        centre.start()
        with (
            caller(switch, tmp_path, "third"),
            caller(switch, tmp_path, "second"),
            caller(switch, tmp_path, "first"),
        ):
            watch.until("all wait", lambda: centre.snapshot().queues[0].figures.waiting == 3)
            order = [each.calling_number for each in centre.snapshot().queues[0].waiting]
            assert order == ["first", "second", "third"]
            centre.agent("ann").log_on(ready=True)
            assert watch.wait_for(events.Established).calling_number == "first"
            watch.nothing_is_wrong()
    finally:
        centre.stop()
        switch.stop()

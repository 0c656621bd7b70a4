"""A switch that goes away, comes back, is another one, or says nothing: the adapter on the simulated switch over TCP."""

from __future__ import annotations

import random
from contextlib import contextmanager

import gevent
import pytest
import structlog
from gevent import event

from cti.errors import (
    AccessDenied,
    AuthenticationFailed,
    CallGone,
    CommandRejected,
    CommandTimeout,
    FellBehind,
    JobTimeout,
    LinkClosed,
    SwitchTooOld,
)
from cti.model import facts, intents
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, ReservationId, SwitchId
from cti.model.trunk_facts import TrunksListed
from cti.sim import Behaviour, SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer
from cti.switch import FreeSwitch, Timing

from .fake_switch import PASSWORD, fake_switch

QUICK = Timing(
    connect_timeout_s=0.3,
    ping_every_s=0.03,
    ping_timeout_s=0.05,
    back_off_s=(0.01, 0.05),
    snapshot_lag_s=0.0,
    canary_every_s=0.01,
    lag_warn_s=0.15,
    lag_leave_s=0.3,
)
FS = SwitchId("fs")
LOST = [facts.LinkLost, facts.LinkConnecting, facts.LinkAuthenticated, facts.SnapshotTaken]


@pytest.fixture(autouse=True)
def _nobody_hangs():
    with gevent.Timeout(10):
        yield


class Bench:
    """An adapter, what it told, and waiting for conditions instead of sleeping."""

    def __init__(self, host, port, *, password="ClueCon", timing=QUICK):
        self.told = []
        self.listed = False
        self._news = event.Event()
        self.adapter = FreeSwitch(
            host, port, password, on_fact=self._fact, switch=FS, timing=timing, chance=random.Random(1)
        )

    def _fact(self, fact):
        if isinstance(fact, TrunksListed):  # comes when the switch has answered, at no fixed place among the others
            self.listed = True
            return
        self.told.append(fact)
        self._news.set()

    def kinds(self):
        return [type(fact) for fact in self.told]

    def until(self, *kinds):
        """Wait until the facts end with these kinds (others may follow them); return the last of them."""
        while True:
            found = self.kinds()
            for start in range(len(found) - len(kinds) + 1):
                if found[start : start + len(kinds)] == list(kinds):
                    return self.told[start + len(kinds) - 1]
            self._news.clear()
            self._news.wait()

    def reconnects(self, times=1):
        """Wait until the link was lost and is live again, so many times more."""
        self.told.clear()
        for _ in range(times):
            self.until(facts.SnapshotTaken)


def until(what):
    while not what():
        gevent.sleep(0.005)


@contextmanager
def simulated(**options):
    server = SimServer(SimulatedSwitch(GeventScheduler(), seed=1, heartbeat_s=options.pop("heartbeat_s", 0)))
    server.start()
    bench = Bench(*server.address, **options)
    bench.server, bench.switch = server, server.switch
    try:
        yield bench
    finally:
        server.switch.silent = False
        bench.adapter.stop()
        server.stop()


@pytest.fixture
def line():
    with simulated() as bench:
        bench.adapter.start()
        until(lambda: bench.listed)
        yield bench


# -- the first connection ---------------------------------------------------------------------------------------------


def test_it_starts_with_a_snapshot_and_ends_with_the_link_lost():
    with simulated() as bench:
        caller = bench.switch.incoming(called_number="5000")
        until(lambda: any(c.state == "CS_EXECUTE" for c in bench.switch.channels.values()))
        bench.adapter.start()
        assert bench.kinds() == [facts.LinkConnecting, facts.LinkAuthenticated, facts.SnapshotTaken]
        [channel] = bench.told[-1].channels
        assert channel.called_number == "5000"
        assert not bench.told[-1].restarted
        assert bench.adapter.connected
        assert bench.adapter.version.startswith("FreeSWITCH Version 1.")
        assert caller is not None
        bench.adapter.stop()
        assert bench.kinds()[-1] is facts.LinkLost
        assert not bench.adapter.connected


def test_facts_that_come_during_the_snapshot_are_told_after_it():
    with simulated(timing=Timing(snapshot_lag_s=0.1, back_off_s=(0.01, 0.05))) as bench:
        starting = gevent.spawn(bench.adapter.start)
        bench.until(facts.LinkAuthenticated)
        bench.switch.incoming(called_number="5000")
        starting.join()
        bench.until(facts.Offered)
        kinds = bench.kinds()
        assert kinds.index(facts.SnapshotTaken) < kinds.index(facts.Offered)


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [("refuse_logins", AuthenticationFailed), ("reject_connections", AccessDenied)],
)
def test_refused_at_the_start(trouble, expected):
    with simulated() as bench:
        setattr(bench.switch, trouble, True)
        with pytest.raises(expected):
            bench.adapter.start()
        assert not bench.adapter.connected
        assert bench.kinds() == [facts.LinkConnecting, facts.LinkLost]


@pytest.mark.parametrize("version", ["FreeSWITCH Version 1.8.7~64bit\n", "-ERR no reply\n", "Asterisk 20\n"])
def test_too_old_or_no_freeswitch_at_all(version):
    def script(client):
        client.let_in()
        for _ in client.read_on():
            client.api(version)

    with fake_switch(script) as (host, port):
        bench = Bench(host, port, password=PASSWORD)
        with pytest.raises(SwitchTooOld, match=r"1\.10 or newer"):
            bench.adapter.start()
        assert not bench.adapter.connected


def test_a_subscription_that_is_refused_is_an_error_and_not_a_silence():
    def script(client):
        client.let_in()
        for line in client.read_on():
            if line.startswith("api"):
                client.api("FreeSWITCH Version 1.11.1\n")
            else:
                client.reply("-ERR permission denied")

    with fake_switch(script) as (host, port):
        bench = Bench(host, port, password=PASSWORD)
        with pytest.raises(CommandRejected, match="permission denied") as caught:
            bench.adapter.start()
        assert PASSWORD not in f"{caught.value!r} {bench.adapter!r}"


# -- lost and found ---------------------------------------------------------------------------------------------------


def test_it_comes_back_after_a_cut_and_says_what_was_missed(line):
    line.told.clear()
    line.switch.drop_links()
    snapshot = line.until(*LOST)
    assert not snapshot.restarted
    assert line.adapter.connected
    line.told.clear()
    line.switch.incoming(called_number="5000")
    assert line.until(facts.Offered).called_number == "5000"


def test_a_restarted_switch_is_recognised_by_its_core():
    with simulated() as bench:
        bench.adapter.start()
        bench.told.clear()
        bench.server.restart(down_s=0.05)
        assert bench.until(*LOST).restarted
        bench.told.clear()
        bench.switch.drop_links()
        assert not bench.until(*LOST).restarted


def test_attempts_go_on_while_nothing_listens(line):
    line.told.clear()
    line.server.stop()
    line.until(facts.LinkLost, facts.LinkConnecting, facts.LinkLost, facts.LinkConnecting, facts.LinkLost)
    assert not line.adapter.failed.ready()
    line.server.start()
    line.until(*LOST)


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [("refuse_logins", AuthenticationFailed), ("reject_connections", AccessDenied)],
)
def test_a_password_changed_or_an_address_barred_later_is_final(line, trouble, expected):
    setattr(line.switch, trouble, True)
    line.switch.drop_links()
    with pytest.raises(expected):
        line.adapter.failed.get(timeout=5)
    assert line.kinds()[-1] is facts.LinkLost
    told = len(line.told)
    gevent.sleep(0.1)  # several times the back-off: no further attempt
    assert len(line.told) == told


def test_a_silent_switch_is_left(line):
    """Half-open: the connection stands and nothing comes, as when a firewall has forgotten it."""
    line.told.clear()
    line.switch.silent = True
    line.until(facts.LinkLost)
    line.switch.silent = False
    line.until(facts.LinkConnecting, facts.LinkAuthenticated, facts.SnapshotTaken)


def test_the_defaults_find_a_half_open_connection_within_ten_seconds():
    defaults = Timing()
    assert defaults.ping_every_s + defaults.ping_timeout_s < 10


def test_events_that_stay_away_are_noticed_though_commands_are_answered(line):
    line.told.clear()
    with structlog.testing.capture_logs() as logs:
        line.switch.event_poll_s = 3600.0
        line.switch.random.uniform = lambda _low, high: high
        # No command on the event link may let them out: what a FreeSWITCH does whose dispatcher is stuck.
        line.switch.bus.fire = lambda _event: None
        line.until(facts.LinkLost)
    assert [e for e in logs if e["event"] == "events are late"]
    assert "late" in str(line.adapter._socket._lost_by)
    assert isinstance(line.adapter._socket._lost_by, FellBehind)


def test_heartbeats_that_stop_are_noticed():
    timing = Timing(snapshot_lag_s=0.0, canary_every_s=0.02, back_off_s=(0.01, 0.05), lag_leave_s=60, lag_warn_s=60)
    with simulated(timing=timing, heartbeat_s=0.03) as bench:
        bench.adapter.start()
        until(lambda: bench.adapter._socket._pulse.heartbeat._longest_s > 0)
        assert bench.adapter._socket.sessions == 0
        bench.told.clear()
        bench.switch._heartbeat_s = 3600.0
        bench.until(facts.LinkLost)
        assert "HEARTBEAT" in str(bench.adapter._socket._lost_by)


def test_the_lag_is_measured(line):
    until(lambda: line.adapter._socket._pulse.canary._times)
    assert 0 < line.adapter.lag_s < 0.1
    line.adapter.stop()
    assert line.adapter.lag_s == 0


def test_filters_come_back_with_the_link(line):
    line.adapter.filter("variable_cti_node", "cti")

    def filters():
        return {f"{one.header}={one.value}" for s in line.switch.sessions for one in s.subscription.filters}

    before = filters()
    assert {"variable_cti_node=cti", "Event-Name=BACKGROUND_JOB", "Event-Subclass=cti::canary"} <= before
    line.reconnect = line.switch.drop_links()
    line.told.clear()
    line.until(*LOST)
    assert filters() == before
    assert line.adapter.bgapi("version").startswith("FreeSWITCH")
    until(lambda: line.adapter._socket._pulse.canary._times)


# -- whoever waits ----------------------------------------------------------------------------------------------------


def test_a_job_ends_with_its_event(line):
    assert line.adapter.bgapi("version").startswith("FreeSWITCH Version")


def test_a_job_ends_with_its_deadline_and_the_link_stays(line):
    line.switch.start_job = lambda *_: None
    with pytest.raises(JobTimeout, match="bgapi version"):
        line.adapter.bgapi("version", timeout=0.03)
    assert line.adapter.connected
    assert len(line.adapter._awaited) == 0


def test_a_job_ends_with_the_link(line):
    line.switch.start_job = lambda *_: None
    gevent.spawn_later(0.02, line.switch.drop_links)
    with pytest.raises(LinkClosed):
        line.adapter.bgapi("version")
    assert len(line.adapter._awaited) == 0


def test_jobs_are_promises_that_end_each_with_its_own_event(line):
    jobs = [line.adapter._socket.job("echo", str(number)) for number in range(20)]
    assert [job.wait(5).body for job in jobs] == [str(number) for number in range(20)]
    line.switch.sessions[0]._bgapi = lambda *_: line.switch.sessions[0]._reply("-ERR no")
    with pytest.raises(CommandRejected, match="-ERR no"):
        line.adapter.bgapi("version")
    assert len(line.adapter._awaited) == 0


def test_an_application_ends_with_its_channel(line):
    caller = line.switch.incoming(called_number="5000")
    channel = line.until(facts.Offered).connection
    line.adapter.api("uuid_answer", channel)
    waiting = gevent.spawn(line.adapter.run, channel, "playback", "tone_stream://%(1000,0,440);loops=-1")
    until(lambda: len(line.adapter._awaited) == 1)
    line.adapter.api("uuid_kill", channel)
    with pytest.raises(CallGone):
        waiting.get()
    assert caller is not None


def test_an_application_on_a_channel_that_is_not_there(line):
    with pytest.raises(CallGone):
        line.adapter.run(ConnectionId("11111111-2222-3333-4444-555555555555"), "playback", "x")
    assert len(line.adapter._awaited) == 0


def test_an_application_ends_with_its_event(line):
    line.switch.incoming(called_number="5000")
    channel = line.until(facts.Offered).connection
    line.adapter.api("uuid_answer", channel)
    assert line.adapter.run(channel, "playback", "silence_stream://20").text("Application") == "playback"


def test_an_api_that_is_not_answered_closes_the_link_which_comes_back(line):
    line.told.clear()
    line.switch.api = lambda *_: None
    with pytest.raises(CommandTimeout):
        line.adapter.api("status", timeout=0.02)
    del line.switch.api
    line.until(*LOST)


def test_without_a_link_commands_fail_at_once_and_intents_do_nothing():
    with simulated() as bench:
        with pytest.raises(LinkClosed, match="no link"):
            bench.adapter.api("status")
        with pytest.raises(LinkClosed):
            bench.adapter.bgapi("status")
        bench.adapter.execute(intents.CheckConnection(FS, ConnectionId("x")))
        assert bench.told == []


# -- intents ----------------------------------------------------------------------------------------------------------


def offer(contact):
    return intents.OfferCall(
        switch=FS,
        leg=ConnectionId("leg-1"),
        contact=contact,
        ring_timeout_s=5,
        interaction=InteractionId("i"),
        agent=AgentId("a"),
        queue=QueueId("q"),
        reservation=ReservationId("r"),
        calling_number="0301234",
        calling_name="Ada",
        called_number="5000",
    )


def test_an_offer_is_told_from_ringing_to_the_answer(line):
    line.switch.phones.add("user/1001", Behaviour(ring_s=(0.001, 0.001), answer_s=(0.01, 0.02)))
    line.adapter.execute(offer("user/1001"))
    line.until(facts.Originated, facts.Delivered, facts.Established)
    assert len(line.adapter._awaited) == 0


def test_an_offer_to_nobody_fails_once(line):
    line.adapter.execute(offer("user/unknown"))
    assert line.until(facts.Failed).connection == "leg-1"
    assert len(line.adapter._awaited) == 0


def test_an_offer_that_cannot_be_written_fails_and_is_not_awaited(line):
    line.adapter.execute(offer("user/1001\n\napi hupall"))
    assert line.until(facts.Failed).connection == "leg-1"
    assert len(line.adapter._awaited) == 0


def test_a_connection_that_is_gone_is_told(line):
    line.adapter.execute(intents.CheckConnection(FS, ConnectionId("gone")))
    assert line.until(facts.ConnectionCleared).connection == "gone"

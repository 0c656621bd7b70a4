"""Two FreeSWITCH servers in one centre: a caller at one, an agent's phone at the other."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import gevent
import pytest
from gevent import socket

from cti import CallCenter, Recordings, ToAgent, events
from cti.model.cause import Cause
from cti.model.states import AgentState, DeviceState, InteractionState, LinkState

from .audio import read_stereo, tone_share, write_pcmu_tone
from .freeswitch_process import FreeSwitchProcess, find_freeswitch
from .ports import free_ports
from .sipp import CallerBehaviour, SippCallers, SippRegistration
from .test_line import Watch

pytestmark = pytest.mark.live

CALLER_HZ, ANN_HZ, BOB_HZ, SUE_HZ = 500, 900, 1300, 1700
BOB = "user/1002@cti.internal"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FreeSwitchProcess, FreeSwitchProcess]]:
    binary = find_freeswitch()
    assert binary is not None, "collected in spite of the skip"
    north, south = (FreeSwitchProcess(tmp_path_factory.mktemp(name), binary) for name in ("north", "south"))
    try:
        north.start()
        south.start()
        yield north, south
    finally:
        north.stop()
        south.stop()


@pytest.fixture
def switch(pair: tuple[FreeSwitchProcess, FreeSwitchProcess]) -> FreeSwitchProcess:
    """Where callers come in."""
    return pair[0]


class Two(Watch):
    """Ann's phone is at the north switch, Bob's at the south one; each plays a tone, as callers do."""

    def __init__(self, centre: CallCenter, south: FreeSwitchProcess, workdir: Path) -> None:
        super().__init__(centre)
        self.south = south
        self.workdir = workdir
        self.ann, self.bob = centre.agent("ann"), centre.agent("bob")

    def channels(self, switch: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self.centre.switches[switch].api("show", "channels as json")).get(
            "rows", []
        )
        return found

    def dump(self, switch: str, channel: str) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.centre.switches[switch].api("uuid_dump", f"{channel} json"))
        return found

    def view(self, switch: str) -> Any:
        return next(each for each in self.centre.switch_views() if each.id == switch)

    def hears(self, switch: str, leg: str, hz: int) -> bool:
        """Whether this channel is sent a tone."""
        path = self.workdir / f"{time.monotonic_ns()}.wav"
        api = self.centre.switches[switch].api
        api("uuid_setvar", f"{leg} RECORD_STEREO true")
        gevent.sleep(0.2)
        assert api("uuid_record", f"{leg} start {path}").startswith("+OK")
        gevent.sleep(0.9)
        api("uuid_record", f"{leg} stop {path}")
        gevent.sleep(0.2)
        _, heard = read_stereo(path)
        return tone_share(heard[len(heard) // 4 : 3 * len(heard) // 4], hz) > 0.3

    def sent_to_phone(self, leg: str, hz: int) -> bool:
        """Whether the phone that a leg leads to is sent a tone, by what passes the switch that it is at."""
        ties = [tie.id for tie in self.centre._loop.engine.world.ties.values() if tie.leg == leg]
        phone = next(
            row["uuid"] for row in self.channels("south") if row["uuid"] in ties and row["direction"] == "outbound"
        )
        return self.hears("south", phone, hz)

    def pair(self, call: str) -> set[str]:
        known = self.centre._loop.engine.world
        legs = [known.connections.get(leg) for leg in known.interactions[call].pair or ()]
        return {leg.agent or leg.side.value for leg in legs if leg is not None}

    def until_pair(self, call: str, *names: str) -> None:
        self.until(f"{names} talk", lambda: self.pair(call) == set(names))

    def everything_is_over(self) -> None:
        self.until("no call is left", lambda: not self.centre._loop.engine.world.interactions)
        for switch in self.centre.switches:
            self.until(f"no channel is left at {switch}", lambda: not self.channels(switch))  # noqa: B023
        self.until("no tie is left", lambda: not self.centre._loop.engine.world.ties)
        self.nothing_is_wrong()


@pytest.fixture
def two(pair: Any, start_agents: Any, start_callers: Any, tmp_path: Path) -> Iterator[Two]:
    north, south = pair
    ann = start_agents(ring_s=0.05, tone=write_pcmu_tone(tmp_path / "ann.pcmu", ANN_HZ))
    bob = start_agents(ring_s=0.05, tone=write_pcmu_tone(tmp_path / "bob.pcmu", BOB_HZ))
    register(south, "1002", bob.port, tmp_path)
    centre = CallCenter(None, recordings=Recordings(str(tmp_path / "recordings")))
    for name, each in (("north", north), ("south", south)):
        centre.add_switch(
            name,
            each.address,
            each.password,
            sip=f"127.0.0.1:{each.peers_port}",
            lost_after_s=2,
        )
    for queue in ("ann", "bob"):
        centre.add_queue(queue, requires=queue, music="tone_stream://%(1000,0,250);loops=-1")
    centre.add_agent("ann", ann.contact("ann"), skills={"ann": 1}, switch="north").log_on(ready=True)
    centre.add_agent("bob", BOB, skills={"bob": 1}, switch="south").log_on(ready=True)
    centre.on_call("5001")(lambda call: call.queue("ann"))
    centre.on_call("5002")(lambda call: call.queue("bob", data={"policy": '47 "11"', "name": "王{a}"}))
    made = Two(centre, south, tmp_path)
    made.call = lambda number, **more: start_callers(  # type: ignore[attr-defined]
        number, hold_s=60, tone=write_pcmu_tone(tmp_path / "caller.pcmu", CALLER_HZ), **more
    )
    try:
        centre.start()
        made.until("both are ready", lambda: {made.state("ann"), made.state("bob")} == {AgentState.READY})
        yield made
    finally:
        centre.stop()
        for each in pair:
            each.kill_calls()


def register(switch: FreeSwitchProcess, user: str, contact_port: int, workdir: Path) -> None:
    port, media_port = free_ports(2, block=8)
    with SippRegistration(
        workdir / f"register-{port}",
        switch_port=switch.agents_port,
        user=user,
        domain=switch.domain,
        password=switch.agent_password,
        contact_port=contact_port,
        port=port,
        media_port=media_port,
    ) as registration:
        figures = registration.wait(20)
        assert figures.successful == 1, registration.describe()


def test_a_caller_at_one_and_an_agent_at_the_other(two):
    two.call("5002")
    talk = two.wait_for(events.Established, agent="bob")
    world = two.centre._loop.engine.world
    leg = world.connections[talk.connection]
    assert (leg.switch, leg.via) == ("north", "south")
    two.until("both halves of the tie are known", lambda: len(world.ties) == 2)
    assert {tie.leg for tie in world.ties.values()} == {talk.connection}
    assert {tie.interaction for tie in world.ties.values()} == {talk.interaction}
    two.until("they are what there is", lambda: {row["uuid"] for row in two.channels("south")} == set(world.ties))
    phone = next(row["uuid"] for row in two.channels("south") if row["direction"] == "outbound")
    dump = two.dump("south", phone)
    assert unquote(dump["variable_sip_h_X-CTI-Interaction"]) == talk.interaction
    assert json.loads(unquote(dump["variable_sip_h_X-CTI-Data"])) == {"policy": '47 "11"', "name": "王{a}"}
    assert unquote(dump["variable_cti_agent"]) == "bob"
    assert two.hears("north", world.interactions[talk.interaction].caller, BOB_HZ)
    assert two.hears("south", phone, CALLER_HZ)
    two.bob.hold()
    two.until("they are apart", lambda: two.pair(talk.interaction) == set())
    assert two.hears("north", world.interactions[talk.interaction].caller, 250), "no music"
    assert not two.hears("south", phone, CALLER_HZ)
    two.bob.retrieve()
    two.until_pair(talk.interaction, "bob", "caller")
    two.bob.consult(ToAgent("ann"))
    two.until_pair(talk.interaction, "ann", "bob")
    two.bob.transfer()
    two.until_pair(talk.interaction, "ann", "caller")
    two.until("bob is free", lambda: two.state("bob") is AgentState.READY)
    assert two.hears("north", world.interactions[talk.interaction].caller, ANN_HZ)
    two.until("no channel is left at south", lambda: not two.channels("south"))
    two.ann.consult(ToAgent("bob"))
    two.until_pair(talk.interaction, "ann", "bob")
    two.ann.conference()
    two.wait_for(events.Conferenced)
    members = two.centre.switch.api
    two.until(
        "three are in it",
        lambda: sum(";" in line for line in members("conference", f"{talk.interaction} list").splitlines()) == 3,
    )
    two.centre.hang_up(talk.interaction)
    two.everything_is_over()


def test_an_offer_to_the_other_switch_that_comes_to_nothing_says_why(two, start_agents, tmp_path):
    busy = start_agents(ring_s=0.05, rejects="486 Busy Here")
    silent = start_agents(answers=False)
    register(two.south, "1003", busy.port, tmp_path)
    register(two.south, "1005", silent.port, tmp_path)
    two.bob.not_ready("lunch")
    reasons = {"1003": "OFFHOOK", "1005": "RNA"}
    two.centre.add_queue("others", requires="others", ring_timeout_s=2)
    two.centre.on_call("5003")(lambda call: call.queue("others"))
    for user in reasons:
        two.centre.add_agent(user, f"user/{user}@cti.internal", skills={"others": 1}, switch="south")
    two.call("5003")
    ended = {}
    for user, reason in reasons.items():
        two.centre.agent(user).log_on(ready=True)
        ended[user] = two.wait_for(events.OfferEnded, agent=user)
        two.until(f"{user} is not ready", lambda: two.state(user) is AgentState.NOT_READY)  # noqa: B023
        assert two.centre.agent(user).view.reason == reason, ended[user]
        two.centre.agent(user).log_off()
    assert {user: e.outcome for user, e in ended.items()} == {
        "1003": "rejected",
        "1005": "timed out",
    }
    two.centre.add_agent("1004", "user/1004@cti.internal", skills={"others": 1}, switch="south")
    two.centre.agent("1004").log_on(ready=True)  # whose phone is not registered there, as that switch says
    two.until("1004 is not ready", lambda: two.centre.agent("1004").view.reason == "PHONE_DOWN")
    two.centre.agent("1004").log_off()
    (call,) = two.centre._loop.engine.world.interactions
    two.centre.hang_up(call)
    two.everything_is_over()


def test_a_contact_that_the_other_switch_does_not_dial_for_its_peers(two):
    two.centre.add_queue("others", requires="others")
    two.centre.on_call("5003")(lambda call: call.queue("others"))
    contact = "loopback/9000/agents"  # not of the form in peer_contacts
    two.centre.add_agent("eve", contact, skills={"others": 1}, switch="south").log_on(ready=True)
    two.call("5003")
    assert two.wait_for(events.OfferEnded, agent="eve").outcome in ("failed", "rejected")
    assert two.channels("south") == []
    two.centre.agent("eve").log_off()
    (call,) = two.centre._loop.engine.world.interactions
    two.centre.hang_up(call)
    two.everything_is_over()


def test_a_switch_is_drained_and_takes_calls_again(two):
    two.call("5001")
    talk = two.wait_for(events.Established, agent="ann")
    two.centre.drain_switch("north")
    refused = two.call("5001")
    assert refused.wait(30).failed == 1, refused.describe()
    assert two.view("north").draining
    assert not two.view("north").drained
    assert two.pair(talk.interaction) == {"ann", "caller"}
    two.ann.hang_up()
    two.wait_for(events.SystemStatus, switch="north", detail="drained")
    two.until("ann is away", lambda: two.state("ann") is AgentState.NOT_READY)
    assert two.state("bob") is AgentState.READY
    two.centre.undrain_switch("north")
    two.until("ann is back", lambda: two.state("ann") is AgentState.READY)
    two.call("5001")
    two.until("she has the next call", lambda: len(two.of(events.Established, agent="ann")) == 2)
    two.ann.hang_up()
    two.everything_is_over()


def test_one_of_the_two_is_killed(two, start_agents, tmp_path):
    """Its calls end, and no others; a caller of the other one whose agent's phone it had goes back to the queue."""
    two.call("5001")
    with_ann = two.wait_for(events.Established, agent="ann")
    two.call("5002")
    with_bob = two.wait_for(events.Established, agent="bob")
    two.until("both halves of the tie are known", lambda: len(two.centre._loop.engine.world.ties) == 2)
    port, media_port = free_ports(2, block=8)
    with SippCallers(
        CallerBehaviour(hold_s=60),
        tmp_path / "caller-at-south",
        switch_port=two.south.callers_port,
        number="5001",
        calls=1,
        rate=10,
        port=port,
        media_port=media_port,
    ):
        waiting = two.wait_for(events.Queued, switch="south")
        two.south.kill()
        two.wait_for(events.CallCleared, interaction=waiting.interaction, state="lost")
    world = two.centre._loop.engine.world
    assert two.of(events.ConnectionCleared, interaction=waiting.interaction)[0].cause is (
        Cause.SWITCHING_FUNCTION_TERMINATED
    )
    assert world.links["south"] is not LinkState.LIVE
    assert two.view("south").lost
    two.until("bob's caller waits", lambda: world.interactions[with_bob.interaction].state is InteractionState.QUEUED)
    two.until("bob is away", lambda: two.state("bob") is AgentState.NOT_READY)
    assert two.centre.agent("bob").view.reason == "PHONE_DOWN"
    assert two.pair(with_ann.interaction) == {"ann", "caller"}
    assert two.hears("north", world.interactions[with_ann.interaction].caller, ANN_HZ)
    assert two.hears("north", world.interactions[with_bob.interaction].caller, 250), "no music"
    two.south.start()
    two.wait_for(events.SystemStatus, switch="south", status="normal", detail="", timeout_s=40)
    two.until("bob has the call again", lambda: len(two.of(events.Established, agent="bob")) == 2, 40)
    two.until_pair(with_bob.interaction, "bob", "caller")
    assert two.hears("north", world.interactions[with_bob.interaction].caller, BOB_HZ)
    two.bob.hang_up()
    two.ann.hang_up()
    two.everything_is_over()


def test_our_process_is_started_again_with_a_call_between_the_two(two, pair, tmp_path):
    """The far halves of the call are nobody's new calls, and the pair is in the model again."""
    two.call("5002")
    talk = two.wait_for(events.Established, agent="bob")
    two.until("both halves of the tie are known", lambda: len(two.centre._loop.engine.world.ties) == 2)
    two.centre.stop()
    again = CallCenter(None)
    for name, each in zip(("north", "south"), pair, strict=True):
        again.add_switch(name, each.address, each.password, sip=f"127.0.0.1:{each.peers_port}")
    again.add_queue("bob", requires="bob")
    again.add_agent("bob", BOB, skills={"bob": 1}, switch="south").log_on(ready=True)
    watch = Two.__new__(Two)
    Watch.__init__(watch, again)
    try:
        again.start()
        world = again._loop.engine.world
        assert list(world.interactions) == [talk.interaction]
        watch.until("bob is busy", lambda: watch.state("bob") is AgentState.BUSY)
        assert {tie.leg for tie in world.ties.values()} == {talk.connection}
        assert world.connections[talk.connection].via == "south"
        again.hang_up(talk.interaction)
        watch.everything_is_over()
    finally:
        again.stop()


def test_a_call_between_the_two_is_recorded_and_supervised_from_the_other_one(two, start_agents, tmp_path):
    """Sue's phone is where Bob's is; the call, and so both of their legs, are at the other switch."""
    sue_phone = start_agents(ring_s=0.05, tone=write_pcmu_tone(tmp_path / "sue.pcmu", SUE_HZ))
    two.centre.add_agent("sue", sue_phone.contact("sue"), switch="south").log_on()
    two.centre.add_agent("bob", BOB, skills={"bob": 1}, switch="south", record="always")
    sue = two.centre.supervisor("sue")
    two.centre.subscribe(two.said.append, events.RecordingEvent)
    two.call("5002")
    talk = two.wait_for(events.Established, agent="bob")
    two.wait_for(events.RecordingStarted)
    sue.monitor("bob")
    two.until("she listens", lambda: two.of(events.Supervised) and two.of(events.Supervised)[-1].phase == "listening")
    (known,) = two.centre._loop.engine.world.supervisions.values()
    assert known.switch == "north"
    own = two.until(
        "the far half of her leg is known",
        lambda: [tie.id for tie in two.centre._loop.engine.world.ties.values() if tie.leg == known.leg],
    )[0]
    two.until("she hears the caller", lambda: two.hears("south", own, CALLER_HZ))
    assert not two.hears("north", talk.connection, SUE_HZ)
    sue.whisper()
    two.until("she whispers", lambda: two.of(events.Supervised)[-1].mode == "whisper")
    two.until("he hears her", lambda: two.sent_to_phone(talk.connection, SUE_HZ))
    sue.end()
    gevent.sleep(1)
    two.centre.hang_up(talk.interaction)
    ended = two.wait_for(events.RecordingEnded)
    left, right = read_stereo(Path(ended.path))
    assert tone_share(left, CALLER_HZ) > 0.3
    assert tone_share(right, BOB_HZ) > 0.3
    two.centre.agent("sue").log_off()
    two.everything_is_over()


class Relay:
    """What stands between the two switches: SIP over UDP, passed on while it is open."""

    def __init__(self, port: int, to: int) -> None:
        self.open = True
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self._to = ("127.0.0.1", to)
        self._back: tuple[str, int] | None = None
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        self._greenlet.kill()
        self._socket.close()

    def _run(self) -> None:
        while True:
            data, sender = self._socket.recvfrom(65536)
            if sender != self._to:
                self._back = sender
            target = self._to if sender != self._to else self._back
            if self.open and target is not None:
                self._socket.sendto(data, target)


def test_an_offer_that_does_not_get_through_is_taken_by_another_and_nobody_is_blamed(pair, start_agents, start_callers):
    north, south = pair
    here, there = start_agents(ring_s=0.05), start_agents(ring_s=0.05)
    (port,) = free_ports(1)
    relay = Relay(port, south.peers_port)
    relay.open = False
    centre = CallCenter(None)
    centre.add_switch("north", north.address, north.password, sip=f"127.0.0.1:{north.peers_port}")
    centre.add_switch("south", south.address, south.password, sip=f"127.0.0.1:{port}")
    centre.add_queue("sales", requires="sales")
    centre.on_call("5001")(lambda call: call.queue("sales"))
    bob = centre.add_agent(
        "bob", there.contact("bob"), skills={"sales": 2}, switch="south", phone_down_delay_s=4, wrap_up_s=0
    )
    eve = centre.add_agent("eve", here.contact("eve"), skills={"sales": 1}, switch="north", wrap_up_s=0)
    watch = Watch(centre)
    try:
        centre.start()
        bob.log_on(ready=True)
        start_callers("5001", hold_s=30)
        watch.wait_for(events.AgentReserved, agent="bob")
        eve.log_on(ready=True)
        ended = watch.wait_for(events.OfferEnded, agent="bob")
        assert (ended.outcome, ended.cause) == ("failed", Cause.NETWORK_OUT_OF_ORDER)
        assert centre.agent("bob").view.reason == "CONN_DOWN"
        watch.wait_for(events.Established, agent="eve")
        [way] = [each for each in centre.switch_views()[0].trunks if each.id == "tie:south"]
        assert way.state is DeviceState.OUT_OF_SERVICE
        relay.open = True
        watch.until("bob is ready again", lambda: watch.state("bob") is AgentState.READY)
        start_callers("5001", hold_s=30)
        watch.wait_for(events.Established, agent="bob")
        [way] = [each for each in centre.switch_views()[0].trunks if each.id == "tie:south"]
        assert way.state is DeviceState.IN_SERVICE
        assert watch.of(events.AgentNotReady, reason="RNA") == []
        for agent in (bob, eve):
            agent.hang_up()
        watch.until("nobody is left", lambda: centre.snapshot().calls == 0)
        watch.nothing_is_wrong()
    finally:
        centre.stop()
        relay.stop()
        for each in pair:
            each.kill_calls()


def test_an_agent_is_found_where_their_phone_registers(two, pair, start_agents, tmp_path):
    phone = start_agents(ring_s=0.05)
    two.centre.add_queue("others", requires="others")
    two.centre.on_call("5003")(lambda call: call.queue("others"))
    dora = two.centre.add_agent("dora", "user/1007@cti.internal", skills={"others": 1})
    dora.log_on(ready=True)
    two.until("she is not ready", lambda: dora.view.reason == "PHONE_DOWN")
    try:
        for n, (name, each) in enumerate((("south", pair[1]), ("north", pair[0])), 1):
            register(each, "1007", phone.port, tmp_path)
            two.until("she is ready", lambda: two.state("dora") is AgentState.READY)
            two.until("she is there", lambda: two.view(name).agents == 2)  # noqa: B023
            two.call("5003")
            two.until("they talk", lambda: len(two.of(events.Established, agent="dora")) == n)  # noqa: B023
            world = two.centre._loop.engine.world
            leg = world.connections[two.of(events.Established, agent="dora")[-1].connection]
            assert leg.via == ("south" if name == "south" else None)
            dora.hang_up()
            two.until("she is free", lambda: two.state("dora") is AgentState.READY)
    finally:
        for each in pair:
            with each.connect() as control:
                control.api("sofia profile agents flush_inbound_reg 1007@cti.internal")
    two.everything_is_over()

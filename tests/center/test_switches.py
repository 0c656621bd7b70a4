"""A centre on two simulated switches that call each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from cti import CallCenter, ToAgent, events
from cti.errors import ConfigurationError, ConnectFailed, UnknownSwitch
from cti.model.states import AgentState, DeviceState, InteractionState
from cti.sim import Behaviour, Caller, SimulatedSwitch, Trunk, connect
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer

from .bench import QUICK, Bench

NAMES = ("north", "south")


class Two(Bench):
    """Ann at the north switch, Bob at the south; queues of the same names; calls come in at ``north`` unless said."""

    def __init__(self, centre: CallCenter, switches: list[SimulatedSwitch], servers: list[SimServer]) -> None:
        super().__init__(centre, switches[0], servers[0])
        self.switches = dict(zip(NAMES, switches, strict=True))
        self.servers = dict(zip(NAMES, servers, strict=True))
        self.trunks: list[Trunk] = connect(*((each, f"192.0.2.{n}:5090") for n, each in enumerate(switches, 1)))

    def at(self, switch: str, name: str, behaviour: Behaviour = QUICK, **settings: Any) -> None:
        """An agent with a phone at one of the switches, ready as soon as it is there."""
        self.switches[switch].phones.add(f"user/{name}", behaviour)
        self.centre.add_agent(name, f"user/{name}", switch=switch, **settings).log_on(ready=True)

    def calls(self, number: str, switch: str = "north", **more: Any) -> Caller:
        return self.switches[switch].incoming(called_number=number, **more)

    def world(self) -> Any:
        return self.centre._loop.engine.world

    def state(self, agent: str) -> AgentState:
        return self.centre.agent(agent).view.state

    def no_channel_is_left(self) -> None:
        self.all_is_over()
        self.until("no channel is left", lambda: not any(each.channels for each in self.switches.values()))
        self.until("no tie is left", lambda: not self.world().ties)


@pytest.fixture
def two() -> Iterator[Two]:
    with ExitStack() as stack:
        switches = [SimulatedSwitch(GeventScheduler(), seed=n, hostname=name) for n, name in enumerate(NAMES)]
        servers = [SimServer(each) for each in switches]
        for server in servers:
            server.start()
            stack.callback(server.stop)
        centre = CallCenter(None)
        stack.callback(centre.stop)
        made = Two(centre, switches, servers)
        for n, (name, server) in enumerate(made.servers.items(), 1):
            host, port = server.address
            centre.add_switch(name, f"{host}:{port}", sip=f"192.0.2.{n}:5090", lost_after_s=0.3)
        for number, queue in (("5001", "ann"), ("5002", "bob")):
            centre.add_queue(queue, requires=queue)
            centre.on_call(number)(lambda call, queue=queue: call.queue(queue, data={"policy": "4711"}))
        made.at("north", "ann", skills={"ann": 1})
        made.at("south", "bob", skills={"bob": 1})
        yield made


def test_agents_are_ready_when_their_switch_is_there(two):
    assert {two.state("ann"), two.state("bob")} == {AgentState.NOT_READY}
    assert two.centre.agent("bob").view.reason == "PHONE_DOWN"
    two.centre.start()
    two.until("both are ready", lambda: {two.state("ann"), two.state("bob")} == {AgentState.READY})
    views = {view.id: view for view in two.centre.switch_views()}
    assert {view.link.value for view in views.values()} == {"live"}
    assert {view.agents for view in views.values()} == {1}


def test_a_call_from_one_to_the_other_and_back(two):
    two.centre.start()
    caller = two.calls("5002")
    talk = two.wait_for(events.Established, agent="bob")
    two.until("both halves of the tie are known", lambda: len(two.world().ties) == 2)
    phone = two.until(
        "his phone talks", lambda: [c for c in two.switches["south"].channels.values() if c.direction == "outbound"]
    )[0]
    assert phone.variable("cti_interaction") == talk.interaction
    assert phone.variable("sip_h_X-CTI-Data") == "%7B%22policy%22%3A%224711%22%7D"
    two.centre.agent("bob").consult(ToAgent("ann"))
    two.wait_for(events.Delivered, agent="ann")
    call = two.world().interactions[talk.interaction]
    two.until("ann has answered", lambda: call.talk.value == "consulting")
    two.centre.agent("bob").transfer()
    two.wait_for(events.Transferred)
    two.until("bob is free", lambda: two.state("bob") is AgentState.READY)
    two.until("south has no channel left", lambda: not two.switches["south"].channels)
    caller.hang_up()
    two.no_channel_is_left()


def test_the_caller_hangs_up_while_the_phone_at_the_other_switch_rings(two):
    two.switches["south"].phones.add("user/bob", Behaviour(ring_s=(0.001, 0.002), no_answer=1.0))
    two.centre.start()
    caller = two.calls("5002")
    two.wait_for(events.Delivered, agent="bob")
    caller.hang_up()
    two.until("bob is ready", lambda: two.state("bob") is AgentState.READY)
    two.no_channel_is_left()


def test_a_phone_that_is_busy_or_not_there_at_the_other_switch(two):
    two.switches["south"].phones.add("user/bob", Behaviour(busy=1.0, reject_s=(0.01, 0.02)))
    two.centre.start()
    caller = two.calls("5002")
    assert two.wait_for(events.OfferEnded, agent="bob").switch_cause == "USER_BUSY"
    two.until("he is not ready", lambda: two.centre.agent("bob").view.reason == "OFFHOOK")
    two.switches["south"].phones.add("user/bob", QUICK, registered=False)
    two.centre.agent("bob").ready()
    two.until("tried again", lambda: len(two.of(events.OfferEnded, agent="bob")) == 2)
    assert two.centre.agent("bob").view.reason == "PHONE_DOWN"
    caller.hang_up()
    two.no_channel_is_left()


def test_one_of_them_dies(two):
    two.centre.start()
    here, there = two.calls("5001"), two.calls("5002")
    talk = two.wait_for(events.Established, agent="bob")
    two.wait_for(events.Established, agent="ann")
    lost = two.calls("5001", "south")
    waits = two.wait_for(events.Queued, switch="south")
    two.servers["south"].stop()
    two.switches["south"].restart()  # nobody hears of it: its calls are gone
    two.wait_for(events.CallCleared, interaction=waits.interaction, state="lost")
    assert lost.ended
    call = two.world().interactions[talk.interaction]
    two.until("his caller waits", lambda: call.state is InteractionState.QUEUED)
    two.until("he is not ready", lambda: two.centre.agent("bob").view.reason == "PHONE_DOWN")
    assert two.state("ann") is AgentState.BUSY
    assert here.channel is not None
    assert here.channel.up
    assert two.centre.switch_views()[1].lost
    two.servers["south"].start()
    two.until("he has his caller again", lambda: len(two.of(events.Established, agent="bob")) == 2)
    for caller in (here, there):
        caller.hang_up()
    two.no_channel_is_left()


def test_nothing_gets_through_between_the_two(two):
    """The SIP network between them is cut, the links are not: what has ended at one side is ended at the other."""
    two.centre.start()
    caller = two.calls("5002")
    two.wait_for(events.Established, agent="bob")
    two.until("both halves of the tie are known", lambda: len(two.world().ties) == 2)
    for trunk in two.trunks:
        trunk.cut = True
    caller.hang_up()
    two.until("bob is free", lambda: two.state("bob") is AgentState.READY)
    assert two.switches["south"].channels, "it has not been told"
    two.no_channel_is_left()  # though nobody there has been told by SIP


def test_an_offer_that_does_not_get_through_goes_to_others_and_nobody_is_to_blame(two, monkeypatch):
    monkeypatch.setattr("cti.engine.tie_lines.WORD_S", 0.2)
    monkeypatch.setattr("cti.engine.tie_lines.DOWN_S", 0.2)
    two.centre.add_agent("bob", "user/bob", switch="south", skills={"bob": 1}, phone_down_delay_s=0.3)
    two.at("north", "eve", skills={"bob": 1})
    two.centre.start()
    two.until("both are ready", lambda: {two.state("bob"), two.state("eve")} == {AgentState.READY})
    two.centre.agent("eve").not_ready()
    for trunk in two.trunks:
        trunk.cut = True
    caller = two.calls("5002")
    two.wait_for(events.AgentReserved, agent="bob")
    two.centre.agent("eve").ready()
    ended = two.wait_for(events.OfferEnded, agent="bob")
    assert (ended.outcome, ended.cause.csta_name) == ("failed", "networkOutOfOrder")
    two.wait_for(events.Established, agent="eve")
    assert two.of(events.AgentNotReady, agent="bob", reason="RNA") == []
    [way] = two.centre.switch_views()[0].trunks
    assert (way.id, way.state) == ("tie:south", DeviceState.OUT_OF_SERVICE)
    for trunk in two.trunks:
        trunk.cut = False
    other = two.calls("5002")
    two.wait_for(events.Established, agent="bob")
    [way] = two.centre.switch_views()[0].trunks
    assert way.state is DeviceState.IN_SERVICE
    for each in (caller, other):
        each.hang_up()
    two.no_channel_is_left()


def test_an_agent_is_found_at_the_switch_where_their_phone_registers(two):
    """And at the other one, as soon as it has registered there."""
    phones = {name: two.switches[name].phones.add("user/dora", QUICK, registered=False) for name in NAMES}
    two.centre.add_queue("dora", requires="dora")
    two.centre.on_call("5003")(lambda call: call.queue("dora"))
    two.centre.add_agent("dora", "user/dora", skills={"dora": 1}).log_on(ready=True)
    two.centre.start()
    two.until("she is not ready", lambda: two.centre.agent("dora").view.reason == "PHONE_DOWN")
    for n, name in enumerate(("south", "north", "south"), 1):
        phones[name].register()
        two.until("she is there", lambda: two.world().home_of(two.world().agents["dora"]) == name)  # noqa: B023
        two.until("she is ready", lambda: two.state("dora") is AgentState.READY)
        caller = two.calls("5003")
        two.until("they talk", lambda: len(two.of(events.Established, agent="dora")) == n)  # noqa: B023
        assert phones[name].answers == (n + 1) // 2, name
        caller.hang_up()
        two.until("she is free", lambda: two.state("dora") is AgentState.READY)
        if name == "north":
            phones["north"].unregister()
        else:
            phones["south"].registered = False  # it is gone, and the switch there has not noticed
    two.no_channel_is_left()


def test_drained(two):
    two.centre.start()
    first = two.calls("5002", "south")
    two.wait_for(events.Established, agent="bob")
    two.centre.drain_switch("south")
    late = two.calls("5001", "south")
    two.until("it is refused", lambda: late.ended)
    assert two.of(events.Queued, switch="south", queue="ann") == []
    first.hang_up()
    two.wait_for(events.SystemStatus, switch="south", detail="drained")
    two.until("he is away", lambda: two.state("bob") is AgentState.NOT_READY)
    two.centre.undrain_switch("south")
    two.until("he is back", lambda: two.state("bob") is AgentState.READY)
    with pytest.raises(UnknownSwitch, match="south"):
        two.centre.drain_switch("sout")
    two.no_channel_is_left()


def test_the_centre_starts_without_one_of_them(two):
    two.servers["south"].stop()
    two.centre.start()
    two.until("ann is ready", lambda: two.state("ann") is AgentState.READY)
    assert two.state("bob") is AgentState.NOT_READY
    two.servers["south"].start()
    two.until("bob is ready", lambda: two.state("bob") is AgentState.READY)


def test_it_does_not_start_without_any(two):
    for server in two.servers.values():
        server.stop()
    with pytest.raises(ConnectFailed):
        two.centre.start()


def test_a_centre_needs_a_switch_and_each_has_a_name_of_its_own(two):
    with pytest.raises(ConfigurationError, match="add one by add_switch"):
        CallCenter(None).start()
    with pytest.raises(ConfigurationError, match="there is a switch 'north' already"):
        two.centre.add_switch("north", "127.0.0.1:8021")
    assert list(two.centre.switches) == ["north", "south"]
    assert two.centre.switch is two.centre.switches["north"]


def test_a_switch_is_added_while_the_centre_runs(two):
    two.centre.start()
    third = SimulatedSwitch(GeventScheduler(), seed=3, hostname="east")
    server = SimServer(third)
    server.start()
    try:
        host, port = server.address
        two.centre.add_switch("east", f"{host}:{port}", sip="192.0.2.3:5090")
        third.incoming(called_number="5001")
        assert two.wait_for(events.Offered).switch == "east"
    finally:
        server.stop()

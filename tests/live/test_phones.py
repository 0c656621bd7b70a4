"""Phones as they are, on a real FreeSWITCH: phones that register, leave and come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest

from cti import events
from cti.model.states import AgentState, DeviceState

from .freeswitch_process import FreeSwitchProcess
from .ports import free_ports
from .sipp import SippAgents, SippPhoneCalls, SippRegistration
from .test_line import Watch, centre_on, one_queue

pytestmark = pytest.mark.live

Register = Callable[..., None]


@pytest.fixture
def watch(switch: FreeSwitchProcess) -> Iterator[Watch]:
    with centre_on(switch) as made:
        made.centre.subscribe(made.said.append, events.DeviceEvent)
        yield made


@pytest.fixture
def register(switch: FreeSwitchProcess, tmp_path: Path) -> Iterator[Register]:
    """Register a user's phone at a SIPp process, or with ``expires_s=0`` take that back."""
    used: list[tuple[str, int]] = []

    def once(user: str, phones: SippAgents, *, expires_s: int = 600) -> None:
        port, media_port = free_ports(2, block=8)
        with SippRegistration(
            tmp_path / f"register-{port}",
            switch_port=switch.agents_port,
            user=user,
            domain=switch.domain,
            password=switch.agent_password,
            contact_port=phones.port,
            port=port,
            media_port=media_port,
            expires_s=expires_s,
        ) as registration:
            assert registration.wait(20).successful == 1, registration.describe()
        used.append((user, phones.port))

    yield once
    with switch.connect() as control:
        for user, _ in used:
            control.api(f"sofia profile agents flush_inbound_reg {user}@{switch.domain}")


def is_(watch: Watch, state: AgentState, why: str = "") -> Callable[[], bool]:
    return lambda: (watch.state("ann"), watch.centre.agent("ann").view.reason) == (state, why)


def test_whose_phone_is_not_registered_is_offered_nothing(watch, start_agents, start_callers, register):
    """Logged on before the phone registers; it leaves while a call waits, and comes back at another place."""
    phones = start_agents(ring_s=0.1)
    one_queue(watch, "user/1001")
    watch.until("not registered", is_(watch, AgentState.NOT_READY, "PHONE_DOWN"))
    start_callers("5000", hold_s=1.5)
    watch.wait_for(events.Queued)
    register("1001", phones)
    watch.wait_for(events.BackInService, agent="ann")
    watch.wait_for(events.Established, agent="ann")
    watch.wait_for(events.CallCleared)
    watch.until("ready again", is_(watch, AgentState.READY))
    register("1001", phones, expires_s=0)
    watch.until("it has left", is_(watch, AgentState.NOT_READY, "PHONE_DOWN"))
    start_callers("5000", hold_s=1.5)
    watch.until("another waits", lambda: len(watch.of(events.Queued)) == 2)
    elsewhere = start_agents(ring_s=0.1)
    register("1001", elsewhere)
    watch.until("both have been talked with", lambda: len(watch.of(events.Established)) == 2)
    watch.until("nobody is left", lambda: len(watch.of(events.CallCleared)) == 2)
    assert watch.of(events.OfferEnded) == [], "nobody's phone was tried in vain"
    watch.nothing_is_wrong()


def test_a_phone_that_leaves_while_it_rings_is_no_victim_of_rna(watch, start_agents, start_callers, register):
    phones = start_agents(answers=False)
    register("1001", phones)
    one_queue(watch, f"user/1001@{'cti.internal'}")
    start_callers("5000", hold_s=1.0)
    watch.wait_for(events.Delivered, agent="ann")
    register("1001", phones, expires_s=0)
    watch.until("not ready", is_(watch, AgentState.NOT_READY, "PHONE_DOWN"))
    assert watch.of(events.AgentNotReady, reason="RNA") == []
    assert watch.wait_for(events.OfferEnded).outcome == "cancelled"
    better = start_agents(ring_s=0.1)
    register("1001", better)
    watch.wait_for(events.Established, agent="ann")
    watch.wait_for(events.CallCleared)
    watch.nothing_is_wrong()


def test_an_expiry_and_a_reconnect(watch, switch, start_agents, register):
    """The switch forgets the registration; and what happens while we do not see it is found out."""
    phones = start_agents()
    register("1001", phones)
    one_queue(watch, "user/1001")
    watch.until("registered", lambda: watch.centre.agent("ann").view.device is DeviceState.IN_SERVICE)
    with switch.connect() as control:
        control.api(f"sofia profile agents flush_inbound_reg 1001@{switch.domain}")
    watch.until("expired", is_(watch, AgentState.NOT_READY, "PHONE_DOWN"))
    socket = watch.centre.switch._socket
    lost = len(watch.of(events.SystemStatus))
    for link in (socket._events, socket._commands):
        link.close()
    register("1001", phones)
    watch.until("the link is back", lambda: watch.of(events.SystemStatus)[lost:] and socket.connected)
    watch.until("registered again", is_(watch, AgentState.READY))
    watch.nothing_is_wrong()


def test_calls_past_the_centre_are_seen(  # noqa: PLR0917 - fixtures
    watch, switch, start_agents, start_callers, register, tmp_path
):
    """The phone is called by somebody else, then calls out itself; a caller waits meanwhile and is talked with after."""
    phones = start_agents(ring_s=0.1)
    register("1001", phones)
    watch.centre.on_call("5999")(lambda _: gevent.sleep(60))
    one_queue(watch, "user/1001")
    watch.until("registered", lambda: watch.centre.agent("ann").view.device is DeviceState.IN_SERVICE)
    with switch.connect() as control:
        control.command("bgapi originate {origination_uuid=own,origination_caller_id_number=0305678}user/1001 &park()")
        watch.wait_for(events.OwnCall, incoming=True, number="0305678", phase="talking")
        watch.until("in use", is_(watch, AgentState.NOT_READY, "NON_ACD_CALL"))
        start_callers("5000", hold_s=1.5)
        watch.wait_for(events.Queued)
        assert watch.of(events.AgentReserved) == []
        control.api("uuid_kill own")
    watch.wait_for(events.Established, agent="ann")
    watch.wait_for(events.CallCleared)
    watch.until("free", is_(watch, AgentState.READY))
    port, media_port = free_ports(2, block=8)
    with SippPhoneCalls(
        tmp_path / "own",
        switch_port=switch.agents_port,
        user="1001",
        domain=switch.domain,
        password=switch.agent_password,
        number="5999",
        port=port,
        media_port=media_port,
        hold_s=1.0,
        patience_s=1.0,
    ) as own:
        watch.wait_for(events.OwnCall, incoming=False, number="5999")
        watch.until("in use", is_(watch, AgentState.NOT_READY, "NON_ACD_CALL"))
        assert own.wait(20).successful == 1, own.describe()
    watch.until("free", is_(watch, AgentState.READY))
    watch.nothing_is_wrong()


def test_a_mobile_rings_after_the_phone_at_the_desk_and_a_mailbox_there_takes_no_call(
    watch, switch, start_agents, start_callers
):
    """Both ring; the mobile is answered, but counts only when the key has been pressed there."""
    desk, mobile = start_agents(answers=False), start_agents(ring_s=0.1)
    one_queue(watch, desk.contact("ann"), mobile=mobile.contact("mobile"), mobile_after_s=0.5)
    start_callers("5000", hold_s=1.5)
    with switch.connect() as control:
        control.subscribe("CHANNEL_ANSWER")
        answered = control.wait_event(lambda e: e.get("variable_cti_confirm") == "true", 20, "answer of the mobile")
        gevent.sleep(0.5)
        assert watch.of(events.Established) == []
        assert watch.state("ann") is AgentState.ALERTING
        leg = answered["Unique-ID"]

        # Once: what is pressed when the two talk would be heard at the other end.
        assert control.api(f"uuid_recv_dtmf {leg} 1").startswith("+OK")
        watch.wait_for(events.Established, connection=leg)
    watch.until("the desk was cancelled", lambda: desk.figures().successful == 1)
    watch.wait_for(events.CallCleared, state="cleared")
    watch.until("ready again", is_(watch, AgentState.READY))
    watch.nothing_is_wrong()


def test_a_phone_is_asked_to_answer_what_it_is_offered_by_itself(watch, start_agents, start_callers):
    phones = start_agents()
    one_queue(watch, phones.contact("ann"), auto_answer_offers=True, wrap_up_s=0)
    start_callers("5000", hold_s=0.5)
    watch.wait_for(events.CallCleared)
    watch.centre.add_agent("ann", phones.contact("ann"), skills={"sales": 3}, wrap_up_s=0)
    start_callers("5000", hold_s=0.5)
    watch.until("two have called", lambda: len(watch.of(events.CallCleared)) == 2)
    phones.stop()
    assert [" ".join(line.split()) for line in phones.log()] == [
        "invited <sip:cti>;answer-after=0",
        "invited",
    ]
    watch.nothing_is_wrong()

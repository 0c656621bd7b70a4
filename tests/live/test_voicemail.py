"""Voice messages on a real FreeSWITCH: left by SIP callers, heard by SIP agents."""

from __future__ import annotations

import hashlib
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from cti import CallCenter, Destination, ToMailbox, events
from cti.messages import Messages
from cti.messages.message_record import HEARD, NEW, RECORDING
from cti.model.callback_events import CallbackAnswered
from cti.model.cause import Cause
from cti.model.states import AgentState

from .audio import read_stereo, tone_share, write_pcmu_tone
from .freeswitch_process import FreeSwitchProcess
from .ports import free_ports
from .sipp import Sipp, SippRegistration, _fill
from .test_line import Watch
from .test_scripts import KeyCaller

pytestmark = pytest.mark.live

CALLER_HZ, AGENT_HZ, CUSTOMER_HZ = 700, 1100, 1700
BEEP = "tone_stream://%(100,0,880)"


@pytest.fixture
def watch(switch: FreeSwitchProcess, tmp_path: Path) -> Iterator[Watch]:
    centre = CallCenter(switch.address, switch.password, messages=Messages(str(tmp_path / "messages")))
    made = Watch(centre)
    try:
        yield made
    finally:
        centre.stop()


def samples_of(path: Path) -> list[int]:
    with wave.open(str(path), "rb") as opened:
        raw = opened.readframes(opened.getnframes())
    return [int.from_bytes(raw[at : at + 2], "little", signed=True) for at in range(0, len(raw), 2)]


def test_a_message_is_left_by_hanging_up_and_heard_by_an_agent(
    watch: Watch, start_agents: Any, start_callers: Any, tmp_path: Path
) -> None:
    centre = watch.centre
    centre.add_queue("claims", overflow_unstaffed=True, overflow=ToMailbox("claims"))
    centre.add_queue("messages", wrap_up_s=0.5)
    centre.add_mailbox("claims", queue="messages", greeting="tone_stream://%(300,0,500)", beep=BEEP, silence_s=0)
    centre.on_call("5*")(lambda call: call.queue("claims"))
    centre.start()
    start_callers("5000", hold_s=5, user="138", tone=write_pcmu_tone(tmp_path / "caller.pcmu", CALLER_HZ, level=0.3))
    delivered = watch.wait_for(events.MessageDelivered)
    (record,) = centre.messages("claims")
    assert (record.state, record.error) == (NEW, "")
    assert 2.5 < record.length_s < 5.5
    path = centre.message_file(record.id)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == record.sha256
    said = samples_of(path)
    assert tone_share(said[len(said) // 2 : len(said) // 2 + 4000], CALLER_HZ) > 0.8

    phone = start_agents(ring_s=0.1, tone=write_pcmu_tone(tmp_path / "agent.pcmu", AGENT_HZ, level=0.2))
    centre.add_agent("ann", phone.contact("ann")).log_on(ready=True)
    leg = watch.wait_for(events.Established, agent="ann").connection
    api = centre.switch.api
    api("uuid_setvar", f"{leg} RECORD_STEREO true")
    api("uuid_record", f"{leg} start {tmp_path / 'heard.wav'}")
    gevent.sleep(1.5)
    api("uuid_record", f"{leg} stop {tmp_path / 'heard.wav'}")
    assert watch.state("ann") is AgentState.BUSY
    watch.wait_for(events.CallCleared, interaction=delivered.interaction, timeout_s=40)
    sides = [side[-6000:] for side in read_stereo(tmp_path / "heard.wav")]
    assert max(tone_share(side, CALLER_HZ) for side in sides) > 0.8, "the agent did not hear the message"
    watch.until("the agent is ready again", lambda: watch.state("ann") is AgentState.READY)
    (after,) = centre.messages("claims")
    assert (after.state, after.heard_by) == (HEARD, "ann")
    assert centre.queue_view("messages").figures.answered == 1
    watch.nothing_is_wrong()


def test_whoever_left_a_message_is_called_back_by_the_agent_who_hears_it(
    switch: FreeSwitchProcess, start_agents: Any, start_callers: Any, tmp_path: Path
) -> None:
    """First in vain, then they talk: each hears the other, and nothing of the message any more."""
    customers = start_agents(ring_s=0.3, tone=write_pcmu_tone(tmp_path / "customer.pcmu", CUSTOMER_HZ, level=0.3))
    agents = start_agents(ring_s=0.1, tone=write_pcmu_tone(tmp_path / "agent.pcmu", AGENT_HZ, level=0.2))
    centre = CallCenter(
        switch.address,
        switch.password,
        messages=Messages(str(tmp_path / "messages")),
        allowed_destinations=(
            Destination("138", customers.contact("{number}")),
            Destination("5139", f"sofia/agents/{{number}}@127.0.0.1:{switch.callers_port}"),
        ),
    )
    watch = Watch(centre)
    centre.add_queue("messages", wrap_up_s=0.5)
    centre.add_mailbox("claims", queue="messages", beep=BEEP, silence_s=0)
    centre.on_call("5000")(lambda call: call.voicemail("claims"))
    centre.on_call("5139")(lambda call: call.hang_up(Cause.BUSY))
    try:
        centre.start()
        tone = write_pcmu_tone(tmp_path / "caller.pcmu", CALLER_HZ, level=0.3)
        start_callers("5000", hold_s=9, user="138", tone=tone)
        message = watch.wait_for(events.MessageDelivered, timeout_s=40)
        ann = centre.add_agent("ann", agents.contact("ann"))
        ann.log_on(ready=True)
        own = watch.wait_for(events.Established, agent="ann").connection
        gevent.sleep(1.0)
        ann.return_call("5139")
        watch.wait_for(
            events.ConnectionCleared, interaction=message.interaction, side="caller", switch_cause="USER_BUSY"
        )
        assert watch.state("ann") is AgentState.BUSY
        gevent.sleep(3.0)
        assert watch.state("ann") is AgentState.BUSY, "the message is over, though nobody was reached"
        ann.return_call()
        answered = watch.wait_for(CallbackAnswered)
        assert (answered.number, answered.interaction) == ("138", message.interaction)
        watch.wait_for(events.Established, interaction=message.interaction, interaction_kind="call")
        api = centre.switch.api
        gevent.sleep(0.5)
        api("uuid_setvar", f"{own} RECORD_STEREO true")
        api("uuid_record", f"{own} start {tmp_path / 'talk.wav'}")
        gevent.sleep(2.0)
        api("uuid_record", f"{own} stop {tmp_path / 'talk.wav'}")
        sides = [side[-8000:] for side in read_stereo(tmp_path / "talk.wav")]
        assert max(tone_share(side, CUSTOMER_HZ) for side in sides) > 0.8, "the agent does not hear the customer"
        assert max(tone_share(side, AGENT_HZ) for side in sides) > 0.8, "the customer does not hear the agent"
        assert max(tone_share(side, CALLER_HZ) for side in sides) < 0.1, "the message still plays"
        watch.until("it has been heard", lambda: centre.messages("claims")[0].state == HEARD)
        ann.hang_up()
        watch.wait_for(events.CallCleared, interaction=message.interaction)
        watch.until("the agent is ready again", lambda: watch.state("ann") is AgentState.READY)
        assert api("uuid_exists", answered.connection).strip() == "false"
        watch.nothing_is_wrong()
    finally:
        centre.stop()


def test_keys_end_a_message_and_begin_another(watch: Watch, switch: FreeSwitchProcess, tmp_path: Path) -> None:
    centre = watch.centre
    left = []
    centre.add_mailbox("claims", beep=BEEP, silence_s=0, min_s=0.3)

    @centre.on_call("5*")
    def script(call: Any) -> None:
        left.append(call.voicemail("claims"))

    centre.start()
    tone = write_pcmu_tone(tmp_path / "caller.pcmu", CALLER_HZ, level=0.3)  # who sends nothing leaves nothing
    steps: list[float | str] = [2.5, "*", 2.5, "#", 30.0]
    with KeyCaller(steps, tmp_path / "caller", switch_port=switch.callers_port, number="5000", info=True, tone=tone):
        watch.until("it has been left", lambda: left)
    assert left[0].kept
    assert left[0].length_s < 3.6, "the first attempt is in it"
    (record,) = centre.messages("claims")
    assert record.id == left[0].message


def test_silence_is_no_message(watch: Watch, switch: FreeSwitchProcess, tmp_path: Path) -> None:
    centre = watch.centre
    left = []
    centre.add_mailbox("claims", beep=BEEP, silence_s=1.0)

    @centre.on_call("5*")
    def script(call: Any) -> None:
        left.append(call.voicemail("claims"))

    centre.start()
    with KeyCaller([60.0], tmp_path / "caller", switch_port=switch.callers_port, number="5000", info=True):
        watch.until("it has ended", lambda: left)
    assert not left[0].kept
    assert centre.messages("claims") == []
    assert centre._messages.index.in_state(RECORDING) == []


class Lamp(Sipp):
    """A phone that keeps what it is told of its messages."""

    def __init__(self, workdir: Path) -> None:
        port, media_port = free_ports(2, block=8)
        self._folder = workdir
        arguments = ["-trace_logs", "-log_file", "told.txt"]
        super().__init__(_fill("lamp.xml"), arguments, workdir, port=port, media_port=media_port)

    def told(self) -> list[str]:
        """Each word of the switch, in order."""
        path = self._folder / "told.txt"
        return [line for line in path.read_text().splitlines() if "Messages-Waiting" in line] if path.exists() else []


def test_a_phone_shows_that_there_is_a_message(
    watch: Watch, switch: FreeSwitchProcess, start_callers: Any, tmp_path: Path
) -> None:
    centre = watch.centre
    centre.add_mailbox("ann", light=f"1001@{switch.domain}", beep=BEEP, silence_s=0)
    centre.on_call("5*")(lambda call: call.voicemail("ann"))
    centre.start()
    with Lamp(tmp_path / "lamp") as lamp:
        port, media_port = free_ports(2, block=8)
        registration = SippRegistration(
            tmp_path / "registration",
            switch_port=switch.agents_port,
            user="1001",
            domain=switch.domain,
            password=switch.agent_password,
            contact_port=lamp.port,
            port=port,
            media_port=media_port,
        )
        with registration:
            assert registration.wait(20).successful == 1, registration.describe()
        tone = write_pcmu_tone(tmp_path / "caller.pcmu", CALLER_HZ, level=0.3)
        start_callers("5000", hold_s=4, tone=tone)
        watch.until("there is a message", lambda: centre.messages("ann"), timeout_s=30)
        watch.until(
            "the lamp is on", lambda: any("waiting: yes" in each.lower() and "1/0" in each for each in lamp.told())
        )
        centre.mark_message(centre.messages("ann")[0].id)
        watch.until("the lamp is off", lambda: "waiting: no" in lamp.told()[-1].lower() and "0/1" in lamp.told()[-1])

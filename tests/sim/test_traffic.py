"""Callers and phones in numbers, in virtual time."""

from __future__ import annotations

import hashlib

import pytest

from cti.sim import Behaviour, SimulatedSwitch, Traffic, VirtualScheduler

from .client import EVENTS, Client


class Centre(Client):
    """The least a call centre can be: rings the next phone for each caller and bridges who answers."""

    def __init__(self, switch: SimulatedSwitch, phones: int) -> None:
        self._phones = phones
        self._next = 0
        self._callers: dict[str, str] = {}
        self.digest = hashlib.sha256()
        super().__init__(switch, events=EVENTS)

    def _got(self, data: bytes) -> None:
        self.digest.update(data)
        super()._got(data)
        event = self.heard.events[-1] if b"text/event-json" in data else {}
        if event.get("Event-Name") == "CHANNEL_PARK" and event["Call-Direction"] == "inbound":
            leg = f"leg-{self._next}"
            self._callers[leg] = event["Unique-ID"]
            dial = f"{{origination_uuid={leg},park_timeout=10}}user/{self._next % self._phones}@x &park()"
            self._next += 1
            self.write(f"api uuid_answer {event['Unique-ID']}\n\nbgapi originate {dial}\n\n".encode())
        elif event.get("Event-Name") == "CHANNEL_ANSWER" and event["Unique-ID"] in self._callers:
            leg = event["Unique-ID"]
            self.write(f"api uuid_bridge {self._callers[leg]} {leg}\n\n".encode())


def play(seed: int, traffic_seed: int = 5, calls: int = 60, **how) -> tuple[Centre, Traffic, SimulatedSwitch]:
    scheduler = VirtualScheduler()
    switch = SimulatedSwitch(scheduler, seed=seed)
    for number in range(20):
        switch.phones.add(f"user/{number}@x", Behaviour(busy=0.1, no_answer=0.1))
    centre = Centre(switch, 20)
    traffic = Traffic(switch, 2.0, seed=traffic_seed, limit=calls, **{"patience_s": 20.0, "handle_s": 10.0, **how})
    traffic.start()
    scheduler.run_until(400)
    return centre, traffic, switch


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    first, again, other = play(1), play(1), play(2)
    assert first[0].digest.hexdigest() == again[0].digest.hexdigest() != other[0].digest.hexdigest()
    assert first[1].counters == again[1].counters


def test_the_callers_books_balance_with_what_the_switch_says():
    centre, traffic, switch = play(1)
    counters = traffic.counters
    assert counters.offered == counters.ended == 60
    assert counters.connected + counters.abandoned + counters.turned_away == 60
    assert counters.connected == len(centre.events("CHANNEL_BRIDGE"))
    assert counters.connected > 30
    assert counters.abandoned > 3
    assert switch.channels == {}
    created, destroyed = (sorted(e["Unique-ID"] for e in centre.events(f"CHANNEL_{n}")) for n in ("CREATE", "DESTROY"))
    assert created == destroyed
    assert len(set(created)) == len(created)


def test_the_same_callers_come_whatever_the_centre_does():
    one, two = (
        [(e["Caller-Caller-ID-Number"], e["Event-Date-Timestamp"]) for e in centre.events("CHANNEL_CREATE")
         if e["Call-Direction"] == "inbound"]
        for centre in (play(1)[0], play(99, handle_s=10.0)[0])
    )  # fmt: skip
    assert one == two


def test_arrivals_come_at_the_rate_asked_for():
    scheduler = VirtualScheduler()
    switch = SimulatedSwitch(scheduler, heartbeat_s=0)
    traffic = Traffic(switch, 5.0, seed=1, patience_s=1.0)
    traffic.start()
    traffic.start()
    scheduler.run_until(400)
    assert 1880 < traffic.counters.offered < 2120  # Poisson: 2000, and 2.7 standard deviations
    traffic.stop()
    scheduler.run_until(500)
    assert traffic.counters.offered == traffic.counters.ended == traffic.counters.abandoned


def test_patient_callers_wait_and_agents_sides_may_end_the_talk():
    scheduler = VirtualScheduler()
    switch = SimulatedSwitch(scheduler, heartbeat_s=0)
    for number in range(20):
        switch.phones.add(f"user/{number}@x", Behaviour(talk_s=5.0))
    centre = Centre(switch, 20)
    traffic = Traffic(switch, 2.0, seed=1, limit=20, patience_s=0.01, impatient=0.0, handle_s=1.0, caller_hangs_up=0.0)
    traffic.start()
    scheduler.run_until(200)
    assert (traffic.counters.connected, traffic.counters.abandoned) == (20, 0)
    ended_by_agent = [
        e for e in centre.events("CHANNEL_HANGUP_COMPLETE") if e["variable_sip_hangup_disposition"] == "recv_bye"
    ]
    assert {e["Call-Direction"] for e in ended_by_agent} == {"outbound"}
    assert len(ended_by_agent) == 20


def test_a_restart_loses_the_calls_that_are_there():
    scheduler = VirtualScheduler()
    switch = SimulatedSwitch(scheduler, heartbeat_s=0)
    traffic = Traffic(switch, 2.0, seed=1, limit=10)
    traffic.start()
    scheduler.run_until(60)
    switch.restart()
    scheduler.run_until(120)
    assert (traffic.counters.offered, traffic.counters.lost, traffic.counters.ended) == (10, 10, 0)


def test_a_number_of_nobody_turns_callers_away():
    scheduler = VirtualScheduler()
    traffic = Traffic(SimulatedSwitch(scheduler), 2.0, numbers=["4711"], limit=3, patience_s=9.0)
    traffic.start()
    scheduler.run_until(60)
    assert (traffic.counters.turned_away, traffic.counters.ended, traffic.counters.abandoned) == (3, 3, 0)


def test_a_mix_of_behaviours_comes_out_in_its_proportions(switch, client):
    phone = switch.phones.add("user/1@x", Behaviour(busy=0.2, rejects=0.1, no_answer=0.3))
    for number in range(500):
        client.command(f"bgapi originate {{originate_timeout=10}}user/1@x &park()\nJob-UUID: {number}")
    client.run(30)
    results = [e["_body"].split()[1] for e in client.events("BACKGROUND_JOB")]
    shares = {cause: results.count(cause) / 500 for cause in ("USER_BUSY", "CALL_REJECTED", "NO_ANSWER")}
    assert shares == pytest.approx({"USER_BUSY": 0.2, "CALL_REJECTED": 0.1, "NO_ANSWER": 0.3}, abs=0.06)
    assert phone.offered == 500
    assert phone.answers + phone.rejections + phone.cancelled == 500


def test_chances_outside_0_to_1_are_refused():
    with pytest.raises(ValueError, match="busy"):
        Behaviour(busy=1.5)


def test_a_rule_makes_phones_as_they_are_called(switch, client):
    switch.phones.add_rule(r"sofia/agents/demo-phone-\d+@127\.0\.0\.1:5060", Behaviour(answer_s=(0.1, 0.1)))
    client.command("bgapi originate sofia/agents/demo-phone-1001@127.0.0.1:5060 &park()")
    client.run(1)
    assert client.events("CHANNEL_PARK")[0]["Channel-Name"] == "sofia/agents/demo-phone-1001@127.0.0.1:5060"
    assert [phone.contact for phone in switch.phones] == ["sofia/agents/demo-phone-1001@127.0.0.1:5060"]


def test_an_event_that_nobody_wants_is_never_built(switch, monkeypatch):
    silent = Client(switch)
    monkeypatch.setattr("cti.sim.channel.SimEvent", None)
    before = switch.bus.sequence
    switch.incoming(patience_s=1.0)
    silent.run(5)
    assert switch.channels == {}
    assert switch.bus.sequence > before + 10


def test_so_many_people_call_again_and_again():
    centre, *_ = play(1, callers=7)
    numbers = {
        e["Caller-Caller-ID-Number"] for e in centre.events("CHANNEL_CREATE") if e["Call-Direction"] == "inbound"
    }
    assert len(numbers) == 7

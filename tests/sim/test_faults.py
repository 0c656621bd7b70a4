"""What goes wrong in the switch and in phones: each fault, and that nothing changes while all are off."""

from __future__ import annotations

import pytest

from cti.sim import Behaviour, Faults, SimulatedSwitch, Traffic, VirtualScheduler

from .client import EVENTS, Client
from .test_traffic import Centre


@pytest.fixture
def caller(switch, client):
    """An answered caller, parked."""
    caller = switch.incoming()
    client.run(0.1)
    client.api(f"uuid_answer {caller.channel.uuid}")
    return caller


def leg(switch, client, name: str = "leg", *, seconds: float = 0.3) -> str:
    """An agent's leg, answered and parked unless its phone is set otherwise."""
    if switch.phones.find("user/1@x") is None:
        switch.phones.add("user/1@x", Behaviour(answer_s=(0.1, 0.1)))
    client.command(
        f"bgapi originate {{origination_uuid={name},hangup_after_bridge=true}}user/1@x &park()\nJob-UUID: job"
    )
    client.run(seconds)
    return name


# -- commands ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("uuid_answer {caller}", "-ERROR\n"),
        ("uuid_bridge {caller} leg", "-ERR Invalid uuid\n"),
        ("uuid_kill {caller}", "-ERR No such channel!\n"),
        ("uuid_hold {caller}", "-ERR Operation failed\n"),
        ("uuid_exists {caller}", "false"),
        ("originate user/1@x &park()", "-ERR DESTINATION_OUT_OF_ORDER\n"),
        ("version", "-ERR version Command not found!\n"),
    ],
)
def test_a_refused_command_says_what_freeswitch_says_and_does_nothing(switch, client, caller, command, answer):
    leg(switch, client)
    heard, channels = len(client.heard.events), dict(switch.channels)
    switch.faults = Faults(refused={"*": 1.0})
    assert client.api(command.format(caller=caller.channel.uuid)) == answer
    client.run(1)
    assert client.heard.events[heard:] == []
    assert switch.channels == channels
    assert switch.mishaps.counts == {"refused": 1}


def test_a_refusal_is_of_the_commands_it_names_and_as_frequent_as_asked(switch, client):
    switch.faults = Faults(refused={"echo": 0.25, "*": 0.0}, seed=3)
    answers = [client.api("echo x") for _ in range(400)]
    assert 70 < answers.count("-ERR echo Command not found!\n") < 130
    assert client.api("uptime") == "0\n"


def test_a_refused_job_reports_the_refusal(switch, client):
    switch.faults = Faults(refused={"originate": 1.0})
    leg(switch, client)
    assert client.job("job") == "-ERR DESTINATION_OUT_OF_ORDER\n"


def test_a_refused_sendmsg_is_not_carried_out(switch, client, caller):
    text = f"sendmsg {caller.channel.uuid}\ncall-command: hangup"
    switch.faults = Faults(refused={"sendmsg": 1.0})
    assert client.command(text) == "-ERR memory error"
    client.run(1)
    assert caller.channel.up
    switch.faults = Faults()
    assert client.command(text) == "+OK"
    client.run(1)
    assert not caller.channel.up


def test_a_command_that_is_never_answered_takes_its_connection_with_it(switch, client):
    other = Client(switch, events="CHANNEL_CREATE")
    switch.faults = Faults(unanswered={"uuid_answer": 1.0})
    uuid = switch.incoming().channel.uuid
    client.write(b"api uuid_answer %s\n\napi echo x\n\n" % uuid.encode())
    client.run(0.1)
    before = client.raw
    switch.incoming()
    client.run(3600)
    assert client.raw == before
    assert not switch.channels[uuid].answered
    assert len(other.names()) == 2
    assert other.api("echo x") == "x"


def test_a_job_that_is_never_answered_leaves_the_connection_alone(switch, client):
    switch.faults = Faults(unanswered={"originate": 1.0})
    leg(switch, client, seconds=100)
    assert client.events("BACKGROUND_JOB") == []
    assert client.api("uuid_exists leg") == "false"


def test_a_late_command_is_carried_out_at_once_and_answered_later(switch, client):
    uuid = switch.incoming().channel.uuid
    switch.faults = Faults(late={"uuid_answer": 1.0}, late_s=(2.0, 3.0))
    started = client.scheduler.now()
    client.write(b"api uuid_answer %s\n\n" % uuid.encode())
    assert switch.channels[uuid].answered
    client.write(b"api echo x\n\n")
    while client.heard.replies[-1] != "x":
        assert client.scheduler.run_next()
    assert client.heard.replies[-2:] == ["+OK\n", "x"]
    assert 2.0 <= client.scheduler.now() - started <= 3.0


def test_a_lost_job_is_acknowledged_and_never_begun(switch, client):
    switch.faults = Faults(jobs_lost=1.0)
    leg(switch, client, seconds=100)
    assert client.heard.replies[-1] == "+OK Job-UUID: job"
    assert (client.events("BACKGROUND_JOB"), switch.channels) == ([], {})


@pytest.mark.parametrize("wrong", [{"refused": {"x": 1.5}}, {"late": {"*": -0.1}}, {"jobs_lost": 2.0}])
def test_shares_outside_0_to_1_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Faults(**wrong)


# -- bridges -----------------------------------------------------------------------------------------------------------


def bridge_with(faults: Faults, *, keep: str = "") -> tuple[Client, str]:
    """Bridges a caller and a leg under these faults; the caller's uuid."""
    switch = SimulatedSwitch(VirtualScheduler(), seed=faults.seed, heartbeat_s=0)
    client = Client(switch, events=EVENTS)
    uuid = switch.incoming().channel.uuid
    client.run(0.1)
    client.api(f"uuid_answer {uuid}")
    leg(switch, client)
    if keep:
        client.api(f"uuid_setvar_multi {uuid} {keep}")
    client.heard.events.clear()
    switch.faults = faults
    assert client.api(f"uuid_bridge {uuid} leg") == "+OK leg\n"
    client.run(30)
    return client, uuid


def test_a_caller_who_goes_during_the_bridge_leaves_the_leg_in_cs_reset_for_ever():
    client, uuid = bridge_with(Faults(caller_leaves=1.0))
    assert client.events("CHANNEL_BRIDGE") == []
    assert client.names(uuid) == ["CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"]
    assert client.names("leg") == []
    assert client.switch.channels["leg"].state == "CS_RESET"
    client.run(86_400)
    assert client.api("uuid_exists leg") == "true"
    assert client.api("uuid_kill leg") == "+OK\n"
    client.run(1)
    assert client.switch.channels == {}


def test_an_agent_who_goes_during_the_bridge_takes_the_caller_along_in_both_ways_there_are():
    causes = set()
    for seed in range(20):
        client, uuid = bridge_with(Faults(agent_leaves=1.0, seed=seed))
        assert client.events("CHANNEL_BRIDGE") == []
        assert client.switch.channels == {}
        (hangup,) = client.events("CHANNEL_HANGUP", uuid)
        causes.add(hangup["Hangup-Cause"])
    assert causes == {"DESTINATION_OUT_OF_ORDER", "ORIGINATOR_CANCEL"}


def test_a_caller_who_is_to_be_kept_is_parked_again_in_both_ways_there_are():
    for seed in range(20):
        faults = Faults(agent_leaves=1.0, seed=seed)
        client, uuid = bridge_with(faults, keep="park_after_bridge=true;uuid_bridge_park_on_cancel=true")
        assert [*client.switch.channels] == [uuid]
        assert client.names(uuid) == ["CHANNEL_PARK"]


def test_faults_are_as_frequent_as_asked_and_the_same_again():
    def run(faults: Faults) -> tuple[dict, str]:
        scheduler = VirtualScheduler()
        switch = SimulatedSwitch(scheduler, seed=1, heartbeat_s=0)
        for number in range(20):
            switch.phones.add(f"user/{number}@x", Behaviour())
        switch.faults = faults
        centre = Centre(switch, 20)
        Traffic(switch, 2.0, seed=5, limit=60, patience_s=30.0, handle_s=5.0).start()
        scheduler.run_until(120)
        return dict(switch.mishaps.counts), centre.digest.hexdigest()

    faults = Faults(agent_leaves=0.3, refused={"uuid_answer": 0.3}, seed=4)
    first, again, other = run(faults), run(faults), run(Faults(agent_leaves=0.3, refused={"uuid_answer": 0.3}, seed=5))
    assert first == again
    assert first[1] != other[1]
    assert 5 < first[0]["agent_leaves"] < 30
    assert 8 < first[0]["refused"] < 30


def test_faults_that_are_taken_back_leave_the_chances_of_everything_else_as_they_were(switch):
    def uuids(faults: Faults) -> list[str]:
        switch = SimulatedSwitch(VirtualScheduler(), seed=7, heartbeat_s=0)
        client = Client(switch)
        switch.faults = faults
        client.api("version")
        switch.faults = Faults()
        assert switch.mishaps is None
        return [switch.new_uuid() for _ in range(3)]

    assert switch.faults == Faults()
    assert uuids(Faults(refused={"*": 0.5}, late={"*": 0.5}, events_lost=0.5)) == uuids(Faults())


# -- events ------------------------------------------------------------------------------------------------------------


def test_a_full_queue_loses_events_and_goes_on_when_there_is_room(switch):
    client, other = (Client(switch, events="CHANNEL_CREATE") for _ in range(2))
    switch.event_queue = 10
    client.session.stall()
    for _ in range(30):
        switch.incoming()
    client.run(1)
    assert (client.names(), len(other.names()), client.session.lost_events) == ([], 30, 20)
    client.session.go_on()
    assert len(client.names()) == 10
    switch.incoming()
    client.run(1)
    assert len(client.names()) == 11
    assert client.session.lost_events == 20


def test_after_501_lost_events_in_a_row_the_connection_is_ended(switch):
    client = Client(switch, events="CHANNEL_CREATE")
    switch.event_queue = 1
    client.session.stall()
    for _ in range(501):
        switch.incoming(called_number="1")
    assert not client.closed_by_switch
    switch.incoming(called_number="1")
    assert client.closed_by_switch
    assert client.raw.endswith(
        b"Content-Type: text/disconnect-notice\nContent-Length: 39\n\nkilled listener because of lost events\n"
    )
    assert client.session not in switch.sessions


def test_a_stalled_client_gets_its_answer_when_it_reads_again(switch, client):
    client.session.stall()
    client.write(b"api echo x\n\n")
    client.run(1)
    assert client.heard.replies[-1] != "x"
    client.session.go_on()
    assert client.heard.replies[-1] == "x"


def test_events_are_lost_by_chance_and_only_those(switch):
    client = Client(switch, events="CHANNEL_CREATE")
    switch.faults = Faults(events_lost=0.3, seed=2)
    for _ in range(300):
        switch.incoming(called_number="1")
    client.run(1)
    assert 60 < client.session.lost_events < 120
    assert len(client.names()) == 300 - client.session.lost_events == 300 - switch.mishaps.counts["events_lost"]
    assert client.api("echo x") == "x"


# -- phones ------------------------------------------------------------------------------------------------------------


def test_a_phone_that_never_rings_ends_with_the_invites_own_timer(switch, client):
    phone = switch.phones.add("user/1@x", Behaviour(never_rings=1.0))
    client.command("event json CHANNEL_PROGRESS")
    leg(switch, client, seconds=40)
    assert client.names("leg") == ["CHANNEL_CREATE", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"]
    assert client.job("job") == "-ERR RECOVERY_ON_TIMER_EXPIRE\n"
    assert (phone.offered, phone.answers) == (1, 0)


def test_a_phone_that_drops_what_it_answers_never_parks(switch, client):
    phone = switch.phones.add("user/1@x", Behaviour(drops=1.0))
    leg(switch, client, seconds=10)
    names = client.names("leg")
    assert names == [f"CHANNEL_{n}" for n in ("CREATE", "ANSWER", "HANGUP", "HANGUP_COMPLETE", "DESTROY")]
    assert client.job("job") == "-ERR NORMAL_CLEARING\n"
    assert phone.answers == 1


def test_a_phone_that_vanishes_stays_until_its_sound_is_missed(switch, client, caller):
    switch.phones.add("user/1@x", Behaviour(vanishes=1.0, answer_s=(0.1, 0.1), talk_s=1.0))
    leg(switch, client)
    client.api(f"uuid_bridge {caller.channel.uuid} leg")
    client.run(250)
    assert "CHANNEL_HANGUP" not in client.names("leg")
    client.run(60)
    (hangup,) = client.events("CHANNEL_HANGUP", "leg")
    assert hangup["Hangup-Cause"] == "MEDIA_TIMEOUT"
    assert switch.channels == {}


def test_without_a_media_timeout_a_vanished_phone_stays_until_it_is_killed(switch, client):
    switch.media_timeout_s = None
    phone = switch.phones.add("user/1@x", Behaviour(answer_s=(0.1, 0.1)))
    leg(switch, client)
    phone.vanish(switch.channels["leg"])
    client.run(86_400)
    assert client.api("uuid_kill leg") == "+OK\n"
    client.run(1)
    assert switch.channels == {}


def test_a_phone_that_vanishes_while_it_rings_does_not_answer(switch, client):
    phone = switch.phones.add("user/1@x", Behaviour(answer_s=(1.0, 1.0)))
    leg(switch, client, seconds=0.5)
    phone.vanish(switch.channels["leg"])
    client.run(100)
    assert client.job("job") == "-ERR NO_ANSWER\n"
    assert phone.answers == 0


def test_the_odd_phones_come_in_their_proportions_and_leave_the_others_as_they_were(switch, client):
    switch.phones.add("user/1@x", Behaviour(busy=0.1, never_rings=0.2, drops=0.2))
    for number in range(400):
        client.command(f"bgapi originate {{origination_uuid=l{number}}}user/1@x &park()\nJob-UUID: {number}")
    client.run(50)
    results = [e["_body"].split()[1] for e in client.events("BACKGROUND_JOB")]
    shares = {one: results.count(one) / 400 for one in ("USER_BUSY", "RECOVERY_ON_TIMER_EXPIRE", "NORMAL_CLEARING")}
    wanted = {"USER_BUSY": 0.1, "RECOVERY_ON_TIMER_EXPIRE": 0.2, "NORMAL_CLEARING": 0.2}
    assert shares == pytest.approx(wanted, abs=0.07)
    assert len(switch.channels) == 400 * (1 - sum(shares.values()))

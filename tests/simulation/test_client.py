"""The virtual link and the adapter on it: the same facts as over a socket, deadlines, loss and return, in virtual time."""

from __future__ import annotations

import random

import pytest

from cti.errors import CommandTimeout, LinkClosed, RemoteProtocolError
from cti.esl import Api, Auth
from cti.model import facts, intents
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, ReservationId, SwitchId
from cti.model.trunk_facts import TrunksListed
from cti.sim import Behaviour, SimulatedSwitch, VirtualScheduler
from cti.simulation.client import VirtualFreeSwitch
from cti.simulation.faults import FaultProfile
from cti.simulation.link import VirtualLink
from cti.simulation.trouble import Trouble

FS = SwitchId("fs")
UP = [facts.LinkConnecting, facts.LinkAuthenticated, facts.SnapshotTaken]


class Bench:
    def __init__(self, profile=None):
        self.scheduler = VirtualScheduler()
        self.switch = SimulatedSwitch(self.scheduler, seed=1, heartbeat_s=0)
        self.told = []
        trouble = Trouble(profile, self.scheduler, 1) if profile is not None else None
        self.client = VirtualFreeSwitch(
            self.switch, on_fact=self.fact, switch_id=FS, chance=random.Random(1), trouble=trouble
        )

    def fact(self, fact):
        if not isinstance(fact, TrunksListed):  # comes with the answer to a question, soon after the snapshot
            self.told.append(fact)

    def kinds(self):
        return [type(fact) for fact in self.told]

    def up(self):
        self.client.start()
        self.scheduler.run_for(1.0)
        assert self.client.live
        self.told.clear()
        return self


@pytest.fixture
def bench():
    return Bench()


def offer(contact="user/1001"):
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


# -- the adapter ------------------------------------------------------------------------------------------------------


def test_it_starts_with_a_snapshot_of_who_is_there(bench):
    bench.switch.incoming(called_number="5000")
    bench.client.start()
    bench.scheduler.run_for(1.0)
    assert bench.kinds() == UP
    [channel] = bench.told[-1].channels
    assert channel.called_number == "5000"
    assert not bench.told[-1].restarted


def test_what_happens_during_the_snapshot_is_told_after_it(bench):
    bench.client.start()
    bench.scheduler.run_for(0.1)
    assert bench.kinds() == UP[:2]
    bench.switch.incoming(called_number="5000")
    bench.scheduler.run_for(1.0)
    assert bench.kinds() == [*UP, facts.Offered]


def test_an_offer_is_told_from_ringing_to_the_answer(bench):
    bench.up().switch.phones.add("user/1001", Behaviour(answer_s=(1.0, 1.0)))
    bench.client.execute(offer())
    bench.scheduler.run_for(3.0)
    assert bench.kinds() == [facts.Originated, facts.Delivered, facts.Established]
    assert bench.told[-1].parked, "what it is told before it is in our hands would be lost"


def test_an_offer_to_nobody_fails_once(bench):
    bench.up().client.execute(offer("user/unknown"))
    bench.scheduler.run_for(60.0)
    assert [(type(f), f.connection) for f in bench.told] == [(facts.Failed, "leg-1")]


def test_a_connection_that_is_gone_is_told(bench):
    bench.up().client.execute(intents.CheckConnection(FS, ConnectionId("gone")))
    assert bench.kinds() == [facts.ConnectionCleared]
    assert bench.told[0].cause is Cause.SWITCHING_FUNCTION_TERMINATED


def test_it_comes_back_after_a_cut_and_knows_a_restart_from_it(bench):
    bench.up().switch.drop_links()
    bench.scheduler.run_for(5.0)
    assert bench.kinds() == [facts.LinkLost, *UP]
    assert not bench.told[-1].restarted
    bench.told.clear()
    bench.switch.restart()
    bench.scheduler.run_for(5.0)
    assert bench.kinds() == [facts.LinkLost, *UP]
    assert bench.told[-1].restarted


def test_a_switch_that_cannot_be_reached_is_tried_again_and_again(bench):
    bench.up().client.cut(30.0)
    bench.client.execute(offer())  # without a link nothing happens
    bench.scheduler.run_for(29.0)
    assert not bench.client.live
    assert bench.kinds()[:3] == [facts.LinkLost, facts.LinkConnecting, facts.LinkLost]
    assert 4 < bench.kinds().count(facts.LinkConnecting) < 12
    bench.scheduler.run_for(15.0)
    assert bench.client.live
    assert bench.kinds()[-3:] == UP


def test_a_cut_during_the_snapshot_begins_anew(bench):
    bench.client.start()
    bench.scheduler.run_for(0.1)
    bench.switch.drop_links()
    bench.scheduler.run_for(5.0)
    assert bench.kinds() == [*UP[:2], facts.LinkLost, *UP]


@pytest.mark.parametrize("trouble", ["refuse_logins", "reject_connections", "silent"])
def test_a_switch_that_does_not_let_us_in_is_tried_again(bench, trouble):
    setattr(bench.switch, trouble, True)
    bench.client.start()
    bench.scheduler.run_for(20.0)
    assert set(bench.kinds()) == {facts.LinkConnecting, facts.LinkLost}
    setattr(bench.switch, trouble, False)
    bench.scheduler.run_for(20.0)
    assert bench.client.live


def test_it_stays_away_when_stopped(bench):
    bench.up().client.stop()
    bench.scheduler.run_for(60.0)
    assert bench.kinds() == [facts.LinkLost]
    assert bench.switch.sessions == []


# -- faults -----------------------------------------------------------------------------------------------------------


def test_a_refused_offer_fails_and_a_lost_job_does_not_say_so():
    refused = Bench(FaultProfile(commands_refused=1.0)).up()
    refused.client.execute(offer())
    refused.client.execute(intents.Bridge(FS, ConnectionId("a"), ConnectionId("b")))
    refused.scheduler.run_for(1.0)
    assert refused.kinds() == [facts.Failed, facts.BridgeFailed]
    lost = Bench(FaultProfile(jobs_lost=1.0)).up()
    lost.switch.phones.add("user/1001")
    lost.client.execute(offer())
    lost.scheduler.run_for(100.0)
    assert lost.told == []
    assert lost.switch.channels == {}


def test_a_command_that_is_never_answered_costs_the_link():
    bench = Bench(FaultProfile(unanswered_every_s=0.001)).up()
    bench.client._trouble.start(switches=(), drop=None, restart=None, phones={})
    bench.scheduler.run_for(1.0)
    bench.client.execute(intents.CheckConnection(FS, ConnectionId("gone")))
    bench.scheduler.run_for(9.0)
    assert bench.told == []
    bench.scheduler.run_for(6.0)
    assert bench.kinds() == [facts.LinkLost, *UP]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (FaultProfile(events_lost=1.0), []),
        (FaultProfile(events_doubled=1.0), [facts.Offered, facts.Offered]),
        (FaultProfile(events_late=1.0, late_s=2.0), [facts.Offered]),
        (FaultProfile(events_swapped=1.0), [facts.Offered]),
    ],
)
def test_what_becomes_of_an_event(profile, expected):
    bench = Bench(profile).up()
    bench.switch.incoming(called_number="5000")
    bench.scheduler.run_for(2.0)
    assert bench.kinds() == expected


def test_a_late_event_of_a_lost_link_never_comes():
    bench = Bench(FaultProfile(events_late=1.0, late_s=2.0)).up()
    bench.switch.incoming(called_number="5000", patience_s=0.01)
    bench.scheduler.run_for(0.02)
    bench.client.cut(3.0)
    bench.scheduler.run_for(20.0)
    assert facts.Offered not in bench.kinds()
    assert bench.kinds()[-3:] == UP


def test_a_swapped_event_comes_after_the_next_one():
    came = []
    trouble = Trouble(FaultProfile(events_swapped=0.5), VirtualScheduler(), 1)
    for number in range(40):
        trouble.pass_on(number, came.append)
    assert came != sorted(came)
    assert trouble.counts["events swapped"] > 5
    assert set(came) | set(trouble._later) == set(range(40))


# -- the link ---------------------------------------------------------------------------------------------------------


class Line:
    def __init__(self):
        self.scheduler = VirtualScheduler()
        self.switch = SimulatedSwitch(self.scheduler, seed=1, heartbeat_s=0)
        self.session = self.switch.connect()
        self.greeted, self.closed, self.replies = [], [], []
        self.link = VirtualLink(
            self.session,
            self.scheduler,
            on_greeting=self.greeted.append,
            on_event=lambda _: None,
            on_closed=self.closed.append,
            trouble=None,
            connect_timeout_s=5.0,
        )
        self.scheduler.run_for(0.1)

    def ask(self, command):
        self.link.submit(command, self.replies.append)


def test_replies_come_in_order():
    line = Line()
    assert line.greeted == ["auth/request"]
    for command in (Auth("ClueCon"), Api("echo one"), Api("echo two")):
        line.ask(command)
    assert [reply.reply_text for reply in line.replies] == ["+OK accepted", "one", "two"]


def test_a_command_that_is_not_answered_in_time_ends_the_link_and_all_who_wait():
    line = Line()
    line.ask(Auth("ClueCon"))
    line.link.stuck = True
    line.ask(Api("one"))
    line.scheduler.run_for(5.0)
    line.ask(Api("two"))
    assert line.closed == []
    line.scheduler.run_for(5.0)
    assert [type(error) for error in line.closed] == [CommandTimeout]
    assert line.replies[1:] == [line.closed[0]] * 2
    line.ask(Api("three"))
    assert line.replies[-1] is line.closed[0]


def test_an_answer_nobody_asked_for_ends_the_link():
    line = Line()
    line.session.on_send(b"Content-Type: command/reply\nReply-Text: +OK\n\n")
    assert isinstance(line.link.closed_by, RemoteProtocolError)
    assert line.session.closed


def test_a_wrong_password_ends_the_link():
    line = Line()
    line.ask(Auth("wrong"))
    assert line.replies[0].reply_text == "-ERR invalid"
    assert isinstance(line.link.closed_by, LinkClosed)

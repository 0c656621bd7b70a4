"""The adapter's translation without any link: what is held back, what a refusal means."""

from __future__ import annotations

import pytest

from cti.errors import LinkClosed
from cti.esl import Event, Frame
from cti.model import facts, intents
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, ReservationId, SwitchId
from cti.switch.awaited import Awaited
from cti.switch.translator import Translator

FS = SwitchId("fs")


class Timers:
    """Deadlines that pass when told to."""

    def __init__(self):
        self.running = []

    def __call__(self, after_s, fn):
        timer = Timer(self, after_s, fn)
        self.running.append(timer)
        return timer


class Timer:
    def __init__(self, timers, after_s, fn):
        self.timers, self.after_s, self.fn = timers, after_s, fn

    def cancel(self):
        if self in self.timers.running:
            self.timers.running.remove(self)


class Bench:
    def __init__(self):
        self.told, self.sent, self.timers = [], [], Timers()
        self.awaited = Awaited(self.timers)
        self.translator = Translator(
            FS,
            "cti",
            submit=lambda command, answer: self.sent.append((command, answer)),
            awaited=self.awaited,
            on_fact=self.told.append,
        )

    def answer(self, text):
        _, answer = self.sent[-1]
        answer(Frame("command/reply", f"Reply-Text: {text}".encode()) if isinstance(text, str) else text)


@pytest.fixture
def bench():
    return Bench()


def event(name, **headers):
    pairs = {"Event-Name": name, "Unique-ID": "leg", "variable_cti_node": "cti", **headers}
    return Event([(key.replace("_ID", "-ID") if key == "Unique_ID" else key, value) for key, value in pairs.items()])


OFFER = intents.OfferCall(
    switch=FS,
    leg=ConnectionId("leg"),
    contact="user/1001",
    ring_timeout_s=5,
    interaction=InteractionId("i"),
    agent=AgentId("a"),
    queue=QueueId("q"),
    reservation=ReservationId("r"),
    calling_number="0301234",
    calling_name="Ada",
    called_number="5000",
)
BRIDGE = intents.Bridge(FS, ConnectionId("caller"), ConnectionId("leg"))


def test_an_event_of_ours_is_told_and_no_other(bench):
    assert bench.translator.take(event("CHANNEL_HOLD"))
    assert not bench.translator.take(event("CHANNEL_HOLD", variable_cti_node="another"))
    assert not bench.translator.take(event("CHANNEL_STATE"))
    assert bench.told == [facts.Held(FS, ConnectionId("leg"))]


def test_what_comes_before_the_snapshot_is_told_after_it(bench):
    bench.translator.connecting()
    bench.translator.authenticated()
    bench.translator.take(event("CHANNEL_HOLD"))
    assert [type(fact) for fact in bench.told] == [facts.LinkConnecting, facts.LinkAuthenticated]
    bench.translator.snapshot_taken([], restarted=True)
    assert bench.told[2:] == [facts.SnapshotTaken(FS, (), True), facts.Held(FS, ConnectionId("leg"))]


def test_what_was_held_back_is_forgotten_with_the_link(bench):
    bench.translator.connecting()
    bench.translator.take(event("CHANNEL_HOLD"))
    bench.translator.lost()
    bench.translator.snapshot_taken([], restarted=False)
    assert [type(fact) for fact in bench.told] == [facts.LinkConnecting, facts.LinkLost, facts.SnapshotTaken]


@pytest.mark.parametrize(
    ("body", "told"),
    [("+OK leg\n", []), ("-ERR USER_BUSY\n", [facts.Failed(FS, ConnectionId("leg"), Cause.BUSY, "USER_BUSY")])],
)
def test_the_job_of_an_offer_tells_its_failure(bench, body, told):
    assert bench.translator.execute(OFFER)
    bench.answer("+OK Job-UUID: leg")
    assert bench.awaited.came("leg", Event([("Event-Name", "BACKGROUND_JOB")], body))
    assert bench.told == told
    assert bench.timers.running == []


def test_a_channel_that_exists_is_not_awaited_any_more(bench):
    bench.translator.execute(OFFER)
    assert len(bench.awaited) == len(bench.timers.running) == 1
    bench.translator.take(event("CHANNEL_CREATE", variable_cti_reservation="r"))
    assert len(bench.awaited) == len(bench.timers.running) == 0


def test_a_job_that_never_reports_ends_with_its_time(bench):
    bench.translator.execute(OFFER)
    [timer] = bench.timers.running
    assert timer.after_s == 20.0
    timer.fn()
    assert len(bench.awaited) == 0
    assert bench.told == []


@pytest.mark.parametrize(
    ("intent", "reply", "told"),
    [
        (OFFER, "-ERR no", facts.Failed(FS, ConnectionId("leg"), Cause.DEST_NOT_OBTAINABLE, "-ERR no")),
        (
            BRIDGE,
            "-ERR Invalid uuid",
            facts.BridgeFailed(FS, ConnectionId("caller"), ConnectionId("leg"), "-ERR Invalid uuid"),
        ),
        (BRIDGE, "+OK", None),
        (BRIDGE, LinkClosed("gone"), None),
        (intents.ClearConnection(FS, ConnectionId("leg"), Cause.BUSY), "-ERR No such channel!", None),
        (
            intents.CheckConnection(FS, ConnectionId("leg")),
            "false",
            facts.ConnectionCleared(FS, ConnectionId("leg"), Cause.SWITCHING_FUNCTION_TERMINATED, "NOT_THERE_ANY_MORE"),
        ),
        (intents.CheckConnection(FS, ConnectionId("leg")), "true", None),
    ],
)
def test_what_a_reply_means(bench, intent, reply, told):
    bench.translator.execute(intent)
    bench.answer(reply)
    assert bench.told == ([told] if told is not None else [])


def test_what_cannot_be_written_is_refused_at_once(bench):
    bench.translator.execute(intents.DivertConnection(FS, ConnectionId("leg"), "two words"))
    assert bench.sent == []
    assert bench.told == []

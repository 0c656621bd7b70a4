"""A snapshot taken anywhere, restored, goes on exactly as the engine would have."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from cti import CallCenter
from cti.engine.invariants import broken
from cti.model import device_facts, facts, services
from cti.model.ids import AgentId, ConnectionId, DeviceId, QueueId
from cti.model.interaction import InteractionKind
from cti.model.overflow import ToQueue
from cti.model.personal import LastAgent
from cti.model.recording import RecordingSettings
from cti.model.widening import Widening
from cti.routing import SkillRouter
from cti.store import Codec
from cti.store.plain import packer, unpack
from cti.store.snapshot import restore, take, uncovered
from tests.engine.agents_day import agents_day
from tests.engine.calling_back import CallingBack
from tests.engine.story import FS, Story
from tests.engine.test_messages import leave
from tests.store.recording import a_day

from .recording import SEED, an_engine, tell


def restored(engine, chance, again=None, router=SkillRouter):
    """Through bytes, as from a file; ``again`` is what the copy draws from."""
    picture, lost = take(engine, Codec(), chance)
    assert not lost
    written = packer().pack(picture)
    again = again or random.Random()
    copy = an_engine(again, router)
    assert restore(copy, unpack(written), Codec(), again) == ()
    assert packer().pack(take(copy, Codec(), again)[0]) == written
    return copy


def busy_day(seed):
    """Widening, overflow, personal routing, several phones at once, a lost link, two queues redefined."""
    chance = random.Random(seed)
    s = Story(getrandbits=random.Random(SEED).getrandbits)
    s.queue("sales", wrap_up_s=5, ring_timeout_s=10, strategy="ring-all", personal=LastAgent(wait_s=3))
    s.queue(
        "loans",
        requires="loans >= 3",
        widening=(Widening(5, requires="loans >= 1"), Widening(9, also=("sales",))),
        priority_per_minute=3,
        max_wait_s=30,
        overflow=ToQueue(QueueId("sales")),
        service_level_target=0.8,
    )
    names = ["ann", "bob", "dan", "eve"]
    for name in names:
        s.agent(name, skills={"loans": chance.randrange(4)}, no_answers_allowed=2)
    for step in range(250):
        s.advance(chance.random() * 3)
        name, made = chance.choice(names), None
        made = s.reservation(name)
        match chance.randrange(13):
            case 0 | 1 | 2:
                s.enqueue(s.call(), chance.choice(["sales", "loans"]), chance.randrange(2), seen=step)
            case 3 | 4 if made:
                s.take(name)
            case 5 if s.world.interactions:
                s.hang_up(chance.choice(sorted(s.world.interactions)))
            case 6 if s.state(name).value != "null":
                s.ready(name)
            case 7:
                for leg in [leg.id for leg in s.world.connections.values() if leg.clearing]:
                    s.cleared(leg)
            case 11:
                own = ConnectionId(f"own {step}")
                s.tell(device_facts.OwnCallBegan(FS, DeviceId(name), own, bool(step % 2), "1"))
            case 12 if s.world.own_calls:
                own = chance.choice(sorted(s.world.own_calls))
                s.tell(device_facts.OwnCallEnded(*s.world.own_calls[own], own))
            case 9:
                s.tell(device_facts.DeviceOutOfService(FS, DeviceId(name)))
            case 10:
                s.tell(device_facts.DeviceInService(FS, DeviceId(name)))
            case 8 if step % 50 == 0:
                s.queue("sales", wrap_up_s=3, priority=step // 50)
    return s


def message_day(seed):
    """Calls, voice messages and faxes; some are heard to the end, some accepted and completed, some refused."""
    chance = random.Random(seed)
    s = Story(getrandbits=random.Random(SEED).getrandbits)
    s.queue("sales", wrap_up_s=5, ring_timeout_s=10)
    for name in ("ann", "bob", "dan"):
        s.agent(name, no_answers_allowed=2)
    for step in range(200):
        s.advance(chance.random() * 3)
        name = AgentId(chance.choice(["ann", "bob", "dan"]))
        agent, made = s.world.agents[name], s.reservation(name)
        task = s.world.interactions.get(agent.interaction)
        match chance.randrange(7):
            case 0:
                s.enqueue(s.call(), "sales")
            case 1 | 2:
                leave(s, chance.choice([InteractionKind.FAX, InteractionKind.VOICEMAIL]), "sales", f"m{step}")
            case 3 | 4 if made and task.kind is InteractionKind.FAX:
                s.tell(chance.choice([services.AcceptTaskRequested, services.RejectTaskRequested])(name))
            case 3 | 4 if made and task.kind is InteractionKind.VOICEMAIL:
                s.tell(facts.Parked(FS, s.answers(name)))
            case 3 | 4 if made:
                s.take(name)
            case 5 if task is not None and task.agent == name and task.kind is InteractionKind.FAX:
                s.tell(services.CompleteTaskRequested(name))
            case 5 if agent.connection is not None:
                s.cleared(agent.connection)
            case 6:
                s.ready(name)
    assert s.figures("sales").handled >= 5
    return s


DAYS = (
    {f"day {seed}": a_day(seed).told for seed in range(2)}
    | {f"messages {seed}": message_day(seed).told for seed in range(2)}
    | {f"busy {seed}": busy_day(seed).told for seed in range(3)}
    | {f"agents {seed}": agents_day(seed, 150).told for seed in range(2)}
)


@settings(max_examples=20, deadline=None)
@given(day=st.sampled_from(sorted(DAYS)), cut=st.floats(0, 1))
def test_whatever_the_moment_the_run_goes_on_the_same(day, cut):
    told = DAYS[day]
    at = int(cut * len(told))
    chance = random.Random(SEED)
    engine = an_engine(chance)
    tell(engine, told[:at])
    copy = restored(engine, chance)
    assert not broken(copy.world)
    assert tell(copy, told[at:]) == tell(engine, told[at:])


def test_the_days_have_something_in_them():
    heard = "".join(tell(an_engine(random.Random(SEED)), DAYS["busy 0"]))
    for what in ("OfferCall", "Established", "kind='widen'", "Abandoned", "QUEUE_TIME_OVERFLOW"):
        assert what in heard, what


def test_nothing_that_an_engine_knows_is_left_out():
    """If this fails, the engine has learnt something new: name it in cti/store/snapshot.py."""
    assert uncovered(busy_day(1).engine) == []


def test_nor_in_one_with_a_journal(tmp_path):
    with capture_logs() as said:
        CallCenter(None, journal=tmp_path).stop()
    assert not [line for line in said if line["log_level"] == "error"]


def test_what_is_left_out_is_found():
    engine = an_engine(random.Random(1))
    engine.world.moods = {"ann": "good"}
    assert uncovered(engine) == ["World.moods"]


class Counting(SkillRouter):
    """A router that holds something of its own."""

    def __init__(self):
        super().__init__()
        self.made = 0

    def decided(self, call, agent):
        super().decided(call, agent)
        self.made += 1

    def state(self):
        return {"made": self.made}

    def restore(self, state, agents):
        self.made = state["made"]
        self.told_of = sorted(agents)


def test_a_router_with_a_state_gets_it_back():
    chance = random.Random(SEED)
    engine = an_engine(chance, Counting)
    tell(engine, DAYS["day 0"])
    copy = restored(engine, chance, router=Counting)
    assert copy.world.router.made == engine.world.router.made > 20
    assert copy.world.router.told_of == ["ann", "bob", "dan", "eve"]


def test_a_router_that_cannot_take_a_state_back_is_named():
    class Forgetful(Counting):
        restore = None

    chance = random.Random(SEED)
    engine = an_engine(chance, Forgetful)
    picture, _ = take(engine, Codec(), chance)
    notes = restore(an_engine(random.Random(1), Forgetful), picture, Codec())
    assert notes == ("the router had a state of its own, and Forgetful has no restore(state, agents)",)


def test_a_snapshot_of_another_version_is_told_of():
    picture, _ = take(an_engine(random.Random(1)), Codec())
    del picture["World.adopted"]
    notes = restore(an_engine(random.Random(1)), picture, Codec())
    assert notes == ("the snapshot has no World.adopted; it is left as in a new centre",)


@pytest.mark.parametrize("seed", range(2))
def test_chance_goes_on_where_it_was(seed):
    chance = random.Random(seed)
    engine = an_engine(chance)
    picture = unpack(packer().pack(take(engine, Codec(), chance)[0]))
    again = random.Random()
    restore(an_engine(again), picture, Codec(), again)
    assert again.getrandbits(128) == chance.getrandbits(128)


def test_callbacks_are_kept_whatever_they_are_doing():
    story = CallingBack(hours="thu 00:00-10:00", abandoned=True, abandoned_after_s=500.0)
    hung_up = story.waiting("sales")
    story.advance(20)
    story.hang_up(hung_up)
    scheduled = story.request(at=2000.0)
    story.agent("ann", ready=False)
    owned = story.request("+44778", agent="ann", data={"policy": "12"})
    waiting = story.taken()
    calling = story.taken()
    story.agent("bob")
    story.log_off("bob")
    story.cancel(waiting)
    story.agent("eve")
    story.agent_answers("eve")
    states = {each: story.back(each).state for each in (scheduled, owned, calling)}
    assert [state.value for state in states.values()] == ["scheduled", "waiting", "calling"]
    copy = restored(story.engine, random.Random(1))
    assert {each: copy.world.interactions[each].callback.state for each in states} == states
    assert copy.world.abandoned == story.world.abandoned
    assert copy.world.callbacks == story.world.callbacks
    assert copy.world.interactions[owned].callback.agent == "ann"
    assert broken(copy.world) == []


def test_where_recordings_go_is_known_again():
    """The program says it again, but not before the facts after the snapshot are told again, which need it."""
    s = Story()
    s.tell(services.RecordingsDefined(RecordingSettings("/recordings")))
    s.queue("sales", record=1.0)
    s.agent("ann")
    engine = restored(s.engine, random.Random(SEED))
    assert engine.world.recording == RecordingSettings("/recordings")

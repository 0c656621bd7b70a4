"""Recordings: which calls, which segments, pauses, announcements; and every way it can go wrong."""

from __future__ import annotations

import pytest

from cti.engine.recordings import recordings_under_way
from cti.errors import ConfigurationError, InvalidConnection, UnknownInteraction
from cti.model import events, facts, intents, services
from cti.model.cause import Cause
from cti.model.connection import Side
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId
from cti.model.overflow import ToQueue
from cti.model.queue import QueueSettings
from cti.model.recording import RecordingAction, RecordingSettings, chosen

from .story import FS, Story
from .test_talk import ANN, Desk

START, STOP, PAUSE, RESUME = RecordingAction
PARTS = (
    intents.StartRecording,
    intents.StopRecording,
    intents.PauseRecording,
    intents.Announce,
)


class Studio(Desk):
    """As a Desk; recordings go somewhere."""

    def __init__(self, settings: RecordingSettings | None = None) -> None:
        super().__init__()
        self.tell(services.RecordingsDefined(settings or RecordingSettings("/rec", "{interaction}/{n}-{agent}.wav")))

    def ask(self, what: RecordingAction) -> None:
        self.tell(services.RecordingRequested(self.call_id, what))

    def path(self, n: int, agent: str) -> str:
        return f"/rec/{self.call_id}/{n}-{agent}.wav"

    def said(self) -> list[tuple[str, int]]:
        return [(type(e).__name__, e.n) for e in self.heard(events.RecordingEvent)]

    def started(self, n: int = 1, agent: str = "ann") -> None:
        self.tell(facts.RecordingStarted(FS, self.leg_of(agent), self.path(n, agent)))

    def stopped(self, n: int = 1, agent: str = "ann", length_s: float | None = 4.0) -> None:
        self.tell(facts.RecordingStopped(FS, self.ann_leg, self.path(n, agent), length_s))

    def recorded(self) -> None:
        self.ask(START)
        self.started()
        self.asked(object)


@pytest.fixture
def studio() -> Studio:
    return Studio()


def test_on_demand(studio):
    studio.advance(3)
    studio.asked(object)
    studio.ask(START)
    path = studio.path(1, "ann")
    assert studio.asked(*PARTS) == [intents.StartRecording(FS, studio.ann_leg, path)]
    assert studio.said() == []  # nothing is said before the switch has
    studio.started()
    studio.ask(START)  # harmless
    studio.advance(4)
    studio.ask(STOP)
    assert studio.asked(*PARTS) == [intents.StopRecording(FS, studio.ann_leg, path)]
    studio.stopped()
    assert studio.said() == [("RecordingStarted", 1), ("RecordingEnded", 1)]
    (ended,) = studio.heard(events.RecordingEnded)
    assert (ended.agent, ended.queue, ended.length_s, ended.at - ended.started_at) == (ANN, "claims", 4.0, 4.0)
    assert studio.world.segments == {}
    assert studio.timers == []
    studio.ask(START)  # another file
    assert studio.asked(*PARTS) == [intents.StartRecording(FS, studio.ann_leg, studio.path(2, "ann"))]


def test_what_is_under_way_is_listed(studio):
    studio.ask(START)
    assert recordings_under_way(studio.world) == {}, "not before the switch has said so"
    studio.started()
    studio.world.now += 4
    ((call, (one,)),) = recordings_under_way(studio.world).items()
    assert (call, one.n, one.agent, one.queue) == (studio.call_id, 1, ANN, "claims")
    assert (one.path, one.ended, one.length_s) == (studio.path(1, "ann"), None, 4.0)
    studio.ask(STOP)
    studio.stopped()
    assert recordings_under_way(studio.world) == {}


@pytest.mark.parametrize(
    ("queue", "agent", "recorded"),
    [("never", None, 0), ("always", None, 1), ("always", "never", 0), ("never", "always", 1), (0.0, 0.5, None)],
)
def test_by_queue_and_by_agent(studio, queue, agent, recorded):
    studio.queue("claims", requires="claims", record=queue)
    studio.cleared(studio.ann_leg)
    studio.hang_up(studio.call_id)
    studio.agent("ann", skills={"claims": 1}, record=agent, logged_on=False)
    studio.asked(object)
    call = studio.talking("ann", "claims")
    assert len(studio.asked(*PARTS)) == (int(chosen(call, 0.5)) if recorded is None else recorded)


def test_a_share_is_a_share_and_always_the_same_one():
    ids = [InteractionId(f"019a0000-0000-7000-8000-{n:012x}") for n in range(2000)]
    assert 800 < sum(chosen(each, 0.5) for each in ids) < 1200
    assert [chosen(each, 0.5) for each in ids] == [chosen(each, 0.5) for each in ids]
    assert not any(chosen(each, 0.0) for each in ids)
    assert all(chosen(each, 1.0) for each in ids)
    assert all(chosen(each, 0.6) for each in ids if chosen(each, 0.5))


def test_a_transfer_begins_the_next_segment_and_hold_and_consultation_do_not(studio):
    studio.recorded()
    studio.hold()
    studio.tell(services.RetrieveRequested(ANN))
    studio.pair(studio.caller, studio.ann_leg)
    leg = studio.consult()
    assert studio.asked(*PARTS) == []
    studio.tell(services.TransferRequested(ANN))
    studio.park(studio.ann_leg, leg)
    studio.pair(studio.caller, leg)
    assert studio.asked(*PARTS) == [
        intents.StopRecording(FS, studio.ann_leg, studio.path(1, "ann")),
        intents.StartRecording(FS, leg, studio.path(2, "bob")),
    ]
    studio.stopped()
    studio.cleared(studio.ann_leg)
    studio.started(2, "bob")
    assert studio.said() == [("RecordingStarted", 1), ("RecordingEnded", 1), ("RecordingStarted", 2)]


def test_a_re_queue_and_the_next_agent(studio):
    studio.recorded()
    studio.tell(services.SingleStepTransferRequested(ANN, ToQueue(QueueId("loans"))))
    studio.park(studio.caller, studio.ann_leg)
    studio.cleared(studio.ann_leg)
    studio.stopped()
    studio.asked(object)
    studio.take("bob")
    assert studio.asked(*PARTS) == [intents.StartRecording(FS, studio.leg_of("bob"), studio.path(2, "bob"))]


def test_a_conference_goes_on_being_recorded_when_the_first_agent_leaves(studio):
    studio.recorded()
    leg = studio.consult()
    studio.tell(services.ConferenceRequested(ANN))
    studio.asked(object)
    studio.cleared(studio.ann_leg)
    assert intents.StartRecording(FS, leg, studio.path(2, "bob")) in studio.asked(*PARTS)


def test_it_ends_with_the_leg_even_if_nobody_says_so(studio):
    studio.recorded()
    studio.cleared(studio.ann_leg)
    studio.cleared(studio.caller)
    assert studio.is_over(studio.call_id)
    assert studio.said() == [("RecordingStarted", 1)]
    studio.advance(6)
    (ended,) = studio.heard(events.RecordingEnded)
    assert ended.length_s is None
    studio.stopped()  # late, and it changes nothing
    assert studio.said() == [("RecordingStarted", 1), ("RecordingEnded", 1)]
    assert studio.world.segments == {}


# -- pauses -----------------------------------------------------------------------------------------------------------


def test_pause_and_resume(studio):
    studio.recorded()
    path = studio.path(1, "ann")
    for what, pause in ((PAUSE, True), (RESUME, False)):
        studio.ask(what)
        studio.ask(what)  # twice is once
        assert studio.asked(*PARTS) == [intents.PauseRecording(FS, studio.ann_leg, path, pause)]
    assert studio.said()[1:] == [("RecordingPaused", 1), ("RecordingResumed", 1)]


def test_nothing_is_recorded_of_a_call_that_was_paused_before_it_went_on_to_somebody_else(studio):
    studio.recorded()
    studio.ask(PAUSE)
    leg = studio.consult()
    studio.tell(services.TransferRequested(ANN))
    studio.park(studio.ann_leg, leg)
    studio.pair(studio.caller, leg)
    assert [i for i in studio.asked(*PARTS) if isinstance(i, intents.StartRecording)] == []
    studio.ask(RESUME)
    assert studio.asked(*PARTS) == [intents.StartRecording(FS, leg, studio.path(2, "bob"))]


@pytest.mark.parametrize("begun", [True, False])
def test_what_cannot_be_paused_is_stopped(studio, begun):
    studio.ask(START)
    if begun:
        studio.started()
    studio.ask(PAUSE)
    studio.asked(object)
    studio.tell(facts.RecordingFailed(FS, studio.ann_leg, studio.path(1, "ann"), "-ERR"))
    assert [type(i) for i in studio.asked(*PARTS)] == [intents.StopRecording]
    assert studio.said()[-1] == ("RecordingFailed", 1)
    studio.advance(10)
    assert studio.world.segments == {}
    studio.pair(studio.caller, studio.ann_leg)
    assert studio.asked(*PARTS) == []  # and is not begun again by itself


# -- announcements ----------------------------------------------------------------------------------------------------


@pytest.fixture
def announced(studio):
    studio.queue("claims", requires="claims", record_announcement="recorded.wav")
    studio.ask(START)
    return studio


def test_the_announcement_comes_first_and_once(announced):
    path = announced.path(1, "ann")
    assert announced.asked(*PARTS) == [intents.Announce(FS, announced.caller, "recorded.wav", path)]
    announced.tell(facts.Announced(FS, announced.ann_leg))  # somebody else's
    assert announced.asked(*PARTS) == []
    announced.tell(facts.Announced(FS, announced.caller))
    assert announced.asked(*PARTS) == [intents.StartRecording(FS, announced.ann_leg, path)]
    announced.started()
    announced.ask(STOP)
    announced.stopped()
    announced.ask(START)
    assert not any(isinstance(i, intents.Announce) for i in announced.asked(*PARTS))


@pytest.mark.parametrize("how", ["cannot be played", "never ends", "is stopped", "the caller hangs up", "is paused"])
def test_without_the_announcement_nothing_is_recorded(announced, how):
    announced.asked(object)
    if how == "cannot be played":
        announced.tell(facts.RecordingFailed(FS, announced.caller, announced.path(1, "ann"), "-ERR"))
    elif how == "never ends":
        announced.advance(61)
    elif how == "is stopped":
        announced.ask(STOP)
    elif how == "is paused":
        announced.ask(PAUSE)
        announced.tell(facts.Announced(FS, announced.caller))
    else:
        announced.cleared(announced.caller)
    assert announced.asked(*PARTS) == []
    assert announced.world.segments == {}
    failed = how in ("cannot be played", "never ends")
    assert announced.said() == ([("RecordingFailed", 1)] if failed else [])


# -- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_recording_that_cannot_begin_costs_the_call_nothing(studio):
    studio.ask(START)
    studio.tell(facts.RecordingFailed(FS, studio.ann_leg, studio.path(1, "ann"), "-ERR Cannot record session!"))
    (failed,) = studio.heard(events.RecordingFailed)
    assert (failed.why, failed.agent) == ("-ERR Cannot record session!", ANN)
    assert studio.interaction(studio.call_id).pair == (studio.caller, studio.ann_leg)
    assert not studio.asked(intents.ClearConnection)


def test_a_switch_that_does_not_say_that_it_began_and_does_not_refuse_is_asked_again(studio):
    studio.ask(START)
    (first,) = studio.asked(*PARTS)
    studio.advance(3)
    assert studio.asked(*PARTS) == [first]
    studio.advance(3)  # it records this file already
    assert (studio.asked(*PARTS), studio.said()) == ([], [("RecordingStarted", 1)])
    assert studio.timers == []


def test_one_that_ends_by_itself_is_said_and_not_begun_again_and_again(studio):
    studio.recorded()
    studio.stopped()
    assert studio.said()[1:] == [("RecordingEnded", 1), ("RecordingFailed", 1)]
    studio.pair(studio.caller, studio.ann_leg)
    assert studio.asked(*PARTS) == []
    studio.ask(START)
    assert len(studio.asked(*PARTS)) == 1


def test_while_the_link_is_down_nothing_is_given_up(studio):
    studio.recorded()
    studio.ask(STOP)
    studio.link_lost()
    studio.advance(60)
    assert studio.said() == [("RecordingStarted", 1)]
    studio.stopped()
    assert studio.said()[-1] == ("RecordingEnded", 1)


def test_what_cannot_be_asked_for(studio):
    for what in (STOP, PAUSE, RESUME):
        with pytest.raises(InvalidConnection, match="is not recorded"):
            studio.ask(what)
    waiting = studio.waiting("claims")
    with pytest.raises(InvalidConnection, match="only one with an agent"):
        studio.tell(services.RecordingRequested(waiting, START))
    with pytest.raises(UnknownInteraction):
        studio.tell(services.RecordingRequested(InteractionId("none"), START))
    nowhere = Desk()
    with pytest.raises(InvalidConnection, match="no directory"):
        nowhere.tell(services.RecordingRequested(nowhere.call_id, START))


def test_a_caller_who_was_diverted_leaves_nothing_behind(studio):
    studio.recorded()
    studio.cleared(studio.ann_leg, Cause.NORMAL_CLEARING)
    studio.stopped()
    studio.hang_up(studio.call_id)
    assert studio.world.segments == {}


# -- names ------------------------------------------------------------------------------------------------------------


def test_names():
    call = InteractionId("019a0000-0000-7000-8000-000000000000")
    plain = RecordingSettings("/var/rec/")
    assert plain.path(call, 1, ANN, None) == f"/var/rec/2025-10-20/{call}/1-ann.wav"
    assert plain.path(call, 2, None, None).endswith("/2-outside.wav")
    assert plain.path(call, 2, AgentId("x y/../z'"), None).endswith("/2-x_y_.._z_.wav")
    assert plain.path(InteractionId("../etc"), 1, ANN, None) == "/var/rec/undated/.._etc/1-ann.wav"
    assert plain.path(InteractionId(".."), 1, AgentId(".."), None) == "/var/rec/undated/_/1-_.wav"


@pytest.mark.parametrize(
    "wrong",
    [
        {"directory": "relative"},
        {"directory": "/with blank"},
        {"directory": "/a/../b"},
        {"directory": "/a", "name": "{n}.wav"},
        {"directory": "/a", "name": "{interaction}-{n}.mp3"},
        {"directory": "/a", "name": "{interaction}-{n}-{calling_number}.wav"},
        {"directory": "/a", "name": "/{interaction}/{n}.wav"},
        {"directory": "/a", "name": "{interaction.__class__}-{n}.wav"},
        {"directory": "/a", "name": "{interaction}-{n:>99}.wav"},
        {"directory": "/a", "name": "{interaction}-{n}-{.wav"},
    ],
)
def test_names_that_cannot_be(wrong):
    with pytest.raises(ConfigurationError):
        RecordingSettings(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"record": "sometimes"}, {"record": 2}, {"record": None}, {"record_announcement": "a b"}]
)
def test_settings_that_cannot_be(wrong):
    with pytest.raises(ConfigurationError):
        QueueSettings(id=QueueId("q"), **wrong)


# -- after a restart without a journal ----------------------------------------------------------------------------------


def after_restart(recorded: int, recording: str = "") -> tuple[Story, str]:
    """A caller and Ann talk, and the switch's channels are all that is known; her leg."""
    s = Story(live=False)
    s.tell(services.RecordingsDefined(RecordingSettings("/rec", "{interaction}/{n}-{agent}.wav")))
    s.queue("claims")
    s.agent("ann", ready=False)
    caller, leg, call = ConnectionId("caller"), ConnectionId("leg"), InteractionId("call")
    s.link_up(
        facts.ChannelSeen(
            caller,
            interaction=call,
            queue=QueueId("claims"),
            bridged_to=leg,
            established=True,
            recorded=recorded,
            recording=recording,
        ),
        facts.ChannelSeen(leg, interaction=call, agent=ANN, bridged_to=caller, side=Side.AGENT, established=True),
    )
    return s, leg


def starts(s: Story) -> list[str]:
    return [i.path for i in s.intents if isinstance(i, intents.StartRecording)]


def test_what_was_being_recorded_goes_on_under_its_own_number():
    s, _ = after_restart(3)
    assert starts(s) == ["/rec/call/3-ann.wav"]
    s.tell(services.RecordingRequested(InteractionId("call"), STOP))
    s.tell(services.RecordingRequested(InteractionId("call"), START))
    assert starts(s)[-1] == "/rec/call/4-ann.wav", "never a name that was used"


def test_what_was_stopped_stays_so():
    s, _ = after_restart(2, "stopped")
    assert starts(s) == []
    s.tell(services.RecordingRequested(InteractionId("call"), START))
    assert starts(s) == ["/rec/call/3-ann.wav"]


def test_what_was_paused_stays_so_until_it_is_resumed():
    s, leg = after_restart(2, "paused")
    assert starts(s) == []
    s.tell(services.RecordingRequested(InteractionId("call"), RESUME))
    path = "/rec/call/2-ann.wav"
    assert [i for i in s.last if isinstance(i, PARTS)] == [
        intents.StartRecording(FS, leg, path),
        intents.PauseRecording(FS, leg, path, pause=False),
    ], "the switch still puts silence into it"
    s.tell(services.RecordingRequested(InteractionId("call"), PAUSE))
    s.tell(services.RecordingRequested(InteractionId("call"), RESUME))
    assert len([i for i in s.last if isinstance(i, intents.PauseRecording)]) == 1


def test_how_far_it_has_come_is_written_onto_the_callers_leg(studio):
    def tag() -> list[str]:
        return [i.tags["cti_recorded"] for i in studio.last if isinstance(i, intents.TagConnection)]

    studio.ask(START)
    assert tag() == ["1"]
    studio.started()
    studio.ask(PAUSE)
    assert tag() == ["1 paused"]
    studio.ask(RESUME)
    assert tag() == ["1"]
    studio.ask(STOP)
    assert tag() == ["1 stopped"]


def test_it_ends_with_the_caller_though_others_talk_on(studio):
    studio.recorded()
    bob = studio.consult()
    studio.cleared(studio.caller)
    assert [type(i).__name__ for i in studio.asked(*PARTS)] == ["StopRecording"]
    studio.stopped()
    studio.tell(facts.Bridged(FS, studio.ann_leg, bob))
    assert studio.asked(*PARTS) == []

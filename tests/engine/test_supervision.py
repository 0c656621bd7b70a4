"""Supervision: who is listened in on, what follows whom, taking over, pulling and pushing; and every way it can go wrong."""

from __future__ import annotations

import pytest

from cti.errors import InvalidAgentState, InvalidConnection, UnknownAgent, UnknownInteraction, UnknownQueue
from cti.model import events, facts, intents, services
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId
from cti.model.interaction import InteractionKind
from cti.model.overflow import ToQueue
from cti.model.party import ToAgent
from cti.model.states import AgentState, InteractionState, TalkState
from cti.model.supervision import Mode

from .story import FS
from .test_messages import leave
from .test_talk import ANN, BOB, Desk

SUE = AgentId("sue")
LEG = intents.MakeConnection


class Floor(Desk):
    """As a Desk; Sue is logged on and not ready."""

    def __init__(self) -> None:
        super().__init__()
        self.agent("sue", ready=False)
        self.established(self.caller)
        self.start = len(self.intents)

    @property
    def sue_leg(self) -> ConnectionId:
        (leg,) = self.world.supervisions
        return leg

    def supervise(self, mode: Mode | None = None, **whom: str) -> None:
        self.tell(services.SupervisionRequested(SUE, mode, **whom))

    def on_the_line(self, mode: Mode = Mode.MONITOR, **whom: str) -> ConnectionId:
        """Sue answers, and hears what there is to hear."""
        self.supervise(mode, **whom or {"agent": ANN})
        leg = self.sue_leg
        self.established(leg)
        self.park(leg)
        target = self.world.supervisions[leg].target
        if target is not None:
            self.tell(facts.Tapped(FS, target))
        return leg

    def phases(self) -> list[str]:
        return [e.phase for e in self.heard(events.Supervised)]

    def listens(self) -> list[intents.Listen]:
        return self.asked(intents.Listen)


@pytest.fixture
def floor() -> Floor:
    return Floor()


def test_the_supervisors_phone_rings_and_then_they_hear_the_agents_leg(floor):
    floor.supervise(Mode.MONITOR, agent=ANN)
    (call,) = floor.asked(LEG)
    assert (call.contact, call.supervisor, call.leg) == ("user/sue", SUE, floor.sue_leg)
    floor.established(call.leg)
    floor.park(call.leg)
    assert floor.listens() == [intents.Listen(FS, call.leg, floor.ann_leg, to_other=False, to_partner=False)]
    assert floor.phases() == ["calling"]  # nothing is said before the switch has
    floor.tell(facts.Tapped(FS, floor.ann_leg))
    (told,) = floor.heard(events.Supervised)[1:]
    assert (told.phase, told.mode, told.watched, told.interaction) == ("listening", "monitor", ANN, floor.call_id)


@pytest.mark.parametrize(
    ("mode", "of_the_agent", "of_the_call"),
    [
        (Mode.MONITOR, (False, False), ("caller", False, False)),
        (Mode.WHISPER, (True, False), ("ann", True, False)),
        (Mode.BARGE, (True, True), ("caller", True, True)),
    ],
)
def test_who_hears_the_supervisor(floor, mode, of_the_agent, of_the_call):
    floor.on_the_line(mode)
    (listen,) = floor.listens()
    assert (listen.other, listen.to_other, listen.to_partner) == (floor.ann_leg, *of_the_agent)
    floor.supervise(interaction=floor.call_id)  # the same mode, another leg to listen in on
    (listen,) = floor.listens()
    whose = "caller" if listen.other == floor.caller else floor.leg(listen.other).agent
    assert (whose, listen.to_other, listen.to_partner) == of_the_call


def test_another_mode_needs_no_new_call(floor):
    leg = floor.on_the_line()
    floor.asked(object)
    floor.supervise(Mode.BARGE)
    assert floor.asked(LEG, intents.Listen, intents.ClearConnection) == [
        intents.Listen(FS, leg, floor.ann_leg, to_other=True, to_partner=True)
    ]
    floor.tell(facts.Tapped(FS, floor.ann_leg))
    assert floor.heard(events.Supervised)[-1].mode == "barge"


def test_an_agent_is_followed_to_the_next_call_with_a_tone_in_between(floor):
    leg = floor.on_the_line()
    floor.asked(object)
    floor.ends("ann")
    assert floor.asked(intents.StopListening) == []  # the leg it listened in on is gone: the switch parks it
    floor.park(leg)
    (tone,) = floor.asked(intents.StartTreatment)
    assert tone.connection == leg
    assert floor.phases()[-1] == "waiting"
    floor.talking("ann", "claims")
    (listen,) = floor.listens()
    assert (listen.connection, listen.other) == (leg, floor.leg_of("ann"))


def test_a_call_is_followed_from_agent_to_agent_until_it_ends(floor):
    leg = floor.on_the_line(interaction=floor.call_id)
    floor.tell(services.SingleStepTransferRequested(ANN, ToQueue(QueueId("loans"))))
    floor.park(floor.caller, floor.ann_leg)
    floor.cleared(floor.ann_leg)
    floor.asked(object)
    floor.take("bob")
    assert floor.asked(intents.Listen, intents.StopListening) == []  # the caller's leg was listened in on all the time
    floor.cleared(floor.leg_of("bob"))
    floor.cleared(floor.caller)
    assert leg in [i.connection for i in floor.asked(intents.ClearConnection)]
    floor.cleared(leg)
    assert (floor.phases()[-1], floor.world.supervisions) == ("ended", {})


def test_a_whisper_goes_with_the_call_to_the_agent_who_has_it(floor):
    leg = floor.on_the_line(Mode.WHISPER, interaction=floor.call_id)
    floor.tell(services.SingleStepTransferRequested(ANN, ToQueue(QueueId("loans"))))
    floor.park(floor.caller, floor.ann_leg)
    floor.cleared(floor.ann_leg)
    floor.park(leg)
    assert [i.other for i in floor.listens()][-1] == floor.caller
    floor.take("bob")
    (listen,) = floor.listens()
    assert (listen.other, listen.to_other, listen.to_partner) == (floor.leg_of("bob"), True, False)


def test_hold_and_a_consultation_change_nothing(floor):
    floor.on_the_line(Mode.WHISPER)
    floor.asked(object)
    floor.consult()
    assert floor.asked(intents.Listen, intents.StopListening) == []


def test_whoever_is_followed_and_has_no_call_yet(floor):
    floor.on_the_line(agent=BOB)
    (tone,) = floor.asked(intents.StartTreatment)
    assert (tone.connection, floor.phases()) == (floor.sue_leg, ["calling", "waiting"])
    floor.supervise(agent=ANN)
    assert [i.other for i in floor.listens()] == [floor.ann_leg]
    floor.supervise(agent=BOB)
    assert [i.connection for i in floor.asked(intents.StopListening)] == [floor.sue_leg]


def test_listening_that_comes_to_nothing_is_tried_again_and_not_for_ever(floor):
    leg = floor.on_the_line()
    floor.asked(object)
    tries = 0
    for _ in range(30):
        floor.park(leg)
        floor.advance(0.5)
        if not floor.listens():
            break
        tries += 1
    assert (tries, floor.phases()[-1]) == (10, "waiting")
    floor.talking("bob", "loans")  # what happens elsewhere is no reason
    assert floor.listens() == []
    floor.advance(60)
    assert len(floor.listens()) == 1
    floor.tell(facts.Tapped(FS, floor.ann_leg))
    assert floor.phases()[-1] == "listening"


def test_a_supervisor_who_does_not_answer(floor):
    floor.supervise(Mode.MONITOR, agent=ANN)
    leg = floor.sue_leg
    floor.advance(31)
    assert [i.connection for i in floor.asked(intents.ClearConnection)] == [leg]
    floor.advance(11)  # no word of its end: asked again, and looked for
    assert [i.connection for i in floor.asked(intents.CheckConnection)].count(leg) == 1
    floor.failed(leg, Cause.CALL_NOT_ANSWERED)
    assert (floor.phases()[-1], floor.world.supervisions) == ("ended", {})
    floor.supervise(Mode.MONITOR, agent=ANN)  # and it can be asked for again


def test_who_can_supervise_whom(floor):
    with pytest.raises(InvalidConnection, match="say an agent or a call"):
        floor.supervise(Mode.MONITOR)
    with pytest.raises(InvalidConnection, match="not both"):
        floor.supervise(Mode.MONITOR, agent=ANN, interaction=floor.call_id)
    with pytest.raises(InvalidConnection, match="themselves"):
        floor.supervise(Mode.MONITOR, agent=SUE)
    with pytest.raises(UnknownAgent):
        floor.supervise(Mode.MONITOR, agent=AgentId("anne"))
    with pytest.raises(UnknownInteraction):
        floor.supervise(Mode.MONITOR, interaction=InteractionId("none"))
    with pytest.raises(InvalidAgentState, match="logged on and not ready"):
        floor.tell(services.SupervisionRequested(BOB, Mode.MONITOR, ANN))
    with pytest.raises(InvalidConnection, match="supervises nobody"):
        floor.tell(services.SupervisionEndRequested(SUE))
    floor.link_lost()
    with pytest.raises(InvalidConnection, match="not live"):
        floor.supervise(Mode.MONITOR, agent=ANN)
    assert floor.world.supervisions == {}


def test_a_supervisor_is_offered_no_call_and_logging_off_ends_it(floor):
    leg = floor.on_the_line()
    with pytest.raises(InvalidAgentState, match="supervises; end that first"):
        floor.ready("sue")
    assert floor.state("sue") is AgentState.NOT_READY
    floor.log_off("sue")
    assert [i.connection for i in floor.asked(intents.ClearConnection)] == [leg]
    floor.cleared(leg)
    assert floor.state("sue") is AgentState.NULL


def test_an_agent_who_is_removed_is_followed_no_more(floor):
    leg = floor.on_the_line(agent=BOB)
    floor.tell(facts.AgentRemoved(BOB))
    assert [i.connection for i in floor.asked(intents.ClearConnection)] == [leg]


@pytest.mark.parametrize("gone", [True, False])
def test_after_the_link_was_down(floor, gone):
    leg = floor.on_the_line()
    floor.link_lost()
    floor.asked(object)
    known = [floor.seen(floor.caller, bridged_to=floor.ann_leg), floor.seen(floor.ann_leg, bridged_to=floor.caller)]
    floor.link_up(*known, *([] if gone else [facts.ChannelSeen(leg, established=True)]))
    if gone:
        assert floor.world.supervisions == {}
    else:
        assert [i.connection for i in floor.listens()] == [leg]
        assert leg not in [i.connection for i in floor.asked(intents.ClearConnection)]


def test_a_recording_that_begins_during_a_whisper_does_not_hear_it(floor):
    floor.tell(services.RecordingsDefined(_settings()))
    floor.on_the_line(Mode.WHISPER)
    floor.asked(object)
    floor.tell(services.RecordingRequested(floor.call_id, _start()))
    assert [type(i) for i in floor.asked(intents.StartRecording, intents.Listen)] == [
        intents.StartRecording,
        intents.Listen,
    ]


# -- taking over, pulling, pushing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("during", ["talk", "hold", "consultation"])
def test_taking_over(floor, during):
    if during == "hold":
        floor.hold()
    elif during == "consultation":
        consulted = floor.consult()
    leg = floor.on_the_line()
    floor.asked(object)
    floor.tell(services.TakeOverRequested(SUE))
    (told,) = floor.heard(events.Transferred)
    assert (told.from_agent, told.agent, told.cause) == (ANN, SUE, Cause.OVERRIDE)
    if during == "talk":
        floor.park(floor.caller, floor.ann_leg)
    elif during == "consultation":
        floor.park(floor.ann_leg)
        floor.cleared(consulted)
        assert floor.state("bob") is AgentState.READY
    assert intents.Bridge(FS, floor.caller, leg) in floor.asked(intents.Bridge)
    floor.pair(floor.caller, leg)
    floor.cleared(floor.ann_leg)
    assert (floor.state("ann"), floor.state("sue")) == (AgentState.READY, AgentState.BUSY)
    assert (floor.interaction(floor.call_id).agent, floor.talk) == (SUE, TalkState.TALKING)
    assert floor.phases()[-1] == "ended"
    floor.tell(services.HoldRequested(SUE))  # as any agent can
    floor.tell(services.RetrieveRequested(SUE))
    floor.cleared(floor.caller)
    floor.cleared(leg)
    assert floor.state("sue") is AgentState.NOT_READY


def test_what_cannot_be_taken_over(floor):
    with pytest.raises(InvalidConnection, match="supervises nobody"):
        floor.tell(services.TakeOverRequested(SUE))
    floor.on_the_line(agent=BOB)
    with pytest.raises(InvalidConnection, match="hears no call"):
        floor.tell(services.TakeOverRequested(SUE))
    floor.consult()
    floor.tell(services.ConferenceRequested(ANN))
    floor.supervise(agent=ANN)
    with pytest.raises(InvalidConnection, match="is a conference"):
        floor.tell(services.TakeOverRequested(SUE))
    assert floor.interaction(floor.call_id).agent == ANN
    assert floor.sue_leg in floor.world.supervisions


def test_pulling_a_call_that_waits(floor):
    call = floor.waiting("loans") if floor.state("bob") is not AgentState.READY else _waits(floor)
    floor.tell(services.PullRequested(SUE, call))
    leg = floor.sue_leg
    assert floor.waits("loans") == [call]  # it keeps its place until she answers
    floor.established(leg)
    floor.park(leg)
    assert floor.asked(intents.Bridge)[-1:] == [intents.Bridge(FS, floor.caller_of(call), leg)]
    floor.pair(floor.caller_of(call), leg)
    assert (floor.state("sue"), floor.interaction(call).agent) == (AgentState.BUSY, SUE)
    assert floor.interaction(call).state is InteractionState.ESTABLISHED
    figures = floor.figures("loans")
    assert (figures.answered, figures.waiting, figures.adds_up) == (1, 0, True)
    assert floor.heard(events.Established)[-1].cause is Cause.CALL_PICKUP
    floor.ends("sue")
    assert floor.state("sue") is AgentState.NOT_READY


def test_pulling_a_call_whose_agents_phone_rings(floor):
    floor.supervise(Mode.MONITOR, agent=ANN)
    leg = floor.sue_leg
    call = floor.waiting("loans")
    assert floor.ringing(call) == [BOB]
    bobs = floor.offered_leg("bob")
    floor.tell(services.PullRequested(SUE, call))
    floor.established(leg)
    floor.park(leg)
    assert floor.state("bob") is AgentState.READY  # nobody is to blame
    assert bobs in [i.connection for i in floor.asked(intents.ClearConnection)]
    assert floor.interaction(call).agent == SUE


@pytest.mark.parametrize("how", ["an agent is faster", "the caller hangs up"])
def test_pulling_a_call_that_is_gone_when_the_supervisor_answers(floor, how):
    call = _waits(floor)
    floor.tell(services.PullRequested(SUE, call))
    leg = floor.sue_leg
    if how == "an agent is faster":
        floor.ready("bob")
        floor.take("bob")
    else:
        floor.hang_up(call)
    floor.established(leg)
    floor.park(leg)
    assert leg in [i.connection for i in floor.asked(intents.ClearConnection)]
    floor.cleared(leg)
    assert floor.state("sue") is AgentState.NOT_READY
    with pytest.raises((InvalidConnection, UnknownInteraction)):
        floor.tell(services.PullRequested(SUE, call))


def test_a_pull_that_is_changed_to_listening_takes_nothing_over(floor):
    call = _waits(floor)
    floor.tell(services.PullRequested(SUE, call))
    floor.supervise(Mode.MONITOR, agent=ANN)
    leg = floor.sue_leg
    floor.established(leg)
    floor.park(leg)
    assert (floor.waits("loans"), [i.other for i in floor.listens()]) == ([call], [floor.ann_leg])
    floor.tell(services.PullRequested(SUE, call))  # on the line already: at once
    assert floor.interaction(call).agent == SUE
    assert floor.asked(LEG, intents.Bridge)[-1] == intents.Bridge(FS, floor.caller_of(call), leg)


def test_a_pull_by_somebody_who_is_on_a_call_when_they_answer(floor):
    call = _waits(floor)
    floor.tell(services.PullRequested(SUE, call))
    leg = floor.sue_leg
    floor.world.agents[SUE].state = AgentState.WORKING_AFTER_CALL  # which nothing but a snapshot could bring about
    floor.world.supervisions[leg].parked = False
    floor.tell(facts.Parked(FS, leg))
    assert [i.connection for i in floor.asked(intents.ClearConnection)] == [leg]
    assert floor.waits("loans") == [call]


def test_pushing(floor):
    call = _waits(floor)
    floor.tell(services.PushRequested(call, ToQueue(QueueId("claims"))))
    assert floor.interaction(call).queue == "claims"
    floor.tell(services.PushRequested(call, ToAgent(BOB)))
    assert floor.interaction(call).wanted is None  # Bob is not ready: nobody waits for him
    floor.ready("bob")
    floor.tell(services.PushRequested(call, ToAgent(BOB)))
    assert floor.ringing(call) == [BOB]
    for wrong, error in ((ToQueue(QueueId("clams")), UnknownQueue), (ToAgent(AgentId("rob")), UnknownAgent)):
        with pytest.raises(error):
            floor.tell(services.PushRequested(call, wrong))
    assert floor.ringing(call) == [BOB]
    floor.tell(services.PushRequested(floor.call_id, ToQueue(QueueId("loans"))))
    floor.park(floor.caller, floor.ann_leg)
    assert floor.interaction(floor.call_id).queue == "loans"
    script = floor.call()
    with pytest.raises(InvalidConnection, match="only one that waits or is with an agent"):
        floor.tell(services.PushRequested(script, ToQueue(QueueId("loans"))))


def test_an_agent_asks_for_help(floor):
    floor.tell(services.AssistanceRequested(ANN, "angry"))
    (told,) = floor.heard(events.AssistanceRequested)
    assert (told.agent, told.queue, told.interaction, told.note) == (ANN, "claims", floor.call_id, "angry")
    with pytest.raises(InvalidConnection, match="no call"):
        floor.tell(services.AssistanceRequested(BOB))


def test_what_is_accounted_for_is_told(floor):
    floor.tell(services.AuditNoted("sue", "monitor", "ann", "refused"))
    (told,) = floor.heard(events.Audited)
    assert (told.who, told.what, told.whom, told.outcome) == ("sue", "monitor", "ann", "refused")


def _waits(floor):
    floor.not_ready("bob")
    return floor.waiting("loans")


def _settings():
    from cti.model.recording import RecordingSettings

    return RecordingSettings("/recordings")


def _start():
    from cti.model.recording import RecordingAction

    return RecordingAction.START


@pytest.mark.parametrize("follows", ["agent", "call"])
@pytest.mark.parametrize("how", ["attended", "blind", "to a queue"])
def test_race_22_the_supervisors_target_is_transferred(floor, follows, how):
    """The supervisor follows the agent or the call, as declared."""
    leg = floor.on_the_line(**({"agent": ANN} if follows == "agent" else {"interaction": floor.call_id}))
    if how == "attended":
        bob = floor.consult()
        floor.tell(services.TransferRequested(ANN))
        floor.park(floor.ann_leg, bob)
        floor.pair(floor.caller, bob)
    else:
        to = ToAgent(BOB) if how == "blind" else ToQueue(QueueId("loans"))
        floor.tell(services.SingleStepTransferRequested(ANN, to))
        floor.park(floor.caller, floor.ann_leg)
        floor.take("bob")
    floor.cleared(floor.ann_leg)
    known = floor.world.supervisions[leg]
    if follows == "call":
        assert (known.target, known.interaction) == (floor.caller, floor.call_id)
        floor.ends("bob")
        assert leg in {each.connection for each in floor.asked(intents.ClearConnection)}
        return
    floor.park(leg)  # the leg that it listened in on is gone
    assert (known.target, known.phase.value) == (None, "waiting")
    floor.ends("bob")
    floor.talking("ann", "claims")
    assert known.target == floor.leg_of("ann")


# -- what is on no switch ---------------------------------------------------------------------------------------------


def test_a_supervisor_waits_while_whom_they_follow_deals_with_a_fax(floor):
    """A fax is on no switch: nobody is rung there, and the supervisor stays on the line for the next call."""
    leg = floor.on_the_line()
    floor.ends("ann")
    fax = leave(floor, InteractionKind.FAX, "claims")
    floor.tell(services.AcceptTaskRequested(ANN))
    assert floor.interaction(fax).agent == ANN
    floor.advance(61.0)
    assert floor.sue_leg == leg
    assert not floor.world.supervisions[leg].clearing
    assert {i.switch for i in floor.intents if isinstance(i, LEG | intents.ClearConnection)} == {FS}


def test_a_fax_cannot_be_listened_to(floor):
    fax = leave(floor, InteractionKind.FAX, "claims")
    with pytest.raises(InvalidConnection, match="is a fax; there is nothing to hear"):
        floor.supervise(interaction=fax)
    assert not floor.world.supervisions

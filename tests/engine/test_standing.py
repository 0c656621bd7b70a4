"""Standing connections: the agent's phone stays on the line, calls are put through to it at once."""

from __future__ import annotations

import pytest

from cti.engine.standing import AGAIN_S, BETWEEN_S, LASTS_S, RING_S
from cti.errors import ConfigurationError, InvalidAgentState, InvalidConnection, ResourceBusy
from cti.model import device_facts, events, facts, intents, reason, services
from cti.model.agent import AgentSettings
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, DeviceId, InteractionId, SwitchId
from cti.model.interaction import InteractionKind
from cti.model.overflow import ToScript
from cti.model.party import Destination, ToAgent, ToNumber
from cti.model.standing_states import StandingState
from cti.model.states import AgentState, InteractionState, TalkState
from cti.model.switch import SwitchSettings

from .story import FS, Story
from .test_messages import leave

NULL, NOT_READY, READY, RESERVED, ALERTING, BUSY, WORKING = AgentState
ANN, BOB = AgentId("ann"), AgentId("bob")


class Desk(Story):
    """Ann stays on the line; what the switch says of her leg is in a word."""

    def line(self, agent: str = "ann") -> ConnectionId:
        return self.world.standing[AgentId(agent)].leg

    def standing(self, agent: str = "ann") -> StandingState:
        return self.world.standing[AgentId(agent)].state

    def rung(self, agent: str = "ann") -> list[intents.MakeConnection]:
        """How the agent's phone has been rung, to stay."""
        made = [i for i in self.intents if isinstance(i, intents.MakeConnection) and i.standing]
        return [i for i in made if i.agent == agent]

    def parks(self, leg: ConnectionId) -> None:
        self.tell(facts.Parked(FS, leg))

    def comes(self, agent: str = "ann") -> ConnectionId:
        """The agent answers the phone by which they come on the line."""
        leg = self.rung(agent)[-1].leg
        self.tell(facts.Delivered(FS, leg))
        self.tell(facts.Established(FS, leg))
        self.parks(leg)
        return leg

    def stays(self, name: str, *, ready: bool = True, **settings: object) -> ConnectionId:
        """An agent who stays on the line, and is there."""
        self.agent(name, ready=ready, standing=True, **settings)
        return self.comes(name)

    def lost(self, leg: ConnectionId, cause: Cause = Cause.NORMAL_CLEARING, *, hung_up: bool = False) -> None:
        """It ends: by the agent's hand, or by what happens to lines."""
        self.tell(facts.ConnectionCleared(FS, leg, cause, cause.name, True if hung_up else None))

    def talks(self, queue: str = "sales", agent: str = "ann") -> InteractionId:
        """A call is put through."""
        call = self.waiting(queue)
        assert self.wanted(intents.Bridge), "it is put through at once"
        self.bridged(call, self.line(agent))
        assert self.state(agent) is BUSY
        return call

    def caller_leaves(self, call: InteractionId, agent: str = "ann") -> None:
        """The caller hangs up, and the agent's leg is parked."""
        self.hang_up(call)
        self.parks(self.line(agent))


@pytest.fixture
def s() -> Desk:
    story = Desk()
    story.queue("sales")
    return story


# -- on and off the line -----------------------------------------------------------------------------------------------


def test_log_on_rings_the_phone_once_and_nothing_is_offered_until_it_is_answered(s):
    s.agent("ann", standing=True)
    (ring,) = s.rung()
    assert (ring.contact, ring.agent, ring.switch) == ("user/ann", ANN, FS)
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, reason.LINE_DOWN)
    assert s.events(events.AgentNotReady)[-1].pending == "ready", "they are ready by themselves when it is up"
    call = s.waiting("sales")
    assert s.interaction(call).reservations == []
    s.comes()
    assert s.state("ann") is ALERTING, "and the waiting call is put through"
    s.bridged(call, s.line())
    assert s.state("ann") is BUSY
    assert len(s.rung()) == 1
    assert not s.offers()


def test_who_logs_on_without_being_ready_is_not_ready_when_the_line_is_up(s):
    s.agent("ann", ready=False, standing=True)
    s.comes()
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, reason.LOGGED_ON)
    s.ready("ann")
    assert s.state("ann") is READY
    assert len(s.rung()) == 1


def test_two_calls_in_a_row_without_another_ring(s):
    leg = s.stays("ann", wrap_up_s=0)
    told = []
    for _ in range(2):
        call = s.talks()
        told.append(s.events(events.Established, last=True)[0])
        assert s.interaction(call).agent == ANN
        s.hang_up(call)
        assert s.state("ann") is BUSY, "until the leg is free again"
        assert s.clears() == []
        s.parks(leg)
        assert s.is_over(call)
        assert s.state("ann") is READY
    assert [e.connection for e in told] == [leg, leg]
    assert len(s.rung()) == 1
    assert [e.connection for e in s.events(events.ConnectionCleared) if e.agent == ANN] == [leg, leg]
    assert s.figures("sales").answered == 2


def test_the_next_call_comes_as_the_last_one_ends(s):
    leg = s.stays("ann", wrap_up_s=0)
    first = s.talks()
    second = s.waiting("sales")
    s.hang_up(first)
    s.parks(leg)
    assert [
        type(i).__name__ for i in s.last if isinstance(i, intents.StandBy | intents.PutThrough | intents.Bridge)
    ] == [
        "StandBy",
        "PutThrough",
        "Bridge",
    ]
    s.bridged(second, leg)
    assert s.interaction(second).agent == ANN


def test_wrap_up_is_as_after_any_call(s):
    s.queue("slow", wrap_up_s=20.0)
    leg = s.stays("ann")
    call = s.talks("slow")
    s.hang_up(call)
    s.parks(leg)
    assert s.state("ann") is WORKING
    s.advance(20)
    assert s.state("ann") is READY


def test_who_ends_the_call_keeps_the_line(s):
    leg = s.stays("ann", wrap_up_s=0)
    call = s.talks()
    s.tell(services.ClearConnectionRequested(ANN))
    assert leg not in s.clears()
    assert s.caller_of(call) in s.clears()
    s.hang_up(call)
    s.parks(leg)
    assert s.state("ann") is READY
    assert s.standing() is StandingState.UP


def test_who_hangs_up_in_a_call_has_left_the_line(s):
    leg = s.stays("ann", wrap_up_s=5.0)
    call = s.talks()
    s.lost(leg, hung_up=True)
    s.hang_up(call)
    assert s.is_over(call)
    assert s.state("ann") is WORKING
    s.advance(5)
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, reason.LINE_DOWN)
    assert s.events(events.AgentNotReady)[-1].pending == "", "nobody rings them until they want it"
    s.advance(300)
    assert len(s.rung()) == 1
    s.ready("ann")
    assert len(s.rung()) == 2
    assert s.rung()[1].leg != leg
    s.comes()
    assert s.state("ann") is READY


def test_who_hangs_up_between_calls_is_offered_nothing(s):
    leg = s.stays("ann")
    s.lost(leg, hung_up=True)
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, reason.LINE_DOWN)
    s.waiting("sales")
    assert s.wanted(intents.Bridge) == []
    assert s.reservation("ann") is None
    s.advance(600)
    assert len(s.rung()) == 1


def test_a_loss_is_made_good_by_itself_a_few_times_and_further_and_further_apart(s):
    leg = s.stays("ann")
    s.advance(LASTS_S)
    s.lost(leg, Cause.NETWORK_OUT_OF_ORDER)
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, reason.LINE_DOWN)
    assert s.events(events.AgentNotReady)[-1].pending == "ready"
    rung = 1
    for wait_s in AGAIN_S:
        s.advance(wait_s - 0.1)
        assert len(s.rung()) == rung
        s.advance(0.1)
        rung += 1
        assert len(s.rung()) == rung
        s.failed(s.line(), Cause.DEST_OUT_OF_ORDER)
    assert s.standing() is StandingState.DOWN
    assert s.events(events.AgentNotReady)[-1].pending == "", "they have to say it themselves"
    s.advance(3600)
    assert len(s.rung()) == rung
    s.ready("ann")
    s.comes()
    assert s.state("ann") is READY


def test_a_connection_that_never_lasts_is_not_rung_for_ever(s):
    leg = s.stays("ann")
    for wait_s in AGAIN_S:
        s.lost(leg, Cause.NETWORK_OUT_OF_ORDER)
        s.advance(wait_s)
        leg = s.comes()
        assert s.state("ann") is READY
    s.lost(leg, Cause.NETWORK_OUT_OF_ORDER)
    assert s.standing() is StandingState.DOWN


def test_who_does_not_answer_is_rung_again_and_who_refuses_is_not(s):
    s.agent("ann", standing=True)
    leg = s.line()
    s.advance(RING_S)
    assert leg in s.clears()
    assert s.standing() is StandingState.WAITING
    s.cleared(leg, Cause.CALL_CANCELLED)
    s.advance(AGAIN_S[0])
    assert s.standing() is StandingState.RINGING
    s.failed(s.line(), Cause.CALL_CANCELLED)
    assert s.standing() is StandingState.DOWN


def test_a_phone_that_answers_after_it_was_given_up_is_let_go(s):
    s.agent("ann", standing=True)
    leg = s.line()
    s.advance(RING_S)
    s.parks(leg)
    assert s.clears() == [leg]
    assert s.standing() is StandingState.WAITING
    s.cleared(leg)
    assert not s.world.stray


def test_log_off_clears_the_line(s):
    leg = s.stays("ann")
    s.log_off("ann")
    assert s.clears() == [leg]
    assert s.state("ann") is NULL
    s.cleared(leg)
    assert not s.world.standing
    assert not s.world.standing_legs
    assert not s.world.stray
    assert s.timers == []


def test_a_leg_whose_end_is_lost_is_asked_for_again(s):
    leg = s.stays("ann")
    s.log_off("ann")
    s.advance(10)
    assert s.clears() == [leg]
    assert [i.connection for i in s.wanted(intents.CheckConnection)] == [leg]


def test_log_off_while_the_phone_rings(s):
    s.agent("ann", standing=True)
    leg = s.line()
    s.log_off("ann")
    assert s.clears() == [leg]
    s.tell(facts.Established(FS, leg))  # it had been answered at that moment (race 2)
    assert s.clears() == [leg]
    s.parks(leg)
    assert s.clears() == [leg]
    s.cleared(leg)
    assert not s.world.stray
    assert s.state("ann") is NULL


def test_whoever_is_logged_off_is_rung_for_nothing(s):
    leg = s.stays("ann")
    s.log_off("ann")
    s.cleared(leg)
    with pytest.raises(InvalidAgentState):
        s.ready("ann")
    assert not s.world.standing


def test_log_off_in_a_call_waits_for_its_end(s):
    leg = s.stays("ann", wrap_up_s=0)
    call = s.talks()
    s.log_off("ann")
    assert s.state("ann") is BUSY
    s.hang_up(call)
    s.parks(leg)
    assert s.state("ann") is NULL
    assert s.clears() == [leg]


def test_between_calls_they_hear_music_if_it_is_set(s):
    leg = s.stays("ann", standing_music="local_stream://moh", wrap_up_s=0)
    s.advance(BETWEEN_S)
    assert s.last == [intents.PlayBetweenCalls(FS, leg, "local_stream://moh")]
    first = s.talks()
    second = s.waiting("sales")
    s.hang_up(first)
    s.parks(leg)
    s.bridged(second, leg)
    s.advance(BETWEEN_S)
    assert not any(isinstance(i, intents.PlayBetweenCalls) for i in s.last), "nobody is played music in a call"


def test_the_tone_can_be_left_out(s):
    s.stays("ann", standing_tone=False)
    s.waiting("sales")
    (put,) = s.wanted(intents.PutThrough)
    assert (put.tone, put.agent, put.queue) == (False, ANN, "sales")


# -- settings ----------------------------------------------------------------------------------------------------------


def test_a_standing_connection_and_a_mobile_do_not_go_together():
    with pytest.raises(ConfigurationError, match="agent 'ann' has a standing connection and a mobile"):
        AgentSettings(ANN, "user/ann", standing=True, mobile="sofia/gateway/mobile/138")
    with pytest.raises(ConfigurationError, match="standing is 'yes'"):
        AgentSettings(ANN, "user/ann", standing="yes")  # type: ignore[arg-type]
    for music in ("a\nb", "it's", "a|b", 5):
        with pytest.raises(ConfigurationError, match="standing_music"):
            AgentSettings(ANN, "user/ann", standing=True, standing_music=music)  # type: ignore[arg-type]


def test_a_centre_of_several_switches_refuses_it(s):
    for name in ("fs", "north"):
        s.tell(facts.SwitchDefined(SwitchSettings(SwitchId(name))))
    with pytest.raises(ConfigurationError, match="to which only calls of the same switch can be put through"):
        s.agent("ann", standing=True)


def test_a_changed_setting_counts_from_the_next_log_on(s):
    leg = s.stays("ann")
    s.tell(facts.AgentDefined(AgentSettings(ANN, "user/ann")))
    assert s.state("ann") is READY
    s.waiting("sales")
    assert s.wanted(intents.PutThrough)[0].connection == leg


# -- races -------------------------------------------------------------------------------------------------------------


def test_the_caller_hangs_up_while_being_put_through(s):
    leg = s.stays("ann")
    call = s.waiting("sales")
    s.hang_up(call)
    assert s.figures("sales").abandoned == 1
    assert [i.connection for i in s.wanted(intents.StopListening)] == [leg], "which it may be stuck in the middle of"
    assert s.why("ann") == reason.LINE_BUSY
    s.parks(leg)
    assert s.state("ann") is READY
    assert s.is_over(call)
    s.talks()


def test_the_line_is_lost_while_a_call_is_put_through(s):
    leg = s.stays("ann")
    call = s.waiting("sales")
    younger = s.waiting("sales")
    s.lost(leg, Cause.NETWORK_OUT_OF_ORDER)
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, reason.LINE_DOWN)
    assert s.interaction(call).state is InteractionState.QUEUED
    assert s.waits("sales") == [call, younger], "in its place"
    assert s.world.agents[ANN].figures.no_answers == 0
    assert s.world.agents[ANN].figures.rejected == 0
    assert s.events(events.OfferEnded)[-1].outcome == "cancelled"
    s.advance(AGAIN_S[0])
    s.comes()
    s.bridged(call, s.line())
    assert s.interaction(call).agent == ANN


def test_not_ready_while_a_call_is_put_through_is_for_after_it(s):
    leg = s.stays("ann", wrap_up_s=0)
    call = s.waiting("sales")
    s.not_ready("ann")
    assert s.state("ann") is ALERTING
    s.bridged(call, leg)
    s.hang_up(call)
    s.parks(leg)
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, "lunch")


def test_ready_takes_back_what_was_asked_for_during_the_put_through(s):
    leg = s.stays("ann", wrap_up_s=0)
    call = s.waiting("sales")
    s.log_off("ann")
    s.ready("ann")
    s.bridged(call, leg)
    s.caller_leaves(call)
    assert s.state("ann") is READY


def test_ready_said_again_during_a_put_through_that_fails(s):
    leg = s.stays("ann")
    call = s.waiting("sales")
    s.not_ready("ann")
    s.ready("ann")
    s.hang_up(call)
    s.parks(leg)
    assert s.state("ann") is READY


def test_a_called_agents_line_is_not_let_go_with_the_one_who_called(s):
    own, called = s.stays("ann", wrap_up_s=0), s.stays("bob", wrap_up_s=0)
    s.tell(services.MakeCallRequested(ANN, ToAgent(BOB)))
    s.tell(facts.Bridged(FS, own, called))
    s.tell(services.HoldRequested(ANN))
    s.parks(own)
    s.parks(called)
    s.tell(services.RetrieveRequested(ANN))
    s.tell(facts.Bridged(FS, own, called))
    assert all(i.keep for i in s.intents if isinstance(i, intents.KeepCaller))
    s.tell(services.ClearConnectionRequested(BOB))
    s.parks(called)
    s.parks(own)
    assert (s.state("ann"), s.state("bob")) == (READY, READY)


@pytest.mark.parametrize("cleared_first", [True, False])
def test_what_was_asked_for_during_the_put_through_holds_though_it_fails(s, cleared_first):
    leg = s.stays("ann")
    call = s.waiting("sales")
    s.log_off("ann")
    if cleared_first:
        s.hang_up(call)
    else:
        s.lost(leg, Cause.NETWORK_OUT_OF_ORDER)
    assert s.state("ann") is NULL
    s.parks(leg)
    s.cleared(leg)
    assert not s.world.standing_legs


def test_who_is_sent_elsewhere_while_being_put_through_is_not_torn_out_of_the_bridge(s):
    leg = s.stays("ann")
    call = s.waiting("sales")
    s.clear(call)
    assert s.wanted(intents.StopListening) == [], "the caller is being hung up, and the leg parks by itself"
    s.cleared(ConnectionId("caller-1"))
    s.advance(1)
    assert [i.connection for i in s.wanted(intents.StopListening)] == [leg], "or is taken out, should it not"
    s.parks(leg)
    assert s.state("ann") is READY


def test_a_bridge_that_comes_up_too_late_is_taken_apart(s):
    leg = s.stays("ann")
    call = s.waiting("sales")
    s.divert(call, ToScript("elsewhere"))
    assert not any(isinstance(i, intents.StopListening) for i in s.last)
    s.bridged(call, leg)
    assert [i.connection for i in s.wanted(intents.StopListening)] == [leg]
    s.parks(leg)
    assert s.state("ann") is READY
    assert s.interaction(call).state is InteractionState.OFFERED


def test_a_bridge_that_never_comes_up(s):
    leg = s.stays("ann")
    call = s.waiting("sales")
    s.advance(3.0)
    s.advance(1.0)
    assert s.interaction(call).state is not InteractionState.ESTABLISHED
    s.parks(leg)
    assert s.wanted(intents.Bridge), "tried again"


# -- what else they do -------------------------------------------------------------------------------------------------


def test_hold_and_retrieve(s):
    leg = s.stays("ann", wrap_up_s=0)
    call = s.talks()
    s.tell(services.HoldRequested(ANN))
    caller = s.caller_of(call)
    s.parks(caller)
    s.parks(leg)
    s.tell(services.RetrieveRequested(ANN))
    s.bridged(call, leg)
    assert s.interaction(call).talk is TalkState.TALKING
    kept = [i for i in s.intents if isinstance(i, intents.KeepCaller) and i.connection == leg]
    assert all(i.keep for i in kept), "the line is never let go with its caller"
    s.caller_leaves(call)
    assert s.state("ann") is READY


def test_consult_and_transfer_to_another_who_stands(s):
    leg, other = s.stays("ann", wrap_up_s=0), ConnectionId("")
    call = s.talks()
    other = s.stays("bob", wrap_up_s=0)
    s.tell(services.ConsultationRequested(ANN, ToAgent(BOB)))
    caller = s.caller_of(call)
    s.parks(caller)
    s.parks(leg)
    s.tell(facts.Bridged(FS, leg, other))
    assert s.interaction(call).talk is TalkState.CONSULTING
    assert s.state("bob") is BUSY
    s.tell(services.TransferRequested(ANN))
    s.parks(leg)
    assert [i.connection for i in s.wanted(intents.StopListening)] == [leg]
    s.parks(other)
    s.tell(facts.Bridged(FS, caller, other))
    s.parks(leg)
    assert s.state("ann") is READY
    assert s.interaction(call).agent == BOB
    s.caller_leaves(call, "bob")
    assert s.state("bob") is READY
    assert len(s.rung("ann")) == len(s.rung("bob")) == 1


def test_consulting_a_number_that_is_not_reached(s):
    leg = s.stays("ann", wrap_up_s=0)
    s.tell(services.DestinationsDefined((Destination("9*", "sofia/gateway/out/{number}"),)))
    call = s.talks()
    s.tell(services.ConsultationRequested(ANN, ToNumber("9123")))
    s.parks(s.caller_of(call))
    s.parks(leg)
    out = s.interaction(call).consulted
    assert out is not None
    s.failed(out, Cause.BUSY)
    assert s.interaction(call).talk is TalkState.HELD
    s.tell(services.RetrieveRequested(ANN))
    s.bridged(call, leg)
    s.caller_leaves(call)
    assert s.state("ann") is READY


def test_a_conference_ends_for_one_and_their_line_stays(s):
    leg = s.stays("ann", wrap_up_s=0)
    call = s.talks()
    other = s.stays("bob", wrap_up_s=0)
    s.tell(services.SingleStepConferenceRequested(ANN, ToAgent(BOB)))
    assert s.interaction(call).talk is TalkState.CONFERENCE
    assert s.state("bob") is BUSY
    s.tell(services.ClearConnectionRequested(BOB))
    assert [i.connection for i in s.wanted(intents.StopListening)] == [other]
    s.parks(other)
    assert s.state("bob") is READY
    assert s.state("ann") is BUSY
    s.hang_up(call)
    s.parks(leg)
    assert s.state("ann") is READY
    assert s.is_over(call)


def test_a_call_they_make_goes_out_by_the_line(s):
    leg = s.stays("ann", ready=False)
    s.tell(services.DestinationsDefined((Destination("9*", "sofia/gateway/out/{number}"),)))
    s.tell(services.MakeCallRequested(ANN, ToNumber("9123")))
    (out,) = s.wanted(intents.MakeConnection)
    assert out.agent is None, "their own phone is not rung"
    s.tell(facts.Established(FS, out.leg))
    s.parks(out.leg)
    assert [(i.connection, i.other) for i in s.wanted(intents.Bridge)] == [(leg, out.leg)]
    s.tell(facts.Bridged(FS, leg, out.leg))
    s.cleared(out.leg)
    s.parks(leg)
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, reason.LOGGED_ON)
    assert s.standing() is StandingState.UP


def test_without_the_line_no_call_can_be_made(s):
    leg = s.stays("ann")
    s.lost(leg, hung_up=True)
    s.tell(services.DestinationsDefined((Destination("9*", "sofia/gateway/out/{number}"),)))
    with pytest.raises(InvalidAgentState, match="standing connection, which is not up"):
        s.tell(services.MakeCallRequested(ANN, ToNumber("9123")))


def test_whoever_stands_cannot_listen_in(s):
    s.stays("ann", ready=False)
    s.agent("bob")
    s.talking("bob", "sales")
    with pytest.raises(InvalidAgentState, match="agent 'ann' has a standing connection"):
        s.tell(services.SupervisionRequested(ANN, agent=BOB))


def test_the_caller_goes_on_after_the_call(s):
    s.queue("asked", after_call=ToScript("survey"))
    leg = s.stays("ann", wrap_up_s=0)
    call = s.talks("asked")
    s.tell(services.ClearConnectionRequested(ANN))
    assert [i.connection for i in s.wanted(intents.StopListening)] == [leg]
    s.parks(s.caller_of(call))
    s.parks(leg)
    assert s.state("ann") is READY
    assert s.events(events.Diverted)[-1].to_script == "survey"


def test_ring_all_goes_to_one_of_them_and_the_others_stay(s):
    s.queue("all", strategy="ring-all")
    one, two = s.stays("ann", wrap_up_s=0), s.stays("bob", wrap_up_s=0)
    call = s.waiting("all")
    (bridge,) = s.wanted(intents.Bridge)
    winner, loser = ("ann", two) if bridge.other == one else ("bob", one)
    s.bridged(call, bridge.other)
    s.parks(loser)
    assert s.state(winner) is BUSY
    assert s.state("bob" if winner == "ann" else "ann") is READY


def test_callers_are_not_told_to_play_what_they_would_only_hear_in_the_call(s):
    """FreeSWITCH plays within the bridge what a leg has not begun before it."""
    s.queue("music", music="local_stream://moh")
    leg = s.stays("ann")
    call = s.waiting("music")
    assert s.wanted(intents.Bridge)
    assert s.wanted(intents.StartTreatment) == []
    s.bridged(call, leg)
    s.waiting("music")
    assert [i.music for i in s.wanted(intents.StartTreatment)] == ["local_stream://moh"]


def test_a_voice_message_is_heard_by_the_line_and_the_agent_ends_that_by_their_screen(s):
    """Hanging up would end the line."""
    leg = s.stays("ann", wrap_up_s=0)
    message = leave(s, InteractionKind.VOICEMAIL, "sales")
    assert s.state("ann") is BUSY
    assert s.wanted(intents.Bridge) == []
    s.clear(message)
    assert [i.connection for i in s.wanted(intents.StopListening)] == [leg]
    s.parks(leg)
    assert s.state("ann") is READY
    assert s.is_over(message)
    assert len(s.rung()) == 1


# -- phones, links, restarts -------------------------------------------------------------------------------------------


def test_a_registration_that_expires_takes_nobody_off_the_line(s):
    s.stays("ann")
    s.tell(device_facts.DeviceOutOfService(FS, DeviceId("ann")))
    assert s.state("ann") is READY


def test_a_phone_that_is_away_is_rung_when_it_is_back(s):
    s.agent("ann", standing=True)
    s.tell(device_facts.DeviceOutOfService(FS, DeviceId("ann")))
    s.failed(s.line(), Cause.DEST_NOT_OBTAINABLE)
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, reason.PHONE_DOWN) or s.why("ann") == reason.LINE_DOWN
    s.advance(600)
    assert len(s.rung()) == 1, "not while it cannot ring"
    s.tell(device_facts.DeviceInService(FS, DeviceId("ann")))
    assert len(s.rung()) == 2
    s.comes()
    assert s.state("ann") is READY


def test_without_a_link_it_is_rung_when_there_is_one():
    s = Desk(live=False)
    s.queue("sales")
    s.agent("ann", standing=True)
    assert s.rung() == []
    s.link_up()
    s.advance(5)
    s.comes()
    assert s.state("ann") is READY


def test_a_lost_link_loses_no_line(s):
    leg = s.stays("ann")
    s.link_lost()
    s.link_up(standing_seen(leg))
    assert s.state("ann") is READY
    assert len(s.rung()) == 1
    s.talks()


def test_a_line_that_went_while_the_link_was_down(s):
    leg = s.stays("ann")
    call = s.talks()
    s.link_lost()
    s.link_up(s.seen(s.caller_of(call)))
    assert s.world.standing[ANN].state is StandingState.WAITING
    s.hang_up(call)
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, reason.LINE_DOWN)
    s.advance(AGAIN_S[0])
    assert s.comes() != leg
    assert s.state("ann") is READY


def test_a_restart_of_the_switch_loses_them_all_and_rings_them_one_after_the_other(s):
    for name in ("ann", "bob"):
        s.stays(name)
    s.link_lost()
    s.link_up(restarted=True)
    assert [s.why(name) for name in ("ann", "bob")] == [reason.LINE_DOWN] * 2
    s.advance(AGAIN_S[0])
    assert (len(s.rung("ann")), len(s.rung("bob"))) == (2, 1)
    s.advance(0.1)
    assert len(s.rung("bob")) == 2


def standing_seen(leg: ConnectionId, agent: AgentId = ANN, **more: object) -> facts.ChannelSeen:
    from cti.model.connection import Side

    return facts.ChannelSeen(leg, established=True, agent=agent, standing=agent, side=Side.AGENT, **more)  # type: ignore[arg-type]


LEG, CALLER = ConnectionId("leg-before"), ConnectionId("caller-before")


def test_after_our_restart_the_line_is_taken_up_again_when_its_agent_is_back():
    s = Desk(live=False)
    s.queue("sales")
    s.link_up(standing_seen(LEG))
    assert s.events(events.Offered) == [], "nobody takes it for a caller"
    assert s.clears() == []
    s.agent("ann", standing=True)
    assert s.state("ann") is READY
    assert s.rung() == []
    s.talks()


def test_whoever_does_not_come_back_is_let_go():
    s = Desk(live=False)
    s.link_up(standing_seen(LEG))
    s.advance(120)
    assert s.clears() == [LEG]
    s.cleared(LEG)
    assert not s.world.standing


def test_after_our_restart_in_a_call():
    s = Desk(live=False)
    s.queue("sales")
    s.tell(facts.AgentDefined(AgentSettings(ANN, "user/ann", standing=True, wrap_up_s=0)))
    talk = InteractionId("0190-talk")
    s.link_up(
        standing_seen(LEG, bridged_to=CALLER, interaction=talk),
        facts.ChannelSeen(
            CALLER, "+441", "", "5000", established=True, bridged_to=LEG, interaction=talk, queue="sales"
        ),  # type: ignore[arg-type]
    )
    assert s.interaction(talk).agent == ANN
    s.log_on("ann", ready=True)
    assert s.state("ann") is BUSY
    s.hang_up(talk)
    s.parks(LEG)
    assert s.rung() == []
    assert s.standing() is StandingState.UP
    s.ready("ann")
    assert s.state("ann") is READY


def test_what_was_being_rung_before_us_is_let_go():
    from attrs import evolve

    s = Desk(live=False)
    s.link_up(evolve(standing_seen(LEG), established=False))
    assert s.clears() == [LEG]


# -- who dials in ------------------------------------------------------------------------------------------------------


def dials_in(s: Desk, agent: str = "ann") -> ConnectionId:
    """A caller turns out to be an agent."""
    call = s.call("5999", established=True)
    leg = s.caller_of(call)
    s.tell(services.StandingConnectionRequested(call, AgentId(agent)))
    assert s.is_over(call)
    assert leg not in s.world.connections
    return leg


def test_an_agent_who_dials_in_stays_on_the_line(s):
    s.agent("ann", standing=True, standing_rings=False, wrap_up_s=0)
    assert s.rung() == []
    assert (s.state("ann"), s.why("ann")) == (NOT_READY, reason.LINE_DOWN)
    assert s.events(events.AgentNotReady)[-1].pending == "ready"
    leg = dials_in(s)
    tags = s.wanted(intents.TagConnection)[-1].tags
    assert (tags["cti_standing"], tags["cti_agent"], tags["cti_interaction"]) == ("ann", "ann", "")
    assert s.events(events.Diverted)[-1].destination == "standing:ann"
    s.parks(leg)
    assert s.state("ann") is READY
    call = s.talks()
    s.caller_leaves(call)
    assert s.state("ann") is READY
    s.lost(leg, hung_up=True)
    assert (s.state("ann"), s.standing()) == (NOT_READY, StandingState.DOWN)
    s.advance(300)
    assert s.rung() == []
    s.parks(dials_in(s))
    assert s.state("ann") is READY, "as they wanted to be"
    s.log_off("ann")
    assert s.clears()


def test_who_dials_in_while_being_rung_is_rung_no_more(s):
    s.agent("ann", standing=True)
    ringing = s.line()
    leg = dials_in(s)
    assert ringing in s.clears()
    s.parks(leg)
    assert s.line() == leg
    assert s.state("ann") is READY
    s.cleared(ringing)
    assert s.standing() is StandingState.UP


def test_the_call_of_an_agents_own_phone_is_no_own_call_when_it_stays(s):
    s.agent("ann", standing=True, standing_rings=False)
    call = s.call("5999", established=True)
    own = device_facts.OwnCallBegan(
        FS, DeviceId("ann"), s.caller_of(call), incoming=False, number="5999", established=True
    )
    s.tell(own)
    assert s.why("ann") in (reason.NON_ACD_CALL, reason.LINE_DOWN)
    leg = s.caller_of(call)
    s.tell(services.StandingConnectionRequested(call, ANN))
    s.parks(leg)
    s.tell(own)  # a snapshot lists it again
    assert s.state("ann") is READY


def test_who_cannot_stay_on_the_line_is_told_why(s):
    s.agent("ann", standing=True, standing_rings=False)
    s.agent("bob")
    call = s.call("5999", established=True)
    with pytest.raises(InvalidAgentState, match="agent 'bob' is logged on without a standing connection"):
        s.tell(services.StandingConnectionRequested(call, BOB))
    s.parks(dials_in(s))
    with pytest.raises(ResourceBusy, match="on the line already"):
        s.tell(services.StandingConnectionRequested(call, ANN))
    s.log_off("ann")
    with pytest.raises(InvalidAgentState, match="logged off"):
        s.tell(services.StandingConnectionRequested(call, ANN))
    waits = s.waiting("sales")
    with pytest.raises(InvalidConnection, match="script's hands"):
        s.tell(services.StandingConnectionRequested(waits, ANN))

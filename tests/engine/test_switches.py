"""Several switches in one centre: whose phone is where, which is drained, and what ends when one is lost."""

from __future__ import annotations

import pytest

from cti.engine.view import switches_view
from cti.errors import ConfigurationError, InvalidConnection, UnknownSwitch
from cti.model import device_facts, events, facts, intents, services
from cti.model.agent import AgentSettings
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, DeviceId, InteractionId, QueueId, SwitchId
from cti.model.interaction import InteractionKind
from cti.model.overflow import ToDestination
from cti.model.party import ToAgent
from cti.model.states import AgentState, InteractionState
from cti.model.supervision import Mode
from cti.model.switch import SwitchSettings, TieLine
from cti.model.trunk_facts import TrunksListed
from cti.store.codec import Codec
from cti.store.snapshot import restore, take

from .calling_back import CallingBack
from .story import FS, Story
from .test_messages import leave

NORTH, SOUTH = SwitchId("north"), SwitchId("south")
ANN, BOB = AgentId("ann"), AgentId("bob")
SIP = {NORTH: "192.0.2.1:5090", SOUTH: "192.0.2.2:5090"}


class Two(Story):
    """Ann's phone is at the north switch, Bob's at the south; each takes a queue of their own."""

    def __init__(self, **settings: object) -> None:
        super().__init__(live=False)
        for name in (NORTH, SOUTH):
            more = {"sip": SIP[name], "lost_after_s": 30.0, **settings}
            self.tell(facts.SwitchDefined(SwitchSettings(name, **more)))
            self.link_up(switch=name)
        self.queue("ann", requires="ann")
        self.queue("bob", requires="bob", wrap_up_s=0)
        self.agent("ann", contact="user/1001", switch=NORTH, skills={"ann": 1})
        self.agent("bob", contact="user/1001", switch=SOUTH, skills={"bob": 1})

    def comes(self, queue: str, switch: SwitchId = NORTH) -> InteractionId:
        call = self.call(switch=switch)
        self.enqueue(call, queue)
        return call

    def offer(self, agent: str) -> intents.OfferCall:
        return next(i for i in reversed(self.intents) if isinstance(i, intents.OfferCall) and i.agent == agent)

    def bob_talks(self, queue: str = "bob") -> InteractionId:
        """A caller at the north switch talks with Bob, whose phone is at the south one."""
        call = self.comes(queue)
        self.take("bob")
        return call

    def drain(self, switch: SwitchId, *, drain: bool = True) -> None:
        self.tell(services.DrainRequested(switch, drain))

    def details(self) -> list[str]:
        return [event.detail for event in self.events(events.SystemStatus) if event.detail]

    def tie(self, leg: ConnectionId, channel: str = "tie") -> None:
        self.tell(facts.Tied(SOUTH, ConnectionId(channel), leg, NORTH))


@pytest.fixture
def two() -> Two:
    return Two()


def test_an_agent_at_one_switch_takes_calls_that_came_in_at_another(two):
    call = two.call(switch=NORTH)
    two.enqueue(call, "bob", policy="4711")
    offer = two.offer("bob")
    assert (offer.switch, offer.contact) == (NORTH, "user/1001")
    assert offer.tie == TieLine(NORTH, SOUTH, SIP[SOUTH], "peers")
    assert offer.data == {"policy": "4711"}
    leg = two.take("bob")
    assert (two.leg(leg).switch, two.leg(leg).via) == (NORTH, SOUTH)
    assert two.state("bob") is AgentState.BUSY


def test_at_the_same_switch_there_is_no_tie(two):
    two.comes("bob", SOUTH)
    assert two.offer("bob").tie is None
    assert two.leg(two.offered_leg("bob")).via is None


def test_a_phone_of_no_switch_is_dialled_from_wherever_the_call_is(two):
    two.queue("cy", requires="cy")
    two.agent("cy", contact="sofia/gateway/mobile/1", skills={"cy": 1})
    two.comes("cy", SOUTH)
    assert (two.offer("cy").switch, two.offer("cy").tie) == (SOUTH, None)


def test_the_same_contact_at_two_switches_is_two_phones(two):
    assert {two.state("ann"), two.state("bob")} == {AgentState.READY}
    two.log_off("ann")
    assert list(two.world.phones.values()) == ["bob"]


def test_the_agents_of_a_switch_that_cannot_be_reached_are_not_ready_and_come_back(two):
    two.link_lost(SOUTH)
    assert (two.state("bob"), two.why("bob")) == (AgentState.NOT_READY, "PHONE_DOWN")
    assert two.state("ann") is AgentState.READY
    call = two.comes("bob")
    assert two.ringing(call) == []
    two.link_up(switch=SOUTH)
    assert two.ringing(call) == ["bob"]


def test_who_asked_to_be_not_ready_meanwhile_stays_so(two):
    two.link_lost(SOUTH)
    two.not_ready("bob", "lunch")
    two.link_up(switch=SOUTH)
    assert (two.state("bob"), two.why("bob")) == (AgentState.NOT_READY, "lunch")


def test_who_asks_to_be_ready_meanwhile_is_when_it_is_back(two):
    two.not_ready("bob")
    two.link_lost(SOUTH)
    two.ready("bob")
    assert (two.state("bob"), two.why("bob")) == (AgentState.NOT_READY, "PHONE_DOWN")
    two.link_up(switch=SOUTH)
    assert two.state("bob") is AgentState.READY


def test_an_offer_on_its_way_to_a_switch_that_is_lost_is_withdrawn_and_the_caller_keeps_the_place(two):
    call = two.comes("bob")
    leg = two.offered_leg("bob")
    two.link_lost(SOUTH)
    assert leg in two.clears()
    assert two.state("bob") is AgentState.NOT_READY
    assert two.interaction(call).state is InteractionState.QUEUED
    two.cleared(leg)
    two.link_up(switch=SOUTH)
    assert two.ringing(call) == ["bob"]


def test_a_call_in_hand_goes_on_while_the_link_to_its_agents_switch_is_down(two):
    call = two.bob_talks()
    two.link_lost(SOUTH)
    assert two.state("bob") is AgentState.BUSY
    two.advance(10)
    two.link_up(switch=SOUTH)
    assert two.interaction(call).state is InteractionState.ESTABLISHED
    two.ends("bob")
    assert two.state("bob") is AgentState.READY


def test_a_lost_switch_ends_its_own_calls_and_no_others(two):
    at_north, at_south = two.comes("ann"), two.comes("bob", SOUTH)
    two.take("ann")
    two.take("bob")
    waiting = two.comes("bob", SOUTH)
    two.link_lost(SOUTH)
    two.advance(29)
    assert not two.is_over(at_south)
    two.advance(2)
    assert two.is_over(at_south)
    assert two.is_over(waiting)
    assert {e.cause for e in two.events(events.ConnectionCleared)} == {Cause.SWITCHING_FUNCTION_TERMINATED}
    assert [e.state for e in two.events(events.CallCleared)] == ["lost", "lost"]
    assert two.figures("bob").lost == 1
    assert two.interaction(at_north).state is InteractionState.ESTABLISHED
    assert (two.state("ann"), two.state("bob")) == (AgentState.BUSY, AgentState.NOT_READY)
    assert two.details() == ["lost, with 2 calls"]
    two.link_up(switch=SOUTH, restarted=True)
    assert two.state("bob") is AgentState.READY


def test_without_a_limit_a_switch_is_waited_for():
    two = Two(lost_after_s=None)
    call = two.comes("bob", SOUTH)
    two.take("bob")
    two.link_lost(SOUTH)
    two.advance(3600)
    assert not two.is_over(call)


def test_the_attempts_to_reach_a_lost_switch_do_not_put_off_its_end(two):
    call = two.comes("bob", SOUTH)
    two.link_lost(SOUTH)
    for _ in range(8):
        two.advance(4)
        two.tell(facts.LinkConnecting(SOUTH))
        two.link_lost(SOUTH)
    assert two.is_over(call)


def test_a_caller_whose_agents_switch_is_lost_goes_back_to_the_queue(two):
    two.agent("bea", contact="user/1002", switch=NORTH, skills={"bob": 1}, ready=False)
    call = two.bob_talks()
    leg = two.world.agents[BOB].connection
    caller = two.caller_of(call)
    two.link_lost(SOUTH)
    two.advance(31)
    assert two.wanted(intents.Separate) == [intents.Separate(NORTH, caller, leg)]
    two.tell(facts.Parked(NORTH, caller))
    assert leg in two.clears()
    assert two.interaction(call).state is InteractionState.QUEUED
    two.cleared(leg)
    assert two.state("bob") is AgentState.NOT_READY
    two.ready("bea")
    assert two.ringing(call) == ["bea"]


def test_so_does_one_whose_agents_switch_has_been_started_again(two):
    call = two.bob_talks()
    caller = two.caller_of(call)
    two.link_lost(SOUTH)
    two.link_up(switch=SOUTH, restarted=True)
    two.tell(facts.Parked(NORTH, caller))
    assert two.interaction(call).state is InteractionState.QUEUED


def test_calls_that_were_given_up_are_new_ones_when_their_switch_comes_back_with_them(two):
    call = two.comes("bob", SOUTH)
    leg = two.take("bob")
    caller = two.caller_of(call)
    seen = [two.seen(caller, bridged_to=leg), two.seen(leg, bridged_to=caller)]
    two.link_lost(SOUTH)
    two.advance(31)
    two.link_up(*seen, switch=SOUTH)
    again = two.world.connections[caller].interaction
    assert again != call
    assert two.interaction(again).state is InteractionState.ESTABLISHED
    assert two.state("bob") is AgentState.BUSY


def test_callers_who_wait_on_a_switch_that_was_given_up_have_their_places_when_it_comes_back(two):
    two.not_ready("bob")
    calls = [two.comes("bob", SOUTH) for _ in range(2)]
    unix = [two.world.ids.unix(two.interaction(call).queued_at) for call in calls]
    seen = [
        two.seen(two.caller_of(call), queue=QueueId("bob"), queued_at=at) for call, at in zip(calls, unix, strict=True)
    ]
    two.link_lost(SOUTH)
    two.advance(31)
    new = two.comes("bob")
    two.link_up(*reversed(seen), switch=SOUTH)
    assert len(two.waits("bob")) == 3
    assert two.waits("bob")[-1] == new
    assert not set(calls) & set(two.world.interactions), "nothing follows a Call Cleared"


# -- drained --------------------------------------------------------------------------------------------------------


def test_a_drained_switch_takes_no_new_call_and_ends_those_that_are_there(two):
    call = two.comes("bob", SOUTH)
    two.take("bob")
    two.drain(SOUTH)
    two.tell(facts.Offered(SOUTH, ConnectionId("late"), "1", "", "5000"))
    (offered,) = two.events(events.Offered, last=True)
    assert offered.cause is Cause.RESOURCES_NOT_AVAILABLE
    (clear,) = two.wanted(intents.ClearConnection)
    assert (clear.connection, clear.cause) == ("late", Cause.RESOURCES_NOT_AVAILABLE)
    two.cleared(ConnectionId("late"))
    assert two.details() == ["draining"]
    two.ends("bob")
    assert two.is_over(call)
    assert two.details() == ["draining", "drained"]
    assert (two.state("bob"), two.why("bob")) == (AgentState.NOT_READY, "PHONE_DOWN")
    two.drain(SOUTH, drain=False)
    assert two.state("bob") is AgentState.READY
    assert two.world.draining == {}


def test_new_calls_of_a_drained_switch_go_where_it_says():
    two = Two(drain=ToDestination("6000"))
    two.drain(SOUTH)
    two.tell(facts.Offered(SOUTH, ConnectionId("late"), "1", "", "5000"))
    (diverted,) = two.wanted(intents.DivertConnection)
    assert diverted.destination == "6000"
    assert two.world.interactions == {}


def test_a_drained_switch_is_not_drained_while_one_of_its_agents_talks_on_another(two):
    call = two.bob_talks()
    two.drain(SOUTH)
    assert two.details() == ["draining"]
    assert two.state("bob") is AgentState.BUSY
    two.ends("bob")
    assert two.is_over(call)
    assert two.details() == ["draining", "drained"]


def test_its_waiting_callers_are_still_answered_by_others(two):
    two.not_ready("ann")
    waiting = two.comes("ann", SOUTH)
    two.drain(SOUTH)
    two.ready("ann")
    assert two.ringing(waiting) == ["ann"]


def test_calls_are_made_elsewhere_while_a_switch_is_drained(two):
    two.not_ready("bob")
    two.drain(SOUTH)
    two.tell(services.MakeCallRequested(BOB, ToAgent(ANN)))
    (made,) = two.wanted(intents.MakeConnection)
    assert (made.switch, made.tie.to) == (NORTH, SOUTH)
    two.drain(NORTH)
    two.agent("cy", contact="x", ready=False)
    two.agent("dee", contact="y")
    with pytest.raises(InvalidConnection, match="drained"):
        two.tell(services.MakeCallRequested(AgentId("cy"), ToAgent(AgentId("dee"))))


def test_draining_twice_or_nothing_at_all(two):
    two.drain(SOUTH)
    two.drain(SOUTH)
    assert two.details() == ["draining", "drained"]
    with pytest.raises(UnknownSwitch, match="south"):
        two.drain(SwitchId("souht"))


# -- ties -----------------------------------------------------------------------------------------------------------


def test_a_tie_is_nobodys_call(two):
    two.bob_talks()
    leg = two.world.agents[BOB].connection
    two.tie(leg)
    assert len(two.world.interactions) == 1
    two.cleared(leg)
    two.tell(facts.ConnectionCleared(SOUTH, ConnectionId("tie"), Cause.NORMAL_CLEARING, ""))
    assert two.world.ties == {}


def test_a_tie_in_a_snapshot_is_no_new_caller(two):
    two.bob_talks()
    leg = two.world.agents[BOB].connection
    two.snapshot(
        facts.ChannelSeen(ConnectionId("tie"), established=True, tied_to=leg, tied_from=NORTH),
        facts.ChannelSeen(ConnectionId("phone"), bridged_to=ConnectionId("tie"), tied_to=leg, tied_from=NORTH),
        switch=SOUTH,
    )
    assert set(two.world.ties) == {"tie", "phone"}
    assert len(two.world.interactions) == 1
    assert two.clears() == []


def test_a_tie_that_outlives_its_leg_is_ended(two):
    two.bob_talks()
    leg = two.world.agents[BOB].connection
    two.tie(leg)
    two.ends("bob")
    two.advance(6)
    assert intents.ClearConnection(SOUTH, ConnectionId("tie"), Cause.NORMAL_CLEARING) in two.last
    two.advance(10)
    assert "tie" in two.clears(), "asked once only"


def supervises(two: Two) -> ConnectionId:
    """Bob, whose phone is at the south switch, listens to Ann's call at the north one."""
    two.comes("ann")
    two.take("ann")
    two.not_ready("bob")
    two.tell(services.SupervisionRequested(BOB, Mode.MONITOR, agent=ANN))
    (leg,) = two.world.supervisions
    return leg


def test_the_tie_of_a_supervisor_ends_with_their_leg(two):
    """The switch that the leg was on has died, and tells the other nothing."""
    two.tie(supervises(two))
    two.link_lost(switch=NORTH)
    two.link_up(switch=NORTH, restarted=True)
    assert not two.world.supervisions
    two.advance(5.0)
    assert "tie" in two.clears()


def test_a_switch_is_drained_when_the_last_supervisor_has_left_it(two):
    leg = supervises(two)
    two.drain(NORTH)
    two.ends("ann")
    assert "drained" not in two.details()
    two.tell(services.SupervisionEndRequested(BOB))
    two.tell(facts.ConnectionCleared(NORTH, leg, Cause.NORMAL_CLEARING, ""))
    assert two.details()[-1] == "drained"


def test_an_agent_freed_by_a_snapshot_gets_the_call_that_is_due_to_them(two):
    """The message waits on the switch that is back, and is in its place only when all of the snapshot has been looked at."""
    two.log_off("ann")
    message = leave(two, InteractionKind.VOICEMAIL, "bob", switch=NORTH)
    two.advance(1.0)
    later = two.comes("bob", SOUTH)
    assert two.ringing(message) == [BOB]
    two.link_lost(switch=NORTH)
    two.link_up(switch=NORTH, restarted=True)
    assert two.ringing(message) == [BOB]
    assert two.waits("bob") == [later]


def test_a_tie_is_left_alone_while_nobody_can_say_whether_its_leg_lives(two):
    two.link_lost(NORTH)
    two.tie(ConnectionId("unknown"))
    two.advance(20)
    assert not [i for i in two.intents if isinstance(i, intents.ClearConnection)]
    two.advance(20)  # the north switch is given up
    assert intents.ClearConnection(SOUTH, ConnectionId("tie"), Cause.NORMAL_CLEARING) in two.intents


def test_an_agent_who_hangs_up_while_the_callers_switch_cannot_be_reached_is_free(two):
    two.bob_talks()
    leg = two.world.agents[BOB].connection
    two.tie(leg)
    two.tie(leg, "phone")
    two.link_lost(NORTH)
    two.tell(facts.ConnectionCleared(SOUTH, ConnectionId("phone"), Cause.NORMAL_CLEARING, ""))
    assert two.state("bob") is AgentState.BUSY
    two.tell(facts.ConnectionCleared(SOUTH, ConnectionId("tie"), Cause.NORMAL_CLEARING, ""))
    assert two.state("bob") is AgentState.READY


def test_a_tie_told_of_after_its_end_is_forgotten(two):
    two.bob_talks()
    leg = two.world.agents[BOB].connection
    two.tell(facts.ConnectionCleared(SOUTH, ConnectionId("tie"), Cause.NORMAL_CLEARING, ""))
    two.tie(leg)
    assert two.world.ties == {}


# -- services -------------------------------------------------------------------------------------------------------


def test_a_consulted_agent_is_reached_over_a_tie(two):
    call = two.comes("ann")
    two.take("ann")
    two.tell(services.ConsultationRequested(ANN, ToAgent(BOB)))
    assert (two.offer("bob").switch, two.offer("bob").tie.to) == (NORTH, SOUTH)
    assert two.interaction(call).consulted == two.offer("bob").leg


def test_an_agents_own_call_begins_at_their_own_switch(two):
    two.not_ready("bob")
    two.tell(services.MakeCallRequested(BOB, ToAgent(ANN)))
    (made,) = two.wanted(intents.MakeConnection)
    assert (made.switch, made.tie) == (SOUTH, None)


def test_a_supervisor_is_rung_again_where_the_next_call_of_their_agent_is(two):
    two.agent("eve", contact="user/1009", switch=SOUTH, ready=False)
    two.comes("bob", SOUTH)
    two.take("bob")
    two.tell(services.SupervisionRequested(AgentId("eve"), mode=Mode.MONITOR, agent=BOB))
    (made,) = two.wanted(intents.MakeConnection)
    assert (made.switch, made.tie) == (SOUTH, None)
    two.tell(facts.Parked(SOUTH, made.leg))
    two.tell(facts.Tapped(SOUTH, two.world.agents[BOB].connection))
    two.ends("bob")
    two.comes("bob")
    two.take("bob")
    assert made.leg in [i.connection for i in two.intents if isinstance(i, intents.ClearConnection)]
    two.tell(facts.ConnectionCleared(SOUTH, made.leg, Cause.NORMAL_CLEARING, ""))
    (again,) = two.wanted(intents.MakeConnection)
    assert (again.switch, again.tie.to) == (NORTH, SOUTH)
    (known,) = two.world.supervisions.values()
    assert (known.agent, known.mode, known.switch) == (BOB, Mode.MONITOR, NORTH)


# -- settings -------------------------------------------------------------------------------------------------------


def test_settings_that_cannot_work_are_refused():
    with pytest.raises(ConfigurationError, match="sip"):
        SwitchSettings(NORTH, sip="no address")
    with pytest.raises(ConfigurationError, match="profile"):
        SwitchSettings(NORTH, profile="a/b")
    with pytest.raises(ConfigurationError, match="drain"):
        SwitchSettings(NORTH, drain=3)
    two = Two()
    with pytest.raises(UnknownSwitch, match="north"):
        two.tell(facts.AgentDefined(AgentSettings(AgentId("x"), "user/1", switch=SwitchId("nort"))))
    with pytest.raises(ConfigurationError, match="'bob' is at switch 'south', which has no SIP address"):
        two.tell(facts.SwitchDefined(SwitchSettings(SOUTH)))


def test_a_switch_that_is_removed_takes_its_calls_with_it(two):
    call = two.comes("bob", SOUTH)
    two.take("bob")
    two.tell(facts.SwitchRemoved(SOUTH))
    assert two.is_over(call)
    assert SOUTH not in two.world.links


def test_all_of_it_is_in_a_snapshot(two):
    two.bob_talks()
    two.tie(two.world.agents[BOB].connection)
    two.comes("bob", SOUTH)
    two.drain(NORTH)
    two.link_lost(SOUTH)
    two.advance(31)
    picture, lost = take(two.engine, Codec())
    assert lost == ()
    again = Story(live=False)
    assert restore(again.engine, picture, Codec()) == ()
    assert take(again.engine, Codec())[0] == picture
    assert {tie.leg for tie in again.world.ties.values()} == {tie.leg for tie in two.world.ties.values()}
    assert (again.world.draining, again.world.lost) == ({NORTH: False}, {SOUTH})
    assert again.world.agents[BOB].home == SOUTH


# -- callbacks ------------------------------------------------------------------------------------------------------


def with_another() -> CallingBack:
    """The switch of the story, and another one."""
    story = CallingBack("customer")
    for name in (FS, NORTH):
        story.tell(facts.SwitchDefined(SwitchSettings(name, sip="192.0.2.1:5090", lost_after_s=30.0)))
    story.link_up(switch=NORTH)
    return story


@pytest.mark.parametrize("how", ["lost", "drained", "lost first"])
def test_a_callback_is_made_by_another_switch_when_its_own_is_lost_or_drained(how):
    story = with_another()
    call = story.taken()
    assert story.interaction(call).switch == FS
    if how == "lost first":  # nobody else is there at first
        story.link_lost(NORTH)
    if how == "drained":
        story.tell(services.DrainRequested(FS))
    else:
        story.link_lost()
        story.advance(31)
    if how == "lost first":
        assert story.interaction(call).switch == FS
        story.link_up(switch=NORTH)
    assert story.interaction(call).switch == NORTH
    story.agent("ann", contact="user/ann")
    story.advance(1)
    assert [i.switch for i in story.intents if isinstance(i, intents.MakeConnection | intents.OfferCall)] == [NORTH]


# -- where a phone is that no switch is configured of ------------------------------------------------------------------


@pytest.fixture
def eve(two) -> Two:
    """Eve's phone may register at either switch."""
    two.queue("eve", requires="eve")
    two.agent("eve", contact="user/1003", skills={"eve": 1})
    return two


def at(two: Story, switch: SwitchId, *, registered: bool = True) -> None:
    two.tell(device_facts.DeviceInService(switch, DeviceId("1003"), registered))


def left(two: Two, switch: SwitchId) -> None:
    two.tell(device_facts.DeviceOutOfService(switch, DeviceId("1003")))


def test_a_phone_is_at_the_switch_at_which_it_has_registered_last(eve):
    left(eve, NORTH)
    at(eve, SOUTH, registered=False)
    eve.comes("eve")
    assert eve.offer("eve").tie == TieLine(NORTH, SOUTH, SIP[SOUTH], "peers")
    eve.failed(eve.offer("eve").leg, Cause.BUSY)
    eve.clear(next(iter(eve.world.interactions)))
    at(eve, NORTH)  # it has moved, and the other switch has not noticed yet
    eve.ready("eve")
    eve.comes("eve")
    assert eve.offer("eve").tie is None
    assert {view.id: view.agents for view in switches_view(eve.world)} == {NORTH: 2, SOUTH: 1}


def test_whoever_is_at_a_switch_that_is_lost_is_not_ready_until_the_phone_registers_at_another(eve):
    at(eve, SOUTH)
    left(eve, NORTH)
    eve.link_lost(SOUTH)
    assert (eve.state("eve"), eve.why("eve")) == (AgentState.NOT_READY, "PHONE_DOWN")
    at(eve, NORTH)
    assert eve.state("eve") is AgentState.READY
    eve.link_up(switch=SOUTH)
    at(eve, SOUTH, registered=False)  # as that switch has it on disk
    eve.comes("eve", SOUTH)
    assert eve.offer("eve").tie == TieLine(SOUTH, NORTH, SIP[NORTH], "peers")


def test_one_whom_both_switches_reach_without_a_registration_is_dialled_from_wherever_the_call_is(eve):
    at(eve, NORTH, registered=False)
    at(eve, SOUTH, registered=False)
    eve.comes("eve", SOUTH)
    assert eve.offer("eve").tie is None


def test_the_configured_switch_wins(two):
    two.tell(device_facts.DeviceInService(NORTH, DeviceId("1001"), registered=True))
    two.comes("bob")
    assert two.offer("bob").tie == TieLine(NORTH, SOUTH, SIP[SOUTH], "peers")


def test_a_learned_switch_that_the_others_have_no_way_to_is_not_gone_through():
    story = Story(live=False)
    for name in (NORTH, SOUTH):
        story.tell(facts.SwitchDefined(SwitchSettings(name)))  # no sip, as no agent is configured to be at one
        story.link_up(switch=name)
    story.queue("eve")
    story.agent("eve", contact="user/1003")
    at(story, SOUTH)
    story.enqueue(story.call(switch=NORTH), "eve")
    assert [(offer.switch, offer.tie) for offer in story.wanted(intents.OfferCall)] == [(NORTH, None)]


# -- offers that are lost between two switches -------------------------------------------------------------------------


def way(two: Two) -> list[tuple[str, str]]:
    return [(e.trunk, e.status) for e in two.events(events.TrunkStatus)]


def test_nobody_is_blamed_for_an_offer_of_which_their_switch_has_not_heard(two):
    two.agent("eve", skills={"bob": 1}, switch=NORTH)
    call = two.comes("bob")
    leg = two.offer("bob").leg
    two.originated(leg)
    two.advance(4.9)
    assert two.state("bob") is AgentState.RESERVED
    two.advance(0.2)
    ended = two.events(events.OfferEnded)[-1]
    assert (ended.agent, ended.outcome, ended.cause) == (BOB, "failed", Cause.NETWORK_OUT_OF_ORDER)
    assert (two.state("bob"), two.why("bob"), two.world.agents[BOB].no_answers) == (
        AgentState.NOT_READY,
        "CONN_DOWN",
        0,
    )
    assert two.offer("eve").interaction == call
    assert way(two) == [("tie:south", "out of service")]
    two.take("eve")
    two.advance(20)
    assert two.state("bob") is AgentState.READY
    two.comes("bob")  # the next is found out sooner
    two.advance(1.6)
    assert two.why("bob") == "CONN_DOWN"
    two.advance(15)
    two.originated(two.offer("bob").leg)
    two.tie(two.offer("bob").leg)
    two.advance(10)
    assert two.state("bob") is AgentState.RESERVED  # it rings there, as far as is known
    assert way(two)[-1] == ("tie:south", "in service")


@pytest.mark.parametrize("cause", [Cause.CALL_NOT_ANSWERED, Cause.DEST_OUT_OF_ORDER])
def test_nor_for_one_that_sip_has_given_up(two, cause):
    two.comes("bob")
    two.failed(two.offer("bob").leg, cause)
    assert (two.why("bob"), two.world.agents[BOB].no_answers) == ("CONN_DOWN", 0)
    assert way(two) == [("tie:south", "out of service")]


def test_nor_for_one_that_may_ring_for_a_moment_only(two):
    two.queue("bob", requires="bob", ring_timeout_s=3)
    two.comes("bob")
    two.advance(3.1)
    assert two.why("bob") == "CONN_DOWN"


def test_a_phone_that_rings_and_is_not_answered_is_its_agents(two):
    two.comes("bob")
    leg = two.offer("bob").leg
    two.tie(leg)
    two.advance(10)
    two.delivered(leg)
    two.advance(11)
    assert two.why("bob") == "RNA"
    assert way(two) == []


def test_a_phone_that_is_busy_before_its_switch_has_told_of_the_call_is_busy(two):
    two.comes("bob")
    two.failed(two.offer("bob").leg, Cause.BUSY)
    assert two.why("bob") == "OFFHOOK"
    assert way(two) == []


def test_nothing_is_known_of_the_way_while_the_other_link_is_down(two):
    two.comes("bob")
    two.link_lost(SOUTH)
    two.advance(30)
    assert way(two) == []


def test_a_mobile_rings_when_the_phone_at_the_desk_cannot_be_got_to(two):
    two.agent(
        "bob", logged_on=False, contact="user/1001", switch=SOUTH, skills={"bob": 1}, mobile="m/1", mobile_after_s=15
    )
    two.comes("bob")
    two.advance(5.1)
    mobile = two.offer("bob")
    assert (mobile.contact, mobile.tie) == ("m/1", None)
    assert two.state("bob") is AgentState.RESERVED
    two.established(mobile.leg)
    assert two.wanted(intents.Bridge)[-1].other == mobile.leg
    assert way(two) == [("tie:south", "out of service")]


def test_the_list_of_gateways_does_not_forget_the_way_to_another_switch(two):
    two.comes("bob")
    two.advance(6)
    two.tell(TrunksListed(NORTH, ()))
    assert list(two.world.trunks[NORTH]) == ["tie:south"]

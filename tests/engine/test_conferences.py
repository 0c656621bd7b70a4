"""Conferences as things: who is in them, in which way, and what is told of it."""

from __future__ import annotations

import random

import pytest
from attrs import evolve

from cti.engine.view import view
from cti.model import events, facts, intents, services
from cti.model.conference import Participation
from cti.model.connection import Side
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId
from cti.model.party import ToAgent
from cti.model.states import AgentState, TalkState
from cti.model.supervision import Mode
from cti.model.switch import SwitchSettings
from cti.store import Codec
from cti.store.plain import packer, unpack
from cti.store.snapshot import restore, take

from .story import FS, Story
from .test_talk import ANN, Desk

ACTIVE, SILENT, NONE = Participation.ACTIVE, Participation.SILENT, Participation.NONE


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.agent("dan")
    made.agent("eve", ready=False)
    made.advance(10)
    return made


def confer(desk: Desk) -> ConnectionId:
    leg = desk.consult()
    desk.tell(services.ConferenceRequested(ANN))
    return leg


def members(desk: Desk) -> dict[str, Participation]:
    """Who is in the one conference, by the picture; and that what was told last says the same."""
    (found,) = view(desk.world).conferences
    (last,) = desk.events(events.ConferenceChanged)[-1:]
    assert (last.conference, last.owner, last.members) == (found.id, found.owner, found.members)
    return {each.agent or each.side: each.participation for each in found.members}


def test_a_conference_is_made_joined_and_left(desk):
    assert view(desk.world).conferences == ()
    bob_leg = confer(desk)
    assert members(desk) == {"ann": ACTIVE, "bob": ACTIVE, "caller": ACTIVE}
    (known,) = view(desk.world).conferences
    assert (known.owner, known.queue, known.since, known.interaction) == ("ann", "claims", 10, desk.call_id)
    desk.advance(5)
    desk.tell(services.SingleStepConferenceRequested(ANN, ToAgent(AgentId("dan"))))
    assert members(desk)["dan"] is NONE
    dan_leg = desk.answers("dan")
    desk.park(dan_leg)
    assert members(desk)["dan"] is ACTIVE
    since = {each.agent: each.since for each in view(desk.world).conferences[0].members}
    assert since == {None: 10, "ann": 10, "bob": 10, "dan": 15}
    desk.cleared(desk.ann_leg)
    assert set(members(desk)) == {"bob", "dan", "caller"}
    assert view(desk.world).conferences[0].owner in ("bob", "dan")
    desk.cleared(bob_leg)
    desk.cleared(dan_leg)
    assert view(desk.world).conferences == ()
    assert desk.events(events.ConferenceChanged)[-1].members == ()
    told = len(desk.events(events.ConferenceChanged))
    desk.hang_up(desk.call_id)
    assert len(desk.events(events.ConferenceChanged)) == told


def test_a_supervisor_is_in_it_silently_until_they_speak(desk):
    confer(desk)
    desk.tell(services.SupervisionRequested(AgentId("eve"), Mode.MONITOR, agent=ANN))
    (leg,) = desk.world.supervisions
    desk.tell(facts.Parked(FS, leg))
    assert "eve" not in members(desk)
    desk.tell(facts.Tapped(FS, desk.world.supervisions[leg].target))
    assert members(desk)["eve"] is SILENT
    desk.tell(services.SupervisionRequested(AgentId("eve"), Mode.BARGE))
    desk.tell(facts.Tapped(FS, desk.world.supervisions[leg].target))
    assert members(desk)["eve"] is ACTIVE
    desk.cleared(leg)
    assert "eve" not in members(desk)


def test_without_its_caller_it_is_the_same_conference(desk):
    confer(desk)
    (before,) = view(desk.world).conferences
    desk.cleared(desk.caller)
    assert members(desk) == {"ann": ACTIVE, "bob": ACTIVE}
    (after,) = view(desk.world).conferences
    assert (after.id, after.since) == (before.id, before.since)


def test_a_snapshot_holds_it(desk):
    confer(desk)
    picture, lost = take(desk.engine, Codec(), None)
    assert not lost
    copy = Story(live=False, now=desk.now)
    assert restore(copy.engine, unpack(packer().pack(picture)), Codec(), random.Random()) == ()
    assert view(copy.world).conferences == view(desk.world).conferences


# -- found in a snapshot ----------------------------------------------------------------------------------------------

ROOM = InteractionId("room")


def member(name: str, side: Side, agent: str = "", room: InteractionId = ROOM) -> facts.ChannelSeen:
    return facts.ChannelSeen(
        ConnectionId(name),
        calling_number="+441",
        established=True,
        interaction=room,
        agent=AgentId(agent) if agent else None,
        side=side,
        conferring=True,
    )


def test_a_conference_that_nobody_remembers_goes_on():
    """Our process was killed, and has no journal: who confers is on a call, and is offered nothing."""
    story = Story(live=False)
    story.queue("sales")
    story.agent("ann")
    story.link_up(member("caller", Side.CALLER), member("ann's", Side.AGENT, "ann"), member("bob's", Side.AGENT, "bob"))
    story.agent("bob")
    call = story.interaction(ROOM)
    assert (call.caller, call.agent, call.talk) == ("caller", "ann", TalkState.CONFERENCE)
    assert [story.state(each) for each in ("ann", "bob")] == [AgentState.BUSY] * 2
    assert story.events(events.ConferenceChanged)
    story.waiting("sales")
    assert story.offers() == []
    story.hang_up(ROOM)
    assert not story.is_over(ROOM)
    story.cleared(ConnectionId("bob's"))
    assert story.clears() == ["ann's"]
    story.cleared(ConnectionId("ann's"))
    assert ROOM not in story.world.interactions
    assert story.state("bob") is AgentState.ALERTING or story.reservation("bob") is not None


def test_who_is_alone_in_a_conference_that_nobody_remembers_is_let_go():
    story = Story(live=False)
    story.link_up(member("bob's", Side.AGENT, "bob"))
    assert story.clears() == ["bob's"]
    assert not story.world.interactions


def test_a_conference_of_a_lost_switch_is_another_call_when_it_is_back():
    """Its call was given up for lost, and nothing follows a Call Cleared: who talk are moved into a room of a new name."""
    story = Story()
    story.tell(facts.SwitchDefined(SwitchSettings(FS, lost_after_s=10.0)))
    story.queue("sales")
    story.agent("ann")
    room = story.talking("ann", "sales")
    legs = {story.caller_of(room): Side.CALLER, story.world.agents[AgentId("ann")].connection: Side.AGENT}
    story.link_lost()
    story.advance(11.0)
    assert room not in story.world.interactions
    story.link_up(*(member(leg, side, "ann" if side is Side.AGENT else "", room) for leg, side in legs.items()))
    (call,) = story.world.interactions.values()
    assert call.id != room
    assert story.state("ann") is AgentState.BUSY
    joins = [i for i in story.intents if isinstance(i, intents.JoinConference)]
    assert {(i.connection, i.conference) for i in joins} == {(leg, call.id) for leg in legs}


# -- a consultation found in a snapshot -------------------------------------------------------------------------------


@pytest.mark.parametrize("far", ["agent", "outside"])
def test_a_consultation_that_nobody_remembers_goes_on_beside_its_caller(far):
    """Our process was killed, and has no journal: the two who talk are on a call, and the held caller is in the queue again."""
    story = Story(live=False)
    story.queue("sales")
    story.agent("ann")
    story.agent("bob")
    held = facts.ChannelSeen(
        ConnectionId("caller"), "+441", established=True, interaction=ROOM, queue=QueueId("sales"), queued_at=1.0
    )
    anns, others = ConnectionId("ann's"), ConnectionId("other's")
    own = evolve(member("ann's", Side.AGENT, "ann"), conferring=False, bridged_to=others, reservation="room/1")
    other = evolve(member("other's", Side.OTHER), conferring=False, bridged_to=anns)
    if far == "agent":
        other = evolve(other, side=Side.AGENT, agent=AgentId("bob"), reservation="room/2")
    story.link_up(held, own, other)
    assert story.state("ann") is AgentState.BUSY
    assert (story.state("bob") is AgentState.BUSY) == (far == "agent")
    assert story.interaction(ROOM).queue == "sales"
    beside = story.leg(anns).interaction
    assert beside == story.leg(others).interaction != ROOM
    story.cleared(anns)
    story.cleared(others)
    assert beside not in story.world.interactions
    assert ROOM in story.world.interactions

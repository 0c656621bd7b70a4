"""Conferences as things: who is in them, in which way, and what is told of it."""

from __future__ import annotations

import random

import pytest

from cti.engine.view import view
from cti.model import events, facts, services
from cti.model.conference import Participation
from cti.model.ids import AgentId, ConnectionId
from cti.model.party import ToAgent
from cti.model.supervision import Mode
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

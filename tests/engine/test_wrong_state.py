"""Every service in every state of a conversation: it does what the table says, or names the state and changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cti.errors import InvalidConnection, StateIncompatibility
from cti.model import events, intents, services
from cti.model.calling import (
    AnswerRequested,
    ClearCallRequested,
    DialDigitsRequested,
    IntrudeRequested,
    JoinRequested,
    MakeConnectionRequested,
)
from cti.model.ids import QueueId
from cti.model.overflow import ToQueue
from cti.model.party import ToAgent, ToNumber
from cti.model.states import AgentState, TalkState

from .test_talk import ANN, BOB, Desk

T = TalkState


def talking(desk: Desk) -> None:
    assert desk.talk is T.TALKING


def held(desk: Desk) -> None:
    desk.hold()


def calling(desk: Desk) -> None:
    desk.tell(services.ConsultationRequested(ANN, ToNumber("9123")))
    desk.park(desk.caller, desk.ann_leg)


def consulting(desk: Desk) -> None:
    desk.consult()


def alternated(desk: Desk) -> None:
    leg = desk.consult()
    desk.tell(services.AlternateRequested(ANN))
    desk.park(desk.ann_leg, leg)
    desk.pair(desk.caller, desk.ann_leg)


def conference(desk: Desk) -> None:
    desk.consult()
    desk.tell(services.ConferenceRequested(ANN))


def nothing(desk: Desk) -> None:
    """Ann has no call."""
    call = desk.call_id
    desk.ends("ann")
    assert desk.is_over(call)


STATES: dict[str, tuple[Callable[[Desk], None], TalkState | None]] = {
    "talking": (talking, T.TALKING),
    "held": (held, T.HELD),
    "calling": (calling, T.CALLING),
    "consulting": (consulting, T.CONSULTING),
    "alternated": (alternated, T.ALTERNATED),
    "conference": (conference, T.CONFERENCE),
    "no call": (nothing, None),
}
SERVICES: dict[str, tuple[services.Service, set[str]]] = {
    "hold": (services.HoldRequested(ANN), {"talking", "held"}),
    "retrieve": (services.RetrieveRequested(ANN), {"talking", "held"}),
    "consult an agent": (services.ConsultationRequested(ANN, ToAgent(BOB)), {"talking", "held"}),
    "consult a number": (services.ConsultationRequested(ANN, ToNumber("9123")), {"talking", "held"}),
    "alternate": (services.AlternateRequested(ANN), {"consulting", "alternated"}),
    "reconnect": (
        services.ReconnectRequested(ANN),
        {"talking", "held", "calling", "consulting", "alternated"},
    ),
    "transfer": (services.TransferRequested(ANN), {"consulting", "alternated"}),
    "conference": (services.ConferenceRequested(ANN), {"consulting", "alternated"}),
    "single step transfer": (
        services.SingleStepTransferRequested(ANN, ToQueue(QueueId("loans"))),
        {"talking", "held", "calling", "consulting", "alternated"},
    ),
    "park": (services.ParkRequested(ANN), {"talking", "held", "calling", "consulting", "alternated"}),
    # Bob is in the conference, and nobody else is there to be invited.
    "single step conference": (services.SingleStepConferenceRequested(ANN, ToAgent(BOB)), {"talking"}),
    "generate digits": (
        services.DigitsRequested(ANN, "1"),
        {"talking", "consulting", "alternated"},
    ),
    "clear connection": (
        services.ClearConnectionRequested(ANN),
        {"talking", "held", "calling", "consulting", "alternated", "conference"},
    ),
    "single step conference of a number": (
        services.SingleStepConferenceRequested(ANN, ToNumber("9123")),
        {"talking", "conference"},
    ),
    "clear call": (
        ClearCallRequested(ANN),
        {"talking", "held", "calling", "consulting", "alternated", "conference"},
    ),
    # Bob is ready where he has not been consulted; where he has been, he is busy, and says so.
    "join": (JoinRequested(BOB, ANN), {"talking"}),
    "intrude": (IntrudeRequested(BOB, ANN), {"talking"}),
    "answer": (AnswerRequested(ANN), set()),
    "make connection": (MakeConnectionRequested(ANN), {"no call"}),
    "dial digits": (DialDigitsRequested(ANN, "9123"), set()),
    "make call": (services.MakeCallRequested(ANN, ToNumber("9123")), {"no call"}),
    "deflect": (services.DeflectRequested(ANN, ToQueue(QueueId("loans"))), set()),
    "pick up": (services.DirectedPickupRequested(ANN, BOB), set()),
    "unpark": (services.UnparkRequested(ANN, "701"), set()),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_carried_out_or_refused_and_then_nothing_is_changed(service, state):
    desk = Desk()
    prepare, talk = STATES[state]
    prepare(desk)
    if talk is not None:
        assert desk.talk is talk
    fact, possible = SERVICES[service]
    before = desk.picture()
    if state in possible:
        desk.tell(fact)  # the story checks all invariants
        return
    with pytest.raises(StateIncompatibility) as refused:
        desk.tell(fact)
    assert desk.picture() == before
    said = str(refused.value)
    assert "ann" in said or "bob" in said or "place" in said
    states = [state.value for kind in (AgentState, TalkState) for state in kind]
    assert any(state in said for state in states) or "has no call" in said or "nobody waits" in said
    if isinstance(refused.value, InvalidConnection) and talk is not None and service not in _OTHER:
        assert talk.value in said
        assert "possible" in said


_OTHER = {"deflect", "pick up", "generate digits", "single step conference", "answer", "join", "intrude", "dial digits"}
"""These are about something else than the conversation: they say what that lacks."""


@pytest.mark.parametrize(
    "number",
    ["9,1", "9|1", "9{a=b}", "9[a=b]", "9^^:1", "9;1", "9 1", "9'1", '9"1', "9\n1", "9\r1", "9&x", "9:_:1", "\uff19"],
)
def test_no_number_can_become_anything_else_than_a_number(number):
    desk = Desk()
    before = desk.picture()
    for ask in (
        lambda: services.ConsultationRequested(ANN, ToNumber(number)),
        lambda: services.MakeCallRequested(BOB, ToNumber(number)),
    ):
        with pytest.raises(Exception, match=r"may not be called|number is"):
            desk.tell(ask())
    assert desk.picture() == before
    assert [i for i in desk.intents if isinstance(i, intents.MakeConnection)] == []
    assert desk.heard(events.Originated) == []

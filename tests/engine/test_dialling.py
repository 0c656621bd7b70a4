"""Make Connection and Dial Digits: an agent's phone first, then the number, at once or stage by stage."""

from __future__ import annotations

import pytest

from cti.errors import ConfigurationError, DestinationNotAllowed, InvalidAgentState, InvalidConnection
from cti.model import events, facts, intents
from cti.model.calling import DialDigitsRequested, MakeConnectionRequested
from cti.model.cause import Cause
from cti.model.ids import InteractionId
from cti.model.states import AgentState, TalkState

from .story import FS
from .test_made_calls import ANN, Making

TONES = (intents.StartTreatment, intents.StopTreatment)


class Dialling(Making):
    """Ann's phone is being connected."""

    def __init__(self) -> None:
        super().__init__()
        self.tell(MakeConnectionRequested(ANN, wrap_up_s=5))
        call = self.world.agents[ANN].interaction
        assert call is not None
        self.call_id: InteractionId = call
        self.start = len(self.intents)

    def dial(self, digits: str, *, more: bool = False) -> None:
        self.tell(DialDigitsRequested(ANN, digits, more))

    def since(self, *kinds: type) -> list:
        found = [i for i in self.intents[self.start :] if isinstance(i, kinds)]
        self.start = len(self.intents)
        return found

    def called(self) -> list[str]:
        """The contacts that have been called, but for Ann's."""
        return [i.contact for i in self.intents if isinstance(i, intents.MakeConnection)][1:]

    def heard_of(self, kind: type) -> list:
        return [i.event for i in self.intents if isinstance(i, intents.Notify) and isinstance(i.event, kind)]


@pytest.fixture
def s() -> Dialling:
    return Dialling()


def test_the_phone_is_connected_then_the_number_is_dialled_and_answered(s):
    assert [e.cause for e in s.heard_of(events.ServiceInitiated)] == [Cause.MAKE_CONNECTION]
    assert s.state("ann") is AgentState.BUSY
    s.pick_up()
    (tone,) = s.since(*TONES)
    assert "350,440" in tone.music
    s.dial("9", more=True)
    assert s.since(*TONES) == [intents.StopTreatment(FS, s.own)]
    s.dial("12", more=True)
    assert s.called() == []
    s.dial("3")
    assert s.called() == ["sofia/gateway/trunk/9123"]
    assert [(e.digits, e.called_number) for e in s.heard_of(events.DigitsDialled)] == [
        ("9", "9"),
        ("12", "912"),
        ("3", "9123"),
    ]
    assert [e.to for e in s.heard_of(events.Originated)] == ["9123"]
    far = s.caller_of(s.call_id)
    s.delivered(far)
    s.established(far)
    s.tell(facts.Parked(FS, far))
    s.tell(facts.Bridged(FS, s.own, far))
    assert s.interaction(s.call_id).talk is TalkState.TALKING
    s.ends("ann")
    assert s.state("ann") is AgentState.WORKING_AFTER_CALL
    s.advance(5)
    assert s.state("ann") is AgentState.READY
    assert s.timers == []


def test_digits_before_the_phone_is_answered_are_kept_for_then(s):
    s.dial("91", more=True)
    s.dial("23")
    assert s.called() == []
    s.pick_up()
    assert s.called() == ["sofia/gateway/trunk/9123"]


def test_digits_to_which_no_more_come_are_the_number(s):
    s.pick_up()
    s.dial("912", more=True)
    s.advance(4)
    s.dial("3", more=True)
    s.advance(4.9)
    assert s.called() == []
    s.advance(0.2)
    assert s.called() == ["sofia/gateway/trunk/9123"]


@pytest.mark.parametrize("digits", ["", "0900"])
def test_no_digits_or_a_number_that_is_not_allowed_end_it_in_time(s, digits):
    s.pick_up()
    own = s.own
    if digits:
        s.dial(digits, more=True)
        s.advance(5)
    else:
        s.advance(30)
    (cleared,) = s.since(intents.ClearConnection)
    assert (cleared.connection, cleared.cause) == (own, Cause.DEST_NOT_OBTAINABLE if digits else Cause.TIMEOUT)
    s.cleared(own)
    assert s.is_over(s.call_id)
    assert s.called() == []
    s.advance(5)
    assert s.state("ann") is AgentState.READY


def test_a_number_that_is_not_allowed_is_refused_and_its_digits_are_not_taken(s):
    s.pick_up()
    s.dial("91", more=True)
    before = s.picture()
    with pytest.raises(InvalidConnection, match="is no number"):
        s.dial("1" * 63)
    assert s.picture() == before
    other = Dialling()
    other.pick_up()
    before = other.picture()
    with pytest.raises(DestinationNotAllowed):
        other.dial("0900")
    assert other.picture() == before
    other.dial("9")
    assert other.called() == ["sofia/gateway/trunk/9"]


def test_the_phone_is_not_answered_or_put_down_while_dialling(s):
    s.dial("9", more=True)
    s.advance(20)  # the phone has rung for long enough
    s.cleared(s.own)
    assert s.is_over(s.call_id)
    other = Dialling()
    other.pick_up()
    other.dial("9", more=True)
    other.cleared(other.own)
    other.advance(60)
    assert other.called() == []
    assert other.is_over(other.call_id)
    assert other.state("ann") is AgentState.READY


def test_what_cannot_be_dialled_and_when(s):
    for digits in ("", "12a", "1 2", "1\n2", "9{a}", "1" * 65, "9,1"):
        with pytest.raises(ConfigurationError, match="digits are"):
            DialDigitsRequested(ANN, digits)
    with pytest.raises(InvalidAgentState, match="is busy; 'make connection' is not possible"):
        s.tell(MakeConnectionRequested(ANN))
    s.pick_up()
    s.dial("9123")
    with pytest.raises(InvalidConnection, match="waits for no digits"):
        s.dial("4")
    s.link_lost()
    talking = Making()
    with pytest.raises(InvalidConnection, match="has no call; 'dial digits' needs one"):
        talking.tell(DialDigitsRequested(ANN, "1"))

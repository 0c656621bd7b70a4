"""Trunks in the engine: told when they change, counted when calls outside fail."""

from __future__ import annotations

import pytest

from cti.engine.view import switches_view
from cti.model import events, facts, intents
from cti.model.cause import Cause
from cti.model.ids import TrunkId
from cti.model.states import DeviceState
from cti.model.switch import SwitchSettings
from cti.model.trunk_facts import TrunkSeen, TrunksListed

from .story import FS, Story

A, B = TrunkId("a"), TrunkId("b")


@pytest.fixture
def s() -> Story:
    story = Story()
    story.tell(facts.SwitchDefined(SwitchSettings(FS)))
    return story


def trunks(s: Story) -> dict[str, tuple[DeviceState, str]]:
    [view] = switches_view(s.world)
    return {each.id: (each.state, each.detail) for each in view.trunks}


def told(s: Story, fact: facts.Fact) -> list[tuple[str, str, str]]:
    said = [intent.event for intent in s.tell(fact) if isinstance(intent, intents.Notify)]
    return [(e.trunk, e.status, e.detail) for e in said if isinstance(e, events.TrunkStatus)]


def test_a_list_and_changes(s):
    both = TrunksListed(FS, (TrunkSeen(FS, A, True), TrunkSeen(FS, B, False, "registration FAIL_WAIT")))
    assert told(s, both) == [("b", "out of service", "registration FAIL_WAIT")]
    assert told(s, both) == []
    assert trunks(s) == {
        "a": (DeviceState.IN_SERVICE, ""),
        "b": (DeviceState.OUT_OF_SERVICE, "registration FAIL_WAIT"),
    }
    assert told(s, TrunkSeen(FS, A, False, "registration FAILED 403 Forbidden")) == [
        ("a", "out of service", "registration FAILED 403 Forbidden")
    ]
    assert told(s, TrunkSeen(FS, A, False)) == []
    assert trunks(s)["a"] == (DeviceState.OUT_OF_SERVICE, "registration FAILED 403 Forbidden")
    assert told(s, TrunkSeen(FS, A, True)) == [("a", "in service", "")]
    assert told(s, TrunksListed(FS, (TrunkSeen(FS, A, True),))) == []
    assert trunks(s) == {"a": (DeviceState.IN_SERVICE, "")}


def test_nobody_knows_while_the_link_is_down(s):
    told(s, TrunkSeen(FS, A, True))
    s.tell(facts.LinkLost(FS))
    assert trunks(s) == {"a": (DeviceState.UNKNOWN, "")}


def test_a_switch_that_is_removed_takes_its_trunks_along(s):
    told(s, TrunkSeen(FS, A, True))
    s.tell(facts.SwitchRemoved(FS))
    assert s.world.trunks == {}


def test_calls_outside_that_fail_for_the_way_are_counted_by_cause(s):
    s.queue("sales")
    caller = s.caller_of(s.waiting("sales"))
    s.tell(facts.ConnectionCleared(FS, caller, Cause.DEST_OUT_OF_ORDER, "MEDIA_TIMEOUT"))
    other = s.caller_of(s.waiting("sales"))
    s.tell(facts.ConnectionCleared(FS, other, Cause.NORMAL_CLEARING, "NORMAL_CLEARING"))
    [view] = switches_view(s.world)
    assert view.trunk_failures == {"MEDIA_TIMEOUT": 1}

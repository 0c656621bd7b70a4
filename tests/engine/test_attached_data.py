"""Attached data: what may be attached, who sees them, and how they survive us."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.errors import DataRefused, TooMuchData
from cti.model import events, facts, intents
from cti.model.attached_data import MOST_BYTES, MOST_KEYS, as_much_as_fits, attached, pack, unpack
from cti.model.connection import Side
from cti.model.ids import ConnectionId, InteractionId, QueueId
from cti.script.secret import Secret
from cti.switch import tags

from .story import FS, Story

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
keys = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=20)


@given(st.dictionaries(keys, plain, max_size=5))
def test_whatever_may_be_attached_comes_back_from_a_channel_as_it_was(data):
    kept = attached({}, data)
    written = tags.tag_data(kept)
    assert tags.untag_data(written) == kept
    assert not set(written) & set(";{}[],|:^= '\"\\\n"), "it could become another command"


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
def test_whatever_stands_in_our_variable_is_read_without_harm(text):
    assert isinstance(tags.untag_data(text), dict)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"a": object()}, "a: object"),
        ({"policy": {"holder": [1, {2, 3}]}}, r"policy\.holder\[1\]: set"),
        ({"pin": Secret("1234")}, "pin: Secret"),
        ({"n": 1 << 64}, "n: a whole number"),
        ({"x": float("nan")}, "x: a number must be finite"),
        ({"m": {1: 2}}, "m: keys must be text"),
        ({"": 1}, "a key must have"),
        ({"a\nb": 1}, "a key must have"),
        ({5: 1}, "a key must have"),
        ({"when": datetime(2026, 1, 1)}, "when: datetime"),  # noqa: DTZ001 - that is what it is about
    ],
)
def test_what_is_odd_is_refused_by_its_key(data, named):
    with pytest.raises(DataRefused, match=named):
        attached({}, data)


def test_too_much_is_refused_by_its_key_and_nothing_is_attached():
    s = Story()
    call = s.call()
    s.tell(facts.DataAttached(call, {"kept": 1}))
    with pytest.raises(TooMuchData, match="'long'"):
        s.tell(facts.DataAttached(call, {"long": "x" * MOST_BYTES, "short": 1}))
    with pytest.raises(TooMuchData, match="keys"):
        s.tell(facts.DataAttached(call, {f"k{n}": n for n in range(MOST_KEYS + 1)}))
    deep: Any = 1
    for _ in range(9):
        deep = [deep]
    with pytest.raises(TooMuchData, match="nested"):
        s.tell(facts.DataAttached(call, {"deep": deep}))
    assert s.interaction(call).data == {"kept": 1}


def test_a_call_whose_data_is_refused_stays_where_it_is():
    s = Story()
    s.queue("sales")
    call = s.call()
    with pytest.raises(DataRefused, match="who"):
        s.enqueue(call, "sales", who=object())
    assert s.interaction(call).queue is None
    s.enqueue(call, "sales", who="ann")
    assert s.interaction(call).data == {"who": "ann"}


def test_what_is_attached_is_a_copy():
    given_data = {"list": [1, (2, 3)]}
    kept = attached({}, given_data)
    given_data["list"].append(4)
    assert kept == {"list": [1, [2, 3]]}
    assert attached(kept, {"list": None, "when": datetime(2026, 1, 1, tzinfo=UTC)}) == {
        "when": datetime(2026, 1, 1, tzinfo=UTC)
    }


def test_a_dialplan_that_collected_too_much_costs_no_call():
    big = {"policy": "4711", "essay": "x" * 20_000, "more": "y"}
    assert as_much_as_fits(big) == {"policy": "4711", "more": "y"}
    s = Story()
    s.tell(facts.Offered(FS, ConnectionId("c"), "1", "", "5000", data=big))
    assert s.interaction(s.world.connections[ConnectionId("c")].interaction).data == {"policy": "4711", "more": "y"}


def test_data_are_written_onto_the_callers_leg_whenever_they_change():
    s = Story()
    s.queue("sales")
    call = s.call()
    caller = s.caller_of(call)
    s.enqueue(call, "sales", policy="4711")
    assert s.wanted(intents.KeepData) == [intents.KeepData(FS, caller, {"policy": "4711"})]
    s.tell(facts.DataAttached(call, {"visits": 3, "policy": None, "_card": "last four"}))
    assert s.wanted(intents.KeepData) == [intents.KeepData(FS, caller, {"visits": 3})], "private, it is not written"
    s.tell(facts.DataAttached(call, {"visits": 3}))
    assert s.wanted(intents.KeepData) == [], "nothing has changed"
    assert s.interaction(call).data == {"visits": 3, "_card": "last four"}


@pytest.mark.parametrize("phase", ["script", "queued", "talking"])
def test_a_snapshot_alone_brings_the_data_back(phase):
    """We were killed, and there is no journal: the switch's channels are all that is left."""
    s = Story(live=False)
    s.queue("sales")
    s.agent("ann", ready=False)
    caller, leg = ConnectionId("caller"), ConnectionId("leg")
    call, queue = InteractionId("call"), QueueId("sales")
    more: dict[str, Any] = {"data": {"policy": "4711", "visits": 3}, "established": True}
    channels = [facts.ChannelSeen(caller, **more)]
    if phase == "queued":
        channels = [facts.ChannelSeen(caller, interaction=call, queue=queue, queued_at=0.0, **more)]
    elif phase == "talking":
        channels = [
            facts.ChannelSeen(caller, interaction=call, queue=queue, bridged_to=leg, **more),
            facts.ChannelSeen(leg, interaction=call, agent="ann", bridged_to=caller, side=Side.AGENT, established=True),
        ]
    s.link_up(*channels)
    (found,) = s.world.interactions.values()
    assert found.data == {"policy": "4711", "visits": 3}
    told = [e for e in s.events(events.CallEvent) if not isinstance(e, events.ConnectionCleared)]
    assert told
    assert all(e.data == {"policy": "4711", "visits": 3} for e in told)


def test_what_is_no_data_is_none():
    assert unpack(b"\xc1") == {}
    assert unpack(pack({"a": 1})) == {"a": 1}
    assert unpack(b"\x91\x01") == {}

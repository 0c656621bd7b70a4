"""Facts to plain values and back."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime

import pytest
from attrs import define, field

from cti.model import facts
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.ids import InteractionId, QueueId
from cti.model.interaction import Interaction
from cti.model.queue import Queue, QueueSettings
from cti.routing.strategies import MostSkilled, Random, RingAll, RingProgressively
from cti.store import Codec, NotKept, NotUnderstood
from cti.store.codec import FACTS
from cti.store.plain import packer, unpack

from .sample import samples

CODEC = Codec()


def again(value, kind):
    raw = unpack(packer().pack(CODEC.dump(value)))
    made, notes = CODEC.load(raw, kind)
    assert not notes
    return made


@pytest.mark.parametrize("name", FACTS)
def test_every_fact_comes_back_as_it_was(name):
    found = list(samples(FACTS[name]))
    for fact in found:
        made, notes = CODEC.load_fact(name, unpack(packer().pack(CODEC.dump(fact))))
        assert repr(made) == repr(fact)
        assert not notes


@pytest.mark.parametrize("kind", [Agent, Interaction, Queue])
def test_what_a_world_is_made_of_comes_back_as_it_was(kind):
    found = list(samples(kind))
    assert len(found) > 1
    for value in found:
        assert repr(again(value, kind)) == repr(value)


def test_numbers_stay_of_their_kind():
    fact = facts.QueueDefined(QueueSettings(QueueId("q"), wrap_up_s=5, ring_timeout_s=5.0))
    settings = again(fact, facts.QueueDefined).settings
    assert (repr(settings.wrap_up_s), repr(settings.ring_timeout_s)) == ("5", "5.0")


def test_a_deque_keeps_its_length():
    @define
    class Last:
        numbers: deque[int] = field(factory=lambda: deque(maxlen=3))

    made = again(Last(deque([1, 2, 3], maxlen=3)), Last)
    made.numbers.append(4)
    assert list(made.numbers) == [2, 3, 4]


def test_text_that_is_not_utf8_comes_back():
    fact = facts.LinkLost("fs\udcff")  # as a switch's bytes are decoded
    assert again(fact, facts.LinkLost) == fact


def test_an_aware_time_comes_back_and_a_naive_one_is_refused():
    at = datetime(2026, 3, 1, 9, tzinfo=UTC)
    fact = facts.DataAttached(InteractionId("i"), {"due": at})
    assert again(fact, facts.DataAttached) == fact
    with pytest.raises(NotKept, match=r"data\.due"):
        Codec().dump(facts.DataAttached(InteractionId("i"), {"due": datetime(2026, 3, 1)}))  # noqa: DTZ001


def test_what_cannot_be_kept_is_named_and_the_rest_is_kept():
    loop: list[object] = []
    loop.append(loop)
    data = {"ok": 1, "object": object(), "in": [{"deep": {2, 3}}], "key": {(1, 2): 3}, "big": 1 << 70, "loop": loop}
    fact = facts.DataAttached(InteractionId("i"), data)
    with pytest.raises(NotKept) as caught:
        Codec().dump(fact)
    assert caught.value.keys == ("data.object", "data.in[0].deep", "data.key.(1, 2)", "data.big", "data.loop[0]")
    raw, lost = Codec().dump_what_can_be(fact)
    assert lost == caught.value.keys
    made, _ = Codec().load_fact("DataAttached", unpack(packer().pack(raw)))
    assert made.data["ok"] == 1
    assert made.data["object"] == "<not kept: builtins.object>"


def test_a_fact_of_a_newer_version_is_named():
    with pytest.raises(NotUnderstood, match=r"'PhoneFloated'.*newer"):
        Codec().load_fact("PhoneFloated", {})


def test_a_field_of_a_newer_version_is_named_and_left_out():
    raw = Codec().dump(facts.QueueDefined(QueueSettings(QueueId("q"))))
    raw["settings"]["colour"] = "red"
    made, notes = Codec().load_fact("QueueDefined", raw)
    assert made == facts.QueueDefined(QueueSettings(QueueId("q")))
    assert notes == ("QueueSettings has the field 'colour', which this version does not know; it is left out",)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"interaction": "i", "cause": 9999}, "cause"),
        ({"cause": 3}, "interaction"),
        (["interaction"], "must have fields"),
    ],
)
def test_a_fact_that_cannot_be_is_named(raw, says):
    with pytest.raises(NotUnderstood, match=f"ClearRequested.*{says}"):
        Codec().load_fact("ClearRequested", raw)


def test_a_choice_of_a_newer_version_is_named():
    raw = Codec().dump(facts.QueueDefined(QueueSettings(QueueId("q"))))
    raw["settings"]["overflow"] = {"_type": "ToTheMoon"}
    with pytest.raises(NotUnderstood, match="ToTheMoon"):
        Codec().load_fact("QueueDefined", raw)


class ByShoeSize:
    def key(self, agent, queue):
        return 0


def test_a_strategy_given_as_an_object_is_kept_by_its_class():
    fact = facts.QueueDefined(QueueSettings(QueueId("q"), strategy=ByShoeSize()))
    raw = Codec().dump(fact)
    made, notes = Codec().load_fact("QueueDefined", raw)
    assert "ByShoeSize" in notes[0]
    assert "longest-idle stands in" in notes[0]
    assert Codec().dump(made) == raw
    mine = ByShoeSize()
    made, notes = Codec({f"{ByShoeSize.__module__}:ByShoeSize": mine}).load_fact("QueueDefined", raw)
    assert made.settings.strategy is mine
    assert not notes


def test_a_strategy_of_the_library_is_made_anew():
    made = again(facts.QueueDefined(QueueSettings(QueueId("q"), strategy=MostSkilled())), facts.QueueDefined)
    assert isinstance(made.settings.strategy, MostSkilled)


@pytest.mark.parametrize("given", [RingAll(most=3), RingProgressively(every_s=4.0, most=2)])
def test_a_strategy_of_the_library_has_its_arguments_again(given):
    made = again(facts.QueueDefined(QueueSettings(QueueId("q"), strategy=given)), facts.QueueDefined)
    assert made.settings.strategy.ringing == given.ringing


def test_a_strategy_that_needs_what_cannot_be_kept_has_a_stand_in():
    fact = facts.QueueDefined(QueueSettings(QueueId("q"), strategy=Random(lambda: 0.5)))
    made, notes = Codec().load_fact("QueueDefined", Codec().dump(fact))
    assert made.settings.strategy.name.endswith("Random")
    assert "longest-idle stands in" in notes[0]


def test_causes_are_causes_again():
    made = again(facts.ClearRequested(InteractionId("i"), Cause.BUSY), facts.ClearRequested)
    assert made.cause is Cause.BUSY

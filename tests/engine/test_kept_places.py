"""Callers whom a lost switch has cut off and who call back."""

from __future__ import annotations

import pytest

from cti.engine import Engine
from cti.errors import ConfigurationError
from cti.model import facts
from cti.model.ids import ConnectionId, InteractionId, QueueId
from cti.model.queue import QueueSettings
from cti.store.codec import Codec
from cti.store.snapshot import restore, take

from .story import FS, Story


class Night(Story):
    """Nobody is there; a switch dies with three callers in the queue, and is back."""

    def __init__(self, **settings: object) -> None:
        super().__init__()
        self.queue("claims", **{"keep_place_s": 300.0, **settings})
        self.queue("loans", keep_place_s=300.0)
        self.first = [self.comes(number) for number in ("111", "222", "333")]

    def comes(self, number: str, queue: str = "claims", **data: object) -> InteractionId:
        caller = ConnectionId(f"leg-{len(self.told)}")
        self.tell(facts.Offered(FS, caller, number, "", "5000", data=data))
        call = self.world.connections[caller].interaction
        self.enqueue(call, queue)
        self.advance(1)
        return call

    def dies(self) -> None:
        self.link_lost()
        self.advance(3)
        self.link_up(restarted=True)

    def order(self, queue: str = "claims") -> list[str]:
        return [self.interaction(call).calling_number for call in self.waits(queue)]


def test_those_who_call_back_are_where_they_were():
    night = Night()
    night.dies()
    for number in ("444", "333", "111"):
        night.comes(number)
    assert night.order() == ["111", "333", "444"]
    waited = night.interaction(night.waits("claims")[0]).waited_s(night.now)
    assert waited == pytest.approx(night.now)
    night.comes("222")
    assert night.order() == ["111", "222", "333", "444"]


def test_a_place_is_taken_once_and_for_so_long_only():
    night = Night()
    night.dies()
    night.comes("444")
    night.comes("111")
    night.comes("111")
    assert night.order() == ["111", "444", "111"]
    night.advance(300)
    night.comes("222")
    assert night.order() == ["111", "444", "111", "222"]
    assert "222" not in night.world.kept_places


def test_it_is_the_place_in_that_queue():
    night = Night()
    night.dies()
    night.comes("444", "loans")
    night.comes("111", "loans")
    assert night.order("loans") == ["444", "111"]
    night.comes("555")
    night.comes("111")
    assert night.order() == ["111", "555"]


def test_a_caller_who_was_talking_comes_before_those_who_waited():
    night = Night()
    night.agent("ann")
    night.take("ann")
    night.not_ready("ann")
    night.dies()
    night.comes("222")
    night.comes("111")
    assert night.order() == ["111", "222"]


def test_who_hangs_up_has_no_place_and_nor_has_nobody():
    night = Night()
    night.hang_up(night.first[0])
    anonymous = night.comes("anonymous")
    night.dies()
    assert anonymous not in night.world.interactions
    for number in ("444", "111", "anonymous"):
        night.comes(number)
    assert night.order() == ["444", "111", "anonymous"]


def test_the_customer_counts_rather_than_the_number():
    night = Night()
    night.comes("999", customer="C-1")
    night.dies()
    night.comes("444")
    night.comes("000", customer="C-1")
    assert night.order() == ["000", "444"]


def test_it_is_off_unless_it_is_asked_for():
    night = Night(keep_place_s=0.0)
    night.dies()
    assert night.world.kept_places == {}
    with pytest.raises(ConfigurationError, match="keep_place_s"):
        QueueSettings(id=QueueId("x"), keep_place_s=-1)


def test_places_are_in_a_snapshot():
    night = Night()
    night.dies()
    picture, lost = take(night.engine, Codec())
    assert lost == ()
    again: Engine = Story(live=False).engine
    assert restore(again, picture, Codec()) == ()
    assert again.world.kept_places == night.world.kept_places
    assert len(again.world.kept_places) == 3


def test_what_is_remembered_stays_bounded():
    night = Night(keep_place_s=10.0)
    for round_ in range(5):
        night.advance(60)
        for n in range(20):
            night.comes(f"{round_}-{n}")
        night.dies()
    assert len(night.world.kept_places) < 60

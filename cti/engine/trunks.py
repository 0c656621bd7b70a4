"""Trunks: which there are, which are in service, and how often calls outside failed for the way there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cti.engine.world import World
from cti.model import events, trunk_facts
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.states import DeviceState, DeviceTrigger
from cti.model.trunk import TRUNK_CAUSES, Trunk


class Trunks:
    """Follows the trunks of each switch.

    Args:
        world: what is known.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.table: dict[type, Callable[[Any], None]] = {
            trunk_facts.TrunkSeen: self._seen,
            trunk_facts.TrunksListed: self._listed,
        }

    def cleared(self, leg: Connection, switch_cause: str) -> None:
        """A leg has ended: counted, if it is not an agent's and ended for a fault of the way there."""
        if leg.side is not Side.AGENT and switch_cause in TRUNK_CAUSES:
            counts = self._world.trunk_failures.setdefault(leg.switch, {})
            counts[switch_cause] = counts.get(switch_cause, 0) + 1

    def _listed(self, fact: trunk_facts.TrunksListed) -> None:
        there = self._world.trunks.setdefault(fact.switch, {})
        for gone in there.keys() - {each.trunk for each in fact.trunks}:
            del there[gone]
        for each in fact.trunks:
            self._seen(each)

    def _seen(self, fact: trunk_facts.TrunkSeen) -> None:
        world = self._world
        there = world.trunks.setdefault(fact.switch, {})
        trunk = there.setdefault(fact.trunk, Trunk(fact.trunk, fact.switch, since=world.now))
        first = trunk.state is DeviceState.UNKNOWN
        trigger = DeviceTrigger.BACK_IN_SERVICE if fact.in_service else DeviceTrigger.OUT_OF_SERVICE
        # What has not been away cannot be back.
        if trunk.move(trigger, fact.detail, world.now) and not (first and fact.in_service):
            cause = Cause.NORMAL if fact.in_service else Cause.DEST_OUT_OF_ORDER
            world.notify(
                events.TrunkStatus(
                    switch=fact.switch,
                    trunk=fact.trunk,
                    at=world.now,
                    cause=cause,
                    status=trunk.state.value,
                    detail=trunk.detail,
                )
            )

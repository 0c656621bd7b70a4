"""Trunks: which there are, which are in service, and how often calls outside failed for the way there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cti.engine.world import World
from cti.model import events, trunk_facts
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import SwitchId, TrunkId
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

    def tie(self, origin: SwitchId, to: SwitchId, *, in_service: bool, detail: str = "") -> None:
        """Something got from a switch to the phones at another, or did not. A way that has never been away is not shown."""
        name = _tie(to)
        if in_service and name not in self._world.trunks.get(origin, {}):
            return
        self._seen(trunk_facts.TrunkSeen(origin, name, in_service, detail))
        self._world.trunks[origin][name].tie = True

    def tie_state(self, origin: SwitchId, to: SwitchId) -> DeviceState:
        """Whether the way from a switch to the phones at another was good when it was used last."""
        known = self._world.trunks.get(origin, {}).get(_tie(to))
        return known.state if known is not None else DeviceState.UNKNOWN

    def _listed(self, fact: trunk_facts.TrunksListed) -> None:
        there = self._world.trunks.setdefault(fact.switch, {})
        for gone in there.keys() - {each.trunk for each in fact.trunks}:
            if not there[gone].tie:
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


def _tie(to: SwitchId) -> TrunkId:
    return TrunkId(f"tie:{to}")

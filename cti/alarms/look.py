"""What the centre looks like to whoever decides about alarms: a few plain values, cheap to take."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from cti.engine.view import trunks_view
from cti.engine.world import World
from cti.model.ids import QueueId, SwitchId, TrunkId
from cti.model.states import DeviceState, LinkState


@frozen
class QueueLook:
    """One queue."""

    queue: QueueId
    waiting: int
    staffed: int
    """Agents logged on who may ever be offered its calls."""
    longest_wait_s: float
    """Of the calls that wait now; 0 for none."""
    service_level: float | None
    """The share of the last calls that were answered in time."""
    target: float | None
    calls: int
    """How many have left it, answered or given up."""


@frozen
class TrunkLook:
    """One trunk."""

    id: TrunkId
    switch: SwitchId
    state: DeviceState
    """Unknown while the link to its switch is not live."""
    detail: str


@frozen
class Look:
    """Everything at one instant of the engine's clock."""

    at: float
    links: Mapping[SwitchId, str]
    """``live`` or what else it is."""
    lag_s: Mapping[SwitchId, float]
    """How late each switch's events are."""
    queues: tuple[QueueLook, ...]
    trunks: tuple[TrunkLook, ...] = ()


def look(world: World, lag_s: Mapping[SwitchId, float]) -> Look:
    """Take a look; costs one at every call and every queue, none at agents, and does not ask the router."""
    longest_s: dict[QueueId, float] = {}
    for call in world.interactions.values():
        if call.queue is not None and call.state.is_waiting and not call.is_away:
            longest_s[call.queue] = max(longest_s.get(call.queue, 0.0), call.waited_s(world.now))
    return Look(
        at=world.now,
        links={switch: world.links.get(switch, LinkState.DOWN).value for switch in lag_s},
        lag_s=lag_s,
        queues=tuple(_queue(world, queue, longest_s.get(queue, 0.0)) for queue in world.queues),
        trunks=tuple(
            TrunkLook(trunk.id, switch, trunk.state, trunk.detail)
            for switch in lag_s
            for trunk in trunks_view(world, switch)
        ),
    )


def _queue(world: World, name: QueueId, longest_wait_s: float) -> QueueLook:
    queue = world.queues[name]
    figures = queue.figures
    return QueueLook(
        queue=name,
        waiting=figures.waiting,
        staffed=world.staff.count(name),
        longest_wait_s=longest_wait_s,
        service_level=queue.recent.share,
        target=queue.settings.service_level_target,
        calls=figures.answered + figures.abandoned,
    )

"""All that an engine knows as plain values, and an engine that goes on from there exactly as the first would."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from cti.engine import Engine
from cti.model.agent import Agent
from cti.model.call_back import CallBackWish, CallMe
from cti.model.callback import AbandonedCall
from cti.model.conference import Conference
from cti.model.connection import Connection
from cti.model.device import Device
from cti.model.history import History
from cti.model.ids import (
    AgentId,
    ConnectionId,
    DeviceId,
    IdSource,
    InteractionId,
    QueueId,
    ReservationId,
    SwitchId,
    TrunkId,
)
from cti.model.interaction import Interaction
from cti.model.kept_place import KeptPlace
from cti.model.parked_call import ParkedCall
from cti.model.party import Destination
from cti.model.predictive import PredictedCalls
from cti.model.queue import Queue
from cti.model.recording import RecordingSettings, Segment
from cti.model.reservation import Reservation
from cti.model.standing import StandingConnection
from cti.model.states import AgentState, LinkState
from cti.model.supervision import Supervision
from cti.model.switch import SwitchSettings, Tie
from cti.model.trunk import Trunk
from cti.routing import Router
from cti.store.codec import Codec
from cti.store.errors import NotUnderstood
from cti.store.plain import plain

_KEPT: Final[Mapping[str, Mapping[str, Any]]] = {
    "World": {
        "agents": dict[AgentId, Agent],
        "queues": dict[QueueId, Queue],
        "interactions": dict[InteractionId, Interaction],
        "connections": dict[ConnectionId, Connection],
        "reservations": dict[ReservationId, Reservation],
        "links": dict[SwitchId, LinkState],
        "switches": dict[SwitchId, SwitchSettings],
        "draining": dict[SwitchId, bool],
        "lost": set[SwitchId],
        "ties": dict[ConnectionId, Tie],
        "trunks": dict[SwitchId, dict[TrunkId, Trunk]],
        "trunk_failures": dict[SwitchId, dict[str, int]],
        "kept_places": dict[str, KeptPlace],
        "phones": dict[str, AgentId],
        "devices": dict[str, Device],
        "own_calls": dict[ConnectionId, tuple[SwitchId, DeviceId]],
        "adopted": dict[AgentId, ConnectionId],
        "last_agents": dict[str, tuple[AgentId, float]],
        "destinations": tuple[Destination, ...],
        "standing": dict[AgentId, StandingConnection],
        "standing_legs": dict[ConnectionId, AgentId],
        "stray": dict[ConnectionId, SwitchId],
        "parked": dict[str, ParkedCall],
        "camped": dict[AgentId, list[InteractionId]],
        "call_backs": dict[AgentId, list[CallBackWish]],
        "called_back": dict[AgentId, list[AgentId]],
        "predicted": dict[QueueId, PredictedCalls],
        "call_me": dict[AgentId, list[CallMe]],
        "callbacks": dict[QueueId, dict[str, InteractionId]],
        "callbacks_held": bool,
        "abandoned": list[AbandonedCall],
        "supervisions": dict[ConnectionId, Supervision],
        "recording": RecordingSettings | None,
        "segments": dict[str, Segment],
        "histories": dict[InteractionId, History],
        "conferences": dict[InteractionId, Conference],
        "wrapping": dict[AgentId, InteractionId],
        "_token": int,
        "_place": int,
        "_ended": dict[ConnectionId, float],
    },
    "Timers": {"_generation": int, "_running": Any},
    "Links": {"_seen": set[SwitchId]},
    "Switches": {"given_up": dict[SwitchId, list[InteractionId]]},
    "Wishes": {"_waits": dict[InteractionId, tuple[float, float]]},
    "Counts": {"_lenders": frozenset[QueueId]},
}
"""What of an engine's parts is state, and of what type. ``uncovered`` finds what is missing here."""
_PLAIN: Final = frozenset(
    {
        *("phones", "adopted", "wrapping", "last_agents", "callbacks", "_ended", "_token", "_place", "_generation"),
        *("_running", "_waits"),
    }
)
"""Of these, what is written as it is: there may be a hundred thousand customers among them."""
_AFRESH: Final[Mapping[str, frozenset[str]]] = {
    "World": frozenset({"now", "intents", "left", "through", "freed"}),
    "Engine": frozenset({"defect"}),
    "RecordedEngine": frozenset({"defect"}),
    "Matching": frozenset({"_held"}),
    "Staff": frozenset({"_serves", "_known", "_groups", "_counts"}),
}
"""What is kept apart, begun anew with each fact, or counted again from the rest."""


def uncovered(engine: Engine) -> list[str]:
    """What the engine's parts hold that a snapshot does not know of, ``World.agents`` alike, and what it looks for in
    vain; there should be none.
    """
    parts = _parts(engine)
    unknown = [
        f"{name}.{attribute}"
        for name, part in parts.items()
        for attribute, value in vars(part).items()
        if not _is_wiring(value) and attribute not in _KEPT.get(name, {}) and attribute not in _AFRESH.get(name, ())
    ]
    gone = [
        f"{name}.{attribute}"
        for name, kept in _KEPT.items()
        for attribute in kept
        if name not in parts or not hasattr(parts[name], attribute)
    ]
    return unknown + gone


def _parts(engine: Engine) -> dict[str, Any]:
    """The objects that an engine is made of, by the names of their classes."""
    found: dict[str, Any] = {}
    left: list[Any] = [engine]
    while left:
        part = left.pop()
        if type(part).__name__ not in found:
            found[type(part).__name__] = part
            left += [value for value in vars(part).values() if _is_part(value)]
    return found


def _is_part(value: object) -> bool:
    return type(value).__module__.startswith("cti.engine.")


def _is_wiring(value: object) -> bool:
    """Whether it is how parts know each other, and no state."""
    if isinstance(value, dict):
        return bool(value) and all(callable(each) for each in value.values())
    return _is_part(value) or callable(value) or isinstance(value, Router | IdSource) or _is_ours(value)


def _is_ours(value: object) -> bool:
    return type(value).__module__.startswith("cti.store.")


def take(engine: Engine, codec: Codec, chance: random.Random | None = None) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What an engine knows between two facts, and the paths of what could not be kept (attached data, mostly).

    It holds parts of the engine itself, and is to be written before the next fact. Costs about 15 us for each agent and each call; changes nothing.

    Args:
        engine: whose.
        codec: turns its values into plain ones.
        chance: what its ids, and its router's lots, are drawn from.
    """
    lost: list[str] = []
    picture: dict[str, Any] = {"now": engine.world.now}
    for name, part in _parts(engine).items():
        for attribute in _KEPT.get(name, {}):
            value: Any = getattr(part, attribute)
            if attribute == "_running":
                value = [[kind, key, generation] for (kind, key), generation in value.items()]
            if attribute in _PLAIN:
                picture[f"{name}.{attribute}"] = value
                continue
            picture[f"{name}.{attribute}"], not_kept = codec.dump_what_can_be(value)
            lost += [f"{name}.{attribute}: {path}" for path in not_kept]
    # By the router's own word: one that rings several phones knows of calls that are being offered, too.
    picture["waiting"] = [call for call in engine.world.interactions if engine.world.router.position(call)]
    state = getattr(engine.world.router, "state", None)
    picture["router"] = plain(state(), "router.state()", lost) if callable(state) else None
    picture["chance"] = None if chance is None else _plain_chance(chance)
    return picture, tuple(lost)


def restore(
    engine: Engine, picture: Mapping[str, Any], codec: Codec, chance: random.Random | None = None
) -> tuple[str, ...]:
    """Make a new engine know what a snapshot says; returns a note on each thing that is not as it was.

    The router gets its own state back (``restore(state, agents)``, if it has that), then is told of the queues, of the
    ready agents in the order in which they became so, and of the waiting calls likewise.

    Args:
        engine: a new one; its router is one as the first had, and new as well.
        picture: what ``take`` made.
        codec: turns plain values into the engine's.
        chance: what its ids and its router's lots are drawn from; it goes on where the first was.

    Raises:
        NotUnderstood: the picture is not one that this version can read; the engine is not to be used.
    """
    notes: list[str] = []
    for name, part in _parts(engine).items():
        for attribute, kind in _KEPT.get(name, {}).items():
            if f"{name}.{attribute}" not in picture:
                notes.append(f"the snapshot has no {name}.{attribute}; it is left as in a new centre")
                continue
            raw = picture[f"{name}.{attribute}"]
            if attribute == "_running":
                value: Any = {(kind, key): generation for kind, key, generation in raw}
            else:
                value, more = codec.load(raw, kind)
                notes += more
            setattr(part, attribute, value)
    engine.world.staff.rebuild()
    engine.world.now = engine.world.router.now = float(picture["now"])
    _tell_router(engine, picture, notes)
    if chance is not None and picture.get("chance") is not None:
        _restore_chance(chance, picture["chance"])  # last: making a strategy may have drawn a lot
    return tuple(notes)


def _tell_router(engine: Engine, picture: Mapping[str, Any], notes: list[str]) -> None:
    world, router = engine.world, engine.world.router
    if picture.get("router") is not None:
        back: Callable[[Any, Mapping[AgentId, Agent]], None] | None = getattr(router, "restore", None)
        if back is None:
            notes.append(
                f"the router had a state of its own, and {type(router).__name__} has no restore(state, agents)"
            )
        else:
            back(picture["router"], world.agents)
    for queue in world.queues.values():
        router.queue_defined(queue)
    ready = [agent for agent in world.agents.values() if agent.state is AgentState.READY]
    for agent in sorted(ready, key=lambda agent: agent.state_since):
        router.agent_available(agent)
    waiting = [world.interactions[InteractionId(call)] for call in picture["waiting"]]
    for call in sorted(waiting, key=lambda call: (call.state_since, call.place)):
        router.call_waiting(call)


def _plain_chance(chance: random.Random) -> list[Any]:
    version, words, gauss = chance.getstate()
    return [version, b"".join(word.to_bytes(4, "little") for word in words), gauss]


def _restore_chance(chance: random.Random, raw: Any) -> None:
    try:
        version, words, gauss = raw
        numbers = tuple(int.from_bytes(words[at : at + 4], "little") for at in range(0, len(words), 4))
        chance.setstate((version, numbers, gauss))
    except (TypeError, ValueError) as error:
        raise NotUnderstood(f"the state of chance in a snapshot: {error}") from error

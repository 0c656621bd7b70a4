"""What lives on a switch now, from ``show channels`` and ``uuid_dump``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, Final

from cti.model.connection import Side
from cti.model.facts import ChannelSeen
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, ReservationId, SwitchId
from cti.switch import tags

_IN_HAND: Final = frozenset(
    {"park", "playback", "eavesdrop", "record", "rxfax", "read", "say", "speak", "play_and_detect_speech"}
)
"""What a channel executes that waits for what we say: park, or what a script of ours has begun within it. No CHANNEL_PARK
comes when that has ended."""


def listed(show_channels: str) -> list[str]:
    """The channel ids in the answer to ``show channels as json``; a row without one is left out."""
    try:
        answer = json.loads(show_channels)
    except ValueError:
        return []
    rows = answer.get("rows", ()) if isinstance(answer, dict) else ()
    return [str(row["uuid"]) for row in rows if isinstance(row, dict) and row.get("uuid")]


def channel_seen(uuid_dump: str, node: str) -> ChannelSeen | None:
    """One channel from the answer to ``uuid_dump <uuid> json``; None if it is gone, not ours, or not in our hands.

    A caller's channel is in our hands while it is parked or talks to one of our agents; elsewhere in the dialplan it
    is nobody's business of ours.
    """
    try:
        dump = json.loads(uuid_dump)
    except ValueError:
        return None  # "-ERR No such channel!"
    if not isinstance(dump, dict) or tags.untag(_text(dump, "variable_cti_node")) != node:
        return None
    state = _text(dump, "Channel-State")
    if state in ("CS_HANGUP", "CS_REPORTING", "CS_DESTROY"):
        return None
    reservation = tags.untag(_text(dump, "variable_cti_reservation"))
    # Set for as long as a bridge is up (switch_ivr_bridge.c); the channel's state tells less: CS_SOFT_EXECUTE or
    # CS_EXCHANGE_MEDIA, by which side of uuid_bridge it was.
    # It outlives a bridge whose other end has hung up; whoever was kept is parked then.
    partner = _text(dump, "variable_signal_bond") if state != "CS_PARK" else ""
    application = _text(dump, "variable_current_application")
    parked = state == "CS_PARK" or application in _IN_HAND
    interaction = tags.untag(_text(dump, "variable_cti_interaction"))
    conferring = application == "conference" and interaction != ""
    # Somebody outside whom we call, and who has not answered yet, is in no application at all.
    other = _text(dump, f"variable_{tags.OTHER}") != ""
    rings = other and _text(dump, "Answer-State") in ("ringing", "early")
    tie = tags.untag(_text(dump, "variable_cti_tie"))
    standing = tags.untag(_text(dump, "variable_" + tags.STANDING))
    if not (reservation or partner or parked or conferring or rings or tie or standing):
        return None
    recorded, _, how = tags.untag(_text(dump, "variable_" + tags.RECORDED)).partition(" ")
    # Answered by a person or a mailbox, who has not pressed the key.
    unconfirmed = bool(_text(dump, "variable_" + tags.CONFIRM)) and not partner and application != "park"
    return ChannelSeen(
        connection=ConnectionId(_text(dump, "Unique-ID")),
        calling_number=_text(dump, "Caller-Caller-ID-Number"),
        calling_name=_text(dump, "Caller-Caller-ID-Name"),
        called_number=_text(dump, "Caller-Destination-Number"),
        established=_text(dump, "Answer-State") == "answered" and not unconfirmed,
        bridged_to=ConnectionId(partner) if partner else None,
        conferring=conferring,
        interaction=InteractionId(interaction) if interaction else None,
        agent=AgentId(a) if (a := tags.untag(_text(dump, "variable_cti_agent"))) else None,
        reservation=ReservationId(reservation) if reservation else None,
        queue=QueueId(q) if (q := tags.untag(_text(dump, "variable_cti_queue"))) else None,
        priority=int(_number(_text(dump, "variable_cti_priority")) or 0),
        data=_attached(dump),
        recorded=int(recorded) if recorded.isdecimal() and len(recorded) < 10 else 0,
        recording=how,
        queued_at=_number(tags.untag(_text(dump, "variable_cti_queued_at"))),
        standing=AgentId(standing) if standing else None,
        tied_to=ConnectionId(tie) if tie else None,
        tied_from=SwitchId(t) if (t := tags.untag(_text(dump, "variable_cti_tie_from"))) else None,
        side=_side(reservation, other, _text(dump, "variable_cti_agent")),
    )


def _side(reservation: str, other: object, agent: str) -> Side:
    """Whose leg it is; that of an agent who calls is tagged as one that we have called, with the agent's name."""
    if reservation or (other and agent):
        return Side.AGENT
    return Side.OTHER if other else Side.CALLER


def seen(dumps: Iterable[str], node: str) -> tuple[ChannelSeen, ...]:
    """All channels of ours among the dumps."""
    return tuple(channel for dump in dumps if (channel := channel_seen(dump, node)) is not None)


def _attached(dump: dict[str, Any]) -> dict[str, Any]:
    attached = _text(dump, "variable_" + tags.ATTACHED)
    if attached:
        return tags.untag_data(attached)
    prefix = "variable_" + tags.DATA
    return {name[len(prefix) :]: value for name in dump if name.startswith(prefix) and (value := _text(dump, name))}


def _number(text: str) -> float | None:
    """A number of ours; None for what is none, as anybody's dialplan may write it."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _text(dump: dict[str, Any], name: str) -> str:
    value = dump.get(name)
    return value if isinstance(value, str) else ""

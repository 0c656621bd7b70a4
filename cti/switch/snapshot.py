"""What lives on a switch now, from ``show channels`` and ``uuid_dump``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
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

_ENDED: Final = frozenset({"CS_HANGUP", "CS_REPORTING", "CS_DESTROY"})


def listed(show_channels: str) -> list[str]:
    """The channel ids in the answer to ``show channels as json``; a row without one is left out."""
    try:
        answer = json.loads(show_channels)
    except ValueError:
        return []
    rows = answer.get("rows", ()) if isinstance(answer, dict) else ()
    return [str(row["uuid"]) for row in rows if isinstance(row, dict) and row.get("uuid")]


def dumped(answers: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """What ``uuid_dump <uuid> json`` has said of each channel that is alive."""
    for answer in answers:
        try:
            dump = json.loads(answer)
        except ValueError:
            continue  # "-ERR No such channel!"
        if isinstance(dump, dict) and dump.get("Channel-State") not in _ENDED:
            yield dump


def channel_seen(dump: Mapping[str, Any], node: str) -> ChannelSeen | None:
    """One channel from its dump; None if it is not ours, or not in our hands.

    A caller's channel is in our hands while it is parked or talks to one of our agents; elsewhere in the dialplan it
    is nobody's business of ours.
    """
    if tags.untag(text_of(dump, "variable_cti_node")) != node:
        return None
    state = text_of(dump, "Channel-State")
    reservation = tags.untag(text_of(dump, "variable_cti_reservation"))
    # Set for as long as a bridge is up (switch_ivr_bridge.c); the channel's state tells less: CS_SOFT_EXECUTE or
    # CS_EXCHANGE_MEDIA, by which side of uuid_bridge it was.
    # It outlives a bridge whose other end has hung up; whoever was kept is parked then.
    partner = text_of(dump, "variable_signal_bond") if state != "CS_PARK" else ""
    application = text_of(dump, "variable_current_application")
    parked = state == "CS_PARK" or application in _IN_HAND
    interaction = tags.untag(text_of(dump, "variable_cti_interaction"))
    conferring = application == "conference" and interaction != ""
    # Somebody outside whom we call, and who has not answered yet, is in no application at all.
    other = text_of(dump, f"variable_{tags.OTHER}") != ""
    rings = other and text_of(dump, "Answer-State") in ("ringing", "early")
    tie = tags.untag(text_of(dump, "variable_cti_tie"))
    standing = tags.untag(text_of(dump, "variable_" + tags.STANDING))
    if not (reservation or partner or parked or conferring or rings or tie or standing):
        return None
    recorded, _, how = tags.untag(text_of(dump, "variable_" + tags.RECORDED)).partition(" ")
    # Answered by a person or a mailbox, who has not pressed the key.
    unconfirmed = bool(text_of(dump, "variable_" + tags.CONFIRM)) and not partner and application != "park"
    return ChannelSeen(
        connection=ConnectionId(text_of(dump, "Unique-ID")),
        calling_number=text_of(dump, "Caller-Caller-ID-Number"),
        calling_name=text_of(dump, "Caller-Caller-ID-Name"),
        called_number=text_of(dump, "Caller-Destination-Number"),
        established=text_of(dump, "Answer-State") == "answered" and not unconfirmed,
        bridged_to=ConnectionId(partner) if partner else None,
        conferring=conferring,
        interaction=InteractionId(interaction) if interaction else None,
        agent=AgentId(a) if (a := tags.untag(text_of(dump, "variable_cti_agent"))) else None,
        reservation=ReservationId(reservation) if reservation else None,
        queue=QueueId(q) if (q := tags.untag(text_of(dump, "variable_cti_queue"))) else None,
        priority=int(_number(text_of(dump, "variable_cti_priority")) or 0),
        data=_attached(dump),
        recorded=int(recorded) if recorded.isdecimal() and len(recorded) < 10 else 0,
        recording=how,
        queued_at=_number(tags.untag(text_of(dump, "variable_cti_queued_at"))),
        standing=AgentId(standing) if standing else None,
        tied_to=ConnectionId(tie) if tie else None,
        tied_from=SwitchId(t) if (t := tags.untag(text_of(dump, "variable_cti_tie_from"))) else None,
        side=_side(reservation, other, text_of(dump, "variable_cti_agent")),
    )


def _side(reservation: str, other: object, agent: str) -> Side:
    """Whose leg it is; that of an agent who calls is tagged as one that we have called, with the agent's name."""
    if reservation or (other and agent):
        return Side.AGENT
    return Side.OTHER if other else Side.CALLER


def seen(dumps: Iterable[Mapping[str, Any]], node: str) -> tuple[ChannelSeen, ...]:
    """All channels of ours among the dumps."""
    return tuple(channel for dump in dumps if (channel := channel_seen(dump, node)) is not None)


def _attached(dump: Mapping[str, Any]) -> dict[str, Any]:
    attached = text_of(dump, "variable_" + tags.ATTACHED)
    if attached:
        return tags.untag_data(attached)
    prefix = "variable_" + tags.DATA
    return {name[len(prefix) :]: value for name in dump if name.startswith(prefix) and (value := text_of(dump, name))}


def _number(text: str) -> float | None:
    """A number of ours; None for what is none, as anybody's dialplan may write it."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def text_of(dump: Mapping[str, Any], name: str) -> str:
    """What a dump says under this name; empty where it says nothing."""
    value = dump.get(name)
    return value if isinstance(value, str) else ""

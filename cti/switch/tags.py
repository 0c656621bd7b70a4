"""The channel variables by which a leg says whose it is; after a crash they are what is left of us.

Values are percent-encoded, so that no name an operator chose can end a variable or a dial string.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

from cti.model.attached_data import pack, unpack

NODE: Final = "cti_node"
"""Which centre the leg belongs to; the dialplan sets it on calls it hands over."""
INTERACTION: Final = "cti_interaction"
AGENT: Final = "cti_agent"
QUEUE: Final = "cti_queue"
"""The queue that a caller waits in, or has been answered from."""
PRIORITY: Final = "cti_priority"
QUEUED_AT: Final = "cti_queued_at"
"""When the caller first entered a queue, Unix time: the place in it survives us by this."""
RESERVATION: Final = "cti_reservation"
CONFIRM: Final = "cti_confirm"
"""Set on a leg that counts as answered only when a key has been pressed."""
OTHER: Final = "cti_other"
"""Set on the leg of somebody outside whom we have called for an agent."""
STANDING: Final = "cti_standing"
"""Set on the leg of an agent who stays on the line between calls: whose it is."""
SUPERVISOR: Final = "cti_supervisor"
"""Set on the leg of somebody who listens in; it belongs to no call."""
PREVIOUS: Final = "cti_previous"
"""Set on a caller's leg that leaves us: the interaction that it was, should it come back."""
TIE: Final = "cti_tie"
"""Set on the channels that carry a leg of another switch on to a phone at this one: that leg's id."""
TIE_FROM: Final = "cti_tie_from"
"""The switch that leg is on."""
DATA: Final = "cti_data_"
"""Prefix of what the dialplan collected: ``cti_data_policy=12`` is attached data ``policy``."""


RECORDED: Final = "cti_recorded"
"""On the caller's leg, the number of the segment of its call that was recorded last; and ``paused`` or ``stopped``."""
ATTACHED: Final = "cti_attached"
"""All that is attached to the call, typed: msgpack in base64 (RFC 4648, 5; without padding)."""


def tag_data(data: Mapping[str, Any]) -> str:
    """Attached data as they are written on a channel."""
    return base64.urlsafe_b64encode(pack(data)).decode().rstrip("=")


def untag_data(value: str) -> dict[str, Any]:
    """Attached data as they were before ``tag_data``; none if it is not that."""
    try:
        return unpack(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    except (ValueError, UnicodeError):
        return {}


def tag(value: str) -> str:
    """A value as it is written on a channel."""
    return quote(value, safe="/")


def untag(value: str | None) -> str:
    """A value as it was before ``tag``; empty for none."""
    return unquote(value) if value else ""

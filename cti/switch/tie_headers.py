"""What the SIP call from one switch to a phone at another carries, as channel variables of the leg that makes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from cti.errors import LocalProtocolError
from cti.model import intents
from cti.model.validate import ONE_WORD
from cti.switch import tags

NUMBER: Final = "cti-agent"
"""The number that a switch is called at for one of its agents; which phone it is says the contact, in a header."""
LONGEST_DATA: Final = 800
"""Characters of attached data that travel. An INVITE beyond 1300 bytes has to leave UDP (RFC 3261, 18.1.1), which not
every network between two switches lets it."""
_HEADER: Final = "sip_h_X-CTI-"


def tie_headers(wanted: intents.OfferCall | intents.MakeConnection, interaction: str) -> dict[str, str]:
    """The headers of a leg that is to reach a phone at another switch; none where it can be dialled from here.

    All values are percent-encoded, so that neither a caller nor an agent's name can add a header or a variable.

    Args:
        wanted: what is to be dialled.
        interaction: the interaction's id, empty for none.
    """
    if wanted.tie is None:
        return {}
    values = {
        "Contact": wanted.contact,
        "Connection": wanted.leg,
        "Switch": wanted.tie.origin,
        "Interaction": interaction,
        "Agent": wanted.agent or "",
    }
    headers = {f"{_HEADER}{name}": tags.tag(value) for name, value in values.items()}
    headers[f"{_HEADER}Data"] = data_text(wanted.data)
    if wanted.auto_answer:
        headers[f"{_HEADER}Auto-Answer"] = "true"
    return headers


def dialled(wanted: intents.OfferCall | intents.MakeConnection) -> str:
    """The dial string of the phone, as the switch that is to dial it needs it.

    Raises:
        LocalProtocolError: it is not one word, and would change the command that it is written into.
    """
    tie = wanted.tie
    if not ONE_WORD.match(wanted.contact):
        raise LocalProtocolError(
            f"contact {wanted.contact!r} holds a blank, a quote, a backslash or a control character"
        )
    return wanted.contact if tie is None else f"sofia/{tie.profile}/sip:{NUMBER}@{tie.address}"


def data_text(data: Mapping[str, Any]) -> str:
    """Attached data as percent-encoded JSON: as many of its keys, in their order, as fit; empty for none."""
    kept: dict[str, Any] = {}
    text = ""
    for key, value in data.items():
        if not isinstance(value, str | int | float | bool):
            continue
        longer = quote(json.dumps({**kept, key: value}, ensure_ascii=False, separators=(",", ":")), safe="/")
        if len(longer) <= LONGEST_DATA:
            kept[key], text = value, longer
    return text

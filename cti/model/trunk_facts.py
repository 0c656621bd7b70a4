"""Facts about trunks, from a switch. They are part of ``cti.model.facts``."""

from __future__ import annotations

from attrs import frozen

from cti.model.ids import SwitchId, TrunkId


@frozen
class TrunkSeen:
    """How a trunk is."""

    switch: SwitchId
    trunk: TrunkId
    in_service: bool
    detail: str = ""
    """Why it is out of service, in the switch's words, if it says."""


@frozen
class TrunksListed:
    """All trunks that a switch has now; one that is not among them is none any more."""

    switch: SwitchId
    trunks: tuple[TrunkSeen, ...]


TrunkFact = TrunkSeen | TrunksListed

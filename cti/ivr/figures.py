"""Where callers go in a voice menu, and where they leave it."""

from __future__ import annotations

from collections import Counter

from attrs import define, field


@define
class NodeFigures:
    """What happened at one node, counted since the Ivr was made."""

    entered: int = 0
    left: int = 0
    """Callers who hung up here."""
    exits: Counter[str] = field(factory=Counter)
    """How often each way was taken: an option's key, ``next``, ``open``, an answer, ``otherwise``, ``taken``, ..."""
    nothing: int = 0
    """How often ``otherwise`` was taken because nothing came."""
    failed: int = 0
    """Look-ups that raised, were late, or gave an answer that the node does not know."""

"""What is told of a journal while it is written."""

from __future__ import annotations

from attrs import define, frozen


@frozen
class Trouble:
    """The journal could not be written, or (``over``) can be again; ``lost`` facts are not in it so far."""

    what: str
    lost: int
    over: bool = False


@define
class JournalFigures:
    """What a journal has done since it was opened."""

    facts: int = 0
    bytes: int = 0
    segments: int = 0
    troubles: int = 0
    """How often writing failed; a failure counts once, however long it lasts."""
    lost: int = 0
    """Facts that were handled and not written."""
    not_kept: int = 0
    """Facts with a value in them that could not be written; a text stands in for it."""

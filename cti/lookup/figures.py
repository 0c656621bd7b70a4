"""What became of the questions that were put to a look-up."""

from __future__ import annotations

from attrs import define


@define
class LookupFigures:
    """Counts since the look-up was made; those whose caller hung up meanwhile are only among ``asked``."""

    asked: int = 0
    answered: int = 0
    """Answered in time, "there is none" included."""
    cached: int = 0
    """Answered from the cache."""
    late: int = 0
    """Not answered by the deadline: the fallback."""
    failed: int = 0
    """The other side could not be reached, or refused: the fallback."""
    nonsense: int = 0
    """It answered what cannot be used: the fallback."""
    full: int = 0
    """Every thread of the pool was busy: the fallback, at once."""
    skipped: int = 0
    """Not asked after too many failures in a row: the fallback, at once."""
    running: int = 0
    """Threads that are busy now, with late questions too."""

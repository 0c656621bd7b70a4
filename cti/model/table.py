"""A state machine as a total table: every state has a cell for every trigger."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Generic, TypeVar

from cti.errors import ConfigurationError, IllegalTransition


class Outcome(Enum):
    """What a cell may say instead of a next state."""

    IGNORE = "ignore"
    """The trigger is late or repeated: nothing changes, nothing is wrong."""
    PENDING = "pending"
    """The wish is kept and applied when the state is left."""
    ILLEGAL = "illegal"
    """Nothing may cause this: the state is untouched and an error names machine, state and trigger."""


S = TypeVar("S", bound=Enum)
T = TypeVar("T", bound=Enum)


class Table(Generic[S, T]):
    """A total table (state x trigger -> state, ignore, pending or illegal).

    Args:
        machine: the machine's name, for errors and diagrams.
        triggers: the columns, in the order of each row's cells.
        rows: for each state one cell a trigger.

    Raises:
        ConfigurationError: a state has no row, or a row has too few or too many cells.
    """

    def __init__(self, machine: str, triggers: type[T], rows: Mapping[S, tuple[S | Outcome, ...]]) -> None:
        self.machine = machine
        self.triggers = tuple(triggers)
        self.states: tuple[S, ...] = tuple(type(next(iter(rows))))
        missing = [state for state in self.states if state not in rows]
        ragged = [state for state, cells in rows.items() if len(cells) != len(self.triggers)]
        if missing or ragged:
            raise ConfigurationError(f"{machine}: the table is not total (missing {missing}, wrong length {ragged})")
        self._cells = {
            (state, trigger): cell
            for state, cells in rows.items()
            for trigger, cell in zip(self.triggers, cells, strict=True)
        }

    def cell(self, state: S, trigger: T) -> S | Outcome:
        """What the table says, without judging it."""
        return self._cells[state, trigger]

    def next(self, state: S, trigger: T) -> S | None:
        """The next state; None where the trigger changes nothing now (ignored, or kept as pending).

        Raises:
            IllegalTransition: the table forbids it; nothing was changed.
        """
        cell = self._cells[state, trigger]
        if cell is Outcome.ILLEGAL:
            raise IllegalTransition(self.machine, state.value, trigger.value)
        return None if isinstance(cell, Outcome) else cell

    def is_pending(self, state: S, trigger: T) -> bool:
        """Whether the wish is to be kept until the state is left."""
        return self._cells[state, trigger] is Outcome.PENDING

    def allowed(self, state: S) -> tuple[T, ...]:
        """The triggers that are not illegal in this state."""
        return tuple(t for t in self.triggers if self._cells[state, t] is not Outcome.ILLEGAL)

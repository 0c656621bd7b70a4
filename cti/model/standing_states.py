"""The machine of standing connections, as a total table. It is one of ``cti.model.states.TABLES``."""

from __future__ import annotations

from enum import Enum

from cti.model.table import Outcome, Table

_ = Outcome.ILLEGAL
I = Outcome.IGNORE  # noqa: E741 - one letter a cell keeps the tables readable


class StandingState(Enum):
    """What has become of an agent's standing connection."""

    DOWN = "down"
    """Nobody is trying: the agent hung up, or it has been rung in vain too often."""
    RINGING = "ringing"
    UP = "up"
    WAITING = "waiting"
    """It was lost, and is rung again in a while."""


class StandingTrigger(Enum):
    """What can happen to a standing connection."""

    RING = "ring"
    ANSWER = "answer"
    LOSE = "lose"
    GIVE_UP = "give up"


# fmt: off
S = StandingState
STANDING: Table[StandingState, StandingTrigger] = Table("standing connection", StandingTrigger, {
    #           ring       answer  lose       give up
    S.DOWN:    (S.RINGING, S.UP,   I,         I),
    S.RINGING: (I,         S.UP,   S.WAITING, S.DOWN),
    S.UP:      (I,         I,      S.WAITING, S.DOWN),
    S.WAITING: (S.RINGING, S.UP,   I,         S.DOWN),
})
# fmt: on

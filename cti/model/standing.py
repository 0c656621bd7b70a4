"""Standing connections: an agent's phone that stays on the line between calls."""

from __future__ import annotations

from attrs import define

from cti.model.ids import AgentId, ConnectionId, SwitchId
from cti.model.standing_states import STANDING, StandingState, StandingTrigger


@define(eq=False)
class StandingConnection:
    """One agent's. Only the engine changes it."""

    agent: AgentId
    switch: SwitchId
    leg: ConnectionId
    """The leg that is up, or is being rung; the last one while it is neither."""
    state: StandingState = StandingState.DOWN
    since: float = 0.0
    """Since when it is as it is."""
    tries: int = 0
    """How often it has been rung in vain, or has not lasted, since it last did."""
    rings_at: str = ""
    """The contact that is rung."""

    @property
    def is_up(self) -> bool:
        """Whether calls can be put through to it."""
        return self.state is StandingState.UP

    @property
    def comes_back(self) -> bool:
        """Whether it is being rung, or will be, without anybody asking for it."""
        return self.state in (StandingState.RINGING, StandingState.WAITING)

    def move(self, trigger: StandingTrigger, now: float) -> bool:
        """Pull a trigger of the table; whether it changed the state."""
        after = STANDING.next(self.state, trigger)
        if after is None:
            return False
        self.state, self.since = after, now
        return True

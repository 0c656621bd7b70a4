"""The strategies that come with the library: which of several ready agents is offered a call first.

Figures are those of the agent's session, as they stand when the agent becomes ready. Where a key is the same for two
agents, the longer idle one goes first, then the one whose id sorts first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary

from cti.model.agent import Agent
from cti.model.queue import Queue
from cti.model.states import AgentState
from cti.routing.ringing import Ringing

MOST: Final = 20
"""How many phones ring for one call at the most; each is a leg of its own, and one call answers."""


class LongestIdle:
    """The agent who has been without a call for the longest time goes first."""

    name: ClassVar[str] = "longest-idle"
    per_queue: ClassVar[bool] = False

    def key(self, agent: Agent, queue: Queue) -> float:  # noqa: ARG002 - the protocol's signature
        """Since when the agent has had no call."""
        return agent.idle_since


class RingAll(LongestIdle):
    """The phones of all available agents ring at once, the longest idle agents' if there are too many; the first to
    answer gets the call.

    Args:
        most: never more phones than this for one call.

    Raises:
        ConfigurationError: ``most`` is below 1.
    """

    name: ClassVar[str] = "ring-all"

    def __init__(self, most: int = MOST) -> None:
        self.ringing = Ringing(most, most=most)

    def state(self) -> int:
        """How many."""
        return self.ringing.most

    def restore(self, state: int, agents: Mapping[Any, Agent]) -> None:  # noqa: ARG002 - the protocol's
        """Ring as many as the one that this stands for."""
        self.ringing = Ringing(state, most=state)


class RingProgressively(LongestIdle):
    """The longest idle agent's phone rings first, and then one more agent's every so often, while it rings on; the
    first to answer gets the call.

    Args:
        every_s: seconds until the next phone rings too.
        most: never more phones than this for one call.

    Raises:
        ConfigurationError: ``every_s`` is below 0, or ``most`` below 1.
    """

    name: ClassVar[str] = "ring-progressively"

    def __init__(self, every_s: float = 10.0, most: int = MOST) -> None:
        self.ringing = Ringing(1, more_every_s=every_s, most=most)

    def state(self) -> list[float | None]:
        """How soon one more rings, and how many."""
        return [self.ringing.more_every_s, self.ringing.most]

    def restore(self, state: Sequence[Any], agents: Mapping[Any, Agent]) -> None:  # noqa: ARG002 - the protocol's
        """Ring as soon, and as many, as the one that this stands for."""
        every_s, most = state
        self.ringing = Ringing(1, more_every_s=every_s, most=most)


def _asked(agent: Agent, queue: Queue) -> int:
    """The summed levels in the skills that the queue asks for; in all skills, if it asks for none."""
    skills = agent.skills
    wanted = queue.settings.requires.skills
    return sum(skills.get(skill, 0) for skill in wanted) if wanted else sum(skills.values())


class MostSkilled:
    """The agent with the highest levels in the skills that the queue asks for goes first."""

    name: ClassVar[str] = "most-skilled"

    def key(self, agent: Agent, queue: Queue) -> tuple[int, float]:
        """Summed levels, the highest first."""
        return (-_asked(agent, queue), agent.idle_since)


class LeastSkilled:
    """The agent with the lowest levels that will do goes first, then the one with the fewest of all skills: the experts
    are kept free.
    """

    name: ClassVar[str] = "least-skilled"

    def key(self, agent: Agent, queue: Queue) -> tuple[int, int, float]:
        """Summed levels in what the queue asks for, then in everything, the lowest first."""
        return (_asked(agent, queue), sum(agent.skills.values()), agent.idle_since)


class FewestCalls:
    """The agent who has answered the fewest calls goes first."""

    name: ClassVar[str] = "fewest-calls"
    per_queue: ClassVar[bool] = False

    def key(self, agent: Agent, queue: Queue) -> tuple[int, float]:  # noqa: ARG002
        """Calls answered."""
        return (agent.calls_answered, agent.idle_since)


class LeastTalkTime:
    """The agent who has been busy with calls for the shortest time goes first."""

    name: ClassVar[str] = "least-talk-time"
    per_queue: ClassVar[bool] = False

    def key(self, agent: Agent, queue: Queue) -> tuple[float, float]:  # noqa: ARG002
        """Seconds busy."""
        return (agent.seconds_in.get(AgentState.BUSY, 0.0), agent.idle_since)


_HANDLING: Final = (AgentState.BUSY, AgentState.WORKING_AFTER_CALL)
_AVAILABLE: Final = (AgentState.READY, AgentState.RESERVED, AgentState.ALERTING)


class LowestOccupancy:
    """The agent with the lowest share of handling in the time handling or available goes first; nothing yet is 0."""

    name: ClassVar[str] = "lowest-occupancy"
    per_queue: ClassVar[bool] = False

    def key(self, agent: Agent, queue: Queue) -> tuple[float, float]:  # noqa: ARG002
        """The occupancy, from 0 to 1."""
        spent = agent.seconds_in
        handling = sum(spent.get(state, 0.0) for state in _HANDLING)
        total = handling + sum(spent.get(state, 0.0) for state in _AVAILABLE)
        return (handling / total if total > 0 else 0.0, agent.idle_since)


class RoundRobin:
    """Each in turn: the agent whom this queue chose least recently goes first, those never chosen before them."""

    name: ClassVar[str] = "round-robin"

    def __init__(self) -> None:
        self._turns: WeakKeyDictionary[Agent, dict[str, int]] = WeakKeyDictionary()
        self._turn = 0
        self._before: dict[str, dict[str, int]] = {}
        """The turns of a state that was restored, of agents who have had none since."""

    def key(self, agent: Agent, queue: Queue) -> tuple[int, str]:
        """The number of the queue's decision that last chose the agent; 0 if none did."""
        turns = self._turns.get(agent)
        if turns is None:
            turns = self._before.get(agent.id, {})
        return (turns.get(queue.id, 0), agent.id)

    def chosen(self, agent: Agent, queue: Queue) -> None:
        """The agent goes to the end of this queue's turns."""
        self._turn += 1
        if agent not in self._turns:
            self._turns[agent] = self._before.pop(agent.id, {})
        self._turns[agent][queue.id] = self._turn

    def state(self) -> Mapping[str, Any]:
        """Whose turn was when, as plain values."""
        turns: dict[str, dict[str, int]] = dict(self._before)
        turns.update((agent.id, dict(queues)) for agent, queues in self._turns.items())
        return {"turn": self._turn, "turns": dict(sorted(turns.items()))}

    def restore(self, state: Mapping[str, Any], agents: Mapping[Any, Agent]) -> None:  # noqa: ARG002 - the protocol's
        """Go on from a state."""
        self._turn = state["turn"]
        self._before = {agent: dict(turns) for agent, turns in state["turns"].items()}


class TopDown:
    """Always from the top of the list: the first who is ready.

    Args:
        order: agents' ids, the first to be asked first; those not in it come after, by id.
    """

    name: ClassVar[str] = "top-down"
    per_queue: ClassVar[bool] = False

    def __init__(self, order: Iterable[str] = ()) -> None:
        self._order: Mapping[str, int] = {agent: place for place, agent in enumerate(order)}

    def key(self, agent: Agent, queue: Queue) -> int:  # noqa: ARG002
        """The agent's place in the list."""
        return self._order.get(agent.id, len(self._order))

    def state(self) -> list[str]:
        """The list."""
        return list(self._order)

    def restore(self, state: Iterable[str], agents: Mapping[Any, Agent]) -> None:  # noqa: ARG002 - the protocol's
        """Go on from a state."""
        self._order = {agent: place for place, agent in enumerate(state)}


class Random:
    """Any of the ready agents, each with the same chance.

    Args:
        chance: ``random.Random(seed).random`` or alike: numbers from 0 to below 1. One is drawn after each decision, so
            that asking who would be chosen changes nothing.
    """

    name: ClassVar[str] = "random"
    per_queue: ClassVar[bool] = False

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._lot = chance()

    def key(self, agent: Agent, queue: Queue) -> int:  # noqa: ARG002
        """The same for all: they stand by their ids, and a lot is drawn."""
        return 0

    def place(self, count: int) -> int:
        """Which of so many."""
        return min(int(self._lot * count), count - 1)

    def chosen(self, agent: Agent, queue: Queue) -> None:  # noqa: ARG002
        """Draw the next lot."""
        self._lot = self._chance()

    def state(self) -> float:
        """The lot drawn for the next decision."""
        return self._lot

    def restore(self, state: float, agents: Mapping[Any, Agent]) -> None:  # noqa: ARG002 - the protocol's
        """Go on from a state."""
        self._lot = state


BUILT_IN: Final[Mapping[str, type[Any]]] = {
    made.name: made
    for made in (
        LongestIdle,
        MostSkilled,
        LeastSkilled,
        FewestCalls,
        LeastTalkTime,
        LowestOccupancy,
        RoundRobin,
        TopDown,
        RingAll,
        RingProgressively,
    )
}
"""Those that need nothing to be made; ``random`` needs a source of chance."""

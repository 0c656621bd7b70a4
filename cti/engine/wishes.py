"""Wishes: calls that wait for one agent, by what that agent is doing; and who talked with whom last."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from cti.engine.world import World
from cti.model import facts
from cti.model.agent import Agent
from cti.model.ids import InteractionId, QueueId
from cti.model.interaction import Interaction
from cti.model.overflow import Overflow, ToQueue
from cti.model.party import HIDDEN
from cti.model.personal import Deputy, LastAgent, Personal, presence_of
from cti.model.states import AgentState

PERSONAL = "personal"

CUSTOMER = "customer"
"""The key of attached data that says who calls; without it the calling number does."""


class Wishes:
    """Settles for whom a call waits.

    Args:
        world: what is known.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._waits: dict[InteractionId, tuple[float, float]] = {}
        """Since when a call waits for the agent it wants, and for how long it may by the terms that hold now."""
        self.look_again: Callable[[Interaction], None] = lambda _: None
        """Set by the engine: a waiting call looks for agents again, or goes elsewhere."""

    def settle(self, call: Interaction, wish: Personal | LastAgent | None) -> Overflow | None:
        """Decide for whom a call that enters a queue waits, by its own wish or else its queue's.

        Returns where it goes instead of the queue, None to let it wait there.
        """
        self.drop(call)
        asked = call.personal if call.personal is not None else wish
        if isinstance(asked, LastAgent):
            asked = self._of_last_agent(call, asked)
        call.personal = asked
        return None if asked is None else self._apply(call, asked)

    def _of_last_agent(self, call: Interaction, wish: LastAgent) -> Personal | None:
        last = self._world.last_agents.get(customer(call))
        if last is None or self._world.now - last[1] > wish.within_s:
            return None
        return Personal(last[0], wish.wait_s, wish.by_presence)

    def _apply(self, call: Interaction, wish: Personal) -> Overflow | None:
        world = self._world
        asked = set()
        while wish.agent in world.agents and wish.agent not in asked:
            asked.add(wish.agent)
            agent = world.agents[wish.agent]
            terms = wish.terms(presence_of(agent))
            since, known = (world.now, None) if call.wanted != agent.id else self._waits[call.id]
            if isinstance(terms, Deputy):
                wish = call.personal = evolve(wish, agent=terms.agent)
            elif not isinstance(terms, int | float):
                return terms
            elif since + terms > world.now:
                if terms != known:
                    call.wanted, self._waits[call.id] = agent.id, (since, terms)
                    world.timers.start(PERSONAL, call.id, since + terms - world.now)
                return None
            else:
                if agent.state is AgentState.READY and agent.id not in call.preferred:
                    call.preferred = (agent.id, *call.preferred)
                break
        self.drop(call)
        return None

    def again(self, call: Interaction) -> Overflow | None:
        """The agent whom a call waits for may be doing something else by now; returns where it goes instead, if so."""
        wish = call.personal
        return self._apply(call, wish) if call.wanted is not None and isinstance(wish, Personal) else None

    def drop(self, call: Interaction) -> None:
        """The call waits for nobody in particular any more."""
        call.wanted = None
        self._waits.pop(call.id, None)
        self._world.timers.cancel(PERSONAL, call.id)

    def over(self, interaction: InteractionId) -> None:
        """A call has waited for its agent for long enough: everybody may be offered it."""
        call = self._world.interactions.get(interaction)
        if call is not None and call.wanted is not None:
            self.drop(call)
            self.look_again(call)

    def agent_left(self, agent: Agent) -> None:
        """An agent is not ready, or has logged off: those who wait for them are told, by the same terms."""
        for each in self._world.router.waiting_for(agent.id):
            self.look_again(self._world.interactions[each])


def customer(call: Interaction) -> str:
    """Who calls, for finding the agent they talked with last; empty if that is not known."""
    said = call.data.get(CUSTOMER)
    if said not in (None, ""):
        return str(said)
    return "" if call.calling_number.lower() in HIDDEN else call.calling_number


def queues_named(wish: Personal | LastAgent | None) -> tuple[QueueId, ...]:
    """The queues to which a wish sends calls, for one presence or another."""
    targets = wish.by_presence.values() if wish is not None else ()
    return tuple(target.queue for target in targets if isinstance(target, ToQueue))


def check_names(world: World, fact: facts.QueueRequested | facts.RouteSelected) -> None:
    """Whether the agents and queues that a request waits for are there.

    Raises:
        UnknownAgent, UnknownQueue: one is not; the message names the nearest.
    """
    named = fact.preferred if not isinstance(fact.personal, Personal) else (*fact.preferred, fact.personal.agent)
    for agent in named:
        world.agent(agent)
    for queue in queues_named(fact.personal):
        world.queue(queue)

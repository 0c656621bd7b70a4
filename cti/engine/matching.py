"""Matching: a waiting call looks for agents, an agent who is ready looks for a call."""

from __future__ import annotations

from cti.engine.offers import Offers
from cti.engine.world import World
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.ids import InteractionId, QueueId
from cti.model.interaction import Interaction
from cti.model.queue import QueueSettings
from cti.model.states import AgentState, ReservationState

WIDEN = "widen"
RING = "ring"


class Matching:
    """Brings calls and agents together by what the router says.

    Args:
        world: what is known.
        offers: makes reservations.
    """

    def __init__(self, world: World, offers: Offers) -> None:
        self._world = world
        self._offers = offers
        self._held: list[Interaction | Agent] | None = None

    def hold(self) -> None:
        """Look for nobody until ``release``: not all who wait are in their places, and a younger call would overtake them."""
        self._held = []

    def release(self) -> None:
        """Look for those who were to be looked for meanwhile. Harmless when nothing is held."""
        held, self._held = self._held or [], None
        for call in sorted((each for each in held if isinstance(each, Interaction)), key=lambda call: call.age_key):
            self.route(call)
        for agent in held:
            if isinstance(agent, Agent):
                self.offer_to(agent)

    def open(self, call: Interaction) -> bool:
        """Whether a call may be offered to an agent, or to one more, now."""
        if not call.state.is_waiting or call.route_request or not self._world.may_go_on(call):
            return False
        return not call.reservations or self._room(call)

    def _room(self, call: Interaction) -> bool:
        assert call.queue is not None
        if call.overflow_due or call.wanted is not None:
            return False
        ringing = self._world.router.ringing(call.queue)
        if len(call.reservations) >= ringing.allowed(self._world.now - call.ringing_since):
            return False
        made = [self._world.reservations[each] for each in call.reservations]
        return not any(each.state is ReservationState.ACCEPTED for each in made)

    def somebody_is_free(self, call: Interaction, settings: QueueSettings) -> bool:
        """Whether an agent would be offered a call at once that comes into this queue now."""
        call.widened = settings.steps_due(0.0)
        self._world.router.call_waiting(call)
        found = self._world.router.agent_for(call)
        self._world.router.call_gone(call.id)
        return found is not None

    def place(self, call: Interaction) -> None:
        """Tell the router of a call, as it is now; or that no agent is looked for."""
        if self.open(call):
            self._world.router.call_waiting(call)
        else:
            self._world.router.call_gone(call.id)

    def route(self, call: Interaction) -> None:
        """Offer a waiting call to an agent, if one is free for it; to several, if its queue rings several phones."""
        if self._held is not None:
            self._held.append(call)
            return
        world = self._world
        while self.open(call):
            found = world.router.agent_for(call)
            if found is None or world.agents[found].state is not AgentState.READY:
                return
            agent = world.agents[found]
            due = world.router.call_for(agent)
            # Where several calls become possible at once (a queue redefined, a link back up), whichever is looked at
            # first: the agent gets the one that is due to them, and this one looks for the next agent.
            self._make(call if due is None else world.interactions[due], agent)

    def offer_to(self, agent: Agent) -> None:
        """Offer an agent who became ready the call that is due to them, if one waits."""
        if self._held is not None:
            self._held.append(agent)
        elif agent.state is AgentState.READY:
            call = self._world.router.call_for(agent)
            if call is not None:
                self._make(self._world.interactions[call], agent)

    def give(self, call: Interaction, agent: Agent, cause: Cause) -> None:
        """Offer a waiting call that nobody is being offered to an agent whom somebody has named."""
        self._world.router.call_waiting(call)
        self._make(call, agent, cause)

    def _make(self, call: Interaction, agent: Agent, cause: Cause = Cause.DISTRIBUTED) -> None:
        assert call.queue is not None
        if call.callback is not None and cause is Cause.DISTRIBUTED:
            cause = Cause.CALL_BACK
        world = self._world
        world.router.decided(call, agent)
        if not call.reservations:
            call.ringing_since = world.now
        self._offers.make(call, agent, cause)
        if not self._room(call):
            world.router.call_gone(call.id)
        if len(call.reservations) == 1:
            self._ring_more(call)

    def ring(self, interaction: InteractionId) -> None:
        """A call has been ringing for so long that one more phone may ring."""
        call = self._world.interactions.get(interaction)
        if call is not None and call.reservations and call.state.is_waiting:
            self._ring_more(call)
            self.place(call)
            self.route(call)

    def _ring_more(self, call: Interaction) -> None:
        """Start the timer of the next phone, where phones are added one after the other."""
        assert call.queue is not None
        ringing = self._world.router.ringing(call.queue)
        rung_s = self._world.now - call.ringing_since
        if ringing.more_every_s and ringing.allowed(rung_s) < ringing.most:
            added = ringing.allowed(rung_s) - ringing.at_once + 1
            self._world.timers.start(RING, call.id, added * ringing.more_every_s - rung_s)

    def forget(self, call: Interaction) -> None:
        """A call is out of its queue, or with an agent: nobody is looked for any more."""
        world = self._world
        world.router.call_gone(call.id)
        world.timers.cancel(WIDEN, call.id)
        world.timers.cancel(RING, call.id)

    def agent_changed(self, agent: Agent) -> None:
        """An agent's skills changed while they are ready."""
        self._world.router.agent_available(agent)
        self.offer_to(agent)

    # -- widening -------------------------------------------------------------------------------------------------

    def widen_due(self, call: Interaction, settings: QueueSettings) -> None:
        """The step of widening a call has come to, and the timer of the next."""
        waited = self._world.now - call.entered_at
        call.widened = settings.steps_due(waited)
        if call.widened < len(settings.widening):
            self._world.timers.start(WIDEN, call.id, settings.widening[call.widened].after_s - waited)
        else:
            self._world.timers.cancel(WIDEN, call.id)

    def widen(self, interaction: InteractionId) -> None:
        """A call has been in its queue for long enough to go to more agents."""
        call = self._world.interactions.get(interaction)
        if call is not None and call.state.is_waiting and call.queue is not None:
            self.widen_due(call, self._world.queues[call.queue].settings)
            self.place(call)
            self.route(call)

    def redefined(self, queue: QueueId) -> None:
        """Who may take the calls of a queue has changed: they are matched afresh (race 19)."""
        self.rematch(self._world.router.concerned(queue))

    def rematch(self, calls: tuple[InteractionId, ...]) -> None:
        """Look for agents for these calls again."""
        for each in calls:
            self.route(self._world.interactions[each])

"""Pickups: a ringing call is taken by somebody else, or sent elsewhere by whom it rings (CSTA: Pickup, Deflect)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cti.engine.line import Line
from cti.engine.matching import Matching
from cti.engine.offers import Offers
from cti.engine.target import check_target
from cti.engine.world import World
from cti.errors import InvalidAgentState, InvalidConnection
from cti.model import services
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.ids import AgentId
from cti.model.interaction import Interaction
from cti.model.overflow import ToDestination, ToQueue
from cti.model.party import ToAgent, contact_of
from cti.model.reservation import Reservation
from cti.model.states import AgentState, InteractionTrigger, ReservationState, ReservationTrigger


class Pickups:
    """Takes a ringing call from one agent to another, or elsewhere.

    Args:
        world: what is known.
        offers: makes and ends reservations.
        matching: offers calls.
        line: moves calls into queues and out of them.
    """

    def __init__(self, world: World, offers: Offers, matching: Matching, line: Line) -> None:
        self._world = world
        self._offers = offers
        self._matching = matching
        self._line = line
        self.table: dict[type, Callable[[Any], None]] = {
            services.DirectedPickupRequested: self._directed,
            services.GroupPickupRequested: self._group,
            services.DeflectRequested: self._deflect,
        }

    def _directed(self, fact: services.DirectedPickupRequested) -> None:
        taker = self._ready(fact.agent)
        made = self._ringing_at(self._world.agent(fact.at))
        if made is None:
            raise self._nothing_rings(self._world.agent(fact.at), "pick up")
        self._hand_to(self._world.interactions[made.interaction], taker, Cause.CALL_PICKUP)

    def _group(self, fact: services.GroupPickupRequested) -> None:
        taker = self._ready(fact.agent)
        mine = set(taker.settings.pickup_groups)
        if fact.group and fact.group not in mine:
            known = ", ".join(sorted(mine)) or "none"
            raise InvalidConnection(f"agent {taker.id!r} is not in pickup group {fact.group!r} (theirs: {known})")
        groups = {fact.group} if fact.group else mine
        serves = self._world.staff.serves(taker.id)

        def reaches(made: Reservation) -> bool:
            if not groups:
                return made.queue in serves
            return not groups.isdisjoint(self._world.agents[made.agent].settings.pickup_groups)

        ringing = [
            made
            for made in self._world.reservations.values()
            if reaches(made) and self._can_be_taken(made) and made.delivered_at is not None
        ]
        if not ringing:
            raise InvalidConnection(f"no call rings at a colleague of agent {taker.id!r}; there is nothing to pick up")
        longest = min(ringing, key=lambda made: (made.delivered_at or 0.0, made.token))
        self._hand_to(self._world.interactions[longest.interaction], taker, Cause.CALL_PICKUP)

    def _deflect(self, fact: services.DeflectRequested) -> None:
        world = self._world
        made = self._ringing_at(world.agent(fact.agent))
        if made is None:
            raise self._nothing_rings(world.agent(fact.agent), "deflect")
        call, to = world.interactions[made.interaction], fact.to
        check_target(call, to)
        if isinstance(to, ToAgent):
            self._hand_to(call, self._ready(to.agent), Cause.REDIRECTED)
            return
        if isinstance(to, ToQueue):
            world.queue(to.queue)
        elif isinstance(to, ToDestination):
            contact_of(to.destination, world.destinations)
        self._line.leave(call, lambda: self._line.go(call, to, Cause.REDIRECTED))

    def _nothing_rings(self, agent: Agent, service: str) -> InvalidConnection:
        said = "logged off" if agent.state is AgentState.NULL else agent.state.value
        return InvalidConnection(
            f"no call rings at agent {agent.id!r}, who is {said}; there is nothing to {service} "
            "(possible: while one is being offered that nobody has answered)"
        )

    def _ready(self, agent_id: AgentId) -> Agent:
        agent = self._world.agent(agent_id)
        if agent.state is not AgentState.READY:
            said = "logged off" if agent.state is AgentState.NULL else agent.state.value
            raise InvalidAgentState(f"agent {agent.id!r} is {said}; only one who is ready can take a ringing call")
        return agent

    def _ringing_at(self, agent: Agent) -> Reservation | None:
        made = self._world.reservations.get(agent.reservation) if agent.reservation is not None else None
        return made if made is not None and self._can_be_taken(made) else None

    def _can_be_taken(self, made: Reservation) -> bool:
        """Whether it is an offer of a waiting call that nobody has answered."""
        call = self._world.interactions[made.interaction]
        asked = [self._world.reservations[each] for each in call.reservations]
        answered = any(each.state is ReservationState.ACCEPTED for each in asked)
        return made.consults is None and not answered and self._world.is_live(call.switch)

    def _hand_to(self, call: Interaction, taker: Agent, cause: Cause) -> None:
        def give(call: Interaction) -> None:
            call.move(InteractionTrigger.REQUEUE, self._world.now)
            self._matching.give(call, taker, cause)

        made = [self._world.reservations[each] for each in call.reservations]
        self._offers.end_all(call, made, ReservationTrigger.RESCIND, cause, then=give)

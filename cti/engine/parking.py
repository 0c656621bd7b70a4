"""Parking: callers who wait at a numbered place, and who takes them up (CSTA: Park Call)."""

from __future__ import annotations

from itertools import count
from typing import Final

from cti.engine.line import Line
from cti.engine.world import World
from cti.errors import InvalidAgentState, InvalidConnection, ResourceBusy
from cti.model import events, intents, services
from cti.model.cause import Cause
from cti.model.ids import AgentId
from cti.model.interaction import Interaction
from cti.model.parked_call import ParkedCall
from cti.model.personal import Personal
from cti.model.states import AgentState, InteractionState, InteractionTrigger

RECALL = "recall"

FIRST_PLACE: Final = 701
"""The first of the places that are given to those who name none."""
WAIT_S: Final = 60.0
"""How long a call that is taken up, or recalled, waits for its agent before everybody in its queue may be offered it."""


_KEPT = (InteractionState.OFFERED, InteractionState.ESTABLISHED)
"""A script may have sent a parked call elsewhere."""


class Parking:
    """Keeps the places.

    Args:
        world: what is known.
        line: puts calls into queues.
    """

    def __init__(self, world: World, line: Line) -> None:
        self._world = world
        self._line = line

    def reserve(self, call: Interaction, fact: services.ParkRequested) -> str:
        """Keep a place for a call that is on its way there; returns which.

        Raises:
            ResourceBusy: somebody else's call is there.
            InvalidConnection: the call came by no queue, and could not come back into any.
        """
        if call.queue is None:
            raise InvalidConnection(f"call {call.id} came by no queue, and can be parked in none")
        where = fact.place or next(str(n) for n in count(FIRST_PLACE) if self.at(str(n)) is None)
        taken = self.at(where)
        if taken is not None:
            raise ResourceBusy(f"place {where} is taken by call {taken.interaction}, parked by {taken.by!r}")
        self._clean(where)
        self._world.parked[where] = ParkedCall(where, call.id, fact.agent, self._world.now, fact.recall_s, call.queue)
        call.place_kept = where
        return where

    def at(self, place: str) -> ParkedCall | None:
        """Who waits at a place, or is on the way there; not what has ended or gone elsewhere."""
        parked = self._world.parked.get(place)
        if parked is None:
            return None
        call = self._world.interactions.get(parked.interaction)
        there = call is not None and call.place_kept == place and call.state in _KEPT
        return parked if there else None

    def _clean(self, place: str) -> None:
        """Forget what was at a place that is free."""
        parked = self._world.parked.get(place)
        call = self._world.interactions.get(parked.interaction) if parked is not None else None
        if call is not None and call.place_kept == place:
            self.forget(call)
        self._world.parked.pop(place, None)
        self._world.timers.cancel(RECALL, place)

    def placed(self, call: Interaction, place: str) -> None:
        """The caller is apart from their agent: they wait at their place from now on."""
        world = self._world
        parked = world.parked[place]
        call.move(InteractionTrigger.RETURN, world.now)
        world.timers.start(RECALL, place, parked.recall_s)
        assert call.queue is not None
        music = world.queues[call.queue].settings.music
        if music:
            world.emit(intents.StartTreatment(call.switch, call.caller, music))
            call.treated = True
        world.tell(events.Diverted, call, Cause.PARK, agent=parked.by, to_place=place)

    def unpark(self, fact: services.UnparkRequested) -> None:
        """An agent takes a parked call up: it is offered to them, and to nobody else for a while.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidAgentState: the agent is not ready.
            InvalidConnection: nobody waits at this place, or not yet.
        """
        agent = self._world.agent(fact.agent)
        if agent.state is not AgentState.READY:
            said = "logged off" if agent.state is AgentState.NULL else agent.state.value
            raise InvalidAgentState(f"agent {agent.id!r} is {said}; 'unpark' is not possible (possible: ready)")
        parked = self.at(fact.place)
        if parked is None:
            taken = ", ".join(each for each in sorted(self._world.parked) if self.at(each)) or "none is taken"
            raise InvalidConnection(f"nobody waits at place {fact.place!r} (taken: {taken})")
        call = self._world.interactions[parked.interaction]
        if call.state is not InteractionState.OFFERED or not self._world.is_live(call.switch):
            raise InvalidConnection(f"the call at place {fact.place!r} cannot be taken up yet; try again")
        self._leave(parked, agent.id, Cause.CALL_PICKUP)

    def recall(self, place: str) -> None:
        """Nobody has taken a parked call up in time: back to whoever parked it."""
        parked = self.at(place)
        if parked is None:
            self._clean(place)
        elif self._world.interactions[parked.interaction].state is InteractionState.OFFERED:
            self._leave(parked, parked.by, Cause.RECALL)

    def _leave(self, parked: ParkedCall, to: AgentId, cause: Cause) -> None:
        world = self._world
        call = world.interactions[parked.interaction]
        self.forget(call)
        assert call.queue is not None
        call.queued_at = None  # a new wait begins
        call.personal = Personal(to, WAIT_S) if to in world.agents else None
        self._line.enter(call, world.queues[call.queue], cause)

    def forget(self, call: Interaction) -> None:
        """A call is at no place any more."""
        if call.place_kept:
            self._world.parked.pop(call.place_kept, None)
            self._world.timers.cancel(RECALL, call.place_kept)
            call.place_kept = ""

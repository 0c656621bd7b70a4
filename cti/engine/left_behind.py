"""Those whom a caller leaves behind: who talks with one another goes on when the caller hangs up."""

from __future__ import annotations

from cti.engine.consultations import move
from cti.engine.media import Media
from cti.engine.world import World
from cti.model import intents
from cti.model.connection import Connection, Side
from cti.model.interaction import Interaction
from cti.model.states import ConnectionTrigger, InteractionState, TalkState, TalkTrigger


class LeftBehind:
    """Lets an agent and whom they consult finish, and a conference go on, without the caller.

    One of them is in the caller's place from then on: the call ends when one of two hangs up, for both, and the agents work
    after it as after any other.

    Args:
        world: what is known.
        media: says who hears whom.
    """

    def __init__(self, world: World, media: Media) -> None:
        self._world = world
        self._media = media

    def goes_on(self, call: Interaction, caller: Connection) -> bool:
        """The caller's leg has ended: whether the others go on; if so it is seen to."""
        own = self._own(call)
        if own is None or call.state is not InteractionState.ESTABLISHED or call.onward is not None:
            return False
        if call.talk in (TalkState.CONSULTING, TalkState.ALTERNATED):
            other = self._with(call, own)
        elif call.talk is TalkState.CONFERENCE and not self._ends_with_caller(call):
            other = self._next(call, own)
        else:
            return False
        if other is None:
            return False
        self._media.gone(call, caller)
        call.caller, call.caller_left, call.consulted = other.id, True, None
        own.move(ConnectionTrigger.RETRIEVE)
        if own.agent is not None:
            self._world.agents[own.agent].resumes(self._world.now)  # nobody is held any more
        if move(call, TalkTrigger.CALLER_LEFT):
            self._media.join(call, own.id, other.id)
            if set(call.pair or ()) == {own.id, other.id}:  # whoever hangs up now ends it for both
                for leg in (own, other):
                    if not leg.standing:
                        self._world.emit(intents.KeepCaller(call.switch, leg.id, keep=False))
        return True

    def _own(self, call: Interaction) -> Connection | None:
        """The leg of the agent in charge."""
        agent = self._world.agents.get(call.agent) if call.agent is not None else None
        leg = self._world.connections.get(agent.connection) if agent is not None and agent.connection else None
        return leg if leg is not None and leg.id in call.connections and not leg.clearing else None

    def _with(self, call: Interaction, own: Connection) -> Connection | None:
        leg = self._world.connections.get(call.consulted) if call.consulted is not None else None
        return leg if leg is not None and leg is not own and self._is_there(leg) else None

    def _next(self, call: Interaction, own: Connection) -> Connection | None:
        """Who is in the caller's place from now on: somebody outside before an agent."""
        legs = [self._world.connections[each] for each in sorted(call.connections - {own.id, call.invited})]
        there = [leg for leg in legs if self._is_there(leg)]
        return next((leg for leg in there if leg.side is not Side.AGENT), there[0] if there else None)

    def _is_there(self, leg: Connection) -> bool:
        return leg.reservation is None and leg.established_at is not None and not leg.clearing

    def _ends_with_caller(self, call: Interaction) -> bool:
        queue = self._world.queues.get(call.queue) if call.queue is not None else None
        return queue is not None and queue.settings.conference_ends_with_caller

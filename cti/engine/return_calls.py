"""Return calls: an agent who hears a message calls whoever left it, in the same interaction.

Until the two talk it is a message that is being heard: should nobody answer, the agent is back at it. From then on it is a
call as any other, with that person in the caller's place.
"""

from __future__ import annotations

from typing import Final

from cti.engine.calling_out import call_out
from cti.engine.media import Media
from cti.engine.offers import Offers
from cti.engine.world import World
from cti.errors import DestinationNotAllowed, InvalidConnection
from cti.model import callback_events, events, services
from cti.model.agent import Agent
from cti.model.callback import CallbackSettings
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import InteractionId
from cti.model.interaction import NOBODY, Interaction, InteractionKind
from cti.model.party import HIDDEN, contact_of
from cti.model.states import CallbackState, ConnectionTrigger, InteractionState

RETURN: Final = "return call"

HOLD_S: Final = 60.0
"""How long may whoever has answered be kept before they are connected? FreeSWITCH takes 60 ms; it wants a figure."""
_AGAIN_S: Final = 1.0


class ReturnCalls:
    """Calls those who have left messages.

    Args:
        world: what is known.
        offers: clears legs.
        media: says who hears whom.
    """

    def __init__(self, world: World, offers: Offers, media: Media) -> None:
        self._world = world
        self._offers = offers
        self._media = media

    def request(self, fact: services.ReturnCallRequested) -> None:
        """Call whoever left the message that an agent hears.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidConnection: the agent hears no message, or is calling back already, or no link is live.
            DestinationNotAllowed: the number is not known, or may not be called.
        """
        world = self._world
        agent = world.agent(fact.agent)
        call = self._heard_by(agent)
        if call.caller != NOBODY:
            raise InvalidConnection(f"agent {agent.id!r} is calling back already (possible: hang up)")
        if not world.is_live(call.switch):
            raise InvalidConnection(f"the link to switch {call.switch} is not live; 'return call' has to wait")
        number = fact.number or call.calling_number
        settings = self._settings(call)
        if number.lower() in HIDDEN:
            raise DestinationNotAllowed(number)
        contact = contact_of(number, settings.destinations or world.destinations)
        shown = settings.calling_number or None
        leg = call_out(
            world, call, Side.CALLER, contact, number, ring_s=settings.ring_s, calling_number=shown, park_s=HOLD_S
        )
        call.caller = leg.id
        call.data["callback_number"] = number
        world.timers.start(RETURN, call.id, settings.ring_s)
        world.tell(events.Originated, call, Cause.CALL_BACK, connection=leg.id, to=number)

    def _settings(self, call: Interaction) -> CallbackSettings:
        """How the queue of a message calls back; as by default, should it say nothing."""
        queue = self._world.queues.get(call.queue) if call.queue is not None else None
        return (queue.settings.callback if queue is not None else None) or CallbackSettings()

    def _heard_by(self, agent: Agent) -> Interaction:
        """The message that an agent hears.

        Raises:
            InvalidConnection: there is none.
        """
        call = self._world.interactions.get(agent.interaction) if agent.interaction is not None else None
        own = self._world.connections.get(agent.connection) if agent.connection is not None else None
        if call is None or own is None or own.clearing or not _is_heard(call) or call.agent != agent.id:
            raise InvalidConnection(f"agent {agent.id!r} hears no message; 'return call' needs one")
        return call

    def _own(self, call: Interaction) -> Connection | None:
        """The leg of the agent who hears a message."""
        agent = self._world.agents.get(call.agent) if call.agent is not None else None
        own = self._world.connections.get(agent.connection) if agent is not None and agent.connection else None
        return own if own is not None and not own.clearing else None

    # -- what the switch says -------------------------------------------------------------------------------------

    def parked(self, leg: Connection) -> None:
        """A leg hears nobody: it may be of whoever is called back, who has answered."""
        world = self._world
        call = world.interactions.get(leg.interaction)
        if call is None or leg.id != call.caller or leg.clearing or not _is_heard(call):
            return
        own = self._own(call)
        if own is None or call.wanted_pair is not None:
            return
        world.timers.cancel(RETURN, call.id)
        leg.parked = True
        if leg.established_at is None:
            leg.established_at = world.now
        world.tell(
            callback_events.CallbackAnswered,
            call,
            Cause.CALL_BACK,
            number=call.data.get("callback_number", call.calling_number),
            state=CallbackState.ANSWERED.value,
            connection=leg.id,
        )
        self._media.join(call, leg.id, own.id)

    def bridged(self, first: Connection, second: Connection) -> None:
        """Two legs hear each other: if they are of an agent and of whoever was called back, it is a call from now on."""
        world = self._world
        call = world.interactions.get(first.interaction)
        own = self._own(call) if call is not None else None
        if call is None or own is None or not _is_heard(call) or {first.id, second.id} != {call.caller, own.id}:
            return
        world.timers.cancel(RETURN, call.id)
        call.kind, call.message = InteractionKind.CALL, None
        for leg in (first, second):
            if leg.established_at is None:
                leg.established_at = world.now
        world.connections[call.caller].move(ConnectionTrigger.ESTABLISH)
        world.mirror(call)
        world.tell(events.Established, call, Cause.CALL_BACK, connection=own.id, waited_s=0.0)

    def in_vain(self, call: Interaction, leg: Connection) -> bool:
        """The leg of a caller has ended; whether it was of somebody who was called back and has not talked with anybody."""
        if call.kind is not InteractionKind.VOICEMAIL or leg.id != call.caller:
            return False
        self._world.timers.cancel(RETURN, call.id)
        call.caller = NOBODY
        self._media.gone(call, leg)
        return True

    def leaves_alone(self, call: Interaction) -> None:
        """The agent has gone: nobody is called back for whoever hears the message next."""
        leg = self._world.connections.get(call.caller)
        self._world.timers.cancel(RETURN, call.id)
        if leg is not None and not leg.clearing:
            self._offers.clear(leg, Cause.CALL_CANCELLED)
        call.caller = NOBODY

    def no_answer(self, interaction: InteractionId) -> None:
        """It has rung for long enough."""
        world = self._world
        call = world.interactions.get(interaction)
        leg = world.connections.get(call.caller) if call is not None else None
        if call is None or leg is None or leg.clearing or not _is_heard(call):
            return
        if not world.is_live(call.switch):  # they may have answered unseen: the next snapshot tells
            world.timers.start(RETURN, call.id, _AGAIN_S)
            return
        self._offers.clear(leg, Cause.CALL_NOT_ANSWERED)


def _is_heard(call: Interaction) -> bool:
    """Whether it is a message that an agent hears."""
    return call.kind is InteractionKind.VOICEMAIL and call.state is InteractionState.ESTABLISHED

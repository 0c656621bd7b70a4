"""Dialling: an agent's phone is connected first, and told whom to call afterwards (CSTA: Make Connection, Dial Digits)."""

from __future__ import annotations

from typing import Final

from cti.engine.exits import Exits
from cti.engine.made_calls import MadeCalls
from cti.engine.world import World
from cti.errors import DestinationNotAllowed, InvalidConnection
from cti.model import calling, events, intents
from cti.model.cause import Cause
from cti.model.connection import Connection
from cti.model.ids import InteractionId
from cti.model.interaction import Interaction
from cti.model.party import ToNumber, contact_of, is_number
from cti.model.states import InteractionState

DIAL = "dial"

FIRST_DIGIT_S: Final = 30.0
"""How long may an agent take to begin, from the moment their phone is answered?"""
NEXT_DIGIT_S: Final = 5.0
"""How long after digits to which more are to come is what there is taken for the whole number?"""
DIAL_TONE: Final = "tone_stream://%(10000,0,350,440);loops=-1"
"""What the agent hears until the first digits: a continuous tone, here North America's (ITU-T E.180)."""


class Dialling:
    """Collects the digits of calls whose agents are connected already.

    Args:
        world: what is known.
        made: makes the calls.
        exits: ends them.
    """

    def __init__(self, world: World, made: MadeCalls, exits: Exits) -> None:
        self._world = world
        self._made = made
        self._exits = exits

    def connect(self, fact: calling.MakeConnectionRequested) -> None:
        """Ring the agent's phone; whom they call is said later.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidAgentState: the agent is logged off, on a call, or being offered one.
            InvalidConnection: no switch can be reached.
        """
        self._made.begin(fact.agent, None, fact.calling_number, fact.wrap_up_s, Cause.MAKE_CONNECTION)

    def dial(self, fact: calling.DialDigitsRequested) -> None:
        """Take digits; unless more are to come, the number is complete, and is called.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidConnection: the agent has no call that waits for digits, or these make no number.
            DestinationNotAllowed: the number is complete, and may not be called; these digits were not taken.
        """
        agent = self._world.agent(fact.agent)
        call = self._world.interactions.get(agent.interaction) if agent.interaction is not None else None
        waits = call is not None and call.dialled is not None and call.state is InteractionState.CREATED
        if call is None or agent.connection is None or call.dialled is None or not waits:
            said = f"is {agent.state.value}, with a call that waits for no digits"
            said = f"is {agent.state.value} and has no call" if call is None else said
            raise InvalidConnection(
                f"agent {agent.id!r} {said}; 'dial digits' needs one that 'make connection' has made"
            )
        if not self._world.is_live(call.switch):
            raise InvalidConnection(f"the link to switch {call.switch} is not live; 'dial digits' has to wait")
        number = call.dialled + fact.digits
        if not is_number(number):
            raise InvalidConnection(f"{number!r} is no number; agent {agent.id!r} may clear the connection")
        if not fact.more:
            contact_of(number, self._world.destinations)
        own = self._world.connections[agent.connection]
        self._took(call, own, number, fact.digits)
        if not fact.more:
            self._complete(call, own)

    def _took(self, call: Interaction, own: Connection, number: str, digits: str) -> None:
        world = self._world
        if own.parked and not call.dialled:
            world.emit(intents.StopTreatment(call.switch, own.id))
        call.dialled = call.called_number = number
        world.tell(events.DigitsDialled, call, Cause.NORMAL, connection=own.id, digits=digits)
        world.timers.start(DIAL, call.id, NEXT_DIGIT_S if own.parked else FIRST_DIGIT_S)

    def _complete(self, call: Interaction, own: Connection) -> None:
        """The number is whole: it is called now, or as soon as the agent's phone is answered."""
        self._world.timers.cancel(DIAL, call.id)
        call.dials, call.dialled = ToNumber(call.dialled or ""), None
        if own.parked:
            self._made.parked(own)

    # -- what the switch says -------------------------------------------------------------------------------------

    def parked(self, own: Connection) -> None:
        """The phone of an agent who is to dial has been answered: they hear that they may begin."""
        call = self._world.interactions.get(own.interaction)
        if call is None or call.dialled is None or own.clearing or own.agent != call.made_by:
            return
        self._made.own_answered(own)
        if not call.dialled:
            self._world.emit(intents.StartTreatment(call.switch, own.id, DIAL_TONE))
        self._world.timers.start(DIAL, call.id, NEXT_DIGIT_S if call.dialled else FIRST_DIGIT_S)

    def no_more(self, interaction: InteractionId) -> None:
        """No more digits have come: what there is is the number; without any, or with one that is not allowed, it is over."""
        call = self._world.interactions.get(interaction)
        if call is None or call.dialled is None or call.state is not InteractionState.CREATED:
            return
        agent = self._world.agents.get(call.made_by) if call.made_by is not None else None
        own = self._world.connections.get(agent.connection) if agent is not None and agent.connection else None
        try:
            contact_of(call.dialled, self._world.destinations)
        except DestinationNotAllowed:
            cause = Cause.DEST_NOT_OBTAINABLE if call.dialled else Cause.TIMEOUT
            call.dialled = None
            self._exits.clear(call, cause)
            return
        if own is not None:
            self._complete(call, own)

"""Predictive calls: a customer is called, and whoever answers is not left alone (race 23)."""

from __future__ import annotations

from typing import Final

from cti.engine.calling_out import call_out
from cti.engine.consultations import ANSWER
from cti.engine.exits import LIVE, Exits
from cti.engine.line import Line
from cti.engine.matching import Matching
from cti.engine.offers import BRIDGE_LEASE_S
from cti.engine.world import World
from cti.errors import ConfigurationError, InvalidConnection, ResourceBusy
from cti.model import events, intents
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import InteractionId, QueueId
from cti.model.interaction import Interaction
from cti.model.overflow import WAIT
from cti.model.party import contact_of
from cti.model.predictive import ALONE, PredictedCalls, PredictiveCallRequested, PredictiveFigures, PredictiveSettings
from cti.model.queue import Queue
from cti.model.states import (
    AgentState,
    ConnectionTrigger,
    InteractionState,
    InteractionTrigger,
    ReservationState,
)

MESSAGE_S: Final = 60.0
"""How long may the message take? After that the call ends whatever is heard."""
LIVE_EVERY_S: Final = 60.0
_ASK_AGAIN_S: Final = 1.0

_OPEN = (InteractionState.CREATED, InteractionState.QUEUED, InteractionState.ROUTING, InteractionState.DELIVERED)


class PredictiveCalls:
    """Makes them, and keeps the abandon cap.

    Args:
        world: what is known.
        line: puts calls into queues.
        matching: looks for agents.
        exits: ends calls.
    """

    def __init__(self, world: World, line: Line, matching: Matching, exits: Exits) -> None:
        self._world = world
        self._line = line
        self._matching = matching
        self._exits = exits
        line.nobody_there = self._nobody_there

    def make(self, fact: PredictiveCallRequested) -> None:
        """Call a customer for a queue.

        Raises:
            UnknownQueue: there is none of this id.
            ConfigurationError: the queue makes no predictive calls.
            DestinationNotAllowed: the number may not be called.
            InvalidConnection: no switch can be reached.
            ResourceBusy: should nobody be there for it, more would be abandoned than may be.
        """
        world = self._world
        queue = world.queue(fact.queue)
        settings = _settings(queue)
        contact = contact_of(fact.number, world.destinations)
        switch = world.switch_for()
        if switch is None:
            raise InvalidConnection(
                "no link to a switch is live, or all are drained; 'make predictive call' has to wait"
            )
        self._check_cap(queue, settings)
        call = Interaction(
            id=world.ids.interaction(world.now),
            switch=switch,
            caller=world.ids.connection(),
            calling_number=fact.number,
            calling_name="",
            called_number=settings.calling_number,
            created_at=world.now,
            state_since=world.now,
            data=dict(fact.data),
            predicted_for=queue.id,
        )
        world.interactions[call.id] = call
        world.timers.start(LIVE, call.id, LIVE_EVERY_S)
        world.predicted.setdefault(queue.id, PredictedCalls()).under_way.append(call.id)
        # From the number that the queue shows, which the call has for its called one.
        leg = call_out(world, call, Side.CALLER, contact, fact.number, ring_s=settings.ring_s, connection=call.caller)
        world.timers.start(ANSWER, leg.id, settings.ring_s)
        world.tell(events.Originated, call, Cause.MAKE_PREDICTIVE_CALL, connection=leg.id, to=fact.number)

    def _check_cap(self, queue: Queue, settings: PredictiveSettings) -> None:
        """Whether one more call keeps within the cap, even if all that find no agent free now are abandoned."""
        world, figures = self._world, predictive_figures(self._world, queue)
        ready = sum(
            agent.state is AgentState.READY and queue.id in world.staff.serves(agent.id)
            for agent in world.agents.values()
        )
        risked = max(0, figures.under_way + 1 - ready)
        if risked and figures.abandoned + risked > settings.abandon_cap * (figures.answered + risked):
            raise ResourceBusy(
                f"queue {queue.id!r} has {ready} agents ready for {figures.under_way + 1} predictive calls under way; of "
                f"{figures.answered} answered {figures.abandoned} were abandoned, and the cap is {settings.abandon_cap:.1%}"
            )

    # -- what the switch says -------------------------------------------------------------------------------------

    def parked(self, leg: Connection) -> None:
        """A customer who was called has answered: an agent is looked for, and they are not left alone for long."""
        world = self._world
        call = world.interactions.get(leg.interaction)
        if call is None or call.predicted_for is None or call.state is not InteractionState.CREATED or leg.clearing:
            return
        queue = world.queues[call.predicted_for]
        settings = queue.settings.predictive
        if settings is None:  # it makes none any more, and has no message
            self._exits.clear(call, Cause.NO_AVAILABLE_AGENTS)
            return
        world.timers.cancel(ANSWER, leg.id)
        leg.move(ConnectionTrigger.ESTABLISH)
        if leg.established_at is None:
            leg.established_at = world.now
        self._note(call.predicted_for, settings, abandoned=False)
        call.move(InteractionTrigger.OFFER, world.now)
        world.emit(intents.TagConnection(call.switch, leg.id, {"cti_other": ""}))  # a caller like any from now on
        call.queued_at = world.now
        self._line.found(call, queue, Cause.MAKE_PREDICTIVE_CALL)
        world.timers.cancel(WAIT, call.id)  # the message comes before any overflow
        call.treated = False
        self._matching.place(call)
        world.timers.start(ALONE, call.id, settings.alone_s)
        self._matching.route(call)
        self._line.receive(call)

    def alone(self, interaction: InteractionId) -> None:
        """Whoever has answered has been alone for long enough; or has heard the message for long enough."""
        world = self._world
        call = world.interactions.get(interaction)
        if call is None or call.predicted_for is None:
            return
        if not world.is_live(call.switch):
            world.timers.start(ALONE, call.id, _ASK_AGAIN_S)
        elif call.state is InteractionState.OFFERED:
            self._exits.clear(call, Cause.NO_AVAILABLE_AGENTS)
        elif call.state.is_waiting:
            made = [world.reservations[each] for each in call.reservations]
            if any(each.state is ReservationState.ACCEPTED for each in made):  # the two are being connected
                world.timers.start(ALONE, call.id, BRIDGE_LEASE_S)
            else:
                self._line.leave(call, lambda: self._abandon(call))

    def _nobody_there(self, call: Interaction) -> bool:
        """A call leaves its queue, to be hung up on; whether it is one to which that is not done without a word."""
        if call.predicted_for is None or call.agent is not None or call.state not in _OPEN:
            return False
        self._abandon(call)
        return True

    def _abandon(self, call: Interaction) -> None:
        """Nobody is there: counted at once, and the customer is told."""
        world = self._world
        assert call.predicted_for is not None
        queue = world.queues[call.predicted_for]
        settings = queue.settings.predictive
        if settings is None:
            self._exits.clear(call, Cause.NO_AVAILABLE_AGENTS)
            return
        self._note(queue.id, settings, abandoned=True)
        call.move(InteractionTrigger.RETURN, world.now)
        figures = predictive_figures(self._world, queue)
        world.emit(intents.PlayMessage(call.switch, call.caller, settings.message))
        world.timers.start(ALONE, call.id, MESSAGE_S)
        world.tell(
            events.PredictiveCallAbandoned,
            call,
            Cause.NO_AVAILABLE_AGENTS,
            answered=figures.answered,
            abandoned=figures.abandoned,
        )

    def _note(self, queue: QueueId, settings: PredictiveSettings, *, abandoned: bool) -> None:
        known = self._world.predicted.setdefault(queue, PredictedCalls())
        known.note(self._world.now, settings.window_s, abandoned=abandoned)


def _settings(queue: Queue) -> PredictiveSettings:
    settings = queue.settings.predictive
    if settings is None:
        raise ConfigurationError(f"queue {queue.id!r} makes no predictive calls; give it 'predictive' settings")
    return settings


def predictive_figures(world: World, queue: Queue) -> PredictiveFigures:
    """How the predictive calls of a queue stand.

    Raises:
        ConfigurationError: the queue makes none.
    """
    settings = _settings(queue)
    known = world.predicted.get(queue.id, PredictedCalls())
    known.under_way[:] = [each for each in known.under_way if _is_open(world, each)]
    answered, abandoned = known.answered_abandoned(world.now, settings.window_s)
    return PredictiveFigures(answered, abandoned, len(known.under_way), settings.abandon_cap)


def _is_open(world: World, interaction: InteractionId) -> bool:
    call = world.interactions.get(interaction)
    return call is not None and call.predicted_for is not None and call.state in _OPEN

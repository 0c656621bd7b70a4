"""Taking a call over, and sending one elsewhere: what somebody does with a call that is not theirs."""

from __future__ import annotations

from cti.engine.consultations import Consultations, move
from cti.engine.desk import Desk
from cti.engine.line import Line
from cti.engine.media import Media
from cti.engine.offers import Offers
from cti.engine.talk import TRANSFER_WAIT_S, Talk
from cti.engine.target import check_target, check_there
from cti.engine.world import World
from cti.errors import IllegalTransition, InvalidAgentState, InvalidConnection
from cti.model import events, intents, services
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.interaction import Interaction
from cti.model.overflow import ToQueue
from cti.model.party import ToAgent
from cti.model.personal import Personal
from cti.model.states import (
    TALK,
    AgentState,
    AgentTrigger,
    ConnectionTrigger,
    InteractionState,
    InteractionTrigger,
    ReservationTrigger,
    TalkState,
    TalkTrigger,
)
from cti.model.supervision import Supervision


class TakeOver:
    """Makes a supervisor the agent of a call.

    Args:
        world: what is known.
        desk: changes agents.
        offers: makes and ends reservations, clears legs.
        line: moves calls into queues and out of them.
        talk: what agents do with the calls they have.
        media: says who hears whom.
        consultations: ends those that the call's agent has begun.
    """

    def __init__(  # noqa: PLR0917 - the parts it is made of
        self,
        world: World,
        desk: Desk,
        offers: Offers,
        line: Line,
        talk: Talk,
        media: Media,
        consultations: Consultations,
    ) -> None:
        self._world = world
        self._desk = desk
        self._offers = offers
        self._line = line
        self._talk = talk
        self._media = media
        self._consultations = consultations

    def check(self, known: Supervision, call: Interaction) -> None:
        """Whether the supervisor can take this call over now.

        Raises:
            InvalidAgentState: the supervisor is no longer not ready.
            InvalidConnection: the call is with no agent and does not wait, is a conference, or on another switch.
        """
        boss = self._world.agent(known.supervisor)
        if boss.state is not AgentState.NOT_READY:
            raise InvalidAgentState(
                f"agent {boss.id!r} is {boss.state.value}; only one who is not ready takes calls over"
            )
        if not call.on_the_line:
            raise InvalidConnection(f"{call.id} is a {call.kind.value}; only calls can be taken over")
        if call.switch != known.switch or not self._world.is_live(call.switch):
            raise InvalidConnection(
                f"call {call.id} is on switch {call.switch}, which cannot be reached from this phone"
            )
        check_there(call)
        if call.state.is_waiting:
            return
        if call.state is not InteractionState.ESTABLISHED or call.agent is None or call.onward is not None:
            raise InvalidConnection(f"call {call.id} is {call.state.value}; only one that waits or is with an agent")
        try:
            TALK.next(call.talk, TalkTrigger.RECONNECT)
        except IllegalTransition:
            raise InvalidConnection(f"call {call.id} is a {call.talk.value}; it cannot be taken over") from None

    def take(self, known: Supervision, call: Interaction) -> None:
        """Connect caller and supervisor; the agent, if there is one, leaves.

        The supervisor is an agent on a call from now on: they can hold, transfer, hang up; then they are not ready again.
        ``check`` has been asked; the supervision is over.
        """
        world = self._world
        boss = world.agent(known.supervisor)
        leg = Connection(known.leg, known.switch, Side.AGENT, call.id, boss.id)
        tie = world.tie_line(boss, known.switch)
        leg.via = tie.to if tie is not None else None
        leg.move(ConnectionTrigger.ESTABLISH)
        leg.established_at = world.now
        leg.parked = True  # or it listens in, which a bridge ends by itself [live]
        world.connections[leg.id] = leg
        call.connections.add(leg.id)
        boss.connection, boss.interaction = leg.id, call.id
        tags = {"cti_interaction": call.id, "cti_agent": boss.id, "cti_reservation": call.id, "cti_supervisor": ""}
        world.emit(intents.TagConnection(leg.switch, leg.id, tags))
        if call.state.is_waiting:
            self._from_the_queue(call, boss, leg)
        else:
            self._from_the_agent(call, boss)
        self._desk.apply(boss, AgentTrigger.ANSWER, Cause.CALL_PICKUP)
        boss.pending = (AgentState.NOT_READY, boss.reason)
        self._media.join(call, call.caller, leg.id)

    def _from_the_queue(self, call: Interaction, boss: Agent, leg: Connection) -> None:
        world = self._world

        def take(_: Interaction) -> None:
            call.agent = boss.id
            call.move(InteractionTrigger.ESTABLISH, world.now)
            self._line.answered(call, boss)

        world.emit(intents.KeepCaller(leg.switch, leg.id, keep=True))
        made = [world.reservations[each] for each in call.reservations]
        self._offers.end_all(call, made, ReservationTrigger.RESCIND, Cause.CALL_PICKUP, then=take)
        world.emit(intents.KeepCaller(call.switch, call.caller, keep=True))  # until the bridge is up
        boss.calls_answered += 1
        boss.figures.answered += 1
        waited_s = call.waited_s(world.now)
        world.tell(events.Established, call, Cause.CALL_PICKUP, connection=leg.id, waited_s=waited_s)

    def _from_the_agent(self, call: Interaction, boss: Agent) -> None:
        world, was = self._world, call.agent
        assert was is not None
        for each in sorted(call.connections - {boss.connection}):
            # Should one leg end before the bridge is up, the other is not to be hung up with it.
            world.emit(intents.KeepCaller(call.switch, each, keep=True))
        self._consultations.drop(call.consulted, Cause.OVERRIDE)
        call.consulted = None
        move(call, TalkTrigger.RECONNECT)
        assert call.talk is TalkState.TALKING
        for each in call.connections - {call.caller, boss.connection}:
            world.connections[each].leaving = True
        call.agent = boss.id
        world.tell(events.Transferred, call, Cause.OVERRIDE, from_agent=was, to=boss.id, agent=boss.id)

    def push(self, fact: services.PushRequested) -> None:
        """Send a call elsewhere: out of its queue, or away from its agent.

        Raises:
            UnknownInteraction: it has ended.
            UnknownAgent: it is to go to one whom there is not.
            UnknownQueue: it is to go to one that is not there.
            InvalidConnection: it is with a script, or cannot be parted from its agent now.
        """
        world, to = self._world, fact.to
        call = world.interaction(fact.interaction)
        if isinstance(to, ToAgent):
            world.agent(to.agent)
        elif isinstance(to, ToQueue):
            world.queue(to.queue)
        check_target(call, to)
        if call.agent is not None:
            agent_asks = services.SingleStepTransferRequested(call.agent, to)
            self._talk.table[services.SingleStepTransferRequested](agent_asks)
        elif not call.state.is_waiting or call.queue is None:
            raise InvalidConnection(f"call {call.id} is {call.state.value}; only one that waits or is with an agent")
        elif isinstance(to, ToAgent):
            check_there(call)
            queue, call.personal = world.queues[call.queue], Personal(to.agent, TRANSFER_WAIT_S)
            self._line.leave(call, lambda: self._line.enter(call, queue, Cause.REDIRECTED))
        else:
            self._line.leave(call, lambda: self._line.go(call, to, Cause.REDIRECTED, wish=True))

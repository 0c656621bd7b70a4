"""Adoption: calls that a snapshot shows and we do not know, or know otherwise, as after a restart of ours."""

from __future__ import annotations

from collections.abc import Sequence

from cti.engine.calls import LIVE_EVERY_S, Calls
from cti.engine.desk import Desk
from cti.engine.exits import LIVE
from cti.engine.line import Line
from cti.engine.offers import Offers
from cti.engine.world import World
from cti.model import events, facts, intents
from cti.model.attached_data import as_much_as_fits
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import InteractionId, SwitchId
from cti.model.interaction import Interaction
from cti.model.recording import CallRecording
from cti.model.states import (
    AgentState,
    AgentTrigger,
    ConnectionTrigger,
    InteractionState,
    InteractionTrigger,
    ReservationTrigger,
    TalkState,
)


class Adoption:
    """Makes the model show what the switch shows; nobody on a call must notice.

    Args:
        world: what is known.
        desk: changes agents.
        calls: follows calls and their legs.
        offers: makes and ends reservations.
        line: moves calls into queues and out of them.
    """

    def __init__(self, world: World, desk: Desk, calls: Calls, offers: Offers, line: Line) -> None:
        self._world = world
        self._desk = desk
        self._calls = calls
        self._offers = offers
        self._line = line

    def caller(
        self,
        switch: SwitchId,
        channel: facts.ChannelSeen,
        calls_known: frozenset[InteractionId],
        given_up: frozenset[InteractionId],
    ) -> None:
        """A caller whom we do not know is in our hands: back to the place that their tags tell, or a new call.

        A call that we have given up for lost is over; its caller has the place, by another name.
        """
        world = self._world
        queue = world.queues.get(channel.queue) if channel.queue is not None else None
        if queue is None or channel.queued_at is None or channel.interaction in (None, *(calls_known - given_up)):
            self._calls.offered(
                facts.Offered(
                    switch,
                    channel.connection,
                    channel.calling_number,
                    channel.calling_name,
                    channel.called_number,
                    channel.established,
                    channel.data,
                )
            )
            return
        call = self._call(switch, channel, calls_known)
        call.queued_at = min(world.now, world.ids.instant(channel.queued_at))
        call.own_priority = channel.priority
        world.connections[call.caller].parked = True
        call.move(InteractionTrigger.OFFER, world.now)
        self._line.found(call, queue)

    def pair(
        self,
        switch: SwitchId,
        caller: facts.ChannelSeen,
        partner: facts.ChannelSeen,
        calls_known: frozenset[InteractionId],
    ) -> None:
        """A caller and an agent talk whom we do not know."""
        call = self._call(switch, caller, calls_known)
        call.queue = caller.queue if caller.queue in self._world.queues else None
        self._talks(call, partner, 0.0)

    def made(
        self,
        switch: SwitchId,
        own: facts.ChannelSeen,
        other: facts.ChannelSeen,
        calls_known: frozenset[InteractionId],
    ) -> None:
        """An agent who has made a call and the other party talk, whom we do not know."""
        call = self._call(switch, other, calls_known, other.side)
        call.made_by = own.agent
        self._talks(call, own, 0.0)
        if other.agent is not None:
            self._is_on(call, other)

    def conference(
        self,
        switch: SwitchId,
        room: InteractionId,
        members: Sequence[facts.ChannelSeen],
        calls_known: frozenset[InteractionId],
    ) -> None:
        """Several confer whom we do not know; one of them is in the caller's place, somebody outside before an agent."""
        world = self._world
        places = (Side.CALLER, Side.OTHER, Side.AGENT)
        first, *others = sorted(members, key=lambda each: (places.index(each.side), each.connection))
        call = self._call(switch, first, calls_known, first.side)
        call.queue = first.queue if first.queue in world.queues else None
        call.caller_left = first.side is Side.AGENT
        for each in others:
            self._leg(call, each, each.side)
        call.agent = next((each.agent for each in others if each.side is Side.AGENT), None)
        call.move(InteractionTrigger.ESTABLISH, world.now)
        call.talk = TalkState.CONFERENCE
        for each in members:
            if each.side is Side.AGENT:
                self._is_on(call, each)
            if call.id != room:  # the call that it was is over: whoever joins later comes into a room by the new name
                world.emit(intents.JoinConference(switch, each.connection, None, call.id))
        cause = Cause.SWITCHING_FUNCTION_TERMINATED
        world.tell(events.Established, call, cause, connection=others[0].connection, waited_s=0.0)
        world.tell(events.Conferenced, call, cause, connections=tuple(sorted(each.connection for each in members)))

    def joined(self, call: Interaction, partner: facts.ChannelSeen) -> None:
        """The caller of a call that we know talks with somebody whom we have not seen come."""
        world = self._world
        if call.state.is_over:
            return
        waited_s = call.waited_s(world.now)
        waiting = call.state.is_waiting
        made = [world.reservations[each] for each in call.reservations]
        if waiting:
            self._line.taken(call, world.agents.get(partner.agent) if partner.agent is not None else None)
        self._talks(call, partner, waited_s)
        self._offers.end_all(call, made, ReservationTrigger.RESCIND, Cause.SWITCHING_FUNCTION_TERMINATED)

    def _call(
        self,
        switch: SwitchId,
        channel: facts.ChannelSeen,
        calls_known: frozenset[InteractionId],
        side: Side = Side.CALLER,
    ) -> Interaction:
        world = self._world
        # Nothing follows a Call Cleared; and one who was consulted is found beside the caller of the same call.
        taken = channel.interaction in calls_known or channel.interaction in world.interactions
        kept = channel.interaction if not taken else None
        call = Interaction(
            id=kept or world.ids.interaction(world.now),
            switch=switch,
            caller=channel.connection,
            calling_number=channel.calling_number,
            calling_name=channel.calling_name,
            called_number=channel.called_number,
            created_at=world.now,
            data=as_much_as_fits(channel.data),
        )
        if channel.recorded:
            # What was being recorded goes on being so, under the same number if the same agent has the call.
            stopped, paused = channel.recording == "stopped", channel.recording == "paused"
            call.recording = CallRecording(
                wanted=not stopped,
                segments=channel.recorded - (not stopped),
                paused=paused,
                announced=True,
                masked=paused,
            )
        world.interactions[call.id] = call
        self._leg(call, channel, side)
        world.timers.start(LIVE, call.id, LIVE_EVERY_S)
        return call

    def _leg(self, call: Interaction, channel: facts.ChannelSeen, side: Side) -> None:
        agent = channel.agent if side is Side.AGENT else None
        leg = Connection(channel.connection, call.switch, side, call.id, agent)
        known = self._world.agents.get(agent) if agent is not None else None
        tie = self._world.tie_line(known, call.switch) if known is not None else None
        leg.via = tie.to if tie is not None else None
        leg.standing = channel.connection in self._world.standing_legs
        leg.partner = channel.bridged_to
        leg.move(ConnectionTrigger.ESTABLISH if channel.established else ConnectionTrigger.ORIGINATE)
        if channel.established:
            leg.established_at = self._world.now
        self._world.connections[leg.id] = leg
        call.connections.add(leg.id)

    def _talks(self, call: Interaction, partner: facts.ChannelSeen, waited_s: float) -> None:
        """The caller and this partner hear each other."""
        world = self._world
        self._leg(call, partner, partner.side)
        call.agent = partner.agent
        if call.state is not InteractionState.ESTABLISHED:
            call.move(InteractionTrigger.ESTABLISH, world.now)
        call.talk, call.consulted, call.pairing = TalkState.TALKING, None, False
        call.pair = call.wanted_pair = (call.caller, partner.connection)
        world.connections[call.caller].parked = False
        self._is_on(call, partner)
        world.tell(
            events.Established,
            call,
            Cause.SWITCHING_FUNCTION_TERMINATED,
            connection=partner.connection,
            waited_s=waited_s,
        )

    def _is_on(self, call: Interaction, channel: facts.ChannelSeen) -> None:
        """The agent of this leg is busy with it, or will be when they are back."""
        world = self._world
        agent = world.agents.get(channel.agent) if channel.agent is not None else None
        if agent is not None and agent.state is not AgentState.NULL and agent.connection is None:
            self._desk.apply(agent, AgentTrigger.ANSWER, Cause.SWITCHING_FUNCTION_TERMINATED)
            self._offers.withdraw(agent, Cause.FORCED_TRANSITION)  # now that nobody can offer them the next call
            agent.connection, agent.interaction = channel.connection, call.id
        elif channel.agent is not None:
            world.adopted[channel.agent] = channel.connection

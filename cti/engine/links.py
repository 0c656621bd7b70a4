"""Links to switches, and what a snapshot tells about the time we did not see."""

from __future__ import annotations

from cti.engine.calls import LIVE_EVERY_S, Calls
from cti.engine.desk import Desk
from cti.engine.exits import LIVE
from cti.engine.line import Line
from cti.engine.matching import Matching
from cti.engine.offers import Offers
from cti.engine.world import World
from cti.model import events, facts, intents
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import InteractionId, SwitchId
from cti.model.interaction import Interaction
from cti.model.states import (
    LINK,
    AgentState,
    AgentTrigger,
    ConnectionTrigger,
    InteractionTrigger,
    LinkState,
    LinkTrigger,
    TalkState,
)

_STATUS = {
    LinkState.DOWN: "disabled",
    LinkState.CONNECTING: "initializing",
    LinkState.SNAPSHOTTING: "messagesLost",
    LinkState.LIVE: "normal",
}
_GONE = "SWITCH_SNAPSHOT"
"""The switch cause of an end that a snapshot made up: the channel is not there any more."""


class Links:
    """Follows each switch's link and reconciles the model with its snapshots.

    Args:
        world: what is known.
        desk: changes agents.
        calls: follows calls and their legs.
        matching: looks for agents.
        offers: makes and ends reservations.
        line: moves calls into queues and out of them.
    """

    def __init__(  # noqa: PLR0917 - the parts it is made of
        self, world: World, desk: Desk, calls: Calls, matching: Matching, offers: Offers, line: Line
    ) -> None:
        self._world = world
        self._desk = desk
        self._calls = calls
        self._matching = matching
        self._offers = offers
        self._line = line
        self._seen: set[SwitchId] = set()

    def changed(self, switch: SwitchId, trigger: LinkTrigger) -> None:
        """A link was lost, is being made, or let us in. Nothing is routed on it until the snapshot."""
        world = self._world
        state = world.links.get(switch, LinkState.DOWN)
        after = LINK.next(state, trigger)
        if after is None:
            return
        world.links[switch] = after
        if state is LinkState.LIVE and after is not LinkState.LIVE:
            for call in self._calls_on(switch):
                world.router.call_gone(call.id)
        if after is LinkState.LIVE:
            self._seen.add(switch)
        first = after is LinkState.SNAPSHOTTING and switch not in self._seen
        status = "initializing" if first else _STATUS[after]
        world.notify(events.SystemStatus(switch=switch, at=world.now, status=status))

    def snapshot(self, fact: facts.SnapshotTaken) -> None:
        """Compare the model with the switch: make up the missing ends, adopt what our tags tell, then route again."""
        world = self._world
        LINK.next(world.links.get(fact.switch, LinkState.DOWN), LinkTrigger.SNAPSHOT_TAKEN)  # or nothing is touched
        seen = {channel.connection: channel for channel in fact.channels}
        calls_known, legs_known = frozenset(world.interactions), frozenset(world.connections)
        for connection in [c for c in world.connections.values() if c.switch == fact.switch]:
            if fact.restarted or connection.id not in seen:
                self._calls.connection_cleared(connection, Cause.SWITCHING_FUNCTION_TERMINATED, _GONE)
        for channel in fact.channels:
            known = world.connections.get(channel.connection)
            if known is not None:
                self._catch_up(known, channel)
            elif channel.side is Side.AGENT and channel.bridged_to is None:
                world.emit(intents.ClearConnection(fact.switch, channel.connection, Cause.CALL_CANCELLED))
        for channel in fact.channels:
            if channel.connection in legs_known and not fact.restarted:
                continue  # it may have been diverted just now: the list was read before that
            if world.has_ended(channel.connection) or channel.connection in world.connections:
                continue  # the list may be older than the end that we have been told of
            if channel.side is Side.CALLER:
                partner = seen.get(channel.bridged_to) if channel.bridged_to is not None else None
                if partner is not None and partner.side is Side.AGENT and partner.connection not in world.connections:
                    self._adopt(fact.switch, channel, partner, calls_known)
                elif channel.bridged_to is None:
                    self._calls.offered(
                        facts.Offered(
                            fact.switch,
                            channel.connection,
                            channel.calling_number,
                            channel.calling_name,
                            channel.called_number,
                            channel.established,
                        )
                    )
        self.changed(fact.switch, LinkTrigger.SNAPSHOT_TAKEN)
        waiting = [c for c in self._calls_on(fact.switch) if c.state.is_waiting]
        for call in waiting:
            self._matching.place(call)
        for call in waiting:
            self._line.stays(call)  # or goes on: what it waited for may have come to an end meanwhile
        for call in sorted(waiting, key=lambda c: c.age_key):
            self._matching.route(call)

    def _catch_up(self, known: Connection, channel: facts.ChannelSeen) -> None:
        if known.clearing:
            self._offers.clear(known, Cause.NORMAL_CLEARING)
            return
        if known.side is Side.AGENT and channel.bridged_to is not None:
            self._offers.bridged(known)
        if channel.established and known.established_at is None:
            self._calls.established(known)

    def _adopt(
        self,
        switch: SwitchId,
        caller: facts.ChannelSeen,
        partner: facts.ChannelSeen,
        calls_known: frozenset[InteractionId],
    ) -> None:
        """A caller and an agent talk whom we do not know: we were restarted, and they must not notice."""
        world = self._world
        kept = caller.interaction if caller.interaction not in calls_known else None  # nothing follows a Call Cleared
        call = Interaction(
            id=kept or world.ids.interaction(world.now),
            switch=switch,
            caller=caller.connection,
            calling_number=caller.calling_number,
            calling_name=caller.calling_name,
            called_number=caller.called_number,
            created_at=world.now,
            queue=caller.queue if caller.queue in world.queues else None,
            agent=partner.agent,
        )
        world.interactions[call.id] = call
        for channel, side in ((caller, Side.CALLER), (partner, Side.AGENT)):
            leg = Connection(channel.connection, switch, side, call.id, partner.agent if side is Side.AGENT else None)
            leg.move(ConnectionTrigger.ESTABLISH)
            leg.established_at = world.now
            world.connections[leg.id] = leg
            call.connections.add(leg.id)
        call.move(InteractionTrigger.ESTABLISH, world.now)
        world.timers.start(LIVE, call.id, LIVE_EVERY_S)
        call.talk = TalkState.TALKING
        call.pair = call.wanted_pair = (caller.connection, partner.connection)
        agent = world.agents.get(partner.agent) if partner.agent is not None else None
        if agent is not None and agent.state is not AgentState.NULL and agent.connection is None:
            self._desk.apply(agent, AgentTrigger.ANSWER, Cause.SWITCHING_FUNCTION_TERMINATED)
            self._offers.withdraw(agent, Cause.FORCED_TRANSITION)  # now that nobody can offer them the next call
            agent.connection, agent.interaction = partner.connection, call.id
        elif partner.agent is not None:
            world.adopted[partner.agent] = partner.connection
        world.tell(
            events.Established,
            call,
            Cause.SWITCHING_FUNCTION_TERMINATED,
            connection=partner.connection,
            waited_s=0.0,
        )

    def _calls_on(self, switch: SwitchId) -> list[Interaction]:
        return [call for call in self._world.interactions.values() if call.switch == switch]

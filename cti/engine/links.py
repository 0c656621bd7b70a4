"""Links to switches, and what a snapshot tells about the time we did not see."""

from __future__ import annotations

from collections.abc import Mapping

from cti.engine.adoption import Adoption
from cti.engine.after_call import AfterCall
from cti.engine.calls import Calls
from cti.engine.desk import Desk
from cti.engine.line import Line
from cti.engine.matching import Matching
from cti.engine.offers import Offers
from cti.engine.switches import STATUS, Switches
from cti.engine.ties import Ties
from cti.engine.world import World
from cti.model import events, facts, intents
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import ConnectionId, InteractionId, SwitchId
from cti.model.interaction import Interaction, InteractionKind
from cti.model.states import LINK, LinkState, LinkTrigger

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
        after: knows of callers who are to go on after a conversation.
        switches: knows what becomes of calls without a link.
        ties: the channels between switches.
    """

    def __init__(  # noqa: PLR0917 - the parts it is made of
        self,
        world: World,
        desk: Desk,
        calls: Calls,
        matching: Matching,
        offers: Offers,
        line: Line,
        after: AfterCall,
        switches: Switches,
        ties: Ties,
    ) -> None:
        self._world = world
        self._after = after
        self._desk = desk
        self._switches = switches
        self._ties = ties
        self._calls = calls
        self._matching = matching
        self._offers = offers
        self._line = line
        self._adoption = Adoption(world, desk, calls, offers, line)
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
        elif state is LinkState.LIVE:
            self._switches.link_down(switch)
        first = after is LinkState.SNAPSHOTTING and switch not in self._seen
        status = "initializing" if first else STATUS[after]
        world.notify(events.SystemStatus(switch=switch, at=world.now, status=status))

    def snapshot(self, fact: facts.SnapshotTaken) -> None:
        """Compare the model with the switch: make up the missing ends, adopt what our tags tell, then route again."""
        world = self._world
        LINK.next(world.links.get(fact.switch, LinkState.DOWN), LinkTrigger.SNAPSHOT_TAKEN)  # or nothing is touched
        self._matching.hold()
        try:
            waiting = self._reconcile(fact)
        finally:
            self._matching.release()
        self._desk.look_at_phones(fact.switch, Cause.NORMAL)  # now that every call is in its place
        for call in sorted(waiting, key=lambda c: c.age_key):
            self._matching.route(call)
        for call in waiting:
            caller = world.connections.get(call.caller)
            self._line.soothe(call)
            waits = call.state.is_waiting and call.callback is None
            if waits and caller is not None and caller.established_at is None:
                self._line.receive(call)  # as the link broke, it had only just come

    def _reconcile(self, fact: facts.SnapshotTaken) -> list[Interaction]:
        """Make the model show what the switch shows; returns the calls on it that wait, all of them in their places."""
        world = self._world
        seen = {channel.connection: channel for channel in fact.channels}
        given_up = self._switches.link_up(fact.switch)
        calls_known = frozenset(world.interactions) | given_up
        legs_known = frozenset(world.connections)
        self._ties.snapshot(fact)
        if fact.restarted:
            self._switches.phones_lost(fact.switch)
        for connection in [c for c in world.connections.values() if c.switch == fact.switch]:
            if fact.restarted or connection.id not in seen:
                self._calls.connection_cleared(connection, Cause.SWITCHING_FUNCTION_TERMINATED, _GONE)
        for channel in fact.channels:
            known = world.connections.get(channel.connection)
            if known is not None:
                self._catch_up(known, channel, seen)
            elif (
                channel.connection in world.supervisions or channel.tied_to is not None or channel.standing is not None
            ):
                continue
            elif channel.side is not Side.CALLER and channel.bridged_to is None and not channel.conferring:
                world.emit(intents.ClearConnection(fact.switch, channel.connection, Cause.CALL_CANCELLED))
        found = [
            channel
            for channel in fact.channels
            # A known one may have been diverted just now: the list was read before that.
            if (channel.connection not in legs_known or fact.restarted) and channel.side is Side.CALLER
            if channel.tied_to is None
            # The list may be older than the end that we have been told of.
            if not world.has_ended(channel.connection) and channel.connection not in world.connections
        ]
        for channel in sorted(found, key=lambda c: c.queued_at or 0.0):
            partner = self._stranger(channel, seen)
            if partner is not None:
                self._adoption.pair(fact.switch, channel, partner, calls_known)
            elif channel.bridged_to is None and not channel.conferring:
                self._adoption.caller(fact.switch, channel, calls_known, given_up)
        self._conferences(fact, calls_known)
        # Who has called is tagged with no reservation; of two who were both rung, either will do.
        for own in sorted(fact.channels, key=lambda channel: channel.reservation is not None):
            other = seen.get(own.bridged_to) if own.bridged_to is not None else None
            if other is not None and self._are_ours(own, other):
                self._adoption.made(fact.switch, own, other, calls_known)
        self.changed(fact.switch, LinkTrigger.SNAPSHOT_TAKEN)
        waiting = [c for c in self._calls_on(fact.switch) if c.state.is_waiting]
        for call in waiting:
            self._matching.place(call)
        for call in waiting:
            self._line.stays(call)  # or goes on: what it waited for may have come to an end meanwhile
        self._switches.place_callbacks()
        return waiting

    def _conferences(self, fact: facts.SnapshotTaken, calls_known: frozenset[InteractionId]) -> None:
        """Those in a conference of ours whom we do not know talk on; who is alone in one is let go."""
        world = self._world
        rooms: dict[InteractionId, list[facts.ChannelSeen]] = {}
        for channel in fact.channels:
            known = channel.connection in world.connections or channel.connection in world.supervisions
            if channel.conferring and not known and channel.tied_to is None and channel.interaction is not None:
                rooms.setdefault(channel.interaction, []).append(channel)
        for room, members in rooms.items():
            if room in world.interactions:  # they are on their way out of one that we know, or into it
                continue
            there = [each for each in members if not world.has_ended(each.connection)]
            if len(there) > 1:
                self._adoption.conference(fact.switch, room, there, calls_known)
            for each in there if len(there) == 1 else ():
                world.emit(intents.ClearConnection(fact.switch, each.connection, Cause.SWITCHING_FUNCTION_TERMINATED))

    def _are_ours(self, own: facts.ChannelSeen, other: facts.ChannelSeen) -> bool:
        """Whether these are an agent's leg and another of ours, both of which we do not know: of a call that the agent has
        made, or of a consultation, whose caller is held and found by themselves.
        """
        world = self._world
        strange = not {own.connection, other.connection} & world.connections.keys()
        mine = own.side is Side.AGENT and own.agent is not None and own.tied_to is None
        ended = world.has_ended(own.connection) or world.has_ended(other.connection)
        return strange and mine and other.side is not Side.CALLER and own.established and not ended

    def _stranger(
        self, channel: facts.ChannelSeen, seen: Mapping[ConnectionId, facts.ChannelSeen]
    ) -> facts.ChannelSeen | None:
        """Whom a caller talks to, if that is a leg of ours that we do not know."""
        partner = seen.get(channel.bridged_to) if channel.bridged_to is not None else None
        strange = partner is not None and partner.connection not in self._world.connections
        return partner if partner is not None and strange and partner.side is not Side.CALLER else None

    def _catch_up(
        self, known: Connection, channel: facts.ChannelSeen, seen: Mapping[ConnectionId, facts.ChannelSeen]
    ) -> None:
        """What the switch shows of a leg is right, whatever we thought."""
        if known.clearing:
            known.sought = None
            self._offers.clear(known, Cause.NORMAL_CLEARING)
            return
        world = self._world
        call = world.interactions[known.interaction]
        if channel.bridged_to is not None:
            if known.side is Side.AGENT:
                self._offers.bridged(known)
            stranger = self._stranger(channel, seen) if known.side is Side.CALLER else None
            other = world.connections.get(channel.bridged_to)
            if stranger is not None:
                self._adoption.joined(call, stranger)
            elif other is not None and other.interaction == call.id and {known.id, other.id} != set(call.pair or ()):
                self._calls.bridged(known, other)
        elif channel.established and known.id in (call.pair or ()):
            self._calls.parked(known)
        elif channel.established and known.sought is not None and known.id == call.caller and call.state.is_waiting:
            self._calls.parked(known)  # a bridge that came to nothing while we did not look
        elif known.id == call.caller and self._after.is_left(call):
            if channel.conferring:
                world.emit(intents.StopListening(known.switch, known.id))
            else:
                self._calls.parked(known)
        if channel.established and known.established_at is None:
            self._calls.established(known)
        if channel.established and channel.bridged_to is None and call.is_away and known.id == call.caller:
            self._calls.parked(known)  # a customer who has answered a callback while we did not look
        if channel.established and channel.bridged_to is None and call.kind is InteractionKind.VOICEMAIL:
            self._calls.parked(known)

    def _calls_on(self, switch: SwitchId) -> list[Interaction]:
        return [call for call in self._world.interactions.values() if call.switch == switch]

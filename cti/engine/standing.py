"""Standing connections: agents' phones that stay on the line between calls, to which calls are put through at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cti.engine.desk import Desk
from cti.engine.exits import Exits
from cti.engine.world import World
from cti.errors import InvalidAgentState, InvalidConnection, ResourceBusy
from cti.model import events, facts, intents, reason, services
from cti.model.agent import NOWHERE, Agent
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId, SwitchId
from cti.model.interaction import NOBODY
from cti.model.standing import StandingConnection
from cti.model.standing_states import StandingState, StandingTrigger
from cti.model.states import AgentState, DeviceState, InteractionState

STANDING: Final = "standing"
STRAY: Final = "stray"
BETWEEN: Final = "between calls"

RING_S: Final = 30.0
"""How long may the phone ring by which an agent comes on the line?"""
AGAIN_S: Final = (1.0, 5.0, 15.0, 45.0)
"""How long after each loss in a row is the phone rung again? After the last of them nobody tries any more."""
LASTS_S: Final = 30.0
"""A connection that was up for so long was a good one: what it is lost by is a new loss, the first in a row."""
LIVE_EVERY_S: Final = 60.0
"""How often is a connection that is up asked after?"""
FOUND_S: Final = 120.0
"""How long does one that a snapshot has shown wait for its agent to log on?"""
NO_WAY_S: Final = 5.0
"""How long to put off what cannot be rung now, for want of a link or a registration?"""
APART_S: Final = 0.05
"""How far apart are the phones rung whose connections were lost together? FreeSWITCH takes 30 calls a second by itself
(sessions-per-second in switch.conf)."""
CLEAR_S: Final = 10.0
"""How long may a leg that we asked to end stay silent before we ask again? (race 15)"""
BETWEEN_S: Final = 1.0
"""How long after a call does the music begin, if no other call has come by then?"""

_MISSED_BY: Final = frozenset(
    {
        *(Cause.CALL_NOT_ANSWERED, Cause.ALERT_TIME_EXPIRED, Cause.BUSY, Cause.DEST_OUT_OF_ORDER, Cause.TIMEOUT),
        *(Cause.NETWORK_OUT_OF_ORDER, Cause.NETWORK_CONGESTION, Cause.RESOURCES_NOT_AVAILABLE),
        *(Cause.DEST_NOT_OBTAINABLE, Cause.SWITCHING_FUNCTION_TERMINATED),
    }
)
"""Why a phone that rang was not answered, by nobody's wish."""


class Standing:
    """Brings standing connections up, and up again when they are lost.

    Such a leg belongs to no call between calls; in one it is the agent's connection like any other, but that its end in the
    call is not the end of the leg.

    Args:
        world: what is known.
        desk: changes agents.
        exits: lets the calls go by which agents have dialled in.
    """

    def __init__(self, world: World, desk: Desk, exits: Exits) -> None:
        self._world = world
        self._desk = desk
        self._exits = exits
        self.no_own_call: Callable[[ConnectionId], None] = lambda _: None
        """Set by the engine: a call that a phone has made is the centre's, and nothing else."""

    # -- agents ---------------------------------------------------------------------------------------------------

    def logged_on(self, agent: Agent) -> None:
        """An agent has logged on: their phone is rung, unless it is on the line already."""
        known = self._world.standing.get(agent.id)
        if known is not None and not agent.standing:
            self._drop(known)
        elif known is not None and known.is_up:  # found in a snapshot, before the agent was back
            self._world.timers.start(STANDING, agent.id, LIVE_EVERY_S)
        else:
            self.wanted(agent)

    def wanted(self, agent: Agent) -> None:
        """An agent logs on, or wants calls: whatever their connection has been through, it is rung now if it is not up."""
        if not agent.standing:
            return
        known = self._world.standing.get(agent.id)
        if known is None:
            known = StandingConnection(agent.id, NOWHERE, NOBODY, since=self._world.now)
            self._world.standing[agent.id] = known
        if agent.settings.standing_rings and known.state in (StandingState.DOWN, StandingState.WAITING):
            known.tries = 0
            self._ring(agent, known)

    def logged_off(self, agent: Agent) -> None:
        """An agent has left: nobody is kept on the line for them."""
        known = self._world.standing.get(agent.id)
        if known is not None:
            self._drop(known)

    def stops(self, agent: Agent) -> str:
        """Why an agent cannot be ready, as far as their standing connection goes; empty when they can."""
        line = self._world.line_of(agent)
        if not agent.standing or (line is not None and line.leg not in self._world.connections):
            return ""
        return reason.LINE_DOWN if line is None else reason.LINE_BUSY

    def comes_back(self, agent: Agent) -> bool:
        """Whether an agent who cannot be ready will be without asking for it."""
        known = self._world.standing.get(agent.id)
        if not agent.standing or not agent.settings.standing_rings:  # who dials in does so without asking
            return True
        return known is not None and (known.is_up or known.comes_back)

    def dialled_in(self, fact: services.StandingConnectionRequested) -> None:
        """A caller in a script's hands is an agent, whose phone stays on the line from now on; the call is over.

        Raises:
            UnknownInteraction: it has ended.
            UnknownAgent: there is none of this id.
            InvalidConnection: the call is not in a script's hands.
            InvalidAgentState: the agent is not logged on with a standing connection.
            ResourceBusy: they are on the line already.
        """
        world = self._world
        call, agent = world.interaction(fact.interaction), world.agent(fact.agent)
        if call.state is not InteractionState.OFFERED or not call.on_the_line:
            raise InvalidConnection(
                f"call {call.id} is {call.state.value}; only one in a script's hands can stay on the line"
            )
        if agent.state is AgentState.NULL or not agent.standing:
            what = "logged off" if agent.state is AgentState.NULL else "logged on without a standing connection"
            raise InvalidAgentState(f"agent {agent.id!r} is {what}; whoever is to stay on the line logs on with one")
        known = world.standing[agent.id]
        if known.is_up:
            raise ResourceBusy(f"agent {agent.id!r} is on the line already; they hang up there first, or log off")
        if world.standing_legs.pop(known.leg, None) is not None:
            self._end(known.switch, known.leg)  # which was being rung
        self.no_own_call(call.caller)
        self._take_in(
            call.caller, call.switch, agent, answered=world.connections[call.caller].established_at is not None
        )
        known.switch, known.leg = call.switch, call.caller
        world.standing_legs[known.leg] = agent.id
        known.move(StandingTrigger.RING, world.now)
        world.timers.start(STANDING, agent.id, RING_S)
        self._exits.stays(call, f"standing:{agent.id}")

    def _take_in(self, leg: ConnectionId, switch: SwitchId, agent: Agent, *, answered: bool) -> None:
        """Make of a caller's leg one that stays; it is up when it is parked."""
        emit = self._world.emit
        tags = {"cti_standing": agent.id, "cti_agent": agent.id, "cti_other": "true", "cti_interaction": ""}
        emit(intents.TagConnection(switch, leg, {**tags, "cti_queue": ""}))
        if not answered:
            emit(intents.AnswerConnection(switch, leg))
        emit(intents.KeepCaller(switch, leg, keep=True))
        emit(intents.StopListening(switch, leg))

    # -- what is asked for ----------------------------------------------------------------------------------------

    def _ring(self, agent: Agent, known: StandingConnection) -> None:
        world = self._world
        switch, device = world.switch_for(agent), world.device_of(agent)
        known.move(StandingTrigger.RING, world.now)
        if switch is None or (device is not None and device.state is DeviceState.OUT_OF_SERVICE):
            known.move(StandingTrigger.LOSE, world.now)
            world.timers.start(STANDING, agent.id, NO_WAY_S)
            return
        known.switch, known.leg = switch, world.ids.connection()
        world.standing_legs[known.leg] = agent.id
        world.timers.start(STANDING, agent.id, RING_S)
        world.emit(
            intents.MakeConnection(
                switch,
                known.leg,
                agent.phone,
                InteractionId(""),
                RING_S,
                calling_number="standing",
                calling_name="Standing connection",
                called_number=agent.id,
                agent=agent.id,
                auto_answer=agent.settings.auto_answer,
                standing=True,
            )
        )
        self._tell(known, Cause.MAKE_CONNECTION)

    def _drop(self, known: StandingConnection) -> None:
        """It is not wanted any more."""
        world = self._world
        del world.standing[known.agent]
        world.timers.cancel(STANDING, known.agent)
        world.timers.cancel(BETWEEN, known.agent)
        if world.standing_legs.pop(known.leg, None) is not None:
            self._end(known.switch, known.leg)
        if known.move(StandingTrigger.GIVE_UP, world.now):
            self._tell(known, Cause.NORMAL_CLEARING)

    def _end(self, switch: SwitchId, leg: ConnectionId) -> None:
        """End a leg that is nobody's, and see to it that it does."""
        self._world.stray[leg] = switch
        self._world.emit(intents.ClearConnection(switch, leg, Cause.NORMAL_CLEARING))
        self._world.timers.start(STRAY, leg, CLEAR_S)

    def end_again(self, leg: ConnectionId) -> None:
        """A leg that is nobody's has not said that it has ended: ask again, and ask whether it lives at all."""
        switch = self._world.stray.get(leg)
        if switch is not None:
            self._end(switch, leg)
            self._world.emit(intents.CheckConnection(switch, leg))

    def timer_fired(self, agent_id: AgentId) -> None:
        """It is time to look after an agent's connection."""
        world = self._world
        known, agent = world.standing.get(agent_id), world.agents.get(agent_id)
        if known is None:
            return
        if agent is None or agent.state is AgentState.NULL:  # found, and nobody has come for it
            if known.leg in world.connections:
                world.timers.start(STANDING, agent_id, FOUND_S)
            else:
                self._drop(known)
        elif known.state is StandingState.WAITING:
            self._ring(agent, known)
        elif known.state is StandingState.UP:
            world.emit(intents.CheckConnection(known.switch, known.leg))
            world.timers.start(STANDING, agent_id, LIVE_EVERY_S)
        elif not world.is_live(known.switch):  # it may have been answered: the snapshot tells
            world.timers.start(STANDING, agent_id, RING_S)
        else:
            self._end(known.switch, known.leg)
            self._lost(known, Cause.CALL_NOT_ANSWERED)

    # -- what the switch says -------------------------------------------------------------------------------------

    def parked(self, leg: ConnectionId) -> None:
        """A leg that is in no call hears nobody: an agent has come on the line, or is to leave it."""
        world = self._world
        if leg in world.stray:
            self._end(world.stray[leg], leg)
            return
        known = self._of(leg)
        if known is not None and known.state is StandingState.RINGING:
            self._up(known)

    def gone(self, leg: ConnectionId, cause: Cause, *, by_far_end: bool | None) -> None:
        """A leg has ended, whether it was in a call or not; nothing if it was no standing connection.

        An agent who hangs up has left: it is not rung again until they want calls. Any other loss is made good.
        """
        world = self._world
        if world.stray.pop(leg, None) is not None:
            world.timers.cancel(STRAY, leg)
            return
        known = self._of(leg)
        if known is not None:
            # Where the switch does not say who hung up, it is known by the cause alone: whatever else happens to a phone has
            # another one.
            hung_up = known.is_up and by_far_end is not False and cause is Cause.NORMAL_CLEARING
            refused = not known.is_up and cause not in _MISSED_BY
            self._lost(known, cause, left=hung_up or refused)

    def rest(self, leg: ConnectionId) -> None:
        """A connection is parked, and its part in a call is over."""
        known = self._of(leg)
        if known is not None and known.is_up:
            self._world.emit(intents.StandBy(known.switch, leg))
            self._rest(known)

    def free(self, leg: ConnectionId) -> None:
        """A connection is in no call any more: another can be put through to it."""
        known = self._of(leg)
        agent = self._world.agents.get(known.agent) if known is not None and known.is_up else None
        if agent is not None and agent.blocked:
            self._desk.unblock(agent, Cause.NORMAL)

    def between(self, agent: AgentId) -> None:
        """No other call has come at once: whoever is to hear music between calls does now."""
        known = self._world.standing.get(agent)
        settings = self._world.agents[agent].settings if agent in self._world.agents else None
        if known is None or settings is None or not known.is_up or known.leg in self._world.connections:
            return
        if settings.standing_music:
            self._world.emit(intents.PlayBetweenCalls(known.switch, known.leg, settings.standing_music))

    def phone_back(self, agent: Agent) -> None:
        """An agent's phone has registered: it need not be waited for any longer."""
        known = self._world.standing.get(agent.id)
        if known is not None and known.state is StandingState.WAITING:
            self._ring(agent, known)

    # -- snapshots ------------------------------------------------------------------------------------------------

    def snapshot(self, fact: facts.SnapshotTaken) -> None:
        """What is not on the switch any more is lost; what is, and is not known, is taken up again."""
        world = self._world
        seen = {channel.connection: channel for channel in fact.channels}
        for leg in [each for each, switch in world.stray.items() if switch == fact.switch]:
            if leg in seen:
                self._end(fact.switch, leg)
            else:
                self.gone(leg, Cause.SWITCHING_FUNCTION_TERMINATED, by_far_end=None)
        lost = 0
        for known in [each for each in world.standing.values() if each.switch == fact.switch]:
            channel = seen.get(known.leg)
            if known.leg not in world.standing_legs:
                continue
            if channel is None or fact.restarted:
                if known.state is StandingState.RINGING and not fact.restarted:
                    self._end(fact.switch, known.leg)  # should it come to be after all
                self._lost(known, Cause.SWITCHING_FUNCTION_TERMINATED, later_s=lost * APART_S)
                lost += 1
            elif known.state is StandingState.RINGING and channel.established:
                self._up(known)
        for channel in fact.channels:
            strange = channel.connection not in world.standing_legs and channel.connection not in world.stray
            if channel.standing is not None and strange and not world.has_ended(channel.connection):
                self._found(fact.switch, channel, channel.standing)

    def _found(self, switch: SwitchId, channel: facts.ChannelSeen, name: AgentId) -> None:
        world = self._world
        if channel.conferring:
            return  # the conference is not known any more, and is not to lose anybody for that
        known, agent = world.standing.get(name), world.agents.get(name)
        there = agent is not None and agent.state is not AgentState.NULL
        if not channel.established or (known is not None and known.is_up) or (there and agent and not agent.standing):
            if channel.bridged_to is None:
                self._end(switch, channel.connection)
            return
        if known is not None and world.standing_legs.pop(known.leg, None) is not None:
            self._end(known.switch, known.leg)  # which was being rung
        made = world.standing[name] = StandingConnection(name, switch, channel.connection, since=world.now)
        world.standing_legs[made.leg] = name
        if channel.bridged_to is None:
            world.emit(intents.StopListening(switch, made.leg))  # whatever it was in the middle of
            world.emit(intents.StandBy(switch, made.leg))
        self._up(made)
        if not there:
            world.timers.start(STANDING, name, FOUND_S)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _of(self, leg: ConnectionId) -> StandingConnection | None:
        name = self._world.standing_legs.get(leg)
        return self._world.standing[name] if name is not None else None

    def _up(self, known: StandingConnection) -> None:
        world = self._world
        known.move(StandingTrigger.ANSWER, world.now)
        world.timers.start(STANDING, known.agent, LIVE_EVERY_S)
        self._tell(known, Cause.NORMAL)
        self._rest(known)
        agent = world.agents.get(known.agent)
        if agent is not None and agent.blocked:
            self._desk.unblock(agent, Cause.NORMAL)

    def _rest(self, known: StandingConnection) -> None:
        agent = self._world.agents.get(known.agent)
        if agent is not None and agent.settings.standing_music:
            self._world.timers.start(BETWEEN, known.agent, BETWEEN_S)

    def _lost(self, known: StandingConnection, cause: Cause, *, left: bool = False, later_s: float = 0.0) -> None:
        """A connection that was up, or was to be, is not: it is rung again later, unless the agent has left it, or it has
        been tried often enough.
        """
        world = self._world
        del world.standing_legs[known.leg]
        world.timers.cancel(STANDING, known.agent)
        world.timers.cancel(BETWEEN, known.agent)
        agent = world.agents.get(known.agent)
        if agent is None or agent.state is AgentState.NULL:
            del world.standing[known.agent]
            return
        if known.is_up and world.now - known.since >= LASTS_S:
            known.tries = 0
        if left or known.tries >= len(AGAIN_S) or not agent.settings.standing_rings:
            known.move(StandingTrigger.GIVE_UP, world.now)
        else:
            world.timers.start(STANDING, known.agent, AGAIN_S[known.tries] + later_s)
            known.tries += 1
            known.move(StandingTrigger.LOSE, world.now)
        self._tell(known, cause)
        self._desk.block(agent, cause)
        if not self.comes_back(agent):
            self._desk.comes_back_no_more(agent, cause)

    def _tell(self, known: StandingConnection, cause: Cause) -> None:
        self._world.notify(
            events.StandingConnectionChanged(
                agent=known.agent,
                at=self._world.now,
                cause=cause,
                switch=known.switch,
                connection=known.leg,
                state=known.state.value,
            )
        )

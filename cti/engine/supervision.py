"""Supervision: listening to agents and calls, speaking to them, and taking a call over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from cti.engine.desk import PAUSE, Desk
from cti.engine.takeover import TakeOver
from cti.engine.target import check_there
from cti.engine.world import World
from cti.errors import InvalidAgentState, InvalidConnection
from cti.model import events, facts, intents, services
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId, SwitchId
from cti.model.interaction import Interaction
from cti.model.states import AgentState
from cti.model.supervision import Mode, Phase, Supervision

SUPERVISE = "supervise"

RING_S: Final = 30.0
"""How long a supervisor's phone may ring."""
AGAIN_S: Final = 0.5
"""How long after a leg could not be listened in on is it tried again?"""
MOST_AGAIN: Final = 10
CLEAR_S: Final = 10.0
"""How long may a leg that we asked to end stay silent before we ask again? (race 15)"""
LIVE_EVERY_S: Final = 60.0
"""How often is a supervisor's leg asked after?"""
NOTHING_TO_HEAR: Final = "tone_stream://%(120,9880,350);loops=-1"
"""What a supervisor hears while they wait: a soft tone every 10 s, so that they know that the line lives."""


class Supervising:
    """Follows supervisors and what they listen to.

    A supervisor is an agent who is logged on and not ready, at the phone they are logged on at. Their leg belongs to no
    call: it listens in on the leg of the agent whom they follow, or on the caller's leg of the call that they follow (to
    whisper, on its agent's), and these legs keep that through hold, consultation and conference.

    Args:
        world: what is known.
        desk: changes agents.
        takeover: takes calls over.
    """

    def __init__(self, world: World, desk: Desk, takeover: TakeOver) -> None:
        self._world = world
        self._desk = desk
        self._takeover = takeover
        self.leg_gone: Callable[[ConnectionId, SwitchId], None] = lambda _leg, _switch: None
        """Set by the engine: a supervisor's leg has ended, on this switch."""
        self.table: dict[type, Callable[[Any], None]] = {
            services.SupervisionRequested: self.supervise,
            services.SupervisionEndRequested: self._end,
            services.TakeOverRequested: self._take_over,
            services.PullRequested: self._pull,
            services.PushRequested: self._takeover.push,
            services.AssistanceRequested: self._assistance,
            services.AuditNoted: self._noted,
            facts.Tapped: self._tapped,
        }

    # -- what is asked for ----------------------------------------------------------------------------------------

    def supervise(self, fact: services.SupervisionRequested) -> None:
        """Somebody listens to an agent or to a call, or changes how they do.

        Raises:
            UnknownAgent, UnknownInteraction: there is none of this id.
            InvalidAgentState: whoever asks is not "not ready".
            InvalidConnection: both an agent and a call are named, or neither, or there is no way to it.
        """
        known = self._of(fact.supervisor)
        if known is None:
            if fact.agent is None and fact.interaction is None:
                raise InvalidConnection(f"agent {fact.supervisor!r} supervises nobody; say an agent or a call")
            self._check_watched(fact.supervisor, fact.agent, fact.interaction)
            switch = self._switch_of(fact.supervisor, fact.agent, fact.interaction)
            known = self._call(fact.supervisor, switch)
        else:
            self._check_watched(fact.supervisor, fact.agent, fact.interaction)
        known.pulls = False
        if fact.mode is not None:
            known.mode = fact.mode
        if fact.agent is not None or fact.interaction is not None:
            known.agent, known.interaction = fact.agent, fact.interaction
        if known.phase is Phase.CALLING:
            self._tell(known, Cause.MAKE_CALL)
        else:
            self._settle(known, anew=True)

    def _check_watched(self, who: AgentId, agent: AgentId | None, interaction: InteractionId | None) -> None:
        if agent is not None and interaction is not None:
            raise InvalidConnection("a supervisor follows an agent or a call, not both")
        if agent == who:
            raise InvalidConnection(f"agent {who!r} cannot supervise themselves")
        if agent is not None:
            self._world.agent(agent)
        if interaction is not None:
            call = self._world.interaction(interaction)
            if call.state.is_over:
                raise InvalidConnection(f"call {interaction} is over")
            if not call.switch:
                raise InvalidConnection(f"{interaction} is a {call.kind.value}; there is nothing to hear of it")

    def _call(self, supervisor: AgentId, switch: SwitchId) -> Supervision:
        """Ring the supervisor's phone."""
        world = self._world
        boss = world.agent(supervisor)
        if boss.state is not AgentState.NOT_READY:
            raise InvalidAgentState(
                f"agent {boss.id!r} is {boss.state.value}; a supervisor has to be logged on and not ready"
            )
        if boss.standing:
            raise InvalidAgentState(
                f"agent {boss.id!r} has a standing connection, and nobody can listen in by one; log on without it "
                "(standing) to supervise"
            )
        world.timers.cancel(PAUSE, boss.id)  # nobody is to be made ready by a timer while they listen
        boss.blocked = False  # nor by their phone
        made = Supervision(boss.id, world.ids.connection(), switch, Mode.MONITOR)
        world.supervisions[made.leg] = made
        world.timers.start(SUPERVISE, made.leg, RING_S)
        world.emit(
            intents.MakeConnection(
                switch,
                made.leg,
                boss.phone,
                InteractionId(""),
                RING_S,
                calling_number="supervision",
                calling_name="Supervision",
                called_number=boss.id,
                supervisor=boss.id,
                tie=world.tie_line(boss, switch),
            )
        )
        return made

    def _switch_of(self, who: AgentId, agent: AgentId | None, interaction: InteractionId | None) -> SwitchId:
        world = self._world
        if interaction is None and agent is not None:
            interaction = world.agents[agent].interaction
        call = world.interactions.get(interaction) if interaction is not None else None
        if call is not None and not call.switch:
            call = None  # a fax is on no switch; the next call of its agent's may be on any
        if call is not None and world.is_live(call.switch):
            return call.switch
        found = world.switch_for(world.agent(who)) if call is None else None
        if found is None:
            raise InvalidConnection("the link to the switch is not live; supervision has to wait")
        return found

    def _end(self, fact: services.SupervisionEndRequested) -> None:
        self._clear(self._mine(fact.supervisor), Cause.NORMAL_CLEARING)

    def _mine(self, supervisor: AgentId) -> Supervision:
        known = self._of(self._world.agent(supervisor).id)
        if known is None:
            raise InvalidConnection(f"agent {supervisor!r} supervises nobody")
        return known

    def _take_over(self, fact: services.TakeOverRequested) -> None:
        known = self._mine(fact.supervisor)
        call = self._heard(known)
        if call is None or known.phase is Phase.CALLING:
            raise InvalidConnection(f"agent {fact.supervisor!r} hears no call now; there is nothing to take over")
        self._take(known, call)

    def _take(self, known: Supervision, call: Interaction) -> None:
        self._takeover.check(known, call)
        del self._world.supervisions[known.leg]
        self._world.timers.cancel(SUPERVISE, known.leg)
        self._tell(known, Cause.OVERRIDE, Phase.ENDED)
        self._takeover.take(known, call)

    def _pull(self, fact: services.PullRequested) -> None:
        call = self._world.interaction(fact.interaction)
        if not call.on_the_line:
            raise InvalidConnection(f"{call.id} is a {call.kind.value}; only calls can be pulled")
        if not call.state.is_waiting:
            raise InvalidConnection(f"call {call.id} is {call.state.value}; only one that waits can be pulled")
        check_there(call)
        known = self._of(fact.supervisor) or self._call(
            fact.supervisor, self._switch_of(fact.supervisor, None, call.id)
        )
        if known.phase is not Phase.CALLING:
            self._take(known, call)
            return
        known.agent, known.interaction, known.pulls = None, call.id, True
        self._tell(known, Cause.CALL_PICKUP)

    def _assistance(self, fact: services.AssistanceRequested) -> None:
        agent = self._world.agent(fact.agent)
        call = self._world.interactions.get(agent.interaction) if agent.interaction is not None else None
        if call is None:
            raise InvalidConnection(f"agent {agent.id!r} has no call to be helped with")
        self._world.tell(events.AssistanceRequested, call, Cause.NORMAL, agent=agent.id, note=fact.note[:500])

    def _noted(self, fact: services.AuditNoted) -> None:
        self._world.notify(events.Audited(at=self._world.now, **_fields(fact)))

    def ready(self, fact: facts.ReadyRequested) -> None:
        """An agent asks for calls; whoever supervises has their phone in use.

        Raises:
            InvalidAgentState: they supervise; it is to be ended first.
        """
        if self._of(fact.agent) is not None:
            raise InvalidAgentState(f"agent {fact.agent!r} supervises; end that first")
        self._desk.ready(fact)

    def leaves(self, agent: AgentId) -> None:
        """An agent logs off, or is removed: they supervise no more, and nobody follows one who is removed."""
        known = self._of(agent)
        if known is not None:
            self._clear(known, Cause.NORMAL_CLEARING)

    # -- what the switch says -------------------------------------------------------------------------------------

    def parked(self, leg: ConnectionId) -> None:
        """A supervisor's leg hears nobody: at first, or since what it heard is over."""
        known = self._world.supervisions.get(leg)
        if known is None or known.clearing:
            return
        first = known.phase is Phase.CALLING
        known.parked = True
        if first:
            self._world.timers.start(SUPERVISE, leg, LIVE_EVERY_S)
            call = self._heard(known)
            if known.pulls:
                self._pulled(known, call)
                return
        tried, known.target = known.target, None
        if tried is not None and self._target(known) == tried:  # it came to nothing: a little later, then
            known.failed, known.tries = tried, known.tries + 1 if known.failed in (None, tried) else 1
            self._world.timers.start(SUPERVISE, leg, AGAIN_S if known.tries <= MOST_AGAIN else LIVE_EVERY_S)
            self._wait(known)
        else:
            self._settle(known)
        if known.parked and leg in self._world.supervisions:
            self._world.emit(intents.StartTreatment(known.switch, leg, NOTHING_TO_HEAR))

    def _pulled(self, known: Supervision, call: Interaction | None) -> None:
        """Who pulls a call has answered: it is theirs, unless somebody else was faster, or the caller has gone."""
        if call is not None and call.state.is_waiting:
            with suppress(InvalidAgentState, InvalidConnection):
                self._take(known, call)
                return
        self._clear(known, Cause.CALL_CANCELLED)

    def _tapped(self, fact: facts.Tapped) -> None:
        for known in self._world.supervisions.values():
            if known.target == fact.connection and known.phase is not Phase.LISTENING:
                known.failed, known.tries, known.phase = None, 0, Phase.LISTENING
                self._tell(
                    known, Cause.ACTIVE_PARTICIPATION if known.mode is Mode.BARGE else Cause.SILENT_PARTICIPATION
                )
                return

    def gone(self, leg: ConnectionId, cause: Cause) -> None:
        """A supervisor's leg has ended, or never came to be."""
        known = self._world.supervisions.pop(leg, None)
        if known is None:
            return
        self._world.timers.cancel(SUPERVISE, leg)
        self.leg_gone(leg, known.switch)
        if not known.moves or not self._call_again(known):
            self._tell(known, cause, Phase.ENDED)

    def _call_again(self, known: Supervision) -> bool:
        """Ring a supervisor on the switch where what they follow is now; whether that could be done."""
        boss, call = self._world.agents.get(known.supervisor), self._heard(known)
        if boss is None or boss.state is not AgentState.NOT_READY or self._of(boss.id) is not None:
            return False
        if call is None or not self._world.is_live(call.switch):
            return False
        made = self._call(boss.id, call.switch)
        made.mode, made.agent, made.interaction = known.mode, known.agent, known.interaction
        self._tell(made, Cause.MAKE_CALL)
        return True

    def look(self) -> None:
        """Something has changed in who talks with whom: whoever follows it listens to what there is now."""
        for known in list(self._world.supervisions.values()):
            if known.phase is not Phase.CALLING and not known.clearing:
                target = self._target(known)
                if target is None or target != known.failed:
                    self._settle(known)

    def overlaid(self, leg: ConnectionId) -> None:
        """A leg is being recorded from now on: who listens in on it does so anew, so that no whisper is recorded.

        FreeSWITCH hands the sound on from one listener to the next, in the order in which they came: a recording that
        began before a whisper does not hear it [live].
        """
        for known in list(self._world.supervisions.values()):
            if known.target == leg and known.mode is Mode.WHISPER and not known.clearing:
                self._settle(known, anew=True)

    def timer_fired(self, leg: ConnectionId) -> None:
        """A phone has rung for too long, a leg is to be tried again, or to be looked for."""
        known = self._world.supervisions.get(leg)
        if known is None:
            return
        if known.phase is Phase.CALLING and not known.clearing:
            self._clear(known, Cause.CALL_NOT_ANSWERED)
            return
        if known.clearing:
            self._world.emit(intents.ClearConnection(known.switch, leg, Cause.NORMAL_CLEARING))
        self._world.emit(intents.CheckConnection(known.switch, leg))
        self._world.timers.start(SUPERVISE, leg, CLEAR_S if known.clearing else LIVE_EVERY_S)
        if not known.clearing:
            self._settle(known)

    def snapshot(self, switch: SwitchId, seen: Mapping[ConnectionId, facts.ChannelSeen], *, restarted: bool) -> None:
        """Compare the supervisors' legs with the switch."""
        for known in list(self._world.supervisions.values()):
            if known.switch != switch:
                continue
            channel = seen.get(known.leg)
            if channel is None or restarted:
                self.gone(known.leg, Cause.SWITCHING_FUNCTION_TERMINATED)
            elif known.clearing:
                self._clear(known, Cause.NORMAL_CLEARING)
            elif channel.established and known.phase is Phase.CALLING:
                self.parked(known.leg)
            elif channel.established:
                self._settle(known, anew=True)  # it may have ended meanwhile: once more does no harm

    # -- listening ------------------------------------------------------------------------------------------------

    def _heard(self, known: Supervision) -> Interaction | None:
        """The call that is to be heard now; of a fax, which is on no switch, there is nothing to hear."""
        world, interaction = self._world, known.interaction
        if known.agent is not None:
            agent = world.agents.get(known.agent)
            interaction = agent.interaction if agent is not None and agent.connection is not None else None
        call = world.interactions.get(interaction) if interaction is not None else None
        return call if call is not None and call.switch else None

    def _target(self, known: Supervision) -> ConnectionId | None:
        """The leg that is to be listened in on now."""
        world, call = self._world, self._heard(known)
        if call is None or call.state.is_over or call.switch != known.switch:
            return None
        # A whisper on the caller's leg would be part of what the caller says, to a recording too.
        whose = known.agent or (call.agent if known.mode is Mode.WHISPER else None)
        agent = world.agents.get(whose) if whose is not None else None
        target = agent.connection if agent is not None else None
        if target is None and known.agent is None:
            target = call.caller
        leg = world.connections.get(target) if target is not None else None
        return leg.id if leg is not None and leg.established_at is not None and not leg.clearing else None

    def _settle(self, known: Supervision, *, anew: bool = False) -> None:
        """Let the supervisor hear what there is to hear now; ``anew`` even if they hear it already."""
        world = self._world
        over = known.interaction is not None and self._heard(known) is None
        if over or (known.agent is not None and known.agent not in world.agents):
            self._clear(known, Cause.NORMAL_CLEARING)  # what was followed is no more
            return
        call = self._heard(known)
        if call is not None and call.switch != known.switch and world.is_live(call.switch):
            known.moves = True
            self._clear(known, Cause.NORMAL_CLEARING)
            return
        target = self._target(known)
        if target is None:
            if known.target in world.connections:  # or the leg is parked when that one ends, by the switch itself
                world.emit(intents.StopListening(known.switch, known.leg))
            known.target = None
            self._wait(known)
        elif anew or target != known.target:
            known.target, known.parked, known.phase = target, False, Phase.WAITING
            to_agent = known.mode is not Mode.MONITOR
            to_caller = known.mode is Mode.BARGE
            if world.interactions[world.connections[target].interaction].caller == target:  # the agent is its partner
                to_agent, to_caller = to_caller, to_agent
            world.emit(intents.Listen(known.switch, known.leg, target, to_other=to_agent, to_partner=to_caller))

    def _wait(self, known: Supervision) -> None:
        if known.phase is not Phase.WAITING:
            known.phase = Phase.WAITING
            self._tell(known, Cause.NORMAL)

    def _clear(self, known: Supervision, cause: Cause) -> None:
        known.clearing = True
        self._world.emit(intents.ClearConnection(known.switch, known.leg, cause))
        self._world.timers.start(SUPERVISE, known.leg, CLEAR_S)

    def _of(self, supervisor: AgentId) -> Supervision | None:
        found = (each for each in self._world.supervisions.values() if each.supervisor == supervisor)
        return next((each for each in found if not each.clearing), None)

    def _tell(self, known: Supervision, cause: Cause, phase: Phase | None = None) -> None:
        boss: Agent | None = self._world.agents.get(known.supervisor)
        call = self._heard(known)
        self._world.notify(
            events.Supervised(
                agent=known.supervisor,
                at=self._world.now,
                cause=cause,
                state=(boss.state if boss is not None else AgentState.NULL).value,
                reason=boss.reason if boss is not None else "",
                connection=known.leg,
                mode=known.mode.value,
                phase=(phase or known.phase).value,
                watched=known.agent,
                interaction=call.id if call is not None else known.interaction,
            )
        )


def _fields(fact: services.AuditNoted) -> dict[str, str]:
    return {"who": fact.who, "what": fact.what, "whom": fact.whom, "outcome": fact.outcome}

"""Agent sessions: log-on to log-off, and what each change of state sets off."""

from __future__ import annotations

from collections.abc import Callable

from cti.engine.world import World
from cti.errors import IllegalTransition, InvalidAgentState, ResourceBusy
from cti.model import events, facts, reason
from cti.model.agent import Agent, AgentSettings, phone_key
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, QueueId, SwitchId
from cti.model.states import AGENT, AgentState, AgentTrigger

_EVENT_OF: dict[AgentState, type[events.AgentEvent]] = {
    AgentState.NULL: events.AgentLoggedOff,
    AgentState.NOT_READY: events.AgentNotReady,
    AgentState.READY: events.AgentReady,
    AgentState.RESERVED: events.AgentReserved,
    AgentState.ALERTING: events.AgentAlerting,
    AgentState.BUSY: events.AgentBusy,
    AgentState.WORKING_AFTER_CALL: events.AgentWorkingAfterCall,
}
_TRIGGER_TO: dict[AgentState, AgentTrigger] = {
    AgentState.NULL: AgentTrigger.LOG_OFF,
    AgentState.READY: AgentTrigger.READY,
    AgentState.NOT_READY: AgentTrigger.NOT_READY,
}

_HANDLING = (AgentState.BUSY, AgentState.WORKING_AFTER_CALL)

WRAP_UP = "wrap-up"
PAUSE = "pause"


class Desk:
    """Changes agents' states, always by the table.

    Args:
        world: what is known.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.offer_to: Callable[[Agent], None] = lambda _: None
        """Set by the engine: find a call for an agent who became ready."""
        self.agent_changed: Callable[[Agent], None] = lambda _: None
        """Set by the engine: an agent who is ready has other skills."""
        self.agent_left: Callable[[Agent], None] = lambda _: None
        """Set by the engine: an agent is not ready, has logged off, or is removed."""
        self.unstaffed: Callable[[frozenset[QueueId]], None] = lambda _: None
        """Set by the engine: these queues have one agent less."""
        self.logged_on: Callable[[Agent], None] = lambda _: None
        """Set by the engine: an agent is at a phone from now on."""
        self.logged_off: Callable[[Agent], None] = lambda _: None
        """Set by the engine: an agent has left their phone."""
        self.stops: Callable[[Agent], str] = lambda _: ""
        """Set by the engine: why this agent cannot be ready, though they may want to be; empty when they can."""
        self.comes_back: Callable[[Agent], bool] = lambda _: True
        """Set by the engine: whether an agent who cannot be ready will be by themselves, as soon as nothing stops them."""
        self.wanted: Callable[[Agent], None] = lambda _: None
        """Set by the engine: an agent asks for calls."""
        self.withdraw: Callable[[Agent, Cause], None] = lambda _agent, _cause: None
        """Set by the engine: end the offer this agent has, since the agent asked for something else."""

    # -- what the host application asks for -----------------------------------------------------------------------

    def define(self, settings: AgentSettings) -> None:
        """Add an agent, or change one's settings; a call in hand goes on."""
        agent = self._world.agents.get(settings.id)
        if agent is None:
            self._world.agents[settings.id] = Agent(settings, state_since=self._world.now)
            return
        agent.settings = settings
        if agent.blocked:
            self.unblock(agent, Cause.NORMAL)
        elif agent.state is AgentState.READY and self.stops(agent):
            self.block(agent, Cause.NORMAL)
        if agent.state is not AgentState.NULL:
            served = self._world.staff.serves(agent.id)
            self._world.staff.changed(agent)
            self.unstaffed(served)
        if agent.state is AgentState.READY:
            self.agent_changed(agent)

    def remove(self, agent_id: AgentId) -> None:
        """Remove an agent.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidAgentState: the agent is busy; log them off first, which waits for the call's end.
        """
        agent = self._world.agent(agent_id)
        if agent.state is AgentState.BUSY:
            raise InvalidAgentState(f"agent {agent_id!r} is busy; log off first (it waits for the end of the call)")
        if agent.state is not AgentState.NULL:
            self.log_off(facts.LogOffRequested(agent_id, reason.SUPERVISOR))
        del self._world.agents[agent_id]
        self.agent_left(agent)

    def log_on(self, fact: facts.LogOnRequested) -> None:
        """Begin a session.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidAgentState: the agent is logged on already.
            ResourceBusy: another agent is logged on at the same phone.
        """
        agent = self._world.agent(fact.agent)
        if agent.state is not AgentState.NULL:
            raise InvalidAgentState(f"agent {agent.id!r} is logged on already ({agent.state.value}); log off first")
        holder = self._world.phones.get(phone_key(agent.settings.contact, agent.settings.switch))
        if holder is not None:
            raise ResourceBusy(f"agent {holder!r} is logged on at {agent.settings.contact!r} already")
        now = self._world.now
        agent.logged_on_since = agent.idle_since = now
        agent.seconds_in.clear()
        agent.no_answers = 0
        agent.calls_answered = 0
        self._enter(agent, AgentState.NOT_READY, Cause.NORMAL, reason.LOGGED_ON, announce=events.AgentLoggedOn)
        on_a_call = self._world.connections.get(self._world.adopted.pop(agent.id, ConnectionId("")))
        if on_a_call is not None:  # found alive in a snapshot, before the agent was back
            agent.connection, agent.interaction = on_a_call.id, on_a_call.interaction
            self.apply(agent, AgentTrigger.ANSWER, Cause.NORMAL)
        if fact.ready:
            self._ask(agent, AgentTrigger.READY, Cause.NORMAL)

    def log_off(self, fact: facts.LogOffRequested) -> None:
        """End a session: at once, or at the end of the call in hand.

        Raises:
            UnknownAgent: there is none of this id.
        """
        agent = self._world.agent(fact.agent)
        if agent.state is AgentState.WORKING_AFTER_CALL:  # both ends are told: of the wrap-up, then of the session
            self._enter(agent, AgentState.NOT_READY, Cause.FORCED_TRANSITION, fact.reason)
        self._ask(agent, AgentTrigger.LOG_OFF, Cause.NORMAL, fact.reason)

    def ready(self, fact: facts.ReadyRequested) -> None:
        """Ask for calls: at once, or after the call in hand.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidAgentState: the agent is not logged on.
        """
        agent = self._world.agent(fact.agent)
        if agent.state is not AgentState.NULL:
            self.wanted(agent)
        self._ask(agent, AgentTrigger.READY, Cause.NORMAL)

    def not_ready(self, fact: facts.NotReadyRequested) -> None:
        """Ask for no calls: at once (an offer under way is withdrawn), or after the call in hand.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidAgentState: the agent is not logged on.
        """
        self._ask(self._world.agent(fact.agent), AgentTrigger.NOT_READY, Cause.NORMAL, fact.reason)

    def _ask(self, agent: Agent, trigger: AgentTrigger, cause: Cause, why: str = "") -> None:
        was = agent.state
        try:
            after = AGENT.next(agent.state, trigger)
        except IllegalTransition:
            allowed = ", ".join(t.value for t in AGENT.allowed(agent.state) if t in _ASKABLE)
            raise InvalidAgentState(
                f"agent {agent.id!r} is {_said(agent.state)}; {trigger.value!r} is not possible now (possible: {allowed})"
            ) from None
        # A call that is being put through is not parted from its agent: they have it in a moment.
        put_through = self._is_put_through(agent) and (after is not None or agent.pending is not None)
        if AGENT.is_pending(agent.state, trigger) or put_through:
            target = next(state for state, to in _TRIGGER_TO.items() if to is trigger)
            agent.pending = (target, why)
            self._tell(events.AgentPending, agent, cause)
        elif after is not None:
            self._enter(agent, after, cause, why)
            if was in (AgentState.RESERVED, AgentState.ALERTING):
                self.withdraw(agent, Cause.FORCED_TRANSITION)

    def _is_put_through(self, agent: Agent) -> bool:
        made = self._world.reservations.get(agent.reservation) if agent.reservation is not None else None
        leg = self._world.connections.get(made.leg) if made is not None else None
        return leg is not None and leg.standing and leg.sought is not None

    # -- what offers and calls do to an agent ---------------------------------------------------------------------

    def apply(self, agent: Agent, trigger: AgentTrigger, cause: Cause, why: str = "") -> bool:
        """Pull a trigger; whether it changed the state."""
        after = AGENT.next(agent.state, trigger)
        if after is None:
            return False
        self._enter(agent, after, cause, why)
        return True

    def look_at_phones(self, switch: SwitchId, cause: Cause) -> None:
        """A switch can be reached or not, or takes calls again or not: so do the agents whose phones are at it.

        Those who are ready are not (PHONE_DOWN), and come back by themselves; those on a call are told at its end.
        """
        for agent in list(self._world.agents.values()):
            if self._world.home_of(agent) == switch:
                self.look_at(agent, cause)

    def look_at(self, agent: Agent, cause: Cause) -> None:
        """What stands in the way of an agent's calls, or does not, may be another than before."""
        if agent.blocked:
            self.unblock(agent, cause)
        elif agent.state is AgentState.READY and self.stops(agent):
            self._enter(agent, AgentState.READY, cause)  # which is more than there is now

    def pause(self, agent: Agent, why: str, seconds: float, cause: Cause) -> None:
        """Let an agent who was being offered a call have none for a while; 0 seconds makes them ready at once."""
        if agent.state not in (AgentState.RESERVED, AgentState.ALERTING):
            return
        if seconds > 0:
            self._enter(agent, AgentState.NOT_READY, cause, why)
            self._world.timers.start(PAUSE, agent.id, seconds)
        else:
            self.apply(agent, AgentTrigger.RELEASE, cause)

    def block(self, agent: Agent, cause: Cause) -> None:
        """Something stands in the way of an agent's calls now: who waits for one is not ready for as long as it does.

        A call in hand goes on, and so does the work after it.
        """
        was = agent.state
        paused = was is AgentState.NOT_READY and self._world.timers.running(PAUSE, agent.id)
        if paused or was in (AgentState.READY, AgentState.RESERVED, AgentState.ALERTING):
            asked = agent.pending
            self._enter(agent, AgentState.NOT_READY, cause, self.stops(agent), blocked=self.comes_back(agent))
            if was in (AgentState.RESERVED, AgentState.ALERTING):
                self.withdraw(agent, cause)
            if asked is not None:
                self.apply(agent, _TRIGGER_TO[asked[0]], cause, asked[1])

    def release(self, agent: Agent, cause: Cause) -> None:
        """An offer is over: its agent is what they have asked for meanwhile, else ready."""
        target, why = agent.pending or (AgentState.READY, "")
        if target is not AgentState.READY and agent.state in (AgentState.RESERVED, AgentState.ALERTING):
            self.apply(agent, _TRIGGER_TO[target], cause, why)
        else:
            self.apply(agent, AgentTrigger.RELEASE, cause)

    def comes_back_no_more(self, agent: Agent, cause: Cause) -> None:
        """What stands in the way of an agent's calls will not go away by itself: they ask for calls again when it has."""
        if agent.blocked:
            self._enter(agent, AgentState.NOT_READY, cause, self.stops(agent))

    def unblock(self, agent: Agent, cause: Cause) -> None:
        """Something stands in the way of an agent's calls no more: they are what they were, if that was all."""
        stop = self.stops(agent)
        if not agent.blocked or stop == agent.reason:
            return
        if not stop and agent.reason == reason.PHONE_DOWN and agent.settings.after_phone_up == "not ready":
            self._enter(agent, AgentState.NOT_READY, cause, reason.PHONE_UP)
        else:
            self.apply(agent, AgentTrigger.READY, cause)

    def call_ended(self, agent: Agent, wrap_up_s: float, *, exactly: bool = False) -> None:
        """The agent's leg is gone: work after the call, or straight on to what was asked for.

        ``exactly`` says that the agent's own setting does not count.
        """
        agent.connection = None
        agent.interaction = None
        after = AGENT.next(agent.state, AgentTrigger.CLEAR)
        if after is None:
            return
        agent.idle_since = self._world.now
        if agent.settings.wrap_up_s is not None and not exactly:
            wrap_up_s = agent.settings.wrap_up_s
        if wrap_up_s > 0:
            self._enter(agent, after, Cause.NORMAL_CLEARING)
            self._world.timers.start(WRAP_UP, agent.id, wrap_up_s)
        else:
            self._enter(agent, after, Cause.NORMAL_CLEARING, announce=None)
            self._work_ended(agent, Cause.NORMAL_CLEARING)

    def timer_fired(self, fact: facts.TimerFired) -> None:
        """A wrap-up or a pause is over."""
        agent = self._world.agents.get(AgentId(fact.key))
        if agent is None:
            return
        if fact.kind == WRAP_UP and agent.state is AgentState.WORKING_AFTER_CALL:
            self._work_ended(agent, Cause.TIMEOUT)
        elif fact.kind == PAUSE and agent.state is AgentState.NOT_READY:
            self.apply(agent, AgentTrigger.READY, Cause.TIMEOUT)

    def _work_ended(self, agent: Agent, cause: Cause) -> None:
        if agent.pending is not None:
            target, why = agent.pending
        elif agent.settings.after_wrap_up == "ready":
            target, why = AgentState.READY, ""
        else:
            target, why = AgentState.NOT_READY, reason.WORK_TIMER_EXPIRED
        self.apply(agent, _TRIGGER_TO[target], cause, why)

    def _enter(
        self,
        agent: Agent,
        state: AgentState,
        cause: Cause,
        why: str = "",
        *,
        announce: type[events.AgentEvent] | None = events.AgentEvent,
        blocked: bool = False,
    ) -> None:
        world = self._world
        left = agent.state
        if state is AgentState.READY and (stop := self.stops(agent)):
            state, why, blocked = AgentState.NOT_READY, stop, self.comes_back(agent)
        if left is AgentState.NULL:
            agent.phone, agent.home = agent.settings.contact, agent.settings.switch
            agent.standing = agent.settings.standing
            world.phones[phone_key(agent.phone, agent.home)] = agent.id
        else:
            agent.seconds_in[left] = agent.seconds_in.get(left, 0.0) + world.now - agent.state_since
            agent.leaves(world.now)
        if left is AgentState.WORKING_AFTER_CALL or (left is AgentState.BUSY and state not in _HANDLING):
            self._handled(agent)  # a call that they make while they work after one is another matter
        if state is AgentState.NULL:
            world.phones.pop(phone_key(agent.phone, agent.home), None)
        if left is AgentState.READY:
            world.router.agent_unavailable(agent.id)
        world.timers.cancel(PAUSE, agent.id)
        world.timers.cancel(WRAP_UP, agent.id)
        agent.state, agent.state_since, agent.reason, agent.blocked = state, world.now, why, blocked
        agent.figures.offers += state is AgentState.RESERVED
        if state not in (AgentState.BUSY, AgentState.WORKING_AFTER_CALL):
            agent.pending = None
        if announce is not None:
            self._tell(_EVENT_OF[state] if announce is events.AgentEvent else announce, agent, cause)
        if left is AgentState.NULL:
            world.staff.changed(agent)
            self.logged_on(agent)
        if state is AgentState.READY:
            world.router.agent_available(agent)
            self.offer_to(agent)
        elif state in (AgentState.NULL, AgentState.NOT_READY) and left is not AgentState.NULL:
            self.agent_left(agent)
            if state is AgentState.NULL:
                served = world.staff.serves(agent.id)
                world.staff.changed(agent)
                self.logged_off(agent)
                self.unstaffed(served)

    def _handled(self, agent: Agent) -> None:
        """The call that an agent answered has been handled, wrap-up and all."""
        if agent.handling is not None:
            queue_id, since = agent.handling
            agent.handling = None
            took_s = self._world.now - since
            agent.figures.handled += 1
            agent.figures.handle_s += took_s
            queue = self._world.queues.get(queue_id)
            if queue is not None:
                queue.figures.handled += 1
                queue.figures.handle_s += took_s
                held_s, worked_s = agent.handled_from
                queue.figures.hold_s += agent.figures.hold_s - held_s
                queue.figures.after_call_s += agent.figures.after_call_s - worked_s

    def _tell(self, kind: type[events.AgentEvent], agent: Agent, cause: Cause) -> None:
        self._world.notify(
            kind(
                agent=agent.id,
                at=self._world.now,
                cause=cause,
                state=agent.state.value,
                reason=agent.reason,
                pending=agent.pending[0].value if agent.pending else AgentState.READY.value if agent.blocked else "",
            )
        )


_ASKABLE = (AgentTrigger.LOG_ON, AgentTrigger.LOG_OFF, AgentTrigger.READY, AgentTrigger.NOT_READY)


def _said(state: AgentState) -> str:
    return "logged off" if state is AgentState.NULL else state.value

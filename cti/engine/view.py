"""A picture of the centre at one instant, for wallboards and figures: plain values that nothing changes later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from attrs import Factory, evolve, frozen

from cti.engine.conferences import conferences_view
from cti.engine.world import World
from cti.model.agent import Agent
from cti.model.conference import ConferenceView
from cti.model.figures import QueueFigures
from cti.model.ids import AgentId, InteractionId, QueueId, SwitchId, TrunkId
from cti.model.parked_call import ParkedCall
from cti.model.standing_states import StandingState
from cti.model.states import AgentState, DeviceState, InteractionState, LinkState
from cti.routing.order import call_key


@frozen
class WaitingCall:
    """A call in a queue; ``agents`` are those whom it is being offered to now."""

    interaction: InteractionId
    calling_number: str
    calling_name: str
    waited_s: float
    priority: int
    agents: tuple[AgentId, ...]


@frozen
class QueueView:
    """A queue: its counts, and its waiting callers, head first; who is to be called back is not among them."""

    id: QueueId
    figures: QueueFigures
    waiting: tuple[WaitingCall, ...]
    agents_ready: int
    agents_staffed: int
    """Logged-on agents who have the required skills."""
    service_level_s: float = 0.0
    """A call that is answered within so many seconds counts towards the service level."""
    service_level_target: float | None = None
    """The share of calls that should be."""


@frozen
class AgentView:
    """An agent: the state, its reason, for how long, and with which caller."""

    id: AgentId
    state: AgentState
    reason: str
    for_s: float
    pending: AgentState | None
    skills: Mapping[str, int]
    calling_number: str
    calls_answered: int
    occupancy: float | None
    """The share of busy and wrap-up in the time logged on and not "not ready"; None before any such time."""
    device: DeviceState = DeviceState.UNKNOWN
    """Whether the phone they are logged on at can be reached."""
    blocked: bool = False
    """Whether they are ready as soon as their phone can take a call again."""
    standing: StandingState | None = None
    """What has become of their standing connection; None if they have none."""


@frozen
class TrunkView:
    """A trunk of a switch (a SIP gateway), as the switch told last."""

    id: TrunkId
    state: DeviceState
    """Unknown while the link to its switch is not live."""
    detail: str
    """Why it is out of service, in the switch's words."""
    for_s: float
    """For how long it has been so."""


@frozen
class SwitchView:
    """A switch: its link, and what there is on it."""

    id: SwitchId
    link: LinkState
    draining: bool
    """Whether it takes no new calls."""
    drained: bool
    """Whether, besides, none is left."""
    lost: bool
    """Whether its link has been down for so long that its calls were given up."""
    sip: str
    """Where the other switches reach its agents; empty where they do not."""
    calls: int
    """Calls that came in there, or are with agents there."""
    agents: int
    """Logged-on agents whose phones are at it, by their settings or since they have registered there."""
    trunks: tuple[TrunkView, ...] = ()
    """By name."""
    trunk_failures: Mapping[str, int] = Factory(dict)
    """How many calls outside ended for a fault of the way there, by the switch's cause."""


@frozen
class CentreView:
    """Everything at one instant."""

    at: float
    queues: tuple[QueueView, ...]
    agents: tuple[AgentView, ...]
    links: Mapping[SwitchId, LinkState]
    calls: int
    """Living interactions, waiting or not; without callbacks that nobody is on the line for."""
    talking: int
    parked: tuple[ParkedCall, ...] = ()
    """The calls that are parked, by place."""
    conferences: tuple[ConferenceView, ...] = ()
    """Those that there are, the oldest first."""
    switches: tuple[SwitchView, ...] = ()


def view(world: World) -> CentreView:
    """The centre as it is now."""
    return CentreView(
        at=world.now,
        queues=tuple(queue_view(world, queue) for queue in world.queues),
        agents=tuple(agent_view(world, agent) for agent in world.agents),
        links=dict(world.links),
        calls=sum(not call.is_away or bool(call.connections) for call in world.interactions.values()),
        talking=sum(call.state is InteractionState.ESTABLISHED for call in world.interactions.values()),
        parked=tuple(each for _, each in sorted(world.parked.items()) if _is_parked(world, each)),
        conferences=conferences_view(world),
        switches=switches_view(world),
    )


def switches_view(world: World) -> tuple[SwitchView, ...]:
    """Every switch as it is now; costs a look at every connection and every agent."""
    agents = Counter(world.home_of(agent) for agent in world.agents.values() if agent.state is not AgentState.NULL)
    return tuple(
        SwitchView(
            id=name,
            link=world.links.get(name, LinkState.DOWN),
            draining=name in world.draining,
            drained=world.draining.get(name, False),
            lost=name in world.lost,
            sip=settings.sip,
            calls=world.calls_on(name),
            agents=agents[name],
            trunks=trunks_view(world, name),
            trunk_failures=dict(world.trunk_failures.get(name, {})),
        )
        for name, settings in world.switches.items()
    )


def trunks_view(world: World, switch: SwitchId) -> tuple[TrunkView, ...]:
    """The trunks of a switch as they are now."""
    live = world.links.get(switch) is LinkState.LIVE
    return tuple(
        TrunkView(
            id=name,
            state=trunk.state if live else DeviceState.UNKNOWN,
            detail=trunk.detail,
            for_s=world.now - trunk.since,
        )
        for name, trunk in sorted(world.trunks.get(switch, {}).items())
    )


def _is_parked(world: World, parked: ParkedCall) -> bool:
    call = world.interactions.get(parked.interaction)
    return call is not None and call.place_kept == parked.place


def queue_view(world: World, queue_id: QueueId) -> QueueView:
    """One queue as it is now; costs a look at every call and every agent."""
    queue = world.queues[queue_id]
    calls = sorted(
        (
            call
            for call in world.interactions.values()
            if call.queue == queue_id and call.state.is_waiting and not call.is_away
        ),
        key=lambda call: call_key(call, queue.settings.priority_per_minute),
    )
    serving = [a for a in world.agents.values() if a.state is not AgentState.NULL and queue.settings.accepts(a.skills)]
    waiting = [
        WaitingCall(
            interaction=call.id,
            calling_number=call.calling_number,
            calling_name=call.calling_name,
            waited_s=world.now - (call.queued_at or world.now),
            priority=call.priority,
            agents=tuple(world.reservations[each].agent for each in call.reservations),
        )
        for call in calls
    ]
    return QueueView(
        id=queue_id,
        figures=evolve(queue.figures),
        waiting=tuple(waiting),
        agents_ready=sum(agent.state is AgentState.READY for agent in serving),
        agents_staffed=len(serving),
        service_level_s=queue.settings.service_level_s,
        service_level_target=queue.settings.service_level_target,
    )


def agent_view(world: World, agent_id: AgentId) -> AgentView:
    """One agent as they are now."""
    agent = world.agents[agent_id]
    call = world.interactions.get(agent.interaction) if agent.interaction is not None else None
    return AgentView(
        id=agent_id,
        state=agent.state,
        reason=agent.reason,
        for_s=world.now - agent.state_since,
        pending=agent.pending[0] if agent.pending is not None else None,
        skills=dict(agent.skills),
        calling_number=call.calling_number if call is not None else "",
        calls_answered=agent.calls_answered,
        occupancy=_occupancy(world, agent_id),
        device=device_state(world, agent),
        blocked=agent.blocked,
        standing=world.standing[agent_id].state if agent_id in world.standing else None,
    )


def device_state(world: World, agent: Agent) -> DeviceState:
    """Whether the phone can be reached that an agent is logged on at."""
    device = world.device_of(agent)
    return device.state if device is not None else DeviceState.UNKNOWN


_HANDLING = (AgentState.BUSY, AgentState.WORKING_AFTER_CALL)
_AVAILABLE = (AgentState.READY, AgentState.RESERVED, AgentState.ALERTING)


def _occupancy(world: World, agent_id: AgentId) -> float | None:
    agent = world.agents[agent_id]
    spent = dict(agent.seconds_in)
    spent[agent.state] = spent.get(agent.state, 0.0) + world.now - agent.state_since
    handling = sum(spent.get(state, 0.0) for state in _HANDLING)
    total = handling + sum(spent.get(state, 0.0) for state in _AVAILABLE)
    return handling / total if total > 0 else None

"""Why: for a waiting call each agent, for an idle agent each waiting call, and what stands between them.

As of ``world.now``, the time of the last fact. What was decided earlier is in ``SkillRouter.decisions``.
"""

from __future__ import annotations

from attrs import frozen

from cti.engine.world import World
from cti.model.agent import Agent
from cti.model.ids import AgentId, InteractionId, QueueId
from cti.model.interaction import Interaction
from cti.model.queue import QueueSettings
from cti.model.states import AgentState, DeviceState
from cti.routing.widening import first_step


@frozen
class Reason:
    """Why one agent is not, or is, the one for one call.

    ``code`` is one of ``chosen``, ``offered`` (this call, now), ``lacking skill``, ``not yet`` (a step of widening will
    let the agent in), ``state``, ``personal`` (it waits for another alone), ``route script`` (one is being asked),
    ``better agent``, ``better call``, ``link`` and ``not waiting``; ``text`` says it in full.
    """

    agent: AgentId
    call: InteractionId
    code: str
    text: str


@frozen
class CallExplained:
    """A call, its place (0 if it does not wait), its priority as it has grown, and each agent's reason."""

    call: InteractionId
    queue: QueueId | None
    position: int
    priority: float
    widened: int
    summary: str
    agents: tuple[Reason, ...]


@frozen
class AgentExplained:
    """An agent, and each waiting call's reason, in the order in which the calls are due."""

    agent: AgentId
    state: AgentState
    summary: str
    calls: tuple[Reason, ...]


def explain_call(world: World, call: InteractionId, *, most: int = 1000) -> CallExplained:
    """Why a call waits: each agent and what stands between them, those who may serve it first, then by id.

    Changes nothing; costs a look at every agent.

    Args:
        world: what is known.
        call: which call.
        most: how many agents to name at the most.

    Raises:
        UnknownInteraction: the call is over, or never was.
    """
    known = world.interaction(call)
    reasons = [_reason(world, known, agent) for agent in world.agents.values()]
    reasons.sort(key=lambda reason: (_RANK[reason.code], reason.agent))
    return CallExplained(
        call=known.id,
        queue=known.queue,
        position=world.router.position(known.id),
        priority=-world.router.due_key(known)[0],
        widened=known.widened,
        summary=_summary([reason.code for reason in reasons], "agent"),
        agents=tuple(reasons[:most]),
    )


def explain_agent(world: World, agent: AgentId, *, most: int = 1000) -> AgentExplained:
    """Why an agent is idle: each waiting call and what stands between them, in the order in which calls are due.

    Changes nothing; costs a look at every call.

    Args:
        world: what is known.
        agent: who.
        most: how many calls to name at the most.

    Raises:
        UnknownAgent: there is none of this id.
    """
    known = world.agent(agent)
    waiting = [call for call in world.interactions.values() if call.state.is_waiting and call.queue in world.queues]
    reasons = [_reason(world, call, known) for call in sorted(waiting, key=world.router.due_key)]
    return AgentExplained(
        agent=known.id,
        state=known.state,
        summary=_summary([reason.code for reason in reasons], "call"),
        calls=tuple(reasons[:most]),
    )


_RANK = {
    code: rank
    for rank, code in enumerate(
        (
            "offered",
            "chosen",
            "better agent",
            "better call",
            "link",
            "state",
            "personal",
            "route script",
            "not yet",
            "lacking skill",
            "not waiting",
        )
    )
}


def _summary(codes: list[str], noun: str) -> str:
    if not codes:
        return f"there is no {noun}"
    counts = {code: codes.count(code) for code in sorted(set(codes), key=lambda code: _RANK[code])}
    return ", ".join(f"{count} {code}" for code, count in counts.items())


def _reason(world: World, call: Interaction, agent: Agent) -> Reason:
    code, text = _code(world, call, agent)
    return Reason(agent.id, call.id, code, text)


def _code(world: World, call: Interaction, agent: Agent) -> tuple[str, str]:
    if not call.state.is_waiting or call.queue not in world.queues:
        return "not waiting", f"the call is {call.state.value}"
    offers = [world.reservations[each] for each in call.reservations]
    for made in offers:
        if made.agent == agent.id:
            return "offered", f"is being offered the call since {world.now - made.made_at:.1f} s"
    if call.route_request:
        return "route script", "a route script is being asked about the call"
    settings = world.queues[call.queue].settings
    if call.wanted is not None:
        return _personal(world, call, agent)
    step = first_step(settings, agent.skills, lambda name: _settings(world, name))
    if step is None and not _borrowed(world, call.queue, agent):
        return "lacking skill", "; ".join(settings.shortfalls(agent.skills))
    if step is not None and step > call.widened:
        wait_s = max(0.0, settings.widening[step - 1].after_s - (world.now - call.entered_at))
        lacking = "; ".join(settings.shortfalls(agent.skills))
        return "not yet", f"{lacking}; widening lets the agent in after {wait_s:.1f} s more"
    if agent.state is not AgentState.READY:
        return "state", _said(world, agent)
    if not world.is_live(call.switch):
        return "link", f"the link to switch {call.switch} is not live"
    if not world.router.position(call.id):  # it waits, and no more agents are looked for
        return "better agent", f"the call is being offered to {', '.join(made.agent for made in offers)}"
    best = world.router.agent_for(call)
    if best != agent.id:
        return "better agent", f"{best} goes before by {_strategy(settings)}" if best is not None else "no decision"
    due = world.router.call_for(agent)
    if due != call.id:
        return "better call", f"call {due} is due before it"
    return "chosen", "is the agent for this call, and this call is due to the agent"


def _borrowed(world: World, queue: QueueId, agent: Agent) -> bool:
    """Whether a queue of this agent's lends its agents to this one now."""
    lenders = world.router.borrowing().get(queue, ())
    return any(settings.accepts(agent.skills) for name in lenders if (settings := _settings(world, name)) is not None)


def _personal(world: World, call: Interaction, agent: Agent) -> tuple[str, str]:
    if call.wanted != agent.id:
        return "personal", f"the call waits for {call.wanted} alone"
    if agent.state is not AgentState.READY:
        return "state", _said(world, agent)
    due = world.router.call_for(agent)
    if due != call.id:
        return "better call", f"call {due} is due before it"
    return "chosen", "is the agent whom the call waits for"


def _said(world: World, agent: Agent) -> str:
    said = "logged off" if agent.state is AgentState.NULL else agent.state.value
    said = f"{said} ({agent.reason})" if agent.reason else said
    device = world.device_of(agent)
    if agent.blocked and not world.reachable(agent):
        said += (
            f": switch {world.home_of(agent)}, which their phone is at, takes no calls now; ready again when it does"
        )
    elif agent.blocked and device is not None and device.state is DeviceState.OUT_OF_SERVICE:
        away_s = world.now - device.since
        said += f": phone {agent.phone} has not been registered for {away_s:.1f} s; ready again when it is"
    elif agent.blocked and device is not None and device.calls:
        own = next(iter(device.calls.values()))
        said += f": their phone has a call {'from' if own.incoming else 'to'} {own.number} past the centre"
    return said


def _settings(world: World, queue: QueueId) -> QueueSettings | None:
    found = world.queues.get(queue)
    return found.settings if found is not None else None


def _strategy(settings: QueueSettings) -> str:
    strategy = settings.strategy
    return strategy if isinstance(strategy, str) else str(getattr(strategy, "name", type(strategy).__name__))

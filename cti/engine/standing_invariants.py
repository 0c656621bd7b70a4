"""What must hold of standing connections after every fact. Part of ``cti.engine.invariants``."""

from __future__ import annotations

from cti.engine.standing import STANDING, STRAY
from cti.engine.world import World
from cti.model.agent import Agent
from cti.model.connection import Connection
from cti.model.states import AgentState

_OFFERED = (AgentState.RESERVED, AgentState.ALERTING)


def line_stops(world: World, agent: Agent) -> bool:
    """Whether an agent cannot be offered a call by the connection that they stay on the line by."""
    line = world.line_of(agent)
    return agent.standing and (line is None or line.leg in world.connections)


def of_agent(world: World, agent: Agent) -> list[str]:
    """What does not hold of one agent."""
    if agent.state is AgentState.NULL or not agent.standing:
        return []
    wrong = []
    line = world.line_of(agent)
    if agent.id not in world.standing:
        wrong.append(f"agent {agent.id} has no standing connection, not even one that is down")
    if agent.state is AgentState.READY and line_stops(world, agent):
        wrong.append(f"agent {agent.id} is ready and their standing connection is down, or in a call")
    made = world.reservations.get(agent.reservation) if agent.reservation is not None else None
    if agent.state in _OFFERED and made is not None and made.leg and (line is None or line.leg != made.leg):
        wrong.append(f"agent {agent.id} is {agent.state.value}, by another leg than their standing connection")
    return wrong


def of_connection(world: World, leg: Connection) -> list[str]:
    """What does not hold of one leg that is in a call."""
    if leg.id in world.standing_legs and not (leg.standing and world.standing_legs[leg.id] == leg.agent):
        return [f"leg {leg.id} is a standing connection, and call {leg.interaction} does not know it"]
    return []


def of_all(world: World) -> list[str]:
    """What does not hold of the standing connections."""
    wrong = []
    for known in world.standing.values():
        agent = world.agents.get(known.agent)
        if known.state.value in ("up", "ringing") and world.standing_legs.get(known.leg) != known.agent:
            wrong.append(f"the standing connection of {known.agent} is {known.state.value}, and nobody knows its leg")
        if known.state.value != "down" and not world.timers.running(STANDING, known.agent):
            wrong.append(f"the standing connection of {known.agent} is {known.state.value}, and nobody looks after it")
        if not known.is_up and (agent is None or agent.state is AgentState.NULL):
            wrong.append(f"the standing connection of {known.agent}, who is not there, is {known.state.value}")
    for leg, name in world.standing_legs.items():
        if name not in world.standing or world.standing[name].leg != leg:
            wrong.append(f"leg {leg} is said to be the standing connection of {name}, and is not")
    wrong += [f"leg {leg} is to end, and nobody looks" for leg in world.stray if not world.timers.running(STRAY, leg)]
    return wrong

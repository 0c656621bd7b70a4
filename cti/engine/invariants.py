"""What must hold after every fact: checked in simulation after each, in the daemon by a watchdog."""

from __future__ import annotations

from cti.engine.offers import CHECK
from cti.engine.world import World
from cti.model.states import AgentState, InteractionState

_WITH_A_RESERVATION = (AgentState.RESERVED, AgentState.ALERTING)
_EPSILON_S = 1e-6


def broken(world: World, *, grace_s: float = 0.0) -> list[str]:
    """Each invariant that does not hold now, as a sentence that names the thing; empty when all do.

    Args:
        world: what to check; it is not changed.
        grace_s: how long a lease may be over before that counts (a timer may be on its way).
    """
    return [*_agents(world), *_reservations(world, grace_s), *_calls(world), *_connections(world), *_queues(world)]


def _agents(world: World) -> list[str]:
    wrong = []
    for agent in world.agents.values():
        if agent.state is AgentState.BUSY and agent.connection not in world.connections:
            wrong.append(f"agent {agent.id} is busy without a living connection")
        if agent.state in _WITH_A_RESERVATION and agent.reservation not in world.reservations:
            wrong.append(f"agent {agent.id} is {agent.state.value} without a reservation")
        if agent.state not in _WITH_A_RESERVATION and agent.reservation is not None:
            wrong.append(f"agent {agent.id} is {agent.state.value} and holds reservation {agent.reservation}")
        if (agent.state is AgentState.NULL) == (world.phones.get(agent.phone) == agent.id):
            wrong.append(
                f"agent {agent.id} is {agent.state.value} and their phone is with {world.phones.get(agent.phone)}"
            )
        if agent.state is not AgentState.NULL:
            spent = sum(agent.seconds_in.values()) + world.now - agent.state_since
            session = world.now - agent.logged_on_since
            if abs(spent - session) > _EPSILON_S * max(1.0, session):
                wrong.append(f"agent {agent.id} spent {spent} s in a session of {session} s")
    return wrong


def _reservations(world: World, grace_s: float) -> list[str]:
    wrong, seen = [], set()
    for made in world.reservations.values():
        if made.agent in seen:
            wrong.append(f"agent {made.agent} has two reservations")
        seen.add(made.agent)
        if made.state.is_over:
            wrong.append(f"reservation {made.id} is {made.state.value} and still held")
        if world.now > made.lease_ends_at + grace_s + _EPSILON_S:
            wrong.append(f"reservation {made.id} outlives its lease")
        call = world.interactions.get(made.interaction)
        if call is None or call.reservation != made.id:
            wrong.append(f"reservation {made.id} is for a call that does not know it")
    return wrong


def _calls(world: World) -> list[str]:
    wrong = []
    for call in world.interactions.values():
        if call.state.is_waiting and call.caller not in world.connections:
            wrong.append(f"call {call.id} is {call.state.value} without a living caller")
        if not call.connections:
            wrong.append(f"call {call.id} has no connection and is not cleared")
        if (call.state in (InteractionState.ROUTING, InteractionState.DELIVERED)) != (call.reservation is not None):
            wrong.append(f"call {call.id} is {call.state.value} with reservation {call.reservation}")
        if call.state is InteractionState.QUEUED and world.is_live(call.switch) and not world.router.position(call.id):
            wrong.append(f"call {call.id} is queued and the router does not know it")
    return wrong


def _connections(world: World) -> list[str]:
    wrong = []
    for leg in world.connections.values():
        call = world.interactions.get(leg.interaction)
        if call is None or leg.id not in call.connections:
            wrong.append(f"connection {leg.id} belongs to call {leg.interaction}, which is over")
        elif call.state.is_over and not leg.clearing:
            wrong.append(f"connection {leg.id} lives on after its call was {call.state.value}")
        if leg.clearing and not world.timers.running(CHECK, leg.id):
            wrong.append(f"connection {leg.id} is being cleared and nobody will look for it")
    return wrong


def _queues(world: World) -> list[str]:
    waiting = dict.fromkeys(world.queues, 0)
    for call in world.interactions.values():
        if call.state.is_waiting and call.queue is not None:
            waiting[call.queue] += 1
    wrong = []
    for queue in world.queues.values():
        if not queue.figures.adds_up:
            wrong.append(f"queue {queue.id}: offered does not add up: {queue.figures}")
        if queue.figures.waiting != waiting[queue.id]:
            wrong.append(f"queue {queue.id} counts {queue.figures.waiting} waiting, {waiting[queue.id]} wait")
    return wrong

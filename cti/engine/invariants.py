"""What must hold after every fact: checked in simulation after each, in the daemon by a watchdog."""

from __future__ import annotations

from collections.abc import Iterable

from cti.engine import standing_invariants
from cti.engine.callbacks import CALLBACK
from cti.engine.calling_back import CUSTOMER
from cti.engine.offers import CHECK
from cti.engine.route_requests import ROUTE
from cti.engine.wishes import PERSONAL
from cti.engine.world import World
from cti.model.agent import Agent, phone_key
from cti.model.connection import Connection
from cti.model.history import History, SegmentKind
from cti.model.ids import AgentId, InteractionId
from cti.model.interaction import Interaction, InteractionKind
from cti.model.reservation import Reservation
from cti.model.states import AgentState, CallbackState, DeviceState, InteractionState, ReservationState

_WITH_A_RESERVATION = (AgentState.RESERVED, AgentState.ALERTING)
_EPSILON_S = 1e-6


def broken(world: World, *, grace_s: float = 0.0) -> list[str]:
    """Each invariant that does not hold now, as a sentence that names the thing; empty when all do.

    Args:
        world: what to check; it is not changed.
        grace_s: how long a lease may be over before that counts (a timer may be on its way).
    """
    wrong: list[str] = []
    for agent in world.agents.values():
        wrong += _agent(world, agent)
    seen = set()
    for made in world.reservations.values():
        if made.agent in seen:
            wrong.append(f"agent {made.agent} has two reservations")
        seen.add(made.agent)
        wrong += _reservation(world, made, grace_s)
    for call in world.interactions.values():
        wrong += _call(world, call)
    for leg in world.connections.values():
        wrong += _connection(world, leg)
    for name, interaction in world.wrapping.items():
        known = world.agents.get(name)
        if known is None or known.state is not AgentState.WORKING_AFTER_CALL or interaction not in world.histories:
            wrong.append(f"agent {name} is said to work after call {interaction}, and does not")
    for history in world.histories.values():
        if history.interaction not in world.interactions and not history.going_on:
            wrong.append(f"the history of call {history.interaction} is complete and has not been told")
    return wrong + standing_invariants.of_all(world) + _queues(world)


def broken_near(
    world: World, agents: Iterable[AgentId], calls: Iterable[InteractionId], *, grace_s: float = 0.0
) -> list[str]:
    """The same of these agents and calls only, and of the legs and reservations they have; those unknown are left out.

    At a price that does not grow with the centre it finds what a fact has broken in what it was about. What it did to
    others, an agent's second reservation and the queues' counts are left to ``broken``.
    """
    wrong: list[str] = []
    for call_id in calls:
        call = world.interactions.get(call_id)
        if call is not None:
            wrong += _call(world, call)
            for leg_id in call.connections:
                leg = world.connections.get(leg_id)
                if leg is not None:
                    wrong += _connection(world, leg)
    for agent_id in agents:
        agent = world.agents.get(agent_id)
        if agent is not None:
            wrong += _agent(world, agent)
            made = world.reservations.get(agent.reservation) if agent.reservation is not None else None
            if made is not None:
                wrong += _reservation(world, made, grace_s)
    return wrong


def _agent(world: World, agent: Agent) -> list[str]:
    wrong = []
    if agent.state is AgentState.BUSY and agent.connection not in world.connections and not _has_a_task(world, agent):
        wrong.append(f"agent {agent.id} is busy without a living connection")
    if agent.state in _WITH_A_RESERVATION and agent.reservation not in world.reservations:
        wrong.append(f"agent {agent.id} is {agent.state.value} without a reservation")
    if agent.state not in _WITH_A_RESERVATION and agent.reservation is not None:
        wrong.append(f"agent {agent.id} is {agent.state.value} and holds reservation {agent.reservation}")
    if agent.state is AgentState.READY and agent.interaction is not None:
        wrong.append(f"agent {agent.id} is ready and has call {agent.interaction}")
    if (agent.state is AgentState.NULL) == (world.phones.get(phone_key(agent.phone, agent.home)) == agent.id):
        wrong.append(
            f"agent {agent.id} is {agent.state.value} and their phone is with {world.phones.get(phone_key(agent.phone, agent.home))}"
        )
    device = world.device_of(agent)
    down = device is not None and device.state is DeviceState.OUT_OF_SERVICE and not agent.settings.mobile
    down = down and world.line_of(agent) is None
    wrong += standing_invariants.of_agent(world, agent)
    if down and agent.state in (AgentState.READY, *_WITH_A_RESERVATION):
        wrong.append(f"agent {agent.id} is {agent.state.value} and their phone is out of service")
    in_use = device is not None and bool(device.calls) and agent.settings.own_calls == "not ready"
    if in_use and agent.state is AgentState.READY:
        wrong.append(f"agent {agent.id} is ready and their phone has a call of its own")
    off_line = standing_invariants.line_stops(world, agent)
    if agent.blocked and not down and not in_use and not off_line and world.reachable(agent):
        wrong.append(f"agent {agent.id} is not ready ({agent.reason}) and nothing stands in their way")
    if agent.state is not AgentState.NULL:
        spent = sum(agent.seconds_in.values()) + world.now - agent.state_since
        session = world.now - agent.logged_on_since
        if abs(spent - session) > _EPSILON_S * max(1.0, session):
            wrong.append(f"agent {agent.id} spent {spent} s in a session of {session} s")
    return wrong


def _has_a_task(world: World, agent: Agent) -> bool:
    """Whether the agent is busy with something for which no phone rings."""
    task = world.interactions.get(agent.interaction) if agent.interaction is not None else None
    return task is not None and task.kind is InteractionKind.FAX and task.agent == agent.id


def _reservation(world: World, made: Reservation, grace_s: float) -> list[str]:
    wrong = []
    if made.state.is_over:
        wrong.append(f"reservation {made.id} is {made.state.value} and still held")
    if world.now > made.lease_ends_at + grace_s + _EPSILON_S:
        wrong.append(f"reservation {made.id} outlives its lease")
    call = world.interactions.get(made.interaction)
    if call is None or made.id not in (*call.reservations, call.consultation):
        wrong.append(f"reservation {made.id} is for a call that does not know it")
    return wrong


def _call(world: World, call: Interaction) -> list[str]:
    wrong = []
    if call.on_the_line and call.state.is_waiting and not (call.callback or call.caller in world.connections):
        wrong.append(f"call {call.id} is {call.state.value} without a living caller or a callback")
    if call.callback is not None or call.state is InteractionState.CALLBACK:
        wrong += _callback(world, call)
    elif not call.connections and (call.on_the_line or call.state.is_over):
        wrong.append(f"call {call.id} has no connection and is not cleared")
    if (call.state in (InteractionState.ROUTING, InteractionState.DELIVERED)) != bool(call.reservations):
        wrong.append(f"call {call.id} is {call.state.value} with reservations {call.reservations}")
    if call.reservations:
        made = [world.reservations.get(each) for each in call.reservations]
        if None in made:
            wrong.append(f"call {call.id} holds a reservation that is over")
        if sum(each is not None and each.state is ReservationState.ACCEPTED for each in made) > 1:
            wrong.append(f"call {call.id} has been accepted by two agents")
    if call.route_request:
        if not world.timers.running(ROUTE, call.id):
            wrong.append(f"call {call.id} waits for a route script, and no deadline ends that")
    elif call.state is InteractionState.QUEUED and world.may_go_on(call) and not world.router.position(call.id):
        wrong.append(f"call {call.id} is queued and the router does not know it")
    history = world.histories.get(call.id)
    if history is not None:  # one of a journal of an older version has none until something happens to it
        wrong += _history(world, call, history)
    if call.wanted is not None and not world.timers.running(PERSONAL, call.id):
        wrong.append(f"call {call.id} waits for agent {call.wanted} alone, and no time ends that")
    return wrong


def _history(world: World, call: Interaction, history: History) -> list[str]:
    """Every party is doing one thing, whose segment goes on; and what they did before it leaves no time out."""
    wrong = []
    going_on = [each.connection for each in history.going_on if each.kind is not SegmentKind.WRAP_UP]
    for each in call.connections:
        leg = world.connections.get(each)
        if leg is not None and going_on.count(each) != 1 and not (leg.clearing and each not in going_on):
            wrong.append(f"leg {each} of call {call.id} has {going_on.count(each)} segments going on")
    return wrong


def _callback(world: World, call: Interaction) -> list[str]:
    back, wrong = call.callback, []
    if back is None or back.state.is_over:
        return [f"call {call.id} is {call.state.value} and its callback is over"]
    scheduled = back.state is CallbackState.SCHEDULED
    if scheduled != (call.state is InteractionState.CALLBACK) or scheduled == call.state.is_waiting:
        wrong.append(f"call {call.id} is {call.state.value} and its callback {back.state.value}")
    called = back.state in (CallbackState.CALLING, CallbackState.HOLDING)
    if called != (call.caller in world.connections):
        wrong.append(f"callback {call.id} is {back.state.value}, and its customer's leg is not as it should be")
    due = CUSTOMER if back.state is CallbackState.CALLING else CALLBACK
    if back.state is not CallbackState.HOLDING and not world.timers.running(due, call.id):
        wrong.append(f"callback {call.id} is {back.state.value}, and nothing will look at it again")
    if call.queue is None or world.callbacks.get(call.queue, {}).get(back.number) != call.id:
        wrong.append(f"callback {call.id} to {back.number} cannot be found by its number")
    return wrong


def _connection(world: World, leg: Connection) -> list[str]:
    wrong = standing_invariants.of_connection(world, leg)
    call = world.interactions.get(leg.interaction)
    if call is None or leg.id not in call.connections:
        wrong.append(f"connection {leg.id} belongs to call {leg.interaction}, which is over")
    elif not leg.clearing and call.state.is_over and call.handed_to is None:
        wrong.append(f"connection {leg.id} lives on after its call was {call.state.value}")
    if leg.clearing and not world.timers.running(CHECK, leg.id):
        wrong.append(f"connection {leg.id} is being cleared and nobody will look for it")
    return wrong


def _queues(world: World) -> list[str]:
    waiting, in_line = dict.fromkeys(world.queues, 0), dict.fromkeys(world.queues, 0)
    pending = dict.fromkeys(world.queues, 0)
    for call in world.interactions.values():
        if call.queue is not None:
            pending[call.queue] += call.callback is not None
            counted = waiting if call.callback is None else in_line
            counted[call.queue] += call.state.is_waiting
    wrong = []
    for queue in world.queues.values():
        if not queue.figures.adds_up:
            wrong.append(f"queue {queue.id}: offered does not add up: {queue.figures}")
        if queue.figures.waiting != waiting[queue.id]:
            wrong.append(f"queue {queue.id} counts {queue.figures.waiting} waiting, {waiting[queue.id]} wait")
        figures = queue.figures
        if (figures.callbacks_pending, figures.callbacks_in_line) != (pending[queue.id], in_line[queue.id]):
            wrong.append(f"queue {queue.id} has {pending[queue.id]} callbacks, {in_line[queue.id]} in line: {figures}")
        if not figures.callbacks_add_up:
            wrong.append(f"queue {queue.id}: callbacks do not add up: {figures}")
    return wrong

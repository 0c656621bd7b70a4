"""Looks at the engine and at the switch together, now and then: what neither of them can see alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from cti.engine.world import World
from cti.model import events, intents
from cti.model.cause import Cause
from cti.model.ids import ConnectionId, InteractionId, SwitchId
from cti.model.interaction import Interaction
from cti.model.states import AgentState, InteractionState, TalkState
from cti.routing.widening import first_step
from cti.sim import SimulatedSwitch
from cti.sim.channel import Channel

EVERY_S: Final = 10.0
"""Virtual seconds between two rounds."""
LASTS_S: Final = 150.0
"""How long may something be amiss? A leg whose end was not told is asked after once a minute, or ten seconds after it was
asked to end, and the answer may be lost too."""


class Rounds:
    """Says of each thing that has been amiss for too long, once.

    Args:
        world: what the process that lives now knows.
        switches: what there is on each switch.
        now: virtual seconds.
        tell: takes a sentence for each thing.
        music: whether whoever waits hears music; not where the switch may refuse to play it.
    """

    def __init__(
        self,
        world: Callable[[], World],
        switches: Mapping[SwitchId, SimulatedSwitch],
        now: Callable[[], float],
        tell: Callable[[str], None],
        *,
        music: bool = True,
    ) -> None:
        self._world = world
        self._switches = switches
        self._now = now
        self._tell = tell
        self._music = music
        self._since: dict[str, float] = {}
        self._ended: set[InteractionId] = set()
        self._told: set[InteractionId] = set()

    def forget(self) -> None:
        """Another process takes up the work, and may tell again what the one before had not written any more."""
        self._ended.clear()
        self._told.clear()

    def look(self) -> None:
        """Go round once."""
        now = self._now()
        amiss = set(self._amiss())
        for each in [known for known in self._since if known not in amiss]:
            del self._since[each]
        for each in sorted(amiss):
            since = self._since.setdefault(each, now)
            if since >= 0 and now - since > LASTS_S:
                self._tell(each)
                self._since[each] = -1.0

    def _amiss(self) -> Iterator[str]:
        world = self._world()
        for switch_id, switch in self._switches.items():
            if world.is_live(switch_id):
                yield from self._strangers(world, switch_id, switch)
        for call in world.interactions.values():
            if world.is_live(call.switch):
                yield from self._call(world, call)
        for agent in world.agents.values():
            if agent.state in (AgentState.RESERVED, AgentState.ALERTING) and world.is_live(agent.home):
                yield f"agent {agent.id} is {agent.state.value} by reservation {agent.reservation}"

    def _strangers(self, world: World, switch_id: SwitchId, switch: SimulatedSwitch) -> Iterator[str]:
        known = (world.connections, world.supervisions, world.ties, world.standing_legs)
        for channel in switch.channels.values():
            leg = ConnectionId(channel.uuid)
            # A call whose only word was lost before anybody had answered it is not known, and its caller hangs up in time.
            unheard = channel.direction == "inbound" and not channel.answered
            ours = channel.up and channel.variable("cti_node") is not None and not unheard
            if ours and not any(leg in each for each in known):
                yield f"channel {leg} of switch {switch_id} ({channel.name}, {channel.call_state}) is nobody's"

    def _call(self, world: World, call: Interaction) -> Iterator[str]:
        switch = self._switches.get(call.switch)
        if call.state is InteractionState.QUEUED and world.router.position(call.id) and world.router.agent_for(call):
            yield f"call {call.id} waits, and an agent is ready for it"
        if switch is None:
            return
        caller = switch.channels.get(call.caller)
        queue = world.queues[call.queue] if call.queue is not None and call.state is InteractionState.QUEUED else None
        silent = caller is not None and caller.up and not _plays(caller)
        if self._music and silent and queue is not None and queue.settings.music:
            yield f"the caller of call {call.id} waits in silence"
        for each in call.connections:
            if each not in switch.channels:
                yield f"leg {each} of call {call.id} is not on the switch"
        if call.state.is_over and call.connections:
            yield f"call {call.id} is {call.state.value}, and has legs"
        if call.onward is not None:
            yield f"call {call.id} is on its way to {call.onward}, and does not get there"
        if call.talk is TalkState.TALKING and call.state is InteractionState.ESTABLISHED:
            hears = [each for each in call.connections if _partner(switch, each) in call.connections]
            if len(hears) < 2:
                yield f"call {call.id} is talked, and nobody hears anybody"

    # -- what is told ---------------------------------------------------------------------------------------------

    def event(self, event: events.Event) -> None:
        """Nothing is told of a call after its end, which is told once; so is its history."""
        if isinstance(event, events.InteractionEnded):
            if event.interaction in self._told:
                self._tell(f"the history of call {event.interaction} is told twice")
            self._told.add(event.interaction)
        elif isinstance(event, events.CallEvent):
            if event.interaction in self._ended:
                self._tell(f"{type(event).__name__} of call {event.interaction} after its end")
            elif isinstance(event, events.CallCleared):
                self._ended.add(event.interaction)

    def offered(self, offer: intents.OfferCall) -> None:
        """Nobody is overtaken by a call of the same queue that the agent could have had as well."""
        world = self._world()
        call, agent = world.interactions.get(offer.interaction), world.agents.get(offer.agent)
        made = world.reservations.get(offer.reservation)
        if call is None or agent is None or made is None or made.consults is not None or call.wanted is not None:
            return
        if made.cause not in (Cause.DISTRIBUTED, Cause.CALL_BACK) or made.made_at < world.now or call.preferred:
            return
        queues = world.queues
        step = first_step(queues[made.queue].settings, agent.skills, lambda name: queues[name].settings)
        for each in world.router.waiting(made.queue) if step is not None else ():
            other = world.interactions[each]
            if other.id == call.id or other.age_key >= call.age_key or other.wanted is not None or other.reservations:
                continue
            if not world.may_go_on(other) or other.route_request:
                continue
            if step is not None and step <= other.widened:
                self._tell(f"call {call.id} overtakes {other.id} in queue {made.queue}")


def _plays(channel: Channel) -> bool:
    return any(each.application == "playback" for each in channel.stack)


def _partner(switch: SimulatedSwitch, leg: ConnectionId) -> str | None:
    channel = switch.channels.get(leg)
    if channel is None or channel.bridge is None or not channel.bridge.joined:
        return None
    return channel.bridge.other(channel).uuid

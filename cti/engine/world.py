"""Everything the engine knows, and the intents of the fact in hand."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from cti.engine.staff import Staff
from cti.engine.timers import Timers
from cti.errors import UnknownAgent, UnknownInteraction, UnknownQueue
from cti.model import events
from cti.model.agent import NOWHERE, Agent, phone_key
from cti.model.attached_data import attached, mirrored
from cti.model.call_back import CallBackWish, CallMe
from cti.model.callback import AbandonedCall
from cti.model.cause import Cause
from cti.model.conference import Conference
from cti.model.connection import Connection
from cti.model.device import Device, device_of
from cti.model.history import History
from cti.model.ids import (
    AgentId,
    ConnectionId,
    DeviceId,
    IdSource,
    InteractionId,
    QueueId,
    ReservationId,
    SwitchId,
    TrunkId,
)
from cti.model.intents import Intent, KeepData, Notify
from cti.model.interaction import Interaction
from cti.model.kept_place import KeptPlace
from cti.model.parked_call import ParkedCall
from cti.model.party import Destination
from cti.model.predictive import PredictedCalls
from cti.model.queue import Queue
from cti.model.recording import RecordingSettings, Segment
from cti.model.reservation import Reservation
from cti.model.standing import StandingConnection
from cti.model.states import CallbackState, LinkState
from cti.model.supervision import Supervision
from cti.model.switch import SwitchSettings, Tie, TieLine
from cti.model.trunk import Trunk
from cti.routing.router import Router

CUSTOMERS_KEPT = 200_000
"""For how many customers is the last agent remembered?"""
ABANDONED_KEPT = 10_000
"""How many callers who hung up are remembered?"""
REMEMBERED_S = 60.0
"""For how long may news of a leg that has ended still come? ``show channels`` lags by a second, a slow link by more."""

_HOLD = {events.Held: Agent.holds, events.Retrieved: Agent.resumes, events.Conferenced: Agent.resumes}
"""Which events begin and end the time for which an agent holds a caller."""


class World:
    """The state that one engine owns."""

    def __init__(self, ids: IdSource, router: Router) -> None:
        self.ids = ids
        self.router = router
        self.now = 0.0
        self.agents: dict[AgentId, Agent] = {}
        self.queues: dict[QueueId, Queue] = {}
        self.interactions: dict[InteractionId, Interaction] = {}
        self.connections: dict[ConnectionId, Connection] = {}
        self.reservations: dict[ReservationId, Reservation] = {}
        self.links: dict[SwitchId, LinkState] = {}
        self.switches: dict[SwitchId, SwitchSettings] = {}
        """What is configured of each; ``links`` may know of more, from the run before."""
        self.draining: dict[SwitchId, bool] = {}
        """The switches that take no new calls, and whether it has been told that none is left."""
        self.lost: set[SwitchId] = set()
        """Those that have been down for so long that their calls have been given up."""
        self.ties: dict[ConnectionId, Tie] = {}
        """The channels that carry legs on to phones at other switches; they are no connections of any call."""
        self.trunks: dict[SwitchId, dict[TrunkId, Trunk]] = {}
        """The trunks of each switch, as it told last."""
        self.trunk_failures: dict[SwitchId, dict[str, int]] = {}
        """How many legs outside ended for a fault of the way there, by the switch's cause; see TRUNK_CAUSES."""
        self.phones: dict[str, AgentId] = {}
        """Who is logged on at which phone."""
        self.devices: dict[str, Device] = {}
        """The phones that register, of those who are logged on, by ``Device.key``."""
        self.own_calls: dict[ConnectionId, tuple[SwitchId, DeviceId]] = {}
        """The calls that these phones have past the centre, and at which switch."""
        self.adopted: dict[AgentId, ConnectionId] = {}
        """Legs found alive in a snapshot whose agents have not logged on again yet."""
        self.standing: dict[AgentId, StandingConnection] = {}
        """The standing connections of those who are logged on, and those found in a snapshot before their agents were back."""
        self.standing_legs: dict[ConnectionId, AgentId] = {}
        """Whose is which of their legs, those that are up and those that are being rung."""
        self.stray: dict[ConnectionId, SwitchId] = {}
        """Such legs that are nobody's any more, and are to end."""
        self.parked: dict[str, ParkedCall] = {}
        """Calls that are parked, or on their way there, by place."""
        self.camped: dict[AgentId, list[InteractionId]] = {}
        """The calls whose agents wait for this one to be ready, the first first; some of them have given up."""
        self.call_backs: dict[AgentId, list[CallBackWish]] = {}
        """With whom agents want to talk when both are free, the first asked for first."""
        self.called_back: dict[AgentId, list[AgentId]] = {}
        """The same the other way: by whom each agent is waited for."""
        self.call_me: dict[AgentId, list[CallMe]] = {}
        """Who asks each agent to be called."""
        self.predicted: dict[QueueId, PredictedCalls] = {}
        """What has become of the predictive calls of each queue."""
        self.destinations: tuple[Destination, ...] = ()
        """Which numbers agents may have called."""
        self.supervisions: dict[ConnectionId, Supervision] = {}
        """Who listens in, by their own leg; such a leg is no call's."""
        self.recording: RecordingSettings | None = None
        """Where recordings go; None for nowhere."""
        self.segments: dict[str, Segment] = {}
        """The recordings under way, by path; one may outlive its interaction for a moment."""
        self.histories: dict[InteractionId, History] = {}
        """What has happened to each call, until the last of its agents has done the work after it."""
        self.conferences: dict[InteractionId, Conference] = {}
        """Those that there are, by the call that has become one."""
        self.wrapping: dict[AgentId, InteractionId] = {}
        """Who is working after which call."""
        self.callbacks: dict[QueueId, dict[str, InteractionId]] = {}
        """The pending callbacks of each queue, by the number to call."""
        self.callbacks_held = False
        """Whether no customer is to be called back for now."""
        self.abandoned: list[AbandonedCall] = []
        """Callers who hung up while waiting, the longest ago first."""
        self.last_agents: dict[str, tuple[AgentId, float]] = {}
        """Who talked last with which customer, and when; the longest ago first."""
        self.kept_places: dict[str, KeptPlace] = {}
        """Where customers were whom a lost switch has cut off, the longest ago first."""
        self.staff = Staff(self)
        self.intents: list[Intent] = []
        self.left: list[Agent] = []
        """Who went away in the course of the fact in hand, and whom calls may wait for."""
        self.through: list[ConnectionId] = []
        """The standing connections to which a call is put through as soon as the fact in hand has been seen to."""
        self.freed: list[ConnectionId] = []
        """Those whose part in their call is over."""
        self.timers = Timers(self.emit)
        self._token = 0
        self._place = 0
        self._ended: dict[ConnectionId, float] = {}

    def emit(self, intent: Intent) -> None:
        """Add an intent to those of the fact in hand."""
        self.intents.append(intent)

    def notify(self, event: events.Event) -> None:
        """Tell the subscribers."""
        self.intents.append(Notify(event))

    def tell(self, kind: type[events.CallEvent], call: Interaction, cause: Cause, **more: Any) -> None:
        """Tell the subscribers something of an interaction."""
        if (count := _HOLD.get(kind)) is not None and (agent := self.agents.get(call.agent or AgentId(""))) is not None:
            count(agent, self.now)
        self.intents.append(
            Notify(
                kind(
                    interaction=call.id,
                    at=self.now,
                    cause=cause,
                    switch=call.switch,
                    calling_number=call.calling_number,
                    calling_name=call.calling_name,
                    called_number=call.called_number,
                    queue=call.queue,
                    agent=more.pop("agent", call.agent),
                    data=dict(call.data),
                    interaction_kind=call.kind.value,
                    **more,
                )
            )
        )

    def attach(self, call: Interaction, data: Mapping[str, Any]) -> None:
        """Attach data to a call, and write them onto the caller's leg; None takes a key away.

        Raises:
            DataRefused: something of it cannot be attached, or is too much; nothing was.
        """
        after = attached(call.data, data)
        if after != call.data:
            call.data = after
            self.mirror(call)

    def mirror(self, call: Interaction) -> None:
        """Write what is attached to a call onto the caller's leg, so that the switch can tell us after a crash."""
        if call.caller in self.connections:
            self.emit(KeepData(call.switch, call.caller, mirrored(call.data)))

    def had_before(self, call: Interaction) -> tuple[AgentId, ...]:
        """The agents who have talked with a call's caller, the latest last."""
        history = self.histories.get(call.id)
        return tuple(history.agents) if history is not None else ()

    def comes_from(self, call: Interaction, *, asked: bool) -> AgentId | None:
        """The agent by whom another one gets a call: who asks for them (``asked``), or who had it last."""
        had = self.had_before(call)
        return call.agent if asked else had[-1] if had else None

    def next_token(self) -> int:
        """The next fencing token; it only grows."""
        self._token += 1
        return self._token

    def next_place(self) -> int:
        """The next place among calls that enter in one instant."""
        self._place += 1
        return self._place

    def spoke(self, customer: str, agent: AgentId) -> None:
        """An agent talks with a customer; remembered for the next call."""
        if customer:
            self.last_agents.pop(customer, None)
            self.last_agents[customer] = (agent, self.now)
            if len(self.last_agents) > CUSTOMERS_KEPT:
                del self.last_agents[next(iter(self.last_agents))]

    def ended(self, connection: ConnectionId) -> None:
        """The switch says that a leg has ended; remembered for a while, so that late news does not bring it back."""
        self._ended.setdefault(connection, self.now)
        for oldest in list(islice(self._ended, 2)):  # two for each one added: what is remembered stays bounded
            if self._ended[oldest] < self.now - REMEMBERED_S:
                del self._ended[oldest]

    def has_ended(self, connection: ConnectionId) -> bool:
        """Whether the switch has said, not long ago, that this leg has ended."""
        return connection in self._ended

    def is_live(self, switch: SwitchId) -> bool:
        """Whether calls on this switch may be routed; what is on none, such as a fax, always may."""
        return not switch or self.links.get(switch) is LinkState.LIVE

    def takes_calls(self, switch: SwitchId) -> bool:
        """Whether new calls may be made on this switch, or offered to agents whose phones are at it."""
        return self.is_live(switch) and switch not in self.draining

    def reachable(self, agent: Agent) -> bool:
        """Whether the switch that an agent's phone is at can be reached, and takes calls."""
        home = self.home_of(agent)
        return not home or self.takes_calls(home)

    def home_of(self, agent: Agent) -> SwitchId:
        """The switch that an agent's phone is at: as configured, else, of several, that at which it has registered.

        Nowhere if every switch can dial it itself, or nobody knows.
        """
        if agent.home or len(self.switches) < 2:
            return agent.home
        device = self.device_of(agent)
        return device.at if device is not None else NOWHERE

    def line_of(self, agent: Agent) -> StandingConnection | None:
        """The standing connection of an agent, if it is up."""
        known = self.standing.get(agent.id) if agent.standing else None
        return known if known is not None and known.is_up else None

    def stands(self, leg: Connection) -> bool:
        """Whether a leg is a standing connection that goes on when its call is over."""
        return leg.standing and leg.id in self.standing_legs

    def device_of(self, agent: Agent) -> Device | None:
        """The phone that an agent is logged on at, if it is one that registers."""
        name = device_of(agent.phone)
        device = self.devices.get(phone_key(name, agent.home)) if name is not None else None
        return device if device is not None and agent.id in device.agents else None

    def switch_for(self, agent: Agent | None = None) -> SwitchId | None:
        """The switch on which a new call is made: that of the agent's phone if it can be, else any; None if none can."""
        home = self.home_of(agent) if agent is not None else NOWHERE
        if home and self.takes_calls(home):
            return home
        return next((switch for switch in sorted(self.links) if self.takes_calls(switch)), None)

    def may_go_on(self, call: Interaction) -> bool:
        """Whether agents may be looked for: its switch can be reached, and takes the new call that a callback is."""
        if call.callback is not None and call.callback.state is CallbackState.WAITING and not call.reservations:
            return self.takes_calls(call.switch) and not self.callbacks_held
        return self.is_live(call.switch)

    def in_use(self, switch: SwitchId) -> bool:
        """Whether anybody has a leg on a switch, or a phone at it that is on a call."""
        legs = any(switch in (leg.switch, leg.via) for leg in self.connections.values())
        return legs or any(each.switch == switch for each in self.supervisions.values())

    def calls_on(self, switch: SwitchId) -> int:
        """How many calls, and people who listen in, have a leg on a switch or a phone at it."""
        calls = {leg.interaction for leg in self.connections.values() if switch in (leg.switch, leg.via)}
        return len(calls) + sum(each.switch == switch for each in self.supervisions.values())

    def tie_line(self, agent: Agent, switch: SwitchId) -> TieLine | None:
        """The way from a switch to an agent's phone; None where that switch can dial the phone itself."""
        home = self.home_of(agent) or agent.settings.switch
        to = self.switches.get(home) if home != switch else None
        here = self.switches.get(switch)
        if (
            to is None or here is None or not to.sip
        ):  # a learned one may have no way to it: the phone is dialled from here
            return None
        return TieLine(switch, to.id, to.sip, here.profile)

    def agent(self, agent: AgentId) -> Agent:
        """The agent of this id.

        Raises:
            UnknownAgent: there is none; the message names the nearest.
        """
        try:
            return self.agents[agent]
        except KeyError:
            raise UnknownAgent(agent, self.agents) from None

    def queue(self, queue: QueueId) -> Queue:
        """The queue of this id.

        Raises:
            UnknownQueue: there is none; the message names the nearest.
        """
        try:
            return self.queues[queue]
        except KeyError:
            raise UnknownQueue(queue, self.queues) from None

    def interaction(self, interaction: InteractionId) -> Interaction:
        """The living interaction of this id.

        Raises:
            UnknownInteraction: it never was, or is over.
        """
        try:
            return self.interactions[interaction]
        except KeyError:
            raise UnknownInteraction(interaction) from None

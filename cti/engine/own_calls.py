"""Own calls: what agents' phones do past the centre, and that nothing is offered to them meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cti.engine.desk import Desk
from cti.engine.devices import Devices
from cti.engine.world import World
from cti.model import device_facts, events, facts, intents
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.device import Device
from cti.model.device_facts import OwnCallBegan
from cti.model.ids import ConnectionId
from cti.model.states import AgentState

OWN: Final = "own call"

LIVE_EVERY_S: Final = 60.0
"""How often is a call of a phone's own asked after? An end that nobody told keeps an agent idle for so long at most."""


class OwnCalls:
    """Follows the calls that phones have past the centre.

    Args:
        world: what is known.
        desk: changes agents.
        devices: knows the phones.
    """

    def __init__(self, world: World, desk: Desk, devices: Devices) -> None:
        self._world = world
        self._desk = desk
        self._devices = devices
        devices.forgotten = self._forgotten
        self.table: dict[type, Callable[[Any], None]] = {
            device_facts.OwnCallBegan: self._began,
            device_facts.OwnCallAnswered: self._answered,
            device_facts.OwnCallEnded: lambda fact: self.gone(fact.connection),
        }

    def gone(self, connection: ConnectionId) -> None:
        """A call has ended; nothing if it was no phone's own."""
        where = self._world.own_calls.pop(connection, None)
        if where is None:
            return
        self._world.timers.cancel(OWN, connection)
        switch, name = where
        for device in self._devices.meant(name, switch):
            own = device.calls.pop(connection, None)
            if own is not None:
                for agent in self._agents(device):
                    self._tell(agent, own, "ended", Cause.NORMAL_CLEARING)
                    self._desk.unblock(agent, Cause.NORMAL_CLEARING)

    def look(self, fact: facts.TimerFired) -> None:
        """Ask whether a call lives: its end may have been lost."""
        connection = ConnectionId(fact.key)
        if connection in self._world.own_calls:
            self._world.emit(intents.CheckConnection(self._world.own_calls[connection][0], connection))
            self._world.timers.start(OWN, connection, LIVE_EVERY_S)

    def _began(self, fact: OwnCallBegan) -> None:
        if self._world.has_ended(fact.connection) or fact.connection in self._world.standing_legs:
            return
        for device in self._devices.meant(fact.device, fact.switch):
            if fact.connection in device.calls:
                continue
            device.calls[fact.connection] = fact
            self._world.own_calls[fact.connection] = (fact.switch, fact.device)
            self._world.timers.start(OWN, fact.connection, LIVE_EVERY_S)
            for agent in self._agents(device):
                self._tell(agent, fact, "talking" if fact.established else "ringing", Cause.NEW_CALL)
                # While both ring it is the agent's choice which to answer: whoever only is called loses no offer by it.
                if agent.state is AgentState.READY or fact.established or not fact.incoming:
                    self._in_use(agent)

    def _answered(self, fact: device_facts.OwnCallAnswered) -> None:
        for device in self._devices.meant(fact.device, fact.switch):
            own = device.calls.get(fact.connection)
            if own is not None:
                for agent in self._agents(device):
                    self._tell(agent, own, "talking", Cause.NORMAL)
                    self._in_use(agent)

    def _in_use(self, agent: Agent) -> None:
        if agent.settings.own_calls == "not ready":
            self._desk.block(agent, Cause.BUSY)

    def seen(self, fact: facts.SnapshotTaken) -> None:
        """A snapshot: what is not in it has ended, what is new in it has begun."""
        alive = {call.connection for call in fact.own_calls}
        known = [each for each, (switch, _) in self._world.own_calls.items() if switch == fact.switch]
        for connection in known:
            if connection not in alive:
                self.gone(connection)
        for call in fact.own_calls:
            self._began(call)

    def _forgotten(self, device: Device) -> None:
        """Nobody is at the phone any more: what it does is nobody's business."""
        for connection in device.calls:
            self._world.own_calls.pop(connection, None)
            self._world.timers.cancel(OWN, connection)

    def _agents(self, device: Device) -> list[Agent]:
        return [self._world.agents[each] for each in sorted(device.agents)]

    def _tell(self, agent: Agent, own: OwnCallBegan, phase: str, cause: Cause) -> None:
        self._world.notify(
            events.OwnCall(
                device=own.device,
                at=self._world.now,
                cause=cause,
                switch=own.switch,
                agent=agent.id,
                connection=own.connection,
                incoming=own.incoming,
                number=own.number,
                phase=phase,
            )
        )

"""Devices: agents' phones that register, and what it means for an agent that theirs is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cti.engine.desk import Desk
from cti.engine.world import World
from cti.model import device_facts, events, facts, intents, reason
from cti.model.agent import NOWHERE, Agent, phone_key
from cti.model.cause import Cause
from cti.model.device import Device, device_of
from cti.model.ids import DeviceId, SwitchId
from cti.model.states import DeviceState, DeviceTrigger, LinkState

DEVICE: Final = "device"

AGAIN_S: Final = 60.0
"""How often is a phone looked for that stays out of service? Its registration is an event; this is for one that is lost."""


class Devices:
    """Follows the phones of those who are logged on.

    Args:
        world: what is known.
        desk: changes agents.
    """

    def __init__(self, world: World, desk: Desk) -> None:
        self._world = world
        self._desk = desk
        self.forgotten: Callable[[Device], None] = lambda _: None
        """Set by the engine: nobody is at a phone any more."""
        self.back: Callable[[Agent], None] = lambda _: None
        """Set by the engine: an agent's phone can be reached."""

    # -- who is at which phone ------------------------------------------------------------------------------------

    def logged_on(self, agent: Agent) -> None:
        """An agent is at a phone from now on."""
        name = device_of(agent.phone)
        if name is None:
            return
        made = Device(name, agent.home, since=self._world.now)
        device = self._world.devices.setdefault(made.key, made)
        device.agents.add(agent.id)
        for switch in self._switches(device):
            self._world.emit(intents.WatchDevice(switch, name))

    def logged_off(self, agent: Agent) -> None:
        """An agent has left their phone."""
        device = self._world.device_of(agent)
        if device is None:
            return
        device.agents.discard(agent.id)
        if not device.agents:
            del self._world.devices[device.key]
            self._world.timers.cancel(DEVICE, device.key)
            self.forgotten(device)
            for switch in self._switches(device):
                if not self.meant(device.id, switch):
                    self._world.emit(intents.UnwatchDevice(switch, device.id))

    def link_up(self, switch: SwitchId) -> None:
        """A switch can be asked again: about every phone that may be at it and that somebody is logged on at."""
        names = {device.id for device in self._world.devices.values() if device.home in (NOWHERE, switch)}
        for name in sorted(names):
            self._world.emit(intents.WatchDevice(switch, name))

    def stops(self, agent: Agent) -> str:
        """Why an agent cannot be ready, as far as their phone goes; empty when they can."""
        device = self._world.device_of(agent)
        down = device is not None and device.state is DeviceState.OUT_OF_SERVICE
        if (down and not agent.settings.mobile and self._world.line_of(agent) is None) or not self._world.reachable(
            agent
        ):
            return reason.PHONE_DOWN
        in_use = device is not None and device.calls and agent.settings.own_calls == "not ready"
        return reason.NON_ACD_CALL if in_use else ""

    # -- what becomes of a phone ----------------------------------------------------------------------------------

    def in_service(self, fact: device_facts.DeviceInService) -> None:
        """A switch reaches a phone."""
        for device in self.meant(fact.device, fact.switch):
            if fact.registered:
                device.registered_at = fact.switch
        self._move(fact.device, fact.switch, DeviceTrigger.BACK_IN_SERVICE, Cause.NORMAL)

    def out_of_service(self, fact: device_facts.DeviceOutOfService) -> None:
        """A phone is not registered at a switch."""
        self._move(fact.device, fact.switch, DeviceTrigger.OUT_OF_SERVICE, Cause.DEST_OUT_OF_ORDER)

    def look(self, fact: facts.TimerFired) -> None:
        """A phone has been out of service for a while: look whether it still is."""
        device = self._world.devices.get(fact.key)
        if device is None or device.state is not DeviceState.OUT_OF_SERVICE:
            return
        for switch in self._switches(device):
            self._world.emit(intents.WatchDevice(switch, device.id))
        self._world.timers.start(DEVICE, device.key, AGAIN_S)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _move(self, name: DeviceId, switch: SwitchId, trigger: DeviceTrigger, cause: Cause) -> None:
        for device in self.meant(name, switch):
            unheard = device.state is DeviceState.UNKNOWN
            if device.move(switch, trigger, self._world.now):
                # What has not been away cannot be back.
                self._moved(device, switch, cause, tell=not unheard or device.state is DeviceState.OUT_OF_SERVICE)
            elif device.home == NOWHERE:  # it may be at another switch than before, which takes calls or does not
                for each in [self._world.agents[agent] for agent in sorted(device.agents)]:
                    self._desk.look_at(each, cause)

    def _moved(self, device: Device, switch: SwitchId, cause: Cause, *, tell: bool) -> None:
        world = self._world
        down = device.state is DeviceState.OUT_OF_SERVICE
        kind = events.OutOfService if down else events.BackInService
        agents = [world.agents[each] for each in sorted(device.agents)]
        if down:
            world.timers.start(DEVICE, device.key, min(each.settings.phone_down_delay_s for each in agents))
        else:
            world.timers.cancel(DEVICE, device.key)
        for each in agents:
            if tell:
                world.notify(kind(device=device.id, at=world.now, cause=cause, switch=switch, agent=each.id))
            if down and self.stops(each):
                self._desk.block(each, cause)
            else:
                self._desk.unblock(each, cause)
                self.back(each)

    def meant(self, name: DeviceId, switch: SwitchId) -> list[Device]:
        """The phones that a switch means by a name: the one that is at it, and the one that may be anywhere."""
        keys = (phone_key(name, switch), phone_key(name, NOWHERE))
        return [self._world.devices[key] for key in keys if key in self._world.devices]

    def _switches(self, device: Device) -> list[SwitchId]:
        """The switches that can be asked about a phone."""
        return sorted(
            switch
            for switch, state in self._world.links.items()
            if state in (LinkState.SNAPSHOTTING, LinkState.LIVE) and device.home in (NOWHERE, switch)
        )

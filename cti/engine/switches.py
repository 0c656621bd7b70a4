"""Switches: which there are, which of them are drained, and what becomes of calls when one is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cti.engine.calls import Calls
from cti.engine.desk import Desk
from cti.engine.offers import Offers
from cti.engine.talk import Talk
from cti.engine.ties import Ties
from cti.engine.world import World
from cti.errors import ConfigurationError, UnknownSwitch
from cti.model import events, facts, services
from cti.model.agent import AgentSettings
from cti.model.cause import Cause
from cti.model.connection import Connection
from cti.model.ids import ConnectionId, InteractionId, SwitchId
from cti.model.states import AgentState, LinkState

LOST = "lost"
_LOST = "SWITCH_LOST"
"""The switch cause of an end that we made up, since nothing has been heard of the switch for too long."""

STATUS = {
    LinkState.DOWN: "disabled",
    LinkState.CONNECTING: "initializing",
    LinkState.SNAPSHOTTING: "messagesLost",
    LinkState.LIVE: "normal",
}


class Switches:
    """Knows the centre's switches, beside the state of their links.

    Args:
        world: what is known.
        desk: changes agents.
        calls: follows calls and their legs.
        offers: makes and ends reservations.
        talk: what agents do with the calls they have.
        ties: the channels between switches.
    """

    def __init__(  # noqa: PLR0917 - the parts it is made of
        self, world: World, desk: Desk, calls: Calls, offers: Offers, talk: Talk, ties: Ties
    ) -> None:
        self._world = world
        self._desk = desk
        self._calls = calls
        self._offers = offers
        self._talk = talk
        self._ties = ties
        self.given_up: dict[SwitchId, list[InteractionId]] = {}
        """The calls that ended with a switch that may still have them: should it come back, these are new ones."""
        self.supervisor_gone: Callable[[ConnectionId, Cause], None] = lambda _leg, _cause: None
        """Set by the engine: the leg of somebody who listens in has ended."""
        self.place_callbacks: Callable[[], object] = lambda: None
        """Set by the engine: callbacks go to a switch that takes calls, and into their places there."""
        self.table: dict[type, Callable[[Any], None]] = {
            facts.SwitchDefined: self._define,
            facts.SwitchRemoved: self._remove,
            services.DrainRequested: self._drain,
            facts.Tied: ties.tied,
        }

    # -- what there is --------------------------------------------------------------------------------------------

    def _define(self, fact: facts.SwitchDefined) -> None:
        world, settings = self._world, fact.settings
        known = {**world.switches, settings.id: settings}
        for agent in world.agents.values():
            _check_reach(agent.settings, known)
        world.switches[settings.id] = settings

    def check(self, settings: AgentSettings) -> None:
        """See that the phone of an agent can be reached from every switch.

        Raises:
            UnknownSwitch: it is at one that is not there.
            ConfigurationError: it is at one that the others have no way to.
        """
        if settings.switch and self._world.switches and settings.switch not in self._world.switches:
            raise UnknownSwitch(settings.switch, self._world.switches)
        _check_reach(settings, self._world.switches)

    def _remove(self, fact: facts.SwitchRemoved) -> None:
        world = self._world
        self._world.switches.pop(fact.switch, None)
        world.draining.pop(fact.switch, None)
        self._world.timers.cancel(LOST, fact.switch)
        self._end_all(fact.switch)
        world.links.pop(fact.switch, None)
        world.trunks.pop(fact.switch, None)
        for device in world.devices.values():
            device.states.pop(fact.switch, None)
        world.lost.discard(fact.switch)
        self.given_up.pop(fact.switch, None)

    # -- drained --------------------------------------------------------------------------------------------------

    def _drain(self, fact: services.DrainRequested) -> None:
        world, switch = self._world, fact.switch
        if switch not in world.switches:
            raise UnknownSwitch(switch, world.switches)
        if fact.drain == (switch in world.draining):
            return
        if fact.drain:
            world.draining[switch] = False
            self._tell(switch, "draining")
        else:
            del world.draining[switch]
            self._tell(switch, "")
        self.place_callbacks()  # before agents are ready again, who would take a younger call
        self._desk.look_at_phones(switch, Cause.FORCED_TRANSITION)
        self._look(switch)

    def leg_gone(self, leg: Connection) -> None:
        """A leg has ended, and with it perhaps all that there was on a switch that is drained."""
        if leg.via is not None:
            self._ties.leg_gone(leg.id)
        for switch in (leg.switch, leg.via):
            if switch is not None and switch in self._world.draining:
                self._look(switch)

    def supervisor_left(self, leg: ConnectionId, switch: SwitchId) -> None:
        """The same of the leg of somebody who listened in."""
        self._ties.leg_gone(leg)
        self._look(switch)

    def _look(self, switch: SwitchId) -> None:
        if self._world.draining.get(switch) is False and not self._world.in_use(switch):
            self._world.draining[switch] = True
            self._tell(switch, "drained")

    def _tell(self, switch: SwitchId, detail: str) -> None:
        status = STATUS[self._world.links.get(switch, LinkState.DOWN)]
        self._world.notify(events.SystemStatus(switch=switch, at=self._world.now, status=status, detail=detail))

    # -- lost -----------------------------------------------------------------------------------------------------

    def link_down(self, switch: SwitchId) -> None:
        """The link is lost: calls of other switches go to no agent there any more, and for how long is counted."""
        world = self._world
        settings = world.switches.get(switch)
        if settings is not None and settings.lost_after_s is not None and not world.timers.running(LOST, switch):
            world.timers.start(LOST, switch, settings.lost_after_s)
        self._desk.look_at_phones(switch, Cause.NETWORK_OUT_OF_ORDER)
        for agent in list(world.agents.values()):
            made = world.reservations.get(agent.reservation) if agent.reservation is not None else None
            leg = world.connections.get(made.leg) if made is not None else None
            if leg is not None and leg.via == switch and agent.state in (AgentState.RESERVED, AgentState.ALERTING):
                self._offers.withdraw(agent, Cause.NETWORK_OUT_OF_ORDER)

    def link_up(self, switch: SwitchId) -> frozenset[InteractionId]:
        """The link is live again; returns the calls that had been given up."""
        self._world.timers.cancel(LOST, switch)
        self._world.lost.discard(switch)
        return frozenset(self.given_up.pop(switch, ()))

    def lost(self, switch: SwitchId) -> None:
        """The link has been down for too long: what was on the switch is over for us."""
        world = self._world
        if world.is_live(switch):
            return
        there = [call for call in world.interactions.values() if call.switch == switch and call.connections]
        self.given_up[switch] = sorted(call.id for call in there)
        world.lost.add(switch)
        self._end_all(switch)
        self._tell(switch, f"lost, with {len(self.given_up[switch])} calls")

    def _end_all(self, switch: SwitchId) -> None:
        world = self._world
        cause = Cause.SWITCHING_FUNCTION_TERMINATED
        for leg in [each for each in world.connections.values() if each.switch == switch]:
            self._calls.connection_cleared(leg, cause, _LOST)
        for known in [each for each in world.supervisions.values() if each.switch == switch]:
            self.supervisor_gone(known.leg, cause)
        self._ties.forget(switch)
        self.phones_lost(switch)

    def phones_lost(self, switch: SwitchId) -> None:
        """The phones at a switch have lost their calls: callers on other switches are not to pay for it."""
        for leg in [each for each in self._world.connections.values() if each.via == switch]:
            if not leg.clearing and leg.id in self._world.connections:
                self._talk.phone_lost(leg)


def _check_reach(settings: AgentSettings, switches: Any) -> None:
    if settings.standing and len(switches) > 1:
        raise ConfigurationError(
            f"agent {settings.id!r} has a standing connection (standing), to which only calls of the same switch can be "
            f"put through; this centre has {len(switches)} switches"
        )
    at = switches.get(settings.switch)
    if at is not None and not at.sip and len(switches) > 1:
        raise ConfigurationError(
            f"agent {settings.id!r} is at switch {at.id!r}, which has no SIP address (sip) where the others reach it"
        )

"""The FreeSWITCH servers of a centre: added, connected, drained, looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

import gevent
import gevent.event
import structlog

from cti.call import Call
from cti.centre_settings import address, settings_of
from cti.engine.view import SwitchView, switches_view
from cti.engine_loop import EngineLoop
from cti.errors import ConfigurationError, ConnectFailed, CtiError, UnknownSwitch
from cti.model import events, facts, services
from cti.model.ids import InteractionId, SwitchId
from cti.model.overflow import Overflow
from cti.model.switch import SwitchSettings
from cti.switch import BridgeAt, FreeSwitch
from cti.waiting.waiting import Waiting

_log = structlog.get_logger("cti")


class CentreSwitches:
    """The part of CallCenter that has to do with its switches; see there."""

    _loop: EngineLoop
    _node: str
    _bridge_at: BridgeAt
    _call_of: Callable[[InteractionId], Call | None]

    def _no_switches(self, node: str, bridge_at: BridgeAt) -> None:
        self._node, self._bridge_at = node, bridge_at
        self._switches: dict[SwitchId, FreeSwitch] = {}
        self._waitings: dict[SwitchId, Waiting] = {}
        self._connected = False
        self.failed: gevent.event.AsyncResult[None] = gevent.event.AsyncResult()
        """Ends with the error when the last link has failed for good (a password changed, say)."""

    @property
    def switch(self) -> FreeSwitch:
        """The switch of a centre that has one; the one that was added first, if it has several.

        Raises:
            ConfigurationError: no switch has been added.
        """
        for first in self._switches.values():
            return first
        raise ConfigurationError("the centre has no switch; add one by add_switch(name, address, password)")

    @property
    def switches(self) -> Mapping[str, FreeSwitch]:
        """Every switch by its name."""
        return {str(name): switch for name, switch in self._switches.items()}

    def add_switch(
        self,
        name: str,
        switch: str,
        password: str = "ClueCon",  # noqa: S107 - FreeSWITCH's own default
        *,
        sip: str = "",
        profile: str = "peers",
        drain: Overflow | None = None,
        lost_after_s: float | None = 60.0,
        doorbell: str = "",
    ) -> None:
        """Add one more FreeSWITCH to the centre (docs/switches.md). Blocks while it is connected, if the centre runs.

        Args:
            name: its name, for agents' ``switch``, for events and for ``drain_switch``.
            switch: ``host:port`` of its event socket, as in CallCenter.
            password: its event socket's password.
            sip: ``host:port`` where it takes calls from the other switches for the agents whose phones are at it.
            profile: the SIP profile by which it calls the others.
            drain: where new calls go while it is drained; None refuses them with a cause that lets the network try
                elsewhere.
            lost_after_s: when its link has been down for so many seconds its calls are given up for lost; None waits
                for it to come back.
            doorbell: ``host:port`` where it sends a datagram with each urgent event (docs/switches.md); empty for none.

        Raises:
            ConfigurationError: something cannot be used, the name is taken, or agents at a switch could not be reached
                from another one (it has no ``sip``).
            LinkError: as ``start``, when the centre runs.
        """
        if name in self._switches:
            raise ConfigurationError(f"there is a switch {name!r} already")
        host, port = address(switch)
        made = settings_of(
            SwitchSettings, id=SwitchId(name), sip=sip, profile=profile, drain=drain, lost_after_s=lost_after_s
        )
        self._loop.ask(facts.SwitchDefined(made))
        link = FreeSwitch(
            host,
            port,
            password,
            on_fact=self._loop.submit,
            switch=made.id,
            node=self._node,
            bridge_at=self._bridge_at,
            doorbell=doorbell,
        )
        self._switches[made.id] = link
        waiting = self._waitings[made.id] = Waiting(self._loop, link, self._call_of)
        self._loop.switches[made.id] = waiting
        link.failed.rawlink(self._failed)
        if self._connected:
            link.start()
            waiting.start()

    def drain_switch(self, name: str) -> None:
        """Let a switch take no new calls, and its agents none; those that are there end first.

        New calls go where the switch's ``drain`` says, or are refused so that the network may try elsewhere. Its agents
        are not ready (PHONE_DOWN) from the end of their calls on. SystemStatus tells ``draining`` and ``drained`` in its
        ``detail``. It stays so over a restart of ours.

        Raises:
            UnknownSwitch: there is none of this name; the message names the nearest.
        """
        self._loop.ask(services.DrainRequested(SwitchId(name)))

    def undrain_switch(self, name: str) -> None:
        """Let a switch take calls again; its agents come back by themselves.

        Raises:
            UnknownSwitch: there is none of this name; the message names the nearest.
        """
        self._loop.ask(services.DrainRequested(SwitchId(name), drain=False))

    def switch_views(self) -> tuple[SwitchView, ...]:
        """Every switch as it is now: its link, whether it is drained, its calls and agents."""
        return switches_view(self._loop.engine.world)

    def _switch_of(self, name: SwitchId) -> FreeSwitch:
        try:
            return self._switches[name]
        except KeyError:
            raise UnknownSwitch(name, self._switches) from None

    # -- life -----------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        """Connect to every switch, all at once; those of several that cannot be reached are tried again and again."""
        first = self.switch
        errors: dict[SwitchId, CtiError] = {}

        def start(link: FreeSwitch) -> None:
            try:
                link.start()
            except CtiError as error:
                errors[link.id] = error

        gevent.joinall([gevent.spawn(start, link) for link in self._switches.values()], raise_error=True)
        refused = [error for error in errors.values() if not isinstance(error, ConnectFailed)]
        if refused or len(errors) == len(self._switches):
            for link in self._switches.values():
                link.stop()
            raise refused[0] if refused else errors[first.id]
        for name, error in errors.items():
            _log.error("a switch cannot be reached; it is tried again", switch=name, reason=str(error))
            self._switches[name].keep_trying()
        self._connected = True

    def _disconnect(self) -> None:
        self._connected = False
        for link in self._switches.values():
            link.stop()
        for waiting in self._waitings.values():
            waiting.stop()

    def _forget_switches(self) -> None:
        """Calls of the run before on a switch that is none of ours, or has another name now, are over for us."""
        world = self._loop.engine.world
        for name in sorted((world.links.keys() | world.draining.keys()) - self._loop.switches.keys()):
            self._loop.ask(facts.SwitchRemoved(name))

    def _failed(self, _: object) -> None:
        over = [link.failed for link in self._switches.values()]
        error = over[0].exception
        if error is not None and all(each.ready() for each in over) and not self.failed.ready():
            self.failed.set_exception(error)

    def _hush(self, call: Call) -> None:
        """Let a call hear nothing any more of what its script was saying before we were started again."""
        with suppress(CtiError):
            switch = self._switch_of(self._loop.engine.world.interaction(InteractionId(call.id)).switch)
            if switch.api("uuid_getvar", f"{call.channel} current_application").strip() != "park":
                switch.api("uuid_break", f"{call.channel} all")

    def _attended(self, event: events.Event) -> None:
        """Whoever attends to the waiting callers of the event's switch is told."""
        switch = getattr(event, "switch", None)
        waiting = self._waitings.get(switch) if switch is not None else None
        if waiting is not None:
            waiting.told(event)

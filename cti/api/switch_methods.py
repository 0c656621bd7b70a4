"""Methods about the switches of a centre."""

from __future__ import annotations

from attrs import frozen

from cti.api.service import Service
from cti.api.table import ADMINISTRATOR, NOT_AGENTS, Nothing, method
from cti.engine.view import SwitchView
from cti.errors import UnknownSwitch


@frozen
class Switch:
    """Which switch."""

    switch: str


@frozen
class TrunkRecord:
    """One trunk of a switch: a SIP gateway."""

    trunk: str
    """Its name."""
    state: str
    """in service, out of service, or unknown while the link to its switch is not live."""
    detail: str
    """Why it is out of service, in the switch's words."""
    for_s: float
    """For how long it has been so."""


@frozen
class SwitchRecord:
    """One switch as it is now."""

    switch: str
    link: str
    """down, connecting, snapshotting or live."""
    draining: bool
    """Whether it takes no new calls."""
    drained: bool
    """Whether, besides, none is left on it."""
    lost: bool
    """Whether its link has been down for so long that its calls were given up."""
    sip: str
    """Where the other switches reach its agents; empty where they do not."""
    calls: int
    agents: int
    """Logged-on agents whose phones are at it."""
    trunks: tuple[TrunkRecord, ...]
    """By name."""


@frozen
class SwitchList:
    """Every switch."""

    switches: tuple[SwitchRecord, ...]


@method("switch.list", Nothing, SwitchList, roles=NOT_AGENTS, cost=5)
def list_switches(service: Service, params: Nothing) -> SwitchList:  # noqa: ARG001 - the form of every method
    """Every switch as it is now: its link, whether it is drained, its calls and agents, its trunks (SIP gateways)."""
    return SwitchList(tuple(_record(each) for each in service.centre.switch_views()))


@method("switch.drain", Switch, None, UnknownSwitch, roles=ADMINISTRATOR, changes=True)
def drain(service: Service, params: Switch) -> None:
    """Let a switch take no new calls, and its agents none; those that are there end first."""
    service.centre.drain_switch(params.switch)


@method("switch.undrain", Switch, None, UnknownSwitch, roles=ADMINISTRATOR, changes=True)
def undrain(service: Service, params: Switch) -> None:
    """Let a switch take calls again; its agents come back by themselves."""
    service.centre.undrain_switch(params.switch)


def _record(view: SwitchView) -> SwitchRecord:
    return SwitchRecord(
        switch=view.id,
        link=view.link.value,
        draining=view.draining,
        drained=view.drained,
        lost=view.lost,
        sip=view.sip,
        calls=view.calls,
        agents=view.agents,
        trunks=tuple(
            TrunkRecord(trunk=each.id, state=each.state.value, detail=each.detail, for_s=each.for_s)
            for each in view.trunks
        ),
    )

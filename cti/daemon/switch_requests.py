"""What ``cti switches`` asks the daemon for, over the control socket."""

from __future__ import annotations

from collections.abc import Callable

from cti.center import CallCenter
from cti.engine.view import SwitchView, TrunkView


def switch_requests(centre: CallCenter) -> dict[str, Callable[[str], list[str]]]:
    """The requests by name; what each is given is a switch's name, or nothing."""

    def listed(_: str) -> list[str]:
        return [line for view in centre.switch_views() for line in (_said(view), *map(_trunk_said, view.trunks))]

    def drain(name: str) -> list[str]:
        centre.drain_switch(name)
        return listed("")

    def undrain(name: str) -> list[str]:
        centre.undrain_switch(name)
        return listed("")

    return {"switches": listed, "drain": drain, "undrain": undrain}


def _said(view: SwitchView) -> str:
    states = [view.link.value]
    if view.draining:
        states.append("drained" if view.drained else "draining")
    if view.lost:
        states.append("given up for lost")
    return f"{view.id}: {', '.join(states)}; {view.calls} calls, {view.agents} agents"


def _trunk_said(trunk: TrunkView) -> str:
    return f"  gateway {trunk.id}: {trunk.state.value}{f' ({trunk.detail})' if trunk.detail else ''}"

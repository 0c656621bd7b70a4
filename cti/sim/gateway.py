"""SIP gateways of the simulated switch: what mod_sofia says of them, and whether calls through them are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import define, field

from cti.sim.event import SimEvent, json_members, members_after

if TYPE_CHECKING:
    from cti.sim.event_bus import Origin
    from cti.sim.switch import SimulatedSwitch

_STATE: Final[Origin] = ("sofia_reg.c", "sofia_reg_fire_custom_gateway_state_event", "171")
_ADD: Final[Origin] = ("sofia_reg.c", "sofia_reg_add_gateway", "3726")
_DELETE: Final[Origin] = ("sofia_reg.c", "sofia_reg_check_gateway", "346")


@define(eq=False)
class Gateway:
    """One gateway: one that registers (``REGED``, ``FAIL_WAIT``), or one that is pinged (``NOREG``)."""

    switch: SimulatedSwitch = field(repr=False)
    name: str
    registers: bool = True
    up: bool = True
    state: str = "REGED"

    def fail(self, status: int = 503, phrase: str = "Service Unavailable") -> None:
        """The far end refuses, or says nothing: its registration fails, or a ping does."""
        if self.registers:
            # FAILED while the status is UP still; a second later FAIL_WAIT, and DOWN (sofia_reg_check_gateway).
            self.state = "FAILED"
            self._say(status, phrase)
            self.up, self.state = False, "FAIL_WAIT"
            self._say()
        else:
            self.up = False
            self._say(status, phrase)

    def recover(self) -> None:
        """It is there again."""
        if self.registers:
            for self.state in ("UNREGED", "TRYING", "REGISTER"):
                self._say(200 if self.state == "REGISTER" else 0, "OK" if self.state == "REGISTER" else "")
            self.up, self.state = True, "REGED"
            self._say()
        else:
            self.up = True
            self._say(200, "OK")

    def renew(self) -> None:
        """Its registration is renewed, and holds meanwhile."""
        for self.state in ("UNREGED", "TRYING", "REGISTER", "REGED"):
            self._say()

    def _say(self, status: int = 0, phrase: str = "") -> None:
        headers = {"Gateway": self.name, "State": self.state, "Ping-Status": "UP" if self.up else "DOWN"}
        if phrase:
            headers["Phrase"] = phrase
        if status:
            headers["Status"] = str(status)
        _fire(self.switch, "sofia::gateway_state", _STATE, headers)


class Gateways:
    """The gateways of a switch, by name."""

    def __init__(self, switch: SimulatedSwitch) -> None:
        self._switch = switch
        self._by_name: dict[str, Gateway] = {}

    def __getitem__(self, name: str) -> Gateway:
        """The gateway of this name."""
        return self._by_name[name]

    def add(self, name: str, *, registers: bool = True, up: bool = True) -> Gateway:
        """A gateway is configured; mod_sofia says that it has been added."""
        state = "NOREG" if not registers else "REGED" if up else "FAIL_WAIT"
        made = self._by_name[name] = Gateway(self._switch, name, registers, up, state)
        _fire(self._switch, "sofia::gateway_add", _ADD, {"Gateway": name, "profile-name": "callers"})
        return made

    def remove(self, name: str) -> None:
        """A gateway is none any more (``sofia profile ... killgw``)."""
        del self._by_name[name]
        _fire(self._switch, "sofia::gateway_delete", _DELETE, {"profile-name": "callers", "Gateway": name})

    def refuses(self, target: str) -> str:
        """The cause for which a dial string comes to nothing before an INVITE leaves; empty if none is known here."""
        parts = target.split("/", 3)
        known = self._by_name.get(parts[2]) if parts[:2] == ["sofia", "gateway"] and len(parts) == 4 else None
        return "GATEWAY_DOWN" if known is not None and not known.up else ""

    def xmlstatus(self) -> str:
        """What ``sofia xmlstatus gateway`` answers, without what nobody reads."""
        rows = "".join(
            f"  <gateway>\n    <name>{each.name}</name>\n    <profile>callers</profile>\n    <scheme>Digest</scheme>\n"
            f"    <state>{each.state}</state>\n    <status>{'UP' if each.up else 'DOWN'}</status>\n"
            "    <calls-in>0</calls-in>\n    <calls-out>0</calls-out>\n  </gateway>\n"
            for each in self._by_name.values()
        )
        return f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<gateways>\n{rows}</gateways>\n'


def _fire(switch: SimulatedSwitch, subclass: str, origin: Origin, headers: dict[str, str]) -> None:
    if not switch.bus.wanted("CUSTOM"):
        switch.bus.skip()
        return
    members = json_members({"Event-Subclass": subclass})
    members = f"{members},{switch.bus.envelope('CUSTOM', origin)}{members_after(dict(headers))}"
    switch.bus.fire(SimEvent("CUSTOM", members, None, subclass))

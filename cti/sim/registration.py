"""Registrations of the simulated switch: what mod_sofia says and answers of phones that register, as recorded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cti.sim.event import SimEvent, json_members, members_after

if TYPE_CHECKING:
    from cti.sim.event_bus import Origin
    from cti.sim.phone import Phone
    from cti.sim.switch import SimulatedSwitch

_REGISTER: Origin = ("sofia_reg.c", "sofia_reg_handle_register_token", "2059")
_UNREGISTER: Origin = ("sofia_reg.c", "sofia_reg_handle_register_token", "2213")
_EXPIRE: Origin = ("sofia_reg.c", "sofia_reg_del_callback", "726")
# What freeswitch-conf/directory/agents.xml gives every user.
_DIAL_STRING = "{^^:sip_invite_domain=${dialed_domain}}${sofia_contact(agents/${dialed_user}@${dialed_domain})}"
_CONTACT_API = re.compile(r"\$\{sofia_contact\(([^()]*)\)\}")
_EXPIRES_S = 600


def named(switch: SimulatedSwitch, user: str) -> Phone | None:
    """The phone of a user, with its domain or, in the switch's own, without; None when there is none."""
    found = switch.phones.find(f"user/{user}")
    name, _, domain = user.partition("@")
    if found is None and domain == switch.globals["domain"]:
        found = switch.phones.find(f"user/{name}")
    elif found is None and not domain:
        found = switch.phones.find(f"user/{name}@{switch.globals['domain']}")
    return found


def set_registered(phone: Phone, registered: bool, *, expired: bool = False) -> None:
    """A phone registers, leaves, or is not heard of again; mod_sofia says so."""
    phone.registered = registered
    if not phone.user:
        return
    switch = phone.switch
    user, _, domain = phone.user.partition("@")
    domain = domain or switch.globals["domain"]
    address = phone.contact.rpartition("/")[2]
    contact = f'"" <sip:{address}>'
    if expired:
        subclass, origin = "sofia::expire", _EXPIRE
        headers = {"profile-name": "agents", "call-id": f"1-{user}@127.0.0.1", "user": user, "username": user}
        headers |= {"host": domain, "contact": contact, "expires": str(switch.now_us() // 1_000_000)}
        headers |= {"user-agent": "unknown", "realm": domain, "network-ip": "127.0.0.1", "network-port": "5990"}
    else:
        subclass, origin = ("sofia::register", _REGISTER) if registered else ("sofia::unregister", _UNREGISTER)
        headers = {"profile-name": "agents", "from-user": user, "from-host": domain, "contact": contact}
        headers |= {"call-id": f"1-{user}@127.0.0.1", "rpid": "unknown", "username": user, "realm": domain}
        headers |= {"expires": str(_EXPIRES_S if registered else 0), "user-agent": "unknown"}
        headers |= {"network-ip": "127.0.0.1", "network-port": "5990"}
        if registered:
            headers |= {"status": "Registered(UDP)", "to-user": user, "to-host": domain}
    if not switch.bus.wanted("CUSTOM"):
        switch.bus.skip()
        return
    members = json_members({"Event-Subclass": subclass})
    members = f"{members},{switch.bus.envelope('CUSTOM', origin)}{members_after(headers)}"
    switch.bus.fire(SimEvent("CUSTOM", members, None, subclass))


def sofia_contact(switch: SimulatedSwitch, text: str) -> str:
    """Carries out ``sofia_contact``."""
    phone = named(switch, text.rpartition("/")[2])
    if phone is None or not phone.registered:
        return "error/user_not_registered"
    _, profile, address = phone.contact.split("/", 2)
    return f"sofia/{profile}/sip:{address}"


def user_data(switch: SimulatedSwitch, text: str) -> str:
    """Carries out ``user_data USER param dial-string``; nothing else is in the simulated directory."""
    words = text.split()
    known = len(words) == 3 and words[1:] == ["param", "dial-string"] and named(switch, words[0]) is not None
    return _DIAL_STRING if known else ""


def expand(switch: SimulatedSwitch, text: str) -> str:
    """Carries out ``expand echo TEXT``: of the functions that a text may hold, ``sofia_contact`` alone is known."""
    command, _, argument = text.partition(" ")
    if command != "echo":
        return "INVALID COMMAND!\n-ERR Cannot execute command\n"
    return _CONTACT_API.sub(lambda found: sofia_contact(switch, found.group(1)), argument)


def profile(switch: SimulatedSwitch, text: str) -> str:
    """Carries out ``sofia profile NAME flush_inbound_reg USER``: a registration is forgotten."""
    words = text.split()
    phone = named(switch, words[2]) if len(words) == 3 and words[1] == "flush_inbound_reg" else None
    if phone is not None and phone.registered:
        switch.scheduler.call_later(0.1, phone.expire)
    return "+OK flushing all registrations matching specified call_id\n"

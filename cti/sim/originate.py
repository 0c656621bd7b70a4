"""``originate``: from a dial string to an answered leg, or to the cause why there is none (``switch_ivr_originate.c``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cti.sim import sofia_variables
from cti.sim.application import begin
from cti.sim.arguments import bracketed, separate
from cti.sim.cause import CAUSES
from cti.sim.channel import CREATE, Channel
from cti.sim.phone import Phone
from cti.sim.profile import CallerProfile
from cti.sim.registration import named

if TYPE_CHECKING:
    from cti.sim.event_bus import Origin
    from cti.sim.phone import Line
    from cti.sim.scheduler import Handle
    from cti.sim.switch import SimulatedSwitch

USAGE = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] "
    "[<timeout_sec>]\n"
)
_OUTGOING: Origin = ("switch_core_session.c", "switch_core_session_outgoing_channel", "768")
_ORIGINATE: Origin = ("switch_core_state_machine.c", "switch_core_session_run", "632")
_FLIP: Origin = ("switch_channel.c", "switch_channel_flip_cid", "3279")

_OUTBOUND = CallerProfile(
    {
        "Direction": "outbound",
        "Logical-Direction": "outbound",
        "Source": "src/switch_ivr_originate.c",
        "Context": "default",
        "Profile-Index": "1",
    }
)
_DEFAULT_TIMEOUT_S = 60
_PROFILES = ("agents", "callers", "peers")

Done = Callable[[str], None]


def originate(switch: SimulatedSwitch, text: str, done: Done) -> None:
    """Carries out ``originate TEXT``; ``done`` is called once, with ``+OK <uuid>`` or ``-ERR <cause>``."""
    words = separate(text, " ", 10)
    if not 2 <= len(words) <= 7:
        done(USAGE)
        return
    outer = bracketed(words[0], "<", ">")
    inner = bracketed(outer[1], "{", "}") if outer is not None else None
    if outer is None or inner is None:
        done("-ERR DESTINATION_OUT_OF_ORDER\n")
        return
    variables, url = {**outer[0], **inner[0]}, inner[1]
    timeout = variables.get("originate_timeout") or (words[6] if len(words) > 6 else "")
    timeout_s = int(timeout) if timeout.isdigit() else _DEFAULT_TIMEOUT_S
    name, number = [*words[4:6], "", ""][:2]
    if name:
        variables.setdefault("origination_caller_id_name", name)
    if number:
        variables.setdefault("origination_caller_id_number", number)
    Origination(switch, variables, words[1:4], timeout_s, done).dial(url)


class Origination:
    """One originate command in progress: its legs, tried in groups, and the first of them to answer."""

    def __init__(
        self, switch: SimulatedSwitch, variables: dict[str, str], extension: list[str], timeout_s: int, done: Done
    ) -> None:
        self._switch = switch
        self._variables = variables
        self._extension = extension
        self._timeout_s = timeout_s
        self._done: Done | None = done
        self._groups: list[str] = []
        self._legs: list[Channel] = []
        self._through_user: set[Channel] = set()
        self._timer: Handle | None = None

    def dial(self, url: str) -> None:
        """Tries the groups of ``a,b|c``: those with a comma between them at once, those after a bar when all failed."""
        self._groups = [group for group in url.split("|") if group]
        self._timer = self._switch.scheduler.call_later(
            self._switch.whole_seconds(self._timeout_s), self._timed_out, "NO_ANSWER"
        )
        self._next_group("DESTINATION_OUT_OF_ORDER")

    def answered(self, leg: Channel) -> None:
        """A leg's phone has answered; the command's thread sees it a moment later."""
        wait_s: float | None = self._switch.answer_s()
        if leg.variable("group_confirm_key") and wait_s is not None:
            confirms_s = leg.far.behaviour.confirms_s if isinstance(leg.far, Phone) else None
            wait_s = wait_s + confirms_s if confirms_s is not None else None
        if wait_s is not None:
            self._switch.scheduler.call_later(wait_s, self._won, leg)

    def leg_ended(self, leg: Channel) -> None:
        """A leg has ended before it won."""
        leg.origination = None
        if leg in self._legs:
            self._legs.remove(leg)
        if not self._legs and self._done is not None:
            self._next_group(leg.hangup_cause)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _next_group(self, cause: str) -> None:
        while self._groups and not self._legs:
            for leg_text in _legs_of(self._groups.pop(0)):
                cause = self._dial_leg(leg_text) or cause
        if not self._legs:
            self._finish(f"-ERR {cause}\n")

    def _finish(self, answer: str) -> None:
        done, self._done = self._done, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if done is not None:
            done(answer)

    def _timed_out(self, cause: str) -> None:
        self._timer = None
        legs, self._legs = self._legs, []
        for leg in legs:
            leg.origination = None
            leg.hangup(cause, delay_s=1e-6)
        self._finish(f"-ERR {cause}\n")

    def _dial_leg(self, text: str) -> str:
        """Makes one leg; returns the cause when there will be none."""
        own = bracketed(text, "[", "]")
        if own is None:
            return "DESTINATION_OUT_OF_ORDER"
        variables = {**self._variables, **own[0]}
        target = own[1]
        endpoint, _, rest = target.partition("/")
        if endpoint == "error":
            return rest.upper() if rest.upper() in CAUSES else "NORMAL_CLEARING"
        if refused := self._switch.gateways.refuses(target):
            return refused
        user = endpoint == "user"
        phone = named(self._switch, rest) if user else self._switch.phones.at(target)
        if phone is None and user:
            return "SUBSCRIBER_ABSENT"
        if phone is None and endpoint != "sofia":
            return "CHAN_NOT_IMPLEMENTED"
        if phone is None and rest.partition("/")[0] not in _PROFILES:
            return "INVALID_PROFILE"
        if phone is not None and user and not phone.registered:
            return "USER_NOT_REGISTERED"
        uuid = variables.get("origination_uuid") or self._switch.new_uuid()
        if uuid in self._switch.channels:
            return "DESTINATION_OUT_OF_ORDER"
        self._make_leg(uuid, target, variables, phone, user=user)
        return ""

    def _make_leg(self, uuid: str, target: str, variables: dict[str, str], phone: Line | None, *, user: bool) -> None:
        switch = self._switch
        name = phone.contact if phone is not None else target
        _, _, rest = name.partition("/")
        sip_profile, _, address = rest.partition("/")
        dialed, _, domain = target.partition("/")[2].partition("@") if user else (address.partition("@")[0], "", "")
        domain = domain or self._switch.globals["domain"]
        caller_name = variables.get("origination_caller_id_name", "")
        caller_number = variables.get("origination_caller_id_number", "0000000000")
        now_us = str(switch.now_us())
        profile = _OUTBOUND.with_fields(
            {
                "Caller-ID-Name": caller_name,
                "Caller-ID-Number": caller_number,
                "Orig-Caller-ID-Name": caller_name,
                "Orig-Caller-ID-Number": caller_number,
                "Callee-ID-Name": variables.get("origination_callee_id_name", "Outbound Call"),
                "Callee-ID-Number": variables.get("origination_callee_id_number", dialed),
                "ANI": caller_number,
                "Destination-Number": dialed,
                "Unique-ID": uuid,
                "Channel-Name": name,
                "Profile-Created-Time": now_us,
                "Channel-Created-Time": now_us,
            }
        )
        leg = Channel(switch, uuid, profile, phone or switch.phones.nobody, name)
        leg.session_id = switch.next_session_id()
        leg.variables = sofia_variables.outbound(uuid, leg.session_id, name, sip_profile, address)
        for key, value in variables.items():
            leg.set_variable(key, leg.expand(value) if "${" in value else value)
        if user:
            self._through_user.add(leg)
            leg.presence_id = f"{dialed}@{domain}"
            for key, value in (("dialed_user", dialed), ("dialed_domain", domain), ("sip_invite_domain", domain)):
                leg.set_variable(key, value)
            leg.set_variable("presence_id", leg.presence_id)
        leg.set_variable("originate_early_media", "false" if variables.get("ignore_early_media") == "true" else "true")
        leg.set_variable("originate_endpoint", "sofia")
        leg.origination = self
        self._legs.append(leg)
        switch.channel_made(leg)
        presence, leg.presence_id = leg.presence_id, ""
        leg.state, leg.state_number = "CS_NONE", "1"
        leg.fire("CHANNEL_OUTGOING", _OUTGOING, variables=False)
        leg.presence_id = presence
        leg.state, leg.state_number = "CS_INIT", "2"
        leg.fire("CHANNEL_CREATE", CREATE)
        leg.fire("CHANNEL_ORIGINATE", _ORIGINATE)
        (phone or switch.phones.nobody).invited(leg)

    def _won(self, leg: Channel) -> None:
        if not leg.up or leg.origination is not self or self._done is None:
            return
        leg.origination = None
        for other in self._legs:
            if other is not leg:
                other.origination = None
                other.hangup("LOSE_RACE", delay_s=1e-6)
        self._legs = []
        if leg in self._through_user:
            leg.fire("CHANNEL_OUTGOING", _OUTGOING, variables=False)
            leg.set_variable("originate_endpoint", "user")
        flip_caller_id(leg)
        self._finish(f"+OK {leg.uuid}\n")
        if leg.up:
            self._execute(leg)

    def _execute(self, leg: Channel) -> None:
        target = self._extension[0]
        if target.startswith("&") and len(target) > 1:
            application, _, data = target[1:].partition(")")[0].partition("(")
            leg.enter("CS_EXECUTE")
            leg.actions.clear()
            begin(leg, application, data, dialplan=True)
        else:
            self._switch.transfer(leg, self._extension)


def _legs_of(group: str) -> list[str]:
    """The legs of a group; a comma inside ``[...]`` belongs to the leg."""
    if "[" not in group:
        return [leg for leg in group.split(",") if leg]
    legs: list[str] = []
    depth = start = 0
    for at, char in enumerate(group):
        if char == "[":
            depth += 1
        elif char == "]":
            depth -= 1
        elif char == "," and depth == 0:
            legs.append(group[start:at])
            start = at + 1
    legs.append(group[start:])
    return [leg for leg in legs if leg]


def flip_caller_id(leg: Channel) -> None:
    """The leg will execute a dialplan: from there on the phone is the caller (``switch_channel_flip_cid``)."""
    fields = leg.profile.fields
    caller_name, caller_number = fields["Caller-ID-Name"], fields["Caller-ID-Number"]
    leg.set_variable("pre_transfer_caller_id_name", caller_name)
    leg.set_variable("pre_transfer_caller_id_number", caller_number)
    leg.set_variable("channel_cid_flipped", "yes")
    leg.hit_dialplan = True
    leg.profile.update(
        {
            "Caller-ID-Name": fields["Callee-ID-Name"],
            "Caller-ID-Number": fields["Callee-ID-Number"],
            "Callee-ID-Name": caller_name,
            "Callee-ID-Number": caller_number,
        }
    )
    leg.fire("CALL_UPDATE", _FLIP, {"Direction": "RECV"})

"""A channel of the simulated switch: its states, its variables, the events it fires, and how it ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from cti.sim import sofia_variables
from cti.sim.application import Running, begin, finish
from cti.sim.billing import closing_variables
from cti.sim.event import HeaderValue, SimEvent, json_string, members_after
from cti.sim.profile import CallerProfile

if TYPE_CHECKING:
    from cti.sim.bridge import Bridge
    from cti.sim.event_bus import Origin
    from cti.sim.far_end import FarEnd
    from cti.sim.originate import Origination
    from cti.sim.switch import SimulatedSwitch

STATE_NUMBERS = {
    name: str(number)
    for number, name in enumerate(
        (
            "CS_NEW",
            "CS_INIT",
            "CS_ROUTING",
            "CS_SOFT_EXECUTE",
            "CS_EXECUTE",
            "CS_EXCHANGE_MEDIA",
            "CS_PARK",
            "CS_CONSUME_MEDIA",
            "CS_HIBERNATE",
            "CS_RESET",
            "CS_HANGUP",
            "CS_REPORTING",
            "CS_DESTROY",
        )
    )
}
CALL_STATE_NUMBERS = {
    name: str(number)
    for number, name in enumerate(
        ("DOWN", "DIALING", "RINGING", "EARLY", "ACTIVE", "HELD", "RING_WAIT", "HANGUP", "UNHELD")
    )
}
_CODECS = members_after(
    {
        f"Channel-{way}-Codec-{what}": value
        for way in ("Read", "Write")
        for what, value in (("Name", "PCMU"), ("Rate", "8000"), ("Bit-Rate", "64000"))
    }
)

# Sources named in the events: FreeSWITCH 1.11.1.
CREATE: Origin = ("switch_core_state_machine.c", "switch_core_session_run", "626")
_CALLSTATE: Origin = ("switch_channel.c", "switch_channel_perform_set_callstate", "302")
_ANSWER: Origin = ("switch_channel.c", "switch_channel_perform_mark_answered", "3848")
_RING: Origin = ("switch_channel.c", "switch_channel_perform_mark_ring_ready_value", "3507")
_EARLY: Origin = ("switch_channel.c", "switch_channel_perform_mark_pre_answered", "3590")
_HANGUP: Origin = ("switch_channel.c", "switch_channel_perform_hangup", "3447")
_REPORTING: Origin = ("switch_core_state_machine.c", "switch_core_session_reporting_state", "943")
_DESTROY: Origin = ("switch_core_session.c", "switch_core_session_perform_destroy", "1588")


class Channel:
    """One leg. Its methods are what the far end, the applications, the bridge and the api commands do to it."""

    __slots__ = (
        *("__weakref__", "_bus", "_named", "actions", "answer_state", "answered_us", "at_end", "bridge"),
        *("bridged_us", "call_state", "call_uuid", "created_us", "direction", "disposition", "ended_us", "far", "gone"),
        *("hangup_cause", "hit_dialplan", "last_application", "last_data", "media_known", "name"),
        *("origination", "other_leg", "presence_id", "profile", "progress_us", "session_id", "stack", "state"),
        *("state_number", "switch", "up", "uuid", "variables"),
    )

    def __init__(self, switch: SimulatedSwitch, uuid: str, profile: CallerProfile, far: FarEnd, name: str) -> None:
        self.switch = switch
        self._bus = switch.bus
        self.uuid = uuid
        self.profile = profile
        self.far = far
        self.name = name
        self.direction = direction = profile.fields["Direction"]
        self.variables: dict[str, HeaderValue] = {}
        self.state = "CS_INIT"
        self.state_number = "2"
        self.call_state = "DOWN"
        self.answer_state = "ringing"
        self.hangup_cause = ""
        self.disposition = ""
        self.presence_id = ""
        self.call_uuid = uuid
        self.hit_dialplan = self.direction == "inbound"
        self.media_known = self.direction == "inbound"
        self.other_leg = ""
        self.session_id = 0
        self.created_us = switch.now_us()
        self.answered_us = self.progress_us = self.bridged_us = self.ended_us = 0
        self.last_application = self.last_data = ""
        self.stack: list[Running] = []
        self.actions: deque[tuple[str, str]] = deque()
        self.bridge: Bridge | None = None
        self.origination: Origination | None = None
        self.up = True
        """Whether it has not been hung up."""
        self.gone = False
        self.at_end: dict[str, Callable[[], None]] = {}
        """What happens to others as it ends, by their id: those who listen in on it."""
        self._named = (
            f',"Channel-Name":{json_string(name)},"Unique-ID":{json_string(uuid)}'
            f',"Call-Direction":"{direction}","Presence-Call-Direction":"{direction}"'
        )

    def __repr__(self) -> str:
        return f"<Channel {self.uuid} {self.name} {self.state} {self.call_state} {self.hangup_cause}>".strip()

    # -- facts about it ----------------------------------------------------------------------------------------------

    @property
    def answered(self) -> bool:
        """Whether it has been answered and not hung up."""
        return self.answer_state == "answered"

    @property
    def media_up(self) -> bool:
        """Whether sound can pass: answered, or early media."""
        return self.answer_state in ("answered", "early")

    def variable(self, name: str) -> str | None:
        """A variable's value (of an array, the first); None when it is not set."""
        value = self.variables.get("variable_" + name)
        return value[0] if isinstance(value, list) else value

    def variable_in_any_case(self, name: str) -> str | None:
        """As :meth:`variable`, but names fit whatever their case, as they do for FreeSWITCH's commands."""
        value = self.variable(name)
        if value is None:
            wanted = ("variable_" + name).casefold()
            found = next((key for key in self.variables if key.casefold() == wanted), "variable_")
            value = self.variable(found[len("variable_") :])
        return value

    def true(self, name: str) -> bool:
        """Whether a variable holds what ``switch_true`` takes for true."""
        return (self.variable(name) or "").lower() in ("yes", "on", "true", "t", "enabled", "active", "allow", "1")

    def set_variable(self, name: str, value: str | None) -> None:
        """Sets a variable; an empty value takes it away."""
        key = "variable_" + name
        if value:
            self.variables[key] = value
        else:
            self.variables.pop(key, None)

    def expand(self, text: str) -> str:
        """``text`` with ``${name}`` replaced by the variables' values."""
        if "${" not in text:
            return text
        return _expanded(text, self.variable_in_any_case)

    # -- events ------------------------------------------------------------------------------------------------------

    def headers(self, *, cause: bool = True, variables: bool = True) -> str:
        """What ``switch_channel_event_set_data`` adds to an event about this channel, as JSON, each behind a comma."""
        presence = f',"Channel-Presence-ID":{json_string(self.presence_id)}' if self.presence_id else ""
        why = f',"Hangup-Cause":"{self.hangup_cause}"' if self.hangup_cause and cause else ""
        return (
            f',"Channel-State":"{self.state}","Channel-Call-State":"{self.call_state}",'
            f'"Channel-State-Number":"{self.state_number}"{self._named}'
            f',"Channel-HIT-Dialplan":"{"true" if self.hit_dialplan else "false"}"{presence}'
            f',"Channel-Call-UUID":{json_string(self.call_uuid)},"Answer-State":"{self.answer_state}"{why}'
            f"{_CODECS if self.media_known else ''}{self.profile.caller_headers()}{self.other_leg}"
            f"{members_after(self.variables) if variables else ''}"
        )

    def heard(self, name: str) -> bool:
        """Whether somebody listens to events of this name; counts one as fired when nobody does."""
        if self._bus.wanting[name]:
            return True
        self._bus.sequence += 1
        return False

    def fire(
        self,
        name: str,
        origin: Origin,
        before: dict[str, str] | None = None,
        after: dict[str, str] | None = None,
        *,
        variables: bool = True,
    ) -> None:
        """Fires an event about this channel; next to nothing when nobody listens."""
        bus = self._bus
        listeners = bus.wanting[name]
        if not listeners:
            bus.sequence += 1  # as bus.skip() does
            return
        # A header that comes before is not said again.
        headers = self.headers(cause=not before or "Hangup-Cause" not in before, variables=variables)
        first = members_after(before) if before else ""
        last = members_after(after) if after else ""
        members = f"{bus.envelope(name, origin)}{first}{headers}{last}"
        event = SimEvent(name, members)
        for listener in listeners:
            listener.take(event)

    def enter(self, state: str) -> None:
        """Is in a state, and has arrived there."""
        self.state = state
        self.state_number = STATE_NUMBERS[state]

    def set_call_state(self, state: str) -> None:
        """Changes the call state; fires CHANNEL_CALLSTATE when it is another one."""
        old, self.call_state = self.call_state, state
        if old != state and self.heard("CHANNEL_CALLSTATE"):
            before = {"Original-Channel-Call-State": old, "Channel-Call-State-Number": CALL_STATE_NUMBERS[state]}
            self.fire("CHANNEL_CALLSTATE", _CALLSTATE, before, variables=False)

    # -- what happens to it ------------------------------------------------------------------------------------------

    def ring(self) -> None:
        """The far end says 180."""
        if not self.up or self.progress_us:
            return
        self.enter("CS_CONSUME_MEDIA")
        self.progress_us = self.switch.now_us()
        self.profile.stamp("Channel-Progress-Time", self.progress_us)
        self.profile.update({"Network-Addr": "127.0.0.1"})
        self.fire("CHANNEL_PROGRESS", _RING)
        self.set_call_state("RINGING")

    def early_media(self) -> None:
        """Sound before the answer (183)."""
        if not self.up or self.media_up:
            return
        self.answer_state = "early"
        self.profile.stamp("Channel-Progress-Media-Time", self.switch.now_us())
        self.variables["variable_endpoint_disposition"] = "EARLY MEDIA"
        self.fire("CHANNEL_PROGRESS_MEDIA", _EARLY)
        self.set_call_state("EARLY")

    def answer(self) -> None:
        """Is answered: by its phone when outbound, by us when inbound; nothing when it already is."""
        if not self.up or self.answered:
            return
        outbound = self.direction == "outbound"
        if outbound:
            self.enter("CS_CONSUME_MEDIA")
        self.answer_state = "answered"
        self.answered_us = self.switch.now_us()
        self.media_known = True
        self.profile.stamp("Channel-Answered-Time", self.answered_us)
        added = sofia_variables.outbound_answered() if outbound else sofia_variables.inbound_answered()
        self.variables.update(added)
        self.fire("CHANNEL_ANSWER", _ANSWER)
        self.set_call_state("ACTIVE")
        self.variables["variable_endpoint_disposition"] = "ANSWER"
        if outbound:
            if self.origination is not None:
                self.origination.answered(self)
        else:
            self.far.answered(self)

    def post(self, fn: Callable[..., Any], *args: Any, delay_s: float | None = None) -> None:
        """Has the channel's own thread do something: it looks once in a frame of 20 ms; not at all once hung up."""
        delay_s = self.switch.frame_s() if delay_s is None else delay_s
        self.switch.scheduler.call_later(delay_s, self._posted, fn, args)

    def _posted(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if self.up:
            fn(*args)

    def run(self, actions: Iterable[tuple[str, str]]) -> None:
        """Executes a dialplan's actions, one after the other; hangs up after the last."""
        self.actions = deque(actions)
        self.enter("CS_EXECUTE")
        self.next_action()

    def next_action(self) -> None:
        """Executes the next action of the dialplan; NORMAL_CLEARING when there is none."""
        if not self.up:
            return
        if not self.actions:
            self.hangup("NORMAL_CLEARING")
            return
        application, data = self.actions.popleft()
        begin(self, application, data, dialplan=True)

    def unwind(self) -> None:
        """Ends whatever is being executed, the innermost first."""
        while self.stack:
            finish(self, self.stack[-1], interrupted=True)

    # -- how it ends -------------------------------------------------------------------------------------------------

    def hangup(self, cause: str, *, disposition: str = "", delay_s: float = 0.0) -> None:
        """Hangs up: CHANNEL_HANGUP now, everything else when the channel's thread has seen it, ``delay_s`` later."""
        if not self.up:
            return
        self.up = False
        self.hangup_cause = cause
        self.answer_state = "hangup"
        self.state_number = STATE_NUMBERS["CS_HANGUP"]
        self.disposition = disposition or self._disposition()
        if disposition in ("recv_cancel", "recv_refuse"):
            self.variables["variable_sip_hangup_disposition"] = disposition
        self._tell_bond(cause)
        self.fire("CHANNEL_HANGUP", _HANGUP)
        if disposition == "recv_bye":
            self.variables["variable_sip_hangup_disposition"] = disposition
        if self.bridge is not None and self.bridge.leg_hung_up(self, delay_s):
            return
        if delay_s > 0:
            self.switch.scheduler.call_later(delay_s, self.wind_up)
        else:
            self.wind_up()

    def _tell_bond(self, cause: str) -> None:
        """The leg this one was introduced to learns the cause, bridged or not."""
        bond = self.switch.channels.get(self.variable("signal_bond") or "")
        if bond is not None and bond.up:
            bond.variables["variable_last_bridge_hangup_cause"] = cause
            specific = self.variables.get("variable_proto_specific_hangup_cause")
            if specific:
                bond.variables["variable_last_bridge_proto_specific_hangup_cause"] = specific
        bridge = self.bridge
        if bridge is not None and bridge.joined:
            self.variables["variable_last_bridge_role"] = "originator" if bridge.a is self else "originatee"

    def wind_up(self) -> None:
        """The rest of the end: unwinds, reports, is destroyed."""
        if self.gone:
            return
        self.unwind()
        for told in list(self.at_end.values()):
            told()
        self.report()
        origination = self.origination
        if origination is not None:
            # The originating thread looks every 20 ms; its answer comes before the channel is destroyed.
            self.switch.scheduler.call_later(self.switch.frame_s(), self._end_origination, origination)
        else:
            self.destroy()

    def _end_origination(self, origination: Origination) -> None:
        if not self.gone:
            origination.leg_ended(self)
            self.destroy()

    def report(self) -> None:
        """CHANNEL_CALLSTATE HANGUP and CHANNEL_HANGUP_COMPLETE."""
        self.ended_us = self.switch.now_us()
        self.profile.stamp("Channel-Hangup-Time", self.ended_us)
        self.state = "CS_HANGUP"
        self.set_call_state("HANGUP")
        self.enter("CS_REPORTING")
        bus = self.switch.bus
        if bus.wanted("CHANNEL_HANGUP_COMPLETE") or bus.wanted("CHANNEL_DESTROY"):
            self.variables.update(closing_variables(self))
            if self.disposition:
                self.variables["variable_sip_hangup_disposition"] = self.disposition
        self.fire("CHANNEL_HANGUP_COMPLETE", _REPORTING, {"Hangup-Cause": self.hangup_cause})

    def destroy(self) -> None:
        """CHANNEL_DESTROY; the channel is no more."""
        self.state_number = STATE_NUMBERS["CS_DESTROY"]
        self.call_uuid = self.uuid
        if "variable_call_uuid" in self.variables:
            self.variables["variable_call_uuid"] = self.uuid
        self.fire("CHANNEL_DESTROY", _DESTROY)
        self.up, self.gone = False, True
        self.switch.channel_gone(self)
        self.far.cleared(self)

    def _disposition(self) -> str:
        if self.direction == "inbound":
            return "send_bye" if self.answered_us else "send_refuse"
        return "send_bye" if self.answered_us else "send_cancel"


def _expanded(text: str, value: Callable[[str], str | None]) -> str:
    out: list[str] = []
    rest = text
    while True:
        before, found, rest = rest.partition("${")
        out.append(before)
        if not found:
            return "".join(out)
        name, _, rest = rest.partition("}")
        out.append(value(name) or "")

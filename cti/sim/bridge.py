"""``uuid_bridge``: how two legs come together, and how they part (``switch_ivr_bridge.c``).

The moments in between matter as much as the bridge: FreeSWITCH answers ``+OK`` as soon as both legs exist, needs two or
three frames of 20 ms to get there, and does not notice in that time that a leg has gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cti.sim.application import park

if TYPE_CHECKING:
    from cti.sim.channel import Channel
    from cti.sim.event_bus import Origin

_BRIDGE: Origin = ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", "1689")
_UNBRIDGE: Origin = ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", "1879")
_EXECUTE_A: Origin = ("switch_ivr_bridge.c", "uuid_bridge_on_soft_execute", "1236")
_EXECUTE_B: Origin = ("switch_ivr_bridge.c", "uuid_bridge_on_soft_execute", "1243")
_UPDATE: Origin = ("mod_sofia.c", "sofia_receive_message", "2133")

# uuid_bridge_on_soft_execute polls the other leg's state with this yield.
_JOIN_S = 0.02


class Bridge:
    """Two legs on their way to each other, or together. ``a`` is the originator: it fires the bridge's events."""

    def __init__(self, a: Channel, b: Channel) -> None:
        self.a = a
        self.b = b
        self.joined = False
        self._arrived = 0
        self._ended = False

    def other(self, leg: Channel) -> Channel:
        """The leg that is not this one."""
        return self.b if leg is self.a else self.a

    # -- coming together ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Takes both legs out of what they are doing, each when its own thread looks."""
        a, b = self.a, self.b
        if not a.up:
            return
        if not b.up:
            a.bridge, a.state_number = self, "8"  # finds that out when it has left what it was doing
            a.post(self._leave, a)
            return
        if a.origination is not None or b.origination is not None:
            # Answered, but the originating thread has not let go of it yet: the leg parks first, then it is taken.
            a.post(self.begin)
            return
        for leg in (a, b):
            if leg.bridge is not None:
                leg.bridge.part(leg)
            leg.bridge = self
        _introduce(a, b)
        for leg in (a, b):
            leg.state_number = "8"  # CS_HIBERNATE
            leg.post(self._leave, leg)

    def _leave(self, leg: Channel) -> None:
        if leg.bridge is not self:
            return
        leg.actions.clear()
        leg.unwind()
        leg.enter("CS_SOFT_EXECUTE" if leg is self.a else "CS_RESET")
        if leg is self.a and not self.b.up:
            leg.bridge = None
            if leg.true("park_after_bridge"):
                park(leg)
            else:
                leg.hangup("DESTINATION_OUT_OF_ORDER")
            return
        self._arrived += 1
        if self._arrived == 2:
            a = self.a
            a.switch.scheduler.call_later(_JOIN_S, self._join)

    def _join(self) -> None:
        a, b = self.a, self.b
        if a.bridge is not self or not a.up:
            return
        b.enter("CS_SOFT_EXECUTE")
        if b.bridge is not self or not b.up or not b.media_up:
            a.bridge = b.bridge = None
            b.hangup("DESTINATION_OUT_OF_ORDER")
            _cancelled(a)
            return
        self.joined = True
        now_us = a.switch.now_us()
        a.fire("CHANNEL_EXECUTE", _EXECUTE_A, after={"Application": "uuid_bridge", "Application-Data": b.uuid})
        b.fire("CHANNEL_EXECUTE", _EXECUTE_B, after={"Application": "uuid_bridge", "Application-Data": a.uuid})
        for leg in (a, b):
            leg.bridged_us = now_us
            leg.profile.stamp("Channel-Bridged-Time", now_us)
        a.fire("CHANNEL_BRIDGE", _BRIDGE, self._names())
        self._told(a)
        b.call_uuid = a.uuid
        b.variables["variable_call_uuid"] = a.uuid
        b.enter("CS_EXCHANGE_MEDIA")
        b.post(self._told, b, delay_s=_JOIN_S)
        a.far.bridged(a)
        b.far.bridged(b)

    def _deserted(self) -> None:
        if self.a.bridge is self:
            self.a.bridge = None
            _cancelled(self.a)

    def _told(self, leg: Channel) -> None:
        if leg.bridge is not self:
            return
        other = self.other(leg)
        # The A leg shows whom it reached, the B leg who is calling.
        which = "Callee-ID" if leg is self.a else "Caller-ID"
        name, number = leg.profile.fields[f"{which}-Name"], leg.profile.fields[f"{which}-Number"]
        told = leg.variable("last_sent_callee_id_name"), leg.variable("last_sent_callee_id_number")
        leg.variables.update(
            {
                "variable_bridge_to": other.uuid,
                "variable_last_bridge_to": other.uuid,
                "variable_last_sent_callee_id_name": name,
                "variable_last_sent_callee_id_number": number,
            }
        )
        if told == (name, number):
            return  # the phone shows it already (sofia_receive_message)
        if not leg.heard("CALL_UPDATE"):
            return
        before = {
            "Direction": "SEND",
            "Sent-Callee-ID-Name": name,
            "Sent-Callee-ID-Number": number,
            "Bridged-To": other.uuid,
        }
        leg.fire("CALL_UPDATE", _UPDATE, before)

    # -- parting -----------------------------------------------------------------------------------------------------

    def leg_hung_up(self, leg: Channel, delay_s: float) -> bool:
        """A leg was hung up; True when this bridge sees to the rest of its end."""
        if not self.joined:
            # Nobody tells the other leg. The originator finds out when it arrives; the other one never does: it stays
            # in CS_RESET without an event until somebody kills it (recorded: caller_gone_while_bridging).
            leg.bridge = None
            if leg is self.b and self._arrived == 1 and self.a.state == "CS_SOFT_EXECUTE":
                # The originator is there and waits for this leg, looking every 20 ms.
                self.a.post(self._deserted)
            return False
        leg.switch.scheduler.call_later(delay_s, self._end, leg)
        return True

    def _end(self, leg: Channel) -> None:
        a, b = self.a, self.b
        if self._ended or a.gone or b.gone:
            return
        self._ended = True
        a.bridge = b.bridge = None
        if leg is b:
            b.variables.pop("variable_bridge_to", None)
            b.unwind()
            b.report()
            self._unbridge()
            if a.up:
                _after_bridge(a, b.hangup_cause, originator=True)
            else:
                a.wind_up()
            b.destroy()
            return
        a.unwind()
        b_lives = b.up
        if b_lives and not _kept(b):
            self._let_go(b)
        self._unbridge()
        if not b_lives:
            b.wind_up()
        elif b.up:
            _after_bridge(b, "NORMAL_CLEARING", originator=False)
        a.report()
        a.destroy()

    def _let_go(self, leg: Channel) -> None:
        leg.variables.pop("variable_bridge_to", None)
        leg.hangup("NORMAL_CLEARING", delay_s=1e-6)

    def _unbridge(self) -> None:
        a, b = self.a, self.b
        for leg in (a, b):
            leg.variables.pop("variable_bridge_to", None)
        if b.hangup_cause:
            a.variables["variable_bridge_hangup_cause"] = b.hangup_cause
        else:
            b.call_uuid = b.uuid
            b.variables["variable_call_uuid"] = b.uuid
        a.fire("CHANNEL_UNBRIDGE", _UNBRIDGE, self._names())

    def part(self, leg: Channel) -> None:
        """``leg`` is taken away (transferred, parked, bridged elsewhere): the other is let go as after any bridge."""
        other = self.other(leg)
        leg.bridge = other.bridge = None
        other.set_variable("signal_bond", None)
        if not self.joined:
            return
        self._ended = True
        if not other.up:  # on its way out already; nobody else sees to the rest of its end
            self._unbridge()
            other.wind_up()
            return
        if not _kept(other) and other is self.b:
            self._let_go(other)
            self._unbridge()
            return
        self._unbridge()
        _after_bridge(other, "NORMAL_CLEARING", originator=other is self.a)

    def dissolve(self) -> None:
        """Both legs go elsewhere at once: neither is hung up for the other's sake. The originator's thread calls it."""
        if self.joined and not self._ended:
            self._ended = True
            self._unbridge()

    def _names(self) -> dict[str, str]:
        return {"Bridge-A-Unique-ID": self.a.uuid, "Bridge-B-Unique-ID": self.b.uuid}


def uuid_bridge(first: Channel, second: Channel) -> bool:
    """Begins a bridge; False when FreeSWITCH would refuse: the first is hung up, or neither has sound."""
    if not first.up or first is second:
        return False
    if not first.media_up:
        if not second.media_up:
            return False
        first, second = second, first  # "reversing order of channels so this will work!"
    bridge = Bridge(first, second)
    bridge.begin()
    if first.switch.mishaps is not None:
        first.switch.mishaps.bridging(bridge)
    return True


def _cancelled(a: Channel) -> None:
    """What becomes of the originator when the other leg has gone while it waited for it."""
    if a.true("uuid_bridge_park_on_cancel"):
        park(a)
    else:
        a.hangup("ORIGINATOR_CANCEL")


def _kept(leg: Channel) -> bool:
    return leg.true("park_after_bridge") or leg.variable("transfer_after_bridge") is not None


def _after_bridge(leg: Channel, cause: str, *, originator: bool) -> None:
    """What becomes of the leg that is left: parked, transferred, hung up, or on with its dialplan."""
    transfer = leg.variable("transfer_after_bridge")
    if leg.true("park_after_bridge"):
        park(leg)
    elif transfer is not None:
        leg.set_variable("transfer_after_bridge", None)
        leg.switch.transfer(leg, transfer.split(":"))
    elif leg.true("hangup_after_bridge") or not originator:
        leg.hangup(cause or "NORMAL_CLEARING")
    else:
        leg.enter("CS_EXECUTE")
        leg.next_action()


def _introduce(a: Channel, b: Channel) -> None:
    """Each leg learns who the other is, before anything moves."""
    now_us = str(a.switch.now_us())
    a_fields, b_fields = a.profile.fields, b.profile.fields
    of_a = a.profile.other_leg_headers("originator", {})
    if b.direction == "outbound":
        b.hit_dialplan = False
    inbound_now = {"Logical-Direction": "inbound", "Profile-Created-Time": now_us}
    of_b = b.profile.other_leg_headers("originatee", inbound_now)
    for leg, other in ((a, b), (b, a)):
        fields = leg.profile.fields
        source = f"{int(now_us) // 1_000_000}:{leg.switch.new_uuid()}:uuid_br:{other.uuid}"
        leg.variables.update(
            {
                "variable_bridge_channel": other.name,
                "variable_bridge_uuid": other.uuid,
                "variable_signal_bond": other.uuid,
                "variable_original_destination_number": fields["Destination-Number"],
                "variable_original_caller_id_name": fields["Caller-ID-Name"],
                "variable_original_caller_id_number": fields["Caller-ID-Number"],
                "variable_transfer_history": source,
                "variable_transfer_source": source,
            }
        )
        changes = {
            "Transfer-Source": source,
            "Profile-Index": str(int(fields["Profile-Index"]) + 1),
            "Profile-Created-Time": now_us,
        }
        leg.profile.update(changes)
    callee = {"Callee-ID-Name": b_fields["Callee-ID-Name"], "Callee-ID-Number": b_fields["Callee-ID-Number"]}
    caller = {"Caller-ID-Name": a_fields["Caller-ID-Name"], "Caller-ID-Number": a_fields["Caller-ID-Number"]}
    a.profile.update(callee)
    b.profile.update(caller)
    a.other_leg, b.other_leg = of_b, of_a

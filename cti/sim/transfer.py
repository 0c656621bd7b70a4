"""``switch_ivr_session_transfer``: a channel leaves what it is doing and goes elsewhere in the dialplan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cti.sim.dialplan import inline_actions
from cti.sim.originate import flip_caller_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from cti.sim.channel import Channel
    from cti.sim.switch import SimulatedSwitch


_FORWARDS = 70


def transfer(
    switch: SimulatedSwitch, channel: Channel, target: list[str], leaving: Callable[[], None] | None = None
) -> None:
    """The new profile is there at once, the channel's thread follows.

    Args:
        switch: the channel's.
        channel: who is sent; nothing happens to one that has been hung up.
        target: the extension, then perhaps the dialplan and the context.
        leaving: called when that thread gets there, before anything else.
    """
    if not channel.up:
        return
    counter = "max_session_transfers" if channel.variable("max_session_transfers") else "max_forwards"
    before_this = channel.variable(counter)
    left = int(before_this) - 1 if before_this is not None and before_this.isdigit() else _FORWARDS
    if left <= 0:  # it takes every transfer for a hop
        channel.hangup("EXCHANGE_ROUTING_ERROR")
        return
    channel.set_variable(counter, str(left))
    fields = channel.profile.fields
    before = fields["Destination-Number"]
    changes = {"Destination-Number": target[0], "Profile-Index": str(int(fields["Profile-Index"]) + 1)}
    if len(target) > 1:
        changes["Dialplan"] = target[1]
    channel.profile.update({**changes, "Profile-Created-Time": str(switch.now_us()), "Channel-Bridged-Time": "0"})
    channel.bridged_us = 0
    channel.state_number = "2"  # CS_ROUTING
    channel.other_leg = ""
    channel.set_variable("signal_bond", None)
    channel.post(_arrive, switch, channel, target, before, leaving)


def _arrive(
    switch: SimulatedSwitch, channel: Channel, target: list[str], before: str, leaving: Callable[[], None] | None
) -> None:
    if leaving is not None:
        leaving()
    if channel.bridge is not None:
        channel.bridge.part(channel)
    extension = target[0]
    inline = len(target) > 1 and target[1].lower() == "inline"
    channel.actions.clear()
    channel.unwind()
    channel.state = "CS_ROUTING"
    if channel.direction == "inbound":
        channel.set_call_state("RINGING")
    if inline:
        channel.profile.update({"Destination-Number": before})  # "inline" is not a number
    if not channel.hit_dialplan:
        flip_caller_id(channel)
    channel.enter("CS_EXECUTE")
    if channel.answered:
        channel.set_call_state("ACTIVE")
    channel.run(inline_actions(extension) if inline else switch.dialplan(extension))

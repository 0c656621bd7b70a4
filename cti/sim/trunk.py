"""Two simulated switches that call each other for agents' phones, as ``freeswitch-conf/dialplan/peers.xml`` lets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from attrs import define, field

from cti.esl import channel_variables
from cti.sim.bridge import uuid_bridge
from cti.sim.originate import originate

if TYPE_CHECKING:
    from cti.sim.channel import Channel
    from cti.sim.switch import SimulatedSwitch

_NETWORK_S: Final = 0.001
"""How long a SIP message takes from one to the other."""
_NO_WORD_S: Final = 32.0
"""How long an INVITE that nobody answers is repeated: timer B of RFC 3261, 64 times 0.5 s."""
_LEAVES_S: Final = 0.1
"""How long after its other half the phone's channel is seen to have ended."""
_LOOK_S: Final = 0.01
"""How often a switch looks whether a phone that it calls rings (``switch_ivr_originate.c`` looks every 20 ms)."""
_TAGS: Final = {
    "cti_tie": "Connection",
    "cti_tie_from": "Switch",
    "cti_interaction": "Interaction",
    "cti_agent": "Agent",
}
_HEADERS: Final = "sip_h_X-CTI-"


@define(eq=False)
class Trunk:
    """The way from one switch to another, as the first sees it: what answers at ``sofia/PROFILE/sip:cti-agent@ADDRESS``.

    ``cut`` says that nothing gets through from now on, with neither side told: new calls hear not a word, and an end stays
    unknown at the other side. Calls in progress go on as if nothing were.

    Args:
        switch: the one that calls.
        other: the one that is called.
        node: the centre's name, for the tags of the channels there.
        address: the other's, ``host:port``.
        profile: the SIP profile by which it is called.
    """

    switch: SimulatedSwitch = field(repr=False)
    other: SimulatedSwitch = field(repr=False)
    node: str
    address: str
    profile: str = "peers"
    cut: bool = False
    offered: int = 0
    registered: bool = True

    @property
    def contact(self) -> str:
        """The dial string."""
        return f"sofia/{self.profile}/sip:cti-agent@{self.address}"

    def invited(self, channel: Channel) -> None:
        """An INVITE leaves for the other switch."""
        self.offered += 1
        later = self.switch.scheduler.call_later
        if self.cut:
            later(_NO_WORD_S, channel.hangup, "RECOVERY_ON_TIMER_EXPIRE")
        else:
            later(_NETWORK_S, self._arrive, channel)

    def _arrive(self, channel: Channel) -> None:
        if channel.up:
            _Tie(self, channel).begin()

    # The far end of a channel whose call has not arrived yet; from then on _Tie is that.

    def told_to_talk(self, _channel: Channel) -> None:
        """A NOTIFY goes to a phone, and no further than the next switch."""

    def answered(self, _channel: Channel) -> None:
        """A trunk makes no calls by itself."""

    def bridged(self, _channel: Channel) -> None:
        """Sound passes."""

    def leave(self, _channel: Channel) -> None:
        """A trunk does not hang up by itself."""

    def cleared(self, _channel: Channel) -> None:
        """The call ended before it arrived."""

    def lost(self, _channel: Channel) -> None:
        """The switch died before the call arrived."""


@define(eq=False)
class _Tie:
    """One call between the two: the far end of the channel at either side."""

    trunk: Trunk
    near: Channel
    far: Channel | None = None
    """The inbound channel at the other switch."""
    phone: str = ""
    """The channel there that the phone has."""

    def begin(self) -> None:
        near, other = self.near, self.trunk.other
        near.far = self
        headers = {name: near.variable(_HEADERS + name) or "" for name in (*_TAGS.values(), "Contact", "Data")}
        tags = {"cti_node": self.trunk.node, **{tag: headers[name] for tag, name in _TAGS.items()}}
        fields = near.profile.fields
        self.far = other.place(
            self,
            calling_number=fields["Caller-ID-Number"],
            calling_name=fields["Caller-ID-Name"],
            called_number="cti-agent",
            variables={_HEADERS + name: value for name, value in headers.items()},
        )
        self.far.enter("CS_EXECUTE")
        for tag, value in tags.items():
            self.far.set_variable(tag, value)
        self.phone = other.new_uuid()
        carried = {_HEADERS + name: value for name, value in headers.items()}
        variables = channel_variables({"origination_uuid": self.phone, **tags, **carried, "ignore_early_media": "true"})
        originate(other, f"{variables}{unquote(headers['Contact'])} &park()", self._phone_told)
        self._look()

    def _look(self) -> None:
        """See whether the phone rings."""
        phone, far = self.trunk.other.channels.get(self.phone), self.far
        if phone is None or far is None or not (far.up and self.near.up) or phone.answered:
            return
        if phone.progress_us:
            far.ring()
            self._pass(self.near.ring)
        else:
            self.trunk.switch.scheduler.call_later(_LOOK_S, self._look)

    def _phone_told(self, outcome: str) -> None:
        """The phone has answered, or will not."""
        phone, far = self.trunk.other.channels.get(self.phone), self.far
        if far is None or not far.up:
            if phone is not None:
                phone.hangup("ORIGINATOR_CANCEL")
        elif phone is None or not outcome.startswith("+OK"):
            why = outcome.removeprefix("-ERR").strip()
            far.hangup("SUBSCRIBER_ABSENT" if why == "USER_NOT_REGISTERED" else why or "NORMAL_TEMPORARY_FAILURE")
        else:
            far.set_variable("hangup_after_bridge", "true")
            far.answer()
            uuid_bridge(far, phone)
            self._pass(self.near.answer)

    def _pass(self, what: object, *args: str) -> None:
        if not self.trunk.cut and callable(what):
            self.trunk.switch.scheduler.call_later(_NETWORK_S, what, *args)

    # -- the far end of both channels --------------------------------------------------------------------------------

    def told_to_talk(self, _channel: Channel) -> None:
        """A NOTIFY goes no further than the next switch."""

    def answered(self, _channel: Channel) -> None:
        """The other side is told when the phone is."""

    def bridged(self, _channel: Channel) -> None:
        """Sound passes."""

    def leave(self, channel: Channel) -> None:
        """Whoever is at the other side hangs up."""
        if channel.up:
            channel.hangup("NORMAL_CLEARING", disposition="recv_bye" if channel.answered else "recv_cancel")

    def cleared(self, channel: Channel) -> None:
        """One side has ended: so does the other, unless nothing gets through."""
        if channel is self.near and self.far is not None:
            phone = self.trunk.other.channels.get(self.phone)
            self._pass(self.leave, self.far)  # type: ignore[arg-type]
            if phone is not None and not phone.answered:
                self._pass(phone.hangup, "ORIGINATOR_CANCEL")
        elif channel is self.far:
            self._pass(self._refused if not self.near.answered else self.leave, self.near)  # type: ignore[arg-type]
            self.trunk.other.scheduler.call_later(_LEAVES_S, self._phone_leaves)

    def _phone_leaves(self) -> None:
        """``bridge`` ends the phone's channel too, whenever the other ends; ``uuid_bridge``, by which it is done here, does
        not while the two are on their way to each other.
        """
        phone = self.trunk.other.channels.get(self.phone)
        if phone is not None and phone.up:
            phone.hangup("NORMAL_CLEARING")

    def _refused(self, near: Channel) -> None:
        if near.up:
            assert self.far is not None
            near.hangup(self.far.hangup_cause, disposition="recv_refuse")

    def lost(self, _channel: Channel) -> None:
        """One of the switches has died: nobody tells the other."""


def connect(first: tuple[SimulatedSwitch, str], second: tuple[SimulatedSwitch, str], node: str = "cti") -> list[Trunk]:
    """Let two switches call each other for agents' phones; returns the way there and the way back.

    Args:
        first: a switch, and its SIP address as the other knows it.
        second: likewise.
        node: the centre's name.
    """
    made = []
    for (switch, _), (other, address) in ((first, second), (second, first)):
        trunk = Trunk(switch, other, node, address)
        switch.phones.add_line(trunk.contact, trunk)
        made.append(trunk)
    return made

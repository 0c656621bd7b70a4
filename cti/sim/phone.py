"""Agents' phones: what answers, rejects, or lets ring when the simulated switch calls a dial string."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from attrs import define, field, frozen, validators

from cti.sim.cause import CAUSE_BY_SIP_STATUS
from cti.sim.far_end import FarEnd
from cti.sim.registration import set_registered

if TYPE_CHECKING:
    from cti.sim.caller import Caller
    from cti.sim.channel import Channel
    from cti.sim.switch import SimulatedSwitch


# How long an INVITE that nobody answers is repeated: timer B of RFC 3261, 64 times 0.5 s.
_NO_WORD_S = 32.0
# From the answer to the BYE of a phone that hangs up at once (recorded: 2 ms).
_DROP_S = 0.002


@frozen(kw_only=True)
class Behaviour:
    """How a phone behaves: chances that add up to at most 1, and times in seconds; a pair is drawn from evenly.

    ``busy``, ``rejects`` (603), ``no_answer`` (rings for ever), ``never_rings`` (not a word: the INVITE is lost), ``drops``
    (answers and hangs up at once), ``vanishes`` (answers and is not heard of again: no BYE either). What is left of the
    chances is answering. ``talk_s`` is the mean of an exponential, or None: the far side hangs up.
    """

    ring_s: tuple[float, float] = (0.003, 0.02)
    answer_s: tuple[float, float] = (0.5, 3.0)
    reject_s: tuple[float, float] = (0.3, 1.0)
    busy: float = field(default=0.0, validator=[validators.ge(0), validators.le(1)])
    rejects: float = field(default=0.0, validator=[validators.ge(0), validators.le(1)])
    no_answer: float = field(default=0.0, validator=[validators.ge(0), validators.le(1)])
    never_rings: float = field(default=0.0, validator=[validators.ge(0), validators.le(1)])
    drops: float = field(default=0.0, validator=[validators.ge(0), validators.le(1)])
    vanishes: float = field(default=0.0, validator=[validators.ge(0), validators.le(1)])
    talk_s: float | None = None
    obeys_talk: bool = True
    """Whether it answers at a NOTIFY with ``Event: talk``."""
    confirms_s: float | None = 0.5
    """How long after the answer the key is pressed that is asked for (``group_confirm_key``); None: a mailbox, never."""


ANSWERS = Behaviour()
"""Always answers, and never hangs up by itself."""


@define(eq=False)
class Phone:
    """A phone; change ``behaviour`` and ``registered`` at any time, they count from the next call on;
    ``register``, ``unregister`` and ``expire`` also say so.

    ``contact`` is the channel's name in FreeSWITCH. Counters: ``offered`` invitations, ``answers``, ``rejections``,
    ``cancelled`` (somebody else ended the ringing), ``talks`` (bridged with a caller).
    """

    switch: SimulatedSwitch = field(repr=False)
    contact: str
    behaviour: Behaviour = ANSWERS
    registered: bool = True
    offered: int = 0
    answers: int = 0
    rejections: int = 0
    cancelled: int = 0
    talks: int = 0
    user: str = ""
    """The user it registers as; empty for one that is reached by its address."""
    _vanished: set[Channel] = field(factory=set, init=False, repr=False)

    def invited(self, channel: Channel) -> None:
        """An INVITE: decides now, from the switch's chance, what will become of it."""
        self.offered += 1
        chance = self.switch.random
        how = self.behaviour
        roll = chance.random()
        ring_s = chance.uniform(*how.ring_s)
        later = self.switch.scheduler.call_later
        silent = how.busy + how.rejects + how.no_answer
        if silent <= roll < silent + how.never_rings:
            later(_NO_WORD_S, channel.hangup, "RECOVERY_ON_TIMER_EXPIRE")
            return
        later(ring_s, channel.ring)
        if roll < how.busy:
            later(ring_s + chance.uniform(*how.reject_s), self.reject, channel, 486)
        elif roll < how.busy + how.rejects:
            later(ring_s + chance.uniform(*how.reject_s), self.reject, channel, 603)
        elif roll >= silent:
            # The odd ones are taken from the far end of the chances, so that they change nothing for the others.
            then = self._drop if roll >= 1.0 - how.drops else None
            if then is None and roll >= 1.0 - how.drops - how.vanishes:
                then = self.vanish
            later(ring_s + chance.uniform(*how.answer_s), self._answer, channel, then)

    def register(self) -> None:
        """It registers, or does so again."""
        set_registered(self, True)

    def unregister(self) -> None:
        """It takes its registration back."""
        set_registered(self, False)

    def expire(self) -> None:
        """It has not registered again in time: it is off, or its network."""
        set_registered(self, False, expired=True)

    def call(self, number: str) -> Caller:
        """The agent calls a number of the switch's dialplan, having proved who they are; returns the call."""
        user, _, domain = self.user.partition("@")
        who = {"user_name": user, "domain_name": domain or self.switch.globals["domain"], "sip_authorized": "true"}
        return self.switch.incoming(calling_number=user, called_number=number, variables=who)

    def hang_up(self, channel: Channel) -> None:
        """The agent puts the receiver down, or refuses a ringing call."""
        if channel.answered:
            channel.variables["variable_sip_term_status"] = "200"
            channel.variables["variable_proto_specific_hangup_cause"] = "sip:200"
            channel.hangup("NORMAL_CLEARING", disposition="recv_bye")
        else:
            self.reject(channel, 603)

    def told_to_talk(self, channel: Channel) -> None:
        """``NOTIFY`` with ``Event: talk``: a phone that obeys answers what rings."""
        if self.behaviour.obeys_talk and channel.progress_us and not channel.answered:
            self.switch.scheduler.call_later(self.behaviour.ring_s[0], self._answer, channel, None)

    def answered(self, _channel: Channel) -> None:
        """A phone makes no calls, so nobody answers it."""

    def bridged(self, channel: Channel) -> None:
        """Talks for as long as the behaviour says."""
        self.talks += 1
        talk_s = self.behaviour.talk_s
        if talk_s is not None:
            self.switch.scheduler.call_later(self.switch.random.expovariate(1 / talk_s), self._hang_up_if_up, channel)

    def cleared(self, channel: Channel) -> None:
        """The call is over."""
        self._vanished.discard(channel)
        if not channel.answered_us and channel.disposition != "recv_refuse":
            self.cancelled += 1

    def lost(self, channel: Channel) -> None:
        """The switch died; the phone notices nothing that matters here."""
        self._vanished.discard(channel)

    def leave(self, channel: Channel) -> None:
        """As :meth:`hang_up`, if it is still there."""
        self._hang_up_if_up(channel)

    def vanish(self, channel: Channel) -> None:
        """Is gone without a word, power or network: an answered call stays until FreeSWITCH misses the sound."""
        if not channel.up:
            return
        self._vanished.add(channel)
        timeout_s = self.switch.media_timeout_s
        if channel.answered and timeout_s is not None:
            self.switch.scheduler.call_later(timeout_s, channel.hangup, "MEDIA_TIMEOUT")

    def _answer(self, channel: Channel, then: Callable[[Channel], None] | None) -> None:
        if channel.up and channel not in self._vanished:
            self.answers += 1
            channel.answer()
            if then is not None:
                then(channel)

    def _drop(self, channel: Channel) -> None:
        self.switch.scheduler.call_later(_DROP_S, self._hang_up_if_up, channel)

    def reject(self, channel: Channel, status: int = 486) -> None:
        """Refuses a ringing call with a SIP status."""
        if channel.up and not channel.answered:
            self.rejections += 1
            phrase = "Busy Here" if status == 486 else "Decline"
            channel.variables.update(
                {
                    "variable_sip_invite_failure_status": str(status),
                    "variable_sip_invite_failure_phrase": phrase,
                    "variable_sip_term_status": str(status),
                    "variable_proto_specific_hangup_cause": f"sip:{status}",
                }
            )
            channel.hangup(CAUSE_BY_SIP_STATUS[status], disposition="recv_refuse")

    def _hang_up_if_up(self, channel: Channel) -> None:
        if channel.up and channel not in self._vanished:
            self.hang_up(channel)


class Line(FarEnd, Protocol):
    """What a dial string leads to: a phone, or another switch."""

    registered: bool

    @property
    def contact(self) -> str:
        """The channel's name in FreeSWITCH."""

    def invited(self, channel: Channel, /) -> None:
        """An INVITE."""


class Nobody:
    """What stands behind an address where nothing listens: the network says so at once."""

    contact = ""

    def invited(self, channel: Channel) -> None:
        """Answers an INVITE with what an unreachable port amounts to."""
        channel.variables["variable_sip_term_status"] = "503"
        channel.switch.scheduler.call_later(0.001, channel.hangup, "NORMAL_TEMPORARY_FAILURE")

    def told_to_talk(self, _channel: Channel) -> None:
        """Nobody hears it."""

    def answered(self, _channel: Channel) -> None:
        """Nobody makes no calls."""

    def bridged(self, _channel: Channel) -> None:
        """Nobody answers none."""

    def leave(self, _channel: Channel) -> None:
        """Nobody is already not there."""

    def cleared(self, _channel: Channel) -> None:
        """Nobody counts nothing."""

    def lost(self, _channel: Channel) -> None:
        """Nobody misses nothing."""


class Phones:
    """The phones of a switch, by dial string: ``user/1001@cti.internal``, ``sofia/agents/demo-phone-1001@...``."""

    def __init__(self, switch: SimulatedSwitch) -> None:
        self._switch = switch
        self._by_dial_string: dict[str, Phone] = {}
        self._lines: dict[str, Line] = {}
        self._rules: list[tuple[re.Pattern[str], Behaviour]] = []
        self.nobody = Nobody()

    def add(self, dial_string: str, behaviour: Behaviour = ANSWERS, *, registered: bool = True) -> Phone:
        """Puts a phone at a dial string, in the place of one that may be there."""
        endpoint, _, user = dial_string.partition("/")
        user = user if endpoint == "user" else ""
        phone = Phone(self._switch, _contact(dial_string), behaviour, registered, user=user)
        self._by_dial_string[dial_string] = phone
        return phone

    def add_rule(self, expression: str, behaviour: Behaviour = ANSWERS) -> None:
        """Every dial string that ``expression`` matches as a whole has a phone, made when it is first called."""
        self._rules.append((re.compile(expression), behaviour))

    def add_line(self, dial_string: str, line: Line) -> None:
        """Puts something else than a phone at a dial string."""
        self._lines[dial_string] = line

    def at(self, dial_string: str) -> Line | None:
        """The phone at a dial string, or what else is there; None when there is nothing."""
        return self._lines.get(dial_string) or self.find(dial_string)

    def find(self, dial_string: str) -> Phone | None:
        """The phone at a dial string; None when there is none."""
        phone = self._by_dial_string.get(dial_string)
        if phone is None:
            for expression, behaviour in self._rules:
                if expression.fullmatch(dial_string):
                    return self.add(dial_string, behaviour)
        return phone

    def __iter__(self) -> Iterator[Phone]:
        """The phones there are, in the order they were added."""
        return iter(self._by_dial_string.values())


def _contact(dial_string: str) -> str:
    endpoint, _, rest = dial_string.partition("/")
    return f"sofia/agents/{rest.partition('@')[0]}@127.0.0.1:5990" if endpoint == "user" else dial_string

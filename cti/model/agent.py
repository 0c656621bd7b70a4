"""Agents: who can be offered a call, at which phone, with which skills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import Attribute, Factory, define, evolve, field, frozen

from cti.errors import ConfigurationError
from cti.model.figures import AgentFigures
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, ReservationId, SwitchId
from cti.model.recording import maybe_share, recorded_share
from cti.model.states import AgentState
from cti.model.validate import contact, count, dial_string, flag, key, levels, name, one_of, seconds

NOWHERE: Final = SwitchId("")
"""In place of a switch: every switch can dial the phone itself."""


def _names(value: object) -> object:
    return tuple(value) if isinstance(value, list | set | frozenset) else value


def _group_names(instance: object, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, tuple):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a list of names")
    for each in value:
        name(instance, attribute, each)


def _music(_instance: object, attribute: Attribute[Any], value: str) -> None:
    if not isinstance(value, str) or set(value) & set("\r\n\0'|"):
        raise ConfigurationError(
            f"{attribute.name} is {value!r}; it must be a sound of FreeSWITCH's, without line breaks, ' and |"
        )


@frozen
class AgentSettings:
    """What is configured of an agent.

    Args:
        id: the agent's name, unique in the centre.
        contact: the dial string of the agent's phone, such as ``user/1001`` or ``sofia/gateway/mobile/13800000000``.
        skills: skill -> level, from 0 up. A skill that is absent counts as level 0.
        wrap_up_s: seconds of work after each call; None takes the queue's.
        after_wrap_up: ``"ready"`` or ``"not ready"``.
        no_answers_allowed: so many unanswered offers in a row make the agent not ready (RNA).
        no_answer_delay_s: after an unanswered offer that did not reach that number, seconds before the next offer.
        reject_delay_s: the same after a rejected offer.
        busy_delay_s: the same when the phone was busy.
        phone_down_delay_s: the same when the phone was not registered or the network failed; for a registered user's
            phone how soon it is looked for again.
        mobile: the dial string of a second phone, such as ``sofia/gateway/mobile/13800000000``; empty for none. The first
            of the two that is answered has the call.
        mobile_after_s: how long the first phone rings alone; 0 for both together. The mobile rings at once when the
            first phone cannot, and alone while that is known to be out of service.
        mobile_key: the key that is to be pressed at the mobile to take a call, so that no mailbox takes it; empty for none.
        own_calls: what becomes of an agent whose phone has a call past the centre, ``"not ready"`` (NON_ACD_CALL, for as
            long as it lasts) or ``"ignore"``.
        after_phone_up: what an agent is whose phone is back in service, ``"as before"`` or ``"not ready"`` (PHONE_UP).
        auto_answer: whether the phone is asked to answer by itself when its agent makes a call.
        auto_answer_offers: whether the phone is asked to answer the calls that it is offered by itself, too. A mobile never
            is.
        standing: whether the phone stays on the line between calls (a standing connection): it is rung at log-on, and calls
            are put through to it at once, without ringing. Not together with a mobile. Counts from the next log-on.
        standing_rings: whether that phone is rung; else its agent dials in, and a script of yours says who they are
            (``call.stay_on_the_line``).
        standing_tone: whether a short tone says there that a call is put through.
        standing_music: what is heard there between calls, such as ``local_stream://moh``; empty for silence.
        record: which of their calls are recorded, ``"never"``, ``"always"`` or a share from 0 to 1, whatever the queue
            says; None leaves it to the queue.
        switch: the switch that the phone is at; calls on the others reach it from there. Empty: every switch can dial
            the contact itself.
        pickup_groups: with whom they pick up each other's ringing calls: everybody who has one of these names too. Without
            any, whoever serves the same queue.
    """

    id: AgentId = field(validator=name)
    contact: str = field(validator=contact)
    skills: Mapping[str, int] = field(factory=dict, validator=levels)
    wrap_up_s: float | None = field(default=None, validator=seconds)
    after_wrap_up: str = field(default="ready", validator=one_of("ready", "not ready"))
    no_answers_allowed: int = field(default=1, validator=count)
    no_answer_delay_s: float = field(default=2.0, validator=seconds)
    reject_delay_s: float = field(default=5.0, validator=seconds)
    busy_delay_s: float = field(default=10.0, validator=seconds)
    phone_down_delay_s: float = field(default=15.0, validator=seconds)
    mobile: str = field(default="", validator=dial_string)
    mobile_after_s: float = field(default=0.0, validator=seconds)
    mobile_key: str = field(default="1", validator=key)
    own_calls: str = field(default="not ready", validator=one_of("not ready", "ignore"))
    after_phone_up: str = field(default="as before", validator=one_of("as before", "not ready"))
    auto_answer: bool = False
    auto_answer_offers: bool = False
    standing: bool = field(default=False, validator=flag)
    standing_rings: bool = field(default=True, validator=flag)
    standing_tone: bool = field(default=True, validator=flag)
    standing_music: str = field(default="", validator=_music)
    pickup_groups: tuple[str, ...] = field(default=(), converter=_names, validator=_group_names)
    record: float | None = field(default=None, converter=recorded_share, validator=maybe_share)
    switch: SwitchId = NOWHERE

    def __attrs_post_init__(self) -> None:
        """Check what goes together."""
        if self.standing and self.mobile:
            raise ConfigurationError(
                f"agent {self.id!r} has a standing connection and a mobile; only the phone on the line can be "
                "offered calls: give the mobile as their contact, or take it away"
            )


def phone_key(contact: str, switch: SwitchId) -> str:
    """What tells a phone from all others: the same contact may be another phone at another switch."""
    return f"{switch} {contact}" if switch else contact


@define(eq=False)
class Agent:
    """One agent and the session they have, if any. Only the engine changes it."""

    settings: AgentSettings
    state: AgentState = AgentState.NULL
    state_since: float = 0.0
    logged_on_since: float = 0.0
    idle_since: float = 0.0
    """Since when no call has been with the agent; what "longest idle" counts from."""
    reason: str = ""
    phone: str = ""
    """The contact this session uses; a changed contact counts from the next log-on."""
    home: SwitchId = NOWHERE
    """The switch which that phone is at; likewise."""
    standing: bool = False
    """Whether their phone stays on the line between calls, in this session."""
    pending: tuple[AgentState, str] | None = None
    """The state asked for while busy, and its reason."""
    blocked: bool = False
    """Whether they would be ready, and something stands in the way: their phone is out of service or in use, or its switch
    cannot be reached or is drained. Then they are not ready, and ready again as soon as nothing does."""
    reservation: ReservationId | None = None
    interaction: InteractionId | None = None
    connection: ConnectionId | None = None
    handling: tuple[QueueId, float] | None = None
    """The queue whose call they are on or wrapping up, and since when."""
    no_answers: int = 0
    calls_answered: int = 0
    seconds_in: dict[AgentState, float] = Factory(dict)
    """Seconds spent in each state left so far, in this session."""
    figures: AgentFigures = Factory(AgentFigures)
    held_since: float | None = None
    """Since when they hold a caller."""
    handled_from: tuple[float, float] = (0.0, 0.0)
    """What their figures said of hold and of work after calls when they answered the call of ``handling``."""

    @property
    def id(self) -> AgentId:
        """The agent's name."""
        return self.settings.id

    @property
    def skills(self) -> Mapping[str, int]:
        """Skill -> level."""
        return self.settings.skills

    def leaves(self, now: float) -> None:
        """The state they are in ends: its time is counted."""
        self._count(self.figures, now)
        if self.state is AgentState.BUSY:
            self.resumes(now)

    def holds(self, now: float) -> None:
        """They hold a caller from now on."""
        if self.held_since is None:
            self.held_since = now

    def resumes(self, now: float) -> None:
        """They hold nobody any more."""
        if self.held_since is not None:
            self.figures.hold_s += now - self.held_since
            self.held_since = None

    def figures_now(self, now: float) -> AgentFigures:
        """Their figures with what goes on still."""
        made = evolve(self.figures)
        self._count(made, now)
        if self.held_since is not None:
            made.hold_s += now - self.held_since
        return made

    def _count(self, figures: AgentFigures, now: float) -> None:
        name = _TIME_IN.get(self.state)
        if name is not None:
            setattr(figures, name, getattr(figures, name) + now - self.state_since)


_TIME_IN: Mapping[AgentState, str] = {
    AgentState.READY: "ready_s",
    AgentState.NOT_READY: "not_ready_s",
    AgentState.RESERVED: "offered_s",
    AgentState.ALERTING: "offered_s",
    AgentState.BUSY: "busy_s",
    AgentState.WORKING_AFTER_CALL: "after_call_s",
}

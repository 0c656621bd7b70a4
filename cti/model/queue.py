"""Queues: where calls wait, for whom, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Attribute, define, field, frozen

from cti.errors import ConfigurationError
from cti.model.borrowing import Borrowing
from cti.model.callback import CallbackSettings
from cti.model.figures import QueueFigures
from cti.model.ids import QueueId
from cti.model.overflow import REASONS, Disconnect, Overflow, ToQueue, script_of
from cti.model.personal import LastAgent, Personal
from cti.model.predictive import PredictiveSettings
from cti.model.recording import certain_share, one_word, recorded_share
from cti.model.requirement import ANYBODY, Requirement, requirement
from cti.model.service_level import ServiceLevel
from cti.model.treatment import WaitingTreatment
from cti.model.validate import at_least_one, name, seconds, share, whole
from cti.model.widening import Widening, rising, steps


def _required(value: Requirement | str | Mapping[str, int]) -> Requirement:
    return requirement("requires", value)


def _per_minute(_instance: object, attribute: Attribute[Any], value: float) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e6:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a number from 0 up")


def _strategy(_instance: object, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, str) and not callable(getattr(value, "key", None)):
        raise ConfigurationError(
            f"{attribute.name} is {value!r}; it must be a strategy's name, or an object with key(agent, queue)"
        )


def _overflow(_instance: object, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, Overflow):
        raise ConfigurationError(
            f"{attribute.name} is {value!r}; it must be ToQueue, ToDestination, ToVoicemail, ToMailbox, ToFax, ToScript or Disconnect"
        )


def _onward(instance: object, attribute: Attribute[Any], value: object) -> None:
    if value is not None:
        _overflow(instance, attribute, value)


def _waiting(_instance: object, attribute: Attribute[Any], value: object) -> None:
    if value is not None and not isinstance(value, WaitingTreatment):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a WaitingTreatment, or None")


def _callback(_instance: object, attribute: Attribute[Any], value: object) -> None:
    if value is not None and not isinstance(value, CallbackSettings):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a CallbackSettings, or None")


def _by_reason(instance: object, attribute: Attribute[Any], value: Mapping[str, object]) -> None:
    for reason, target in value.items():
        if reason not in REASONS:
            raise ConfigurationError(
                f"{attribute.name} has {reason!r}; it must be one of {', '.join(map(repr, REASONS))}"
            )
        _overflow(instance, attribute, target)


@frozen
class QueueSettings:
    """What is configured of a queue.

    Args:
        id: the queue's name, unique in the centre.
        requires: what an agent must have to be offered its calls: text such as ``loans >= 3 and not trainee``
            (see Requirement), or skill -> lowest level.
        widening: whom else a call may go to after so long in the queue, the earliest step first. Those who meet
            ``requires`` are asked before those whom a step lets in, an earlier step's before a later's.
        priority: added to each call's own priority; the higher goes first.
        priority_per_minute: by how much the priority of a waiting call grows in a minute of waiting.
        strategy: which of its ready agents goes first: a strategy's name, or an object with ``key(agent, queue)``.
        max_wait_s: seconds after which a call that nobody has taken goes to ``overflow``; None waits for ever. An
            offer that is under way then is let finish first.
        max_expected_wait_s: a call that would have to expect a longer wait than this when it comes goes to ``overflow``
            at once; an expected wait that is not known counts as short. None for no limit.
        max_waiting: a call that comes when so many wait already goes to ``overflow`` at once; None for no limit.
        overflow_unstaffed: whether calls go to ``overflow`` while nobody is logged on who may ever be offered them;
            those who wait do as the last one logs off.
        overflow: where a call goes that the queue does not keep.
        overflows: where it goes for one reason (``"wait"``, ``"expected wait"``, ``"length"``, ``"unstaffed"``), in
            place of ``overflow``.
        after_call: where a caller goes who is still there when the agent has hung up: a survey's script, say. None ends
            the call with the conversation.
        conference_ends_with_caller: whether a conference is over for everybody when its caller hangs up; else an agent and
            whoever else is in it go on.
        personal: an agent whom every call waits for first, or the agent who last talked with the caller; what is asked
            for one call goes before it.
        route_script: the route script that is asked about every call that comes (``CallCenter.route_script``); empty
            for none.
        route_deadline_s: seconds it may take; after them the call is routed as if it had not been asked.
        ring_timeout_s: seconds an agent's phone may ring.
        wrap_up_s: seconds of work after each call, unless the agent has a figure of their own.
        music: what a waiting caller hears, as FreeSWITCH's playback takes it; empty for silence.
        waiting: what else a waiting caller hears and can do (docs/waiting.md); None for the music alone.
        callback: how its callers are called back (docs/callbacks.md); None for not at all.
        service_level_s: a call answered within so many seconds counts towards the service level.
        service_level_target: the share of calls that should be, from 0 to 1; None for no target. What a router that
            goes by deficits compares the recent service level with.
        borrows: which queues' agents help while the service level is low; None for nobody.
        record: which of its calls are recorded, while they are with an agent: ``"never"``, ``"always"``, or a share from
            0 to 1.
        record_announcement: what the caller hears before a recording begins, as FreeSWITCH takes it; empty for nothing.
        predictive: how it makes predictive calls (docs/call-control.md); None for not at all.
        short_abandon_s: an abandon before so many seconds is counted apart, in no denominator.
        keep_place_s: a caller whom a lost switch has cut off, waiting or talking, and who calls back into this queue within
            so many seconds, has the place and the age they had; 0 keeps none. Told by their number, or by the attached
            ``customer``.
    """

    id: QueueId = field(validator=name)
    requires: Requirement = field(default=ANYBODY, converter=_required)
    widening: tuple[Widening, ...] = field(default=(), converter=steps, validator=rising)
    priority: int = field(default=0, validator=whole)
    priority_per_minute: float = field(default=0.0, validator=_per_minute)
    strategy: object = field(default="longest-idle", validator=_strategy)
    max_wait_s: float | None = field(default=None, validator=seconds)
    max_expected_wait_s: float | None = field(default=None, validator=seconds)
    max_waiting: int | None = field(default=None, validator=at_least_one)
    overflow_unstaffed: bool = False
    overflow: Overflow = field(default=Disconnect(), validator=_overflow)
    overflows: Mapping[str, Overflow] = field(factory=dict, validator=_by_reason)
    after_call: Overflow | None = field(default=None, validator=_onward)
    conference_ends_with_caller: bool = False
    personal: Personal | LastAgent | None = None
    route_script: str = ""
    route_deadline_s: float = field(default=1.0, validator=seconds)
    ring_timeout_s: float = field(default=20.0, validator=seconds)
    wrap_up_s: float = field(default=0.0, validator=seconds)
    music: str = "tone_stream://%(1000,4000,350,440);loops=-1"
    waiting: WaitingTreatment | None = field(default=None, validator=_waiting)
    callback: CallbackSettings | None = field(default=None, validator=_callback)
    service_level_s: float = field(default=20.0, validator=seconds)
    service_level_target: float | None = field(default=None, validator=share)
    borrows: Borrowing | None = None
    short_abandon_s: float = field(default=5.0, validator=seconds)
    keep_place_s: float = field(default=0.0, validator=seconds)
    record: float = field(default=0.0, converter=recorded_share, validator=certain_share)
    record_announcement: str = field(default="", validator=one_word)
    predictive: PredictiveSettings | None = None

    def accepts(self, skills: Mapping[str, int]) -> bool:
        """Whether an agent with these skills may be offered its calls, without any widening."""
        return self.requires.accepts(skills)

    def shortfalls(self, skills: Mapping[str, int]) -> list[str]:
        """What such an agent lacks, one phrase a part; empty when they may be offered its calls."""
        return self.requires.shortfalls(skills)

    def overflow_for(self, reason: str) -> Overflow:
        """Where a call goes for one of the reasons of ``overflows``."""
        return self.overflows.get(reason, self.overflow)

    @property
    def overflow_queues(self) -> tuple[QueueId, ...]:
        """The queues that its calls may overflow to."""
        targets = (self.overflow, *self.overflows.values())
        return tuple(target.queue for target in targets if isinstance(target, ToQueue))

    @property
    def scripts(self) -> tuple[str, ...]:
        """The scripts that its calls may go to."""
        targets = (self.overflow, *self.overflows.values(), self.after_call)
        offered = self.waiting.scripts if self.waiting is not None else ()
        return (*filter(None, map(script_of, targets)), *offered)

    def steps_due(self, in_queue_s: float) -> int:
        """How many steps of widening a call has come to after so many seconds in the queue."""
        # A timer may fire a rounding error early; without the microsecond it would be started again, for nothing.
        return sum(step.after_s <= in_queue_s + 1e-6 for step in self.widening)


@define(eq=False)
class Queue:
    """One queue and its counts. Only the engine changes it."""

    settings: QueueSettings
    figures: QueueFigures = field(factory=QueueFigures)
    recent: ServiceLevel = field(factory=ServiceLevel)
    """The service level of the last calls."""

    @property
    def id(self) -> QueueId:
        """The queue's name."""
        return self.settings.id

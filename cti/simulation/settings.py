"""What a simulation is made of: agents, queues, who calls, how phones behave, what goes wrong."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from typing import Any

from attrs import Attribute, field, frozen, validators

from cti.errors import ConfigurationError
from cti.model.agent import AgentSettings
from cti.model.ids import SwitchId
from cti.model.queue import QueueSettings
from cti.model.validate import count, name, seconds
from cti.routing.router import Router
from cti.routing.skill_router import SkillRouter
from cti.simulation.faults import NONE, FaultProfile


def _more_than_nothing(_instance: object, attribute: Attribute[Any], value: float | None) -> None:
    if value is not None and not 0 < value < math.inf:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a number above 0")


@frozen(kw_only=True)
class Calls:
    """Who calls one number: so many callers, at random moments, whose calls go to one queue.

    Args:
        queue: where they go.
        count: how many there will be.
        rate_per_s: mean calls a second; the gaps are exponential.
        handle_s: the mean length of a conversation, exponential.
        patience_s: the mean time before a waiting caller hangs up, exponential; None: nobody ever does.
        priority: what the script gives each call.
    """

    queue: str = field(validator=name)
    count: int = field(validator=count)
    rate_per_s: float = field(validator=_more_than_nothing)
    handle_s: float = field(validator=_more_than_nothing)
    patience_s: float | None = field(default=None, validator=_more_than_nothing)
    priority: int = 0


def _skill_router(chance: random.Random) -> Router:
    return SkillRouter(chance=chance.random)


# One each: attrs' plugin for mypy cannot tell what "tuple" itself converts.
def _agents(values: Iterable[AgentSettings]) -> tuple[AgentSettings, ...]:
    return tuple(values)


def _queues(values: Iterable[QueueSettings]) -> tuple[QueueSettings, ...]:
    return tuple(values)


def _switches(values: Iterable[str]) -> tuple[SwitchId, ...]:
    return tuple(map(SwitchId, values))


def _calls(values: Iterable[Calls]) -> tuple[Calls, ...]:
    return tuple(values)


@frozen(kw_only=True)
class SimulationSettings:
    """A centre, its callers, and its luck. The same settings give the same run, to the byte.

    Args:
        agents: who is logged on, and ready from the start.
        queues: the queues; one that another overflows or widens to comes before it.
        calls: the callers; see Calls.
        answer_s: from ringing to the answer of an agent's phone, drawn evenly between the two; zeros: at once, and
            the network takes no time either.
        back_s: how long an agent whom an unanswered offer has made not ready is away.
        seed: of everything that is drawn.
        faults: what goes wrong.
        router: makes the router, from a source of chance; SkillRouter if not given.
        errands_every_s: the mean time between two moments at which somebody asks for something else: agents for every
            service, supervisors, operators, customers for callbacks; exponential. None: nobody does.
        switches: their names; calls come in at one as often as at another.
        check_every: all invariants are checked after so many facts (or as many as there are calls in progress, if those
            are more), and those of what a fact was about after each; 1: all of them after each, 0: none ever.
        drain_s: how long, at the end, the centre may take to find out what it has missed.
    """

    agents: tuple[AgentSettings, ...] = field(converter=_agents)
    queues: tuple[QueueSettings, ...] = field(converter=_queues)
    calls: tuple[Calls, ...] = field(converter=_calls)
    answer_s: tuple[float, float] = (2.0, 6.0)
    back_s: float = field(default=30.0, validator=seconds)
    seed: int = 1
    faults: FaultProfile = NONE
    router: Callable[[random.Random], Router] = _skill_router
    errands_every_s: float | None = field(default=None, validator=_more_than_nothing)
    switches: tuple[SwitchId, ...] = field(default=(SwitchId("simulated"),), converter=_switches)
    check_every: int = field(default=100, validator=validators.ge(0))
    drain_s: float = field(default=600.0, validator=seconds)

    def __attrs_post_init__(self) -> None:
        known = {queue.id for queue in self.queues}
        for calls in self.calls:
            if calls.queue not in known:
                raise ConfigurationError(f"calls go to queue {calls.queue!r}, which is not among the queues")
        for kind in ("agents", "queues", "calls", "switches"):
            if not getattr(self, kind):
                raise ConfigurationError(f"a simulation needs {kind}; there are none")
        low, high = self.answer_s
        if not 0 <= low <= high:
            raise ConfigurationError(
                f"answer_s is {self.answer_s!r}; it must be two numbers from 0 up, the lower first"
            )

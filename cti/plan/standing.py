"""Conditions on how the centre stands: queues' lengths and waits, and what an agent is doing."""

from __future__ import annotations

from attrs import Attribute, field, frozen

from cti.errors import ConfigurationError
from cti.model.ids import AgentId, QueueId
from cti.model.personal import BUSY, LOGGED_OFF, NOT_READY, READY, WRAP_UP
from cti.model.validate import name, seconds
from cti.plan.condition import listed
from cti.plan.request import Asked, QueueLoad, Request


def _from_zero(_instance: object, attribute: Attribute[int], value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a whole number from 0 up")


def _presences(_instance: object, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    if not isinstance(value, tuple) or not value or not all(isinstance(word, str) and word for word in value):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a tuple of texts such as 'ready'")


def _lower(value: tuple[str, ...]) -> tuple[str, ...]:
    # As presence_of gives them: reason codes are mostly written in capitals.
    return (
        tuple(word.lower() if isinstance(word, str) else word for word in value) if isinstance(value, tuple) else value
    )


def _no_queue(queue: QueueId) -> str:
    return f"there is no queue {queue!r}"


def _load(asked: Asked, queue: QueueId) -> QueueLoad | None:
    return asked.request.load(queue)


@frozen
class LongerThan:
    """More than so many calls wait in a queue."""

    queue: QueueId = field(validator=name)
    waiting: int = field(validator=_from_zero)

    def misses(self, asked: Asked) -> str:
        """How many wait instead."""
        load = _load(asked, self.queue)
        if load is None:
            return _no_queue(self.queue)
        return (
            "" if load.waiting > self.waiting else f"{load.waiting} wait in {self.queue}, not more than {self.waiting}"
        )

    def __str__(self) -> str:
        return f"more than {self.waiting} wait in {self.queue}"


@frozen
class ExpectedWaitAbove:
    """A call that comes to a queue now would wait longer than this; an unknown wait is not."""

    queue: QueueId = field(validator=name)
    seconds: float = field(validator=seconds)

    def misses(self, asked: Asked) -> str:
        """How long instead."""
        load = _load(asked, self.queue)
        if load is None:
            return _no_queue(self.queue)
        wait = load.expected_wait_s
        if wait is not None and wait > self.seconds:
            return ""
        told = "unknown" if wait is None else f"{wait:.0f} s"
        return f"the expected wait in {self.queue} is {told}, not above {self.seconds:g} s"

    def __str__(self) -> str:
        return f"the expected wait in {self.queue} above {self.seconds:g} s"


@frozen
class Unstaffed:
    """Nobody is logged on for a queue; or, with ``unstaffed`` false, somebody is."""

    queue: QueueId = field(validator=name)
    unstaffed: bool = True

    def misses(self, asked: Asked) -> str:
        """How many are instead."""
        load = _load(asked, self.queue)
        if load is None:
            return _no_queue(self.queue)
        return "" if (load.logged_on == 0) is self.unstaffed else f"{load.logged_on} are logged on for {self.queue}"

    def __str__(self) -> str:
        return f"{'nobody' if self.unstaffed else 'somebody'} logged on for {self.queue}"


@frozen
class AgentKey:
    """The agent whose id is attached to the call under this key: a customer's own adviser, say."""

    key: str = field(validator=name)

    def agent(self, request: Request) -> AgentId | None:
        """The agent's id; None if none is attached, or what is attached can be none."""
        found = request.data.get(self.key)
        return AgentId(found) if isinstance(found, str) and 0 < len(found) <= 200 and found.isprintable() else None

    def __str__(self) -> str:
        return f"the agent in data.{self.key}"


@frozen
class PresenceIs:
    """An agent is doing one of these: ``ready``, ``busy``, ``wrap-up``, ``logged off``, or not ready for a reason.

    ``not ready`` is any reason.
    """

    agent: AgentId | AgentKey
    presences: tuple[str, ...] = field(converter=_lower, validator=_presences)

    def misses(self, asked: Asked) -> str:
        """What they do instead."""
        agent = self.agent.agent(asked.request) if isinstance(self.agent, AgentKey) else self.agent
        presence = asked.request.presence(agent) if agent is not None else None
        if presence is None:
            return f"{self.agent} is nobody" if agent is None else f"there is no agent {agent!r}"
        reason = presence not in (READY, BUSY, WRAP_UP, LOGGED_OFF)
        if presence in self.presences or (reason and NOT_READY in self.presences):
            return ""
        return f"{agent} is {presence}, not {listed(self.presences)}"

    def __str__(self) -> str:
        return f"{self.agent} is {listed(self.presences)}"

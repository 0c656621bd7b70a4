"""What a client wants to be told, and an index from an event to those who want it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, Final, Generic, TypeVar

from attrs import frozen

from cti.alarms.alarm import Alarm
from cti.api.converter import Line
from cti.api.grant import ALL, Grant
from cti.api.refusal import NotPermitted
from cti.errors import UnknownEvent
from cti.model import events
from cti.model.ids import AgentId, InteractionId, QueueId

H = TypeVar("H", bound=Hashable)

_KINDS: Final[dict[str, type[Any]]] = {
    **events.EVENTS,
    "CallEvent": events.CallEvent,
    "AgentEvent": events.AgentEvent,
    "Alarm": Alarm,
}


@frozen
class InterestParams:
    """What to be told about: these agents, queues and calls, or everything the key covers where none is named."""

    agents: tuple[AgentId, ...] = ()
    queues: tuple[QueueId, ...] = ()
    calls: tuple[InteractionId, ...] = ()
    kinds: tuple[Line, ...] = ()
    """Events of these kinds only; ``CallEvent`` and ``AgentEvent`` stand for all about calls or agents."""

    @property
    def subjects(self) -> int:
        """How many agents, queues and calls are named."""
        return len(self.agents) + len(self.queues) + len(self.calls)


@frozen
class Interest:
    """What a client is told: whatever is about one of the subjects, of one of the kinds, and seen by the key."""

    grant: Grant
    subjects: frozenset[tuple[str, str]] | None
    """``("agent", id)``, ``("queue", id)``, ``("call", id)``; None for everything."""
    kinds: tuple[type[Any], ...]

    def wants(self, event: Any, agent: str | None, queue: str | None) -> bool:
        """Whether an event about one of the subjects is wanted, and may be seen."""
        return isinstance(event, self.kinds) and self.grant.sees(agent, queue)


def interest(params: InterestParams, grant: Grant) -> Interest:
    """Read what a client wants.

    Raises:
        NotPermitted: an agent or queue is named that the key does not cover.
        UnknownEvent: a kind that no event is of.
    """
    for agent in params.agents:
        if not grant.covers_agent(agent):
            raise NotPermitted(f"this key does not cover agent {agent!r}", "params.agents")
    for queue in params.queues:
        if not grant.covers_queue(queue):
            raise NotPermitted(f"this key does not cover queue {queue!r}", "params.queues")
    for kind in params.kinds:
        if kind not in _KINDS:
            raise UnknownEvent(kind, _KINDS)
    kinds = tuple(_KINDS[kind] for kind in params.kinds) or (object,)
    named = _named("agent", params.agents) | _named("queue", params.queues) | _named("call", params.calls)
    if named:
        return Interest(grant, named, kinds)
    if grant.sees_all or ALL in grant.agents or ALL in grant.queues:
        return Interest(grant, None, kinds)
    return Interest(grant, _named("agent", grant.agents) | _named("queue", grant.queues), kinds)


class Readers(Generic[H]):
    """Who wants what; finding those who want one event does not look at the others."""

    def __init__(self) -> None:
        self._interests: dict[H, Interest] = {}
        self._by_subject: dict[tuple[str, str], set[H]] = {}
        self._of_everything: set[H] = set()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._interests)

    def __contains__(self, reader: H) -> bool:
        """Whether somebody is among them."""
        return reader in self._interests

    def members(self) -> list[H]:
        """Every reader."""
        return list(self._interests)

    def add(self, reader: H, wanted: Interest) -> None:
        """Add a reader, or change what one wants."""
        self.discard(reader)
        self._interests[reader] = wanted
        if wanted.subjects is None:
            self._of_everything.add(reader)
        else:
            for subject in wanted.subjects:
                self._by_subject.setdefault(subject, set()).add(reader)

    def discard(self, reader: H) -> None:
        """Take a reader out; nothing if there is none."""
        wanted = self._interests.pop(reader, None)
        if wanted is None:
            return
        self._of_everything.discard(reader)
        for subject in wanted.subjects or ():
            readers = self._by_subject[subject]
            readers.discard(reader)
            if not readers:
                del self._by_subject[subject]

    def of(self, event: Any) -> list[H]:
        """Those who are to be told of an event, each once."""
        agent, queue = getattr(event, "agent", None), getattr(event, "queue", None)
        call = getattr(event, "interaction", None)
        found = set(self._of_everything)
        for kind, name in (("agent", agent), ("queue", queue), ("call", call)):
            if name is not None:
                found |= self._by_subject.get((kind, name), set())
        return [reader for reader in found if self._interests[reader].wants(event, agent, queue)]


def _named(kind: str, names: Iterable[str]) -> frozenset[tuple[str, str]]:
    return frozenset((kind, name) for name in names)

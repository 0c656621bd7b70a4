"""A host application's router, guarded: what it does wrong costs its own decision only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar

from attrs import frozen

from cti.errors import CtiError
from cti.model.agent import Agent
from cti.model.ids import AgentId, InteractionId, QueueId
from cti.model.interaction import Interaction
from cti.model.queue import Queue
from cti.routing.order import DueKey
from cti.routing.ringing import Ringing
from cti.routing.router import Router

T = TypeVar("T")

FAULTS_KEPT: Final = 100
LONGEST_ASIDE_S: Final = 3600.0
"""Each time it has to be set aside again, it is for twice as long, up to this."""
_SAID: Final = 200
"""So many characters of what a router answered are kept."""


@frozen
class RouterFault:
    """A host application's router did something wrong, was set aside, or is tried again.

    ``asked`` is the method's name, ``took_s`` how long it took where that is what was wrong.
    """

    at: float
    asked: str
    what: str
    took_s: float | None = None


class _Wrong(Exception):
    """An answer that cannot be used; it never leaves this module."""


class GuardedRouter(Router):
    """Asks a host application's router, and a default one where that raises, answers nonsense, or is set aside.

    Both are told everything. An agent who is not available, a call that does not wait, a call for somebody whom it does
    not wait for (``Interaction.wanted``) and a value of another type are nonsense; None is an answer. A router that
    raises while it is told something may not know what is there any more: it is set aside, and when it is tried again,
    what it knew is taken back and it is told everything anew, at once.

    It runs in the engine's greenlet and cannot be interrupted: one that never returns stops the engine, and a slow one
    delays what comes after it. It can only be found slow, and set aside. As being slow depends on the machine, so do
    then the decisions; leave the clock out where facts are to be replayed.

    Args:
        router: the host application's.
        default: decides in its place; it is trusted.
        slow_s: a call of the router's that takes longer than so many seconds is reported. The answer counts.
        clock: monotonic seconds, such as ``time.monotonic``; None does not look whether it is slow.
        most_bad: after so many slow or failed decisions in a row it is set aside.
        aside_s: for so many seconds, and then tried again; one bad decision then sets it aside for twice as long.
        rebuild_s: telling it everything anew is given up after so many seconds (by the clock).
        on_fault: told of each fault, in the engine's greenlet.
    """

    def __init__(
        self,
        router: Router,
        default: Router,
        *,
        slow_s: float = 0.05,
        clock: Callable[[], float] | None = None,
        most_bad: int = 10,
        aside_s: float = 60.0,
        rebuild_s: float = 5.0,
        on_fault: Callable[[RouterFault], None] | None = None,
    ) -> None:
        self.router = router
        self.default = default
        self.faults: deque[RouterFault] = deque(maxlen=FAULTS_KEPT)
        """The last misdeeds, the oldest first."""
        self._slow_s, self._clock, self._most_bad = slow_s, clock, most_bad
        self._aside_s, self._rebuild_s, self._on_fault = aside_s, rebuild_s, on_fault
        self._queues: dict[QueueId, Queue] = {}
        self._agents: dict[AgentId, Agent] = {}
        self._calls: dict[InteractionId, Interaction] = {}
        self._bad = 0
        self._slow_tellings = 0
        self._until: float | None = None
        """When it is tried again; None while it decides."""
        self._next_aside_s = aside_s
        self._lost = False
        """Whether it is told nothing, as it may not know any more what is there."""
        self._stale_agents: set[AgentId] = set()
        self._stale_calls: set[InteractionId] = set()
        """What it was told of before it was lost."""

    @property
    def in_charge(self) -> bool:
        """Whether the host application's router decides; if not, it is set aside."""
        return self._until is None

    # -- telling --------------------------------------------------------------------------------------------------

    def queue_defined(self, queue: Queue) -> None:
        """A queue is new, or its settings changed.

        Raises:
            CtiError: one of the two cannot route by the settings; both have the old ones.
        """
        known = self._queues.get(queue.id)
        self._tell("queue_defined", lambda router: router.queue_defined(queue), refusal=CtiError)
        try:
            self._default().queue_defined(queue)
        except CtiError:
            if known is not None:
                self._tell("queue_defined", lambda router: router.queue_defined(known))
            raise
        self._queues[queue.id] = queue

    def agent_available(self, agent: Agent) -> None:  # noqa: D102 - see Router
        self._default().agent_available(agent)
        self._agents[agent.id] = agent
        self._tell("agent_available", lambda router: router.agent_available(agent))

    def agent_unavailable(self, agent: AgentId) -> None:  # noqa: D102
        self._default().agent_unavailable(agent)
        # Known until it has been told: if it fails, this is to be taken back too.
        self._tell("agent_unavailable", lambda router: router.agent_unavailable(agent))
        self._agents.pop(agent, None)

    def call_waiting(self, call: Interaction) -> None:  # noqa: D102
        self._default().call_waiting(call)
        self._calls[call.id] = call
        self._tell("call_waiting", lambda router: router.call_waiting(call))

    def call_gone(self, call: InteractionId) -> None:  # noqa: D102
        self._default().call_gone(call)
        self._tell("call_gone", lambda router: router.call_gone(call))
        self._calls.pop(call, None)

    def decided(self, call: Interaction, agent: Agent) -> None:  # noqa: D102
        self._default().decided(call, agent)
        self._tell("decided", lambda router: router.decided(call, agent))

    def figures_changed(self, queue: Queue) -> tuple[InteractionId, ...]:  # noqa: D102
        needed = self._default().figures_changed(queue)
        answer = self._tell("figures_changed", lambda router: router.figures_changed(queue))
        return self._more("figures_changed", answer, needed)

    def _tell(self, what: str, tell: Callable[[Router], T], *, refusal: type[Exception] | None = None) -> T | None:
        """Tell the host's router something; what it answered, None if nothing."""
        if self._lost:
            return None
        try:
            answer, took_s = self._timed(tell)
        except Exception as error:
            if refusal is not None and isinstance(error, refusal):
                raise
            self._fault(what, f"raised {_said(error)}")
            self._lose(f"it may not know any more what is there, since {what} raised")
            return None
        if took_s > self._slow_s:
            self._slow(what, took_s)
            self._slow_tellings += 1
            if self._slow_tellings >= self._most_bad:
                self._lose(f"told {self._slow_tellings} things in a row, it was slow each time")
        else:
            self._slow_tellings = 0
        return answer

    # -- asking ---------------------------------------------------------------------------------------------------

    def agent_for(self, call: Interaction) -> AgentId | None:  # noqa: D102
        def checked(answer: AgentId | None) -> AgentId | None:
            if answer is None:
                return None
            agent = self._agents.get(answer) if isinstance(answer, str) else None
            if agent is None:
                raise _Wrong(f"{_said(answer)}, which is no available agent")
            if call.wanted not in (None, agent.id):
                raise _Wrong(f"{_said(answer)}, but the call waits for {call.wanted} alone")
            return agent.id

        return self._decide("agent_for", lambda router: router.agent_for(call), checked)

    def call_for(self, agent: Agent) -> InteractionId | None:  # noqa: D102
        def checked(answer: InteractionId | None) -> InteractionId | None:
            if answer is None:
                return None
            call = self._calls.get(answer) if isinstance(answer, str) else None
            if call is None:
                raise _Wrong(f"{_said(answer)}, which is no waiting call")
            if call.wanted not in (None, agent.id):
                raise _Wrong(f"{_said(answer)}, but that call waits for {call.wanted} alone")
            return call.id

        return self._decide("call_for", lambda router: router.call_for(agent), checked)

    def _decide(self, what: str, ask: Callable[[Router], T], checked: Callable[[T], T]) -> T:
        """The router's answer if it is in charge and the answer is good, else the default's."""
        self._try_again()
        if self.in_charge:
            try:
                answer, took_s = self._timed(ask)
                answer = checked(answer)
            except Exception as error:  # noqa: BLE001 - whatever it does costs this decision only
                self._wrong(what, error)
                self._bad_decision()
            else:
                if took_s > self._slow_s:
                    self._slow(what, took_s)
                    self._bad_decision()
                else:
                    self._bad = 0
                    self._next_aside_s = self._aside_s
                return answer
        return ask(self._default())

    def _look(self, what: str, ask: Callable[[Router], T], checked: Callable[[T], T]) -> T:
        """The same for what is no decision: the answer only is at stake."""
        if self.in_charge:
            try:
                return checked(self._timed(ask)[0])
            except Exception as error:  # noqa: BLE001 - as above
                self._wrong(what, error)
        return ask(self._default())

    def ringing(self, queue: QueueId) -> Ringing:  # noqa: D102
        return self._look("ringing", lambda router: router.ringing(queue), _of(Ringing))

    def position(self, call: InteractionId) -> int:  # noqa: D102
        if call not in self._calls:
            return 0
        return self._look("position", lambda router: router.position(call), _place)

    def waiting(self, queue: QueueId) -> tuple[InteractionId, ...]:  # noqa: D102
        all_of_them = self._default().waiting(queue)

        def checked(answer: tuple[InteractionId, ...]) -> tuple[InteractionId, ...]:
            if len(answer) != len(all_of_them) or set(answer) != set(all_of_them):
                raise _Wrong(f"{_said(answer)}, which are not the calls that wait in {queue}")
            return tuple(answer)

        return self._look("waiting", lambda router: router.waiting(queue), checked)

    def due_key(self, call: Interaction) -> DueKey:  # noqa: D102
        return self._look("due_key", lambda router: router.due_key(call), _of(tuple))

    def borrowing(self) -> Mapping[QueueId, tuple[QueueId, ...]]:  # noqa: D102
        return self._look("borrowing", lambda router: router.borrowing(), _mapping)

    def waiting_for(self, agent: AgentId) -> tuple[InteractionId, ...]:  # noqa: D102
        return self._default().waiting_for(agent)  # no matter of opinion: the calls say so themselves

    def concerned(self, queue: QueueId) -> tuple[InteractionId, ...]:  # noqa: D102
        needed = self._default().concerned(queue)
        answer = self._look("concerned", lambda router: router.concerned(queue), _of(tuple))
        return self._more("concerned", answer, needed)

    def _more(self, what: str, answer: object, needed: tuple[InteractionId, ...]) -> tuple[InteractionId, ...]:
        """Calls to match afresh: what the router says, and in any case what the default says."""
        if answer is None:
            return needed
        try:
            found = [self._calls[one].id for one in _of(tuple)(answer)]
        except Exception as error:  # noqa: BLE001 - as above
            self._wrong(what, error if isinstance(error, _Wrong) else _Wrong(f"{_said(answer)}, not all of which wait"))
            return needed
        return tuple(dict.fromkeys((*found, *needed)))

    # -- the guard ------------------------------------------------------------------------------------------------

    def _default(self) -> Router:
        self.default.now = self.now
        return self.default

    def _timed(self, ask: Callable[[Router], T]) -> tuple[T, float]:
        """What the host's router answers, and how many seconds it took; 0 without a clock."""
        began = self._clock() if self._clock is not None else 0.0
        self.router.now = self.now
        answer = ask(self.router)
        return answer, self._clock() - began if self._clock is not None else 0.0

    def _bad_decision(self) -> None:
        self._bad += 1
        if self._bad >= self._most_bad:
            self._set_aside(f"{self._bad} slow or failed decisions in a row")

    def _set_aside(self, why: str) -> None:
        self._until = self.now + self._next_aside_s
        self._fault("", f"set aside for {self._next_aside_s:g} s: {why}")
        self._next_aside_s = min(2 * self._next_aside_s, max(self._aside_s, LONGEST_ASIDE_S))

    def _lose(self, why: str) -> None:
        """It is told nothing from now on, until it is told everything."""
        self._lost = True
        self._stale_agents.update(self._agents)
        self._stale_calls.update(self._calls)
        if self._until is None:
            self._set_aside(why)
        else:
            self._fault("", f"told nothing any more: {why}")

    def _try_again(self) -> None:
        if self._until is None or self.now < self._until:
            return
        if self._lost and not self._rebuild():
            return
        self._until = None
        self._bad = self._most_bad - 1  # on probation: one more sets it aside again
        self._fault("", "tried again")

    def _rebuild(self) -> bool:
        """Take back what the router was told, and tell it everything there is; whether it took it."""
        self._slow_tellings = 0
        began = self._clock() if self._clock is not None else 0.0
        try:
            for _ in self._tell_everything(self.router):
                if self._clock is not None and self._clock() - began > self._rebuild_s:
                    raise _Wrong(f"after more than {self._rebuild_s:g} s")  # noqa: TRY301 - one exit
        except Exception as error:  # noqa: BLE001 - as above
            self._wrong("", error)
            self._set_aside("told everything anew, it did not take it")
            return False
        self._stale_agents.clear()
        self._stale_calls.clear()
        self._lost = False
        return True

    def _tell_everything(self, router: Router) -> Iterator[None]:
        """Yields after each thing told."""
        router.now = self.now
        for old_call in sorted(self._stale_calls):
            yield router.call_gone(old_call)
        for old_agent in sorted(self._stale_agents):
            yield router.agent_unavailable(old_agent)
        self._stale_agents, self._stale_calls = set(self._agents), set(self._calls)
        for queue in self._queues.values():
            yield router.queue_defined(queue)
        for agent in self._agents.values():
            yield router.agent_available(agent)
        for call in self._calls.values():
            yield router.call_waiting(call)

    # -- reporting ------------------------------------------------------------------------------------------------

    def _slow(self, what: str, took_s: float) -> None:
        self._fault(what, f"took {took_s:.3f} s, more than {self._slow_s:g} s", took_s)

    def _wrong(self, what: str, error: Exception) -> None:
        self._fault(what, f"answered {error}" if isinstance(error, _Wrong) else f"raised {_said(error)}")

    def _fault(self, asked: str, what: str, took_s: float | None = None) -> None:
        fault = RouterFault(self.now, asked, what, took_s)
        self.faults.append(fault)
        if self._on_fault is not None:
            try:
                self._on_fault(fault)
            except Exception as error:  # noqa: BLE001 - a report that fails must not cost the decision
                self.faults.append(RouterFault(self.now, asked, f"on_fault raised {_said(error)}"))


def _said(value: object) -> str:
    """Its repr, as far as there is one."""
    try:
        said = repr(value)
    except Exception:  # noqa: BLE001 - it is a host application's
        return f"a {type(value).__name__} without a repr"
    return said if len(said) <= _SAID else said[:_SAID] + "..."


def _of(wanted: type[T]) -> Callable[[object], T]:
    def checked(answer: object) -> T:
        if not isinstance(answer, wanted):
            raise _Wrong(f"{_said(answer)}, which is no {wanted.__name__}")
        return answer

    return checked


def _mapping(answer: Mapping[QueueId, tuple[QueueId, ...]]) -> Mapping[QueueId, tuple[QueueId, ...]]:
    return dict(answer)


def _place(answer: int) -> int:
    if not isinstance(answer, int) or isinstance(answer, bool) or answer < 1:
        raise _Wrong(f"{_said(answer)}, which is no place from 1 up")
    return answer

"""What runs the engine: facts in, one after another; intents out to the switches, the timers and the subscribers."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

import gevent
import gevent.event
import structlog

from cti.engine import Engine
from cti.engine.world import World
from cti.errors import CtiError, LinkClosed
from cti.model import facts, intents
from cti.model.events import Event
from cti.model.ids import SwitchId
from cti.promise import Promise

BACKLOG_LIMIT: Final = 10_000
"""Events that one slow subscriber may have waiting; beyond it the oldest are dropped, counted and logged."""

_log = structlog.get_logger("cti.engine")


class Executor(Protocol):
    """What carries out the intents of one switch."""

    def execute(self, intent: intents.SwitchIntent) -> None:
        """Carry out an intent; must not block."""
        ...


class Subscription:
    """One subscriber: its own greenlet and backlog, so that it delays nobody but itself.

    Args:
        wanted: the event classes it wants; a class includes its subclasses.
        handler: called with each event, in order.
    """

    def __init__(self, wanted: tuple[type[Any], ...], handler: Callable[[Any], object]) -> None:
        self.wanted = wanted
        self._handler = handler
        self._backlog: deque[Event] = deque()
        self._due = gevent.event.Event()
        self._greenlet = gevent.spawn(self._run)
        self.dropped = 0

    def tell(self, event: Event) -> None:
        """Add an event to the backlog."""
        if len(self._backlog) >= BACKLOG_LIMIT:
            self._backlog.popleft()
            self.dropped += 1
            if self.dropped == 1 or self.dropped % BACKLOG_LIMIT == 0:
                _log.warning("a subscriber is too slow", handler=_name(self._handler), dropped=self.dropped)
        self._backlog.append(event)
        self._due.set()

    def cancel(self) -> None:
        """End it; what is in its backlog is not delivered."""
        self._greenlet.kill(block=False)

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            while self._backlog:
                event = self._backlog.popleft()
                try:
                    self._handler(event)
                except Exception:  # noqa: BLE001 - a host's own code may raise anything
                    _log.exception("a subscriber failed", handler=_name(self._handler), subject=type(event).__name__)


class EngineLoop:
    """Runs an engine.

    Args:
        engine: nobody else may touch it.
        on_event: called with every event before the subscribers are; must not block.
        clock: monotonic seconds.
    """

    def __init__(
        self, engine: Engine, *, on_event: Callable[[Event], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.engine = engine
        self.switches: dict[SwitchId, Executor] = {}
        self._on_event = on_event
        self._clock = clock
        self._inbox: deque[tuple[facts.Fact, Promise[None] | None]] = deque()
        self._draining = False
        self._stopped = False
        self._timers: dict[tuple[str, str], Any] = {}
        self._subscriptions: list[Subscription] = []
        self._table: dict[type, Callable[[Any], None]] = {
            intents.StartTimer: self._start_timer,
            intents.CancelTimer: self._cancel_timer,
            intents.Notify: self._notify,
        }

    def submit(self, fact: facts.Fact) -> None:
        """Hand in a fact. Never blocks; it is handled at once, or right after the one that is being handled."""
        self._inbox.append((fact, None))
        self._drain()

    def ask(self, fact: facts.Fact) -> None:
        """Hand in a request, and return when the engine has handled it.

        Raises:
            CtiError: the engine refuses it; nothing was changed.
            LinkClosed: the loop has been stopped.
        """
        if self._stopped:
            raise LinkClosed("the centre has been stopped")
        done: Promise[None] = Promise()
        self._inbox.append((fact, done))
        self._drain()
        done.wait()

    def subscribe(self, wanted: tuple[type[Any], ...], handler: Callable[[Any], object]) -> Subscription:
        """Call ``handler`` with every event of these classes, in a greenlet of its own."""
        subscription = Subscription(wanted, handler)
        self._subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription."""
        subscription.cancel()
        self._subscriptions.remove(subscription)

    def world_now(self) -> World:
        """All that the engine knows, with its clock at this moment: for looking at, and nothing else."""
        world = self.engine.world
        world.now = world.router.now = max(world.now, self.now())
        return world

    def now(self) -> float:
        """The engine's clock."""
        return self._clock()

    def arm(self, due: Iterable[tuple[facts.TimerFired, float]]) -> None:
        """Start timers that ran before this loop did, with what is left of them.

        Args:
            due: what each one fires, and when by the engine's clock; those that are overdue fire in this order, as soon
                as the caller of this waits for something.
        """
        now = self._clock()
        for fact, at in list(due):
            self._start_timer(intents.StartTimer(fact.kind, fact.key, fact.generation, max(0.0, at - now)))

    def stop(self) -> None:
        """End the loop and every subscription; the model stays as it is."""
        self._stopped = True
        while self._inbox:
            _, done = self._inbox.popleft()
            if done is not None:
                done.settle(LinkClosed("the centre has been stopped"))
        for timer in self._timers.values():
            timer.close()
        self._timers.clear()
        for subscription in self._subscriptions:
            subscription.cancel()

    def _drain(self) -> None:
        """Whoever hands in a fact runs the engine to the end of its inbox; nothing in here switches greenlets.

        Should a log handler of the host switch all the same, others only add to the inbox meanwhile.
        """
        if self._draining:
            return
        self._draining = True
        try:
            while self._inbox and not self._stopped:
                self._handle(*self._inbox.popleft())
        finally:
            self._draining = False

    def _handle(self, fact: facts.Fact, done: Promise[None] | None) -> None:
        try:
            wanted = self.engine.handle(fact, self._clock())
        except CtiError as error:
            if done is not None:
                done.settle(error)
            else:
                _log.error("a fact was refused", fact=type(fact).__name__, reason=str(error))
            return
        except Exception as error:  # noqa: BLE001 - a defect; the other calls must not notice
            _log.exception("the engine failed on a fact", fact=repr(fact))
            if done is not None:
                done.settle(error)
            return
        defect = self.engine.defect
        if defect is not None:
            _log.error("the engine failed on a fact", fact=repr(fact), exc_info=defect)
        for intent in wanted:
            try:
                self._carry_out(intent)
            except Exception:  # noqa: BLE001 - a defect of whoever follows the calls; timers and offers come after it
                _log.exception("an intent could not be carried out", intent=repr(intent))
        if done is not None:
            done.settle(defect)

    def _carry_out(self, intent: intents.Intent) -> None:
        handler = self._table.get(type(intent))
        if handler is not None:
            handler(intent)
            return
        assert not isinstance(intent, intents.StartTimer | intents.CancelTimer | intents.Notify)
        switch = self.switches.get(intent.switch)
        if switch is not None:
            switch.execute(intent)

    def _start_timer(self, intent: intents.StartTimer) -> None:
        self._cancel_timer(intents.CancelTimer(intent.kind, intent.key))
        timer = gevent.get_hub().loop.timer(intent.after_s)
        timer.start(self._fired, facts.TimerFired(intent.kind, intent.key, intent.generation))
        self._timers[intent.kind, intent.key] = timer

    def _fired(self, fact: facts.TimerFired) -> None:
        timer = self._timers.pop((fact.kind, fact.key), None)
        if timer is not None:
            timer.close()
        self.submit(fact)

    def _cancel_timer(self, intent: intents.CancelTimer) -> None:
        timer = self._timers.pop((intent.kind, intent.key), None)
        if timer is not None:
            timer.close()

    def _notify(self, intent: intents.Notify) -> None:
        self._on_event(intent.event)
        self.tell(intent.event)

    def tell(self, event: Any) -> None:
        """Tell the subscribers of something, which may be no event of the engine's. Never blocks."""
        for subscription in self._subscriptions:
            if isinstance(event, subscription.wanted):
                subscription.tell(event)


def _name(handler: Callable[..., object]) -> str:
    return getattr(handler, "__qualname__", repr(handler))

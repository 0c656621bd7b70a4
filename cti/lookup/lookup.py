"""Asks somebody who may be slow, wrong or gone, and always has an answer by the deadline."""

from __future__ import annotations

import copy
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from typing import Any, Final

import structlog
from attrs import frozen
from gevent.event import AsyncResult
from gevent.threadpool import ThreadPool

from cti.errors import ConfigurationError
from cti.lookup.breaker import Breaker
from cti.lookup.cache import Cache, key_of
from cti.lookup.figures import LookupFigures
from cti.script.secret import Secret

MOST_THREADS: Final = 200
LONGEST_DEADLINE_S: Final = 60.0
LARGEST: Final = 65_536
"""Bytes of an answer, or rows' worth of characters, that are looked at."""

_log = structlog.get_logger("cti.lookup")


class Nonsense(Exception):
    """What came is no answer; the message says why, without any of it."""


@frozen
class _Came:
    """What a thread brings back: it raises nothing, since gevent would print what it raised, data and all."""

    value: Any = None
    error: str = ""
    nonsense: bool = False


class Pending:
    """A question that has been put. ``wait`` may be called again."""

    def __init__(self, lookup: Lookup, key: Hashable, result: AsyncResult[_Came] | None, value: Any = None) -> None:
        self._lookup = lookup
        self._key = key
        self._result = result
        self._value = value
        self._until = time.monotonic() + lookup.deadline_s

    @property
    def left_s(self) -> float:
        """Seconds to the deadline; 0 when there is an answer."""
        return 0.0 if self._result is None else max(0.0, self._until - time.monotonic())

    def wait(self, seconds: float = math.inf) -> bool:
        """Block this greenlet for so long at the most; whether there is an answer. At the deadline there is."""
        if self._result is not None:
            came = self._result.wait(timeout=min(seconds, self.left_s))
            if came is not None or not self.left_s:
                self._result, self._value = None, self._lookup._judged(self._key, came)  # noqa: SLF001 - its own part
        return self._result is None

    @property
    def value(self) -> Any:
        """The answer, once ``wait`` has said that there is one; a copy, which may be changed."""
        return copy.deepcopy(self._value)


class Lookup(ABC):
    """A look-up; make one for each thing that is asked, and keep it.

    It blocks no greenlet but the asking one: each question runs in a thread of its own pool. At the deadline the asking
    script goes on with the fallback; the thread finishes later, and only then another question can have it. What it
    brings is still remembered, if there is a cache.

    Args:
        name: what it is called in logs.
        deadline_s: seconds after which the fallback is the answer.
        pool: threads, and so questions at the same time; when all are busy the fallback is the answer at once.
        cache_s: seconds for which an answer counts; 0 for not at all.
        fallback: the answer when there is none.
        expects: of which type an answer has to be; any other is nonsense.
        failures: so many failures in a row open the circuit breaker.
        pause_s: seconds for which nobody is asked then.

    Raises:
        ConfigurationError: one of them makes no sense.
    """

    def __init__(
        self,
        name: str,
        *,
        deadline_s: float = 2.0,
        pool: int = 20,
        cache_s: float = 0.0,
        fallback: Any = None,
        expects: type[Any] = dict,
        failures: int = 5,
        pause_s: float = 30.0,
    ) -> None:
        if not 0 < deadline_s <= LONGEST_DEADLINE_S:
            raise ConfigurationError(f"deadline_s is {deadline_s!r}; give more than 0 and at most 60 seconds")
        if not 1 <= pool <= MOST_THREADS or failures < 1:
            raise ConfigurationError(
                f"pool is {pool!r} and failures {failures!r}; give 1 to {MOST_THREADS}, and 1 or more"
            )
        if cache_s < 0 or pause_s < 0:
            raise ConfigurationError(f"cache_s is {cache_s!r} and pause_s {pause_s!r}; give seconds from 0 up")
        self.name = name
        self.deadline_s = deadline_s
        self.fallback = fallback
        self.figures = LookupFigures()
        self._expects = expects
        self._size = pool
        self._pool: ThreadPool | None = None
        self._cache = Cache(cache_s)
        self._breaker = Breaker(failures, pause_s)

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<{type(self).__name__} {self.name}: {self.figures}>"

    def ask(self, **parameters: object) -> Any:
        """The answer: what was found, None if there is none, or the fallback. Blocks until the deadline at the most.

        Args:
            parameters: what is asked; a Secret is shown to nobody but the other side.

        Raises:
            ConfigurationError: the question cannot be put like this.
        """
        pending = self.begin(**parameters)
        pending.wait()
        return pending.value

    def begin(self, **parameters: object) -> Pending:
        """Put a question, and do not wait for its answer. Never blocks; raises as ``ask``."""
        self._check(parameters)
        figures, now = self.figures, time.monotonic()
        figures.asked += 1
        key = key_of(parameters)
        cached = self._cache.get(key, now)
        if cached is not None:
            figures.cached += 1
            return Pending(self, key, None, cached[0])
        if figures.running >= self._size:
            figures.full += 1
            return Pending(self, key, None, self.fallback)
        if not self._breaker.lets_through(now):
            figures.skipped += 1
            return Pending(self, key, None, self.fallback)
        if self._pool is None:
            self._pool = ThreadPool(self._size)
        figures.running += 1
        result: AsyncResult[_Came] = self._pool.spawn(self._run, parameters)
        result.rawlink(lambda done: self._done(key, done))
        return Pending(self, key, result)

    def close(self) -> None:
        """End the threads, once they have finished. Blocks until then."""
        if self._pool is not None:
            self._pool.kill()
            self._pool = None

    @abstractmethod
    def _check(self, parameters: Mapping[str, object]) -> None:
        """Refuse a question that cannot be put, with a ConfigurationError; called in the asking greenlet."""

    @abstractmethod
    def _fetch(self, parameters: Mapping[str, object]) -> Any:
        """Ask; called in a thread, must end by itself some time. None when there is none.

        Raises:
            Nonsense: what came is no answer.
            Exception: there was no answer.
        """

    def _run(self, parameters: Mapping[str, object]) -> _Came:
        try:
            value = self._fetch(parameters)
        except Nonsense as wrong:
            return _Came(error=str(wrong), nonsense=True)
        except Exception as error:  # noqa: BLE001 - drivers raise what they like, and their messages hold data
            return _Came(error=type(error).__name__)
        if value is not None and not isinstance(value, self._expects):
            return _Came(error=f"a {type(value).__name__} instead of a {self._expects.__name__}", nonsense=True)
        return _Came(value)

    def _done(self, key: Hashable, result: AsyncResult[_Came]) -> None:
        """A thread is free again; told in the hub."""
        self.figures.running -= 1
        came = result.value
        if came is not None and not came.error:
            self._cache.put(key, came.value, time.monotonic())

    def _judged(self, _key: Hashable, came: _Came | None) -> Any:
        figures = self.figures
        if came is not None and not came.error:
            figures.answered += 1
            self._breaker.worked()
            return came.value
        self._breaker.failed(time.monotonic())
        if came is None:
            figures.late += 1
        elif came.nonsense:
            figures.nonsense += 1
        else:
            figures.failed += 1
        why = f"no answer within {self.deadline_s} s" if came is None else came.error
        _log.warning("a look-up has no answer", lookup=self.name, why=why)
        return self.fallback


def revealed(value: object) -> object:
    """A value as the other side gets it."""
    return value.reveal() if isinstance(value, Secret) else value

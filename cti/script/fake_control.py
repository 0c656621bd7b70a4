"""A caller who presses keys, speaks and hangs up as told, in virtual time: a Control without a switch."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Final

from attrs import frozen

from cti.errors import CallGone, CtiError
from cti.esl import Event
from cti.script.asking import SECRET
from cti.script.control import Running
from cti.script.keys import Keys

FILE_S: Final = 3.0
"""How long every file lasts."""
REACTION_S: Final = 0.5
"""From the moment the caller may speak or press to the first key."""
KEY_S: Final = 0.2
"""From one key to the next."""
PATIENCE_S: Final = 3600.0
"""A caller who is kept longer hangs up: a script that goes round for ever ends like this."""
STEPS: Final = 100_000
"""What a script may do without any time passing."""


@frozen
class Press:
    """Keys; ``early`` presses them into the prompt instead of after it."""

    keys: str
    early: bool = False


@frozen
class Speaks:
    """Words; where the script does not listen, they are wasted."""

    words: str


@frozen
class HangUp:
    """The caller hangs up, ``early`` in the middle of the prompt."""

    early: bool = False


Turn = str | Press | Speaks | HangUp
"""What the caller does when asked once more; a plain text is keys, and an empty one silence."""


class FakeControl:
    """A Control on nothing, with a clock of its own.

    Args:
        turns: what the caller does, question by question; afterwards they are silent.
        hang_up_s: when they hang up in any case.
        missing: prompts that are not there.
        lengths: how long a prompt lasts, in seconds, where it is not FILE_S.
        recognizes: whether there is a recognizer.
    """

    def __init__(
        self,
        turns: Iterable[Turn],
        *,
        hang_up_s: float = PATIENCE_S,
        missing: Collection[str] = (),
        lengths: Mapping[str, float] | None = None,
        recognizes: bool = True,
    ) -> None:
        self.keys = Keys()
        self.executed: list[tuple[str, str]] = []
        """Every application with its argument, in order."""
        self.variables: dict[str, str] = {}
        self.answered = False
        self.gone_because: str | None = None
        self._turns = iter(turns)
        self._turn: Press | Speaks | HangUp | None = None
        self._missing = frozenset(missing)
        self._lengths = lengths or {}
        self._recognizes = recognizes
        self._now = 0.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._number = itertools.count()
        self._running: Running | None = None
        self._recording_since = 0.0
        self._steps = 0
        self._later(hang_up_s, lambda: self.gone("NORMAL_CLEARING"))

    # -- what the verbs need ------------------------------------------------------------------------------------------

    def now(self) -> float:
        """See Control."""
        return self._now

    def check(self) -> None:
        """See Control."""
        self._steps += 1
        if self._steps > STEPS:
            raise AssertionError(f"the script does {STEPS} things without any time passing")
        if self.gone_because is not None:
            raise CallGone("fake", self.gone_because)

    def gone(self, cause: str) -> CtiError:
        """See Control."""
        if self.gone_because is None:
            self.gone_because = cause
            self.keys.flush()
        return CallGone("fake", self.gone_because)

    def start(self, application: str, argument: str, timeout: float) -> Running:  # noqa: ARG002 - everything ends
        """See Control."""
        self.check()
        self.executed.append((application, argument))
        running = Running(application)
        if application == "detect_speech":
            self._end(running)
            return running
        self._running = running
        if application == "read":
            self._read(running, argument)
        elif application == "play_and_detect_speech":
            self._listen(running, argument)
        elif application == "record":
            self._recording_since = self._now
        elif argument in self._missing:
            self._end(running, "FILE NOT FOUND")
        else:
            self._later(self._length(argument), lambda: self._end(running, "FILE PLAYED"))
        return running

    def wait(self, running: Running | None, *, key: bool, until: float) -> None:
        """See Control."""
        while True:
            self.check()
            if (running is not None and running.outcome is not None) or (key and self.keys):
                return
            if key:
                self._act(early=running is not None and running.application != "record")
            if not self._due or self._due[0][0] > until:
                self._pass(until)
                return
            at, _, happens = heapq.heappop(self._due)
            self._pass(at)
            happens()

    @property
    def recorded_s(self) -> float:
        """How long the recording has lasted that was begun last."""
        return self._now - self._recording_since

    def stop(self) -> None:
        """See Control."""
        if self._running is not None:
            self._end(self._running, "FILE PLAYED")

    def set_variable(self, name: str, value: str) -> None:
        """See Control."""
        self.check()
        if value:
            self.variables[name] = value
        else:
            self.variables.pop(name, None)

    def variable(self, name: str) -> str | None:
        """See Control."""
        self.check()
        return self.variables.get(name)

    def api(self, command: str, argument: str) -> str:
        """See Control; every module is there, and nothing else is known."""
        self.check()
        return "true" if command == "module_exists" else f"-ERR {command} {argument}: there is no switch"

    def answer(self) -> None:
        """See Control."""
        self.check()
        self.answered = True

    # -- the caller ---------------------------------------------------------------------------------------------------

    def asked(self) -> None:
        """The script asks once more: the caller's next turn."""
        turn = next(self._turns, None)
        self._turn = Press(turn) if isinstance(turn, str) else turn

    def _act(self, *, early: bool) -> None:
        turn = self._turn
        if turn is None or isinstance(turn, Speaks) or (early and not turn.early):
            return
        self._turn = None
        self._do(turn, REACTION_S)

    def _do(self, turn: Press | HangUp, seconds: float) -> None:
        if isinstance(turn, HangUp):
            self._later(seconds, lambda: self.gone("NORMAL_CLEARING"))
            return
        for number, one in enumerate(turn.keys):
            self._later(seconds + number * KEY_S, partial(self._press, one))

    def _press(self, key: str) -> None:
        self.keys.pressed(key, self._now)

    # -- the switch ---------------------------------------------------------------------------------------------------

    def _later(self, seconds: float, happens: Callable[[], object]) -> None:
        heapq.heappush(self._due, (self._now + seconds, next(self._number), happens))

    def _pass(self, at: float) -> None:
        if at > self._now:
            self._now, self._steps = at, 0

    def _length(self, prompt: str) -> float:
        return self._lengths.get(prompt, 1.0 if prompt.startswith(("tone_stream:", "silence_stream:")) else FILE_S)

    def _end(self, running: Running, response: str = "_none_", **variables: str) -> None:
        if running.outcome is None:
            if running.application == "record":
                variables["record_ms"] = str(round((self._now - self._recording_since) * 1000))
            pairs = [(f"variable_{name}", value) for name, value in variables.items()]
            running.outcome = Event([("Application-Response", response), *pairs])

    def _read(self, running: Running, argument: str) -> None:
        _, most, prompt, _, first_ms, terminators, between_ms = argument.split(" ")
        if prompt in self._missing:
            self._end(running)
            return
        turn, self._turn = self._turn, None
        keys = turn.keys if isinstance(turn, Press) else ""
        length_s = 0.0 if isinstance(turn, Press | HangUp) and turn.early else self._length(prompt)
        if isinstance(turn, HangUp):
            self._later(length_s + REACTION_S, lambda: self.gone("NORMAL_CLEARING"))
            return
        pressed, ended = "", ""
        for one in keys:
            if one in terminators:
                ended = one
                break
            pressed += one
            if len(pressed) >= int(most):
                break
        took_s = length_s + REACTION_S + KEY_S * len(pressed)
        if not ended and len(pressed) < int(most):
            took_s += int(between_ms if pressed else first_ms) / 1000
        found = {SECRET: pressed, "read_terminator_used": ended, "read_result": "success" if pressed else "timeout"}
        self._later(took_s, lambda: self._end(running, **{name: value for name, value in found.items() if value}))

    def _listen(self, running: Running, argument: str) -> None:
        if not self._recognizes:
            self._end(running, "ASR INIT ERROR")
            return
        length_s = self._length(argument.partition(" detect:")[0])
        turn, self._turn = self._turn, None
        if isinstance(turn, HangUp) or (isinstance(turn, Press) and turn.keys):
            self._do(turn, REACTION_S if turn.early else length_s + REACTION_S)  # a key ends it
            return
        found = {"detect_speech_result": turn.words} if isinstance(turn, Speaks) else {}
        self._later(length_s + (REACTION_S if found else 5.0), lambda: self._end(running, "DONE", **found))

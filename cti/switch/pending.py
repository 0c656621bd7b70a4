"""Commands that wait for their replies: one line, answered in order (mod_event_socket.c answers each before the next)."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from attrs import define

from cti.esl import Frame

Answer = Callable[[Frame | Exception], None]


@define
class Waiting:
    """One command in flight: what it was, its time in seconds, when that is up (monotonic), and whom to tell."""

    name: str
    timeout: float
    deadline: float
    answer: Answer


class Pending:
    """The commands of one connection that have no reply yet.

    A command's time begins when it is sent, and anew when its turn comes: until FreeSWITCH has answered the commands
    before it, nothing that it does not say tells anything about this one.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._line: deque[Waiting] = deque()

    def __len__(self) -> int:
        return len(self._line)

    def add(self, name: str, timeout: float, answer: Answer) -> None:
        """A command was sent; its reply may take ``timeout`` seconds."""
        self._line.append(Waiting(name, timeout, self._clock() + timeout, answer))

    def reply(self, frame: Frame) -> bool:
        """A reply came: the oldest command's. False if nobody asked for one."""
        line = self._line
        if not line:
            return False
        answered = line.popleft()
        if line:
            line[0].deadline = self._clock() + line[0].timeout
        answered.answer(frame)
        return True

    @property
    def oldest(self) -> Waiting | None:
        """The command whose reply is due next; its deadline is the only one that counts."""
        return self._line[0] if self._line else None

    def fail(self, error: Exception) -> None:
        """No reply will come any more: everybody who waits is told."""
        while self._line:
            self._line.popleft().answer(error)

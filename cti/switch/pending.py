"""Commands that wait for their replies: one line, answered in order (mod_event_socket.c answers each before the next)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import frozen

from cti.esl import Frame

Answer = Callable[[Frame | Exception], None]


@frozen
class Waiting:
    """One command in flight: what it was, when its time is up (monotonic), and whom to tell."""

    name: str
    deadline: float
    answer: Answer


class Pending:
    """The commands of one connection that have no reply yet."""

    def __init__(self) -> None:
        self._line: deque[Waiting] = deque()

    def __len__(self) -> int:
        return len(self._line)

    def add(self, name: str, deadline: float, answer: Answer) -> None:
        """A command was sent."""
        self._line.append(Waiting(name, deadline, answer))

    def reply(self, frame: Frame) -> bool:
        """A reply came: the oldest command's. False if nobody asked for one."""
        if not self._line:
            return False
        self._line.popleft().answer(frame)
        return True

    @property
    def oldest(self) -> Waiting | None:
        """The command whose reply is due next."""
        return self._line[0] if self._line else None

    def fail(self, error: Exception) -> None:
        """No reply will come any more: everybody who waits is told."""
        while self._line:
            self._line.popleft().answer(error)

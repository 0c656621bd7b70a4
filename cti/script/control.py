"""How verbs reach a call, whichever way it is controlled: the inbound link, the outbound socket, or no switch at all."""

from __future__ import annotations

from typing import Protocol

from cti.errors import CtiError
from cti.esl import Event
from cti.script.keys import Keys


class Running:
    """An application that a call executes; ``outcome`` is None until it has ended.

    Then it is FreeSWITCH's CHANNEL_EXECUTE_COMPLETE, or the error that ended the wait for it.
    """

    __slots__ = ("application", "outcome")

    def __init__(self, application: str) -> None:
        self.application = application
        self.outcome: Event | CtiError | None = None


class Control(Protocol):
    """One call, as the verbs need it.

    Every method raises CallGone when the caller is known to have hung up, and LinkClosed when the link is down.
    """

    keys: Keys
    """What the caller pressed."""

    def now(self) -> float:
        """Monotonic seconds. Never raises."""
        ...

    def check(self) -> None:
        """Raise CallGone when the caller has hung up. Never blocks."""
        ...

    def gone(self, cause: str) -> CtiError:
        """The caller has hung up; whoever waits is told. Returns the error to raise. Never blocks."""
        ...

    def start(self, application: str, argument: str, timeout: float) -> Running:
        """Have the call execute an application, which may run for ``timeout`` seconds."""
        ...

    def wait(self, running: Running | None, *, key: bool, until: float) -> None:
        """Block until ``running`` has ended, a key is there (if ``key``), or the time ``until`` has come."""
        ...

    def stop(self) -> None:
        """End the application that plays or records."""
        ...

    def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable; an empty value takes it away."""
        ...

    def variable(self, name: str) -> str | None:
        """A channel variable; None when it is not set."""
        ...

    def api(self, command: str, argument: str) -> str:
        """Run an api command of the switch and return what it printed."""
        ...

    def answer(self) -> None:
        """Answer the call; harmless when it is answered already."""
        ...

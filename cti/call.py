"""A call in the hands of a script: plain blocking verbs, one greenlet a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from cti.errors import CallGone, CommandRejected, UnknownInteraction
from cti.model import events, facts
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId
from cti.promise import Promise

if TYPE_CHECKING:
    from cti.engine_loop import EngineLoop
    from cti.switch import FreeSwitch

_MISSING: Final = ("FILE NOT FOUND", "INVALID")


@frozen
class QueueOutcome:
    """How a call left the queue.

    ``answered``: with ``agent``; else it was diverted to ``destination`` (a queue's overflow).
    """

    answered: bool
    waited_s: float
    queue: QueueId | None
    agent: AgentId | None = None
    destination: str = ""


class Call:
    """One incoming call, for the script that handles it.

    Every verb raises CallGone when the caller has hung up, before or while it waits. Verbs block the script's
    greenlet and nobody else's. Scripts get calls; they do not make them.
    """

    def __init__(self, offered: events.Offered, channel: ConnectionId, switch: FreeSwitch, loop: EngineLoop) -> None:
        self.id: InteractionId = offered.interaction
        self.channel = channel
        """The switch's id of the caller's leg, for what the verbs do not offer."""
        self.calling_number = offered.calling_number
        self.calling_name = offered.calling_name
        self.called_number = offered.called_number
        self.data: dict[str, Any] = dict(offered.data)
        """Attached data; change it with ``attach``."""
        self._switch = switch
        self._loop = loop
        self._gone_because: str | None = None
        self._queued: Promise[QueueOutcome] | None = None

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<Call {self.id} from {self.calling_number!r} to {self.called_number!r}>"

    @property
    def is_gone(self) -> bool:
        """Whether the caller has hung up."""
        return self._gone_because is not None

    def answer(self) -> None:
        """Answer the call; harmless when it is answered already. Blocks until the switch has taken it (1-2 ms).

        Raises:
            CallGone: the caller hung up.
        """
        self._check()
        reply = self._switch.api("uuid_answer", self.channel)
        if reply.startswith("-ERR"):
            raise self._gone(reply.strip())

    def play(self, prompt: str, *, timeout: float = 3600.0) -> None:
        """Play a prompt to its end: a file, ``tone_stream://...``, ``local_stream://...``, ``silence_stream://...``.

        Blocks until it has ended. An unanswered caller hears it as early media where the carrier lets it through.

        Args:
            prompt: what to play, as FreeSWITCH's playback application takes it.
            timeout: seconds after which JobTimeout is raised; the prompt plays on.

        Raises:
            CallGone: the caller hung up.
            CommandRejected: the switch has no such file.
            JobTimeout: it did not end in time.
        """
        self._check()
        try:
            done = self._switch.run(self.channel, "playback", prompt, timeout=timeout)
        except CallGone as gone:
            raise self._gone(gone.cause) from None
        response = done.text("Application-Response") or ""
        if response.startswith(_MISSING):
            raise CommandRejected(f"playback {prompt}", response)
        self._check()

    def queue(self, queue: str, *, priority: int = 0, data: Mapping[str, Any] | None = None) -> QueueOutcome:
        """Put the call into a queue and wait there with it. Answers the call if it is not answered.

        Blocks until an agent has it, or it overflows out of the centre. A script may return right after; the
        conversation goes on without it.

        Args:
            queue: the queue's id.
            priority: added to the queue's own; the higher goes first. Among equals the older goes first.
            data: attached to the call before anybody is offered it.

        Returns:
            Who answered and after what wait, or where it was diverted to.

        Raises:
            UnknownQueue: there is no such queue; the call stays with the script.
            InvalidConnection: it is with an agent already.
            CallGone: the caller hung up while waiting, or the queue's overflow ended the call.
        """
        self._check()
        result: Promise[QueueOutcome] = Promise()
        self._queued = result
        self._ask(facts.QueueRequested(self.id, QueueId(queue), priority, dict(data or {})))
        return result.wait()

    def attach(self, **data: Any) -> None:
        """Attach data to the call: whoever gets it sees it. A value of None takes a key away.

        Raises:
            CallGone: the caller hung up.
        """
        self._ask(facts.DataAttached(self.id, data))
        for key, value in data.items():
            if value is None:
                self.data.pop(key, None)
            else:
                self.data[key] = value

    def divert(self, destination: str) -> None:
        """Send the call to a number of the switch's dialplan, out of the centre. The script's work on it ends.

        Raises:
            CallGone: the caller hung up.
            InvalidConnection: it is with an agent.
        """
        self._ask(facts.DivertRequested(self.id, destination))

    def hang_up(self, cause: Cause = Cause.NORMAL_CLEARING) -> None:
        """End the call; harmless when it has ended."""
        self._loop.ask(facts.ClearRequested(self.id, cause))

    # -- told by the centre, in the engine's greenlet -------------------------------------------------------------

    def _told(self, event: events.CallEvent) -> None:
        outcome: QueueOutcome | CallGone | None = None
        if isinstance(event, events.Established):
            outcome = QueueOutcome(True, event.waited_s, event.queue, event.agent)
        elif isinstance(event, events.CallCleared) and event.state == "diverted":
            self._gone_because = "diverted"
        elif isinstance(event, events.ConnectionCleared) and event.side == "caller":
            self._gone_because = event.switch_cause or event.cause.csta_name
            outcome = self._gone(self._gone_because)
        elif isinstance(event, events.CallCleared):
            self._gone_because = self._gone_because or event.cause.csta_name
            outcome = self._gone(self._gone_because)
        elif isinstance(event, events.Diverted) and event.destination:
            outcome = QueueOutcome(False, 0.0, event.queue, destination=event.destination)
        if outcome is not None and self._queued is not None:
            self._queued.settle(outcome)

    def _ask(self, request: facts.Fact) -> None:
        self._check()
        try:
            self._loop.ask(request)
        except UnknownInteraction:
            raise self._gone("") from None

    def _check(self) -> None:
        if self._gone_because is not None:
            raise self._gone(self._gone_because)

    def _gone(self, cause: str) -> CallGone:
        return CallGone(self.id, cause)

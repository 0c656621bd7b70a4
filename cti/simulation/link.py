"""One event-socket connection to a simulated switch: the real bytes, no socket, virtual time."""

from __future__ import annotations

from collections.abc import Callable

from cti.errors import CommandTimeout, ConnectFailed, LinkClosed, LinkError, RemoteProtocolError
from cti.esl import AUTH_REQUEST, DISCONNECT_NOTICE, RUDE_REJECTION, Command, Decoder, Event, Frame
from cti.sim import Handle, Scheduler, Session
from cti.simulation.trouble import Trouble
from cti.switch.pending import Answer, Pending
from cti.switch.timing import REPLY_TIMEOUT_S


class VirtualLink:
    """What Link is over a socket: commands are answered in order, each has a deadline, all fail when the link ends.

    Args:
        session: a new connection of the simulated switch.
        scheduler: time.
        on_greeting: called once with the content type of the switch's first frame.
        on_event: takes each event, in order; none after the end of the link.
        trouble: what may happen to events on their way; None for nothing.
        on_closed: called once when the link has ended, with the reason, after all waiting commands were told.
        connect_timeout_s: how long the switch may take to greet.
    """

    def __init__(
        self,
        session: Session,
        scheduler: Scheduler,
        *,
        on_greeting: Callable[[str], None],
        on_event: Callable[[Event], object],
        on_closed: Callable[[Exception], None],
        trouble: Trouble | None,
        connect_timeout_s: float,
    ) -> None:
        self._session = session
        self._scheduler = scheduler
        self._on_greeting, self._on_event, self._on_closed = on_greeting, on_event, on_closed
        self._trouble = trouble
        self._decoder = Decoder()
        self._pending = Pending(scheduler.now)
        self._watch: Handle | None = None
        self._greeting: Handle | None = scheduler.call_later(connect_timeout_s, self._not_greeted)
        self.closed_by: Exception | None = None
        self.stuck = False
        """Set by whoever wants the switch to answer no more: what is sent from now on does not get there."""
        session.on_send = self._received
        session.on_close = self._hung_up

    @property
    def connected(self) -> bool:
        """Whether it has not ended."""
        return self.closed_by is None

    def submit(self, command: Command, answer: Answer) -> None:
        """Send a command; ``answer`` gets the reply, or the error that ended the wait.

        Raises:
            LocalProtocolError: the command cannot be sent.
        """
        encoded = command.encode()
        if self.closed_by is not None:
            answer(self.closed_by)
            return
        self._pending.add(type(command).__name__, REPLY_TIMEOUT_S, answer)
        if self._watch is None:
            self._watch = self._scheduler.call_later(REPLY_TIMEOUT_S, self._look)
        if not self.stuck:
            self._session.receive(encoded)

    def close(self, reason: Exception) -> None:
        """End the link; every waiting command fails with the reason. Harmless when it has ended."""
        if self.closed_by is not None:
            return
        self.closed_by = reason
        for handle in (self._watch, self._greeting):
            if handle is not None:
                handle.cancel()
        self._session.close()
        self._pending.fail(reason)
        self._on_closed(reason)

    def _received(self, data: bytes) -> None:
        try:
            for frame in self._decoder.feed(data):
                if self.closed_by is not None:
                    return
                if frame.event is None:
                    self._take(frame)
                elif self._trouble is None:
                    self._on_event(frame.event)
                else:
                    self._trouble.pass_on(frame.event, self._deliver)
        except (LinkError, RemoteProtocolError) as error:
            self.close(error)

    def _deliver(self, event: Event) -> None:
        if self.closed_by is None:
            self._on_event(event)

    def _take(self, frame: Frame) -> None:
        kind = frame.content_type
        if kind in (AUTH_REQUEST, RUDE_REJECTION):
            if self._greeting is not None:
                self._greeting.cancel()
                self._greeting = None
            self._on_greeting(kind)
        elif kind == DISCONNECT_NOTICE:
            self.close(LinkClosed("the switch ended the connection"))
        elif not self._pending.reply(frame):
            raise RemoteProtocolError("unsolicited-reply", frame.reply_text)

    def _hung_up(self) -> None:
        self.close(LinkClosed("the switch closed the connection"))

    def _not_greeted(self) -> None:
        self.close(ConnectFailed("the switch accepted us and said nothing"))

    def _look(self) -> None:
        """Whether the oldest command's time is up; one timer looks after all of them."""
        self._watch = None
        oldest = self._pending.oldest
        if oldest is None:
            return
        left_s = oldest.deadline - self._scheduler.now()
        if left_s <= 0:
            self.close(CommandTimeout(f"no reply to {oldest.name} in time"))
        else:
            self._watch = self._scheduler.call_later(left_s, self._look)

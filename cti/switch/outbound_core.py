"""One call that FreeSWITCH hands to us by its ``socket`` application: its commands, and how it ends.

The rules it keeps to (``mod_event_socket.c``): ``connect`` goes first, since the reply to any other first command is
never sent; without ``full`` only a few commands exist; an application's end is told apart by the id we gave it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Final, Literal, overload

import gevent
import gevent.event

from cti.errors import CallGone, CommandRejected, CtiError, LinkClosed, LinkError, RemoteProtocolError
from cti.esl import (
    DISCONNECT_NOTICE,
    Api,
    BgApi,
    Command,
    Connect,
    Event,
    EventFormat,
    Execute,
    Exit,
    Frame,
    HangUp,
    Linger,
    MyEvents,
    Resume,
    Subscribe,
)
from cti.promise import Promise
from cti.switch.accepted import AcceptedLink
from cti.switch.awaited import Awaited
from cti.switch.gevent_timer import GeventTimer
from cti.switch.timing import REPLY_TIMEOUT_S

CONNECT_TIMEOUT_S: Final = 10.0
"""FreeSWITCH answers ``connect`` at once; whoever does not answer it in this time is no FreeSWITCH."""
APPLICATION_TIMEOUT_S: Final = 3600.0
"""How long an application may run when its caller does not say."""
CAUSE_S: Final = 1.0
"""FreeSWITCH's notice of the end may overtake the hang-up event of a lingering session, which alone says the cause
[live]; the event is a few milliseconds behind, and this is how long we wait for it."""
LEAVE_S: Final = 2.0
"""FreeSWITCH closes after ``exit`` when this session's ``bgapi`` jobs are done; this is how long we wait for it."""

Mode = Literal["async", "static"]


class SessionCore:
    """A call in the hands of a script. Its verbs block the greenlet that calls them, and no other.

    When the caller hangs up, whoever waits in a verb gets CallGone, and every later verb raises it: by the hang-up
    event, by an application that ended with the call, by FreeSWITCH's notice, or by the end of the connection,
    whichever comes first.

    In ``static`` mode (the dialplan says no ``async``) FreeSWITCH executes one command at a time and answers it when it
    is done, so ``execute`` blocks for as long as the application runs even without ``wait``.

    Args:
        sock: the socket FreeSWITCH connected to; closed with the session.
        address: where it comes from.
        on_event: called with every event, in the reading greenlet; must not block.
    """

    def __init__(self, sock: Any, address: Any, *, on_event: Callable[[Event], None] | None = None) -> None:
        self.on_event = on_event
        self.channel = Event()
        """Every header of the channel at the time of ``connect``."""
        self.uuid = ""
        self.mode: Mode = "async"
        self.full = False
        """Whether FreeSWITCH takes every command (``Control: full``) or only those about this call."""
        self.cause = ""
        """The hang-up cause, once the call is gone and when it is known."""
        self._left = False
        self._hears = False
        self._hears_jobs = False
        self._awaited = Awaited(GeventTimer)
        self._gone = gevent.event.Event()
        self._over = gevent.event.Event()
        self._link = AcceptedLink(sock, address, on_event=self._take, on_closed=self._closed)
        self._link.start_event_handlers()

    def __repr__(self) -> str:
        """One line for a log; no number is in it."""
        state = "over" if self._over.is_set() else "gone" if self.gone else self.mode
        return f"<{type(self).__name__} {self.uuid or 'not connected'} {state}{', full' if self.full else ''}>"

    # -- the session's life ---------------------------------------------------------------------------------------

    def connect(self, timeout: float = CONNECT_TIMEOUT_S) -> Event:
        """Take the call and return the channel's data; the second time only the latter. Blocks this greenlet.

        Raises:
            CallGone: the caller had hung up already.
            CommandTimeout: no answer in ``timeout`` seconds; the session is over.
            RemoteProtocolError: what answers is no FreeSWITCH.
        """
        if self.uuid:
            return self.channel
        reply = self.request(Connect(), timeout=timeout)
        if reply.event is None:
            error = RemoteProtocolError("not-an-outbound-socket", "connect was not answered with a channel")
            self._link.close(error)
            raise error
        self.channel = reply.event
        self.mode = "static" if self.channel.text("Socket-Mode") == "static" else "async"
        self.full = self.channel.text("Control") == "full"
        self.uuid = self.channel.text("Unique-ID") or self.channel.text("Channel-Unique-ID") or ""
        return self.channel

    def myevents(self, format: EventFormat = "json") -> None:  # noqa: A002 - FreeSWITCH's own word
        """Have this call's events sent (``on_event``); ``execute(wait=True)`` does it by itself. Blocks this greenlet."""
        if not self._hears:
            self._hears = True
            self._command(MyEvents(format=format))

    def linger(self, seconds: int | None = None) -> None:
        """Keep the connection after hang-up, so that the last events come. Needs ``full``. Blocks this greenlet.

        Args:
            seconds: for how long; None for as long as the script stays.
        """
        self._need_full("linger")
        self._command(Linger(seconds))

    def resume(self) -> None:
        """Have the dialplan go on when this session ends, instead of the call. Blocks this greenlet."""
        self._command(Resume())

    def leave(self, timeout: float = LEAVE_S) -> None:
        """End the session in order: FreeSWITCH has read all we sent when this returns. Blocks this greenlet.

        The call ends with it unless ``resume`` was called, or an application still runs on it.
        """
        if self._link.connected:
            self._left = True
            self._link.submit(Exit().encode(), lambda _: None, timeout=timeout)
            self._over.wait(timeout)
        self.close()

    def close(self) -> None:
        """End the session at once; whoever waits in it is told LinkClosed. Never blocks; harmless when it is over."""
        self._left = True
        self._link.close()

    @property
    def gone(self) -> bool:
        """Whether the caller has hung up, or the session is over."""
        return self._gone.is_set()

    @property
    def over(self) -> bool:
        """Whether the connection has ended; no event comes any more."""
        return self._over.is_set()

    def raise_if_gone(self) -> None:
        """Raise CallGone when the caller has hung up."""
        if self.gone:
            raise CallGone(self.uuid, self.cause)

    def wait_gone(self, timeout: float) -> bool:
        """Wait for the caller to hang up; whether that happened in ``timeout`` seconds. Blocks this greenlet."""
        return bool(self._gone.wait(timeout))

    def wait_over(self, timeout: float) -> bool:
        """Wait for the last event of a lingering session; whether it came in ``timeout`` seconds. Blocks this greenlet."""
        return bool(self._over.wait(timeout))

    # -- commands -------------------------------------------------------------------------------------------------

    def request(self, command: Command, *, timeout: float = REPLY_TIMEOUT_S) -> Frame:
        """Send any command and return its reply, refusals included. Blocks this greenlet.

        Raises:
            CallGone: the session ended, or had ended.
            LinkClosed: the same, because we left.
            CommandTimeout: no reply in ``timeout`` seconds; the session is over, since a late one could not be told
                from the next one's.
            LocalProtocolError: the command cannot be sent; nothing was.
        """
        try:
            return self._link.request(command.encode(), timeout=timeout)
        except LinkError as error:
            if isinstance(error, LinkClosed) and not self._left:
                raise CallGone(self.uuid, self.cause) from error
            raise

    def api(self, command: str, arg: str = "", *, timeout: float = REPLY_TIMEOUT_S) -> str:
        """Run an api command and return what it printed. Needs ``full``; works after hang-up, too. Blocks this greenlet.

        Raises:
            CommandRejected: the session is not ``full``.
            CallGone, LinkClosed, CommandTimeout: as for ``request``.
        """
        self._need_full("api")
        return self.request(Api(command, arg), timeout=timeout).text

    def bgapi(self, command: str, arg: str = "", *, timeout: float = 60.0) -> str:
        """Run an api command in FreeSWITCH's background and return what it printed. Needs ``full``. Blocks this greenlet.

        Raises:
            JobTimeout: the job did not report in ``timeout`` seconds; it may still be running.
            CommandRejected: the session is not ``full``, or the job was refused.
            CallGone, LinkClosed, CommandTimeout: as for ``request``.
        """
        self._need_full("bgapi")
        if not self._hears_jobs:
            self._hears_jobs = True
            self._command(Subscribe(("BACKGROUND_JOB",)), even_gone=True)
        job = str(uuid.uuid4())
        result: Promise[Event] = Promise()
        self._awaited.add(job, f"bgapi {command}", result.settle, timeout=timeout)
        try:
            self._command(BgApi(command, arg, job_uuid=job), even_gone=True)
            return result.wait().body or ""
        finally:
            self._awaited.drop(job)

    @overload
    def execute(
        self, app: str, arg: str = "", *, wait: Literal[True], timeout: float = ..., loops: int = ..., lock: bool = ...
    ) -> Event: ...
    @overload
    def execute(
        self,
        app: str,
        arg: str = "",
        *,
        wait: Literal[False] = ...,
        timeout: float = ...,
        loops: int = ...,
        lock: bool = ...,
    ) -> None: ...
    def execute(
        self,
        app: str,
        arg: str = "",
        *,
        wait: bool = False,
        timeout: float = APPLICATION_TIMEOUT_S,
        loops: int = 1,
        lock: bool = False,
    ) -> Event | None:
        """Have the channel execute a dialplan application. Blocks this greenlet.

        Args:
            app: its name.
            arg: its argument, in which FreeSWITCH expands ``${...}`` (``cti.esl.application_argument``).
            wait: whether to wait for its end and return its CHANNEL_EXECUTE_COMPLETE; otherwise only for FreeSWITCH's
                word that it has it.
            timeout: seconds it may run.
            loops: how often, -1 for ever.
            lock: have it end before the next command's begins.

        Raises:
            CallGone: the caller hung up.
            CommandRejected: FreeSWITCH refused it.
            JobTimeout: it had not ended in time and may still run (``static`` mode: CommandTimeout, and the session
                is over).
        """
        self.raise_if_gone()
        executed = str(uuid.uuid4())
        command = Execute(None, app, arg, event_uuid=executed, loops=loops, event_lock=lock)
        reply_in = REPLY_TIMEOUT_S + (timeout if self.mode == "static" else 0.0)
        if not wait:
            self._command(command, timeout=reply_in)
            return None
        self.myevents()
        result: Promise[Event] = Promise()
        self._awaited.add(executed, f"application {app}", result.settle, timeout=timeout, channel=self.uuid)
        try:
            self._command(command, timeout=reply_in)
            return result.wait()
        finally:
            self._awaited.drop(executed)

    def hangup(self, cause: str = "NORMAL_CLEARING") -> None:
        """Hang up: at once when ``full``, else after what is being executed. Harmless when gone. Blocks this greenlet."""
        if self.gone:
            return
        # In static mode FreeSWITCH reads nothing while it executes, so neither form is faster there.
        command = Api(f"uuid_kill {self.uuid} {cause}") if self.full else HangUp(cause=cause)
        self.request(command)

    # -- what comes in --------------------------------------------------------------------------------------------

    def _command(self, command: Command, *, timeout: float = REPLY_TIMEOUT_S, even_gone: bool = False) -> None:
        if not even_gone:
            self.raise_if_gone()
        reply = self.request(command, timeout=timeout)
        if not reply.ok:
            refusal = reply.error or ""
            if "invalid session id" in refusal:
                raise CallGone(self.uuid, self.cause)
            raise CommandRejected(type(command).__name__, refusal)

    def _need_full(self, what: str) -> None:
        if not self.full:
            raise CommandRejected(what, "this session is not `full`: add the word to the dialplan's socket application")

    def _take(self, frame: Frame) -> None:
        event = frame.event
        if event is None:
            if frame.content_type == DISCONNECT_NOTICE and not self._left:
                if self._hears and frame.lingering:
                    gevent.spawn_later(CAUSE_S, self._end, "")
                else:
                    self._end("")
            return
        name = event.name
        if name == "BACKGROUND_JOB":
            self._awaited.came(event.text("Job-UUID") or "", event)
        elif event.text("Unique-ID") == self.uuid:
            self._note(name, event)
        if self.on_event is not None:
            self.on_event(event)

    def _note(self, name: str, event: Event) -> None:
        if name in ("CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE"):
            self._end(event.text("Hangup-Cause") or "")
        elif name == "CHANNEL_EXECUTE_COMPLETE":
            # An application that the hang-up ended reports before the hang-up does [live].
            if event.text("Answer-State") == "hangup":
                self._end(event.text("Hangup-Cause") or "")
            self._awaited.came(event.text("Application-UUID") or "", event)

    def _end(self, cause: str) -> None:
        """The caller is gone; who waits for something on the call is told. Jobs and replies still come."""
        self.cause = self.cause or cause
        self._gone.set()
        self._awaited.channel_gone(self.uuid, self.cause)

    def _closed(self, reason: LinkError | RemoteProtocolError) -> None:
        outcome: CtiError = reason
        if isinstance(reason, LinkClosed) and not self._left:
            outcome = CallGone(self.uuid, self.cause)
        self._gone.set()
        self._awaited.fail(outcome)
        self._over.set()

"""FreeSWITCH's event socket as one thing that stays up: a link for events, a link for commands, and who waits on them."""

from __future__ import annotations

import random
import re
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Final

import gevent
import gevent.event
import structlog

from cti.errors import AccessDenied, AuthenticationFailed, CallGone, CommandRejected, CtiError, LinkClosed, SwitchTooOld
from cti.esl import Api, BgApi, Command, Event, Execute, Filter, Frame, Subscribe
from cti.promise import Promise
from cti.switch.awaited import Awaited, Told
from cti.switch.awake import Awake
from cti.switch.backoff import BackOff
from cti.switch.canary import SUBCLASS
from cti.switch.gevent_timer import GeventTimer
from cti.switch.link import Link
from cti.switch.pulse import Pulse
from cti.switch.timing import REPLY_TIMEOUT_S, Timing

OLDEST: Final = (1, 10)
"""The oldest FreeSWITCH supported: before 1.10, events lack headers we rely on."""
FINAL: Final = (AuthenticationFailed, AccessDenied, SwitchTooOld)
"""Errors that no second attempt mends."""

_OURS: Final = ("CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP", "BACKGROUND_JOB", "HEARTBEAT")
_VERSION: Final = re.compile(r"FreeSWITCH Version (\d+)\.(\d+)")


class EventSocket:
    """Keeps two links to a FreeSWITCH up and subscribed, and says when events may have been missed.

    Whenever the links are up again, ``on_up`` is called before anything else: what happened meanwhile has to be asked
    for then. ``on_lost`` and the ``on_up`` after it bracket the gap; there is no other.

    Args:
        host: the event socket's name or address, IPv4 or IPv6.
        port: its port.
        password: its password; never shown in a log or a repr.
        on_event: takes each event, in order; called in the reading greenlet, must not block. The events of waiting
            verbs (jobs, ends of applications), heartbeats and canaries are among them only if ``names`` lists them.
        on_connecting: called when an attempt begins.
        on_up: called when both links are up and subscribed, with whether FreeSWITCH was restarted since; may block and
            use ``api``; events may come to ``on_event`` meanwhile.
        on_lost: called when the links are down, after every wait on them has ended with LinkClosed.
        names: the events to subscribe to.
        subclasses: the ``CUSTOM`` subclasses to subscribe to.
        doorbell: ``host:port`` where FreeSWITCH sends a datagram with each urgent event; empty for none. See Doorbell.
        timing: every wait; see Timing.
        chance: the back-off's jitter.
    """

    def __init__(
        self,
        host: str,
        port: int,
        password: str,
        *,
        on_event: Callable[[Event], object],
        on_connecting: Callable[[], object] = lambda: None,
        on_up: Callable[[bool], object] = lambda _: None,
        on_lost: Callable[[], object] = lambda: None,
        names: Iterable[str] = (),
        subclasses: Iterable[str] = (),
        doorbell: str = "",
        timing: Timing | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._address = (host, port)
        self._password = password
        self._on_event = on_event
        self._on_connecting, self._on_up, self._on_lost = on_connecting, on_up, on_lost
        self._names = frozenset(names)
        self._subclasses = frozenset(subclasses)
        self.timing = timing or Timing()
        self._back_off = BackOff(*self.timing.back_off_s, chance)
        self._filters: list[Filter] = []
        self._events: Link | None = None
        self._commands: Link | None = None
        self._pulse: Pulse | None = None
        self._lost = gevent.event.Event()
        self._lost_by: Exception | None = None
        self._core = ""
        self._awake = Awake(self._nudge, self.timing.warm_s, doorbell)
        self._keeper: gevent.Greenlet[..., None] | None = None
        self._log = structlog.get_logger("cti.switch").bind(switch=f"{host}:{port}")
        self.awaited = Awaited(GeventTimer)
        """Who waits for a job or an application to end."""
        self.version = ""
        self.failed: gevent.event.AsyncResult[None] = gevent.event.AsyncResult()
        """Ends with the error when the links fail for good (a password changed, say)."""

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<EventSocket {self.version or 'not connected'}: {self._events}, {self._commands}>"

    # -- the links' life ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect, and from then on keep the links up. Blocks until ``on_up`` has returned, or refused.

        Raises:
            ConnectFailed: nothing answers there. Nothing is retried.
            AccessDenied: the access list refuses our address.
            AuthenticationFailed: the password is wrong.
            SwitchTooOld: it is older than 1.10.
        """
        self._awake.open()
        try:
            self._connect()
        except CtiError:
            self._disconnect()
            raise
        self._keeper = gevent.spawn(self._keep)

    def keep_trying(self) -> None:
        """Where ``start`` has found nobody: try again and again, as after the loss of the links. Never blocks."""
        if self._keeper is None:
            self._keeper = gevent.spawn(self._keep)

    def stop(self) -> None:
        """Close the links. Whoever waits on them is told LinkClosed. Blocks for an instant at most."""
        if self._keeper is not None:
            self._keeper.kill()
            self._keeper = None
        self._disconnect()
        self._awake.close()

    @property
    def doorbell_rings(self) -> bool:
        """Whether the doorbell has rung for what came last; False where there is none."""
        return self._awake.rings

    @property
    def connected(self) -> bool:
        """Whether both links are up."""
        return all(link is not None and link.connected for link in (self._events, self._commands))

    @property
    def connected_for_commands(self) -> bool:
        """Whether commands can be sent, be there events or not."""
        return self._commands is not None and self._commands.connected

    @property
    def lag_s(self) -> float:
        """How late events are, in seconds: the longest delay of the last ten canaries; 0 without a link."""
        return self._pulse.canary.lag_s if self._pulse is not None else 0.0

    @property
    def sessions(self) -> int | None:
        """How many channels FreeSWITCH had at its last HEARTBEAT; None before the first."""
        return self._pulse.heartbeat.sessions if self._pulse is not None else None

    def _keep(self) -> None:
        while True:
            if self.connected:
                since = time.monotonic()
                self._lost.wait()
                self._back_off.was_up(time.monotonic() - since)
                self._log.warning("link lost", reason=str(self._lost_by))
            self._disconnect()
            gevent.sleep(self._back_off.wait_s())
            try:
                self._connect()
            except FINAL as error:
                self._disconnect()
                self._log.error("link failed for good", reason=str(error))
                self.failed.set_exception(error)
                return
            except CtiError as error:
                self._log.info("link not back yet", reason=str(error))
            except Exception:  # noqa: BLE001 - a host's on_up may raise anything, and the links must be kept up
                self._log.exception("link not back yet")

    def _connect(self) -> None:
        self._lost.clear()
        self._on_connecting()
        patience = self.timing.connect_timeout_s
        self._commands = commands = Link(*self._address, self._password, patience, on_closed=self._closed)
        commands.connect()
        self._check_version(commands)
        core = commands.request(Api("global_getvar core_uuid").encode()).text.strip()
        self._events = events = Link(
            *self._address, self._password, patience, on_event=self._take, on_closed=self._closed
        )
        events.connect()
        subscription = Subscribe(sorted({*_OURS, *self._names}), sorted({SUBCLASS, *self._subclasses}))
        for command in (subscription, *self._filters):
            _accepted(command, events.request(command.encode()))
        self._pulse = Pulse(events, commands, self.timing)
        restarted, self._core = bool(self._core) and core != self._core, core
        self._on_up(restarted)
        for link in (commands, events):
            if link.closed_by is not None:
                raise link.closed_by
        self._log.info("link up", version=self.version)

    def _disconnect(self) -> None:
        self._awake.rest()
        if self._pulse is not None:
            self._pulse.stop()
        for link in (self._events, self._commands):
            if link is not None:
                link.close()
        self._events = self._commands = self._pulse = None
        self.awaited.fail(LinkClosed(f"the link to {self._address[0]}:{self._address[1]} is down: {self._lost_by}"))
        self._on_lost()

    def _closed(self, reason: Exception) -> None:
        if not self._lost.is_set():
            self._lost_by = reason
        self._lost.set()

    def _check_version(self, link: Link) -> None:
        answer = link.request(Api("version").encode()).text
        found = _VERSION.search(answer)
        self.version = found.group(0) if found else answer.strip()
        if not found or (int(found.group(1)), int(found.group(2))) < OLDEST:
            raise SwitchTooOld(
                f"{self._address[0]}:{self._address[1]} is {self.version or 'of unknown version'!r}; "
                f"FreeSWITCH {OLDEST[0]}.{OLDEST[1]} or newer is needed"
            )

    # -- events ---------------------------------------------------------------------------------------------------

    def _take(self, frame: Frame) -> None:
        event = frame.event
        if event is None:
            return
        name = event.name
        self._awake.came(name)
        if name == "BACKGROUND_JOB":
            self.awaited.came(event.text("Job-UUID") or "", event)
        elif name == "CHANNEL_EXECUTE_COMPLETE":
            self.awaited.came(event.text("Application-UUID") or "", event)
        elif name == "CHANNEL_HANGUP":
            self.awaited.channel_gone(event.text("Unique-ID") or "", event.text("Hangup-Cause") or "")
        elif self._pulse is not None:
            if name == "HEARTBEAT":
                self._pulse.heartbeat.came(event)
            elif name == "CUSTOM" and event.subclass == SUBCLASS:
                self._pulse.canary.came(event)
        if name in self._names or (name == "CUSTOM" and event.subclass in self._subclasses):
            self._on_event(event)

    def filter(self, header: str, value: str) -> None:
        """Get only events with this header, or one of the other filters'; now and after every reconnect. Blocks.

        What this object itself needs (ends of jobs, applications and channels, heartbeats, canaries) still comes.

        Raises:
            CommandRejected: FreeSWITCH refuses it; nothing is changed.
            LinkClosed: the link ended meanwhile; it will be set with the next one.
        """
        needed = [Filter("Event-Name", name) for name in _OURS] + [Filter("Event-Subclass", SUBCLASS)]
        wanted = [one for one in (*needed, Filter(header, value)) if one not in self._filters]
        encoded = [one.encode() for one in wanted]
        link = self._events
        self._filters += wanted
        for command, sent in zip(wanted, encoded, strict=True):
            if link is not None:
                try:
                    _accepted(command, link.request(sent))
                except CommandRejected:
                    self._filters.remove(command)
                    raise

    def warm(self) -> None:
        """A call is in a phase where milliseconds count: keep FreeSWITCH's event socket awake for a while."""
        self._awake.warm()

    def _nudge(self) -> None:
        if self._events is not None:
            self._events.nudge()

    # -- commands -------------------------------------------------------------------------------------------------

    def submit(self, command: Command, answer: Callable[[Frame | Exception], None]) -> None:
        """Send a command; ``answer`` gets the reply, or the error that ended the wait, and must not block.

        Never blocks. Without a link ``answer`` gets LinkClosed at once.

        Raises:
            LocalProtocolError: the command cannot be sent.
        """
        encoded = command.encode()
        if self._commands is None:
            answer(self._down())
        else:
            self._commands.submit(encoded, answer)

    def request(self, command: Command, *, timeout: float = REPLY_TIMEOUT_S) -> Frame:
        """Send a command and return its reply, a refusal too. Blocks this greenlet.

        Raises:
            CommandTimeout: no answer in time; the link is closed with it and made anew.
            LinkClosed: there is no link, or it ended meanwhile.
            LocalProtocolError: the command cannot be sent.
        """
        encoded = command.encode()
        if self._commands is None:
            raise self._down()
        return self._commands.request(encoded, timeout=timeout)

    def api(self, command: str, argument: str = "", *, timeout: float = REPLY_TIMEOUT_S) -> str:
        """Run an api command and return what it printed. Blocks this greenlet, and the commands behind it.

        Raises:
            CommandTimeout: no answer in time; the link is closed with it and made anew.
            LinkClosed: there is no link, or it ended meanwhile.
        """
        return self.request(Api(f"{command} {argument}".rstrip()), timeout=timeout).text

    def api_each(self, command: str, arguments: Iterable[str]) -> list[str]:
        """Run an api command once for each argument, all in flight at once; return what they printed, in order. Blocks.

        Raises:
            LinkClosed: there is no link, or it ended meanwhile.
        """
        answers: list[Promise[Frame]] = []
        for argument in arguments:
            answer: Promise[Frame] = Promise()
            self.submit(Api(f"{command} {argument}"), answer.settle)
            answers.append(answer)
        return [answer.wait().text for answer in answers]

    def job(self, command: str, argument: str = "", *, timeout: float = 60.0) -> Promise[Event]:
        """Begin an api command in the background of the switch; the promise ends with its BACKGROUND_JOB. Never blocks.

        The promise raises what ``bgapi`` raises.
        """
        job = str(uuid.uuid4())
        wanted = BgApi(f"{command} {argument}".rstrip(), job_uuid=job)
        outcome: Promise[Event] = Promise()
        self._begin(wanted, job, f"bgapi {command}", outcome.settle, timeout=timeout)
        return outcome

    def bgapi(self, command: str, argument: str = "", *, timeout: float = 60.0) -> str:
        """Run an api command in the background of the switch and return what it printed. Blocks this greenlet only.

        Raises:
            JobTimeout: the job did not report in time; it may still be running.
            LinkClosed: the link ended meanwhile, or there is none.
            CommandRejected: the switch did not take the job.
        """
        return self.job(command, argument, timeout=timeout).wait().body or ""

    def run(self, channel: str, application: str, argument: str = "", *, timeout: float = 3600.0) -> Event:
        """Run a dialplan application on a parked channel and return its CHANNEL_EXECUTE_COMPLETE. Blocks this greenlet.

        Raises:
            CallGone: the channel ended meanwhile, or is not there.
            JobTimeout: the application did not end in time; it may still be running.
            LinkClosed: the link ended meanwhile, or there is none.
        """
        outcome: Promise[Event] = Promise()
        job = self.begin(channel, application, argument, outcome.settle, timeout=timeout)
        try:
            return outcome.wait()
        finally:
            self.awaited.drop(job)  # whoever waits may be killed, and a playback's end may be an hour away

    def begin(self, channel: str, application: str, argument: str, told: Told, *, timeout: float) -> str:
        """Have a parked channel execute an application; return the name it is awaited by. Never blocks.

        Args:
            channel: its id.
            application: the dialplan application.
            argument: its argument.
            told: gets the CHANNEL_EXECUTE_COMPLETE, or the error that ``run`` would raise; must not block.
            timeout: seconds until JobTimeout.

        Raises:
            LocalProtocolError: the command cannot be sent.
        """
        job = str(uuid.uuid4())
        execute = Execute(channel, application, argument, event_uuid=job)
        self._begin(execute, job, application, told, timeout=timeout, channel=channel)
        self.warm()
        return job

    def _begin(
        self, command: Command, awaited: str, what: str, told: Told, *, timeout: float, channel: str = ""
    ) -> None:
        command.encode()  # what cannot be sent is said before anything waits for it

        def replied(reply: Frame | Exception) -> None:
            if isinstance(reply, Frame):
                if not reply.ok:
                    why = reply.error or ""
                    self.awaited.forget(awaited, CallGone(channel, why) if channel else CommandRejected(what, why))
            else:
                self.awaited.forget(awaited, reply if isinstance(reply, CtiError) else LinkClosed(str(reply)))

        self.awaited.add(awaited, what, told, timeout=timeout, channel=channel)
        self.submit(command, replied)

    def _down(self) -> LinkClosed:
        return LinkClosed(f"there is no link to {self._address[0]}:{self._address[1]}")


def _accepted(command: Command, reply: Frame) -> None:
    if not reply.ok:
        raise CommandRejected(type(command).__name__, reply.reply_text)

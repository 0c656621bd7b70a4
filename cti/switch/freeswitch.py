"""One FreeSWITCH: its two links, kept up; its events as facts; intents as its commands."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable, Iterable
from typing import Final

import gevent
import gevent.event
import structlog

from cti.errors import (
    AccessDenied,
    AuthenticationFailed,
    CallGone,
    CommandRejected,
    CtiError,
    LinkClosed,
    LinkError,
    RemoteProtocolError,
    SwitchTooOld,
)
from cti.esl import Api, BgApi, Event, Execute, Frame, Raw, Subscribe
from cti.model import facts, intents
from cti.model.cause import Cause
from cti.model.ids import ConnectionId, SwitchId
from cti.promise import Promise
from cti.switch.awaited import Awaited
from cti.switch.causes import cause_of
from cti.switch.event_fact import EVENTS, BridgeAt, EventFacts
from cti.switch.intent_command import ORIGINATE_GRACE_S, commands_for
from cti.switch.link import REPLY_TIMEOUT_S, Link
from cti.switch.nudge import Nudger
from cti.switch.snapshot import listed, seen

OLDEST: Final = (1, 10)
"""The oldest FreeSWITCH supported: before 1.10, events lack headers we rely on."""
FINAL: Final = (AuthenticationFailed, AccessDenied, SwitchTooOld)
"""Errors that no second attempt mends."""

PING_EVERY_S: Final = 3.0
PING_TIMEOUT_S: Final = 5.0
"""A half-open connection is found within the sum of the two."""
BACK_OFF_S: Final = (0.2, 10.0)
"""Between attempts: doubling from the first to the second, each with a random half taken off."""
SNAPSHOT_LAG_S: Final = 0.25
"""``show channels`` is a database that lags the core by 0.1 s and more under load; what it shows after this is true."""
WARM_S: Final = 2.0
"""How long after an event or a command of a call in progress the event socket is kept awake."""

_SUBSCRIBED: Final = (*EVENTS, "CHANNEL_EXECUTE_COMPLETE", "DTMF", "BACKGROUND_JOB", "HEARTBEAT")
_VERSION: Final = re.compile(r"FreeSWITCH Version (\d+)\.(\d+)")

_log = structlog.get_logger("cti.switch")


class FreeSwitch:
    """Keeps a FreeSWITCH connected, tells facts about it, and carries out intents.

    Args:
        host: the event socket's name or address.
        port: its port.
        password: its password.
        on_fact: takes each fact, in order; called in this object's greenlets; must not block.
        switch: the id that facts and intents call it by.
        node: our centre's name; only channels whose ``cti_node`` is this are ours.
        bridge_at: ``"answer"`` or ``"park"``, see CallCenter.
    """

    def __init__(
        self,
        host: str,
        port: int,
        password: str,
        *,
        on_fact: Callable[[facts.Fact], None],
        switch: SwitchId,
        node: str = "cti",
        bridge_at: BridgeAt = "answer",
    ) -> None:
        self._address = (host, port)
        self._password = password
        self._on_fact = on_fact
        self.id = switch
        self._node = node
        self._facts = EventFacts(switch, node, bridge_at)
        self._events: Link | None = None
        self._commands: Link | None = None
        self._lost = gevent.event.Event()
        self._lost_by: Exception | None = None
        self._held_back: list[facts.Fact] | None = None
        self._awaited = Awaited()
        self._nudger = Nudger(self._nudge)
        self._core = ""
        self._keeper: gevent.Greenlet[..., None] | None = None
        self._log = _log.bind(switch=switch)
        self.version = ""
        self.failed: gevent.event.AsyncResult[None] = gevent.event.AsyncResult()
        """Ends with the error when the link fails for good (a password changed, say)."""

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<FreeSwitch {self.id} {self.version or 'not connected'}: {self._events}, {self._commands}>"

    # -- the link's life ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect, take a snapshot, and from then on keep the link up. Blocks until live or refused.

        Raises:
            ConnectFailed: nothing answers there. Nothing is retried.
            AccessDenied: the access list refuses our address.
            AuthenticationFailed: the password is wrong.
            SwitchTooOld: it is older than 1.10.
        """
        try:
            self._connect()
        except CtiError:
            self._disconnect()
            self._nudger.stop()
            raise
        self._keeper = gevent.spawn(self._keep)

    def stop(self) -> None:
        """Close the links. Whoever waits for something of this switch is told LinkClosed."""
        if self._keeper is not None:
            self._keeper.kill()
            self._keeper = None
        self._nudger.stop()
        self._disconnect()

    @property
    def connected(self) -> bool:
        """Whether both links are up."""
        return all(link is not None and link.connected for link in (self._events, self._commands))

    def _keep(self) -> None:
        wait_s = BACK_OFF_S[0]
        while True:
            if self.connected:
                self._lost.wait()
                wait_s = BACK_OFF_S[0]
                self._log.warning("link lost", reason=str(self._lost_by))
            self._disconnect()
            gevent.sleep(wait_s * random.uniform(0.5, 1.0))
            wait_s = min(wait_s * 2, BACK_OFF_S[1])
            try:
                self._connect()
            except FINAL as error:
                self._disconnect()
                self._log.error("link failed for good", reason=str(error))
                self.failed.set_exception(error)
                return
            except (LinkError, RemoteProtocolError, CommandRejected) as error:
                self._log.info("link not back yet", reason=str(error))

    def _connect(self) -> None:
        self._lost.clear()
        self._on_fact(facts.LinkConnecting(self.id))
        host, port = self._address
        self._commands = Link(host, port, self._password, on_closed=self._closed)
        self._commands.connect()
        self._check_version(self._commands)
        self._events = Link(host, port, self._password, on_event=self._take, on_closed=self._closed)
        self._events.connect()
        self._held_back = []
        self._on_fact(facts.LinkAuthenticated(self.id))
        reply = self._events.request(Subscribe(_SUBSCRIBED).encode(), name="event")
        if not reply.ok:
            raise CommandRejected("event json", reply.reply_text or "")
        snapshot = self._snapshot()
        held_back, self._held_back = self._held_back, None
        self._on_fact(snapshot)
        for fact in held_back:
            self._on_fact(fact)
        self._ping_later(self._events)
        self._ping_later(self._commands)
        self._log.info("link up", version=self.version)

    def _disconnect(self) -> None:
        for link in (self._events, self._commands):
            if link is not None:
                link.close()
        self._events = self._commands = None
        self._held_back = None
        self._awaited.fail(LinkClosed(f"the link to {self.id} is down"))
        self._on_fact(facts.LinkLost(self.id))

    def _closed(self, reason: Exception) -> None:
        self._lost_by = reason
        self._lost.set()

    def _check_version(self, link: Link) -> None:
        answer = link.request(Api("version").encode(), name="version").text
        found = _VERSION.search(answer)
        self.version = found.group(0) if found else answer.strip()
        if not found or (int(found.group(1)), int(found.group(2))) < OLDEST:
            raise SwitchTooOld(
                f"{self._address[0]}:{self._address[1]} is {self.version or 'of unknown version'!r}; "
                f"FreeSWITCH {OLDEST[0]}.{OLDEST[1]} or newer is needed"
            )

    def _ping_later(self, link: Link) -> None:
        gevent.spawn_later(PING_EVERY_S, self._ping, link)

    def _ping(self, link: Link) -> None:
        # FreeSWITCH answers "-ERR command not found" in 0.03 ms; a half-open connection answers nothing, and the
        # deadline closes it.
        if link.connected:
            link.submit(Raw("noop").encode(), lambda _: None, timeout=PING_TIMEOUT_S, name="ping")
            self._ping_later(link)

    def _snapshot(self) -> facts.SnapshotTaken:
        core = self.api("global_getvar", "core_uuid").strip()
        restarted, self._core = bool(self._core) and core != self._core, core
        channels = dict.fromkeys(listed(self.api("show", "channels as json")))
        gevent.sleep(SNAPSHOT_LAG_S)
        channels.update(dict.fromkeys(listed(self.api("show", "channels as json"))))
        dumps = self._api_each("uuid_dump", [f"{channel} json" for channel in channels])
        return facts.SnapshotTaken(self.id, seen(dumps, self._node), restarted)

    # -- events ---------------------------------------------------------------------------------------------------

    def _take(self, frame: Frame) -> None:
        event = frame.event
        if event is None:
            return
        name = event.name
        if name == "BACKGROUND_JOB":
            self._awaited.came(event.text("Job-UUID") or "", event)
            return
        if name == "CHANNEL_EXECUTE_COMPLETE":
            self._awaited.came(event.text("Application-UUID") or "", event)
            return
        fact = self._facts.fact(event)
        if fact is None:
            return
        if isinstance(fact, facts.Originated):
            self._awaited.drop(fact.connection)  # the channel exists: from now on its own events tell its end
        elif isinstance(fact, facts.ConnectionCleared):
            self._awaited.channel_gone(fact.connection, fact.switch_cause)
        self._tell(fact)
        self._nudger.warm(WARM_S)

    def _tell(self, fact: facts.Fact) -> None:
        if self._held_back is not None:
            self._held_back.append(fact)  # the snapshot comes first
        else:
            self._on_fact(fact)

    def _nudge(self) -> None:
        if self._events is not None:
            self._events.nudge()

    # -- intents --------------------------------------------------------------------------------------------------

    def execute(self, intent: intents.SwitchIntent) -> None:
        """Carry out an intent. Never blocks; what becomes of it comes back as a fact.

        Without a link it does nothing: the next snapshot shows what was missed.
        """
        link = self._commands
        if link is None or not link.connected:
            return
        try:
            commands = commands_for(intent, self._node)
        except CtiError as error:
            self._refused(intent, str(error))
            return
        if isinstance(intent, intents.OfferCall):
            self._await_leg(intent)
        for command in commands[:-1]:
            link.submit(command.encode(), lambda _: None)
        link.submit(commands[-1].encode(), lambda reply: self._replied(intent, reply))
        self._nudger.warm(WARM_S)

    def _replied(self, intent: intents.SwitchIntent, reply: Frame | Exception) -> None:
        if isinstance(reply, Exception):
            return  # the link is gone; the snapshot after it tells
        if isinstance(intent, intents.CheckConnection):
            if reply.reply_text == "false":
                self._tell(
                    facts.ConnectionCleared(
                        self.id, intent.connection, Cause.SWITCHING_FUNCTION_TERMINATED, "NOT_THERE_ANY_MORE"
                    )
                )
        elif not reply.ok:
            self._refused(intent, reply.error or "")

    def _refused(self, intent: intents.SwitchIntent, why: str) -> None:
        if isinstance(intent, intents.OfferCall):
            self._awaited.forget(intent.leg, CommandRejected("originate", why))
        elif isinstance(intent, intents.Bridge):
            self._tell(facts.BridgeFailed(self.id, intent.connection, intent.other, why.strip()))
        elif not isinstance(intent, intents.ClearConnection | intents.TagConnection):  # a leg may be gone already
            self._log.info("intent refused", intent=type(intent).__name__, leg=intent.connection, why=why.strip())

    def _await_leg(self, offer: intents.OfferCall) -> None:
        def told(outcome: Event | CtiError) -> None:
            if isinstance(outcome, CommandRejected):
                self._tell(facts.Failed(self.id, offer.leg, Cause.DEST_NOT_OBTAINABLE, outcome.reply.strip()))
            elif isinstance(outcome, Event) and (why := (outcome.body or "").strip()).startswith("-ERR"):
                switch_cause = why.removeprefix("-ERR").strip()
                self._tell(facts.Failed(self.id, offer.leg, cause_of(switch_cause), switch_cause))

        timeout = offer.ring_timeout_s + ORIGINATE_GRACE_S + REPLY_TIMEOUT_S
        self._awaited.add(offer.leg, "originate", told, timeout=timeout)

    # -- blocking verbs for the host ------------------------------------------------------------------------------

    def api(self, command: str, argument: str = "", *, timeout: float = REPLY_TIMEOUT_S) -> str:
        """Run an api command and return what it printed. Blocks this greenlet, and the commands behind it.

        Raises:
            CommandTimeout: no answer in time; the link is closed with it and made anew.
            LinkClosed: there is no link.
        """
        return self._link().request(Api(f"{command} {argument}".rstrip()).encode(), timeout=timeout).text

    def bgapi(self, command: str, argument: str = "", *, timeout: float = 60.0) -> str:
        """Run an api command in the background of the switch and return what it printed. Blocks this greenlet only.

        Raises:
            JobTimeout: the job did not report in time; it may still be running.
            LinkClosed: the link ended meanwhile, or there is none.
            CommandRejected: the switch did not take the job.
        """
        job = str(uuid.uuid4())
        result = self._await(job, f"bgapi {command}", timeout=timeout)
        reply = self._link().request(BgApi(f"{command} {argument}".rstrip(), job_uuid=job).encode())
        if not reply.ok:
            self._awaited.forget(job, CommandRejected(command, reply.error or ""))
        return result.wait().body or ""

    def run(self, channel: ConnectionId, application: str, argument: str = "", *, timeout: float = 3600.0) -> Event:
        """Run a dialplan application on a parked channel and return its CHANNEL_EXECUTE_COMPLETE. Blocks this greenlet.

        Raises:
            CallGone: the channel ended meanwhile, or is not there.
            JobTimeout: the application did not end in time; it may still be running.
            LinkClosed: the link ended meanwhile, or there is none.
        """
        job = str(uuid.uuid4())
        result = self._await(job, application, timeout=timeout, channel=channel)
        reply = self._link().request(Execute(channel, application, argument, event_uuid=job).encode())
        self._nudger.warm(WARM_S)
        if not reply.ok:
            self._awaited.forget(job, CallGone(channel, reply.error or ""))
        return result.wait()

    def _await(self, awaited: str, what: str, *, timeout: float, channel: str = "") -> Promise[Event]:
        outcome: Promise[Event] = Promise()
        self._awaited.add(awaited, what, outcome.settle, timeout=timeout, channel=channel)
        return outcome

    def _api_each(self, command: str, arguments: Iterable[str]) -> list[str]:
        link = self._link()
        answers: list[Promise[Frame]] = []
        for argument in arguments:
            answer: Promise[Frame] = Promise()
            link.submit(Api(f"{command} {argument}").encode(), answer.settle)
            answers.append(answer)
        return [answer.wait().text for answer in answers]

    def _link(self) -> Link:
        if self._commands is None:
            raise LinkClosed(f"there is no link to {self.id}")
        return self._commands

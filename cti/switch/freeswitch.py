"""One FreeSWITCH: its events as facts, intents as its commands, over an event socket that is kept up."""

from __future__ import annotations

import random
from collections.abc import Callable

import gevent
import gevent.event
import structlog

from cti.errors import CommandRejected, CtiError
from cti.esl import Event, Frame
from cti.model import facts, intents
from cti.model.cause import Cause
from cti.model.ids import SwitchId
from cti.switch.causes import cause_of
from cti.switch.event_fact import EVENTS, BridgeAt, EventFacts
from cti.switch.event_socket import EventSocket
from cti.switch.intent_command import ORIGINATE_GRACE_S, commands_for
from cti.switch.snapshot import listed, seen
from cti.switch.timing import REPLY_TIMEOUT_S, Timing

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
        timing: every wait; see Timing.
        chance: the back-off's jitter.
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
        timing: Timing | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._on_fact = on_fact
        self.id = switch
        self._node = node
        self._facts = EventFacts(switch, node, bridge_at)
        self._held_back: list[facts.Fact] | None = None
        self._log = _log.bind(switch=switch)
        self._socket = EventSocket(
            host,
            port,
            password,
            on_event=self._take,
            on_connecting=self._connecting,
            on_up=self._up,
            on_lost=self._lost,
            names=(*EVENTS, "DTMF"),
            timing=timing,
            chance=chance,
        )
        self._awaited = self._socket.awaited
        self.api = self._socket.api
        self.bgapi = self._socket.bgapi
        self.run = self._socket.run
        self.filter = self._socket.filter

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<FreeSwitch {self.id} {self._socket!r}>"

    # -- the link's life ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect, take a snapshot, and from then on keep the link up. Blocks until live or refused.

        Raises:
            ConnectFailed: nothing answers there. Nothing is retried.
            AccessDenied: the access list refuses our address.
            AuthenticationFailed: the password is wrong.
            SwitchTooOld: it is older than 1.10.
        """
        self._socket.start()

    def stop(self) -> None:
        """Close the links. Whoever waits for something of this switch is told LinkClosed."""
        self._socket.stop()

    @property
    def connected(self) -> bool:
        """Whether both links are up."""
        return self._socket.connected

    @property
    def version(self) -> str:
        """What FreeSWITCH said it is; empty before the first connection."""
        return self._socket.version

    @property
    def failed(self) -> gevent.event.AsyncResult[None]:
        """Ends with the error when the link fails for good (a password changed, say)."""
        return self._socket.failed

    @property
    def lag_s(self) -> float:
        """How late events are, in seconds; see EventSocket."""
        return self._socket.lag_s

    def _connecting(self) -> None:
        self._held_back = []
        self._on_fact(facts.LinkConnecting(self.id))

    def _up(self, restarted: bool) -> None:
        self._on_fact(facts.LinkAuthenticated(self.id))
        snapshot = self._snapshot(restarted=restarted)
        held_back, self._held_back = self._held_back or [], None
        self._on_fact(snapshot)
        for fact in held_back:
            self._on_fact(fact)

    def _lost(self) -> None:
        self._held_back = None
        self._on_fact(facts.LinkLost(self.id))

    def _snapshot(self, *, restarted: bool) -> facts.SnapshotTaken:
        channels = dict.fromkeys(listed(self.api("show", "channels as json")))
        gevent.sleep(self._socket.timing.snapshot_lag_s)
        channels.update(dict.fromkeys(listed(self.api("show", "channels as json"))))
        dumps = self._socket.api_each("uuid_dump", [f"{channel} json" for channel in channels])
        return facts.SnapshotTaken(self.id, seen(dumps, self._node), restarted)

    # -- events ---------------------------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        fact = self._facts.fact(event)
        if fact is None:
            return
        if isinstance(fact, facts.Originated):
            self._awaited.drop(fact.connection)  # the channel exists: from now on its own events tell its end
        self._tell(fact)
        self._socket.warm()

    def _tell(self, fact: facts.Fact) -> None:
        if self._held_back is not None:
            self._held_back.append(fact)  # the snapshot comes first
        else:
            self._on_fact(fact)

    # -- intents --------------------------------------------------------------------------------------------------

    def execute(self, intent: intents.SwitchIntent) -> None:
        """Carry out an intent. Never blocks; what becomes of it comes back as a fact.

        Without a link it does nothing: the next snapshot shows what was missed.
        """
        if not self._socket.connected_for_commands:
            return
        if isinstance(intent, intents.OfferCall):
            self._await_leg(intent)
        try:
            commands = commands_for(intent, self._node)
            for command in commands[:-1]:
                self._socket.submit(command, lambda _: None)
            self._socket.submit(commands[-1], lambda reply: self._replied(intent, reply))
        except CtiError as error:
            self._refused(intent, str(error))
            return
        self._socket.warm()

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

"""One FreeSWITCH: its events as facts, intents as its commands, over an event socket that is kept up."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Final

import gevent
import gevent.event

from cti.esl import Api, Event, SendEvent
from cti.model import facts, intents
from cti.model.ids import SwitchId
from cti.switch.event_fact import EVENTS, BridgeAt
from cti.switch.event_socket import EventSocket
from cti.switch.snapshot import listed
from cti.switch.timing import Timing
from cti.switch.translator import SUBCLASSES, Translator

FAX_SENT: Final = "spandsp::txfaxresult"
_LIGHT: Final = ("Message-Account", "VM-Sofia-Profile", "VM-sub-call-id", "VM-Call-ID")
"""What a question about a light holds (sofia_reg.c, sofia_presence.c)."""


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
        doorbell: ``host:port`` where its datagrams come that say that there is an event; empty for none. See
            docs/switches.md.
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
        bridge_at: BridgeAt = "park",
        doorbell: str = "",
        timing: Timing | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self.id = switch
        self._socket = EventSocket(
            host,
            port,
            password,
            on_event=self._take,
            on_connecting=self._connecting,
            on_up=self._up,
            on_lost=self._lost,
            names=(*EVENTS, "DTMF", "DETECTED_TONE", "MESSAGE_QUERY"),
            subclasses=(*SUBCLASSES, FAX_SENT),
            doorbell=doorbell,
            timing=timing,
            chance=chance,
        )
        self._awaited = self._socket.awaited
        self.key_pressed: dict[str, Callable[[str], None]] = {}
        """Who is told of each key pressed on a channel, by the channel's id; called in the reading greenlet."""
        self.fax_heard: dict[str, Callable[[], None]] = {}
        """Who is told when a fax machine is heard on a channel that listens for one, by the channel's id; the same."""
        self.fax_ended: dict[str, Callable[[Event | None], None]] = {}
        """Who is told how a fax ended that a channel sends, by the channel's id; None when it has hung up; the same."""
        self.light_asked: Callable[[Mapping[str, str]], None] = lambda _: None
        """Told when a phone wants to know whether there are messages for it (MESSAGE_QUERY); the same."""
        self._translator = Translator(
            switch,
            node,
            submit=self._socket.submit,
            awaited=self._awaited,
            on_fact=on_fact,
            bridge_at=bridge_at,
        )
        self.api = self._socket.api
        self.bgapi = self._socket.bgapi
        self.run = self._socket.run
        self.begin = self._socket.begin
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

    def keep_trying(self) -> None:
        """Where ``start`` has found nobody: try again and again, as after the loss of the link. Never blocks."""
        self._socket.keep_trying()

    def stop(self) -> None:
        """Close the links. Whoever waits for something of this switch is told LinkClosed."""
        self._socket.stop()

    @property
    def doorbell_rings(self) -> bool:
        """Whether the doorbell has rung for what came last; False where there is none."""
        return self._socket.doorbell_rings

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
        self._translator.connecting()

    def _lost(self) -> None:
        self._translator.lost()

    def _up(self, restarted: bool) -> None:
        self._translator.registrations.connected(self.api("global_getvar", "domain"))
        self._translator.authenticated()
        channels = dict.fromkeys(listed(self.api("show", "channels as json")))
        gevent.sleep(self._socket.timing.snapshot_lag_s)
        channels.update(dict.fromkeys(listed(self.api("show", "channels as json"))))
        dumps = self._socket.api_each("uuid_dump", [f"{channel} json" for channel in channels])
        self._translator.snapshot_taken(dumps, restarted=restarted)

    # -- events and intents ---------------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        if event.name == "DTMF":
            told = self.key_pressed.get(event.text("Unique-ID") or "")
            if told is not None:
                told(event.text("DTMF-Digit") or "")
                self._socket.warm()
        elif event.name == "DETECTED_TONE":
            # mod_spandsp tells it twice: once to everybody, once by the channel's own queue.
            heard = self.fax_heard.pop(event.text("Unique-ID") or "", None)
            if heard is not None and event.text("Detected-Fax-Tone") == "true":
                heard()
        elif event.name == "CUSTOM" and event.subclass == FAX_SENT:
            told_fax = self.fax_ended.get(event.text("Unique-ID") or "")
            if told_fax is not None:
                told_fax(event)
        elif event.name == "MESSAGE_QUERY":
            self.light_asked({name: event.text(name) or "" for name in _LIGHT})
        else:
            self._call_event(event)

    def _call_event(self, event: Event) -> None:
        if event.name == "CHANNEL_HANGUP" and self.fax_ended:
            told_fax = self.fax_ended.get(event.text("Unique-ID") or "")
            if told_fax is not None:
                told_fax(None)
        if self._translator.take(event):
            self._socket.warm()

    def send_event(self, name: str, headers: Mapping[str, str]) -> None:
        """Make an event on the switch; without a link, none. Never blocks.

        Raises:
            LocalProtocolError: it cannot be said safely.
        """
        self._socket.submit(SendEvent(name, dict(headers)), lambda _: None)

    def begin_api(self, command: str, argument: str) -> None:
        """Run an api command whose answer does not matter. Never blocks; without a link it does nothing."""
        self._socket.submit(Api(f"{command} {argument}"), lambda _: None)

    def execute(self, intent: intents.SwitchIntent) -> None:
        """Carry out an intent. Never blocks; what becomes of it comes back as a fact.

        Without a link it does nothing: the next snapshot shows what was missed.
        """
        if self._socket.connected_for_commands and self._translator.execute(intent):
            self._socket.warm()

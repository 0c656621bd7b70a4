"""Hearings: whoever is routed to a voice message hears it on their phone."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any, Final

import gevent.event
import structlog

from cti.engine_loop import EngineLoop
from cti.errors import CallGone, CtiError, LinkError, UnknownMessage
from cti.messages.message_record import VOICEMAIL, MessageRecord
from cti.model import events, facts, services
from cti.model.ids import AgentId, ConnectionId, InteractionId, SwitchId
from cti.model.interaction import Interaction, InteractionKind
from cti.model.mailbox import Mailbox
from cti.model.message import Message
from cti.model.states import InteractionState
from cti.script.channel_control import ChannelControl, Switch
from cti.script.hearing import CALL_BACK, Hearing, Listener

ENDS_S: Final = 60.0
"""How long may the end of a leg take that we hang up?"""
HEARD_S: Final = 5.0
"""Whoever has listened for so long, or to the end, has heard a message."""

_log = structlog.get_logger("cti.messages")


class Hearings:
    """Plays messages to the agents who have answered, one greenlet each.

    Args:
        loop: runs the engine.
        switches: the switch of this id.
        spawn: begins a greenlet.
        found: a message and its mailbox; no record of one that has been deleted. Blocks this greenlet.
        heard: called with a message and its agent, in a greenlet, when it has been heard.
        deleted: the same when it is to be deleted.
        refused: the same when its agent has hung up on it, and the interaction is over.
    """

    def __init__(  # noqa: PLR0917 - what becomes of each
        self,
        loop: EngineLoop,
        switches: Callable[[SwitchId], Switch | None],
        spawn: Callable[..., Any],
        found: Callable[[Message], tuple[MessageRecord | None, Mailbox]],
        heard: Callable[[str, str], object],
        deleted: Callable[[str], object],
        refused: Callable[[str], object],
    ) -> None:
        self._loop = loop
        self._switch = switches
        self._spawn = spawn
        self._found, self._heard, self._deleted, self._refused = found, heard, deleted, refused
        self._controls: dict[ConnectionId, ChannelControl] = {}
        self._by_call: dict[InteractionId, ChannelControl] = {}
        self._returning: dict[InteractionId, gevent.event.AsyncResult[bool]] = {}
        """Whoever left these messages is being called: whether they talk with the agent."""
        self._left_to_themselves: set[InteractionId] = set()
        """The same, since before we, or the link, went down: no greenlet of ours waits for it."""
        self._ends: dict[InteractionId, gevent.event.Event] = {}
        """Set when the interaction of a message that is being heard is over."""

    def told(self, event: events.Event) -> bool:
        """Follow what happens; whether an interaction is over here of which nobody else need take care. Never blocks."""
        if isinstance(event, events.Established) and event.interaction_kind == VOICEMAIL:
            self._begin(event.interaction, event.connection)
        elif isinstance(event, events.Established) and event.interaction in self._by_call:
            self._by_call[event.interaction].gone("called back")  # they talk: nothing may be played any more
            self._returned(event.interaction, talk=True)
        elif isinstance(event, events.Established) and event.interaction in self._left_to_themselves:
            self._left_to_themselves.discard(event.interaction)
            self._spawn(self._heard_by_returning, str(event.data.get("message", "")), event.agent or "")
        elif isinstance(event, events.Originated) and event.interaction in self._by_call:
            if event.interaction not in self._returning:  # asked for by a method: as if by the key
                self._returning[event.interaction] = gevent.event.AsyncResult()
                self._by_call[event.interaction].press(CALL_BACK)
        elif isinstance(event, events.ConnectionCleared) and event.connection in self._controls:
            self._controls.pop(event.connection).gone(event.switch_cause or event.cause.csta_name)
            self._returned(event.interaction, talk=False)
        elif isinstance(event, events.ConnectionCleared) and event.interaction_kind == VOICEMAIL:
            self._left_to_themselves.discard(event.interaction)
            self._returned(event.interaction, talk=False)
            self.resume()
        elif isinstance(event, events.CallCleared) and event.interaction in self._ends:
            self._ends.pop(event.interaction).set()
            return True
        elif isinstance(event, events.SystemStatus) and event.status == "normal":
            self.resume()
        return False

    def resume(self) -> None:
        """Whoever was hearing a message as we, or the link, went down hears it from the beginning."""
        for call in list(self._loop.engine.world.interactions.values()):
            if call.kind is InteractionKind.VOICEMAIL and call.state is InteractionState.ESTABLISHED:
                if call.caller in call.connections:  # whoever left it is being called: the agent hears that
                    if call.id not in self._by_call:
                        self._left_to_themselves.add(call.id)
                    continue
                for leg in call.connections:
                    connection = self._loop.engine.world.connections[leg]
                    if connection.agent == call.agent and not connection.clearing and leg not in self._controls:
                        self._begin(call.id, leg)

    def _begin(self, interaction: InteractionId, leg: ConnectionId) -> None:
        call = self._loop.engine.world.interactions.get(interaction)
        switch = self._switch(call.switch) if call is not None else None
        if call is None or call.message is None or switch is None:
            return
        control = self._controls[leg] = self._by_call[interaction] = ChannelControl(switch, leg, interaction)
        self._ends[interaction] = gevent.event.Event()
        self._spawn(self._hear, call, call.message, control, leg)

    def _returned(self, interaction: InteractionId, *, talk: bool) -> None:
        waiting = self._returning.get(interaction)
        if waiting is not None:
            waiting.set(talk)

    def _heard_by_returning(self, message: str, agent: str) -> None:
        try:
            self._heard(message, agent)
        except UnknownMessage:  # somebody has deleted it meanwhile
            pass
        except (OSError, sqlite3.Error):
            _log.exception("a message that has been heard cannot be marked", message=message)

    def _call_back(self, call: Interaction) -> Callable[[], bool]:
        """Have whoever left a message called; waits for what comes of it.

        Raises:
            CtiError: they may not be called, or not now.
        """
        under_way = self._returning.get(call.id)
        if under_way is None:
            under_way = self._returning[call.id] = gevent.event.AsyncResult()
            try:
                self._loop.ask(services.ReturnCallRequested(call.agent or AgentId("")))
            except CtiError:
                del self._returning[call.id]
                raise

        def came() -> bool:
            talk = bool(under_way.get())
            self._returning.pop(call.id, None)
            return talk

        return came

    def _hear(self, call: Interaction, message: Message, control: ChannelControl, leg: ConnectionId) -> None:
        """Play a message to the agent who has answered; at the end they are hung up on."""
        listener, hearing = Listener(control), None
        began, agent = time.monotonic(), call.agent or ""
        try:
            record, box = self._found(message)
            if record is not None:
                hearing = Hearing(listener, box, record.path, lambda: self._call_back(call))
                hearing.run()
            else:
                _log.warning("a message has been deleted while it waited", message=message.id)
        except CallGone:
            pass
        except LinkError:
            _log.info("the link is down; the message is played again when it is back", message=message.id)
            return
        except Exception:  # noqa: BLE001 - a defect; the agent must not be kept for it
            _log.exception("a message cannot be played", message=message.id)
        finally:
            if self._controls.get(leg) is control:
                del self._controls[leg]
            if self._by_call.get(call.id) is control:
                del self._by_call[call.id]
                self._returning.pop(call.id, None)
        listened = time.monotonic() - began >= min(HEARD_S, message.length_s)
        try:
            if hearing is not None and hearing.deleted:
                self._deleted(message.id)
            elif hearing is not None and (hearing.heard or listened):
                self._heard(message.id, agent)
        except UnknownMessage:  # somebody has deleted it meanwhile
            pass
        except (OSError, sqlite3.Error):
            _log.exception("a message that has been heard cannot be marked", message=message.id)
        finally:
            ended = self._ends.get(call.id)
            talks = call.kind is not InteractionKind.VOICEMAIL  # whoever left it, with the agent
            if talks:
                self._ends.pop(call.id, None)
            else:
                self._loop.submit(facts.ClearRequested(call.id))
        if not talks and (ended is None or ended.wait(ENDS_S)):
            self._refused(message.id)

"""The mailroom: callers leave messages, messages become interactions, whoever is routed to one hears it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import gevent
import gevent.event
import structlog

from cti.engine_loop import EngineLoop
from cti.errors import ConfigurationError, CtiError, UnknownMailbox, UnknownMessage
from cti.messages.arrivals import Arrivals
from cti.messages.fax_outbox import FaxOutbox
from cti.messages.hearings import Hearings
from cti.messages.lights import Lights
from cti.messages.message_mail import MessageMail
from cti.messages.message_record import FAX, HEARD, NEW, RECORDING, VOICEMAIL, MessageRecord
from cti.messages.messages import Messages
from cti.model import events, facts, services
from cti.model.ids import AgentId, InteractionId, SwitchId
from cti.model.interaction import InteractionKind
from cti.model.mailbox import OWNERS, Mailbox
from cti.model.message import Message
from cti.model.queue import QueueSettings
from cti.switch import FreeSwitch

MOST_DELIVERIES: Final = 5
"""How often a message is brought into a queue whose agents hang up on it."""
STOP_S: Final = 2.0
"""How long whatever is under way may take to end."""
SWEEP_EVERY_S: Final = 60.0
"""How often is looked for what has been left undone?"""

_log = structlog.get_logger("cti.messages")


class Mailroom:
    """Keeps, delivers and plays messages.

    Args:
        loop: runs the engine.
        messages: where they are kept; None keeps none.
        switches: every switch, also one that is added later.
    """

    def __init__(self, loop: EngineLoop, messages: Messages | None, switches: Mapping[SwitchId, FreeSwitch]) -> None:
        self._loop = loop
        self._messages = messages
        self._boxes: dict[str, Mailbox] = {}
        self._hearings = Hearings(
            loop,
            switches.get,
            self._spawn,
            self._found,
            heard=lambda message, agent: self.mark(message, by=agent),
            deleted=self.delete,
            refused=self._bring_back,
        )
        self._greenlets: set[gevent.Greenlet[..., Any]] = set()
        self._started = False
        self._switches = switches
        self._arrivals: Arrivals | None = None
        self._outbox: FaxOutbox | None = None
        self._lights: Lights | None = None
        self._mail: MessageMail | None = None
        if messages is not None:
            self._outbox = FaxOutbox(loop, messages, switches, self._spawn, self._boxes.get)
            self._arrivals = Arrivals(messages, self._boxes.get, self._spawn, self._came)
            self._lights = Lights(messages, self._boxes.values, switches.values, self._spawn)
            if messages.mail is not None:
                self._mail = MessageMail(messages, messages.mail, self._boxes.get)

    # -- mailboxes ------------------------------------------------------------------------------------------------

    def define(self, box: Mailbox) -> None:
        """Add a mailbox, or change one.

        Raises:
            ConfigurationError: nothing says where messages are kept.
            UnknownQueue: its queue is not there.
        """
        self._kept()
        if box.queue is not None:
            self._loop.engine.world.queue(box.queue)
        elif box.target is not None:
            self._loop.ask(facts.QueueDefined(QueueSettings(id=box.own_queue, requires=OWNERS)))
        self._boxes[box.id] = box

    def forget(self, mailbox: str) -> None:
        """Take a mailbox out; what has been left in it stays where it is."""
        self._boxes.pop(mailbox, None)

    def box(self, mailbox: str) -> Mailbox:
        """A mailbox by its name.

        Raises:
            UnknownMailbox: there is none of this name; the message names the nearest.
        """
        try:
            return self._boxes[mailbox]
        except KeyError:
            raise UnknownMailbox(mailbox, self._boxes) from None

    @property
    def boxes(self) -> tuple[Mailbox, ...]:
        """Every mailbox."""
        return tuple(self._boxes.values())

    def _kept(self) -> Messages:
        if self._messages is None:
            raise ConfigurationError("nothing says where messages are kept; give CallCenter(messages=Messages(...))")
        return self._messages

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take up what the run before has left undone. Blocks for a moment."""
        self._started = True
        if self._messages is not None:
            self._spawn(self._sweep_for_ever)
            for switch in self._switches.values():
                self._lights_by(switch)
        if self._mail is not None:
            self._spawn(self._mail.run)
        if self._outbox is not None:
            self._spawn(self._outbox.run)
        self._hearings.resume()

    def stop(self) -> None:
        """End whatever is under way, while the switch can still be told; what plays plays on. Blocks for a moment.

        A fax that is being sent is hung up on: the next run sends it again, and nobody gets it twice.
        """
        self._started = False
        gevent.killall([each for each in self._greenlets if each is not gevent.getcurrent()], timeout=STOP_S)

    def _lights_by(self, switch: FreeSwitch) -> None:
        if self._lights is not None:
            switch.light_asked = self._lights.asked

    def _spawn(self, run: Callable[..., Any], *args: Any) -> gevent.Greenlet[..., Any]:
        greenlet: gevent.Greenlet[..., Any] = gevent.spawn(run, *args)
        self._greenlets.add(greenlet)
        greenlet.link(self._greenlets.discard)
        return greenlet

    def _sweep_for_ever(self) -> None:
        first = True
        while True:
            try:
                self._sweep(first=first)
                first = False
            except (OSError, sqlite3.Error, CtiError) as error:
                _log.error("messages cannot be looked through", reason=repr(error))
            gevent.sleep(SWEEP_EVERY_S)

    def _sweep(self, *, first: bool) -> None:
        """Finish and deliver what was left undone, and delete what is old."""
        messages = self._kept()
        for record in messages.do(messages.index.in_state, RECORDING):
            if not self._is_alive(record.interaction):
                self.arrivals.finish(record)
        for record in messages.do(messages.index.in_state, NEW):
            if first or not record.deliveries:
                self._deliver(record)
        for box in self.boxes:
            if box.keep_days is not None:
                before = time.time() - box.keep_days * 86_400
                for record in messages.do(messages.index.heard_before, box.id, before):
                    messages.delete(record)
            if first:
                self._tell_changed(box)

    def _is_alive(self, interaction: str) -> bool:
        return InteractionId(interaction) in self._loop.engine.world.interactions

    @property
    def arrivals(self) -> Arrivals:
        """What lets callers leave messages.

        Raises:
            ConfigurationError: nothing says where messages are kept.
        """
        self._kept()
        assert self._arrivals is not None
        return self._arrivals

    @property
    def outbox(self) -> FaxOutbox:
        """What sends faxes.

        Raises:
            ConfigurationError: nothing says where messages, and faxes, are kept.
        """
        self._kept()
        assert self._outbox is not None
        return self._outbox

    def _came(self, record: MessageRecord) -> None:
        self._told_changed(record.mailbox)
        if self._mail is not None:
            self._mail.more()
        self._deliver(record)

    # -- delivery -------------------------------------------------------------------------------------------------

    def _deliver(self, record: MessageRecord) -> None:
        """Bring a message into its mailbox's queue, if it has one and is not there already."""
        messages, box = self._kept(), self._boxes.get(record.mailbox)
        if box is None or box.target is None or record.deliveries >= MOST_DELIVERIES or self._delivered(record.id):
            return
        voice = record.kind == VOICEMAIL
        try:
            self._loop.ask(
                services.DeliverMessageRequested(
                    Message(record.id, record.mailbox, record.length_s, record.pages),
                    InteractionKind.VOICEMAIL if voice else InteractionKind.FAX,
                    box.target,
                    SwitchId(record.switch if voice else ""),
                    record.calling_number,
                    record.calling_name,
                    record.called_number,
                    priority=box.priority,
                    personal=box.personal,
                    data={"message": record.id, "mailbox": record.mailbox, "left_at": round(record.left_at)},
                )
            )
        except CtiError as refused:  # it is tried again with the next sweep
            _log.error("a message cannot be delivered", message=record.id, mailbox=box.id, reason=str(refused))
            return
        messages.do(messages.index.change, record.id, deliveries=record.deliveries + 1)

    def _delivered(self, message: str) -> InteractionId | None:
        """The living interaction that a message is."""
        living = self._loop.engine.world.interactions.values()
        return next((call.id for call in living if call.message is not None and call.message.id == message), None)

    def agent_of(self, message: str) -> AgentId | None:
        """The agent who is offered a message now, or has it; None if nobody is."""
        world = self._loop.engine.world
        interaction = self._delivered(message)
        call = world.interactions.get(interaction) if interaction is not None else None
        if call is None or call.agent is not None:
            return call.agent if call is not None else None
        return next((world.reservations[each].agent for each in call.reservations), None)

    # -- told by the engine, in whatever greenlet runs it ---------------------------------------------------------

    def told(self, event: events.Event) -> None:
        """Follow the messages. Never blocks."""
        if not self._started or self._messages is None:
            return
        if isinstance(event, events.SystemStatus) and event.switch in self._switches:
            self._lights_by(self._switches[event.switch])  # it may have been added since
        over = self._hearings.told(event)
        if isinstance(event, events.CallCleared) and event.interaction_kind in (VOICEMAIL, FAX) and not over:
            self._spawn(self._over, event)

    def _found(self, message: Message) -> tuple[MessageRecord | None, Mailbox]:
        record = self._kept().do(self._kept().index.get, message.id)
        return record, self._boxes.get(message.mailbox) or Mailbox(message.mailbox)

    def _bring_back(self, message: str) -> None:
        """A message that its agent has hung up on is delivered again."""
        record = self._kept().do(self._kept().index.get, message)
        if record is not None and record.state == NEW:
            self._deliver(record)

    def _over(self, event: events.CallCleared) -> None:
        """An interaction that was a message is over: its agent has completed it, or somebody has withdrawn it."""
        messages = self._kept()
        record = messages.do(messages.index.get, str(event.data.get("message", "")))
        if record is None or record.state != NEW:
            return
        if event.agent is not None:
            self.mark(record.id, by=event.agent)
        else:
            messages.do(messages.index.change, record.id, deliveries=MOST_DELIVERIES)

    # -- what can be done with messages ---------------------------------------------------------------------------

    def of(self, mailbox: str) -> list[MessageRecord]:
        """The messages of a mailbox, the oldest first. Blocks this greenlet, and no other.

        Raises:
            UnknownMailbox: there is none of this name.
        """
        return self._kept().do(self._kept().index.of, self.box(mailbox).id)

    def get(self, message: str) -> MessageRecord:
        """What is known of a message. Blocks this greenlet, and no other.

        Raises:
            UnknownMessage: there is none of this id.
        """
        found = self._kept().do(self._kept().index.get, message)
        if found is None or found.state == RECORDING:
            raise UnknownMessage(message)
        return found

    def mark(self, message: str, *, by: str = "", heard: bool = True) -> MessageRecord:
        """Mark a message as heard, or as new again. Blocks this greenlet, and no other.

        One that waits in a queue, or rings, does so no longer; one that is new again is brought there again.

        Raises:
            UnknownMessage: there is none of this id.
        """
        messages = self._kept()
        self.get(message)
        if heard:
            changed = messages.do(messages.index.change, message, state=HEARD, heard_at=time.time(), heard_by=by)
            self._withdraw(message)
        else:
            changed = messages.do(messages.index.change, message, state=NEW, heard_at=0.0, heard_by="", deliveries=0)
        if changed is None:
            raise UnknownMessage(message)
        if not heard:
            self._deliver(changed)
        self._told_changed(changed.mailbox)
        return changed

    def delete(self, message: str) -> None:
        """Delete a message and its file; it waits nowhere any more. Blocks this greenlet, and no other.

        Raises:
            UnknownMessage: there is none of this id.
        """
        record = self.get(message)
        self._kept().delete(record)
        self._withdraw(message)
        self._told_changed(record.mailbox)

    def _withdraw(self, message: str) -> None:
        """End the interaction that a message is, unless somebody hears it, or is at it, just now."""
        interaction = self._delivered(message)
        call = self._loop.engine.world.interactions.get(interaction) if interaction is not None else None
        if call is not None and call.state.is_waiting:
            self._loop.ask(facts.ClearRequested(call.id))

    def _told_changed(self, mailbox: str) -> None:
        box = self._boxes.get(mailbox)
        if box is not None:
            self._tell_changed(box)

    def _tell_changed(self, box: Mailbox) -> None:
        if self._lights is not None:
            self._lights.changed(box)

"""The mailroom: callers leave messages, messages become interactions, whoever is routed to one hears it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any, Final

import gevent
import gevent.event
import structlog
from attrs import evolve, frozen

from cti.engine_loop import EngineLoop
from cti.errors import CallGone, ConfigurationError, CtiError, UnknownMailbox, UnknownMessage
from cti.messages.hearings import Hearings
from cti.messages.message_record import FAX, HEARD, NEW, RECORDING, VOICEMAIL, MessageRecord
from cti.messages.messages import Messages
from cti.model import events, facts, services
from cti.model.ids import InteractionId, SwitchId
from cti.model.interaction import InteractionKind
from cti.model.mailbox import OWNERS, Mailbox
from cti.model.message import Message
from cti.model.queue import QueueSettings
from cti.script.channel_control import Switch
from cti.script.conversation import Conversation
from cti.script.leaving import leave_message

MOST_DELIVERIES: Final = 5
"""How often a message is brought into a queue whose agents hang up on it."""
SWEEP_EVERY_S: Final = 60.0
"""How often is looked for what has been left undone?"""

_log = structlog.get_logger("cti.messages")


@frozen
class MessageLeft:
    """What came of letting a caller leave a message.

    Args:
        kept: whether there is one; what is too short, or silent, is none.
        message: what it is kept under; empty for none.
        length_s: of what was said, seconds.
    """

    kept: bool
    message: str = ""
    length_s: float = 0.0


class Mailroom:
    """Keeps, delivers and plays messages.

    Args:
        loop: runs the engine.
        messages: where they are kept; None keeps none.
        switches: the switch of this id.
    """

    def __init__(
        self, loop: EngineLoop, messages: Messages | None, switches: Callable[[SwitchId], Switch | None]
    ) -> None:
        self._loop = loop
        self._messages = messages
        self._boxes: dict[str, Mailbox] = {}
        self._hearings = Hearings(
            loop,
            switches,
            self._spawn,
            self._found,
            heard=lambda message, agent: self.mark(message, by=agent),
            deleted=self.delete,
            refused=self._bring_back,
        )
        self._greenlets: set[gevent.Greenlet[..., Any]] = set()
        self._started = False
        self.changed: list[Callable[[Mailbox], object]] = []
        """Called when the messages of a mailbox are others; must not block."""
        self.came: list[Callable[[Mailbox, MessageRecord], object]] = []
        """Called with each message that has been left; must not block."""

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
        self._hearings.resume()

    def stop(self) -> None:
        """End whatever is under way; what plays plays on."""
        self._started = False
        for greenlet in list(self._greenlets):
            greenlet.kill(block=False)

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
        if first:
            for record in messages.do(messages.index.in_state, RECORDING):
                if not self._is_alive(record.interaction):
                    self._finish(record, None)
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

    # -- leaving --------------------------------------------------------------------------------------------------

    def take_message(self, call: Conversation, mailbox: str, **who: str) -> MessageLeft:
        """Let a caller leave a message. Blocks until they have.

        Args:
            call: the caller.
            mailbox: the mailbox's name.
            who: the fields of MessageRecord about the call.

        Raises:
            CallGone: the caller hung up; what they had said until then is kept all the same.
            UnknownMailbox: there is none of this name.
            ConfigurationError: nothing says where messages are kept.
        """
        messages, box = self._kept(), self.box(mailbox)
        record = messages.begin(VOICEMAIL, box.id, **who)
        said_s: float | None = None
        began = time.monotonic()
        try:
            said_s = leave_message(call, box, record.path).length_s
        except CallGone:
            # By the file itself where it can be reached; else nobody knows better than the clock.
            record = evolve(record, length_s=time.monotonic() - began)
            raise
        finally:
            # In a greenlet of its own: a script may be killed, its caller's message must not be lost with it.
            finishing = self._spawn(self._finish, record, said_s)
        return self._joined(finishing)

    def _joined(self, finishing: gevent.Greenlet[..., MessageLeft]) -> MessageLeft:
        left: MessageLeft = finishing.get()
        return left

    def _finish(self, record: MessageRecord, said_s: float | None) -> MessageLeft:
        """A message has been left, or nothing: measure it, keep it, deliver it."""
        messages = self._kept()
        box = self._boxes.get(record.mailbox)
        at_most_s = record.length_s
        measured = messages.measured(record, said_s)
        if not measured.size and said_s is None and not measured.error:
            measured = evolve(measured, length_s=at_most_s)
        if measured.length_s < (box.min_s if box is not None else 0.0) or (measured.error and not measured.length_s):
            messages.delete(record)
            return MessageLeft(False, "", measured.length_s)
        kept = evolve(measured, state=NEW, mailed=box is None or not box.email)
        messages.do(messages.index.put, kept)
        _log.info("a message has been left", mailbox=kept.mailbox, message=kept.id, length_s=round(kept.length_s, 1))
        if box is not None:
            self._tell_changed(box)
            for told in self.came:
                told(box, kept)
        self._deliver(kept)
        return MessageLeft(True, kept.id, kept.length_s)

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

    # -- told by the engine, in whatever greenlet runs it ---------------------------------------------------------

    def told(self, event: events.Event) -> None:
        """Follow the messages. Never blocks."""
        if not self._started or self._messages is None:
            return
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
        for told in self.changed:
            told(box)

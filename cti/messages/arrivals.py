"""Arrivals: callers leave voice messages and faxes, and what they leave is measured and kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import gevent
import structlog
from attrs import evolve, frozen

from cti.errors import CallGone, CtiError
from cti.messages.fax_document import make_pdf, pages_of
from cti.messages.message_record import FAX, NEW, RECORDING, VOICEMAIL, MessageRecord
from cti.messages.messages import Messages
from cti.model.mailbox import Mailbox
from cti.script.conversation import Conversation
from cti.script.faxing import FaxOutcome
from cti.script.leaving import leave_message

WRITTEN_S: Final = 1.0
"""How long FreeSWITCH may take to write what it has of a fax when the sender hangs up."""

_log = structlog.get_logger("cti.messages")


@frozen
class MessageLeft:
    """What came of letting a caller leave a message.

    Args:
        kept: whether there is one; what is too short, or silent, is none.
        message: what it is kept under; empty for none.
        length_s: of what was said, seconds.
        pages: of a fax.
    """

    kept: bool
    message: str = ""
    length_s: float = 0.0
    pages: int = 0


class Arrivals:
    """Lets callers leave messages, and keeps them, whatever becomes of the caller or the script.

    Args:
        messages: where they are kept.
        box: the mailbox of this name, for its terms; None for one that is no more.
        spawn: begins a greenlet.
        came: called with each message that is complete, in a greenlet; may block.
    """

    def __init__(
        self,
        messages: Messages,
        box: Callable[[str], Mailbox | None],
        spawn: Callable[..., gevent.Greenlet[..., Any]],
        came: Callable[[MessageRecord], object],
    ) -> None:
        self._messages = messages
        self._box = box
        self._spawn = spawn
        self._came = came
        self._under_way: set[str] = set()
        """What is being left now, or being looked at."""

    def take_message(self, call: Conversation, box: Mailbox, **who: str) -> MessageLeft:
        """Let a caller leave a message. Blocks until they have.

        Args:
            call: the caller.
            box: the mailbox.
            who: the fields of MessageRecord about the call.

        Raises:
            CallGone: the caller hung up; what they had said until then is kept all the same.
        """
        record = self._messages.begin(VOICEMAIL, box.id, **who)
        began = time.monotonic()
        with self._taking(record):
            try:
                spoken = leave_message(call, box, record.path)
            except CallGone:
                # By the file itself where it can be reached; else nobody knows better than the clock.
                self._in_its_own_greenlet(self._finish, evolve(record, length_s=time.monotonic() - began), None)
                raise
        return self._joined(self._in_its_own_greenlet(self._finish, record, spoken.length_s))

    @contextmanager
    def _taking(self, record: MessageRecord) -> Iterator[None]:
        """While a message is being left. Whatever ends that but the caller (the link is lost, the centre is stopped) leaves
        the file to FreeSWITCH, which may still be writing it: it is finished when the call is gone.
        """
        self._under_way.add(record.id)
        try:
            yield
        except CallGone:
            raise
        except BaseException:
            self._under_way.discard(record.id)
            raise

    def _in_its_own_greenlet(
        self, finish: Callable[..., MessageLeft], record: MessageRecord, *more: object
    ) -> gevent.Greenlet[..., MessageLeft]:
        """A script may be killed: its caller's message must not be lost with it."""

        def run() -> MessageLeft:
            try:
                return finish(record, *more)
            finally:
                self._under_way.discard(record.id)

        return self._spawn(run)

    def take_fax(self, box: Mailbox, receive: Callable[[str], FaxOutcome], **who: str) -> MessageLeft:
        """Let a caller send a fax. Blocks until it is there.

        Args:
            box: the mailbox.
            receive: receives it into a file on the switch.
            who: the fields of MessageRecord about the call.

        Raises:
            CallGone: the sender hung up; the pages that had come by then are kept all the same.
        """
        messages = self._messages
        for other in messages.do(messages.index.in_state, RECORDING):
            if other.kind == VOICEMAIL and other.interaction == who.get("interaction"):
                messages.delete(other)  # what a machine has said to a mailbox is no message
        record = messages.begin(FAX, box.id, **who)
        with self._taking(record):
            try:
                outcome = receive(record.path)
            except CallGone:
                self._in_its_own_greenlet(self._finish_fax, record, None)
                raise
        return self._joined(self._in_its_own_greenlet(self._finish_fax, record, outcome))

    def _finish_fax(self, record: MessageRecord, outcome: FaxOutcome | None) -> MessageLeft:
        """A fax has come, or some of its pages, or nothing: look at it, make a PDF of it, keep it, deliver it."""
        messages = self._messages
        if outcome is None:
            gevent.sleep(WRITTEN_S)
        summed = messages.summed(record)
        path = messages.local(record)
        pages = messages.do(pages_of, path) if summed.size else outcome.pages if outcome is not None else 0
        if not pages:
            why = outcome.text if outcome is not None else "the sender hung up"
            _log.warning("a fax has not come", mailbox=record.mailbox, calling=record.calling_number, why=why)
            messages.delete(record)
            return MessageLeft(False)
        error = "" if outcome is None or outcome.success else outcome.text
        if summed.size:
            try:
                messages.do(make_pdf, path, path.with_suffix(".pdf"))
            except (OSError, ValueError, CtiError) as failed:
                _log.error("there is no PDF of a fax", message=record.id, why=str(failed))
        return self._keep(evolve(summed, pages=pages, error=summed.error or error))

    def finish(self, record: MessageRecord) -> None:
        """Finish what was begun and left to itself; not what is under way. Blocks this greenlet, and no other."""
        if record.id in self._under_way:
            return
        if record.kind == VOICEMAIL:
            self._finish(record, None)
        else:
            self._finish_fax(record, None)

    def _joined(self, finishing: gevent.Greenlet[..., MessageLeft]) -> MessageLeft:
        left: MessageLeft = finishing.get()
        return left

    def _finish(self, record: MessageRecord, said_s: float | None) -> MessageLeft:
        """A message has been left, or nothing: measure it, keep it, deliver it."""
        messages = self._messages
        box = self._box(record.mailbox)
        at_most_s = record.length_s
        measured = messages.measured(record, said_s)
        if not measured.size and said_s is None and not measured.error:
            measured = evolve(measured, length_s=at_most_s)
        if measured.length_s < (box.min_s if box is not None else 0.0) or (measured.error and not measured.length_s):
            messages.delete(record)
            return MessageLeft(False, "", measured.length_s)
        return self._keep(measured)

    def _keep(self, record: MessageRecord) -> MessageLeft:
        """Keep a message that is complete, and deliver it."""
        messages, box = self._messages, self._box(record.mailbox)
        kept = evolve(record, state=NEW, mailed=box is None or not box.email)
        messages.do(messages.index.put, kept)
        _log.info("a message has been left", mailbox=kept.mailbox, message=kept.id, kind=kept.kind)
        self._came(kept)
        return MessageLeft(True, kept.id, kept.length_s, kept.pages)

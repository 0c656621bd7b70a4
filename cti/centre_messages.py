"""Mailboxes, messages and faxes of a centre."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import evolve

from cti.call import Call
from cti.centre_settings import settings_of
from cti.errors import UnknownMessage
from cti.messages.mailroom import Mailroom
from cti.messages.message_record import MessageRecord
from cti.messages.messages import Messages
from cti.model.mailbox import Mailbox
from cti.scripts import Scripts


class CentreMessages:
    """The part of CallCenter that keeps what callers leave; see there."""

    _mailroom: Mailroom
    _messages: Messages | None
    _scripts: Scripts

    def add_mailbox(self, mailbox: str, **settings: Any) -> None:
        """Add a mailbox, or change one's settings; callers get there by ``call.voicemail`` and ``ToMailbox``.

        Args:
            mailbox: its name.
            settings: the fields of Mailbox: queue, agent, greeting, max_s, email, light, ...

        Raises:
            ConfigurationError: a setting is unknown or cannot be used, or nothing says where messages are kept.
            UnknownQueue: its queue is not there (yet: add that one first).
        """
        box = settings_of(Mailbox, id=mailbox, **settings)
        self._mailroom.define(box)

        def take(call: Call) -> None:
            call.voicemail(box.id)

        self._scripts.on_name(box.script, take)

    def remove_mailbox(self, mailbox: str) -> None:
        """Take a mailbox out; its messages stay on the disk."""
        self._mailroom.forget(mailbox)

    def mailboxes(self) -> tuple[Mailbox, ...]:
        """Every mailbox."""
        return self._mailroom.boxes

    def mailbox(self, mailbox: str) -> Mailbox:
        """One mailbox.

        Raises:
            UnknownMailbox: there is none of this name; the message names the nearest.
        """
        return self._mailroom.box(mailbox)

    def messages(self, mailbox: str) -> list[MessageRecord]:
        """The messages of a mailbox, the oldest first. Blocks this greenlet for a moment.

        Raises:
            UnknownMailbox: there is none of this name.
        """
        return self._mailroom.of(mailbox)

    def message(self, message: str) -> MessageRecord:
        """What is known of a message. Blocks this greenlet for a moment.

        Raises:
            UnknownMessage: there is none of this id.
        """
        return self._mailroom.get(message)

    def message_file(self, message: str) -> Path:
        """Where this process finds the recording, or the TIFF, of a message.

        Raises:
            UnknownMessage: there is none of this id.
        """
        record = self._mailroom.get(message)
        if self._messages is None:
            raise UnknownMessage(message)
        return self._messages.local(record)

    def mark_message(self, message: str, *, heard: bool = True, by: str = "") -> MessageRecord:
        """Mark a message as heard: it waits nowhere any more; or as new again: it is delivered again. Blocks for a moment.

        Raises:
            UnknownMessage: there is none of this id.
        """
        return evolve(self._mailroom.mark(message, by=by, heard=heard))

    def delete_message(self, message: str) -> None:
        """Delete a message and its file. Blocks this greenlet for a moment.

        Raises:
            UnknownMessage: there is none of this id.
        """
        self._mailroom.delete(message)

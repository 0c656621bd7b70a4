"""Mailboxes, messages and faxes of a centre."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from attrs import evolve

from cti.call import Call
from cti.centre_settings import settings_of
from cti.errors import ConfigurationError, UnknownMessage
from cti.messages.fax_files import file_below
from cti.messages.fax_job import FaxJob
from cti.messages.mailroom import Mailroom
from cti.messages.message_record import MessageRecord
from cti.messages.messages import Messages
from cti.model.ids import AgentId
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

        def take_fax(call: Call) -> None:
            call.receive_fax(box.id)

        self._scripts.on_name(box.script, take)
        self._scripts.on_name(box.fax_script, take_fax)

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

    def message_agent(self, message: str) -> AgentId | None:
        """The agent who is offered a message now, or has it; None if nobody is."""
        return self._mailroom.agent_of(message)

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

    # -- faxes ----------------------------------------------------------------------------------------------------

    def send_fax(
        self,
        number: str,
        file: str | os.PathLike[str],
        *,
        tries: int = 3,
        pause_s: float = 300.0,
        calling_number: str = "",
        station: str = "",
        mailbox: str = "",
    ) -> FaxJob:
        """Send a fax: at once, and again after a while where nobody answers or it breaks off. Also over a restart.

        FaxSent tells when it has gone over, or been given up; ``fax`` how it stands.

        Args:
            number: whom to; one of the centre's ``allowed_destinations`` must let it through.
            file: a PDF, TIFF, PNG or JPEG that this process can read; every page of it is sent, 100 at most.
            tries: how often it is tried, 1 to 100.
            pause_s: seconds before the next try.
            calling_number: what the other side is shown.
            station: what we call ourselves to it, at most 20 characters.
            mailbox: in whose name it goes: its queue and its owner are told of it by the API; empty for the centre's.

        Raises:
            UnknownMailbox: there is none of this name.
            DestinationNotAllowed: no destination lets the number through.
            ConfigurationError: the file is no picture and no PDF, or cannot be read or drawn; another argument makes no
                sense; Pillow, or for a PDF Ghostscript, is not there; or nothing says where messages are kept.
        """
        outbox = self._mailroom.outbox
        box = self._mailroom.box(mailbox).id if mailbox else ""
        return outbox.send(
            number, file, tries=tries, pause_s=pause_s, calling_number=calling_number, station=station, mailbox=box
        )

    def fax_file(self, name: str) -> Path:
        """The file of this name among those that other programs may have sent as faxes. Blocks this greenlet for a moment.

        Args:
            name: below the directory ``fax_files`` of Messages, such as ``policies/4711.pdf``.

        Raises:
            ConfigurationError: there is no such file below that directory, or nothing says where it is.
        """
        if self._messages is None or self._messages.fax_files is None:
            raise ConfigurationError(
                "nothing says which files may be sent as faxes; give Messages(fax_files=...), or fax_files in [messages]"
            )
        return self._messages.do(file_below, self._messages.fax_files, name)

    def fax(self, fax: str) -> FaxJob:
        """How a fax stands that is to be sent. Blocks this greenlet for a moment.

        Raises:
            UnknownMessage: there is none of this id.
        """
        return self._mailroom.outbox.get(fax)

    def faxes(self) -> list[FaxJob]:
        """The faxes that are to be sent or have been in the last month, the newest first. Blocks for a moment."""
        return self._mailroom.outbox.all()

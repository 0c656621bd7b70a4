"""What the API needs of the centre's mailboxes, messages and faxes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cti.messages.fax_job import FaxJob
from cti.messages.message_record import MessageRecord
from cti.model.ids import AgentId
from cti.model.mailbox import Mailbox


class MessagesFace(Protocol):
    """A part of Centre; see there."""

    def mailboxes(self) -> Sequence[Mailbox]:
        """Every mailbox."""
        ...

    def mailbox(self, mailbox: str) -> Mailbox:
        """One mailbox, or UnknownMailbox."""
        ...

    def messages(self, mailbox: str) -> Sequence[MessageRecord]:
        """The messages of a mailbox. Blocks for a moment."""
        ...

    def message(self, message: str) -> MessageRecord:
        """What is known of a message, or UnknownMessage. Blocks for a moment."""
        ...

    def message_file(self, message: str) -> Path:
        """Where its file is. Blocks for a moment."""
        ...

    def message_agent(self, message: str) -> AgentId | None:
        """The agent who is offered it, or has it."""
        ...

    def mark_message(self, message: str, *, heard: bool = True, by: str = "") -> MessageRecord:
        """Mark it as heard, or as new. Blocks for a moment."""
        ...

    def delete_message(self, message: str) -> None:
        """Delete it. Blocks for a moment."""
        ...

    def fax_file(self, name: str) -> Path:
        """The file of this name among those that may be sent as faxes. Blocks for a moment."""
        ...

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
        """Send a fax, over and over until it has gone. Blocks while the file is read."""
        ...

    def fax(self, fax: str) -> FaxJob:
        """How a fax stands, or UnknownMessage. Blocks for a moment."""
        ...

    def faxes(self) -> Sequence[FaxJob]:
        """The faxes of the last month, the newest first. Blocks for a moment."""
        ...

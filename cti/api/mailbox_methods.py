"""Messages: what callers have left in mailboxes, voice and fax; and the faxes that agents accept and complete."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Final

import gevent
from attrs import frozen

from cti.api.converter import Line
from cti.api.method import Subject
from cti.api.refusal import InvalidParameter, NotPermitted
from cti.api.service import Service
from cti.api.table import NO_TEXT, Agent, Nothing, method
from cti.errors import (
    ConfigurationError,
    DestinationNotAllowed,
    InvalidConnection,
    UnknownAgent,
    UnknownMailbox,
    UnknownMessage,
)
from cti.messages.message_record import MessageRecord
from cti.model.ids import AgentId

PART_BYTES: Final = 12_000
"""So much of a file is in one reply: in base64 it is a text that every client takes."""


@frozen
class WhichMailbox:
    """Which mailbox."""

    mailbox: Line


@frozen
class MailboxList:
    """Names of mailboxes."""

    mailboxes: tuple[str, ...]


@frozen
class WhichMessage:
    """Which message."""

    message: Line


@frozen
class MarkMessage:
    """Which message, and whether it has been heard."""

    message: Line
    heard: bool = True


@frozen
class FetchMessage:
    """Which message, from which byte on, and whether the PDF of a fax is wanted."""

    message: Line
    offset: int = 0
    pdf: bool = False


@frozen
class LeftMessage:
    """What is known of a message."""

    message: str
    kind: str
    mailbox: str
    call: str
    calling_number: str
    calling_name: str
    called_number: str
    left_at: float
    state: str
    length_s: float
    pages: int
    size: int
    sha256: str
    error: str
    heard_at: float
    heard_by: str


@frozen
class LeftMessages:
    """Messages, the oldest first."""

    messages: tuple[LeftMessage, ...]


@frozen
class LeftMessagePart:
    """A part of a message's file."""

    data: str
    """In base64."""
    offset: int
    size: int
    """Of the whole file; offset + the length of ``data`` is the next offset, until it is this."""
    content_type: str


_CONTENT: Final = {".wav": "audio/wav", ".tif": "image/tiff", ".pdf": "application/pdf"}


def _info(record: MessageRecord) -> LeftMessage:
    values: dict[str, Any] = {
        name: getattr(record, name)
        for name in (each.name for each in LeftMessage.__attrs_attrs__)
        if name not in ("message", "call")
    }
    return LeftMessage(message=record.id, call=record.interaction, **values)


def covers_mailbox(service: Service, mailbox: str) -> bool:
    """Whether the key covers the queue or the owner of a mailbox; one that has neither is for keys that see all."""
    try:
        box = service.centre.mailbox(mailbox)
    except UnknownMailbox:
        return service.grant.sees_all
    return service.grant.sees(box.agent, box.queue)


def covered_mailbox(service: Service, mailbox: str) -> str:
    """The mailbox's name, if the key covers it.

    Raises:
        UnknownMailbox: there is none of this name.
        NotPermitted: it does not.
    """
    box = service.centre.mailbox(mailbox)
    if not covers_mailbox(service, box.id):
        raise NotPermitted(f"key {service.grant.name!r} covers neither the queue nor the owner of mailbox {box.id!r}")
    return box.id


def _message(service: Service, message: str) -> MessageRecord:
    """A message that the key covers, by its mailbox, or because it is with an agent of the key's now."""
    record = service.centre.message(message)
    if not covers_mailbox(service, record.mailbox) and not service.grant.covers_agent(
        service.centre.message_agent(record.id)
    ):
        raise NotPermitted(f"key {service.grant.name!r} does not cover this message")
    return record


@method("mailbox.list", Nothing, MailboxList)
def list_mailboxes(service: Service, params: Nothing) -> MailboxList:  # noqa: ARG001 - the form of every method
    """The mailboxes whose queue or owner the key covers."""
    return MailboxList(tuple(box.id for box in service.centre.mailboxes() if covers_mailbox(service, box.id)))


@method("message.list", WhichMailbox, LeftMessages, UnknownMailbox, ConfigurationError, slow=True, cost=5)
def list_messages(service: Service, params: WhichMailbox) -> LeftMessages:
    """The messages of a mailbox, the oldest first."""
    return LeftMessages(tuple(map(_info, service.centre.messages(covered_mailbox(service, params.mailbox)))))


@method("message.get", WhichMessage, LeftMessage, UnknownMessage, ConfigurationError, slow=True)
def get_message(service: Service, params: WhichMessage) -> LeftMessage:
    """What is known of a message."""
    return _info(_message(service, params.message))


@method(
    "message.fetch",
    FetchMessage,
    LeftMessagePart,
    UnknownMessage,
    ConfigurationError,
    InvalidParameter,
    slow=True,
    cost=2,
)
def fetch_message(service: Service, params: FetchMessage) -> LeftMessagePart:
    """A part of the recording, or of the fax, of a message."""
    record = _message(service, params.message)
    path = service.centre.message_file(record.id)
    if params.pdf:
        path = path.with_suffix(".pdf")
    if params.offset < 0:
        raise InvalidParameter("params.offset: it must be from 0 up", "params.offset")
    try:
        part, size = gevent.get_hub().threadpool.apply(_part, (path, params.offset))
    except OSError:
        raise InvalidParameter(f"params.message: its {path.suffix[1:]} file is not there", "params.message") from None
    return LeftMessagePart(base64.b64encode(part).decode(), params.offset, size, _CONTENT[path.suffix])


def _part(path: Path, offset: int) -> tuple[bytes, int]:
    """In a thread of its own."""
    with path.open("rb") as opened:
        opened.seek(offset)
        return opened.read(PART_BYTES), path.stat().st_size


@method("message.mark", MarkMessage, LeftMessage, UnknownMessage, ConfigurationError, slow=True, changes=True)
def mark_message(service: Service, params: MarkMessage) -> LeftMessage:
    """Mark a message as heard: it waits nowhere any more; or as new again: it is delivered again."""
    record = _message(service, params.message)
    return _info(service.centre.mark_message(record.id, heard=params.heard, by=service.grant.name))


@method("message.delete", WhichMessage, None, UnknownMessage, ConfigurationError, slow=True, changes=True)
def delete_message(service: Service, params: WhichMessage) -> None:
    """Delete a message and its files."""
    service.centre.delete_message(_message(service, params.message).id)


@frozen
class ReturnCall:
    """Which agent, and the number to call if it is not that of whoever left the message."""

    agent: AgentId
    number: Line = NO_TEXT


@method(
    "agent.return_call",
    ReturnCall,
    None,
    UnknownAgent,
    DestinationNotAllowed,
    InvalidConnection,
    subject=Subject.AGENT,
    changes=True,
)
def return_call(service: Service, params: ReturnCall) -> None:
    """Call whoever left the voice message that the agent hears, in the same interaction."""
    service.centre.agent(params.agent).return_call(params.number)


@method("agent.accept", Agent, None, UnknownAgent, InvalidConnection, subject=Subject.AGENT, changes=True)
def accept(service: Service, params: Agent) -> None:
    """Take the fax that the agent is offered; no phone rings for one."""
    service.centre.agent(params.agent).accept()


@method("agent.reject", Agent, None, UnknownAgent, InvalidConnection, subject=Subject.AGENT, changes=True)
def reject(service: Service, params: Agent) -> None:
    """Do not take the fax that the agent is offered: it goes to somebody else."""
    service.centre.agent(params.agent).reject()


@method("agent.complete", Agent, None, UnknownAgent, InvalidConnection, subject=Subject.AGENT, changes=True)
def complete(service: Service, params: Agent) -> None:
    """The agent has dealt with the fax they have, and works after it as after a call."""
    service.centre.agent(params.agent).complete()

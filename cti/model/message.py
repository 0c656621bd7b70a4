"""Messages: what somebody has left for the centre to deal with, a voice message or a fax."""

from __future__ import annotations

from attrs import field, frozen

from cti.model.validate import name


@frozen
class Message:
    """A message, as an interaction carries it; what else is known of it is kept where its file is.

    Args:
        id: what it is kept under.
        mailbox: the mailbox, or the fax line, that it was left in.
        length_s: of a voice message, seconds.
        pages: of a fax.
    """

    id: str = field(validator=name)
    mailbox: str = field(validator=name)
    length_s: float = 0.0
    pages: int = 0

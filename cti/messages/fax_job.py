"""What is kept of one fax that is to be sent."""

from __future__ import annotations

from typing import Final

from attrs import frozen

WAITING: Final = "waiting"
SENDING: Final = "sending"
SENT: Final = "sent"
FAILED: Final = "failed"


@frozen
class FaxJob:
    """A fax that is to be sent, is being sent, or has been.

    Args:
        id: what it is kept under.
        number: whom it goes to.
        path: the TIFF, on the switch's machine.
        calling_number: what the other side is shown.
        station: what we call ourselves to it; empty for FreeSWITCH's own.
        created_at: Unix time, seconds.
        most_tries: how often it is tried.
        pause_s: seconds before the next try.
        state: ``waiting``, ``sending``, ``sent`` or ``failed``.
        tries: how often it has been tried.
        next_at: Unix time of the next try.
        pages: pages that went over in the last try.
        total_pages: pages there are.
        code: spandsp's result code of the last try; -1 if there was no fax at the other end.
        text: the same in words, or the hang-up cause of a call that nobody answered.
        remote: what the other side calls itself.
        ended_at: Unix time at which it was sent, or given up.
        mailbox: in whose name it goes: whoever may see that mailbox may see it; empty for the centre's.
    """

    id: str
    number: str
    path: str
    calling_number: str
    station: str
    created_at: float
    most_tries: int
    pause_s: float
    state: str = WAITING
    tries: int = 0
    next_at: float = 0.0
    pages: int = 0
    total_pages: int = 0
    code: int = -1
    text: str = ""
    remote: str = ""
    ended_at: float = 0.0
    mailbox: str = ""

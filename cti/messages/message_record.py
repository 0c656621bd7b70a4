"""What is kept of one message."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

VOICEMAIL: Final = "voicemail"
FAX: Final = "fax"
RECORDING: Final = "recording"
"""The caller is at it, or was when we ended."""
NEW: Final = "new"
HEARD: Final = "heard"


@frozen
class MessageRecord:
    """What is kept of one message.

    Args:
        id: what it is kept under.
        kind: ``voicemail`` or ``fax``.
        mailbox: the mailbox, or the fax line, that it was left in.
        path: the recording, or the TIFF, on the switch's machine.
        switch: the switch's id.
        interaction: the id of the call that it was left in.
        calling_number: who left it.
        calling_name: the same.
        called_number: whom they had called.
        left_at: Unix time, seconds, at which it began.
        state: ``recording``, ``new`` or ``heard``.
        length_s: of a voice message, by the file itself where it can be reached.
        pages: of a fax.
        size: bytes; 0 if it cannot be reached from here.
        sha256: of the whole file; empty if it cannot be reached from here.
        error: why the file is not sound; empty if it is.
        heard_at: Unix time at which somebody had heard it, or had dealt with it; 0 for not yet.
        heard_by: the agent's id, or whoever marked it.
        deliveries: how often it has been brought into a queue.
        mailed: whether it has been mailed, or need not be.
    """

    id: str
    kind: str
    mailbox: str
    path: str
    switch: str
    interaction: str
    calling_number: str
    calling_name: str
    called_number: str
    left_at: float
    state: str = RECORDING
    length_s: float = 0.0
    pages: int = 0
    size: int = 0
    sha256: str = ""
    error: str = ""
    heard_at: float = 0.0
    heard_by: str = ""
    deliveries: int = 0
    mailed: bool = field(default=False, converter=bool)

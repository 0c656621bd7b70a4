"""Where a call goes that its queue does not keep."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from cti.model.ids import QueueId
from cti.model.validate import name


@frozen
class ToQueue:
    """On to another queue, with the age and priority the call has."""

    queue: QueueId = field(validator=name)


@frozen
class ToDestination:
    """The call leaves the centre for a number of the switch's dialplan."""

    destination: str = field(validator=name)


@frozen
class ToVoicemail:
    """The call leaves the centre for a mailbox of the switch's own voicemail (FreeSWITCH: mod_voicemail).

    Args:
        mailbox: its number.
        domain: the domain it is of; empty takes the switch's default.
    """

    mailbox: str = field(validator=name)
    domain: str = ""


@frozen
class ToMailbox:
    """The caller leaves a message in a mailbox of the centre's own (``CallCenter.add_mailbox``)."""

    mailbox: str = field(validator=name)


@frozen
class ToFax:
    """The caller is a fax machine: what it sends is received into a mailbox of the centre's own."""

    mailbox: str = field(validator=name)


@frozen
class ToScript:
    """Back to a script of the host application, by the name it was registered under (``CallCenter.script``).

    The call keeps its age and place, so that a script that offers a callback, say, and is declined, can queue it again.
    """

    script: str = field(validator=name)


@frozen
class Disconnect:
    """The call is cleared."""


Overflow = ToQueue | ToDestination | ToVoicemail | ToMailbox | ToFax | ToScript | Disconnect

WAIT = "wait"
EXPECTED_WAIT = "expected wait"
LENGTH = "length"
UNSTAFFED = "unstaffed"
REASONS = (WAIT, EXPECTED_WAIT, LENGTH, UNSTAFFED)
"""Why a call overflows."""


FAX_SCRIPT: Final = "fax:"
"""How the names of scripts begin that receive a fax, whatever another script is doing with the call."""


def script_of(target: Overflow | None) -> str:
    """The name of the script that takes a call there; empty if none does."""
    match target:
        case ToScript(script=script):
            return script
        case ToMailbox(mailbox=mailbox):
            return f"mailbox:{mailbox}"
        case ToFax(mailbox=mailbox):
            return f"{FAX_SCRIPT}{mailbox}"
        case _:
            return ""

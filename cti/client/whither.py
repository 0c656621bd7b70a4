"""Where a call goes, in the protocol's words."""

from __future__ import annotations

from collections.abc import Mapping

from cti.errors import ConfigurationError
from cti.model.overflow import Overflow, ToDestination, ToFax, ToMailbox, ToQueue, ToScript, ToVoicemail
from cti.model.party import Party, ToAgent, ToNumber


def whither(to: Party | Overflow) -> Mapping[str, str]:
    """The protocol's form of where a call goes."""
    match to:
        case ToAgent(agent=agent):
            return {"agent": agent}
        case ToNumber(number=number):
            return {"number": number}
        case ToQueue(queue=queue):
            return {"queue": queue}
        case ToDestination(destination=destination):
            return {"destination": destination}
        case ToVoicemail(mailbox=mailbox, domain=domain):
            return {"voicemail": f"{mailbox}@{domain}" if domain else mailbox}
        case ToMailbox(mailbox=mailbox):
            return {"mailbox": mailbox}
        case ToFax(mailbox=mailbox):
            return {"fax": mailbox}
        case ToScript(script=script):
            return {"script": script}
    raise ConfigurationError(f"{to!r}: a call cannot be sent there by the protocol")

"""Where a call goes that a queue does not keep, as a client says it."""

from __future__ import annotations

from attrs import fields, frozen

from cti.api.converter import Line
from cti.errors import ConfigurationError
from cti.model.ids import QueueId
from cti.model.overflow import Disconnect, Overflow, ToDestination, ToFax, ToMailbox, ToQueue, ToScript, ToVoicemail


@frozen
class OverflowParams:
    """Where a call goes that the queue does not keep: one of these, or none of them to clear the call."""

    queue: QueueId | None = None
    destination: Line | None = None
    voicemail: Line | None = None
    """The switch's own: ``500``, or ``500@domain``."""
    mailbox: Line | None = None
    fax: Line | None = None
    script: Line | None = None

    def overflow(self, where: str) -> Overflow:
        """The library's form of it.

        Args:
            where: the setting's name, for errors.

        Raises:
            ConfigurationError: several are given, or what is cannot be used.
        """
        names = [one.name for one in fields(OverflowParams)]
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        if len(given) > 1:
            raise ConfigurationError(f"{where}: give one of {', '.join(names)}, not {' and '.join(given)}")
        match given:
            case {"queue": queue}:
                return ToQueue(queue)
            case {"destination": destination}:
                return ToDestination(destination)
            case {"voicemail": voicemail}:
                mailbox, _, domain = voicemail.partition("@")
                return ToVoicemail(mailbox, domain)
            case {"mailbox": mailbox}:
                return ToMailbox(mailbox)
            case {"fax": mailbox}:
                return ToFax(mailbox)
            case {"script": script}:
                return ToScript(script)
        return Disconnect()

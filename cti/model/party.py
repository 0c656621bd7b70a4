"""Whom a call is taken to: an agent, or a number outside."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from typing import Final

from attrs import Attribute, field, frozen

from cti.errors import ConfigurationError, DestinationNotAllowed
from cti.model.ids import AgentId
from cti.model.overflow import ToDestination, ToFax, ToMailbox, ToQueue, ToScript, ToVoicemail
from cti.model.validate import contact, name

_NUMBER: Final = re.compile(r"[+0-9A-Za-z*#][0-9A-Za-z*#._-]{0,63}\Z", re.ASCII)

HIDDEN: Final = frozenset(
    {"", "anonymous", "unknown", "restricted", "private", "unavailable", "withheld", "0000000000"}
)
"""Calling numbers that say nothing; the last is FreeSWITCH's own."""


@frozen
class ToAgent:
    """An agent who is ready, at the phone they are logged on at."""

    agent: AgentId = field(validator=name)


@frozen
class ToNumber:
    """A number that one of the centre's ``allowed_destinations`` lets through."""

    number: str = field(validator=name)


Party = ToAgent | ToNumber


def _template(_instance: object, attribute: Attribute[str], value: str) -> None:
    contact(_instance, attribute, value)
    if "{number}" not in value or re.sub(r"\{number\}", "", value).count("{") != value.count("{") - 1:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must hold {{number}} once, where the number goes")


@frozen
class Destination:
    """Numbers that may be called, and how.

    Args:
        pattern: which numbers; ``*`` and ``?`` match as in file names.
        contact: the dial string, with ``{number}`` where the number goes: ``sofia/gateway/trunk/{number}``.
    """

    pattern: str = field(validator=name)
    contact: str = field(validator=_template)


def is_number(text: str) -> bool:
    """Whether this can be dialled: 1 to 64 letters, digits and ``+ * # . _ -``, and nothing a dial string divides at."""
    return _NUMBER.match(text) is not None


def contact_of(number: str, allowed: Iterable[Destination]) -> str:
    """The dial string of a number, by the first destination that lets it through.

    Raises:
        DestinationNotAllowed: none does, or the number holds what a dial string could take for something else.
    """
    if is_number(number):
        for destination in allowed:
            if fnmatch.fnmatchcase(number, destination.pattern):
                return destination.contact.replace("{number}", number)
    raise DestinationNotAllowed(number)


def said(to: object) -> str:
    """Where a call goes, in words."""
    match to:
        case ToAgent(agent=agent):
            return f"agent {agent}"
        case ToQueue(queue=queue):
            return f"queue {queue}"
        case ToDestination(destination=destination):
            return f"destination {destination}"
        case ToVoicemail(mailbox=mailbox):
            return f"voicemail {mailbox}"
        case ToMailbox(mailbox=mailbox):
            return f"mailbox {mailbox}"
        case ToFax(mailbox=mailbox):
            return f"fax {mailbox}"
        case ToScript(script=script):
            return f"script {script}"
        case _:
            return "disconnect"

"""Mailboxes: where callers leave messages, what they hear meanwhile, and who gets them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from attrs import Attribute, field, frozen
from attrs.validators import optional

from cti.errors import ConfigurationError
from cti.model.ids import AgentId, QueueId
from cti.model.overflow import ToFax, ToMailbox, script_of
from cti.model.personal import LOGGED_OFF, NOT_READY, Personal
from cti.model.requirement import Requirement
from cti.model.validate import name, seconds, whole

OWNERS: Final = Requirement('"owner of a mailbox" >= 999999999')
"""What no agent meets: the queue of an owned mailbox is its owner's alone."""
FOR_EVER_S: Final = 9e8
"""How long a message waits for its owner and nobody else."""
BEEP: Final = "tone_stream://%(250,0,880)"
_KEYS: Final = frozenset("0123456789*")
_ACCOUNT: Final = re.compile(r"[\w.+-]{1,64}@[\w.:-]{1,128}\Z", re.ASCII)


def texts(value: str | Iterable[str]) -> tuple[str, ...]:
    """One text, or several, as several."""
    return (value,) if isinstance(value, str) else tuple(value)


def prompts(_instance: object, attribute: Attribute[Any], value: tuple[object, ...]) -> None:
    """An attrs validator: files, tones and streams that FreeSWITCH plays one after the other."""
    for part in value:
        if not isinstance(part, str) or not part or not part.isprintable() or len(part) > 1000:
            raise ConfigurationError(
                f"{attribute.name}: {part!r} is no prompt; it must be 1 to 1000 printable characters"
            )


def addresses(_instance: object, attribute: Attribute[Any], value: tuple[object, ...]) -> None:
    """An attrs validator: addresses of e-mail."""
    for each in value:
        if not isinstance(each, str) or "@" not in each or not each.isprintable() or " " in each:
            raise ConfigurationError(f"{attribute.name}: {each!r} is no address of e-mail")


def _key(_instance: object, attribute: Attribute[str], value: str) -> None:
    if value and value not in _KEYS:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be one of 0 to 9 and *, or empty")


def _account(_instance: object, attribute: Attribute[str], value: str) -> None:
    if value and not _ACCOUNT.match(value):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a phone's user@domain, or empty")


def _length(_instance: object, attribute: Attribute[float], value: float) -> None:
    seconds(_instance, attribute, value)
    if not 1 <= value <= 3600:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be from 1 to 3600 seconds")


@frozen
class Mailbox:
    """A mailbox of the centre's own.

    In prompts ``{language}`` stands for the caller's language.

    Args:
        id: its name, unique in the centre.
        queue: the queue in which each message becomes an interaction: whoever is routed to it hears it. None, and no
            ``agent`` either: it is only kept (and mailed).
        agent: the agent who owns it: their phone rings with each message as soon as they are ready. With a ``queue``
            too, whoever serves that may have it after ``wait_s``.
        wait_s: how long a message in ``queue`` waits for ``agent``; seconds.
        deliver: whether messages ring at all; if not, they are kept, mailed and shown by the light.
        priority: added to the queue's own.
        greeting: what the caller hears first.
        beep: what they hear before they speak.
        review: what they hear after it: ``again_key`` records once more, anything else keeps the message.
        thanks: what they hear at the end.
        max_s: the longest message, seconds; after that it ends by itself.
        min_s: what is shorter is no message, and is forgotten; seconds.
        silence_s: so many seconds of silence end it; 0 for never.
        again_key: the key that records again, from the beginning; empty for none. ``#`` ends the message.
        intro: what whoever hears it is played first.
        keep_days: a message that has been heard is deleted after so many days; None keeps it for ever.
        email: who gets each message by e-mail, with the recording attached.
        light: whose message-waiting light it is: a phone's ``user@domain`` as FreeSWITCH knows it; empty for none.
    """

    id: str = field(validator=name)
    queue: QueueId | None = field(default=None, validator=optional(name))
    agent: AgentId | None = field(default=None, validator=optional(name))
    wait_s: float = field(default=60.0, validator=seconds)
    deliver: bool = True
    priority: int = field(default=0, validator=whole)
    greeting: tuple[str, ...] = field(default=(), converter=texts, validator=prompts)
    beep: str = BEEP
    review: tuple[str, ...] = field(default=(), converter=texts, validator=prompts)
    thanks: tuple[str, ...] = field(default=(), converter=texts, validator=prompts)
    max_s: float = field(default=120.0, validator=_length)
    min_s: float = field(default=2.0, validator=seconds)
    silence_s: float = field(default=5.0, validator=seconds)
    again_key: str = field(default="*", validator=_key)
    intro: tuple[str, ...] = field(default=(), converter=texts, validator=prompts)
    keep_days: float | None = field(default=30.0, validator=seconds)
    email: tuple[str, ...] = field(default=(), converter=texts, validator=addresses)
    light: str = field(default="", validator=_account)

    @property
    def own_queue(self) -> QueueId:
        """The queue in which messages wait for the owner, where there is no other."""
        return QueueId(f"mailbox {self.id}")

    @property
    def target(self) -> QueueId | None:
        """The queue into which messages go; None if they are only kept."""
        if not self.deliver or (self.queue is None and self.agent is None):
            return None
        return self.queue if self.queue is not None else self.own_queue

    @property
    def personal(self) -> Personal | None:
        """For whom messages wait there."""
        if self.agent is None:
            return None
        if self.queue is not None:
            return Personal(self.agent, self.wait_s)
        return Personal(self.agent, FOR_EVER_S, {LOGGED_OFF: FOR_EVER_S, NOT_READY: FOR_EVER_S})

    @property
    def script(self) -> str:
        """The name of the script that takes callers to it."""
        return script_of(ToMailbox(self.id))

    @property
    def fax_script(self) -> str:
        """The name of the script that receives faxes into it."""
        return script_of(ToFax(self.id))

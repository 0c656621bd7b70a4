"""What a caller hears while they wait in a queue, what they can do instead, and what the agent hears before they talk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import Attribute, field, frozen

from cti.errors import ConfigurationError
from cti.model.overflow import Overflow, ToQueue, script_of
from cti.model.validate import name, one_of, seconds

NUMBERS: Final = ("position", "wait_min", "waited_min")
"""What can be said: the place in the queue, the minutes yet to wait, the minutes waited so far."""
PLACES: Final = ("language", "queue", *NUMBERS)
"""What a prompt's name can hold in braces, such as ``/sounds/{language}/place-{position}.wav``."""
LONGEST_WHISPER_S: Final = 2.0
"""The engine lets go of an agent who answered and is not connected within 3 s."""

_PLACE: Final = re.compile(r"(?<!\$)\{([a-z_]+)\}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?\Z")
_KEYS: Final = frozenset("0123456789*#")


@frozen
class SayNumber:
    """A number, said in the caller's language from the switch's recorded words.

    Args:
        of: ``position``, ``wait_min`` (minutes yet to wait) or ``waited_min`` (minutes waited so far).
        kind: as in ``call.say``: number, items, persons or messages.
    """

    of: str = field(default="position", validator=one_of(*NUMBERS))
    kind: str = field(default="number", validator=one_of("number", "items", "persons", "messages"))


Part = str | SayNumber
Prompts = tuple[Part, ...]
"""Files, tones and streams as FreeSWITCH plays them, and numbers, one after the other."""


def _parts(value: Part | Iterable[Part]) -> Prompts:
    return (value,) if isinstance(value, str | SayNumber) else tuple(value)


def _groups(value: Iterable[Part | Iterable[Part]]) -> tuple[Prompts, ...]:
    return tuple(_parts(one) for one in ((value,) if isinstance(value, str) else value))


def _prompts(*numbers: str) -> Any:
    """An attrs validator of prompts that may name these numbers."""

    def validate(_instance: object, attribute: Attribute[Any], value: Prompts) -> None:
        for part in value:
            _check(attribute.name, part, numbers)

    return validate


def _messages(_instance: object, attribute: Attribute[Any], value: tuple[Prompts, ...]) -> None:
    for one in value:
        if not one:
            raise ConfigurationError(f"{attribute.name} has an empty message; leave it out")
        for part in one:
            _check(attribute.name, part, ())


def _check(where: str, part: object, numbers: tuple[str, ...]) -> None:
    if isinstance(part, str):
        if not part or not part.isprintable() or len(part) > 1000:
            raise ConfigurationError(f"{where}: {part!r} is no prompt; it must be 1 to 1000 printable characters")
        named = set(_PLACE.findall(part))
    elif isinstance(part, SayNumber):
        named = {part.of}
    else:
        raise ConfigurationError(f"{where}: {part!r} is no prompt; it must be text or a SayNumber")
    for one in sorted(named):
        if one not in ("language", "queue", *numbers):
            known = ", ".join(("language", "queue", *numbers))
            raise ConfigurationError(f"{where}: {part!r} names {one!r}, which is not known there; known: {known}")


def _offers(_instance: object, attribute: Attribute[Any], value: Mapping[str, object]) -> None:
    for key, target in value.items():
        if key not in _KEYS:
            raise ConfigurationError(f"{attribute.name} has the key {key!r}; it must be one of 0 to 9, * and #")
        if not isinstance(target, Overflow):
            raise ConfigurationError(
                f"{attribute.name}: key {key!r} has {target!r}; it must be ToQueue, ToDestination, ToVoicemail, "
                "ToMailbox, ToFax, ToScript or Disconnect"
            )


def _interval(_instance: object, attribute: Attribute[Any], value: float) -> None:
    seconds(_instance, attribute, value)
    if value < 1:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be at least 1 second")


def _language(_instance: object, attribute: Attribute[Any], value: object) -> None:
    if not is_language(value):
        raise ConfigurationError(f"{attribute.name} is {value!r}; write it as en, zh or en-GB")


def _whisper_s(_instance: object, attribute: Attribute[Any], value: float) -> None:
    seconds(_instance, attribute, value)
    if not 0 < value <= LONGEST_WHISPER_S:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be more than 0 and at most 2 seconds")


@frozen
class WaitingTreatment:
    """What waiting in a queue is like. Every agent who answers is connected at once, whatever the caller hears.

    Prompts are files, tones and streams as FreeSWITCH's playback takes them, and SayNumber; in their names ``{language}``
    and ``{queue}`` stand for the caller's language and the queue's name, and in the prompts about them ``{position}``,
    ``{wait_min}`` and ``{waited_min}`` for the numbers.

    Args:
        music: one after the other, and again from the beginning; empty takes the queue's ``music``.
        greeting: played once, when the call comes into the queue for the first time.
        position: says the place in the queue, when it is known and got better.
        expected_wait: says the minutes yet to wait, rounded up, when that is known and got better.
        announce_after_s: seconds after which either is said at the earliest.
        announce_every_s: seconds between them at the least.
        messages: played in turn, each a prompt or several.
        message_every_s: seconds before each of them.
        offers: where a key takes the call; listened for all the time, announced or not.
        offer_prompt: announces them; empty for not at all.
        offer_after_s: seconds after which they are first announced.
        offer_every_s: seconds between two announcements.
        offer_expected_wait_s: announce them only while the expected wait is at least so long; one that is not known is
            not. None for whatever it is.
        language: the language of callers whose data (``data["language"]``) and scripts name none, and of agents.
        whisper: what an agent who answers hears before they are connected; it takes that much longer. Empty for nothing.
        whisper_s: the longest that it may take, in seconds; 2 at the most.
    """

    music: tuple[str, ...] = field(default=(), converter=_parts, validator=_prompts())
    greeting: Prompts = field(default=(), converter=_parts, validator=_prompts())
    position: Prompts = field(default=(), converter=_parts, validator=_prompts("position"))
    expected_wait: Prompts = field(default=(), converter=_parts, validator=_prompts("wait_min"))
    announce_after_s: float = field(default=10.0, validator=seconds)
    announce_every_s: float = field(default=30.0, validator=_interval)
    messages: tuple[Prompts, ...] = field(default=(), converter=_groups, validator=_messages)
    message_every_s: float = field(default=60.0, validator=_interval)
    offers: Mapping[str, Overflow] = field(factory=dict, validator=_offers)
    offer_prompt: Prompts = field(default=(), converter=_parts, validator=_prompts())
    offer_after_s: float = field(default=30.0, validator=seconds)
    offer_every_s: float = field(default=60.0, validator=_interval)
    offer_expected_wait_s: float | None = field(default=None, validator=seconds)
    language: str = field(default="en", validator=[name, _language])
    whisper: Prompts = field(default=(), converter=_parts, validator=_prompts("waited_min"))
    whisper_s: float = field(default=LONGEST_WHISPER_S, validator=_whisper_s)

    def __attrs_post_init__(self) -> None:
        if self.offer_prompt and not self.offers:
            raise ConfigurationError("offer_prompt announces offers, and there are none; set offers")

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that its offers name."""
        return tuple(target.queue for target in self.offers.values() if isinstance(target, ToQueue))

    @property
    def scripts(self) -> tuple[str, ...]:
        """The scripts that its offers name."""
        return tuple(filter(None, map(script_of, self.offers.values())))

    @property
    def prompts(self) -> tuple[Part, ...]:
        """All that is ever played of it, once each."""
        groups = (self.music, self.greeting, self.position, self.expected_wait, self.offer_prompt, self.whisper)
        return tuple(dict.fromkeys(part for group in (*groups, *self.messages) for part in group))


def is_language(value: object) -> bool:
    """Whether it is a language, such as ``en`` or ``en-GB``."""
    return isinstance(value, str) and _LANGUAGE.match(value) is not None


def filled(prompt: str, values: Mapping[str, object]) -> str:
    """A prompt's name with the values in their places."""
    return _PLACE.sub(lambda found: str(values.get(found[1], found[0])), prompt)


def places(prompt: str) -> frozenset[str]:
    """What a prompt's name has to be filled with."""
    return frozenset(_PLACE.findall(prompt))

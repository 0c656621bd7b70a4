"""What the callers of a queue hear and can do while they wait, and how they are called back, as a client says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import fields, frozen

from cti.api.converter import Line
from cti.api.overflow_params import OverflowParams
from cti.errors import ConfigurationError
from cti.model.callback import CallbackPrompts, CallbackSettings
from cti.model.party import Destination
from cti.model.treatment import SayNumber, WaitingTreatment

T = TypeVar("T")


@frozen
class SayParams:
    """A number that is said: ``position``, ``wait_min`` or ``waited_min``."""

    say: Line
    kind: Line | None = None


Prompt = str | SayParams
"""A file, tone or stream as FreeSWITCH plays it, or a number."""


@frozen
class WaitingParams:
    """What waiting in a queue is like; what is left out is as the library has it."""

    music: tuple[str, ...] | None = None
    greeting: tuple[Prompt, ...] | None = None
    position: tuple[Prompt, ...] | None = None
    expected_wait: tuple[Prompt, ...] | None = None
    announce_after_s: float | None = None
    announce_every_s: float | None = None
    messages: tuple[tuple[Prompt, ...], ...] | None = None
    message_every_s: float | None = None
    offers: Mapping[str, OverflowParams] | None = None
    offer_prompt: tuple[Prompt, ...] | None = None
    offer_after_s: float | None = None
    offer_every_s: float | None = None
    offer_expected_wait_s: float | None = None
    language: Line | None = None
    whisper: tuple[Prompt, ...] | None = None
    whisper_s: float | None = None

    def treatment(self) -> WaitingTreatment:
        """The library's form of it.

        Raises:
            ConfigurationError: something given cannot be used.
        """
        values = _given(self)
        for name, value in values.items():
            if name == "offers":
                values[name] = {key: target.overflow(f"waiting.offers.{key}") for key, target in value.items()}
            elif isinstance(value, tuple):
                values[name] = _said(value)
        return _made("waiting", WaitingTreatment, values)


@frozen
class QueueCallbackParams:
    """How a queue's callers are called back; what is left out is as the library has it."""

    first: Line | None = None
    destinations: Mapping[str, str] | None = None
    """Numbers that may be called back, ``*`` and ``?`` as in file names, and how: ``sofia/gateway/out/{number}``."""
    calling_number: Line | None = None
    ring_s: float | None = None
    tries: int | None = None
    pause_s: float | None = None
    busy_pause_s: float | None = None
    expiry_s: float | None = None
    hours: str | None = None
    time_zone: Line | None = None
    closed: tuple[Line, ...] | None = None
    most: int | None = None
    rejoin: bool | None = None
    abandoned: bool | None = None
    abandoned_after_s: float | None = None
    other_numbers: bool | None = None
    prompts: CallbackPrompts | None = None

    def callback(self) -> CallbackSettings:
        """The library's form of it.

        Raises:
            ConfigurationError: something given cannot be used.
        """
        values = _given(self)
        if self.destinations is not None:
            values["destinations"] = tuple(Destination(*each) for each in self.destinations.items())
        return _made("callback", CallbackSettings, values)


def _said(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """Prompts as the library has them, within messages too."""
    made: list[Any] = []
    for part in parts:
        match part:
            case tuple():
                made.append(_said(part))
            case SayParams(say=say, kind=str(kind)):
                made.append(SayNumber(say, kind))
            case SayParams(say=say):
                made.append(SayNumber(say))
            case _:
                made.append(part)
    return tuple(made)


def _given(params: Any) -> dict[str, Any]:
    return {one.name: value for one in fields(type(params)) if (value := getattr(params, one.name)) is not None}


def _made(where: str, kind: type[T], values: Mapping[str, Any]) -> T:
    try:
        return kind(**values)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from None

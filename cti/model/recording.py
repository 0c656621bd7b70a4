"""Recordings: which calls, where the files are, and what is known of each segment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from string import Formatter
from typing import Any, Final
from zlib import crc32

from attrs import Attribute, define, field, frozen

from cti.errors import ConfigurationError
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, SwitchId
from cti.model.validate import share

WORDS: Final[Mapping[str, float]] = {"never": 0.0, "always": 1.0}

OUTSIDE: Final = "outside"
"""In place of an agent in a file's name."""
NO_QUEUE: Final = "none"
_FIELDS: Final = frozenset({"date", "interaction", "n", "agent", "queue"})
_DIRECTORY: Final = re.compile(r"/[\w./+-]{0,200}\Z", re.ASCII)
_TEMPLATE: Final = re.compile(r"[\w./+{}-]{1,200}\.wav\Z", re.ASCII)


def recorded_share(value: Any) -> Any:
    """``"never"`` as 0, ``"always"`` as 1, anything else as it is."""
    return WORDS.get(value, value) if isinstance(value, str) else value


def maybe_share(instance: object, attribute: Attribute[Any], value: float | None) -> None:
    """An attrs validator: a share from 0 to 1, or None.

    Raises:
        ConfigurationError: it is neither; the words that do are named.
    """
    try:
        share(instance, attribute, value)
    except ConfigurationError:
        raise ConfigurationError(
            f"{attribute.name} is {value!r}; it must be 'never', 'always', or a share from 0 to 1"
        ) from None


def certain_share(instance: object, attribute: Attribute[Any], value: float | None) -> None:
    """An attrs validator: a share from 0 to 1.

    Raises:
        ConfigurationError: it is not; the words that do are named.
    """
    maybe_share(instance, attribute, "None" if value is None else value)  # type: ignore[arg-type]


def one_word(_instance: object, attribute: Attribute[Any], value: str) -> None:
    """An attrs validator: a file or stream without blanks and quotes, or nothing.

    Raises:
        ConfigurationError: FreeSWITCH would take it for several words.
    """
    if (
        not isinstance(value, str)
        or len(value) > 200
        or re.search(r"[\s'\"`\\]", value)
        or (not value.isprintable() and value)
    ):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a file or stream without blanks or quotes")


def _directory(_instance: object, attribute: Attribute[str], value: str) -> None:
    if not _DIRECTORY.match(value) or ".." in value:
        raise ConfigurationError(
            f"{attribute.name} is {value!r}; it must be an absolute path of letters, digits and . _ + - only"
        )


def _template(_instance: object, attribute: Attribute[str], value: str) -> None:
    try:
        used = {name for _, name, _, _ in Formatter().parse(value) if name is not None}
    except ValueError:  # a brace without its other
        used = {""}
    if not _TEMPLATE.match(value) or ".." in value or value.startswith("/") or not used <= _FIELDS:
        raise ConfigurationError(
            f"{attribute.name} is {value!r}; it must be a relative path that ends in .wav, with only "
            f"{', '.join(f'{{{name}}}' for name in sorted(_FIELDS))} in braces"
        )
    if not {"interaction", "n"} <= used:
        raise ConfigurationError(f"{attribute.name} is {value!r}; without {{interaction}} and {{n}} two files are one")


@frozen
class RecordingSettings:
    """Where recordings go.

    Args:
        directory: on the switch's machine; absolute.
        name: the file below it. ``{date}`` is the day the interaction began (UTC), ``{n}`` counts its segments from 1,
            ``{agent}`` is the agent's id (``outside`` for somebody whom they transferred it to), ``{queue}`` the
            queue's (``none`` without). In ids, whatever is no letter, digit, ``_``, ``-`` or ``.`` becomes ``_``.
    """

    directory: str = field(validator=_directory)
    name: str = field(default="{date}/{interaction}/{n}-{agent}.wav", validator=_template)

    def path(self, interaction: InteractionId, n: int, agent: AgentId | None, queue: QueueId | None) -> str:
        """The file of one segment."""
        name = self.name.format(
            date=_date(interaction),
            interaction=_safe(interaction),
            n=n,
            agent=_safe(agent or OUTSIDE),
            queue=_safe(queue or NO_QUEUE),
        )
        return f"{self.directory.rstrip('/')}/{name}"

    def read_path(self, path: str) -> Mapping[str, str] | None:
        """What a file's name says: ``interaction``, ``n`` and whatever else the template has; None for another's file."""
        directory = f"{self.directory.rstrip('/')}/"
        pattern, seen = "", set()
        for text, name, _, _ in Formatter().parse(self.name):
            pattern += re.escape(text)
            if name is not None:
                kind = r"\d+" if name == "n" else r"[\w.-]+?"
                pattern += f"(?P={name})" if name in seen else f"(?P<{name}>{kind})"
                seen.add(name)
        found = re.fullmatch(pattern, path[len(directory) :], re.ASCII) if path.startswith(directory) else None
        return found.groupdict() if found is not None else None


def _date(interaction: InteractionId) -> str:
    """The day on which an interaction began, by its id: the first 48 bits of a UUIDv7 are Unix milliseconds."""
    try:
        milliseconds = int(interaction.replace("-", "")[:12], 16)
        return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()
    except (ValueError, OverflowError):
        return "undated"  # an id that a channel brought along, and that is none of ours


def _safe(name: str) -> str:
    safe = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)
    return safe if safe.strip(".") else "_"


def chosen(interaction: InteractionId, part: float) -> bool:
    """Whether an interaction is of the share that is recorded: by its id, so that it always is, or never."""
    return crc32(interaction.encode()) < part * 2**32


class RecordingAction(Enum):
    """What can be asked for of the recording of a call."""

    START = "start"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"


class SegmentState(Enum):
    """How far a segment has come."""

    ANNOUNCING = "announcing"
    """The caller is being told that the call is recorded; nothing is recorded yet."""
    STARTING = "starting"
    RECORDING = "recording"
    STOPPING = "stopping"


@define(eq=False)
class Segment:
    """One file: one agent's part of an interaction. Only the engine changes it."""

    path: str
    interaction: InteractionId
    n: int
    switch: SwitchId
    leg: ConnectionId
    agent: AgentId | None
    queue: QueueId | None
    state: SegmentState
    started_at: float
    asked: int = 0
    """How often the switch has been asked to begin it."""


@define(eq=False)
class CallRecording:
    """What is recorded of one interaction. Only the engine changes it."""

    wanted: bool = False
    """Whether it is to be recorded, whenever the caller talks with somebody."""
    segments: int = 0
    paused: bool = False
    announced: bool = False
    current: str | None = None
    """The path of the segment that is being recorded."""
    masked: bool = False
    """Whether what was found being recorded, after a restart of ours, has silence put into it."""

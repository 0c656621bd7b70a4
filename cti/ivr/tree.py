"""A whole voice menu as a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from attrs import frozen

from cti.errors import ConfigurationError
from cti.ivr.node import Node
from cti.script.prompt import Say, Speak
from cti.script.saying import saying

_log = structlog.get_logger("cti.ivr")


@frozen
class Value:
    """A value of the call's data that is read out: ``kind`` and ``digits`` as for Say."""

    data: str
    kind: str = "number"
    digits: bool = False


@frozen
class Spoken:
    """Text for the text-to-speech engine; ``{name}`` in it is replaced by the call's data."""

    text: str
    engine: str = ""
    voice: str = ""


Piece = str | Say | Value | Spoken
Variant = tuple[Piece, ...]


@frozen(kw_only=True)
class IvrTree:
    """A voice menu.

    Args:
        start: the first node.
        main: the node that ``@main`` leads to; left out, ``start``.
        languages: in which every prompt is there; the first is what a call begins with.
        prompts: for each name the pieces by language; the language ``""`` is for all.
        nodes: by name.
    """

    start: str
    main: str = ""
    languages: tuple[str, ...] = ("en",)
    prompts: Mapping[str, Mapping[str, Variant]]
    nodes: Mapping[str, Node]

    def pieces(self, names: tuple[str, ...], language: str, data: Mapping[str, Any]) -> list[str | Say | Speak]:
        """What to play for these prompts, in a language, with the call's data.

        A value that is not there or cannot be said is left out: a caller must not lose the call by it.
        """
        found: list[str | Say | Speak] = []
        for name in names:
            variants = self.prompts[name]
            for piece in variants.get(language, variants.get("", ())):
                if isinstance(piece, Value):
                    found += _said(piece, data.get(piece.data), language)
                elif isinstance(piece, Spoken):
                    found.append(Speak(piece.text.format_map(_Data(data)), piece.engine, piece.voice))
                else:
                    found.append(piece)
        return found

    def files(self) -> list[str]:
        """Every file that a prompt plays, once."""
        pieces = (piece for variants in self.prompts.values() for variant in variants.values() for piece in variant)
        return list(dict.fromkeys(piece for piece in pieces if isinstance(piece, str) and "://" not in piece))

    def said_in(self) -> list[str]:
        """The languages in which something is said from recorded words."""
        found: dict[str, None] = {}
        for variants in self.prompts.values():
            for language, variant in variants.items():
                if any(isinstance(piece, Value | Say) for piece in variant):
                    found.update(dict.fromkeys([language] if language else self.languages))
        return list(found)


def _said(piece: Value, value: Any, language: str) -> list[Say]:
    if value is None:
        return []
    try:
        saying(value, piece.kind, digits=piece.digits, language=language)
    except ConfigurationError:
        # Not the value: it may be what a caller would rather not see in a log.
        _log.warning("a value cannot be said", data=piece.data, kind=piece.kind)
        return []
    return [Say(value, piece.kind, piece.digits)]


class _Data(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


def checked(lines: list[str]) -> None:
    """Raise one error that says all of these, if there are any.

    Raises:
        ConfigurationError: there are.
    """
    if lines:
        many = f"{len(lines)} problems" if len(lines) > 1 else "a problem"
        raise ConfigurationError(f"the voice menu has {many}:\n" + "\n".join(f"- {line}" for line in lines))

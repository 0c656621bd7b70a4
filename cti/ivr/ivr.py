"""A voice menu in service: a tree with the look-ups, calendars and queues around it, and its figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from cti.ivr.check import problems
from cti.ivr.figures import NodeFigures
from cti.ivr.tree import IvrTree, Spoken, checked
from cti.ivr.visit import IvrCall, Visit
from cti.script.prompt_files import missing_files, missing_languages
from cti.script.recognizer import Recognizer

Lookup = Callable[[Visit], object]
"""Answers a LookupNode: a word of its ``answers``, True or False for ``yes`` or ``no``, or None for ``otherwise``."""


class Calendar(Protocol):
    """Business hours; ``cti.plan.Calendar`` is one."""

    def is_open(self, at: float, /) -> bool:
        """Whether it is open at this Unix time."""
        ...


class Ivr:
    """A voice menu as a script: ``centre.on_call("5000")(Ivr(tree))``.

    Args:
        tree: what ``read_ivr`` read, or made in Python.
        lookups: functions by name. They run in the call's greenlet and may block it; ``deadline_s`` bounds them.
        calendars: business hours by name.
        queues: the queues there are; None leaves that to the call.
        calling_back: those of them that call their callers back; the same.
        mailboxes: the mailboxes there are; the same.
        recognizer: what listens in menus that have words.
        voice: the text-to-speech engine and its voice.
        clock: Unix time in seconds.

    Raises:
        ConfigurationError: the tree makes no sense, or something it names is not there; the message has all of it.
    """

    def __init__(
        self,
        tree: IvrTree,
        *,
        lookups: Mapping[str, Lookup] | None = None,
        calendars: Mapping[str, Calendar] | None = None,
        queues: Collection[str] | None = None,
        calling_back: Collection[str] | None = None,
        mailboxes: Collection[str] | None = None,
        recognizer: Recognizer | None = None,
        voice: tuple[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.tree = tree
        self.lookups = dict(lookups or {})
        self.recognizer = recognizer
        self.voice = voice
        self._calendars = dict(calendars or {})
        self._clock = clock
        found = problems(
            tree,
            lookups=self.lookups,
            calendars=self._calendars,
            queues=queues,
            calling_back=calling_back,
            mailboxes=mailboxes,
        )
        if voice is None:
            found += [f"prompts.{name}: speak needs an engine and a voice" for name in _voiceless(tree)]
        checked(found)
        self.figures: dict[str, NodeFigures] = {name: NodeFigures() for name in tree.nodes}
        """What happened at each node so far."""
        self.calls = 0
        """Calls so far."""

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<Ivr from {self.tree.start!r}, {len(self.tree.nodes)} nodes, {self.calls} calls>"

    def __call__(self, call: Any) -> None:
        """Answer a call and take it through the tree. Blocks this greenlet.

        Raises:
            CallGone: the caller hung up.
        """
        self.calls += 1
        taken: IvrCall = call
        Visit(self, taken).run()

    def is_open(self, calendar: str) -> bool:
        """Whether a calendar is open now."""
        return self._calendars[calendar].is_open(self._clock())

    def missing_prompts(self, api: Callable[[str, str], str]) -> list[str]:
        """The files of the prompts that the switch has not, and the languages in which it can say no number. Blocks.

        To be said when the centre starts: callers hear a tone in place of a file, and nothing in place of a number.
        Whether each recorded word of a language is there, FreeSWITCH does not tell.

        Args:
            api: runs an api command: ``centre.switch.api``.
        """
        return [*missing_files(api, self.tree.files()), *missing_languages(api, self.tree.said_in())]


def _voiceless(tree: IvrTree) -> list[str]:
    return [
        name
        for name, variants in tree.prompts.items()
        if any(
            isinstance(piece, Spoken) and not (piece.engine and piece.voice)
            for variant in variants.values()
            for piece in variant
        )
    ]

"""One call's way through a voice menu."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

import gevent
import structlog

from cti.errors import CallGone
from cti.ivr.figures import NodeFigures
from cti.ivr.node import (
    BACK,
    MAIN,
    REPEAT,
    CallbackNode,
    CollectNode,
    DivertNode,
    FaxNode,
    HangUpNode,
    HoursNode,
    LanguageNode,
    LookupNode,
    MenuNode,
    Names,
    Node,
    PlayNode,
    QueueNode,
    SetNode,
    VoicemailNode,
)
from cti.script.callback_number import CallbackOutcome
from cti.script.collected import Choice, Collected
from cti.script.prompt import Say, Speak
from cti.script.secret import Secret
from cti.script.sounding import MISSING_TONE

if TYPE_CHECKING:
    from cti.ivr.ivr import Ivr
    from cti.messages.arrivals import MessageLeft

TAKEN: Final = "taken"
"""The way of a callback that was taken; it leads nowhere else."""

_log = structlog.get_logger("cti.ivr")


class IvrCall(Protocol):
    """What a voice menu needs of a call: ``cti.Call`` and ``cti.testing.FakeCall`` have it."""

    id: str
    language: str
    voice: tuple[str, str]
    data: dict[str, Any]
    calling_number: str
    called_number: str

    def answer(self) -> None:
        """See Conversation."""
        ...

    def play(self, *prompts: Any, barge_in: bool = ..., missing: str = ...) -> None:
        """See Conversation."""
        ...

    def collect(self, *prompts: Any, **asked: Any) -> Collected:
        """See Conversation."""
        ...

    def menu(self, *prompts: Any, options: Mapping[str, str], **asked: Any) -> Choice[str]:
        """See Conversation."""
        ...

    def attach(self, **data: Any) -> None:
        """See Call."""
        ...

    def queue(self, queue: str, *, priority: int = ...) -> object:
        """See Call."""
        ...

    def callback(self, queue: str = ..., *, confirm: bool = ..., priority: int | None = ...) -> CallbackOutcome:
        """See Call."""
        ...

    def voicemail(self, mailbox: str) -> MessageLeft:
        """See Call."""
        ...

    def receive_fax(self, mailbox: str) -> MessageLeft:
        """See Call."""
        ...

    def divert(self, destination: str) -> None:
        """See Call."""
        ...

    def hang_up(self) -> None:
        """See Call."""
        ...


class Visit:
    """One call in a tree. Look-ups are given it: ``call``, ``data``, and what was collected in secret.

    Args:
        ivr: the tree and its surroundings.
        call: the call.
    """

    def __init__(self, ivr: Ivr, call: IvrCall) -> None:
        self.call = call
        self.secrets: dict[str, Secret] = {}
        """Secret digits by the name they were collected under; of this call only, and in nobody's data."""
        self._ivr = ivr
        self._tree = ivr.tree
        self._menus: list[str] = []
        self._log = _log.bind(call=call.id)

    @property
    def data(self) -> dict[str, Any]:
        """The call's attached data."""
        return self.call.data

    def run(self) -> None:
        """Go through the tree to an end of it. Blocks.

        Raises:
            CallGone: the caller hung up.
        """
        self.call.language = self._tree.languages[0]
        if self._ivr.voice is not None:
            self.call.voice = self._ivr.voice
        self.call.answer()
        name = self._tree.start
        while name:
            name = self._step(name)

    def _step(self, name: str) -> str:
        node = self._tree.nodes[name]
        figures = self._ivr.figures[name]
        figures.entered += 1
        try:
            way = self._pass(node, figures)
        except CallGone:
            figures.left += 1
            raise
        figures.exits[way] += 1
        if node.ends:
            return ""
        if isinstance(node, MenuNode) and name not in self._menus:
            self._menus.append(name)
        if way in node.exits:
            return self._target(name, node.exits[way])
        if way != TAKEN:
            self.call.hang_up()
        return ""

    def _target(self, name: str, target: str) -> str:
        if target == REPEAT:
            return name
        main = self._tree.main or self._tree.start
        if target == BACK:
            while self._menus and self._menus[-1] == name:
                self._menus.pop()
            target = self._menus.pop() if self._menus else main
        if target == MAIN:
            target = main
        if target == main:
            self._menus.clear()
        return target

    def _pass(self, node: Node, figures: NodeFigures) -> str:
        """Do what a node says; which way it leads."""
        match node:
            case PlayNode():
                self._play(node.play, barge_in=node.interruptible)
                return "next"
            case MenuNode():
                return self._menu(node, figures)
            case CollectNode():
                return self._collect(node, figures)
            case HoursNode():
                return "open" if self._ivr.is_open(node.hours) else "closed"
            case LookupNode():
                return self._look_up(node, figures)
            case SetNode():
                self.call.attach(**node.set)
            case LanguageNode():
                self.call.language = node.language
                self.call.attach(language=node.language)
            case QueueNode():
                self.call.queue(node.queue, priority=node.priority)
                return "queue"
            case CallbackNode():
                return self._call_back(node, figures)
            case VoicemailNode():
                return "next" if self.call.voicemail(node.voicemail).kept else "otherwise"
            case FaxNode():
                return "next" if self.call.receive_fax(node.fax).kept else "otherwise"
            case DivertNode():
                self.call.divert(node.divert)
                return "divert"
            case HangUpNode():
                self._play(node.hang_up, barge_in=False)
                self.call.hang_up()
                return "hang_up"
        return "next"

    def _menu(self, node: MenuNode, figures: NodeFigures) -> str:
        choice = self.call.menu(
            *self._prompts(node.menu),
            options=node.options,
            words=node.words if self._ivr.recognizer is not None else None,
            recognizer=self._ivr.recognizer if node.words else None,
            **self._asked(node),
        )
        if choice:
            return choice.key
        figures.nothing += choice.outcome == "nothing"
        return "otherwise"

    def _collect(self, node: CollectNode, figures: NodeFigures) -> str:
        collected = self.call.collect(
            *self._prompts(node.collect),
            min_digits=node.min_digits,
            max_digits=node.max_digits,
            terminators=node.terminators,
            valid=node.valid,
            secret=node.secret,
            **self._asked(node),
        )
        if not collected:
            figures.nothing += collected.outcome == "nothing"
            return "otherwise"
        if node.secret:
            self.secrets[node.into] = collected.secret
        else:
            self.call.attach(**{node.into: collected.digits})
        return "next"

    def _call_back(self, node: CallbackNode, figures: NodeFigures) -> str:
        outcome = self.call.callback(node.callback, confirm=node.confirm, priority=node.priority)
        if outcome:
            return TAKEN
        figures.nothing += outcome.why == "nothing"
        return outcome.why if outcome.why in node.answers else "otherwise"

    def _asked(self, node: MenuNode | CollectNode) -> dict[str, Any]:
        return {
            "tries": node.tries,
            "nothing": self._prompts(node.nothing),
            "invalid": self._prompts(node.invalid),
            "first_digit_s": node.first_digit_s,
            "between_digits_s": node.between_digits_s,
            "barge_in": node.barge_in,
        }

    def _look_up(self, node: LookupNode, figures: NodeFigures) -> str:
        deadline = gevent.Timeout(node.deadline_s)
        try:
            with deadline:
                answer = self._ivr.lookups[node.lookup](self)
        except CallGone:
            raise
        except (Exception, gevent.Timeout) as error:
            if isinstance(error, gevent.Timeout) and error is not deadline:
                raise  # somebody else's, around all of this
            # No traceback: it may hold what the caller said in confidence.
            self._log.error("a look-up failed", lookup=node.lookup, error=type(error).__name__)
            figures.failed += 1
            return "otherwise"
        word = ("yes" if answer else "no") if isinstance(answer, bool) else answer
        if isinstance(word, str) and word in node.answers:
            return word
        if word is not None:
            known = ", ".join(node.answers)
            self._log.warning(
                "a look-up gave an unknown answer", lookup=node.lookup, of=type(answer).__name__, known=known
            )
            figures.failed += 1
        return "otherwise"

    def _play(self, names: Names, *, barge_in: bool) -> None:
        self.call.play(*self._prompts(names), barge_in=barge_in, missing=MISSING_TONE)

    def _prompts(self, names: Names) -> list[str | Say | Speak]:
        return self._tree.pieces(names, self.call.language, self.call.data)

"""The nodes of a voice menu. Each says which prompts it plays and where a caller may go from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from attrs import field, frozen

from cti.script.entry import MOST_DIGITS, NUMBER

REPEAT: Final = "@repeat"
"""The same node again."""
BACK: Final = "@back"
"""The menu before this one; from the first, the same as MAIN."""
MAIN: Final = "@main"
"""The tree's main menu."""
SPECIAL: Final = (REPEAT, BACK, MAIN)

Names = tuple[str, ...]


@frozen(kw_only=True)
class Node:
    """A step of a call through a tree."""

    kind: ClassVar[str] = ""
    """The key by which a file says that a node is of this kind; it is also the field that has its value."""

    @property
    def prompts(self) -> Names:
        """The prompts it may play, by name."""
        return ()

    @property
    def exits(self) -> Mapping[str, str]:
        """Where a caller may go: a word for each way, and the node it leads to."""
        return {}

    @property
    def silent_exits(self) -> Mapping[str, str]:
        """The ways that a caller takes who does nothing at all."""
        return self.exits

    @property
    def ends(self) -> bool:
        """Whether the call leaves the tree here."""
        return False


@frozen(kw_only=True)
class PlayNode(Node):
    """Plays prompts and goes on. ``interruptible``: a key ends them, and answers the next question."""

    kind = "play"
    play: Names
    next: str
    interruptible: bool = True

    @property
    def prompts(self) -> Names:  # noqa: D102
        return self.play

    @property
    def exits(self) -> Mapping[str, str]:  # noqa: D102
        return {"next": self.next}


@frozen(kw_only=True)
class _Question(Node):
    tries: int = 3
    nothing: Names = ()
    """Prompts before another try when nothing came."""
    invalid: Names = ()
    """Prompts before another try when what came would not do."""
    first_digit_s: float = 5.0
    between_digits_s: float = 3.0
    barge_in: bool = True
    otherwise: str
    """Where a caller goes whose tries are used up."""

    @property
    def silent_exits(self) -> Mapping[str, str]:
        return {"otherwise": self.otherwise}


@frozen(kw_only=True)
class MenuNode(_Question):
    """Offers options by key, and by word where the tree has a recognizer."""

    kind = "menu"
    menu: Names
    options: Mapping[str, str]
    """Keys to nodes."""
    words: Mapping[str, Names] = field(factory=dict)
    """Keys to the words that mean the same."""

    @property
    def prompts(self) -> Names:  # noqa: D102
        return (*self.menu, *self.nothing, *self.invalid)

    @property
    def exits(self) -> Mapping[str, str]:  # noqa: D102
        return {**self.options, "otherwise": self.otherwise}


@frozen(kw_only=True)
class CollectNode(_Question):
    """Asks for digits. They become attached data ``into``; a secret's do not, and only look-ups can see them."""

    kind = "collect"
    collect: Names
    into: str
    next: str
    min_digits: int = 1
    max_digits: int = MOST_DIGITS
    terminators: str = "#"
    valid: str = NUMBER
    secret: bool = False

    @property
    def prompts(self) -> Names:  # noqa: D102
        return (*self.collect, *self.nothing, *self.invalid)

    @property
    def exits(self) -> Mapping[str, str]:  # noqa: D102
        return {"next": self.next, "otherwise": self.otherwise}


@frozen(kw_only=True)
class HoursNode(Node):
    """Goes one way when a calendar is open and another when it is not."""

    kind = "hours"
    hours: str
    """The calendar's name."""
    open: str
    closed: str

    @property
    def exits(self) -> Mapping[str, str]:  # noqa: D102
        return {"open": self.open, "closed": self.closed}


@frozen(kw_only=True)
class LookupNode(Node):
    """Asks a function of the host, and goes where its answer leads; ``otherwise`` also when it fails or is late."""

    kind = "lookup"
    lookup: str
    """The function's name."""
    answers: Mapping[str, str]
    otherwise: str
    deadline_s: float = 5.0

    @property
    def exits(self) -> Mapping[str, str]:  # noqa: D102
        return {**self.answers, "otherwise": self.otherwise}


@frozen(kw_only=True)
class SetNode(Node):
    """Attaches data to the call and goes on."""

    kind = "set"
    set: Mapping[str, Any]
    next: str

    @property
    def exits(self) -> Mapping[str, str]:  # noqa: D102
        return {"next": self.next}


@frozen(kw_only=True)
class LanguageNode(Node):
    """Changes the language of all that follows, attaches it as data ``language``, and goes on."""

    kind = "language"
    language: str
    next: str

    @property
    def exits(self) -> Mapping[str, str]:  # noqa: D102
        return {"next": self.next}


@frozen(kw_only=True)
class QueueNode(Node):
    """Puts the call into a queue. The tree ends with it, however the queue does."""

    kind = "queue"
    queue: str
    priority: int = 0

    @property
    def ends(self) -> bool:  # noqa: D102
        return True


@frozen(kw_only=True)
class _Arrival(Node):
    next: str = ""
    """Where the caller goes afterwards; left out, they are hung up on."""
    otherwise: str = ""
    """Where a caller goes who has left nothing; left out, as ``next``."""

    @property
    def exits(self) -> Mapping[str, str]:
        ways = {"next": self.next, "otherwise": self.otherwise or self.next}
        return {way: target for way, target in ways.items() if target}


@frozen(kw_only=True)
class VoicemailNode(_Arrival):
    """Lets the caller leave a message in a mailbox. Most of them end it by hanging up, and are counted as having left here."""

    kind = "voicemail"
    voicemail: str
    """The mailbox's name."""


@frozen(kw_only=True)
class FaxNode(_Arrival):
    """Receives a fax into a mailbox."""

    kind = "fax"
    fax: str
    """The mailbox's name."""


@frozen(kw_only=True)
class CallbackNode(Node):
    """Offers to call the caller back, and agrees on the number. The tree ends with it when that is taken."""

    kind = "callback"
    callback: str
    """The queue whose agents call."""
    priority: int = 0
    confirm: bool = True
    """Whether the caller is asked; if not, their own number is taken as it is."""
    answers: Mapping[str, str] = field(factory=dict)
    """Where a caller goes whom nobody calls back, by why (WHY_NOT); the others go ``otherwise``."""
    otherwise: str

    @property
    def exits(self) -> Mapping[str, str]:  # noqa: D102
        return {**self.answers, "otherwise": self.otherwise}

    @property
    def silent_exits(self) -> Mapping[str, str]:  # noqa: D102
        if not self.confirm:
            return self.exits
        return {why: target for why, target in self.exits.items() if why in SILENT}


SILENT: Final = frozenset(("nothing", "refused", "otherwise"))
"""The ways out of an offered callback that need no key."""


@frozen(kw_only=True)
class DivertNode(Node):
    """Sends the call to a number of the switch's dialplan, out of the centre."""

    kind = "divert"
    divert: str

    @property
    def ends(self) -> bool:  # noqa: D102
        return True


@frozen(kw_only=True)
class HangUpNode(Node):
    """Plays prompts, if any, and ends the call."""

    kind = "hang_up"
    hang_up: Names = ()

    @property
    def prompts(self) -> Names:  # noqa: D102
        return self.hang_up

    @property
    def ends(self) -> bool:  # noqa: D102
        return True


KINDS: Final[dict[str, type[Node]]] = {
    kind.kind: kind
    for kind in (
        *(PlayNode, MenuNode, CollectNode, HoursNode, LookupNode),
        *(SetNode, LanguageNode, QueueNode, VoicemailNode, CallbackNode),
        *(FaxNode, DivertNode, HangUpNode),
    )
}

"""What one event-socket session wants to hear: names, CUSTOM subclasses, filters (``mod_event_socket.c``)."""

from __future__ import annotations

import re

from cti.esl.event_names import EVENT_NAMES
from cti.sim.event import HeaderValue, SimEvent

_KNOWN = frozenset(EVENT_NAMES)
# strncasecmp in switch_name_event: a name may carry the prefix of the C constant.
_PREFIX = "SWITCH_EVENT_"


class Filter:
    """One line of ``filter``: a header, and a text or ``/expression/``; a leading ``-`` keeps matching events out."""

    def __init__(self, header: str, value: str) -> None:
        self.header = header
        self.value = value
        self.positive = not value.startswith("-")
        wanted = value[1:] if value[:1] in ("+", "-") else value
        # The sign is looked for in front of the slash, so "+/x/" is a text, not an expression.
        self._expression = re.compile(value[1:-1]) if len(value) > 1 and value[0] == value[-1] == "/" else None
        self._text = wanted.casefold()

    def matches(self, headers: dict[str, HeaderValue]) -> bool:
        """Whether the event has the header with a value that fits; the case of both does not matter."""
        wanted = self.header.casefold()
        for name, value in headers.items():
            if name.casefold() == wanted:
                text = value if isinstance(value, str) else value[0] if value else ""
                if self._expression is not None:
                    return self._expression.search(text) is not None
                return text.casefold() == self._text
        return False


class Subscription:
    """The state that ``event``, ``nixevent``, ``noevents`` and ``filter`` change."""

    def __init__(self) -> None:
        self.form = "plain"
        self.all = False
        self.names: set[str] = set()
        self.subclasses: set[str] = set()
        self.filters: list[Filter] = []
        self.listening = False

    def add(self, text: str) -> bool:
        """Carries out ``event TEXT``; False when no word of it is an event FreeSWITCH knows."""
        words = text.split(" ")
        if words and words[0].lower() in ("plain", "json"):
            self.form = words.pop(0).lower()
        found = custom = False
        for word in words:
            if not word:
                continue
            if custom:
                # Everything after CUSTOM is a subclass, its case matters, and it need not exist.
                self.subclasses.add(word)
                continue
            name = _event_name(word)
            if name is None:
                continue
            found = True
            if name == "ALL":
                self.all = True
            custom = name == "CUSTOM"
            self.names.add(name)
        self.listening = self.listening or found
        return found

    def remove(self, text: str) -> bool:
        """Carries out ``nixevent TEXT``; False when no word of it is an event FreeSWITCH knows."""
        found = custom = False
        for word in text.split():
            if custom:
                self.subclasses.discard(word)
                continue
            name = _event_name(word)
            if name is None:
                continue
            found = True
            custom = name == "CUSTOM"
            if self.all:
                # FreeSWITCH writes the list out, and CUSTOM events of unknown subclasses are lost with that.
                self.all = False
                self.names = set(EVENT_NAMES)
            if name == "ALL":
                self.names.clear()
                self.subclasses.clear()
            self.names.discard(name)
        return found

    def clear(self) -> bool:
        """Carries out ``noevents``; False when nothing was listened for."""
        was = self.listening
        self.listening = self.all = False
        self.names.clear()
        self.subclasses.clear()
        return was

    def wants(self, name: str) -> bool:
        """Whether events of this name can be of interest; filters and subclasses are looked at later."""
        return self.all or name in self.names

    def accepts(self, event: SimEvent) -> bool:
        """Whether this event goes out to the session."""
        if not self.all:
            if event.name not in self.names:
                return False
            # A bare CUSTOM hears only events without a subclass.
            if event.name == "CUSTOM" and event.subclass and event.subclass not in self.subclasses:
                return False
        if not self.filters:
            return True
        send = False
        for one in self.filters:
            if one.matches(event.headers):
                if not one.positive:
                    return False
                send = True
        return send


def _event_name(word: str) -> str | None:
    upper = word.upper()
    upper = upper.removeprefix(_PREFIX)
    return upper if upper in _KNOWN else None

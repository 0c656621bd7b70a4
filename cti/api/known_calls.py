"""Which queue and which agent each living call is with: whose business it is."""

from __future__ import annotations

from typing import Any

from cti.api.grant import Grant
from cti.model import events


class KnownCalls:
    """Follows the events; a call that it has not heard of is nobody's but theirs who see everything."""

    def __init__(self) -> None:
        self._calls: dict[str, tuple[str | None, str | None]] = {}

    def __len__(self) -> int:
        """How many calls are known."""
        return len(self._calls)

    def follow(self, event: Any) -> None:
        """Take an event into account."""
        if isinstance(event, events.InteractionEnded):
            self._calls.pop(event.interaction, None)
        elif isinstance(event, events.CallEvent):
            self._calls[event.interaction] = (event.agent, event.queue)

    def forget(self) -> None:
        """Start anew: events have been lost, and with them perhaps the ends of calls."""
        self._calls.clear()

    def covered_by(self, grant: Grant, call: str) -> bool:
        """Whether a call is the business of a key's holder."""
        agent, queue = self._calls.get(call, (None, None))
        return grant.sees(agent, queue)

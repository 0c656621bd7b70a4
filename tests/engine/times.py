"""Whether the histories that were told add up: with themselves, with the agents' sessions, with the queues' figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

import pytest

from cti.model import events
from cti.model.history import HANDLING, InteractionHistory
from cti.model.ids import AgentId

_EPSILON_S = 1e-5
"""Unix times of today have about so much room behind the point."""
_HANDLING = {kind.value for kind in HANDLING}


def check_history(history: InteractionHistory) -> None:
    """The segments of a leg follow one another without a gap, and those of an agent add up to the time they were in it."""
    legs = defaultdict(list)
    for segment in history.segments:
        assert segment.ended is not None, segment
        assert segment.length_s == pytest.approx(segment.ended - segment.began, abs=_EPSILON_S)
        assert segment.length_s >= 0
        if segment.connection:  # a fax has none
            legs[segment.connection].append(segment)
    for leg, segments in legs.items():
        for before, after in pairwise(segments):
            if after.kind == "ringing":  # a standing connection: it has left the call, and comes again
                assert before.ended <= after.began + _EPSILON_S, segments
                continue
            assert before.ended == pytest.approx(after.began, abs=_EPSILON_S), (leg, segments)
            assert (before.kind, before.agent) != (after.kind, after.agent) or before.queue != after.queue, segments
        assert len({each.agent for each in segments}) == 1, segments
    assert history.ended_by, history
    assert history.cause
    assert history.ended is not None
    assert history.began <= history.ended + _EPSILON_S


def seconds_told(told: Iterable[events.InteractionEnded], agent: str | None = None) -> dict[str, float]:
    """How long each agent, or one of them, was handling calls, by the histories."""
    found: dict[str, float] = defaultdict(float)
    for event in told:
        for segment in event.history.segments:
            if (
                segment.agent is not None
                and segment.kind in (*_HANDLING, "initiated")
                and agent in (None, segment.agent)
            ):
                found[segment.agent] += segment.length_s
    return found


class Sessions:
    """How long each agent was busy or worked after a call, by the events of their sessions."""

    def __init__(self) -> None:
        self.seconds: dict[AgentId, float] = defaultdict(float)
        self._since: dict[AgentId, float] = {}

    def hear(self, event: events.Event) -> None:
        if not isinstance(event, events.AgentEvent) or isinstance(event, events.AgentPending):
            return
        since = self._since.pop(event.agent, None)
        if since is not None:
            self.seconds[event.agent] += event.at - since
        if event.state in ("busy", "working after call"):
            self._since[event.agent] = event.at

"""The recorded FreeSWITCH sessions as events."""

from __future__ import annotations

import json
from pathlib import Path

from cti.esl import Decoder, Event

FOLDER = Path(__file__).parent.parent / "data" / "recordings"


def recorded_events(scenario: str) -> list[Event]:
    """Every event that FreeSWITCH sent in a scenario, in order."""
    decoder, events = Decoder(), []
    lines = (FOLDER / f"{scenario}.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    for line in lines:
        direction, _, frame = json.loads(line)
        if direction == "<":
            events += [f.event for f in decoder.feed(frame.encode("utf-8", "surrogateescape")) if f.event is not None]
    return events

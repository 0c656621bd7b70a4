"""What a snapshot says of a leg that stays on the line."""

from __future__ import annotations

import pytest

from cti.model.connection import Side
from cti.switch.snapshot import channel_seen

LEG = {
    "Unique-ID": "leg",
    "Answer-State": "answered",
    "variable_cti_node": "cti",
    "variable_cti_other": "true",
    "variable_cti_agent": "a%20b",
    "variable_cti_standing": "a%20b",
}


@pytest.mark.parametrize(
    "where",
    [
        {"Channel-State": "CS_PARK"},
        {"Channel-State": "CS_EXECUTE", "variable_current_application": "playback"},
        {"Channel-State": "CS_RESET"},  # a bridge that has come to nothing
    ],
)
def test_it_is_seen_wherever_it_is(where):
    seen = channel_seen({**LEG, **where}, "cti")
    assert seen is not None
    assert (seen.standing, seen.agent, seen.side, seen.bridged_to) == ("a b", "a b", Side.AGENT, None)
    assert seen.established


def test_it_is_seen_in_a_call():
    seen = channel_seen({**LEG, "Channel-State": "CS_EXCHANGE_MEDIA", "variable_signal_bond": "caller"}, "cti")
    assert seen is not None
    assert (seen.standing, seen.bridged_to) == ("a b", "caller")

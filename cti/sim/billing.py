"""The times and durations FreeSWITCH adds to a channel's variables when it ends (``switch_channel_set_timestamps``)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cti.sim.cause import CAUSES

if TYPE_CHECKING:
    from cti.sim.channel import Channel


def _q850(cause: str) -> int:
    number = CAUSES.get(cause, 16)
    return number if number < 128 else 16  # FreeSWITCH's own causes count as normal clearing


def closing_variables(channel: Channel) -> dict[str, str]:
    """The variables that CHANNEL_HANGUP_COMPLETE is the first to carry."""
    fields = channel.profile.fields
    start = channel.created_us
    answer = channel.answered_us
    bridge = channel.bridged_us
    progress = channel.progress_us
    end = channel.ended_us
    found = {
        "variable_hangup_cause": channel.hangup_cause,
        "variable_hangup_cause_q850": str(_q850(channel.hangup_cause)),
        "variable_digits_dialed": "none",
    }
    stamps = {
        "start": start,
        "profile_start": int(fields["Profile-Created-Time"]),
        "answer": answer,
        "bridge": bridge,
        "progress": progress,
        "end": end,
    }
    for name, at_us in stamps.items():
        if at_us and (name != "bridge" or answer):
            found[f"variable_{name}_stamp"] = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at_us // 1_000_000))
    for name, at_us in stamps.items():
        found[f"variable_{name}_epoch"] = str(at_us // 1_000_000)
        found[f"variable_{name}_uepoch"] = str(at_us)
    if channel.last_application:
        found["variable_last_app"] = channel.last_application
    if channel.last_data:
        found["variable_last_arg"] = channel.last_data
    found["variable_caller_id"] = f'"{fields["Caller-ID-Name"]}" <{fields["Caller-ID-Number"]}>'
    durations = {
        "duration": end - start,
        "bill": end - answer if answer else 0,
        "progress": progress - start if progress else 0,
        "answer": answer - start if answer else 0,
        "wait": bridge - start if bridge else 0,
    }
    for name, us in durations.items():
        whole = "" if name == "duration" else name
        unit = whole or "duration"
        if name == "duration":
            # Whole seconds are taken from whole-second clocks, so a call of 0.4 s may last 1.
            found["variable_duration"] = str(end // 1_000_000 - start // 1_000_000)
            found["variable_mduration"] = str(us // 1000)
            found["variable_uduration"] = str(us)
        else:
            found[f"variable_{unit}sec"] = str(us // 1_000_000)
            found[f"variable_{unit}msec"] = str(us // 1000)
            found[f"variable_{unit}usec"] = str(us)
    return found

"""What callers hear before they wait. Edit it, and restart the daemon: modules are not read again by a reload."""

from __future__ import annotations

from cti import Call


def claims_line(call: Call) -> None:
    call.answer()
    call.play("tone_stream://%(200,0,640)")
    call.queue("claims", priority=5 if call.calling_number.endswith("8") else 0)

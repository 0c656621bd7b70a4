"""The story of every call and agent in the log: a line an event, with the call's id."""

from __future__ import annotations

from typing import Final

import structlog

from cti.model import events

_log = structlog.get_logger("cti.call")

_TOLD: Final = (
    events.Offered,
    events.Queued,
    events.Established,
    events.Diverted,
    events.Abandoned,
    events.CallCleared,
)
"""What is said of a call at the level ``info``; the rest is for ``debug``."""
_OWN: Final = {
    events.Offered: ("calling_number", "called_number"),
    events.Queued: ("position",),
    events.Delivered: ("waited_s",),
    events.Established: ("waited_s",),
    events.Diverted: ("destination", "to_queue", "to_script"),
    events.Abandoned: ("waited_s",),
    events.OfferEnded: ("outcome", "switch_cause"),
    events.ConnectionCleared: ("side", "switch_cause"),
    events.CallCleared: ("state",),
    events.RouteUsed: ("to",),
    events.RouteEnded: ("error",),
}


def log_call(event: events.CallEvent) -> None:
    """Log an event of a call."""
    said = {name: value for name in _OWN.get(type(event), ()) if (value := getattr(event, name)) not in (None, "")}
    if "waited_s" in said:
        said["waited_s"] = round(said["waited_s"], 3)
    said |= {name: value for name in ("queue", "agent") if (value := getattr(event, name)) is not None}
    say = _log.info if isinstance(event, _TOLD) else _log.debug
    say(type(event).__name__, call=event.interaction, cause=event.cause.csta_name, **said)


def log_agent(event: events.AgentEvent) -> None:
    """Log an event of an agent's session."""
    told = isinstance(event, events.AgentLoggedOn | events.AgentLoggedOff)
    more = {name: value for name in ("reason", "pending") if (value := getattr(event, name))}
    (_log.info if told else _log.debug)(type(event).__name__, agent=event.agent, state=event.state, **more)


def log_link(event: events.SystemStatus) -> None:
    """Log a change of the link to the switch."""
    say = _log.info if event.status in ("normal", "initializing") else _log.warning
    say("the link to the switch", switch=event.switch, status=event.status, detail=event.detail)

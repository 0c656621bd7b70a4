"""Computer-telephony middleware for FreeSWITCH: calls, agents, skills, queues and a pluggable router, on gevent.

The names below are loaded when first used, so that ``import cti.esl`` or ``import cti.model`` pulls in no gevent.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cti._version import __version__

if TYPE_CHECKING:
    from cti import errors
    from cti.call import Call, QueueOutcome
    from cti.center import AgentControl, CallCenter
    from cti.errors import CallGone, CtiError
    from cti.model import events, reason
    from cti.model.cause import Cause
    from cti.model.queue import Disconnect, ToDestination, ToQueue, Widening
    from cti.routing import LongestIdle, Router, SkillRouter, Strategy

_HOME = {
    "AgentControl": "cti.center",
    "Call": "cti.call",
    "CallCenter": "cti.center",
    "CallGone": "cti.errors",
    "Cause": "cti.model.cause",
    "CtiError": "cti.errors",
    "Disconnect": "cti.model.queue",
    "LongestIdle": "cti.routing",
    "QueueOutcome": "cti.call",
    "Router": "cti.routing",
    "SkillRouter": "cti.routing",
    "Strategy": "cti.routing",
    "ToDestination": "cti.model.queue",
    "ToQueue": "cti.model.queue",
    "Widening": "cti.model.queue",
}
_MODULES = {"errors": "cti.errors", "events": "cti.model.events", "reason": "cti.model.reason"}

__all__ = [
    "AgentControl",
    "Call",
    "CallCenter",
    "CallGone",
    "Cause",
    "CtiError",
    "Disconnect",
    "LongestIdle",
    "QueueOutcome",
    "Router",
    "SkillRouter",
    "Strategy",
    "ToDestination",
    "ToQueue",
    "Widening",
    "__version__",
    "errors",
    "events",
    "reason",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _MODULES:
        return import_module(_MODULES[name])
    raise AttributeError(f"module 'cti' has no attribute {name!r}")

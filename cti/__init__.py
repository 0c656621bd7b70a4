"""Computer-telephony middleware for FreeSWITCH: calls, agents, skills, queues and a pluggable router, on gevent.

The names below are loaded when first used, so that ``import cti.esl`` or ``import cti.model`` pulls in no gevent.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cti._version import __version__

if TYPE_CHECKING:
    from cti import errors
    from cti.agent_control import AgentControl
    from cti.call import Call, QueueOutcome
    from cti.center import CallCenter
    from cti.client import Client
    from cti.errors import CallGone, CtiError
    from cti.messages import Messages
    from cti.model import events, reason
    from cti.model.borrowing import Borrowing
    from cti.model.callback import CallbackPrompts, CallbackSettings
    from cti.model.cause import Cause
    from cti.model.overflow import Disconnect, ToDestination, ToFax, ToMailbox, ToQueue, ToScript, ToVoicemail
    from cti.model.personal import Deputy, LastAgent, Personal
    from cti.model.predictive import PredictiveSettings
    from cti.model.widening import Widening
    from cti.plan import Calendar, Plan, RouteSelect, Rule
    from cti.recordings import Recordings
    from cti.routing import GuardedRouter, LongestIdle, Router, SkillRouter, Strategy
    from cti.script.callback_number import CallbackOutcome
    from cti.supervisor_control import SupervisorControl

_HOME = {
    "AgentControl": "cti.agent_control",
    "Borrowing": "cti.model.borrowing",
    "PredictiveSettings": "cti.model.predictive",
    "Calendar": "cti.plan",
    "Call": "cti.call",
    "CallCenter": "cti.center",
    "CallGone": "cti.errors",
    "CallbackOutcome": "cti.script.callback_number",
    "CallbackPrompts": "cti.model.callback",
    "CallbackSettings": "cti.model.callback",
    "Cause": "cti.model.cause",
    "Client": "cti.client",
    "CtiError": "cti.errors",
    "Deputy": "cti.model.personal",
    "Destination": "cti.model.party",
    "Disconnect": "cti.model.overflow",
    "GuardedRouter": "cti.routing",
    "LastAgent": "cti.model.personal",
    "LongestIdle": "cti.routing",
    "Messages": "cti.messages",
    "Personal": "cti.model.personal",
    "Plan": "cti.plan",
    "QueueOutcome": "cti.call",
    "Recordings": "cti.recordings",
    "RouteSelect": "cti.plan",
    "Router": "cti.routing",
    "Rule": "cti.plan",
    "SkillRouter": "cti.routing",
    "Strategy": "cti.routing",
    "SupervisorControl": "cti.supervisor_control",
    "ToAgent": "cti.model.party",
    "ToDestination": "cti.model.overflow",
    "ToFax": "cti.model.overflow",
    "ToMailbox": "cti.model.overflow",
    "ToNumber": "cti.model.party",
    "ToQueue": "cti.model.overflow",
    "ToScript": "cti.model.overflow",
    "ToVoicemail": "cti.model.overflow",
    "Widening": "cti.model.widening",
}
_MODULES = {"errors": "cti.errors", "events": "cti.model.events", "reason": "cti.model.reason"}

__all__ = [
    "AgentControl",
    "Borrowing",
    "Calendar",
    "Call",
    "CallCenter",
    "CallGone",
    "CallbackOutcome",
    "CallbackPrompts",
    "CallbackSettings",
    "Cause",
    "Client",
    "CtiError",
    "Deputy",
    "Destination",
    "Disconnect",
    "GuardedRouter",
    "LastAgent",
    "LongestIdle",
    "Messages",
    "Personal",
    "Plan",
    "PredictiveSettings",
    "QueueOutcome",
    "Recordings",
    "RouteSelect",
    "Router",
    "Rule",
    "SkillRouter",
    "Strategy",
    "SupervisorControl",
    "ToAgent",
    "ToDestination",
    "ToFax",
    "ToMailbox",
    "ToNumber",
    "ToQueue",
    "ToScript",
    "ToVoicemail",
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

"""Which call goes to which agent."""

from cti.routing.decision import Decision, Fault
from cti.routing.guarded import GuardedRouter, RouterFault
from cti.routing.ringing import Ringing
from cti.routing.router import Router
from cti.routing.skill_router import SkillRouter
from cti.routing.strategies import LongestIdle, RingAll, RingProgressively
from cti.routing.strategy import Strategy

__all__ = [
    "Decision",
    "Fault",
    "GuardedRouter",
    "LongestIdle",
    "RingAll",
    "RingProgressively",
    "Ringing",
    "Router",
    "RouterFault",
    "SkillRouter",
    "Strategy",
]

"""Which call goes to which agent."""

from cti.routing.decision import Decision, Fault
from cti.routing.router import Router
from cti.routing.skill_router import SkillRouter
from cti.routing.strategies import LongestIdle
from cti.routing.strategy import Strategy

__all__ = ["Decision", "Fault", "LongestIdle", "Router", "SkillRouter", "Strategy"]

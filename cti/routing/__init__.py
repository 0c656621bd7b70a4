"""Which call goes to which agent."""

from cti.routing.router import Router
from cti.routing.skill_router import SkillRouter
from cti.routing.strategy import LongestIdle, Strategy

__all__ = ["LongestIdle", "Router", "SkillRouter", "Strategy"]

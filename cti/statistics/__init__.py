"""Figures by interval, of queues and of agents: what the engine counts, cut into quarters or halves of an hour, and kept."""

from __future__ import annotations

from cti.statistics.book import FigureBook
from cti.statistics.interval import AgentInterval, QueueInterval, begin_of, moment
from cti.statistics.statistics import Statistics
from cti.statistics.turns import in_turns

__all__ = ["AgentInterval", "FigureBook", "QueueInterval", "Statistics", "begin_of", "in_turns", "moment"]

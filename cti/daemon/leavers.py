"""Agents who are to be removed once no call of theirs is under way."""

from __future__ import annotations

import structlog

from cti.center import CallCenter
from cti.errors import CtiError, UnknownAgent
from cti.model import events, reason
from cti.model.states import AgentState

_log = structlog.get_logger("cti.daemon")

_BUSY = AgentState.BUSY.value
_IDLE = (AgentState.NULL.value, AgentState.NOT_READY.value, AgentState.READY.value)


class Leavers:
    """Removes agents: at once if nothing is under way, else after the offer, the call and the wrap-up in hand.

    Args:
        centre: whose agents.
    """

    def __init__(self, centre: CallCenter) -> None:
        self._centre = centre
        self._leaving: set[str] = set()
        self._busy: set[str] = set()
        centre.subscribe(self._told, events.AgentEvent)

    def leave(self, agent: str) -> bool:
        """Remove an agent; whether it was done at once. One whom there is not is removed already."""
        if self._centre.presence(agent) in ("busy", "wrap-up"):
            self._leaving.add(agent)
            if agent in self._busy:
                self._centre.agent(agent).log_off(reason.SUPERVISOR)
            return False
        self._remove(agent)
        return True

    def stay(self, agent: str) -> None:
        """Do not remove an agent after all."""
        self._leaving.discard(agent)

    def _told(self, event: events.AgentEvent) -> None:
        agent = event.agent
        (self._busy.add if event.state == _BUSY else self._busy.discard)(agent)
        if agent not in self._leaving:
            return
        try:
            if event.state in _IDLE and self._centre.presence(agent) not in ("busy", "wrap-up"):
                self._remove(agent)
            elif event.state == _BUSY and event.pending != AgentState.NULL.value:
                self._centre.agent(agent).log_off(reason.SUPERVISOR)
        except UnknownAgent:
            self._leaving.discard(agent)

    def _remove(self, agent: str) -> None:
        self._leaving.discard(agent)
        try:
            self._centre.remove_agent(agent)
        except UnknownAgent:
            return  # another program has removed them
        except CtiError as error:
            _log.warning("an agent cannot be removed yet", agent=agent, reason=str(error))
            self._leaving.add(agent)
        else:
            _log.info("an agent was removed", agent=agent)

"""Personal routing: a call that waits for one agent before anybody else may be offered it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import Attribute, Factory, field, frozen

from cti.errors import ConfigurationError
from cti.model.agent import Agent
from cti.model.ids import AgentId
from cti.model.overflow import Overflow
from cti.model.states import AgentState
from cti.model.validate import name, seconds

READY = "ready"
BUSY = "busy"
WRAP_UP = "wrap-up"
NOT_READY = "not ready"
LOGGED_OFF = "logged off"


@frozen
class Deputy:
    """Somebody else, on the same terms."""

    agent: AgentId = field(validator=name)


Terms = float | Deputy | Overflow
"""Seconds to wait for the agent, somebody else to wait for, or where the call goes instead."""


def _terms(_instance: object, attribute: Attribute[Mapping[str, Terms]], value: Mapping[str, Terms]) -> None:
    for presence, terms in value.items():
        if not isinstance(presence, str) or not presence:
            raise ConfigurationError(f"{attribute.name}: {presence!r} is not a presence; it must be text")
        if isinstance(terms, Deputy | Overflow):
            continue
        if not isinstance(terms, int | float) or isinstance(terms, bool) or not 0 <= terms < 1e9:
            raise ConfigurationError(
                f"{attribute.name}: {presence!r} has {terms!r}; it must be seconds from 0 up, a Deputy, or where to go"
            )


@frozen
class Personal:
    """Wait for one agent: nobody else is offered the call until the time is up, then everybody in its queue is.

    The agent need not have the skills that the queue requires: they were named on purpose.

    Args:
        agent: for whom.
        wait_s: seconds to wait while they are ready, on a call, or in wrap-up after one.
        by_presence: the terms for a presence (see ``presence_of``), in place of ``wait_s`` for the first three and of
            not waiting at all for any other: seconds, a Deputy, or where the call goes instead. ``{"leave":
            Deputy("mei"), "mobile": ToDestination("91380000"), "away": 20.0}``.
    """

    agent: AgentId = field(validator=name)
    wait_s: float = field(default=30.0, validator=seconds)
    by_presence: Mapping[str, Terms] = field(default=Factory(dict), validator=_terms)

    def terms(self, presence: str) -> Terms:
        """What to do while the agent is so."""
        said = self.by_presence.get(presence)
        if said is None and presence not in (READY, BUSY, WRAP_UP, LOGGED_OFF):
            said = self.by_presence.get(NOT_READY)  # for any reason that is not named
        if said is not None:
            return said
        return self.wait_s if presence in (READY, BUSY, WRAP_UP) else 0.0


@frozen
class LastAgent:
    """Wait for the agent who last talked with this customer (``data["customer"]``, or the calling number).

    Args:
        within_s: how long ago at the most; 30 days.
        wait_s: how long to wait for them; 0 offers them the call first if they are ready, and waits not at all.
        by_presence: as for Personal.
    """

    within_s: float = field(default=30 * 86400.0, validator=seconds)
    wait_s: float = field(default=0.0, validator=seconds)
    by_presence: Mapping[str, Terms] = field(default=Factory(dict), validator=_terms)


def presence_of(agent: Agent) -> str:
    """What an agent is doing, in one word: ``ready``, ``busy`` (being offered a call, or on one), ``wrap-up``, ``logged
    off``, or, when not ready, the reason code in lower case (``away``, ``leave``, ``mobile``, ...; ``not ready``
    without one).
    """
    if agent.state is AgentState.NOT_READY:
        return agent.reason.lower() or NOT_READY
    return _PRESENCE[agent.state]


_PRESENCE = {
    AgentState.NULL: LOGGED_OFF,
    AgentState.READY: READY,
    AgentState.RESERVED: BUSY,
    AgentState.ALERTING: BUSY,
    AgentState.BUSY: BUSY,
    AgentState.WORKING_AFTER_CALL: WRAP_UP,
}

"""Where a call should go (CSTA: Route Select)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import Attribute, Factory, evolve, field, frozen
from attrs.validators import optional

from cti.errors import ConfigurationError
from cti.model.facts import RouteSelected
from cti.model.ids import AgentId, InteractionId
from cti.model.overflow import Overflow, ToQueue
from cti.model.personal import LastAgent, Personal, Terms
from cti.model.validate import name, seconds, whole
from cti.plan.request import Request
from cti.plan.standing import AgentKey


@frozen
class PersonalFrom:
    """Wait for the agent whose id is attached to the call; who is attached to none, or to nobody known, waits not.

    Args:
        key: the attached data's key, such as ``adviser``.
        wait_s: as for Personal.
        by_presence: as for Personal.
    """

    key: str = field(validator=name)
    wait_s: float = field(default=30.0, validator=seconds)
    by_presence: Mapping[str, Terms] = Factory(dict)

    def __attrs_post_init__(self) -> None:
        Personal(AgentId(self.key), self.wait_s, self.by_presence)  # raises what cannot be used

    def of(self, request: Request) -> Personal | None:
        """The terms for this request's agent, if it names one whose presence is known."""
        agent = AgentKey(self.key).agent(request)
        if agent is None or request.presence(agent) is None:
            return None
        return Personal(agent, self.wait_s, self.by_presence)


def _target(_instance: object, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, Overflow):
        raise ConfigurationError(
            f"{attribute.name} is {value!r}; it must be ToQueue, ToDestination, ToVoicemail, ToMailbox, ToFax, ToScript or Disconnect"
        )


def _personal(_instance: object, attribute: Attribute[Any], value: object) -> None:
    if value is not None and not isinstance(value, Personal | LastAgent | PersonalFrom):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be Personal, LastAgent or PersonalFrom")


def _agents(value: Iterable[str]) -> tuple[AgentId, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ConfigurationError(f"preferred is {value!r}; it must be a list of agents")
    return tuple(map(AgentId, value))


@frozen
class RouteSelect:
    """Where a call should go, and on which terms. Agents need a queue to be waited for in.

    Args:
        to: a queue, a destination, a mailbox, a script (which may offer a callback), or the end of the call.
        priority: the call's own; None leaves it.
        data: attached to the call before anybody is offered it.
        personal: the agent for whom it waits first: one who is named, who last talked with this customer, or whose id
            is attached to the call. A plan's answer has no PersonalFrom any more.
        preferred: who is asked before all others.
        rule: the name of the rule that said so; empty for the plan's default.
    """

    to: Overflow = field(validator=_target)
    priority: int | None = field(default=None, validator=optional(whole))
    data: Mapping[str, Any] = Factory(dict)
    personal: Personal | LastAgent | PersonalFrom | None = field(default=None, validator=_personal)
    preferred: tuple[AgentId, ...] = field(default=(), converter=_agents)
    rule: str = ""

    def __attrs_post_init__(self) -> None:
        if (self.personal is not None or self.preferred) and not isinstance(self.to, ToQueue):
            raise ConfigurationError(f"to is {self.to!r}; personal and preferred need a queue to wait in: ToQueue")

    def selected(self, interaction: InteractionId, cross_ref: str) -> RouteSelected:
        """The fact that answers a route request with this."""
        personal = None if isinstance(self.personal, PersonalFrom) else self.personal
        return RouteSelected(interaction, cross_ref, self.to, self.priority, personal, self.preferred, self.data)

    def answer(self, request: Request, rule: str) -> RouteSelect:
        """The same for one request, with its agent looked up."""
        personal = self.personal.of(request) if isinstance(self.personal, PersonalFrom) else self.personal
        return evolve(self, data=dict(self.data), personal=personal, rule=rule)

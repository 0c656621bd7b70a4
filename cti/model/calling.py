"""Call-control services as facts, about calls that are not the agent's yet, or end for everybody. CSTA's names."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from cti.errors import ConfigurationError
from cti.model.ids import AgentId
from cti.model.party import is_number
from cti.model.validate import seconds

LONGEST_WARNING_S: Final = 2.0
"""How long those who talk may be warned: whoever intrudes has answered, and hears nothing meanwhile."""


def calling(_instance: object, _attribute: object, value: str) -> None:
    """An attrs validator: a number that can be shown, or nothing."""
    if value and not is_number(value):
        raise ConfigurationError(f"calling_number is {value!r}; it must be 1 to 64 of 0-9 + * # . _ - and letters")


@frozen
class MakeConnectionRequested:
    """Make Connection: the agent's own phone rings, and is to be told later whom to call.

    ``calling_number`` and ``wrap_up_s`` are as of Make Call.
    """

    agent: AgentId
    calling_number: str = field(default="", validator=calling)
    wrap_up_s: float = field(default=0.0, validator=seconds)


def _dialled(_instance: object, _attribute: object, value: str) -> None:
    if not value or len(value) > 64 or set(value) - set("0123456789*#+"):
        raise ConfigurationError(f"digits are {value!r}; they must be 1 to 64 of 0-9 * # +")


@frozen
class DialDigitsRequested:
    """Dial Digits: digits into a connection that waits for them; the number is whole unless ``more`` are to come."""

    agent: AgentId
    digits: str = field(validator=_dialled)
    more: bool = False


@frozen
class AnswerRequested:
    """Answer Call: the agent's phone, which rings, is asked to answer by itself."""

    agent: AgentId


@frozen
class ClearCallRequested:
    """Clear Call: the call that the agent is in charge of ends, whoever is on it."""

    agent: AgentId


@frozen
class JoinRequested:
    """Join Call: an agent comes into the conversation that another has: heard by all, or silent."""

    agent: AgentId
    at: AgentId
    silent: bool = False


def _warning(_instance: object, _attribute: object, value: float) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= LONGEST_WARNING_S:
        raise ConfigurationError(f"warn_s is {value!r}; it must be a number of seconds from 0 to {LONGEST_WARNING_S:g}")


@frozen
class IntrudeRequested:
    """Intrude Call: an agent comes into the conversation that another has; those who talk are warned by a tone, for
    ``warn_s`` before it.
    """

    agent: AgentId
    at: AgentId
    warn_s: float = field(default=1.0, validator=_warning)


CallingService = (
    MakeConnectionRequested
    | DialDigitsRequested
    | AnswerRequested
    | ClearCallRequested
    | JoinRequested
    | IntrudeRequested
)

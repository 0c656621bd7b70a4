"""Where a call is to go, as a client says it: one of several keys in a map."""

from __future__ import annotations

from attrs import frozen

from cti.api.converter import Line
from cti.api.overflow_params import OverflowParams
from cti.api.refusal import InvalidParameter
from cti.model.ids import AgentId
from cti.model.overflow import Overflow
from cti.model.party import Party, ToAgent, ToNumber


@frozen
class PartyParams:
    """Whom to call: an agent, or a number; one of the two."""

    agent: AgentId | None = None
    number: Line | None = None

    def party(self) -> Party:
        """The library's form of it.

        Raises:
            InvalidParameter: neither or both are given.
        """
        _exactly_one(self)
        return ToAgent(self.agent) if self.agent is not None else ToNumber(self.number or "")


@frozen
class WhitherParams(OverflowParams):
    """Where a caller is sent: an agent, a queue, a number of the switch's dialplan, the switch's voicemail, a
    mailbox of the centre's own, a script; one of them.
    """

    agent: AgentId | None = None

    def whither(self) -> ToAgent | Overflow:
        """The library's form of it.

        Raises:
            InvalidParameter: none or several are given.
            ConfigurationError: what is given cannot be used.
        """
        _exactly_one(self)
        return ToAgent(self.agent) if self.agent is not None else self.overflow("params.to")


def _exactly_one(params: PartyParams | WhitherParams) -> None:
    names = [field.name for field in params.__attrs_attrs__]
    if sum(getattr(params, name) is not None for name in names) != 1:
        raise InvalidParameter(f"params.to: give one of {', '.join(names)}", "params.to")

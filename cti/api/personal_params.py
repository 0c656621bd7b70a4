"""Whom each call of a queue waits for first, as a client says it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import fields, frozen

from cti.api.overflow_params import OverflowParams
from cti.errors import ConfigurationError
from cti.model.ids import AgentId
from cti.model.personal import Deputy, LastAgent, Personal, Terms


@frozen
class TermsParams(OverflowParams):
    """What is done while an agent is so: somebody else is waited for, or the call goes elsewhere; one of these."""

    agent: AgentId | None = None

    def terms(self, where: str) -> Terms:
        """The library's form of it.

        Raises:
            ConfigurationError: none, or several are given.
        """
        given = sum(getattr(self, one.name) is not None for one in fields(TermsParams))
        if given != 1:
            names = ", ".join(one.name for one in fields(TermsParams))
            raise ConfigurationError(f"{where}: give seconds, or one of {names}")
        return Deputy(self.agent) if self.agent is not None else self.overflow(where)


@frozen
class PersonalParams:
    """One agent, or the agent who last talked with the caller: one of the two, whom every call waits for first."""

    agent: AgentId | None = None
    last_agent: bool = False
    wait_s: float | None = None
    within_s: float | None = None
    """How long ago at the most the last agent talked with them."""
    by_presence: Mapping[str, float | TermsParams] | None = None
    """The terms by what the agent is doing: seconds to wait, somebody else, or where the call goes."""

    def personal(self) -> Personal | LastAgent:
        """The library's form of it.

        Raises:
            ConfigurationError: neither or both of the first two are given, or a value cannot be used.
        """
        if (self.agent is not None) is self.last_agent:
            raise ConfigurationError("personal: give agent, or last_agent = true")
        values: dict[str, object] = {"wait_s": self.wait_s, "within_s": self.within_s}
        if self.by_presence is not None:
            values["by_presence"] = {
                presence: terms.terms(f"personal.by_presence.{presence}") if isinstance(terms, TermsParams) else terms
                for presence, terms in self.by_presence.items()
            }
        given = {name: value for name, value in values.items() if value is not None}
        if self.agent is None:
            return LastAgent(**given)  # type: ignore[arg-type] # by their own types
        if "within_s" in given:
            raise ConfigurationError("personal: within_s is about the last agent, not about one that is named")
        return Personal(self.agent, **given)  # type: ignore[arg-type] # the same

"""Privileges: who may do what to somebody else's call or session; each use is accounted for."""

from __future__ import annotations

from typing import Final, Protocol

from cti.engine_loop import EngineLoop
from cti.errors import CtiError, PrivilegeViolation
from cti.model import facts, services
from cti.model.ids import AgentId

REFUSED: Final = "refused"
DONE: Final = "done"


class SupervisionPolicy(Protocol):
    """Says who may do what; handed to the centre by whoever knows roles."""

    def allows(self, who: str, what: str, whom: str) -> bool:
        """Whether ``who`` may do ``what`` (see docs/supervision.md) to an agent or an interaction; must not block.

        Args:
            who: the id of the supervisor, or of the agent who comes into somebody's call.
            what: ``monitor``, ``whisper``, ``barge``, ``end``, ``take over``, ``pull``, ``push``, ``force log off``,
                ``force ready``, ``force not ready``, ``join``, ``intrude``.
            whom: the agent's or the interaction's id.
        """
        ...


class AllowAll:
    """Everybody may do everything: whoever runs in this process is trusted."""

    def allows(self, who: str, what: str, whom: str) -> bool:  # noqa: ARG002 - the protocol's signature
        """True."""
        return True


class Privileges:
    """Asks the engine for what somebody does to others, if the policy lets them; tells it as Audited.

    Args:
        loop: runs the engine.
        policy: says who may do what.
    """

    def __init__(self, loop: EngineLoop, policy: SupervisionPolicy | None = None) -> None:
        self._loop = loop
        self._policy = policy or AllowAll()

    def ask(self, who: AgentId, what: str, whom: str, fact: facts.Fact) -> None:
        """Ask for something; whatever comes of it is told.

        Raises:
            PrivilegeViolation: the policy does not allow it; nothing was done.
            CtiError: as the request says.
        """
        outcome = "failed"
        try:
            if not self._policy.allows(who, what, whom):
                outcome = REFUSED
                raise PrivilegeViolation(who, what, whom)
            self._loop.ask(fact)
            outcome = DONE
        except CtiError as error:
            outcome = REFUSED if isinstance(error, PrivilegeViolation) else error.code
            raise
        finally:
            self._loop.submit(services.AuditNoted(who, what, whom, outcome))

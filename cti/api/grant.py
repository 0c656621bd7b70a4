"""What the holder of a key may do and see."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from fnmatch import fnmatchcase
from typing import Final

from attrs import field, frozen

from cti.errors import ConfigurationError

ALL: Final = "*"
"""In a key's agents or queues: every one, those to come included."""


class Role(Enum):
    """What a key is for."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    APPLICATION = "application"
    ADMINISTRATOR = "administrator"


def _names(value: Iterable[str]) -> frozenset[str]:
    return frozenset(value)


@frozen
class Grant:
    """Who somebody is, and which agents and queues are theirs to act on and to see.

    Args:
        name: unique; what logs and the audit say.
        role: decides which methods may be called at all.
        agents: ids of agents, or ``*`` for all; of a key with the role agent exactly one id.
        queues: ids of queues, or ``*`` for all.
        public: the public key (Z85), empty for a connection without encryption.
        methods: of the methods that the role may call only these, ``*`` as in file names; empty for all of them.

    Raises:
        ConfigurationError: an agent's key that names no agent, or several.
    """

    name: str
    role: Role
    agents: frozenset[str] = field(default=frozenset(), converter=_names)
    queues: frozenset[str] = field(default=frozenset(), converter=_names)
    public: str = ""
    methods: frozenset[str] = field(default=frozenset(), converter=_names)

    def __attrs_post_init__(self) -> None:
        if self.role is Role.AGENT and (len(self.agents) != 1 or ALL in self.agents):
            raise ConfigurationError(f"key {self.name}: a key with the role agent must name exactly one agent")

    def may_call(self, method: str) -> bool:
        """Whether this is among the methods that it is kept to."""
        return not self.methods or any(fnmatchcase(method, each) for each in self.methods)

    @property
    def sees_all(self) -> bool:
        """Whether nothing is hidden from it; only such a key may read the publisher."""
        return self.role is Role.ADMINISTRATOR or (ALL in self.agents and ALL in self.queues)

    def covers_agent(self, agent: str | None) -> bool:
        """Whether it may act for this agent and see them."""
        if agent is None:
            return False
        return self.role is Role.ADMINISTRATOR or ALL in self.agents or agent in self.agents

    def covers_queue(self, queue: str | None) -> bool:
        """Whether this queue and its calls are its business."""
        if queue is None:
            return False
        return self.role is Role.ADMINISTRATOR or ALL in self.queues or queue in self.queues

    def sees(self, agent: str | None, queue: str | None) -> bool:
        """Whether it may know of something that is about this agent and this queue; None is nobody's, or none.

        What is about neither is the centre's own (a link, a call in its script): agents are not told of it, and of
        the others those who see everything.
        """
        return self.sees_all or self.covers_agent(agent) or self.covers_queue(queue)


LOCAL: Final = Grant("local", Role.ADMINISTRATOR)
"""Whoever connects without encryption: the same machine is trusted."""

"""What can be asked for on behalf of one supervisor."""

from __future__ import annotations

from cti.engine_loop import EngineLoop
from cti.model import facts, reason, services
from cti.model.ids import AgentId, InteractionId
from cti.model.overflow import Overflow
from cti.model.party import ToAgent
from cti.model.supervision import Mode
from cti.privileges import Privileges, SupervisionPolicy


class SupervisorControl:
    """What a supervisor, or somebody on their behalf, can ask for. None of these blocks for more than microseconds.

    A supervisor is an agent who is logged on and not ready. Each of these raises PrivilegeViolation when the policy does
    not allow it, UnknownAgent or UnknownInteraction; each is told to subscribers as Audited, whatever its outcome. They
    return when the switch has been asked; Supervised tells how the supervision stands.

    Args:
        supervisor: the agent's id.
        loop: runs the engine.
        policy: says who may do what.
    """

    def __init__(self, supervisor: AgentId, loop: EngineLoop, policy: SupervisionPolicy) -> None:
        self._supervisor = supervisor
        self._loop = loop
        self._privileges = Privileges(loop, policy)

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<supervisor {self._supervisor}>"

    def monitor(self, agent: str | None = None, call: str | None = None) -> None:
        """Listen to an agent, from call to call, or to a call, from agent to agent; nobody hears the supervisor.

        The supervisor's phone rings; whoever is on the line already hears the other one, or the same one otherwise,
        without a new call. Without ``agent`` and ``call`` it is the same one.

        Raises:
            InvalidAgentState: the supervisor is not logged on, or not "not ready".
            InvalidConnection: both an agent and a call were given, or neither, and there is nothing supervised yet.
        """
        self._listen(Mode.MONITOR, agent, call)

    def whisper(self, agent: str | None = None, call: str | None = None) -> None:
        """As monitor, and the agent hears the supervisor; the caller does not."""
        self._listen(Mode.WHISPER, agent, call)

    def barge(self, agent: str | None = None, call: str | None = None) -> None:
        """As monitor, and both hear the supervisor."""
        self._listen(Mode.BARGE, agent, call)

    def _listen(self, mode: Mode, agent: str | None, call: str | None) -> None:
        asked = services.SupervisionRequested(
            self._supervisor,
            mode,
            AgentId(agent) if agent is not None else None,
            InteractionId(call) if call is not None else None,
        )
        self._do(mode.value, agent or call or self._followed(), asked)

    def _followed(self) -> str:
        """Whom the supervisor follows now; empty for nobody."""
        for known in self._loop.engine.world.supervisions.values():
            if known.supervisor == self._supervisor and not known.clearing:
                return known.agent or known.interaction or ""
        return ""

    def end(self) -> None:
        """Leave the line.

        Raises:
            InvalidConnection: there is nothing supervised.
        """
        self._do("end", self._followed(), services.SupervisionEndRequested(self._supervisor))

    def take_over(self) -> None:
        """Take the agent's place in the call that is heard; the agent leaves it. Told by Transferred.

        The supervisor has the call as any agent has one, and is not ready again after it.

        Raises:
            InvalidConnection: there is no call to be heard now, or it is a conference.
        """
        self._do("take over", self._followed(), services.TakeOverRequested(self._supervisor))

    def pull(self, call: str) -> None:
        """Take a call that waits: the supervisor's phone rings, and it keeps its place until they answer.

        Told by Established. If an agent is faster, the supervisor's phone is let go.

        Raises:
            InvalidAgentState: the supervisor is not logged on, or not "not ready".
            InvalidConnection: the call does not wait.
        """
        self._do("pull", call, services.PullRequested(self._supervisor, InteractionId(call)))

    def push(self, call: str, to: ToAgent | Overflow) -> None:
        """Send a call that waits, or is with an agent, to an agent, a queue, a number, a mailbox or a script.

        Raises:
            UnknownQueue: there is none of this id.
            InvalidConnection: the call is in a script, or in a state in which it cannot be parted from its agent.
        """
        self._do("push", call, services.PushRequested(InteractionId(call), to))

    def force_log_off(self, agent: str) -> None:
        """Log an agent off, reason SUPERVISOR; at once, or after the call in hand."""
        self._do("force log off", agent, facts.LogOffRequested(AgentId(agent), reason.SUPERVISOR))

    def force_ready(self, agent: str) -> None:
        """Make an agent ready; at once, or after the call in hand.

        Raises:
            InvalidAgentState: not logged on.
        """
        self._do("force ready", agent, facts.ReadyRequested(AgentId(agent)))

    def force_not_ready(self, agent: str) -> None:
        """Make an agent not ready, reason SUPERVISOR; at once, or after the call in hand.

        Raises:
            InvalidAgentState: not logged on.
        """
        self._do("force not ready", agent, facts.NotReadyRequested(AgentId(agent), reason.SUPERVISOR))

    def _do(self, what: str, whom: str, fact: facts.Fact) -> None:
        self._privileges.ask(self._supervisor, what, whom, fact)

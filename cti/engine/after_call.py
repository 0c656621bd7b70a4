"""After a call: where callers go whose agent hangs up first, such as to a survey."""

from __future__ import annotations

from collections.abc import Callable

from cti.engine.world import World
from cti.model import intents
from cti.model.cause import Cause
from cti.model.interaction import Interaction
from cti.model.overflow import Overflow
from cti.model.states import TalkState

_HEARD_OUT = (TalkState.TALKING, TalkState.ALTERNATED, TalkState.CONFERENCE)
"""The caller talks with the agent, who has not put them aside: when the agent hangs up, the conversation is over."""


class AfterCall:
    """Keeps callers of queues that have an ``after_call`` on the line, and sends them on.

    Args:
        world: what is known.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.send: Callable[[Interaction, Overflow, Cause], None] = lambda _call, _to, _cause: None
        """Set by whoever ends conversations: send a caller on as soon as they are apart from their agent."""

    def target(self, call: Interaction) -> Overflow | None:
        """Where the caller goes when the agent in charge hangs up first; None ends the call with the conversation."""
        theirs = call.on_the_line and not call.caller_left
        queue = self._world.queues.get(call.queue) if call.queue is not None and theirs else None
        return queue.settings.after_call if queue is not None else None

    def keep(self, call: Interaction) -> None:
        """The caller talks with an agent from now on: whoever hangs up ends it for both, unless it goes on after that."""
        caller = self._world.connections.get(call.caller)
        stays = caller is not None and caller.standing  # an agent who was called, on their standing connection
        keep = stays or self.target(call) is not None
        self._world.emit(intents.KeepCaller(call.switch, call.caller, keep=keep))

    def goes_on(self, call: Interaction) -> bool:
        """The agent in charge has hung up, and the caller has not; whether the call goes on."""
        to = self.target(call)
        if to is None or call.state.is_over or call.talk not in _HEARD_OUT:
            return False
        if call.talk is TalkState.CONFERENCE:  # where the caller is alone now, and must be fetched from
            self._world.emit(intents.StopListening(call.switch, call.caller))
        self.send(call, to, Cause.NORMAL_CLEARING)
        return True

    def is_left(self, call: Interaction) -> bool:
        """Whether the caller is to go on somewhere, and has not been seen to be apart from their agent."""
        caller = self._world.connections.get(call.caller)
        return call.onward is not None and caller is not None and not caller.parked

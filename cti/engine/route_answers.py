"""What route scripts answer, and what becomes of their calls when they do not."""

from __future__ import annotations

from cti.engine.line import Line
from cti.engine.route_requests import RouteRequests
from cti.engine.wishes import Wishes, check_names
from cti.engine.world import World
from cti.errors import DataRefused, UnknownAgent, UnknownQueue
from cti.model import facts
from cti.model.attached_data import attached
from cti.model.cause import Cause
from cti.model.ids import InteractionId
from cti.model.interaction import Interaction
from cti.model.overflow import ToQueue


class RouteAnswers:
    """Acts on the answers.

    Args:
        world: what is known.
        line: moves calls into queues and out of them.
        requests: which of them are open.
        wishes: settles for whom a call waits.
    """

    def __init__(self, world: World, line: Line, requests: RouteRequests, wishes: Wishes) -> None:
        self._world = world
        self._line = line
        self._requests = requests
        self._wishes = wishes

    def selected(self, fact: facts.RouteSelected) -> None:
        """A route script says what becomes of a call; too late, it changes nothing.

        An answer that names a queue or an agent that is not there is none: the call is routed as if nobody had been
        asked, and RouteEnded says why.
        """
        call = self._world.interactions.get(fact.interaction)
        if call is None or not fact.cross_ref or call.route_request != fact.cross_ref:
            return
        error = fact.error or self._wrong_with(fact)
        if error:
            self._unanswered(call, error)
            return
        self._requests.used(call, fact)
        self._world.attach(call, fact.data)
        call.preferred = fact.preferred or call.preferred
        if fact.priority is not None:
            call.own_priority = fact.priority
        if fact.personal is not None:
            call.personal = fact.personal
        assert call.queue is not None
        queue = self._world.queues[call.queue]
        call.priority = call.own_priority + queue.settings.priority
        target = fact.to if fact.to != ToQueue(queue.id) else None
        if target is None and fact.personal is not None:
            target = self._wishes.settle(call, None)
        if target is not None and target != ToQueue(queue.id):
            self._line.send(call, target, Cause.REDIRECTED, wish=fact.personal is not None)
        else:
            self._line.again(call)

    def _wrong_with(self, fact: facts.RouteSelected) -> str:
        try:
            if isinstance(fact.to, ToQueue):
                self._world.queue(fact.to.queue)
            check_names(self._world, fact)
            attached(self._world.interactions[fact.interaction].data, fact.data)
        except (UnknownQueue, UnknownAgent, DataRefused) as error:
            return str(error)
        return ""

    def deadline(self, interaction: InteractionId) -> None:
        """A route script has not answered in time: the router decides."""
        call = self._world.interactions.get(interaction)
        if call is not None and call.route_request:
            self._unanswered(call, "no answer in time")

    def _unanswered(self, call: Interaction, error: str) -> None:
        self._requests.ended(call, error)
        self._line.again(call)

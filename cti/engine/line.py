"""The line of waiting calls: into a queue, back to their place, and out of it."""

from __future__ import annotations

from collections.abc import Callable

from cti.engine.after_call import AfterCall
from cti.engine.callback_hooks import CallbackHooks
from cti.engine.coming_up import is_taken
from cti.engine.counts import LATE, Counts
from cti.engine.exits import Exits
from cti.engine.kept_places import KeptPlaces
from cti.engine.matching import Matching
from cti.engine.offers import Offers
from cti.engine.route_requests import RouteRequests
from cti.engine.target import check_there, may_go
from cti.engine.wishes import Wishes, check_names, customer
from cti.engine.world import World
from cti.errors import InvalidConnection
from cti.model import events, facts, intents
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.ids import InteractionId
from cti.model.interaction import Interaction
from cti.model.overflow import (
    EXPECTED_WAIT,
    LENGTH,
    UNSTAFFED,
    WAIT,
    Overflow,
    ToDestination,
    ToFax,
    ToMailbox,
    ToQueue,
    ToScript,
    ToVoicemail,
    script_of,
)
from cti.model.predictive import ALONE
from cti.model.queue import Queue
from cti.model.states import ConnectionTrigger, InteractionState, InteractionTrigger, ReservationTrigger

_CAUSES = {
    WAIT: Cause.QUEUE_TIME_OVERFLOW,
    EXPECTED_WAIT: Cause.QUEUE_TIME_OVERFLOW,
    LENGTH: Cause.CAPACITY_OVERFLOW,
    UNSTAFFED: Cause.NO_AVAILABLE_AGENTS,
}
_ASK_AGAIN_S = 1.0
"""How long to put off what cannot be done while a switch cannot be reached."""


class Line:
    """Moves calls into queues and out of them.

    Args:
        world: what is known.
        offers: makes and ends reservations.
        matching: looks for agents.
        wishes: settles for whom a call waits.
        requests: asks route scripts.
        exits: lets calls go.
        counts: counts what becomes of them.
        after: says where callers go after a conversation.
    """

    def __init__(  # noqa: PLR0917 - the parts it is made of
        self,
        world: World,
        offers: Offers,
        matching: Matching,
        wishes: Wishes,
        requests: RouteRequests,
        exits: Exits,
        counts: Counts,
        after: AfterCall,
    ) -> None:
        self._world = world
        self._after = after
        self._offers = offers
        self._matching = matching
        self._wishes = wishes
        self._requests = requests
        self._exits = exits
        self._counts = counts
        self._kept = KeptPlaces(world)
        self.callbacks = CallbackHooks()
        self.nobody_there: Callable[[Interaction], bool] = lambda _: False
        """Set by the engine: a call is to be hung up on; whether something else is done with it."""

    # -- in -------------------------------------------------------------------------------------------------------

    def queue(self, fact: facts.QueueRequested) -> None:
        """A script puts its call into a queue, or moves it from one to another.

        Raises:
            UnknownInteraction: the call is over.
            UnknownQueue: there is none of this id, or its wish names one; the call stays where it is.
            UnknownAgent: the call is to wait for one whom there is not; it stays where it is.
            DataRefused: something of its data cannot be attached; it stays where it is.
            InvalidConnection: the call is with an agent, or on its way out.
        """
        world = self._world
        call, queue = world.interaction(fact.interaction), world.queue(fact.queue)
        check_names(world, fact)
        if not (call.state.is_waiting or call.state is InteractionState.OFFERED):
            raise InvalidConnection(f"call {call.id} is {call.state.value}; only a call without an agent can be queued")
        check_there(call)
        world.attach(call, fact.data)

        def enter() -> None:
            call.own_priority = fact.priority
            call.personal, call.preferred = fact.personal, fact.preferred
            self.enter(call, queue, Cause.ENTERING_DISTRIBUTION)

        self.leave(call, enter)

    def enter(self, call: Interaction, queue: Queue, cause: Cause, *, wish: bool = True) -> None:
        """Put a call that is in no queue into one; or send it on, if the queue does not take it.

        ``wish`` says whether it may wait for one agent first.
        """
        world, settings = self._world, queue.settings
        if wish:
            target = self._wishes.settle(call, settings.personal)
            if target is not None and may_go(call, target):
                self.go(call, target, Cause.REDIRECTED)
                return
            if target is not None:
                self._wishes.drop(call)
        else:
            self._wishes.drop(call)
        call.queue = queue.id
        call.priority = call.own_priority + settings.priority
        reason = self._refusal(call, queue)
        queue.figures.offered += 1
        if reason is not None and may_go(call, settings.overflow_for(reason)):
            queue.figures.overflowed += 1
            self._wishes.drop(call)
            self.go(call, settings.overflow_for(reason), _CAUSES[reason])
            return
        self.callbacks.rejoins(call, queue)
        if call.queued_at is None:
            kept = self._kept.take(call, queue.id)
            call.queued_at, call.place = (
                (kept.queued_at, kept.place) if kept is not None else (world.now, world.next_place())
            )
        call.overflow_due = False
        call.entered_at = world.now
        self._counts.entered(call, queue)
        self._matching.widen_due(call, settings)
        call.move(InteractionTrigger.QUEUE, world.now)
        if settings.max_wait_s is not None:
            world.timers.start(WAIT, call.id, settings.max_wait_s)
        caller = world.connections.get(call.caller)
        if caller is not None:
            caller.move(ConnectionTrigger.QUEUE)
        if not self._requests.ask(call, settings):
            self._matching.place(call)
        world.tell(events.Queued, call, cause, position=world.router.position(call.id))
        self._matching.route(call)  # before anything that can wait: the agent's phone is what takes time
        self.receive(call)

    def receive(self, call: Interaction) -> None:
        """Answer a waiting caller who is not answered, keep them from being hung up with an agent, and let them hear the
        queue's music. Who is not on the line hears nothing.

        Also when a link is back: what was asked for as it broke may never have been heard.
        """
        assert call.queue is not None
        world, settings = self._world, self._world.queues[call.queue].settings
        caller = world.connections.get(call.caller)
        if caller is None:
            return
        if caller.established_at is None:
            world.emit(intents.AnswerConnection(call.switch, caller.id))
        self.keep(call, settings.music)
        call.hushed = is_taken(caller)

    def keep(self, call: Interaction, music: str = "") -> None:
        """Keep a caller from being hung up with an agent, and write onto their leg where they wait."""
        assert call.queue is not None
        world = self._world
        caller = world.connections[call.caller]
        world.emit(intents.KeepCaller(call.switch, caller.id, keep=True))
        if music:
            # What a leg has not begun when it is bridged it would play then; whoever is put through hears the agent at once.
            at_once = any(world.reservations[each].leg in world.standing_legs for each in call.reservations)
            if not at_once:
                world.emit(intents.StartTreatment(call.switch, caller.id, music, replace=call.treated))
            call.treated = True
        tags = {
            "cti_interaction": call.id,
            "cti_queue": call.queue,
            "cti_priority": str(call.own_priority),
            "cti_queued_at": f"{world.ids.unix(call.queued_at or world.now):.6f}",
        }
        if call.callback is not None:
            tags["cti_other"] = ""  # they are the caller from now on, to a run after us as well
        world.emit(intents.TagConnection(call.switch, caller.id, tags))

    def soothe(self, call: Interaction) -> None:
        """A bridge of a caller's has come to nothing, or has not been heard of: if they wait, they are not to do so in silence.

        Not before the switch has said what became of it: what a leg is told to play on its way into a bridge or out of it
        ends at once [live].
        """
        world = self._world
        caller = world.connections.get(call.caller)
        waits = call.queue is not None and call.state.is_waiting and not call.is_away and world.is_live(call.switch)
        if call.hushed and waits and caller is not None and not is_taken(caller):
            assert call.queue is not None
            call.hushed = False
            settings = world.queues[call.queue].settings
            if settings.music or settings.waiting is not None:
                world.emit(intents.ResumeTreatment(call.switch, caller.id, settings.music))

    def keep_place(self, call: Interaction) -> None:
        """The switch has lost a caller, who may call back."""
        self._kept.keep(call)

    def found(self, call: Interaction, queue: Queue, cause: Cause = Cause.REMAINS_IN_QUEUE) -> None:
        """A call that was in a queue already when we were started, or has been called for it: to its place, whatever the
        queue would say to a new one. The caller of this looks for agents.
        """
        world, settings = self._world, queue.settings
        call.queue, call.place = queue.id, world.next_place()
        call.priority = call.own_priority + settings.priority
        call.entered_at = call.queued_at or world.now
        queue.figures.offered += 1
        self._counts.entered(call, queue)
        self._matching.widen_due(call, settings)
        call.move(InteractionTrigger.QUEUE, world.now)
        call.treated = bool(settings.music)  # what it hears goes on
        if settings.max_wait_s is not None:
            world.timers.start(WAIT, call.id, max(0.0, settings.max_wait_s - (world.now - call.entered_at)))
        world.connections[call.caller].move(ConnectionTrigger.QUEUE)
        world.tell(events.Queued, call, cause, position=0)

    def taken(self, call: Interaction, agent: Agent | None) -> None:
        """A waiting call is with an agent, and we have not seen how it came about."""
        if agent is not None:
            self.answered(call, agent)
        elif call.callback is not None:
            self._over(call)
            self.callbacks.called_back(call)
        elif call.queue is not None:
            self._over(call)
            self._world.queues[call.queue].figures.waiting -= 1
            self._world.queues[call.queue].figures.left += 1

    def _refusal(self, call: Interaction, queue: Queue) -> str | None:
        """Why the queue does not take a call that comes now; None if it does."""
        settings, waiting = queue.settings, queue.figures.waiting
        if settings.max_waiting is not None and waiting >= settings.max_waiting:
            return LENGTH
        if self._is_unstaffed(call, queue):
            return UNSTAFFED
        if settings.max_expected_wait_s is not None and not self._matching.somebody_is_free(call, settings):
            expected = self._world.staff.expected_wait_s(queue, waiting + 1)
            if expected is not None and expected > settings.max_expected_wait_s:
                return EXPECTED_WAIT
        return None

    def _is_unstaffed(self, call: Interaction, queue: Queue) -> bool:
        """Whether a call overflows since nobody is logged on; one that waits for one agent alone does not."""
        return queue.settings.overflow_unstaffed and call.wanted is None and not self._world.staff.count(queue.id)

    def put_back(self, call: Interaction) -> None:
        """An offer came to nothing: back in place, with the same age; or on, if the time was up meanwhile."""
        world = self._world
        if call.reservations:  # other phones ring on
            self._matching.place(call)
        elif call.move(InteractionTrigger.REQUEUE, world.now) and self.stays(call):
            world.tell(events.Queued, call, Cause.REMAINS_IN_QUEUE, position=world.router.position(call.id))
            self.callbacks.back_in_place(call)
            self.soothe(call)

    def stays(self, call: Interaction) -> bool:
        """Put a waiting call in its place, as things are now, or send it on; whether it stays in its queue."""
        if not (call.reservations or call.route_request or call.callback) and self._world.is_live(call.switch):
            assert call.queue is not None
            if call.overflow_due:
                self._overflow(call, WAIT)
                return False
            target = self._wishes.again(call)
            if target is not None:
                self.send(call, target, Cause.REDIRECTED)
                return False
            if self._is_unstaffed(call, self._world.queues[call.queue]):
                self._overflow(call, UNSTAFFED)
                return False
        self._matching.place(call)
        return True

    def again(self, call: Interaction) -> None:
        """Look for agents for a waiting call again, or send it on: it may be another matter by now."""
        self.stays(call)
        self._matching.route(call)

    def redefined(self, queue: Queue) -> None:
        """A queue's settings changed: its calls have the priority and the widening that they would have now."""
        self._counts.redefined()
        for call in self._world.interactions.values():
            if call.queue == queue.id and call.state.is_waiting:
                call.priority = call.rank(queue.settings.priority)
                self._matching.widen_due(call, queue.settings)
                self._matching.place(call)

    # -- on and out -----------------------------------------------------------------------------------------------

    def waited_too_long(self, interaction: InteractionId) -> None:
        """The maximum wait is over. An offer under way is let finish: if it is answered, the agent has won (race 13)."""
        call = self._world.interactions.get(interaction)
        if call is None or not call.state.is_waiting:
            return
        if not self._world.is_live(call.switch):  # nothing we asked for would be done: a little later, then
            self._world.timers.start(WAIT, call.id, _ASK_AGAIN_S)
        elif call.state is InteractionState.QUEUED:
            self._overflow(call, WAIT)
        else:
            call.overflow_due = True
            self._matching.place(call)

    def unstaffed(self, queue: Queue) -> None:
        """The last agent of a queue has logged off: its calls go where they would go now."""
        if queue.settings.overflow_unstaffed and not self._world.staff.count(queue.id):
            for each in self._world.router.waiting(queue.id):
                self.again(self._world.interactions[each])

    def _overflow(self, call: Interaction, reason: str) -> None:
        assert call.queue is not None
        self.send(call, self._world.queues[call.queue].settings.overflow_for(reason), _CAUSES[reason])

    def send(self, call: Interaction, target: Overflow, cause: Cause, *, wish: bool = False) -> None:
        """Send a waiting call that nobody is being offered out of its queue; what cannot go there stays where it is."""
        assert call.queue is not None
        if not may_go(call, target):
            call.overflow_due = False
            self._wishes.drop(call)
            self._matching.place(call)
            return
        queue = self._world.queues[call.queue]
        self.take_out(call)
        queue.figures.overflowed += 1
        self.go(call, target, cause, wish=wish)

    def go(self, call: Interaction, target: Overflow, cause: Cause, *, wish: bool = False) -> None:
        """Send a call that is in no queue somewhere."""
        world = self._world
        match target:
            case ToQueue(queue=queue) if queue in world.queues:
                world.tell(events.Diverted, call, cause, to_queue=queue)
                self.enter(call, world.queues[queue], Cause.OVERFLOW, wish=wish)
            case ToDestination(destination=destination):
                self._exits.divert(call, destination, cause)
            case ToVoicemail(mailbox=mailbox, domain=domain):
                self._exits.leave_message(call, mailbox, domain, cause)
            case ToScript() | ToMailbox() | ToFax():
                self._exits.to_script(call, script_of(target), cause)
            case _:
                if not self.nobody_there(call):
                    self._exits.clear(call, cause)

    def leave(self, call: Interaction, then: Callable[[], None]) -> None:
        """Out of its queue, if it waits in one, by the host application's wish; and ``then`` something else with it.

        That is done before the agents who were being offered it are free again: they are as good for it where it goes
        as for any other call.
        """
        check_there(call)
        if call.callback is not None:
            self.callbacks.released(call)
        if not call.state.is_waiting or call.queue is None:
            then()
            return
        self._world.queues[call.queue].figures.left += 1
        self.take_out(call, then)

    def gone(self, call: Interaction, cause: Cause, *, lost: bool) -> None:
        """The caller of a waiting call hung up, or the switch lost them."""
        assert call.queue is not None
        queue = self._world.queues[call.queue]
        self.take_out(call)
        call.move(InteractionTrigger.LOSE if lost else InteractionTrigger.ABANDON, self._world.now)
        if lost:
            queue.figures.lost += 1
        else:
            self._counts.abandoned(call, queue, cause)
            self.callbacks.abandoned(call, queue)

    def take_out(self, call: Interaction, then: Callable[[], None] = lambda: None) -> None:
        """Out of its queue, whatever the reason: the caller of this counts it."""
        world = self._world
        self._over(call)
        assert call.queue is not None
        world.queues[call.queue].figures.waiting -= 1
        made = [world.reservations[each] for each in call.reservations]
        self._offers.end_all(call, made, ReservationTrigger.CANCEL, Cause.CALL_CANCELLED, then=lambda _: then())

    def _over(self, call: Interaction) -> None:
        """The wait is over, and so is all that goes on during it."""
        self._matching.forget(call)
        self._wishes.drop(call)
        self._requests.ended(call, "")
        for kind in (WAIT, LATE, ALONE):
            self._world.timers.cancel(kind, call.id)

    def answered(self, call: Interaction, agent: Agent) -> None:
        """An agent has taken a call."""
        world = self._world
        self._over(call)
        call.predicted_for = None
        caller = world.connections.get(call.caller)
        if caller is not None:
            caller.move(ConnectionTrigger.ESTABLISH)
            self._after.keep(call)
            world.spoke(customer(call), agent.id)
        if call.callback is not None and call.queue is not None:
            self._counts.called_back(world.queues[call.queue], agent)
            self.callbacks.called_back(call)
        elif call.queued_at is not None and call.queue is not None:
            self._counts.answered(call, world.queues[call.queue], agent)

"""A call in the hands of a script: plain blocking verbs, one greenlet a call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from cti.callback_offer import offer_callback
from cti.engine.coming_up import is_taken
from cti.errors import CallGone, CtiError, UnknownInteraction
from cti.model import callback_requests, events, facts, services
from cti.model.callback import CallbackPrompts
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId
from cti.model.overflow import ToFax, ToQueue
from cti.model.personal import LastAgent, Personal
from cti.model.states import InteractionState
from cti.plan import PersonalFrom, Plan, Request, RouteSelect
from cti.promise import Promise
from cti.script.callback_number import CallbackOutcome
from cti.script.channel_control import ChannelControl
from cti.script.collected import no_secret
from cti.script.conversation import Conversation
from cti.script.faxing import GOODBYE_S, FaxOutcome, receive_fax

if TYPE_CHECKING:
    from cti.engine_loop import EngineLoop
    from cti.messages.arrivals import MessageLeft
    from cti.messages.mailroom import Mailroom
    from cti.switch import FreeSwitch


@frozen
class QueueOutcome:
    """How a call left the queue.

    ``answered``: with ``agent``; else it went to ``destination``, out of the centre, or to another ``script``.
    """

    answered: bool
    waited_s: float
    queue: QueueId | None
    agent: AgentId | None = None
    destination: str = ""
    script: str = ""


class Call(Conversation):
    """One incoming call, for the script that handles it: what Conversation can say and ask, and what a centre can do.

    Every verb raises CallGone when the caller has hung up, before or while it waits. Verbs block the script's
    greenlet and nobody else's. Scripts get calls; they do not make them.
    """

    def __init__(
        self,
        offered: events.Offered,
        channel: ConnectionId,
        switch: FreeSwitch,
        loop: EngineLoop,
        request: Callable[[events.CallEvent], Request],
        *,
        mailroom: Mailroom,
    ) -> None:
        control = ChannelControl(switch, channel, offered.interaction, self._is_taken)
        super().__init__(control)
        self._channel_control = control
        self.id: InteractionId = offered.interaction
        self.channel = channel
        """The switch's id of the caller's leg, for what the verbs do not offer."""
        self.calling_number = offered.calling_number
        self.calling_name = offered.calling_name
        self.called_number = offered.called_number
        self.data: dict[str, Any] = dict(offered.data)
        """Attached data; change it with ``attach``."""
        self.agent: AgentId | None = None
        """Who talked with the caller last; None while nobody has."""
        self.restarted = False
        """Whether a script had it before, in a run of this centre that has ended; the caller hears it from the top."""
        self._offered = offered
        self._request = request
        self._loop = loop
        self._mailroom = mailroom
        self._queued: Promise[QueueOutcome] | None = None
        self.last_queue: QueueId | None = offered.queue
        """The queue it is in, or was in last."""

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<Call {self.id} from {self.calling_number!r} to {self.called_number!r}>"

    def _is_taken(self) -> bool:
        caller = self._loop.engine.world.connections.get(self.channel)
        return caller is not None and is_taken(caller)

    @property
    def is_gone(self) -> bool:
        """Whether the caller has hung up."""
        return self._channel_control.gone_because is not None

    def queue(
        self,
        queue: str,
        *,
        priority: int = 0,
        data: Mapping[str, Any] | None = None,
        personal: Personal | LastAgent | str | None = None,
        preferred: Iterable[str] = (),
    ) -> QueueOutcome:
        """Put the call into a queue and wait there with it. Answers the call if it is not answered.

        Blocks until an agent has it, or it overflows out of the queues. A script may return right after; the
        conversation goes on without it.

        Args:
            queue: the queue's id.
            priority: added to the queue's own; the higher goes first. Among equals the older goes first.
            data: attached to the call before anybody is offered it.
            personal: an agent to wait for before anybody else is offered the call: their id, Personal with the terms,
                or LastAgent for whoever talked with this customer last. None leaves it to the queue.
            preferred: agents who are asked before all others, the first first, among those who may be offered it.

        Returns:
            Who answered and after what wait, or where it went instead.

        Raises:
            UnknownQueue: there is no such queue; the call stays with the script.
            UnknownAgent: there is no such agent; the same.
            InvalidConnection: it is with an agent already.
            CallGone: the caller hung up while waiting, or the queue's overflow ended the call.
        """
        self._control.check()
        result: Promise[QueueOutcome] = Promise()
        self._queued = result
        wish = Personal(AgentId(personal)) if isinstance(personal, str) else personal
        first = tuple(AgentId(agent) for agent in preferred)
        self._ask(facts.QueueRequested(self.id, QueueId(queue), priority, dict(data or {}), wish, first))
        return result.wait()

    def callback(
        self,
        queue: str = "",
        *,
        number: str = "",
        confirm: bool = True,
        at: float | None = None,
        agent: str | None = None,
        priority: int | None = None,
        data: Mapping[str, Any] | None = None,
        prompts: CallbackPrompts | None = None,
    ) -> CallbackOutcome:
        """Offer to call the caller back, agree on the number, and take the callback: the call keeps its place in the queue.

        Blocks while the caller is asked. Once it is taken the caller hears the goodbye and their line is cleared; every
        other verb raises CallGone then. If it is not taken the call is still the script's, which may queue it again.

        Args:
            queue: whose agents call; left out, the queue that the call was in last.
            number: to be offered first, in place of the caller's own.
            confirm: whether the caller is asked; if not, that number is taken as it is.
            at: Unix time before which they are not called; None for their turn in the queue.
            agent: the one agent who calls back; None for whoever is free.
            priority: the callback's own, added to the queue's; None leaves the call's.
            data: attached to the call.
            prompts: what the caller hears, in place of what the queue says (CallbackSettings.prompts).

        Returns:
            Whether it was taken, and why not.

        Raises:
            UnknownQueue, UnknownAgent: there is none of this id.
            ConfigurationError: the queue calls nobody back.
            InvalidConnection: the call is with an agent.
            CallGone: the caller hung up before it was taken.
        """
        self._control.check()
        request = callback_requests.CallbackRequested(
            QueueId(queue or self.last_queue or ""),
            number or self.calling_number or "anonymous",
            self.id,
            at,
            AgentId(agent) if agent is not None else None,
            priority,
            dict(data or {}),
        )
        outcome = offer_callback(self, self.channel, self._loop, request, self._ask, prompts, confirm=confirm)
        if outcome.taken:
            self._control.gone("called back")
        return outcome

    def route(self, plan: Plan) -> QueueOutcome | None:
        """Let a plan say where the call goes, and send it there.

        Returns:
            As ``queue`` if it goes to a queue; None if it goes anywhere else, and the script's work on it ends.

        Raises:
            UnknownQueue, UnknownAgent, InvalidConnection, CallGone: as ``queue``.
        """
        self._control.check()
        return self.go(plan.select(self.request()))

    def go(self, select: RouteSelect) -> QueueOutcome | None:
        """Send the call where a RouteSelect says. Returns and raises as ``route``."""
        to = select.to
        if isinstance(to, ToQueue):
            personal = None if isinstance(select.personal, PersonalFrom) else select.personal
            return self.queue(
                to.queue,
                priority=select.priority or 0,
                data=select.data,
                personal=personal,
                preferred=select.preferred,
            )
        if select.data:
            self.attach(**select.data)
        self._ask(facts.DivertRequested(self.id, to))
        return None

    def request(self) -> Request:
        """What a plan is told of this call: who calls, whom, now, with which data."""
        return evolve(self._request(self._offered), data=dict(self.data))

    @property
    def position(self) -> int:
        """The place in the queue, 1 for the head; 0 while it waits in none, or while nothing is routed."""
        return self._loop.engine.world.router.position(self.id)

    @property
    def expected_wait_s(self) -> float | None:
        """How long it has yet to wait, in seconds; None while that is not known, or it waits in no queue."""
        world = self._loop.engine.world
        known = world.interactions.get(self.id)
        queue = world.queues.get(known.queue) if known is not None and known.queue is not None else None
        position = self.position
        return world.staff.expected_wait_s(queue, position) if queue is not None and position else None

    @property
    def own_priority(self) -> int:
        """Its priority without its queue's."""
        known = self._loop.engine.world.interactions.get(self.id)
        return known.own_priority if known is not None else 0

    def attach(self, **data: Any) -> None:
        """Attach data to the call: whoever gets it sees it. A value of None takes a key away.

        Raises:
            CallGone: the caller hung up.
            ConfigurationError: a value is a Secret, which nobody may see.
        """
        no_secret(data)
        self._ask(facts.DataAttached(self.id, data))
        for key, value in data.items():
            if value is None:
                self.data.pop(key, None)
            else:
                self.data[key] = value

    def divert(self, destination: str) -> None:
        """Send the call to a number of the switch's dialplan, out of the centre. The script's work on it ends.

        Raises:
            CallGone: the caller hung up.
            InvalidConnection: it is with an agent.
        """
        self._ask(facts.DivertRequested(self.id, destination))

    def stay_on_the_line(self, agent: str) -> None:
        """The caller is an agent, as you have made sure of: their phone stays on the line as their standing connection.

        The script's work on the call ends, and so does the call; log-off clears the line.

        Args:
            agent: who; logged on, with ``standing=True`` among their settings (and ``standing_rings=False``, or their
                phone is rung at log-on).

        Raises:
            CallGone: the caller hung up.
            UnknownAgent: there is none of this id; the message names the nearest.
            InvalidAgentState: the agent is not logged on with a standing connection.
            ResourceBusy: they are on the line already.
            InvalidConnection: the call is with an agent, or waits for one.
        """
        self._ask(services.StandingConnectionRequested(self.id, AgentId(agent)))

    def voicemail(self, mailbox: str) -> MessageLeft:
        """Let the caller leave a message in a mailbox of the centre's own. Answers the call if it is not answered.

        Blocks until they have ended it by ``#``, by silence, or by its length. Most callers end it by hanging up: that
        raises CallGone as ever, and the message is kept and delivered all the same.

        Args:
            mailbox: the mailbox's name (``CallCenter.add_mailbox``).

        Returns:
            Whether there is a message; what is too short is none.

        Raises:
            UnknownMailbox: there is none of this name; the message names the nearest.
            ConfigurationError: nothing says where messages are kept.
            CallGone: the caller hung up.
        """
        self._control.check()
        return self._mailroom.arrivals.take_message(self, self._mailroom.box(mailbox), **self._who())

    def receive_fax(self, mailbox: str) -> MessageLeft:
        """Receive a fax into a mailbox of the centre's own. Answers the call if it is not answered.

        Blocks until it is there, or nothing comes: half a minute and more a page. Kept as TIFF and, with Pillow, as PDF.

        Args:
            mailbox: the mailbox's name (``CallCenter.add_mailbox``).

        Returns:
            Whether there is a fax, and of how many pages; one that broke off counts, with ``error`` in its record.

        Raises:
            UnknownMailbox: there is none of this name; the message names the nearest.
            ConfigurationError: nothing says where messages are kept.
            CallGone: the sender hung up before the end; the pages that had come by then are kept all the same.
        """
        self._control.check()

        self._channel_control.hear_fax(None)  # it is received already

        def receive(path: str) -> FaxOutcome:
            return receive_fax(self, self._sounding, self._control.now(), path)

        left = self._mailroom.arrivals.take_fax(self._mailroom.box(mailbox), receive, **self._who())
        with suppress(CallGone):  # as senders do: the next verb says so
            self.sleep(GOODBYE_S)
        return left

    def detect_fax(self, mailbox: str) -> None:
        """From now on listen whether the caller is a fax machine; if it is, receive its fax. Never blocks for long.

        It is listened for until an agent has the call. When the machine's tone (CNG) is heard, the script ends where it
        is, or the call leaves its queue, and the fax goes into the mailbox. Answer the call first: machines are silent
        before.

        Args:
            mailbox: the mailbox's name.

        Raises:
            UnknownMailbox: there is none of this name.
            CallGone: the caller hung up.
        """
        self._control.check()
        self._mailroom.box(mailbox)
        self._channel_control.hear_fax(lambda: self._fax_heard(mailbox))
        # mod_spandsp wants something to execute when it hears one; the event is what tells us.
        self._sounding.run(
            "spandsp_start_fax_detect", "set cti_fax_heard=true", key=False, until=self._control.now() + 10.0
        )

    def _fax_heard(self, mailbox: str) -> None:
        """Told in the greenlet that reads the switch's events."""
        known = self._loop.engine.world.interactions.get(self.id)
        if known is not None and (known.state.is_waiting or known.state is InteractionState.OFFERED):
            self._loop.submit(facts.DivertRequested(self.id, ToFax(mailbox)))

    def _who(self) -> dict[str, str]:
        """What is kept of the call with a message that is left in it."""
        known = self._loop.engine.world.interactions.get(self.id)
        return {
            "switch": known.switch if known is not None else "",
            "interaction": self.id,
            "calling_number": self.calling_number,
            "calling_name": self.calling_name,
            "called_number": self.called_number,
        }

    def hang_up(self, cause: Cause = Cause.NORMAL_CLEARING) -> None:
        """End the call; harmless when it has ended."""
        self._loop.ask(facts.ClearRequested(self.id, cause))

    # -- told by the centre, in the engine's greenlet -------------------------------------------------------------

    def _told(self, event: events.CallEvent) -> None:
        outcome: QueueOutcome | CtiError | None = None
        gone = self._control.gone
        if isinstance(event, events.Diverted) and event.to_script:
            self.data = dict(event.data)  # an agent, a route script or a client may have attached more
            if self.agent is not None:
                self._control.keys.flush()  # what was pressed in the conversation answers nothing
        self.last_queue = event.queue or self.last_queue
        if isinstance(event, events.Established):
            self.agent = event.agent
            self._control.keys.flush()  # what was pressed while waiting answers no later question
            outcome = QueueOutcome(True, event.waited_s, event.queue, event.agent)
        elif isinstance(event, events.CallCleared) and event.state == "diverted":
            gone("diverted")
        elif isinstance(event, events.ConnectionCleared) and event.side == "caller":
            outcome = gone(event.switch_cause or event.cause.csta_name)
        elif isinstance(event, events.CallCleared):
            outcome = gone(event.cause.csta_name)
        elif isinstance(event, events.Diverted) and (event.destination or event.to_script):
            outcome = QueueOutcome(False, 0.0, event.queue, destination=event.destination, script=event.to_script)
        if outcome is not None and self._queued is not None:
            self._queued.settle(outcome)

    def _ask(self, request: facts.Fact) -> None:
        self._control.check()
        try:
            self._loop.ask(request)
        except UnknownInteraction:
            raise self._control.gone("") from None

"""``cti.Client``: a call centre on another machine, with the verbs of the library."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Literal, Self

from cti.api.callback_methods import AbandonedList, AbandonedRecord, CallbackList, CallbackRecord
from cti.api.statistics_values import (
    AgentIntervalRecord,
    AgentIntervals,
    DayRecord,
    QueueIntervalRecord,
    QueueIntervals,
)
from cti.api.values import (
    AgentExplanation,
    AlarmList,
    AlarmRecord,
    CallExplanation,
    FoundCalls,
    QueueRecord,
    SnapshotRecord,
)
from cti.client.agent import AgentAtCentre
from cti.client.concurrency import Concurrency, Greenlets, Threads
from cti.client.connection import Connection
from cti.client.event import read, read_snapshot
from cti.client.events import UNREAD, Events, Item
from cti.client.keys import client_keys
from cti.client.supervisor import SupervisorAtCentre
from cti.errors import InvalidConnection
from cti.model.history import InteractionHistory
from cti.model.predictive import PredictiveFigures

REQUEST_TIMEOUT_S: Final = 10.0


class Client:
    """A client of a centre's API (``cti.api.ApiServer``, or the daemon).

    It connects by itself, and again whenever the connection is lost. A request that changes something is done once,
    also when its reply was lost and it had to be sent again. Every method may also raise NoReply, OutcomeUnknown and
    TurnedAway, and RequestRefused with the server's own error.

    Args:
        address: of the server's requests, such as ``tcp://127.0.0.1:8100``.
        key: the client's own ``.key_secret`` file, made by `cti keys new`; None for a server without encryption.
        server_key: the server's public key, as text or as its ``.key`` file.
        timeout: seconds that a request may take.
        concurrency: ``"greenlets"``: on gevent, in the thread that made it; ``"threads"``: for programs without gevent,
            and any thread may use it.

    Raises:
        ConfigurationError: a key cannot be read.
    """

    def __init__(
        self,
        address: str,
        *,
        key: str | os.PathLike[str] | None = None,
        server_key: str | os.PathLike[str] | None = None,
        timeout: float = REQUEST_TIMEOUT_S,
        concurrency: Literal["greenlets", "threads"] = "greenlets",
    ) -> None:
        keys = client_keys(key, server_key)
        self._timeout = timeout
        self._concurrency: Concurrency = Threads() if concurrency == "threads" else Greenlets()
        self._events: Events | None = None
        self._connection = Connection(
            address,
            keys,
            self._concurrency,
            on_up=self._up,
            on_message=self._take,
            on_pulse=self._pulse,
            on_end=self._end,
        )

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<Client of {self._connection.address}: {self._connection.state}>"

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """End the connection; requests under way fail with NoReply."""
        if self._events is not None:
            self._events.close()
        self._connection.close()

    def request(self, method: str, **params: Any) -> Any:
        """Make any request of the protocol. Blocks until its reply, at most the client's timeout.

        Args:
            method: its name, as in docs/protocol.md.
            params: its parameters.

        Returns:
            The result as maps, lists, text and numbers.
        """
        return self._connection.request(method, params, self._timeout)

    # -- the library's verbs --------------------------------------------------------------------------------------

    def agent(self, agent: str) -> AgentAtCentre:
        """The control of one agent. Does not ask the server: an unknown one shows at the first verb."""
        return AgentAtCentre(agent, self.request)

    def supervisor(self, agent: str) -> SupervisorAtCentre:
        """The control of an agent who supervises others. Does not ask the server: an unknown one shows at the first verb."""
        return SupervisorAtCentre(agent, self.request)

    def add_agent(self, agent: str, contact: str, **settings: Any) -> AgentAtCentre:
        """Add an agent, or change one's settings; a call in hand goes on.

        Raises:
            ConfigurationError: a setting cannot be used.
            ContactNotAllowed: ``contact`` or ``mobile`` is no registered user's phone, and the operator's
                ``allowed_contacts`` does not let it through.
        """
        self.request("agent.add", agent=agent, contact=contact, **settings)
        return AgentAtCentre(agent, self.request)

    def remove_agent(self, agent: str) -> None:
        """Log an agent off and forget them.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidAgentState: the agent is on a call; log off first.
        """
        self.request("agent.remove", agent=agent)

    def add_queue(self, queue: str, **settings: Any) -> None:
        """Add a queue, or change one's settings; as maps and lists, see ``queue.add`` in docs/protocol.md.

        Raises:
            ConfigurationError: a setting cannot be used.
        """
        self.request("queue.add", queue=queue, **settings)

    def change_queue(self, queue: str, *, reset: Iterable[str] = (), **settings: Any) -> None:
        """Change some settings, with those in ``reset`` as in a new queue; the others stay. See ``queue.change`` there.

        Raises:
            UnknownQueue: there is none of this id.
            ConfigurationError: a setting cannot be used; nothing was changed.
        """
        self.request("queue.change", queue=queue, reset=list(reset), **settings)

    def queue(self, queue: str) -> QueueRecord:
        """A queue's figures and waiting calls, as they are now.

        Raises:
            UnknownQueue: there is none of this id.
        """
        return read(QueueRecord, self.request("queue.get", queue=queue))

    def snapshot(self) -> SnapshotRecord:
        """All that this client may see, as it is now."""
        return read_snapshot(self.request("snapshot"))

    def history(self, interaction: str) -> InteractionHistory:
        """What has happened to a call, until now or, where histories are kept, to its end.

        Raises:
            UnknownInteraction: it never was, or is over and not kept.
        """
        return read(InteractionHistory, self.request("call.history", call=interaction))

    def find_calls(
        self,
        *,
        number: str = "",
        agent: str | None = None,
        queue: str | None = None,
        since: float | None = None,
        until: float | None = None,
        limit: int = 100,
    ) -> tuple[InteractionHistory, ...]:
        """Past calls of which all that is given is true, the latest first; ``since`` and ``until`` are Unix times.

        Raises:
            ConfigurationError: no histories are kept there.
        """
        asked = {"number": number, "agent": agent, "queue": queue, "since": since, "until": until, "limit": limit}
        return read(FoundCalls, self.request("call.find", **asked)).calls

    def explain_call(self, interaction: str) -> CallExplanation:
        """Why a call is where it is.

        Raises:
            UnknownInteraction: it has ended, or never was.
        """
        return read(CallExplanation, self.request("call.explain", call=interaction))

    def explain_agent(self, agent: str) -> AgentExplanation:
        """Why an agent has no call.

        Raises:
            UnknownAgent: there is none of this id.
        """
        return read(AgentExplanation, self.request("agent.explain", agent=agent))

    def make_predictive_call(self, queue: str, number: str, data: Mapping[str, Any] | None = None) -> str:
        """Make Predictive Call: call a customer, who gets whichever agent of a queue is free when they answer.

        Returns:
            The call's id.

        Raises:
            UnknownQueue: there is none of this id.
            ConfigurationError: the queue makes no predictive calls.
            DestinationNotAllowed: nothing in ``allowed_destinations`` lets the number through.
            ResourceBusy: should nobody be there for it, more would be abandoned than may be.
        """
        made = self.request("queue.make_predictive_call", queue=queue, number=number, data=dict(data or {}))
        return str(made["call"])

    def predictive_figures(self, queue: str) -> PredictiveFigures:
        """How the predictive calls of a queue stand: answered, abandoned, under way.

        Raises:
            UnknownQueue: there is none of this id.
            ConfigurationError: the queue makes no predictive calls.
        """
        return read(PredictiveFigures, self.request("queue.predictive_figures", queue=queue))

    def hang_up(self, interaction: str) -> None:
        """End a call, whoever is on it; harmless when it has ended."""
        self.request("call.hang_up", call=interaction)

    def attach(self, interaction: str, data: Mapping[str, Any]) -> None:
        """Attach data to a call: whoever gets it sees them. A value of None takes a key away.

        Raises:
            UnknownInteraction: it has ended, or never was.
            RequestRefused: it would be more than 16 KiB, or a value cannot be carried.
        """
        self.request("call.attach", call=interaction, data=dict(data))

    def move_call(self, interaction: str, queue: str, *, priority: int | None = None) -> None:
        """Move a call that waits to another queue; it keeps its age.

        Raises:
            UnknownInteraction: it has ended, or never was.
            UnknownQueue: there is none of this id.
            InvalidConnection: it does not wait in a queue.
        """
        self.request("call.queue", call=interaction, queue=queue, priority=priority)

    def request_callback(self, queue: str, number: str, **terms: Any) -> str:
        """Have a customer called back who is not on the line; returns the callback's id.

        Args:
            queue: whose agents call.
            number: the customer's.
            terms: ``at`` (Unix time), ``agent``, ``priority``, ``data``, ``name``, ``shown``; see
                ``callback.request`` in docs/protocol.md.

        Raises:
            UnknownQueue, UnknownAgent: there is none of this id.
            ConfigurationError: the queue calls nobody back, or its hours leave no time.
            DestinationNotAllowed: no rule lets the number be called.
            ResourceBusy: one to this number is pending, or as many as the queue takes.
        """
        return str(self.request("callback.request", queue=queue, number=number, **terms)["callback"])

    def cancel_callback(self, callback: str) -> None:
        """Cancel a callback.

        Raises:
            UnknownInteraction: it is over, or never was.
            InvalidConnection: the customer has answered.
        """
        self.request("callback.cancel", callback=callback)

    def reschedule_callback(self, callback: str, *, at: float | None = None, number: str = "") -> None:
        """Agree another time (Unix seconds), or another number; what is left out stays. Raises as the two above."""
        self.request("callback.reschedule", callback=callback, at=at, number=number)

    def callbacks(self, queue: str | None = None) -> tuple[CallbackRecord, ...]:
        """The pending callbacks of a queue, or of all that this client may see, those whose turn is next first."""
        return read(CallbackList, self.request("callback.list", queue=queue)).callbacks

    def abandoned(self, queue: str, hours: float = 24.0) -> tuple[AbandonedRecord, ...]:
        """The callers who hung up while waiting in a queue in the last so many hours, the latest first."""
        return read(AbandonedList, self.request("queue.abandoned", queue=queue, hours=hours)).calls

    def agent_ids(self) -> tuple[str, ...]:
        """Every agent that this client may act for."""
        return tuple(self.request("agent.list")["agents"])

    def queue_ids(self) -> tuple[str, ...]:
        """Every queue that this client may see."""
        return tuple(self.request("queue.list")["queues"])

    def alarms(self) -> tuple[AlarmRecord, ...]:
        """The alarms that are raised now, the oldest first, as far as this client may see them."""
        return read(AlarmList, self.request("alarms")).alarms

    def queue_intervals(self, queue: str, since: str = "", until: str = "") -> tuple[QueueIntervalRecord, ...]:
        """A queue's figures by interval, the oldest first.

        Args:
            queue: which.
            since: a day or time, such as ``2026-03-01`` or ``2026-03-01T09:00``; today's midnight if empty.
            until: the same; now if empty.

        Raises:
            UnknownQueue: there is none of this id, and never was.
            RequestRefused: no figures by interval are kept, or ``since`` or ``until`` is no time.
        """
        return read(QueueIntervals, self.request("queue.intervals", queue=queue, since=since, until=until)).intervals

    def agent_intervals(self, agent: str, since: str = "", until: str = "") -> tuple[AgentIntervalRecord, ...]:
        """An agent's figures by interval; as ``queue_intervals``."""
        return read(AgentIntervals, self.request("agent.intervals", agent=agent, since=since, until=until)).intervals

    def day(self, day: str = "") -> DayRecord:
        """The figures of a day, such as ``2026-03-01``; of today up to now if it is empty.

        Raises:
            RequestRefused: no figures by interval are kept, or it is no day.
        """
        return read(DayRecord, self.request("day", day=day))

    # -- events ---------------------------------------------------------------------------------------------------

    def events(
        self,
        *,
        agents: Iterable[str] = (),
        queues: Iterable[str] = (),
        calls: Iterable[str] = (),
        kinds: Iterable[str] = (),
    ) -> Events:
        """Snapshots and events about these subjects, or about all that the key covers where none is named.

        A client has one such subscription at a time. A refusal shows when it is read.

        Raises:
            InvalidConnection: there is one already; close it first.
        """
        if self._events is not None:
            raise InvalidConnection("this client has a subscription already; close it, or make another client")
        wanted = {"agents": list(agents), "queues": list(queues), "calls": list(calls), "kinds": list(kinds)}
        made = self._events = Events(self._connection, self._concurrency.queue(UNREAD), wanted, self._ended)
        self._connection.call(self._up)
        return made

    def listen(self, handler: Callable[[Item], object], **wanted: Iterable[str]) -> Events:
        """Call ``handler`` with every item of ``events(**wanted)``, one after another, beside the caller.

        It ends when the returned subscription is closed, or when the handler or the subscription raises.
        """
        made = self.events(**wanted)

        def run() -> None:
            with made:
                for item in made:
                    handler(item)

        self._concurrency.spawn(run)
        return made

    def _ended(self, events: Events) -> None:
        if self._events is events:
            self._events = None

    # -- in the connection's owner --------------------------------------------------------------------------------

    def _up(self) -> None:
        events = self._events
        if events is not None:
            events.up()

    def _take(self, message: Mapping[str, Any]) -> None:
        events = self._events
        if events is not None:
            events.take(message)

    def _pulse(self, outcome: Mapping[str, Any]) -> None:
        events = self._events
        if events is not None:
            events.pulse(outcome)

    def _end(self, error: Exception) -> None:
        events = self._events
        if events is not None:
            events.fail(error)

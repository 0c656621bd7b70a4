"""What can be looked at in a centre, and done to its calls by their ids."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import structlog
from attrs import evolve

from cti.alarms.look import Look, look
from cti.engine.histories import told
from cti.engine.predictive import predictive_figures
from cti.engine.recordings import recordings_under_way
from cti.engine.view import CentreView, QueueView, queue_view, view
from cti.engine.why import AgentExplained, CallExplained, explain_agent, explain_call
from cti.engine_loop import EngineLoop
from cti.errors import ConfigurationError, InvalidConnection, UnknownInteraction
from cti.model import events, facts, services
from cti.model.features import FEATURES, Feature
from cti.model.figures import AgentFigures, QueueFigures
from cti.model.history import InteractionHistory
from cti.model.ids import AgentId, InteractionId, QueueId, SwitchId
from cti.model.personal import presence_of
from cti.model.predictive import PredictiveCallRequested, PredictiveFigures
from cti.model.queue import QueueSettings
from cti.model.recording import RecordingAction, RecordingSettings
from cti.plan import QueueLoad, Request
from cti.recordings import Recordings
from cti.statistics import Statistics, in_turns
from cti.store import HistoryStore
from cti.switch import FreeSwitch

_log = structlog.get_logger("cti")


class CentreCalls:
    """The half of CallCenter that needs no more than a running engine; see there."""

    _loop: EngineLoop
    _history: HistoryStore | None
    _recordings: Recordings | None
    _switches: dict[SwitchId, FreeSwitch]
    statistics: Statistics | None = None
    """Figures by interval, where whoever made this centre keeps them; the API shows them."""

    def get_csta_features(self) -> Mapping[str, Feature]:
        """The call-control services of CSTA by name: which method asks for each, or why there is none."""
        return FEATURES

    def snapshot(self) -> CentreView:
        """The centre as it is now: queues with their figures, agents, links."""
        return view(self._loop.world_now())

    def look(self) -> Look:
        """The little of it that says whether an alarm is due; much cheaper than ``snapshot``."""
        return look(self._loop.world_now(), {name: link.lag_s for name, link in self._switches.items()})

    def agent_ids(self) -> tuple[AgentId, ...]:
        """Every agent."""
        return tuple(self._loop.engine.world.agents)

    def queue_ids(self) -> tuple[QueueId, ...]:
        """Every queue."""
        return tuple(self._loop.engine.world.queues)

    def queue_figures(self) -> dict[str, QueueFigures]:
        """What each queue has counted since it was added."""
        return {name: evolve(queue.figures) for name, queue in self._loop.engine.world.queues.items()}

    def agent_figures(self, *, closed: bool = False) -> Iterator[tuple[str, AgentFigures]]:
        """What each agent has counted since they were added, over all sessions.

        Lets others have a turn now and then.

        Args:
            closed: without what goes on still.
        """
        for agent in in_turns(list(self._loop.engine.world.agents.values())):
            yield agent.id, evolve(agent.figures) if closed else agent.figures_now(self._loop.now())

    def queue_view(self, queue: str) -> QueueView:
        """One queue as it is now.

        Raises:
            UnknownQueue: there is none of this id; the message names the nearest.
        """
        world = self._loop.world_now()
        return queue_view(world, world.queue(QueueId(queue)).id)

    def queue_settings(self, queue: str) -> QueueSettings:
        """What is configured of a queue, by whomever it was.

        Raises:
            UnknownQueue: there is none of this id; the message names the nearest.
        """
        return self._loop.world_now().queue(QueueId(queue)).settings

    def explain_call(self, interaction: str) -> CallExplained:
        """Why a call is where it is: each agent, and the reason they are not offered it.

        Raises:
            UnknownInteraction: it has ended, or never was.
        """
        return explain_call(self._loop.world_now(), InteractionId(interaction))

    def explain_agent(self, agent: str) -> AgentExplained:
        """Why an agent is idle: each waiting call, and the reason it is not offered to them.

        Raises:
            UnknownAgent: there is none of this id; the message names the nearest.
        """
        return explain_agent(self._loop.world_now(), AgentId(agent))

    def hang_up(self, interaction: str) -> None:
        """End a call, whoever is on it; harmless when it has ended."""
        self._loop.ask(facts.ClearRequested(InteractionId(interaction)))

    def interaction(self, interaction: str) -> InteractionHistory:
        """What has happened to a call, until now or its end: who did what for how long, who had it, and how it ended.

        Blocks this greenlet: one that is over is looked for in the history store, and recordings in their index.

        Raises:
            UnknownInteraction: it never was, or is over and not in a store.
        """
        world = self._loop.world_now()
        history = world.histories.get(InteractionId(interaction))
        if history is not None:
            return self._recorded([told(world, history)])[0]
        kept = self._history.get(interaction) if self._history is not None else None
        if kept is None:
            raise UnknownInteraction(interaction)
        return self._recorded([kept])[0]

    def find_calls(
        self,
        *,
        number: str = "",
        agent: str = "",
        queue: str = "",
        since: float | None = None,
        until: float | None = None,
        limit: int = 100,
    ) -> Sequence[InteractionHistory]:
        """Calls that are over and all of this, the latest first. Blocks this greenlet.

        Args:
            number: that called, or was called.
            agent: who did anything in it, if only that their phone rang.
            queue: that it was in.
            since: Unix time; it began then or later.
            until: Unix time; it began before then.
            limit: how many at most, up to 1,000.

        Raises:
            ConfigurationError: there is no history store.
        """
        if self._history is None:
            raise ConfigurationError("no history store has been given (CallCenter(history=...), or [history])")
        found = self._history.find(number=number, agent=agent, queue=queue, since=since, until=until, limit=limit)
        return self._recorded(found)

    def _recorded(self, histories: Sequence[InteractionHistory]) -> Sequence[InteractionHistory]:
        """The same with the recordings there are. Blocks this greenlet where recordings are made."""
        if self._recordings is None:
            return histories
        try:
            listed = self._recordings.listed(history.interaction for history in histories)
        except (OSError, sqlite3.Error) as error:
            _log.error("the index of recordings cannot be read", why=str(error))
            listed = {}
        under_way = recordings_under_way(self._loop.world_now())
        return [
            evolve(
                each,
                recordings=(
                    *listed.get(each.interaction, ()),
                    *under_way.get(InteractionId(each.interaction), ()),
                ),
            )
            for each in histories
        ]

    def record(self, interaction: str, what: str) -> None:
        """``"start"``, ``"stop"``, ``"pause"`` or ``"resume"`` the recording of a call that is with an agent.

        Told by RecordingStarted, RecordingEnded, RecordingPaused, RecordingResumed, or RecordingFailed.

        Raises:
            UnknownInteraction: it has ended, or never was.
            InvalidConnection: it is not with an agent, is not recorded, or nothing says where recordings go.
            ConfigurationError: ``what`` is none of these.
        """
        try:
            action = RecordingAction(what)
        except ValueError:
            known = ", ".join(repr(each.value) for each in RecordingAction)
            raise ConfigurationError(f"what is {what!r}; it must be one of {known}") from None
        self._loop.ask(services.RecordingRequested(InteractionId(interaction), action))

    def use_recordings(self, settings: RecordingSettings) -> None:
        """From now on recordings that begin go there, see ``Recordings.rename``; those under way go on where they are.

        Of a centre that was made with ``recordings``: nothing else looks at the files.
        """
        self._loop.ask(services.RecordingsDefined(settings))

    def make_predictive_call(self, queue: str, number: str, data: Mapping[str, Any] | None = None) -> InteractionId:
        """Make Predictive Call: call a customer, who gets whichever agent of a queue is free when they answer.

        The queue's ``predictive`` settings say what they hear when nobody is: within 2 s they hear the message, the call ends,
        and it counts against the abandon cap. A call that could lead beyond the cap is not made. Told by Originated and
        Queued, both with cause makePredictiveCall, then as any call in that queue; by PredictiveCallAbandoned; by
        ConnectionCleared if they do not answer. Whether a machine answers FreeSWITCH cannot tell (``mod_amd`` is not among
        its modules). When the next call is due is for the caller of this to say.

        Args:
            queue: whose agents take it.
            number: who is called.
            data: attached to the call: the agent sees them.

        Returns:
            The call's id.

        Raises:
            UnknownQueue: there is none of this id.
            ConfigurationError: the queue makes no predictive calls.
            DestinationNotAllowed: nothing in ``allowed_destinations`` lets the number through.
            InvalidConnection: no switch can be reached.
            ResourceBusy: should nobody be there for it, more would be abandoned than may be.
        """
        world = self._loop.engine.world
        self._loop.ask(PredictiveCallRequested(QueueId(queue), number, dict(data or {})))
        return world.predicted[QueueId(queue)].under_way[-1]

    def predictive_figures(self, queue: str) -> PredictiveFigures:
        """How the predictive calls of a queue stand: answered, abandoned, under way.

        Raises:
            UnknownQueue: there is none of this id.
            ConfigurationError: the queue makes no predictive calls.
        """
        world = self._loop.world_now()
        return predictive_figures(world, world.queue(QueueId(queue)))

    def attached(self, interaction: str) -> Mapping[str, Any]:
        """The data attached to a call.

        Raises:
            UnknownInteraction: it has ended, or never was.
        """
        return dict(self._loop.engine.world.interaction(InteractionId(interaction)).data)

    def attach(self, interaction: str, data: Mapping[str, Any]) -> None:
        """Attach data to a call: whoever gets it sees them. A value of None takes a key away.

        Raises:
            UnknownInteraction: it has ended, or never was.
        """
        self._loop.ask(facts.DataAttached(InteractionId(interaction), dict(data)))

    def move_call(self, interaction: str, queue: str, *, priority: int | None = None) -> None:
        """Move a call that waits to another queue; it keeps its age.

        Args:
            interaction: the call's id.
            queue: the queue's id.
            priority: added to the queue's own from now on; None leaves the call's own as it is.

        Raises:
            UnknownInteraction: it has ended, or never was.
            UnknownQueue: there is none of this id; the call stays where it is.
            InvalidConnection: it does not wait in a queue.
        """
        call = self._loop.engine.world.interaction(InteractionId(interaction))
        if not call.state.is_waiting:
            raise InvalidConnection(
                f"call {call.id} is {call.state.value}; only one that waits in a queue can be moved"
            )
        own = call.own_priority if priority is None else priority
        self._loop.ask(facts.QueueRequested(call.id, QueueId(queue), own))

    def presence(self, agent: str) -> str | None:
        """What an agent is doing, in one word (``cti.model.personal.presence_of``); None for one whom there is not."""
        known = self._loop.engine.world.agents.get(AgentId(agent))
        return presence_of(known) if known is not None else None

    def load(self, queue: str) -> QueueLoad | None:
        """How a queue stands: calls waiting, agents logged on, expected wait; None for one that there is not."""
        world = self._loop.engine.world
        known = world.queues.get(QueueId(queue))
        if known is None:
            return None
        waiting = known.figures.waiting
        return QueueLoad(waiting, world.staff.count(known.id), world.staff.expected_wait_s(known, waiting + 1))

    def _request(self, event: events.CallEvent) -> Request:
        """What a plan or a route script is told of a call."""
        return Request(
            calling_number=event.calling_number,
            called_number=event.called_number,
            at=time.time(),
            calling_name=event.calling_name,
            data=dict(event.data),
            presence=self.presence,
            load=self.load,
        )

"""A call centre in virtual time: the real engine and adapter, a simulated switch, callers, phones, faults."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from cti.engine import Engine
from cti.engine.invariants import broken
from cti.model import events, facts, intents, reason
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.ids import AgentId, IdSource, QueueId, SwitchId
from cti.model.interaction import Interaction
from cti.model.states import AgentState, InteractionState
from cti.sim import Behaviour, SimulatedSwitch, VirtualScheduler, centre_dialplan
from cti.simulation.arrivals import Arrivals
from cti.simulation.client import VirtualFreeSwitch
from cti.simulation.ledger import CallEnd, Ledger
from cti.simulation.loop import VirtualLoop
from cti.simulation.notebook import Notebook
from cti.simulation.report import Report
from cti.simulation.settings import SimulationSettings
from cti.simulation.trouble import Trouble
from cti.simulation.watch import Watch
from cti.store import Past, RecordedEngine

_SWITCH: Final = SwitchId("simulated")
_FIRST_NUMBER: Final = 5000
_STEP_S: Final = 30.0
"""Virtual seconds between two looks at how far the run is."""
_PATIENCE: Final = 30.0
"""A run in which no call has ended for so many mean conversations, and the time to drain, will not end by itself."""
_CROWD: Final = 100
"""So many callers left double the time between two looks."""
_STUCK_KEPT: Final = 20

_AT_REST: Final = (AgentState.NULL, AgentState.NOT_READY, AgentState.READY)
_HANDLING: Final = (AgentState.BUSY, AgentState.WORKING_AFTER_CALL)
_AVAILABLE: Final = (AgentState.READY, AgentState.RESERVED, AgentState.ALERTING)


class Simulation:
    """One run. No socket, no sleep, no greenlet; as fast as the machine.

    Args:
        settings: the centre, its callers, its luck.
        on_end: told of each call when it is accounted for.
    """

    def __init__(self, settings: SimulationSettings, *, on_end: Callable[[CallEnd], object] | None = None) -> None:
        self.settings = settings
        self.scheduler = VirtualScheduler()
        seed = settings.seed
        self.switch = SimulatedSwitch(
            self.scheduler,
            seed=random.Random(f"{seed} switch").getrandbits(64),
            dialplan=centre_dialplan("cti"),
            heartbeat_s=0.0,
        )
        self.trouble = Trouble(settings.faults, self.scheduler, random.Random(f"{seed} faults").getrandbits(64))
        self._notebook = Notebook(self.scheduler.now) if settings.faults.kills_every_s is not None else None
        self._lives = 0
        self._taken_up: RecordedEngine | None = None
        """An engine whose timers and scripts are to be begun as soon as its link is live."""
        self._begin(None)
        self.watch = Watch(self.engine.world, settings.check_every)
        self._total = sum(calls.count for calls in settings.calls)
        self.ledger = Ledger(self.engine.world, self._total, self.scheduler.now, on_end)
        self._arrivals = []
        for at, calls in enumerate(settings.calls):
            number = str(_FIRST_NUMBER + at)
            self._arrivals.append(Arrivals(self.switch, calls, number, self.ledger, f"{seed} calls {at}"))
        self._occupancy: float | None = None

    def _begin(self, past: Past | None) -> None:
        """A process of ours: an engine, what runs it, and its links; ``past`` is what the one before has left."""
        settings, seed = self.settings, self.settings.seed
        self._lives += 1
        life = "" if self._lives == 1 else f" {self._lives}"
        chance = random.Random(f"{seed} ids{life}")
        ids = IdSource(chance.getrandbits, epoch=self.scheduler.epoch_s)
        if self._notebook is None:
            self.engine = Engine(ids, settings.router(random.Random(f"{seed} router")))
        else:  # one chance for all, as a centre has: what is told again is decided again as it was
            self.engine = RecordedEngine(
                ids,
                settings.router(chance),
                self._notebook,
                chance=chance,
                epoch=self.scheduler.epoch_s,
                past=past,
                now=self.scheduler.now(),
            )
        self._loop = VirtualLoop(
            self.engine,
            self.scheduler,
            on_event=self._event,
            on_intent=self._intent,
            after=self._after,
            on_error=self._refused,
        )
        self.client = VirtualFreeSwitch(
            self.switch,
            on_fact=self._loop.submit,
            switch_id=_SWITCH,
            chance=random.Random(f"{seed} back-off{life}"),
            trouble=self.trouble if settings.faults.touches_the_link else None,
        )

    def run(self, progress: Callable[[int], object] | None = None) -> Report:
        """Run to the end: until every caller has come and gone, and the centre knows. Blocks; may take long.

        Args:
            progress: called now and then with how many calls have come in.
        """
        began = time.perf_counter()
        self._furnish()
        self.client.start()
        while not self.client.live:
            self.scheduler.run_for(1.0)
        for arrivals in self._arrivals:
            arrivals.start()
        self.trouble.start(
            drop=lambda: self.client.cut(self.trouble.away_s()),
            restart=self._restart,
            kill=self._kill,
            phones=self.switch.phones,
        )
        while not all(arrivals.done for arrivals in self._arrivals):
            self.scheduler.run_for(_STEP_S)
            if progress is not None:
                progress(self.ledger.offered)
        self._occupancy = self._occupied()
        self._drain()
        return self._report(time.perf_counter() - began)

    # -- set-up ---------------------------------------------------------------------------------------------------

    def _furnish(self) -> None:
        settings, faults = self.settings, self.settings.faults
        at_once = settings.answer_s == (0.0, 0.0)
        behaviour = Behaviour(
            ring_s=(0.0, 0.0) if at_once else (0.003, 0.02),
            answer_s=settings.answer_s,
            busy=faults.busy,
            rejects=faults.rejects,
            no_answer=faults.no_answer,
            talk_s=faults.receiver_down_s,
        )
        for queue in settings.queues:
            self._loop.ask(facts.QueueDefined(queue))
        for agent in settings.agents:
            self.switch.phones.add(agent.contact, behaviour)
            self._loop.ask(facts.AgentDefined(agent))
            self._loop.ask(facts.LogOnRequested(agent.id, ready=True))

    # -- between the parts ----------------------------------------------------------------------------------------

    def _event(self, event: events.Event) -> None:
        self.ledger.event(event)
        if isinstance(event, events.Offered):
            self._script(self.engine.world.interactions[event.interaction])
        elif isinstance(event, events.AgentNotReady):
            if event.reason == reason.RNA:
                self.scheduler.call_later(self.settings.back_s, self._back, event.agent)
        elif isinstance(event, events.InvariantBroken):
            self.watch.tell(None, event.what)

    def _script(self, offered: Interaction) -> None:
        """What the host application would do: the calls to a number go to a queue."""
        call = self.ledger.call_of(offered.id)
        if call is None:  # its caller is gone, the news of the call came late
            self._loop.submit(facts.ClearRequested(offered.id, Cause.NORMAL_CLEARING))
        else:
            queue = QueueId(call.calls.queue)
            self._loop.submit(facts.QueueRequested(offered.id, queue, priority=call.calls.priority))

    def _back(self, agent_id: AgentId) -> None:
        """An agent who was away sees it and asks for calls again, as soon as there is a process to ask."""
        if self._loop.stopped:
            self.scheduler.call_later(1.0, self._back, agent_id)
            return
        agent = self.engine.world.agents[agent_id]
        if agent.state is AgentState.NOT_READY and agent.reason == reason.RNA:
            self._loop.submit(facts.ReadyRequested(agent_id))

    def _intent(self, intent: intents.SwitchIntent) -> None:
        self.ledger.wanted(intent)
        self.client.execute(intent)

    def _after(self, fact: facts.Fact, wanted: Sequence[intents.Intent]) -> None:
        # A process that has been started again arms its timers after the switch's snapshot, which settles the offers.
        self.watch.after(fact, wanted, grace_s=math.inf if self._taken_up is not None else 0.0)
        if self._taken_up is not None and isinstance(fact, facts.SnapshotTaken):
            engine, self._taken_up = self._taken_up, None
            self._loop.arm(engine.due)
            for each in sorted(engine.taken_up.calls & set(engine.world.interactions)):
                if engine.world.interactions[each].state is InteractionState.OFFERED:
                    self._script(engine.world.interactions[each])

    def _refused(self, fact: facts.Fact, error: Exception) -> None:
        self.watch.tell(fact, f"refused: {error!r}")

    def _restart(self) -> None:
        self.client.cut(self.trouble.away_s())
        self.switch.restart()

    def _kill(self) -> None:
        """Our process dies, and another takes up what it has written."""
        assert self._notebook is not None
        if self._loop.stopped:
            return  # it is dead already
        self._loop.stop()
        self.client.stop()
        past = self._notebook.past(self.trouble.unwritten_s())
        self.scheduler.call_later(self.trouble.away_s(), self._come_back, past)

    def _come_back(self, past: Past) -> None:
        self._begin(past)
        assert isinstance(self.engine, RecordedEngine)
        self._taken_up = self.engine
        world = self.watch.world = self.engine.world
        self.ledger.forgotten(world)
        for agent in world.agents.values():  # who has come back may not have been written any more
            if agent.state is AgentState.NOT_READY and agent.reason == reason.RNA:
                self.scheduler.call_later(self.settings.back_s, self._back, agent.id)
        self.client.start()

    # -- the end --------------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Until all callers are gone, then until the centre has noticed; neither for ever."""
        drain_s = self.settings.drain_s
        longest_s = _PATIENCE * max(calls.handle_s for calls in self.settings.calls) + drain_s
        waiting, since = self._callers(), self.scheduler.now()
        while waiting and self.scheduler.now() - since < longest_s:
            self.scheduler.run_for(_STEP_S * (1 + waiting / _CROWD))  # or a long queue would be counted at every turn
            self.ledger.sweep()
            left = self._callers()
            if left < waiting:
                since = self.scheduler.now()
            waiting = left
        self.trouble.stop()
        ends_at = self.scheduler.now() + drain_s
        while self.scheduler.now() < ends_at and self._left_over():
            self.scheduler.run_for(_STEP_S)
        self.ledger.sweep(final=True)
        for what in broken(self.engine.world) if self.settings.check_every else ():
            self.watch.tell(None, what)

    def _callers(self) -> int:
        return sum(call.caller is not None and not call.caller.ended for call in self.ledger.open_calls)

    def _left_over(self) -> list[str]:
        world = self.engine.world
        return [
            *(f"agent {a.id} is {a.state.value}" for a in world.agents.values() if _is_stuck(a)),
            *(f"call {i.calling_number} is {i.state.value}" for i in world.interactions.values()),
            *(f"channel {c.uuid} of the switch is {c.state}" for c in self.switch.channels.values()),
        ]

    def _occupied(self) -> float | None:
        handling = available = 0.0
        for agent in self.engine.world.agents.values():
            spent = dict(agent.seconds_in)
            spent[agent.state] = spent.get(agent.state, 0.0) + self.scheduler.now() - agent.state_since
            handling += sum(spent.get(state, 0.0) for state in _HANDLING)
            available += sum(spent.get(state, 0.0) for state in _AVAILABLE)
        return handling / (handling + available) if handling + available else None

    def _report(self, wall_s: float) -> Report:
        return Report(
            agents=len(self.settings.agents),
            occupancy=self._occupancy,
            violations=self.watch.count,
            violations_named=tuple(self.watch.found),
            stuck=tuple(self._left_over()[:_STUCK_KEPT]),
            faults=dict(self.trouble.counts),
            facts=self._loop.facts,
            virtual_s=self.scheduler.now(),
            wall_s=wall_s,
            **self.ledger.figures(),
        )


def _is_stuck(agent: Agent) -> bool:
    return agent.state not in _AT_REST

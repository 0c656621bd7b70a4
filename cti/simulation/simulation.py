"""A call centre in virtual time: the real engine and adapter, a simulated switch, callers, phones, faults."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Final

from attrs import evolve

from cti.engine import Engine
from cti.engine.invariants import broken
from cti.errors import CtiError
from cti.model import events, facts, intents, reason, services
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, IdSource, QueueId, SwitchId
from cti.model.interaction import Interaction
from cti.model.party import Destination
from cti.model.recording import RecordingSettings
from cti.model.states import AgentState, InteractionState
from cti.model.switch import SwitchSettings
from cti.sim import Behaviour, SimulatedSwitch, VirtualScheduler, centre_dialplan, connect
from cti.simulation.arrivals import Arrivals
from cti.simulation.client import VirtualFreeSwitch
from cti.simulation.errands import GATEWAY, Errands
from cti.simulation.ledger import CallEnd, Ledger
from cti.simulation.loop import VirtualLoop
from cti.simulation.notebook import Notebook
from cti.simulation.report import Report
from cti.simulation.rounds import EVERY_S, Rounds
from cti.simulation.settings import SimulationSettings
from cti.simulation.trouble import Trouble
from cti.simulation.watch import Watch
from cti.store import Past, RecordedEngine

_FIRST_NUMBER: Final = 5000
_STEP_S: Final = 30.0
"""Virtual seconds between two looks at how far the run is."""
_PATIENCE: Final = 30.0
"""A run in which no call has ended for so many mean conversations, and the time to drain, will not end by itself."""
_CROWD: Final = 100
"""So many callers left double the time between two looks."""
_STUCK_KEPT: Final = 20
_ARMED_S: Final = 0.1
_OUTSIDE_TALKS_S: Final = 120.0
"""How long those outside whom agents call talk, on average."""

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
        self.switches = {name: self._switch(name) for name in settings.switches}
        self.switch = self.switches[settings.switches[0]]
        """The first of them."""
        addresses = {name: f"192.0.2.{number}:5090" for number, name in enumerate(settings.switches, 1)}
        for one, other in combinations(settings.switches, 2):
            connect((self.switches[one], addresses[one]), (self.switches[other], addresses[other]))
        self._addresses = addresses if len(addresses) > 1 else dict.fromkeys(addresses, "")
        self.trouble = Trouble(settings.faults, self.scheduler, random.Random(f"{seed} faults").getrandbits(64))
        self._notebook = (
            Notebook(self.scheduler.now)
            if settings.faults.kills_every_s is not None and settings.faults.journal
            else None
        )
        self._lives = 0
        self._taken_up: RecordedEngine | None = None
        """An engine whose timers and scripts are to be begun as soon as its link is live."""
        self._armed_at = -math.inf
        self._begin(None)
        self.watch = Watch(self.engine.world, settings.check_every)
        self._total = sum(calls.count for calls in settings.calls)
        self.ledger = Ledger(self.engine.world, self._total, self.scheduler.now, on_end)
        self._arrivals = []
        for at, calls in enumerate(settings.calls):
            number = str(_FIRST_NUMBER + at)
            self._arrivals.append(Arrivals([*self.switches.values()], calls, number, self.ledger, f"{seed} calls {at}"))
        self._occupancy: float | None = None
        self.errands: Errands | None = None
        if settings.errands_every_s is not None:
            self.errands = Errands(
                self._ask, lambda: self.engine.world, self.scheduler, settings.errands_every_s, f"{seed} errands"
            )
        self._rounds = Rounds(
            lambda: self.engine.world,
            self.switches,
            self.scheduler.now,
            lambda what: self.watch.tell(None, what),
            music=not (settings.faults.commands_refused or settings.faults.events_lost),
        )

    def _switch(self, name: SwitchId) -> SimulatedSwitch:
        first = name == self.settings.switches[0]
        chance = random.Random(f"{self.settings.seed} switch{'' if first else f' {name}'}")
        dialplan = centre_dialplan("cti")
        return SimulatedSwitch(self.scheduler, seed=chance.getrandbits(64), dialplan=dialplan, heartbeat_s=0.0)

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
        self.clients = {
            name: VirtualFreeSwitch(
                switch,
                on_fact=self._loop.submit,
                switch_id=name,
                chance=random.Random(f"{seed} back-off{life}{'' if switch is self.switch else f' {name}'}"),
                trouble=self.trouble if settings.faults.touches_the_link else None,
            )
            for name, switch in self.switches.items()
        }
        self.client = self.clients[settings.switches[0]]
        """That of the first switch."""

    def run(self, progress: Callable[[int], object] | None = None) -> Report:
        """Run to the end: until every caller has come and gone, and the centre knows. Blocks; may take long.

        Args:
            progress: called now and then with how many calls have come in.
        """
        began = time.perf_counter()
        self._furnish()
        for client in self.clients.values():
            client.start()
        while not all(client.live for client in self.clients.values()):
            self.scheduler.run_for(1.0)
        for arrivals in self._arrivals:
            arrivals.start()
        self.trouble.start(
            switches=self.settings.switches,
            drop=lambda name: self.clients[name].cut(self.trouble.away_s()),
            restart=self._restart,
            kill=self._kill,
            phones={name: switch.phones for name, switch in self.switches.items()},
        )
        if self.errands is not None:
            self.errands.start()
        if self.settings.check_every:
            self._go_round()
        while not all(arrivals.done for arrivals in self._arrivals):
            self.scheduler.run_for(_STEP_S)
            if progress is not None:
                progress(self.ledger.offered)
        self._occupancy = self._occupied()
        if self.errands is not None:
            self.errands.stop()
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
        outside = evolve(behaviour, talk_s=faults.receiver_down_s or _OUTSIDE_TALKS_S)
        for name, switch in self.switches.items():
            switch.phones.add_rule(f"{GATEWAY}.*", outside)
            for agent in settings.agents:
                if agent.switch in ("", name):
                    switch.phones.add(agent.contact, behaviour)
                if agent.mobile:
                    switch.phones.add(agent.mobile, behaviour)
        self._define()

    def _define(self) -> None:
        """What the host application does as it is started, each time."""
        settings = self.settings
        if len(self.switches) > 1 or self.errands is not None:
            for name, address in self._addresses.items():
                self._loop.ask(facts.SwitchDefined(SwitchSettings(name, address)))
        for queue in settings.queues:
            self._loop.ask(facts.QueueDefined(queue))
        if self.errands is not None:
            self._loop.ask(services.DestinationsDefined((Destination("9*", f"{GATEWAY}{{number}}"),)))
            self._loop.ask(services.RecordingsDefined(RecordingSettings("/recordings")))
        for agent in settings.agents:
            self._loop.ask(facts.AgentDefined(agent))
            if self.engine.world.agents[agent.id].state is AgentState.NULL and (self._lives == 1 or not self._notebook):
                self._loop.ask(facts.LogOnRequested(agent.id, ready=True))

    # -- between the parts ----------------------------------------------------------------------------------------

    def _event(self, event: events.Event) -> None:
        self.ledger.event(event)
        if self.settings.check_every:
            self._rounds.event(event)
        if self.errands is not None:
            self.errands.event(event)
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

    def _ask(self, fact: facts.Fact) -> None:
        """Somebody asks for something; there may be no process to ask, and it may be refused."""
        if not self._loop.stopped:
            try:
                self._loop.ask(fact)
            except CtiError:
                pass
            except Exception as error:  # noqa: BLE001 - a defect: said, and the run goes on
                self._refused(fact, error)

    def _go_round(self) -> None:
        if not self._loop.stopped and self._taken_up is None:
            self._rounds.look()
        self.scheduler.call_later(EVERY_S, self._go_round)

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
        if isinstance(intent, intents.OfferCall) and self.settings.check_every:
            self._rounds.offered(intent)
        self.clients[intent.switch].execute(intent)

    def _after(self, fact: facts.Fact, wanted: Sequence[intents.Intent]) -> None:
        # A process that has been started again arms its timers after the switch's snapshot, which settles the offers; those
        # that are overdue fire in a moment.
        settling = self._taken_up is not None or self.scheduler.now() < self._armed_at + _ARMED_S
        self.watch.after(fact, wanted, grace_s=math.inf if settling else 0.0)
        if self._taken_up is not None and isinstance(fact, facts.SnapshotTaken):
            engine, self._taken_up, self._armed_at = self._taken_up, None, self.scheduler.now()
            self._loop.arm(engine.due)
            for each in sorted(engine.taken_up.calls & set(engine.world.interactions)):
                if engine.world.interactions[each].state is InteractionState.OFFERED:
                    self._script(engine.world.interactions[each])

    def _refused(self, fact: facts.Fact, error: Exception) -> None:
        if self.errands is None or not isinstance(error, CtiError):  # else somebody has been faster than the script
            self.watch.tell(fact, f"refused: {error!r}")

    def _restart(self, name: SwitchId) -> None:
        self.clients[name].cut(self.trouble.away_s())
        self.switches[name].restart()

    def _kill(self) -> None:
        """Our process dies, and another takes up what it has written."""
        if self._loop.stopped:
            return  # it is dead already
        self._loop.stop()
        for client in self.clients.values():
            client.stop()
        past = self._notebook.past(self.trouble.unwritten_s()) if self._notebook is not None else None
        self.scheduler.call_later(self.trouble.away_s(), self._come_back, past)

    def _come_back(self, past: Past | None) -> None:
        self._begin(past)
        self._taken_up = self.engine if isinstance(self.engine, RecordedEngine) else None
        world = self.watch.world = self.engine.world
        self.ledger.forgotten(world)
        self._rounds.forget()
        self._define()
        for agent in world.agents.values():  # who has come back may not have been written any more
            if agent.state is AgentState.NOT_READY and agent.reason == reason.RNA:
                self.scheduler.call_later(self.settings.back_s, self._back, agent.id)
        for client in self.clients.values():
            client.start()

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
            *(
                f"channel {c.uuid} of the switch is {c.state}"
                for switch in self.switches.values()
                for c in switch.channels.values()
                if not self._stands(c.uuid)
            ),
        ]

    def _stands(self, channel: str) -> bool:
        """Whether it belongs to a standing connection, which lasts beyond all calls."""
        world, leg = self.engine.world, ConnectionId(channel)
        tie = world.ties.get(leg)
        return leg in world.standing_legs or (tie is not None and tie.leg in world.standing_legs)

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

"""What people ask for in a simulation besides calling and answering: every service there is, at random moments."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

from cti.engine.world import World
from cti.model import call_back, callback_requests, calling, events, facts, services
from cti.model.agent import Agent
from cti.model.ids import AgentId, InteractionId, QueueId, SwitchId
from cti.model.interaction import Interaction, InteractionKind
from cti.model.message import Message
from cti.model.overflow import Disconnect, Overflow, ToDestination, ToQueue, ToScript
from cti.model.party import Party, ToAgent, ToNumber
from cti.model.personal import Personal
from cti.model.predictive import PredictiveCallRequested
from cti.model.recording import RecordingAction
from cti.model.states import AgentState, InteractionState
from cti.model.supervision import Mode
from cti.sim import Scheduler

T = TypeVar("T")

GATEWAY: Final = "sofia/gateway/trunk/"
"""Whom agents call outside, and customers who are called back."""
_PENDING_S: Final = 600.0
"""How long whatever waits for a time or an agent may wait."""


class Desk(Protocol):
    """Where to ask."""

    def __call__(self, fact: facts.Fact) -> None:
        """Ask for something; what is refused is refused."""


class Errands:
    """Lets agents, supervisors, scripts, customers and operators ask for something, one after another, for ever.

    Whoever asks is drawn at random, and so is what for: whether it is possible is not looked at closely, since what is not
    must be refused and change nothing.

    Args:
        ask: where to.
        world: what the process that lives now knows.
        scheduler: time.
        every_s: the mean time between two errands, exponential.
        seed: for the same again.
    """

    def __init__(self, ask: Desk, world: Callable[[], World], scheduler: Scheduler, every_s: float, seed: str) -> None:
        self._ask = ask
        self._world = world
        self._scheduler = scheduler
        self._every_s = every_s
        self._chance = random.Random(seed)
        self._over = False
        self._number = 0
        self.asked: dict[str, int] = {}
        """How often each service was asked for."""

    def start(self) -> None:
        """Begin; the first comes after the first drawn gap."""
        self._scheduler.call_later(self._chance.expovariate(1 / self._every_s), self._next)

    def stop(self) -> None:
        """Ask for nothing new, and end what would go on: drains, pending callbacks, messages, conversations."""
        self._over = True
        self._wind_up()

    def event(self, event: events.Event) -> None:
        """What the centre tells: a script, or an agent who hears a message, does something about it, later or never."""
        later, chance = self._scheduler.call_later, self._chance
        match event:
            case events.Diverted(to_script=script) if script:
                later(chance.uniform(0.1, 10.0), self._script_goes_on, event.interaction)
            case events.RouteRequested() if chance.random() < 0.8:
                later(chance.uniform(0.0, 2.0), self._route, event.interaction, event.cross_ref)
            case events.Established() if event.interaction_kind == InteractionKind.VOICEMAIL.value:
                later(chance.uniform(1.0, 30.0), self._heard, event.interaction, event.agent)

    # -- one after another ----------------------------------------------------------------------------------------

    def _next(self) -> None:
        if self._over:
            return
        fact = self._draw()
        if fact is not None:
            self._tell(fact)
        self.start()

    def _tell(self, fact: facts.Fact) -> None:
        name = type(fact).__name__
        self.asked[name] = self.asked.get(name, 0) + 1
        self._ask(fact)

    def _draw(self) -> facts.Fact | None:
        kind = self._chance.choices((self._agent, self._supervisor, self._caller, self._operator), (10, 3, 4, 2))[0]
        return kind()

    def _of(self, choices: Sequence[T]) -> T | None:
        return self._chance.choice(choices) if choices else None

    def _any_agent(self, *states: AgentState) -> AgentId:
        agents = list(self._world().agents.values())
        likely = [each for each in agents if each.state in states]
        if likely and self._chance.random() < 0.9:
            agents = likely
        return self._chance.choice(agents).id

    def _who_hears(self) -> AgentId | None:
        """Somebody who hears a voice message."""
        return self._of([c.agent for c in self._world().interactions.values() if _is_heard(c) and c.agent is not None])

    def _any_call(self, fits: Callable[[Interaction], bool]) -> Interaction | None:
        return self._of([call for call in self._world().interactions.values() if fits(call)])

    def _queue(self) -> QueueId:
        return self._chance.choice(sorted(self._world().queues))

    def _party(self) -> Party:
        if self._chance.random() < 0.6:
            return ToAgent(self._any_agent(AgentState.READY))
        return ToNumber(self._chance.choice(["9123", "9456", "0900"]))

    def _elsewhere(self) -> ToAgent | Overflow:
        return self._chance.choice(
            (
                ToAgent(self._any_agent(AgentState.READY)),
                ToQueue(self._queue()),
                ToQueue(self._queue()),
                ToDestination("9000"),
                ToScript("menu"),
                Disconnect(),
            )
        )

    # -- agents ---------------------------------------------------------------------------------------------------

    def _agent(self) -> facts.Fact:
        busy, ready = self._any_agent(AgentState.BUSY), self._any_agent(AgentState.READY)
        rung = self._any_agent(AgentState.ALERTING, AgentState.RESERVED)
        idle = self._any_agent(AgentState.NOT_READY, AgentState.WORKING_AFTER_CALL)
        chance = self._chance
        makes: tuple[tuple[int, Callable[[], facts.Fact]], ...] = (
            (4, lambda: services.HoldRequested(busy)),
            (4, lambda: services.RetrieveRequested(busy)),
            (8, lambda: services.ConsultationRequested(busy, self._party(), chance.choice([0.0, 30.0]))),
            (4, lambda: services.AlternateRequested(busy)),
            (3, lambda: services.ReconnectRequested(busy)),
            (4, lambda: services.TransferRequested(busy)),
            (4, lambda: services.ConferenceRequested(busy)),
            (3, lambda: services.SingleStepConferenceRequested(busy, self._party())),
            (4, lambda: services.SingleStepTransferRequested(busy, self._elsewhere())),
            (5, lambda: services.ClearConnectionRequested(busy)),
            (1, lambda: calling.ClearCallRequested(busy)),
            (1, lambda: services.DigitsRequested(busy, "12#")),
            (2, lambda: services.ParkRequested(busy, recall_s=chance.choice([5.0, 60.0]))),
            (2, lambda: services.UnparkRequested(ready, self._of(sorted(self._world().parked)) or "701")),
            (3, lambda: services.MakeCallRequested(ready, self._party(), wrap_up_s=chance.choice([0.0, 5.0]))),
            (2, lambda: calling.MakeConnectionRequested(ready)),
            (3, lambda: calling.DialDigitsRequested(busy, chance.choice(["9", "0900"]), more=chance.random() < 0.3)),
            (2, lambda: services.DirectedPickupRequested(ready, rung)),
            (2, lambda: services.GroupPickupRequested(ready)),
            (2, lambda: services.DeflectRequested(rung, self._elsewhere())),
            (2, lambda: calling.AnswerRequested(rung)),
            (2, lambda: calling.JoinRequested(ready, busy, silent=chance.random() < 0.3)),
            (2, lambda: calling.IntrudeRequested(ready, busy, warn_s=chance.choice([0.0, 1.0]))),
            (1, lambda: call_back.CallBackRequested(ready, busy, _PENDING_S)),
            (1, lambda: call_back.CallBackCancelled(ready, busy)),
            (4, lambda: facts.NotReadyRequested(self._any_agent(), "lunch")),
            (14, lambda: facts.ReadyRequested(idle)),
            (2, lambda: facts.LogOffRequested(self._any_agent())),
            (6, lambda: facts.LogOnRequested(self._any_agent(AgentState.NULL), ready=True)),
            (3, lambda: services.AcceptTaskRequested(rung)),
            (1, lambda: services.RejectTaskRequested(rung)),
            (3, lambda: services.CompleteTaskRequested(busy)),
            (3, lambda: services.ReturnCallRequested(self._who_hears() or busy, chance.choice(["", "9777"]))),
        )
        return chance.choices([make for _, make in makes], [weight for weight, _ in makes])[0]()

    def _supervisor(self) -> facts.Fact | None:
        chance, world = self._chance, self._world()
        boss, busy = self._any_agent(AgentState.NOT_READY), self._any_agent(AgentState.BUSY)
        listening = self._of([each.supervisor for each in world.supervisions.values()]) or boss
        with_agent = self._any_call(lambda call: call.agent is not None)
        waits = self._any_call(lambda call: call.state.is_waiting)
        mode = chance.choice([None, *Mode])
        roll = chance.random()
        if roll < 0.1:
            return facts.NotReadyRequested(boss, "supervises")
        if roll < 0.4:
            return services.SupervisionRequested(boss, mode, agent=busy)
        if roll < 0.6:
            call = with_agent or waits
            return services.SupervisionRequested(boss, mode, interaction=call.id) if call is not None else None
        if roll < 0.7:
            return services.SupervisionRequested(listening, mode)
        if roll < 0.8:
            return services.TakeOverRequested(listening)
        if roll < 0.9:
            return services.PullRequested(boss, waits.id) if waits is not None else None
        return services.SupervisionEndRequested(listening)

    # -- callers, customers and their scripts -----------------------------------------------------------------------

    def _caller(self) -> facts.Fact | None:
        chance = self._chance
        waits = self._any_call(lambda call: call.state.is_waiting or call.state is InteractionState.OFFERED)
        back = self._any_call(lambda call: call.callback is not None)
        number = f"9{chance.randrange(1000):03}"
        roll = chance.random()
        if roll < 0.25:
            agent = self._any_agent() if chance.random() < 0.2 else None
            return callback_requests.CallbackRequested(self._queue(), number, agent=agent)
        if roll < 0.5:
            if waits is None:
                return None
            return callback_requests.CallbackRequested(waits.queue or self._queue(), number, waits.id)
        if roll < 0.55:
            return callback_requests.CancelCallbackRequested(back.id) if back is not None else None
        if roll < 0.6:
            return callback_requests.RescheduleCallbackRequested(back.id, number=number) if back is not None else None
        if roll < 0.65:
            if back is None or back.callback is None or back.callback.leaving is None:
                return None
            return callback_requests.CallerLetGo(back.id, back.callback.leaving)
        if roll < 0.85:
            return PredictiveCallRequested(self._queue(), number)
        return self._message()

    def _message(self) -> facts.Fact:
        chance, world = self._chance, self._world()
        self._number += 1
        fax = chance.random() < 0.4
        personal = Personal(self._any_agent(), 20.0) if chance.random() < 0.2 else None
        return services.DeliverMessageRequested(
            Message(f"message-{self._number}", "box", 0.0 if fax else 12.0, 1 if fax else 0),
            InteractionKind.FAX if fax else InteractionKind.VOICEMAIL,
            self._queue(),
            SwitchId("") if fax else chance.choice(sorted(world.links) or [SwitchId("")]),
            "0301",
            "",
            "5000",
            personal=personal,
        )

    def _script_goes_on(self, interaction: InteractionId) -> None:
        call = self._world().interactions.get(interaction)
        if call is None or call.state is not InteractionState.OFFERED:
            return
        roll, number = self._chance.random(), call.calling_number
        if roll < 0.4:
            self._tell(facts.ClearRequested(interaction))
        elif roll < 0.7:
            self._tell(facts.QueueRequested(interaction, self._queue()))
        elif roll < 0.9:
            self._tell(callback_requests.CallbackRequested(self._queue(), f"9{number[-3:]}", interaction))
        else:
            self._tell(facts.DivertRequested(interaction, self._destination()))

    def _destination(self) -> Overflow:
        return self._chance.choice((ToDestination("9000"), ToQueue(self._queue()), Disconnect()))

    def _route(self, interaction: InteractionId, cross_ref: str) -> None:
        chance = self._chance
        to: Overflow | None = self._destination() if chance.random() < 0.3 else None
        preferred = (self._any_agent(),) if chance.random() < 0.5 else ()
        wish = Personal(self._any_agent(), 20.0) if chance.random() < 0.3 else None
        self._tell(facts.RouteSelected(interaction, cross_ref, to, personal=wish, preferred=preferred))

    def _heard(self, interaction: InteractionId, agent: AgentId | None) -> None:
        """A message has been heard: its agent hangs up, or the mailroom does."""
        if agent is not None and self._chance.random() < 0.5:
            self._tell(services.ClearConnectionRequested(agent))
        else:
            self._tell(facts.ClearRequested(interaction))

    # -- operators ------------------------------------------------------------------------------------------------

    def _operator(self) -> facts.Fact | None:
        chance, world = self._chance, self._world()
        call = self._any_call(lambda _: True)
        roll = chance.random()
        if roll < 0.3:
            return services.PushRequested(call.id, self._elsewhere()) if call is not None else None
        if roll < 0.4:
            return facts.ClearRequested(call.id) if call is not None else None
        if roll < 0.6:
            return services.RecordingRequested(call.id, chance.choice([*RecordingAction])) if call is not None else None
        if roll < 0.7:
            queue = world.queues[self._queue()]
            return facts.QueueDefined(queue.settings)
        if roll < 0.8:
            return facts.AgentDefined(world.agents[self._any_agent()].settings)
        if roll < 0.85:
            return callback_requests.CallbacksHeld(chance.random() < 0.3)
        switch = self._of(sorted(world.switches))
        drained = switch in world.draining
        return services.DrainRequested(switch, drain=not drained) if switch and (drained or roll > 0.95) else None

    # -- the end --------------------------------------------------------------------------------------------------

    def _wind_up(self) -> None:
        """Again and again: what was being done as it was stopped may begin something more, and may not be possible yet."""
        world = self._world()
        wanted: list[facts.Fact] = [callback_requests.CallbacksHeld(held=False)]
        wanted += [services.DrainRequested(switch, drain=False) for switch in sorted(world.draining)]
        wanted += [services.SupervisionEndRequested(each.supervisor) for each in world.supervisions.values()]
        for call in list(world.interactions.values()):
            if call.callback is not None:
                wanted.append(callback_requests.CancelCallbackRequested(call.id))
            left_alone = call.agent is None and call.state is InteractionState.ESTABLISHED
            if not call.on_the_line or call.queue is None or call.place_kept or left_alone:
                wanted.append(facts.ClearRequested(call.id))
        wanted += [each for agent in world.agents.values() for each in _goes_home(agent)]
        for fact in wanted:
            self._tell(fact)
        self._scheduler.call_later(10.0, self._wind_up)


def _is_heard(call: Interaction) -> bool:
    return call.kind is InteractionKind.VOICEMAIL and call.state is InteractionState.ESTABLISHED


def _goes_home(agent: Agent) -> list[facts.Fact]:
    if agent.state is AgentState.BUSY:
        return [services.CompleteTaskRequested(agent.id), services.ClearConnectionRequested(agent.id)]
    return [facts.ReadyRequested(agent.id)] if agent.state is AgentState.NOT_READY else []

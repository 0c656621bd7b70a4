"""Anything may happen, in any order: whatever does, the engine keeps its invariants, and in the end nothing is left."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cti.engine.staff import Staff
from cti.engine.wishes import PERSONAL
from cti.errors import CtiError
from cti.model import events, facts, intents, services
from cti.model.agent import Agent
from cti.model.borrowing import Borrowing
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId
from cti.model.interaction import Interaction
from cti.model.overflow import Disconnect, ToDestination, ToQueue, ToScript, ToVoicemail
from cti.model.personal import Deputy, LastAgent, Personal
from cti.model.states import AgentState, InteractionState, ReservationState
from cti.model.widening import Widening
from cti.routing import RingAll, RingProgressively
from cti.routing.widening import first_step

from .model_switch import ModelSwitch
from .story import FS, Story
from .times import seconds_told

T = TypeVar("T")

CONTACTS = {"ann": "user/1", "bob": "user/2", "dan": "user/2", "eve": "user/3"}
LEVELS = {"ann": 0, "bob": 1, "dan": 2, "eve": 2}
SETTINGS: dict[str, dict[str, Any]] = {
    "vip": {"max_wait_s": 60.0, "overflow": Disconnect(), "after_call": ToScript("survey")},
    "loans": {
        "max_wait_s": 40.0,
        "overflow": ToDestination("voicemail"),
        "wrap_up_s": 5.0,
        "after_call": ToQueue(QueueId("vip")),
    },
    "sales": {"max_wait_s": 25.0, "overflow": ToQueue(QueueId("loans"))},
    "all": {
        "strategy": "ring-all",
        "max_wait_s": 30.0,
        "overflow": ToVoicemail("1000"),
        "overflow_unstaffed": True,
        "overflows": {"unstaffed": ToScript("closed")},
        "service_level_target": 0.8,
    },
    "steps": {
        "strategy": RingProgressively(every_s=4.0, most=3),
        "personal": LastAgent(wait_s=8.0, by_presence={"lunch": Deputy(AgentId("bob"))}),
        "widening": (Widening(10.0, also=("sales",)),),
        "overflow_unstaffed": True,
        "overflow": ToQueue(QueueId("sales")),
        "borrows": Borrowing(lenders=("vip",)),
    },
    "asked": {
        "route_script": "who",
        "route_deadline_s": 2.0,
        "max_waiting": 2,
        "overflow": ToScript("full"),
        "overflows": {"length": ToQueue(QueueId("all"))},
        "strategy": RingAll(most=2),
    },
}
"""Each queue, after those it may send its calls to."""
WISHES = (
    None,
    Personal(AgentId("ann"), 10.0),
    Personal(AgentId("bob"), 20.0, {"lunch": Deputy(AgentId("eve")), "logged off": ToDestination("mobile")}),
    Personal(AgentId("eve"), 30.0, {"not ready": ToScript("away"), "wrap-up": 1.0, "logged off": 15.0}),
    LastAgent(wait_s=10.0, by_presence={"logged off": ToQueue(QueueId("vip"))}),
)
ANSWERS: tuple[dict[str, Any], ...] = (
    {},
    {"priority": 1, "data": {"tier": "gold"}},
    {"preferred": (AgentId("eve"), AgentId("ann"))},
    {"to": ToQueue(QueueId("asked")), "personal": WISHES[1]},
    {"to": ToQueue(QueueId("steps")), "personal": WISHES[4]},
    {"personal": WISHES[2]},
    {"to": ToQueue(QueueId("all"))},
    {"to": ToDestination("ivr")},
    {"to": ToScript("survey")},
    {"to": Disconnect()},
    {"error": "it raised"},
    {"to": ToQueue(QueueId("nowhere"))},
    {"personal": Personal(AgentId("nobody"))},
)
CAUSES = (
    Cause.BUSY,
    Cause.CALL_NOT_ANSWERED,
    Cause.CALL_CANCELLED,
    Cause.DEST_NOT_OBTAINABLE,
    Cause.NETWORK_OUT_OF_ORDER,
    Cause.NORMAL_CLEARING,
)
LATE_S = 30.0
"""How late an event may come; the engine remembers for longer what has ended."""

which = st.integers(0, 7)
agents = st.sampled_from(sorted(CONTACTS))
queues = st.sampled_from(sorted(SETTINGS))
unless_the_link_is_down_for_long = precondition(lambda self: self.link == "live" or self.patience > 0)


class Centre(RuleBasedStateMachine):
    """A centre with one switch, queues of every kind, and four agents of whom two share a phone."""

    def __init__(self) -> None:
        super().__init__()
        self.getrandbits = random.Random(1).getrandbits
        self.link = "down"
        self.restarted = False
        self.troubles = self.patience = 0
        self.held: list[facts.Fact] = []
        self.history: list[tuple[facts.Fact, float]] = []
        self.switch = ModelSwitch(self.from_switch)
        self.s = Story(live=False, getrandbits=self.getrandbits, heard=self.hear)
        self.cleared: set[InteractionId] = set()
        self.talking: set[ConnectionId] = set()
        self.hung_up: set[ConnectionId] = set()
        """The legs that the switch has been asked to end; asked again, nobody is cut off any more."""
        self.requests: list[tuple[InteractionId, str]] = []
        self.adopted = False
        """Whether agents may be on calls that began before they were known."""

    # -- the shell around the engine ------------------------------------------------------------------------------

    def hear(self, wanted: list[intents.Intent]) -> None:
        """Carry out what the engine wants."""
        self.switch.ask(wanted)
        fact = self.s.told[-1][0]
        # Who stopped waiting for one agent only in the course of this fact may have been passed by before that.
        for_all = {i.key for i in wanted if isinstance(i, intents.CancelTimer) and i.kind == PERSONAL}
        assert not [i for i in wanted if isinstance(i, intents.Separate)], "nobody asked for it, and two are parted"
        for intent in wanted:
            if isinstance(intent, intents.OfferCall):
                self.nobody_is_overtaken(intent, for_all)
            elif isinstance(intent, intents.ClearConnection):
                self.nobody_who_talks_is_cut_off(intent, fact)
            elif isinstance(intent, intents.Notify):
                self.nothing_after_call_cleared(intent.event)
                if isinstance(intent.event, events.RouteRequested):
                    self.requests.append((intent.event.interaction, intent.event.cross_ref))
        world = self.s.world
        self.talking = {
            leg
            for agent in world.agents.values()
            if agent.state is AgentState.BUSY
            and (call := world.interactions[agent.interaction]).state is InteractionState.ESTABLISHED
            for leg in (agent.connection, call.caller)
        }

    def request(self, fact: facts.Fact) -> None:
        """A request may be refused, but only by an error of ours, and before anything is decided."""
        try:
            self.s.tell(fact)
        except CtiError:
            assert not self.s.world.intents

    def from_switch(self, fact: facts.Fact) -> None:
        """An event of the switch: held back until the snapshot, lost when the link is down."""
        if self.link == "snapshotting":
            self.held.append(fact)
        elif self.link == "live":
            self.history.append((fact, self.s.now))
            self.s.tell(fact)

    def pick(self, which: int, choices: Sequence[T]) -> T | None:
        return choices[which % len(choices)] if choices else None

    def define(self) -> None:
        for name in SETTINGS:
            self.define_queue(name, 0, 0)
        for name in CONTACTS:
            self.define_agent(name, LEVELS[name], 1)

    def define_queue(self, name: str, level: int, priority: int) -> None:
        self.s.queue(
            name,
            requires={"skill": level} if level else {},
            priority=priority,
            **SETTINGS[name],
        )

    def define_agent(self, name: str, level: int, allowed: int) -> None:
        self.s.agent(
            name,
            contact=CONTACTS[name],
            skills={"skill": level},
            no_answers_allowed=allowed,
            reject_delay_s=0.0 if name == "ann" else 5.0,
            logged_on=False,
        )

    # -- callers and scripts --------------------------------------------------------------------------------------

    @initialize(
        troubles=st.integers(0, 3),
        talking=st.integers(0, 2),
        waiting=st.integers(0, 3),
        queue=st.sampled_from(["sales", "all", "steps"]),
    )
    def opens(self, troubles: int, talking: int, waiting: int, queue: str) -> None:
        self.troubles = troubles
        self.define()
        self.link_returns()
        self.snapshot_is_taken()
        for name in ("ann", "bob", "eve")[: 3 if waiting < 3 else talking]:
            self.request(facts.LogOnRequested(AgentId(name), ready=True))
        for _ in range(talking):
            self.call_comes_in(queue, 0, None)
            self.agent_takes_the_call(0)
        for _ in range(waiting):
            self.call_comes_in(queue, 0, None)

    @unless_the_link_is_down_for_long
    @rule(queue=st.sampled_from([*SETTINGS, ""]), priority=st.integers(0, 1), wish=st.sampled_from(WISHES))
    def call_comes_in(self, queue: str, priority: int, wish: Personal | LastAgent | None) -> None:
        self.switch.call_comes_in()
        caller = self.s.world.connections.get(self.switch.callers_there()[-1])
        if caller is not None and queue:
            self.request(facts.QueueRequested(caller.interaction, QueueId(queue), priority, personal=wish))

    @precondition(lambda self: self.s.world.interactions)
    @unless_the_link_is_down_for_long
    @rule(
        which=which,
        wants=st.sampled_from(["queue", "queue", "divert", "send", "clear"]),
        queue=queues,
        wish=st.sampled_from(WISHES),
    )
    def script_wants(self, which: int, wants: str, queue: str, wish: Personal | LastAgent | None) -> None:
        call = self.pick(which, list(self.s.world.interactions))
        match wants:
            case "queue":
                preferred = (AgentId("eve"), AgentId("bob")) if which > 3 else ()
                self.request(facts.QueueRequested(call, QueueId(queue), which % 2, {}, wish, preferred))
            case "send":
                self.request(facts.DivertRequested(call, ToQueue(QueueId(queue))))
            case "divert":
                self.request(facts.DivertRequested(call, "ivr"))
            case "clear":
                self.request(facts.ClearRequested(call))

    @precondition(lambda self: self.requests)
    @rule(which=st.integers(0, 3), answer=st.sampled_from(ANSWERS))
    def route_script_answers(self, which: int, answer: dict[str, Any]) -> None:
        """In time, late or for the second time; what it says may be nonsense. It is never refused."""
        call, cross_ref = self.requests[-1 - which % len(self.requests)]
        asked = [each.route_request for each in self.s.world.interactions.values()]
        self.s.tell(facts.RouteSelected(call, cross_ref, **answer))
        assert cross_ref in asked or not self.s.last

    @precondition(lambda self: self.switch.callers_there())
    @unless_the_link_is_down_for_long
    @rule(which=which)
    def caller_hangs_up(self, which: int) -> None:
        self.switch.clear(self.pick(which, self.switch.callers_there()))

    # -- agents ---------------------------------------------------------------------------------------------------

    @unless_the_link_is_down_for_long
    @rule(
        agent=agents,
        wants=st.sampled_from(["to log on", "to log on", "calls", "calls", "no calls", "to hang up", "to log off"]),
    )
    def agent_wants(self, agent: str, wants: str) -> None:
        match wants:
            case "to log on":
                self.request(facts.LogOnRequested(AgentId(agent), ready=True))
            case "calls":
                self.request(facts.ReadyRequested(AgentId(agent)))
            case "no calls":
                self.request(facts.NotReadyRequested(AgentId(agent), "lunch"))
            case "to hang up":
                self.request(services.ClearConnectionRequested(AgentId(agent)))
            case "to log off":
                self.request(facts.LogOffRequested(AgentId(agent)))

    @unless_the_link_is_down_for_long
    @rule(
        agent=agents,
        queue=queues,
        level=st.integers(0, 2),
        number=st.integers(0, 1),
        change=st.sampled_from(["agent", "queue", "removed"]),
    )
    def settings_change(self, agent: str, queue: str, level: int, number: int, change: str) -> None:
        match change:
            case "agent":
                self.define_agent(agent, level, number + 1)
            case "queue":
                self.define_queue(queue, level, number)
            case "removed":
                self.request(facts.AgentRemoved(AgentId(agent)))

    @precondition(lambda self: self.switch.not_answered() or self.switch.to_bridge)
    @rule(which=which)
    def agent_takes_the_call(self, which: int) -> None:
        """Without anything in between."""
        if self.switch.not_answered():
            self.leg_comes_about(which, "answered")
        while self.switch.to_bridge:
            self.switch.bridge(refuse=False)

    @precondition(lambda self: self.switch.legs(established=True))
    @rule(which=which)
    def agent_hangs_up(self, which: int) -> None:
        self.switch.clear(self.pick(which, self.switch.legs(established=True)))

    # -- the switch at work ---------------------------------------------------------------------------------------

    @precondition(lambda self: self.switch.not_answered())
    @rule(which=which, how_far=st.sampled_from(["originated", "alerting", "answered"]))
    def leg_comes_about(self, which: int, how_far: str) -> None:
        leg = self.pick(which, self.switch.not_answered())
        if leg in self.switch.asked:
            self.switch.originate(leg)
        if how_far == "alerting":
            self.switch.alert(leg)
        elif how_far == "answered":
            self.switch.answer(leg)

    @precondition(lambda self: self.switch.not_answered())
    @rule(which=which, cause=st.sampled_from(CAUSES))
    def leg_fails(self, which: int, cause: Cause) -> None:
        self.switch.fail(self.pick(which, self.switch.not_answered()), cause)

    @precondition(lambda self: self.switch.to_bridge)
    @rule(refuse=st.booleans())
    def bridges(self, refuse: bool) -> None:
        self.switch.bridge(refuse=refuse)

    @precondition(lambda self: self.switch.to_clear or self.switch.to_answer or self.switch.to_check)
    @rule(which=which)
    def carries_out(self, which: int) -> None:
        switch = self.switch
        if (leg := self.pick(which, list(switch.to_clear))) is not None:
            switch.clear(leg)
        elif (leg := self.pick(which, list(switch.to_answer))) is not None:
            switch.answer(leg)
        else:
            switch.check(self.pick(which, list(switch.to_check)))

    # -- events twice, late and out of order ----------------------------------------------------------------------

    @precondition(lambda self: self.history)
    @rule(which=st.integers(0, 30))
    def event_comes_twice(self, which: int) -> None:
        fact, at = self.history[-1 - which % len(self.history)]
        came_back = isinstance(fact, facts.Offered) and fact.connection not in self.switch.channels
        if at >= self.s.now - LATE_S and not (came_back and not self.s.world.has_ended(fact.connection)):
            self.s.tell(fact)

    @precondition(lambda self: self.link == "live" and self.switch.offers)
    @rule(
        which=which,
        kind=st.sampled_from([facts.Originated, facts.Delivered, facts.Established, facts.Held, facts.Retrieved]),
    )
    def event_of_a_leg_comes_early_or_late(self, which: int, kind: type) -> None:
        legs = list(self.switch.offers)
        leg = legs[-1 - which % len(legs)]
        if leg in self.switch.asked:
            self.switch.originate(leg)
        if kind in (facts.Originated, facts.Established):
            self.s.tell(kind(FS, leg, self.switch.offers[leg].reservation))
        else:
            self.s.tell(kind(FS, leg))

    # -- trouble --------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.link == "live" and self.troubles > 0)
    @rule(what=st.sampled_from(["nothing", "the link", "the switch", "our process"]))
    def breaks_down(self, what: str) -> None:
        self.troubles -= 1
        self.patience = 4
        self.adopted = self.adopted or what == "our process"
        if what == "nothing":
            self.snapshot_is_taken()
            return
        self.link_drops()
        if what == "the switch":
            self.switch.restart()
            self.restarted = True
        elif what == "our process":  # it starts again, and all it knows is what the switch shows
            self.restarted = False
            self.s = Story(live=False, now=self.s.now, getrandbits=self.getrandbits, heard=self.hear)
            self.cleared.clear()
            self.define()

    @precondition(lambda self: self.link == "down")
    @rule()
    def link_returns(self) -> None:
        self.s.tell(facts.LinkConnecting(FS))
        self.switch.reachable = True
        self.link = "snapshotting"
        self.s.tell(facts.LinkAuthenticated(FS))

    @precondition(lambda self: self.link == "snapshotting")
    @rule()
    def snapshot_is_taken(self) -> None:
        self.link = "live"
        shown, self.restarted = self.switch.snapshot(restarted=self.restarted), False
        self.s.tell(shown)
        held, self.held = self.held, []
        for fact in held:
            self.s.tell(fact)

    def link_drops(self) -> None:
        self.link = "down"
        self.switch.reachable = False
        self.held.clear()
        self.history.clear()
        self.switch.to_check.clear()  # their answers are lost with the link
        self.s.tell(facts.LinkLost(FS))

    @rule(seconds=st.sampled_from([0.5, 5.0, 11.0, 21.0]))
    def time_passes(self, seconds: float) -> None:
        self.s.advance(seconds)

    # -- what must hold -------------------------------------------------------------------------------------------

    def nothing_after_call_cleared(self, event: events.Event) -> None:
        if isinstance(event, events.CallEvent):
            assert event.interaction not in self.cleared, event
            if isinstance(event, events.CallCleared):
                self.cleared.add(event.interaction)

    def nobody_is_overtaken(self, offer: intents.OfferCall, but: set[str]) -> None:
        world = self.s.world
        call, agent = world.interactions.get(offer.interaction), world.agents.get(offer.agent)
        if call is None or agent is None or offer.reservation not in call.reservations:
            return  # over already
        for other in self.waiting():
            if other.id != call.id and other.id not in but and other.age_key < call.age_key:
                assert not self.could_take(agent, other), f"{call.id} overtakes {other.id}"

    def could_take(self, agent: Agent, call: Interaction) -> bool:
        """Whether an agent may be offered a call now, but for what they are doing."""
        if call.wanted is not None:
            return call.wanted == agent.id
        queues = self.s.world.queues
        step = first_step(queues[call.queue].settings, agent.skills, lambda name: queues[name].settings)
        return step is not None and step <= call.widened

    def nobody_who_talks_is_cut_off(self, clear: intents.ClearConnection, fact: facts.Fact) -> None:
        again = clear.connection in self.hung_up
        self.hung_up.add(clear.connection)
        if clear.connection in self.talking and not again:
            ended = isinstance(fact, facts.ConnectionCleared | facts.Failed) and fact.connection in self.talking
            asked = isinstance(fact, facts.ClearRequested | services.ClearConnectionRequested)
            assert ended or asked or isinstance(fact, facts.SnapshotTaken | facts.TimerFired), fact

    def waiting(self) -> list[Interaction]:
        """Calls that nobody is being offered, and may be."""
        return [
            call
            for call in self.s.world.interactions.values()
            if call.state is InteractionState.QUEUED and self.s.world.is_live(call.switch) and not call.route_request
        ]

    def may_ring_more(self, call: Interaction) -> bool:
        """Whether a call that rings may ring at one more agent's phone."""
        world = self.s.world
        made = [world.reservations[each] for each in call.reservations]
        settled = call.overflow_due or call.wanted is not None or not world.is_live(call.switch)
        if settled or any(each.state is ReservationState.ACCEPTED for each in made):
            return False
        ringing = world.router.ringing(call.queue)
        return len(made) < ringing.allowed(world.now - call.ringing_since)

    @invariant()
    def all_is_well(self) -> None:
        """Beyond the engine's own invariants, which the story checks after every fact."""
        world = self.s.world
        waiting = self.waiting()
        ringing = [call for call in world.interactions.values() if call.reservations]
        assert set(world.router._waiting) == {c.id for c in waiting} | {c.id for c in ringing if self.may_ring_more(c)}
        assert set(world.router._ready) == {a.id for a in world.agents.values() if a.state is AgentState.READY}
        for call in ringing:
            assert len(call.reservations) <= world.router.ringing(call.queue).most
            if call.wanted is not None:
                assert [world.reservations[each].agent for each in call.reservations] == [call.wanted]
        for call in world.interactions.values():
            assert not (call.route_request and call.reservations), "it is being offered before the script's answer"
        for agent in world.agents.values():
            held = [made for made in world.reservations.values() if made.agent == agent.id]
            assert [made.id for made in held] == ([agent.reservation] if agent.reservation else [])
        fresh = Staff(world)
        fresh.rebuild()
        for name, queue in world.queues.items():
            assert fresh.count(name) == world.staff.count(name)
            if queue.settings.overflow_unstaffed and not fresh.count(name):
                left = [call.id for call in waiting if call.queue == name and call.wanted is None]
                assert not left, "a call waits in a queue that nobody is logged on for"
        for timer in self.s.timers:
            assert self.means_something(timer), timer
        for call in (*waiting, *filter(self.may_ring_more, ringing)):
            assert world.router.agent_for(call) is None, "a call waits for an agent who is ready"
        if self.link == "live":
            unknown = set(self.switch.channels) - set(world.connections) - set(self.switch.to_clear)
            assert not unknown, "a leg lives, and neither is it known nor is it being cleared"
        else:
            self.patience -= 1

    def means_something(self, timer: facts.TimerFired) -> bool:
        """Whether what the timer is about is still there."""
        world = self.s.world
        match timer.kind:
            case "lease" | "held":
                return timer.key in world.reservations
            case "leaving":
                return timer.key in world.interactions and world.interactions[timer.key].handed_to is not None
            case "pair":
                call = world.interactions.get(timer.key)
                return call is not None and (call.pairing or call.wanted_pair or call.onward is not None)
            case "check" | "look" | "answer":
                return timer.key in world.connections
            case "wait" | "late" | "widen" | "ring":
                return timer.key in world.interactions and world.interactions[timer.key].state.is_waiting
            case "personal":
                return world.interactions[timer.key].wanted is not None
            case "route":
                return bool(world.interactions[timer.key].route_request)
            case "wrap-up":
                return world.agents[timer.key].state is AgentState.WORKING_AFTER_CALL
            case "pause":
                return world.agents[timer.key].state is AgentState.NOT_READY
        return False

    def teardown(self) -> None:
        """Every clearing is answered and all callers hang up; then nothing is left."""
        if self.link == "down":
            self.link_returns()
        if self.link == "snapshotting":
            self.snapshot_is_taken()
        for _ in range(3):
            for caller in self.switch.callers_there():
                self.switch.clear(caller)
            for leg in list(self.switch.asked):
                self.switch.originate(leg)
            for leg in list(self.switch.to_clear):
                self.switch.clear(leg)
            self.switch.to_bridge.clear()
            self.time_passes(21.0)
            for connection in list(self.switch.to_check):
                self.switch.check(connection)
        world = self.s.world
        assert not world.interactions
        assert not world.connections
        assert not world.reservations
        assert not world.adopted
        assert not self.switch.channels
        assert not self.s.timers, self.s.timers
        resting = {AgentState.NULL, AgentState.NOT_READY, AgentState.READY}
        assert {agent.state for agent in world.agents.values()} <= resting
        for queue in world.queues.values():
            assert queue.figures.adds_up
            assert queue.figures.waiting == 0
        begun = Counter(
            e.interaction
            for e in self.s.events(events.CallEvent)
            if isinstance(e, events.Offered) or (isinstance(e, events.Established) and e.cause is not Cause.DISTRIBUTED)
        )
        assert Counter(e.interaction for e in self.s.events(events.CallCleared)) == begun
        assert not world.histories
        assert not world.wrapping
        told = self.s.events(events.InteractionEnded)
        assert Counter(e.interaction for e in told) == begun
        if not self.adopted:
            self.times_add_up(told)

    def times_add_up(self, told: list[events.InteractionEnded]) -> None:
        """By the histories an agent was handling calls for as long as they were busy or worked after one; and so it is in
        the queues' figures."""
        handled = seconds_told(told)
        for agent in CONTACTS:
            assert handled[agent] == pytest.approx(self.s.sessions.seconds[AgentId(agent)], abs=1e-3), agent
        by_queue: dict[str | None, float] = Counter()
        for event in told:
            for segment in event.history.segments:
                if segment.agent is not None and segment.kind != "ringing":
                    by_queue[segment.queue] += segment.length_s
        for name, queue in self.s.world.queues.items():
            assert by_queue[name] == pytest.approx(queue.figures.handle_s, abs=1e-3), name


TestCentre = Centre.TestCase
TestCentre.settings = settings(
    max_examples=int(os.environ.get("CTI_EXAMPLES", "60")),
    stateful_step_count=int(os.environ.get("CTI_STEPS", "40")),
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

"""The moments that call distributors get wrong, one test or more for each; each docstring quotes the moment.

Which tests cover which moment, by its number; where no file is named it is this one, ``test_race_NN_...``:

1. The caller hangs up while the agent rings: 01; while five ring: test_ringing.
2. ... and before the agent's channel exists: 02.
3. Our cancel crosses the agent's answer: 03.
4. The agent rejects, or hangs up before the bridge: 04; one of several does: test_ringing.
5. Two agents answer: 05, and test_ringing (the loser, the winner's failed bridge, a snapshot that shows two answers).
6. Two routers claim one agent: 06. One engine owns an agent, so that it is two calls, two switches or two queues that
   claim one.
7. Not ready or log-off during the offer: 07; for one of several phones: test_ringing; of the agent a call waits for:
   test_personal.
8. Log-off while talking, and in wrap-up: 08; of the last agent of a queue: test_overflow.
9. No answer, and what does not count as one: 09; where all ring: test_ringing.
10. Transfers of a call that is with an agent: test_talk, test_race_10 there; live: test_races, test_call_control; that the
    recording goes on: test_recordings.
11. Transfer to a queue: 11, of a call without an agent; test_race_11 in test_talk, of one that is with one; live: test_races.
12. Timers that fire late: 12; those of what is new: test_race_12_every_timer...
13. The maximum wait ends as the agent answers: 13; while all ring: test_ringing; while a script is asked:
    test_route_requests.
14. An announcement is playing when the agent answers: to the engine it is music; live: test_waiting
    (test_announcements_do_not_delay_an_answer, test_an_agent_hears_the_whisper...).
15. A hang-up event never comes: 15; both of a call: test_talk; live, with FreeSWITCH told not to send any: test_races.
16. FreeSWITCH restarts, the event socket drops, our process is killed: 16; with several phones ringing: test_ringing;
    with a script being asked: test_route_requests; with a call that waits for one agent: test_personal; with a call that an
    agent has made: test_made_calls; live: test_line, test_recovery, test_lost_switch.
17. Events twice, late, out of order: 17, and test_machine.
18. A reply that belongs to another command: the wire's (tests/switch). What the engine can show of it, an answer of a
    route script that belongs to another request: 18, and test_route_requests.
19. A queue, skill or agent is changed or removed mid-call: 19, test_overflow, test_ringing, test_personal.
20. The clock jumps: 20.
21. One agent twice, one phone twice: 21.
22. The supervisor's target is transferred: test_race_22 in test_supervision; live: test_races.
23. A predictive call is answered and no agent is there: test_predictive; live: test_predictive.
24. A call-back party answers and no agent is free: test_callbacks and the files beside it.
25. The event socket's queue overflows: to the engine it is a snapshot (16); how late events are: tests/switch/test_pulse; live,
    with more events than FreeSWITCH keeps: test_races.
26. A handler of the host application raises: tests/center; a route script that fails or never answers:
    test_route_requests.
"""

from __future__ import annotations

import pytest

from cti.engine.offers import BRIDGE_LEASE_S
from cti.errors import InvalidAgentState, ResourceBusy
from cti.model import events, facts, intents, reason
from cti.model.cause import Cause
from cti.model.connection import Side
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, ReservationId
from cti.model.overflow import ToDestination, ToQueue
from cti.model.personal import Personal
from cti.model.states import AgentState, InteractionState, LinkState
from cti.model.widening import Widening

from .story import FS, Story


@pytest.fixture
def s() -> Story:
    """A queue and one ready agent."""
    story = Story()
    story.queue("sales")
    story.agent("ann")
    return story


# -- 1 to 4: cancel, answer and reject cross each other ---------------------------------------------------------------


def test_race_01_caller_hangs_up_while_the_agent_rings(s):
    """The caller hangs up while the agent rings: rescind, clear the leg by its known uuid."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.delivered(leg)
    s.hang_up(call)
    assert s.clears() == [leg]
    assert s.state("ann") is AgentState.READY
    assert [e.outcome for e in s.events(events.OfferEnded)] == ["cancelled"]
    assert len(s.events(events.Abandoned)) == 1
    assert s.events(events.CallCleared) == []  # the leg is still there
    s.cleared(leg, Cause.CALL_CANCELLED)
    assert [e.state for e in s.events(events.CallCleared)] == ["abandoned"]
    assert not s.world.interactions
    assert not s.world.connections
    assert not s.timers


def test_race_02_caller_gone_before_the_agents_channel_exists(s):
    """... and before the agent's channel exists: remember the cancel, clear at channel creation, refuse at answer."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.hang_up(call)
    assert s.clears() == [leg]  # the switch does not know it yet, and forgets that we asked
    s.originated(leg)
    assert s.clears() == [leg]
    s.delivered(leg)
    assert s.events(events.Delivered) == []
    s.established(leg)
    assert s.clears() == [leg]
    assert s.wanted(intents.Bridge) == []
    assert s.state("ann") is AgentState.READY
    s.cleared(leg)
    assert not s.world.interactions


def test_race_02_the_leg_comes_to_be_after_we_gave_it_up(s):
    """... clear at channel creation: also when the leg had been reported as not there, and then comes after all."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.hang_up(call)
    s.cleared(leg)  # "no such channel"
    assert not s.world.interactions
    s.originated(leg)
    assert s.clears() == [leg]
    s.established(leg)
    assert s.clears() == [leg]
    assert s.state("ann") is AgentState.READY


def test_race_03_our_cancel_crosses_the_answer(s):
    """Our cancel crosses the agent's answer: hang up at once; neither handled nor counted as no answer."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.delivered(leg)
    s.hang_up(call)
    s.established(leg)
    assert s.clears() == [leg]
    assert s.wanted(intents.Bridge) == []
    s.cleared(leg)
    ann = s.world.agents[AgentId("ann")]
    assert (ann.state, ann.no_answers, ann.calls_answered) == (AgentState.READY, 0, 0)
    assert (s.figures("sales").answered, s.figures("sales").abandoned) == (0, 1)


def test_race_03_the_lease_ends_as_the_agent_answers(s):
    """Our cancel crosses the agent's answer: the same when it was the ringing time that had run out."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.delivered(leg)
    s.advance(20)
    assert leg in [i.connection for i in s.intents if isinstance(i, intents.ClearConnection)]
    s.established(leg)
    assert s.clears() == [leg]
    s.bridged(call, leg)
    assert s.interaction(call).state is InteractionState.QUEUED
    assert s.why("ann") == reason.RNA


def test_race_04_agent_rejects_while_ringing(s):
    """The agent rejects while ringing: caller back in place."""
    first, second = s.waiting("sales"), s.waiting("sales")
    leg = s.offered_leg("ann")
    s.delivered(leg)
    s.failed(leg, Cause.CALL_CANCELLED)
    assert s.state("ann") is AgentState.NOT_READY
    assert s.why("ann") == reason.REJECTED
    assert s.waits("sales") == [first, second]
    back = s.events(events.Queued, last=True)
    assert [(e.interaction, e.position, e.cause) for e in back] == [(first, 1, Cause.REMAINS_IN_QUEUE)]
    s.advance(5)
    assert s.reservation("ann").interaction == first


def test_race_04_agent_answers_and_hangs_up_before_the_bridge(s):
    """... or answers and hangs up before the bridge: caller back in place."""
    first, second = s.waiting("sales"), s.waiting("sales")
    leg = s.offered_leg("ann")
    s.established(leg)
    assert s.wanted(intents.Bridge) == [intents.Bridge(FS, s.caller_of(first), leg)]
    s.cleared(leg, Cause.NORMAL_CLEARING)
    assert s.why("ann") == reason.REJECTED
    assert s.waits("sales") == [first, second]
    s.bridge_failed(first, leg)  # the switch's own answer comes late, and changes nothing
    assert s.waits("sales") == [first, second]
    assert [e.outcome for e in s.events(events.OfferEnded)] == ["rejected"]


@pytest.mark.parametrize(("who", "outcome"), [("caller", "cancelled"), ("agent", "rejected")])
def test_race_04_the_bridge_fails_since_one_of_them_is_gone(s, who, outcome):
    """... or answers and hangs up before the bridge: whose fault it was is what the legs themselves say."""
    call = s.waiting("sales")
    caller, leg = s.caller_of(call), s.offered_leg("ann")
    s.established(leg)
    s.bridge_failed(call, leg)
    assert s.wanted(intents.CheckConnection) == []  # the word of its end is on its way
    s.advance(1.5)
    assert {i.connection for i in s.wanted(intents.CheckConnection)} == {caller, leg}
    assert s.reservation("ann").interaction == call
    s.cleared(caller if who == "caller" else leg)
    assert [e.outcome for e in s.events(events.OfferEnded)] == [outcome]
    assert s.figures("sales").abandoned == (who == "caller")
    assert s.state("ann") is (AgentState.READY if who == "caller" else AgentState.NOT_READY)


# -- 5, 7 to 9: what an agent may do during an offer ------------------------------------------------------------------


def test_race_05_late_answer_of_a_dead_reservation(s):
    """Two agents answer: the first wins, the rest are rescinded, nobody stays reserved. (Here: one after the other.)"""
    s.agent("bob", ready=False)
    call = s.waiting("sales")
    anns = s.offered_leg("ann")
    s.delivered(anns)
    s.advance(20)  # ann does not answer
    s.ready("bob")
    bobs = s.offered_leg("bob")
    s.delivered(bobs)
    s.established(anns)  # she does after all
    assert s.clears() == [anns]
    assert s.state("ann") is AgentState.NOT_READY
    s.established(bobs)
    s.bridged(call, bobs)
    s.established(anns)
    s.bridged(call, anns)
    assert s.interaction(call).agent == "bob"
    assert s.state("ann") is AgentState.NOT_READY
    assert s.figures("sales").answered == 1


def test_race_05_the_end_of_a_dead_leg_does_not_end_the_call(s):
    """The first wins: an older leg of the same agent that ends late ends nothing but itself."""
    call = s.waiting("sales")
    old = s.offered_leg("ann")
    s.established(old)
    s.advance(BRIDGE_LEASE_S)
    new = s.offered_leg("ann")
    assert new != old
    s.take("ann")
    s.cleared(old)
    assert s.interaction(call).state is InteractionState.ESTABLISHED
    assert s.state("ann") is AgentState.BUSY
    assert s.clears() == []


def test_race_05_two_agents_answer_in_the_same_instant():
    """Two agents answer (ring-all): the first wins, the rest are rescinded, nobody stays reserved."""
    s = Story()
    s.queue("sales", strategy="ring-all")
    for name in ("ann", "bob", "eve"):
        s.agent(name)
    call = s.waiting("sales")
    legs = {name: s.offered_leg(name) for name in ("ann", "bob", "eve")}
    for leg in legs.values():
        s.delivered(leg)
    s.established(legs["bob"])
    cleared = {i.connection: i.cause for i in s.wanted(intents.ClearConnection)}
    s.established(legs["ann"])
    assert [i for i in s.intents if isinstance(i, intents.Bridge)] == [
        intents.Bridge(FS, s.caller_of(call), legs["bob"])
    ]
    assert cleared == {legs["ann"]: Cause.MULTIPLE_ALERTING, legs["eve"]: Cause.MULTIPLE_ALERTING}
    s.bridged(call, legs["bob"])
    s.cleared(legs["ann"])
    s.cleared(legs["eve"], Cause.CALL_NOT_ANSWERED)
    for name in ("ann", "eve"):
        agent = s.world.agents[AgentId(name)]
        assert (agent.state, agent.no_answers, agent.calls_answered, agent.reservation) == (
            AgentState.READY,
            0,
            0,
            None,
        )
    assert s.interaction(call).state is InteractionState.ESTABLISHED
    assert s.figures("sales").answered == 1
    assert [e.outcome for e in s.events(events.OfferEnded)] == ["rescinded", "rescinded"]
    assert {s.world.reservations[r].id for r in s.world.reservations} == set()


def test_race_06_two_calls_claim_one_agent(s):
    """Two routers claim one agent: the loser re-routes at once. (Calls of two switches and two queues, one agent.)"""
    other = facts.SwitchId("fs2")
    s.link_up(switch=other)
    s.queue("loans")
    s.not_ready("ann")
    here = s.waiting("sales")
    there = s.call(switch=other)
    s.enqueue(there, "loans")
    s.agent("bob", ready=False)
    s.ready("ann")
    assert s.offers() == [("ann", here)]
    s.ready("bob")
    assert s.offers() == [("ann", here), ("bob", there)]
    assert len({made.agent for made in s.world.reservations.values()}) == 2


@pytest.mark.parametrize("ringing", [False, True])
@pytest.mark.parametrize(
    ("ask", "state"),
    [(Story.not_ready, AgentState.NOT_READY), (Story.log_off, AgentState.NULL)],
    ids=["not ready", "log off"],
)
def test_race_07_agent_asks_for_something_else_during_the_offer(s, ask, state, ringing):
    """The agent asks for not-ready or log-off during the offer: cancelled once, never a loop."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    if ringing:
        s.delivered(leg)
    ask(s, "ann")
    assert s.clears() == [leg]
    assert s.state("ann") is state
    assert s.waits("sales") == [call]
    s.cleared(leg, Cause.CALL_CANCELLED)
    s.advance(3600)
    assert [e.outcome for e in s.events(events.OfferEnded)] == ["cancelled"]
    assert s.state("ann") is state
    assert len(s.offers()) == 1
    assert s.world.agents[AgentId("ann")].no_answers == 0


def test_race_07_removed_during_the_offer(s):
    """The agent asks for log-off during the offer: the same when somebody removes the agent."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.delivered(leg)
    s.tell(facts.AgentRemoved(AgentId("ann")))
    assert s.clears() == [leg]
    assert s.waits("sales") == [call]
    s.established(leg)
    assert s.clears() == [leg]
    s.cleared(leg)
    s.agent("ann")
    assert s.offered_leg("ann") != leg


def test_race_08_log_off_while_talking_becomes_pending():
    """Log-off while talking becomes pending; in wrap-up it is immediate and emits both ends."""
    s = Story()
    s.queue("sales", wrap_up_s=30)
    s.agent("ann")
    call = s.talking("ann", "sales")
    s.log_off("ann", "home")
    assert s.state("ann") is AgentState.BUSY
    assert [e.pending for e in s.events(events.AgentPending)] == ["null"]
    s.hang_up(call)
    s.cleared(s.world.agents[AgentId("ann")].connection)
    assert s.state("ann") is AgentState.WORKING_AFTER_CALL
    s.advance(29)
    assert s.state("ann") is AgentState.WORKING_AFTER_CALL
    s.advance(1)
    assert s.state("ann") is AgentState.NULL
    assert [e.reason for e in s.events(events.AgentLoggedOff)] == ["home"]


def test_race_08_log_off_in_wrap_up_is_immediate():
    """Log-off while talking becomes pending; in wrap-up it is immediate and emits both ends."""
    s = Story()
    s.queue("sales", wrap_up_s=30)
    s.agent("ann")
    s.talking("ann", "sales")
    s.cleared(s.world.agents[AgentId("ann")].connection)
    s.log_off("ann", "home")
    assert [type(e).__name__ for e in s.events(events.AgentEvent, last=True)] == ["AgentNotReady", "AgentLoggedOff"]
    assert s.state("ann") is AgentState.NULL
    s.log_on("ann", ready=True)
    s.advance(3600)  # the wrap-up timer of the session before means nothing to this one
    assert s.state("ann") is AgentState.READY


def test_race_09_no_answer_makes_not_ready_after_n_in_a_row():
    """No answer → automatic not-ready after n in a row."""
    s = Story()
    s.queue("sales", ring_timeout_s=20)
    s.agent("ann", no_answers_allowed=3, no_answer_delay_s=2)
    call = s.waiting("sales")
    for _ in range(2):
        s.delivered(s.offered_leg("ann"))
        s.advance(20)
        assert (s.state("ann"), s.why("ann")) == (AgentState.NOT_READY, reason.RNA)
        s.advance(2)  # a pause only
        assert s.state("ann") is AgentState.RESERVED
    s.delivered(s.offered_leg("ann"))
    s.advance(20)
    s.advance(3600)
    assert (s.state("ann"), s.why("ann")) == (AgentState.NOT_READY, reason.RNA)
    assert s.waits("sales") == [call]
    assert [e.outcome for e in s.events(events.OfferEnded)] == ["timed out"] * 3


def test_race_09_an_answer_in_between_starts_the_count_again():
    """... after n in a row."""
    s = Story()
    s.queue("sales")
    ann = s.agent("ann", no_answers_allowed=2, no_answer_delay_s=0)
    call = s.waiting("sales")
    s.advance(20)
    assert ann.no_answers == 1
    s.take("ann")
    s.hang_up(call)
    s.cleared(ann.connection)
    s.waiting("sales")
    s.advance(20)
    assert ann.no_answers == 1
    assert s.state("ann") is AgentState.RESERVED


@pytest.mark.parametrize(
    ("cause", "why"),
    [
        (Cause.DEST_NOT_OBTAINABLE, reason.PHONE_DOWN),
        (Cause.NETWORK_OUT_OF_ORDER, reason.CONN_DOWN),
        (Cause.DEST_OUT_OF_ORDER, reason.CONN_DOWN),
        (Cause.BUSY, reason.BUSY),
    ],
)
def test_race_09_not_counted_when_the_phone_is_at_fault(s, cause, why):
    """Not counted: caller gone first, phone unregistered, network failure."""
    s.waiting("sales")
    s.failed(s.offered_leg("ann"), cause)
    assert (s.state("ann"), s.why("ann")) == (AgentState.NOT_READY, why)
    assert s.world.agents[AgentId("ann")].no_answers == 0
    s.advance(15)
    assert s.state("ann") is AgentState.RESERVED


def test_race_09_not_counted_when_the_caller_went_first(s):
    """Not counted: caller gone first, phone unregistered, network failure."""
    for _ in range(5):
        call = s.waiting("sales")
        leg = s.offered_leg("ann")
        s.delivered(leg)
        s.advance(10)
        s.hang_up(call)
        s.cleared(leg, Cause.CALL_NOT_ANSWERED)
    assert (s.state("ann"), s.world.agents[AgentId("ann")].no_answers) == (AgentState.READY, 0)


def test_race_09_not_counted_when_we_could_not_see_the_phone(s):
    """Not counted: ... network failure. The link to the switch was down while the ringing time ran out."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.delivered(leg)
    s.link_lost()
    s.advance(60)
    assert s.world.agents[AgentId("ann")].no_answers == 0
    assert s.state("ann") is AgentState.READY
    s.link_up(s.seen(s.caller_of(call)))
    assert s.reservation("ann").interaction == call


# -- 12, 13: timers ---------------------------------------------------------------------------------------------------


def test_race_12_wrap_up_timer_fires_after_the_agent_was_made_ready():
    """A wrap-up timer fires after the agent was already made ready: timers carry a generation number."""
    s = Story()
    s.queue("sales", wrap_up_s=30)
    ann = s.agent("ann")
    s.talking("ann", "sales")
    s.cleared(ann.connection)
    (first,) = [t for t in s.timers if t.kind == "wrap-up"]
    s.ready("ann")
    s.tell(first)
    assert s.last == []
    assert s.state("ann") is AgentState.READY
    s.talking("ann", "sales")
    s.cleared(ann.connection)
    s.tell(first)  # late again, in the wrap-up of another call
    assert s.last == []
    assert s.state("ann") is AgentState.WORKING_AFTER_CALL


def test_race_12_a_lease_timer_fires_after_the_answer(s):
    """... timers carry a generation number: the ringing time's cannot end the bridge's."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    (ringing,) = [t for t in s.timers if t.kind == "lease"]
    s.established(leg)
    s.tell(ringing)
    assert s.last == []
    s.bridged(call, leg)
    assert s.state("ann") is AgentState.BUSY


def test_race_11_a_call_that_is_sent_to_another_queue_keeps_its_data_and_its_place(s):
    """Transfer to a queue: data and place in history kept; the agent is free when Queued is confirmed."""
    s.queue("loans", requires="loans")
    old, young = s.waiting("sales"), s.waiting("loans")
    s.tell(facts.DataAttached(old, {"tier": "gold"}))
    s.delivered(s.offered_leg("ann"))
    s.advance(5)
    s.divert(old, ToQueue(QueueId("loans")))
    kinds = [type(e).__name__ for e in s.events(object, last=True)]
    assert kinds.index("Queued") < kinds.index("AgentReady")
    assert s.waits("loans") == [old, young]
    assert s.interaction(old).data == {"tier": "gold"}
    assert s.interaction(old).waited_s(s.now) == 5


def test_race_12_every_timer_of_a_call_is_worth_nothing_once_it_has_been_answered():
    """... timers carry a generation number: those of waiting, ringing, widening, scripts and wishes too."""
    s = Story()
    s.queue(
        "sales",
        strategy="ring-progressively",
        route_script="who",
        max_wait_s=60,
        personal=Personal(AgentId("eve"), by_presence={"logged off": 1}),
        service_level_target=0.8,
        widening=(Widening(30, requires="more"),),
    )
    s.agent("ann")
    s.agent("eve", logged_on=False)
    call = s.waiting("sales")
    late = {timer.kind: timer for timer in s.timers}
    s.advance(1)
    assert s.ringing(call) == ["ann"]
    late |= {timer.kind: timer for timer in s.timers}
    assert set(late) == {"route", "personal", "wait", "late", "widen", "ring", "lease"}
    s.take("ann")
    assert s.timers == []
    before = s.picture()
    for timer in late.values():
        s.tell(timer)
        assert s.last == []
    assert s.picture() == before


def test_race_12_a_pause_fires_after_the_agent_asked_for_not_ready(s):
    """A timer fires after the agent was already made something else."""
    s.waiting("sales")
    s.failed(s.offered_leg("ann"), Cause.BUSY)
    (pause,) = [t for t in s.timers if t.kind == "pause"]
    s.not_ready("ann", "lunch")
    s.tell(pause)
    assert (s.state("ann"), s.why("ann")) == (AgentState.NOT_READY, "lunch")


def test_race_13_the_agent_answers_first():
    """The maximum wait expires as the agent answers: exactly one wins."""
    s = Story()
    s.queue("sales", max_wait_s=10, overflow=ToDestination("voicemail"))
    s.agent("ann")
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.delivered(leg)
    s.advance(10)  # the offer is let finish
    s.established(leg)
    s.bridged(call, leg)
    s.advance(60)
    assert s.interaction(call).state is InteractionState.ESTABLISHED
    figures = s.figures("sales")
    assert (figures.answered, figures.overflowed) == (1, 0)
    assert s.events(events.Diverted) == []


@pytest.mark.parametrize("ending", ["rejects", "does not answer", "logs off", "bridge fails", "hangs up"])
def test_race_13_the_offer_comes_to_nothing(ending):
    """The maximum wait expires as the agent answers: exactly one wins."""
    s = Story()
    s.queue("sales", max_wait_s=10, overflow=ToDestination("voicemail"))
    s.agent("ann")
    s.agent("bob", ready=False)
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.delivered(leg)
    s.advance(10)
    match ending:
        case "rejects":
            s.failed(leg, Cause.CALL_CANCELLED)
        case "does not answer":
            s.advance(10)
        case "logs off":
            s.log_off("ann")
        case "bridge fails":
            s.established(leg)
            s.bridge_failed(call, leg)
            s.advance(BRIDGE_LEASE_S)
        case "hangs up":
            s.established(leg)
            s.cleared(leg)
            s.tell(facts.Parked(FS, s.caller_of(call)))  # out of the bridge that was coming up
    assert [e.destination for e in s.events(events.Diverted)] == ["voicemail"]
    assert [i.destination for i in s.intents if isinstance(i, intents.DivertConnection)] == ["voicemail"]
    s.ready("bob")
    s.established(leg)
    s.cleared(leg)
    assert len(s.offers()) == 1
    figures = s.figures("sales")
    assert (figures.answered, figures.overflowed, figures.waiting) == (0, 1, 0)
    assert [e.state for e in s.events(events.CallCleared)] == ["diverted"]


# -- 15, 16: what we were not told ------------------------------------------------------------------------------------


def test_race_15_hang_up_event_of_a_leg_never_comes(s):
    """A hang-up event never comes: a periodic check by uuid makes it up."""
    call = s.waiting("sales")
    leg = s.take("ann")
    s.hang_up(call)
    assert s.clears() == [leg]
    for _ in range(3):
        s.last.clear()
        s.advance(10)
        assert s.wanted(intents.CheckConnection) == [intents.CheckConnection(FS, leg)]
        assert s.clears() == [leg]
    assert s.state("ann") is AgentState.BUSY
    s.cleared(leg, Cause.SWITCHING_FUNCTION_TERMINATED)  # what the check found
    assert s.state("ann") is AgentState.READY
    assert not s.world.interactions
    assert not s.timers


def test_race_15_the_bridge_never_comes(s):
    """A hang-up event never comes: nor does the bridge's."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.established(leg)
    s.advance(BRIDGE_LEASE_S)
    assert leg in [i.connection for i in s.intents if isinstance(i, intents.ClearConnection)]
    assert [e.outcome for e in s.events(events.OfferEnded)] == ["failed"]
    assert s.reservation("ann").interaction == call
    assert s.offered_leg("ann") != leg


def test_race_15_a_snapshot_at_any_time_makes_up_ends(s):
    """A hang-up event never comes: a snapshot of a link that is up makes it up too."""
    call = s.waiting("sales")
    leg = s.take("ann")
    s.snapshot(s.seen(s.caller_of(call), bridged_to=leg), s.seen(leg, bridged_to=s.caller_of(call)))
    assert s.state("ann") is AgentState.BUSY
    s.snapshot()
    assert s.state("ann") is AgentState.READY
    assert not s.world.interactions


def test_race_16_the_event_socket_drops_and_returns(s):
    """The event socket drops and returns: nothing is routed until the snapshot, and then what is missing is made up."""
    talking = s.waiting("sales")
    leg = s.take("ann")
    stays, leaves = s.waiting("sales"), s.waiting("sales")
    s.link_lost()
    late = s.call()
    s.enqueue(late, "sales")
    s.agent("bob")
    assert s.state("bob") is AgentState.READY
    assert len(s.offers()) == 1
    s.tell(facts.LinkConnecting(FS))
    s.tell(facts.LinkAuthenticated(FS))
    assert len(s.offers()) == 1
    callers = {call: s.caller_of(call) for call in (talking, stays, leaves, late)}
    s.snapshot(
        s.seen(callers[talking], bridged_to=leg),
        s.seen(leg, bridged_to=callers[talking]),
        s.seen(callers[late]),
        s.seen(callers[stays]),
    )
    assert s.state("ann") is AgentState.BUSY
    assert leaves not in s.world.interactions
    assert s.figures("sales").lost == 1
    assert s.offers()[-1] == ("bob", stays)
    assert s.waits("sales") == [late]
    assert [e.status for e in s.events(events.SystemStatus)][-4:] == [
        "disabled",
        "initializing",
        "messagesLost",
        "normal",
    ]


def test_race_16_the_agent_answered_and_was_bridged_unseen(s):
    """The event socket drops and returns: what happened meanwhile is caught up with, not undone."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.delivered(leg)
    s.link_lost()
    s.link_up(
        s.seen(s.caller_of(call), established=True, bridged_to=leg),
        s.seen(leg, established=True, bridged_to=s.caller_of(call)),
    )
    assert s.state("ann") is AgentState.BUSY
    assert s.interaction(call).state is InteractionState.ESTABLISHED
    assert s.wanted(intents.Bridge) == []  # they are


def test_race_16_the_agent_answered_unseen(s):
    """The event socket drops and returns: an answer nobody saw is followed by the bridge."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.delivered(leg)
    s.link_lost()
    s.link_up(s.seen(s.caller_of(call), established=True), s.seen(leg, established=True))
    assert s.wanted(intents.Bridge) == [intents.Bridge(FS, s.caller_of(call), leg)]


def test_race_16_a_leg_we_gave_up_is_still_there(s):
    """The event socket drops and returns: a clearing that got lost is asked for again."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.delivered(leg)
    s.link_lost()
    s.not_ready("ann")
    s.link_up(s.seen(s.caller_of(call)), s.seen(leg))
    assert s.clears() == [leg]


def test_race_16_freeswitch_restarts_with_calls_in_progress(s):
    """FreeSWITCH restarts with calls in progress."""
    s.agent("bob")
    s.agent("eve", ready=False)
    talking, ringing, waiting = s.waiting("sales"), s.waiting("sales"), s.waiting("sales")
    s.take("ann")
    s.delivered(s.offered_leg("bob"))
    s.link_lost()
    s.link_up(restarted=True)
    assert not s.world.interactions
    assert not s.world.connections
    assert not s.world.reservations
    assert not s.timers
    assert s.state("ann") is s.state("bob") is AgentState.READY
    assert {e.interaction: e.state for e in s.events(events.CallCleared)} == {
        talking: "lost",
        ringing: "lost",
        waiting: "lost",
    }
    assert {e.cause for e in s.events(events.CallCleared)} == {Cause.SWITCHING_FUNCTION_TERMINATED}
    figures = s.figures("sales")
    assert (figures.answered, figures.lost, figures.waiting) == (1, 2, 0)
    again = s.waiting("sales")
    assert s.offers()[-1][1] == again


def test_race_16_a_switch_that_lost_an_answered_leg_does_not_blame_the_agent(s):
    """FreeSWITCH restarts with calls in progress: a leg that went with it was not hung up by the agent."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.established(leg)
    s.link_lost()
    s.link_up(s.seen(s.caller_of(call)))
    assert [e.outcome for e in s.events(events.OfferEnded)] == ["failed"]
    assert s.reservation("ann").interaction == call


def test_race_16_freeswitch_restarts_and_recovers_a_call_by_itself(s):
    """FreeSWITCH restarts with calls in progress: one that it restored is a call of its own after the lost one."""
    call = s.waiting("sales")
    leg = s.take("ann")
    parked = s.call()
    shown = (
        s.seen(s.caller_of(call), bridged_to=leg, established=True),
        s.seen(leg, bridged_to=s.caller_of(call), established=True),
        s.seen(s.caller_of(parked)),
    )
    s.link_lost()
    s.link_up(*shown, restarted=True)
    assert [e.interaction for e in s.events(events.CallCleared)] == [call, parked]
    assert len(s.world.interactions) == 2
    assert not {call, parked} & set(s.world.interactions)
    ann = s.world.agents[AgentId("ann")]
    assert (ann.state, ann.connection) == (AgentState.BUSY, leg)


def test_race_16_an_agents_leg_seen_with_a_stranger_is_not_taken_from_its_call(s):
    """... compare with the model by uuid: a leg belongs to one call, whatever else a snapshot claims."""
    call = s.waiting("sales")
    leg = s.take("ann")
    stranger = ConnectionId("stranger")
    s.snapshot(
        s.seen(s.caller_of(call), bridged_to=leg),
        s.seen(leg, bridged_to=stranger),
        facts.ChannelSeen(stranger, established=True, bridged_to=leg),
    )
    assert list(s.world.interactions) == [call]
    assert s.leg(leg).interaction == call


def adopted(s: Story, agent: str = "ann") -> tuple[ConnectionId, ConnectionId]:
    """A new process finds a caller and an agent who talk."""
    caller, leg = ConnectionId("old-caller"), ConnectionId("old-leg")
    tags = {
        "interaction": InteractionId("old-call"),
        "queue": QueueId("sales"),
        "established": True,
    }
    s.link_up(
        facts.ChannelSeen(caller, "+4420", "Old", "5000", bridged_to=leg, **tags),
        facts.ChannelSeen(
            leg,
            bridged_to=caller,
            agent=AgentId(agent),
            reservation=ReservationId("old-call/1"),
            side=Side.AGENT,
            **tags,
        ),
    )
    return caller, leg


def test_race_16_our_process_is_killed_with_calls_in_progress():
    """Our process is killed with calls in progress: the two go on talking, and the agent is busy once back."""
    s = Story(live=False)
    s.queue("sales", wrap_up_s=30)
    s.agent("ann", logged_on=False)
    caller, leg = adopted(s)
    call = InteractionId("old-call")
    assert s.interaction(call).state is InteractionState.ESTABLISHED
    assert s.clears() == []
    s.log_on("ann", ready=True)
    assert s.state("ann") is AgentState.BUSY
    waiting = s.waiting("sales")
    assert s.offers() == []
    s.established(leg)  # late news of what is known
    assert s.clears() == []
    s.cleared(leg)
    assert s.clears() == [caller]
    assert s.state("ann") is AgentState.WORKING_AFTER_CALL
    s.cleared(caller)
    assert [e.interaction for e in s.events(events.CallCleared)] == [call]
    s.advance(30)
    assert s.offers() == [("ann", waiting)]  # ready was asked for at log-on, and kept


def test_race_16_adopted_and_over_before_the_agent_is_back():
    """Our process is killed with calls in progress: a call that ends before its agent is back binds nobody."""
    s = Story(live=False)
    s.queue("sales")
    s.agent("ann", logged_on=False)
    caller, leg = adopted(s)
    s.cleared(caller)
    assert s.clears() == [leg]
    s.cleared(leg)
    assert not s.world.adopted
    s.log_on("ann", ready=True)
    assert s.state("ann") is AgentState.READY


def test_race_16_adopted_while_the_agent_is_being_offered_another_call():
    """Our process is killed with calls in progress: an agent found talking is offered nothing any more."""
    s = Story()
    s.queue("sales")
    s.agent("ann")
    first, second = s.waiting("sales"), s.waiting("sales")
    offered = s.offered_leg("ann")
    caller, leg = ConnectionId("old-caller"), ConnectionId("old-leg")
    s.snapshot(
        *(s.seen(c) for c in (s.caller_of(first), s.caller_of(second), offered)),
        facts.ChannelSeen(caller, established=True, bridged_to=leg, interaction=InteractionId("old-call")),
        facts.ChannelSeen(leg, established=True, bridged_to=caller, agent=AgentId("ann"), side=Side.AGENT),
    )
    ann = s.world.agents[AgentId("ann")]
    assert (ann.state, ann.connection, ann.interaction) == (AgentState.BUSY, leg, "old-call")
    assert offered in s.clears()
    assert s.waits("sales") == [first, second]


def test_race_16_a_new_process_clears_agents_legs_without_a_caller():
    """Our process is killed with calls in progress: an agent's leg that talks to nobody must not ring on."""
    s = Story(live=False)
    s.queue("sales")
    s.agent("ann")
    parked = facts.ChannelSeen(ConnectionId("parked"), "+4420", "Old", "5000", established=True)
    ringing = facts.ChannelSeen(
        ConnectionId("ringing"), agent=AgentId("ann"), reservation=ReservationId("x/1"), side=Side.AGENT
    )
    s.link_up(parked, ringing)
    assert s.clears() == ["ringing"]
    assert [(e.calling_number, e.called_number) for e in s.events(events.Offered)] == [("+4420", "5000")]


def test_race_16_a_snapshot_that_comes_after_the_link_was_lost_again(s):
    """The event socket drops and returns, and drops again before the snapshot is handed in: it says nothing any more."""
    call = s.waiting("sales")
    s.link_lost()
    before = s.picture()
    intents_of_it = s.engine.handle(facts.SnapshotTaken(FS, ()), s.now)
    assert s.picture() == before
    assert s.interaction(call).state is InteractionState.ROUTING
    assert [i.event.what for i in intents_of_it] == [
        "SnapshotTaken: switch link: snapshot taken is illegal in state down"
    ]


def test_race_16_a_snapshot_lags_and_shows_a_call_that_is_over(s):
    """... compare with the model by uuid: a channel whose end we have seen does not come back."""
    call = s.waiting("sales")
    leg = s.take("ann")
    shown = (
        s.seen(s.caller_of(call), bridged_to=leg, established=True),
        s.seen(leg, bridged_to=s.caller_of(call), established=True),
    )
    s.hang_up(call)
    s.snapshot(*shown)
    s.cleared(leg)
    assert not s.world.interactions
    s.snapshot(*shown)
    assert not s.world.interactions
    assert len(s.events(events.CallCleared)) == 1
    assert s.state("ann") is AgentState.READY


def test_race_16_a_diverted_caller_is_not_taken_back_by_the_same_snapshot():
    """... made up facts may divert a caller; the list that was read before that does not bring them back."""
    s = Story()
    s.queue("sales", max_wait_s=5, overflow=ToDestination("voicemail"))
    s.agent("ann")
    call = s.waiting("sales")
    s.delivered(s.offered_leg("ann"))
    s.advance(6)
    s.snapshot(s.seen(s.caller_of(call)))  # the agent's leg is gone
    assert [e.destination for e in s.events(events.Diverted)] == ["voicemail"]
    assert len(s.events(events.Offered)) == 1


def test_race_16_two_switches_one_restarts(s):
    """FreeSWITCH restarts with calls in progress; another one's calls do not notice."""
    other = facts.SwitchId("fs2")
    s.link_up(switch=other)
    here = s.waiting("sales")
    s.delivered(s.offered_leg("ann"))
    there = s.call(switch=other)
    s.enqueue(there, "sales")
    s.link_lost()
    s.link_up(restarted=True)
    assert here not in s.world.interactions
    assert s.reservation("ann").interaction == there
    assert s.wanted(intents.OfferCall)[0].switch == other


# -- 17 to 21 ---------------------------------------------------------------------------------------------------------


def test_race_17_events_twice(s):
    """Events twice, or out of order: idempotent."""
    caller = ConnectionId("c")
    twice(s, facts.Offered(FS, caller, "1", "One", "5000"))
    call = s.world.connections[caller].interaction
    s.enqueue(call, "sales")
    twice(s, facts.Established(FS, caller))
    leg = s.offered_leg("ann")
    made = s.reservation("ann").id
    twice(s, facts.Originated(FS, leg, made))
    twice(s, facts.Delivered(FS, leg))
    twice(s, facts.Established(FS, leg, made))
    twice(s, facts.Bridged(FS, caller, leg))
    for late in (
        facts.Originated(FS, leg, made),
        facts.Delivered(FS, leg),
        facts.Established(FS, leg, made),
        facts.Established(FS, caller),
        facts.BridgeFailed(FS, caller, leg, "late"),
        facts.Bridged(FS, leg, caller),
    ):
        s.tell(late)
        assert s.last == [], late
    twice(s, facts.Held(FS, leg))
    twice(s, facts.Retrieved(FS, leg))
    twice(s, facts.ConnectionCleared(FS, caller, Cause.NORMAL_CLEARING, ""))
    twice(s, facts.ConnectionCleared(FS, leg, Cause.NORMAL_CLEARING, ""))
    twice(s, facts.Failed(FS, leg, Cause.NORMAL_CLEARING, ""))
    assert s.state("ann") is AgentState.READY
    names = [type(e).__name__ for e in s.events(events.CallEvent)]
    assert names == [
        "Offered",
        "Queued",
        "Delivered",
        "Established",
        "ConnectionCleared",
        "ConnectionCleared",
        "CallCleared",
    ]


def twice(s: Story, fact: facts.Fact) -> None:
    s.tell(fact)
    before = s.picture()
    s.tell(fact)
    assert s.last == [], fact
    assert s.picture() == before, fact


@pytest.mark.parametrize("first", ["bridged", "established", "delivered"])
def test_race_17_events_out_of_order(s, first):
    """Events out of order: what is known later is believed at once, and what comes late undoes nothing."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    if first == "bridged":
        s.bridged(call, leg)
    if first in ("established", "bridged"):
        s.established(leg)
    s.delivered(leg)
    s.originated(leg)
    if first == "delivered":
        s.established(leg)
    if first != "bridged":
        s.bridged(call, leg)
    assert s.state("ann") is AgentState.BUSY
    assert s.interaction(call).state is InteractionState.ESTABLISHED
    assert not [i for i in s.intents if isinstance(i, intents.ClearConnection)]
    assert len(s.events(events.Delivered)) == len(s.events(events.Established)) == 1


def test_race_17_a_call_that_is_over_is_not_offered_again(s):
    """Events twice: the first event of a call, told again after its last one, does not make a caller who is not there."""
    caller = ConnectionId("c")
    offered = facts.Offered(FS, caller, "1", "One", "5000")
    s.tell(offered)
    s.tell(facts.ConnectionCleared(FS, caller, Cause.NORMAL_CLEARING, ""))
    s.tell(offered)
    assert s.last == []
    gone = ConnectionId("d")
    s.tell(facts.ConnectionCleared(FS, gone, Cause.NORMAL_CLEARING, ""))
    s.tell(facts.Offered(FS, gone, "1", "One", "5000"))
    assert s.last == []


def test_race_17_a_diverted_caller_may_come_back(s):
    """Events twice: a caller we sent away and who is handed to us again, on the same channel, is a call all the same."""
    call = s.call()
    caller = s.caller_of(call)
    s.divert(call, "ivr")
    s.tell(facts.Offered(FS, caller, "1", "One", "5000"))
    assert s.world.connections[caller].interaction != call


@pytest.mark.parametrize("side", ["caller", "agent"])
def test_race_17_hold_that_overtakes_the_answer(s, side):
    """Events out of order: a hold of a leg that we do not know to be answered breaks nothing."""
    call = s.waiting("sales") if side == "agent" else s.call()
    leg = s.offered_leg("ann") if side == "agent" else s.caller_of(call)
    s.tell(facts.Held(FS, leg))
    s.tell(facts.Retrieved(FS, leg))
    assert s.last == []


def test_race_18_an_answer_that_belongs_to_another_request():
    """A reply that belongs to another command: each answer names its question, and answers no other."""
    s = Story()
    s.queue("sales", route_script="who")
    s.agent("ann")
    first, second = s.waiting("sales"), s.waiting("sales")
    refs = [s.interaction(call).route_request for call in (first, second)]
    for call, ref in ((first, refs[1]), (second, refs[0])):
        s.tell(facts.RouteSelected(call, ref, to=ToDestination("elsewhere")))
        assert s.last == []
    s.select(second)
    assert s.ringing(second) == ["ann"]
    assert s.interaction(first).route_request == refs[0]


def test_race_19_a_queue_is_changed_while_calls_wait_in_it(s):
    """A queue, skill or agent is changed mid-call: the call in hand ends first; waiting calls are matched afresh."""
    s.queue("sales", requires={"loans": 3})
    s.not_ready("ann")
    s.ready("ann")
    ringing_before = s.waiting("sales")
    assert s.offers() == []
    s.queue("sales", requires={})
    assert s.offers() == [("ann", ringing_before)]
    leg = s.offered_leg("ann")
    s.queue("sales", requires={"loans": 3})
    assert s.clears() == []
    s.take("ann")
    s.cleared(leg)
    assert s.waits("sales") == []


def test_race_19_an_agents_skills_are_changed(s):
    """A queue, skill or agent is changed: waiting calls are matched afresh."""
    s.queue("loans", requires={"loans": 2})
    call = s.waiting("loans")
    assert s.offers() == []
    s.agent("ann", skills={"loans": 1}, logged_on=False)
    assert s.offers() == []
    s.agent("ann", skills={"loans": 2}, logged_on=False)
    assert s.offers() == [("ann", call)]
    s.agent("ann", skills={}, logged_on=False)  # the call in hand goes on
    s.take("ann")
    s.hang_up(call)
    s.cleared(s.world.agents[AgentId("ann")].connection)
    s.waiting("loans")
    assert len(s.offers()) == 1


def test_race_19_a_busy_agent_is_not_removed(s):
    """A queue, skill or agent is ... removed mid-call: the call in hand ends first."""
    s.talking("ann", "sales")
    before = s.picture()
    with pytest.raises(InvalidAgentState, match=r"'ann' is busy"):
        s.tell(facts.AgentRemoved(AgentId("ann")))
    assert s.picture() == before


def test_race_19_overflow_of_a_waiting_call_to_a_queue_changed_meanwhile(s):
    """A queue is changed mid-call: the overflow that counts is the one defined when the time is up."""
    s.queue("other")
    s.queue("third", requires={"x": 1})
    s.queue("third", requires={"x": 1}, max_wait_s=10)
    call = s.waiting("third")
    s.queue("third", requires={"x": 1}, max_wait_s=10, overflow=ToQueue(QueueId("other")))
    s.advance(10)
    assert s.offers() == [("ann", call)]


def test_race_20_the_clock_jumps():
    """The wall clock jumps: durations do not. (The engine's clock never runs backwards; an earlier time is the latest.)"""
    s = Story(now=1000.0)
    s.queue("sales")
    s.agent("ann", ready=False)
    call = s.waiting("sales")
    s.now = 1060.0
    s.waiting("sales")
    s.now = 500.0
    s.ready("ann")
    assert s.world.now == 1060.0
    assert s.reservation("ann").interaction == call
    s.take("ann")
    assert [e.waited_s for e in s.events(events.Established)] == [60.0]
    assert s.world.agents[AgentId("ann")].seconds_in[AgentState.NOT_READY] == 60.0


def test_race_20_time_may_begin_at_nought():
    """Durations do not jump: nor where the monotonic clock begins at 0."""
    s = Story(now=0.0)
    s.queue("sales")
    s.agent("ann", ready=False)
    call = s.waiting("sales")
    s.advance(7)
    s.ready("ann")
    s.delivered(s.offered_leg("ann"))
    s.take("ann")
    assert [e.waited_s for e in s.events(events.Delivered)] == [7.0]
    assert [e.waited_s for e in s.events(events.Established)] == [7.0]
    s.hang_up(call)
    s = Story(now=0.0)
    s.queue("sales")
    call = s.waiting("sales")
    s.advance(7)
    s.hang_up(call)
    assert [e.waited_s for e in s.events(events.Abandoned)] == [7.0]
    assert s.figures("sales").short_abandoned == 0


def test_race_21_one_agent_logs_on_twice(s):
    """One agent logs on twice; two agents claim one phone: a clear error."""
    before = s.picture()
    with pytest.raises(InvalidAgentState, match=r"agent 'ann' is logged on already \(ready\)"):
        s.log_on("ann")
    assert s.picture() == before


def test_race_21_two_agents_claim_one_phone(s):
    """One agent logs on twice; two agents claim one phone: a clear error."""
    s.agent("bob", contact="user/ann", logged_on=False)
    before = s.picture()
    with pytest.raises(ResourceBusy, match="'ann' is logged on at 'user/ann' already"):
        s.log_on("bob")
    assert s.picture() == before
    s.agent("ann", contact="user/elsewhere", logged_on=False)  # counts from her next log-on
    with pytest.raises(ResourceBusy):
        s.log_on("bob")
    s.log_off("ann")
    s.log_on("bob")
    s.log_on("ann")
    assert s.world.phones == {"user/ann": "bob", "user/elsewhere": "ann"}


def test_link_states_are_the_tables(s):
    """A link that was never heard of is down."""
    assert s.world.links == {FS: LinkState.LIVE}
    assert not s.world.is_live(facts.SwitchId("unheard-of"))


def test_race_16_a_bridge_on_its_way_when_the_link_drops_is_not_undone(s):
    """The event socket drops and returns: a lease that ends unseen is renewed until the snapshot says what became."""
    call = s.waiting("sales")
    leg = s.offered_leg("ann")
    s.established(leg)
    s.link_lost()
    s.advance(60)
    assert s.reservation("ann") is not None
    s.link_up(
        s.seen(s.caller_of(call), established=True, bridged_to=leg),
        s.seen(leg, established=True, bridged_to=s.caller_of(call)),
    )
    assert s.state("ann") is AgentState.BUSY
    assert leg not in s.clears()


def test_race_16_a_maximum_wait_that_ends_while_the_link_is_down_counts_when_it_is_back(s):
    """The event socket drops and returns: what cannot be done meanwhile is done afterwards."""
    s.queue("short", max_wait_s=10, requires={"rare": 1})
    call = s.waiting("short")
    s.link_lost()
    s.advance(30)
    assert s.interaction(call).state is InteractionState.QUEUED
    s.link_up(s.seen(s.caller_of(call), established=True))
    s.advance(2)
    assert s.figures("short").overflowed == 1
    assert s.clears() == [s.caller_of(call)]


def test_race_16_a_caller_whom_the_switch_had_not_answered_when_the_link_broke(s):
    """What was asked for as the link broke may never have been heard: an agent bridged to an unanswered caller ends both."""
    s.queue("sales")
    call = s.waiting("sales")
    answered = s.waiting("sales")
    s.established(s.caller_of(answered))
    s.link_lost()
    s.link_up(s.seen(s.caller_of(call)), s.seen(s.caller_of(answered)))
    again = [i.connection for i in s.last if isinstance(i, intents.AnswerConnection)]
    assert again == [s.caller_of(call)]
    assert [i.connection for i in s.last if isinstance(i, intents.KeepCaller)] == [s.caller_of(call)]


@pytest.mark.parametrize("ending", ["back", "gone", "restarted"])
def test_race_16_a_script_sends_its_call_out_while_the_link_is_down(s, ending):
    call = s.call(established=True)
    caller = s.caller_of(call)
    s.link_lost()
    s.divert(call, "9000")
    assert s.is_over(call)
    assert not [i for i in s.intents if isinstance(i, intents.DivertConnection)]
    s.advance(30)
    if ending == "back":
        s.link_up(facts.ChannelSeen(caller, established=True))
    else:
        s.link_up(restarted=ending == "restarted")
    sent = [i for i in s.intents if isinstance(i, intents.DivertConnection)]
    assert sent == ([intents.DivertConnection(FS, caller, "9000")] if ending == "back" else [])
    assert call not in s.world.interactions
    assert caller not in s.world.connections
    told = [i.event for i in s.intents if isinstance(i, intents.Notify)]
    assert [type(e) for e in told if isinstance(e, events.Offered | events.Diverted | events.CallCleared)] == [
        events.Offered,
        events.Diverted,
        events.CallCleared,
    ]

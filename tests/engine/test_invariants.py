"""The watchdog sees what must not be: each invariant, broken by hand, is named."""

from __future__ import annotations

import attrs
import pytest

from cti.engine.invariants import broken
from cti.model.ids import AgentId, ConnectionId, QueueId
from cti.model.personal import Personal
from cti.model.states import AgentState, InteractionState, ReservationState

from .story import Story

ANN, BOB, EVE = AgentId("ann"), AgentId("bob"), AgentId("eve")


@pytest.fixture
def s() -> Story:
    """Ann talks, Bob is being offered a call, one more waits, Eve is logged off."""
    story = Story()
    story.queue("sales")
    story.agent("ann")
    story.talking("ann", "sales")
    story.agent("bob")
    story.waiting("sales")
    story.waiting("sales")
    story.agent("eve", logged_on=False)
    story.queue("asked", route_script="who")
    story.waiting("asked")
    story.queue("hers", requires="nobody")
    story.waiting("hers", personal=Personal(ANN))
    assert broken(story.world) == []
    return story


def ann_without_a_leg(s):
    s.world.agents[ANN].connection = None


def eve_reserved_by_nobody(s):
    s.world.agents[EVE].state = AgentState.RESERVED


def bob_free_with_a_reservation(s):
    s.world.agents[BOB].state = AgentState.READY


def an_hour_missing(s):
    s.world.agents[ANN].logged_on_since -= 3600


def eve_at_bobs_phone(s):
    s.world.agents[EVE].phone = "user/bob"
    s.world.phones["user/bob"] = EVE


def bob_promised_twice(s):
    made = s.reservation("bob")
    s.world.reservations["another"] = made


def promise_kept_too_long(s):
    s.reservation("bob").state = ReservationState.CANCELLED


def lease_over(s):
    s.reservation("bob").lease_ends_at = s.now - 1


def call_that_does_not_know(s):
    s.interaction(s.reservation("bob").interaction).reservations.clear()


def waiting_without_a_caller(s):
    s.interaction(s.waits("sales")[0]).caller = ConnectionId("gone")


def call_without_a_leg(s):
    s.interaction(s.waits("sales")[0]).connections.clear()


def queued_and_forgotten(s):
    s.world.router.call_gone(s.waits("sales")[0])


def leg_of_a_call_that_is_over(s):
    del s.world.interactions[s.world.agents[ANN].interaction]


def leg_left_behind(s):
    s.interaction(s.world.agents[ANN].interaction).state = InteractionState.CLEARED


def leg_nobody_looks_for(s):
    s.leg(s.world.agents[ANN].connection).clearing = True


def figures_that_do_not_add_up(s):
    s.figures("sales").answered += 1


def waiting_miscounted(s):
    s.figures("sales").waiting += 1
    s.figures("sales").offered += 1


def accepted_twice(s):
    made = s.reservation("bob")
    call = s.interaction(made.interaction)
    for agent in ("x", "y"):
        other = attrs.evolve(made, id=f"{call.id}/{agent}", agent=agent, state=ReservationState.ACCEPTED)
        s.world.reservations[other.id] = other
        call.reservations.append(other.id)


def promise_that_is_over(s):
    made = s.reservation("bob")
    s.interaction(made.interaction).reservations.append("over")


def rings_for_nobody(s):
    s.interaction(s.waits("sales")[0]).state = InteractionState.DELIVERED


def asked_for_ever(s):
    [call] = [call for call in s.world.interactions.values() if call.route_request]
    s.world.timers.cancel("route", call.id)


def wanted_for_ever(s):
    [call] = [call for call in s.world.interactions.values() if call.wanted]
    s.world.timers.cancel("personal", call.id)


BREAKS = [
    (accepted_twice, "has been accepted by two agents"),
    (promise_that_is_over, "holds a reservation that is over"),
    (rings_for_nobody, "is delivered with reservations []"),
    (asked_for_ever, "waits for a route script, and no deadline ends that"),
    (wanted_for_ever, "waits for agent ann alone, and no time ends that"),
    (ann_without_a_leg, "agent ann is busy without a living connection"),
    (eve_reserved_by_nobody, "agent eve is reserved without a reservation"),
    (bob_free_with_a_reservation, "agent bob is ready and holds reservation"),
    (an_hour_missing, "agent ann spent 0.0 s in a session of 3600.0 s"),
    (eve_at_bobs_phone, "agent eve is null and their phone is with eve"),
    (bob_promised_twice, "agent bob has two reservations"),
    (promise_kept_too_long, "is cancelled and still held"),
    (lease_over, "outlives its lease"),
    (call_that_does_not_know, "is for a call that does not know it"),
    (waiting_without_a_caller, "is queued without a living caller"),
    (call_without_a_leg, "has no connection and is not cleared"),
    (queued_and_forgotten, "is queued and the router does not know it"),
    (leg_of_a_call_that_is_over, "which is over"),
    (leg_left_behind, "lives on after its call was cleared"),
    (leg_nobody_looks_for, "is being cleared and nobody will look for it"),
    (figures_that_do_not_add_up, "queue sales: offered does not add up"),
    (waiting_miscounted, "queue sales counts 3 waiting, 2 wait"),
]


@pytest.mark.parametrize(("breaks", "says"), BREAKS, ids=lambda b: getattr(b, "__name__", ""))
def test_a_broken_invariant_is_named(s, breaks, says):
    breaks(s)
    assert any(says in sentence for sentence in broken(s.world)), broken(s.world)


def test_a_lease_may_be_over_for_as_long_as_a_timer_is_on_its_way(s):
    lease_over(s)
    assert broken(s.world, grace_s=2) == []


def test_looking_changes_nothing(s):
    before = s.picture()
    broken(s.world)
    assert s.picture() == before
    assert QueueId("sales") in s.world.queues

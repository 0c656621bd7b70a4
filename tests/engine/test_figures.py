"""Figures by the definitions of docs/statistics.md: of queues and of agents, live and, as differences, by interval."""

from __future__ import annotations

import pytest

from cti.model import services
from cti.model.figures import AgentFigures, QueueFigures
from cti.model.ids import AgentId
from cti.model.states import AgentState

from .story import Story
from .test_talk import ANN, Desk


@pytest.fixture
def story() -> Story:
    made = Story()
    made.queue("claims", service_level_s=20, short_abandon_s=5, wrap_up_s=30)
    return made


def agent(story, name):
    return story.world.agents[AgentId(name)]


def test_a_callers_hang_up_counts_by_how_long_they_waited(story):
    for waits_s in (3, 15, 60):
        call = story.waiting("claims")
        story.advance(waits_s)
        story.hang_up(call)
    figures = story.figures("claims")
    assert (figures.abandoned, figures.short_abandoned, figures.abandoned_in_time) == (3, 1, 1)
    story.agent("ann")
    story.talking("ann", "claims")
    assert figures.abandon_rate == pytest.approx(2 / 3)
    assert figures.service_level == 1
    assert figures.service_level_negative == pytest.approx(1 / 3), "the short one is in no denominator"
    assert figures.service_level_positive == pytest.approx(2 / 3)


def test_an_agents_time_is_all_accounted_for(story):
    story.agent("ann", ready=False)
    story.advance(10)
    story.ready("ann")
    story.advance(20)
    call = story.waiting("claims")
    story.advance(2)
    leg = story.offered_leg("ann")
    story.delivered(leg)
    story.advance(3)
    story.established(leg)
    story.bridged(call, leg)
    story.advance(100)
    story.ends("ann")
    story.advance(12)
    now = agent(story, "ann").figures_now(story.now)
    assert (now.not_ready_s, now.ready_s, now.offered_s) == (10, 20, 5)
    assert (now.busy_s, now.after_call_s, now.hold_s) == (100, 12, 0)
    assert now.logged_on_s == 147
    assert now.occupancy == pytest.approx(112 / 137)
    assert (now.offers, now.answered, now.handled) == (1, 1, 0), "the wrap-up goes on"
    story.advance(18)
    after = agent(story, "ann").figures_now(story.now)
    assert (after.handled, after.handle_s, after.aht_s) == (1, 130, 130)
    queue = story.figures("claims")
    assert (queue.handled, queue.talk_s, queue.hold_s, queue.after_call_s) == (1, 100, 0, 30)
    story.log_off("ann")
    story.advance(1000)
    assert agent(story, "ann").figures_now(story.now).logged_on_s == 165, "who is logged off has no time"
    story.log_on("ann")
    story.advance(5)
    assert agent(story, "ann").figures_now(story.now).not_ready_s == 15, "sessions add up"


def test_offers_that_come_to_nothing(story):
    story.agent("ann", no_answers_allowed=9, no_answer_delay_s=0, reject_delay_s=0)
    story.waiting("claims")
    story.advance(60)
    figures = agent(story, "ann").figures
    assert figures.no_answers >= 2
    assert figures.offers == figures.no_answers + 1
    assert figures.answered == 0


def test_hold_is_part_of_being_busy_and_of_the_calls_handling():
    desk = Desk()
    desk.advance(10)
    desk.hold()
    desk.advance(7)
    ann = desk.world.agents[ANN]
    assert ann.figures.hold_s == 0
    assert ann.figures_now(desk.now).hold_s == 7
    desk.tell(services.RetrieveRequested(ANN))
    desk.pair(desk.caller, desk.ann_leg)
    desk.advance(3)
    leg = desk.consult()
    desk.advance(20)
    desk.tell(services.ConferenceRequested(ANN))
    desk.advance(4)
    assert ann.figures_now(desk.now).hold_s == 27, "a consultation holds the caller, a conference does not"
    desk.cleared(leg)
    desk.hang_up(desk.call_id)
    desk.cleared(desk.ann_leg)
    assert ann.state is AgentState.READY
    assert (ann.figures.busy_s, ann.figures.hold_s) == (44, 27)
    assert (ann.figures.handle_s, desk.figures("claims").hold_s, desk.figures("claims").talk_s) == (44, 27, 17)


def test_a_caller_who_hangs_up_while_held_ends_the_hold():
    desk = Desk()
    desk.hold()
    desk.advance(9)
    desk.hang_up(desk.call_id)
    desk.cleared(desk.ann_leg)
    ann = desk.world.agents[ANN]
    desk.advance(100)
    assert (ann.figures_now(desk.now).hold_s, ann.held_since) == (9, None)


def test_nothing_has_happened_yet():
    for figures in (QueueFigures(), AgentFigures()):
        assert figures.aht_s is None
    assert QueueFigures().abandon_rate is None
    assert QueueFigures().service_level_positive is None
    assert AgentFigures().occupancy is None

"""Settings that cannot be used are refused, and the message names the field and what would do."""

from __future__ import annotations

import math

import pytest

from cti.errors import ConfigurationError
from cti.model.agent import AgentSettings
from cti.model.facts import QueueRequested
from cti.model.figures import QueueFigures
from cti.model.ids import AgentId, InteractionId, QueueId
from cti.model.queue import QueueSettings


def agent(**settings):
    return AgentSettings(**{"id": AgentId("ann"), "contact": "user/1001", **settings})


def queue(**settings):
    return QueueSettings(**{"id": QueueId("sales"), **settings})


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        (agent, {"id": ""}, "id is ''; it must be 1 to 200 printable characters"),
        (agent, {"id": 7}, "id is 7; it must be"),
        (agent, {"id": "a" * 201}, "it must be 1 to 200 printable characters"),
        (agent, {"contact": "user/1\n2"}, "contact is 'user/1\\n2'; it must be"),
        (agent, {"skills": {"loans": -1}}, "skills: the level of 'loans' is -1; it must be a whole number from 0 up"),
        (agent, {"skills": {"loans": 1.5}}, "the level of 'loans' is 1.5"),
        (agent, {"skills": {"loans": True}}, "the level of 'loans' is True"),
        (agent, {"skills": {"": 1}}, "skills: '' is not a skill's name"),
        (agent, {"skills": {3: 1}}, "skills: 3 is not a skill's name"),
        (agent, {"wrap_up_s": -1}, "wrap_up_s is -1; it must be a number of seconds from 0 up"),
        (agent, {"reject_delay_s": math.inf}, "reject_delay_s is inf; it must be a number of seconds"),
        (agent, {"busy_delay_s": math.nan}, "busy_delay_s is nan; it must be a number of seconds"),
        (agent, {"no_answer_delay_s": "2"}, "no_answer_delay_s is '2'; it must be"),
        (agent, {"phone_down_delay_s": True}, "phone_down_delay_s is True; it must be"),
        (agent, {"no_answers_allowed": 0}, "no_answers_allowed is 0; it must be a whole number from 1 up"),
        (agent, {"after_wrap_up": "lunch"}, "after_wrap_up is 'lunch'; it must be one of 'ready', 'not ready'"),
        (queue, {"id": "\x00"}, "id is '\\x00'; it must be"),
        (queue, {"requires": {"loans": "3"}}, "requires: the level of 'loans' is '3'"),
        (queue, {"priority": 1.5}, "priority is 1.5; it must be a whole number"),
        (queue, {"max_wait_s": -5}, "max_wait_s is -5; it must be"),
        (queue, {"ring_timeout_s": "x"}, "ring_timeout_s is 'x'; it must be"),
    ],
)
def test_refused(make, settings, message):
    with pytest.raises(ConfigurationError) as caught:
        make(**settings)
    assert message in str(caught.value)


@pytest.mark.parametrize("priority", ["high", 1.0, None, True])
def test_a_priority_that_is_no_number_is_refused_where_it_is_given(priority):
    with pytest.raises(ConfigurationError, match=r"priority is .*; it must be a whole number"):
        QueueRequested(InteractionId("i"), QueueId("q"), priority)


@pytest.mark.parametrize(
    ("skills", "lacking"),
    [
        ({}, ["loans 0 < 3", "english 0 < 1"]),
        ({"loans": 3}, ["english 0 < 1"]),
        ({"loans": 2, "english": 9}, ["loans 2 < 3"]),
        ({"loans": 3, "english": 1}, []),
        ({"loans": 9, "english": 1, "other": 1}, []),
    ],
)
def test_required_skills(skills, lacking):
    settings = queue(requires={"loans": 3, "english": 1})
    assert settings.shortfalls(skills) == lacking
    assert settings.accepts(skills) is (not lacking)


def test_figures_of_a_queue_that_nobody_called():
    figures = QueueFigures()
    assert figures.adds_up
    assert figures.service_level is None
    assert figures.asa_s is None


def test_figures_add_up():
    figures = QueueFigures(offered=10, answered=4, abandoned=2, overflowed=1, lost=1, left=1, waiting=1)
    assert figures.adds_up
    figures.answered += 1
    assert not figures.adds_up


def test_service_level_ignores_abandons():
    """answered in time / (offered - abandoned), and a call that waits has not failed yet."""
    figures = QueueFigures(offered=10, answered=6, answered_in_time=4, abandoned=2, overflowed=1, waiting=1)
    assert figures.service_level == pytest.approx(4 / 7)


def test_average_speed_of_answer():
    assert QueueFigures(answered=4, wait_answered_s=30.0).asa_s == 7.5

"""Recorded FreeSWITCH sessions, told as facts."""

from __future__ import annotations

import pytest

from cti.esl import Event
from cti.model import facts
from cti.model.cause import Cause
from cti.model.ids import SwitchId
from cti.switch.event_fact import EVENTS, EventFacts
from cti.switch.tags import tag_data

from .recordings import recorded_events

SWITCH = SwitchId("s")


def told(scenario: str) -> list[facts.Fact]:
    translate = EventFacts(SWITCH, "cti")
    return [fact for event in recorded_events(scenario) if (fact := translate.fact(event)) is not None]


def test_an_inbound_call_is_offered_once_with_its_numbers():
    offered = [fact for fact in told("inbound_playback") if isinstance(fact, facts.Offered)]
    assert len(offered) == 1
    assert offered[0].called_number.startswith("5")
    assert offered[0].calling_number
    assert offered[0].established is False


def test_the_caller_who_gives_up_is_cleared_with_both_causes():
    cleared = [fact for fact in told("caller_abandons") if isinstance(fact, facts.ConnectionCleared)]
    assert [(fact.cause, fact.switch_cause) for fact in cleared] == [(Cause.CALL_CANCELLED, "ORIGINATOR_CANCEL")]


def test_a_rejecting_agent_is_busy():
    cleared = [fact for fact in told("agent_rejects") if isinstance(fact, facts.ConnectionCleared)]
    assert (Cause.BUSY, "USER_BUSY") in [(fact.cause, fact.switch_cause) for fact in cleared]


def test_a_bridge_names_both_legs_and_everything_ends():
    story = told("agent_hangs_up")
    bridged = next(fact for fact in story if isinstance(fact, facts.Bridged))
    cleared = {fact.connection for fact in story if isinstance(fact, facts.ConnectionCleared)}
    assert cleared == {bridged.connection, bridged.other}


def test_another_centres_calls_are_none_of_ours():
    translate = EventFacts(SWITCH, "somebody-else")
    assert [fact for event in recorded_events("agent_hangs_up") if (fact := translate.fact(event))] == []


def test_legs_of_ours_are_known_by_their_reservation():
    legs = [("variable_cti_node", "cti"), ("variable_cti_reservation", "r%201/2"), ("Unique-ID", "leg")]
    translate = EventFacts(SWITCH, "cti", "answer")
    assert translate.fact(Event([("Event-Name", "CHANNEL_CREATE"), *legs])) == facts.Originated(SWITCH, "leg", "r 1/2")
    assert translate.fact(Event([("Event-Name", "CHANNEL_PROGRESS"), *legs])) == facts.Delivered(SWITCH, "leg")
    assert translate.fact(Event([("Event-Name", "CHANNEL_ANSWER"), *legs])) == facts.Established(SWITCH, "leg", "r 1/2")
    assert translate.fact(Event([("Event-Name", "CHANNEL_PARK"), *legs])) == facts.Parked(SWITCH, "leg")
    other = [("variable_cti_node", "cti"), ("variable_cti_other", "true"), ("Unique-ID", "out")]
    assert translate.fact(Event([("Event-Name", "CHANNEL_PARK"), *other])) == facts.Parked(SWITCH, "out")
    assert translate.fact(Event([("Event-Name", "CHANNEL_ANSWER"), *other])) == facts.Established(SWITCH, "out")


def test_what_the_dialplan_collected_is_attached():
    event = Event(
        [
            ("Event-Name", "CHANNEL_PARK"),
            ("Unique-ID", "c"),
            ("variable_cti_node", "cti"),
            ("variable_cti_data_policy", "47%11"),
            ("Caller-Caller-ID-Name", 'Bob%0AUnique-ID: FAKE,"{x}'),
        ]
    )
    fact = EventFacts(SWITCH, "cti").fact(event)
    assert isinstance(fact, facts.Offered)
    assert fact.data == {"policy": "47%11"}
    assert fact.connection == "c"
    assert fact.calling_name == 'Bob%0AUnique-ID: FAKE,"{x}', "a caller's name is that name and nothing else"


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_without_headers_is_nobodys(name):
    assert EventFacts(SWITCH, "cti").fact(Event([("Event-Name", name)])) is None


def test_where_the_answer_counts_from_is_a_choice():
    leg = [("variable_cti_node", "cti"), ("variable_cti_reservation", "r"), ("Unique-ID", "leg")]
    patient = EventFacts(SWITCH, "cti", "park")
    assert patient.fact(Event([("Event-Name", "CHANNEL_ANSWER"), *leg])) is None
    assert patient.fact(Event([("Event-Name", "CHANNEL_PARK"), *leg])) == facts.Established(
        SWITCH, "leg", "r", parked=True
    )


def test_a_leg_that_the_switch_dropped_is_not_the_agents_doing():
    dropped = {
        "Event-Name": "CHANNEL_HANGUP",
        "Unique-ID": "leg",
        "Hangup-Cause": "NORMAL_CLEARING",
        "variable_cti_node": "cti",
        "variable_cti_reservation": "r",
        "variable_sip_hangup_disposition": "send_bye",
        "Caller-Channel-Bridged-Time": "0",
    }
    cause = EventFacts(SWITCH, "cti").fact(Event(dropped.items())).cause
    assert cause is Cause.SWITCHING_FUNCTION_TERMINATED
    for header, value in {
        "variable_sip_hangup_disposition": "recv_bye",
        "Caller-Channel-Bridged-Time": "1795365298956579",
    }.items():
        told = EventFacts(SWITCH, "cti").fact(Event({**dropped, header: value}.items()))
        assert told.cause is Cause.NORMAL_CLEARING


def test_a_real_switch_says_which_end_hung_up():
    """Recorded: the caller gives up, an agent rejects."""
    for scenario in ("caller_abandons", "agent_rejects"):
        ends = [fact for fact in told(scenario) if isinstance(fact, facts.ConnectionCleared)]
        assert True in [fact.by_far_end for fact in ends], scenario


@pytest.mark.parametrize(
    ("disposition", "by_far_end"), [("recv_bye", True), ("recv_cancel", True), ("send_refuse", False), (None, None)]
)
def test_who_hung_up_is_as_the_channel_says(disposition, by_far_end):
    gone = {"Event-Name": "CHANNEL_HANGUP", "Unique-ID": "leg", "Hangup-Cause": "USER_BUSY", "variable_cti_node": "cti"}
    if disposition is not None:
        gone["variable_sip_hangup_disposition"] = disposition
    assert EventFacts(SWITCH, "cti").fact(Event(gone.items())).by_far_end is by_far_end


def test_a_channel_that_comes_back_brings_what_it_was_and_its_data():
    parked = {
        "Event-Name": "CHANNEL_PARK",
        "Unique-ID": "leg",
        "variable_cti_node": "cti",
        "variable_cti_data_policy": "4711",
        "variable_cti_previous": "019a",
    }
    first = EventFacts(SWITCH, "cti").fact(Event(parked.items()))
    assert (first.data, first.previous) == ({"policy": "4711"}, "019a")
    attached = tag_data({"policy": 4712, "visits": [3]})
    again = EventFacts(SWITCH, "cti").fact(Event({**parked, "variable_cti_attached": attached}.items()))
    assert again.data == {"policy": 4712, "visits": [3]}, "what was attached since counts, typed"


@pytest.mark.parametrize(
    ("said", "by_far_end"),
    [
        ({"variable_sip_call_id": "1", "variable_sip_term_status": "200"}, True),  # a BYE; its disposition comes later
        ({"variable_sip_call_id": "1"}, False),  # FreeSWITCH's own doing
        ({}, None),  # no SIP phone: nobody can say
    ],
)
def test_who_hung_up_a_leg_that_stays_is_told_by_what_comes_before(said, by_far_end):
    gone = {
        "Event-Name": "CHANNEL_HANGUP",
        "Unique-ID": "leg",
        "Hangup-Cause": "NORMAL_CLEARING",
        "variable_cti_node": "cti",
        "variable_cti_standing": "ann",
    }
    assert EventFacts(SWITCH, "cti").fact(Event({**gone, **said}.items())).by_far_end is by_far_end

"""The tables: total, and each cell does what it says."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from cti.errors import ConfigurationError, IllegalTransition
from cti.model.connection import Connection, Side
from cti.model.ids import ConnectionId, InteractionId, SwitchId
from cti.model.interaction import Interaction
from cti.model.states import (
    AGENT,
    CONNECTION,
    INTERACTION,
    LINK,
    RESERVATION,
    TABLES,
    AgentState,
    AgentTrigger,
    ConnectionState,
    ConnectionTrigger,
    InteractionState,
    InteractionTrigger,
    LinkState,
    LinkTrigger,
    ReservationState,
)
from cti.model.table import Outcome, Table


def cells(*, outcome: Outcome | None) -> list[Any]:
    """All cells of all tables with this outcome; None for those that name a state."""
    return [
        pytest.param(table, state, trigger, id=f"{table.machine}: {trigger.value} in {state.value}".replace(" ", "-"))
        for table in TABLES
        for state in table.states
        for trigger in table.triggers
        if (cell if isinstance(cell := table.cell(state, trigger), Outcome) else None) is outcome
    ]


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.machine)
def test_every_table_is_total(table):
    for state in table.states:
        for trigger in table.triggers:
            cell = table.cell(state, trigger)
            assert isinstance(cell, Outcome) or cell in table.states
    assert set(table.states) == set(type(table.states[0]))
    assert set(table.triggers) == set(type(table.triggers[0]))


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.machine)
def test_every_state_can_be_reached(table):
    """... from the first one, so that no row is dead."""
    reached, edge = set(), {table.states[0]}
    while edge:
        reached |= edge
        edge = {
            cell
            for state in edge
            for trigger in table.triggers
            if not isinstance(cell := table.cell(state, trigger), Outcome)
        } - reached
    unreachable = {state.value for state in set(table.states) - reached}
    assert not unreachable


@pytest.mark.parametrize(("table", "state", "trigger"), cells(outcome=None))
def test_a_cell_with_a_state_leads_there(table, state, trigger):
    assert table.next(state, trigger) is table.cell(state, trigger)
    assert trigger in table.allowed(state)
    assert not table.is_pending(state, trigger)


@pytest.mark.parametrize(("table", "state", "trigger"), cells(outcome=Outcome.IGNORE))
def test_an_ignored_trigger_changes_nothing(table, state, trigger):
    assert table.next(state, trigger) is None
    assert trigger in table.allowed(state)
    assert not table.is_pending(state, trigger)


@pytest.mark.parametrize(("table", "state", "trigger"), cells(outcome=Outcome.PENDING))
def test_a_pending_trigger_changes_nothing_yet(table, state, trigger):
    assert table.next(state, trigger) is None
    assert table.is_pending(state, trigger)


@pytest.mark.parametrize(("table", "state", "trigger"), cells(outcome=Outcome.ILLEGAL))
def test_an_illegal_trigger_names_machine_state_and_trigger(table, state, trigger):
    with pytest.raises(IllegalTransition) as caught:
        table.next(state, trigger)
    error = caught.value
    assert (error.machine, error.state, error.trigger) == (table.machine, state.value, trigger.value)
    assert str(error) == f"{table.machine}: {trigger.value} is illegal in state {state.value}"
    assert error.code == "state.illegal_transition"
    assert trigger not in table.allowed(state)


@pytest.mark.parametrize("state", InteractionState)
@pytest.mark.parametrize("trigger", InteractionTrigger)
def test_an_interaction_moves_by_its_table(state, trigger):
    call = Interaction(InteractionId("i"), SwitchId("fs"), ConnectionId("c"), "", "", "", 0.0, state=state)
    expected = INTERACTION.cell(state, trigger)
    if expected is Outcome.ILLEGAL:
        with pytest.raises(IllegalTransition):
            call.move(trigger, 5.0)
        assert (call.state, call.state_since) == (state, 0.0)
    elif isinstance(expected, Outcome):
        assert call.move(trigger, 5.0) is False
        assert (call.state, call.state_since) == (state, 0.0)
    else:
        assert call.move(trigger, 5.0) is True
        assert (call.state, call.state_since) == (expected, 5.0)


@pytest.mark.parametrize("state", ConnectionState)
@pytest.mark.parametrize("trigger", ConnectionTrigger)
def test_a_connection_moves_by_its_table(state, trigger):
    leg = Connection(ConnectionId("c"), SwitchId("fs"), Side.CALLER, InteractionId("i"), state=state)
    expected = CONNECTION.cell(state, trigger)
    assert leg.move(trigger) is not isinstance(expected, Outcome)
    assert leg.state is (state if isinstance(expected, Outcome) else expected)


def test_a_switch_may_tell_anything_of_a_leg_at_any_time():
    """Events come twice and out of order; nothing a switch can say of a connection is illegal."""
    assert [c.values for c in cells(outcome=Outcome.ILLEGAL) if c.values[0] is CONNECTION] == []


@pytest.mark.parametrize("state", [s for s in ReservationState if s.is_over])
def test_a_reservation_that_is_over_stays_over(state):
    assert {RESERVATION.cell(state, trigger) for trigger in RESERVATION.triggers} == {Outcome.IGNORE}


@pytest.mark.parametrize("state", [s for s in InteractionState if s.is_over])
def test_an_interaction_that_is_over_stays_over(state):
    assert {INTERACTION.cell(state, trigger) for trigger in INTERACTION.triggers} == {Outcome.IGNORE}
    assert not state.is_waiting


@pytest.mark.parametrize("state", [s for s in ReservationState if not s.is_over])
def test_every_living_reservation_can_end_in_every_way(state):
    """Each way out is open from each state, so that no promise can get stuck."""
    for trigger in RESERVATION.triggers[2:]:
        assert RESERVATION.next(state, trigger).is_over


def test_only_a_ready_agent_can_be_reserved():
    takes = [state for state in AgentState if AGENT.cell(state, AgentTrigger.RESERVE) is AgentState.RESERVED]
    assert takes == [AgentState.READY]


def test_what_a_busy_agent_asks_for_is_kept():
    kept = {trigger for trigger in AgentTrigger if AGENT.is_pending(AgentState.BUSY, trigger)}
    assert kept == {AgentTrigger.READY, AgentTrigger.NOT_READY, AgentTrigger.LOG_OFF}


def test_a_link_is_live_only_after_a_snapshot():
    into = {(s, t) for s in LinkState for t in LinkTrigger if LINK.cell(s, t) is LinkState.LIVE}
    assert {trigger for _, trigger in into} == {LinkTrigger.SNAPSHOT_TAKEN}


class Lamp(Enum):
    OFF = "off"
    ON = "on"


class Push(Enum):
    PUSH = "push"
    PULL = "pull"


@pytest.mark.parametrize(
    "rows",
    [
        {Lamp.OFF: (Lamp.ON, Outcome.ILLEGAL)},
        {Lamp.OFF: (Lamp.ON, Outcome.ILLEGAL), Lamp.ON: (Lamp.OFF,)},
        {Lamp.OFF: (Lamp.ON, Outcome.ILLEGAL, Lamp.ON), Lamp.ON: (Lamp.OFF, Lamp.OFF)},
    ],
    ids=["a row is missing", "a row is short", "a row is long"],
)
def test_a_table_that_is_not_total_is_refused(rows):
    with pytest.raises(ConfigurationError, match="lamp: the table is not total"):
        Table("lamp", Push, rows)

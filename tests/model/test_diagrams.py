"""The documentation's diagrams are the tables'."""

from __future__ import annotations

import runpy
from enum import Enum
from pathlib import Path

import pytest

from cti.model.diagrams import document, markdown, mermaid
from cti.model.states import TABLES
from cti.model.table import Outcome, Table

DOCUMENT = Path(__file__).parents[2] / "docs" / "states.md"


class Door(Enum):
    SHUT = "shut"
    WIDE_OPEN = "wide open"
    GONE = "gone"


class Act(Enum):
    PUSH = "push"
    KICK = "kick hard"
    KNOCK = "knock"


DOOR: Table[Door, Act] = Table(
    "door",
    Act,
    {
        Door.SHUT: (Door.WIDE_OPEN, Door.WIDE_OPEN, Outcome.PENDING),
        Door.WIDE_OPEN: (Outcome.IGNORE, Door.GONE, Outcome.ILLEGAL),
        Door.GONE: (Outcome.IGNORE, Outcome.IGNORE, Outcome.IGNORE),
    },
)


def test_the_document_is_the_tables():
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run: python -m cti.model.diagrams > docs/states.md"


@pytest.mark.filterwarnings("ignore:'cti.model.diagrams' found in sys.modules:RuntimeWarning")
def test_the_command_prints_the_document(capsys):
    runpy.run_module("cti.model.diagrams", run_name="__main__")
    assert capsys.readouterr().out == document()


def test_a_diagram():
    assert mermaid(DOOR).splitlines() == [
        "stateDiagram-v2",
        '    state "wide open" as wide_open',
        "    [*] --> shut",
        "    shut --> wide_open: push, kick hard",
        "    shut --> shut: knock (kept)",
        "    wide_open --> gone: kick hard",
        "    gone --> [*]",
    ]


def test_a_table():
    assert markdown(DOOR).splitlines() == [
        "|  | push | kick hard | knock |",
        "| --- | --- | --- | --- |",
        "| **shut** | wide open | wide open | kept |",
        "| **wide open** | - | gone | illegal |",
        "| **gone** | - | - | - |",
    ]


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.machine)
def test_every_change_of_state_is_drawn(table):
    arrows = {}
    for line in mermaid(table).splitlines():
        if "-->" in line and ": " in line:
            ends, triggers = line.strip().split(": ")
            for trigger in triggers.split(", "):
                arrows[ends, trigger] = True
    expected = {
        (f"{state.name.lower()} --> {cell.name.lower()}", trigger.value): True
        for state in table.states
        for trigger in table.triggers
        if not isinstance(cell := table.cell(state, trigger), Outcome)
    }
    assert {arrow: True for arrow in arrows if not arrow[1].endswith("(kept)")} == expected

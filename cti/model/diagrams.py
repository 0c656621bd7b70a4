"""Draws the state tables for the documentation: ``python -m cti.model.diagrams > docs/states.md``."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

from cti.model.states import TABLES
from cti.model.table import Outcome, Table

_HEAD: Final = """\
# State machines

Drawn from the tables in `cti/model/states.py` by `python -m cti.model.diagrams > docs/states.md`; a test holds this
page to them. Each machine is a total table: every state has a cell for every trigger. In the tables below **-** means
that the trigger is late or repeated and changes nothing, **kept** that the wish comes true when the state is left, and
**illegal** that nothing may cause it: the state stays as it is and an `IllegalTransition` names machine, state and
trigger. The diagrams leave out what changes nothing.
"""

_ABOUT: Final = {
    "agent session": """\
From log-on to log-off. Reserved means promised to a call whose leg has been asked for, alerting that the phone rings;
what an agent asks for then ends the offer, and what they ask for while busy is kept until after the call. A pause after
a rejected or unanswered offer is "not ready" with a timer. "Answer" outside an offer is a call found alive in a
snapshot: the agent who is on it is busy, whatever we thought.""",
    "reservation": """\
The promise of one agent to one interaction, for as long as its lease. It is accepted when the agent answers and
completed when caller and agent are bridged. Every other way out runs the same clean-up: clear the leg, free the agent,
put a living caller back in place.""",
    "interaction": """\
What a customer wants of the centre, over however many legs it takes. It waits while queued, routing (an agent is
promised) or delivered (the agent's phone rings), and keeps its age from one to the next; "callback pending" keeps it
too, while the customer is not to be called yet. Diverted, abandoned, lost and
cleared are the ends; Call Cleared is told when the last leg has gone too.""",
    "callback": """\
A customer who left the line, or was never on it, and is to be called. Scheduled means not before a time, waiting that
the place in the queue is kept, calling that the customer's phone is asked to ring, holding that they have answered and
the agent is not there yet: they go before everybody. A try that comes to nothing is scheduled again, or was the last.""",
    "conversation": """\
What an agent does with a call they have. Calling means that a consulted party's phone rings and the caller is held;
consulting that the two talk; alternated that the caller is talked with and the consulted party hears nothing. CSTA makes
a call of its own of each consultation; here it is one interaction, so that the data stays with it.""",
    "connection": """\
One leg on a switch, in CSTA's words. A switch may tell of it twice, late or out of order, so that no trigger is
illegal and a later state may be reached without the ones before it.""",
    "switch link": """\
Whether we can see a switch. Nothing is routed on it until it is live, and it is live only after a snapshot; another
snapshot may be taken at any time.""",
    "standing connection": """\
Whether an agent who stays on the line between calls is on it. Waiting means that it was lost and is rung again in a while;
down that nobody rings it until its agent asks for calls: they have hung up, or it was tried often enough.""",
    "device": """\
Whether a switch can reach a phone that registers. Unknown counts as in service, for a phone that cannot be known too: a
gateway's number, an arbitrary dial string.""",
}

_SAID: Final = {Outcome.IGNORE: "-", Outcome.PENDING: "kept", Outcome.ILLEGAL: "illegal"}


def mermaid(table: Table[Any, Any]) -> str:
    """A table as a mermaid ``stateDiagram-v2``, one arrow a pair of states, without a final line break."""
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{state.value}" as {_id(state)}' for state in table.states if state.value != _id(state)]
    lines.append(f"    [*] --> {_id(table.states[0])}")
    for state in table.states:
        arrows: dict[str, list[str]] = {}
        for trigger, cell in _row(table, state):
            if cell is Outcome.PENDING:
                arrows.setdefault(_id(state), []).append(f"{trigger.value} (kept)")
            elif not isinstance(cell, Outcome):
                arrows.setdefault(_id(cell), []).append(trigger.value)
        lines += [f"    {_id(state)} --> {target}: {', '.join(triggers)}" for target, triggers in arrows.items()]
        if not arrows:
            lines.append(f"    {_id(state)} --> [*]")
    return "\n".join(lines)


def markdown(table: Table[Any, Any]) -> str:
    """A table as a markdown table, a row a state and a column a trigger, without a final line break."""
    rows = [
        ["", *(trigger.value for trigger in table.triggers)],
        ["---"] * (len(table.triggers) + 1),
        *([f"**{state.value}**", *(_said(cell) for _, cell in _row(table, state))] for state in table.states),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def document() -> str:
    """The whole of docs/states.md."""
    parts = [_HEAD]
    for table in TABLES:
        title = table.machine.capitalize()
        parts.append(
            f"## {title}\n\n{_ABOUT[table.machine]}\n\n```mermaid\n{mermaid(table)}\n```\n\n{markdown(table)}\n"
        )
    return "\n".join(parts)


def _row(table: Table[Any, Any], state: Enum) -> Iterator[tuple[Enum, Enum]]:
    return ((trigger, table.cell(state, trigger)) for trigger in table.triggers)


def _id(state: Enum) -> str:
    return state.name.lower()


def _said(cell: Enum) -> str:
    return _SAID[cell] if isinstance(cell, Outcome) else str(cell.value)


def _main() -> None:
    print(document(), end="")  # noqa: T201 - what a command is for


if __name__ == "__main__":
    _main()

"""What would have changed with another router: the same callers and agents, played again twice and compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from cti.model.ids import AgentId, ConnectionId
from cti.store.observed import observe
from cti.store.outcome import CallOutcome, Figures, figures
from cti.store.replay import MakeRouter, Replay, ReplayReport, skill_router
from cti.store.simulation import Simulation

CAVEAT: Final = (
    "Both routers are simulated, since what the switch said in the journal answers offers that another router does not "
    "make. Callers come, hang up, and talk as they did; one who was answered is taken to wait as long as it takes, one "
    "who was not to talk as long as the mean of the queue. Every offer is answered, after the agent's mean ringing time. "
    "Agents log on and off, and ask for calls and pauses, when they did. Compare the two simulations with each other; how "
    "far the first is from what was recorded tells how far to trust them."
)


@frozen
class Changed:
    """A call that went otherwise with the other router."""

    caller: ConnectionId
    at: float
    """When it was queued, Unix time."""
    before: str
    """The outcome with the recorded router, simulated."""
    after: str
    before_agent: AgentId | None
    after_agent: AgentId | None
    before_wait_s: float | None
    after_wait_s: float | None


@frozen
class Comparison:
    """The recorded traffic, the same traffic simulated with the recorded router, and with the other one."""

    recorded: Figures
    before: Figures
    after: Figures
    agent_changed: int
    """Calls that another agent answers."""
    outcome_changed: int
    """Calls that end otherwise: answered instead of abandoned, say."""
    changed: tuple[Changed, ...]
    """The first of these."""
    longer: int
    """Calls that would wait longer than they did and did not hang up then: some of them might."""
    refused: int
    """Requests of scripts and agents that the other course of events made impossible."""
    replay: ReplayReport
    caveat: str = CAVEAT


def compare(
    replay: Replay, router: MakeRouter, *, before: MakeRouter = skill_router, differences: int = 10
) -> Comparison:
    """What another router would have made of a journal.

    Args:
        replay: of the journal, not yet run.
        router: makes the other one.
        before: makes one as was recorded.
        differences: how many of the calls that went otherwise are named.

    Raises:
        ConfigurationError: the recorded router is not a SkillRouter, and the replay was not given one.
    """
    stretches = observe(replay)
    simulated = [Simulation(stretch, before) for stretch in stretches]
    others = [Simulation(stretch, router) for stretch in stretches]
    was = [simulation.run() for simulation in simulated]
    is_now = [simulation.run() for simulation in others]
    changed = [
        one
        for stretch, old, new in zip(stretches, was, is_now, strict=True)
        for one in _changed(stretch.epoch, old, new)
    ]
    return Comparison(
        recorded=figures(call for stretch in stretches for call in stretch.outcomes),
        before=figures(call for calls in was for call in calls),
        after=figures(call for calls in is_now for call in calls),
        agent_changed=sum(one.before == one.after and one.before_agent != one.after_agent for one in changed),
        outcome_changed=sum(one.before != one.after for one in changed),
        changed=tuple(changed[:differences]),
        longer=sum(simulation.longer for simulation in others),
        refused=sum(simulation.refused for simulation in others),
        replay=replay.report,
    )


def _changed(epoch: float, old: Iterable[CallOutcome], new: Iterable[CallOutcome]) -> list[Changed]:
    by_caller = {call.caller: call for call in new}
    found = []
    for was in old:
        now = by_caller.get(was.caller)
        if now is not None and (was.outcome, was.agent) != (now.outcome, now.agent):
            found.append(
                Changed(
                    was.caller,
                    epoch + was.queued_at,
                    was.outcome,
                    now.outcome,
                    was.agent,
                    now.agent,
                    was.waited_s,
                    now.waited_s,
                )
            )
    return sorted(found, key=lambda one: (one.at, one.caller))

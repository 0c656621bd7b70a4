"""A centre of one queue to simulate, and its run."""

from __future__ import annotations

from cti.model.agent import AgentSettings
from cti.model.queue import QueueSettings
from cti.simulation import PROFILES, Calls, Simulation, SimulationSettings


def settings(
    *, agents=5, calls=200, load=0.8, handle_s=180.0, patience_s=None, faults="none", queue=None, profile=None, **more
):
    """``load`` is the share of the agents' time that conversations alone would take."""
    return SimulationSettings(
        agents=tuple(AgentSettings(f"agent-{n}", f"user/{n}") for n in range(1, agents + 1)),
        queues=(QueueSettings("calls", music="", **(queue or {})),),
        calls=(
            Calls(
                queue="calls",
                count=calls,
                rate_per_s=load * agents / handle_s,
                handle_s=handle_s,
                patience_s=patience_s,
            ),
        ),
        faults=profile or PROFILES[faults],
        **more,
    )


def run(*, on_end=None, progress=None, **options):
    return Simulation(settings(**options), on_end=on_end).run(progress)

"""A centre of one queue to simulate, and its run."""

from __future__ import annotations

import random

from attrs import evolve

from cti.model.agent import AgentSettings
from cti.model.callback import CallbackSettings
from cti.model.overflow import ToQueue, ToScript
from cti.model.personal import LastAgent
from cti.model.predictive import PredictiveSettings
from cti.model.queue import QueueSettings
from cti.routing import RingAll, RingProgressively
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


def errands(*, seed=1, profile=None, switches=("one",), every_s=2.0, calls=40, agents=6):
    """A centre whose queues differ in all they can, whose agents, callers and operators ask for every service."""
    chance = random.Random(seed)
    predictive = PredictiveSettings("sorry.wav", abandon_cap=1.0)
    back = CallbackSettings(pause_s=20.0, busy_pause_s=20.0, ring_s=15.0, expiry_s=600.0)
    queues = (
        QueueSettings(
            "vip",
            requires={"vip": 1},
            wrap_up_s=5.0,
            callback=evolve(back, first="customer"),
            after_call=ToScript("survey"),
            record=1.0,
            record_announcement="recorded.wav",
            keep_place_s=60.0,
            predictive=predictive,
        ),
        QueueSettings(
            "calls",
            wrap_up_s=2.0,
            callback=evolve(back, abandoned=True),
            max_wait_s=60.0,
            overflow=ToQueue("vip"),
            predictive=predictive,
            record=0.5,
            keep_place_s=60.0,
            personal=LastAgent(wait_s=10.0),
        ),
        QueueSettings(
            "all",
            strategy=RingAll(most=3),
            max_wait_s=45.0,
            overflow=ToScript("full"),
            overflow_unstaffed=True,
            after_call=ToQueue("calls"),
            route_script=chance.choice(["", "who"]),
            predictive=predictive,
        ),
        QueueSettings(
            "steps",
            strategy=RingProgressively(every_s=4.0, most=3),
            conference_ends_with_caller=True,
            max_waiting=3,
            overflow=ToQueue("calls"),
            callback=evolve(back, first="customer"),
        ),
    )
    return SimulationSettings(
        agents=tuple(_agent(n, chance, switches) for n in range(1, agents + 1)),
        queues=queues,
        calls=tuple(
            Calls(queue=queue.id, count=calls // 4, rate_per_s=agents / 240.0, handle_s=60.0, patience_s=60.0)
            for queue in queues
        ),
        faults=profile or PROFILES["none"],
        seed=seed,
        errands_every_s=every_s,
        switches=switches,
        check_every=1,
    )


def _agent(n, chance, switches):
    second = {
        "mobile": f"sofia/gateway/mobile/{n}",
        "mobile_after_s": chance.choice([0.0, 3.0]),
        "mobile_key": chance.choice(["", "1"]),
    }
    return AgentSettings(
        f"agent-{n}",
        f"user/{n}",
        skills={"vip": n % 3},
        switch=chance.choice(["", *switches]) if len(switches) > 1 else "",
        no_answers_allowed=chance.choice([1, 3]),
        pickup_groups=chance.choice([(), ("group",)]),
        **(second if chance.random() < 0.3 else {}),
    )

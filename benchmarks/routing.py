"""What the router costs in a large centre, and in the same centre with a hundredth of the agents.

Prints ``key=value`` lines; times are microseconds of one core, those of other programs not counted. Each agent has up to
20 of 300 skills, each queue asks for one skill or two at some level and widens once. A decision is what happens when a
call comes or an agent gets free: the question to the router, and the record of the answer. A state change is an agent
getting unavailable, or available. A service level changes when a call has been answered or is late.

With ``--mode borrowing`` every other queue is below its service level and borrows the agents of two others that lend;
with ``deficit`` each has a target and its own distance from it, which counts in the order; with ``personal`` one call in
ten waits for one agent alone, and one in ten prefers three; ``all`` is all of this at once.

    python benchmarks/routing.py [--mode plain] [--agents 30000] [--queues 200] [--skills 300] [--waiting 5000]
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import time
import tracemalloc

from _figures import percentile

from cti.model.agent import Agent, AgentSettings
from cti.model.borrowing import Borrowing
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, SwitchId
from cti.model.interaction import Interaction
from cti.model.queue import Queue, QueueSettings
from cti.model.widening import Widening
from cti.routing import SkillRouter

SMALL = 100
"""The small centre has so many times fewer agents."""


MODES = ("plain", "borrowing", "deficit", "personal", "all")


def queues(chance: random.Random, count: int, skills: list[str], mode: str = "plain") -> list[Queue]:
    """Return queues of one skill or two, one in ten with a growing priority."""
    made = []
    for number in range(count):
        first, second = chance.sample(skills, 2)
        level = chance.randint(2, 8)
        requires = f"{first} >= {level}" + (f" and {second}" if chance.random() < 0.2 else "")
        settings = QueueSettings(
            id=QueueId(f"queue-{number}"),
            requires=requires,
            widening=(Widening(after_s=30, requires=f"{first} >= {level - 1}"),),
            priority=chance.randrange(3),
            priority_per_minute=1.0 if chance.random() < 0.1 else 0.0,
            strategy=chance.choice(["longest-idle", "longest-idle", "fewest-calls", "least-skilled"]),
            service_level_target=0.8 if mode in ("deficit", "all") else None,
            borrows=Borrowing((f"queue-{(number + 1) % count}", f"queue-{(number + 3) % count}"))
            if mode in ("borrowing", "all") and number % 2
            else None,
        )
        made.append(Queue(settings))
        if mode != "plain":
            for _ in range(100):
                made[-1].recent.note(in_time=not number % 2 or chance.random() < 0.5)
    return made


def agents(chance: random.Random, count: int, skills: list[str]) -> list[Agent]:
    """Return agents with one to twenty skills."""
    made = []
    for number in range(count):
        levels = {skill: chance.randint(1, 9) for skill in chance.sample(skills, chance.randint(1, 20))}
        settings = AgentSettings(id=AgentId(f"agent-{number}"), contact=f"user/{number}", skills=levels)
        made.append(Agent(settings, idle_since=chance.random() * 1000))
    return made


def call(chance: random.Random, number: int, among: list[Queue], staff: list[Agent], mode: str) -> Interaction:
    """Return a call that waits in one of the queues, widened or not."""
    queue = chance.choice(among)
    wish = chance.randrange(10) if mode in ("personal", "all") else None
    at = chance.random() * 1000
    return Interaction(
        id=InteractionId(f"{number:08x}-0000-7000-8000-000000000000"),
        switch=SwitchId("fs"),
        caller=ConnectionId(f"{number:08x}-0000-4000-8000-000000000000"),
        calling_number=f"+44{number:09}",
        calling_name="",
        called_number="5000",
        created_at=at,
        queue=queue.id,
        priority=queue.settings.priority,
        queued_at=at,
        entered_at=at,
        widened=chance.randrange(2),
        place=number,
        wanted=chance.choice(staff).id if wish == 0 else None,
        preferred=tuple(chance.choice(staff).id for _ in range(3)) if wish == 1 else (),
    )


class Timed:
    """Collects how long things took."""

    def __init__(self) -> None:
        self.us: list[float] = []

    def __enter__(self) -> None:
        self._began = time.thread_time_ns()

    def __exit__(self, *_: object) -> None:
        self.us.append((time.thread_time_ns() - self._began) / 1000)


def centre(chance: random.Random, sizes: argparse.Namespace, count: int) -> dict[str, float]:
    """Return the figures of a centre with so many agents."""
    names = [f"skill-{n}" for n in range(sizes.skills)]
    router = SkillRouter(service_level=sizes.mode in ("deficit", "all"))
    router.now = 1000.0
    made = queues(chance, sizes.queues, names, sizes.mode)
    for queue in made:
        router.queue_defined(queue)
    gc.collect()
    tracemalloc.start()
    staff = agents(chance, count, names)
    for agent in staff:
        router.agent_available(agent)
    per_agent = tracemalloc.get_traced_memory()[0] / count
    before = tracemalloc.get_traced_memory()[0]
    calls = [call(chance, number, made, staff, sizes.mode) for number in range(sizes.waiting)]
    for one in calls:
        router.call_waiting(one)
    per_call = (tracemalloc.get_traced_memory()[0] - before) / sizes.waiting
    tracemalloc.stop()
    gc.collect()
    gc.freeze()
    known, desk = {one.id: one for one in calls}, {agent.id: agent for agent in staff}
    arrived, freed, leaves, becomes, levels = Timed(), Timed(), Timed(), Timed(), Timed()
    for number in range(sizes.rounds):
        agent = chance.choice(staff)
        with leaves:
            router.agent_unavailable(agent.id)
        with becomes:
            router.agent_available(agent)
        with freed:
            due = router.call_for(agent)
            if due is not None:
                router.decided(known[due], agent)
        one = call(chance, sizes.waiting + number, made, staff, sizes.mode)
        router.call_waiting(one)
        with arrived:
            found = router.agent_for(one)
            if found is not None:
                router.decided(one, desk[found])
        router.call_gone(one.id)
        queue = chance.choice(made)
        queue.recent.note(in_time=chance.random() < 0.8)
        with levels:
            router.figures_changed(queue)
    served = [sum(queue.settings.accepts(agent.skills) for queue in made) for agent in staff[:300]]
    decisions, changes = arrived.us + freed.us, leaves.us + becomes.us
    figures = {
        "queues_per_agent": sum(served) / len(served),
        "decision_p50_us": percentile(decisions, 50),
        "decision_p99_us": percentile(decisions, 99),
        "call_arrives_p99_us": percentile(arrived.us, 99),
        "agent_gets_free_p99_us": percentile(freed.us, 99),
        "state_change_p50_us": percentile(changes, 50),
        "state_change_p99_us": percentile(changes, 99),
        "service_level_p99_us": percentile(levels.us, 99),
        "queues_borrowing": len(router.borrowing()),
        "bytes_per_idle_agent": per_agent,
        "bytes_per_waiting_call": per_call,
    }
    redefined = Timed()
    for queue in made[:20]:
        with redefined:
            router.queue_defined(queue)
    return {**figures, "queue_redefined_ms": percentile(redefined.us, 50) / 1000}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--mode", choices=MODES, default="plain")
    arguments.add_argument("--agents", type=int, default=30_000)
    arguments.add_argument("--queues", type=int, default=200)
    arguments.add_argument("--skills", type=int, default=300)
    arguments.add_argument("--waiting", type=int, default=5_000)
    arguments.add_argument("--rounds", type=int, default=5_000)
    arguments.add_argument("--seed", type=int, default=1)
    sizes = arguments.parse_args()
    print(f"python={sys.version.split()[0]}")
    for name in ("mode", "agents", "queues", "skills", "waiting", "rounds", "seed"):
        print(f"{name}={getattr(sizes, name)}")
    small = centre(random.Random(sizes.seed), sizes, max(1, sizes.agents // SMALL))
    large = centre(random.Random(sizes.seed), sizes, sizes.agents)
    for key, value in large.items():
        print(f"{key}={value:.1f}")
    for key in ("decision_p50_us", "decision_p99_us", "state_change_p50_us", "state_change_p99_us"):
        print(f"small_{key}={small[key]:.1f}")
    for key in ("decision_p50", "decision_p99", "state_change_p99"):
        print(f"{key}_ratio={large[f'{key}_us'] / small[f'{key}_us']:.2f}")


if __name__ == "__main__":
    main()

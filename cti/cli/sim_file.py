"""`cti sim centre.toml`: the queues and agents of a configuration, with callers who are made up."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from cti.config import read_configuration
from cti.errors import ConfigurationError
from cti.model.agent import NOWHERE
from cti.model.ids import QueueId
from cti.model.overflow import Disconnect, Overflow, ToDestination, ToQueue
from cti.model.queue import QueueSettings
from cti.simulation import PROFILES, Calls, SimulationSettings


def settings_of(
    file: Path,
    shares: Mapping[str, float],
    *,
    calls: int,
    arrival_rate: float,
    handle_time: float,
    patience: float | None,
    ring_time: float,
    seed: int,
    faults: str,
    errands: float | None,
) -> SimulationSettings:
    """A simulation of a configuration's queues and agents, all of whom are logged on and ready.

    What needs a host application is left out: route scripts do not answer, and calls that would go to a script or a
    mailbox leave the centre.

    Args:
        file: the configuration.
        shares: which queues are called, and how much of the calls each gets; empty for all alike.
        calls: callers in all.
        arrival_rate: calls an hour, of all queues together.
        handle_time: mean seconds of talk.
        patience: mean seconds until a caller hangs up; None for never.
        ring_time: mean seconds to the answer.
        seed: of everything that is drawn.
        faults: the profile's name.
        errands: mean seconds between two moments at which somebody asks for something else; None for never.

    Raises:
        ConfigurationError: the file cannot be used, or a share names a queue that it does not have.
    """
    centre = read_configuration(file, _Unset(os.environ), calls_only=True)
    unknown = sorted(set(shares) - set(centre.queues))
    if unknown:
        raise ConfigurationError(f"--share: {file.name} has no queue {unknown[0]!r}; it has {', '.join(centre.queues)}")
    called = shares or dict.fromkeys(centre.queues, 1.0)
    total = sum(called.values())
    return SimulationSettings(
        agents=tuple(
            evolve(agent, contact=f"user/{n}", switch=NOWHERE) for n, agent in enumerate(centre.agents.values(), 1)
        ),
        queues=tuple(_without_host(queue) for queue in centre.queues.values()),
        calls=tuple(
            Calls(
                queue=QueueId(name),
                count=max(1, round(calls * share / total)),
                rate_per_s=arrival_rate / 3600 * share / total,
                handle_s=handle_time,
                patience_s=patience,
            )
            for name, share in called.items()
        ),
        answer_s=(ring_time / 2, ring_time * 1.5),
        seed=seed,
        faults=PROFILES[faults],
        errands_every_s=errands,
    )


class _Unset(dict[str, str]):
    """The environment, and a word for whatever is not set: planning needs neither addresses nor secrets."""

    def __missing__(self, _name: str) -> str:
        return "unset"

    def __contains__(self, _name: object) -> bool:
        return True

    def get(self, name: str, _default: object = None) -> str:
        """The value, or the word."""
        return self[name]


def _without_host(queue: QueueSettings) -> QueueSettings:
    return evolve(
        queue,
        route_script="",
        waiting=None,
        music="",
        after_call=None,
        overflow=_plain(queue.overflow),
        overflows={reason: _plain(target) for reason, target in queue.overflows.items()},
    )


def _plain(target: Overflow) -> Overflow:
    return target if isinstance(target, ToQueue | ToDestination) else Disconnect()

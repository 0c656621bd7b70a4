"""What queueing theory says of a call centre: Erlang's formulas, to hold a simulation against.

All assume one queue, calls at random (Poisson), exponential conversations, agents who are all alike and answer at once.
A = offered load in erlangs = calls a second x mean conversation in seconds. Erlang A: Palm 1957; Mandelbaum and Zeltyn,
"Service engineering in action: the Palm/Erlang-A queue", 2007.
"""

from __future__ import annotations

import math

from attrs import frozen

from cti.errors import ConfigurationError

_NEGLIGIBLE = 1e-14
_STEPS = 400
"""Of Simpson's rule; an even number."""


@frozen
class Prediction:
    """What theory says; times in seconds, shares from 0 to 1."""

    delayed: float
    """The share of calls for which no agent is free at once."""
    mean_wait_s: float
    """Of all calls: to the answer, or to the caller's hanging up."""
    abandoned: float
    """The share of calls that hang up."""
    in_time: float
    """Answered within the time asked for / (offered - abandoned)."""


def erlang_b(agents: int, load: float) -> float:
    """The share of calls turned away by so many agents when nobody can wait.

    Raises:
        ConfigurationError: there are no agents, or the load is negative.
    """
    if agents < 1 or not 0 <= load < math.inf:
        raise ConfigurationError(f"{agents} agents and a load of {load} erlangs: both must be positive")
    blocked = 1.0
    for n in range(1, agents + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(agents: int, rate_per_s: float, handle_s: float, within_s: float) -> Prediction:
    """Callers who wait for ever.

    Args:
        agents: how many.
        rate_per_s: mean calls a second.
        handle_s: the mean conversation.
        within_s: for ``in_time``.

    Raises:
        ConfigurationError: the agents cannot carry the load, so that no mean exists.
    """
    load = rate_per_s * handle_s
    blocked = erlang_b(agents, load)
    if load >= agents:
        raise ConfigurationError(f"{agents} agents cannot carry {load:g} erlangs: the queue grows without end")
    delayed = blocked / (1 - load / agents * (1 - blocked))
    spare_per_s = (agents - load) / handle_s
    return Prediction(delayed, delayed / spare_per_s, 0.0, 1 - delayed * math.exp(-spare_per_s * within_s))


def erlang_a(agents: int, rate_per_s: float, handle_s: float, patience_s: float, within_s: float) -> Prediction:
    """Callers whose patience is exponential, from the birth and death of callers in the centre.

    Args:
        agents: how many.
        rate_per_s: mean calls a second.
        handle_s: the mean conversation.
        patience_s: the mean patience.
        within_s: for ``in_time``.

    Raises:
        ConfigurationError: a figure is not positive.
    """
    if agents < 1 or min(rate_per_s, handle_s, patience_s) <= 0:
        raise ConfigurationError("agents, rate, conversation and patience must all be more than 0")
    served_per_s, leave_per_s = agents / handle_s, 1 / patience_s
    # The chance of n callers in the centre, as a multiple of that of ``agents`` of them, downwards and upwards from it.
    below, one = 0.0, 1.0
    for n in range(agents, 0, -1):
        one *= n / handle_s / rate_per_s
        below += one
    waiting, most = [1.0], 1.0
    while served_per_s + len(waiting) * leave_per_s < rate_per_s or waiting[-1] > _NEGLIGIBLE * most:
        waiting.append(waiting[-1] * rate_per_s / (served_per_s + len(waiting) * leave_per_s))
        most = max(most, waiting[-1])
    total = below + sum(waiting)
    delayed = sum(waiting) / total
    queue = sum(length * weight for length, weight in enumerate(waiting)) / total
    abandoned = leave_per_s * queue / rate_per_s
    answered_late_enough = _answered_within(waiting, served_per_s, leave_per_s, within_s) / total
    return Prediction(
        delayed,
        queue / rate_per_s,
        abandoned,
        (1 - delayed + answered_late_enough) / (1 - abandoned),
    )


def _answered_within(waiting: list[float], served_per_s: float, leave_per_s: float, within_s: float) -> float:
    """The weight of those who wait and are answered within so long.

    Behind k others the wait is the sum of exponentials with rates s + j*l, j = 0 to k: its density is
    exp(-s*t) * (1 - exp(-l*t))**k * l * G(k + 1 + s/l) / (G(s/l) * k!), and the caller is still there with exp(-l*t).
    """
    shape = served_per_s / leave_per_s
    factors = [
        math.log(weight) + math.log(leave_per_s) + math.lgamma(k + 1 + shape) - math.lgamma(shape) - math.lgamma(k + 1)
        for k, weight in enumerate(waiting)
    ]

    def density(t: float) -> float:
        gone = -math.expm1(-leave_per_s * t)
        stays = -(served_per_s + leave_per_s) * t
        if gone <= 0:
            return math.exp(factors[0] + stays)
        step = math.log(gone)
        return math.fsum(math.exp(factor + stays + k * step) for k, factor in enumerate(factors))

    if within_s <= 0:
        return 0.0
    width = within_s / _STEPS
    inner = math.fsum((4 if n % 2 else 2) * density(n * width) for n in range(1, _STEPS))
    return width / 3 * (density(0.0) + inner + density(within_s))

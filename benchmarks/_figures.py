"""Percentiles, processor time, and lines of ``key=value``."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile; nan for no values."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def cpu_seconds(pid: int) -> float:
    """Return the processor time (user and system, all threads) a process has used so far, from /proc."""
    # The command's name, in parentheses, may contain spaces: count the fields after it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def machine_seconds() -> tuple[float, float]:
    """Return the processor time all programs of the machine have used, and what there was to use, from /proc/stat."""
    user, nice, system, idle, iowait, irq, softirq, *rest = map(
        int, Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    )
    busy = user + nice + system + irq + softirq + sum(rest[:1])  # rest begins with steal, which we did not get
    ticks = os.sysconf("SC_CLK_TCK")
    return busy / ticks, (busy + idle + iowait) / ticks


def line(*words: str, **values: object) -> str:
    """Return one line of output: the words, then the values; numbers with a fraction are given three places."""
    rendered = (f"{key}={value:.3f}" if isinstance(value, float) else f"{key}={value}" for key, value in values.items())
    return " ".join((*words, *rendered))

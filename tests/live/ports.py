"""Free loopback ports for the processes a test starts."""

from __future__ import annotations

import os
import random
import socket
from collections import deque
from pathlib import Path

# Signalling stays below the kernel's own ephemeral range (32768 and up), so that no outgoing connection takes a port in
# between. Audio has a range of its own: FreeSWITCH takes audio ports one by one as calls come, and a call whose port
# somebody else has is lost (INCOMPATIBLE_DESTINATION).
_SIGNALLING = range(20_000, 32_000, 2)
_AUDIO = range(33_000, 60_000, 2)
_PORTS_IN_USE = Path("/proc/net/udp")
_random = random.Random()
_given: deque[int] = deque(maxlen=60)
"""What was given out last: under load its taker may not have bound it yet, and it looks free."""
_NEAR = 8


def _share(ports: range) -> range:
    """This process's own part of them where several run tests at once, so that none takes what another has just found."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    each = len(ports) // count
    return ports[int(worker) * each : (int(worker) + 1) * each]


def free_ports(count: int, *, block: int = 1) -> list[int]:
    """Return ``count`` even loopback port numbers, each free for TCP and UDP together with the ``block - 1`` after it."""
    found: list[int] = []
    for candidate in _shuffled(_share(_SIGNALLING)):
        apart = all(abs(candidate - other) >= max(block, _NEAR) for other in (*found, *_given))
        if apart and all(_is_free(port) for port in range(candidate, candidate + block)):
            found.append(candidate)
            if len(found) == count:
                _given.extend(found)
                return found
    raise OSError(f"no {count} free blocks of {block} ports on 127.0.0.1")


def free_audio_ports(count: int) -> int:
    """Return the first of ``count`` UDP ports for FreeSWITCH's audio, none of which is in use now."""
    used = _udp_ports_in_use()
    ports = _share(_AUDIO)
    for start in _shuffled(ports):
        if start + count <= ports.stop and used.isdisjoint(range(start, start + count)):
            return start
    raise OSError(f"no {count} free UDP ports in a row")


def _shuffled(ports: range) -> list[int]:
    return _random.sample(ports, len(ports))


def is_bound(port: int) -> bool:
    """Whether somebody has this UDP port; where nobody can tell (not Linux), they are taken at their word."""
    return port in _udp_ports_in_use() or not _PORTS_IN_USE.exists()


def _udp_ports_in_use() -> set[int]:
    try:
        rows = _PORTS_IN_USE.read_text().splitlines()[1:]
    except OSError:
        return set()  # not Linux: the range alone has to do
    return {int(row.split()[1].rpartition(":")[2], 16) for row in rows}


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True

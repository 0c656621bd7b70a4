"""How patient we are with a switch: every wait of the event socket, in one value."""

from __future__ import annotations

from typing import Final

from attrs import frozen

REPLY_TIMEOUT_S: Final = 10.0
"""A reply takes FreeSWITCH 0.1 ms idle and a second behind a slow ``api``; one that takes longer will not come."""


@frozen
class Timing:
    """All times are in seconds; the defaults suit a FreeSWITCH of any size."""

    connect_timeout_s: float = 5.0
    """To connect, to be greeted, and to be let in, each."""
    ping_every_s: float = 3.0
    ping_timeout_s: float = 5.0
    """A half-open connection is found within the sum of the two."""
    back_off_s: tuple[float, float] = (0.2, 10.0)
    """Between attempts: doubling from the first to the second, each with up to a half taken off by chance."""
    snapshot_lag_s: float = 0.25
    """``show channels`` is a database that lags the core by 0.1 s and more under load; what it shows after this is true."""
    canary_every_s: float = 1.0
    """How often the delay of events is measured."""
    lag_warn_s: float = 0.5
    """A delay worth a line in the log; FreeSWITCH's own sleep makes 0.02."""
    lag_leave_s: float = 5.0
    """We leave when events are later than this. FreeSWITCH queues 100,000 for us, which is 7 s of all it can make
    (14,000 a second); beyond that it drops them, and then stops serving every client."""
    heartbeats_missed: int = 3
    """We leave when so many HEARTBEAT events in a row did not come, once two have shown how often they do."""
    warm_s: float = 2.0
    """How long after an event or a command of a call in progress the event socket is kept awake."""

"""What Prometheus is told: the centre, the API, and this server."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from cti.api.centre import Centre
from cti.api.server import ApiServer
from cti.engine.view import CentreView, QueueView
from cti.model.states import AgentState, DeviceState

FRESH_S: Final = 1.0
"""A view of the centre is used again for so long: taking one costs everybody's time, the more the more agents."""

_COUNTS: Final = {
    "offered": "Calls that came into the queue.",
    "answered": "Calls that an agent answered.",
    "answered_in_time": "Of these, within the time of the service level.",
    "abandoned": "Callers who hung up while waiting.",
    "short_abandoned": "Of these, very soon.",
    "overflowed": "Calls that left for elsewhere.",
    "lost": "Callers whom the switch lost.",
    "left": "Calls that the host application took out.",
    "taken_as_callback": "Callers who left the line, to be called back.",
    "callbacks": "Callbacks asked for.",
    "callbacks_answered": "Of these, customers whom an agent talked with.",
    "callbacks_failed": "Of these, never reached.",
    "callbacks_cancelled": "Of these, not wanted any more.",
    "callbacks_expired": "Of these, given up.",
}
_GAUGES: Final[Mapping[str, tuple[str, Callable[[QueueView], float | None]]]] = {
    "waiting": ("Callers who wait on the line.", lambda queue: queue.figures.waiting),
    "callbacks_pending": ("Callbacks that are not over.", lambda queue: queue.figures.callbacks_pending),
    "longest_wait_seconds": (
        "The longest wait of those that wait.",
        lambda queue: max((call.waited_s for call in queue.waiting), default=0.0),
    ),
    "service_level_ratio": ("Answered in time since the start.", lambda queue: queue.figures.service_level),
    "answer_speed_seconds": ("Mean wait of answered calls since the start.", lambda queue: queue.figures.asa_s),
    "agents_ready": ("Agents who could take a call now.", lambda queue: queue.agents_ready),
    "agents_staffed": ("Agents logged on who meet the requirement.", lambda queue: queue.agents_staffed),
}
Counts = Mapping[str, int]


class CentreMetrics:
    """The centre as it is when Prometheus asks.

    Args:
        centre: which.
        lag_s: how late greenlets get their turn.
    """

    def __init__(self, centre: Centre, lag_s: Callable[[], float]) -> None:
        self._centre = centre
        self._lag_s = lag_s
        self._view: CentreView | None = None
        self._taken_at = 0.0

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        now = time.monotonic()
        if self._view is None or now - self._taken_at >= FRESH_S:
            self._view, self._taken_at = self._centre.snapshot(), now
        view = self._view
        yield from _queues(view)
        states = Counter(agent.state for agent in view.agents)
        agents = GaugeMetricFamily("cti_agents", "Agents by state; null is logged off.", labels=["state"])
        for state in AgentState:
            agents.add_metric([state.value], states[state])
        yield agents
        links = GaugeMetricFamily("cti_link_live", "1 while the link to the switch is live.", labels=["switch"])
        for switch, link in view.links.items():
            links.add_metric([switch], link.value == "live")
        yield links
        yield GaugeMetricFamily("cti_calls", "Living calls.", value=view.calls)
        yield GaugeMetricFamily("cti_calls_talking", "Calls with an agent.", value=view.talking)
        yield GaugeMetricFamily("cti_loop_lag_seconds", "The latest turn since the last scrape.", value=self._lag_s())
        yield from _switches(view)
        late = GaugeMetricFamily("cti_switch_lag_seconds", "How late the switch's events are.", labels=["switch"])
        for name, link in getattr(self._centre, "switches", {}).items():
            late.add_metric([name], link.lag_s)
        yield late


def _switches(view: CentreView) -> Iterable[Metric]:
    calls = GaugeMetricFamily("cti_switch_calls", "Calls on the switch, or with agents there.", labels=["switch"])
    drained = GaugeMetricFamily("cti_switch_draining", "1 while the switch takes no new calls.", labels=["switch"])
    for switch in view.switches:
        calls.add_metric([switch.id], switch.calls)
        drained.add_metric([switch.id], switch.draining)
    yield calls
    yield drained
    yield from _trunks(view)


def _trunks(view: CentreView) -> Iterable[Metric]:
    what = "1 while the gateway is in service; none while the link to its switch is down."
    there = GaugeMetricFamily("cti_trunk_in_service", what, labels=["switch", "trunk"])
    what = "Calls outside that ended for a fault of the way there."
    failures = CounterMetricFamily("cti_trunk_failures", what, labels=["switch", "cause"])
    for switch in view.switches:
        for trunk in switch.trunks:
            if trunk.state is not DeviceState.UNKNOWN:
                there.add_metric([switch.id, trunk.id], trunk.state is DeviceState.IN_SERVICE)
        for cause, count in sorted(switch.trunk_failures.items()):
            failures.add_metric([switch.id, cause], count)
    yield there
    yield failures


class ServerMetrics:
    """Counts of a server, by name; those of the ZeroMQ API, and this one's.

    Args:
        prefix: before each name.
        requests: how many there were.
        refused: code -> how many were refused with it.
        gauges: name -> what it is, and its value now.
    """

    def __init__(
        self,
        prefix: str,
        requests: Callable[[], int],
        refused: Callable[[], Counts],
        gauges: Mapping[str, tuple[str, Callable[[], float]]],
    ) -> None:
        self._prefix = prefix
        self._requests = requests
        self._refused = refused
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        yield CounterMetricFamily(f"{self._prefix}_requests", "Requests.", value=self._requests())
        refused = CounterMetricFamily(f"{self._prefix}_refused", "Requests that were refused.", labels=["code"])
        for code, count in self._refused().items():
            refused.add_metric([code], count)
        yield refused
        for name, (what, value) in self._gauges.items():
            yield GaugeMetricFamily(f"{self._prefix}_{name}", what, value=value())


def api_metrics(server: ApiServer) -> ServerMetrics:
    """The ZeroMQ API's metrics, for ``WebServer(collectors=...)``; the server must have been started."""
    return ServerMetrics(
        "cti_api",
        lambda: server.tally.requests,
        lambda: server.tally.refused,
        {
            "clients": ("Connections that are served.", lambda: server.clients),
            "unsent": ("Messages dropped since the start: their reader was too slow.", lambda: server.tally.unsent),
        },
    )


def registry(collectors: Iterable[Any]) -> CollectorRegistry:
    """A registry of these, and of nothing else in the process."""
    made = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        made.register(collector)
    return made


def _queues(view: CentreView) -> Iterable[Metric]:
    for name, what in _COUNTS.items():
        counter = CounterMetricFamily(f"cti_queue_{name}", what, labels=["queue"])
        for queue in view.queues:
            counter.add_metric([queue.id], getattr(queue.figures, name))
        yield counter
    for name, (what, value) in _GAUGES.items():
        gauge = GaugeMetricFamily(f"cti_queue_{name}", what, labels=["queue"])
        for queue in view.queues:
            figure = value(queue)
            if figure is not None:
                gauge.add_metric([queue.id], figure)
        yield gauge

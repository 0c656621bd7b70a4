"""Is it alive, can it work, and how does it stand: for monitors."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from typing import Final

import falcon
import gevent
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from cti.api.refusal import NotPermitted
from cti.web.door import Door
from cti.web.feed import Feed
from cti.web.json_text import written

PULSE_S: Final = 0.5
"""How often it is measured how late a greenlet gets its turn."""
SICK_S: Final = 5.0
"""A process that was so late, or whose pulse is so old, is not healthy."""


class Pulse:
    """Measures how late greenlets get their turn: what a host's own blocking code costs everybody."""

    def __init__(self) -> None:
        self.lag_s = 0.0
        """How late the last beat was."""
        self.worst_s = 0.0
        """The latest beat since ``take_worst``."""

    def run(self) -> None:
        """Measure, until killed. Blocks this greenlet."""
        while True:
            due = time.monotonic() + PULSE_S
            gevent.sleep(PULSE_S)
            self.lag_s = max(0.0, time.monotonic() - due)
            self.worst_s = max(self.worst_s, self.lag_s)

    def take_worst(self) -> float:
        """The latest beat since this was last asked."""
        worst, self.worst_s = self.worst_s, self.lag_s
        return worst


class HealthResource:
    """``/health``: 200 while the process turns and takes the centre's events, 503 when it must be started anew.

    Args:
        feed: takes the centre's events.
        pulse: measures.
    """

    def __init__(self, feed: Feed, pulse: Pulse) -> None:
        self._feed = feed
        self._pulse = pulse

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:  # noqa: ARG002 - Falcon's form
        """Say so."""
        healthy = self._pulse.lag_s < SICK_S and not self._feed.failed.ready()
        response.status = falcon.HTTP_200 if healthy else falcon.HTTP_503
        response.data = written({"status": "ok" if healthy else "failed"})


class ReadyResource:
    """``/ready``: 200 while calls can be routed, which needs a live link to a switch, one of several; else 503.

    Args:
        feed: knows the links.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:  # noqa: ARG002 - Falcon's form
        """Say so."""
        links = self._feed.links
        ready = any(links.values())
        response.status = falcon.HTTP_200 if ready else falcon.HTTP_503
        response.data = written({"status": "ready" if ready else "not ready"})


class MetricsResource:
    """``/metrics``, for Prometheus.

    Args:
        registry: what is told.
        door: finds the session.
        token: who shows what this says as a bearer token needs no session; empty for nobody.
    """

    def __init__(self, registry: CollectorRegistry, door: Door, token: Callable[[], str]) -> None:
        self._registry = registry
        self._door = door
        self._token = token

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Tell them."""
        shown, _ = self._door.token(request)
        token = self._token()
        if token and shown is not None and hmac.compare_digest(shown.encode(), token.encode()):
            self._door.stranger(request)
        elif not self._door.session(request, cost=20).grant.sees_all:
            raise NotPermitted("metrics are about everything; this account does not see everything")
        response.content_type = CONTENT_TYPE_LATEST
        response.data = generate_latest(self._registry)

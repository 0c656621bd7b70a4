"""For all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

settings.register_profile("cti", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("cti")  # how slow a busy machine makes up data is not what is tested


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A command under test may configure logging, as commands do; the next test must not notice."""
    yield
    structlog.reset_defaults()

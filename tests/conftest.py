"""For all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A command under test may configure logging, as commands do; the next test must not notice."""
    yield
    structlog.reset_defaults()

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .running import OnSimulation


@pytest.fixture
def running(tmp_path: Path) -> Iterator[OnSimulation]:
    """A daemon that has not been configured or started, and its switch."""
    made = OnSimulation(tmp_path)
    try:
        yield made
    finally:
        made.kill()
        made.server.stop()

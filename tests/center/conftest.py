from __future__ import annotations

from collections.abc import Iterator

import pytest

from .bench import Bench, bench


@pytest.fixture
def line() -> Iterator[Bench]:
    """A centre on a simulated switch, not started."""
    with bench() as made:
        yield made

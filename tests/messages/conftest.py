from __future__ import annotations

from collections.abc import Iterator

import pytest

from cti.messages import Messages
from tests.center.bench import Bench, bench


@pytest.fixture
def messages(tmp_path) -> Messages:
    return Messages(str(tmp_path / "messages"))


@pytest.fixture
def line(messages) -> Iterator[Bench]:
    """A centre that keeps messages, on a simulated switch that writes files; not started."""
    with bench(messages=messages) as made:
        made.switch.writes_files = True
        yield made

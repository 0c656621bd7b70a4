from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .wire import Served, Wire, cti_keys, served


@pytest.fixture
def open_centre() -> Iterator[Served]:
    """Served without encryption; agents alice and bob can take claims."""
    with served() as made:
        for name in ("alice", "bob"):
            made.bench.agent(name, skills={"claims": 5})
        yield made


@pytest.fixture
def wire(open_centre: Served) -> Wire:
    return open_centre.wire()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """alice is an agent, sue a supervisor of alice and claims, ann an administrator; the server has its own."""
    directory = tmp_path_factory.mktemp("api") / "keys"
    at = ["--directory", str(directory)]
    cti_keys("new", "alice", "--role", "agent", "--agent", "alice", *at)
    cti_keys("new", "sue", "--role", "supervisor", "--agent", "alice", "--queue", "claims", *at)
    cti_keys("new", "crm", "--role", "application", "--queue", "claims", *at)
    cti_keys("new", "ann", "--role", "administrator", *at)
    return directory


@pytest.fixture
def locked_centre(keys: Path) -> Iterator[Served]:
    """Served with encryption; agents alice and bob can take claims."""
    with served(keys) as made:
        for name in ("alice", "bob"):
            made.bench.agent(name, skills={"claims": 5})
        yield made

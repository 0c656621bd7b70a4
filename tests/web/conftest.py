from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cti.web import WebLimits

from .site import Site, site


@pytest.fixture
def open_site() -> Iterator[Site]:
    """Served without accounts."""
    with site() as made:
        yield made


@pytest.fixture(scope="module")
def shared_site() -> Iterator[Site]:
    """As open_site, for all tests of a module that leave it as it was; with no limit to the rate."""
    with site(limits=WebLimits(requests_per_s=1e6, burst=10**6)) as made:
        yield made


@pytest.fixture(scope="module")
def shared_locked_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """As locked_site, in the same way."""
    with site(tmp_path_factory.mktemp("web"), WebLimits(requests_per_s=1e6, burst=10**6)) as made:
        yield made


@pytest.fixture
def locked_site(tmp_path: Path) -> Iterator[Site]:
    """Served with the accounts of site.ACCOUNTS."""
    with site(tmp_path) as made:
        yield made

"""The insurer's hotline of the examples, with a database of its own for each test."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
sys.path.append(str(EXAMPLES))

from insurance.customers import Customers  # noqa: E402
from insurance.hotline import Hotline  # noqa: E402
from insurance.make_database import make_database  # noqa: E402
from insurance.prompts import Prompts  # noqa: E402

from cti.plan import Calendar  # noqa: E402

ALWAYS = Calendar("always", hours="mon-sun 00:00-24:00", time_zone="UTC")
NEVER = Calendar("never", hours="mon 00:00-00:01", time_zone="UTC", closed=["2026-01-01..2028-09-01"])
AGENTS = ("1001", "1002", "1003")
ADA, WEI, BOB, EVE = (f"0207946000{number}" for number in (1, 2, 3, 4))
STRANGER = "02079460099"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "customers.db"
    make_database(file)
    return file


@pytest.fixture
def hotline(database: Path) -> Iterator[Callable[..., Hotline]]:
    """``hotline(office=NEVER, deadline_s=0.1)``: its scripts, for a FakeCall."""
    made: list[Customers] = []

    def make(*, office: Calendar = ALWAYS, deadline_s: float = 5.0, file: Path = database, **more: Any) -> Hotline:
        made.append(Customers(file, deadline_s))
        settings = {"agents": AGENTS, "clock": time.time, **more}
        return Hotline(made[-1], Prompts("/sounds"), office, **settings)

    yield make
    for customers in made:
        customers.close()

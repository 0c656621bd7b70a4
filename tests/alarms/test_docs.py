"""docs/alarms.md says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cti.alarms import KINDS, Grade

PAGE = Path(__file__).parents[2] / "docs" / "alarms.md"


def test_every_alarm_is_in_the_table_with_its_grade_and_times():
    if not PAGE.is_file():
        pytest.skip("no docs/ beside the tests")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.read_text().splitlines() if "|" in line]
    table = {row[0].strip("`"): row for row in rows if len(row) == 7 and "." in row[0]}
    assert table.keys() == KINDS.keys()
    for name, kind in KINDS.items():
        _, _, grade, _, after, _, gone = table[name]
        assert Grade(grade) is kind.grade
        assert [float(re.sub(r" s$", "", each) or 0) for each in (after, gone)] == [
            kind.raise_after_s,
            kind.clear_after_s,
        ]

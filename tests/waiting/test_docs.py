"""What docs/waiting.md shows is true."""

from __future__ import annotations

import re
from pathlib import Path

from attrs import fields

from cti.model.ids import QueueId
from cti.model.treatment import WaitingTreatment

PAGE = (Path(__file__).parents[2] / "docs" / "waiting.md").read_text(encoding="utf-8")


def test_the_treatment_is_made_as_shown():
    (shown,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(shown, "waiting.md", "exec"), names)
    centre = names["centre"]
    treatment = centre._loop.engine.world.queues[QueueId("claims")].settings.waiting
    assert sorted(treatment.offers) == ["1", "2", "3", "9"]
    assert centre.advice() == []


def test_every_field_is_in_the_table():
    told = {name for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert {field.name for field in fields(WaitingTreatment)} <= told

"""What docs/callbacks.md shows is true."""

from __future__ import annotations

import re
from pathlib import Path

from attrs import fields

from cti.model.callback import CallbackSettings
from cti.model.ids import QueueId

PAGE = (Path(__file__).parents[2] / "docs" / "callbacks.md").read_text(encoding="utf-8")


def test_the_queue_is_made_as_shown_and_the_program_runs():
    first, second = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(first, "callbacks.md", "exec"), names)
    centre = names["centre"]
    settings = centre._loop.engine.world.queues[QueueId("claims")].settings.callback
    assert settings.prompts.goodbye == ("/sounds/{language}/you-keep-your-place.wav",)
    assert centre.advice() == []
    centre.add_agent("ann", "user/ann")
    exec(compile(second.replace("2026, 12", "2096, 12"), "callbacks.md", "exec"), names)
    names["after_lunch"]()
    assert centre.callbacks() == ()


def test_every_setting_is_in_the_table():
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert {field.name for field in fields(CallbackSettings)} <= told

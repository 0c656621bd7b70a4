"""What docs/look-ups.md shows is true."""

from __future__ import annotations

import re
from pathlib import Path

from attrs import fields

from cti.lookup import LookupFigures

PAGE = (Path(__file__).parents[2] / "docs" / "look-ups.md").read_text(encoding="utf-8")


def test_the_script_is_made_as_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (shown,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(shown, "look-ups.md", "exec"), names)
    assert names["policies"].ask(policy="4711", pin="1") == {}  # there is no such table
    assert names["policies"].figures.failed == 1


def test_every_figure_is_told():
    assert all(f"`{field.name}`" in PAGE or f"figures.{field.name}" in PAGE for field in fields(LookupFigures)[1:])

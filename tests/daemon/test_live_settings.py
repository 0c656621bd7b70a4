"""What a reload applies of the services around the calls, and what needs a restart: each setting by its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve, fields

from cti.config import (
    AuditSettings,
    HistorySettings,
    RecordingsSettings,
    Services,
    StateSettings,
    StatisticsSettings,
    WebSettings,
)
from cti.daemon.live_settings import LIVE, need_a_restart, told
from cti.web import WebLimits

SERVICES = Services(
    state=StateSettings("state"),
    statistics=StatisticsSettings(),
    web=WebSettings(),
    audit=AuditSettings("audit"),
    history=HistorySettings("history"),
    recording=RecordingsSettings("/recordings"),
)
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def changed(table: str, **values):
    return evolve(SERVICES, **{table: evolve(getattr(SERVICES, table), **values)})


@pytest.mark.parametrize(
    ("table", "values", "said"),
    [
        ("web", {"limits": WebLimits(streams=7)}, "web: limits.streams 1000 -> 7"),
        ("web", {"metrics_token": "secret"}, "web: metrics_token is another"),
        ("audit", {"keep": 3, "max_bytes": 5}, "audit: max_bytes 16777216 -> 5, keep 0 -> 3"),
        ("recording", {"keep_s": 60.0}, "recording: keep_s None -> 60.0"),
        ("recording", {"name": "{interaction}-{n}.wav"}, "recording: name '{date}/{interaction}/{n}-{agent}.wav' -> "),
        ("statistics", {"time_zone": "Europe/Berlin"}, "statistics: time_zone 'UTC' -> 'Europe/Berlin'"),
        ("history", {"keep_s": 60.0}, "history: keep_s None -> 60.0"),
    ],
)
def test_what_is_applied_is_said(table, values, said):
    new = changed(table, **values)
    assert need_a_restart(SERVICES, new) == []
    (line,) = told(SERVICES, new)
    assert line.startswith(said)
    assert "secret" not in line


@pytest.mark.parametrize(
    ("table", "values", "name"),
    [
        ("web", {"bind": "127.0.0.1:1"}, "web.bind"),
        ("web", {"accounts": "a"}, "web.accounts"),
        ("web", {"wallboard": False}, "web.wallboard"),
        ("web", {"certificate": "c.pem"}, "web.certificate"),
        ("web", {"limits": WebLimits(connections=7)}, "web.limits.connections"),
        ("audit", {"directory": "b"}, "audit.directory"),
        ("recording", {"directory": "/b"}, "recording.directory"),
        ("recording", {"index": "b"}, "recording.index"),
        ("statistics", {"interval_s": 900.0}, "statistics.interval_s"),
        ("history", {"url": "b"}, "history.url"),
        ("state", {"directory": "b"}, "[state]"),
    ],
)
def test_what_needs_a_restart_is_named(table, values, name):
    assert need_a_restart(SERVICES, changed(table, **values)) == [name]


@pytest.mark.parametrize("table", LIVE)
def test_a_table_that_comes_or_goes_needs_a_restart(table):
    if table == "statistics":  # it is always there
        return
    without = evolve(SERVICES, **{table: None})
    assert need_a_restart(SERVICES, without) == need_a_restart(without, SERVICES) == [f"[{table}]"]


def test_a_certificate_may_be_another_but_not_come_or_go():
    before = changed("web", certificate="a", key="k")
    assert need_a_restart(before, changed("web", certificate="b", key="")) == []
    assert need_a_restart(before, changed("web", key="")) == ["web.certificate"]


def test_the_defaults_written_out_are_no_change():
    new = changed("web", limits=WebLimits())
    assert need_a_restart(SERVICES, new) == []
    assert list(told(SERVICES, new)) == []


def test_every_setting_is_applied_or_named():
    for table in LIVE:
        names = {one.name for one in fields(type(getattr(SERVICES, table)))}
        assert names >= LIVE[table], table


def test_the_page_names_what_is_applied():
    text = OPERATIONS.read_text()
    for table, keys in LIVE.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"  | `[{table}]` | takes over")]
        said = line.split("|")[2]
        assert {key for key in keys if f"`{key}`" in said} == keys, table

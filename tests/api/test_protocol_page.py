"""docs/protocol.md says what the table of methods says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from attrs import fields

from cti.alarms import Alarm, Grade
from cti.api import METHODS, Limits, Role, attached, refusal
from cti.api.session_methods import SESSION_METHODS
from cti.model import events

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"
ALL = {**METHODS, **SESSION_METHODS}


@pytest.fixture(scope="module")
def page():
    if not PAGE.is_file():
        pytest.skip("no docs/ beside the tests")
    return PAGE.read_text()


@pytest.fixture(scope="module")
def sections(page):
    parts = re.split(r"^### (\S+)\n", page.partition("\n## Methods\n")[2].partition("\n## ")[0], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_method_has_a_section(sections):
    assert sections.keys() == ALL.keys()


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_section_names_parameters_results_errors_and_price(sections, name):
    method, section = ALL[name], sections[name]
    words = set(re.findall(r"`([\w. ]+)`", section))
    said = section + "".join(sections[each] for each in ("queue.get", "agent.get", "agent.ready", "agent.hold"))
    assert {field.name for field in fields(method.params)} <= words | set(re.findall(r"`(\w+)`", section))
    if method.result is not None:
        assert {field.name for field in fields(method.result)} <= words
    assert all(f"`{error.code}`" in said for error in method.errors)
    assert ("Changes" in section) == method.changes
    assert ("Slow" in section) == method.slow
    assert method.cost == int((re.search(r"counts for (\d+)", section) or ["", "1"])[1])
    assert ("administrators" in section) == (method.roles == {Role.ADMINISTRATOR})
    assert ("not for agents" in section) == (method.roles == set(Role) - {Role.AGENT})


def test_every_code_and_role_is_there(page):
    kinds = [kind for kind in vars(refusal).values() if isinstance(kind, type) and issubclass(kind, refusal.CtiError)]
    codes = {kind.code for kind in kinds if kind.__module__ == refusal.__name__} - {"refused"} | {refusal.INTERNAL}
    assert not {code for code in codes if f"`{code}`" not in page}
    assert all(f"| `{role.value}` |" in page for role in Role)


def test_the_events_of_this_library_are_there(page):
    core = ("Offered", "Queued", "Delivered", "Established", "OfferEnded", "Diverted", "Abandoned", "CallCleared")
    for kind in core:
        row = next(line for line in page.splitlines() if line.startswith("|") and f"`{kind}`" in line)
        own = {field.name for field in fields(events.EVENTS[kind])} - {field.name for field in fields(events.CallEvent)}
        assert all(f"`{name}`" in row for name in own), kind


def test_the_alarm_is_there(page):
    row = next(line for line in page.splitlines() if line.startswith("| `Alarm`"))
    assert all(f"`{field.name}`" in row for field in fields(Alarm) if field.name != "at")
    assert all(f"`{grade.value}`" in row for grade in Grade)
    assert f"{attached.MOST_BYTES // 1024} KiB as msgpack" in page


def test_the_limits_are_those_of_the_code(page):
    limits = Limits()
    table = page.partition("\n## Limits\n")[2].partition("\n## ")[0]
    for value in (
        f"{limits.message_bytes // 1024} KiB",
        f"{limits.text_bytes // 1024} KiB",
        f"{limits.items:,}",
        f"| {limits.depth} |",
        f"{limits.requests_per_s:g}; {limits.burst} at once",
        f"{limits.key_requests_per_s:,g}; {limits.key_burst:,} at once",
        f"| {limits.clients_per_key} |",
        f"{limits.clients:,}",
        f"| {limits.subjects:,} |",
        f"{limits.under_way} a connection",
        f"| {limits.unread} |",
    ):
        assert value in table, value
    assert f"{limits.heartbeat_s:g} s" in page
    assert f"({limits.silence_s:g} s)" in page

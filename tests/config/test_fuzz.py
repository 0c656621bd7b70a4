"""Whatever stands in the file: a configuration, or BadConfiguration; never anything else."""

from __future__ import annotations

import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cti.config import BadConfiguration, read_configuration
from cti.config.line_index import LineIndex

from .written import ENVIRON, GOOD, as_toml

_WORDS = sorted({word for word in GOOD.replace(".", " ").replace('"', " ").split() if word.isidentifier()})
_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
_NAMES = st.sampled_from(
    [
        *_WORDS,
        "numbers",
        "menu",
        "calendar",
        "scripts",
        "api",
        "limits",
        "journal",
        "log",
        "daemon",
        "roles",
        "role",
        "methods",
    ]
)
_LEAVES = st.one_of(
    st.sampled_from(["30s", "5000", "plan", "sales", "claims >= 3", "a:b", "${SWITCH_PASSWORD}", "${X}", "../.", ""]),
    _NAMES,
    _TEXT,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.just(10**30),
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES | _TEXT, inner, max_size=4),
    max_leaves=12,
)


def _tried(text: str) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "centre.toml"
        path.write_text(text, encoding="utf-8")
        try:
            read_configuration(path, ENVIRON)
        except BadConfiguration as error:
            said = str(error)
        else:
            return
        assert said


_SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@_SETTINGS
@given(_TEXT)
def test_any_text(text):
    _tried(text)


@_SETTINGS
@given(st.dictionaries(_NAMES, _VALUES, max_size=5))
def test_any_tables(tables):
    _tried("\n".join(f"{key} = {as_toml(value)}" for key, value in tables.items()))


def _places(data, path=()):
    yield path
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _places(value, (*path, key))
    elif isinstance(data, list):
        for at, value in enumerate(data):
            yield from _places(value, (*path, at))


_PLACES = [path for path in _places(tomllib.loads(GOOD)) if path]


@_SETTINGS
@given(st.lists(st.tuples(st.sampled_from(_PLACES), _VALUES), min_size=1, max_size=3))
def test_a_good_file_with_something_else_somewhere(changes):
    data = tomllib.loads(GOOD)
    for path, value in changes:
        at = data
        for key in path[:-1]:
            at = at[key] if isinstance(at, dict | list) and _has(at, key) else {}
        if isinstance(at, dict) or (isinstance(at, list) and _has(at, path[-1])):
            at[path[-1]] = value
    _tried("\n".join(f"{key} = {as_toml(value)}" for key, value in data.items()))


def _has(at, key):
    return key in at if isinstance(at, dict) else isinstance(key, int) and key < len(at)


@_SETTINGS
@given(st.text(max_size=200))
def test_lines_are_looked_for_in_any_text(text):
    found = LineIndex(text).find(("queue", "a", 0, "b"))
    assert found is None or 1 <= found <= len(text.splitlines())


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("queue", "claims"), 13),
        (("queue", "claims", "personal", "wait_s"), 20),
        (("queue", "claims", "widening", 1, "also"), 29),
        (("agent", "bob", "skills"), 39),
        (("numbers", "51*"), 54),
        (("nowhere",), None),
    ],
)
def test_lines_are_found(path, line):
    assert LineIndex(GOOD).find(path) == line

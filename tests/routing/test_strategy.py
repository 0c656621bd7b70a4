"""Strategies by name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from cti.errors import ConfigurationError, UnknownStrategy
from cti.routing import LongestIdle
from cti.routing.strategy import strategy


class Offered:
    """An entry point of an installed package."""

    def __init__(self, name: str, offers: Any) -> None:
        self.name = name
        self._offers = offers

    def load(self) -> Any:
        return self._offers


class Wrong:
    """No strategy: it has no key."""


@pytest.fixture
def installed(monkeypatch):
    """Two strategies that other packages install, one of them no good."""
    found = [Offered("nearest-desk", LongestIdle), Offered("wrong", Wrong)]
    monkeypatch.setattr(
        import_module("cti.routing.strategy"),
        "entry_points",
        lambda *, group: found if group == "cti.strategies" else [],
    )


def test_the_built_in_one():
    assert isinstance(strategy("longest-idle"), LongestIdle)


@pytest.mark.usefixtures("installed")
def test_one_of_an_installed_package():
    assert isinstance(strategy("nearest-desk"), LongestIdle)


@pytest.mark.usefixtures("installed")
def test_one_that_is_none():
    with pytest.raises(ConfigurationError, match=r"strategy 'wrong' is .*, which has no key\(agent, queue\)"):
        strategy("wrong")


@pytest.mark.usefixtures("installed")
def test_an_unknown_one_names_the_nearest():
    with pytest.raises(UnknownStrategy, match="unknown strategy 'nearest-dest'; did you mean 'nearest-desk'") as caught:
        strategy("nearest-dest")
    assert caught.value.nearest == "nearest-desk"

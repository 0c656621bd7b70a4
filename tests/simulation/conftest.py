"""Long simulations run by `make sim` only."""

from __future__ import annotations


def pytest_configure(config):
    config.addinivalue_line("markers", "long: a simulation of minutes; run with -m long")


def pytest_collection_modifyitems(config, items):
    if "long" in config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]

"""The functions that a configuration names, imported."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from attrs import frozen

from cti.config.configuration import Configuration
from cti.config.problem import BadConfiguration, Problem
from cti.errors import ConfigurationError


class _Loads(Protocol):
    def load(self) -> Callable[..., Any]: ...


@frozen
class LoadedScripts:
    """Functions by the names that a configuration gives them: scripts (voice menus among them), and route scripts."""

    scripts: Mapping[str, Callable[..., Any]]
    route_scripts: Mapping[str, Callable[..., Any]]


def load_scripts(configuration: Configuration) -> LoadedScripts:
    """Import every function that a configuration names; modules are looked for beside its file first.

    Importing a module runs it, in this greenlet and without a turn for anybody else. A module that was imported before
    is not read again.

    Raises:
        BadConfiguration: some cannot be imported; ``problems`` has all of them.
    """
    directory = str(configuration.file.parent.absolute())
    if directory not in sys.path:
        sys.path.insert(0, directory)
    routes = configuration.routes
    problems: list[Problem] = []
    made: dict[str, dict[str, Callable[..., Any]]] = {"scripts": {}, "route_scripts": {}}
    named: list[tuple[str, str, str, _Loads]] = [
        *(("scripts", "scripts", name, reference) for name, reference in routes.scripts.items()),
        *(("scripts", "menu", name, menu) for name, menu in routes.menus.items()),
        *(("route_scripts", "route_scripts", name, reference) for name, reference in routes.route_scripts.items()),
    ]
    for kind, table, name, each in named:
        try:
            made[kind][name] = each.load()
        except ConfigurationError as error:
            problems.append(Problem(str(configuration.file), table, name, str(error)))
    if problems:
        raise BadConfiguration(problems)
    return LoadedScripts(made["scripts"], made["route_scripts"])

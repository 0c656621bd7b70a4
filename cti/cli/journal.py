"""`cti journal`: what is in a journal, whether it replays to the same decisions, and what another router would have done."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from cti.cli import journal_text
from cti.errors import ConfigurationError
from cti.routing import Router, SkillRouter
from cti.routing.strategy import strategy as known_strategy
from cti.store.replay import MakeRouter, Replay, skill_router
from cti.store.survey import survey
from cti.store.whatif import compare as compare_routers

DIFFERENT = 1
"""The exit status of a replay that decided otherwise, and of a journal that is not sound."""

_DIRECTORY = click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_FROM = click.option(
    "--from",
    "since",
    default=None,
    metavar="TIME",
    help="ISO 8601, such as 2026-03-01T09:00; local time if it names no zone.",
)
_TO = click.option("--to", "until", default=None, metavar="TIME", help="The same; later facts are left out.")


@click.group()
def journal() -> None:
    """Look into a journal, replay it, and try another router on it."""


@journal.command()
@_DIRECTORY
@_JSON
def info(directory: Path, as_json: bool) -> None:
    """Say what is in the journal in DIRECTORY: segments, times, facts by kind, and what is damaged.

    Exits with 1 if something is damaged or missing.
    """
    found = survey(directory)
    _say(json.dumps(journal_text.survey_json(found)) if as_json else journal_text.survey_text(found))
    if not found.sound:
        sys.exit(DIFFERENT)


@journal.command()
@_DIRECTORY
@_FROM
@_TO
@click.option(
    "--router", default=None, metavar="MODULE:CLASS", help="The router it was recorded with, if not a SkillRouter."
)
@_JSON
def replay(directory: Path, since: str | None, until: str | None, router: str | None, as_json: bool) -> None:
    """Drive the engine from the journal in DIRECTORY, and say whether it decides the same again.

    Exits with 1 and the first difference if it does not, or if nothing could be replayed.
    """
    played = Replay(
        directory, router=_router(router) if router else None, since=_time("--from", since), until=_time("--to", until)
    )
    report = played.run()
    _say(json.dumps(journal_text.replay_json(report)) if as_json else journal_text.replay_text(report))
    if not report.same or not report.facts:
        sys.exit(DIFFERENT)


@journal.command()
@_DIRECTORY
@click.option("--strategy", default=None, help="Try this strategy in every queue, such as most-skilled.")
@click.option("--router", default=None, metavar="MODULE:CLASS", help="Try this router; it is made without arguments.")
@click.option(
    "--recorded-router", default=None, metavar="MODULE:CLASS", help="What it was recorded with, if not a SkillRouter."
)
@click.option(
    "--differences", type=click.IntRange(min=0), default=10, show_default=True, help="How many calls to name."
)
@_FROM
@_TO
@_JSON
def compare(  # noqa: PLR0917 - click calls it by name
    directory: Path,
    strategy: str | None,
    router: str | None,
    recorded_router: str | None,
    differences: int,
    since: str | None,
    until: str | None,
    as_json: bool,
) -> None:
    """Say what another strategy or router would have made of the traffic in the journal in DIRECTORY."""
    if (strategy is None) == (router is None):
        raise click.UsageError("give either --strategy or --router")
    other = _with_strategy(strategy) if strategy is not None else _router(str(router))
    before: MakeRouter = _router(recorded_router) if recorded_router else skill_router
    played = Replay(
        directory,
        router=before if recorded_router else None,
        since=_time("--from", since),
        until=_time("--to", until),
    )
    found = compare_routers(played, other, before=before, differences=differences)
    name = strategy or str(router)
    _say(json.dumps(journal_text.compare_json(found)) if as_json else journal_text.compare_text(found, name))


def _say(text: str) -> None:
    """Print it; names from a switch may hold what is not UTF-8."""
    click.echo(text.encode("utf-8", "backslashreplace").decode())


def _with_strategy(name: str) -> MakeRouter:
    known_strategy(name, lambda: 0.0)  # or the error comes after the whole journal has been read
    return lambda chance: SkillRouter(name, chance=chance)


def _router(path: str) -> MakeRouter:
    """Makes a router of the class that the user named.

    Raises:
        ConfigurationError: there is no such class, or it is not a Router.
    """
    module, colon, name = path.partition(":")
    sys.path.insert(0, "")  # a router under work is in the directory at hand
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(f"router {path!r}: {error}; write package.module:Class") from error
    finally:
        sys.path.remove("")
    if not colon or not isinstance(found, type) or not issubclass(found, Router):
        raise ConfigurationError(f"router {path!r} is {found!r}, which is not a class of Router")
    if issubclass(found, SkillRouter):
        return lambda chance: found(chance=chance)
    made: Callable[[], Router] = found
    return lambda _: made()


def _time(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(f"{option} {text!r}: {error}; write it as 2026-03-01T09:00") from error

"""`cti audit`: who did what to which agent, queue or call."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cti.audit.reading import Wanted, read_audit
from cti.errors import ConfigurationError

DAMAGED = 1
"""The exit status when a line has been changed, cut off or taken out."""


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True), metavar="DIRECTORY|FILE")
@click.option("--who", default="", metavar="NAME", help="A key, an account, an agent; * and ? match.")
@click.option("--what", default="", metavar="METHOD", help="What was asked for, such as 'agent.*'.")
@click.option("--whom", default="", metavar="ID", help="The agent, queue or call that it was done to.")
@click.option(
    "--since", default=None, metavar="TIME", help="ISO 8601, such as 2026-03-01T09:00; local if without a zone."
)
@click.option("--until", default=None, metavar="TIME", help="The same; later entries are left out.")
@click.option("--refused", is_flag=True, help="Only what was refused.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
def audit(  # noqa: PLR0917 - click passes them by name
    path: Path,
    who: str,
    what: str,
    whom: str,
    since: str | None,
    until: str | None,
    refused: bool,
    as_json: bool,
) -> None:
    """Search the audit in DIRECTORY, or one of its files, the oldest entry first.

    Exits with 1 when an entry has been changed, cut off or taken out, and says which on standard error.
    """
    wanted = Wanted(who, what, whom, _time("--since", since), _time("--until", until), refused)
    damaged = 0
    for found in read_audit(path):
        if not found.sound:
            damaged += 1
            print(
                f"cti: {found.path}:{found.line}: not as it was written, or something is missing here", file=sys.stderr
            )
        if found.values is not None and wanted.matches(found.values):
            print(json.dumps(found.values) if as_json else _text(found.values))
    if damaged:
        sys.exit(DAMAGED)


def _text(values: Mapping[str, Any]) -> str:
    at = values.get("at")
    when = (
        datetime.fromtimestamp(at, UTC).astimezone().isoformat(timespec="milliseconds")
        if isinstance(at, int | float)
        else "?"
    )
    parts = [when, _safe(values.get("who")) or "-", _safe(values.get("where")) or "-", _safe(values.get("what"))]
    whom = values.get("whom")
    parts += [f"{name}={_safe(each)}" for name, each in whom.items()] if isinstance(whom, Mapping) else []
    parts += [f"{name}=..." for name in map(_safe, values.get("also") or ())]
    parts.append(_safe(values.get("outcome")))
    return " ".join(parts)


def _safe(value: Any) -> str:
    """As a terminal may show it: what was sent may be anything."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if text.isprintable() and " " not in text else json.dumps(text)


def _time(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError):
        raise ConfigurationError(f"{option} is {text!r}; write a time such as 2026-03-01T09:00") from None

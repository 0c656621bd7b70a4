"""`cti webhooks`: secrets, and the messages that no receiver took."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click

from cti.errors import ConfigurationError
from cti.web.dead_letters import DeadLetters
from cti.web.webhook import Webhook, new_secret
from cti.web.webhooks import replay as replay_letters

_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.group()
def webhooks() -> None:
    """Make secrets for webhooks, and see and send again what no receiver took."""


@webhooks.command()
def secret() -> None:
    """Print a new secret, for the configuration and for the receiver."""
    print(new_secret())


@webhooks.command(name="list")
@_file
def list_(file: Path) -> None:
    """Count the dead letters in FILE by webhook and reason."""
    counts: Counter[tuple[str, str, str]] = Counter()
    newest: dict[tuple[str, str, str], float] = {}
    for letter in DeadLetters(file).read():
        key = letter.webhook, letter.url, letter.why
        counts[key] += 1
        newest[key] = max(newest.get(key, 0.0), letter.at)
    for (name, url, why), count in sorted(counts.items()):
        last = datetime.fromtimestamp(newest[name, url, why], UTC).isoformat(timespec="seconds")
        print(f"{count} {name} {url} last={last} {why}")


@webhooks.command()
@_file
@click.option("--name", required=True, help="The webhook whose messages are sent; others stay.")
@click.option("--url", help="Where to; where the last of them was to go if left out.")
@click.option("--secret", "secret_", required=True, envvar="CTI_WEBHOOK_SECRET", show_envvar=True, help="Its secret.")
@click.option("--timeout", "timeout_s", default=10.0, show_default=True, help="Seconds for one message.")
def replay(file: Path, name: str, url: str | None, secret_: str, timeout_s: float) -> None:
    """Send the dead letters in FILE again, each once and with the id it had; what fails stays a dead letter.

    The server may be running meanwhile.
    """
    dead = DeadLetters(file)
    own = [letter for letter in dead.read() if letter.webhook == name]
    if not own:
        raise ConfigurationError(f"there is nothing of a webhook {name!r} in {file}; `cti webhooks list` shows what is")
    done = replay_letters(dead, {name: Webhook(name, url or own[-1].url, secret_, timeout_s=timeout_s)})
    print(f"{done.sent} sent, {done.failed} failed, {done.others} of other webhooks left")
    if done.failed:
        raise SystemExit(1)

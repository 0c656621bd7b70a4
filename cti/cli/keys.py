"""`cti keys`: who may use the API, and with which key."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import zmq.auth
from rich.console import Console
from rich.table import Table

from cti.api.grant import ALL
from cti.api.grants_file import NAME, Entry
from cti.api.keyring import FILE, SERVER, KeyEntry, read_keys, read_pair
from cti.cli.roles import checked, role_options
from cti.errors import ConfigurationError

_HEADER = """# Who may use the API; see `cti keys --help`. The server takes changes over by itself.
# Only public keys are here. agents and queues: lists of ids, or ["*"] for all.
"""

_directory = click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("keys"),
    show_default=True,
    envvar="CTI_KEYS",
    help="Where the keys are.",
)


@click.group()
def keys() -> None:
    """Make, list and revoke the keys of the API's clients."""


@keys.command()
@click.argument("name")
@role_options("key")
@click.option("--agent", "agents", multiple=True, metavar="ID", help="An agent it may act for; '*' is all. Repeatable.")
@click.option("--queue", "queues", multiple=True, metavar="ID", help="A queue it may see; '*' is all. Repeatable.")
@_directory
def new(  # noqa: PLR0917 - click names them
    name: str,
    role: str,
    configuration: Path | None,
    agents: tuple[str, ...],
    queues: tuple[str, ...],
    directory: Path,
) -> None:
    """Make a key called NAME: NAME.key_secret is for the client alone, its public half goes into keys.toml.

    The first key made in a directory makes the server's own pair too; clients need server.key.
    """
    if not NAME.fullmatch(name) or name == SERVER:
        raise ConfigurationError(f"{name!r} cannot be a key's name: 1 to 64 letters, digits, '-', '_', not {SERVER!r}")
    said = checked(name, role, agents, queues, configuration)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = directory / FILE
    if file.exists() and any(entry.said.name == name for entry in read_keys(file)):
        raise ConfigurationError(f"there is a key {name} in {file} already; choose another name")
    if not (directory / f"{SERVER}.key_secret").exists():
        _make_pair(directory, SERVER)
    public = _make_pair(directory, name)
    before = file.read_text(encoding="utf-8") if file.exists() else _HEADER
    _write(file, before + _table(said, public))
    print(f"{directory / name}.key_secret is for the client alone; give it {directory / SERVER}.key too")


@keys.command(name="list")
@_directory
def list_(directory: Path) -> None:
    """Show every key: its name, its role, what it covers, and whether it was revoked."""
    shown = Table("name", "role", "agents", "queues", "public key", "")
    for entry in sorted(read_keys(directory / FILE), key=lambda entry: entry.said.name):
        said = entry.said
        state = "revoked" if entry.revoked else ""
        shown.add_row(said.name, said.role, _few(said.agents), _few(said.queues), said.public, state)
    console = Console()
    if console.is_terminal:
        console.print(shown)
        return
    for entry in read_keys(directory / FILE):
        said = entry.said
        covers = f"agents={_few(said.agents)} queues={_few(said.queues)}"
        print(said.name, said.role, covers, said.public, "revoked" if entry.revoked else "good")


@keys.command()
@click.argument("name")
@_directory
def revoke(name: str, directory: Path) -> None:
    """Revoke the key NAME: its connections end within a second or so, and it cannot be used again."""
    file = directory / FILE
    entry = _entry(file, name)
    if entry.revoked:
        print(f"{name} was revoked before")
        return
    head = f"[keys.{name}]"
    lines = file.read_text(encoding="utf-8").splitlines()
    if lines.count(head) != 1:
        raise ConfigurationError(f"{file} is not as `cti keys` writes it: put revoked = true under {head} by hand")
    lines.insert(lines.index(head) + 1, "revoked = true")
    _write(file, "\n".join(lines) + "\n")
    print(f"{name} is revoked")


def _entry(file: Path, name: str) -> KeyEntry:
    for entry in read_keys(file):
        if entry.said.name == name:
            return entry
    raise ConfigurationError(f"there is no key {name!r} in {file}; `cti keys list` shows what there is")


def _make_pair(directory: Path, name: str) -> str:
    with _for_owner_alone():
        _, secret = zmq.auth.create_certificates(directory, name)
    (directory / f"{name}.key").chmod(0o644)
    return read_pair(secret)[0].decode()


@contextlib.contextmanager
def _for_owner_alone() -> Iterator[None]:
    """Files made meanwhile are nobody else's to read: zmq.auth leaves that to the umask."""
    before = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(before)


def _table(said: Entry, public: str) -> str:
    return (
        f'\n[keys.{said.name}]\npublic = "{public}"\nrole = "{said.role}"\n'
        f"agents = {_toml(said.agents)}\nqueues = {_toml(said.queues)}\n"
    )


def _toml(names: frozenset[str]) -> str:
    return "[" + ", ".join(_quoted(name) for name in sorted(names)) + "]"


def _quoted(name: str) -> str:
    if not name.isprintable():
        raise ConfigurationError(f"{name!r} is no id of an agent or a queue")
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _few(names: frozenset[str]) -> str:
    if ALL in names:
        return ALL
    return ",".join(sorted(names)) or "-"


def _write(file: Path, text: str) -> None:
    """Replace a file whole: the server may read it at any moment."""
    with tempfile.NamedTemporaryFile("w", dir=file.parent, encoding="utf-8", delete=False) as made:
        made.write(text)
    made_at = Path(made.name)
    try:
        read_keys(made_at)
    except ConfigurationError:
        made_at.unlink()
        raise
    made_at.chmod(0o644)  # no secret is in it, and the server may be another user
    made_at.replace(file)

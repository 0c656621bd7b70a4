"""`cti accounts`: who may log in over HTTP, and with which password."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console
from rich.table import Table

from cti.api.grants_file import NAME
from cti.cli.roles import checked, role_options
from cti.errors import ConfigurationError
from cti.web.accounts import FILE, AccountEntry, read_accounts
from cti.web.passwords import LONGEST, Passwords

SHORTEST = 8
"""Characters of a password; NIST SP 800-63B asks for no less."""

_HEADER = """# Who may log in over HTTP; see `cti accounts --help`. The server takes changes over by itself.
# Passwords are argon2 hashes. agents and queues: lists of ids, or ["*"] for all.
"""

_file = click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(FILE),
    show_default=True,
    envvar="CTI_ACCOUNTS",
    help="The accounts file.",
)


@click.group()
def accounts() -> None:
    """Make, list and remove the accounts of people and programs that use HTTP."""


@accounts.command()
@click.argument("name")
@role_options("account")
@click.option("--agent", "agents", multiple=True, metavar="ID", help="An agent it may act for; '*' is all. Repeatable.")
@click.option("--queue", "queues", multiple=True, metavar="ID", help="A queue it may see; '*' is all. Repeatable.")
@click.option("--password-file", type=click.File(), help="Read the password from the first line of a file; - is stdin.")
@click.option("--replace", is_flag=True, help="Change an account that there is.")
@_file
def new(  # noqa: PLR0917 - click names them
    name: str,
    role: str,
    configuration: Path | None,
    agents: tuple[str, ...],
    queues: tuple[str, ...],
    password_file: TextIO | None,
    replace: bool,
    file: Path,
) -> None:
    """Make an account called NAME; its password is asked for."""
    if not NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} cannot be an account's name: 1 to 64 letters, digits, '-' and '_'")
    said = checked(name, role, agents, queues, configuration)
    known = read_accounts(file) if file.exists() else {}
    if name in known and not replace:
        raise ConfigurationError(f"there is an account {name} in {file} already; say --replace to change it")
    password = password_file.readline().rstrip("\r\n") if password_file is not None else _asked()
    if not SHORTEST <= len(password) <= LONGEST:
        raise ConfigurationError(f"a password has {SHORTEST} to {LONGEST} characters")
    known[name] = AccountEntry(said, Passwords().hash(password))
    _write(file, known)
    print(f"{name} may log in")


@accounts.command(name="list")
@_file
def list_(file: Path) -> None:
    """Show every account: its name, its role, and what it covers."""
    shown = Table("name", "role", "agents", "queues")
    console = Console()
    for name, account in sorted(read_accounts(file).items()):
        said = account.said
        row = name, said.role, _few(said.agents), _few(said.queues)
        if console.is_terminal:
            shown.add_row(*row)
        else:
            print(f"{row[0]} {row[1]} agents={row[2]} queues={row[3]}")
    if console.is_terminal:
        console.print(shown)


@accounts.command()
@click.argument("name")
@_file
def remove(name: str, file: Path) -> None:
    """Remove the account NAME: who is logged in with it is logged out within a second or so."""
    known = read_accounts(file)
    if known.pop(name, None) is None:
        raise ConfigurationError(f"there is no account {name!r} in {file}; `cti accounts list` shows what there is")
    _write(file, known)
    print(f"{name} is removed")


def _asked() -> str:
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _few(names: frozenset[str]) -> str:
    return ",".join(sorted(names)) or "-"


def _write(file: Path, known: dict[str, AccountEntry]) -> None:
    """Replace the file at one stroke, for its owner alone."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, made = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # its mode is 0600
    made_at = Path(made)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(_HEADER + "".join(_table(account) for _, account in sorted(known.items())))
        read_accounts(made_at)
        if file.exists():
            was = file.stat()
            os.chown(made_at, was.st_uid, was.st_gid)
        made_at.replace(file)
    except BaseException:
        made_at.unlink(missing_ok=True)
        raise


def _table(account: AccountEntry) -> str:
    said = account.said
    # A JSON string without escapes beyond the first plane is a TOML string too.
    agents, queues = (json.dumps(sorted(names), ensure_ascii=False) for names in (said.agents, said.queues))
    return (
        f"\n[accounts.{said.name}]\npassword = {json.dumps(account.password)}\n"
        f'role = "{said.role}"\nagents = {agents}\nqueues = {queues}\n'
    )

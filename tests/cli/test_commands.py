"""`cti` itself: its commands are there, each by itself."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from cti.cli import commands
from cti.cli.commands import Commands

CTI = Commands("cti")
CONTEXT = click.Context(CTI)


@pytest.mark.parametrize("name", CTI.list_commands(CONTEXT))
def test_each_is_there_under_its_name(name):
    command = CTI.get_command(CONTEXT, name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str()


def test_what_is_not_there_is_said():
    result = CliRunner().invoke(CTI, ["kyes"])
    assert result.exit_code == 2
    assert "No such command 'kyes'" in result.output


@pytest.mark.parametrize(("name", "extra"), [("keys", "cli"), ("webhooks", "web")])
def test_a_missing_extra_is_named(monkeypatch, name, extra):
    def import_module(module):
        raise ImportError(f"No module named {module!r}")

    monkeypatch.setattr(commands, "import_module", import_module)
    result = CliRunner().invoke(CTI, [name, "list", "--all"])
    assert result.exit_code == 1
    assert f"needs the extra '{extra}'" in result.output
    assert f"pip install 'cti[{extra}]'" in result.output
    assert f"(needs the extra '{extra}')" in CliRunner().invoke(CTI, ["--help"]).output


def test_a_command_waits_for_its_own_modules_only():
    asked = "from cti.cli.main import main; import sys; sys.argv = ['cti', '--version']\ntry: main()\nexcept SystemExit: pass"
    printed = "print(sorted(name for name in sys.modules if name.startswith('cti.')))"
    result = subprocess.run(
        [sys.executable, "-c", f"{asked}\n{printed}"], capture_output=True, text=True, check=True, timeout=60
    )
    assert "cti.cli.commands" in result.stdout
    assert "cti.engine" not in result.stdout

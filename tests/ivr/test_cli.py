"""`cti ivr` as somebody types it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from cti.cli.ivr import ivr
from cti.errors import ConfigurationError
from cti.ivr import Ivr, dot, outline
from cti.testing import FakeCall

MENU = str(Path(__file__).parent / "menu.toml")


def run(*arguments: str, typed: str | None = None):
    return CliRunner().invoke(ivr, arguments, input=typed)


def test_a_walk_with_given_keys():
    result = run("try", MENU, "--keys", "1,1,4711#", "--answer", "customer=vip")
    assert result.exit_code == 0
    assert "? 4711#\n  /sounds/en/policy-number.wav\n" in result.output
    assert "queued claims after" in result.output
    assert "policy=4711" in result.output


def test_a_walk_at_the_terminal():
    result = run("try", MENU, typed="2\nsay 我要理赔\nbye\n")
    assert "/sounds/zh/policy-number.wav" in result.output
    assert "caller gone" in result.output
    assert "caller gone" in run("try", MENU, typed="1\n").output  # the end of the input is a hang-up


def test_a_walk_out_of_hours_and_with_data():
    result = run("try", MENU, "--keys", "", "--closed", "office", "--data", "segment=vip")
    assert "hung up after 3 s, through hours, closed" in result.output
    assert "segment=vip" in result.output


def test_a_check(tmp_path):
    assert "sound" in run("check", MENU).output
    bad = tmp_path / "bad.toml"
    bad.write_text('start = "a"\n[nodes.a]\nplay = "p"\nnext = "b"\n[nodes.c]\nhang_up = true\n')
    result = run("check", str(bad))
    assert result.exit_code == 2
    assert len(result.output.splitlines()) == 3  # the prompt, the node, and the one nobody reaches


def test_an_outline_in_the_terminal():
    output = run("draw", MENU).output
    assert "main  menu main" in output
    assert output.count("menu main") == 2
    assert "(above)" in output


def test_a_picture_without_graphviz(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    picture = tmp_path / "menu.svg"
    assert run("draw", MENU, "-o", str(picture)).exit_code == 0
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    assert "customer" in picture.read_text(encoding="utf-8")
    for name, said in (("menu.png", "needs Graphviz"), ("menu.txt", "must be .svg")):
        result = run("draw", MENU, "-o", str(tmp_path / name))
        assert isinstance(result.exception, ConfigurationError)
        assert said in str(result.exception)


def test_a_picture_by_graphviz(tmp_path, monkeypatch):
    # What stands in for `dot` here writes what it was given: its own work is not ours to test.
    program = tmp_path / "dot"
    program.write_text('#!/bin/sh\ncat > "$3"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    picture = tmp_path / "menu.svg"
    assert run("draw", MENU, "-o", str(picture)).exit_code == 0
    assert picture.read_text(encoding="utf-8").startswith("digraph ivr {")
    program.write_text("#!/bin/sh\necho no such font >&2\nexit 1\n")
    result = run("draw", MENU, "-o", str(picture))
    assert "no such font" in str(result.exception)


def test_graphviz_language(tmp_path, tree):
    path = tmp_path / "menu.dot"
    run("draw", MENU, "-o", str(path))
    assert path.read_text(encoding="utf-8") == dot(tree)
    assert '"main" -> "sales" [label="2"];' in dot(tree)
    assert '"main" -> "main@repeat" [label="9"];' in dot(tree)


def test_a_picture_with_figures(tree):
    menu = Ivr(tree, lookups={"customer": lambda visit: None}, calendars={"office": Open()})
    FakeCall(["1", "2"]).run(menu)
    drawn = dot(tree, menu.figures)
    assert "1 came, 0 hung up" in drawn
    assert '[label="2 (1)"]' in drawn


def test_names_with_quotes_are_drawn(tree):
    from attrs import evolve

    from cti.ivr import HangUpNode

    odd = evolve(tree, start='a"b\\', nodes={'a"b\\': HangUpNode()})
    assert '"a\\"b\\\\"' in dot(odd)
    assert outline(odd).name == 'a"b\\'


@pytest.mark.parametrize("arguments", [("--answer", "customer"), ("--data", "=x")])
def test_options_of_the_wrong_form(arguments):
    assert isinstance(run("try", MENU, *arguments).exception, ConfigurationError)


class Open:
    def is_open(self, at: float) -> bool:
        return True

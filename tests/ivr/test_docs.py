"""What docs/first-ivr.md shows is true."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from cti.ivr import Ivr, problems, read_ivr
from cti.ivr.node import KINDS
from cti.script.callback_number import WHY_NOT
from cti.testing import FakeCall

PAGE = (Path(__file__).parents[2] / "docs" / "first-ivr.md").read_text(encoding="utf-8")
MENU, LEAVING = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
SERVICE, SCRIPT, TEST, MISSING, SOCKET = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_file_is_sound():
    assert problems(read_ivr(MENU)) == []


def test_the_menu_of_messages_callbacks_and_faxes_is_sound_and_does_what_the_page_says():
    tree = read_ivr(LEAVING)
    assert problems(tree, queues=["claims"], calling_back=["claims"], mailboxes=["claims"]) == []
    ended = {
        "1": "queued",
        "2": "queued",  # no answer
        "2,1": "called back",
        "2,3,1": "queued",  # declined, and back in the menu
        "3": "hung up",
        "4": "queued",  # no fax machine
    }
    for keys, end in ended.items():
        assert FakeCall(keys.split(",")).run(Ivr(tree)) == end, keys
    call = FakeCall(["2", "1"], no_callback="closed")
    assert (call.run(Ivr(tree)), [mailbox for mailbox, _ in call.messages]) == ("hung up", ["claims"])
    call = FakeCall(["4"], fax_pages=3)
    assert (call.run(Ivr(tree)), call.faxes) == ("hung up", [("claims", 3)])
    for words in re.findall(r"`answers` has a way for each reason: (.*?)\. The others", PAGE, re.DOTALL):
        assert re.findall(r"`(\w+)`", words) == list(WHY_NOT)


def test_every_kind_of_node_is_in_the_table():
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == set(KINDS)


def test_the_service_is_made_as_shown(tmp_path, monkeypatch):
    (tmp_path / "hotline.toml").write_text(MENU, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    made = SERVICE.partition("centre.start()")[0]
    names: dict[str, object] = {}
    exec(compile(made, "first-ivr.md", "exec"), names)
    menu = names["hotline"]
    assert isinstance(menu, Ivr)
    call = FakeCall(["1", "4711#"])
    assert call.run(menu) == "queued"
    assert call.queued == [("claims", 10)]


@pytest.mark.parametrize("then", [TEST, SOCKET])
def test_the_script_does_what_its_test_says(then):
    names: dict[str, object] = {}
    exec(compile(SCRIPT + then, "first-ivr.md", "exec"), names)


def test_what_the_switch_lacks_is_said(capsys):
    centre = SimpleNamespace(switch=SimpleNamespace(api=lambda command, _: "false" if command == "file_exists" else ""))
    exec(compile(SCRIPT + MISSING, "first-ivr.md", "exec"), {"centre": centre})
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["the switch lacks /sounds/en/welcome.wav", "the switch lacks /sounds/zh/welcome.wav"]
    assert said[2].startswith("the switch lacks words in 'en'")

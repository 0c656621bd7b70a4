"""Callers in a voice menu: where they go, what they hear, and what is counted."""

from __future__ import annotations

import gevent
import pytest
from attrs import evolve

from cti.errors import ConfigurationError
from cti.ivr import Ivr, LookupNode, Spoken, read_ivr
from cti.script import Recognizer, Say
from cti.script.sounding import MISSING_TONE
from cti.testing import FakeCall, HangUp, Press, Speaks


class Hours:
    def __init__(self, is_open: bool = True) -> None:
        self.open = is_open
        self.asked: list[float] = []

    def is_open(self, at: float) -> bool:
        self.asked.append(at)
        return self.open


def service(tree, customer=lambda visit: None, *, is_open=True, **more):
    return Ivr(tree, lookups={"customer": customer}, calendars={"office": Hours(is_open)}, **more)


def small(nodes: str, prompts: str = 'p = "p.wav"'):
    return read_ivr(f'start = "a"\n[prompts]\n{prompts}\n{nodes}')


def test_a_vip_reaches_the_queue_first_with_what_was_collected(tree):
    seen = []

    def customer(visit):
        seen.append((visit.data["policy"], visit.call.calling_number))
        return "vip"

    call = FakeCall(["1", "1", "4711#"])
    assert call.run(service(tree, customer)) == "queued"
    assert call.queued == [("claims", 10)]
    assert call.data == {"language": "en", "policy": "4711", "segment": "vip"}
    assert seen == [("4711", "0301234567")]


def test_in_the_callers_language_to_the_end(tree):
    call = FakeCall(["2", "1", "4711#"])
    call.run(service(tree, lambda visit: "known"))
    assert call.heard[-4:] == [
        "/sounds/zh/main.wav",
        "/sounds/zh/policy-number.wav",
        "/sounds/zh/your-policy-is.wav",
        "zh NUMBER iterated 4711",
    ]


def test_out_of_hours(tree):
    call = FakeCall()
    menu = service(tree, is_open=False, clock=lambda: 1234.5)
    assert call.run(menu) == "hung up"
    assert call.heard == ["/sounds/en/closed.wav"]
    assert menu._calendars["office"].asked == [1234.5]


@pytest.mark.parametrize(
    ("turns", "ended", "queued", "diverted"),
    [
        (["1", "2"], "queued", [("sales", 0)], ""),
        (["1", "9", "2"], "queued", [("sales", 0)], ""),  # repeat
        (["1", "*", "2", "2"], "queued", [("sales", 0)], ""),  # the language once more
        (["1", "", "", ""], "diverted", [], "4000"),
        (["1", "7", "7", "7"], "diverted", [], "4000"),
        (["1", "1", "12", "1", "2"], "diverted", [], "4000"),
        ([], "diverted", [], "4000"),
        (["1", HangUp()], "caller gone", [], ""),
    ],
)
def test_ways_through_it(tree, turns, ended, queued, diverted):
    call = FakeCall(turns)
    assert call.run(service(tree)) == ended
    assert (call.queued, call.diverted) == (queued, diverted)


def test_by_voice(tree):
    call = FakeCall(["1", Speaks("I would like to buy a new policy")])
    assert call.run(service(tree, recognizer=Recognizer("unimrcp", "g"))) == "queued"
    assert call.queued == [("sales", 0)]


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, 0),
        ("nonsense", 1),
        (42, 1),
        (["vip"], 1),
        (True, 1),  # there is no answer "yes" here
        (ValueError("4711"), 1),
    ],
)
def test_a_look_up_that_returns_nonsense_or_fails_goes_the_other_way(tree, answer, failed, capsys):
    def customer(visit):
        if isinstance(answer, Exception):
            raise answer
        return answer

    menu = service(tree, customer)
    call = FakeCall(["1", "1", "4711#"])
    assert call.run(menu) == "queued"
    assert call.queued == [("claims", 0)]
    assert menu.figures["customer"].failed == failed
    assert "4711" not in capsys.readouterr().out


def test_a_look_up_that_is_late_goes_the_other_way(tree):
    nodes = {**tree.nodes, "customer": evolve(tree.nodes["customer"], deadline_s=0.02)}
    menu = service(evolve(tree, nodes=nodes), lambda visit: gevent.sleep(60))
    call = FakeCall(["1", "1", "4711#"])
    with gevent.Timeout(20):
        assert call.run(menu) == "queued"
    assert menu.figures["customer"].failed == 1


def test_a_timeout_of_the_hosts_own_is_not_swallowed(tree):
    menu = service(tree, lambda visit: gevent.sleep(60))
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.05):
        FakeCall(["1", "1", "4711#"]).run(menu)


def test_yes_and_no():
    tree = small(
        '[nodes.a]\nlookup = "f"\nanswers = { yes = "b", no = "c" }\notherwise = "c"\n'
        '[nodes.b]\nqueue = "b"\n[nodes.c]\nqueue = "c"'
    )
    for answer, queue in ((True, "b"), (False, "c"), (None, "c")):
        call = FakeCall()
        call.run(Ivr(tree, lookups={"f": lambda visit, answer=answer: answer}))
        assert call.queued == [(queue, 0)]


def test_a_secret_is_for_look_ups_only():
    tree = small(
        '[nodes.a]\ncollect = "p"\ninto = "pin"\nsecret = true\nmax_digits = 4\nnext = "b"\notherwise = "c"\n'
        '[nodes.b]\nlookup = "check"\nanswers = { yes = "q" }\notherwise = "c"\n'
        '[nodes.q]\nqueue = "q"\n[nodes.c]\nhang_up = true'
    )
    menu = Ivr(tree, lookups={"check": lambda visit: visit.secrets["pin"].matches("9248")})
    call = FakeCall(["9248"])
    assert call.run(menu) == "queued"
    assert call.data == {}
    assert "9248" not in f"{menu!r} {menu.figures} {call.control.variables}"
    assert FakeCall(["1111"]).run(menu) == "hung up"


def test_back_goes_to_the_menu_before():
    tree = small(
        '[nodes.a]\nmenu = "p"\noptions = { "1" = "b" }\notherwise = "z"\n'
        '[nodes.b]\nmenu = "q"\noptions = { "1" = "c", "*" = "@back" }\notherwise = "z"\n'
        '[nodes.c]\nmenu = "r"\noptions = { "*" = "@back", "0" = "@main" }\notherwise = "z"\n'
        "[nodes.z]\nhang_up = true",
        'p = "p.wav"\nq = "q.wav"\nr = "r.wav"',
    )
    call = FakeCall(["1", "1", "*", "*", "1", "1", "0", HangUp()])
    assert call.run(Ivr(tree)) == "caller gone"
    assert call.heard == ["p.wav", "q.wav", "r.wav", "q.wav", "p.wav", "q.wav", "r.wav", "p.wav"]


def test_counts_of_where_callers_go_and_leave(tree):
    menu = service(tree)
    for turns in (["1", "2"], ["1", "2"], ["1", HangUp()], ["1", "", "", ""], ["1", "9", "2"]):
        FakeCall(turns).run(menu)
    main = menu.figures["main"]
    assert menu.calls == 5
    assert (main.entered, main.left, main.nothing) == (6, 1, 1)
    assert main.exits == {"2": 3, "9": 1, "otherwise": 1}
    assert main.entered == main.left + sum(main.exits.values())
    assert menu.figures["sales"].exits == {"queue": 3}
    assert menu.figures["vip"].entered == 0


def test_a_caller_who_gives_up_in_the_queue_left_there(tree):
    menu = service(tree)
    assert FakeCall(["1", "2"], queues={"sales": None}).run(menu) == "caller gone"
    assert menu.figures["sales"].left == 1


def test_a_missing_prompt_is_a_tone_and_said_at_the_start(tree):
    call = FakeCall(["1", "2"], missing={"/sounds/en/welcome.wav"})
    menu = service(tree)
    assert call.run(menu) == "queued"
    assert call.heard[:2] == ["/sounds/en/welcome.wav", MISSING_TONE]
    answers = {
        "/sounds/en/main.wav": "false",
        "en.wav en number pronounced 1": "file_string://digits/1.wav",
        "zh.wav zh number pronounced 1": "-ERR Invalid Params",
    }
    prompt, words = menu.missing_prompts(lambda _, path: answers.get(path, "true"))
    assert prompt == "/sounds/en/main.wav"
    assert "words in 'zh'" in words


def test_where_prompts_without_a_folder_are_looked_for():
    tree = small('[nodes.a]\nhang_up = ["p", "q"]', 'p = "ivr/p.wav"\nq = "{a=b}/abs/q.wav"')
    asked = []

    def api(command, argument):
        asked.append((command, argument))
        return {"sound_prefix": "", "sounds_dir": "/srv/sounds"}.get(argument, "true")

    assert Ivr(tree).missing_prompts(api) == []
    assert asked[-2:] == [("file_exists", "/srv/sounds/ivr/p.wav"), ("file_exists", "/abs/q.wav")]


def test_values_of_the_call_are_read_out_and_nonsense_is_left_out():
    tree = small(
        '[nodes.a]\nhang_up = "p"',
        'p = ["you.wav", { data = "sum", kind = "currency" }, { say = 3, kind = "items" }, '
        '{ speak = "dear {name}{none}", engine = "e", voice = "v" }]',
    )
    call = FakeCall(data={"sum": "12.50", "name": "Ann ${x}"})
    call.run(Ivr(tree))
    assert call.heard == ["you.wav", "en CURRENCY pronounced 12.50", "en ITEMS pronounced 3", "e|v|dear Ann \\${x}"]
    for value in ("nonsense", 1.5, None):
        call = FakeCall(data={"sum": value})
        assert call.run(Ivr(tree)) == "hung up"
        assert call.heard[:2] == ["you.wav", "en ITEMS pronounced 3"]


def test_speech_needs_a_voice():
    tree = small('[nodes.a]\nhang_up = "p"', 'p = { speak = "hello" }')
    assert tree.prompts["p"][""] == (Spoken("hello"),)
    with pytest.raises(ConfigurationError, match=r"prompts\.p: speak needs an engine and a voice"):
        Ivr(tree)
    call = FakeCall()
    call.run(Ivr(tree, voice=("flite", "slt")))
    assert call.heard == ["flite|slt|hello"]


def test_an_interruptible_prompt_and_one_that_is_not():
    nodes = (
        '[nodes.a]\nplay = "p"\nnext = "b"\n%s\n'
        '[nodes.b]\nmenu = "q"\noptions = { "1" = "c" }\notherwise = "c"\n[nodes.c]\nqueue = "c"'
    )
    for line, heard in (("", ["p.wav"]), ("interruptible = false", ["p.wav"])):
        call = FakeCall()
        call.control._later(1.0, lambda call=call: call.control.keys.pressed("1", 1.0))
        call.run(Ivr(small(nodes % line, 'p = "p.wav"\nq = "q.wav"')))
        assert call.heard == heard  # the key answers the menu in both
        assert (call.elapsed_s < 2) == (not line)


def test_the_service_names_all_it_lacks(tree):
    with pytest.raises(ConfigurationError) as wrong:
        Ivr(tree, queues=["sale"])
    said = str(wrong.value)
    assert "4 problems" in said or "5 problems" in said
    assert "unknown look-up 'customer'; known: none" in said
    assert "unknown calendar 'office'" in said
    assert "unknown queue 'sales'; did you mean 'sale'?" in said


def test_a_tree_made_in_python():
    from cti.ivr import HangUpNode, IvrTree, PlayNode

    tree = IvrTree(
        start="hello",
        prompts={"hello": {"": ("hello.wav", Say(5))}},
        nodes={"hello": PlayNode(play=("hello",), next="end"), "end": HangUpNode()},
    )
    call = FakeCall([Press("1")])
    assert call.run(Ivr(tree)) == "hung up"
    assert call.heard == ["hello.wav", "en NUMBER pronounced 5"]
    assert LookupNode(lookup="f", answers={}, otherwise="x").exits == {"otherwise": "x"}

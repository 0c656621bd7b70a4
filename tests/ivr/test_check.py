"""Everything that is wrong with a voice menu is said, all at once."""

from __future__ import annotations

import pytest

from cti.errors import ConfigurationError
from cti.ivr import problems, read_ivr

END = "[nodes.z]\nhang_up = true\n"


def wrong_with(nodes: str, prompts: str = 'p = "p.wav"', top: str = 'start = "a"') -> list[str]:
    return problems(read_ivr(f"{top}\n[prompts]\n{prompts}\n{nodes}"))


def test_a_sound_tree_has_no_problems(tree):
    assert problems(tree) == []


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        (
            '[nodes.a]\nplay = "p"\nnext = "y"\n' + END,
            ["nodes.a: next: unknown node 'y'", "nodes.z: nobody ever gets here"],
        ),
        ('[nodes.a]\nplay = "q"\nnext = "z"\n' + END, ["nodes.a: unknown prompt 'q'"]),
        ('[nodes.a]\nplay = "p"\nnext = "@bakc"\n' + END, ["did you mean '@back'?", "nobody ever gets here"]),
        ('[nodes.a]\nplay = "p"\nnext = "a"', ["loop without input: a -> a"]),
        ('[nodes.a]\nplay = "p"\nnext = "@repeat"', ["loop without input: a -> a"]),
        (
            '[nodes.a]\nplay = "p"\nnext = "b"\n[nodes.b]\nset = { x = 1 }\nnext = "c"\n'
            '[nodes.c]\nlookup = "f"\nanswers = { x = "z" }\notherwise = "a"\n' + END,
            ["loop without input: a -> b -> c -> a"],
        ),
        (
            '[nodes.a]\nmenu = "p"\noptions = { "1" = "z" }\notherwise = "@repeat"\n' + END,
            ["loop without input: a -> a"],
        ),
        (
            '[nodes.a]\nmenu = "p"\noptions = { "1" = "z" }\notherwise = "@back"\n' + END,
            ["nodes.a: @back without input"],
        ),
        ('[nodes.a]\nmenu = "p"\noptions = { "x" = "z" }\notherwise = "z"\n' + END, ["option 'x' is not of the keys"]),
        ('[nodes.a]\nmenu = "p"\noptions = {}\notherwise = "z"\n' + END, ["there are no options"]),
        (
            '[nodes.a]\nmenu = "p"\noptions = { "1" = "z" }\nwords = { "2" = ["x"] }\notherwise = "z"\n' + END,
            ["words for options that are not there: 2"],
        ),
        (
            '[nodes.a]\nmenu = "p"\noptions = { "1" = "z" }\ntries = 0\notherwise = "z"\n' + END,
            ["tries is 0"],
        ),
        (
            '[nodes.a]\ncollect = "p"\ninto = "x"\nmin_digits = 9\nmax_digits = 4\nnext = "z"\notherwise = "z"\n' + END,
            ["9 to 4 digits"],
        ),
        (
            '[nodes.a]\ncollect = "p"\ninto = "x"\nvalid = "["\nnext = "z"\notherwise = "z"\n' + END,
            ["no regular expression"],
        ),
        ('[nodes.a]\nlanguage = "fr"\nnext = "z"\n' + END, ["language 'fr' is not among languages (en)"]),
        (
            '[nodes.a]\nlookup = "f"\nanswers = {}\notherwise = "z"\ndeadline_s = 0\n' + END,
            ["deadline_s is 0"],
        ),
        ('[nodes.a]\nset = {}\nnext = "z"\n' + END, ["nothing is set"]),
    ],
)
def test_a_tree_that_makes_no_sense(nodes, said):
    found = wrong_with(nodes)
    assert len(found) == len(said), found
    for line, expected in zip(found, said, strict=True):
        assert expected in line


def test_every_loop_is_named_once_and_a_long_way_is_no_loop():
    nodes = '[nodes.a]\nhours = "h"\nopen = "b"\nclosed = "c"\n'
    nodes += '[nodes.b]\nplay = "p"\nnext = "a"\n[nodes.c]\nplay = "p"\nnext = "c"\n'
    assert [line.partition(";")[0] for line in wrong_with(nodes)] == [
        "loop without input: a -> b -> a",
        "loop without input: c -> c",
    ]
    chain = "".join(f'[nodes.n{n}]\nplay = "p"\nnext = "n{n + 1}"\n' for n in range(2000))
    assert wrong_with(chain + "[nodes.n2000]\nhang_up = true\n", top='start = "n0"') == []


def test_a_way_round_with_input_is_no_loop():
    nodes = (
        '[nodes.a]\nmenu = "p"\noptions = { "1" = "b", "2" = "a" }\notherwise = "z"\n'
        '[nodes.b]\nplay = "p"\nnext = "a"\n' + END
    )
    assert wrong_with(nodes) == []


def test_prompts_in_every_language():
    found = wrong_with(
        '[nodes.a]\nhang_up = ["p", "q", "r"]',
        'p = { en = "p.wav" }\nq = "q.wav"\nr = { en = "r.wav", zh = "r.wav", fr = "r.wav" }',
        'start = "a"\nlanguages = ["en", "zh"]',
    )
    assert found == ["prompts.p: missing in 'zh'", "prompts.r: 'fr' is not among languages (en, zh)"]


def test_pieces_that_cannot_be_said():
    found = wrong_with('[nodes.a]\nhang_up = "p"', 'p = [{ say = -1 }, { data = "x", kind = "curency" }]')
    assert len(found) == 2
    assert "-1 is no whole number" in found[0]
    assert "did you mean 'currency'?" in found[1]


def test_a_start_that_is_not_there():
    assert wrong_with("[nodes.b]\nhang_up = true", top='start = "a"\nmain = "c"') == [
        "start: unknown node 'a'; known: b",
        "main: unknown node 'c'; known: b",
    ]


def test_a_secrets_prompt():
    nodes = '[nodes.a]\ncollect = "p"\ninto = "pin"\nsecret = true\nnext = "z"\notherwise = "z"\n' + END
    assert wrong_with(nodes) == []
    assert wrong_with(nodes, "p = { say = 4 }") == ["nodes.a: a secret's prompt must be files and tones without blanks"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("start = ", ["is no TOML"]),
        ('begin = "a"', ["'begin' is not known here", "start: expected a node's name, found None"]),
        ('start = "a"\nnodes = 3', ["nodes: expected a table"]),
        ('start = "a"\nlanguages = "en"', ["languages: expected a list"]),
        ('start = "a"\n[nodes.a]\nplay = "p"', ["nodes.a: 'next' is missing"]),
        ('start = "a"\n[nodes.a]\nplay = "p"\nnext = "b"\nprio = 3', ["nodes.a:", "prio is not known there"]),
        ('start = "a"\n[nodes.a]\nqueue = "q"\npriority = "high"', ["expected int, found 'high'"]),
        ('start = "a"\n[nodes.a]\nqueue = 5', ["expected str, found 5"]),
        ('start = "a"\n[nodes.a]\nplay = 5\nnext = "x"', ["expected a name or a list of names, found 5"]),
        ('start = "a"\n[nodes.a]\nmenuu = "p"', ["says not what it does ('menuu': did you mean 'menu'?)"]),
        ('start = "a"\n[nodes.a]\nplay = "p"\nqueue = "q"', ["it is play and queue at once"]),
        ('start = "a"\n[nodes."@x"]\nqueue = "q"', ["may not begin with @"]),
        ('start = "a"\n[nodes]\na = 3', ["nodes.a: expected a table"]),
        ('start = "a"\n[prompts]\np = 3', ["prompts.p: expected a file"]),
        ('start = "a"\n[prompts]\np = { say = 3, kindd = "x" }', ["with 'say' there may be kind, digits"]),
        ('start = "a"\n[prompts]\np = { zh = [""] }', ["prompts.p.zh: expected"]),
        (
            'start = "a"\nx = 1\n[nodes.a]\nplay = "p"\n[nodes.b]\nqueue = 5',
            ["3 problems", "'x' is not known", "nodes.a: 'next' is missing", "nodes.b:"],
        ),
    ],
)
def test_a_file_of_the_wrong_form(text, said):
    with pytest.raises(ConfigurationError) as wrong:
        read_ivr(text)
    for one in said:
        assert one in str(wrong.value)

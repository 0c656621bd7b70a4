"""Requirements: what their text means, what is refused and where, and how they explain themselves."""

from __future__ import annotations

import copy
import operator
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.errors import ConfigurationError
from cti.model.ids import QueueId
from cti.model.queue import QueueSettings
from cti.model.requirement import ANYBODY, Requirement
from cti.model.requirement_text import DEEPEST, LONGEST, BadRequirement

EXAMPLE = "chinese >= 5 and (loans >= 3 or vip) and not trainee"


@pytest.mark.parametrize(
    ("skills", "accepted", "lacking"),
    [
        ({"chinese": 5, "loans": 3}, True, []),
        ({"chinese": 5, "vip": 1}, True, []),
        ({"chinese": 4, "vip": 1}, False, ["chinese 4 < 5"]),
        ({"chinese": 9, "loans": 2}, False, ["none of (loans 2 < 3; vip 0 < 1)"]),
        ({"chinese": 9, "loans": 3, "trainee": 1}, False, ["trainee 1 >= 1"]),
        ({"trainee": 2}, False, ["chinese 0 < 5", "none of (loans 0 < 3; vip 0 < 1)", "trainee 2 >= 1"]),
    ],
)
def test_the_example(skills, accepted, lacking):
    made = Requirement(EXAMPLE)
    assert made.accepts(skills) is accepted
    assert made.shortfalls(skills) == lacking
    assert made.skills == {"chinese", "loans", "vip"}


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("a", range(1, 10)),
        ("not a", [0]),
        ("not not a", range(1, 10)),
        ("a>=3", range(3, 10)),
        ("a > 3", range(4, 10)),
        ("a <= 3", range(4)),
        ("a < 3", range(3)),
        ("a == 3", [3]),
        ("a != 3", [0, 1, 2, *range(4, 10)]),
        ("not a == 3", [0, 1, 2, *range(4, 10)]),
        ("not (a < 3 or a > 5)", [3, 4, 5]),
        ("a > 1 AND NOT a > 4", [2, 3, 4]),
        ("a < 2 or a > 4 and a < 7", [0, 1, 5, 6]),
        ("(a < 2 or a > 4) and a < 7", [0, 1, 5, 6]),
        ("a == 1 or a == 3 or a == 5", [1, 3, 5]),
        ("a >= 0", range(10)),
    ],
)
def test_levels_it_accepts(text, levels):
    made = Requirement(text)
    assert [level for level in range(10) if made.accepts({"a": level})] == list(levels)
    assert made.accepts({}) is made.accepts({"a": 0})
    assert all(bool(made.shortfalls({"a": level})) is (level not in levels) for level in range(10))


@pytest.mark.parametrize(
    ("text", "skill"),
    [
        ("中文", "中文"),
        ("हिन्दी", "हिन्दी"),
        ("c-1_x.y", "c-1_x.y"),
        ("3g", "3g"),
        ("'and'", "and"),
        ('"two words"', "two words"),
        (r'"a \"b\" \\c"', 'a "b" \\c'),
        ("'5'", "5"),
    ],
)
def test_names(text, skill):
    assert Requirement(text).skills == {skill}


@pytest.mark.parametrize(
    ("text", "column", "expected", "found"),
    [
        (" ", 2, "a skill's name, 'not' or '('", "the end"),
        ("loans >= -5", 10, "a level", "'-5'"),
        ("loans >=", 9, "a level", "the end"),
        ("loans >= x", 10, "a level", "'x'"),
        ("loans >= 3.5", 10, "a level", "'3.5'"),
        ("loans >= 1234567890", 10, "a level", "'1234567890'"),
        ("loans >= ٣", 10, "a level", "'٣'"),
        ("loans => 3", 7, "an operator (>= <= == != > <)", "'=>'"),
        ("loans = 3", 7, "an operator", "'='"),
        ("a && b", 3, "an operator", "'&&'"),
        ("loans < 0", 9, "a level from 1 up", "'0'"),
        ("loans 3", 7, "'and', 'or' or the end", "'3'"),
        ("a b", 3, "'and', 'or' or the end", "'b'"),
        ("3 <= a", 1, "a skill's name", "'3'"),
        ("a and", 6, "a skill's name", "the end"),
        ("and a", 1, "a skill's name", "'and'"),
        ("a or or b", 6, "a skill's name", "'or'"),
        ("(a", 3, "'and', 'or' or ')'", "the end"),
        ("a)", 2, "no ')'", "')'"),
        ("()", 2, "a skill's name", "')'"),
        ("a ; b", 3, "an operator or a parenthesis", "';'"),
        ("'a", 3, "the closing '", "the end"),
        ("''", 1, "a name of 1 to 200", "''"),
        ("x" * 201, 1, "a name of at most 200", "one of 201"),
        ("a or " * 1000 + "a", LONGEST + 1, "at most 4000 characters", "5001"),
        ("(" * 50 + "a" + ")" * 50, DEEPEST + 2, "within each other", "'('"),
        ("not " * 50 + "a", 4 * (DEEPEST + 1) + 1, "within each other", "'not'"),
    ],
)
def test_what_is_refused(text, column, expected, found):
    with pytest.raises(BadRequirement) as caught:
        Requirement(text)
    assert caught.value.column == column
    assert expected in caught.value.expected
    assert caught.value.found == found
    assert str(caught.value).startswith(f"column {column}: expected ")


def test_of_a_queue():
    def queue(requires):
        return QueueSettings(id=QueueId("q"), requires=requires)

    assert queue({"loans": 3}) == queue("loans >= 3") == queue("loans > 2")
    assert queue({}) == queue(ANYBODY) == QueueSettings(id=QueueId("q"))
    assert queue({"two words": 2, 'q"': 1, "and": 1}).requires.skills == {"two words", 'q"', "and"}
    assert queue({}).accepts({})
    with pytest.raises(ConfigurationError, match=r"^requires: column 10: expected a level.*found '-5'"):
        queue("loans >= -5")
    with pytest.raises(ConfigurationError, match=r"requires: column 1: .* leave it out"):
        queue("")
    with pytest.raises(ConfigurationError, match="requires is 5; it must be text"):
        queue(5)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("a and b", "b and a", True),
        ("a and (b and c)", "c and b and a", True),
        ("not (a or b)", "not b and not a", True),
        ("a and a", "a", True),
        ("a or b", "a and b", False),
        ("a", "a >= 2", False),
    ],
)
def test_equal_by_meaning(one, other, equal):
    assert (Requirement(one) == Requirement(other)) is equal
    assert (hash(Requirement(one)) == hash(Requirement(other))) is equal
    assert Requirement(one) != one


def test_copies_and_pickles():
    made = Requirement(EXAMPLE)
    for again in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert again == made
        assert again.accepts({"chinese": 5, "vip": 1})
    assert repr(made) == f"Requirement({EXAMPLE!r})"
    assert str(made) == EXAMPLE


_OPERATORS = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}
_levels = st.integers(1, 5)
_atoms = st.tuples(st.sampled_from("abc"), st.sampled_from(sorted(_OPERATORS)), _levels)
_trees = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner), st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2))
    ),
    max_leaves=12,
)


def _text(tree):
    match tree:
        case ("not", inner):
            return f"not ({_text(inner)})"
        case ("and" | "or" as word, parts):
            return "(" + f" {word} ".join(map(_text, parts)) + ")"
        case (skill, compared, level):
            return f"{skill} {compared} {level}"


def _holds(tree, skills):
    match tree:
        case ("not", inner):
            return not _holds(inner, skills)
        case ("and", parts):
            return all(_holds(part, skills) for part in parts)
        case ("or", parts):
            return any(_holds(part, skills) for part in parts)
        case (skill, compared, level):
            return _OPERATORS[compared](skills.get(skill, 0), level)


@settings(deadline=None)
@given(_trees, st.dictionaries(st.sampled_from("abc"), st.integers(0, 6)))
def test_the_same_as_reading_it_plainly(tree, skills):
    try:
        made = Requirement(_text(tree))
    except BadRequirement:
        assert _text(tree).count("(") > DEEPEST
        return
    assert made.accepts(skills) is _holds(tree, skills)
    assert bool(made.shortfalls(skills)) is not made.accepts(skills)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    column = 0
    try:
        made = Requirement(text)
    except BadRequirement as refused:
        column = refused.column
    else:
        assert Requirement(made.text) == made
    assert 0 <= column <= len(text) + 1

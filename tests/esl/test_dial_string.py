from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cti.errors import ConfigurationError, LocalProtocolError
from cti.esl import (
    Api,
    Execute,
    api_argument,
    application,
    application_argument,
    channel_variables,
    originate,
    safe_contact,
)

from . import freeswitch_parser as model

CONTACT = "sofia/agents/1000@127.0.0.1:5060;transport=tcp"

# Pieces that mean something to one parser or another, so that chance puts them together.
PIECES = st.sampled_from(
    [
        *"'\"\\,{}<>[]()|^=&$:; \t%~a1",
        "^^",
        "\\n",
        "\\s",
        ":_:",
        "${",
        "$$",
        "%0A",
        "%0AUnique-ID: x",
        "ARRAY::",
        "|:",
        "undef",
        "reload mod_event_socket",
        "origination_nested_vars=true",
        "é",
        "日本",
        "\udcff",
        "\u2028",
    ]
)
VALUES = st.lists(PIECES, min_size=1, max_size=12).map("".join)
CARRIED = VALUES.filter(lambda text: "${" not in text and "$\\" not in text and not text.startswith("ARRAY::"))


def _balanced(text: str, pair: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == pair[0]) - (character == pair[1])
        if depth < 0:
            return False
    return depth == 0


def _sent(command: str) -> str:
    wire = Api(command).encode().decode("utf-8", "surrogateescape")
    return wire.removeprefix("api ").removesuffix("\n\n")


@given(VALUES)
@example("}{><")
@example("$\\\\{x}")
def test_a_value_changes_nothing_but_itself(value: str) -> None:
    variables = {"before": "1", "value": value, "after": "2"}
    carried, address, target = model.originated(_sent(originate(CONTACT, application("park"), variables)))
    assert carried.pop("before") == "1"
    assert carried.pop("after") == "2"
    assert set(carried) <= {"value"}
    assert address == CONTACT
    assert target == "&park()"


@given(CARRIED)
@example("O'Brien")
@example(" spaces at both ends ")
@example("\\")
@example("'")
def test_what_can_be_carried_arrives_exactly(value: str) -> None:
    variables, _, _ = model.originated(_sent(originate(CONTACT, "100", {"value": value})))
    expected = value.replace("\t", " ")
    if not _balanced(expected, "{}") and not _balanced(expected, "<>"):
        expected = expected.translate(str.maketrans("{}", "()"))
    assert variables["value"] == expected


@given(CARRIED)
@example("cost $$5")
@example("a$,b")
def test_what_can_be_carried_arrives_through_an_application_too(value: str) -> None:
    text = channel_variables({"value": value, "last": "$"}, within="application") + CONTACT
    variables, address = model.dialled(model.expanded(text))
    expected = value.replace("\t", " ")
    if not _balanced(expected, "{}") and not _balanced(expected, "<>"):
        expected = expected.translate(str.maketrans("{}", "()"))
    assert variables == {"value": expected, "last": "$"}
    assert address == CONTACT


@given(VALUES)
def test_strict_carries_exactly_or_refuses(value: str) -> None:
    try:
        command = originate(CONTACT, "100", {"value": value}, strict=True)
    except LocalProtocolError:
        return
    assert model.originated(_sent(command))[0] == {"value": value}


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ("line\r\nbreak", "line  break"),
        ("nul\0", "nul "),
        ("${system(id)}", "$ {system(id)}"),
        ("}{><", ")(><"),
        ("ARRAY::a|:b", "ARRAY:a|:b"),
    ],
)
def test_what_is_replaced_is_as_documented_and_refused_when_strict(value: str, arrives: str) -> None:
    variables, _, _ = model.originated(_sent(originate(CONTACT, "100", {"value": value})))
    assert variables == {"value": arrives}
    with pytest.raises(LocalProtocolError, match="value"):
        channel_variables({"value": value}, strict=True)


def test_plain_values_look_plain() -> None:
    assert channel_variables({"a": "b", "n": "+49123"}) == "{a=b,n=+49123}"
    assert channel_variables({}) == ""
    assert channel_variables({"a": ""}) == ""


def test_unpaired_braces_go_within_angles() -> None:
    assert channel_variables({"a": "}", "b": "1"}) == "<a=}>{b=1}"


@pytest.mark.parametrize("name", ["", "a=b", "a,b", "a b", "a\nb", "{a", "a:_:b", "é"])
def test_a_name_that_could_be_read_otherwise_is_refused(name: str) -> None:
    with pytest.raises(LocalProtocolError, match="name of a channel variable"):
        channel_variables({name: "1"})


@given(CARRIED.filter(lambda text: ")" not in text and "\t" not in text))
def test_an_application_gets_its_argument(arg: str) -> None:
    _, address, target = model.originated(_sent(originate(CONTACT, application("playback", arg))))
    assert address == CONTACT
    assert model.application_of(target) == ("playback", arg)


@pytest.mark.parametrize(("name", "arg"), [("park", "a)b"), ("park", "a\nb"), ("p(", ""), ("", ""), ("a b", "")])
def test_an_application_that_would_be_cut_is_refused(name: str, arg: str) -> None:
    with pytest.raises(LocalProtocolError):
        application(name, arg)


@given(CARRIED)
def test_an_api_argument_is_one_argument(text: str) -> None:
    if text.startswith("^^"):
        with pytest.raises(LocalProtocolError, match="divider"):
            api_argument(text)
        return
    sent = _sent(f"uuid_setvar 1 name {api_argument(text)}")
    assert model.separate(sent.partition(" ")[2], " ", 3) == ["1", "name", text]


@given(VALUES)
def test_an_application_argument_is_taken_literally(text: str) -> None:
    if text.startswith(("%[", "%")) and "[" in text[:3]:
        return
    assert model.expanded(application_argument(text)) == text


@pytest.mark.parametrize("text", ["%[a=b]", "%:[a=b]", "a\nb"])
def test_an_application_argument_that_cannot_be_literal_is_refused(text: str) -> None:
    with pytest.raises(LocalProtocolError):
        application_argument(text)


def test_an_api_argument_is_not_empty() -> None:
    with pytest.raises(LocalProtocolError, match="empty"):
        api_argument("")


def test_an_application_argument_without_anything_to_expand_is_left_alone() -> None:
    assert application_argument("tone_stream://%(100,0,440) $5") == "tone_stream://%(100,0,440) $5"
    assert Execute("u", "set", application_argument("a=${b}")).encode().count(b"\\${b}") == 1


@pytest.mark.parametrize(
    "contact",
    [
        "user/1000@example.org",
        CONTACT,
        "loopback/park/default",
        "[leg_timeout=20,x=1]sofia/gateway/a/100",
        "error/user_busy",
    ],
)
def test_one_address_is_let_pass(contact: str) -> None:
    assert safe_contact(contact) == contact
    assert model.dialled(model.separate(contact, " ")[0])[1] == contact


@pytest.mark.parametrize(
    "contact",
    [
        "",
        "1000",
        "user/",
        "{a=b}user/1000",
        "<a=b>user/1000",
        "user/1000 &park()",
        "user/1\nexit",
        "user/1\0",
        "user/o'brien",
        "user/a\\b",
        'user/"a"',
        "user/1:_:user/2",
        "user/1,user/2",
        "user/1|user/2",
        "[a=b]user/1,user/2",
        "[a=buser/1",
        "[a=b]",
        "^^:user/1",
    ],
)
def test_anything_else_is_refused(contact: str) -> None:
    with pytest.raises(ConfigurationError, match="contact"):
        safe_contact(contact)


def test_several_addresses_are_let_pass_when_allowed() -> None:
    for contact in ("user/1,user/2", "[a=b,c=d]user/1|[e=f]user/2"):
        assert safe_contact(contact, allow_multiple=True) == contact
    with pytest.raises(ConfigurationError):
        safe_contact("user/1,,user/2", allow_multiple=True)


@pytest.mark.parametrize("target", ["", "a b", "a\nb", "a'b", "a\\"])
def test_a_target_is_one_word(target: str) -> None:
    with pytest.raises(LocalProtocolError, match="target"):
        originate(CONTACT, target)

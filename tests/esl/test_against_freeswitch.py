"""What the unit tests take for granted about FreeSWITCH, asked of one."""

from __future__ import annotations

import random
import socket
import uuid

import pytest

from cti.esl import (
    Api,
    BgApi,
    Execute,
    Exit,
    Filter,
    FilterDelete,
    GetVar,
    HangUp,
    Linger,
    Log,
    MyEvents,
    NixEvent,
    NoEvents,
    NoLog,
    Raw,
    SendEvent,
    Subscribe,
    UserAuth,
    XferExt,
    api_argument,
    application,
    application_argument,
    channel_variables,
    event_bytes,
    originate,
)

from . import freeswitch_parser as model
from .loopback_switch import Client, LoopbackSwitch

pytestmark = pytest.mark.live

CONTACT = "loopback/park/default"
NASTY = [
    "O'Brien",
    "'",
    "a'b'c",
    "a,b=c'd\"e\\f{g}h[i]j<k>l|m^^n%25o p$q",
    "tr\\",
    "\\n\\s\\t\\\\",
    "}",
    "a}b{c",
    "><",
    "^^|a|b",
    "%0AUnique-ID: FAKE",
    "café 日本",
    "Jos\udce9 \udcff",
    "  spaces  ",
    "a:_:b",
    "$$",
    "a$,b",
    "reload mod_event_socket",
    "origination_nested_vars=true",
    "undef",
    "&park()",
]
_ALPHABET = [*"'\"\\,{}<>[]()|^=&$:; ~a", "\\n", "\\s", ":_:", "^^", "$$", "%0A", "é", "\udcff"]


def _park(client: Client, variables: dict[str, str] | None = None) -> str:
    leg = str(uuid.uuid4())
    reply = client.send(Api(originate(CONTACT, application("park"), {"origination_uuid": leg, **(variables or {})})))
    assert reply.reply_text == f"+OK {leg}"
    return leg


@pytest.mark.parametrize("value", NASTY)
def test_a_value_arrives_exactly_on_an_originated_channel(client: Client, value: str) -> None:
    leg = _park(client, {"x_before": "1", "x_value": value, "x_after": "2"})
    assert client.api(f"uuid_getvar {leg} x_value") == value
    assert client.api(f"uuid_getvar {leg} x_before") == "1"
    assert client.api(f"uuid_getvar {leg} x_after") == "2"


def test_chance_values_arrive_as_the_model_of_the_parser_says(client: Client) -> None:
    chance = random.Random(20)
    for _ in range(60):
        value = "".join(chance.choices(_ALPHABET, k=chance.randint(1, 12)))
        leg = str(uuid.uuid4())
        command = originate(CONTACT, application("park"), {"origination_uuid": leg, "x_value": value, "x_after": "2"})
        wire = Api(command).encode().decode("utf-8", "surrogateescape").removeprefix("api ").removesuffix("\n\n")
        expected, _, _ = model.originated(wire)
        assert client.api(command) == f"+OK {leg}\n", value
        assert client.api(f"uuid_getvar {leg} x_value") == expected["x_value"]
        assert client.api(f"uuid_getvar {leg} x_after") == "2"
        client.api(f"uuid_kill {leg}")


def test_chance_arguments_are_parsed_as_the_model_says(client: Client) -> None:
    """Not what we write but anything at all, so that the model is held against FreeSWITCH and not against us."""
    leg = _park(client)
    chance = random.Random(8)
    for _ in range(150):
        text = "".join(chance.choices([*"''\\\\  ab", "\\n", "\\s", "\\'"], k=chance.randint(1, 9))) + "z"
        client.api(f"uuid_setvar {leg} x_probe {text}")
        parts = model.separate(f"{leg} x_probe {text}", " ", 3)
        assert client.api(f"uuid_getvar {leg} x_probe") == parts[2], text


@pytest.mark.parametrize("value", NASTY)
def test_a_value_arrives_exactly_through_the_bridge_application(client: Client, value: str) -> None:
    first, second = _park(client), str(uuid.uuid4())
    client.send(Subscribe(["CHANNEL_PARK"]))
    variables = {"origination_uuid": second, "x_before": "1", "x_value": value, "x_after": "2"}
    client.send(Execute(first, "bridge", channel_variables(variables, within="application") + CONTACT))
    client.wait_event("CHANNEL_PARK", "variable_other_loopback_leg_uuid", second)
    assert client.api(f"uuid_getvar {second} x_value") == value
    assert client.api(f"uuid_getvar {second} x_before") == "1"
    assert client.api(f"uuid_getvar {second} x_after") == "2"


@pytest.mark.parametrize("value", [text for text in NASTY if not text.startswith("^^")])
def test_an_argument_of_an_api_command_arrives_exactly(client: Client, value: str) -> None:
    leg = _park(client)
    assert client.send(Api("uuid_setvar", f"{leg} x_value {api_argument(value)}")).ok
    assert client.api(f"uuid_getvar {leg} x_value") == value


@pytest.mark.parametrize("value", [*NASTY, "${uuid}", "$${uuid} \\", "\\${uuid}", "x" * 300 + "\\'$"])
def test_an_argument_of_an_application_arrives_exactly(client: Client, value: str) -> None:
    leg = _park(client)
    client.send(Subscribe(["CHANNEL_EXECUTE_COMPLETE"]))
    ours = str(uuid.uuid4())
    client.send(Execute(leg, "log", application_argument(f"INFO {value}"), event_uuid=ours))
    done = client.wait_event("CHANNEL_EXECUTE_COMPLETE", "Application-UUID", ours)
    assert done["Application-Data"] == f"INFO {value}"


@pytest.mark.parametrize("fmt", ["json", "plain"])
def test_an_event_comes_as_we_write_it_ourselves(client: Client, fmt: str) -> None:
    headers = [("Caller-Name", 'O\'Brien {x} é 日 \udcff %zz "q" \\'), ("Many", ["a", "b c", "ü"]), ("Odd: name", "1")]
    client.send(Subscribe([], "esl::test", fmt))
    sent = client.send(SendEvent("CUSTOM", headers[:2], "line\n\nß\n", "esl::test"))
    frame = client.wait_frame("CUSTOM")
    event = frame.event
    assert sent.reply_text == f"+OK {event['Event-UUID']}"
    assert event.subclass == "esl::test"
    assert event.get_all("caller-name") == [headers[0][1]]
    assert event["Many"] == headers[1][1]
    assert event.body == "line\n\nß\n"
    # FreeSWITCH counts Content-Length among the headers; ours is added again.
    written = event_bytes(event.raw[:-1], event.body, fmt=fmt)
    assert written.endswith(frame.body)


def test_an_xml_event_is_read(client: Client) -> None:
    client.send(Subscribe([], "esl::test", "xml"))
    client.send(SendEvent("CUSTOM", {"Caller-Name": "<O'Brien> & é", "Many": ["a", "b"]}, "a <b> & c\n", "esl::test"))
    event = client.wait_event("CUSTOM")
    assert event.subclass == "esl::test"
    assert event["Caller-Name"] == "<O'Brien> & é"
    assert event.get_all("Many") == ["a", "b"]
    assert event.body == "a <b> & c\n"
    assert event["Event-Calling-File"] == "mod_event_socket.c"


def test_each_inbound_command_is_answered_as_its_docstring_says(client: Client) -> None:
    assert client.send(Subscribe(["HEARTBEAT", "CUSTOM"], ["esl::a", "esl::b"])).reply_text == (
        "+OK event listener enabled json"
    )
    assert client.send(NixEvent(["HEARTBEAT"])).reply_text == "+OK events nixed"
    assert client.send(Filter("Unique-ID", "a b")).reply_text == "+OK filter added. [Unique-ID]=[a b]"
    assert client.send(FilterDelete("Unique-ID", "a b")).reply_text == "+OK filter deleted. [Unique-ID][a b]"
    assert client.send(FilterDelete()).reply_text == "+OK filter deleted. [all][]"
    assert client.send(NoEvents()).reply_text == "+OK no longer listening for events"
    assert client.send(NoEvents()).error == "-ERR not listening for events"
    assert client.send(Log("crit")).reply_text == "+OK log level crit [2]"
    assert client.send(NoLog()).reply_text == "+OK no longer logging"
    assert client.send(NoLog()).error == "-ERR not loging"
    assert client.send(Raw("noop")).error == "-ERR command not found"
    assert client.send(Api("nonsense")).error == "-ERR nonsense Command not found!"
    assert client.send(Api("uuid_kill")).error.startswith("-USAGE")
    assert client.send(HangUp("nobody")).error == "-ERR invalid session id [nobody]"
    assert client.send(MyEvents("nobody")).error == "-ERR invalid uuid"
    assert client.send(BgApi("echo", "hello", job_uuid="ours")).headers["Job-UUID"] == "ours"
    assert client.send(Linger(3)).error == "-ERR not controlling a session"
    assert client.send(Exit()).reply_text == "+OK bye"
    assert client.next_frame().content_type == "text/disconnect-notice"
    with pytest.raises(EOFError):
        client.next_frame()


def test_a_background_job_reports_under_the_id_we_chose(client: Client) -> None:
    client.send(Subscribe(["BACKGROUND_JOB"]))
    client.send(BgApi("echo", "hello 'there'", job_uuid="ours"))
    event = client.wait_event("BACKGROUND_JOB", "Job-UUID", "ours")
    assert event["Job-UUID"] == "ours"
    assert event.body == "hello 'there'"


def test_a_wrong_user_is_sent_away(loopback_switch: LoopbackSwitch) -> None:
    with socket.create_connection(("127.0.0.1", loopback_switch.port), timeout=10) as connection:
        client = Client(connection)
        assert client.next_frame().content_type == "auth/request"
        assert client.send(UserAuth("nobody", "nowhere", "secret")).error == "-ERR invalid"
        assert client.next_frame().content_type == "text/disconnect-notice"


def test_hang_up_and_transfer_by_message(client: Client) -> None:
    leg = _park(client)
    client.send(Subscribe(["CHANNEL_HANGUP", "CHANNEL_EXECUTE_COMPLETE"]))
    client.send(XferExt(leg, [("set", "x_seen=1"), ("park", "")]))
    client.wait_event("CHANNEL_EXECUTE_COMPLETE", "variable_x_seen", "1")
    assert client.send(HangUp(leg, "USER_BUSY")).ok
    assert client.wait_event("CHANNEL_HANGUP", "Unique-ID", leg)["Hangup-Cause"] == "USER_BUSY"


def test_an_outbound_call_is_taken(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        port = listener.getsockname()[1]
        client.send(
            BgApi(originate(f"loopback/outbound-{port}/default", application("park"), {"x_name": "O'Brien: é"}))
        )
        session, connected = Client.outbound(listener)
        assert connected.content_type == "command/reply"
        assert connected.reply_text == "+OK"
        assert connected.event.name == "CHANNEL_DATA"
        assert connected.headers["Control"] == "full"
        assert connected.event["Socket-Mode"] == "async"
        assert connected.event["Caller-Destination-Number"] == f"outbound-{port}"
        assert session.send(MyEvents()).reply_text == "+OK Events Enabled"
        assert session.send(MyEvents()).error == "-ERR aready enabled."
        assert session.send(Linger(1)).reply_text == "+OK will linger 1 seconds"
        assert session.send(GetVar("destination_number")).reply_text == f"outbound-{port}"
        assert session.send(Execute(None, "answer", event_uuid="ours")).ok
        session.wait_event("CHANNEL_EXECUTE_COMPLETE", "Application-UUID", "ours")
        assert session.send(HangUp()).ok
        frame = session.next_frame()
        while frame.content_type != "text/disconnect-notice":
            frame = session.next_frame()
        assert frame.lingering
        assert frame.headers["Controlled-Session-UUID"] == connected.event["Unique-ID"]
        session.close()

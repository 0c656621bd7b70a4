from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cti.esl
from cti.errors import CtiError, LocalProtocolError, UnknownEvent
from cti.esl import (
    EVENT_NAMES,
    NUDGE,
    Api,
    Auth,
    BgApi,
    Command,
    Connect,
    DivertEvents,
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
    NoLinger,
    NoLog,
    NoMedia,
    Raw,
    Resume,
    SendEvent,
    SendMsg,
    Subscribe,
    Unicast,
    UserAuth,
    XferExt,
    event_name,
)

WRITTEN = [
    (Auth("Clue Con"), b"auth Clue Con\n\n"),
    (UserAuth("100", "example.org", "p@:w"), b"userauth 100@example.org:p@:w\n\n"),
    (Api("status"), b"api status\n\n"),
    (Api("uuid_kill", "u-1 USER_BUSY"), b"api uuid_kill u-1 USER_BUSY\n\n"),
    (Api("echo Jos\udce9 é"), b"api echo Jos\xe9 \xc3\xa9\n\n"),
    (BgApi("status"), b"bgapi status\n\n"),
    (BgApi("originate", "user/1 &park()", job_uuid="j-1"), b"bgapi originate user/1 &park()\nJob-UUID: j-1\n\n"),
    (Subscribe(), b"event json ALL\n\n"),
    (Subscribe("heartbeat", format="plain"), b"event plain HEARTBEAT\n\n"),
    (
        Subscribe(["CUSTOM", "CHANNEL_ANSWER"], ["a::b", "c::d"]),
        b"event json CHANNEL_ANSWER CUSTOM a::b c::d\n\n",
    ),
    (Subscribe([], "a::b", "xml"), b"event xml CUSTOM a::b\n\n"),
    (NixEvent(["DTMF"], ["a::b"]), b"nixevent DTMF CUSTOM a::b\n\n"),
    (NoEvents(), b"noevents\n\n"),
    (Filter("Unique-ID", "/a b/"), b"filter Unique-ID /a b/\n\n"),
    (FilterDelete(), b"filter delete all\n\n"),
    (FilterDelete("Unique-ID"), b"filter delete Unique-ID\n\n"),
    (FilterDelete("Unique-ID", "u 1"), b"filter delete Unique-ID u 1\n\n"),
    (
        SendEvent("custom", {"A": "b", "Empty": "", "None": [], "Many": ["x", "y"]}, "é\n", "a::b"),
        b"sendevent CUSTOM\nEvent-Subclass: a::b\nA: b\nMany: ARRAY::x|:y\nContent-Length: 3\n\n\xc3\xa9\n",
    ),
    (SendEvent("NOTIFY", [("a", "1"), ("a", "2")]), b"sendevent NOTIFY\na: 1\na: 2\n\n"),
    (
        Execute("u-1", "playback", "tone_stream://x", "e-1", loops=-1, event_lock=True, async_=True),
        (
            b"sendmsg u-1\ncall-command: execute\nexecute-app-name: playback\nexecute-app-arg: tone_stream://x\n"
            b"Event-UUID: e-1\nloops: -1\nevent-lock: true\nasync: true\n\n"
        ),
    ),
    (Execute(None, "answer"), b"sendmsg\ncall-command: execute\nexecute-app-name: answer\n\n"),
    (
        Execute("u", "bridge", "x" * 201, hold_bleg=True, lead_frames=2),
        b"sendmsg u\ncall-command: execute\nexecute-app-name: bridge\ncontent-type: text/plain\nlead-frames: 2\n"
        b"hold-bleg: true\nContent-Length: 201\n\n" + b"x" * 201,
    ),
    (
        Execute("u", "set", " a=1"),
        b"sendmsg u\ncall-command: execute\nexecute-app-name: set\ncontent-type: text/plain\nContent-Length: 4\n\n a=1",
    ),
    (
        SendMsg("u", [("call-command", "execute")], "line\nbreak"),
        b"sendmsg u\ncall-command: execute\nContent-Length: 10\n\nline\nbreak",
    ),
    (HangUp("u", "USER_BUSY"), b"sendmsg u\ncall-command: hangup\nhangup-cause: USER_BUSY\n\n"),
    (HangUp(), b"sendmsg\ncall-command: hangup\nhangup-cause: NORMAL_CLEARING\n\n"),
    (NoMedia("u", "v"), b"sendmsg u\ncall-command: nomedia\nnomedia-uuid: v\n\n"),
    (
        Unicast("u", remote_port=9000, flags="native"),
        (
            b"sendmsg u\ncall-command: unicast\nlocal-ip: 127.0.0.1\nlocal-port: 8025\nremote-ip: 127.0.0.1\n"
            b"remote-port: 9000\ntransport: udp\nflags: native\n\n"
        ),
    ),
    (
        XferExt("u", [("answer", ""), ("playback", "a b ")]),
        b"sendmsg u\ncall-command: xferext\napplication: answer\napplication: playback a b \n\n",
    ),
    (Connect(), b"connect\n\n"),
    (MyEvents(), b"myevents json\n\n"),
    (MyEvents("u-1"), b"myevents u-1 plain\n\n"),
    (DivertEvents(), b"divert_events on\n\n"),
    (DivertEvents(on=False), b"divert_events off\n\n"),
    (Linger(), b"linger\n\n"),
    (Linger(5), b"linger 5\n\n"),
    (NoLinger(), b"nolinger\n\n"),
    (Resume(), b"resume\n\n"),
    (GetVar("x"), b"getvar x\n\n"),
    (Log("WARNING"), b"log warning\n\n"),
    (Log(7), b"log 7\n\n"),
    (NoLog(), b"nolog\n\n"),
    (Exit(), b"exit\n\n"),
    (Raw("noop", [("A", "b")], b"\xff"), b"noop\nA: b\nContent-Length: 1\n\n\xff"),
]

REFUSED = [
    (Api(""), "command is empty"),
    (Api("  "), "command is empty"),
    (Raw(""), "command is empty"),
    (Raw("a", [("", "b")]), "header name"),
    (Raw("a", [("A:", "b")]), "header name"),
    (Raw("a", [(" A", "b")]), "header name"),
    (Raw("a", [("content-LENGTH", "5")]), "content-LENGTH"),
    (Raw("a", [("Command", "")]), "Command"),
    (Raw("a", body="x\0y"), "body holds a NUL"),
    (Raw("a", body=b"x" * (16 * 1024 * 1024 + 1)), "body has 16777217 bytes"),
    (Raw("a" * (10 * 1024 * 1024 + 1)), "bytes of headers"),
    (Api("echo \ud800"), "lone surrogate"),
    (Execute("u", "set", "\ud800"), "arg holds a lone surrogate"),
    (Raw("a", body="\ud800"), "body holds a lone surrogate"),
    (Api("echo preload of MOD_event_socket"), "unload or reload"),
    (Api("Unload mod_event_socket"), "unload or reload"),
    (SendEvent("CUSTOM", {"A": "mod_event_socket", "B": "reload"}), "unload or reload"),
    (UserAuth("a@b", "c", "d"), "user"),
    (UserAuth("a", "c:d", "d"), "domain"),
    (BgApi("status", job_uuid=""), "job_uuid is empty"),
    (BgApi("status", job_uuid="a b"), "job_uuid"),
    (BgApi("status", job_uuid="x" * 129), "job_uuid"),
    (Subscribe([]), "both empty"),
    (NixEvent(), "both empty"),
    (Subscribe(["ALL"], ["a b"]), "subclasses"),
    (Subscribe(["ALL"], format="yaml"), "yaml"),
    (MyEvents(format="yaml"), "yaml"),
    (MyEvents("u v"), "uuid"),
    (Filter("add", "x"), "add"),
    (Filter("Delete", "x"), "Delete"),
    (Filter("A", ""), "value is empty"),
    (Filter("A b", "c"), "header"),
    (FilterDelete("A", " "), "value is empty"),
    (SendEvent("CUSTOM", {"Event-Name": "HEARTBEAT"}), "Event-Name"),
    (SendEvent("CUSTOM", {"_body": "x"}), "_body"),
    (SendEvent("CUSTOM", {"A[1]": "x"}), "A"),
    (SendEvent("CUSTOM", {"A": ["x|:y"]}), "divides elements"),
    (SendEvent("CUSTOM", {"Content-Length": "5"}), "Content-Length"),
    (Execute("u", ""), "app is empty"),
    (Execute("", "answer"), "uuid is empty"),
    (Execute("u", "answer", event_uuid="a b"), "event_uuid"),
    (XferExt("u", []), "applications is empty"),
    (XferExt("u", [("a b", "")]), "application"),
    (Unicast("u", local_port=0), "local_port"),
    (Unicast("u", remote_port=65536), "remote_port"),
    (Linger(-1), "seconds"),
    (Log("loud"), "loud"),
    (Log(8), "8"),
    (GetVar("a b"), "name"),
]


def _id(command: Command) -> str:
    return type(command).__name__


@pytest.mark.parametrize(("command", "written"), WRITTEN, ids=[_id(command) for command, _ in WRITTEN])
def test_each_command_is_written_as_freeswitch_reads_it(command: Command, written: bytes) -> None:
    assert command.encode() == written


def test_every_command_is_in_the_table() -> None:
    classes = {cls for cls in vars(cti.esl).values() if isinstance(cls, type) and issubclass(cls, Command)}
    assert classes - {Command} == {type(command) for command, _ in WRITTEN}
    for cls in classes - {Command}:
        assert "``" in cls.__doc__ or cls in (SendMsg, HangUp, NoMedia, Unicast, XferExt)


@pytest.mark.parametrize(("command", "said"), REFUSED, ids=[_id(command) for command, _ in REFUSED])
def test_what_freeswitch_would_read_otherwise_is_refused(command: Command, said: str) -> None:
    with pytest.raises(LocalProtocolError, match=said):
        command.encode()


def _text_fields() -> list[tuple[Command, str]]:
    found = []
    for command, _ in WRITTEN:
        for field in attrs.fields(type(command)):
            if isinstance(getattr(command, field.name), str) and field.name not in ("body", "format"):
                found.append((command, field.name))
    return found


@pytest.mark.parametrize("broken", ["\n", "\r", "\0", "x\nexit\n\n", "x\r\nY: z"])
@pytest.mark.parametrize(
    ("command", "field"), _text_fields(), ids=lambda value: _id(value) if not isinstance(value, str) else value
)
def test_no_field_takes_a_line_break(command: Command, field: str, broken: str) -> None:
    with pytest.raises(CtiError) as caught:
        attrs.evolve(command, **{field: broken}).encode()
    if not isinstance(caught.value, UnknownEvent):
        assert isinstance(caught.value, LocalProtocolError)
        assert field in str(caught.value) or "level" in str(caught.value) or "command" in str(caught.value)


@pytest.mark.parametrize("broken", ["\n", "\r\n", "\0"])
def test_no_header_takes_a_line_break(broken: str) -> None:
    for headers in ([("A", f"b{broken}c")], [(f"A{broken}B", "c")]):
        for command in (Raw("a", headers), SendEvent("CUSTOM", headers), SendMsg("u", headers)):
            with pytest.raises(LocalProtocolError):
                command.encode()
    with pytest.raises(LocalProtocolError):
        SendEvent("CUSTOM", {"A": ["b", f"c{broken}d"]}).encode()
    with pytest.raises(LocalProtocolError):
        XferExt("u", [("playback", f"a{broken}b")]).encode()
    with pytest.raises(LocalProtocolError):
        Subscribe([], [f"a{broken}b"]).encode()


@given(st.text(max_size=300), st.text(max_size=30))
def test_whatever_is_written_is_one_command(text: str, other: str) -> None:
    commands = [
        Api(text),
        Auth(text),
        BgApi(other, text),
        Execute("u", "set", text, event_uuid=other or None),
        Filter("A", text),
        SendEvent("CUSTOM", {"A": text, other: "b"}, text),
        Raw(text, [(other, text)], text),
    ]
    for command in commands:
        try:
            written = command.encode()
        except LocalProtocolError:
            continue
        block, blank, body = written.partition(b"\n\n")
        assert blank
        assert b"\r" not in block
        assert b"\0" not in written
        assert not block.startswith(b"\n")
        lengths = [line for line in block.split(b"\n")[1:] if line.lower().startswith(b"content-length:")]
        assert lengths == ([b"Content-Length: %d" % len(body)] if body else [])


def test_secrets_stay_out_of_reprs_and_errors() -> None:
    for command in (Auth("hunter2"), UserAuth("a", "b", "hunter2")):
        assert "hunter2" not in repr(command)
        with pytest.raises(LocalProtocolError) as caught:
            attrs.evolve(command, password="hunter2\n").encode()
        assert "hunter2" not in str(caught.value)


def test_an_unknown_event_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownEvent, match="CHANNEL_ANSWER"):
        Subscribe(["CHANNEL_ANSWERED"]).encode()
    with pytest.raises(UnknownEvent):
        SendEvent("CHANNEL\nexit").encode()


def test_the_table_of_events() -> None:
    assert len(EVENT_NAMES) == len(set(EVENT_NAMES)) == 94
    assert event_name("channel_Answer") == "CHANNEL_ANSWER"
    assert EVENT_NAMES[0] == "CUSTOM"
    assert EVENT_NAMES[-1] == "ALL"


def test_commands_are_frozen_values() -> None:
    assert Api("status") == Api("status")
    assert hash(Subscribe(["DTMF"])) == hash(Subscribe("DTMF"))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Api("status").command = "x"
    assert NUDGE == b"\n"
    with pytest.raises(TypeError, match="encode"):
        Command()  # one of its own has to say how it is written


def test_the_public_names_are_there() -> None:
    assert len(set(cti.esl.__all__)) == len(cti.esl.__all__)
    assert all(hasattr(cti.esl, name) for name in cti.esl.__all__)

"""Scripts on a real FreeSWITCH: callers press keys by RFC 2833 and by SIP INFO, hear their digits, and are recorded."""

from __future__ import annotations

import os
import re
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.event import AsyncResult

from cti import Call, CallCenter, errors

# IVR
from cti.ivr import Ivr, read_ivr
from cti.script import Recognizer, SocketCall, on_socket
from cti.switch import OutboundServer

from .audio import write_pcmu_tone
from .event_socket import EventSocket
from .freeswitch_process import FreeSwitchProcess, find_freeswitch
from .ports import free_ports
from .sipp import CallerBehaviour, Sipp

pytestmark = pytest.mark.live

LONG = "tone_stream://%(8000,0,440)"
SHORT = "tone_stream://%(100,0,440)"
MISSING = "/nowhere/missing.wav"
# Each digit's recording is a tone of its own length, in milliseconds.
WORD_MS = {digit: 100 + 20 * digit for digit in range(10)}

DIGIT_MS = 400
"""What SIPp's play_dtmf takes for a digit, and more."""

_INFO = """
  <send retrans="500"><![CDATA[
      INFO [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: "@name@" <sip:@user@@[local_ip]:[local_port]>;tag=[pid]-[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: @cseq@ INFO
      Max-Forwards: 70
      Content-Type: application/dtmf-relay
      Content-Length: [len]

      Signal=@key@
      Duration=160
  ]]></send>
  <recv response="200"/>
"""


class KeyCaller(Sipp):
    """One caller who presses keys: ``steps`` are pauses in seconds and texts of keys."""

    def __init__(self, steps: list[float | str], workdir: Path, *, switch_port: int, number: str, info: bool, **caller):
        port, media_port = free_ports(2, block=8)
        behaviour = CallerBehaviour(**caller)
        scenario = behaviour.scenario()
        actions, cseq = [], 2
        for step in steps:
            if isinstance(step, str) and info:
                for key in step:
                    filled = _INFO.replace("@name@", behaviour.name).replace("@user@", behaviour.user)
                    actions.append(filled.replace("@cseq@", str(cseq)).replace("@key@", key))
                    actions.append('<pause milliseconds="60"/>')
                    cseq += 1
            elif isinstance(step, str):
                actions.append(f'<nop><action><exec play_dtmf="{step}"/></action></nop>')
                # It plays in the background, and the next one would cut it short.
                actions.append(f'<pause milliseconds="{DIGIT_MS * (len(step) + 1)}"/>')
            else:
                actions.append(f'<pause milliseconds="{round(step * 1000)}"/>')
        wait = '<recv request="BYE" timeout='
        scenario = scenario.replace(wait, "\n".join([*actions, wait]), 1)
        scenario = scenario.replace("CSeq: 2 BYE", f"CSeq: {cseq} BYE")
        if not info:
            scenario = scenario.replace(
                "RTP/AVP 0\n",
                "RTP/AVP 0 96\n      a=rtpmap:96 telephone-event/8000\n      a=fmtp:96 0-15\n",
            )
        arguments = [f"127.0.0.1:{switch_port}", "-s", number, "-m", "1", "-r", "20"]
        super().__init__(scenario, arguments, workdir, port=port, media_port=media_port)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of the ten digits: tones."""
    folder = tmp_path_factory.mktemp("sounds")
    (folder / "digits").mkdir()
    for digit, length_ms in WORD_MS.items():
        with wave.open(str(folder / "digits" / f"{digit}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(b"\x10\x20" * (8 * length_ms))
    return folder


@pytest.fixture(scope="module")
def scripted_switch(tmp_path_factory: pytest.TempPathFactory, words: Path) -> Iterator[tuple[FreeSwitchProcess, int]]:
    """A FreeSWITCH with those recordings, whose number 6100 connects to a port of ours."""
    (port,) = free_ports(1)

    def overlay(configuration: Path) -> None:
        path = configuration / "vars.xml"
        path.write_text(re.sub(r'data="sounds_(en|zh)=[^"]*"', rf'data="sounds_\1={words}"', path.read_text()))
        for name, old, new in (
            ("logfile.conf.xml", "console,notice", "console,debug,info,notice"),
            ("switch.conf.xml", 'name="loglevel" value="warning"', 'name="loglevel" value="debug"'),
        ):
            path = configuration / "autoload_configs" / name
            path.write_text(path.read_text().replace(old, new))
        path = configuration / "dialplan" / "callers.xml"
        extension = (
            '<extension name="script"><condition field="destination_number" expression="^6100$">'
            f'<action application="socket" data="127.0.0.1:{port} async full"/></condition></extension>'
        )
        path.write_text(path.read_text().replace('<context name="callers">', f'<context name="callers">\n{extension}'))

    binary = find_freeswitch()
    assert binary is not None, "collected in spite of the skip"
    process = FreeSwitchProcess(tmp_path_factory.mktemp("scripts"), binary, overlay=overlay)
    process.start()
    yield process, port
    process.stop()


@pytest.fixture
def switch(scripted_switch: tuple[FreeSwitchProcess, int]) -> Iterator[FreeSwitchProcess]:
    process, _ = scripted_switch
    yield process
    with process.connect() as control:
        control.api("hupall NORMAL_CLEARING")


@pytest.fixture
def heard(switch: FreeSwitchProcess) -> Iterator[EventSocket]:
    """What the switch tells somebody else."""
    with switch.connect() as control:
        control.subscribe(
            "DTMF", "PLAYBACK_START", "PLAYBACK_STOP", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP_COMPLETE"
        )
        yield control


@pytest.fixture
def call_in(switch: FreeSwitchProcess, tmp_path: Path) -> Iterator[Callable[..., KeyCaller]]:
    """``call_in([0.5, "12#"])`` calls, waits half a second and presses three keys."""
    with ExitStack() as stack:

        def start(steps: list[float | str], *, number: str = "5000", info: bool = False, **caller: Any) -> KeyCaller:
            if not info and os.geteuid() != 0:
                pytest.skip("SIPp sends RFC 2833 through a raw socket: run as root, or with CAP_NET_RAW")
            folder = tmp_path / f"caller-{len(list(tmp_path.iterdir()))}"
            made = KeyCaller(steps, folder, switch_port=switch.callers_port, number=number, info=info, **caller)
            return stack.enter_context(made)

        yield start


@pytest.fixture
def play_script(switch: FreeSwitchProcess) -> Iterator[Callable[[Callable[[Call], Any]], AsyncResult]]:
    """Run a script on the next call; what it returns or raises."""
    with ExitStack() as stack:

        def start(script: Callable[[Call], Any]) -> AsyncResult:
            outcome: AsyncResult = AsyncResult()

            def run(call: Call) -> None:
                try:
                    outcome.set(script(call))
                except Exception as error:
                    outcome.set_exception(error)
                    raise

            centre = CallCenter(switch.address, switch.password)
            centre.on_call("5*")(run)
            centre.start()
            stack.callback(centre.stop)
            return outcome

        yield start


def events(control: EventSocket, name: str, timeout_s: float = 10, **wanted: str) -> Any:
    return control.wait_event(
        lambda e: e["Event-Name"] == name and all(e.get(k.replace("_", "-")) == v for k, v in wanted.items()),
        timeout_s,
        f"{name} {wanted}",
    )


@pytest.mark.parametrize("info", [False, True], ids=["rfc2833", "info"])
def test_digits_cut_the_prompt_short_and_are_said_back(play_script, call_in, heard, info):
    def script(call: Call) -> Any:
        call.answer()
        began = time.monotonic()
        policy = call.collect(LONG, max_digits=6)
        took = time.monotonic() - began
        call.say(int(policy.digits), "number", digits=True)
        return policy, took

    outcome = play_script(script)
    call_in([1.0, "471", 0.6, "1#"], info=info)
    policy, took = outcome.get(timeout=20)
    assert (policy.digits, policy.ended_by, policy.terminator, policy.tries) == ("4711", "terminator", "#", 1)
    assert took < 7  # the prompt is 8 s long
    key = events(heard, "DTMF", DTMF_Digit="4")
    stopped = events(heard, "PLAYBACK_STOP", Playback_Status="break")
    assert 0 <= int(stopped["Event-Date-Timestamp"]) - int(key["Event-Date-Timestamp"]) < 500_000
    said_back = "file_string://digits/4.wav!digits/7.wav!digits/1.wav!digits/1.wav"
    events(heard, "PLAYBACK_START", Playback_File_Path=said_back)
    said = events(heard, "CHANNEL_EXECUTE_COMPLETE", Application="say")
    assert said["Application-Data"] == "en NUMBER iterated 4711"
    assert int(said["variable_playback_ms"]) >= sum(WORD_MS[int(digit)] for digit in "4711")


PIN = "92489248"
"""So long that neither a time nor an id in a log has it by chance."""


def test_a_pin_is_in_no_event_no_log_and_no_call_record(play_script, call_in, heard, scripted_switch):
    """The switch's own log names every key of other input; this one's never."""
    keys: list[str] = []

    def script(call: Call) -> Any:
        call.answer()
        open_digits = call.collect(SHORT, max_digits=2)
        pin = call.collect(LONG, max_digits=8, secret=True)
        late = call.collect(max_digits=1, first_digit_s=2.0, tries=1)
        call.play(SHORT)
        return open_digits, pin, late

    outcome = play_script(script)
    call_in([0.8, "17", 0.8, f"{PIN}#", 0.5])
    open_digits, pin, late = outcome.get(timeout=25)
    assert open_digits.digits == "17"
    assert pin
    assert pin.secret.reveal() == PIN
    assert PIN not in f"{pin!r} {pin.secret} {pin.secret!r}"
    assert late.outcome == "nothing"  # the # after the last digit belonged to the PIN
    while (event := heard.next_event(10)) is not None and event["Event-Name"] != "CHANNEL_HANGUP_COMPLETE":
        if event["Event-Name"] == "DTMF":
            keys.append(event["DTMF-Digit"])
    assert event is not None
    assert keys == ["1", "7", "#"]
    assert event["variable_digits_dialed"] == "17#"
    assert "variable_cti_secret" not in event
    process, _ = scripted_switch
    log = (process._workdir / "log" / "freeswitch.log").read_text(errors="replace")
    said = re.findall(r"RECV DTMF (.):", log)
    assert "1" in said
    assert not {"9", "2", "8"} & set(said[said.index("7") :])
    assert PIN not in log


def test_a_caller_is_recorded_until_a_key(play_script, call_in, tmp_path):
    path = tmp_path / "message of today.wav"

    def script(call: Call) -> Any:
        call.answer()
        return call.record(str(path), max_s=20, silence_s=0, terminators="#")

    outcome = play_script(script)
    tone = write_pcmu_tone(tmp_path / "tone.pcmu", 440)
    call_in([1.5, "5#"], info=True, tone=tone)
    recorded = outcome.get(timeout=20)
    assert (recorded.ended_by, recorded.terminator, recorded.path) == ("terminator", "#", str(path))
    assert 0.5 < recorded.length_s < 5
    with wave.open(str(path)) as file:
        assert abs(file.getnframes() / file.getframerate() - recorded.length_s) < 0.1


def test_silence_ends_a_recording(play_script, call_in, tmp_path):
    outcome = play_script(lambda call: (call.answer(), call.record(str(tmp_path / "m.wav"), max_s=30, silence_s=1))[1])
    call_in([25.0], tone=write_pcmu_tone(tmp_path / "silence.pcmu", 440, level=0.0))
    recorded = outcome.get(timeout=40)
    assert recorded.ended_by == "silence"
    assert 0.5 < recorded.length_s < 10


def test_a_missing_prompt_is_an_error_to_play_and_a_tone_in_a_question(play_script, call_in, heard):
    def script(call: Call) -> Any:
        call.answer()
        with pytest.raises(errors.CommandRejected, match=r"missing\.wav"):
            call.play(MISSING)
        pin = call.collect(MISSING, max_digits=1, tries=1, first_digit_s=1.0, secret=True)
        return call.menu(MISSING, options={"1": "claims"}), pin

    outcome = play_script(script)
    call_in([3.5, "1"])
    choice, pin = outcome.get(timeout=20)
    assert (choice.key, choice.value) == ("1", "claims")
    assert pin.outcome == "nothing"
    events(heard, "PLAYBACK_START", Playback_File_Type="tone_stream")


def test_what_the_switch_cannot_do_is_said_clearly(play_script, call_in):
    def script(call: Call) -> Any:
        call.answer()
        with pytest.raises(errors.CommandRejected, match="no text-to-speech engine 'flite'"):
            call.speak("hello", engine="flite", voice="slt")
        # No recognizer either: the menu goes on with keys.
        return call.menu(
            SHORT,
            options={"1": "claims"},
            words={"1": ["claim"]},
            recognizer=Recognizer("unimrcp", "builtin:speech/transcribe"),
        )

    outcome = play_script(script)
    call_in([2.0, "1"])
    assert outcome.get(timeout=20).value == "claims"


MENU = """
start = "main"
languages = ["en", "fr"]
[prompts]
again = { data = "policy", digits = true }
main = "tone_stream://%(8000,0,440)"
policy = "tone_stream://%(300,0,550)"
gone = "/nowhere/gone.wav"
[nodes.main]
menu = ["gone", "main"]
options = { "1" = "policy", "2" = "out" }
otherwise = "out"
[nodes.policy]
collect = "policy"
into = "policy"
max_digits = 4
next = "again"
otherwise = "out"
[nodes.again]
play = "again"
next = "out"
[nodes.out]
hang_up = true
"""


def test_a_voice_menu(switch, call_in):
    centre = CallCenter(switch.address, switch.password)
    menu = Ivr(read_ivr(MENU))
    data: list[dict[str, Any]] = []

    @centre.on_call("5*")
    def run(call: Call) -> None:
        menu(call)
        data.append(dict(call.data))

    centre.start()
    try:
        gone, words = menu.missing_prompts(centre.switch.api)
        assert gone == "/nowhere/gone.wav"
        assert "words in 'fr'" in words
        call_in([2.0, "1", 0.6, "4711"], info=True)
        deadline = time.monotonic() + 20
        while not data and time.monotonic() < deadline:
            gevent.sleep(0.02)
    finally:
        centre.stop()
    assert data == [{"policy": "4711"}]
    assert menu.figures["main"].exits == {"1": 1}


def test_a_hang_up_ends_the_question_at_once(play_script, call_in):
    began: list[float] = []

    def script(call: Call) -> Any:
        call.answer()
        began.append(time.monotonic())
        return call.collect(max_digits=4, first_digit_s=30)

    outcome = play_script(script)
    call_in([], hold_s=0.5)
    with pytest.raises(errors.CallGone):
        outcome.get(timeout=20)
    assert time.monotonic() - began[0] < 10


def test_the_same_script_on_the_outbound_socket(scripted_switch, switch, call_in, heard):
    _, port = scripted_switch
    outcome: AsyncResult = AsyncResult()

    def script(call: SocketCall) -> None:
        try:
            call.answer()
            choice = call.menu(LONG, options={"1": "claims", "2": "sales"})
            call.attach(choice=choice.value)
            policy = call.collect(LONG, max_digits=4)
            call.say(7)
            outcome.set((choice.value, policy.digits, call.variable("cti_data_choice"), call.called_number))
            call.collect(LONG, tries=1)
        except Exception as error:
            outcome.set_exception(error)
            raise

    server = OutboundServer(("127.0.0.1", port), on_socket(script))
    server.start()
    try:
        call_in([1.0, "2", 0.8, "4711"], number="6100", hold_s=1.0)
        assert outcome.get(timeout=20) == ("sales", "4711", "sales", "6100")
        deadline = time.monotonic() + 10
        while len(server) and time.monotonic() < deadline:
            gevent.sleep(0.02)
        assert len(server) == 0
    finally:
        server.stop()

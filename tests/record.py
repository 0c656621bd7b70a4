"""Records event-socket sessions of a running FreeSWITCH, as JSON lines, for the simulator to be held against.

    python tests/record.py --event-socket 127.0.0.1:8021 --callers 127.0.0.1:5060 --agents 127.0.0.1:5080 \\
        --domain cti.internal --out tests/data/recordings

The FreeSWITCH must park calls from the callers' profile to 5000 (see ``freeswitch-conf/``) and let the agent register
at the agents' profile. ``sipp`` plays the caller and the agent. The first line of a recording is
its description; each further line is ``[direction, seconds, raw frame]``; direction is ``>`` (client) or ``<`` (switch).
Host names, addresses and paths of the machine are replaced before anything is written.
"""

from __future__ import annotations

import argparse
import json
import re
import select
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

EVENTS = (
    "CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_CALLSTATE CHANNEL_ANSWER CHANNEL_HANGUP "
    "CHANNEL_HANGUP_COMPLETE CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_BRIDGE "
    "CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK "
    "CHANNEL_ORIGINATE CALL_UPDATE PLAYBACK_START PLAYBACK_STOP HEARTBEAT BACKGROUND_JOB"
)

_SIP_HEADERS = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: "{name}" <sip:{number}@[local_ip]:[local_port]>;tag=[pid]C[call_number]
      To: <sip:{to}@[remote_ip]:[remote_port]>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: {cseq}
      Contact: <sip:{number}@[local_ip]:[local_port]>
      Max-Forwards: 70
      Content-Length: {length}
"""
_SDP = """
      v=0
      o=u 1 1 IN IP[local_ip_type] [local_ip]
      s=-
      c=IN IP[media_ip_type] [media_ip]
      t=0 0
      m=audio [media_port] RTP/AVP 0
      a=rtpmap:0 PCMU/8000
"""
_ECHO = """[last_Via:]
      [last_From:]
      {to}
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:agent@[local_ip]:[local_port]>
"""


def _send(first: str, headers: str, body: str = "") -> str:
    return f"<send><![CDATA[\n      {first}\n      {headers}{body}\n    ]]></send>\n"


def caller(ending: str) -> str:
    """A caller's scenario: ``ending`` is ``bye:<ms>`` after the answer, ``cancel:<ms>`` before it, or ``wait``."""

    def headers(cseq: str, length: str) -> str:
        return _SIP_HEADERS.format(name="Ada", number="0301234", to="5000", cseq=cseq, length=length)

    invite = _send(
        "INVITE sip:5000@[remote_ip]:[remote_port] SIP/2.0",
        headers("1 INVITE", "[len]").replace("Content-Length", "Content-Type: application/sdp\n      Content-Length"),
        _SDP,
    )
    ack = _send("ACK sip:5000@[remote_ip]:[remote_port] SIP/2.0", headers("1 ACK", "0"))
    bye = _send("BYE sip:5000@[remote_ip]:[remote_port] SIP/2.0", headers("2 BYE", "0")) + '<recv response="200"/>\n'
    got_bye = '<recv request="BYE"/>\n' + _send(
        "SIP/2.0 200 OK", _ECHO.format(to="[last_To:]") + "      Content-Length: 0\n"
    )
    early = '<recv response="100" optional="true"/><recv response="180" optional="true"/><recv response="183" optional="true"/>\n'
    kind, _, amount = ending.partition(":")
    if kind == "cancel":
        cancel = (
            headers("1 CANCEL", "0").replace("branch=[branch]", "branch=[branch-2]").replace("[peer_tag_param]", "")
        )
        rest = (
            f'<recv response="100"/><pause milliseconds="{amount}"/>'
            + _send("CANCEL sip:5000@[remote_ip]:[remote_port] SIP/2.0", cancel.replace("[branch-2]", "[branch-3]"))
            + '<recv response="183" optional="true"/><recv response="200"/><recv response="487"/>'
            + ack
        )
        return f'<scenario name="c">{invite}{rest}</scenario>'
    talk = bye.join([f'<pause milliseconds="{amount}"/>', ""]) if kind == "bye" else got_bye
    return f'<scenario name="c">{invite}{early}<recv response="200" rtd="true"/>{ack}{talk}</scenario>'


def agent(ending: str) -> str:
    """An agent's scenario: ``bye:<ms>``, ``wait``, ``busy``, ``ring`` (never answers); it rings for 300 ms at least."""
    tagged = "[last_To:];tag=[pid]A[call_number]"
    ringing = '<recv request="INVITE" crlf="true"/>' + _send(
        "SIP/2.0 180 Ringing", _ECHO.format(to=tagged) + "      Content-Length: 0\n"
    )
    answer = (
        _send(
            "SIP/2.0 200 OK",
            _ECHO.format(to=tagged) + "      Content-Type: application/sdp\n      Content-Length: [len]\n",
            _SDP,
        )
        + '<recv request="ACK"/>'
    )
    got_bye = '<recv request="BYE"/>' + _send(
        "SIP/2.0 200 OK", _ECHO.format(to="[last_To:]") + "      Content-Length: 0\n"
    )
    kind, _, amount = ending.partition(":")
    if kind == "busy":
        rest = (
            '<pause milliseconds="300"/>'
            + _send("SIP/2.0 486 Busy Here", _ECHO.format(to=tagged) + "      Content-Length: 0\n")
            + '<recv request="ACK"/>'
        )
    elif kind == "ring":
        rest = (
            '<recv request="CANCEL"/>'
            + _send("SIP/2.0 200 OK", _ECHO.format(to=tagged) + "      Content-Length: 0\n")
            + _send(
                "SIP/2.0 487 Request Terminated",
                _ECHO.format(to=tagged).replace("[last_CSeq:]", "CSeq: [last_cseq_number] INVITE")
                + "      Content-Length: 0\n",
            )
            + '<recv request="ACK"/>'
        )
    elif kind == "bye":
        bye = """[last_Via:]"""
        bye = (
            "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n      From: <sip:agent@[local_ip]:[local_port]>;tag=[pid]A[call_number]\n"
            "      To[$remote]\n      Call-ID: [call_id]\n      CSeq: 1 BYE\n      Max-Forwards: 70\n      Content-Length: 0\n"
        )
        ringing = ringing.replace(
            '<recv request="INVITE" crlf="true"/>',
            '<recv request="INVITE" crlf="true"><action><ereg regexp=":.*" search_in="hdr" header="From" assign_to="remote"/>'
            '<ereg regexp="sip:[^>]*" search_in="hdr" header="Contact" assign_to="target"/></action></recv>',
        )
        rest = (
            '<pause milliseconds="300"/>'
            + answer
            + f'<pause milliseconds="{amount}"/>'
            + _send("BYE [$target] SIP/2.0", bye)
            + '<recv response="200"/>'
        )
    else:
        rest = '<pause milliseconds="300"/>' + answer + got_bye
    return f'<scenario name="a">{ringing}{rest}</scenario>'


def registration(user: str, domain: str, password: str) -> str:
    """A REGISTER, challenged, that binds ``user`` to the port given as ``-key contact_port``."""

    def register(number: int, extra: str = "") -> str:
        headers = (
            "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
            f"      From: <sip:{user}@{domain}>;tag=[pid]R[call_number]\n      To: <sip:{user}@{domain}>\n"
            f"      Call-ID: [call_id]\n      CSeq: {number} REGISTER\n"
            f"      Contact: <sip:{user}@[local_ip]:[contact_port]>;expires=[seconds]\n      Expires: [seconds]\n{extra}"
            "      Max-Forwards: 70\n      Content-Length: 0\n"
        )
        return _send(f"REGISTER sip:{domain} SIP/2.0", headers)

    answer = f"      [authentication username={user} password={password}]\n"
    trying = '<recv response="100" optional="true"/>'
    return (
        f'<scenario name="r">{register(1)}{trying}<recv response="401" auth="true"/>'
        f'{register(2, answer)}{trying}<recv response="200"/></scenario>'
    )


class Recorder:
    """One event-socket connection, everything that crosses it, and the sipp processes it needs."""

    def __init__(self, options: argparse.Namespace) -> None:
        host, _, port = options.event_socket.rpartition(":")
        self.options = options
        self.sock = socket.create_connection((host, int(port)))
        self.started = time.monotonic()
        self.frames: list[tuple[str, float, bytes]] = []
        self.events: list[dict[str, str]] = []
        self.replies: list[str] = []
        self.buffer = b""
        self.processes: list[subprocess.Popen[bytes]] = []
        self.folder = tempfile.TemporaryDirectory()
        self._until(lambda: len(self.frames) == 1)

    def command(self, text: str) -> str:
        self.frames.append((">", time.monotonic() - self.started, text.encode()))
        before = len(self.replies)
        self.sock.sendall(text.encode())
        self._until(lambda: len(self.replies) > before)
        return self.replies[-1]

    def wait(self, name: str, timeout_s: float = 15, **headers: str) -> dict[str, str]:
        wanted = {key.replace("_", "-"): value for key, value in headers.items()}
        found: list[dict[str, str]] = []

        def there() -> bool:
            found[:] = [
                e for e in self.events if e["Event-Name"] == name and all(e.get(k) == v for k, v in wanted.items())
            ]
            return bool(found)

        self._until(there, timeout_s)
        return found[0]

    def quiet(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self._until(lambda: time.monotonic() > end, seconds + 1)

    def sipp(self, scenario: str, *args: str) -> subprocess.Popen[bytes]:
        path = Path(self.folder.name) / f"{len(self.processes)}.xml"
        path.write_text('<?xml version="1.0" encoding="UTF-8"?>\n' + re.sub(r"(?m)^ +(?=\S)", "      ", scenario))
        process = subprocess.Popen(
            [
                "sipp",
                "-sf",
                str(path),
                "-i",
                "127.0.0.1",
                "-m",
                "1",
                "-nostdin",
                "-trace_err",
                "-error_file",
                str(path) + ".err",
                *args,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder.name,
        )
        self.processes.append(process)
        return process

    def call(self, ending: str) -> str:
        """Calls 5000; returns the channel's uuid when it is parked."""
        self.sipp(caller(ending), self.options.callers)
        return self.wait("CHANNEL_PARK")["Unique-ID"]

    def phone(self, ending: str) -> None:
        """Starts the agent's phone and registers it; a NOTIFY about voice mail may cost it one call."""
        self.sipp(agent(ending), "-p", str(self.options.agent_port), "-m", "9")
        self.register(60)

    def register(self, seconds: int) -> None:
        user = self.sipp(
            registration(self.options.agent, self.options.domain, self.options.agent_password),
            self.options.agents,
            "-key",
            "contact_port",
            str(self.options.agent_port),
            "-key",
            "seconds",
            str(seconds),
        )
        if user.wait(10):
            raise SystemExit("the agent could not register")

    def told_of_registrations(self, times: int) -> None:
        """Waits until so many events about registrations have come."""
        self._until(lambda: sum(e["Event-Name"] == "CUSTOM" for e in self.events) >= times)

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
            process.wait(5)
        for path in sorted(Path(self.folder.name).glob("*.err")):
            print(path.name, path.read_text()[:600])
        self.sock.close()
        self.folder.cleanup()

    def _until(self, done: Callable[[], bool], timeout_s: float = 15) -> None:
        deadline = time.monotonic() + timeout_s
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                raise SystemExit(
                    f"nothing came in {timeout_s} s; last events: {[e['Event-Name'] for e in self.events[-8:]]}"
                )
            if select.select([self.sock], [], [], min(left, 0.05))[0]:
                self.buffer += self.sock.recv(1 << 16)
                self._split()

    def _split(self) -> None:
        while b"\n\n" in self.buffer:
            head, _, rest = self.buffer.partition(b"\n\n")
            found = re.search(rb"(?m)^Content-Length: (\d+)$", head)
            length = int(found[1]) if found else 0
            if len(rest) < length:
                return
            self.frames.append(("<", time.monotonic() - self.started, head + b"\n\n" + rest[:length]))
            self.buffer = rest[length:]
            if b"text/event-json" in head:
                self.events.append(json.loads(rest[:length]))
            elif b"command/reply" in head or b"api/response" in head:
                self.replies.append((rest[:length] or head).decode())


def inbound_playback(r: Recorder) -> None:
    """An inbound call is parked, answered and hears a tone; we hang up."""
    leg = r.call("wait")
    r.command(f"api uuid_answer {leg}\n\n")
    r.wait("CHANNEL_ANSWER", Unique_ID=leg)
    r.quiet(0.1)
    text = "tone_stream://%(400,0,440)"
    r.command(
        f"sendmsg {leg}\ncall-command: execute\nexecute-app-name: playback\nEvent-UUID: {uuid.uuid4()}\ncontent-type: text/plain\ncontent-length: {len(text)}\n\n{text}"
    )
    r.wait("CHANNEL_EXECUTE_COMPLETE", Unique_ID=leg, Application="playback")
    r.quiet(0.2)
    r.command(f"api uuid_broadcast {leg} tone_stream://%(5000,0,440) aleg\n\n")
    r.wait("PLAYBACK_START", Playback_File_Path="tone_stream://%(5000,0,440)")
    r.quiet(0.2)
    r.command(f"api uuid_break {leg} all\n\n")
    r.wait("PLAYBACK_STOP", Playback_File_Path="tone_stream://%(5000,0,440)")
    r.quiet(0.2)
    r.command(f"api uuid_kill {leg}\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=leg)


def originate(r: Recorder, caller_leg: str, extra: str = "", contact: str = "") -> tuple[str, str]:
    """Sends the originate we use; returns the leg and the job."""
    leg, job = str(uuid.uuid4()), str(uuid.uuid4())
    variables = (
        f"origination_uuid={leg},origination_caller_id_name='Ada\\, L.',origination_caller_id_number=0301234,originate_timeout=20,"
        f"ignore_early_media=true,hangup_after_bridge=true,cti_node=cti,cti_agent=a1,cti_interaction={caller_leg}{extra}"
    )
    r.command(
        f"bgapi originate {{{variables}}}{contact or f'user/{r.options.agent}@{r.options.domain}'} &park()\nJob-UUID: {job}\n\n"
    )
    return leg, job


def bridged(r: Recorder, caller_ends: str, agent_ends: str) -> None:
    """A waiting caller and an agent who answers are bridged; one of them hangs up."""
    r.phone(agent_ends)
    waiting = r.call(caller_ends)
    r.command(f"api uuid_answer {waiting}\n\n")
    leg, job = originate(r, waiting)
    r.wait("BACKGROUND_JOB", Job_UUID=job)
    r.command(f"api uuid_bridge {waiting} {leg}\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)
    r.wait("CHANNEL_DESTROY", Unique_ID=leg)


def bridge_unanswered(r: Recorder) -> None:
    """The agent is bridged with a caller who was never answered: FreeSWITCH clears both."""
    r.phone("wait")
    waiting = r.call("cancel:60000")
    leg, job = originate(r, waiting)
    r.wait("BACKGROUND_JOB", Job_UUID=job)
    r.command(f"api uuid_bridge {waiting} {leg}\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)
    r.wait("CHANNEL_DESTROY", Unique_ID=leg)


def agent_hangs_up(r: Recorder) -> None:
    """The agent answers, is bridged with the waiting caller and hangs up first."""
    bridged(r, "wait", "bye:900")


def caller_hangs_up(r: Recorder) -> None:
    """The agent answers, is bridged with the waiting caller, and the caller hangs up first."""
    bridged(r, "bye:1800", "wait")


def playback_interrupted(r: Recorder) -> None:
    """A waiting caller hears a tone; the bridge with the agent interrupts it; the leg is dialled by its SIP address."""
    r.phone("bye:700")
    waiting = r.call("wait")
    r.command(f"api uuid_answer {waiting}\n\n")
    text = "tone_stream://%(400,0,440);loops=-1"
    r.command(
        f"sendmsg {waiting}\ncall-command: execute\nexecute-app-name: playback\nEvent-UUID: {uuid.uuid4()}\ncontent-type: text/plain\ncontent-length: {len(text)}\n\n{text}"
    )
    r.wait("PLAYBACK_START", Unique_ID=waiting)
    leg, job = originate(r, waiting, contact=f"sofia/agents/{r.options.agent}@127.0.0.1:{r.options.agent_port}")
    r.wait("BACKGROUND_JOB", Job_UUID=job)
    r.wait("CHANNEL_PARK", Unique_ID=leg)
    r.command(f"api uuid_bridge {waiting} {leg}\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)
    r.wait("CHANNEL_DESTROY", Unique_ID=leg)


def caller_abandons_tone(r: Recorder) -> None:
    """The caller gives up while hearing a tone."""
    waiting = r.call("bye:600")
    r.command(f"api uuid_answer {waiting}\n\n")
    r.command(f"api uuid_broadcast {waiting} tone_stream://%(400,0,440);loops=-1 aleg\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)


def agent_gone_before_bridge(r: Recorder) -> None:
    """The agent answers and hangs up before being bridged."""
    r.phone("bye:300")
    waiting = r.call("wait")
    r.command(f"api uuid_answer {waiting}\n\n")
    leg, job = originate(r, waiting)
    r.wait("BACKGROUND_JOB", Job_UUID=job)
    r.wait("CHANNEL_DESTROY", Unique_ID=leg)
    r.command(f"api uuid_bridge {waiting} {leg}\n\n")
    r.command(f"api uuid_kill {waiting}\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)


def bridge_at_answer(r: Recorder) -> None:
    """The bridge is asked for as soon as the agent's answer is heard, before the leg has parked."""
    r.phone("bye:700")
    waiting = r.call("wait")
    r.command(f"api uuid_answer {waiting}\n\n")
    leg, job = originate(r, waiting, ",park_timeout=20")
    r.wait("CHANNEL_ANSWER", Unique_ID=leg)
    r.command(f"api uuid_bridge {waiting} {leg}\n\n")
    r.wait("BACKGROUND_JOB", Job_UUID=job)
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)
    r.wait("CHANNEL_DESTROY", Unique_ID=leg)


def killed_while_bridging(r: Recorder, agent_dies: bool) -> None:
    """One leg is cleared in the moment between the bridge command and the bridge."""
    r.phone("wait")
    waiting = r.call("wait")
    r.command(f"api uuid_answer {waiting}\n\n")
    leg, _ = originate(r, waiting)
    r.wait("CHANNEL_PARK", Unique_ID=leg)
    r.command(f"api uuid_bridge {waiting} {leg}\n\n")
    r.command(f"api uuid_kill {leg if agent_dies else waiting}\n\n")
    r.quiet(1.0)
    r.command(f"api uuid_kill {waiting if agent_dies else leg}\n\n")
    r.quiet(0.3)


def caller_gone_while_bridging(r: Recorder) -> None:
    """The caller is cleared in the moment between the bridge command and the bridge."""
    killed_while_bridging(r, agent_dies=False)


def agent_gone_while_bridging(r: Recorder) -> None:
    """The agent is cleared in the moment between the bridge command and the bridge."""
    killed_while_bridging(r, agent_dies=True)


def kept_after_bridge(r: Recorder) -> None:
    """The agent hangs up first and the caller, with park_after_bridge, is kept."""
    r.phone("bye:600")
    waiting = r.call("wait")
    r.command(f"api uuid_answer {waiting}\n\n")
    r.command(f"api uuid_setvar_multi {waiting} park_after_bridge=true;hangup_after_bridge=false\n\n")
    leg, job = originate(r, waiting)
    r.wait("BACKGROUND_JOB", Job_UUID=job)
    r.command(f"api uuid_bridge {waiting} {leg}\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=leg)
    r.quiet(0.4)
    r.command(f"api uuid_kill {waiting}\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)


def hold_and_transfer(r: Recorder) -> None:
    """A bridged caller is put on hold, retrieved, and transferred to another number of the centre."""
    r.phone("wait")
    waiting = r.call("wait")
    r.command(f"api uuid_answer {waiting}\n\n")
    leg, job = originate(r, waiting)
    r.wait("BACKGROUND_JOB", Job_UUID=job)
    r.command(f"api uuid_bridge {waiting} {leg}\n\n")
    r.wait("CHANNEL_BRIDGE", Unique_ID=waiting)
    r.quiet(0.3)
    r.command(f"api uuid_dump {waiting} json\n\n")
    r.command(f"api uuid_dump {leg} json\n\n")
    r.command("api show calls as json\n\n")
    r.command(f"api uuid_hold {leg}\n\n")
    r.quiet(0.3)
    r.command(f"api uuid_hold off {leg}\n\n")
    r.quiet(0.3)
    r.command(f"api uuid_transfer {waiting} 5001 XML callers\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=leg)
    r.quiet(0.5)
    r.command(f"api uuid_kill {waiting}\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)


def parted_and_joined(r: Recorder) -> None:
    """A bridged pair is parked with one command, the caller hears a tone, and the two are bridged again."""
    r.phone("wait")
    waiting = r.call("wait")
    r.command(f"api uuid_answer {waiting}\n\n")
    leg, job = originate(r, waiting)
    r.wait("BACKGROUND_JOB", Job_UUID=job)
    r.command(f"api uuid_bridge {waiting} {leg}\n\n")
    r.wait("CHANNEL_BRIDGE", Unique_ID=waiting)
    r.quiet(0.3)
    r.command(f"api uuid_dual_transfer {leg} park/inline park/inline\n\n")
    r.quiet(0.3)
    text = "tone_stream://%(400,0,440);loops=-1"
    r.command(
        f"sendmsg {waiting}\ncall-command: execute\nexecute-app-name: playback\nEvent-UUID: {uuid.uuid4()}\ncontent-type: text/plain\ncontent-length: {len(text)}\n\n{text}"
    )
    r.quiet(0.3)
    r.command(f"api uuid_bridge {waiting} {leg}\n\n")
    r.quiet(0.5)
    r.command(f"api uuid_kill {leg}\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=leg)
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)


def conferenced(r: Recorder) -> None:
    """A bridged pair goes into a conference, and out of it as a pair again."""
    r.phone("wait")
    waiting = r.call("wait")
    r.command(f"api uuid_answer {waiting}\n\n")
    leg, job = originate(r, waiting)
    r.wait("BACKGROUND_JOB", Job_UUID=job)
    r.command(f"api uuid_bridge {waiting} {leg}\n\n")
    r.wait("CHANNEL_BRIDGE", Unique_ID=waiting)
    r.quiet(0.3)
    room = "conference:room@default/inline"
    r.command(f"api uuid_dual_transfer {leg} {room} {room}\n\n")
    r.quiet(0.8)
    r.command(f"api uuid_bridge {waiting} {leg}\n\n")
    r.quiet(0.5)
    r.command(f"api uuid_transfer {waiting} conference:room@default inline\n\n")
    r.quiet(0.8)
    r.command(f"api uuid_kill {waiting}\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)
    r.wait("CHANNEL_DESTROY", Unique_ID=leg)


def agent_rejects(r: Recorder) -> None:
    """The agent's phone says 486; the caller is cleared by us."""
    r.phone("busy")
    waiting = r.call("cancel:60000")
    leg, job = originate(r, waiting)
    r.wait("BACKGROUND_JOB", Job_UUID=job)
    r.wait("CHANNEL_DESTROY", Unique_ID=leg)
    r.command(f"api uuid_kill {waiting} NORMAL_CLEARING\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)


def agent_no_answer(r: Recorder) -> None:
    """The agent's phone rings until we clear it."""
    r.phone("ring")
    waiting = r.call("cancel:60000")
    leg, job = originate(r, waiting)
    r.wait("CHANNEL_PROGRESS", Unique_ID=leg)
    r.quiet(0.5)
    r.command(f"api uuid_kill {leg} NO_ANSWER\n\n")
    r.wait("BACKGROUND_JOB", Job_UUID=job)
    r.wait("CHANNEL_DESTROY", Unique_ID=leg)
    r.command(f"api uuid_kill {waiting} NO_USER_RESPONSE\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)


def agent_originate_timeout(r: Recorder) -> None:
    """The agent's phone rings until originate gives up."""
    r.phone("ring")
    waiting = r.call("cancel:60000")
    leg, job = originate(r, waiting, ",originate_timeout=2")
    r.wait("BACKGROUND_JOB", Job_UUID=job)
    r.wait("CHANNEL_DESTROY", Unique_ID=leg)
    r.command(f"api uuid_kill {waiting}\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)


def agent_unregistered(r: Recorder) -> None:
    """The agent's phone is not registered."""
    r.register(0)
    waiting = r.call("cancel:60000")
    _, job = originate(r, waiting)
    r.wait("BACKGROUND_JOB", Job_UUID=job)
    r.command(f"api uuid_kill {waiting}\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)


def registrations(r: Recorder) -> None:
    """A phone registers, again, leaves, comes back, and is forgotten by the switch; what can be asked meanwhile."""
    user, profile = f"{r.options.agent}@{r.options.domain}", "agents"
    asked = (
        f"user_data {user} param dial-string",
        f"user_data nobody@{r.options.domain} param dial-string",
        f"expand echo {{^^:sip_invite_domain={r.options.domain}}}${{sofia_contact({profile}/{user})}}",
        "expand nosuch x",
    )

    def ask() -> None:
        for text in asked:
            r.command(f"api {text}\n\n")

    r.register(0)
    r.quiet(2)  # that was before anybody listens
    r.command("event json CUSTOM sofia::register sofia::unregister sofia::expire\n\n")
    ask()
    for n, seconds in enumerate((60, 60, 0, 60), start=1):
        r.register(seconds)
        r.told_of_registrations(n)
        ask()
    r.command(f"api sofia profile {profile} flush_inbound_reg {user}\n\n")
    r.wait("CUSTOM", Event_Subclass="sofia::expire")
    r.quiet(0.5)
    ask()


def caller_abandons(r: Recorder) -> None:
    """The caller gives up while parked."""
    waiting = r.call("cancel:600")
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)


def caller_abandons_ringing(r: Recorder) -> None:
    """The caller gives up while the agent's phone rings; we clear the agent's leg."""
    r.phone("ring")
    waiting = r.call("cancel:900")
    leg, job = originate(r, waiting)
    r.wait("CHANNEL_HANGUP", Unique_ID=waiting)
    r.command(f"api uuid_kill {leg} ORIGINATOR_CANCEL\n\n")
    r.wait("BACKGROUND_JOB", Job_UUID=job)
    r.wait("CHANNEL_DESTROY", Unique_ID=leg)
    r.wait("CHANNEL_DESTROY", Unique_ID=waiting)


def heartbeat(r: Recorder) -> None:
    """Nothing happens for one heartbeat."""
    r.wait("HEARTBEAT", 25)


def commands(r: Recorder) -> None:
    """What each command answers, when there is nothing to apply it to and when there is."""
    ghost = "11111111-2222-3333-4444-555555555555"
    for text in (
        "auth ClueCon", "noop", "event json NOSUCH", "event json", "event plain HEARTBEAT CUSTOM a::b", "event json HEARTBEAT", "nixevent HEARTBEAT", "nixevent",
        "filter", "filter Unique-ID x", "filter delete Unique-ID x", "filter delete all", "noevents", "noevents", "linger", "nolinger", "log", "nolog",
        f"sendmsg {ghost}\ncall-command: hangup", "sendmsg", "sendevent CUSTOM\nEvent-Subclass: a::b", "api", "bgapi", "api nosuch", "api echo one two", "api echo",
        "api create_uuid", "api status", "api version", "api version short", "api uptime", "api global_getvar domain", "api global_getvar nosuch", "api hupall", "api uuid_exists " + ghost, "api uuid_exists",
        "api uuid_bridge", f"api uuid_bridge {ghost} {ghost}", f"api uuid_kill {ghost}", "api uuid_kill", f"api uuid_answer {ghost}", "api uuid_answer", f"api uuid_park {ghost}", "api uuid_park",
        f"api uuid_transfer {ghost} 5000", "api uuid_transfer", f"api uuid_setvar {ghost} a b", "api uuid_setvar", f"api uuid_setvar_multi {ghost} a=b", "api uuid_setvar_multi", f"api uuid_getvar {ghost} a", "api uuid_getvar",
        f"api uuid_broadcast {ghost} x aleg", "api uuid_broadcast", f"api uuid_break {ghost}", "api uuid_break", f"api uuid_hold {ghost}", "api uuid_hold", f"api uuid_hold off {ghost}", f"api uuid_dump {ghost} json", "api uuid_dump",
        f"api uuid_deflect {ghost} sip:x@y", "api uuid_deflect", "api show channels", "api show channels as json", "api show calls", "api show calls as json", "api show channels count", "api show", "api msleep 10", "api msleep",
        "api sofia status", f"api sched_hangup +5 {ghost}", "api sched_hangup", "api originate", "api originate nosuch/1 &park()", "api originate user/nosuch@cti.internal &park()", "api originate error/USER_BUSY &park()", "api originate {a=b}", "api reloadxml",
        f"api uuid_send_dtmf {ghost} 1", "api strftime %Y", "api hupall NORMAL_CLEARING a b", "api sofia_contact */1001@cti.internal", "api sofia_contact */1009@cti.internal", "api user_exists id 1001 cti.internal", "api user_exists id 1 cti.internal",
    ):  # fmt: skip
        r.command(text + "\n\n")
    r.command(f"event json {EVENTS}\n\n")
    leg = r.call("wait")
    r.quiet(0.3)
    for text in (
        f"uuid_exists {leg}", f"uuid_setvar {leg} a one", f"uuid_getvar {leg} a", f"uuid_getvar {leg} nosuch", f"uuid_setvar {leg} a", f"uuid_getvar {leg} a", f"uuid_setvar_multi {leg} b=x;c=y z", f"uuid_getvar {leg} c",
        "show channels", "show channels as json", "show calls", "show calls as json", "show channels count", f"uuid_dump {leg} json", f"uuid_dump {leg}", f"uuid_break {leg}", f"uuid_answer {leg}", f"uuid_answer {leg}",
        f"uuid_dump {leg} json", f"uuid_bridge {leg} {ghost}", f"uuid_park {leg}", f"uuid_transfer {leg} park inline", f"sched_hangup +300 {leg}", f"uuid_send_dtmf {leg} 1",
    ):  # fmt: skip
        r.command(f"api {text}\n\n")
        r.quiet(0.1)
    for head in (
        "call-command: nosuch",
        "call-command: execute",
        "call-command: execute\nexecute-app-name: set\nexecute-app-arg: q=1",
        "x: y",
    ):
        r.command(f"sendmsg {leg}\n{head}\n\n")
        r.quiet(0.1)
    r.command(f"sendmsg {leg}\ncall-command: execute\nexecute-app-name: nosuch\n\n")
    r.wait("CHANNEL_DESTROY", Unique_ID=leg)
    r.quiet(0.3)
    r.command("exit\n\n")


SCENARIOS = (
    inbound_playback, agent_hangs_up, caller_hangs_up, bridge_unanswered, playback_interrupted, agent_gone_before_bridge, bridge_at_answer, hold_and_transfer, parted_and_joined, conferenced, caller_gone_while_bridging, agent_gone_while_bridging, kept_after_bridge, agent_rejects, agent_no_answer, agent_originate_timeout, agent_unregistered, registrations,
    caller_abandons, caller_abandons_tone, caller_abandons_ringing, heartbeat, commands,
)  # fmt: skip

_LONG = re.compile(
    r'("variable_(?:switch_[lr]_sdp|sip_(?:local|multipart)[a-z_]*|rtp_local_sdp_str|sip_full_[a-z]+)":")(?:[^"\\]|\\.)*"'
)


def scrubbed(frame: bytes, hosts: list[str]) -> str:
    """The frame without names, addresses and paths of this machine; an envelope's length is put right again."""
    head, _, body = frame.decode("utf-8", "surrogateescape").partition("\n\n")

    def clean(text: str) -> str:
        for host in hosts:
            text = text.replace(host, "vm")
        text = re.sub(r'("FreeSWITCH-IPv6":")[^"]*', r"\g<1>::1", text)
        text = re.sub(r"(FreeSWITCH-IPv6: )\S*", r"\g<1>%3A%3A1", text)
        text = re.sub(r'("FreeSWITCH-IPv4":")[^"]*', r"\g<1>192.0.2.2", text)
        text = re.sub(r"(FreeSWITCH-IPv4: )\S*", r"\g<1>192.0.2.2", text)
        return _LONG.sub(r'\1-"', text)

    head, body = clean(head), clean(body)
    head = re.sub(r"(?m)^Content-Length: \d+$", f"Content-Length: {len(body.encode('utf-8', 'surrogateescape'))}", head)
    return head + "\n\n" + body


def record(scenario: Callable[[Recorder], None], options: argparse.Namespace) -> None:
    r = Recorder(options)
    try:
        r.command("auth ClueCon\n\n")
        version = r.command("api version\n\n").strip()
        if scenario is not commands:
            r.command(f"event json {EVENTS}\n\n")
        r.quiet(0.1)
        scenario(r)
        r.quiet(0.2)
    finally:
        r.close()
    lines = [json.dumps({"freeswitch": version, "scenario": scenario.__name__, "what": scenario.__doc__})]
    lines += [json.dumps([way, round(at, 4), scrubbed(frame, options.scrub)]) for way, at, frame in r.frames]
    path = Path(options.out) / f"{scenario.__name__}.jsonl"
    path.write_text("\n".join(lines) + "\n")
    print(f"scenario={scenario.__name__} frames={len(r.frames)} bytes={path.stat().st_size}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--event-socket", default="127.0.0.1:8021")
    parser.add_argument("--callers", default="127.0.0.1:5060")
    parser.add_argument("--agents", default="127.0.0.1:5080")
    parser.add_argument("--domain", default="cti.internal")
    parser.add_argument("--agent", default="1001")
    parser.add_argument("--agent-password", default="agent-secret")
    parser.add_argument("--agent-port", type=int, default=5990)
    parser.add_argument("--scrub", nargs="*", default=[socket.gethostname()])
    parser.add_argument("--out", default="tests/data/recordings")
    parser.add_argument("scenarios", nargs="*", help="names; all of them when none is given")
    options = parser.parse_args()
    for scenario in SCENARIOS:
        if not options.scenarios or scenario.__name__ in options.scenarios:
            record(scenario, options)


if __name__ == "__main__":
    main()

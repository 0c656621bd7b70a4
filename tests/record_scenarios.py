"""Records one session a scenario of a FreeSWITCH of its own, with ``cti esl record --mask``.

    python tests/record_scenarios.py OUT_DIR [SCENARIO...]

Needs ``freeswitch`` and ``sipp`` on the PATH. Host names, addresses and paths of the machine are replaced in the files.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import attrs
import gevent
from gevent import subprocess
from live.audio import write_pcmu_tone
from live.event_socket import Event, EventSocket
from live.freeswitch_process import FreeSwitchProcess, find_freeswitch
from live.ports import free_ports
from live.sipp import AgentBehaviour, CallerBehaviour, SippAgents, SippCallers
from record import scrubbed

# Without CHANNEL_STATE and CALL_UPDATE, which are many and say what the others say.
EVENTS = (
    "CHANNEL_CREATE CHANNEL_OUTGOING CHANNEL_ORIGINATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER "
    "CHANNEL_CALLSTATE CHANNEL_PARK CHANNEL_UNPARK CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_HOLD CHANNEL_UNHOLD "
    "CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_DESTROY "
    "DTMF RECORD_START RECORD_STOP PLAYBACK_START PLAYBACK_STOP DETECTED_TONE BACKGROUND_JOB HEARTBEAT "
    "RELOADXML MODULE_LOAD MODULE_UNLOAD"
)
SUBCLASSES = "conference::maintenance,valet_parking::info"
_WAIT_S = 15.0


class Stage:
    """The switch of one scenario, with the callers and phones it needs; ``control`` is not what is recorded."""

    def __init__(self, switch: FreeSwitchProcess, folder: Path, stack: ExitStack) -> None:
        self.switch = switch
        self.folder = folder
        self._stack = stack
        self.control: EventSocket = stack.enter_context(switch.connect())
        self.control.subscribe(*EVENTS.split(), "CUSTOM", *SUBCLASSES.split(","))

    def call(self, **behaviour: object) -> str:
        """Call in; the parked channel's uuid."""
        port, media_port = free_ports(2, block=8)
        self._stack.enter_context(
            SippCallers(
                CallerBehaviour(**{"name": "Ada", "user": "0301234", **behaviour}),
                self.folder / f"caller-{port}",
                switch_port=self.switch.callers_port,
                number="5000",
                calls=1,
                rate=1,
                port=port,
                media_port=media_port,
            )
        )
        return self.wait("CHANNEL_PARK")["Unique-ID"]

    def phone(self, agent: str = "1001", **behaviour: object) -> str:
        """Start an agent's phone; the dial string that rings it."""
        port, media_port = free_ports(2, block=8)
        phones = SippAgents(
            AgentBehaviour(**behaviour), self.folder / f"agent-{port}", port=port, media_port=media_port
        )
        return self._stack.enter_context(phones).contact(agent)

    def run(self, leg: str, *applications: str) -> None:
        """Let a channel execute these applications (``name:arguments``) and nothing else."""
        self.api(f"uuid_transfer {leg} '{','.join(applications)}' inline")

    def bridged(self, **behaviour: object) -> tuple[str, str]:
        """A caller and an agent in conversation; their channels."""
        return self.bridge(self.call(), self.phone(**behaviour))

    def bridge(self, leg: str, contact: str, *then: str) -> tuple[str, str]:
        self.run(leg, f"bridge:{contact}", *then)
        other = self.wait("CHANNEL_BRIDGE", leg)["Other-Leg-Unique-ID"]
        gevent.sleep(0.2)
        return leg, other

    def originate(self, arguments: str) -> str:
        """Originate in the background and wait for the job; the new channel's uuid, or ``-ERR`` with the cause."""
        job = self.control.command(f"bgapi originate {arguments}").rpartition(" ")[2]
        return self.wait("BACKGROUND_JOB", Job_UUID=job)["_body"].strip().removeprefix("+OK ")

    def api(self, text: str) -> str:
        answer = self.control.api(text)
        if answer.startswith("-ERR"):
            raise AssertionError(f"{text}: {answer}")
        return answer

    def wait(self, name: str, leg: str = "", **headers: str) -> Event:
        wanted = {"Event-Name": name} | {key.replace("_", "-"): value for key, value in headers.items()}
        if leg:
            wanted["Unique-ID"] = leg
        return self.control.wait_event(lambda e: wanted.items() <= e.items(), _WAIT_S, f"{name} {leg} {headers}")

    def kill(self, leg: str) -> None:
        self.api(f"uuid_kill {leg}")
        self.wait("CHANNEL_DESTROY", leg)


def inbound_call(s: Stage) -> None:
    """An inbound call is parked and answered, and hung up by us."""
    leg = s.call()
    s.api(f"uuid_answer {leg}")
    s.wait("CHANNEL_ANSWER", leg)
    s.kill(leg)


def bridge(s: Stage) -> None:
    """A caller is bridged to an agent; we hang up."""
    s.kill(s.bridged()[0])


def hold(s: Stage) -> None:
    """A bridged agent is put on hold and retrieved."""
    caller, agent = s.bridged()
    s.api(f"uuid_hold {agent}")
    s.wait("CHANNEL_HOLD", agent)
    s.api(f"uuid_hold off {agent}")
    s.wait("CHANNEL_UNHOLD", agent)
    s.kill(caller)


def blind_transfer(s: Stage) -> None:
    """A bridged caller is transferred to another agent, unannounced."""
    caller, _ = s.bridged()
    s.run(caller, f"bridge:{s.phone('1002')}")
    s.wait("CHANNEL_BRIDGE", caller)
    s.kill(caller)


def attended_transfer(s: Stage) -> None:
    """An agent consults another one (att_xfer) and leaves the caller with that one."""
    # Left to itself the caller would be hung up with the agent, before the other one is there.
    caller, agent = s.bridge(s.call(), s.phone(), "park")
    s.api(f"uuid_setvar {caller} hangup_after_bridge false")
    s.api(f"uuid_broadcast {agent} att_xfer::{s.phone('1002')} aleg")
    s.wait("CHANNEL_BRIDGE", agent)
    gevent.sleep(0.3)
    s.api(f"uuid_kill {agent}")
    s.wait("CHANNEL_BRIDGE")
    gevent.sleep(0.2)
    s.kill(caller)


def conference(s: Stage) -> None:
    """Three phones meet in a conference and leave it one after the other."""
    legs = [s.originate(f"{s.phone(str(agent))} &conference(meeting@default)") for agent in (1001, 1002, 1003)]
    gevent.sleep(0.5)
    for leg in legs:
        s.kill(leg)


def park_and_pickup(s: Stage) -> None:
    """A caller waits in a valet slot, and an agent dials the slot."""
    caller = s.call()
    s.run(caller, "answer", "valet_park:lot 6001")
    s.wait("CUSTOM", caller, Action="hold")
    s.originate(f"{s.phone()} &valet_park('lot 6001')")
    s.wait("CHANNEL_BRIDGE")
    gevent.sleep(0.2)
    s.kill(caller)


def dtmf(s: Stage) -> None:
    """Digits come from a bridged caller (uuid_recv_dtmf), and are sent over a loopback call to its far end (uuid_send_dtmf)."""
    caller, _ = s.bridged()
    s.api(f"uuid_recv_dtmf {caller} 1#")
    s.wait("DTMF", caller, DTMF_Digit="#")
    s.kill(caller)
    # SIPp's phones offer no telephone-event, so that what is sent to them makes no event.
    near = s.originate("loopback/app=park &park")
    s.api(f"uuid_send_dtmf {near} 23@100")
    s.wait("DTMF", DTMF_Digit="3")
    s.kill(near)


def playback(s: Stage) -> None:
    """A caller hears a tone to its end, and another one that is broken off."""
    leg = s.call()
    s.run(leg, "answer", "playback:tone_stream://%(400\\,0\\,440)", "park")
    s.wait("PLAYBACK_STOP", leg)
    s.wait("CHANNEL_PARK", leg)
    s.api(f"uuid_broadcast {leg} tone_stream://%(5000,0,440) aleg")
    s.wait("PLAYBACK_START", leg)
    s.api(f"uuid_break {leg} all")
    s.wait("PLAYBACK_STOP", leg)
    s.kill(leg)


def record(s: Stage) -> None:
    """A conversation is recorded for a second."""
    caller, _ = s.bridged()
    path = s.folder / "call.wav"
    s.api(f"uuid_record {caller} start {path}")
    s.wait("RECORD_START", caller)
    gevent.sleep(1)
    s.api(f"uuid_record {caller} stop {path}")
    s.wait("RECORD_STOP", caller)
    s.kill(caller)


def fax_tone(s: Stage) -> None:
    """The caller is a fax machine: its 1100 Hz (CNG) is found by tone_detect."""
    leg = s.call(tone=write_pcmu_tone(s.folder / "cng.ulaw", 1100))
    s.run(leg, "answer", "tone_detect:fax 1100 r +10 set fax_detected=true 1", "park")
    s.wait("DETECTED_TONE")
    s.kill(leg)


def _failed(contact: Callable[[Stage], str], cause: str) -> Callable[[Stage], None]:
    def scenario(s: Stage) -> None:
        answer = s.originate(f"{contact(s)} &park")
        if cause not in answer:
            raise AssertionError(f"{cause} was expected: {answer}")

    scenario.__name__ = f"failed_{cause.lower()}"
    scenario.__doc__ = f"An originate ends with {cause}."
    return scenario


def hangup_before_answer(s: Stage) -> None:
    """The caller gives up while the call is parked, unanswered."""
    s.wait("CHANNEL_DESTROY", s.call(patience_s=0.5))


def hangup_while_ringing(s: Stage) -> None:
    """The caller gives up while the agent's phone rings."""
    caller = s.call(patience_s=1.5)
    s.run(caller, f"bridge:{s.phone(answers=False)}")
    s.wait("CHANNEL_PROGRESS")
    s.wait("CHANNEL_DESTROY", caller)


def hangup_after_answer(s: Stage) -> None:
    """The caller hangs up after the answer, before any bridge."""
    caller = s.call(hold_s=0.5)
    s.api(f"uuid_answer {caller}")
    s.wait("CHANNEL_DESTROY", caller)


def hangup_bridged_caller(s: Stage) -> None:
    """The caller ends the conversation."""
    caller, _ = s.bridge(s.call(hold_s=1), s.phone())
    s.wait("CHANNEL_DESTROY", caller)


def hangup_bridged_agent(s: Stage) -> None:
    """The agent ends the conversation."""
    caller, _ = s.bridged(talk_s=1)
    s.wait("CHANNEL_DESTROY", caller)


def reload(s: Stage) -> None:
    """The configuration is read again, and a module is unloaded and loaded."""
    s.api("reloadxml")
    s.wait("RELOADXML")
    s.control.api("reload mod_expr")
    s.wait("MODULE_LOAD")


def restart_lost(s: Stage) -> None:
    """FreeSWITCH is killed with a conversation in it: the recording ends there."""
    s.bridged()
    s.switch.kill()


def restart_back(s: Stage) -> None:
    """The same FreeSWITCH, started again, takes a call."""
    inbound_call(s)


SCENARIOS: tuple[Callable[[Stage], None], ...] = (
    inbound_call, bridge, hold, blind_transfer, attended_transfer, conference, park_and_pickup, dtmf, playback, record, fax_tone,
    _failed(lambda s: s.phone(rejects="486 Busy Here"), "USER_BUSY"),
    _failed(lambda s: s.phone(rejects="603 Decline"), "CALL_REJECTED"),
    _failed(lambda s: "{originate_timeout=2}" + s.phone(answers=False), "NO_ANSWER"),
    _failed(lambda s: s.phone(rejects="404 Not Found"), "UNALLOCATED_NUMBER"),
    _failed(lambda s: f"user/1009@{s.switch.domain}", "USER_NOT_REGISTERED"),
    _failed(lambda s: s.phone(rejects="503 Service Unavailable"), "NORMAL_TEMPORARY_FAILURE"),
    hangup_before_answer, hangup_while_ringing, hangup_after_answer, hangup_bridged_caller, hangup_bridged_agent,
    reload, restart_lost, restart_back,
)  # fmt: skip


@attrs.frozen
class Machine:
    """What must not be in a file, and what stands there instead."""

    paths: dict[str, str]
    hosts: list[str] = attrs.field(factory=lambda: [socket.gethostname()])

    def clean(self, frame: str) -> str:
        for path, other in self.paths.items():
            frame = frame.replace(path, other)
        return scrubbed(frame.encode("utf-8", "surrogateescape"), self.hosts)

    def write(self, raw: Path, out: Path, what: str) -> None:
        head, *rows = (json.loads(line) for line in raw.read_text().splitlines())
        lines = [head | {"what": what}, *([way, at, self.clean(frame)] for way, at, frame in rows)]
        out.write_text("".join(json.dumps(line) + "\n" for line in lines))


def play(scenario: Callable[[Stage], None], switch: FreeSwitchProcess, folder: Path) -> Path:
    """Run a scenario under the recorder; the file as the recorder wrote it."""
    folder.mkdir()
    file = folder / f"{scenario.__name__}.jsonl"
    words = ["esl", "record", str(file), "--switch", switch.address, "--password", switch.password, "--mask"]
    words += ["--events", EVENTS, "--subclasses", SUBCLASSES]
    program = [sys.executable, "-c", "from cti.cli.main import main; main()", *words]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as recorder:
        try:
            deadline = time.monotonic() + _WAIT_S
            while not (file.exists() and "event listener enabled" in file.read_text()):
                if recorder.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError("the recorder did not begin")
                gevent.sleep(0.1)
            with ExitStack() as stack:
                scenario(Stage(switch, folder, stack))
        finally:
            _settle(switch)
            if recorder.poll() is None:
                recorder.send_signal(signal.SIGINT)
            recorder.wait(_WAIT_S)
    return file


def _settle(switch: FreeSwitchProcess) -> None:
    """Wait until no channel is left and the last events are on file."""
    with contextlib.suppress(OSError), switch.connect() as control:  # unless it was killed
        control.api("hupall")
        deadline = time.monotonic() + _WAIT_S
        while control.channels() and time.monotonic() < deadline:
            gevent.sleep(0.1)
    gevent.sleep(0.3)


def main() -> None:
    """Record the scenarios named, or all."""
    out, *names = sys.argv[1:] or sys.exit(__doc__)
    binary = find_freeswitch() or sys.exit("no freeswitch on the PATH")
    Path(out).mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="scenarios-"))
    switch = FreeSwitchProcess(folder / "switch", binary)
    failed = []
    try:
        for scenario in SCENARIOS:
            name = scenario.__name__
            if names and name not in names:
                continue
            try:
                switch.pid  # noqa: B018 - raises when it was killed
            except AssertionError:
                switch.start()
                with switch.connect() as control:
                    base = control.api("eval $${base_dir}")
            machine = Machine({str(folder): "/var/lib/freeswitch", base: "/usr/local/freeswitch"})
            try:
                raw = play(scenario, switch, folder / name)
            except (AssertionError, OSError) as error:
                failed.append(name)
                print(f"scenario={name} error={error}")
                continue
            path = Path(out) / f"{name}.jsonl"
            machine.write(raw, path, scenario.__doc__ or "")
            print(f"scenario={name} bytes={path.stat().st_size}", flush=True)
    finally:
        switch.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if failed:
        sys.exit(f"failed: {' '.join(failed)}")


if __name__ == "__main__":
    main()

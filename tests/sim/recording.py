"""Recorded event-socket sessions, and the same scenario played on the simulated switch."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

from attrs import define, field

from cti.sim import Behaviour, Caller, Phone, SimulatedSwitch, VirtualScheduler

FOLDER = Path(__file__).parent.parent / "data" / "recordings"
RINGS_ONLY = Behaviour(no_answer=1.0, ring_s=(0.001, 0.001))


def split(frames: bytes) -> list[tuple[dict[str, str], str]]:
    """Whole frames to (envelope, body)."""
    found = []
    while frames.strip(b"\n"):
        head, _, rest = frames.partition(b"\n\n")
        envelope = dict(line.split(": ", 1) for line in head.decode("utf-8", "surrogateescape").split("\n"))
        length = int(envelope.get("Content-Length", 0)) if "reply" not in envelope["Content-Type"] else 0
        found.append((envelope, rest[:length].decode("utf-8", "surrogateescape")))
        frames = rest[length:]
    return found


@define
class Transcript:
    """What came from a switch: events, replies, in order."""

    events: list[dict] = field(factory=list)
    replies: list[str] = field(factory=list)

    def take(self, envelope: dict[str, str], body: str) -> None:
        kind = envelope["Content-Type"]
        if kind == "text/event-json":
            self.events.append(json.loads(body))
        elif kind == "api/response":
            self.replies.append(body)
        elif kind == "command/reply":
            self.replies.append(envelope["Reply-Text"])

    def count(self, name: str, uuid: str) -> int:
        return sum(e["Event-Name"] == name and subject(e) == uuid for e in self.events)


def subject(event: dict) -> str:
    return event.get("Unique-ID") or event.get("Job-UUID") or ""


@define
class Recording:
    name: str
    about: dict
    lines: list[tuple[str, float, str]]
    heard: Transcript

    @classmethod
    def load(cls, name: str) -> Recording:
        rows = [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]
        heard = Transcript()
        for way, _, frame in rows[1:]:
            if way == "<":
                for envelope, body in split(frame.encode("utf-8", "surrogateescape")):
                    heard.take(envelope, body)
        return cls(name, rows[0], [tuple(row) for row in rows[1:]], heard)

    def far_ends(self) -> dict[str, str]:
        """The channels that their far end hung up, with how."""
        return {
            e["Unique-ID"]: e["variable_sip_hangup_disposition"]
            for e in self.heard.events
            if e["Event-Name"] == "CHANNEL_HANGUP_COMPLETE"
            and e.get("variable_sip_hangup_disposition", "").startswith("recv")
        }


class Replay:
    """Plays a recording's client and its far ends against a simulated switch, at the recorded times.

    The client of the recording reacted to what it saw, so each command waits until the simulated switch has shown
    what had been seen by then.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.scheduler = VirtualScheduler()
        self.switch = SimulatedSwitch(self.scheduler, heartbeat_s=0)
        contact = next(
            (e["Channel-Name"] for e in recording.heard.events if "agents/" in e.get("Channel-Name", "")), ""
        )
        registered = recording.name not in ("agent_unregistered", "registrations")
        self.phone = self.switch.phones.add("user/1001@cti.internal", RINGS_ONLY, registered=registered)
        if contact:
            self.phone.contact = contact
            self.switch.phones.add(contact, RINGS_ONLY)
        self.heard = Transcript()
        self.names: dict[str, str] = {}  # the recording's uuids to ours
        self.callers: dict[str, Caller] = {}
        session = self.switch.connect()
        session.on_send = lambda data: [self.heard.take(*frame) for frame in split(data)]
        self.session = session

    def run(self) -> Replay:
        shown: list[tuple[str, str]] = []
        far_ends = self.recording.far_ends()
        for way, at, frame in self.recording.lines:
            if way == ">":
                self._until(shown, at)
                self.session.receive(self.translated(frame).encode("utf-8", "surrogateescape"))
                continue
            for envelope, body in split(frame.encode("utf-8", "surrogateescape")):
                if envelope["Content-Type"] == "text/event-json":
                    event = json.loads(body)
                    if event["Event-Name"] != "HEARTBEAT":
                        self._far_end(event, at, far_ends, shown)
                        shown.append((event["Event-Name"], subject(event)))
        self.scheduler.run_for(2.0)
        return self

    def translated(self, text: str) -> str:
        return re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", lambda m: self.names.get(m[0], m[0]), text)

    def _until(self, shown: list[tuple[str, str]], at: float) -> None:
        """Lets time go on to ``at``, and then until everything in ``shown`` has been heard (for 0.3 s at most)."""
        self.scheduler.run_until(max(at, self.scheduler.now()))
        for _ in range(300):
            wanted: dict[tuple[str, str], int] = defaultdict(int)
            for one in shown:
                wanted[one] += 1
            if all(self.heard.count(name, self.names.get(uuid, uuid)) >= n for (name, uuid), n in wanted.items()):
                return
            self.scheduler.run_for(0.001)

    def _far_end(self, event: dict, at: float, far_ends: dict[str, str], shown: list[tuple[str, str]]) -> None:
        name, uuid = event["Event-Name"], subject(event)
        inbound = event.get("Call-Direction") == "inbound"
        if name == "CUSTOM" and event["Event-Subclass"] != "sofia::expire":  # that one comes of a command
            self.scheduler.run_until(at)
            (self.phone.register if event["Event-Subclass"] == "sofia::register" else self.phone.unregister)()
        elif name == "CHANNEL_CREATE" and inbound:
            self.scheduler.run_until(at)
            caller = self.switch.incoming(
                calling_number=event["Caller-Caller-ID-Number"],
                calling_name=event["Caller-Caller-ID-Name"],
                called_number=event["Caller-Destination-Number"],
            )
            self.callers[uuid] = caller
            self.names[uuid] = caller.channel.uuid
        elif name == "CHANNEL_ANSWER" and not inbound:
            self._until(shown, at)
            self.switch.channels[uuid].answer()
        elif name == "CHANNEL_HANGUP" and uuid in far_ends:
            self._until(shown, at)
            if inbound:
                self.callers[uuid].hang_up()
            else:
                self._phone_ends(uuid, far_ends[uuid])

    def _phone_ends(self, uuid: str, how: str) -> None:
        channel = self.switch.channels[uuid]
        assert isinstance(channel.far, Phone)
        if how == "recv_refuse":
            channel.far.reject(channel, 486)
        else:
            channel.far.hang_up(channel)

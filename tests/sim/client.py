"""A client of the simulated switch in virtual time: writes commands, collects what comes back."""

from __future__ import annotations

from typing import Any

from cti.sim import SimulatedSwitch, VirtualScheduler

from .recording import Transcript, split

EVENTS = (
    "CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_PARK CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_HANGUP "
    "CHANNEL_HANGUP_COMPLETE CHANNEL_DESTROY PLAYBACK_START PLAYBACK_STOP BACKGROUND_JOB"
)


class Client:
    """Logged in unless told otherwise; ``raw`` is every byte that came."""

    def __init__(self, switch: SimulatedSwitch, *, log_in: bool = True, events: str = "") -> None:
        self.switch = switch
        self.heard = Transcript()
        self.raw = b""
        self.closed_by_switch = False
        self.session = switch.connect()
        self.session.on_send = self._got
        self.session.on_close = self._closed
        assert isinstance(switch.scheduler, VirtualScheduler)
        self.scheduler = switch.scheduler
        self.scheduler.run_for(0.001)
        if log_in:
            assert self.command(f"auth {switch.password}") == "+OK accepted"
        if events:
            assert self.command(f"event json {events}").startswith("+OK")

    def write(self, data: bytes) -> None:
        self.session.receive(data)

    def command(self, text: str, limit_s: float = 5.0) -> str:
        """Writes a command; the Reply-Text, or the body of an api's answer."""
        before = len(self.heard.replies)
        self.session.receive(text.encode("utf-8", "surrogateescape") + b"\n\n")
        end = self.scheduler.now() + limit_s
        while len(self.heard.replies) == before:
            assert self.scheduler.now() < end, f"no reply to {text!r}"
            assert self.scheduler.run_next(), f"no reply to {text!r}"
        return self.heard.replies[-1]

    def api(self, text: str) -> str:
        return self.command("api " + text)

    def run(self, seconds: float) -> None:
        self.scheduler.run_for(seconds)

    def names(self, uuid: str = "") -> list[str]:
        """The names of the events heard, of one channel or of all."""
        return [e["Event-Name"] for e in self.heard.events if not uuid or e.get("Unique-ID") == uuid]

    def events(self, name: str, uuid: str = "") -> list[dict[str, Any]]:
        return [e for e in self.heard.events if e["Event-Name"] == name and (not uuid or e.get("Unique-ID") == uuid)]

    def job(self, uuid: str) -> str:
        """The result of a job; fails when there is none."""
        (event,) = [e for e in self.events("BACKGROUND_JOB") if e["Job-UUID"] == uuid]
        return event["_body"]

    def _got(self, data: bytes) -> None:
        self.raw += data
        for frame in split(data):
            self.heard.take(*frame)

    def _closed(self) -> None:
        self.closed_by_switch = True

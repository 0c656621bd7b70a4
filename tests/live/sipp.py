"""SIPp processes: agents' phones (one process answers for any number of agents) and callers."""

from __future__ import annotations

import csv
import shutil
import signal
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs
import gevent
from gevent import subprocess

from .ports import is_bound

_SCENARIOS = Path(__file__).parent / "scenarios"
_FOREVER_MS = 3_600_000
BOUND_S = 20.0
"""How long may a SIPp take to begin, on a busy machine?"""


@attrs.frozen
class AgentBehaviour:
    """How every phone of one process behaves; all durations in seconds.

    ``answers=False`` rings until it is cancelled. ``rejects`` is a SIP status ("486 Busy Here") sent after the ringing.
    ``obeys`` rings until a NOTIFY with "Event: talk" tells it to answer; nothing else counts then, but ``reads``: it
    waits for a MESSAGE ("please hurry") before the end of the call.
    ``talk_s`` is when the phone hangs up, counted from the ACK (0: before any bridge can be up); None waits for the
    other side. ``tone`` is a headerless PCMU file to play.
    """

    setup_s: float = 0.0
    ring_s: float = 0.2
    answers: bool = True
    rejects: str | None = None
    talk_s: float | None = None
    tone: Path | None = None
    obeys: bool = False
    reads: bool = False

    def scenario(self) -> str:
        """Return the text of the SIPp scenario."""
        if self.obeys:
            return _fill("obedient.xml", message=_fill("message.xml") if self.reads else "")
        after_ringing = "reject" if self.rejects else "answer"
        return _fill(
            "agent.xml",
            setup_ms=_ms(self.setup_s),
            ring_ms=_ms(self.ring_s if self.answers else None),
            after_ringing=after_ringing,
            reject_status=self.rejects or "486 Busy Here",
            talk_ms=_ms(self.talk_s),
            media_port="rtpstream_audio_port" if self.tone else "media_port",
            play=_play(self.tone),
        )


@attrs.frozen
class CallerBehaviour:
    """How every caller of one process behaves; all durations in seconds.

    ``hold_s`` is when the caller hangs up, counted from the answer; ``patience_s`` is when it gives up unanswered,
    counted from the last provisional response. None waits for the other side.
    """

    hold_s: float | None = None
    patience_s: float | None = None
    name: str = "sipp"
    user: str = "sipp"
    tone: Path | None = None

    def scenario(self) -> str:
        """Return the text of the SIPp scenario."""
        return _fill(
            "caller.xml",
            patience_ms=_ms(self.patience_s),
            hold_ms=_ms(self.hold_s),
            name=self.name,
            user=self.user,
            media_port="rtpstream_audio_port" if self.tone else "media_port",
            play=_play(self.tone),
        )


@attrs.frozen
class SippFigures:
    """What SIPp counted: calls made or taken, those that went through the scenario to its end, and the others."""

    total: int
    successful: int
    failed: int


class SippError(AssertionError):
    """SIPp could not be started, or did not end in time; the message carries what it said."""


def _ms(seconds: float | None) -> int:
    return _FOREVER_MS if seconds is None else max(1, round(seconds * 1000))


def _play(tone: Path | None) -> str:
    return f'<nop><action><exec rtp_stream="{tone},-1,0"/></action></nop>' if tone else ""


def _echo(tone: Path | None) -> list[str]:
    # One port echoes for every call. Echoing and streaming would share that port, and the tones would mix.
    return [] if tone else ["-rtp_echo"]


def _fill(scenario: str, **words: object) -> str:
    text = (_SCENARIOS / scenario).read_text()
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    return text


class Sipp:
    """One SIPp process, bound to the loopback interface; a context manager that ends it."""

    def __init__(self, scenario: str, arguments: list[str], workdir: Path, *, port: int, media_port: int) -> None:
        binary = shutil.which("sipp")
        if binary is None:
            raise SippError("no `sipp` on the PATH (Debian: sip-tester)")
        workdir.mkdir(parents=True, exist_ok=True)
        self.port = port
        self._workdir = workdir
        (workdir / "scenario.xml").write_text(scenario)
        self._output = (workdir / "output.txt").open("wb")
        # fmt: off
        command = [
            binary, "-sf", "scenario.xml", "-nostdin",
            "-i", "127.0.0.1", "-p", str(port),
            "-mi", "127.0.0.1", "-mp", str(media_port),
            "-trace_err", "-error_file", "errors.txt",
            "-trace_logs", "-log_file", "log.txt",
            "-trace_stat", "-stf", "statistics.csv", "-fd", "1",
            *arguments,
        ]
        # fmt: on
        self._process = subprocess.Popen(command, cwd=workdir, stdout=self._output, stderr=subprocess.STDOUT)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def wait(self, timeout_s: float) -> SippFigures:
        """Block until SIPp ends by itself (all its calls over) and return its figures."""
        try:
            self._process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self.stop()
            raise SippError(f"sipp did not end within {timeout_s} s: {self.describe()}") from None
        self._output.close()
        return self.figures()

    def stop(self) -> SippFigures:
        """End the process, politely at first (SIGUSR1 lets calls in progress end), and return its figures."""
        if self._process.poll() is None:
            for polite, patience_s in ((signal.SIGUSR1, 0.5), (signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)):
                self._process.send_signal(polite)
                try:
                    self._process.wait(timeout=patience_s)
                    break
                except subprocess.TimeoutExpired:
                    continue
        self._output.close()
        return self.figures()

    def figures(self) -> SippFigures:
        """Return the latest figures SIPp wrote (once a second, and at its end); zeros before the first."""
        path = self._workdir / "statistics.csv"
        rows = list(csv.DictReader(path.read_text().splitlines(), delimiter=";")) if path.exists() else []
        names = ("TotalCallCreated", "SuccessfulCall(C)", "FailedCall(C)")
        for row in reversed(rows):
            told = [row.get(name) or "" for name in names]
            if all(each.isdigit() for each in told):  # a line that SIPp is still writing, or tore, is none
                return SippFigures(*map(int, told))
        return SippFigures(0, 0, 0)

    def log(self) -> list[str]:
        """Return the lines that the scenario has logged so far: an agent's phone logs the Call-Info of each INVITE."""
        path = self._workdir / "log.txt"
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def describe(self) -> str:
        """Return SIPp's own errors, for the message of a failed test."""
        parts = [str(self.figures())]
        for name in ("errors.txt", "output.txt"):
            path = self._workdir / name
            if path.exists():
                parts.append(f"--- {name}\n{path.read_text(errors='replace')[-1500:]}")
        return "\n".join(parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class SippAgents(Sipp):
    """One process that answers for every agent whose contact names its port, whatever the user part is."""

    def __init__(self, behaviour: AgentBehaviour, workdir: Path, *, port: int, media_port: int) -> None:
        super().__init__(behaviour.scenario(), _echo(behaviour.tone), workdir, port=port, media_port=media_port)
        self._wait_until_bound()

    def _wait_until_bound(self) -> None:
        """SIPp says nothing when it is ready, and a phone that is called before is out of order for FreeSWITCH
        (NORMAL_TEMPORARY_FAILURE), and its agent to blame. One that cannot bind its port is gone at once.
        """
        deadline = time.monotonic() + BOUND_S
        gevent.sleep(0.2)
        while self._process.poll() is None and not is_bound(self.port):
            if time.monotonic() > deadline:
                raise SippError(f"sipp has not bound port {self.port} within {BOUND_S} s: {self.describe()}")
            gevent.sleep(0.05)
        if self._process.poll() is not None:
            raise SippError(f"sipp ended at once: {self.describe()}")

    def contact(self, agent: str, profile: str = "agents") -> str:
        """Return the dial string that makes FreeSWITCH ring this agent's phone."""
        return f"sofia/{profile}/{agent}@127.0.0.1:{self.port}"


class SippCallers(Sipp):
    """Callers: ``calls`` in all, ``rate`` of them a second, to ``number`` at the switch's SIP port."""

    def __init__(
        self,
        behaviour: CallerBehaviour,
        workdir: Path,
        *,
        switch_port: int,
        number: str,
        calls: int,
        rate: float,
        port: int,
        media_port: int,
    ) -> None:
        # A rate below one a second is a longer period, since SIPp spreads whole calls over a period.
        per_period, period_ms = (rate, 1000) if rate >= 1 else (1, round(1000 / rate))
        # fmt: off
        arguments = [
            f"127.0.0.1:{switch_port}", *_echo(behaviour.tone), "-s", number,
            "-m", str(calls), "-r", str(per_period), "-rp", str(period_ms), "-l", str(max(calls, 10)),
        ]
        # fmt: on
        super().__init__(behaviour.scenario(), arguments, workdir, port=port, media_port=media_port)


class SippRegistration(Sipp):
    """One phone that registers, once: calls to ``user/USER@DOMAIN`` then ring at ``contact_port``.

    ``expires_s`` is for how long; 0 takes the registration back.
    """

    def __init__(
        self,
        workdir: Path,
        *,
        switch_port: int,
        user: str,
        domain: str,
        password: str,
        contact_port: int,
        port: int,
        media_port: int,
        expires_s: int = 600,
    ) -> None:
        scenario = _fill(
            "register.xml",
            user=user,
            domain=domain,
            password=password,
            contact_port=contact_port,
            expires=expires_s,
        )
        arguments = [f"127.0.0.1:{switch_port}", "-m", "1", "-r", "20"]
        super().__init__(scenario, arguments, workdir, port=port, media_port=media_port)


class SippPhoneCalls(Sipp):
    """One call made by a phone whose user has an account: to ``number`` at the switch's port for phones.

    ``hold_s`` is when the phone hangs up, counted from the answer; None waits for the other side.
    """

    def __init__(
        self,
        workdir: Path,
        *,
        switch_port: int,
        user: str,
        domain: str,
        password: str,
        number: str,
        port: int,
        media_port: int,
        hold_s: float | None = None,
        patience_s: float | None = None,
    ) -> None:
        scenario = _fill(
            "phone_calls.xml",
            user=user,
            domain=domain,
            password=password,
            name=user,
            hold_ms=_ms(hold_s),
            patience_ms=_ms(patience_s),
            media_port="media_port",
            play="",
        )
        arguments = [f"127.0.0.1:{switch_port}", "-rtp_echo", "-s", number, "-m", "1", "-r", "20"]
        super().__init__(scenario, arguments, workdir, port=port, media_port=media_port)

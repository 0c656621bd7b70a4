"""A FreeSWITCH of the test's own: a copy of ``freeswitch-conf`` on free loopback ports, booted, killed and booted again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from pathlib import Path

import gevent
from gevent import subprocess

from .event_socket import EventSocket
from .ports import free_audio_ports, free_ports

CONFIGURATION = Path(__file__).resolve().parents[2] / "freeswitch-conf"
_PROFILES = ("callers", "agents", "peers")
# Booting takes 3 s on an idle machine, most of it in mod_sofia; a machine with other work to do may need far longer.
_BOOT_TIMEOUT_S = 90.0
_RTP_PORTS = 2000


class FreeSwitchError(AssertionError):
    """FreeSWITCH did not do what the test needs; the message carries the end of its log."""


def find_freeswitch() -> str | None:
    """Return the path of the FreeSWITCH binary: CTI_FREESWITCH when set, else the one on the PATH, else None."""
    named = os.environ.get("CTI_FREESWITCH")
    return shutil.which(named) if named else shutil.which("freeswitch")


class FreeSwitchProcess:
    """One FreeSWITCH with its own configuration, state and ports; the ports stay the same over ``kill`` and ``start``.

    ``overlay`` is called with the copied configuration directory before the first boot.
    """

    def __init__(self, workdir: Path, binary: str, *, overlay: object = None) -> None:
        self._binary = binary
        self._workdir = workdir
        self._configuration = workdir / "conf"
        self._process: subprocess.Popen[bytes] | None = None
        self.password = "ClueCon"
        self.domain = "cti.internal"
        self.agent_password = "agent-secret"
        self.event_port, self.callers_port, self.agents_port, self.peers_port, self._bell_port = free_ports(5)
        self._rtp_start = free_audio_ports(_RTP_PORTS)
        shutil.copytree(CONFIGURATION, self._configuration)
        for directory in ("log", "db", "run", "storage"):
            (workdir / directory).mkdir(parents=True)
        self._set_variables(
            event_socket_port=self.event_port,
            callers_port=self.callers_port,
            agents_port=self.agents_port,
            peers_port=self.peers_port,
            doorbell_port=self._bell_port,
            rtp_start_port=self._rtp_start,
            rtp_end_port=self._rtp_start + _RTP_PORTS - 2,
        )
        if callable(overlay):
            overlay(self._configuration)

    @property
    def address(self) -> str:
        """The event socket as ``host:port``."""
        return f"127.0.0.1:{self.event_port}"

    @property
    def configuration(self) -> Path:
        """The directory of its own copy of the configuration."""
        return self._configuration

    @property
    def doorbell(self) -> str:
        """Where it rings, if it has mod_event_multicast."""
        return f"127.0.0.2:{self._bell_port}"

    @property
    def pid(self) -> int:
        """The process id of the running FreeSWITCH."""
        if self._process is None:
            raise FreeSwitchError("FreeSWITCH is not running")
        return int(self._process.pid)

    def start(self) -> None:
        """Boot, and block until the event socket greets and both SIP profiles are up."""
        if self._process is not None:
            raise FreeSwitchError("FreeSWITCH is running already")
        # fmt: off
        command = [
            self._binary, "-nonat", "-nf", "-nc",
            "-conf", str(self._configuration), "-log", str(self._workdir / "log"), "-db", str(self._workdir / "db"),
            "-run", str(self._workdir / "run"), "-storage", str(self._workdir / "storage"),
        ]
        # fmt: on
        with (self._workdir / "console.txt").open("ab") as console:
            # Its own session: a Ctrl-C at the terminal is for pytest, which then stops FreeSWITCH in order.
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            self._wait_until_ready(time.monotonic() + _BOOT_TIMEOUT_S)
        except BaseException:
            self.kill()
            raise

    def connect(self) -> EventSocket:
        """Return a new event-socket connection."""
        return EventSocket(self.event_port, self.password)

    def kill_calls(self) -> None:
        """End every call; boot first, if a test has left it dead."""
        if self._process is None or self._process.poll() is not None:
            self._process = None
            self.start()
        with self.connect() as control:
            control.api("hupall NORMAL_CLEARING")

    def kill(self) -> None:
        """End it as a crash would (SIGKILL): no BYE, no goodbye on the event socket. Harmless when it is not running."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=20)
            self._process = None

    def stop(self) -> None:
        """End it in order, and by force when that takes longer than 15 s."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=20)
        self._process = None

    def log_tail(self, lines: int = 40) -> str:
        """Return the end of the console output and the log, for the message of a failed test."""
        parts = []
        for path in (self._workdir / "console.txt", self._workdir / "log" / "freeswitch.log"):
            if path.exists():
                said = path.read_text(errors="replace").splitlines()
                # Without the banner that FreeSWITCH prints when it is up.
                tail = [line for line in said if line[:1] not in ("", "|", ".")][-lines:]
                parts.append(f"--- {path.name}\n" + "\n".join(tail))
        return "\n".join(parts)

    def _set_variables(self, **values: int) -> None:
        path = self._configuration / "vars.xml"
        text = path.read_text()
        for name, value in values.items():
            text, found = re.subn(rf'data="{name}=[^"]*"', f'data="{name}={value}"', text)
            if found != 1:
                raise FreeSwitchError(f"vars.xml sets {name} {found} times, not once")
        path.write_text(text)

    def _wait_until_ready(self, deadline: float) -> None:
        missing = "the event socket"
        while time.monotonic() < deadline:
            process = self._process
            if process is None or process.poll() is not None:
                raise FreeSwitchError(f"FreeSWITCH ended while booting\n{self.log_tail()}")
            try:
                with self.connect() as control:
                    status = control.api("sofia status")
                    missing = ", ".join(name for name in _PROFILES if not _is_running(name, status))
                    if not missing:
                        return
            except OSError:
                missing = "the event socket"
            gevent.sleep(0.1)
        raise FreeSwitchError(f"after {_BOOT_TIMEOUT_S} s FreeSWITCH still lacks {missing}\n{self.log_tail()}")


def _is_running(profile: str, status: str) -> bool:
    return re.search(rf"^\s*{profile}\s+profile\s.*\sRUNNING", status, re.MULTILINE) is not None

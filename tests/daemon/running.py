"""The daemon as a process, on a simulated switch in the test's own."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from gevent import subprocess

from cti.sim import Behaviour, SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer

CTI = [sys.executable, "-c", "from cti.cli.main import main; main()"]
QUICK = Behaviour(ring_s=(0.001, 0.002), answer_s=(0.01, 0.02), reject_s=(0.01, 0.02))
_PATIENCE_S = 60


class Running:
    """A daemon, its configuration and its log."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.file = directory / "centre.toml"
        self.log_file = directory / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self._seen = 0

    def start(self, **environ: str) -> None:
        self._seen = len(self.lines())
        environment = {**os.environ, "SWITCH_PASSWORD": "ClueCon", **environ}
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*CTI, "run", str(self.file)], stderr=log, stdout=log, env=environment, cwd=self.directory
            )

    def ready(self, **environ: str) -> None:
        self.start(**environ)
        self.said("ready")

    def lines(self) -> list[dict[str, Any]]:
        """The log, what is no JSON as ``{"event": line}``."""
        if not self.log_file.exists():
            return []
        return [_parsed(line) for line in self.log_file.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def of(self, event: str, **wanted: Any) -> list[dict[str, Any]]:
        """The lines since the last start."""
        return [
            line
            for line in self.lines()[self._seen :]
            if line["event"] == event and all(line.get(key) == value for key, value in wanted.items())
        ]

    def said(self, event: str, *, count: int = 1, **wanted: Any) -> dict[str, Any]:
        self.until(f"{event} {wanted}", lambda: len(self.of(event, **wanted)) >= count or self._ended(event))
        return self.of(event, **wanted)[count - 1]

    def _ended(self, event: str) -> bool:
        assert self.process is not None
        ended = self.process.poll() is not None and not self.of(event)
        assert not ended, f"it ended with {self.process.returncode}: {self.log_file.read_text()[-3000:]}"
        return False

    def until(self, what: str, true: Callable[[], Any]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not true():
            assert time.monotonic() < deadline, f"never: {what}\n{self.log_file.read_text()[-3000:]}"
            gevent.sleep(0.02)

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self) -> int:
        assert self.process is not None
        with gevent.Timeout(_PATIENCE_S, AssertionError(f"it did not end\n{self.log_file.read_text()[-3000:]}")):
            return int(self.process.wait())

    def kill(self) -> None:
        """End it, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def command(self, name: str, *more: str) -> tuple[int, str]:
        """Run another command on the same file: its status, and all it said."""
        done = subprocess.run(
            [*CTI, name, str(self.file), *more],
            capture_output=True,
            timeout=_PATIENCE_S,
            env={**os.environ, "SWITCH_PASSWORD": "ClueCon"},
            check=False,
        )
        return done.returncode, (done.stdout + done.stderr).decode()


class OnSimulation(Running):
    """With a simulated switch of its own."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.switch = SimulatedSwitch(GeventScheduler(), seed=1)
        self.server = SimServer(self.switch)
        self.server.start()

    def configure(self, text: str, *, more: str = "") -> None:
        host, port = self.server.address
        self.file.write_text(
            f'{more}\n[switch]\naddress = "{host}:{port}"\npassword_env = "SWITCH_PASSWORD"\n[log]\nformat = "json"\n{text}'
        )
        self.file.chmod(0o600)

    def phones(self, *names: str) -> None:
        for name in names:
            self.switch.phones.add(f"user/{name}", QUICK)


def _parsed(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {"event": line.strip()}
    return found if isinstance(found, dict) else {"event": line.strip()}

"""A FreeSWITCH that has the event socket and loopback calls, and nothing else: boots in a second, needs no SIP."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from cti.esl import Api, Auth, Command, Connect, Decoder, Event, Frame

PASSWORD = "a password"
_BOOT_TIMEOUT_S = 60.0
_REPLY_TIMEOUT_S = 15.0
_MODULES = (
    "mod_console",
    "mod_logfile",
    "mod_event_socket",
    "mod_commands",
    "mod_dptools",
    "mod_dialplan_xml",
    "mod_loopback",
)
_CONFIGURATION = """<?xml version="1.0"?>
<document type="freeswitch/xml">
  <section name="configuration">
    <configuration name="switch.conf"><settings>
      <param name="sessions-per-second" value="1000"/>
      <param name="max-sessions" value="1000"/>
      <param name="loglevel" value="warning"/>
    </settings></configuration>
    <configuration name="modules.conf"><modules>{modules}</modules></configuration>
    <configuration name="event_socket.conf"><settings>
      <param name="listen-ip" value="127.0.0.1"/>
      <param name="listen-port" value="{port}"/>
      <param name="password" value="{password}"/>
    </settings></configuration>
  </section>
  <section name="dialplan"><context name="default">
    <extension name="park"><condition field="destination_number" expression="^park$">
      <action application="answer"/><action application="park"/>
    </condition></extension>
    <extension name="outbound"><condition field="destination_number" expression="^outbound-(\\d+)$">
      <action application="socket" data="127.0.0.1:$1 async full"/>
    </condition></extension>
  </context></section>
</document>
"""


def find_freeswitch() -> str | None:
    """The path of the binary that CTI_FREESWITCH names, else of the one on the PATH, else None."""
    return shutil.which(os.environ.get("CTI_FREESWITCH") or "freeswitch")


class Client:
    """A blocking event-socket client made of nothing but a socket and the decoder."""

    def __init__(self, connection: socket.socket, waiting: list[Frame] | None = None) -> None:
        self._socket = connection
        self._socket.settimeout(_REPLY_TIMEOUT_S)
        self._decoder = Decoder()
        self._frames: list[Frame] = waiting or []
        self.events: list[Frame] = []

    @classmethod
    def inbound(cls, port: int) -> Client:
        client = cls(socket.create_connection(("127.0.0.1", port), timeout=_REPLY_TIMEOUT_S))
        assert client.next_frame().content_type == "auth/request"
        assert client.send(Auth(PASSWORD)).ok
        return client

    @classmethod
    def outbound(cls, listener: socket.socket) -> tuple[Client, Frame]:
        connection, _ = listener.accept()
        client = cls(connection)
        return client, client.send(Connect())

    def next_frame(self) -> Frame:
        while not self._frames:
            data = self._socket.recv(65536)
            if not data:
                self._decoder.close()
                raise EOFError("FreeSWITCH closed the event socket")
            self._frames += self._decoder.feed(data)
        return self._frames.pop(0)

    def send(self, command: Command) -> Frame:
        self._socket.sendall(command.encode())
        while True:
            frame = self.next_frame()
            if frame.content_type in ("command/reply", "api/response"):
                return frame
            self.events.append(frame)

    def api(self, command: str) -> str:
        return self.send(Api(command)).text

    def wait_frame(self, name: str, header: str = "Event-Name", value: str | None = None) -> Frame:
        """The next event of this name, with this value in that header."""
        while True:
            frame = self.events.pop(0) if self.events else self.next_frame()
            event = frame.event
            if event is not None and event.name == name and event.get(header) == (value or name):
                return frame

    def wait_event(self, name: str, header: str = "Event-Name", value: str | None = None) -> Event:
        event = self.wait_frame(name, header, value).event
        assert event is not None
        return event

    def close(self) -> None:
        self._socket.close()


class LoopbackSwitch:
    """One such FreeSWITCH, from ``start`` to ``stop``."""

    def __init__(self, binary: str, workdir: Path) -> None:
        self._binary = binary
        self._workdir = workdir
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        modules = "".join(f'<load module="{name}"/>' for name in _MODULES)
        (workdir / "conf").mkdir(parents=True)
        (workdir / "conf" / "freeswitch.xml").write_text(
            _CONFIGURATION.format(modules=modules, port=self.port, password=PASSWORD)
        )

    def start(self) -> None:
        # FreeSWITCH takes the directories together or not at all.
        named = [
            f"-{name}" if not part else str(self._workdir / name)
            for name in ("conf", "log", "db", "run", "storage")
            for part in (0, 1)
        ]
        for name in named[1::2]:
            Path(name).mkdir(exist_ok=True)
        with (self._workdir / "console.txt").open("wb") as console:
            self._process = subprocess.Popen(
                [self._binary, "-nonat", "-nf", "-nc", "-nosql", *named],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _BOOT_TIMEOUT_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self._workdir / "console.txt").read_text(errors="replace")[-2000:]
            try:
                client = self.connect()
            except OSError:
                time.sleep(0.05)
                continue
            ready = client.api("module_exists mod_loopback").strip() == "true" and "is ready" in client.api("status")
            client.close()
            if ready:
                return
            time.sleep(0.05)
        raise AssertionError("FreeSWITCH did not boot in time")

    def connect(self) -> Client:
        return Client.inbound(self.port)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)
        self._process = None

"""A recorded session as a switch: it lets anybody in, answers as the recording did, and plays the recorded events."""

from __future__ import annotations

import itertools
import re
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import gevent
from gevent import socket
from gevent.server import StreamServer

from cti.cli.recording import Row
from cti.errors import ConfigurationError, RemoteProtocolError
from cti.esl import Decoder, Event, api_response_bytes, event_bytes, reply_bytes
from cti.sim.command_reader import Command, CommandReader

_GREETING: Final = b"Content-Type: auth/request\n\n"
_GOODBYE: Final = b"Disconnected, goodbye.\n"
_REPLIES: Final = ("command/reply", "api/response")
_DEFAULTS: Final = {"auth": "+OK accepted", "exit": "+OK bye", "filter": "+OK", "noevents": "+OK", "nixevent": "+OK"}


class Playback:
    """Serves a recording on a TCP port; every client hears it from its beginning, once it has subscribed.

    A command gets the answer that it got in the recording, one after another when it was recorded several times;
    any other gets a plausible one. Our own ``sendevent`` comes back, so that a client can measure its delay.

    Args:
        about: the recording's description.
        rows: its frames.
        fast: play the events as fast as they are read, not with their own timing.

    Raises:
        ConfigurationError: the switch's frames are not of the event socket.
    """

    def __init__(self, about: dict[str, Any], rows: list[Row], *, fast: bool = False) -> None:
        self._version = str(about.get("freeswitch") or "FreeSWITCH Version 1.10.0")
        self._fast = fast
        self._events: list[tuple[float, str, bytes]] = []
        self._answers: dict[str, list[bytes]] = {}
        self.core = ""
        asked: deque[str] = deque()
        for row in rows:
            if row.direction == ">":
                asked.append(_first_line(row.frame))
                continue
            for kind, event in _frames(row.frame):
                if event is not None:
                    self._events.append((row.at_s, event.name, row.frame))
                    self.core = self.core or event.text("Core-UUID") or ""
                elif kind in _REPLIES and asked:
                    self._answers.setdefault(asked.popleft(), []).append(row.frame)
        self._server: StreamServer | None = None

    def __len__(self) -> int:
        """How many events it plays."""
        return len(self._events)

    def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, and return the port.

        Raises:
            ConfigurationError: the address cannot be had.
        """
        server = StreamServer((host, port), self._serve)
        try:
            server.start()
        except OSError as error:
            raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}") from error
        self._server = server
        return int(server.server_port or 0)

    def stop(self) -> None:
        """Cut every client and listen no more."""
        if self._server is not None:
            self._server.stop(timeout=0.1)

    def _serve(self, sock: Any, _address: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            _Client(self, sock).run()
        except OSError:
            pass  # the client went away without a word
        finally:
            sock.close()

    def replies(self) -> dict[str, Iterator[bytes]]:
        """The recorded answers, from the first one again, by the command's first line."""
        return {line: itertools.cycle(frames) for line, frames in self._answers.items() if not line.startswith("auth")}

    def default(self, line: str) -> bytes:
        """An answer to a command that was not recorded."""
        verb, _, rest = line.partition(" ")
        if verb == "api":
            name = rest.partition(" ")[0]
            known = {"version": self._version + "\n", "global_getvar": self.core, "show": '{"row_count":0}\n'}
            return api_response_bytes(known.get(name, f"-ERR {name} Command not found!\n"))
        return reply_bytes(_DEFAULTS.get(verb, "-ERR command not found"))

    def play(self, names: set[str], sock: Any) -> None:
        """Write the events of these names (``ALL`` is all of them) with their timing. Blocks until the last one."""
        before = self._events[0][0] if self._events else 0.0
        for at_s, name, frame in self._events:
            if not self._fast and at_s > before:
                gevent.sleep(at_s - before)
            before = at_s
            if name in names or "ALL" in names:
                sock.sendall(frame)


class _Client:
    def __init__(self, playback: Playback, sock: Any) -> None:
        self._playback = playback
        self._sock = sock
        self._replies = playback.replies()
        self._names: set[str] = set()
        self._player: gevent.Greenlet[..., None] | None = None

    def run(self) -> None:
        self._sock.sendall(_GREETING)
        reader = CommandReader()
        try:
            while data := self._sock.recv(1 << 16):
                reader.feed(data)
                while (command := reader.next()) is not None:
                    if not self._answer(command):
                        return
        finally:
            if self._player is not None:
                self._player.kill()

    def _answer(self, command: Command) -> bool:
        line = command.line
        verb, _, rest = line.partition(" ")
        if verb == "event":
            self._subscribe(rest)
        elif verb == "sendevent":
            self._send_event(rest, command)
        elif verb == "bgapi":
            job = command.headers.get("job-uuid", "")
            self._sock.sendall(reply_bytes(f"+OK Job-UUID: {job}", [("Job-UUID", job)]))
        else:
            recorded = self._replies.get(line)
            self._sock.sendall(next(recorded) if recorded is not None else self._playback.default(line))
        if verb == "exit":
            notice = b"Content-Type: text/disconnect-notice\nContent-Length: %d\n\n%b" % (len(_GOODBYE), _GOODBYE)
            self._sock.sendall(notice)
        return verb != "exit"

    def _subscribe(self, text: str) -> None:
        words = text.upper().split()
        self._names.update(words)
        self._sock.sendall(reply_bytes("+OK event listener enabled json"))
        if self._player is None:
            self._player = gevent.spawn(self._playback.play, self._names, self._sock)

    def _send_event(self, name: str, command: Command) -> None:
        self._sock.sendall(reply_bytes("+OK"))
        if name.upper() in self._names:
            spelled = {"event-subclass": "Event-Subclass"}
            headers = [(spelled.get(key, key), value) for key, value in command.headers.items()]
            self._sock.sendall(event_bytes([("Event-Name", name.upper()), *headers], command.body))


def _first_line(frame: bytes) -> str:
    return re.split(r"[\r\n]", frame.decode("utf-8", "surrogateescape").lstrip("\n"), maxsplit=1)[0]


def _frames(raw: bytes) -> Iterator[tuple[str, Event | None]]:
    decoder = Decoder()
    try:
        for frame in decoder.feed(raw):
            yield frame.content_type, frame.event
        decoder.close()
    except RemoteProtocolError as error:
        raise ConfigurationError(f"the recording holds what no event socket sends: {error}") from error

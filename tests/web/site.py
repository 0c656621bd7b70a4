"""A centre served over HTTP, and clients of it: what the tests of cti.web work with."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import gevent.socket
from argon2 import PasswordHasher
from attrs import frozen
from geventhttpclient import HTTPClient

from cti.web import WebLimits, WebServer
from tests.center.bench import Bench, bench

PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""argon2's cost is not what is tested."""
ACCOUNTS = {
    "alice": 'role = "agent"\nagents = ["alice"]',
    "sue": 'role = "supervisor"\nagents = ["alice"]\nqueues = ["claims"]',
    "wall": 'role = "application"\nqueues = ["*"]\nagents = ["*"]',
    "ann": 'role = "administrator"',
}


@frozen
class Answer:
    status: int
    headers: Any
    text: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The code of a problem, which it must be."""
        assert self.headers["content-type"] == "application/problem+json", self
        said = self.json
        assert said["status"] == self.status
        assert b"Traceback" not in self.text
        return str(said["code"])


class Visitor:
    """Somebody who uses a web server on this machine.

    Args:
        port: the server's.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self._opened: list[Any] = []

    def ask(self, verb: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Make a request of its own connection; a body that is not bytes is JSON."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            headers.setdefault("content-type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        client = HTTPClient("127.0.0.1", self.port, network_timeout=20, connection_timeout=20)
        try:
            response = client.request(verb, path, body or b"", headers)
            return Answer(response.status_code, response, bytes(response.read()))
        finally:
            client.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.ask("POST", path, body, **headers)

    def log_in(self, name: str, *, cookie: bool = False, password: str = PASSWORD) -> Answer:
        return self.post("/v1/session", {"name": name, "password": password, "cookie": cookie})

    def bearer(self, name: str) -> dict[str, str]:
        """The header of somebody who has logged in."""
        answer = self.log_in(name)
        assert answer.status == 201, answer
        return {"authorization": f"Bearer {answer.json['token']}"}

    def raw(self, data: bytes = b"") -> Any:
        """A connection on which these bytes were sent."""
        made = gevent.socket.create_connection(("127.0.0.1", self.port), timeout=20)
        made.sendall(data)
        self._opened.append(made)
        return made

    def stream(self, query: str = "", **headers: str) -> Stream:
        made = Stream(self.raw(), query, headers)
        self._opened.append(made.file)
        return made

    def close(self) -> None:
        for one in reversed(self._opened):
            one.close()


class Site(Visitor):
    """A bench whose centre is served."""

    def __init__(self, bench: Bench, server: WebServer, accounts: Path | None) -> None:
        super().__init__(int(server.url.rpartition(":")[2]))
        self.bench = bench
        self.centre = bench.centre
        self.server = server
        self.accounts = accounts

    def call(self, **data: Any) -> Any:
        """A call comes in and goes to the queue ``claims`` with these data."""
        return self.bench.switch.incoming(
            calling_number="138",
            called_number="5000",
            talk_s=0.02,
            variables={f"cti_data_{k}": v for k, v in data.items()},
        )

    def close(self) -> None:
        super().close()
        self.server.stop()


class Stream:
    """A reader of server-sent events, by the letter of their specification."""

    def __init__(self, sock: Any, query: str, headers: dict[str, str]) -> None:
        lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
        sock.sendall(f"GET /v1/events{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n{''.join(lines)}\r\n".encode())
        self.sock = sock
        self.file = sock.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        while (line := self.file.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self.last_id = ""
        self._lines = self._chunked() if self.status == 200 else iter(())

    def _chunked(self) -> Iterator[str]:
        rest = b""
        while size := int(self.file.readline(), 16):
            rest += self.file.read(size + 2)[:-2]
            *whole, rest = rest.split(b"\n")
            yield from (line.decode() for line in whole)

    def next(self) -> tuple[str, Any]:
        """The next event's name, ``message`` if it has none, and its data."""
        with gevent.Timeout(20, AssertionError("nothing comes")):
            return self._next()

    def _next(self) -> tuple[str, Any]:
        name, data = "message", None
        for line in self._lines:
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "id":
                self.last_id = value
            elif field == "event":
                name = value
            elif field == "data":
                data = json.loads(value)
            elif line == "" and data is not None:
                return name, data
        raise EOFError

    def until(self, kind: str) -> Any:
        """The next event of this kind, or of this name."""
        while True:
            name, data = self.next()
            if name == kind or (name == "message" and data["kind"] == kind):
                return data

    def is_over(self) -> bool:
        """Read to the end."""
        try:
            while True:
                self.next()
        except (EOFError, ValueError):
            return True


def write_accounts(file: Path, accounts: dict[str, str] | None = None) -> None:
    """An accounts file in which everybody has the same password."""
    tables = (f'[accounts.{name}]\npassword = "{CHEAP}"\n{rest}\n' for name, rest in (accounts or ACCOUNTS).items())
    made = file.with_suffix(".new")
    made.write_text("".join(tables))
    made.chmod(0o600)
    made.replace(file)


def make_certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate of localhost, trusted by nobody, and its key."""
    certificate, key = directory / "cert", directory / "key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@contextmanager
def site(directory: Path | None = None, limits: WebLimits | None = None, **settings: Any) -> Iterator[Site]:
    """A centre with a queue ``claims``, agents alice and bob and a script, started, and its web server."""
    accounts = None
    if directory is not None:
        accounts = directory / "accounts.toml"
        write_accounts(accounts)
    with bench() as made:
        made.centre.add_queue("claims", requires="claims >= 3")
        made.centre.on_call("5*")(lambda call: call.queue("claims"))
        made.centre.start()
        for name in ("alice", "bob"):
            made.agent(name, skills={"claims": 5})
        server = WebServer(made.centre, "127.0.0.1:0", accounts=accounts, limits=limits, **settings)
        server.start()
        one = Site(made, server, accounts)
        try:
            yield one
        finally:
            one.close()


def until(true: Any, what: str = "it", timeout_s: float = 20) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (value := true()):
        assert time.monotonic() < deadline, f"never: {what}"
        gevent.sleep(0.005)
    return value

"""The examples that are clients of the API run as a user runs them, the one in Node from the protocol's page alone."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

import gevent
import pytest
from gevent import subprocess

from .wire import served

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="no examples/ beside the tests")


class Program:
    """A program whose lines can be waited for."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        gevent.spawn(self._read)

    def _read(self):
        for line in iter(self.process.stdout.readline, b""):
            self.lines.append(line.decode())

    def says(self, text, timeout_s=30):
        with gevent.Timeout(timeout_s, AssertionError(f"never said {text!r}; said {self.lines}")):
            while not any(text in line for line in self.lines):
                gevent.sleep(0.01)

    def type(self, line):
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()


@contextmanager
def program(*command, **options):
    process = subprocess.Popen(
        list(map(str, command)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        **options,
    )
    made = Program(process)
    try:
        yield made
    finally:
        process.kill()
        process.wait()
    assert not any("Traceback" in line for line in made.lines), made.lines


@pytest.fixture
def centre(keys):
    with served(keys) as one:
        one.bench.switch.phones.add("user/alice")
        one.centre.add_agent("alice", "user/alice", skills={"claims": 5})
        yield one


def python(example, one, name, *arguments):
    keys = ["--key", one.keys / f"{name}.key_secret", "--server-key", one.keys / "server.key"]
    return program(sys.executable, "-u", EXAMPLES / example, one.server.address, *arguments, *keys)


def test_the_agent_in_the_terminal(centre):
    with python("agent_client.py", centre, "alice", "alice") as agent:
        agent.says("you are null")
        agent.type("on")
        agent.says("you are not ready")
        agent.type("on")
        agent.says("! ")
        agent.type("ready")
        agent.says("you are ready")
        centre.call(policy="4711")
        agent.says("138 rings from claims: {'policy': '4711'}")
        agent.says("talking with 138")
        agent.type("who")
        agent.says("state='busy'")
        agent.type("quit")
        with gevent.Timeout(10):
            assert agent.process.wait() == 0


def test_the_wallboard(centre):
    with python("wallboard_client.py", centre, "ann") as board:
        board.says("waiting: claims=0 | agents: null=1")
        centre.call()
        board.says("claims=1")
        centre.centre.agent("alice").log_on(ready=True)
        board.says("claims=0 | agents: busy=1")


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory):
    """Where npm's packages are: beside the example, where CTI_NODE_MODULES says, or fetched by npm."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed (Debian: apt install nodejs npm)")
    beside = EXAMPLES / "node" / "node_modules"
    found = Path(os.environ.get("CTI_NODE_MODULES", beside))
    if (found / "zeromq").is_dir():
        return found
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed (Debian: apt install npm), nor its zeromq beside the example")
    folder = tmp_path_factory.mktemp("node")
    shutil.copy(EXAMPLES / "node" / "package.json", folder)
    fetching = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"]
    done = subprocess.run(fetching, cwd=folder, capture_output=True, check=False, timeout=300)
    said = (done.stdout + done.stderr).decode(errors="replace")
    if any(code in said for code in ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT")):
        pytest.skip(f"npm cannot reach its registry: {said[-300:]}")
    assert done.returncode == 0, said
    return folder / "node_modules"


@pytest.mark.parametrize("encrypted", [True, False])
def test_the_client_in_node(node_modules, tmp_path, keys, encrypted):
    for name in ("client.js", "package.json"):
        shutil.copy(EXAMPLES / "node" / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(node_modules)
    with served(keys if encrypted else None) as one:
        one.bench.switch.phones.add("user/alice")
        one.centre.add_agent("alice", "user/alice", skills={"claims": 5})
        arguments = [keys / "alice.key_secret", keys / "server.key"] if encrypted else []
        with program("node", "client.js", one.server.address, "alice", *arguments, cwd=tmp_path) as client:
            client.says('snapshot [{"agent":"alice","state":"null"')
            client.says("event AgentReady")
            one.call(policy="4711")
            client.says('"data":{"policy":"4711"}')
            client.says("event Established")

"""Parts of the daemon by themselves: its log, its control socket, its pid file."""

from __future__ import annotations

import os
import time

import gevent
import pytest
from gevent import socket

from cti.daemon.control import ControlServer, NoDaemon, ask
from cti.daemon.log import LINES, LogWriter
from cti.daemon.pid_file import PidFile, running_pid
from cti.daemon.service_manager import ServiceManager
from cti.errors import ConfigurationError


def test_a_log_that_nobody_reads_holds_nobody_up():
    reader, descriptor = os.pipe()
    writer = LogWriter(descriptor)
    began = time.monotonic()
    for number in range(2 * LINES):
        writer.msg(f"line {number} " + "x" * 100)
        if number == 100:
            gevent.sleep(0.05)  # let it fill the pipe
    assert time.monotonic() - began < 5
    read = b""
    while f"line {LINES - 1} ".encode() not in read:
        read += gevent.get_hub().threadpool.apply(os.read, (reader, 1 << 20))
    assert f"line {2 * LINES - 1} ".encode() not in read, "no line was dropped"
    writer.close()
    os.close(descriptor)
    os.close(reader)


def test_what_is_written_last_is_written_before_the_end():
    reader, descriptor = os.pipe()
    writer = LogWriter(descriptor)
    writer.msg("last")
    writer.close()
    assert os.read(reader, 100) == b"last\n"
    os.close(descriptor)
    os.close(reader)


def test_the_control_socket_answers_whatever_it_is_sent(tmp_path):
    def refused(_):
        raise ConfigurationError("one\ntwo")

    def broken(_):
        raise RuntimeError("no")

    path = tmp_path / "control"
    server = ControlServer(path, {"good": lambda what: ["done", *what.split()], "refused": refused, "broken": broken})
    assert path.stat().st_mode & 0o777 == 0o600
    assert (ask(path, "good").done, ask(path, "good").said) == (True, ("done",))
    assert ask(path, "good work").said == ("done", "work")
    assert (ask(path, "refused").done, ask(path, "refused").said) == (False, ("one", "two"))
    assert ask(path, "broken").said == ("it failed; the daemon's log says why",)
    assert "there is no such request" in ask(path, "\x00\xff" * 400).said[0]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(path))  # and goes without a word
    assert ask(path, "good").done
    with pytest.raises(ConfigurationError, match="another daemon listens there"):
        ControlServer(path, {})
    server.close()
    with pytest.raises(NoDaemon, match="no daemon answers at"):
        ask(path, "good")


def test_a_socket_that_a_dead_process_left_is_taken_over(tmp_path):
    path = tmp_path / "control"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(path))
    ControlServer(path, {}).close()
    assert not path.exists()


def test_the_pid_file_belongs_to_a_living_process(tmp_path):
    path = tmp_path / "pid"
    path.write_text("1\n")
    assert running_pid(path) is None, "nobody holds it"
    held = PidFile(path)
    assert running_pid(path) == os.getpid()
    with pytest.raises(ConfigurationError, match=f"process {os.getpid()} runs already"):
        PidFile(path)
    held.release()
    assert running_pid(path) is None
    with pytest.raises(ConfigurationError, match="No such file"):
        PidFile(tmp_path / "none" / "pid")


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"NOTIFY_SOCKET": "/nowhere/at/all", "WATCHDOG_USEC": "x"},
        {"NOTIFY_SOCKET": "@" + "x" * 300},
        {"NOTIFY_SOCKET": "\x00"},
    ],
)
def test_without_a_service_manager_nothing_is_said_and_nothing_fails(environ):
    manager = ServiceManager(environ)
    manager.ready("here")
    manager.stopping("going")
    manager.close()


def test_a_service_manager_on_an_abstract_socket(tmp_path):
    name = f"cti-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(f"\0{name}")
        told.settimeout(30)
        manager = ServiceManager({"NOTIFY_SOCKET": f"@{name}", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"})
        manager.ready("here")
        manager.stopping("going")
        assert told.recv(100) == b"READY=1\nSTATUS=here"
        assert told.recv(100) == b"STOPPING=1\nSTATUS=going", "the watchdog was meant for another process"

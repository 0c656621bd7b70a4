"""What a daemon keeps: damaged in every way it starts all the same, says so, and what is damaged is set aside."""

from __future__ import annotations

import signal

import gevent.server
import pytest

from cti.client import Client

CENTRE = """
[daemon]
control = "control.sock"
[state]
directory = "state"
[api]
bind = "tcp://127.0.0.1:*"
publish = ""
[recording]
directory = "/var/lib/recordings"
reached_at = "recordings"
keep_s = "1d"
[alarms]
every_s = "100ms"
{alarms}
[queue.claims]
record = "always"
[agent.ann]
contact = "user/1001"
log_on = "ready"
[numbers]
"*" = {{ queue = "claims" }}
"""
FILES = ("state/figures.sqlite3", "state/alarms.sqlite3", "recordings/recordings.sqlite3")


@pytest.fixture
def kept(running):
    """A daemon that has kept something of everything, and was killed."""
    running.phones("1001")
    running.configure(CENTRE.format(alarms=""))
    running.ready()
    running.switch.incoming(talk_s=0.05)
    running.said("CallCleared")
    with Client(running.said("the API listens")["requests"]) as client:
        client.agent("ann").not_ready("lunch")
        running.until(
            "the audit is written", lambda: "lunch" in (running.directory / "state/audit/audit.jsonl").read_text()
        )
    running.kill()
    return running


def damage(directory, how):
    """Every file that is kept."""
    (directory / "state" / "dead-letters.jsonl").write_bytes(b"{}\n")
    found = [path for root in ("state", "recordings") for path in (directory / root).rglob("*") if path.is_file()]
    assert len(found) >= 6, found
    for path in found:
        how(path)


def garbage(path):
    path.write_bytes(b"\x00\xff garbage \n" * 500)


def emptied(path):
    path.write_bytes(b"")


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path):
    data = bytearray(path.read_bytes())
    for at in range(0, len(data), 97):
        data[at] ^= 0x5A
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("how", [garbage, emptied, cut, flipped])
def test_whatever_is_damaged_it_starts_and_works(kept, how):
    damage(kept.directory, how)
    kept.ready()
    kept.switch.incoming(talk_s=0.05)
    kept.said("Established")
    kept.said("CallCleared")
    with Client(kept.said("the API listens")["requests"]) as client:
        assert client.day().queues[0].figures["answered"] >= 1
        client.agent("ann").not_ready("after")
        kept.until("the audit goes on", lambda: b"after" in (kept.directory / "state/audit/audit.jsonl").read_bytes())
    if how in {garbage, flipped}:
        for name in FILES:
            assert list(kept.directory.glob(f"{name}.damaged-*")), name
        aside = kept.of("a damaged file was set aside, and a new one is begun")
        assert {line["file"].rpartition("/")[2].partition(".")[0] for line in aside} == {
            "figures",
            "alarms",
            "recordings",
        }
        assert kept.of("the journal's segments are put aside")
    kept.signal(signal.SIGTERM)
    assert kept.wait() == 0
    assert not [line for line in kept.lines() if "Traceback" in str(line)]


def test_a_state_that_cannot_be_kept_is_said_at_once(running):
    running.configure(CENTRE.format(alarms=""))
    (running.directory / "state").write_text("no directory")
    running.start()
    assert running.wait() == 2
    assert any("state/journal" in str(line.get("reason")) for line in running.lines())


def test_an_alarm_is_mailed(running):
    said = []

    def serve(connection, _):
        connection.sendall(b"220 here\r\n")
        in_data = False
        for line in connection.makefile("rb"):
            said.append(line)
            in_data = line[:4].upper() == b"DATA" if not in_data else line != b".\r\n"
            if in_data and line[:4].upper() == b"DATA":
                connection.sendall(b"354 go on\r\n")
            elif not in_data:
                connection.sendall(b"250 fine\r\n")

    server = gevent.server.StreamServer(("127.0.0.1", 0), serve)
    server.start()
    mail = (
        "[alarms.mail]\nhost = '127.0.0.1'\nsecurity = 'none'\nsender = 'cti@example.org'\nto = ['noc@example.org']\n"
        f"port = {server.server_port}\ngather_s = '10ms'\nat_least = 'critical'\n"
    )
    running.phones("1001")
    running.configure(CENTRE.format(alarms=mail))
    running.ready()
    running.server.stop()
    running.until("the mail", lambda: b".\r\n" in said)
    assert any(b"CRITICAL link.down" in line for line in said)
    server.stop()

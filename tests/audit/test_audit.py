"""The audit: what is written down and what is not, rotation, damage, a disk that does not take it, `cti audit`."""

from __future__ import annotations

import errno
import json
import os
import threading
import time

import pytest
from click.testing import CliRunner

from cti import errors, events
from cti.api import Done
from cti.audit import AuditLog, read_audit
from cti.audit import log as audit_log
from cti.audit.log import FILE
from cti.cli.audit import audit
from tests.api.wire import served, until


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(audit_log, "FLUSH_S", 0.001)
    monkeypatch.setattr(audit_log, "RETRY_S", 0.001)


def done(method="agent.ready", code="", who="alice", at=1000.0, **params):
    return Done(at, who, "127.0.0.1", method, params, code)


def values(directory):
    return [found.values for found in read_audit(directory)][1:]


def written(directory, *entries, **settings):
    log = AuditLog(directory, **settings)
    for each in entries:
        log.done(each)
    log.close()


def test_what_is_asked_for_is_written_with_its_outcome(tmp_path):
    with served(audit=(log := AuditLog(tmp_path)).done) as one:
        one.bench.agent("alice")
        wire = one.wire()
        wire.ask("agent.not_ready", agent="alice", reason="LUNCH")
        wire.refused("agent.consult", agent="alice", to={"number": "0900"})
        wire.refused("call.attach", call="gone", data={"card": "4111"})
        wire.ask("agent.get", agent="alice")
        until(lambda: len(list(read_audit(tmp_path))) == 4, "it is on the disk while it is open")
        log.close()
    said = values(tmp_path)
    assert [(one["what"], one["whom"], one["also"], one["outcome"]) for one in said] == [
        ("agent.not_ready", {"agent": "alice", "reason": "LUNCH"}, [], "done"),
        ("agent.consult", {"agent": "alice", "to": {"number": "0900"}}, [], "state.invalid_connection"),
        ("call.attach", {"call": "gone"}, ["data"], "operation.unknown_interaction"),
    ]
    assert {(one["who"], one["where"]) for one in said} == {("local", "127.0.0.1")}
    assert abs(said[0]["at"] - time.time()) < 60
    assert b"4111" not in (tmp_path / FILE).read_bytes()


def test_neither_data_nor_digits_nor_dial_strings_are_written(tmp_path):
    secret = "s3cret"
    written(
        tmp_path,
        done("call.attach", call="c", data={"pin": secret, "deep": {"agent": secret}}),
        done("agent.send_digits", agent="alice", digits=secret),
        done("agent.add", agent="alice", contact=f"user/{secret}"),
        done("agent.consult", agent="alice", to={"password": secret, "agent": ["no", secret], "number": {"x": secret}}),
    )
    assert secret not in (tmp_path / FILE).read_text()
    assert values(tmp_path)[0]["also"] == ["data"]


def test_whatever_is_sent_makes_one_bounded_line(tmp_path):
    nasty = {"agent": 'x\n"},"seal":"' + "\ud800" * 1000, "queue": float("nan"), "call": 2**80, b"\xff": 1, "to": [[]]}
    log = AuditLog(tmp_path)
    log.done(Done(1.0, "k" * 9999, "?" * 9999, "agent.ready", nasty, "operation.invalid_parameter"))
    log.close()
    begin, line = (tmp_path / FILE).read_bytes().splitlines()
    assert len(line) < 5_000
    assert all(found.sound for found in read_audit(tmp_path))
    assert json.loads(line)["whom"]["call"] == "?"
    assert b"audit.begins" in begin


def test_supervision_is_written(tmp_path):
    log = AuditLog(tmp_path)
    log.audited(events.Audited(at=5.0, who="sue", what="monitor", whom="alice", outcome="refused"))
    log.close()
    (one,) = values(tmp_path)
    assert (one["who"], one["what"], one["whom"], one["outcome"]) == ("sue", "monitor", {"to": "alice"}, "refused")


def test_it_goes_on_after_a_restart_and_a_line_that_was_cut_off_shows(tmp_path):
    written(tmp_path, done(agent="one"))
    written(tmp_path, done(agent="two"))
    assert [found.sound for found in read_audit(tmp_path)] == [True, True, True]
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"at":1,"who":"al')
    written(tmp_path, done(agent="three"))
    found = list(read_audit(tmp_path))
    assert [one.sound for one in found] == [True, True, True, False, True]
    assert found[-1].values["whom"] == {"agent": "three"}


def test_files_are_put_aside_by_size_and_the_oldest_removed(tmp_path):
    log = AuditLog(tmp_path, max_bytes=300, keep=2)
    for number in range(8):
        log.done(done(agent=str(number)))
        until(lambda: not log._waiting, "it is written")
    log.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert len(files) == 3
    assert files[-1] == FILE
    found = list(read_audit(tmp_path))
    assert all(one.sound for one in found)
    agents = [one.values["whom"]["agent"] for one in found if one.values["what"] == "agent.ready"]
    assert agents == [str(number) for number in range(8)][-len(agents) :]
    assert [one.sound for one in read_audit(tmp_path / files[1])] == [True] * len(list(read_audit(tmp_path / files[1])))


def test_how_many_are_kept_can_be_changed(tmp_path):
    log = AuditLog(tmp_path)
    log.done(done(agent="0"))
    until(lambda: not log._waiting, "it is written")
    log.use(max_bytes=1, keep=1)
    for number in range(4):
        log.done(done(agent=str(number)))
        until(lambda: not log._waiting, "it is written")
    log.close()
    assert len(list(tmp_path.iterdir())) == 2
    assert all(one.sound for one in read_audit(tmp_path))


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_changed_or_missing_line_shows(tmp_path, line):
    written(tmp_path, *(done(agent=name) for name in ("alice", "bob", "carol")))
    path = tmp_path / FILE
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:line], lines[line].replace(b'"at"', b'"At"'), *lines[line + 1 :]]))
    assert [found.line for found in read_audit(tmp_path) if not found.sound] == [line + 1]
    path.write_bytes(b"".join(lines[:line] + lines[line + 1 :]))
    assert [found.line for found in read_audit(tmp_path) if not found.sound] == [line + 1]


def test_a_disk_that_does_not_take_it_delays_nobody_and_loses_nothing_soon(tmp_path, monkeypatch):
    told = []
    log = AuditLog(tmp_path, on_trouble=told.append)
    sync = os.fdatasync
    full = OSError(errno.ENOSPC, "No space left on device")
    failed = []

    def fail(file):
        failed.append(file)
        raise full

    monkeypatch.setattr(os, "fdatasync", fail)
    log.done(done(agent="one"))
    until(lambda: told, "trouble is told")
    assert "No space left" in told[0].what
    monkeypatch.setattr(audit_log, "BACKLOG", 2)
    tried = len(failed)
    until(lambda: len(failed) > tried, "it has just been tried again, and will not be for a while")
    for name in ("two", "three", "four"):
        log.done(done(agent=name))
    monkeypatch.setattr(os, "fdatasync", sync)
    until(lambda: len(told) == 2, "the end of it is told")
    assert told[1].over
    log.close()
    assert [(one["what"], one["whom"]) for one in values(tmp_path)] == [
        ("audit.lost", {"entries": 2}),
        ("agent.ready", {"agent": "three"}),
        ("agent.ready", {"agent": "four"}),
    ]
    assert all(found.sound for found in read_audit(tmp_path))


def test_a_second_writer_and_an_impossible_directory_are_refused(tmp_path):
    log = AuditLog(tmp_path)
    with pytest.raises(errors.ConfigurationError, match="another process"):
        AuditLog(tmp_path)
    log.close()
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.ConfigurationError, match="cannot be written"):
        AuditLog(tmp_path / "file")
    log.close()


def test_a_request_does_not_wait_for_the_disk(tmp_path, monkeypatch):
    sync, go_on, slow = os.fdatasync, threading.Event(), []

    def held(file):
        slow.append(file)
        go_on.wait(10)
        sync(file)

    monkeypatch.setattr(os, "fdatasync", held)
    log = AuditLog(tmp_path)
    log.done(done(agent="one"))
    until(lambda: slow, "the disk is being waited for")
    for number in range(100):
        log.done(done(agent=str(number)))
    assert len(log._waiting) == 101
    go_on.set()
    log.close()
    assert len(values(tmp_path)) == 101


def cti_audit(*arguments):
    return CliRunner().invoke(audit, [str(each) for each in arguments])


def test_the_command_searches(tmp_path):
    written(
        tmp_path,
        done("agent.ready", agent="alice", at=1_000.0),
        done("call.hang_up", "security.not_permitted", who="sue", call="c1", at=2_000.0),
        done("agent.consult", who="sue", agent="bob", to={"agent": "alice"}, at=3_000.0),
    )
    count = lambda *arguments: len(cti_audit(tmp_path, "--json", *arguments).stdout.splitlines())  # noqa: E731
    assert count("--who", "sue") == 2
    assert count("--what", "agent.*") == 2
    assert count("--whom", "alice") == 2
    assert count("--refused") == 1
    assert count("--since", "1970-01-01T00:30:00+00:00", "--until", "1970-01-01T00:40:00+00:00") == 1
    shown = cti_audit(tmp_path, "--refused")
    assert shown.exit_code == 0
    assert shown.stdout.split(" ", 1)[1] == "sue 127.0.0.1 call.hang_up call=c1 security.not_permitted\n"
    wrong = cti_audit(tmp_path, "--since", "yesterday")
    assert isinstance(wrong.exception, errors.ConfigurationError)


def test_the_command_says_what_is_damaged(tmp_path):
    written(tmp_path, done(agent="alice"), done(agent="bob"))
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes().replace(b"alice", b"\x1b[2J"))
    shown = cti_audit(tmp_path)
    assert shown.exit_code == 1
    assert ":2: not as it was written" in shown.stderr
    assert "\x1b" not in shown.output
    (tmp_path / "empty").mkdir()
    assert isinstance(cti_audit(tmp_path / "empty").exception, errors.ConfigurationError)

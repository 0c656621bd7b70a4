"""Sessions outlive a restart: hashed, for as long as they would have lasted, and only for accounts that are what they were."""

from __future__ import annotations

import sqlite3
import stat

import pytest

from cti.errors import ConfigurationError
from cti.web import WebLimits, WebServer
from cti.web.session_store import SessionStore
from cti.web.sessions import Sessions

from .site import ACCOUNTS, Site, site, until, write_accounts


class Wall:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state" / "sessions.sqlite3"


@pytest.fixture
def kept(tmp_path, file):
    with site(tmp_path, sessions=file) as made:
        yield made


def restart(kept: Site, file, **limits) -> None:
    kept.server.stop()
    kept.server = WebServer(
        kept.centre, "127.0.0.1:0", accounts=kept.accounts, sessions=file, limits=WebLimits(**limits)
    )
    kept.server.start()
    kept.port = int(kept.server.url.rpartition(":")[2])


def status(kept: Site, headers) -> int:
    return kept.get("/v1/session", **headers).status


def test_a_restart_logs_nobody_out(kept, file):
    sue, ann = kept.bearer("sue"), kept.bearer("ann")
    answer = kept.log_in("alice", cookie=True)
    cookie, csrf = answer.headers["set-cookie"].partition(";")[0], answer.json["csrf"]
    restart(kept, file)
    assert [status(kept, each) for each in (sue, ann)] == [200, 200]
    assert kept.get("/v1/session", **sue).json["queues"] == ["claims"]
    not_ready = "/v1/agent/not_ready", {"agent": "alice"}
    assert kept.post(*not_ready, cookie=cookie).code == "security.forged"
    assert kept.post(*not_ready, cookie=cookie, x_csrf_token=csrf).status == 204, "a page that is open goes on"
    assert kept.get("/v1/session", cookie=cookie).json["csrf"] == csrf


def test_no_token_is_on_the_disk_and_nobody_else_can_read_it(kept, file):
    token = kept.bearer("sue")["authorization"].removeprefix("Bearer ")
    kept.server.stop()
    found = [path for path in file.parent.iterdir() if path.is_file()]
    assert found
    for path in found:
        assert token.encode() not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_written_before_the_client_knows(kept, file):
    """A crash the moment after loses neither the log-in nor the log-out."""
    sue, ann = kept.bearer("sue"), kept.bearer("ann")
    assert len(SessionStore(file).read()) == 2
    assert kept.ask("DELETE", "/v1/session", **ann).status == 204
    assert [each.account for each in SessionStore(file).read()] == ["sue"]
    assert status(kept, sue) == 200


def test_logged_out_is_logged_out(kept, file):
    sue, other, ann = kept.bearer("sue"), kept.bearer("sue"), kept.bearer("ann")
    assert kept.ask("DELETE", "/v1/session?everywhere=perhaps", **sue).status == 422
    assert kept.ask("DELETE", "/v1/session?everywhere=true", **sue).status == 204
    assert [status(kept, each) for each in (sue, other, ann)] == [401, 401, 200]
    restart(kept, file)
    assert [status(kept, each) for each in (sue, other, ann)] == [401, 401, 200]


def test_an_account_that_is_removed_or_changed_meanwhile_is_logged_out(kept, file):
    sue, ann, alice = kept.bearer("sue"), kept.bearer("ann"), kept.bearer("alice")
    kept.server.stop()
    rest = {name: said for name, said in ACCOUNTS.items() if name != "ann"}
    write_accounts(kept.accounts, {**rest, "sue": 'role = "supervisor"'})
    restart(kept, file)
    assert [status(kept, each) for each in (sue, ann, alice)] == [401, 401, 200]
    until(lambda: [each.account for each in SessionStore(file).read()] == ["alice"], "they are forgotten")
    write_accounts(kept.accounts)
    restart(kept, file)
    assert [status(kept, each) for each in (sue, ann, alice)] == [401, 401, 200], "for good"


def test_they_last_no_longer_for_it(kept, tmp_path):
    wall, limits = Wall(), WebLimits(session_s=1000, session_idle_s=300)
    account = kept.server._accounts.find("sue")
    accounts, path = {"sue": account}, tmp_path / "of-its-own.sqlite3"
    first = Sessions(limits, SessionStore(path, wall))
    token, _ = first.begin(account, 50.0)
    first.written()

    def after(wall_s: float, used_again_s: float | None = None) -> bool:
        """Whether it is alive in a process whose clock begins elsewhere."""
        wall.now = 1_800_000_000.0 + wall_s
        store = SessionStore(path, wall)
        again = Sessions(limits, store)
        again.bring_back(accounts, 7.0)
        found = again.find(token, 8.0) is not None
        if used_again_s is not None:
            assert again.find(token, 8.0 + used_again_s)
            wall.now += used_again_s
            for each in again.used(8.0 + used_again_s):
                store.keep(each)
        again.written()
        return found

    assert after(200, used_again_s=90)
    assert after(500, used_again_s=90), "it was used meanwhile"
    assert after(-1000), "a clock that was set back ends nothing"
    assert after(700, used_again_s=280)
    assert not after(1000), "its time is over, however much it was used"
    assert not after(700), "and it is forgotten"


def test_one_that_nobody_used_for_too_long_is_over(kept, tmp_path):
    wall, limits = Wall(), WebLimits(session_idle_s=300)
    account = kept.server._accounts.find("sue")
    first = Sessions(limits, SessionStore(tmp_path / "x.sqlite3", wall))
    token, _ = first.begin(account, 0.0)
    first.written()
    wall.now += 301
    again = Sessions(limits, SessionStore(tmp_path / "x.sqlite3", wall))
    assert again.bring_back({"sue": account}, 1e6) == 0
    assert again.find(token, 1e6) is None


def test_no_more_come_back_than_there_may_be(kept, file):
    first, second, third = (kept.bearer("sue") for _ in range(3))
    restart(kept, file, sessions_per_account=2)
    assert [status(kept, each) for each in (first, second, third)] == [401, 200, 200]


@pytest.mark.parametrize("text", [b"\x00\xff garbage \n" * 500, b"no database"])
def test_a_damaged_file_is_set_aside(kept, file, text):
    sue = kept.bearer("sue")
    kept.server.stop()
    for path in file.parent.iterdir():
        path.unlink()
    file.write_bytes(text)
    restart(kept, file)
    assert len(list(file.parent.glob("sessions.sqlite3.damaged-*"))) == 1
    assert status(kept, sue) == 401
    ann = kept.bearer("ann")
    restart(kept, file)
    assert status(kept, ann) == 200, "the new file is used"


def test_rows_that_make_no_sense_are_nobodys(kept, file):
    sue = kept.bearer("sue")
    kept.server.stop()
    with sqlite3.connect(file) as database:
        database.execute("INSERT INTO session VALUES ('text', 'sue', 'x', 'soon', 'never')")
        database.execute("INSERT INTO session VALUES (x'00', 'sue', 'x', 1, 2)")
    database.close()
    restart(kept, file)
    assert status(kept, sue) == 200
    assert len(kept.server._sessions) == 1


def test_somebody_elses_database_is_refused(tmp_path, kept):
    with sqlite3.connect(tmp_path / "other.sqlite3") as database:
        database.execute("CREATE TABLE session (x)")
    database.close()
    server = WebServer(
        kept.centre, "127.0.0.1:0", accounts=kept.accounts, sessions=tmp_path / "other.sqlite3", limits=WebLimits()
    )
    with pytest.raises(ConfigurationError, match=r"other\.sqlite3 cannot be read"):
        server.start()


def test_a_disk_that_takes_nothing_is_said_once_and_sessions_go_on_in_memory(kept, file, monkeypatch):
    said = []
    monkeypatch.setattr("cti.web.session_store._log.error", lambda event, **_: said.append(event))
    store = kept.server._sessions._store
    works = store._file.work

    def fails(_):
        raise sqlite3.OperationalError("disk is full")

    monkeypatch.setattr(store._file, "work", fails)
    sue, ann = kept.bearer("sue"), kept.bearer("ann")
    assert [status(kept, each) for each in (sue, ann)] == [200, 200]
    assert said == ["sessions cannot be written; a restart will log people out"]
    monkeypatch.setattr(store._file, "work", works)
    kept.bearer("wall")
    assert {each.account for each in SessionStore(file).read()} == {"sue", "ann", "wall"}, "nothing was lost"

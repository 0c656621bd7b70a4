"""Who may: accounts, sessions, cookies, roles."""

from __future__ import annotations

import stat

import gevent
import pytest
from click.testing import CliRunner

from cti.cli.accounts import accounts
from cti.errors import ConfigurationError
from cti.web import Accounts, WebLimits, WebServer
from cti.web.accounts import Account
from cti.web.passwords import Passwords

from .site import ACCOUNTS, PASSWORD, Site, site, until, write_accounts


def test_without_a_session_nothing_is_said(locked_site: Site):
    for path in ("/v1/snapshot", "/v1/session", "/v1/events", "/metrics", "/v1/agent/get?agent=alice"):
        answer = locked_site.get(path)
        assert (answer.status, answer.code) == (401, "security.not_logged_in")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert locked_site.post("/v1/agent/ready", {"agent": "alice"}).status == 401


def test_a_program_logs_in_for_a_token(locked_site: Site):
    answer = locked_site.log_in("sue")
    assert answer.status == 201
    assert answer.headers.get("set-cookie") is None
    bearer = {"authorization": f"Bearer {answer.json['token']}"}
    said = locked_site.get("/v1/session", **bearer).json
    assert (said["name"], said["role"], said["agents"], said["queues"]) == ("sue", "supervisor", ["alice"], ["claims"])
    assert said["token"] is None
    assert locked_site.ask("DELETE", "/v1/session", **bearer).status == 204
    assert locked_site.get("/v1/session", **bearer).status == 401


def test_a_browser_logs_in_for_a_cookie(locked_site: Site):
    answer = locked_site.log_in("sue", cookie=True)
    assert answer.json["token"] is None
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    shown = {"cookie": cookie.partition(";")[0]}
    assert locked_site.get("/v1/session", **shown).json["csrf"] == answer.json["csrf"]
    not_ready = "/v1/agent/not_ready", {"agent": "alice"}
    assert locked_site.post(*not_ready, **shown).code == "security.forged"
    assert locked_site.post(*not_ready, **shown, x_csrf_token="guess").code == "security.forged"
    assert locked_site.post(*not_ready, **shown, x_csrf_token=answer.json["csrf"]).status == 204
    gone = locked_site.ask("DELETE", "/v1/session", **shown, x_csrf_token=answer.json["csrf"])
    assert "01 Jan 1970" in gone.headers["set-cookie"]
    assert locked_site.get("/v1/session", **shown).status == 401


def test_behind_https_the_cookie_is_for_https_alone(tmp_path):
    with site(tmp_path, proxied=True) as made:
        answer = made.log_in("sue", cookie=True)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-cti_session=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert answer.headers["strict-transport-security"]


@pytest.mark.parametrize("token", ["", "x", "é", "Bearer", "~" * 400, "AAAA" * 11])
def test_a_forged_token_is_no_session(shared_locked_site: Site, token):
    assert shared_locked_site.get("/v1/snapshot", authorization=f"Bearer {token}").status == 401
    assert shared_locked_site.get("/v1/snapshot", cookie=f"cti_session={token}").status == 401


def test_wrong_names_and_passwords_are_told_alike(locked_site: Site):
    wrong, unknown = locked_site.log_in("sue", password="x"), locked_site.log_in("nobody")
    assert wrong.text == unknown.text
    assert (wrong.status, wrong.code) == (401, "security.log_in_failed")


def test_an_unknown_name_costs_what_a_known_one_does(monkeypatch):
    checked = []
    passwords = Passwords()
    monkeypatch.setattr(passwords, "_check", lambda known, said: checked.append(known) or False)
    account = Account(None, "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAA")
    assert not passwords.verify(account, PASSWORD)
    assert not passwords.verify(None, PASSWORD, account)
    assert [each.rpartition("$")[0] for each in checked] == [account.password.rpartition("$")[0]] * 2
    passwords.close()


def test_hashing_blocks_nobody():
    passwords = Passwords()
    account = Account(None, passwords.hash(PASSWORD))
    turns = 0

    def count():
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0)

    counting = gevent.spawn(count)
    gevent.sleep(0)
    before = turns
    assert passwords.verify(account, PASSWORD)
    counting.kill()
    passwords.close()
    assert turns - before > 20


def test_failed_log_ins_are_limited(tmp_path):
    with site(tmp_path, WebLimits(log_ins_per_minute=3)) as made:
        for _ in range(3):
            assert made.log_in("sue", password="x").code == "security.log_in_failed"
        refused = made.log_in("sue")
        assert (refused.status, refused.code) == (429, "limit.rate")
        assert made.server._log_in.failures == 3


def test_good_log_ins_are_not(tmp_path):
    with site(tmp_path, WebLimits(log_ins_per_minute=3)) as made:
        assert [made.log_in("sue").status for _ in range(8)] == [201] * 8


def test_the_address_is_the_proxys_word_only_where_there_is_one(tmp_path):
    with site(tmp_path, WebLimits(log_ins_per_minute=2), proxied=True) as made:
        body = {"name": "sue", "password": "x"}
        for _ in range(2):
            made.post("/v1/session", body, x_forwarded_for="6.6.6.6, 7.7.7.7")
        assert made.post("/v1/session", body, x_forwarded_for="1.1.1.1, 7.7.7.7").code == "limit.rate"
        assert made.post("/v1/session", body, x_forwarded_for="7.7.7.7, 1.1.1.1").code == "security.log_in_failed"
    with site(tmp_path, WebLimits(log_ins_per_minute=2)) as made:
        answers = [made.post("/v1/session", body, x_forwarded_for=f"{n}.1.1.1").status for n in range(3)]
        assert answers == [401, 401, 429]


def test_a_session_ends_by_itself(tmp_path):
    with site(tmp_path, WebLimits(session_s=0.5)) as made:
        bearer = made.bearer("sue")
        until(lambda: made.get("/v1/session", **bearer).status == 401, "the end of the session")
    with site(tmp_path, WebLimits(session_idle_s=0.3)) as made:
        bearer = made.bearer("sue")
        until(lambda: not len(made.server._sessions), "it is forgotten without a request")
        assert made.get("/v1/session", **bearer).status == 401


def test_an_account_has_so_many_sessions(tmp_path):
    with site(tmp_path, WebLimits(sessions_per_account=2)) as made:
        first, second, third = (made.bearer("sue") for _ in range(3))
        assert [made.get("/v1/session", **each).status for each in (first, second, third)] == [401, 200, 200]


@pytest.mark.parametrize(
    ("who", "verb", "path", "body", "status"),
    [
        ("alice", "POST", "/v1/agent/not_ready", {"agent": "alice"}, 204),
        ("alice", "POST", "/v1/agent/not_ready", {"agent": "bob"}, 403),
        ("alice", "GET", "/v1/agent/explain?agent=alice", None, 403),
        ("alice", "GET", "/v1/queue/get?queue=claims", None, 403),
        ("sue", "GET", "/v1/queue/get?queue=claims", None, 200),
        ("sue", "POST", "/v1/queue/add", {"queue": "claims"}, 403),
        ("sue", "GET", "/v1/agent/get?agent=bob", None, 403),
        ("sue", "GET", "/metrics", None, 403),
        ("wall", "GET", "/metrics", None, 200),
        ("ann", "POST", "/v1/queue/add", {"queue": "new"}, 204),
        ("ann", "POST", "/v1/agent/remove", {"agent": "nobody"}, 404),
        ("alice", "GET", "/v1/events?agents=bob", None, 403),
        ("alice", "GET", "/v1/events?kinds=Nonsense", None, 404),
    ],
)
def test_roles(shared_locked_site: Site, who, verb, path, body, status):  # noqa: PLR0917
    answer = shared_locked_site.ask(verb, path, body, **shared_locked_site.bearer(who))
    assert answer.status == status, answer
    if status == 403:
        assert answer.code == "security.not_permitted"


def test_a_snapshot_shows_what_the_account_covers(locked_site: Site):
    assert [
        each["agent"] for each in locked_site.get("/v1/snapshot", **locked_site.bearer("alice")).json["agents"]
    ] == ["alice"]
    everything = locked_site.get("/v1/snapshot", **locked_site.bearer("ann")).json
    assert len(everything["agents"]) == 2


def test_a_changed_account_is_logged_out(locked_site: Site):
    sue, ann = locked_site.bearer("sue"), locked_site.bearer("ann")
    write_accounts(locked_site.accounts, {**ACCOUNTS, "sue": 'role = "supervisor"'})
    until(lambda: locked_site.get("/v1/session", **sue).status == 401, "the change is taken over")
    assert locked_site.get("/v1/session", **ann).status == 200


def test_a_broken_accounts_file_changes_nothing(locked_site: Site):
    sue = locked_site.bearer("sue")
    locked_site.accounts.write_text("[accounts")
    locked_site.server.reload()
    assert locked_site.get("/v1/session", **sue).status == 200


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[accounts.x]\nrole = 1", "role must be one of"),
        ('[accounts.x]\nrole = "agent"', "exactly one agent"),
        ('[accounts.x]\nrole = "administrator"', "argon2 hash"),
        ('[accounts.x]\nrole = "administrator"\npassword = "plain"', "argon2 hash"),
        ('[accounts."a b"]\nrole = "administrator"', "a name has"),
        ("[keys.x]", "and nothing else"),
        ("[accounts.x]\ncolour = 1", "unknown colour"),
        ("accounts = 3", "and nothing else"),
    ],
)
def test_a_wrong_accounts_file_is_said(tmp_path, text, said):
    file = tmp_path / "accounts.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        Accounts(file)


def test_an_address_that_others_reach_needs_accounts_and_tls(tmp_path):
    with pytest.raises(ConfigurationError, match="nobody has to log in"):
        WebServer(None, "0.0.0.0:0")
    write_accounts(tmp_path / "accounts.toml")
    with pytest.raises(ConfigurationError, match="would not be encrypted"):
        WebServer(None, "[::]:0", accounts=tmp_path / "accounts.toml")
    for wrong in ("8080", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000"):
        with pytest.raises(ConfigurationError, match="write host:port"):
            WebServer(None, wrong)


def test_cti_accounts(tmp_path):
    file = tmp_path / "etc" / "accounts.toml"

    def run(*arguments: str, text: str = ""):
        return CliRunner().invoke(accounts, [*arguments, "--file", str(file)], input=text)

    made = run("new", "sue", "--role", "supervisor", "--queue", "claims", text=f"{PASSWORD}\n{PASSWORD}\n")
    assert made.exit_code == 0, made.output
    assert PASSWORD not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    piped = run("new", "al", "--role", "agent", "--agent", "al 'é\"", "--password-file", "-", text=PASSWORD)
    assert piped.exit_code == 0, piped.output
    assert run("list").output.splitlines() == [
        "al agent agents=al 'é\" queues=-",
        "sue supervisor agents=- queues=claims",
    ]
    with pytest.raises(ConfigurationError, match="--replace"):
        CliRunner().invoke(
            accounts, ["new", "sue", "--role", "supervisor", "--file", str(file)], catch_exceptions=False
        )
    assert isinstance(
        run("new", "x", "--role", "administrator", "--password-file", "-", text="short").exception, ConfigurationError
    )
    assert run("remove", "al").exit_code == 0
    assert list(Accounts(file).by_name) == ["sue"]
    passwords = Passwords()
    assert passwords.verify(Accounts(file).find("sue"), PASSWORD)
    passwords.close()

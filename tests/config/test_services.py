"""The tables of the services around the calls: what they say, and everything that can be wrong with them."""

from __future__ import annotations

import pytest

from cti.api.grant import Role
from cti.cli.accounts import accounts
from cti.config import read_configuration
from cti.web.webhook import new_secret

from .written import ENVIRON, problems, read, written

SECRET = new_secret()


def make_account(directory, name="sue", *arguments):
    from click.testing import CliRunner

    file = directory / "accounts.toml"
    options = ("new", name, "--role", "supervisor", *arguments, "--password-file", "-", "--file", str(file))
    done = CliRunner().invoke(accounts, options, input="a long password\n", catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return file


def warnings(made):
    return [str(one) for one in made.warnings]


def test_a_state_is_a_place_for_everything_that_nothing_else_is_said_of(tmp_path):
    services = read(tmp_path, "[state]\ndirectory = 'state'").services
    assert services.state.directory == str(tmp_path / "state")
    assert services.journal.directory == str(tmp_path / "state" / "journal")
    assert services.journal.keep_s == 14 * 86400, "a journal that nobody asked for does not fill the disk"
    assert services.audit.directory == str(tmp_path / "state" / "audit")
    assert services.statistics.interval_s == 1800


def test_without_a_state_nothing_is_kept_that_is_not_asked_for(tmp_path):
    services = read(tmp_path, "[journal]\ndirectory = 'here'").services
    assert services.journal.directory == str(tmp_path / "here")
    assert services.journal.keep_s is None
    assert (services.state, services.audit, services.web, services.recording) == (None, None, None, None)


def test_histories_are_kept_only_where_that_is_asked_for(tmp_path):
    assert read(tmp_path, "[state]\ndirectory = 'state'").services.history is None
    kept = read(tmp_path, "[state]\ndirectory = 'state'\n[history]\nkeep_s = '90d'").services.history
    assert (kept.directory, kept.keep_s) == (str(tmp_path / "state"), 90 * 86_400)
    assert read(tmp_path, "[history]\ndirectory = 'past'").services.history.directory == str(tmp_path / "past")
    assert read(tmp_path, "[history]\nurl = 'postgresql://x/y'").services.history.url == "postgresql://x/y"


def test_what_is_said_goes_before_the_state(tmp_path):
    text = "[state]\ndirectory = 'state'\n[journal]\nkeep_s = '3d'\n[audit]\ndirectory = '/var/log/cti'\nkeep = 5"
    services = read(tmp_path, text).services
    assert (services.journal.keep_s, services.journal.directory) == (259200, str(tmp_path / "state" / "journal"))
    assert (services.audit.directory, services.audit.keep) == ("/var/log/cti", 5)


def test_all_of_it_read(tmp_path):
    make_account(tmp_path, "sue", "--agent", "*", "--queue", "*")
    (tmp_path / "smtp").write_text("the mail's\n")
    text = """
[queue.sales]
record = "always"
[state]
directory = "state"
[statistics]
interval_s = "15m"
keep_s = "30d"
time_zone = "Europe/Berlin"
[web]
bind = "127.0.0.1:0"
accounts = "accounts.toml"
metrics_token_env = "TOKEN"
proxied = true
limits = { streams = 7, session_s = "8h" }
[webhook.crm]
url = "https://crm.example/pop"
secret = "${SECRET}"
kinds = ["Delivered", "Alarm"]
queues = ["sales"]
[alarms]
longest_wait_s = "2m"
off = ["queue.unstaffed"]
grades = { "trunk.failing" = "critical" }
[alarms.mail]
host = "smtp.example.org"
sender = "cti@example.org"
to = ["ops@example.org"]
password_file = "smtp"
[recording]
directory = "/var/lib/cti/recordings"
reached_at = "mnt"
keep_s = "90d"
"""
    made = read_configuration(written(tmp_path, text), {**ENVIRON, "TOKEN": "t0ken", "SECRET": SECRET})
    services = made.services
    assert services.web.accounts == str(tmp_path / "accounts.toml")
    assert (services.web.metrics_token, services.web.proxied, services.web.wallboard) == ("t0ken", True, True)
    assert (services.web.limits.streams, services.web.limits.session_s) == (7, 28800)
    (hook,) = services.webhooks
    assert (hook.name, hook.secret, hook.kinds, hook.queues) == ("crm", SECRET, ("Delivered", "Alarm"), ("sales",))
    assert services.alarms.rules.longest_wait_s == 120
    assert services.alarms.rules.kinds["trunk.failing"].grade.value == "critical"
    assert (services.alarms.mail.password, services.alarms.mail.to) == ("the mail's", ("ops@example.org",))
    assert (services.statistics.interval_s, services.statistics.time_zone) == (900, "Europe/Berlin")
    assert services.recording.reached_at == str(tmp_path / "mnt")
    assert {one.table for one in made.warnings} <= {"", "switch"}, "nothing is wrong with these tables"
    for secret in ("t0ken", SECRET, "the mail's"):
        assert secret not in repr(made)


WRONG = [
    ("[state]\n", ["1: [state]: directory: it is missing"]),
    ("[state]\ndirectory = 'x'\nkeep = 1", ["3: [state]: keep: unknown key"]),
    (
        "[statistics]\ninterval_s = '10m'\ntime_zone = 'Berlin'",
        ["interval_s: found 600.0; it must be '15m' or '30m'", "3: "],
    ),
    ("[statistics]\ntime_zone = '../etc'", ["time_zone: found '../etc'; write it as Europe/Berlin"]),
    ("[audit]\nkeep = -1\nmax_bytes = 0", ["directory: it is missing", "2: ", "3: "]),
    (
        "[web]\nbind = '0.0.0.0:80'",
        ["2: [web]: bind: 0.0.0.0:80 can be reached from other machines, and nobody has to"],
    ),
    ("[web]\nbind = 'x'\nacounts = 'a'", ["acounts: unknown key; did you mean 'accounts'?"]),
    ("[web]\nbind = 'x'", ["2: [web]: bind: 'x' is no address; write host:port"]),
    ("[web]\naccounts = 'none.toml'", ["none.toml: No such file or directory; `cti accounts new` makes one"]),
    ("[web]\ncertificate = 'none.pem'", ["2: [web]: certificate: cannot use the certificate"]),
    ("[web]\nkey = 'none.pem'", ["2: [web]: key: there is no certificate that it belongs to"]),
    (
        "[web]\nmetrics_token_env = 'NOPE'\nwallboard = 1",
        ["environment variable NOPE is not set", "expected true or false"],
    ),
    ("[web]\nlimits = { streems = 1 }", ["2: [web]: limits.streems: unknown key; did you mean 'streams'?"]),
    (
        "[web]\nmetrics_token = 'a'\nmetrics_token_file = 'b'",
        ["metrics_token_file: there is metrics_token already", "b cannot"],
    ),
    (
        "[webhook.crm]\nurl = 'ftp://x'",
        ["url: found 'ftp://x'; it must be an http or https URL", "secret: it is missing"],
    ),
    (
        "[webhook.crm]\nurl = 'https://x'\nsecret = 'abc'",
        ["3: [webhook.crm]: secret: a secret is whsec_ and 24 to 64 bytes"],
    ),
    (
        "[webhook.crm]\nurl = 'https://x'\nsecret_env = 'NOPE'",
        ["3: [webhook.crm]: secret_env: the environment variable NOPE"],
    ),
    (
        f"[webhook.crm]\nurl = 'https://x'\nsecret = '{SECRET}'\nkinds = ['Deliverd']",
        ["4: [webhook.crm]: kinds: unknown event 'Deliverd'; did you mean 'Delivered'?"],
    ),
    (
        f"[webhook.crm]\nurl = 'https://x'\nsecret = '{SECRET}'\nkinds = 'Delivered'",
        ["kinds: expected a list of texts"],
    ),
    (
        f"[[webhook]]\nname = 'a'\n[[webhook]]\nname = 'a'\nurl = 'https://x'\nsecret = '{SECRET}'",
        ["4: [webhook[2]]: name: there is a webhook 'a' already", "url: it is missing", "secret: it is missing"],
    ),
    ("[alarms]\noff = ['queue.unstafed']", ["2: [alarms]: off: off has 'queue.unstafed'; there is link.down"]),
    ("[alarms]\ngrades = { 'link.down' = 'bad' }\nlag_s = 'x'", ["2: [alarms]: grades: ", "3: [alarms]: lag_s: "]),
    ("[alarms]\ngrades = 'major'", ["2: [alarms]: grades: expected a table"]),
    (
        "[alarms.mail]\nto = ['ops']",
        ["host: it is missing", "sender: it is missing", "to: 'ops' is no address of e-mail"],
    ),
    ("[alarms]\nmail = 3", ["2: [alarms.mail]: expected a table, found 3"]),
    ("[history]\nkeep_s = -1", ["2: [history]: keep_s"]),
    ("[history]\nkeep_s = '90d'", ["[history]: directory: it is missing"]),
    ("[history]\nurl = 'sqlite://'\ndirectory = 'x'", ["2: [history]: url: there is a directory already"]),
    ("[recording]\n", ["1: [recording]: directory: it is missing"]),
    ("[recording]\ndirectory = 'relative'", ["[recording]: directory is 'relative'; it must be an absolute path"]),
    ("[recording]\ndirectory = '/r'\nname = 'x.wav'", ["without {interaction} and {n} two files are one"]),
]


@pytest.mark.parametrize(("text", "expected"), WRONG)
def test_what_is_wrong_is_said_with_its_line_and_key(tmp_path, text, expected):
    said = problems(tmp_path, text)
    for fragment in expected:
        assert any(fragment in one for one in said), said
    assert len(said) == len(expected), said


def test_what_is_wrong_in_all_tables_is_said_at_once(tmp_path):
    text = "\n".join(
        f"[{name}]\nx = 1" for name in ("state", "journal", "statistics", "audit", "web", "alarms", "recording")
    )
    unknown = [one for one in problems(tmp_path, text) if "x: unknown key" in one]
    assert len(unknown) == 7, unknown


def test_secrets_that_everybody_can_read_are_warned_of(tmp_path):
    text = (
        f"[web]\nmetrics_token = 'abc'\n[webhook.crm]\nurl = 'http://crm.example/'\nsecret = '{SECRET}'\n"
        "[alarms.mail]\nhost = 'h'\nsender = 'a@b'\nto = ['a@b']\npassword = 'p'\n"
    )
    file = written(tmp_path, text)
    assert not [one for one in warnings(read_configuration(file, ENVIRON)) if "can read it" in one]
    file.chmod(0o644)
    said = warnings(read_configuration(file, ENVIRON))
    for where in ("[web]: metrics_token", "[webhook.crm]: secret", "[alarms.mail]: password"):
        assert any(where in one and "everybody on this machine can read it" in one for one in said), said
    assert any("[webhook.crm]: url: what is told of calls is not encrypted" in one for one in said)


def test_accounts_and_webhooks_that_name_what_there_is_not(tmp_path):
    file = make_account(tmp_path, "sue", "--queue", "sales", "--queue", "clams", "--agent", "ann")
    file.chmod(0o644)
    text = (
        "[queue.sales]\n[queue.claims]\n[web]\naccounts = 'accounts.toml'\n"
        f"[webhook.crm]\nurl = 'https://crm'\nsecret = '{SECRET}'\nagents = ['bob']\n"
    )
    said = warnings(read(tmp_path, text))
    role = Role.SUPERVISOR.value
    for fragment in (
        f"[web]: accounts: 'sue' ({role}) has an unknown queue 'clams'; did you mean 'claims'?",
        f"[web]: accounts: 'sue' ({role}) has an unknown agent 'ann'",
        "[web]: accounts: others can read",
        "[webhook.crm]: agents: unknown agent 'bob'",
    ):
        assert any(fragment in one for one in said), said


def test_recording_that_goes_nowhere_is_warned_of(tmp_path):
    said = warnings(read(tmp_path, "[queue.a]\nrecord = 'always'\n[agent.b]\ncontact = 'user/1'\nrecord = 'never'\n"))
    assert any("[queue.a]: record: nothing is recorded: there is no [recording]" in one for one in said)
    assert not any("agent.b" in one for one in said)
    said = warnings(read(tmp_path, "[recording]\ndirectory = '/r'"))
    assert any("[recording]: no queue and no agent is recorded" in one for one in said)


def test_planning_needs_neither_files_nor_secrets_of_services(tmp_path):
    text = "[queue.a]\n[web]\naccounts = 'none'\n[webhook.x]\nsecret = 'no'\n[recording]\ndirectory = 'x'\n[alarms]\noff = 3"
    made = read_configuration(written(tmp_path, text), {}, calls_only=True)
    assert list(made.queues) == ["a"]
    assert made.services.web is None

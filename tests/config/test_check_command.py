"""`cti check`, as it is run."""

from __future__ import annotations

from click.testing import CliRunner

from cti.cli.check import check

from .written import ENVIRON, GOOD, written


def run(path, *options):
    return CliRunner().invoke(check, [str(path), *options], env={**ENVIRON, "COLUMNS": "200"})


def test_it_draws_where_calls_go(tmp_path):
    done = run(written(tmp_path, GOOD))
    assert done.exit_code == 0, done.output
    for line in (
        "5000",
        "└── → queue claims 1 agents with claims >= 3 (ann) priority +5",
        "├── after 30 s also claims nobody more",
        "├── after 60 s also agents of sales +1 (bob)",
        "├── expected wait above 300 s → destination 9000",
        "├── 10 waiting → hang up",
        "└── nobody logged on → voicemail 500@office",
        "├── night (the time is 22:00-06:00) → voicemail 500",
        "└── otherwise → queue sales 1 agents with sales and not trainee (bob)",
        "└── after 90 s → queue claims 1 agents with claims >= 3 (ann)",
        "2 queues, 2 agents: no errors",
    ):
        assert line.lstrip("├└─ ") in done.output, done.output


def test_it_draws_what_there_is_around_the_calls(tmp_path):
    from cti.web import new_secret

    text = f"""[queue.sales]
record = 'always'
[api]
[web]
bind = '[::1]:8080'
[webhook.crm]
url = 'https://user.example/secret-path'
secret = '{new_secret()}'
kinds = ['Delivered']
queues = ['sales']
[alarms.mail]
host = 'h'
sender = 'a@b'
to = ['ops@b']
[recording]
directory = '/r'
keep_s = '90d'
[state]
directory = '/s'
"""
    done = run(written(tmp_path, text))
    assert done.exit_code == 0, done.output
    for line in (
        "API at tcp://127.0.0.1:8100, not encrypted",
        "HTTP at [::1]:8080 (http), nobody has to log in",
        "webhook crm: Delivered, queue sales → user.example",
        "alarms from major up → ops@b",
        "recordings of queue sales → /r, kept for 90 days",
        "state in /s, figures every 30 minutes",
        "journal in /s/journal",
        "audit in /s/audit",
    ):
        assert line in done.output, done.output


def test_queues_that_no_number_leads_to_are_drawn_too(tmp_path):
    done = run(
        written(tmp_path, "[switch]\npassword = 'x'\n[queue.a]\n[queue.'[b]']\n[numbers]\n'1' = { queue = 'a' }")
    )
    assert done.exit_code == 0
    assert "queues that only scripts and other programs send calls to" in done.output
    assert "queue [b] 0 agents" in done.output


def test_errors_are_all_said_and_the_status_is_2(tmp_path):
    done = run(written(tmp_path, "[queue.a]\nx = 1\ny = 2\n"), "--quiet")
    assert done.exit_code == 2
    assert "centre.toml:2: [queue.a]: x: unknown key" in done.output
    assert "centre.toml:3: [queue.a]: y: unknown key" in done.output
    assert "2 errors" in done.output


def test_scripts_that_cannot_be_imported_are_all_said(tmp_path):
    written(tmp_path, "def welcome(call):\n    pass\nnumber = 5\n", "a_script.py")
    written(tmp_path, "raise RuntimeError('not today')\n", "a_broken_script.py")
    names = {
        "good": "a_script:welcome",
        "near": "a_script:welcom",
        "five": "a_script:number",
        "none": "no_module_at_all:f",
        "raises": "a_broken_script:f",
    }
    text = "\n".join(f"{name} = '{reference}'" for name, reference in names.items())
    done = run(written(tmp_path, f"[scripts]\n{text}"))
    assert done.exit_code == 2
    for fragment in (
        "near: a_script: unknown function 'welcom'; did you mean 'welcome'?",
        "five: a_script:number is 5, which cannot be called",
        "none: no_module_at_all cannot be imported: ModuleNotFoundError",
        "raises: a_broken_script cannot be imported: RuntimeError: not today",
        "4 errors",
    ):
        assert fragment in done.output, done.output


def test_warnings_do_not_fail_it(tmp_path):
    done = run(written(tmp_path, GOOD.replace("${SWITCH_PASSWORD}", "ClueCon")))
    assert done.exit_code == 0
    assert "warning:" in done.output
    assert "1 warning" in done.output


def test_the_example_is_good():
    from pathlib import Path

    example = Path(__file__).parents[2] / "examples" / "daemon" / "centre.toml"
    environ = {"FREESWITCH_ADDRESS": "127.0.0.1:8021", "FREESWITCH_PASSWORD": "x", "RUNTIME_DIRECTORY": "/run/cti"}
    done = CliRunner().invoke(
        check, [str(example)], env={**environ, "STATE_DIRECTORY": "/var/lib/cti", "COLUMNS": "200"}
    )
    assert done.exit_code == 0, done.output
    assert "3 agents: no errors\n" in done.output

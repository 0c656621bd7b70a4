"""The tables [messages] and [mailbox.NAME]: what they say, and everything that can be wrong with them."""

from __future__ import annotations

import pytest

from cti.daemon.change import change
from cti.mail_server import MailServer
from cti.model.mailbox import Mailbox
from cti.model.overflow import ToMailbox

from .written import problems, read, written

ALL = """
[messages]
directory = "/var/lib/messages"
reached_at = "mnt"
detect_fax = "claims"
fax_files = "faxes"
[messages.mail]
host = "mail.example.org"
sender = "cti@example.org"
password_file = "smtp"
[mailbox.claims]
queue = "messages"
greeting = ["/sounds/{language}/leave.wav"]
max_s = "3m"
silence_s = 6
keep_days = 7
email = ["claims@example.org"]
light = "1001@example.org"
[mailbox."Ann's"]
agent = "ann"
[queue.messages]
[queue.claims]
max_wait_s = 60
overflow = { mailbox = "claims" }
[agent.ann]
contact = "user/ann"
[numbers]
"5900" = { fax = "claims" }
"*" = { queue = "claims" }
"""


@pytest.fixture(autouse=True)
def _secret(tmp_path):
    written(tmp_path, "the mail's\n", "smtp")


def test_all_of_it_read(tmp_path):
    made = read(tmp_path, ALL)
    messages = made.services.messages
    assert (messages.directory, messages.reached_at, messages.detect_fax) == (
        "/var/lib/messages",
        str(tmp_path / "mnt"),
        "claims",
    )
    assert messages.fax_files == str(tmp_path / "faxes")
    assert messages.mail == MailServer("mail.example.org", "cti@example.org", password="the mail's")
    assert made.services.mailboxes == {
        "claims": Mailbox(
            "claims",
            queue="messages",
            greeting="/sounds/{language}/leave.wav",
            max_s=180,
            silence_s=6,
            keep_days=7,
            email="claims@example.org",
            light="1001@example.org",
        ),
        "Ann's": Mailbox("Ann's", agent="ann"),
    }
    assert made.queues["claims"].overflow == ToMailbox("claims")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[mailbox.a]", "there is no [messages]"),
        ("[messages]\ndirectory = 'here'", "must be an absolute path"),
        ("[messages]", "it is missing"),
        ("[messages]\ndirectory = '/m'\ndetect_fax = 'a'", "mailbox 'a'"),
        ("[messages]\ndirectory = '/m'\n[messages.mail]\nhost = 'x'", "sender: it is missing"),
        ("[messages]\ndirectory = '/m'\n[mailbox.a]\nqueue = 'nowhere'", "queue 'nowhere'"),
        ("[messages]\ndirectory = '/m'\n[mailbox.a]\nagent = 'nobody'", "agent 'nobody'"),
        ("[messages]\ndirectory = '/m'\n[mailbox.a]\nmax_s = '2h'", "from 1 to 3600 seconds"),
        ("[messages]\ndirectory = '/m'\n[mailbox.a]\nagain_key = '#'", "one of 0 to 9 and *"),
        ("[messages]\ndirectory = '/m'\n[mailbox.a]\ncolour = 'red'", "colour"),
        ("[queue.a]\nmax_wait_s = 5\noverflow = { mailbox = 'b' }", "mailbox 'b'"),
        ("[queue.a]\nmax_wait_s = 5\noverflow = { fax = 'b' }", "mailbox 'b'"),
        ("[queue.a]\n[numbers]\n'5' = { mailbox = 'b' }", "mailbox 'b'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, said):
    found = problems(tmp_path, text)
    assert any(said in each for each in found), found


def test_a_reload_changes_mailboxes_and_says_so(tmp_path):
    old = read(tmp_path, ALL)
    text = ALL.replace('max_s = "3m"', 'max_s = "2m"').replace('[mailbox."Ann\'s"]\nagent = "ann"\n', "[mailbox.new]\n")
    wanted = change(old, read(tmp_path, text))
    assert list(wanted.mailboxes) == ["claims", "new"]
    assert wanted.mailboxes_gone == ("Ann's",)
    assert "mailbox claims: max_s 180.0 -> 120.0" in wanted.said
    assert "mailbox new: added" in wanted.said
    with pytest.raises(Exception, match="messages"):
        change(old, read(tmp_path, ALL.replace("/var/lib/messages", "/var/lib/others")))


MENU = """
start = "a"
[nodes.a]
voicemail = "{box}"
next = "b"
[nodes.b]
callback = "{queue}"
otherwise = "c"
[nodes.c]
fax = "{box}"
"""
CALLS = """
[messages]
directory = "/m"
[mailbox.claims]
[queue.claims]
[queue.sales]
[queue.sales.callback]
destinations = { "0*" = "user/{number}" }
[menu.main]
file = "menu.toml"
[numbers]
"*" = { script = "main" }
"""


def test_a_menus_mailboxes_and_callbacks_are_those_of_the_file(tmp_path):
    written(tmp_path, MENU.format(box="claims", queue="sales"), "menu.toml")
    made = read(tmp_path, CALLS)
    assert callable(made.routes.menus["main"].load())
    written(tmp_path, MENU.format(box="claim", queue="claims"), "menu.toml")
    found = problems(tmp_path, CALLS)
    assert sorted(each.partition("menu.toml")[2].lstrip(": ") for each in found) == [
        "nodes.a: unknown mailbox 'claim'; did you mean 'claims'?",
        "nodes.b: queue 'claims' calls nobody back; give it a callback",
        "nodes.c: unknown mailbox 'claim'; did you mean 'claims'?",
    ]

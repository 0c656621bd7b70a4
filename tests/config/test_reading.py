"""`centre.toml`: read, and everything that is wrong with it said at once."""

from __future__ import annotations

import os

import pytest

from cti.config import BadConfiguration, read_configuration
from cti.config.duration import duration
from cti.errors import ConfigurationError
from cti.model.overflow import Disconnect, ToDestination, ToQueue, ToVoicemail
from cti.model.personal import Deputy, Personal
from cti.model.widening import Widening

from .written import ENVIRON, GOOD, problems, read, written


def test_a_good_file_is_what_it_says(tmp_path):
    made = read(tmp_path, GOOD)
    assert made.warnings == ()
    assert (made.switches[0].address, made.switches[0].password) == ("10.0.0.1:8021", "s3cret")
    sales, claims = made.queues["sales"], made.queues["claims"]
    assert list(made.queues) == ["claims", "sales"], "what a queue overflows to is defined before it"
    assert (str(sales.requires), sales.max_wait_s, sales.overflow) == ("sales and not trainee", 90.0, ToQueue("claims"))
    assert claims.overflow == ToVoicemail("500", "office")
    assert claims.overflows == {"expected wait": ToDestination("9000"), "length": Disconnect()}
    assert claims.widening == (Widening(30.0, "claims"), Widening(60, also=("sales",)))
    assert claims.personal == Personal("ann", 30.0, {"leave": Deputy("bob"), "away": 10.0})
    assert claims.borrows.below == 0.5
    assert made.agents["ann"].wrap_up_s == 20.0
    assert dict(made.log_on) == {"ann": True}
    assert [number.pattern for number in made.routes.numbers] == ["5000", "51*"]
    assert made.routes.numbers[0].to.priority == 5
    assert made.routes.numbers[1].to is None
    assert made.routes.plan.default.to == ToQueue("sales")


def test_callers_may_go_on_after_the_call_to_a_queue_that_is_further_down(tmp_path):
    """Two queues may even hand their callers on to each other."""
    made = read(tmp_path, '[queue.a]\nafter_call = { queue = "b" }\n\n[queue.b]\nafter_call = { queue = "a" }\n')
    assert {name: queue.after_call for name, queue in made.queues.items()} == {"a": ToQueue("b"), "b": ToQueue("a")}


def test_the_password_is_in_no_picture_and_no_message(tmp_path):
    assert "s3cret" not in repr(read(tmp_path, GOOD))
    assert all("1234567" not in one for one in problems(tmp_path, "[switch]\npassword = 1234567"))


def test_no_file_at_all(tmp_path):
    with pytest.raises(BadConfiguration, match=r"nothing.toml: it cannot be read: No such file"):
        read_configuration(tmp_path / "nothing.toml")


BROKEN = [
    ("x = ", ["it is not TOML: Invalid value (at end of document)"]),
    ("a = 1\nx = = 1", ["2: it is not TOML: Invalid value (column 5)"]),
    ("[queue.a]\n[queue.a]", ["2: it is not TOML: Cannot declare ('queue', 'a') twice (column 9)"]),
    ("\n[[switch]]\n", ["2: [switch[1]]: name: expected text, its name"]),
    ("[switch.a]\nadress = 'x'", ["2: [switch.a]: adress: unknown key; did you mean 'address'?"]),
    ("[switch.a]\nsip = 'nowhere'", ["2: [switch.a]: sip: ", "write host:port, such as 192.0.2.7:5090"]),
    (
        "[switch.a]\ndoorbell = '127.0.0.2'",
        ["2: [switch.a]: doorbell", "write an IPv4 address and a port, such as 127.0.0.2:8022"],
    ),
    ("[switch.a]\ndrain = { queue = 'x' }", ["[switch.a]: drain: "]),
    (
        "[switch.a]\n[switch.b]\n[agent.ann]\ncontact = 'user/1'\nswitch = 'c'",
        ["5: [agent.ann]: switch: unknown switch 'c'"],
    ),
    (
        "[switch.a]\n[switch.b]\n[agent.ann]\ncontact = 'user/1'\nswitch = 'b'",
        ["2: [switch.b]: sip: it is missing: the other switches reach agent 'ann' there"],
    ),
    (
        "[switch]\n[agent.ann]\ncontact = 'user/1'\nswitch = 'b'",
        ["4: [agent.ann]: switch: there is one [switch] without"],
    ),
    ("[centre]\nallowed_contacts = 'x/1'", ["2: [centre]: allowed_contacts: ", "'x/1'; it must be a list such as"]),
    ("[centre]\nallowed_contacts = ['user/1', 'x']", ["2: [centre]: allowed_contacts: ", "'x'; a rule is an endpoint"]),
    ("[switch]\nadress = 'x'", ["2: [switch]: adress: unknown key; did you mean 'address'?"]),
    ("[switch]\naddress = 'x:y'", ["2: [switch]: address: switch 'x:y' is no address; write host:port"]),
    ("[switch]\npassword = '${NOPE}'", ["2: [switch]: password: the environment variable NOPE is not set"]),
    ("[switch]\npassword_env = 'NOPE'", ["2: [switch]: password_env: the environment variable NOPE is not set"]),
    ("[switch]\npassword_env = 'no-such'", ["2: [switch]: password_env: the environment variable no-such is not set"]),
    ("x = " + "1" * 5000, ["it cannot be read: Exceeds the limit"]),
    ("x = " + "[" * 5000, ["it cannot be read: maximum recursion depth"]),
    ("[switch]\npassword = 'a'\npassword_env = 'b'", ["password_env: there is password already", "variable b is not"]),
    ("[switch]\npassword_file = 'none'", ["2: [switch]: password_file: ", "none cannot be read: No such file"]),
    ("[qeue.a]\n", ["1: qeue: unknown key; did you mean 'queue'?"]),
    ("queue = 3", ["1: [queue]: expected a table, found 3"]),
    ("[queue.a]\nrequires = 'a >='", ["2: [queue.a]: requires: column 5: expected a level"]),
    (
        "[queue.a]\nmax_wait_s = '2 minutes'",
        ["2: [queue.a]: max_wait_s: expected a number of seconds, or text such as"],
    ),
    ("[queue.a]\nmax_wait_s = -1", ["2: [queue.a]: max_wait_s: found -1; it must be a number of seconds from 0 up"]),
    ("[queue.a]\nmusic = 3\nmax_waiting = 0\npriority = 'x'", ["2: ", "3: ", "4: "]),
    ("[queue.a]\nstrategy = 'longest-idel'", ["2: [queue.a]: strategy: unknown strategy 'longest-idel'; did you mean"]),
    ("[queue.a]\noverflow = { queue = 'b' }", ["2: [queue.a]: overflow: unknown queue 'b'; known: 'a'"]),
    ("[queue.a]\noverflow = { queue = 'a' }", ["overflow goes in a circle: a -> a; let one of them end it"]),
    (
        "[queue.a]\noverflow.queue = 'b'\n[queue.b]\noverflow = {queue = 'a'}",
        ["overflow goes in a circle:"],
    ),
    ("[queue.a]\noverflow = { script = 's' }", ["2: [queue.a]: overflow: unknown script 's'"]),
    ("[queue.a]\nafter_call = { script = 's' }", ["2: [queue.a]: after_call: unknown script 's'"]),
    ("[queue.a]\nafter_call = { queue = 'a' }", ["2: [queue.a]: after_call: it names its own queue; name another"]),
    ("[queue.a]\nafter_call = { queue = 'b' }", ["2: [queue.a]: after_call: unknown queue 'b'"]),
    ("[queue.a]\noverflow = { queue = 'b', priority = 1 }", ["2: [queue.a]: overflow.priority: unknown key"]),
    ("[queue.a]\noverflows = { bored = { hang_up = true } }", ["2: [queue.a]: overflows: overflows has 'bored'"]),
    (
        "[queue.a]\nwidening = [{ after_s = '1m' }]",
        ["2: [queue.a]: widening[1]: widening after 60.0 s widens to nobody"],
    ),
    (
        "[queue.a]\n\n[[queue.a.widening]]\nafter_s = 1\nalso = ['b']",
        ["5: [queue.a]: widening[1].also: unknown queue 'b'"],
    ),
    ("[queue.a]\npersonal = { agent = 'x' }", ["2: [queue.a]: personal: unknown agent 'x'"]),
    ("[queue.a]\nborrows = { lenders = [] }", ["2: [queue.a]: borrows: borrows: lenders is empty"]),
    ("[queue.a]\nroute_script = 'plan'", ["2: [queue.a]: route_script: unknown route script 'plan'"]),
    ("[[queue]]\nname = 'a'\n[[queue]]\nname = 'a'", ["4: [queue[2]]: name: there is a queue 'a' already"]),
    ("[[queue]]\npriority = 1", ["[queue[1]]: name: expected text, its name"]),
    (
        "[agent.a]\nskills = { x = -1 }\nlog_on = 'now'",
        ["contact: it is missing", "skills: the level of 'x'", "log_on: "],
    ),
    (
        "skills = ['loans']\n[queue.a]\nrequires = 'laons'",
        ["3: [queue.a]: requires: unknown skill 'laons'; did you mean"],
    ),
    ("skills = ['b']\n[agent.a]\ncontact='u'\nskills = { a = 1 }", ["4: [agent.a]: skills: unknown skill 'a'"]),
    ("skills = 3", ["1: [skills]: expected a list of skills"]),
    ("[numbers]\n'5000' = { queue = 'a' }", ["2: [numbers.\"5000\"]: queue: unknown queue 'a'"]),
    ("[numbers]\n'5000' = { plan = true }", ['2: [numbers."5000"]: plan: there is no [plan]']),
    (
        "[plan]\n[[plan.rules]]\nname = 'x'\nto = { queue = 'a' }",
        ["4: [plan: rule 1 'x']: to.queue: unknown queue", "default"],
    ),
    ("[plan]\nfile = 'plan.toml'", ["2: [plan]: file: ", "plan.toml cannot be read"]),
    ("[calendar.office]\nhours = 'mon 25:00-26:00'\ntime_zone = 'UTC'", ["1: [calendar.office]: "]),
    ("[scripts]\na = 'b'", ["2: [scripts]: a: expected 'module:function', such as 'hotline:welcome'; found 'b'"]),
    ("[route_scripts]\nplan = 'a:b'", ["2: [route_scripts]: plan: that is the name of the plan"]),
    ("[menu.main]\nfile = 'main.toml'", ["2: [menu.main]: file: ", "main.toml cannot be read"]),
    (
        "[api]\nlimits = { clients = 'many' }",
        ["2: [api]: limits.clients: found 'many'; it must be a whole number from 1"],
    ),
    ("[api]\nlimits = { requests_per_s = 'x' }", ["2: [api]: limits.requests_per_s: 'x' is of no use here"]),
    ('[api]\nbind = "tcp://0.0.0.0:8100"', ["2: [api]: bind: tcp://0.0.0.0:8100 can be reached from other machines"]),
    ("[api]\nkeys = 'none'", ["2: [api]: keys: cannot read the key"]),
    ("[menu.m]\nfile = 'm'\nlookups = 3", ["3: [menu.m]: lookups: expected a table"]),
    ("[destinations]\n'00*' = 3", ["2: [destinations]: 00*: "]),
    ("[log]\nlevel = 'loud'", ["2: [log]: level: found 'loud'; it must be one of 'debug', 'info'"]),
    ("[journal]\nsync = 'never'", ["directory: it is missing", "sync: found 'never'"]),
    ("[daemon]\ndrain = { queue = 'a' }", ["2: [daemon]: drain: drain must be a destination or a voicemail"]),
    (
        "[centre]\non_script_error = 'x'",
        ["2: [centre]: on_script_error: expected 'hang up' or a queue; unknown queue 'x'"],
    ),
    ('\n\n[queue."\\u0000"]', ["3: [queue]: "]),
]


@pytest.mark.parametrize(("text", "expected"), BROKEN)
def test_what_is_wrong_is_said_with_its_line_and_key(tmp_path, text, expected):
    found = problems(tmp_path, text)
    for fragment in expected:
        assert any(fragment in one for one in found), found


def test_everything_is_said_at_once(tmp_path):
    text = """
[switch]
adress = "x"
[queue.sales]
requires = "loans >="
max_wait_s = "soon"
overflow = { queue = "slaes" }
strategy = "longest-idel"
widening = { after_s = -1, also = ["nobody"] }
[queue.a]
priority = "high"
overflow = { queue = "a" }
[agent.ann]
skills = { sales = "much" }
[numbers]
"5000" = { queue = "sale" }
[centre]
bridge_at = "noon"
"""
    found = problems(tmp_path, text)
    assert [one.partition(": [")[0] for one in found] == [*"356", *"789", "11", "12", "13", "14", "16", "18"], found


def test_a_file_that_everybody_can_read_is_no_place_for_a_password(tmp_path):
    path = written(tmp_path, "[switch]\npassword = 'mine'\n[numbers]\n'1' = { hang_up = true }")
    assert read_configuration(path, {}).warnings == ()
    path.chmod(0o644)
    assert [str(one) for one in read_configuration(path, {}).warnings] == [
        f"{path}:2: [switch]: password: everybody on this machine can read it; chmod o-r, or use password_env"
    ]
    path.write_text("[switch]\npassword_env = 'X'\n[numbers]\n'1' = { hang_up = true }")
    assert read_configuration(path, {"X": "mine"}).warnings == ()
    assert "FreeSWITCH's default" in str(read_configuration(path, {"X": "ClueCon"}).warnings[0])


def test_a_secret_in_a_file(tmp_path):
    written(tmp_path, "of ${ITS} own\nmore\n", "secret")
    path = written(tmp_path, "[switch]\npassword_file = 'secret'")
    assert read_configuration(path, {}).switches[0].password == "of ${ITS} own"


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("[queue.a]\nrequires = 'x'\n[agent.b]\ncontact = 'u'", "queue 'a': none of the 1 agents meets 'x'"),
        ("[queue.a]\nrequires = 'x'\n[agent.b]\ncontact = 'u'", "agent 'b' meets no queue's requirement"),
        ("[queue.a]\n[agent.b]\ncontact = 'u'\nskills = { y = 1 }", "no queue asks for the skill 'y'"),
        ("[queue.a]\n[agent.b]\ncontact = 'u'\n[agent.c]\ncontact = 'u'", "2 agents have the phone 'u'"),
        ("[queue.a]\noverflow = { voicemail = '5' }", "2: [queue.a]: overflow: it is never used: set max_wait_s"),
        (
            "[queue.a]\noverflows = { length = { voicemail = '5' } }",
            "2: [queue.a]: overflows.length: it is never used: set max_waiting",
        ),
        ("[queue.a]", "every call will be refused"),
        (
            "[queue.a]\n[numbers]\n'5*' = {queue='a'}\n'50' = {queue='a'}",
            "4: [numbers]: 50: it is never reached: '5*' before",
        ),
        ("[queue.a]\n[plan.default]\nqueue = 'a'\n[numbers]\n'1' = { queue = 'a' }", "no number goes by the plan"),
    ],
)
def test_what_was_probably_not_meant(tmp_path, text, warning):
    assert any(warning in str(one) for one in read(tmp_path, f"{text}\n[switch]\npassword = 'x'").warnings)


def test_two_queues_may_widen_to_each_other(tmp_path):
    text = "[queue.a]\nwidening = { after_s = 1, also = ['b'] }\n[queue.b]\nwidening = { after_s = 1, also = ['a'] }"
    assert set(read(tmp_path, text).queues) == {"a", "b"}


def test_a_plan_and_a_menu_in_files_of_their_own(tmp_path):
    written(tmp_path, "[[rules]]\nname = 'x'\nwhen = { clas = 'vip' }\nto = { queue = 'a' }\n", "plan.toml")
    written(tmp_path, "start = 'nowhere'\n", "main.toml")
    found = problems(tmp_path, "[queue.a]\n[plan]\nfile = 'plan.toml'\n[menu.main]\nfile = 'main.toml'")
    assert any("plan.toml:3: [rule 1 'x']: when.clas: unknown key; did you mean 'class'?" in one for one in found), (
        found
    )
    assert any("main.toml: start" in one for one in found), found


def test_paths_are_beside_the_file(tmp_path):
    made = read(tmp_path, "[journal]\ndirectory = 'journal'\n[daemon]\npid_file = '/run/x.pid'\ncontrol = 'c'")
    assert made.services.journal.directory == str(tmp_path / "journal")
    assert (made.daemon.pid_file, made.daemon.control) == ("/run/x.pid", str(tmp_path / "c"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1m 30s", 90), ("1.5h", 5400), ("500ms", 0.5), ("1d", 86400), (7, 7), (None, None)],
)
def test_durations(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "30", "-1s", "1 fortnight", "1s x", "٣s", "1e9s"])
def test_what_is_no_duration(text):
    with pytest.raises(ConfigurationError, match="such as '30s'"):
        duration(text)


def test_every_field_of_queues_and_agents_can_be_said(tmp_path):
    from attrs import fields

    from cti.model.agent import AgentSettings
    from cti.model.queue import QueueSettings

    for kind, table in ((QueueSettings, "queue"), (AgentSettings, "agent")):
        text = "\n".join(f"{one.name} = []" for one in fields(kind) if one.name != "id")
        said = problems(tmp_path, f"[{table}.x]\n{text}")
        assert not [one for one in said if "unknown key" in one]


def test_the_environment_is_the_processs_own(tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "SWITCH_PASSWORD", ENVIRON["SWITCH_PASSWORD"])
    assert read_configuration(written(tmp_path, GOOD)).switches[0].password == "s3cret"


def test_several_switches(tmp_path):
    made = read(
        tmp_path,
        """
[switch.north]
address = "10.0.0.1:8021"
password = "one"
sip = "10.0.0.1:5090"
[switch.south]
address = "10.0.0.2:8021"
password_env = "SWITCH_PASSWORD"
sip = "10.0.0.2:5090"
profile = "trunks"
drain = { destination = "6000" }
lost_after_s = "2m"
doorbell = "127.0.0.2:8022"
[agent.ann]
contact = "user/1"
switch = "south"
""",
    )
    north, south = made.switches
    assert (north.name, north.password, north.lost_after_s) == ("north", "one", 60.0)
    assert (north.doorbell, south.doorbell) == ("", "127.0.0.2:8022")
    assert (south.name, south.password, south.profile, south.lost_after_s) == ("south", "s3cret", "trunks", 120.0)
    assert south.drain == ToDestination("6000")
    assert made.agents["ann"].switch == "south"
    assert made.addresses == "north 10.0.0.1:8021, south 10.0.0.2:8021"


def test_the_operators_rules_for_contacts(tmp_path):
    made = read(tmp_path, "[centre]\nallowed_contacts = ['sofia/gateway/mobile/1*', 'sofia/agents/*@192.0.2.7']")
    assert made.centre.allowed_contacts == ("sofia/gateway/mobile/1*", "sofia/agents/*@192.0.2.7")


def test_an_agent_who_stays_on_the_line(tmp_path):
    stays = '[agent.zoe]\ncontact = "user/7"\nstanding = true\nstanding_tone = false\nstanding_music = "local_stream://moh"\n'
    made = read(tmp_path, f"{GOOD}\n{stays}").agents["zoe"]
    assert (made.standing, made.standing_tone, made.standing_music) == (True, False, "local_stream://moh")
    with pytest.raises(BadConfiguration) as bad:
        read(tmp_path, f'{GOOD}\n{stays}mobile = "user/8"\n')
    assert "agent 'zoe' has a standing connection and a mobile" in str(bad.value)

"""Plans from data: what is read, and that everything wrong is named at once."""

from __future__ import annotations

import tomllib

import pytest

from cti.errors import ConfigurationError
from cti.model.overflow import Disconnect, ToDestination, ToQueue, ToScript, ToVoicemail
from cti.model.personal import Deputy, LastAgent, Personal
from cti.plan import BadPlan, Calendar, PersonalFrom, Plan, Request, RouteSelect, read_plan

HEAD = """
time_zone = "Asia/Shanghai"
country = "CN"
default = { queue = "general" }
calendars.office = { hours = "mon-fri 09:00-18:00", holidays = "CN" }
"""


def plan(text, **known):
    return read_plan(tomllib.loads(HEAD + text), **known)


def rule(when="{}", to='{ queue = "claims" }'):
    return f'[[rules]]\nname = "it"\nwhen = {when}\nto = {to}\n'


def problems(text, *, head=HEAD, **known):
    with pytest.raises(BadPlan) as caught:
        read_plan(tomllib.loads(head + text), **known)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(problem) for problem in caught.value.problems]


MONDAY = 1772416800.0  # 2026-03-02 10:00 in Shanghai


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ("{}", True),
        ('{ called = "400*", region = "CN-11", class = "vip", calendar = "office", open = true }', True),
        ('{ called = "400*", region = "CN-44", class = "vip", calendar = "office", open = true }', False),
        ('{ called = ["1", "400*"], country = ["HK", "CN"], number_type = "mobile" }', True),
        ('{ calling = ["139*", "138-0013-8000"], calling_name = "Li*" }', True),
        ('{ data = { product = "life", balance = { ">=" = 1000, "<" = 2000 }, x = { exists = false } } }', True),
        ('{ data = { product = ["car", "home"] } }', False),
        ('{ calendar = "office", day = ["holiday", "closed"] }', False),
        ('{ time = "mon-fri 09:00-12:00" }', True),
        ('{ time = "22:00-06:00" }', False),
        ('{ any_of = [{ called = "1" }, { class = "vip", calling = "1*" }] }', True),
        ('{ not = { called = "1" } }', True),
        ('{ not = { called = "400*", class = "vip" } }', False),
        ('{ agent = "li", presence = ["busy", "LUNCH"] }', True),
        ('{ agent_from = "adviser", presence = "ready" }', False),
        ('{ queue = "claims", waiting_above = 4, expected_wait_above_s = 60, unstaffed = false }', False),
    ],
)
def test_conditions(when, holds):
    made = plan(rule(when))
    data = {"class": "vip", "product": "life", "balance": "1500", "adviser": "li"}
    asked = Request("13800138000", "4008001234", MONDAY, "Li Lei", data, presence={"li": "lunch"}.get)
    assert made.select(asked).rule == ("it" if holds else "")


@pytest.mark.parametrize(
    ("to", "select"),
    [
        ('{ queue = "claims" }', RouteSelect(ToQueue("claims"), rule="it")),
        (
            '{ queue = "claims", priority = -2, data = { from = "vip" }, preferred = ["li", "wang"] }',
            RouteSelect(ToQueue("claims"), -2, {"from": "vip"}, preferred=("li", "wang"), rule="it"),
        ),
        (
            """{ queue = "claims", agent = "li", wait_s = 60, by_presence = { busy = 90, LEAVE = { agent = "wang" },
                  mobile = { destination = "9138" }, "logged off" = { voicemail = "500" } } }""".replace("\n", " "),
            RouteSelect(
                ToQueue("claims"),
                personal=Personal(
                    "li",
                    60,
                    {
                        "busy": 90,
                        "leave": Deputy("wang"),
                        "mobile": ToDestination("9138"),
                        "logged off": ToVoicemail("500"),
                    },
                ),
                rule="it",
            ),
        ),
        (
            '{ queue = "claims", last_agent = true, within_s = 3600, wait_s = 15 }',
            RouteSelect(ToQueue("claims"), personal=LastAgent(3600, 15), rule="it"),
        ),
        ('{ destination = "9138" }', RouteSelect(ToDestination("9138"), rule="it")),
        ('{ voicemail = "500" }', RouteSelect(ToVoicemail("500"), rule="it")),
        ('{ voicemail = "500@example.com" }', RouteSelect(ToVoicemail("500", "example.com"), rule="it")),
        ('{ script = "offer-callback" }', RouteSelect(ToScript("offer-callback"), rule="it")),
        ("{ hang_up = true }", RouteSelect(Disconnect(), rule="it")),
    ],
)
def test_targets(to, select):
    known = {"queues": ["general", "claims"], "agents": ["li", "wang"], "scripts": ["offer-callback"]}
    assert plan(rule(to=to), **known).select(Request("1", "2", MONDAY)) == select


def test_an_agent_in_the_data():
    made = plan(rule(to='{ queue = "claims", agent_from = "adviser", wait_s = 15 }'))
    assert made.rules[0].to.personal == PersonalFrom("adviser", 15)


def test_an_empty_plan_and_calendars_from_python():
    assert read_plan({"default": {"queue": "x"}}) == Plan([], RouteSelect(ToQueue("x")))
    lunch = Calendar("lunch", "12:00-13:00", "UTC")
    made = plan(rule('{ calendar = "lunch", open = false }'), calendars=[lunch])
    assert made.select(Request("1", "2", MONDAY)).rule == "it"
    taken = Calendar("office", "12:00-13:00", "UTC")
    assert problems("", calendars=[taken]) == [
        "calendar 'office': there is one of this name already, made in Python; give each a name of its own"
    ]


def test_a_long_time():
    hours = ", ".join(f"{hour}:00-{hour}:30" for hour in range(24))
    assert plan(rule(f'{{ time = "daily {hours}" }}')).select(Request("1", "2", MONDAY)).rule == "it"


def test_a_calendar_takes_all_its_fields():
    made = plan(
        """
        [calendars.branch]
        time_zone = "Asia/Urumqi"
        hours = { mon-fri = ["10:00-13:00", "15:00-19:00"], sat = "10:00-12:00" }
        closed = [2026-05-04, "2026-08-01..2026-08-03"]
        special = { 2026-12-31 = "10:00-12:00" }
        working = [2026-05-09]
        working_as = "tue"
        holidays = "CN"
        holiday_hours = "11:00-12:00"
        """
        + rule('{ calendar = "branch", day = "special" }')
    )
    branch = made.rules[0].when[0].calendar
    assert branch.time_zone.key == "Asia/Urumqi"
    assert len(branch.closed) == 4


def test_warnings():
    text = rule('{ time = "09:00-12:00" }') + rule('{ called = "1", time = "09:00-12:00" }').replace("it", "late")
    assert plan(text).warnings == ("rule 'late' is never reached: 'it' before it matches whenever it does",)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("5", "when: expected a table, found 5"),
        ("{ called = 5 }", "when.called: expected text, or a list of texts, found 5"),
        ("{ called = [] }", "when.called: expected text, or a list of texts, found []"),
        ('{ caled = "5" }', "when.caled: unknown key; did you mean 'called'?"),
        ('{ region = "CN-99" }', "when.region: region 'CN-99' is unknown"),
        ('{ region = "CN-GDD" }', "when.region: region 'CN-GDD' is unknown; did you mean 'CN-GD'?"),
        ('{ country = "China" }', "when.country: country 'China' is unknown; write ISO's two letters, such as 'CN'"),
        ('{ number_type = "cell" }', "when.number_type: 'cell' is no type of number; it must be one of fixed line, "),
        ('{ calendar = "ofice", open = true }', "when.calendar: unknown calendar 'ofice'; did you mean 'office'?"),
        ('{ calendar = "office" }', "when.calendar: expected open or day beside it, to say what of it"),
        ("{ open = true }", "when.open: it needs calendar, to say whose"),
        ('{ calendar = "office", open = "no" }', "when.open: expected true or false, found 'no'"),
        ('{ calendar = "office", day = "sunday" }', "when.day: 'sunday' is no kind of day; it must be one of regular,"),
        ('{ time = "9-12" }', "when.time: hours: column 1: expected a day, a time such as 09:00"),
        ("{ data = 5 }", "when.data: expected a table, found 5"),
        ('{ data = { x = { ">>" = 5 } } }', "when.data.x: '>>' is no comparison"),
        ("{ data = { x = {} } }", "when.data.x: expected a value, a list, or comparisons"),
        ('{ data = { x = { ">" = "5" } } }', "when.data.x: 'x' > needs a number, not '5'"),
        ("{ data = { x = 2026-01-01 } }", "when.data.x: 'x' == needs text, a number or a boolean"),
        ('{ queue = "clams", unstaffed = true }', "when.queue: unknown queue 'clams'; did you mean 'claims'?"),
        ('{ queue = "claims" }', "when.queue: expected one of waiting_above, expected_wait_above_s, unstaffed beside"),
        ("{ waiting_above = 5 }", "when.waiting_above: it needs queue, to say whose"),
        ('{ queue = "claims", waiting_above = 1.5 }', "when.waiting_above: waiting is 1.5; it must be a whole number"),
        ('{ queue = "claims", expected_wait_above_s = nan }', "when.expected_wait_above_s: seconds is nan"),
        ('{ agent = "lee", presence = "ready" }', "when.agent: unknown agent 'lee'; did you mean 'li'?"),
        ('{ agent = "li" }', "when.agent: expected presence beside it, to say what of them"),
        ('{ presence = "ready" }', "when.presence: it needs agent or agent_from, to say whose"),
        (
            '{ agent = "li", agent_from = "x", presence = "ready" }',
            "when.agent_from: expected agent or agent_from, found both",
        ),
        ("{ any_of = [] }", "when.any_of: expected a list of tables of conditions, found []"),
        ("{ any_of = [{}] }", "when.any_of[1]: expected at least one condition, found none"),
        ("{ not = 5 }", "when.not: expected a table, found 5"),
        ("{ not = { not = { x = 5 } } }", "when.not.not.x: unknown key; known: "),
        (
            "{ not = " * 9 + '{ called = "1" }' + " }" * 9,
            "when" + ".not" * 9 + ": expected at most 8 within each other",
        ),
    ],
)
def test_conditions_that_are_refused(when, said):
    (one,) = problems(rule(when), queues=["general", "claims"], agents=["li"])
    assert one.startswith(f"rule 1 'it': {said}")


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("5", "to: expected a table, found 5"),
        ("{}", "to: expected one of queue, destination, voicemail, mailbox, fax, script, hang_up, found none"),
        (
            '{ queue = "claims", script = "ivr" }',
            "to: expected one of queue, destination, voicemail, mailbox, fax, script, hang_up, found queue and",
        ),
        ('{ queue = "clams" }', "to.queue: unknown queue 'clams'; did you mean 'claims'?"),
        ('{ script = "ivs" }', "to.script: unknown script 'ivs'; did you mean 'ivr'?"),
        ("{ queue = 5 }", "to.queue: expected text, found 5"),
        ("{ hang_up = false }", "to.hang_up: expected true, found False"),
        ('{ queue = "claims", priority = "high" }', "to: priority is 'high'; it must be a whole number"),
        ('{ queue = "claims", data = 5 }', "to.data: expected a table, found 5"),
        ('{ queue = "claims", preferred = ["lee"] }', "to.preferred: unknown agent 'lee'"),
        ('{ queue = "claims", agent = "lee" }', "to.agent: unknown agent 'lee'"),
        (
            '{ queue = "claims", agent = "li", last_agent = true }',
            "to.last_agent: expected one of agent, agent_from, last_agent, found",
        ),
        ('{ queue = "claims", wait_s = 5 }', "to.wait_s: it needs one of agent, agent_from, last_agent"),
        ('{ queue = "claims", agent = "li", within_s = 5 }', "to.within_s: it needs last_agent"),
        ('{ queue = "claims", agent = "li", wait_s = -5 }', "to.agent: wait_s is -5"),
        ('{ queue = "claims", agent = "li", by_presence = 5 }', "to.by_presence: expected a table, found 5"),
        ('{ queue = "claims", agent = "li", by_presence = { away = "x" } }', "to.agent: by_presence: 'away' has 'x'"),
        (
            '{ queue = "claims", agent = "li", by_presence = { away = {} } }',
            "to.by_presence.away: expected one of queue,",
        ),
        (
            '{ queue = "claims", agent = "li", by_presence = { away = { agent = "lee" } } }',
            "to.by_presence.away.agent: unknown agent",
        ),
        (
            '{ destination = "9", agent = "li" }',
            "to: to is ToDestination(destination='9'); personal and preferred need",
        ),
        ('{ queue = "claims", prio = 5 }', "to.prio: unknown key; did you mean 'priority'?"),
    ],
)
def test_targets_that_are_refused(to, said):
    (one,) = problems(rule(to=to), queues=["general", "claims"], agents=["li"], scripts=["ivr"])
    assert one.startswith(f"rule 1 'it': {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["plan: default: expected where a call goes that no rule is for, found none"]),
        ("default = 5", ["default: expected a table, found 5"]),
        ('default = { queue = "x" }\nrules = 5', ["plan: rules: expected a list of tables, found 5"]),
        ('default = { queue = "x" }\nrules = [5]', ["rule 1: expected a table, found 5"]),
        (
            'default = { queue = "x" }\nrules = [{ name = "a" }]',
            ["rule 1 'a': to: expected where the call goes, found none"],
        ),
        (
            'default = { queue = "x" }\nrules = [{ to = { queue = "x" }, name = "a" }, { to = { queue = "x" }, name = "a" }]',
            ["plan: two rules are called 'a'; give each a name of its own"],
        ),
        (
            'default = { queue = "x" }\ntime_zone = "Mars"',
            ["plan: time_zone: unknown time zone 'Mars'; write an IANA name, such as 'Asia/Shanghai' or 'UTC'"],
        ),
        (
            'default = { queue = "x" }\ncalendars.a = {}',
            ["calendar 'a': hours: it is missing", "calendar 'a': time_zone: it is missing"],
        ),
        ('default = { queue = "x" }\ncalendars = 5', ["plan: calendars: expected a table, found 5"]),
        ('default = { queue = "x" }\ncuntry = "CN"', ["plan: cuntry: unknown key; did you mean 'country'?"]),
        (
            'default = { queue = "x" }\nrules = [{ when = { region = "CN-44", time = "09:00-10:00" }, to = { queue = "x" } }]',
            [
                "rule 1: when.region: it needs the plan's country, such as 'CN', to look numbers up",
                "rule 1: when.time: it needs the plan's time_zone, such as 'Asia/Shanghai'",
            ],
        ),
    ],
)
def test_plans_that_are_refused(text, said):
    assert problems(text, head="") == said


def test_all_that_is_wrong_is_said_at_once_and_nothing_twice():
    text = """
    time_zone = "Asia/Shangai"
    country = "China"
    default = { queue = "generl" }
    calendars.office = { hours = "mon-fri 9", time_zone = "UTC", hollidays = "CN" }
    rules = [
        { name = "a", when = { calendar = "office", open = true, region = "CN-44", time = "09:00-10:00" }, to = { queue = "general" } },
        { name = "b", when = { clas = "vip" }, to = { voicemail = 500 } },
    ]
    """
    assert problems(text, head="", queues=["general"]) == [
        "plan: time_zone: unknown time zone 'Asia/Shangai'; did you mean 'Asia/Shanghai'?",
        "plan: country: country 'China' is unknown; write ISO's two letters, such as 'CN'",
        "calendar 'office': hollidays: unknown key; did you mean 'holidays'?",
        "calendar 'office': hours: column 9: expected a day, a time such as 09:00, '-', ',' or ';', found '9'",
        "rule 2 'b': when.clas: unknown key; did you mean 'class'?",
        "rule 2 'b': to.voicemail: expected text, found 500",
        "default: queue: unknown queue 'generl'; did you mean 'general'?",
    ]


@pytest.mark.parametrize("data", [None, 5, [], "x"])
def test_what_is_no_plan_at_all(data):
    with pytest.raises(ConfigurationError, match="plan: expected a table, found"):
        read_plan(data)

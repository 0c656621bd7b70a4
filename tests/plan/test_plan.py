"""Plans: which rule decides, why the others did not, and that no caller upsets them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.errors import ConfigurationError
from cti.model.overflow import Disconnect, ToDestination, ToQueue, ToScript, ToVoicemail
from cti.model.personal import Deputy, LastAgent, Personal
from cti.plan import (
    AgentKey,
    AnyOf,
    Attached,
    Calendar,
    CalledNumber,
    CallingName,
    CallingNumber,
    CustomerClass,
    DayIs,
    ExpectedWaitAbove,
    FromCountry,
    FromRegion,
    LongerThan,
    Not,
    NumberType,
    Open,
    PersonalFrom,
    Plan,
    PresenceIs,
    QueueLoad,
    Regions,
    Request,
    RouteSelect,
    Rule,
    TimeIs,
    Unstaffed,
)
from cti.plan.request import Asked

MONDAY = datetime(2026, 3, 2, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
OFFICE = Calendar("office", "mon-fri 09:00-18:00", "Asia/Shanghai", closed=["2026-03-03"])
EVENING = Calendar("18:00-22:00", "18:00-22:00", "Asia/Shanghai")
REGIONS = Regions("CN", language="zh")
CLAIMS, SALES = RouteSelect(ToQueue("claims")), RouteSelect(ToQueue("sales"))

AGENTS = {"li": "ready", "wang": "leave", "zhao": "logged off", "sun": "busy"}
LOADS = {"claims": QueueLoad(5, 3, 90.0), "night": QueueLoad(0, 0)}


def request(calling="13800138000", called="4008001234", **more):
    return Request(calling, called, **{"at": MONDAY, "presence": AGENTS.get, "load": LOADS.get, **more})


DATA = {"product": "life", "balance": "1500.50", "policies": 3, "premium": True, "note": None, "adviser": "wang"}


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (CalledNumber("4008001234"), ""),
        (CalledNumber(("123", "400*")), ""),
        (CalledNumber("400[0-7]*"), "called '4008001234', not '400[0-7]*'"),
        (CallingNumber("138*"), ""),
        (CallingNumber("+86138*"), ""),
        (CallingNumber(("+8613800138000",)), ""),
        (CallingNumber(("139*", "137*")), "calling '13800138000', not one of '139*', '137*'"),
        (CallingName("Li *"), "calling name '', not 'Li *'"),
        (FromCountry(("CN", "HK")), ""),
        (FromCountry(("HK",)), "country CN, not 'HK'"),
        (FromRegion(("CN-11",)), ""),
        (FromRegion(("beijing",)), ""),
        (FromRegion(("北京*",)), ""),
        (FromRegion(("CN-44", "Guang*")), "region CN-BJ (Beijing), not one of 'CN-44', 'Guang*'"),
        (NumberType(("mobile",)), ""),
        (NumberType(("toll free", "unknown")), "number type mobile, not one of 'toll free', 'unknown'"),
        (CustomerClass(("vip",)), "class 'gold', not 'vip'"),
        (CustomerClass(("vip", "gold")), ""),
        (Attached("product", "==", "life"), ""),
        (Attached("product", "==", "car"), "data.product is 'life', not 'car'"),
        (Attached("product", "!=", "car"), ""),
        (Attached("absent", "!=", "car"), ""),
        (Attached("product", "!=", "life"), "data.product is 'life', not != 'life'"),
        (Attached("product", "in", ("car", "life")), ""),
        (Attached("product", "in", ("car",)), "data.product is 'life', not in ('car',)"),
        (Attached("absent", "in", ("car",)), "data.absent is not there, not in ('car',)"),
        (Attached("balance", ">=", 1500), ""),
        (Attached("balance", "<", 1500), "data.balance is '1500.50', not < 1500"),
        (Attached("balance", "==", 1500.5), ""),
        (Attached("policies", "==", "3"), ""),
        (Attached("policies", ">", 3), "data.policies is 3, not > 3"),
        (Attached("product", ">", 3), "data.product is 'life', not > 3"),
        (Attached("premium", "==", True), ""),
        (Attached("premium", "==", "true"), ""),
        (Attached("premium", "==", 1), "data.premium is True, not 1"),
        (Attached("note", "exists", True), ""),
        (Attached("note", "exists", False), "data.note is there"),
        (Attached("note", "==", "x"), "data.note is None, not 'x'"),
        (Attached("absent", "exists", False), ""),
        (Attached("absent", "exists", True), "data.absent is not there"),
        (Open(OFFICE), ""),
        (Open(OFFICE, open=False), "office is open: regular monday, 09:00-18:00"),
        (DayIs(OFFICE, ("regular",)), ""),
        (
            DayIs(OFFICE, ("closed", "holiday")),
            "2026-03-02 is regular (monday) for office, not one of 'closed', 'holiday'",
        ),
        (TimeIs(EVENING), "it is mon 10:00 in Asia/Shanghai, not 18:00-22:00"),
        (LongerThan("claims", 4), ""),
        (LongerThan("claims", 5), "5 wait in claims, not more than 5"),
        (LongerThan("nowhere", 5), "there is no queue 'nowhere'"),
        (ExpectedWaitAbove("claims", 89), ""),
        (ExpectedWaitAbove("claims", 90), "the expected wait in claims is 90 s, not above 90 s"),
        (ExpectedWaitAbove("night", 90), "the expected wait in night is unknown, not above 90 s"),
        (ExpectedWaitAbove("nowhere", 90), "there is no queue 'nowhere'"),
        (Unstaffed("night"), ""),
        (Unstaffed("claims"), "3 are logged on for claims"),
        (Unstaffed("night", unstaffed=False), "0 are logged on for night"),
        (Unstaffed("nowhere"), "there is no queue 'nowhere'"),
        (PresenceIs("li", ("ready",)), ""),
        (PresenceIs("wang", ("LEAVE",)), ""),
        (PresenceIs("wang", ("not ready",)), ""),
        (PresenceIs("sun", ("not ready", "ready")), "sun is busy, not one of 'not ready', 'ready'"),
        (PresenceIs("qian", ("ready",)), "there is no agent 'qian'"),
        (PresenceIs(AgentKey("adviser"), ("leave",)), ""),
        (PresenceIs(AgentKey("product"), ("leave",)), "there is no agent 'life'"),
        (PresenceIs(AgentKey("policies"), ("leave",)), "the agent in data.policies is nobody"),
        (AnyOf(((CalledNumber("1"),), (CalledNumber("4*"), Open(OFFICE)))), ""),
        (
            AnyOf(((CalledNumber("1"), CallingName("x")), (CalledNumber("2"),))),
            "none of (called '4008001234', not '1' and calling name '', not 'x'; called '4008001234', not '2')",
        ),
        (Not((CalledNumber("4*"), CalledNumber("1"))), ""),
        (Not((CalledNumber("4*"), Open(OFFICE))), "it is so that called '4*' and office open"),
    ],
    ids=str,
)
def test_conditions(condition, why):
    asked = Asked(request(data=DATA, customer_class="gold"), REGIONS)
    assert condition.misses(asked) == why
    assert str(condition)
    assert not str(condition).startswith(type(condition).__name__)


def test_the_class_is_attached():
    assert request(data={"class": "vip"}).customer_class == "vip"
    assert request(data={"class": 7}).customer_class == "7"
    assert evolve(request(), data={"class": "vip"}).customer_class == "vip"
    assert evolve(request(customer_class="gold"), data={"class": "vip"}).customer_class == "gold"
    assert request(data={"class": ["vip"]}).customer_class == request().customer_class == ""


def test_the_first_rule_that_holds_decides():
    plan = Plan(
        [
            Rule("night", RouteSelect(ToVoicemail("500")), Open(OFFICE, open=False)),
            Rule("vip", RouteSelect(ToQueue("vip"), priority=10, data={"greet": True}), [CustomerClass(("vip",))]),
            Rule("mobile", SALES, [NumberType(("mobile",)), CalledNumber("400*")]),
        ],
        CLAIMS,
        REGIONS,
    )
    assert plan.select(request()).to == ToQueue("sales")
    assert plan.select(request()).rule == "mobile"
    chosen = plan.select(request(data={"class": "vip"}))
    assert (chosen.to, chosen.priority, chosen.data, chosen.rule) == (ToQueue("vip"), 10, {"greet": True}, "vip")
    assert plan.select(request(at=MONDAY.replace(day=3))).to == ToVoicemail("500")
    default = plan.select(request("anonymous"))
    assert (default.to, default.rule) == (ToQueue("claims"), "")
    assert plan.warnings == ()
    chosen.data["greet"] = False  # a call's own copy
    assert plan.select(request(data={"class": "vip"})).data == {"greet": True}


def test_why():
    plan = Plan(
        [
            Rule("vip", CLAIMS, [CustomerClass(("vip",)), CalledNumber("1")]),
            Rule("all", SALES),
            Rule("office", CLAIMS, Open(OFFICE)),
        ],
        CLAIMS,
    )
    explained = plan.explain(request())
    assert explained.select == plan.select(request())
    assert [(rule.name, rule.chosen) for rule in explained.rules] == [("vip", False), ("all", True), ("office", False)]
    assert str(explained) == (
        "vip: no, class '', not 'vip'; called '4008001234', not '1'\n"
        "all: chosen\n"
        "office: holds too, but an earlier one was chosen\n"
        "to ToQueue(queue='sales'), by all"
    )
    nobody = Plan([Rule("vip", CLAIMS, CustomerClass(("vip",)))], SALES).explain(request())
    assert nobody.select == RouteSelect(ToQueue("sales"))
    assert str(nobody).endswith("by default")


def test_rules_that_are_never_reached():
    night, vip = Open(OFFICE, open=False), CustomerClass(("vip",))
    plan = Plan(
        [
            Rule("vip", CLAIMS, vip),
            Rule("vip at night", CLAIMS, [night, vip]),
            Rule("night", CLAIMS, night),
            Rule("rest", CLAIMS),
            Rule("late", CLAIMS, CalledNumber("1")),
        ],
        SALES,
    )
    assert plan.warnings == (
        "rule 'vip at night' is never reached: 'vip' before it matches whenever it does",
        "rule 'late' is never reached: 'rest' before it always matches",
    )


def test_nothing_is_looked_up_that_no_rule_asks_for():
    def fail(_name):
        raise AssertionError("asked for")

    plan = Plan(
        [Rule("called", CLAIMS, [CalledNumber("1"), PresenceIs("li", ("ready",)), LongerThan("claims", 1)])], SALES
    )
    assert plan.select(request(presence=fail, load=fail)).to == ToQueue("sales")


# -- agents -----------------------------------------------------------------------------------------------------------


def test_a_customer_s_own_adviser():
    adviser = PersonalFrom("adviser", wait_s=40, by_presence={"leave": Deputy("li"), "mobile": ToDestination("9138")})
    plan = Plan((), RouteSelect(ToQueue("vip"), personal=adviser, preferred=("li", "sun")))
    chosen = plan.select(request(data={"adviser": "wang"}))
    assert chosen.personal == Personal("wang", 40, adviser.by_presence)
    assert chosen.preferred == ("li", "sun")


@pytest.mark.parametrize("adviser", [None, "", "nobody", 5, ["li"], "x" * 201, "li\n"])
def test_an_adviser_who_is_not_there_is_not_waited_for(adviser):
    plan = Plan((), RouteSelect(ToQueue("vip"), personal=PersonalFrom("adviser")))
    assert plan.select(request(data={"adviser": adviser})).personal is None
    assert plan.select(request()).personal is None


def test_who_is_named_and_who_was_last_pass_as_they_are():
    for personal in (Personal("wang", 10), LastAgent(wait_s=5)):
        assert Plan((), RouteSelect(ToQueue("vip"), personal=personal)).select(request()).personal == personal


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Plan([Rule("a", CLAIMS), Rule("a", SALES)], CLAIMS), "two rules are called 'a'"),
        (lambda: Plan([Rule("a", CLAIMS, FromCountry(("CN",)))], CLAIMS), "rule 'a' asks where a number is from"),
        (lambda: Plan([Rule("a", CLAIMS, Not((AnyOf(((NumberType(("voip",)),),)),)))], CLAIMS), "rule 'a' asks where"),
        (lambda: Plan([], ToQueue("x")), "default is ToQueue(queue='x'); it must be a RouteSelect"),
        (lambda: Rule("a", ToQueue("x")), "to is ToQueue(queue='x'); it must be a RouteSelect"),
        (lambda: Rule("", CLAIMS), "name is ''"),
        (lambda: Rule("a", CLAIMS, ["vip"]), "when has 'vip'"),
        (lambda: RouteSelect("claims"), "to is 'claims'; it must be ToQueue"),
        (lambda: RouteSelect(ToQueue("x"), priority=1.5), "priority is 1.5"),
        (lambda: RouteSelect(ToScript("x"), personal=Personal("li")), "to is ToScript(script='x'); personal and"),
        (lambda: RouteSelect(Disconnect(), preferred=("li",)), "to is Disconnect(); personal and"),
        (lambda: RouteSelect(ToQueue("x"), personal="li"), "personal is 'li'; it must be Personal, LastAgent or"),
        (lambda: RouteSelect(ToQueue("x"), preferred="li"), "preferred is 'li'; it must be a list of agents"),
        (lambda: PersonalFrom("adviser", by_presence={"away": "x"}), "by_presence: 'away' has 'x'"),
        (lambda: PersonalFrom("adviser", wait_s=-1), "wait_s is -1"),
        (lambda: CalledNumber(()), "texts is ()"),
        (lambda: CalledNumber(""), "texts is ('',)"),
        (lambda: FromCountry(("China",)), "country 'China' is unknown"),
        (lambda: FromCountry(("cn",)), "country 'cn' is unknown; did you mean 'CN'?"),
        (lambda: FromRegion(("CN-GX", "CN-99")), "region 'CN-99' is unknown"),
        (lambda: NumberType(("cell",)), "'cell' is no type of number"),
        (lambda: CustomerClass(("",)), "classes is ('',)"),
        (lambda: Attached("a", "=", 1), "'=' is no comparison"),
        (lambda: Attached("", "==", 1), "key is ''"),
        (lambda: Attached("a", ">", "1"), "'a' > needs a number, not '1'"),
        (lambda: Attached("a", ">", True), "'a' > needs a number, not True"),
        (lambda: Attached("a", "<", float("nan")), "'a' < needs a number, not nan"),
        (lambda: Attached("a", "in", ()), "'a' in needs a tuple"),
        (lambda: Attached("a", "exists", 1), "'a' exists needs true or false"),
        (lambda: Attached("a", "==", None), "'a' == needs text, a number or a boolean, not None"),
        (lambda: DayIs(OFFICE, ("weekend",)), "'weekend' is no kind of day"),
        (lambda: DayIs(OFFICE, ()), "kinds is ()"),
        (lambda: LongerThan("claims", -1), "waiting is -1"),
        (lambda: LongerThan("claims", 1.5), "waiting is 1.5"),
        (lambda: ExpectedWaitAbove("claims", float("nan")), "seconds is nan"),
        (lambda: Unstaffed(""), "queue is ''"),
        (lambda: PresenceIs("li", ()), "presences is ()"),
        (lambda: PresenceIs("li", (5,)), "presences is (5,)"),
        (lambda: AgentKey(""), "key is ''"),
    ],
)
def test_what_is_refused_is_named(make, message):
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value).startswith(message)


EVERY = Plan(
    [
        Rule("called", CLAIMS, CalledNumber(("1*2*3*4*5", "[!a]?"))),
        Rule("calling", CLAIMS, CallingNumber(("+*0*0*0*1", "13800138000"))),
        Rule("name", CLAIMS, CallingName("*a*a*a*a*b")),
        Rule("region", CLAIMS, FromRegion(("CN-44",))),
        Rule("data", CLAIMS, [Attached("a", ">", 3), Attached("b", "==", "x"), CustomerClass(("vip",))]),
        Rule("adviser", RouteSelect(ToQueue("x"), personal=PersonalFrom("a")), Attached("a", "exists", True)),
    ],
    SALES,
    REGIONS,
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(st.text(), st.text(), st.text(), st.dictionaries(st.sampled_from(["a", "b", "class"]), ANYTHING))
def test_nothing_a_caller_sends_raises(calling, called, name, data):
    asked = Request(calling, called, MONDAY, name, data)
    explained = EVERY.explain(asked)
    assert explained.select == EVERY.select(asked)
    assert sum(rule.chosen for rule in explained.rules) == (explained.select.rule != "")


def test_what_a_caller_sends_at_length_costs_little_and_is_told_in_short():
    asked = Request("a" * 100_000, "1" * 100_000, MONDAY, "a" * 100_000, {"b": "b" * 100_000, "a": 10**300})
    assert len(str(EVERY.explain(asked))) < 1500

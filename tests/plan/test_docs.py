"""The plan that the page shows does what the page says."""

from __future__ import annotations

import re
import tomllib
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cti.model.overflow import ToDestination, ToQueue, ToScript, ToVoicemail
from cti.model.personal import Deputy, LastAgent, Personal
from cti.plan import QueueLoad, Request, read_plan

PAGE = (Path(__file__).parent.parent.parent / "docs" / "routing-plan.md").read_text(encoding="utf-8")
(TOML,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
(PYTHON,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

MONDAY = "2026-03-02 10:00"
STAFFED = {"south": QueueLoad(0, 2), "service": QueueLoad(3, 2, 90.0)}


@pytest.fixture(scope="module")
def plan():
    return read_plan(
        tomllib.loads(TOML),
        queues=["accidents", "vip", "south", "english", "service"],
        agents=["mei"],
        scripts=["offer-callback"],
    )


def select(plan, calling="13800138000", at=MONDAY, called="4008001234", loads=STAFFED, **data):
    moment = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    asked = Request(calling, called, moment, data=data, presence={"li": "leave"}.get, load=loads.get)
    explained = plan.explain(asked)
    assert explained.select == plan.select(asked)
    return explained.select


@pytest.mark.parametrize(
    ("call", "rule", "to"),
    [
        ({"called": "4008005555", "at": "2026-02-17 03:00"}, "accidents, day and night", ToQueue("accidents")),
        ({"at": "2026-02-17 10:00"}, "holiday", ToDestination("holiday-message")),
        ({"at": "2026-12-31 10:00", "class": "vip"}, "holiday", ToDestination("holiday-message")),
        ({"at": "2026-03-02 20:00"}, "night", ToVoicemail("500")),
        ({"at": "2026-03-01 10:00"}, "night", ToVoicemail("500")),
        ({"at": "2026-12-24 13:30"}, "night", ToVoicemail("500")),
        ({"at": "2026-02-14 17:00"}, "", ToQueue("service")),  # a Saturday that makes up for a day off
        ({"class": "vip", "adviser": "li"}, "a VIP's own adviser", ToQueue("vip")),
        ({"class": "vip"}, "other VIPs", ToQueue("vip")),
        ({"calling": "+8613900000001"}, "other VIPs", ToQueue("vip")),
        ({"calling": "013900000001"}, "other VIPs", ToQueue("vip")),
        ({"premium": "250000"}, "other VIPs", ToQueue("vip")),
        ({"loads": {"service": QueueLoad(9, 1, 601.0)}}, "too long a wait", ToScript("offer-callback")),
        ({"calling": "02088886666"}, "the Guangzhou branch", ToQueue("south")),
        ({"calling": "02088886666", "loads": {"south": QueueLoad(0, 0)}}, "", ToQueue("service")),
        ({"calling": "+442079460000"}, "from elsewhere", ToQueue("english")),
        ({"calling": "+85221234567"}, "", ToQueue("service")),
        ({"calling": "anonymous"}, "", ToQueue("service")),
    ],
)
def test_stories(plan, call, rule, to):
    chosen = select(plan, **call)
    assert (chosen.rule, chosen.to) == (rule, to)


def test_the_terms(plan):
    assert select(plan).personal == LastAgent()
    chosen = select(plan, **{"class": "vip", "adviser": "li"})
    terms = {"busy": 60, "away": 20, "leave": Deputy("mei"), "mobile": ToDestination("adviser-mobile")}
    assert (chosen.priority, chosen.personal) == (10, Personal("li", 30, terms))
    assert select(plan, **{"class": "vip", "adviser": "gone"}).personal is None
    assert select(plan, calling="02088886666").data == {"branch": "Guangzhou"}
    assert plan.warnings == ()


def test_the_explanation(plan):
    moment = datetime.fromisoformat(MONDAY).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    told = str(plan.explain(Request("02088886666", "4008001234", moment, load=STAFFED.get))).splitlines()
    (shown,) = re.findall(r"did not hold:\n\n(.*?)\n\n", PAGE, re.DOTALL)
    assert len(shown.splitlines()) == 4
    assert {line.strip() for line in shown.splitlines()} <= set(told)


def test_the_values_in_python():
    names = {}
    exec(PYTHON, names)  # the page's own text
    moment = datetime.fromisoformat(MONDAY).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    asked = Request("1", "2", moment, data={"class": "vip", "adviser": "li"}, presence={"li": "ready"}.get)
    assert names["plan"].select(asked).personal == Personal("li")

"""A mod_callcenter configuration becomes one of ours: what is kept, what is noted, what is refused."""

from __future__ import annotations

import random

import pytest

from cti.callcenter_conf import LARGEST_BYTES, read_callcenter_conf
from cti.engine import Engine
from cti.errors import ConfigurationError
from cti.model import facts
from cti.model.agent import AgentSettings
from cti.model.ids import IdSource
from cti.model.queue import QueueSettings
from cti.model.widening import Widening
from cti.routing import SkillRouter
from cti.routing.strategies import TopDown

CONF = """<configuration name="callcenter.conf" description="our own">
  <settings><param name="dbname" value="x"/></settings>
  <queues>
    <queue name="repairs@shop">
      <param name="strategy" value="agent-with-fewest-calls"/>
      <param name="moh-sound" value="local_stream://jazz"/>
      <param name="max-wait-time" value="240"/>
      <param name="tier-rules-apply" value="true"/>
      <param name="tier-rule-wait-second" value="45"/>
      <param name="tier-rule-wait-multiply-level" value="true"/>
      <param name="record-template" value="/tmp/x.wav"/>
      <param name="abandoned-resume-allowed" value="false"/>
    </queue>
    <queue name="orders@shop">
      <param name="strategy" value="top-down"/>
      <param name="moh-sound" value="$${hold_music}"/>
    </queue>
    <queue name="all@shop"><param name="strategy" value="ring-all"/></queue>
  </queues>
  <agents>
    <agent name="zoe@shop" type="callback" contact="[leg_timeout=9]user/7001" status="Available" max-no-answer="0"
           wrap-up-time="15" reject-delay-time="7" busy-delay-time="33" no-answer-delay-time="4"/>
    <agent name="max@shop" type="callback" contact="user/7002" status="On Break"/>
    <agent name="tom@shop" type="uuid-standby" status="Available"/>
  </agents>
  <tiers>
    <tier agent="zoe@shop" queue="repairs@shop" level="1" position="2"/>
    <tier agent="max@shop" queue="repairs@shop" level="3" position="1"/>
    <tier agent="zoe@shop" queue="orders@shop" level="2" position="1"/>
    <tier agent="max@shop" queue="orders@shop" level="1" position="1"/>
    <tier agent="nobody" queue="orders@shop"/>
  </tiers>
</configuration>"""


def test_what_is_kept():
    conf = read_callcenter_conf(CONF)
    repairs, orders, everyone = conf.queues
    assert repairs == {
        "id": "repairs@shop",
        "requires": {"repairs@shop": 2},
        "strategy": "fewest-calls",
        "widening": (Widening(135, requires={"repairs@shop": 1}),),
        "max_wait_s": 240.0,
        "music": "local_stream://jazz",
    }
    assert isinstance(orders["strategy"], TopDown)
    assert orders["widening"] == (Widening(0, requires={"orders@shop": 1}),)
    assert everyone == {"id": "all@shop", "requires": {"all@shop": 1}, "strategy": "ring-all"}
    zoe, other = conf.agents
    assert zoe == {
        "id": "zoe@shop",
        "contact": "[leg_timeout=9]user/7001",
        "skills": {"repairs@shop": 2, "orders@shop": 1},
        "wrap_up_s": 15.0,
        "reject_delay_s": 7.0,
        "busy_delay_s": 33.0,
        "no_answer_delay_s": 4.0,
        "no_answers_allowed": 10**9,
    }
    assert other["skills"] == {"repairs@shop": 1, "orders@shop": 2}
    assert conf.available == ("zoe@shop",)


def test_what_is_noted():
    notes = "\n".join(read_callcenter_conf(CONF).notes)
    for said in (
        "tier of agent 'nobody' in queue 'orders@shop': one of them is not defined",
        "queue 'repairs@shop': after 240 s a call is cleared",
        "queue 'repairs@shop': tier-rule-no-agent-no-wait has no equal",
        "queue 'repairs@shop': record-template has no equal",
        "queue 'orders@shop': moh-sound '$${hold_music}' is a variable",
        "agent 'zoe@shop': leg_timeout in the contact",
        "agent 'tom@shop': type 'uuid-standby' has no equal",
    ):
        assert said in notes
    assert "abandoned-resume-allowed" not in notes


def test_the_engine_takes_it():
    conf = read_callcenter_conf(CONF.encode())
    engine = Engine(IdSource(random.Random(1).getrandbits), SkillRouter())
    for queue in conf.queues:
        engine.handle(facts.QueueDefined(QueueSettings(**queue)), 0.0)
    for agent in conf.agents:
        engine.handle(facts.AgentDefined(AgentSettings(**agent)), 0.0)
    assert len(engine.world.queues) == 3
    assert len(engine.world.agents) == 2


BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><configuration><queue name="&b;"/></configuration>'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "has a DOCTYPE; remove it"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><queue name="x"/>', "has a DOCTYPE"),
        ("<configuration>", "not well-formed XML"),
        ("", "not well-formed XML"),
        ('<?xml version="1.0" encoding="none-such"?><a/>', "callcenter.conf.xml"),
        ("<configuration/>", "no queue and no agent"),
        (b"\xff\xfe\x00", "not well-formed XML"),
        (b" " * (LARGEST_BYTES + 1), "at most 10000000 are read"),
        (CONF.replace('value="240"', 'value="-1"'), "queue 'repairs@shop': max-wait-time is '-1'"),
        (CONF.replace('level="3"', 'level="x"'), "level is 'x'; it must be a whole number"),
    ],
)
def test_what_is_refused(text, says):
    with pytest.raises(ConfigurationError) as caught:
        read_callcenter_conf(text)
    assert says in str(caught.value)

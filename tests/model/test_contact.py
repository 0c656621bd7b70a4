"""Which phones others than the operator may give to agents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.errors import ConfigurationError, ContactNotAllowed
from cti.model.agent import AgentSettings
from cti.model.contact import AllowedContacts
from cti.model.ids import AgentId
from cti.model.party import Destination

RULES = AllowedContacts(["sofia/gateway/mobile/1??", "sofia/agents/*@192.0.2.7:5062"])


@pytest.mark.parametrize(
    ("contact", "allowed"),
    [
        ("user/1001", True),
        ("user/1001@example.com", True),
        ("sofia/gateway/mobile/138", True),
        ("sofia/agents/1001@192.0.2.7:5062", True),
        ("sofia/agents/@192.0.2.7:5062", True),
        ("sofia/gateway/mobile/13", False),
        ("sofia/gateway/mobile/1389", False),
        ("sofia/gateway/premium/138", False),
        ("sofia/gateway/mobile/1/2", False),
        # No wildcard goes past what divides an address, or leads elsewhere.
        ("sofia/agents/x@192.0.2.66@192.0.2.7:5062", False),
        ("sofia/agents/900/x@192.0.2.7:5062", False),
        ("sofia/agents/1001@192.0.2.7:5062;fs_path=sip:192.0.2.66", False),
        ("sofia/agents/1,sofia/gateway/premium/900@192.0.2.7:5062", False),
        ("sofia/agents/1|2@192.0.2.7:5062", False),
        ("sofia/agents/[x=1]1@192.0.2.7:5062", False),
        ("sofia/agents/${x}@192.0.2.7:5062", False),
        ("user/1001,sofia/gateway/premium/900", False),
        ("user/1001|user/1002", False),
        ("{execute_on_answer=system}user/1001", False),
        ("[leg_timeout=1]user/1001", False),
        ("user/1001 &system(x)", False),
        ("user/1001\n", False),
        ("user/1001:_:user/1002", False),
        ("error/user_busy", False),
        ("loopback/900", False),
        ("", False),
    ],
)
def test_what_may_be_given(contact, allowed):
    assert RULES.allows(contact) is allowed
    assert AllowedContacts().allows(contact) is (allowed and contact.startswith("user/"))


@given(st.text(max_size=30))
def test_whatever_a_rule_lets_through_is_one_address_and_one_word(text):
    widest = AllowedContacts(["sofia/gateway/mobile/*", "sofia/*/*"])
    for contact in (f"sofia/gateway/mobile/{text}", f"sofia/{text}/x", f"user/{text}"):
        if widest.allows(contact):
            assert not set(contact) & set("{}[]<>,|;^=&$'\"\\ \r\n\t\0()")
            assert contact.isascii()


def agent(**settings):
    return AgentSettings(AgentId("ann"), **{"contact": "user/1001", **settings})


def test_an_agents_settings_are_refused_by_name():
    RULES.check(agent(mobile="sofia/gateway/mobile/138"), None)
    with pytest.raises(ContactNotAllowed, match=r"mobile 'sofia/gateway/x/1' may not .* allowed_contacts"):
        RULES.check(agent(mobile="sofia/gateway/x/1"), None)
    with pytest.raises(ContactNotAllowed, match="contact 'loopback/1' may not"):
        RULES.check(agent(contact="loopback/1"), agent())


def test_what_the_agent_has_already_may_stay():
    known = agent(contact="sofia/agents/1@127.0.0.1:5062", mobile="sofia/gateway/x/1")
    RULES.check(agent(contact=known.contact, mobile=known.mobile), known)
    with pytest.raises(ContactNotAllowed, match="contact 'sofia/gateway/x/1'"):
        RULES.check(agent(contact=known.mobile), known)  # the mobile is no phone at the desk


@pytest.mark.parametrize(
    "rules",
    [
        "sofia/gateway/x/*",
        ["sofia"],
        ["*"],
        ["sofia/gateway/x/ 1"],
        ["sofia/a/1,user/2"],
        ["{x=1}user/1"],
        [1],
        [""],
        5,
    ],
)
def test_rules_that_are_none_are_refused(rules):
    with pytest.raises(ConfigurationError, match="allowed_contacts"):
        AllowedContacts(rules)


@pytest.mark.parametrize(
    "bad", ["user/1 &park()", "user/1\n", "user/'1'", 'user/"1"', "user/\\1", "user/1\t", "u" * 201]
)
def test_a_phone_is_one_word(bad):
    with pytest.raises(ConfigurationError, match="contact is"):
        agent(contact=bad)
    with pytest.raises(ConfigurationError, match="mobile is"):
        agent(mobile=bad)
    with pytest.raises(ConfigurationError, match="contact is"):
        Destination("9*", bad + "{number}")

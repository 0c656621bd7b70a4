"""Roles of the operator's own: what keys with one may do and see, and that a change of it is told."""

from __future__ import annotations

import shutil

import pytest

from cti import errors
from cti.api import DefinedRole

from .wire import served

LEAD = DefinedRole("lead", "supervisor", queues=["loans"], methods=["snapshot", "queue.*"])


@pytest.fixture
def own_keys(keys, tmp_path):
    made = tmp_path / "keys"
    shutil.copytree(keys, made)
    file = made / "keys.toml"
    file.write_text(file.read_text().replace('role = "supervisor"', 'role = "lead"'))
    return made


def test_a_role_adds_agents_and_queues_and_keeps_to_methods(own_keys):
    with served(own_keys, roles={"lead": LEAD}) as one:
        one.centre.add_queue("loans")
        sue, crm = one.wire("sue"), one.wire("crm")
        said = sue.ask("hello")
        assert (said["role"], said["queues"]) == ("supervisor", ["claims", "loans"])
        assert {queue["queue"] for queue in sue.ask("snapshot")["queues"]} == {"claims", "loans"}
        assert sue.ask("queue.get", queue="loans")
        refused = sue.refused("agent.get", agent="alice")
        assert refused["code"] == "security.not_permitted"
        assert "leaves agent.get out" in refused["message"]
        assert sue.refused("queue.add", queue="loans")["code"] == "security.not_permitted", "no more than a supervisor"
        assert sue.ask("subscribe", queues=["loans"])
        assert crm.ask("agent.list") is not None, "other roles are as they were"


def test_whose_role_means_something_else_now_is_told(own_keys):
    with served(own_keys, roles={"lead": LEAD}) as one:
        sue, alice = one.wire("sue"), one.wire("alice")
        sue.ask("ping")
        alice.ask("ping")
        one.server.use_roles({"lead": DefinedRole("lead", "supervisor", queues=["loans"])})
        assert sue.receive()["closed"]["code"] == "security.key_changed"
        assert sue.refused("agent.get", agent="alice")["code"] == "operation.unknown_agent", "no method is left out now"
        assert alice.ask("ping")


def test_a_role_that_keys_have_cannot_be_taken_away(own_keys):
    with served(own_keys, roles={"lead": LEAD}) as one:
        sue = one.wire("sue")
        sue.ask("ping")
        with pytest.raises(errors.ConfigurationError, match="unknown role 'lead'"):
            one.server.use_roles({})
        assert sue.ask("queue.get", queue="claims"), "the keys stay as they were"

"""[roles]: what a role of the operator's own means, and what can be wrong with it."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from cti.api import Role
from cti.cli.accounts import accounts
from cti.cli.keys import keys
from cti.errors import ConfigurationError
from tests.api.wire import cti_keys
from tests.web.site import write_accounts

from .written import problems, read, written

ROLES = """
[queue.claims]
[agent.carol]
contact = "user/1003"
[roles.claims-lead]
role = "supervisor"
queues = ["claims"]
agents = ["carol"]
methods = ["snapshot", "queue.*"]
"""


def test_a_role_of_ones_own(tmp_path):
    (made,) = read(tmp_path, ROLES).roles.values()
    assert (made.name, made.role, made.queues, made.agents) == (
        "claims-lead",
        Role.SUPERVISOR,
        frozenset({"claims"}),
        frozenset({"carol"}),
    )
    assert made.methods == {"snapshot", "queue.*"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[roles.x]\nqueues = ['a']", "1: [roles.x]: role: it is missing"),
        ("[roles.x]\nrole = 'king'", "2: [roles.x]: role: found 'king'; it must be one of agent, supervisor"),
        ("[roles.x]\nrole = ['agent']", "2: [roles.x]: role: found ['agent']; it must be one of agent"),
        ("[roles.x]\nrole = 'agent'\nqueues = 'a'", "3: [roles.x]: queues: found 'a'; it must be a list of names"),
        ("[roles.x]\nrole = 'agent'\nagents = [1]", "3: [roles.x]: agents: it must be a list of names"),
        ("[roles.x]\nrole = 'agent'\nagent = ['a']", "3: [roles.x]: agent: unknown key; did you mean 'agents'?"),
        ("[roles.x]\nrole = 'agent'\nmethods = []", "3: [roles.x]: methods: it must be a list of methods"),
        (
            "[roles.x]\nrole = 'agent'\nmethods = ['queue.add']",
            "methods: 'queue.add': the role agent may not call that",
        ),
        ("[roles.x]\nrole = 'agent'\nmethods = ['snapshoot']", "unknown method 'snapshoot'; did you mean 'snapshot'?"),
        ("[roles.agent]\nrole = 'agent'", "1: [roles.agent]: agent is one of the API's own roles; choose another name"),
        ("[roles.'a b']\nrole = 'agent'", "a role's name has 1 to 64 letters, digits, '-' and '_'"),
        ("roles = 3", "[roles]: expected a table, found 3"),
    ],
)
def test_what_is_wrong_with_it_is_said_with_line_table_and_key(tmp_path, text, said):
    found = problems(tmp_path, text)
    assert len(found) == 1, found
    assert said in found[0], found


def test_accounts_and_keys_with_a_role_that_nobody_defined(tmp_path):
    cti_keys("new", "crm", "--role", "application", "--directory", str(tmp_path / "keys"))
    file = tmp_path / "keys" / "keys.toml"
    file.write_text(file.read_text().replace('"application"', '"claims-led"'))
    write_accounts(tmp_path / "accounts.toml", {"sue": 'role = "claims-led"'})
    text = ROLES + "[api]\nkeys = 'keys'\n[web]\nbind = '127.0.0.1:0'\naccounts = 'accounts.toml'"
    of_keys, of_accounts = problems(tmp_path, text)
    for said, table in ((of_keys, "[api]: keys: "), (of_accounts, "[web]: accounts: ")):
        assert table in said
        assert "unknown role 'claims-led'; did you mean 'claims-lead'?" in said
    assert "[keys.crm]" in of_keys
    assert "[accounts.sue]" in of_accounts


def test_what_was_probably_not_meant(tmp_path):
    text = ROLES.replace('queues = ["claims"]', 'queues = ["claim"]')
    said = [str(one) for one in read(tmp_path, text).warnings]
    assert any("[roles.claims-lead]: queues: unknown queue 'claim'; did you mean 'claims'?" in one for one in said)
    assert any("[roles.claims-lead]: no key and no account has it" in one for one in said)
    write_accounts(tmp_path / "accounts.toml", {"sue": 'role = "claims-lead"'})
    text = ROLES + "[web]\nbind = '127.0.0.1:0'\naccounts = 'accounts.toml'"
    assert not any("nobody" in str(one) or "has it" in str(one) for one in read(tmp_path, text).warnings)


def test_the_commands_take_a_role_that_the_configuration_has(tmp_path):
    centre = str(written(tmp_path, ROLES))
    at = ["--directory", str(tmp_path / "keys")]
    cti_keys("new", "sue", "--role", "claims-lead", "--configuration", centre, "--queue", "loans", *at)
    assert "sue claims-lead agents=- queues=loans" in cti_keys("list", *at)
    for wrong in (["--role", "claims-lead"], ["--role", "claims-led", "--configuration", centre]):
        done = CliRunner().invoke(keys, ["new", "bob", *wrong, *at])
        assert isinstance(done.exception, ConfigurationError), wrong
    assert "--configuration" in str(CliRunner().invoke(keys, ["new", "bob", "--role", "lead", *at]).exception)
    file = ["--file", str(tmp_path / "accounts.toml")]
    more = ["new", "sue", "--role", "claims-lead", "--configuration", centre, "--password-file", "-"]
    assert CliRunner().invoke(accounts, [*more, *file], input="long enough\n").exit_code == 0
    assert CliRunner().invoke(accounts, ["list", *file]).output == "sue claims-lead agents=- queues=-\n"

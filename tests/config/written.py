"""Configurations in files of a test's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cti.config import BadConfiguration, Configuration, read_configuration

GOOD = """
skills = ["sales", "claims", "trainee"]

[switch]
address = "10.0.0.1:8021"
password = "${SWITCH_PASSWORD}"

[queue.sales]
requires = "sales and not trainee"
max_wait_s = "1m 30s"
overflow = { queue = "claims" }

[queue.claims]
requires = "claims >= 3"
overflow = { voicemail = "500@office" }
overflows = { expected_wait = { destination = "9000" }, length = { hang_up = true } }
max_waiting = 10
max_expected_wait_s = "5m"
overflow_unstaffed = true
personal = { agent = "ann", wait_s = "30s", by_presence = { leave = { agent = "bob" }, away = "10s" } }
borrows = { lenders = ["sales"], below = 0.5 }

[[queue.claims.widening]]
after_s = "30s"
requires = "claims"

[[queue.claims.widening]]
after_s = 60
also = ["sales"]

[agent.ann]
contact = "user/1001"
skills = { claims = 5 }
wrap_up_s = "20s"
log_on = "ready"

[agent.bob]
contact = "user/1002"
skills = { sales = 1 }

[plan]
time_zone = "Asia/Shanghai"

[[plan.rules]]
name = "night"
when = { time = "22:00-06:00" }
to = { voicemail = "500" }

[plan.default]
queue = "sales"

[numbers]
"5000" = { queue = "claims", priority = 5 }
"51*" = { plan = true }
"""
ENVIRON = {"SWITCH_PASSWORD": "s3cret"}


def written(directory: Path, text: str, name: str = "centre.toml") -> Path:
    path = directory / name
    path.write_text(text)
    path.chmod(0o600)
    return path


def read(directory: Path, text: str) -> Configuration:
    return read_configuration(written(directory, text), ENVIRON)


def problems(directory: Path, text: str) -> list[str]:
    """What is wrong, without the file's name."""
    try:
        read(directory, text)
    except BadConfiguration as error:
        return [str(one).replace(f"{directory}/centre.toml:", "") for one in error.problems]
    return []


def as_toml(value: Any) -> str:
    """A value as TOML writes it on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_toml(str(key))} = {as_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, bool | str):
        return json.dumps(value).replace("\x7f", "\\u007f")
    return repr(value)

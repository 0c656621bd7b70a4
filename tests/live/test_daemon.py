"""The daemon on a real FreeSWITCH: a call, a reload under it, a drain, and a start that finds what was left."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from cti.audit.reading import read_audit
from cti.client import Client, Event
from tests.daemon.running import Running
from tests.web.site import Visitor, write_accounts

from .freeswitch_process import FreeSwitchProcess

pytestmark = pytest.mark.live

CENTRE = """
[switch]
address = "{address}"
password_env = "SWITCH_PASSWORD"
[log]
format = "json"
[daemon]
control = "control.sock"
[queue.sales]
requires = "{requires}"
[agent.ann]
contact = "{ann}"
skills = {{ sales = 1 }}
log_on = "ready"
[agent.bob]
contact = "{bob}"
skills = {{ claims = 1 }}
log_on = "ready"
[numbers]
"5*" = {{ queue = "sales" }}
"""
SERVICES = """
[state]
directory = "state"
[api]
bind = "tcp://127.0.0.1:*"
publish = "tcp://127.0.0.1:*"
[web]
bind = "127.0.0.1:0"
accounts = "accounts.toml"
[alarms]
every_s = "100ms"
"""


def test_a_call_a_reload_a_drain_and_the_next_start(
    switch: FreeSwitchProcess, control, tmp_path, start_agents, start_callers
):
    agents = start_agents(ring_s=0.1)
    running = Running(tmp_path)

    def configure(requires: str) -> None:
        ann, bob = agents.contact("ann"), agents.contact("bob")
        running.file.write_text(CENTRE.format(address=switch.address, requires=requires, ann=ann, bob=bob))

    configure("sales")
    try:
        running.ready()
        start_callers("5000")
        assert running.said("Established")["agent"] == "ann"
        configure("claims")
        assert running.command("reload") == (0, "queue sales: requires sales -> claims\n")
        start_callers("5000", hold_s=1)
        assert running.said("Established", count=2)["agent"] == "bob"
        running.said("CallCleared")
        running.signal(signal.SIGTERM)
        running.said("draining: no new calls are taken", calls=1)
        late = start_callers("5000", hold_s=1)
        assert late.wait(30).successful == 0, "a call was taken while it drained"
        running.signal(signal.SIGTERM)
        assert running.wait() == 0
        running.ready()
        assert running.said("Established", cause="switchingFunctionTerminated")["agent"] == "ann"
        control.api("hupall NORMAL_CLEARING")
        running.said("CallCleared", agent="ann")
        running.signal(signal.SIGTERM)
        assert running.wait() == 0
    finally:
        running.kill()


class Site:
    """A daemon that is called over ZeroMQ and over HTTP."""

    def __init__(self, running: Running) -> None:
        self.running = running
        running.ready()
        self.client = Client(running.said("the API listens")["requests"])
        self.web = Visitor(int(running.said("HTTP is served")["url"].rpartition(":")[2]))

    def leave(self) -> None:
        self.client.close()
        self.web.close()

    def until_state(self, agent: str, state: str) -> None:
        self.running.until(f"{agent} {state}", lambda: self.client.agent(agent).view.state == state)


def test_a_shift_that_is_killed_goes_on(switch: FreeSwitchProcess, control, tmp_path, start_agents, start_callers):
    agents = start_agents(ring_s=0.1)
    running = Running(tmp_path)
    text = CENTRE.format(address=switch.address, requires="sales", ann=agents.contact("ann"), bob=agents.contact("bob"))
    running.file.write_text(text.replace('log_on = "ready"\n', "", 1) + SERVICES)
    write_accounts(tmp_path / "accounts.toml", {"sue": 'role = "supervisor"\nagents = ["*"]\nqueues = ["*"]'})
    sites: list[Site] = []
    try:
        sites.append(site := Site(running))
        sue = site.web.bearer("sue")
        assert site.web.post("/v1/agent/log_on", {"agent": "ann", "ready": True}, **sue).status == 204
        with site.client.events(kinds=["Delivered"]) as pops:
            start_callers("5001", hold_s=60)
            assert next(item for item in pops if isinstance(item, Event)).agent == "ann"
        site.until_state("ann", "busy")
        board = site.web.stream("?snapshot=true", **sue)
        board.until("snapshot")
        site.client.agent("ann").hold()
        board.until("Held")
        assert site.web.post("/v1/agent/retrieve", {"agent": "ann"}, **sue).status == 204
        board.until("Retrieved")
        start_callers("5002", hold_s=60)
        running.until("a second caller waits", lambda: len(site.client.queue("sales").waiting) == 1)
        (waiting,) = site.client.queue("sales").waiting
        before = site.client.day().queues[0].figures
        assert (before["offered"], before["answered"], before["waiting"]) == (2, 1, 1)
        running.until("what was done is on the disk", lambda: ("sue", "agent.retrieve") in _done(tmp_path))
        running.kill()

        sites.append(site := Site(running))
        assert site.client.agent("ann").view.state == "busy"
        (still,) = site.client.queue("sales").waiting
        assert still.call == waiting.call
        assert still.waited_s > waiting.waited_s
        assert site.client.day().queues[0].figures["offered"] == 2
        sue = site.web.bearer("sue")
        assert site.web.post("/v1/agent/hang_up", {"agent": "ann"}, **sue).status == 204
        running.said("Established", call=waiting.call, agent="ann")
        figures = site.client.day().queues[0].figures
        assert (figures["offered"], figures["answered"], figures["waiting"]) == (2, 2, 0)
        (ann,) = (each for each in site.client.day().agents if each.agent == "ann")
        assert ann.figures["answered"] == 2
        assert ann.figures["hold_s"] > 0
        assert _done(tmp_path) >= {("sue", "agent.log_on"), ("local", "agent.hold"), ("sue", "agent.retrieve")}
        control.api("hupall NORMAL_CLEARING")
        site.until_state("ann", "ready")
        running.signal(signal.SIGTERM)
        assert running.wait() == 0
    finally:
        for each in sites:
            each.leave()
        running.kill()


def _done(directory: Path) -> set[tuple[str, str]]:
    """Who did what, by the audit."""
    found = [each.values for each in read_audit(directory / "state" / "audit")]
    return {(entry["who"], entry["what"]) for entry in found if entry is not None}

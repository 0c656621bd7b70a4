"""The daemon on a real FreeSWITCH: a call, a reload under it, a drain, and a start that finds what was left."""

from __future__ import annotations

import signal

import pytest

from tests.daemon.running import Running

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

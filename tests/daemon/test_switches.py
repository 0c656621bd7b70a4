"""A daemon with two FreeSWITCH servers."""

from __future__ import annotations

from cti.sim import SimulatedSwitch, connect
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer

from .running import QUICK

TWO = """
[switch.north]
address = "{north}"
password_env = "SWITCH_PASSWORD"
sip = "192.0.2.1:5090"

[switch.south]
address = "{south}"
password_env = "SWITCH_PASSWORD"
sip = "192.0.2.2:5090"

[log]
format = "json"

[daemon]
control = "control.sock"
drain_s = 1

[queue.sales]

[agent.bob]
contact = "user/bob"
switch = "south"
log_on = "ready"

[numbers]
"*" = {{ queue = "sales" }}
"""


def test_a_call_from_one_to_the_other_and_draining_from_the_command_line(running):
    second = SimulatedSwitch(GeventScheduler(), seed=2)
    server = SimServer(second)
    server.start()
    try:
        connect((running.switch, "192.0.2.1:5090"), (second, "192.0.2.2:5090"))
        second.phones.add("user/bob", QUICK)
        north, south = ("{}:{}".format(*each.address) for each in (running.server, server))
        running.file.write_text(TWO.format(north=north, south=south))
        running.file.chmod(0o600)
        running.ready()
        running.said("the switch is connected", switch="south")
        caller = running.switch.incoming()
        assert running.said("Established")["agent"] == "bob"
        status, said = running.command("switches", "--drain", "south")
        assert status == 0, said
        assert "south: live, draining; 1 calls, 1 agents" in said
        second.gateways.add("carrier", registers=False).fail(503, "Maintenance")
        down = "  gateway carrier: out of service (no answer to OPTIONS 503 Maintenance)"
        running.until("its gateway is down", lambda: down in running.command("switches")[1])
        late = second.incoming()
        running.until("a new call there is refused", lambda: late.ended)
        caller.hang_up()
        running.until("drained", lambda: "south: live, drained; 0 calls" in running.command("switches")[1])
        assert running.command("switches", "--drain", "souht") == (
            2,
            "unknown switch 'souht'; did you mean 'south'?\n",
        )
        assert "south: live; 0 calls" in running.command("switches", "--undrain", "south")[1]
        running.switch.incoming()
        running.said("Established", count=2)
    finally:
        running.kill()
        server.stop()

"""A shift by the example as an operator copies it, through ZeroMQ and through HTTP; killed, started again, all of it there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from attrs import asdict

from cti.audit.reading import read_audit
from cti.client import Client, Event
from cti.model.party import ToAgent
from cti.web import new_secret
from tests.web.site import Visitor, write_accounts

from .receiver import Receiver

EXAMPLE = Path(__file__).parents[2] / "examples" / "daemon"
ACCOUNTS = {
    "sue": 'role = "supervisor"\nagents = ["*"]\nqueues = ["*"]',
    "bob": 'role = "agent"\nagents = ["bob"]',
}


class Shift:
    """The example as a process, its switch, and those who work with it."""

    def __init__(self, running, receiver):
        self.running = running
        self.receiver = receiver
        for user in ("1001", "1002", "1003"):
            running.phones(user)
        for name in ("centre.toml", "centre_scripts.py"):
            shutil.copy(EXAMPLE / name, running.directory / name)
        write_accounts(running.directory / "accounts.toml", ACCOUNTS)
        self._edit()
        host, port = running.server.address
        self.environ = {
            "FREESWITCH_ADDRESS": f"{host}:{port}",
            "FREESWITCH_PASSWORD": "ClueCon",
            "RUNTIME_DIRECTORY": str(running.directory),
            "STATE_DIRECTORY": str(running.directory / "state"),
            "CRM_SECRET": receiver.secret,
        }
        self.client = None
        self.web = None

    def _edit(self):
        """What an operator does: accounts and the webhook are taken in; ports are free ones; calls take a moment."""
        file = self.running.file
        text = file.read_text()
        for port in ("8100", "8101"):
            text = text.replace(f":{port}", ":*")
        text = (
            text.replace(":8080", ":0").replace('format = "auto"', 'format = "json"').replace("# accounts", "accounts")
        )
        hook = text[text.index("# [webhook.crm]") : text.index("# [recording]")]
        taken = (
            hook.replace("# [", "[").replace("# url", "url").replace("# secret", "secret").replace("# kinds", "kinds")
        )
        text = text.replace(hook, taken.replace("https://crm.example.org/pop", self.receiver.url))
        text = text.replace("[alarms]\n", '[alarms]\nevery_s = "100ms"\n')
        assert text.count("${CRM_SECRET}") == 1
        file.write_text(
            text.replace('wrap_up_s = "15s"', 'wrap_up_s = "300ms"').replace('wrap_up_s = "45s"', 'wrap_up_s = "300ms"')
        )
        file.chmod(0o600)

    def begin(self):
        self.running.ready(**self.environ)
        self.client = Client(self.running.said("the API listens")["requests"])
        self.web = Visitor(int(self.running.said("HTTP is served")["url"].rpartition(":")[2]))

    def leave(self):
        if self.client is not None:
            self.client.close()
        if self.web is not None:
            self.web.close()
        self.client = self.web = None

    def state(self, agent):
        return self.client.agent(agent).view.state

    def until_state(self, agent, state):
        self.running.until(f"{agent} {state}", lambda: self.state(agent) == state)

    def incoming(self, number, **more):
        return self.running.switch.incoming(called_number=number, **more)


@pytest.fixture
def shift(running):
    receiver = Receiver(new_secret())
    made = Shift(running, receiver)
    yield made
    made.leave()
    receiver.close()


def queue_of(day, name):
    return next(each["figures"] for each in day["queues"] if each["queue"] == name)


def agent_of(day, name):
    return next(each["figures"] for each in day["agents"] if each["agent"] == name)


def test_a_shift_is_killed_and_goes_on(shift):
    running = shift.running
    shift.begin()
    web, client = shift.web, shift.client
    assert (running.directory / "control").is_socket()
    assert web.get("/v1/snapshot").status == 401
    sue, bob = web.bearer("sue"), web.bearer("bob")
    board = web.stream("?snapshot=true", **sue)
    snapshot = board.until("snapshot")
    assert {agent["agent"]: agent["state"] for agent in snapshot["agents"]} == {
        "alice": "null",
        "bob": "null",
        "carol": "ready",
    }

    # Carol is ready by the file; Alice logs on through ZeroMQ, Bob for himself through HTTP, and for nobody else.
    client.agent("alice").log_on(ready=True)
    assert web.post("/v1/agent/log_on", {"agent": "bob", "ready": True}, **bob).status == 204
    assert web.post("/v1/agent/log_off", {"agent": "alice"}, **bob).code == "security.not_permitted"
    assert board.until("AgentLoggedOn")["agent"] == "alice"
    assert board.until("AgentLoggedOn")["agent"] == "bob"

    # A call: the pop goes to ZeroMQ, to HTTP and to the webhook; hold, and retrieve, by HTTP.
    with client.events(agents=["alice"], kinds=["Delivered"]) as pops:
        first = shift.incoming("5002", calling_number="138", variables={"cti_data_policy": "4711"})
        pop = next(item for item in pops if isinstance(item, Event))
    assert (pop.agent, pop.calling_number, pop.data) == ("alice", "138", {"policy": "4711"})
    assert board.until("Delivered")["data"] == {"policy": "4711"}
    running.until("the screen pop by webhook", lambda: shift.receiver.of("Delivered"))
    shift.until_state("alice", "busy")
    board.until("Established")
    assert web.post("/v1/agent/hold", {"agent": "alice"}, **sue).status == 204
    board.until("Held")
    client.agent("alice").retrieve()
    board.until("Retrieved")

    # Alice consults Carol and transfers the call to her, and works after it.
    client.agent("alice").consult(ToAgent("carol"))
    running.until("carol is with her", lambda: shift.state("carol") == "busy")
    board.until("Established")
    running.until("the transfer", lambda: _transferred(client))
    assert board.until("Transferred")["from_agent"] == "alice"
    assert board.until("AgentWorkingAfterCall")["agent"] == "alice"
    shift.until_state("alice", "ready")
    first.hang_up()
    shift.until_state("carol", "ready")

    # Somebody gives up; then Alice talks, and another caller waits for her, when the power goes.
    shift.client.agent("bob").not_ready("lunch")
    shift.client.agent("carol").not_ready("training")
    second = shift.incoming("5002", calling_number="139")
    shift.until_state("alice", "busy")
    gone = shift.incoming("5002", calling_number="136")
    running.until("they wait", lambda: len(client.queue("claims").waiting) == 1)
    gone.hang_up()
    running.until("and give up", lambda: client.queue("claims").figures["abandoned"] == 1)
    third = shift.incoming("5002", calling_number="137")
    running.until("one waits", lambda: len(client.queue("claims").waiting) == 1)
    waiting = client.queue("claims").waiting[0]
    running.said("Queued", call=waiting.call)
    running.server.stop()  # the network, for a while: an alarm, which is raised as the power goes
    running.until("an alarm", lambda: [alarm.name for alarm in client.alarms()] == ["link.down"])
    day = asdict(client.day())
    assert queue_of(day, "claims")["answered"] == 2
    counted = {name: queue_of(day, "claims")[name] for name in ("offered", "answered", "abandoned", "waiting")}
    assert counted == {"offered": 4, "answered": 2, "abandoned": 1, "waiting": 1}
    (raised,) = client.alarms()
    lines = len(running.of("alarm raised"))
    shift.leave()
    running.kill()

    running.server.start()
    shift.begin()
    web, client = shift.web, shift.client
    assert not second.ended
    assert not third.ended
    assert lines == 1
    assert not running.of("alarm raised", alarm="link.down"), "it was told before"
    running.said("alarm cleared", alarm=raised.name)
    assert running.said("alarm cleared", alarm=raised.name)["after_s"] > 1

    # Agents are as they were, the calls are in their places, the figures of the day go on.
    assert [shift.state(name) for name in ("alice", "bob", "carol")] == ["busy", "not ready", "not ready"]
    assert [client.agent(name).view.reason for name in ("bob", "carol")] == ["lunch", "training"]
    (still,) = client.queue("claims").waiting
    assert (still.call, still.calling_number) == (waiting.call, "137")
    assert still.waited_s > waiting.waited_s
    sue = web.bearer("sue")
    day = web.get("/v1/day", **sue)
    assert {name: queue_of(day.json, "claims")[name] for name in counted} == counted
    assert agent_of(day.json, "alice")["answered"] == 2
    assert agent_of(day.json, "alice")["hold_s"] > 0
    assert agent_of(day.json, "bob")["not_ready_s"] > 0
    second.hang_up()
    running.until("alice talks with the one who waited", lambda: _talks_with(client, "137"))
    third.hang_up()
    shift.until_state("alice", "ready")
    live = client.queue("claims").figures
    day = asdict(client.day())
    assert queue_of(day, "claims")["answered"] == live["answered"] == 3
    assert queue_of(day, "claims")["handled"] == live["handled"]

    # Who did what is written down, of both runs, and whole.
    done = [found.values for found in read_audit(running.directory / "state" / "audit")]
    said = {(entry["who"], entry["what"], entry["outcome"]) for entry in done}
    assert {
        ("local", "agent.log_on", "done"),
        ("bob", "agent.log_on", "done"),
        ("bob", "agent.log_off", "security.not_permitted"),
        ("sue", "agent.hold", "done"),
        ("local", "agent.transfer", "done"),
    } <= said
    assert all(found.sound for found in read_audit(running.directory / "state" / "audit"))
    assert "4711" not in json.dumps(done)
    assert not [line for line in running.lines() if "Traceback" in str(line)]


def _talks_with(client, number):
    view = client.agent("alice").view
    return (view.state, view.calling_number) == ("busy", number)


def _transferred(client):
    """Ask for the transfer until whom is consulted is connected: that comes a moment after they have answered."""
    from cti.errors import CtiError

    try:
        client.agent("alice").transfer()
    except CtiError:
        return False
    return True

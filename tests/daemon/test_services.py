"""What a daemon has around its calls, by its file: HTTP with accounts, webhooks, alarms, the audit, metrics."""

from __future__ import annotations

import json
import signal

import pytest
from gevent import subprocess

from cti.audit.reading import read_audit
from cti.client import Client
from cti.web import new_secret
from tests.web.site import PASSWORD, Visitor, write_accounts

from .receiver import Receiver
from .running import CTI

CENTRE = """
[daemon]
control = "control.sock"
[state]
directory = "state"
[api]
bind = "tcp://127.0.0.1:*"
publish = "tcp://127.0.0.1:*"
[web]
bind = "127.0.0.1:0"
accounts = "accounts.toml"
metrics_token = "for-prometheus"
[alarms]
every_s = "100ms"
{alarms}
[webhook.crm]
url = "{url}"
secret = "{secret}"
kinds = {kinds}
first_delay_s = "10ms"
[queue.claims]
requires = "claims >= 3"
[agent.alice]
contact = "user/1001"
skills = {{ claims = 5 }}
[numbers]
"*" = {{ queue = "claims" }}
"""


@pytest.fixture
def receiver():
    made = Receiver(new_secret())
    yield made
    made.close()


def configured(running, receiver, kinds=("Delivered", "Alarm"), alarms="", more=""):
    text = CENTRE.format(url=receiver.url, secret=receiver.secret, kinds=json.dumps(list(kinds)), alarms=alarms)
    running.configure(text + more)


def visitor(running):
    return Visitor(int(running.said("HTTP is served")["url"].rpartition(":")[2]))


@pytest.fixture
def served(running, receiver):
    running.phones("1001")
    write_accounts(running.directory / "accounts.toml")
    configured(running, receiver)
    running.ready()
    return visitor(running)


def test_past_calls_are_found_by_the_api(running, receiver):
    running.phones("1001")
    write_accounts(running.directory / "accounts.toml")
    configured(running, receiver, more="[history]\nkeep_s = '90d'\n")
    running.ready()
    with Client(running.said("the API listens")["requests"]) as client:
        client.agent("alice").log_on(ready=True)
        running.switch.incoming(calling_number="13800000008", called_number="5000", talk_s=0.1)
        running.until("the call is kept", lambda: client.find_calls(number="13800000008"))
        (found,) = client.find_calls(number="13800000008")
        assert (found.agents, found.queue) == (("alice",), "claims")
        assert client.history(found.interaction) == found
        assert client.find_calls(agent="alice", until=found.began) == ()
    assert (running.directory / "state" / "history.db").is_file()
    status, said = running.command("report", "--calls", "--format", "json")
    assert status == 0, said
    assert [call["agents"] for call in json.loads(said)["calls"]] == ["alice"], "while it runs"
    running.signal(signal.SIGTERM)
    assert running.wait() == 0
    status, said = running.command("report", "--by", "total", "--format", "json")
    assert status == 0, said
    assert [(each["queue"], each["answered"]) for each in json.loads(said)["queues"]] == [("claims", 1)]
    status, said = running.command("report", "--queue", "claim")
    assert (status, "did you mean 'claims'?" in said) == (2, True), said


def test_a_supervisor_logs_in_over_http_and_what_they_do_is_in_the_audit(running, served):
    assert served.post("/v1/agent/log_on", {"agent": "alice", "ready": True}).status == 401
    sue = served.bearer("sue")
    assert served.post("/v1/agent/log_on", {"agent": "alice", "ready": True}, **sue).status == 204
    assert served.post("/v1/agent/remove", {"agent": "alice"}, **sue).code == "security.not_permitted"
    with Client(running.said("the API listens")["requests"]) as client:
        assert client.agent("alice").view.state == "ready"
        client.agent("alice").not_ready("lunch")

    def entries():
        made = subprocess.run(
            [*CTI, "audit", str(running.directory / "state" / "audit"), "--what", "agent.*", "--json"],
            capture_output=True,
            check=True,
        )
        return [json.loads(line) for line in made.stdout.splitlines()]

    wanted = [("sue", "agent.log_on", "done"), ("local", "agent.not_ready", "done")]
    running.until(
        "both are written down",
        lambda: [(e["who"], e["what"], e["outcome"]) for e in entries() if e["outcome"] == "done"] == wanted,
    )
    assert all(PASSWORD not in json.dumps(entry) for entry in entries())
    running.signal(signal.SIGTERM)
    assert running.wait() == 0
    assert all(found.sound for found in read_audit(running.directory / "state" / "audit")), "whole to the end"


def test_a_screen_pop_goes_to_a_webhook_and_all_of_it_is_counted(running, served, receiver):
    sue = served.bearer("sue")
    served.post("/v1/agent/log_on", {"agent": "alice", "ready": True}, **sue)
    running.switch.incoming(calling_number="138", variables={"cti_data_policy": "4711"}, talk_s=0.1)
    running.until("the screen pop", lambda: receiver.of("Delivered"))
    (pop,) = receiver.of("Delivered")
    assert (pop["calling_number"], pop["agent"], pop["data"]) == ("138", "alice", {"policy": "4711"})
    assert served.get("/health").status == 200
    assert served.get("/ready").status == 200
    assert served.get("/metrics").status == 401
    running.said("CallCleared")
    token = {"authorization": "Bearer for-prometheus"}
    metrics = served.get("/metrics", **token).text.decode()
    for line in (
        'cti_queue_answered_total{queue="claims"} 1.0',
        'cti_webhook_sent_total{webhook="crm"} 1.0',
        "cti_api_clients 0.0",
        "cti_web_sessions 1.0",
    ):
        assert line in metrics, metrics
    assert served.get("/").status == 200, "the wallboard"


def test_an_alarm_is_told_when_the_switch_is_gone(running, served, receiver):
    ann = served.bearer("ann")
    running.server.stop()
    running.until("an alarm by webhook", lambda: receiver.of("Alarm"))
    (alarm,) = receiver.of("Alarm")
    assert (alarm["name"], alarm["grade"], alarm["state"]) == ("link.down", "critical", "raised")
    assert running.said("alarm raised", alarm="link.down")
    (shown,) = served.get("/v1/alarms", **ann).json["alarms"]
    assert shown["name"] == "link.down"
    assert served.get("/ready").status == 503
    assert served.get("/health").status == 200


def test_a_reload_changes_webhooks_and_alarms_and_refuses_what_needs_a_restart(running, served, receiver):
    sue = served.bearer("sue")
    served.post("/v1/agent/log_on", {"agent": "alice", "ready": True}, **sue)
    configured(
        running,
        receiver,
        kinds=["CallCleared"],
        alarms="longest_wait_s = '1m'\n[alarms.mail]\nhost = 'h'\nsender='a@b'\nto=['a@b']",
    )
    status, said = running.command("reload")
    assert status == 0, said
    for line in ("alarms: longest_wait_s 300.0 -> 60.0", "alarms.mail: changed", "webhook crm: changed"):
        assert line in said, said
    assert receiver.secret not in said
    running.switch.incoming(talk_s=0.05)
    running.until("what it is told of now", lambda: receiver.of("CallCleared"))
    assert not receiver.of("Delivered")
    assert served.get("/v1/session", **sue).status == 200, "nobody was logged out"
    text = running.file.read_text()
    running.file.write_text(
        text.replace("metrics_token", "wallboard = false\nmetrics_token").replace('"state"', '"other-state"')
    )
    status, said = running.command("reload")
    assert status == 2
    for line in (
        "[state] is another; that needs a restart",
        "web.wallboard is another; that needs a restart",
        "audit.directory is another; that needs a restart",
        "nothing was changed",
    ):
        assert line in said, said


def test_accounts_are_taken_over_while_it_runs(running, served):
    assert served.log_in("bob").status == 401
    write_accounts(running.directory / "accounts.toml", {"bob": 'role = "administrator"'})
    running.until("bob may", lambda: served.log_in("bob").status == 201)
    assert served.log_in("sue").status == 401


def test_messages_that_nobody_took_are_kept(running, served, receiver):
    sue = served.bearer("sue")
    served.post("/v1/agent/log_on", {"agent": "alice", "ready": True}, **sue)
    receiver.status = "410 Gone"
    running.switch.incoming(talk_s=0.05)
    running.said("a webhook's message is given up", webhook="crm")
    file = running.directory / "state" / "dead-letters.jsonl"
    running.until("a dead letter", lambda: file.exists() and file.read_text())
    assert json.loads(file.read_text().splitlines()[0])["webhook"] == "crm"
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_address_that_is_taken_ends_it_with_a_message(running, receiver):
    write_accounts(running.directory / "accounts.toml")
    configured(running, receiver)
    port = receiver.url.split(":")[2].split("/")[0]
    running.file.write_text(running.file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    running.start()
    assert running.wait() == 2
    assert any(f"cannot bind 127.0.0.1:{port}" in str(line.get("reason")) for line in running.lines())


def test_a_reload_applies_roles_and_tells_whose_mean_something_else_now(running, receiver):
    write_accounts(running.directory / "accounts.toml", {"sue": 'role = "lead"', "ann": 'role = "administrator"'})
    role = "[roles.lead]\nrole = 'supervisor'\nqueues = ['claims']\nmethods = ['snapshot']\n"
    configured(running, receiver, more=role)
    running.ready()
    served = visitor(running)
    sue, ann = served.bearer("sue"), served.bearer("ann")
    assert served.get("/v1/session", **sue).json["queues"] == ["claims"]
    assert served.get("/v1/queue/get?queue=claims", **sue).status == 403
    configured(running, receiver, more=role.replace("['snapshot']", "['snapshot', 'queue.get']"))
    status, said = running.command("reload")
    assert status == 0, said
    assert "role lead: methods snapshot -> queue.get, snapshot" in said
    assert served.get("/v1/session", **sue).status == 401, "logged out, as for a changed account"
    assert served.get("/v1/session", **ann).status == 200
    assert served.get("/v1/queue/get?queue=claims", **served.bearer("sue")).status == 200
    configured(running, receiver)
    status, said = running.command("reload")
    assert status == 2
    assert "[web]: accounts: " in said
    assert "unknown role 'lead'" in said


def test_a_restart_logs_nobody_out_over_http(running, served, receiver):
    sue = served.bearer("sue")
    assert served.get("/v1/session", **sue).json["name"] == "sue"
    running.kill()
    running.ready()
    assert running.of("sessions go on", sessions=1)
    again = visitor(running)
    assert again.get("/v1/session", **sue).json["name"] == "sue"
    running.signal(signal.SIGTERM)
    assert running.wait() == 0
    (running.directory / "state" / "sessions.sqlite3").write_bytes(b"garbage" * 100)
    running.ready()
    (said,) = running.of("a damaged file was set aside, and a new one is begun")
    assert "sessions.sqlite3.damaged-" in said["file"]
    assert visitor(running).get("/v1/session", **sue).status == 401


def test_a_reload_changes_what_can_be_changed_while_clients_are_there(running, served, receiver):
    more = "[recording]\ndirectory = '/recordings'\nreached_at = 'recordings'\nname = '{}'\n[history]\nkeep_s = '{}'\n[audit]\nkeep = {}\n"
    running.kill()
    (running.directory / "recordings").mkdir()
    configured(running, receiver, more=more.format("{interaction}/{n}.wav", "9d", 0))
    running.ready()
    again = visitor(running)
    sue, stream = again.bearer("sue"), again.stream(**again.bearer("sue"))
    assert stream.next()[0] == "hello"
    configured(running, receiver, more=more.format("calls/{interaction}-{n}.wav", "8d", 4))
    text = running.file.read_text()
    text = text.replace('"for-prometheus"', '"another"\nlimits = { body_bytes = 50 }')
    running.file.write_text(text + "[statistics]\ntime_zone = 'Asia/Shanghai'\n")
    status, said = running.command("reload")
    assert status == 0, said
    for line in (
        "web: metrics_token is another, limits.body_bytes 65536 -> 50",
        "audit: keep 0 -> 4",
        "recording: name '{interaction}/{n}.wav' -> 'calls/{interaction}-{n}.wav'",
        "statistics: time_zone 'UTC' -> 'Asia/Shanghai'",
        "history: keep_s 777600.0 -> 691200.0",
    ):
        assert line in said, said
    assert again.get("/metrics", authorization="Bearer another").status == 200
    assert again.post("/v1/agent/not_ready", {"agent": "alice", "reason": "x" * 60}, **sue).status == 413
    again.post("/v1/agent/log_on", {"agent": "alice", "ready": True}, **sue)
    assert stream.until("AgentLoggedOn")["agent"] == "alice", "the stream has been open all the time"
    configured(running, receiver, more=more.format("calls/{interaction}-{n}.wav", "8d", 4).replace("'/rec", "'/other"))
    status, said = running.command("reload")
    assert status == 2
    assert "recording.directory is another; that needs a restart" in said
    again.close()

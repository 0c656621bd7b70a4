"""The daemon's life as an operator sees it: started, called, reloaded, told to stop."""

from __future__ import annotations

import signal

import pytest
from gevent import socket

CENTRE = """
[daemon]
control = "control.sock"
pid_file = "cti.pid"
drain_s = 60
{daemon}
[queue.sales]
requires = "{requires}"
[agent.ann]
contact = "user/1001"
skills = {{ sales = 1 }}
log_on = "ready"
[agent.bob]
contact = "user/1002"
skills = {{ claims = 1 }}
log_on = "ready"
[numbers]
"5000" = {{ queue = "sales" }}
"""


def centre(requires="sales", daemon=""):
    return CENTRE.format(requires=requires, daemon=daemon)


def answered(running, count):
    return running.said("Established", count=count)["agent"]


def test_a_call_is_routed_and_every_line_about_it_names_it(running):
    running.phones("1001", "1002")
    running.configure(centre())
    running.ready()
    caller = running.switch.incoming(talk_s=0.1)
    assert answered(running, 1) == "ann"
    ended = running.said("CallCleared")
    story = [line["event"] for line in running.lines() if line.get("call") == ended["call"]]
    assert story == ["Offered", "Queued", "Established", "CallCleared"]
    running.until("the call is over", lambda: caller.ended)
    running.signal(signal.SIGTERM)
    assert running.wait() == 0
    assert not (running.directory / "cti.pid").exists()
    assert not (running.directory / "control.sock").exists()
    assert not [line for line in running.lines() if "Traceback" in line["event"]]


def test_a_reload_changes_who_gets_the_next_call_and_not_the_one_in_hand(running):
    running.phones("1001", "1002")
    running.configure(centre())
    running.ready()
    first = running.switch.incoming()
    assert answered(running, 1) == "ann"
    running.configure(centre("claims"))
    status, said = running.command("reload")
    assert (status, said) == (0, "queue sales: requires sales -> claims\n")
    running.switch.incoming()
    assert answered(running, 2) == "bob"
    assert not first.ended
    assert running.command("reload") == (0, "nothing has changed\n")


def test_the_log_and_where_calls_go_are_taken_over_too(running):
    running.phones("1001", "1002")
    running.configure(centre())
    running.ready()
    running.configure(centre().replace('"5000" = { queue = "sales" }', '"5000" = { hang_up = true }'))
    running.file.write_text(running.file.read_text().replace('format = "json"', 'format = "json"\nlevel = "debug"'))
    status, said = running.command("reload")
    assert (status, sorted(said.splitlines())) == (0, ["log: level 'info' -> 'debug'", "numbers: changed"])
    caller = running.switch.incoming()
    assert running.said("ConnectionCleared")["level"] == "debug"
    running.until("the call is over", lambda: caller.ended)
    assert not running.of("Queued")


def test_sighup_reloads_too(running):
    running.phones("1001", "1002")
    running.configure(centre())
    running.ready()
    running.configure(centre("claims").replace('control = "control.sock"', ""))
    status, said = running.command("reload")
    assert (status, "needs a restart" in said) == (0, False), "it was told by SIGHUP, and its log says what came of it"
    running.said("the reload is refused", reason="daemon.control is another; that needs a restart")
    running.configure(centre("claims"))
    running.signal(signal.SIGHUP)
    running.said("reloaded")
    running.switch.incoming()
    assert answered(running, 1) == "bob"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (centre("clai ms"), "requires"),
        (centre() + '[scripts]\nx = "no_such_module_anywhere:f"', "no_such_module_anywhere"),
        (centre() + '[api]\nbind = "tcp://127.0.0.1:*"', "needs a restart"),
    ],
)
def test_a_reload_that_cannot_be_done_changes_nothing(running, text, reason):
    running.phones("1001", "1002")
    running.configure(centre())
    running.ready()
    running.configure(text.replace("skills = { sales = 1 }", "skills = { claims = 1 }"))
    status, said = running.command("reload")
    assert status == 2
    assert reason in said
    running.signal(signal.SIGHUP)
    assert any(reason in line["reason"] for line in [running.said("the reload is refused")])
    running.switch.incoming()
    assert answered(running, 1) == "ann"


def test_queues_and_agents_come_and_go(running):
    running.phones("1001", "1002", "1003")
    running.configure(centre())
    running.ready()
    talking = running.switch.incoming()
    answered(running, 1)
    without_ann = centre().replace("[agent.ann]", "[agent.cid]").replace("1001", "1003").replace("queue", "queue", 1)
    running.configure(without_ann.replace("sales]", "service]").replace('queue = "sales"', 'queue = "service"'))
    status, said = running.command("reload")
    assert status == 0, said
    lines = said.splitlines()
    assert "queue service: added" in lines
    assert "queue sales: closed; its figures stay until the next start" in lines
    assert {"agent cid: added", "agent ann: removed", "agent cid: to be logged on"} <= set(lines)
    running.switch.incoming()
    assert answered(running, 2) == "cid"
    assert not running.of("an agent was removed")
    assert not talking.ended
    talking.hang_up()
    assert running.said("an agent was removed")["agent"] == "ann"


def test_a_queue_with_waiting_calls_stays_and_the_reload_is_refused(running):
    running.phones("1001", "1002")
    running.configure(centre("nobody"))
    running.ready()
    running.switch.incoming()
    running.said("Queued")
    running.configure(centre().replace("queue.sales", "queue.other").replace('"sales" }', '"other" }'))
    status, said = running.command("reload")
    assert status == 2
    assert "queue 'sales' has 1 waiting calls" in said
    running.switch.incoming()
    running.said("Queued", count=2, queue="sales")


def test_sigterm_lets_calls_end_and_takes_no_new_ones(running):
    running.phones("1001", "1002")
    running.configure(centre())
    running.ready()
    talking = running.switch.incoming()
    answered(running, 1)
    running.signal(signal.SIGTERM)
    running.said("draining: no new calls are taken", calls=1)
    late = running.switch.incoming()
    running.until("the late caller is refused", lambda: late.ended)
    assert late.channel.hangup_cause == "SWITCH_CONGESTION"
    assert not talking.ended
    talking.hang_up()
    assert running.wait() == 0
    running.said("stopped")
    assert running.command("reload")[0] == 1, "there is no daemon to be told"


def test_while_it_drains_calls_go_where_the_file_says(running):
    running.phones("1001", "1002")
    running.configure(
        centre("nobody", daemon='drain = { destination = "9999" }').replace("drain_s = 60", "drain_s = 1")
    )
    running.ready()
    running.switch.incoming()
    running.said("Queued")
    running.signal(signal.SIGTERM)
    running.said("draining: no new calls are taken", calls=1)
    running.switch.incoming()
    assert running.wait() == 0
    assert len(running.of("Diverted", destination="9999")) == 2
    running.said("calls that no agent had were handed over", calls=1)


def test_a_second_sigterm_leaves_the_call_to_the_switch_and_the_next_start_finds_it(running):
    running.phones("1001", "1002")
    running.configure(centre())
    running.ready()
    talking = running.switch.incoming()
    answered(running, 1)
    running.signal(signal.SIGTERM)
    running.said("draining: no new calls are taken")
    running.signal(signal.SIGTERM)
    assert running.wait() == 0
    running.said("calls stay on the switch; the next start finds them", calls=1)
    assert not talking.ended
    running.ready()
    assert running.said("Established", cause="switchingFunctionTerminated")["agent"] == "ann"
    second = running.switch.incoming()
    running.until("the agent who talks is offered nothing", lambda: running.of("Queued"))
    talking.hang_up()
    running.until("and then the one who waits", lambda: second.connected)


def test_a_service_manager_is_told(running, tmp_path):
    running.phones("1001", "1002")
    running.configure(centre())
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.bind(str(tmp_path / "notify"))
    told.settimeout(60)
    running.start(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000")
    assert told.recv(1000).startswith(b"READY=1\nSTATUS=running: 1 queues, 2 agents")
    assert told.recv(1000) == told.recv(1000) == b"WATCHDOG=1"
    running.signal(signal.SIGTERM)
    while (said := told.recv(1000)) == b"WATCHDOG=1":
        pass
    assert said.startswith(b"STOPPING=1")
    assert running.wait() == 0
    told.close()


def test_a_log_for_a_person_has_no_secrets_either(running):
    running.phones("1001", "1002")
    (running.directory / "hotline.py").write_text(
        "def late(call):\n    card_number = '4929-7731' + '-0042'\n    raise RuntimeError\n"
    )
    running.configure(
        centre().replace('{ queue = "sales" }', '{ script = "late" }') + '[scripts]\nlate = "hotline:late"\n'
    )
    running.file.write_text(running.file.read_text().replace('"json"', '"text"'))
    running.start()
    running.until("it is ready", lambda: " ready " in running.log_file.read_text())
    caller = running.switch.incoming()
    running.until("the call is cleared", lambda: caller.ended)
    running.until("it is said", lambda: "a script failed" in running.log_file.read_text())
    assert "4929-7731-0042" not in running.log_file.read_text()


def test_exit_statuses(running):
    running.configure("[queue.sales]\nrequires = 3")
    running.start()
    assert running.wait() == 2
    running.configure("")
    running.start(SWITCH_PASSWORD="wrong")
    assert running.wait() == 12
    running.server.stop()
    running.start()
    assert running.wait() == 10
    assert any(line.get("code") == "link.connect_failed" for line in running.lines())


def test_two_daemons_do_not_run_by_one_file(running):
    running.phones("1001", "1002")
    running.configure(centre())
    running.ready()
    first, status = running.process, running.command("run")
    assert status[0] == 2
    assert f"process {first.pid} runs already" in status[1]
    assert first.poll() is None
    assert (running.directory / "cti.pid").exists()


def test_a_script_of_the_operators_is_run_and_its_lines_name_the_call(running):
    running.phones("1001", "1002")
    (running.directory / "hotline.py").write_text(
        "import logging\n"
        "def welcome(call):\n"
        "    logging.warning('hello from %s', call.calling_number)\n"
        "    call.queue('sales')\n"
        "def late(call):\n"
        "    card_number = '4929-7731' + '-0042'\n"
        "    raise RuntimeError('no')\n"
    )
    running.configure(
        centre().replace('{ queue = "sales" }', '{ script = "welcome" }\n"5001" = { script = "late" }')
        + '[scripts]\nwelcome = "hotline:welcome"\nlate = "hotline:late"\n'
    )
    running.ready()
    running.switch.incoming(calling_number="138")
    established = running.said("Established")
    assert running.said("hello from 138")["call"] == established["call"]
    failing = running.switch.incoming(called_number="5001")
    running.until("the call of a script that fails is cleared", lambda: failing.ended)
    failure = running.said("a script failed")
    assert failure["call"] != established["call"]
    assert "RuntimeError" in str(failure)
    assert "4929-7731-0042" not in running.log_file.read_text(), "what callers say in confidence is in no log"

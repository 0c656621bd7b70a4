"""Webhooks: signed, retried, given up, sent again; nobody waits for a slow receiver."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import random
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import pytest
from attrs import evolve
from click.testing import CliRunner
from gevent import pywsgi

from cti import events
from cti.cli.webhooks import webhooks as cli
from cti.errors import ConfigurationError, UnknownEvent
from cti.web import BadSignature, Webhook, Webhooks, new_secret, signature, verify
from cti.web import outbox as outbox_module
from cti.web.dead_letters import DeadLetter, DeadLetters
from cti.web.outbox import Message, Outbox, Post, Refusal, verifying_context
from tests.center.bench import Bench, bench

from .site import make_certificate, until

EXAMPLE = Path(__file__).parents[2] / "examples" / "crm_webhook.py"
SECRET = new_secret()
QUICK = {"first_delay_s": 0.01, "longest_delay_s": 0.05}


class Receiver:
    """A receiver that answers as it is told: a status, or a number of seconds and then 204."""

    def __init__(self, **tls: str) -> None:
        self.answers: list[Any] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.headers: list[tuple[str, str]] = []
        self._server = pywsgi.WSGIServer(("127.0.0.1", 0), self._take, log=None, error_log=None, **tls)
        self._server.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/pop?x=1"

    @property
    def kinds(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.got]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]

    def _take(self, environ: Any, start_response: Callable[..., Any]) -> list[bytes]:
        assert environ["REQUEST_METHOD"] == "POST"
        assert environ["QUERY_STRING"] == "x=1"
        names = {"HTTP_WEBHOOK_ID": "webhook-id", "HTTP_WEBHOOK_TIMESTAMP": "webhook-timestamp"}
        names |= {"HTTP_WEBHOOK_SIGNATURE": "webhook-signature", "CONTENT_TYPE": "content-type"}
        headers = {name: environ[key] for key, name in names.items()}
        self.got.append((headers, environ["wsgi.input"].read()))
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, float):
            gevent.sleep(answer)
            answer = 204
        start_response(f"{answer} Said", list(self.headers))
        return []

    def stop(self) -> None:
        self._server.stop(timeout=0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


@contextmanager
def hooked(*hooks: Webhook, dead: Path | None = None) -> Iterator[tuple[Bench, Webhooks]]:
    """A centre with two agents and these webhooks."""
    with bench() as made:
        made.centre.add_queue("claims", requires="claims >= 3")
        made.centre.on_call("5*")(lambda call: call.queue("claims"))
        made.centre.start()
        for name in ("alice", "bob"):
            made.agent(name, skills={"claims": 5})
        told = Webhooks(made.centre, hooks, dead_letters=dead, chance=random.Random(1))
        told.start()
        try:
            yield made, told
        finally:
            told.stop()


def not_ready(made: Bench, times: int = 1) -> None:
    """So many events of the kind AgentNotReady."""
    for _ in range(times):
        made.centre.agent("alice").not_ready()
        made.centre.agent("alice").ready()


def test_a_screen_pop(receiver: Receiver):
    with hooked(Webhook("crm", receiver.url, SECRET, kinds=["Delivered"])) as (made, _):
        made.switch.incoming(
            calling_number="138", called_number="5000", talk_s=0.02, variables={"cti_data_policy": "4711"}
        )
        until(lambda: receiver.got)
        made.wait_for(events.CallCleared)
    headers, body = receiver.got[0]
    verify(SECRET, headers, body)
    said = json.loads(body)
    assert (said["type"], said["data"]["data"], said["data"]["queue"]) == ("Delivered", {"policy": "4711"}, "claims")
    assert said["timestamp"].endswith("Z")
    assert headers["content-type"] == "application/json"
    assert receiver.kinds == ["Delivered"]


def test_only_what_was_asked_for(receiver: Receiver):
    with hooked(Webhook("crm", receiver.url, SECRET, agents=["bob"], kinds=["AgentEvent"])) as (made, _):
        not_ready(made)
        made.centre.agent("bob").not_ready()
        until(lambda: receiver.got)
    assert [json.loads(body)["data"]["agent"] for _, body in receiver.got] == ["bob"]


def test_a_failed_attempt_is_made_again(receiver: Receiver, tmp_path):
    receiver.answers = [500, 429, 503]
    hook = Webhook("crm", receiver.url, SECRET, kinds=["AgentNotReady"], **QUICK)
    with hooked(hook, dead=tmp_path / "dead") as (made, told):
        not_ready(made)
        until(lambda: told._outboxes["crm"].sent == 1)
    assert len(receiver.got) == 4
    assert len(set(receiver.ids)) == 1
    assert DeadLetters(tmp_path / "dead").read() == []


def test_a_receiver_may_say_when(receiver: Receiver):
    receiver.answers = [503]
    receiver.headers = [("Retry-After", "7")]
    outbox = Outbox(Webhook("crm", receiver.url, SECRET), lambda letter: None, random.Random(1))
    outbox._try(Message("msg_1", b"{}"))
    assert 6 < outbox._waiting[0][0] - time.monotonic() <= 7
    outbox.close("over")


def test_waits_grow_and_differ():
    outbox = Outbox(Webhook("crm", "http://127.0.0.1:1/", SECRET), lambda letter: None, random.Random(1))
    delays = [[outbox._delay_s(tries) for _ in range(50)] for tries in (1, 2, 3, 20)]
    for each, whole in zip(delays, (1, 2, 4, 300), strict=True):
        assert whole / 2 <= min(each) < max(each) <= whole
        assert len(set(each)) > 40
    outbox.close("over")


def test_what_nobody_takes_becomes_a_dead_letter(receiver: Receiver, tmp_path):
    receiver.answers = [500, 500, 400]
    dead = tmp_path / "letters" / "dead"
    hook = Webhook("crm", receiver.url, SECRET, kinds=["AgentNotReady"], tries=2, at_once=1, **QUICK)
    with hooked(hook, dead=dead) as (made, told):
        not_ready(made)
        until(lambda: told._outboxes["crm"].given_up == 1)
        not_ready(made)
        until(lambda: told._outboxes["crm"].given_up == 2)
        not_ready(made)
        until(lambda: told._outboxes["crm"].sent == 1)
    letters = DeadLetters(dead).read()
    assert [(each.webhook, each.tries, each.why) for each in letters] == [
        ("crm", 2, "status 500"),
        ("crm", 1, "status 400"),
    ]
    assert json.loads(letters[0].body)["type"] == "AgentNotReady"
    assert stat.S_IMODE(dead.stat().st_mode) == 0o600


def test_a_redirect_is_not_followed(receiver: Receiver, tmp_path):
    receiver.answers = [302]
    receiver.headers = [("Location", receiver.url)]
    with hooked(Webhook("crm", receiver.url, SECRET, kinds=["AgentNotReady"], **QUICK), dead=tmp_path / "dead") as (
        made,
        told,
    ):
        not_ready(made)
        until(lambda: told._outboxes["crm"].given_up == 1)
    assert len(receiver.got) == 1


def test_one_who_is_slow_delays_nobody(receiver: Receiver, tmp_path):
    silent = Receiver()
    silent.answers = [60.0] * 100
    slow = Webhook("slow", silent.url, SECRET, kinds=["AgentNotReady"], timeout_s=0.2, at_once=2, tries=1)
    quick = Webhook("quick", receiver.url, SECRET, kinds=["AgentNotReady"])
    with hooked(slow, quick, dead=tmp_path / "dead") as (made, told):
        not_ready(made, 6)
        until(lambda: told._outboxes["quick"].sent == 6)
        until(lambda: told._outboxes["slow"].given_up == 6, "each is given up: connections are not used up")
    assert {each.why for each in DeadLetters(tmp_path / "dead").read()} == {"no answer within 0.2 s"}
    silent.stop()


def test_nobody_listens(tmp_path):
    hook = Webhook("crm", "http://127.0.0.1:1/", SECRET, kinds=["AgentNotReady"], tries=3, **QUICK)
    with hooked(hook, dead=tmp_path / "dead") as (made, told):
        not_ready(made)
        until(lambda: told._outboxes["crm"].given_up == 1)
        assert told._outboxes["crm"].failed_attempts == 3
    assert "refused" in DeadLetters(tmp_path / "dead").read()[0].why


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_https_is_verified_and_blocks_nobody(tmp_path, monkeypatch):
    certificate, key = make_certificate(tmp_path)
    secure = Receiver(certfile=str(certificate), keyfile=str(key))
    url = secure.url.replace("http://127.0.0.1", "https://localhost")
    message = Message("msg_1", b"{}")
    stranger = Post(Webhook("crm", url, SECRET))
    with pytest.raises(Refusal, match="CERTIFICATE_VERIFY_FAILED"):
        stranger.send(message)
    monkeypatch.setattr(outbox_module, "verifying_context", lambda cafile: verifying_context(str(certificate)))
    Post(Webhook("crm", url, SECRET)).send(message)
    assert secure.ids == ["msg_1"]
    secure.stop()
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections, and shakes no hands
    waiting = Post(Webhook("crm", f"https://127.0.0.1:{silent.getsockname()[1]}/", SECRET, timeout_s=0.5))
    attempt = gevent.spawn(pytest.raises, Refusal, waiting.send, message)
    turns = 0
    while not attempt.ready():
        gevent.sleep(0.001)
        turns += 1
    attempt.get()
    assert turns > 20
    silent.close()


def test_more_than_may_wait_are_given_up_at_once(tmp_path):
    silent = Receiver()
    silent.answers = [60.0] * 100
    hook = Webhook("crm", silent.url, SECRET, kinds=["AgentNotReady"], backlog=3, at_once=1)
    with hooked(hook, dead=tmp_path / "dead") as (made, told):
        not_ready(made, 10)
        until(lambda: told._outboxes["crm"].given_up == 7)
        assert len(told._outboxes["crm"]) == 3
    silent.stop()
    assert len(DeadLetters(tmp_path / "dead").read()) == 10, "what was not sent by the end is kept"


def test_dead_letters_are_sent_again(receiver: Receiver, tmp_path):
    dead = DeadLetters(tmp_path / "dead")
    for n, name in enumerate(("crm", "other", "crm", "crm")):
        dead.add(DeadLetter(name, receiver.url, f"msg_{n}", 1.0, 10, "status 500", f'{{"type":"{n}"}}'))
    receiver.answers = [204, 500]
    listed = CliRunner().invoke(cli, ["list", str(tmp_path / "dead")]).output
    assert listed.splitlines()[0] == f"3 crm {receiver.url} last=1970-01-01T00:00:01+00:00 status 500"
    arguments = ["replay", str(tmp_path / "dead"), "--name", "crm"]
    done = CliRunner().invoke(cli, arguments, env={"CTI_WEBHOOK_SECRET": SECRET})
    assert (done.exit_code, done.output) == (1, "2 sent, 1 failed, 1 of other webhooks left\n")
    assert receiver.ids == ["msg_0", "msg_2", "msg_3"]
    verify(SECRET, *receiver.got[0])
    left = {each.id: (each.webhook, each.tries) for each in dead.read()}
    assert left == {"msg_1": ("other", 10), "msg_2": ("crm", 11)}
    done = CliRunner().invoke(cli, arguments, env={"CTI_WEBHOOK_SECRET": SECRET})
    assert (done.exit_code, done.output) == (0, "1 sent, 0 failed, 1 of other webhooks left\n")
    done = CliRunner().invoke(cli, arguments, env={"CTI_WEBHOOK_SECRET": SECRET})
    assert isinstance(done.exception, ConfigurationError)


def test_a_replay_that_was_cut_off_loses_nothing(tmp_path):
    dead = DeadLetters(tmp_path / "dead")
    letter = DeadLetter("crm", "http://127.0.0.1:1/", "msg_1", 1.0, 1, "why", "{}")
    dead.add(letter)
    assert dead.take() == [letter]
    dead.add(letter)
    assert DeadLetters(tmp_path / "dead").take() == [letter, letter]
    dead.done()
    assert dead.read() == []


def test_dead_letters_are_bounded(tmp_path):
    dead = DeadLetters(tmp_path / "dead", most_bytes=2_000)
    for n in range(100):
        dead.add(DeadLetter("crm", "http://127.0.0.1:1/", f"msg_{n}", 1.0, 1, "why", "{}"))
    kept = [each.id for each in dead.read()]
    assert kept == [f"msg_{n}" for n in range(100 - len(kept), 100)]
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 4_000
    (tmp_path / "dead").write_bytes(b"\xff{]\n" + (tmp_path / "dead").read_bytes())
    assert len(dead.read()) == len(kept)


def test_a_disk_that_is_full_costs_the_letter_alone(tmp_path):
    (tmp_path / "dead").mkdir()
    assert not DeadLetters(tmp_path / "dead").add(DeadLetter("crm", "", "msg_1", 1.0, 1, "why", "{}"))


def test_the_signature_is_that_of_the_specification():
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    said = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330." + body, hashlib.sha256).digest()
    assert said == "v1," + base64.b64encode(signed).decode()


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": "1700000001"},
        {"webhook-timestamp": "1700000400"},
        {"webhook-timestamp": "soon"},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": ""},
    ],
)
def test_a_message_that_was_changed_is_refused(change):
    body = b"{}"
    good = {"webhook-id": "msg_1", "webhook-timestamp": "1700000000"}
    good["webhook-signature"] = "v1,other " + signature(SECRET, "msg_1", 1_700_000_000, body)
    verify(SECRET, good, body, now=1_700_000_100)
    with pytest.raises(BadSignature):
        verify(SECRET, {**good, **change}, body, now=1_700_000_100)
    with pytest.raises(BadSignature):
        verify(SECRET, good, b"{ }", now=1_700_000_100)
    with pytest.raises(BadSignature):
        verify(SECRET, good, body, now=1_700_000_301)
    with pytest.raises(BadSignature):
        verify(new_secret(), good, body, now=1_700_000_100)


@pytest.mark.parametrize(
    "url", ["ftp://x/", "http:///x", "x", "http://a b/", "http://user:pw@x/", "http://x:99999/", "http://\n/"]
)
def test_a_url_that_cannot_be_used_is_refused(url):
    with pytest.raises(ConfigurationError, match="url"):
        Webhook("crm", url, SECRET)


def test_settings_that_cannot_be_used_are_refused(tmp_path):
    for secret in ("", "secret", "whsec_", "whsec_AAAA", "whsec_%%%%"):
        with pytest.raises(ConfigurationError, match="secret"):
            Webhook("crm", "http://127.0.0.1/", secret)
    assert "whsec" not in repr(Webhook("crm", "http://127.0.0.1/", SECRET))
    hook = Webhook("crm", "http://127.0.0.1/", SECRET)
    with pytest.raises(ConfigurationError, match="same name"):
        Webhooks(None, [hook, hook])
    with pytest.raises(UnknownEvent):
        Webhooks(None, [Webhook("crm", "http://127.0.0.1/", SECRET, kinds=["Deliverd"])])


def test_the_example_pops():
    if not EXAMPLE.is_file():
        pytest.skip("no examples/ beside the tests")
    environment = {**os.environ, "CTI_WEBHOOK_SECRET": SECRET}
    command = [sys.executable, str(EXAMPLE), "--port", "0"]
    from gevent.subprocess import Popen

    with Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as running:
        try:
            address = running.stdout.readline().split()[-1]
            right = Webhook("crm", f"http://{address}/pop", SECRET, kinds=["Delivered"])
            wrong = Webhook("forger", f"http://{address}/pop", new_secret(), kinds=["AgentNotReady"])
            with hooked(right, wrong) as (made, _):
                not_ready(made)
                assert running.stdout.readline() == "refused: the message was not signed with this secret\n"
                made.switch.incoming(
                    calling_number="138", called_number="5000", talk_s=0.02, variables={"cti_data_policy": "4711"}
                )
                said = running.stdout.readline()
                assert said.endswith(': 138 (Wang Fang, gold) {"policy": "4711"}\n')
        finally:
            running.kill()


def test_other_webhooks_from_now_on(receiver, tmp_path):
    """One stays, with what waits for it; one is changed, one goes: what waited for these is a dead letter."""
    dead = tmp_path / "dead.jsonl"
    slow = {"first_delay_s": 30.0, "longest_delay_s": 60.0}
    stays = Webhook("stays", receiver.url, SECRET, kinds=["AgentNotReady"], first_delay_s=0.2, longest_delay_s=0.2)
    changes = Webhook("changes", receiver.url, SECRET, kinds=["AgentNotReady"], **slow)
    goes = Webhook("goes", receiver.url, SECRET, kinds=["AgentNotReady"], **slow)
    receiver.answers = [503, 503, 503]
    with hooked(stays, changes, goes, dead=dead) as (made, told):
        not_ready(made)
        until(lambda: len(receiver.got) == 3, "each was tried once")
        until(lambda: sum(box.failed_attempts for box in told._outboxes.values()) == 3, "in vain")
        with pytest.raises(ConfigurationError, match="two webhooks have the same name"):
            told.use([stays, stays])
        told.use([stays, evolve(changes, kinds=["AgentReady"])])
        assert {letter.webhook for letter in DeadLetters(dead).read()} == {"changes", "goes"}
        until(lambda: len(receiver.got) == 4, "what waits for the one that stays is tried again")
        assert len(set(receiver.ids)) == 1, "all were of one event, and this is the same message"
        not_ready(made)
        until(lambda: receiver.kinds[4:].count("AgentReady") == 1 and len(receiver.got) >= 6, "by the new ones")
        assert sorted(receiver.kinds[4:]) == ["AgentNotReady", "AgentReady"]

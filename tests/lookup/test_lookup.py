"""Look-ups: always an answer by the deadline, from a server on loopback, a SQLite file, or the fallback."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import gevent
import pytest
import structlog

from cti.errors import CallGone, ConfigurationError
from cti.lookup import HttpLookup, Lookup, SqlLookup
from cti.lookup.breaker import Breaker
from cti.lookup.cache import MOST, Cache, key_of
from cti.script.secret import Secret
from cti.testing import FakeCall
from tests.center.bench import bench

FALLBACK = {"vip": False}
PIN = "92481"


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, bytes]] = []
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.release = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, body))
        path = urlsplit(self.path).path
        if path == "/slow":
            self.server.release.wait(30)
        status, answer = self.server.answers.get(path, (200, b'{"vip": true}'))
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_POST(self):
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield made
    made.release.set()
    made.shutdown()
    made.server_close()
    thread.join()


def http(server, path="/customers/{number}", **settings):
    return HttpLookup(server.url + path, **{"fallback": FALLBACK, "deadline_s": 20, **settings})


def counts(lookup):
    return {
        name: count
        for name in lookup.figures.__slots__
        if (count := getattr(lookup.figures, name, 0)) and name[0] != "_"
    }


def until(true):
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        gevent.sleep(0.01)


def test_parameters_go_where_they_belong(server):
    assert http(server).ask(number="+49 30/1?x", lang="de") == {"vip": True}
    (method, path, _) = server.asked[0]
    assert (method, urlsplit(path).path) == ("GET", "/customers/%2B49%2030%2F1%3Fx")
    assert parse_qs(urlsplit(path).query) == {"lang": ["de"]}


def test_a_secret_is_posted_and_seen_nowhere(server):
    lookup = http(server, "/pin/{number}", method="POST", cache_s=60)
    with structlog.testing.capture_logs() as logged:
        assert lookup.ask(number="1", pin=Secret(PIN)) == {"vip": True}
        server.answers["/pin/1"] = (500, b"no")
        assert lookup.ask(number="1", pin=Secret("other")) == FALLBACK
    assert json.loads(server.asked[0][2]) == {"pin": PIN}
    assert PIN not in f"{logged} {lookup!r} {lookup._cache._kept}"
    assert "other" not in str(logged)
    for wrong in (http(server), http(server, "/pin/{pin}", method="POST")):
        with pytest.raises(ConfigurationError, match="'pin' is secret; post it"):
            wrong.ask(number="1", pin=Secret(PIN))


@pytest.mark.parametrize(
    ("answer", "figure"),
    [
        ((200, b"<html>"), "nonsense"),
        ((200, b"[1, 2]"), "nonsense"),
        ((200, b'"' + b"x" * 70_000 + b'"'), "nonsense"),
        ((200, b"[" * 60_000), "nonsense"),
        ((200, b"\xff\xfe"), "nonsense"),
        ((500, b'{"vip": true}'), "failed"),
        ((302, b'{"vip": true}'), "failed"),
    ],
    ids=["html", "list", "large", "deep", "bytes", "error", "redirection"],
)
def test_what_is_no_answer_is_the_fallback_and_counted(server, answer, figure):
    server.answers["/customers/7"] = answer
    lookup = http(server)
    with structlog.testing.capture_logs() as logged:
        assert lookup.ask(number=7) == FALLBACK
    assert counts(lookup) == {"asked": 1, figure: 1}
    assert "xxxx" not in str(logged)
    assert len(logged) == 1


def test_an_answer_that_was_not_read_to_its_end_spoils_no_other(server):
    server.answers["/customers/1"] = (200, b"x" * 200_000)
    server.answers["/customers/2"] = (500, b"y" * 200_000)
    lookup = http(server, pool=1)
    assert [lookup.ask(number=n) for n in (1, 3, 2, 4)] == [FALLBACK, {"vip": True}, FALLBACK, {"vip": True}]


def test_there_is_none(server):
    server.answers["/customers/8"] = (404, b"<html>")
    server.answers["/customers/9"] = (200, b"null")
    lookup = http(server)
    assert (lookup.ask(number=8), lookup.ask(number=9)) == (None, None)
    assert counts(lookup) == {"asked": 2, "answered": 2}


def test_nobody_is_there():
    lookup = HttpLookup("http://127.0.0.1:1/", fallback=FALLBACK, deadline_s=20, failures=2)
    assert [lookup.ask() for _ in range(4)] == [FALLBACK] * 4
    assert counts(lookup) == {"asked": 4, "failed": 2, "skipped": 2}


def test_answers_are_remembered_and_may_be_changed_by_who_gets_them(server):
    lookup = http(server, cache_s=60)
    lookup.ask(number=1)["vip"] = "changed"
    assert lookup.ask(number=1) == {"vip": True}
    lookup.ask(number="1")  # text is another question than a number
    assert len(server.asked) == 2
    assert counts(lookup) == {"asked": 3, "answered": 2, "cached": 1}


def test_two_hundred_slow_look_ups_delay_nobody(server):
    """Twenty threads hang; the other 180 have the fallback at once, and greenlets go on meanwhile."""
    lookup = http(server, "/slow", deadline_s=1.0, cache_s=60, failures=1000)
    began = time.monotonic()
    scripts = [gevent.spawn(lookup.ask, number=n) for n in range(200)]
    gevent.sleep(0)
    ticks, longest = 0, 0.0
    while not all(script.ready() for script in scripts):
        before = time.monotonic()
        gevent.sleep(0.01)
        ticks, longest = ticks + 1, max(longest, time.monotonic() - before)
    assert time.monotonic() - began < 5  # nobody waits for the server
    assert ticks > 20
    assert longest < 0.5
    assert [script.value for script in scripts] == [FALLBACK] * 200
    assert counts(lookup) == {"asked": 200, "late": 20, "full": 180, "running": 20}
    server.release.set()
    until(lambda: not lookup.figures.running)
    assert lookup.ask(number=0) == {"vip": True}  # what came late is remembered
    assert counts(lookup)["cached"] == 1


def test_a_thread_that_is_late_keeps_its_place(server):
    lookup = http(server, "/slow", deadline_s=0.1, pool=1)
    assert lookup.ask() == FALLBACK
    assert lookup.ask() == FALLBACK
    assert counts(lookup) == {"asked": 2, "late": 1, "full": 1, "running": 1}
    server.release.set()
    until(lambda: not lookup.figures.running)
    lookup.deadline_s = 20
    assert lookup.ask() == {"vip": True}
    lookup.close()


def test_a_look_up_in_one_call_delays_no_other(server):
    prompt = "tone_stream://%(60000,0,440)"
    lookup = http(server, "/slow")
    with bench() as line:
        line.centre.on_call("5000")(lambda call: call.look_up(lookup, hold_prompt=prompt, hold_after_s=0.1))
        line.centre.on_call("6000")(lambda call: call.answer())
        line.centre.start()
        slow = line.switch.incoming(called_number="5000")
        line.until("the caller hears something", lambda: [one.data for one in slow.channel.stack][-1:] == [prompt])
        quick = line.switch.incoming(called_number="6000")
        line.until("the other call is over", lambda: quick.ended)
        assert not slow.ended
        server.release.set()
        line.until("it goes on", lambda: slow.ended)
        line.all_is_over()
    assert counts(lookup) == {"asked": 1, "answered": 1}


def test_the_breaker():
    breaker = Breaker(2, 10)
    for now in (0, 1):
        assert breaker.lets_through(now)
        breaker.failed(now)
    assert not breaker.lets_through(5)
    assert breaker.lets_through(11)  # the trial
    assert not breaker.lets_through(12)
    breaker.failed(12)
    assert not breaker.lets_through(21)
    assert breaker.lets_through(22)
    breaker.worked()
    assert breaker.lets_through(22)
    assert breaker.lets_through(22)


def test_the_cache_forgets():
    cache = Cache(10)
    cache.put("a", 1, 0)
    assert (cache.get("a", 9), cache.get("a", 10), len(cache)) == ((1,), None, 0)
    for number in range(MOST + 5):
        cache.put(number, number, 0)
    assert len(cache) == MOST
    assert cache.get(0, 1) is None
    assert PIN not in repr(key_of({"pin": Secret(PIN)}))
    assert key_of({"pin": Secret(PIN)}) == key_of({"pin": Secret(PIN)})
    assert key_of({"pin": Secret(PIN)}) != key_of({"pin": Secret("1")})


@pytest.fixture
def customers(tmp_path):
    path = tmp_path / "customers.db"
    with sqlite3.connect(path) as database:
        database.execute("create table customers (number text, name text, pin text)")
        database.execute("insert into customers values ('030', 'Ann', ?)", (PIN,))
        database.execute("insert into customers values ('040', ?, '')", ("x" * 70_000,))
    database.close()
    return f"sqlite:///{path}"


def test_a_row_is_found_by_sql(customers):
    lookup = SqlLookup(customers, "select name from customers where number = :number", fallback=FALLBACK, deadline_s=20)
    assert lookup.ask(number="030") == {"name": "Ann"}
    assert lookup.ask(number="' or 1 = 1 --") is None
    assert lookup.ask(number="040") == FALLBACK
    assert counts(lookup) == {"asked": 3, "answered": 2, "nonsense": 1}
    for wrong in ({}, {"number": "1", "more": 1}):
        with pytest.raises(ConfigurationError, match="its query has number, not"):
            lookup.ask(**wrong)
    lookup.close()


def test_what_a_database_says_of_its_errors_is_not_logged(customers):
    lookup = SqlLookup(customers, "select name from nowhere where pin = :pin", fallback=FALLBACK, deadline_s=20)
    with structlog.testing.capture_logs() as logged:
        assert lookup.ask(pin=Secret(PIN)) == FALLBACK
    assert counts(lookup) == {"asked": 1, "failed": 1}
    assert [(one["lookup"].split()[0], one["why"]) for one in logged] == [("sqlite", "OperationalError")]
    assert PIN not in str(logged)
    lookup.close()


def test_a_secret_finds_a_row(customers):
    lookup = SqlLookup(customers, "select name from customers where pin = :pin", deadline_s=20, cache_s=9)
    assert lookup.ask(pin=Secret(PIN)) == {"name": "Ann"}
    lookup.close()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: HttpLookup("ftp://x/"), "must be such as"),
        (lambda: HttpLookup("http://{host}/"), "no {} in its name"),
        (lambda: HttpLookup("http://x/", method="PUT"), "method is 'PUT'"),
        (lambda: HttpLookup("http://x/", deadline_s=0), "deadline_s is 0"),
        (lambda: HttpLookup("http://x/", pool=0), "pool is 0"),
        (lambda: HttpLookup("http://x/", cache_s=-1), "cache_s is -1"),
        (lambda: HttpLookup("http://x/{number}").ask(), "it needs number"),
        (lambda: SqlLookup("no url", "select 1"), "url cannot be used: ArgumentError"),
        (lambda: SqlLookup("nosuch://h/d", "select 1"), "url cannot be used"),
    ],
)
def test_what_is_refused(make, said):
    with pytest.raises(ConfigurationError, match=None) as refused:
        make()
    assert said in str(refused.value)


class Slow(Lookup):
    """Answers when it is let."""

    def __init__(self, **settings):
        super().__init__("slow", **settings)
        self.release = threading.Event()

    def _check(self, parameters):
        assert isinstance(parameters, dict)

    def _fetch(self, parameters):
        assert self.release.wait(30)
        return dict(parameters)


def test_a_script_gets_the_answer_and_a_quick_one_plays_nothing():
    lookup = Slow(deadline_s=20)
    lookup.release.set()
    call = FakeCall()
    assert call.look_up(lookup, number="1", hold_prompt="/wait.wav", hold_after_s=15) == {"number": "1"}
    assert call.heard == []


@pytest.mark.parametrize("missing", [(), ("/wait.wav",)], ids=["prompt", "missing"])
def test_the_caller_hears_something_while_it_takes_long(missing):
    lookup = Slow(deadline_s=0.9, fallback=FALLBACK)
    call = FakeCall(missing=missing)
    assert call.look_up(lookup, number="1", hold_prompt={"en": "/wait.wav"}, hold_after_s=0.05) == FALLBACK
    assert call.heard[0] == "/wait.wav"
    assert len(call.heard) == (2 if missing else 1)
    assert call.control._running.outcome is not None  # it plays no more
    lookup.release.set()
    lookup.close()


def test_a_caller_who_hangs_up_ends_it_before_the_deadline():
    lookup = Slow(deadline_s=30)
    call = FakeCall()
    gevent.spawn_later(0.05, call.control.gone, "NORMAL_CLEARING")
    with pytest.raises(CallGone):
        call.look_up(lookup, hold_after_s=0.1)
    lookup.release.set()
    lookup.close()

"""The API's methods over HTTP."""

from __future__ import annotations

import json

import pytest

from cti.api import METHODS
from cti.web import WebLimits, address

from .site import Site, site


def test_an_agents_day(open_site: Site):
    open_site.post("/v1/agent/log_off", {"agent": "alice"})
    assert open_site.get("/v1/agent/get?agent=alice").json["state"] == "null"
    answer = open_site.post("/v1/agent/log_on", {"agent": "alice", "ready": True})
    assert (answer.status, answer.text) == (204, b"")
    assert open_site.post("/v1/agent/not_ready", {"agent": "alice", "reason": "lunch"}).status == 204
    record = open_site.get("/v1/agent/get?agent=alice").json
    assert (record["state"], record["reason"], record["skills"]) == ("not ready", "lunch", {"claims": 5})


def test_a_snapshot_has_what_there_is(open_site: Site):
    snapshot = open_site.get("/v1/snapshot").json
    assert {agent["agent"] for agent in snapshot["agents"]} == {"alice", "bob"}
    assert [queue["queue"] for queue in snapshot["queues"]] == ["claims"]
    assert list(snapshot["links"].values()) == ["live"]


def test_a_queue_can_be_added(open_site: Site):
    settings = {"queue": "loans", "requires": "claims >= 1", "widening": [{"after_s": 5, "also": ["claims"]}]}
    assert open_site.post("/v1/queue/add", settings).status == 204
    assert open_site.get("/v1/queue/get?queue=loans").json["agents_staffed"] == 2


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_every_method_has_one_url_and_one_verb(shared_site: Site, method):
    path = address.path(method)
    wrong = "POST" if address.is_get(method) else "GET"
    answer = shared_site.ask(wrong, path, {} if wrong == "POST" else None)
    assert answer.code == "http.method_not_allowed"
    assert ("GET" if address.is_get(method) else "POST") in answer.headers["allow"]


@pytest.mark.parametrize(
    ("verb", "path", "body", "status", "code"),
    [
        ("GET", "/v1/agent/get?agent=alcie", None, 404, "operation.unknown_agent"),
        ("GET", "/v1/agent/get", None, 422, "operation.invalid_parameter"),
        ("GET", "/v1/agent/get?agent=a&agent=b", None, 422, "operation.invalid_parameter"),
        ("GET", "/v1/agent/get?agent=alice&colour=red", None, 422, "operation.invalid_parameter"),
        ("GET", "/v1/agent/get?agent=%0d%0aX:1", None, 422, "operation.invalid_parameter"),
        ("GET", "/v1/agent/sing", None, 404, "http.not_found"),
        ("POST", "/v1/agent/log_on", {"agent": "alice"}, 409, "state.invalid_agent_state"),
        ("POST", "/v1/agent/log_on", {"agent": "alice", "ready": "yes"}, 422, "operation.invalid_parameter"),
        ("POST", "/v1/agent/log_on", {"agent": 7}, 422, "operation.invalid_parameter"),
        ("POST", "/v1/agent/log_on", {"agent": None}, 422, "operation.invalid_parameter"),
        ("POST", "/v1/agent/log_on", b"", 422, "operation.invalid_parameter"),
        ("POST", "/v1/agent/log_on", b"{", 400, "protocol.malformed"),
        ("POST", "/v1/agent/log_on", b"[]", 400, "protocol.malformed"),
        ("POST", "/v1/agent/log_on", b"\xff\xfe", 400, "protocol.malformed"),
        ("POST", "/v1/agent/log_on", b'{"agent": NaN}', 400, "protocol.malformed"),
        ("POST", "/v1/agent/log_on", b'{"agent": "\\ud800"}', 400, "protocol.malformed"),
        ("POST", "/v1/agent/log_on", b'{"a":' * 20_000 + b"1" + b"}" * 20_000, 413, "limit.size"),
        ("POST", "/v1/agent/log_on", b'{"a":' * 9_000 + b"1" + b"}" * 9_000, 400, "protocol.malformed"),
        ("POST", "/v1/agent/log_on", b'{"a":' * 20 + b"1" + b"}" * 20, 413, "limit.size"),
        ("POST", "/v1/queue/add", {"queue": "q", "priority": 10**30}, 400, "protocol.malformed"),
        ("POST", "/v1/queue/add", {"queue": "q", "wrap_up_s": -1}, 422, "operation.configuration"),
        ("POST", "/v1/queue/add", {"queue": "q", "requires": "claims >="}, 422, "operation.configuration"),
        ("POST", "/v1/queue/add", {"queue": "q" * 201}, 422, "operation.invalid_parameter"),
        ("GET", "/v1/call/explain?call=x", None, 404, "operation.unknown_interaction"),
        ("PUT", "/v1/agent/log_on", {}, 405, "http.method_not_allowed"),
        ("GET", "/v1/../etc/passwd", None, 404, "http.not_found"),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", None, 404, "http.not_found"),
        ("GET", "/static/wallboard.html", None, 404, "http.not_found"),
        ("GET", "/wallboard.js%00.txt", None, 404, "http.not_found"),
    ],
)
def test_bad_input_is_a_problem_with_a_code(shared_site: Site, verb, path, body, status, code):  # noqa: PLR0917
    before = shared_site.get("/v1/snapshot").json["agents"]
    refused = shared_site.server.tally.refused[code]
    answer = shared_site.ask(verb, path, body)
    assert (answer.status, answer.code) == (status, code)
    after = shared_site.get("/v1/snapshot").json["agents"]
    assert [(each["agent"], each["state"]) for each in after] == [(each["agent"], each["state"]) for each in before]
    assert shared_site.server.tally.refused[code] == refused + 1


def test_the_field_is_named(open_site: Site):
    said = open_site.post("/v1/queue/add", {"queue": "q", "widening": [{"after_s": "soon"}]}).json
    assert said["field"].startswith("params.widening")
    assert said["field"].endswith(".after_s")


def test_a_form_of_another_site_cannot_ask(open_site: Site):
    answer = open_site.post("/v1/agent/not_ready", {"agent": "alice"}, content_type="text/plain")
    assert (answer.status, answer.code) == (415, "http.unsupported_media_type")
    answer = open_site.post("/v1/agent/not_ready", {"agent": "alice"}, origin="http://elsewhere.example")
    assert answer.code == "security.forged"
    answer = open_site.get("/v1/snapshot", host="elsewhere.example")
    assert (answer.status, answer.code) == (421, "security.other_host")
    assert open_site.get("/v1/agent/get?agent=alice").json["state"] == "ready"


def test_a_request_is_done_once_by_its_key(open_site: Site):
    asked = {"agent": "alice"}, {"Idempotency-Key": "k1"}
    open_site.post("/v1/agent/log_off", asked[0])
    assert open_site.post("/v1/agent/log_on", asked[0], **asked[1]).status == 204
    assert open_site.post("/v1/agent/log_on", asked[0], **asked[1]).status == 204
    assert open_site.post("/v1/agent/log_on", asked[0]).code == "state.invalid_agent_state"
    assert open_site.post("/v1/agent/log_on", {"agent": "bob"}, **asked[1]).code == "operation.id_reused"
    assert open_site.post("/v1/agent/log_off", asked[0], **asked[1]).code == "operation.id_reused"
    for bad in ("k" * 65, "", "a key", "k\xe9"):
        answer = open_site.post("/v1/agent/log_off", asked[0], **{"Idempotency-Key": bad})
        assert answer.code == "operation.invalid_parameter"


def test_a_refusal_is_repeated_by_its_key_too(open_site: Site):
    first = open_site.post("/v1/agent/log_on", {"agent": "alice"}, **{"Idempotency-Key": "k"})
    open_site.post("/v1/agent/log_off", {"agent": "alice"})
    again = open_site.post("/v1/agent/log_on", {"agent": "alice"}, **{"Idempotency-Key": "k"})
    assert first.code == again.code == "state.invalid_agent_state"
    assert first.text == again.text


def test_what_changes_is_audited():
    done = []
    with site(audit=done.append) as made:
        made.post("/v1/agent/not_ready", {"agent": "alice", "reason": "lunch"})
        made.post("/v1/agent/log_on", {"agent": "alice"})
        made.post("/v1/agent/log_on", b"{")
        made.get("/v1/snapshot")
    assert [(each.who, each.method, each.code) for each in done] == [
        ("local", "agent.not_ready", ""),
        ("local", "agent.log_on", "state.invalid_agent_state"),
        ("local", "agent.log_on", "protocol.malformed"),
    ]
    assert done[0].params == {"agent": "alice", "reason": "lunch"}
    assert done[0].address == "127.0.0.1"


def test_an_audit_that_raises_costs_nobody_an_answer():
    def fail(done):
        raise OSError("disk full")

    with site(audit=fail) as made:
        assert made.post("/v1/agent/not_ready", {"agent": "alice"}).status == 204


def test_too_many_requests_are_refused_until_later():
    with site(limits=WebLimits(requests_per_s=0.001, burst=50)) as made:
        assert made.get("/v1/snapshot").status == 200  # counts for 40
        refused = made.get("/v1/snapshot")
        assert (refused.status, refused.code, refused.headers["retry-after"]) == (429, "limit.rate", "1")
        assert refused.json["retryable"] is True
        assert made.get("/v1/agent/get?agent=alice").status == 200


def test_a_failure_of_ours_says_nothing_of_itself(open_site: Site, monkeypatch):
    def fail():
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(open_site.centre, "snapshot", fail)
    answer = open_site.get("/v1/snapshot")
    assert (answer.status, answer.code) == (500, "internal")
    assert b"secret" not in answer.text
    assert b"ZeroDivision" not in answer.text


def test_a_stopped_centre_refuses(open_site: Site):
    open_site.centre.stop()
    answer = open_site.post("/v1/agent/ready", {"agent": "alice"})
    assert (answer.status, answer.code) == (503, "link.closed")


def test_a_slow_method_has_a_deadline(monkeypatch):
    import gevent

    with site(limits=WebLimits(answer_s=0.05)) as made:
        monkeypatch.setattr(made.centre, "snapshot", lambda: gevent.sleep(60))
        answer = made.get("/v1/snapshot")
        assert (answer.status, answer.code) == (503, "limit.time")


def test_attached_data_of_any_kind_are_written():
    from cti.web.json_text import written, written_event

    assert json.loads(written({"name": "caf\udce9"})) == {"name": "caf\udce9"}
    assert json.loads(written({"at": object}))["at"].startswith("<class")
    assert json.loads(written_event({"kind": "Offered", "data": {("a", 1): 2}})) == {"kind": "Offered", "data": {}}

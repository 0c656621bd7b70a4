"""/health, /ready, /metrics, and the page."""

from __future__ import annotations

import re

from prometheus_client.parser import text_string_to_metric_families

from cti import events
from cti.api import ApiServer
from cti.web import Webhook, Webhooks, api_metrics, new_secret
from cti.web.metrics import registry

from .site import Site, site, until


def test_health_and_ready_follow_the_link(open_site: Site):
    assert open_site.get("/health").json == {"status": "ok"}
    assert open_site.get("/ready").json == {"status": "ready"}
    open_site.bench.server.stop()
    until(lambda: open_site.get("/ready").status == 503, "the link is lost")
    assert open_site.get("/ready").json == {"status": "not ready"}
    assert open_site.get("/health").status == 200


def test_a_feed_that_ended_is_not_healthy(open_site: Site):
    open_site.server._feed.failed.set_exception(RuntimeError("a defect"))
    answer = open_site.get("/health")
    assert (answer.status, answer.json) == (503, {"status": "failed"})
    until(open_site.server.failed.ready)


def test_monitors_need_no_account(locked_site: Site):
    assert locked_site.get("/health").status == 200
    assert locked_site.get("/ready").status == 200


def test_metrics(open_site: Site):
    open_site.call()
    open_site.bench.wait_for(events.CallCleared)
    open_site.get("/v1/agent/get?agent=nobody")
    carrier = open_site.bench.switch.gateways.add("carrier")
    carrier.fail()
    until(lambda: open_site.centre.switch_views()[0].trunks, "the gateway is known")
    found = metrics(open_site.get("/metrics").text)
    assert found["cti_queue_offered_total", "claims"] == 1
    assert found["cti_queue_answered_total", "claims"] == 1
    assert found["cti_queue_waiting", "claims"] == 0
    assert found["cti_queue_service_level_ratio", "claims"] == 1
    assert found["cti_queue_agents_staffed", "claims"] == 2
    assert sum(value for (name, _), value in found.items() if name == "cti_agents") == 2
    assert found["cti_link_live", open_site.centre.switch.id] == 1
    assert found["cti_calls", ""] == 0
    assert found["cti_trunk_in_service", open_site.centre.switch.id] == 0
    assert found["cti_web_refused_total", "operation.unknown_agent"] == 1
    assert found["cti_web_requests_total", ""] == 2
    assert found["cti_loop_lag_seconds", ""] >= 0


def test_metrics_have_a_token_of_their_own(tmp_path):
    with site(tmp_path, metrics_token="scrape me") as made:
        assert made.get("/metrics", authorization="Bearer scrape me").status == 200
        assert made.get("/metrics", authorization="Bearer scrape m").status == 401
        assert made.get("/v1/snapshot", authorization="Bearer scrape me").status == 401
        assert made.get("/metrics").status == 401


def test_the_zeromq_api_and_webhooks_have_metrics(open_site: Site):
    api = ApiServer(open_site.centre, bind="tcp://127.0.0.1:*", publish=None)
    api.start()
    hooks = Webhooks(open_site.centre, [Webhook("crm", "http://127.0.0.1:1/", new_secret())])
    hooks.start()
    from prometheus_client import generate_latest

    found = metrics(generate_latest(registry([api_metrics(api), hooks])))
    assert found["cti_api_clients", ""] == 0
    assert found["cti_webhook_sent_total", "crm"] == 0
    api.stop()
    hooks.stop()


def test_the_page(locked_site: Site):
    page = locked_site.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text.decode())
    assert named == ["/wallboard.css", "/wallboard.js"]
    for path in named:
        assert locked_site.get(path).status == 200
    script = locked_site.get("/wallboard.js").text.decode()
    assert set(re.findall(r'byId\("(\w+)"\)', script)) <= set(re.findall(r'id="(\w+)"', page.text.decode()))
    assert "innerHTML" not in script
    assert not re.search(r"\son\w+=|<script>|style=", page.text.decode())


def test_there_need_be_no_page():
    with site(wallboard=False) as made:
        assert made.get("/").code == "http.not_found"


def metrics(text: bytes) -> dict[tuple[str, str], float]:
    """(name, its one label's value) -> value."""
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }

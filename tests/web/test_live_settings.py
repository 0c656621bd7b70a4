"""Limits, the metrics' token and the certificate are changed while the server runs; nobody is disconnected for it."""

from __future__ import annotations

import shutil
import ssl

import gevent
import pytest
from gevent.ssl import SSLContext

from cti.errors import ConfigurationError
from cti.web import WebLimits

from .site import Site, make_certificate, site, until


def test_limits_count_at_once_and_nobody_is_dropped(tmp_path):
    with site(tmp_path, WebLimits(burst=3, requests_per_s=0.001)) as made:
        sue = made.bearer("sue")
        stream = made.stream(**sue)
        assert stream.next()[0] == "hello"
        assert [made.get("/v1/session", **sue).status for _ in range(3)] == [200, 200, 429]
        made.server.use(WebLimits(body_bytes=30, streams=1, session_idle_s=1800), metrics_token="")
        gevent.sleep(0.05)
        assert [made.get("/v1/session", **sue).status for _ in range(5)] == [200] * 5, (
            "the same session may ask for more"
        )
        assert made.get("/v1/session", **sue).json["idle_s"] == 1800
        assert made.stream(**sue).status == 503, "no second stream"
        assert made.post("/v1/agent/not_ready", {"agent": "alice", "reason": "x" * 40}, **sue).status == 413
        made.centre.agent("alice").not_ready("lunch")
        assert stream.until("AgentNotReady")["agent"] == "alice", "it was open all the time"


def test_failed_log_ins_are_limited_anew(tmp_path):
    with site(tmp_path, WebLimits(log_ins_per_minute=2)) as made:
        assert [made.log_in("sue", password="x").status for _ in range(3)] == [401, 401, 429]
        made.server.use(WebLimits(log_ins_per_minute=6000), metrics_token="")
        until(lambda: made.log_in("sue").status == 201, "she may try again now, and not in half a minute")


def test_fewer_events_are_kept(open_site: Site):
    for reason in range(10):
        open_site.post("/v1/agent/log_on", {"agent": "alice", "ready": True})
        open_site.post("/v1/agent/not_ready", {"agent": "alice", "reason": str(reason)})
        open_site.post("/v1/agent/ready", {"agent": "alice"})
    feed = open_site.server._feed
    until(lambda: len(feed._kept) >= 20, "events")
    newest = feed._kept[-1].seq
    open_site.server.use(WebLimits(kept_events=3), metrics_token="")
    assert [each.seq for each in feed._kept] == [newest - 2, newest - 1, newest]


def test_another_token_for_the_metrics(tmp_path):
    with site(tmp_path, metrics_token="before") as made:
        before, after = ({"authorization": f"Bearer {each}"} for each in ("before", "after"))
        assert [made.get("/metrics", **each).status for each in (before, after)] == [200, 401]
        made.server.use(WebLimits(), metrics_token="after")
        assert [made.get("/metrics", **each).status for each in (before, after)] == [401, 200]


def shown(made: Site) -> bytes:
    """The certificate that a new connection is shown."""
    context = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(made.raw()) as wrapped:
        return wrapped.getpeercert(binary_form=True)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_renewed_certificate_is_shown_to_the_next(tmp_path):
    certificate, key = make_certificate(tmp_path)
    with site(certificate=certificate, key=key) as made:
        before = shown(made)
        assert shown(made) == before
        make_certificate(tmp_path)  # under the same name
        made.server.use(WebLimits(), metrics_token="", certificate=certificate, key=key)
        renewed = shown(made)
        assert renewed != before
        key.write_text("no key")
        with pytest.raises(ConfigurationError, match="cannot use the certificate"):
            made.server.use(WebLimits(body_bytes=1), metrics_token="", certificate=certificate, key=key)
        assert shown(made) == renewed, "nothing was changed"
        assert made.server._server.limits == WebLimits()

"""Clients that are no clients: on the wire, below what an HTTP library would send."""

from __future__ import annotations

import shutil

import gevent
import pytest
from geventhttpclient import HTTPClient

from cti.web import WebLimits
from cti.web.outbox import verifying_context

from .site import Site, make_certificate, site, until

HOST = b"Host: 127.0.0.1\r\n"


def answer(site: Site, data: bytes) -> bytes:
    """All that comes back until the server closes."""
    sock = site.raw(data)
    said = b""
    while piece := sock.recv(65_536):
        said += piece
    return said


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200 + b"\n\n", b"400"),
        (b"GET /health HTTP/9.9\r\n" + HOST + b"\r\n", b"400"),
        (b"GET /health HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /health HTTP/1.1\r\n" + HOST + HOST + b"\r\n", b"400"),
        (b"GET /health\r\n\r\n", b"505"),
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", b"414"),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 70_000 + b"\r\n\r\n", b"4"),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 101 + b"\r\n", b"400"),
        (b"GET /health HTTP/1.1\r\n" + HOST + (b"X: " + b"a" * 7_000 + b"\r\n") * 12 + b"\r\n", b"431"),
        (b"POST /v1/agent/ready HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999\r\n\r\n", b"413"),
        (b"POST /v1/agent/ready HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n", b"400"),
        (b"POST /v1/agent/ready HTTP/1.1\r\n" + HOST + b"Content-Length: 1_0\r\n\r\n", b"400"),
        (b"POST /v1/agent/ready HTTP/1.1\r\n" + HOST + b"Content-Length: +1\r\n\r\n", b"400"),
        (b"POST /v1/agent/ready HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", b"400"),
        (
            b"POST /v1/agent/ready HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            b"411",
        ),
        (b"POST /v1/agent/ready HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", b"411"),
        (
            b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"411",
        ),
    ],
)
def test_what_is_no_request_is_answered_once(shared_site: Site, data, status, capfd):
    said = answer(shared_site, data)
    assert said.startswith(b"HTTP/1.1 " + status), said
    assert said.count(b"HTTP/1.1 ") == 1
    assert b"application/problem+json" in said
    assert b"Traceback" not in said
    assert "Traceback" not in capfd.readouterr().err
    assert shared_site.get("/health").status == 200


def test_a_body_that_breaks_off_is_no_request(open_site: Site):
    sock = open_site.raw(b"POST /v1/agent/not_ready HTTP/1.1\r\n" + HOST + b"Content-Length: 20\r\n\r\n{")
    sock.shutdown(1)
    assert sock.recv(100).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "begun",
    [
        b"GET /health",
        b"GET /health HTTP/1.1\r\n",
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ",
        b"POST /v1/agent/ready HTTP/1.1\r\n" + HOST + b"Content-Length: 20\r\n\r\n{",
    ],
)
def test_a_slow_request_is_given_up(begun, capfd):
    with site(limits=WebLimits(request_s=0.3)) as made:
        sock = made.raw(begun)

        def drip():
            while True:
                gevent.sleep(0.05)
                sock.sendall(b"a")

        dripping = gevent.spawn(drip)
        said = sock.recv(1_000)
        assert said == b"" or said.startswith(b"HTTP/1.1 408")
        dripping.kill()
        until(lambda: not made.server._server._of_address, "its connection is closed")
    assert "Traceback" not in capfd.readouterr().err


def test_a_silent_connection_is_closed():
    with site(limits=WebLimits(idle_s=0.2)) as made:
        assert made.raw().recv(10) == b""
        kept = made.raw(b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n")
        said = b""
        while piece := kept.recv(1_000):
            said += piece
        assert said.startswith(b"HTTP/1.1 200")


def test_an_address_has_so_many_connections():
    with site(limits=WebLimits(connections_per_address=3)) as made:
        for _ in range(3):
            made.raw()
        until(lambda: made.server._server._of_address["127.0.0.1"] == 3, "three are served")
        assert made.raw().recv(10) == b""
        assert made.server.tally.refused["limit.clients"] == 1


def test_a_reader_who_does_not_read_is_dropped(capfd):
    with site(limits=WebLimits(write_s=0.3, kept_events=50)) as made:
        sock = made.raw()
        sock.setsockopt(1, 8, 2_048)  # SO_RCVBUF
        sock.sendall(b"GET /v1/events HTTP/1.1\r\n" + HOST + b"\r\n")
        until(lambda: len(made.server._streams) == 1, "it is served")
        feed = made.server._feed
        from cti.web.stream import Kept

        for n in range(200):
            for stream in feed.readers.members():
                stream.offer(Kept(feed.numbering.seq + n + 1, None, b": " + b"x" * 60_000 + b"\n\n"))
                stream.due.set()
            gevent.sleep(0)
        until(lambda: len(made.server._streams) == 0, "it is dropped")
        assert made.get("/health").status == 200
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_tls_has_the_same_limits(tmp_path, capfd):
    certificate, key = make_certificate(tmp_path)
    limits = WebLimits(request_s=0.5, connections_per_address=2)
    with site(limits=limits, certificate=certificate, key=key) as made:
        assert made.server.url.startswith("https://")
        trusting = {"ssl_context_factory": lambda cafile: verifying_context(str(certificate))}
        client = HTTPClient("localhost", made.port, ssl=True, **trusting)
        response = client.get("/health")
        assert response.status_code == 200
        assert response["strict-transport-security"]
        response.read()
        client.close()
        silent = made.raw()
        assert silent.recv(10) == b"", "who does not shake hands is not waited for"
        made.raw(b"GET /health HTTP/1.1\r\n\r\n")
        until(lambda: not made.server._server._of_address, "all are closed")
    assert "Traceback" not in capfd.readouterr().err


def test_pipelined_requests_are_answered_in_turn(open_site: Site):
    data = b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"
    last = b"GET /ready HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n"
    said = answer(open_site, data * 2 + last)
    assert said.count(b"HTTP/1.1 200") == 3


def test_the_client_of_before_is_not_taken_for_the_next(locked_site: Site):
    """A bearer token counts for its own request on a connection, not for the next one."""
    token = locked_site.bearer("ann")["authorization"].encode()
    first = b"GET /v1/session HTTP/1.1\r\nAuthorization: " + token + b"\r\n" + HOST + b"\r\n"
    second = b"GET /v1/session HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n"
    said = answer(locked_site, first + second)
    assert said.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 401" in said


def test_expect_100_continue(open_site: Site):
    body = b'{"agent": "alice"}'
    head = b"POST /v1/agent/not_ready HTTP/1.1\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
    sock = open_site.raw(head + b"Content-Length: %d\r\n" % len(body) + HOST + b"\r\n")
    assert sock.recv(100).startswith(b"HTTP/1.1 100")
    sock.sendall(body)
    assert sock.recv(100).startswith(b"HTTP/1.1 204")

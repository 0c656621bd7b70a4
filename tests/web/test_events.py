"""Server-sent events: what is told, what is caught up on, and who is told nothing more."""

from __future__ import annotations

import gevent

from cti.web import WebLimits
from cti.web.stream import Stream as WebStream

from .site import ACCOUNTS, Site, site, until, write_accounts


def test_a_call_is_told(open_site: Site):
    stream = open_site.stream()
    assert stream.status == 200
    assert stream.headers["content-type"] == "text/event-stream"
    name, hello = stream.next()
    assert name == "hello"
    open_site.call(policy="4711")
    delivered = stream.until("Delivered")
    assert delivered["data"] == {"policy": "4711"}
    assert delivered["queue"] == "claims"
    assert delivered["agent"] in {"alice", "bob"}
    assert stream.last_id == f"{hello['epoch']}-{delivered['seq']}"


def test_a_snapshot_comes_first_when_asked_for(open_site: Site):
    stream = open_site.stream("?snapshot=true")
    assert stream.next()[0] == "hello"
    name, snapshot = stream.next()
    assert name == "snapshot"
    assert len(snapshot["agents"]) == 2
    assert stream.last_id == f"{snapshot['epoch']}-{snapshot['seq']}"
    open_site.post("/v1/agent/not_ready", {"agent": "bob"})
    assert stream.until("AgentNotReady")["seq"] == snapshot["seq"] + 1


def test_subjects_and_kinds(open_site: Site):
    alice = open_site.stream("?agents=alice&kinds=AgentNotReady&kinds=AgentLoggedOff")
    alice.until("hello")
    for agent in ("bob", "alice"):
        for verb in ("not_ready", "ready", "log_off"):
            open_site.post(f"/v1/agent/{verb}", {"agent": agent})
    said = [alice.next()[1] for _ in range(2)]
    assert [(each["agent"], each["kind"]) for each in said] == [("alice", "AgentNotReady"), ("alice", "AgentLoggedOff")]


def test_an_account_is_told_of_its_own(locked_site: Site):
    alice = locked_site.stream(**locked_site.bearer("alice"))
    ann = locked_site.bearer("ann")
    alice.until("hello")
    for agent in ("bob", "alice"):
        locked_site.post("/v1/agent/not_ready", {"agent": agent}, **ann)
    assert alice.next()[1]["agent"] == "alice"


def test_who_comes_back_gets_what_was_missed(open_site: Site):
    first = open_site.stream()
    first.until("hello")
    open_site.post("/v1/agent/not_ready", {"agent": "alice"})
    first.until("AgentNotReady")
    first.sock.close()
    for verb in ("ready", "not_ready"):
        open_site.post(f"/v1/agent/{verb}", {"agent": "alice"})
    again = open_site.stream(last_event_id=first.last_id)
    open_site.post("/v1/agent/ready", {"agent": "alice"})
    assert [again.next()[0], *(again.next()[1]["kind"] for _ in range(3))] == [
        "hello",
        "AgentReady",
        "AgentNotReady",
        "AgentReady",
    ]
    assert open_site.stream(f"?last_event_id={first.last_id}").until("AgentReady")["agent"] == "alice"


def test_what_was_missed_is_told_only_as_far_as_it_is_wanted(open_site: Site):
    first = open_site.stream()
    first.until("hello")
    for agent in ("bob", "alice"):
        open_site.post("/v1/agent/not_ready", {"agent": agent})
    again = open_site.stream("?agents=alice", last_event_id=first.last_id)
    assert again.until("AgentNotReady")["agent"] == "alice"


def test_a_gap_is_said_and_filled():
    with site(limits=WebLimits(kept_events=2)) as made:
        first = made.stream()
        first.until("hello")
        for verb in ("not_ready", "ready", "not_ready", "ready"):
            made.post(f"/v1/agent/{verb}", {"agent": "alice"})
        again = made.stream(last_event_id=first.last_id)
        assert [again.next()[0] for _ in range(2)] == ["hello", "gap"]
        name, snapshot = again.next()
        assert name == "snapshot"
        made.post("/v1/agent/not_ready", {"agent": "bob"})
        event = again.until("AgentNotReady")
        assert (event["agent"], event["seq"]) == ("bob", snapshot["seq"] + 1)


def test_an_id_of_another_life_is_a_gap(open_site: Site):
    for strange in ("0123-5", "nonsense", "-", "x" * 500, f"{open_site.server._feed.numbering.epoch}-99999999"):
        stream = open_site.stream(last_event_id=strange)
        assert [stream.next()[0] for _ in range(3)] == ["hello", "gap", "snapshot"]


def test_a_silent_stream_beats_and_keeps_its_place():
    with site(limits=WebLimits(heartbeat_s=0.05, kept_events=5)) as made:
        bobs = made.stream("?agents=bob")
        bobs.until("hello")
        for verb in ("not_ready", "ready") * 5:
            made.post(f"/v1/agent/{verb}", {"agent": "alice"})
        feed = made.server._feed
        reading = gevent.spawn(bobs.is_over)
        until(lambda: bobs.last_id == f"{feed.numbering.epoch}-{feed.numbering.seq}", "a beat with the last number")
        reading.kill()
        again = made.stream("?agents=bob", last_event_id=bobs.last_id)
        made.post("/v1/agent/not_ready", {"agent": "bob"})
        assert [again.next()[0], again.next()[1]["kind"]] == ["hello", "AgentNotReady"]


def test_a_slow_reader_is_owed_what_is_kept(open_site: Site):
    source = open_site.server._feed
    slow = _stream(source, unread=2)
    reading = slow.pieces()
    assert b"hello" in next(reading)
    for verb in ("not_ready", "ready") * 3:
        open_site.post(f"/v1/agent/{verb}", {"agent": "alice"})
    until(lambda: source.handed_out == source.numbering.seq, "all is handed out")
    assert source.fell_behind == 1
    text = next(reading) + next(reading)
    assert [line for line in text.split(b"\n") if line.startswith(b"id:")] == [
        b"id: %s-%d" % (source.numbering.epoch.encode(), source.numbering.seq - 5 + n) for n in range(6)
    ]
    source.readers.discard(slow)


def test_a_reader_slower_than_that_is_told_of_the_gap():
    with site(limits=WebLimits(kept_events=2)) as made:
        source = made.server._feed
        slow = _stream(source, unread=1)
        reading = slow.pieces()
        assert b"hello" in next(reading)
        for verb in ("not_ready", "ready") * 3:
            made.post(f"/v1/agent/{verb}", {"agent": "alice"})
        until(lambda: source.handed_out == source.numbering.seq, "all is handed out")
        assert b'"AgentNotReady"' in next(reading)
        assert b"event: gap" in next(reading)
        assert b"event: snapshot" in next(reading)
        source.readers.discard(slow)


def test_lost_events_begin_a_new_epoch(open_site: Site):
    stream = open_site.stream()
    epoch = stream.until("hello")["epoch"]
    feed = open_site.server._feed
    feed._subscription.dropped += 1
    open_site.post("/v1/agent/not_ready", {"agent": "alice"})
    gap = stream.until("gap")
    assert gap["epoch"] != epoch
    assert stream.until("snapshot")["epoch"] == gap["epoch"]
    open_site.post("/v1/agent/ready", {"agent": "alice"})
    assert stream.until("AgentReady")["agent"] == "alice"


def test_one_who_does_not_read_delays_nobody(open_site: Site):
    deaf = open_site.raw(b"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    stream = open_site.stream()
    stream.until("hello")
    for _ in range(3):
        open_site.call()
        stream.until("CallCleared")
    deaf.close()
    open_site.call()
    stream.until("CallCleared")


def test_streams_are_counted_and_limited():
    with site(limits=WebLimits(streams=3, streams_per_account=2)) as made:
        first, second = made.stream(), made.stream()
        first.until("hello")
        second.until("hello")
        assert made.get("/v1/events").code == "limit.clients"
        first.sock.close()
        first.file.close()
        made.post("/v1/agent/not_ready", {"agent": "alice"})  # something is written, and the end is noticed
        made.post("/v1/agent/ready", {"agent": "alice"})
        until(lambda: len(made.server._streams) == 1, "the first is forgotten")
        assert made.stream().status == 200
        assert len(made.server._feed.readers) <= 2


def test_a_stream_may_name_so_many():
    with site(limits=WebLimits(subjects=2)) as made:
        assert made.get("/v1/events?agents=a&agents=b&calls=c").code == "limit.subjects"


def test_wrong_queries_are_refused(open_site: Site):
    for query, code in (
        ("?snapshot=yes", "operation.invalid_parameter"),
        ("?snapshot=true&snapshot=true", "operation.invalid_parameter"),
        ("?agent=alice", "operation.invalid_parameter"),
        ("?kinds=Nonsense", "operation.unknown_event"),
        ("?agents=", "operation.invalid_parameter"),
    ):
        assert open_site.get(f"/v1/events{query}").code == code


def test_a_stream_ends_with_its_session(locked_site: Site):
    sue = locked_site.stream(**locked_site.bearer("sue"))
    sue.until("hello")
    write_accounts(locked_site.accounts, {name: rest for name, rest in ACCOUNTS.items() if name != "sue"})
    assert sue.until("closed")["code"] == "security.not_logged_in"
    assert sue.is_over()


def test_a_stream_ends_when_the_session_is_over(tmp_path):
    with site(tmp_path, WebLimits(session_s=0.3, heartbeat_s=0.1)) as made:
        sue = made.stream(**made.bearer("sue"))
        assert sue.until("closed")["code"] == "security.not_logged_in"


def test_a_stream_is_told_that_the_server_stops(open_site: Site):
    stream = open_site.stream()
    stream.until("hello")
    stopping = gevent.spawn(open_site.server.stop)
    assert stream.until("closed")["code"] == "link.closed"
    assert stream.is_over()
    stopping.get()


def test_a_stream_keeps_its_session_in_use(tmp_path):
    with site(tmp_path, WebLimits(session_idle_s=0.5, heartbeat_s=0.05)) as made:
        bearer = made.bearer("sue")
        stream = made.stream(**bearer)
        stream.until("hello")
        reading = gevent.spawn(stream.is_over)
        gevent.sleep(1.2)
        assert made.get("/v1/session", **bearer).status == 200
        reading.kill()


def _stream(source, unread: int) -> WebStream:
    """A reader of everything, added to the feed, that reads when the test does."""
    from cti.api.grant import LOCAL
    from cti.api.interest import InterestParams, interest
    from cti.web.feed import matches

    wanted = interest(InterestParams(), LOCAL)
    made = WebStream(
        source,
        wanted,
        matches=matches,
        snapshot=lambda: {"epoch": source.numbering.epoch, "seq": source.numbering.seq},
        unread=unread,
        heartbeat_s=30,
        is_over=lambda: False,
    )
    source.readers.add(made, wanted)
    return made

"""Parts of a daemon that end by themselves are started anew, with an alarm meanwhile; the centre does not notice."""

from __future__ import annotations

import gevent
import pytest

from cti.alarms import Alarm
from cti.client import Client
from cti.config import read_configuration
from cti.daemon import surroundings
from cti.daemon.surroundings import Surroundings
from tests.center.bench import bench
from tests.web.site import Visitor

CENTRE = """
[switch]
password = "x"
[api]
bind = "tcp://127.0.0.1:*"
publish = ""
[web]
bind = "127.0.0.1:0"
[alarms]
every_s = "10ms"
[queue.claims]
"""


@pytest.fixture
def around(tmp_path, monkeypatch):
    monkeypatch.setattr(surroundings, "REPLACE_AFTER_S", 0.01)
    (tmp_path / "centre.toml").write_text(CENTRE)
    made = Surroundings(read_configuration(tmp_path / "centre.toml"))
    with bench() as line:
        line.centre.add_queue("claims")
        line.centre.start()
        made.open(line.centre)
        made.serve()
        made.line = line
        made.told = []
        line.centre.subscribe(made.told.append, Alarm)
        try:
            yield made
        finally:
            made.close()


def history(around, part):
    return [alarm.state for alarm in around.told if (alarm.name, alarm.subject) == ("part.failed", part)]


@pytest.mark.parametrize("part", ["api", "web"])
def test_a_part_that_has_ended_is_replaced(around, part):
    before = around._parts[part]
    gevent.spawn(before.failed.set_exception, RuntimeError("a defect"))
    around.line.until("another", lambda: around._parts[part] is not before)
    around.line.until("it is said, and over", lambda: history(around, part)[-1:] == ["cleared"])
    fresh = around._parts[part]
    if part == "api":
        with Client(fresh.address) as client:
            assert client.queue_ids() == ("claims",)
    else:
        visitor = Visitor(int(fresh.url.rpartition(":")[2]))
        assert visitor.get("/ready").status == 200
        assert b"cti_api_requests_total" in visitor.get("/metrics").text


def test_a_part_that_cannot_be_replaced_is_tried_again(around, monkeypatch):
    before, tries = around._parts["api"], []
    make = around._api

    def fails(settings):
        tries.append(1)
        if len(tries) < 3:
            raise RuntimeError("not yet")
        return make(settings)

    monkeypatch.setattr(around, "_api", fails)
    gevent.spawn(before.failed.set_exception, RuntimeError("a defect"))
    around.line.until("another", lambda: around._parts["api"] is not before)
    assert len(tries) == 3
    assert around.line.centre.queue_ids() == ("claims",)

"""Mailboxes, messages and faxes by requests: who may hear what, and what an agent does with a fax."""

from __future__ import annotations

import base64
from contextlib import contextmanager

import gevent
import pytest

from cti.api import ApiServer
from cti.messages import Messages
from cti.sim.fax_application import FaxMachine, fax_machine
from tests.center.bench import bench

from .wire import Served, until


@contextmanager
def kept(tmp_path, keys=None):
    """A centre with two mailboxes: claims' faxes go to a queue, the director's are only kept."""
    with bench(messages=Messages(str(tmp_path / "kept"))) as made:
        made.switch.writes_files = True
        made.centre.add_queue("claims")
        made.centre.add_mailbox("claims", queue="claims")
        made.centre.add_mailbox("director", agent="bob", deliver=False)
        made.centre.add_mailbox("nobody")
        for number, name in (("5900", "claims"), ("5901", "director"), ("5902", "nobody")):
            made.centre.on_call(number)(lambda call, name=name: call.receive_fax(name))
        made.centre.start()
        server = ApiServer(made.centre, bind="tcp://127.0.0.1:*", publish="tcp://127.0.0.1:*", keys=keys)
        server.start()
        served = Served(made, server, keys)
        try:
            yield served
        finally:
            served.close()


@pytest.fixture
def one(tmp_path):
    with kept(tmp_path) as made:
        yield made


def fax(one, number="5900", mailbox="claims"):
    caller = one.bench.switch.incoming(calling_number="138", called_number=number)
    fax_machine(caller.channel, FaxMachine(pages=2, page_s=0.02))
    return until(lambda: one.centre.messages(mailbox), "the fax is kept")[0]


def test_messages_are_listed_fetched_marked_and_deleted(one):
    wire = one.wire()
    record = fax(one)
    assert wire.ask("mailbox.list")["mailboxes"] == ["claims", "director", "nobody"]
    (listed,) = wire.ask("message.list", mailbox="claims")["messages"]
    assert listed == wire.ask("message.get", message=record.id)
    assert (listed["kind"], listed["pages"], listed["state"], listed["calling_number"]) == ("fax", 2, "new", "138")
    got = b""
    while True:
        part = wire.ask("message.fetch", message=record.id, offset=len(got))
        got += base64.b64decode(part["data"])
        if len(got) >= part["size"]:
            break
    assert got == one.centre.message_file(record.id).read_bytes()
    assert part["content_type"] == "image/tiff"
    pdf = wire.ask("message.fetch", message=record.id, pdf=True)
    assert base64.b64decode(pdf["data"]).startswith(b"%PDF")
    assert pdf["content_type"] == "application/pdf"
    assert wire.ask("message.mark", message=record.id)["state"] == "heard"
    assert wire.ask("message.mark", message=record.id, heard=False)["heard_by"] == ""
    wire.ask("message.delete", message=record.id)
    assert wire.ask("message.list", mailbox="claims")["messages"] == []
    for name in ("message.get", "message.fetch", "message.mark", "message.delete"):
        assert wire.refused(name, message=record.id)["code"] == "operation.unknown_message"
    assert wire.refused("message.list", mailbox="clams")["code"] == "operation.unknown_mailbox"
    other = fax(one)
    assert wire.refused("message.fetch", message=other.id, offset=-1)["code"] == "operation.invalid_parameter"
    one.centre.message_file(other.id).unlink()
    assert wire.refused("message.fetch", message=other.id)["code"] == "operation.invalid_parameter"


def test_an_agent_accepts_a_fax_and_completes_it(one):
    one.bench.agent("alice")
    wire = one.wire()
    wire.ask("subscribe", kinds=["CallEvent"])
    assert wire.refused("agent.accept", agent="alice")["code"] == "state.invalid_connection"
    record = fax(one)
    popped = wire.event("Delivered")["event"]
    assert (popped["interaction_kind"], popped["data"]["message"], popped["agent"]) == ("fax", record.id, "alice")
    wire.ask("agent.reject", agent="alice")
    wire.event("OfferEnded")
    one.centre.agent("alice").ready()
    wire.event("Delivered")
    wire.ask("agent.accept", agent="alice")
    wire.event("Established")
    wire.ask("agent.complete", agent="alice")
    wire.event("CallCleared")
    until(lambda: one.centre.message(record.id).heard_by == "alice", "it is done")


def test_a_key_hears_what_it_covers_and_an_agent_what_is_theirs(tmp_path, keys):
    with kept(tmp_path, keys) as one:
        record, private = fax(one), fax(one, "5901", "director")
        kept_only = fax(one, "5902", "nobody")
        one.bench.agent("alice")
        alice, sue, ann = one.wire("alice"), one.wire("sue"), one.wire("ann")
        assert sue.ask("mailbox.list")["mailboxes"] == ["claims"]
        assert sue.ask("message.list", mailbox="claims")["messages"]
        for wire in (alice, sue):
            for each in (private, kept_only):
                assert wire.refused("message.get", message=each.id)["code"] == "security.not_permitted"
                assert wire.refused("message.delete", message=each.id)["code"] == "security.not_permitted"
            assert wire.refused("message.list", mailbox="director")["code"] == "security.not_permitted"
        assert len(ann.ask("mailbox.list")["mailboxes"]) == 3
        until(lambda: one.centre.message_agent(record.id) == "alice", "it is offered to alice")
        assert alice.ask("message.get", message=record.id)["pages"] == 2
        alice.ask("agent.accept", agent="alice")
        assert alice.ask("message.fetch", message=record.id, pdf=True)["size"] > 0
        alice.ask("agent.complete", agent="alice")
        until(lambda: one.centre.message_agent(record.id) is None, "it is over")
        gevent.sleep(0)
        assert alice.refused("message.get", message=record.id)["code"] == "security.not_permitted"
        assert sue.refused("agent.accept", agent="bob")["code"] == "security.not_permitted"

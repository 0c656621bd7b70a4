"""Faxes sent by requests: from one directory only, to allowed numbers, in the name of a mailbox that the key covers."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager

import pytest

from cti.api import ApiServer
from cti.audit.entry import entry
from cti.errors import ConfigurationError
from cti.messages import Messages
from cti.messages.fax_files import file_below
from cti.messages.fax_job import WAITING
from cti.messages.fax_jobs import FaxJobs
from cti.model.party import Destination
from cti.sim import Behaviour
from cti.sim.fax_application import FaxMachine, blank_pages
from tests.center.bench import QUICK, bench

from .wire import Served, until

BUSY = Behaviour(ring_s=(0.001, 0.002), reject_s=(0.01, 0.02), busy=1.0)


@contextmanager
def sending(tmp_path, keys=None, fax_files="out", done=None):
    """A centre with a directory of files to be sent, two mailboxes, and a fax machine at 900."""
    out = tmp_path / "out"
    out.mkdir()
    blank_pages(out / "two.tif", 2)
    allowed = (Destination("9*", "user/{number}"),)
    messages = Messages(str(tmp_path / "kept"), fax_files=tmp_path / fax_files if fax_files else None)
    with bench(messages=messages, allowed_destinations=allowed) as made:
        made.switch.writes_files = True
        made.phone = made.switch.phones.add("user/900", QUICK)
        made.switch.fax_machines[made.phone.contact] = FaxMachine(page_s=0.05, station="+44 900")
        made.centre.add_queue("claims")
        made.centre.add_mailbox("claims", queue="claims")
        made.centre.add_mailbox("director", agent="bob", deliver=False)
        made.centre.start()
        server = ApiServer(made.centre, bind="tcp://127.0.0.1:*", publish="tcp://127.0.0.1:*", keys=keys, audit=done)
        server.start()
        served = Served(made, server, keys)
        try:
            yield served
        finally:
            served.close()


def test_a_fax_is_sent_after_a_busy_try_and_told(tmp_path):
    with sending(tmp_path) as one:
        one.bench.phone.behaviour = BUSY
        wire = one.wire()
        wire.ask("subscribe", kinds=["FaxSent"])
        made = wire.ask(
            "fax.send",
            number="900",
            file="two.tif",
            mailbox="claims",
            pause_s=1.0,
            calling_number="5900",
            station="CTI",
        )
        assert (made["state"], made["total_pages"], made["most_tries"], made["mailbox"]) == ("waiting", 2, 3, "claims")
        until(lambda: wire.ask("fax.get", fax=made["fax"])["text"] == "USER_BUSY", "it was busy")
        assert [each["fax"] for each in wire.ask("fax.list", state="waiting")["faxes"]] == [made["fax"]]
        one.bench.phone.behaviour = QUICK
        told = wire.event("FaxSent")["event"]
        assert (told["fax"], told["number"], told["success"], told["tries"]) == (made["fax"], "900", True, 2)
        assert (told["pages"], told["mailbox"], told["queue"], told["agent"]) == (2, "claims", "claims", None)
        kept = wire.ask("fax.get", fax=made["fax"])
        assert (kept["state"], kept["remote"], kept["calling_number"], kept["station"]) == (
            "sent",
            "+44 900",
            "5900",
            "CTI",
        )
        assert wire.ask("fax.list", state="waiting")["faxes"] == []
        assert wire.ask("fax.list", mailbox="claims")["faxes"] == [kept]
        assert wire.ask("fax.list", mailbox="director")["faxes"] == []


def test_what_may_not_or_cannot_be_sent_is_refused_and_nothing_is_kept(tmp_path):
    with sending(tmp_path) as one:
        wire = one.wire()
        (tmp_path / "out" / "text.txt").write_text("no picture")
        for wrong, code in (
            ({"number": "0900"}, "destination.not_allowed"),
            ({"number": "9 00"}, "destination.not_allowed"),
            ({"file": "nowhere.tif"}, "operation.configuration"),
            ({"file": "text.txt"}, "operation.configuration"),
            ({"file": "../out/two.tif/x"}, "operation.configuration"),
            ({"tries": 0}, "operation.configuration"),
            ({"tries": 2.0}, "operation.invalid_parameter"),
            ({"pause_s": 0}, "operation.configuration"),
            ({"station": "a" * 21}, "operation.configuration"),
            ({"calling_number": "5900}"}, "operation.configuration"),
            ({"mailbox": "claim"}, "operation.unknown_mailbox"),
            ({"path": "/etc/passwd"}, "operation.invalid_parameter"),
        ):
            said = wire.refused("fax.send", **{"number": "900", "file": "two.tif", **wrong})
            assert said["code"] == code, (wrong, said)
        assert wire.ask("fax.list")["faxes"] == []
        assert wire.refused("fax.get", fax="nothing")["code"] == "operation.unknown_message"
        assert wire.refused("fax.list", state="gone")["field"] == "params.state"
        assert wire.refused("fax.list", most=0)["field"] == "params.most"
        assert wire.refused("fax.list", mailbox="claim")["code"] == "operation.unknown_mailbox"


def test_a_list_has_the_newest_and_no_more_than_asked_for(tmp_path):
    with sending(tmp_path) as one:
        one.bench.phone.behaviour = BUSY
        wire = one.wire()
        made = [wire.ask("fax.send", number="900", file="two.tif")["fax"] for _ in range(3)]
        assert [each["fax"] for each in wire.ask("fax.list", most=2)["faxes"]] == made[:0:-1]


def test_without_a_directory_nothing_is_sent(tmp_path):
    with sending(tmp_path, fax_files=None) as one:
        said = one.wire().refused("fax.send", number="900", file=str(tmp_path / "out" / "two.tif"))
        assert said["code"] == "operation.configuration"
        assert "fax_files" in said["message"]


def test_a_key_sends_and_sees_in_the_name_of_its_mailboxes_only(tmp_path, keys):
    audited = []
    with sending(tmp_path, keys, done=audited.append) as one:
        crm, ann, alice = one.wire("crm"), one.wire("ann"), one.wire("alice")
        crm.ask("subscribe")
        centres = ann.ask("fax.send", number="900", file="two.tif")["fax"]
        private = ann.ask("fax.send", number="900", file="two.tif", mailbox="director")["fax"]
        for denied in ({}, {"mailbox": "director"}):
            said = crm.refused("fax.send", number="900", file="two.tif", **denied)
            assert said["code"] == "security.not_permitted"
        own = crm.ask("fax.send", number="900", file="two.tif", mailbox="claims")["fax"]
        assert [each["fax"] for each in crm.ask("fax.list")["faxes"]] == [own]
        assert {each["fax"] for each in ann.ask("fax.list")["faxes"]} == {centres, private, own}
        for each in (centres, private):
            assert crm.refused("fax.get", fax=each)["code"] == "security.not_permitted"
        assert crm.refused("fax.list", mailbox="director")["code"] == "security.not_permitted"
        assert crm.ask("fax.get", fax=own)["mailbox"] == "claims"
        for name, params in (
            ("fax.send", {"number": "900", "file": "two.tif"}),
            ("fax.list", {}),
            ("fax.get", {"fax": own}),
        ):
            assert alice.refused(name, **params)["code"] == "security.not_permitted"
        until(lambda: all(each["state"] == "sent" for each in ann.ask("fax.list")["faxes"]), "all have gone")
        told = crm.event("FaxSent")["event"]
        assert told["fax"] == own
        sent = [entry(each) for each in audited if each.method == "fax.send"]
        assert [(each.who, each.whom.get("mailbox"), each.outcome) for each in sent] == [
            ("ann", None, "done"),
            ("ann", "director", "done"),
            ("crm", None, "security.not_permitted"),
            ("crm", "director", "security.not_permitted"),
            ("crm", "claims", "done"),
            ("alice", None, "security.not_permitted"),
        ]
        assert all((each.whom["number"], each.whom["file"]) == ("900", "two.tif") for each in sent)


def test_only_files_below_the_directory_are_found(tmp_path):
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (tmp_path / "outside.tif").write_bytes(b"x")
    (tmp_path / "out-too").mkdir()
    (tmp_path / "out-too" / "a.tif").write_bytes(b"x")
    (out / "sub" / "a.tif").write_bytes(b"x")
    (out / "inner.tif").symlink_to("sub/a.tif")
    (out / "outer.tif").symlink_to("../outside.tif")
    (out / "up").symlink_to("..")
    (out / "round.tif").symlink_to("round.tif")
    os.mkfifo(out / "pipe.tif")
    assert file_below(out, "sub/a.tif") == out / "sub" / "a.tif"
    assert file_below(out, "inner.tif") == out / "sub" / "a.tif"
    assert file_below(out, "sub/../sub/a.tif") == out / "sub" / "a.tif"
    for name in (
        *("../outside.tif", "outer.tif", "up/outside.tif", "../out-too/a.tif", str(tmp_path / "outside.tif")),
        *("round.tif", "pipe.tif", "sub", "", ".", "/", "nowhere.tif", "a\0b"),
    ):
        with pytest.raises(ConfigurationError, match="there is no file"):
            file_below(out, name)
    with pytest.raises(ConfigurationError, match="there is no file"):
        file_below(tmp_path / "nowhere", "a.tif")


def test_faxes_of_an_index_without_mailboxes_are_kept(tmp_path):
    path = tmp_path / "index.sqlite3"
    with closing(sqlite3.connect(path)) as old, old:
        old.execute(
            "CREATE TABLE fax_job (id TEXT PRIMARY KEY, number TEXT, path TEXT, calling_number TEXT,"
            " station TEXT, created_at REAL, most_tries INTEGER, pause_s REAL, state TEXT, tries INTEGER, next_at REAL,"
            " pages INTEGER, total_pages INTEGER, code INTEGER, text TEXT, remote TEXT, ended_at REAL)"
        )
        old.execute(
            "INSERT INTO fax_job VALUES ('f', '900', '/m/f.tif', '', '', 1, 3, 300, 'waiting', 0, 1, 0, 2, -1, '', '', 0)"
        )
    for _ in range(2):
        (job,) = FaxJobs(path).waiting()
        assert (job.id, job.state, job.mailbox) == ("f", WAITING, "")

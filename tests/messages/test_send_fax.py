"""Faxes sent: over and over until they have gone, by what numbers are allowed, over a restart."""

from __future__ import annotations

import gevent
import pytest

from cti import CallCenter, errors, events
from cti.messages import Messages
from cti.messages.fax_job import FAILED, SENDING, SENT, WAITING
from cti.messages.fax_jobs import FaxJobs
from cti.model.party import Destination
from cti.sim import Behaviour
from cti.sim.fax_application import FaxMachine, blank_pages
from tests.center.bench import QUICK, bench

from .test_voicemail import running

BUSY = Behaviour(ring_s=(0.001, 0.002), reject_s=(0.01, 0.02), busy=1.0)


@pytest.fixture
def line(tmp_path):
    allowed = (Destination("9*", "user/{number}"),)
    with bench(messages=Messages(str(tmp_path / "kept")), allowed_destinations=allowed) as made:
        made.switch.writes_files = True
        made.sent = []
        made.centre.subscribe(made.sent.append, events.FaxSent)
        yield made


@pytest.fixture
def page(tmp_path):
    blank_pages(tmp_path / "two.tif", 2)
    return tmp_path / "two.tif"


def machine(line, number="900", behaviour=QUICK, **fax):
    phone = line.switch.phones.add(f"user/{number}", behaviour)
    line.switch.fax_machines[phone.contact] = FaxMachine(**{"page_s": 0.05, **fax})
    return phone


def test_a_fax_is_sent(line, page):
    machine(line, station="+44 900")
    line.centre.start()
    job = line.centre.send_fax("900", page, calling_number="5900", station="CTI")
    told = line.until("it is told", lambda: line.sent)[0]
    assert (told.fax, told.number, told.success, told.pages, told.total_pages) == (job.id, "900", True, 2, 2)
    assert (told.code, told.text, told.tries) == (0, "OK", 1)
    kept = line.centre.fax(job.id)
    assert (kept.state, kept.remote, kept.tries) == (SENT, "+44 900", 1)
    assert [each.id for each in line.centre.faxes()] == [job.id]
    line.until("the line is free", lambda: not line.switch.channels)
    assert line.centre.switch.fax_ended == {}


def test_a_busy_number_is_tried_again(line, page):
    phone = machine(line, behaviour=BUSY)
    line.centre.start()
    job = line.centre.send_fax("900", page, pause_s=1.0)
    line.until("it was busy", lambda: line.centre.fax(job.id).text == "USER_BUSY")
    assert line.centre.fax(job.id).state == WAITING
    assert line.sent == []
    phone.behaviour = QUICK
    assert line.until("it is told", lambda: line.sent)[0].tries == 2


def test_a_fax_is_given_up_after_its_last_try(line, page):
    machine(line, result=(11, "Far end is not able to receive"))
    line.centre.start()
    job = line.centre.send_fax("900", page, tries=2, pause_s=1.0)
    told = line.until("it is told", lambda: line.sent)[0]
    assert (told.success, told.tries, told.code, told.text) == (False, 2, 11, "Far end is not able to receive")
    assert line.centre.fax(job.id).state == FAILED


def test_somebody_who_is_no_fax_machine_fails_it(line, page, monkeypatch):
    monkeypatch.setattr("cti.sim.fax_application.NO_FAX_S", 0.05)
    line.switch.phones.add("user/901", QUICK)
    line.centre.start()
    line.centre.send_fax("901", page, tries=1)
    assert line.until("it is told", lambda: line.sent)[0].text == "Disconnected after permitted retries"


def test_a_hang_up_in_the_middle_fails_it(line, page, monkeypatch):
    monkeypatch.setattr("cti.messages.fax_outbox.SAID_S", 0.05)
    machine(line, page_s=60.0)
    line.centre.start()
    line.centre.send_fax("900", page, tries=1)
    legs = line.switch.channels.values
    leg = line.until("it is being sent", lambda: [each for each in legs() if running(each, "txfax")])[0]
    leg.hangup("NORMAL_CLEARING")
    told = line.until("it is told", lambda: line.sent)[0]
    assert (told.success, told.text) == (False, "The call dropped prematurely")


def test_what_may_not_or_cannot_be_sent_is_refused_at_once(line, page, tmp_path):
    line.centre.start()
    for number in ("800", "9 00", "900,loopback/x", "900\n"):
        with pytest.raises(errors.DestinationNotAllowed):
            line.centre.send_fax(number, page)
    (tmp_path / "text.txt").write_text("no picture")
    for wrong in (
        {"file": tmp_path / "text.txt"},
        {"file": tmp_path / "nowhere.tif"},
        {"tries": 0},
        {"pause_s": 0},
        {"calling_number": "5900}"},
        {"station": "a" * 21},
        {"station": "tab\there"},
    ):
        with pytest.raises(errors.ConfigurationError):
            line.centre.send_fax("900", **{"file": page, **wrong})
    assert line.centre.faxes() == []
    with pytest.raises(errors.UnknownMessage):
        line.centre.fax("nothing")


def test_only_so_many_are_sent_at_once(line, page, monkeypatch):
    monkeypatch.setattr("cti.messages.fax_outbox.AT_ONCE", 2)
    for number in range(900, 905):
        machine(line, str(number), page_s=0.1)
    line.centre.start()
    most = 0
    for number in range(900, 905):
        line.centre.send_fax(str(number), page)
    while len(line.sent) < 5:
        most = max(most, len(line.switch.channels))
        gevent.sleep(0.005)
    assert 1 <= most <= 4  # two under way, two that are just being let go
    assert all(each.success for each in line.sent)


def test_a_fax_survives_a_restart(line, page, tmp_path):
    machine(line, page_s=60.0)
    line.centre.start()
    job = line.centre.send_fax("900", page)
    line.until("it is being sent", lambda: line.centre.fax(job.id).state == SENDING)
    line.until("it is on the line", lambda: line.switch.channels)
    line.centre.stop()
    for channel in list(line.switch.channels.values()):
        channel.hangup("NORMAL_CLEARING")
    machine(line)
    messages = Messages(str(tmp_path / "kept"))
    assert FaxJobs(messages.index.path).get(job.id).state == SENDING
    again = CallCenter(
        f"{line.server.address[0]}:{line.server.address[1]}",
        messages=messages,
        allowed_destinations=(Destination("9*", "user/{number}"),),
    )
    try:
        again.start()
        line.until("it has gone", lambda: again.fax(job.id).state == SENT)
        assert again.fax(job.id).tries == 2
    finally:
        again.stop()


def test_a_lost_link_does_not_count_as_a_try(line, page, monkeypatch):
    monkeypatch.setattr("cti.messages.fax_outbox.LOOK_S", 0.1)
    line.switch.phones.add("user/900", Behaviour(ring_s=(5.0, 6.0)))
    line.centre.start()
    job = line.centre.send_fax("900", page, pause_s=1.0)
    line.until("it rings", lambda: line.switch.channels)
    line.server.stop()
    line.until("it waits again", lambda: line.centre.fax(job.id).state == WAITING)
    assert line.centre.fax(job.id).tries == 0

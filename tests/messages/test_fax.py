"""Faxes: received by number and by tone, kept as TIFF and PDF, routed to agents who accept and complete them."""

from __future__ import annotations

import json
from pathlib import Path

import gevent
import pytest

from cti import ToFax, errors, events
from cti.messages.fax_document import make_fax, make_pdf, pages_of
from cti.messages.message_record import HEARD, NEW, RECORDING
from cti.model.states import AgentState
from cti.script.faxing import FaxOutcome, outcome_of
from cti.sim.fax_application import FaxMachine, blank_pages, fax_machine
from cti.switch.event_socket import EventSocket
from cti.testing import FakeCall

from .test_voicemail import running

QUICK_FAX = FaxMachine(pages=2, page_s=0.05, tone_s=0.05, station="MEI 138")
LONG = "tone_stream://%(60000,0,440)"


@pytest.fixture
def faxes(line):
    """A fax number whose faxes go to the claims queue."""
    line.centre.add_queue("claims")
    line.centre.add_mailbox("claims", queue="claims")
    line.left = []

    @line.centre.on_call("5900")
    def script(call):
        line.left.append(call.receive_fax("claims"))

    line.centre.start()
    return line


def send(line, machine=QUICK_FAX, number="5900"):
    caller = line.switch.incoming(calling_number="138", calling_name="Mei", called_number=number)
    fax_machine(caller.channel, machine)
    return caller


def kept(line):
    return line.centre.messages("claims")


def test_a_fax_is_kept_as_tiff_and_pdf_and_completed_by_an_agent(faxes):
    send(faxes)
    delivered = faxes.wait_for(events.MessageDelivered)
    assert (delivered.interaction_kind, delivered.pages, delivered.switch) == ("fax", 2, "")
    (record,) = kept(faxes)
    assert (record.kind, record.pages, record.state, record.error, record.calling_number) == ("fax", 2, NEW, "", "138")
    tiff = faxes.centre.message_file(record.id)
    assert pages_of(tiff) == 2
    assert len(record.sha256) == 64
    assert tiff.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    faxes.agent("ann")
    popped = faxes.wait_for(events.Delivered, agent="ann")
    assert popped.data["message"] == record.id
    ann = faxes.centre.agent("ann")
    ann.accept()
    assert ann.view.state is AgentState.BUSY
    ann.complete()
    faxes.all_is_over()
    assert ann.view.state is AgentState.READY
    faxes.until("it is done", lambda: kept(faxes)[0].state == HEARD)
    assert kept(faxes)[0].heard_by == "ann"
    figures = faxes.centre.queue_view("claims").figures
    assert (figures.offered, figures.answered) == (1, 1)
    faxes.centre.delete_message(record.id)
    assert not tiff.exists()
    assert not tiff.with_suffix(".pdf").exists()


def test_a_fax_that_breaks_off_is_kept_with_its_reason(faxes):
    send(faxes, FaxMachine(pages=3, page_s=0.05, result=(49, "The call dropped prematurely"), good_pages=1))
    faxes.wait_for(events.MessageDelivered)
    (record,) = kept(faxes)
    assert (record.pages, record.error) == (1, "The call dropped prematurely")


def test_somebody_who_is_no_fax_machine_leaves_nothing(faxes, monkeypatch):
    monkeypatch.setattr("cti.sim.fax_application.NO_FAX_S", 0.05)
    faxes.switch.incoming(called_number="5900")
    faxes.until("it has ended", lambda: faxes.left)
    assert not faxes.left[0].kept
    assert kept(faxes) == []
    assert faxes.centre._messages.index.in_state(RECORDING) == []


def test_a_sender_who_hangs_up_in_the_middle_leaves_nothing(faxes):
    caller = send(faxes, FaxMachine(pages=1, page_s=60.0))
    faxes.until("it is being received", lambda: running(caller.channel, "rxfax"))
    caller.hang_up()
    faxes.until("the call is over", lambda: faxes.of(events.CallCleared))
    faxes.until("nothing is kept", lambda: not faxes.centre._messages.index.in_state(RECORDING))
    assert kept(faxes) == []


def test_a_script_learns_of_a_fax_whose_sender_hangs_up_right_after_it(faxes):
    caller = send(faxes)
    faxes.wait_for(events.MessageDelivered)
    assert faxes.left == []  # the sender is given time to hang up
    caller.hang_up()
    faxes.until("the script goes on", lambda: faxes.left)
    assert (faxes.left[0].kept, faxes.left[0].pages) == (True, 2)


def test_a_fax_machine_on_a_voice_line_interrupts_the_script(line):
    line.centre.add_queue("claims")
    line.centre.add_mailbox("claims", queue="claims")
    went_on = []

    @line.centre.on_call("5000")
    def script(call):
        call.answer()
        call.detect_fax("claims")
        call.play(LONG)
        went_on.append(call)

    line.centre.start()
    caller = send(line, number="5000")
    assert line.wait_for(events.MessageDelivered).pages == 2
    line.until("the call is over", lambda: caller.ended)
    assert went_on == []
    assert line.of(events.Diverted)[0].to_script == "fax:claims"
    assert line.centre.switch.fax_heard == {}
    assert not line.centre._scripts._greenlets


def test_a_fax_machine_that_waits_in_a_queue_leaves_it(line):
    line.centre.add_queue("claims")
    line.centre.add_mailbox("claims", queue="claims")

    @line.centre.on_call("5000")
    def script(call):
        call.answer()
        call.detect_fax("claims")
        call.queue("claims")

    line.centre.start()
    send(line, FaxMachine(pages=1, page_s=0.05, tone_s=0.5), number="5000")
    line.wait_for(events.Queued)
    delivered = line.wait_for(events.MessageDelivered)
    line.agent("ann")
    line.until("the fax is offered", lambda: line.of(events.Delivered, interaction=delivered.interaction))


def test_a_person_is_not_taken_for_a_fax_machine(line):
    line.centre.add_mailbox("claims")
    outcomes = []

    @line.centre.on_call("5000")
    def script(call):
        call.answer()
        call.detect_fax("claims")
        call.play("tone_stream://%(200,0,440)")
        outcomes.append("played")

    line.centre.start()
    line.switch.incoming(called_number="5000")
    line.until("the script ends", lambda: outcomes)
    line.all_is_over()
    assert line.centre.switch.fax_heard == {}


def test_a_machine_that_is_heard_when_an_agent_has_the_call_changes_nothing(line):
    line.centre.add_queue("claims")
    line.centre.add_mailbox("claims")
    line.agent("ann")

    @line.centre.on_call("5000")
    def script(call):
        call.answer()
        call.detect_fax("claims")
        call.queue("claims")

    line.centre.start()
    send(line, FaxMachine(tone_s=0.6), number="5000")
    line.wait_for(events.Established)
    gevent.sleep(0.8)
    assert line.centre.agent("ann").view.state is AgentState.BUSY
    assert line.of(events.Diverted) == []
    line.centre.agent("ann").transfer_to(ToFax("claims"))
    line.until("the fax is received", lambda: kept(line))


def test_detection_into_a_mailbox_that_is_not_there_says_so(line):
    line.centre.add_mailbox("claims")
    refused = []

    @line.centre.on_call("5000")
    def script(call):
        with pytest.raises(errors.UnknownMailbox, match="claims"):
            call.detect_fax("clams")
        refused.append(call)

    line.centre.start()
    line.switch.incoming(called_number="5000")
    line.until("it is refused", lambda: refused)


# -- documents --------------------------------------------------------------------------------------------------------


def test_pages_have_square_pixels_in_the_pdf(tmp_path):
    blank_pages(tmp_path / "in.tif", 3)
    make_pdf(tmp_path / "in.tif", tmp_path / "out.pdf")
    written = (tmp_path / "out.pdf").read_bytes()
    assert (
        written.count(b"/Type /Page\n") + written.count(b"/Type /Page ") + written.count(b"/Type/Page ") >= 3
        or written.count(b"/MediaBox") == 3
    )
    assert not (tmp_path / "out.part").exists()


def test_pictures_become_faxes(tmp_path):
    from PIL import Image

    Image.new("RGBA", (400, 300), (255, 0, 0, 128)).save(tmp_path / "photo.png")
    assert make_fax(tmp_path / "photo.png", tmp_path / "out.tif") == 1
    with Image.open(tmp_path / "out.tif") as made:
        assert (made.size[0], made.mode, made.tag_v2[259]) == (1728, "1", 4)
        assert made.size[1] == pytest.approx(1728 * 300 / 400 * 196 / 204, abs=2)
    blank_pages(tmp_path / "two.tif", 2)
    assert make_fax(tmp_path / "two.tif", tmp_path / "again.tif") == 2
    (tmp_path / "text.pdf").write_bytes(b"%PDF-1.4")
    with pytest.raises(errors.ConfigurationError, match="TIFF, PNG or JPEG"):
        make_fax(tmp_path / "text.pdf", tmp_path / "no.tif")
    assert pages_of(tmp_path / "text.pdf") == 0
    assert pages_of(tmp_path / "nowhere.tif") == 0


# -- without a switch -------------------------------------------------------------------------------------------------


def test_scripts_are_tested_with_fax_machines():
    def script(call):
        call.detect_fax("claims")
        call.play("welcome.wav")
        call.receive_fax("claims")

    fax = FakeCall(fax_pages=3)
    assert fax.run(script) == "caller gone"
    assert (fax.faxes, fax.heard) == ([("claims", 3)], [])
    person = FakeCall()
    assert person.run(script) == "returned"
    assert (person.faxes, person.heard) == ([], ["welcome.wav"])


# -- the simulation against what a FreeSWITCH 1.11.1 said -----------------------------------------------------------------

RECORDED = json.loads((Path(__file__).parent / "recorded" / "fax.json").read_text())
"""What mod_spandsp told of two pages that FreeSWITCH sent itself, by event and application."""
NOT_SIMULATED = {"v17_disabled", "ecm_requested", "filename", "encoding", "encoding_name", "longest_bad_row_run"}
"""What is of no use to anybody here; and the sizes in pixels."""


def test_the_simulated_fax_says_what_the_real_one_said(faxes):
    host, port = faxes.server.address
    told = []
    names = ("CHANNEL_EXECUTE_COMPLETE",)
    socket = EventSocket(host, port, "ClueCon", on_event=told.append, names=names, subclasses=("spandsp::rxfaxresult",))
    socket.start()
    send(faxes, FaxMachine(pages=2, page_s=0.05))
    result = faxes.until("it is told", lambda: [e for e in told if e.subclass == "spandsp::rxfaxresult"])[0]
    ended = faxes.until("it has ended", lambda: [e for e in told if e.text("Application") == "rxfax"])[0]
    socket.stop()
    (real,) = RECORDED["spandsp::rxfaxresult"]
    same = [name for name in real if name.startswith("fax-")]
    assert {name: result.text(name) for name in same} == {name: real[name] for name in same}
    (real,) = RECORDED["rxfax"]
    for name, value in real.items():
        bare = name.removeprefix("variable_fax_")
        if bare != name and bare not in NOT_SIMULATED and "pixel" not in bare and "file_image" not in bare:
            assert ended.text(name) == value, name
    assert outcome_of(ended) == FaxOutcome(True, 2, 2, 0, "OK", "SpanDSP Fax Ident")

"""Faxes on a real FreeSWITCH, which sends itself pages made here: by number, and heard on a voice line."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cti import CallCenter, Destination, events
from cti.messages import Messages
from cti.messages.fax_document import pages_of
from cti.messages.fax_job import FAILED, SENT, WAITING
from cti.messages.message_record import HEARD, NEW
from cti.model.cause import Cause
from cti.model.states import AgentState

from .freeswitch_process import FreeSwitchProcess
from .test_line import Watch

pytestmark = pytest.mark.live

image = pytest.importorskip("PIL.Image")
ImageSequence = pytest.importorskip("PIL.ImageSequence")

FAX_S = 120.0
"""Two pages take twenty seconds on an idle machine."""


@pytest.fixture
def watch(switch: FreeSwitchProcess, tmp_path: Path) -> Iterator[Watch]:
    centre = CallCenter(
        switch.address,
        switch.password,
        messages=Messages(str(tmp_path / "messages")),
        allowed_destinations=(Destination("59*", f"sofia/agents/{{number}}@127.0.0.1:{switch.callers_port}"),),
    )
    made = Watch(centre)
    centre.add_queue("claims", wrap_up_s=0.5)
    centre.add_mailbox("claims", queue="claims")
    try:
        yield made
    finally:
        centre.stop()


@pytest.fixture
def two_pages(tmp_path: Path) -> Path:
    """A fax of two short pages: one with a bar at the left, one with a bar at the right."""
    pages = []
    for at in (200, 1200):
        page = image.new("1", (1728, 400), 1)
        page.paste(0, (at, 100, at + 300, 300))
        pages.append(page)
    path = tmp_path / "two.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="group4", dpi=(204, 98))
    return path


def send(watch: Watch, switch: FreeSwitchProcess, pages: Path, number: str) -> None:
    contact = f"sofia/agents/{number}@127.0.0.1:{switch.callers_port}"
    watch.centre.switch.api("bgapi", f"originate {{ignore_early_media=true}}{contact} &txfax({pages})")


def test_two_pages_are_sent_received_kept_and_dealt_with(
    watch: Watch, switch: FreeSwitchProcess, two_pages: Path
) -> None:
    centre = watch.centre
    centre.on_call("5900")(lambda call: call.receive_fax("claims"))
    centre.add_agent("ann", "error/user_busy").log_on(ready=True)  # no phone is to ring
    sent: list[events.FaxSent] = []
    centre.subscribe(sent.append, events.FaxSent)
    centre.start()
    centre.send_fax("5900", two_pages, calling_number="138", station="CTI 138")
    delivered = watch.wait_for(events.MessageDelivered, timeout_s=FAX_S)
    assert (delivered.interaction_kind, delivered.pages) == ("fax", 2)
    (record,) = centre.messages("claims")
    assert (record.pages, record.state, record.error, record.calling_number) == (2, NEW, "", "138")
    (told,) = watch.until("the sender is told", lambda: sent, FAX_S)
    assert (told.success, told.pages, told.total_pages, told.text, told.tries) == (True, 2, 2, "OK", 1)
    tiff = centre.message_file(record.id)
    assert pages_of(tiff) == 2
    with image.open(tiff) as received:
        for number, at in enumerate((200, 1200)):
            received.seek(number)
            page = received.convert("L")
            middle = page.height // 2
            assert page.getpixel((at + 150, middle)) < 128, "the bar is where it was"
            assert page.getpixel((at - 150, middle)) > 128
    assert tiff.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    watch.wait_for(events.Delivered, agent="ann")
    centre.agent("ann").accept()
    assert watch.state("ann") is AgentState.BUSY
    centre.agent("ann").complete()
    watch.wait_for(events.CallCleared, interaction=delivered.interaction)
    watch.until("the agent is ready again", lambda: watch.state("ann") is AgentState.READY)
    watch.until("it is done", lambda: centre.message(record.id).state == HEARD)
    watch.nothing_is_wrong()


def test_a_busy_number_is_tried_again_and_a_pdf_goes_over(watch: Watch, two_pages: Path, tmp_path: Path) -> None:
    """Sent in the name of a mailbox; the first try meets a busy line, the second a fax machine."""
    if shutil.which("gs") is None:
        source = two_pages
    else:
        source = tmp_path / "two.pdf"
        with image.open(two_pages) as pages:
            frames = [frame.convert("L").resize((1654, 2339)) for frame in ImageSequence.Iterator(pages)]
        frames[0].save(source, save_all=True, append_images=frames[1:], resolution=200)
    centre = watch.centre
    calls: list[str] = []

    @centre.on_call("5901")
    def script(call):  # type: ignore[no-untyped-def]
        calls.append(call.calling_number)
        if len(calls) == 1:
            call.hang_up(Cause.BUSY)
        else:
            call.receive_fax("claims")

    sent: list[events.FaxSent] = []
    centre.subscribe(sent.append, events.FaxSent)
    centre.start()
    job = centre.send_fax("5901", source, tries=3, pause_s=2.0, calling_number="138", mailbox="claims")
    assert (job.state, job.total_pages) == (WAITING, 2)
    watch.until("the line was busy", lambda: centre.fax(job.id).text == "USER_BUSY", 30)
    kept = centre.fax(job.id)
    assert (kept.state, kept.tries, kept.code, sent) == (WAITING, 1, -1, [])
    assert kept.next_at - time.time() <= 2.0
    (told,) = watch.until("the sender is told", lambda: sent, FAX_S)
    assert (told.success, told.pages, told.total_pages, told.text, told.tries) == (True, 2, 2, "OK", 2)
    assert (told.fax, told.number, told.mailbox, told.queue) == (job.id, "5901", "claims", "claims")
    done = centre.fax(job.id)
    assert (done.state, done.code, done.tries) == (SENT, 0, 2)
    assert calls == ["138", "138"]
    watch.until("it was received", lambda: centre.messages("claims"), FAX_S)
    (record,) = centre.messages("claims")
    assert (record.pages, record.error) == (2, "")
    tiff = centre.message_file(record.id)
    with image.open(tiff) as received:
        for number, at in enumerate((200, 1200)):
            received.seek(number)
            page = received.convert("L")
            middle = page.height // 2
            assert page.getpixel((at + 150, middle)) < 128, "the bar is where it was"
            assert page.getpixel((at - 100, middle)) > 128
    assert [each.id for each in centre.faxes()] == [job.id]
    watch.nothing_is_wrong()


def test_a_number_that_is_always_busy_is_given_up_and_told(watch: Watch, two_pages: Path) -> None:
    centre = watch.centre
    centre.on_call("5902")(lambda call: call.hang_up(Cause.BUSY))
    sent: list[events.FaxSent] = []
    centre.subscribe(sent.append, events.FaxSent)
    centre.start()
    job = centre.send_fax("5902", two_pages, tries=2, pause_s=1.0)
    (told,) = watch.until("the sender is told", lambda: sent, 60)
    assert (told.success, told.pages, told.total_pages, told.code, told.text, told.tries) == (
        False,
        0,
        2,
        -1,
        "USER_BUSY",
        2,
    )
    assert centre.fax(job.id).state == FAILED
    watch.nothing_is_wrong()


def test_a_fax_machine_is_heard_on_a_voice_line(watch: Watch, switch: FreeSwitchProcess, two_pages: Path) -> None:
    centre = watch.centre
    went_on = []

    @centre.on_call("5000")
    def script(call):  # type: ignore[no-untyped-def]
        call.answer()
        call.detect_fax("claims")
        call.play("tone_stream://%(60000,0,440)")
        went_on.append(call)

    centre.start()
    send(watch, switch, two_pages, "5000")
    diverted = watch.wait_for(events.Diverted, timeout_s=60)
    assert diverted.to_script == "fax:claims"
    assert watch.wait_for(events.MessageDelivered, timeout_s=FAX_S).pages == 2
    assert went_on == []
    watch.nothing_is_wrong()

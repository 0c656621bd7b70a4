"""Faxes on a real FreeSWITCH, which sends itself pages made here: by number, and heard on a voice line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cti import CallCenter, Destination, events
from cti.messages import Messages
from cti.messages.fax_document import pages_of
from cti.messages.message_record import HEARD, NEW
from cti.model.states import AgentState

from .freeswitch_process import FreeSwitchProcess
from .test_line import Watch

pytestmark = pytest.mark.live

image = pytest.importorskip("PIL.Image")

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

"""A voice menu on a real FreeSWITCH that leads to a mailbox, to a callback, and to a fax."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cti import CallbackPrompts, CallbackSettings, CallCenter, Destination, Messages, events
from cti.ivr import Ivr, read_ivr
from cti.model.callback_events import CallbackMade

from .audio import write_pcmu_tone
from .freeswitch_process import FreeSwitchProcess
from .test_line import Watch
from .test_scripts import KeyCaller

pytestmark = pytest.mark.live

BEEP = "tone_stream://%(100,0,880)"
MENU = """
start = "main"
[prompts]
main = "tone_stream://%(8000,0,440)"
thanks = "tone_stream://%(300,0,550)"
[nodes.main]
menu = "main"
options = { "1" = "message", "2" = "back", "3" = "pages" }
otherwise = "end"
[nodes.message]
voicemail = "claims"
next = "thanks"
[nodes.back]
callback = "claims"
answers = { pending = "thanks", declined = "@main" }
otherwise = "end"
[nodes.pages]
fax = "claims"
next = "thanks"
otherwise = "end"
[nodes.thanks]
hang_up = "thanks"
[nodes.end]
hang_up = true
"""


@pytest.fixture
def watch(switch: FreeSwitchProcess, tmp_path: Path) -> Iterator[Watch]:
    centre = CallCenter(
        switch.address,
        switch.password,
        messages=Messages(str(tmp_path / "messages")),
        allowed_destinations=(
            Destination("0*", "user/{number}"),
            Destination("59*", f"sofia/agents/{{number}}@127.0.0.1:{switch.callers_port}"),
        ),
    )
    made = Watch(centre)
    prompts = CallbackPrompts(number=BEEP, choose=BEEP, goodbye=BEEP)
    centre.add_queue("claims", callback=CallbackSettings(prompts=prompts))
    centre.add_mailbox("claims", beep=BEEP, silence_s=0)
    try:
        yield made
    finally:
        centre.stop()


def served(watch: Watch, menu: str = MENU) -> Ivr:
    made = Ivr(read_ivr(menu), queues=["claims"], calling_back=["claims"], mailboxes=["claims"])
    watch.centre.on_call("5*")(made)
    watch.centre.start()
    return made


def test_keys_of_a_menu_lead_to_a_mailbox_and_to_a_callback(
    watch: Watch, switch: FreeSwitchProcess, tmp_path: Path
) -> None:
    menu = served(watch)
    tone = write_pcmu_tone(tmp_path / "caller.pcmu", 700, level=0.3)  # who sends nothing leaves nothing

    def caller(name: str, steps: list[float | str], **more: Any) -> KeyCaller:
        return KeyCaller(steps, tmp_path / name, switch_port=switch.callers_port, number="5000", info=True, **more)

    with (
        caller("message", [2.0, "1", 4.0, "#", 30.0], user="138", tone=tone),
        caller("back", [2.0, "2", 1.5, "1", 30.0], user="0301"),
        caller("declines", [2.0, "2", 1.5, "3", 1.5, "1", 30.0], user="0302", hold_s=4.0, tone=tone),
    ):
        watch.until("a message is left", lambda: menu.figures["message"].exits["next"], 40)
        made = watch.wait_for(CallbackMade, number="0301")
        watch.wait_for(events.ConnectionCleared, interaction=made.interaction, side="caller")
        watch.until(
            "who declined has left a message and hung up", lambda: len(watch.centre.messages("claims")) == 2, 60
        )
    assert {each.calling_number for each in watch.centre.messages("claims")} == {"138", "0302"}
    assert [each.number for each in watch.centre.callbacks("claims")] == ["0301"]
    assert menu.figures["back"].exits == {"taken": 1, "declined": 1}
    assert (menu.figures["message"].entered, menu.figures["message"].left) == (2, 1)
    watch.nothing_is_wrong()


def test_a_menu_receives_a_fax(watch: Watch, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    image.new("1", (1728, 400), 1).save(tmp_path / "page.tif", compression="group4", dpi=(204, 98))
    menu = served(
        watch, MENU.replace('start = "main"', 'start = "pages"\nmain = "pages"').split("[nodes.main]")[0] + PAGES
    )
    watch.centre.send_fax("5900", tmp_path / "page.tif")
    watch.until("the fax is there", lambda: watch.centre.messages("claims"), 120)
    (record,) = watch.centre.messages("claims")
    assert (record.kind, record.pages, record.error) == ("fax", 1, "")
    watch.until("its way is counted", lambda: menu.figures["pages"].exits == {"next": 1})
    watch.nothing_is_wrong()


PAGES = """
[nodes.pages]
fax = "claims"
next = "thanks"
otherwise = "thanks"
[nodes.thanks]
hang_up = "thanks"
"""

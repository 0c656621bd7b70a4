"""`[queue.NAME.waiting]` and `[queue.NAME.callback]`: read, and everything that is wrong with them said at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cti.model.callback import CallbackPrompts, CallbackSettings
from cti.model.overflow import Disconnect, ToQueue, ToScript
from cti.model.party import Destination
from cti.model.treatment import SayNumber, WaitingTreatment

from .written import problems, read

PAGE = (Path(__file__).parents[2] / "docs" / "callbacks.md").read_text(encoding="utf-8")
QUEUE = "[queue.a]\n"


def test_what_the_page_shows_is_what_it_says(tmp_path):
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    made = read(tmp_path, shown).queues["claims"]
    assert made.waiting == WaitingTreatment(
        offers={"1": ToScript("callback")}, offer_prompt="/sounds/{language}/press-1.wav"
    )
    assert made.callback == CallbackSettings(
        first="agent",
        calling_number="0800123456",
        hours="mon-fri 08:00-19:00; sat 10:00-14:00",
        time_zone="Europe/Berlin",
        closed="2026-12-24..2026-12-26",
        pause_s=300.0,
        expiry_s=86400.0,
        destinations=(Destination("0[1-9]*", "sofia/gateway/trunk/{number}"),),
        prompts=CallbackPrompts(
            number="/sounds/{language}/we-call-you-at.wav",
            choose="/sounds/{language}/press-1-to-agree-2-for-another-number-3-to-wait.wav",
            enter="/sounds/{language}/enter-the-number-and-hash.wav",
            refused="/sounds/{language}/we-cannot-call-that-number.wav",
            goodbye="/sounds/{language}/you-keep-your-place.wav",
        ),
    )


def test_a_whole_treatment(tmp_path):
    made = read(
        tmp_path,
        """
[queue.b]
[queue.a.waiting]
music = ["/one.wav", "/two.wav"]
position = ["/place.wav", { say = "position", kind = "items" }]
messages = ["/a.wav", ["/b.wav", "/c.wav"]]
message_every_s = "1m"
offers = { "1" = { queue = "b" }, "9" = { hang_up = true } }
""",
    ).queues["a"]
    assert made.waiting == WaitingTreatment(
        music=("/one.wav", "/two.wav"),
        position=("/place.wav", SayNumber("position", "items")),
        messages=("/a.wav", ("/b.wav", "/c.wav")),
        message_every_s=60,
        offers={"1": ToQueue("b"), "9": Disconnect()},
    )


def test_dates_as_toml_has_them(tmp_path):
    made = read(tmp_path, "[queue.a.callback]\nclosed = [2026-12-24]").queues["a"]
    assert made.callback.closed == ("2026-12-24",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[queue.a.callback]\nfrist = 'agent'", "unknown key; did you mean 'first'?"),
        ("[queue.a.callback]\nfirst = 'both'", "first: found 'both'; it must be one of 'agent', 'customer'"),
        ("[queue.a.callback]\nring_s = '0s'", "ring_s: found 0.0; it must be at least 1 second"),
        ("[queue.a.callback]\ntries = 0", "tries: found 0; it must be a whole number from 1 up"),
        ("[queue.a.callback]\nhours = 'mon 9-17'", "callback.hours: hours: column"),
        ("[queue.a.callback]\ntime_zone = 'Europe/Atlantis'", "Europe/Atlantis"),
        ("[queue.a.callback]\nclosed = [1]", "closed"),
        ("[queue.a.callback.destinations]\n'0*' = 'sofia/gateway/trunk'", "{number}"),
        ("[queue.a.callback.prompts]\nhello = 'x'", "unknown key"),
        ("[queue.a.callback.prompts]\nenter = ['']", "is no prompt"),
        ("[queue.a]\ncallback = true", "expected a table, found True"),
        ("[queue.a.waiting]\ngreeting = 3", "expected text, or {say = 'position'}; found 3"),
        ("[queue.a.waiting]\nposition = { sya = 'position' }", "unknown key"),
        ("[queue.a.waiting]\nposition = { say = 'speed' }", "speed"),
        ("[queue.a.waiting]\noffers = { x = { hang_up = true } }", "it must be one of 0 to 9"),
        ("[queue.a.waiting]\noffers = { '1' = { script = 's' } }", "waiting.offers.1: unknown script 's'"),
        ("[queue.a.waiting]\noffers = { '1' = { queue = 'b' } }", "waiting.offers: unknown queue 'b'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, said):
    assert any(said in one for one in problems(tmp_path, text)), problems(tmp_path, text)


def test_doubts(tmp_path):
    made = read(
        tmp_path,
        """
[queue.a]
max_wait_s = "1m"
overflow = { script = "callback" }

[queue.b.callback]
""",
    )
    said = "\n".join(map(str, made.warnings))
    assert "[queue.b]: callback: nobody can be called back: set its destinations, or [destinations]" in said
    assert "queue 'a': the script 'callback' offers its callers a callback, and it calls nobody back" in said

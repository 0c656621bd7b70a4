"""What one waiting caller hears and can do, in virtual time."""

from __future__ import annotations

import pytest

from cti.errors import CallGone, UnknownQueue
from cti.model.overflow import Disconnect, ToQueue, ToScript
from cti.model.treatment import SayNumber, WaitingTreatment
from cti.script.fake_control import FakeControl
from cti.waiting.attendant import LOOK_EVERY_S, TONE, Attendant

MUSIC = "/music.wav"
ENDLESS = 1e6
NEWS = {"position": ("/place.wav", SayNumber("position")), "announce_after_s": 0}


class Caller(FakeControl):
    """A caller who presses keys at given seconds, and what they hear with the second at which it begins."""

    def __init__(self, *, keys=(), gone_at=100.0, lengths=None, **given):
        super().__init__((), hang_up_s=gone_at, lengths={MUSIC: ENDLESS, TONE: ENDLESS, **(lengths or {})}, **given)
        self.heard: list[tuple[float, str]] = []
        for at, key in keys:
            self.at(at, lambda key=key: self._press(key))

    def at(self, seconds, happens):
        self._later(seconds, happens)

    def start(self, application, argument, timeout):
        assert self._running is None or self._running.outcome is not None, "one sound within another"
        self.heard.append(
            (round(self.now(), 3), argument if application == "playback" else f"{application} {argument}")
        )
        return super().start(application, argument, timeout)


class Place:
    language = "en"
    position = 0
    expected_wait_s = None


class Centre:
    """Attends to a caller until they are gone or elsewhere."""

    def __init__(self, treatment, caller=None, place=None, *, refuse=None, music=MUSIC, **given):
        self.caller = caller or Caller()
        self.went = []
        self.missing = []
        self.refuse = refuse
        self.attendant = Attendant(
            self.caller,
            "claims",
            treatment,
            music=music,
            standing=place or Place(),
            go=self.go,
            missing=lambda prompt, why: self.missing.append((prompt, why)),
            **given,
        )

    def go(self, target):
        if self.refuse is not None:
            raise self.refuse
        self.went.append((round(self.caller.now(), 3), target))

    def wait(self):
        """How it ended, and what was heard."""
        try:
            self.attendant.run()
        except CallGone:
            return "gone", self.caller.heard
        return "left", self.caller.heard


def test_music_alone_goes_on_until_the_caller_is_gone():
    assert Centre(WaitingTreatment()).wait() == ("gone", [(0.0, MUSIC)])


def test_no_key_ends_the_music_by_itself():
    centre = Centre(WaitingTreatment(), Caller(keys=[(1, "*"), (2, "#"), (3, "5")]))
    assert centre.wait() == ("gone", [(0.0, MUSIC)])
    assert centre.caller.variables["playback_terminators"] == "none"


def test_the_tracks_are_played_in_turn():
    _, heard = Centre(WaitingTreatment(music=("/a.wav", "/b.wav")), Caller(gone_at=10)).wait()
    assert heard == [(0.0, "/a.wav"), (3.0, "/b.wav"), (6.0, "/a.wav"), (9.0, "/b.wav")]


def test_the_greeting_comes_first_and_once():
    centre = Centre(WaitingTreatment(greeting=("/hello.wav", "/{language}/{queue}.wav")), Caller(gone_at=50))
    assert centre.wait()[1] == [(0.0, "/hello.wav"), (3.0, "/en/claims.wav"), (6.0, MUSIC)]
    assert Centre(WaitingTreatment(greeting="/hello.wav"), greet=False).wait()[1] == [(0.0, MUSIC)]


def test_messages_are_played_in_turn_and_the_interval_counts_from_the_end():
    treatment = WaitingTreatment(messages=("/a.wav", ("/b.wav", "/c.wav")), message_every_s=10)
    _, heard = Centre(treatment, Caller(gone_at=40)).wait()
    assert heard == [
        *[(0.0, MUSIC), (10.0, "/a.wav"), (13.0, MUSIC), (23.0, "/b.wav"), (26.0, "/c.wav"), (29.0, MUSIC)],
        *[(39.0, "/a.wav")],
    ]


def test_a_place_is_told_when_it_is_known_and_only_when_it_got_better():
    place, caller = Place(), Caller(gone_at=200)
    for at, position in ((20, 3), (60, 4), (90, 3), (120, 2), (123, 1)):
        caller.at(at, lambda position=position: setattr(place, "position", position))
    _, heard = Centre(WaitingTreatment(**NEWS, announce_every_s=30), caller, place).wait()
    told = [(at, said) for at, said in heard if said.startswith("say")]
    assert [said for _, said in told] == [f"say en NUMBER pronounced {n}" for n in (3, 2, 1)]
    assert 20 <= told[0][0] <= 20 + LOOK_EVERY_S + 3
    assert told[2][0] - told[1][0] >= 30  # it was 1 three seconds later, and that had to wait


def test_the_wait_is_told_in_minutes_and_not_while_it_is_unknown():
    place, caller = Place(), Caller(gone_at=120)
    for at, wait_s in ((0.5, None), (30, 100.0), (50, 119.0), (80, 59.0)):
        caller.at(at, lambda wait_s=wait_s: setattr(place, "expected_wait_s", wait_s))
    treatment = WaitingTreatment(expected_wait=("/wait-{wait_min}.wav",), announce_after_s=0, announce_every_s=10)
    _, heard = Centre(treatment, caller, place).wait()
    assert [said for _, said in heard if said != MUSIC] == ["/wait-2.wav", "/wait-1.wav"]


@pytest.mark.parametrize("pressed_at", [0.5, 4.0, 31.0, 50.0], ids=["greeting", "music", "offer", "later"])
def test_a_key_takes_the_caller_at_any_moment(pressed_at):
    treatment = WaitingTreatment(greeting="/hello.wav", offers={"1": ToScript("callback")}, offer_prompt="/press-1.wav")
    centre = Centre(treatment, Caller(keys=[(pressed_at, "1")]))
    ended, _ = centre.wait()
    assert ended == "left"
    assert centre.went == [(pressed_at, ToScript("callback"))]
    assert centre.caller._running.outcome is not None  # nothing plays on


def test_keys_that_are_no_offer_cut_nothing_short():
    treatment = WaitingTreatment(greeting="/hello.wav", offers={"9": Disconnect()})
    centre = Centre(treatment, Caller(keys=[(1, "1"), (2, "#"), (50, "0")]))
    assert centre.wait() == ("gone", [(0.0, "/hello.wav"), (3.0, MUSIC)])
    assert centre.went == []


def test_offers_are_announced_again_and_again():
    treatment = WaitingTreatment(offers={"1": ToQueue("b")}, offer_prompt="/o.wav", offer_after_s=5, offer_every_s=20)
    _, heard = Centre(treatment, Caller(gone_at=60)).wait()
    assert [at for at, said in heard if said == "/o.wav"] == [5.0, 28.0, 51.0]


def test_offers_are_announced_only_while_the_wait_is_long():
    treatment = WaitingTreatment(
        offers={"1": ToQueue("b")}, offer_prompt="/o.wav", offer_after_s=5, offer_every_s=20, offer_expected_wait_s=120
    )
    caller, place = Caller(gone_at=70), Place()
    caller.at(11, lambda: setattr(place, "expected_wait_s", 119.0))
    caller.at(18, lambda: setattr(place, "expected_wait_s", 120.0))
    caller.at(45, lambda: setattr(place, "expected_wait_s", 60.0))
    _, heard = Centre(treatment, caller, place).wait()
    assert [round(at) for at, sound in heard if sound == "/o.wav"] == [20, 43]  # each takes 3 s


def test_an_offer_that_is_refused_leaves_the_caller_where_they_are():
    centre = Centre(
        WaitingTreatment(offers={"3": ToQueue("gone")}), Caller(keys=[(0.2, "3")]), refuse=UnknownQueue("gone", ["a"])
    )
    assert centre.wait() == ("gone", [(0.0, MUSIC), (0.2, MUSIC)])
    assert centre.missing == []


def test_a_missing_announcement_is_left_out_and_said():
    treatment = WaitingTreatment(greeting=("/hello.wav", "/there.wav"), messages="/m.wav", message_every_s=20)
    centre = Centre(treatment, Caller(missing=("/hello.wav", "/m.wav"), gone_at=30))
    assert centre.wait()[1] == [(0.0, "/hello.wav"), (0.0, "/there.wav"), (3.0, MUSIC), (23.0, "/m.wav"), (23.0, MUSIC)]
    assert [prompt for prompt, _ in centre.missing] == ["/hello.wav", "/m.wav"]


def test_missing_music_is_replaced_by_a_tone():
    centre = Centre(WaitingTreatment(music=("/a.wav", "/b.wav")), Caller(missing=("/a.wav", "/b.wav")))
    assert centre.wait()[1] == [(0.0, "/a.wav"), (0.0, "/b.wav"), (0.0, TONE)]


def test_music_that_ends_at_once_is_not_played_again_and_again():
    centre = Centre(WaitingTreatment(), Caller(lengths={MUSIC: 0.02, TONE: 0.02}))
    assert centre.wait()[1] == [(0.0, MUSIC), (0.02, TONE)]
    assert [prompt for prompt, _ in centre.missing] == [MUSIC, TONE]


def test_silence_stays_silent():
    treatment = WaitingTreatment(messages="/m.wav", message_every_s=20)
    assert Centre(treatment, Caller(gone_at=30), music="").wait()[1] == [(20.0, "/m.wav")]


def test_nothing_begins_once_an_agent_has_answered():
    caller = Caller()
    centre = Centre(WaitingTreatment(greeting=("/a.wav", "/b.wav"), offers={"1": Disconnect()}), caller)
    caller.at(1, lambda: (setattr(centre.attendant, "over", True), caller._press("1")))
    assert centre.wait() == ("left", [(0.0, "/a.wav")])
    assert centre.went == []


def test_it_goes_on_where_it_was_after_a_bridge_that_failed():
    caller = Caller(gone_at=60)
    centre = Centre(WaitingTreatment(greeting="/hello.wav", messages="/m.wav", message_every_s=20), caller)
    caller.at(10, lambda: (setattr(centre.attendant, "over", True), caller._press("5")))
    assert centre.wait()[0] == "left"
    caller._end(caller._running, "PLAYBACK ERROR")
    centre.attendant.over = False
    ended, heard = centre.wait()
    assert ended == "gone"
    assert heard[2:] == [(10.1, MUSIC), (23.0, "/m.wav"), (26.0, MUSIC), (46.0, "/m.wav"), (49.0, MUSIC)]


def test_a_number_that_cannot_be_said_is_left_out():
    place = Place()
    place.position, place.language = 10**10, "en"
    centre = Centre(WaitingTreatment(**NEWS), place=place)
    assert centre.wait() == ("gone", [(0.0, MUSIC)])
    assert "whole number" in centre.missing[0][1]

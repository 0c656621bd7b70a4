"""What a treatment may say, and that it comes back from a journal as it was."""

from __future__ import annotations

import pytest

from cti.errors import ConfigurationError
from cti.model.ids import QueueId
from cti.model.overflow import Disconnect, ToQueue, ToScript, ToVoicemail
from cti.model.queue import QueueSettings
from cti.model.treatment import SayNumber, WaitingTreatment, filled
from cti.store.codec import Codec
from cti.waiting.prompt_files import missing_files
from cti.waiting.wording import minutes

FULL = WaitingTreatment(
    music=("/a.wav", "local_stream://moh"),
    greeting="/{language}/hello.wav",
    position=("/{language}/place.wav", SayNumber("position")),
    expected_wait=("/{language}/wait-{wait_min}.wav",),
    messages=("/m1.wav", ("/m2.wav", "/m3.wav")),
    offers={"1": ToScript("callback"), "2": ToVoicemail("1000"), "3": ToQueue(QueueId("b")), "9": Disconnect()},
    offer_prompt="/offers.wav",
    whisper=("/queues/{queue}.wav", SayNumber("waited_min")),
)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"greeting": ""}, "greeting: '' is no prompt"),
        ({"greeting": "a\nb"}, "greeting: 'a\\nb' is no prompt"),
        ({"greeting": (7,)}, "greeting: 7 is no prompt"),
        ({"greeting": "/{position}.wav"}, "names 'position', which is not known there; known: language, queue"),
        ({"position": "/{postion}.wav"}, "names 'postion', which is not known there; known: language, queue, position"),
        ({"position": SayNumber("wait_min")}, "names 'wait_min', which is not known there"),
        ({"music": SayNumber("position")}, "names 'position', which is not known there"),
        ({"messages": ((),)}, "messages has an empty message"),
        ({"offers": {"10": Disconnect()}}, "offers has the key '10'; it must be one of 0 to 9, * and #"),
        ({"offers": {"": Disconnect()}}, "offers has the key ''"),
        ({"offers": {"1": "callback"}}, "key '1' has 'callback'; it must be ToQueue"),
        ({"offer_prompt": "/o.wav"}, "offer_prompt announces offers, and there are none"),
        ({"announce_every_s": 0}, "announce_every_s is 0; it must be at least 1 second"),
        ({"message_every_s": "60"}, "message_every_s is '60'; it must be a number of seconds"),
        ({"language": "english!"}, "language is 'english!'; write it as en"),
        ({"whisper_s": 3}, "whisper_s is 3; it must be more than 0 and at most 2 seconds"),
    ],
)
def test_what_is_refused(given, said):
    with pytest.raises(ConfigurationError) as refused:
        WaitingTreatment(**given)
    assert said in str(refused.value)


def test_what_a_queue_may_have():
    assert QueueSettings(QueueId("q"), waiting=FULL).waiting is FULL
    with pytest.raises(ConfigurationError, match=r"waiting is 'music'; it must be a WaitingTreatment"):
        QueueSettings(QueueId("q"), waiting="music")
    with pytest.raises(ConfigurationError, match="of is 'age'; it must be one of 'position'"):
        SayNumber("age")


def test_it_comes_back_from_a_journal_as_it_was():
    codec = Codec()
    settings = QueueSettings(QueueId("q"), waiting=FULL)
    assert codec.load(codec.dump(settings), QueueSettings) == (settings, ())


def test_what_it_names():
    assert FULL.queues == ("b",)
    assert FULL.scripts == ("callback",)


def test_names_are_filled_in_and_other_braces_left():
    assert filled("{loops=2}${sounds}/{language}/{position}.wav", {"language": "fr"}) == (
        "{loops=2}${sounds}/fr/{position}.wav"
    )
    assert WaitingTreatment(greeting="{loops=2}${sounds_dir}/a.wav").greeting


def test_minutes_are_rounded_up():
    assert [minutes(s) for s in (0, 1, 60, 61)] == [1, 1, 1, 2]


def test_files_are_looked_for_where_the_switch_plays_them_from():
    asked = []

    def api(command, argument):
        asked.append((command, argument))
        if command == "global_getvar":
            return "/sounds" if argument == "sounds_dir" else ""
        return "true" if argument in ("/a.wav", "/sounds/b.wav") else "false"

    treatment = WaitingTreatment(
        music=("/a.wav", "{loops=2}b.wav", "tone_stream://%(100,0,440)"),
        greeting=("/{language}/c.wav", "${base}/d.wav"),
        position="/place-{position}.wav",
        language="fr",
    )
    assert missing_files(treatment, "q", api) == ["/fr/c.wav"]
    assert ("file_exists", "/sounds/b.wav") in asked

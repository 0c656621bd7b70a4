"""What is played, said and spoken, and in which language."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from cti.errors import CommandRejected, ConfigurationError, JobTimeout
from cti.script import Recognizer, Say, Speak
from cti.script.recognizer import option_for, utterance
from cti.script.saying import saying
from cti.script.sounding import MISSING_TONE
from cti.testing import FakeCall, HangUp, Press, Speaks


def test_prompts_one_after_the_other():
    call = FakeCall()
    call.play("a.wav", Say(42), "tone_stream://%(100,0,440)")
    assert call.heard == ["a.wav", "en NUMBER pronounced 42", "tone_stream://%(100,0,440)"]
    assert call.control.executed[1][0] == "say"


def test_the_callers_language_chooses_the_variant():
    call = FakeCall()
    prompt = {"en": "hello.wav", "zh": ["nihao.wav"][0]}
    call.play(prompt)
    call.language = "zh"
    call.play(prompt, Say(3))
    call.language = "en-GB"
    call.play(prompt, Say(3))
    assert call.heard == ["hello.wav", "nihao.wav", "zh NUMBER pronounced 3", "hello.wav", "en NUMBER pronounced 3"]
    call.language = "fr"
    with pytest.raises(ConfigurationError, match="no language 'fr'; it has en, zh"):
        call.play(prompt)


def test_a_missing_prompt_is_an_error_to_play_and_a_tone_in_a_question():
    call = FakeCall(["1"], missing={"gone.wav"})
    with pytest.raises(CommandRejected, match=r"gone\.wav.*FILE NOT FOUND"):
        call.play("gone.wav")
    assert call.menu("gone.wav", options={"1": 1})
    assert call.heard == ["gone.wav", "gone.wav", MISSING_TONE]


def test_before_a_question_by_voice_a_missing_prompt_is_a_tone_too():
    call = FakeCall([Speaks("a claim")], missing={"gone.wav"})
    choice = call.menu("gone.wav", "ask.wav", options={"1": 1}, words={"1": ["claim"]}, recognizer=Recognizer("r", "g"))
    assert choice.key == "1"
    assert call.heard == ["gone.wav", MISSING_TONE, "ask.wav"]


def test_a_key_that_is_there_begins_no_prompt_that_keys_may_end():
    call = FakeCall()
    call.control.keys.pressed("4", 0)
    call.play("one.wav", "two.wav", barge_in=True)
    assert (call.heard, call.elapsed_s) == ([], 0)
    assert call.collect("enter.wav", max_digits=1).digits == "4"


def test_a_prompt_has_a_deadline():
    with pytest.raises(JobTimeout):
        FakeCall(lengths={"long.wav": 60}).play("long.wav", timeout=5)


def test_sleep_ends_at_the_hang_up():
    call = FakeCall(hang_up_s=2)
    assert call.run(lambda call: call.sleep(60)) == "caller gone"
    assert call.elapsed_s == 2


def test_speak_needs_an_engine_and_expands_nothing():
    call = FakeCall()
    with pytest.raises(ConfigurationError, match="engine"):
        call.speak("hello")
    call.voice = ("flite", "slt")
    call.speak("it costs ${price} | more")
    call.play(Speak("other", voice="kal"))
    call.speak("two\r\nlines")
    assert call.heard == ["flite|slt|it costs \\${price} | more", "flite|kal|other", "flite|slt|two lines"]


def test_an_engine_the_switch_has_not():
    call = FakeCall()
    answers = {"module_exists": "false", "show": "type,name,ikey\nspeech,cepstral,mod_cepstral\n\n1 total.\n"}
    call.control.api = lambda command, _: answers[command]
    with pytest.raises(CommandRejected, match="no text-to-speech engine 'flite' is loaded; the switch has cepstral"):
        call.speak("hello", engine="flite", voice="slt")
    call.speak("hello", engine="cepstral:x", voice="slt")
    assert call.heard == ["cepstral:x|slt|hello"]


@pytest.mark.parametrize(
    ("value", "kind", "digits", "language", "argument"),
    [
        (0, "", False, "en", "en NUMBER pronounced 0"),
        (4711, "", True, "en", "en NUMBER iterated 4711"),
        ("0042", "number", True, "zh", "zh NUMBER iterated 0042"),
        (3, "items", False, "zh", "zh ITEMS pronounced 3"),
        (Decimal("12.50"), "", False, "en", "en CURRENCY pronounced 12.50"),
        ("-3", "currency", False, "en", "en CURRENCY pronounced -3"),
        (date(2026, 3, 1), "", False, "en", "en CURRENT_DATE pronounced '2026-03-01 12:00:00'"),
        (datetime(2026, 3, 1, 14, 5), "", False, "en", "en CURRENT_DATE_TIME pronounced '2026-03-01 14:05:00'"),  # noqa: DTZ001
        (datetime(2026, 3, 1, 14, 5, tzinfo=UTC), "time", False, "en", "en CURRENT_TIME pronounced 1772373900"),
        (125, "duration", False, "en", "en TIME_MEASUREMENT pronounced 0:02:05"),
        ("+49 30 1234", "", False, "en", "en TELEPHONE_NUMBER pronounced '+49 30 1234'"),
        ("+49 30 1234", "", False, "zh", "zh NUMBER iterated 49301234"),
        ("ab12", "spelled", False, "en", "en NAME_SPELLED pronounced ab12"),
    ],
)
def test_what_say_is_told(value, kind, digits, language, argument):
    assert saying(value, kind, digits=digits, language=language) == argument


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (-1, ""),
        (1_000_000_000, ""),
        (True, ""),
        ("12a", "number"),
        (1.5, "currency"),
        (Decimal("1.505"), ""),
        (Decimal("1E+3"), ""),
        ("tomorrow", "date"),
        (3, "time"),
        ("0301; rm", ""),
        ("0301' extra", ""),
        ("", "spelled"),
        (1, "numbr"),
        (-5, "duration"),
    ],
)
def test_what_cannot_be_said_is_refused(value, kind):
    with pytest.raises(ConfigurationError, match="say"):
        saying(value, kind)


def test_a_language_is_no_way_into_the_command():
    with pytest.raises(ConfigurationError, match="language"):
        saying(1, language="en NUMBER")


# -- recording ----------------------------------------------------------------------------------------------------------


def test_a_recording_ends_with_a_key_or_with_time():
    call = FakeCall(["5#"])
    recorded = call.record("/rec/a b.wav", max_s=20)
    assert (recorded.path, recorded.ended_by, recorded.terminator) == ("/rec/a b.wav", "terminator", "#")
    assert recorded.length_s == pytest.approx(0.7)
    assert call.control.executed[-1] == ("record", "/rec/a\\\\sb.wav 22 200 4")
    recorded = call.record("/rec/b.wav", max_s=20, silence_s=0, beep=None)
    assert (recorded.ended_by, recorded.length_s) == ("time", 20)
    assert call.control.executed[-1] == ("record", "/rec/b.wav 22")


def test_a_hang_up_ends_a_recording():
    call = FakeCall([HangUp()])
    assert call.run(lambda call: call.record("/rec/a.wav")) == "caller gone"


@pytest.mark.parametrize(
    "wrong", [{"path": "a.wav"}, {"path": "/a.wav", "max_s": 0}, {"path": "/a.wav", "silence_s": -1}]
)
def test_a_recording_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ConfigurationError, match="record"):
        FakeCall().record(**wrong)


# -- speech -------------------------------------------------------------------------------------------------------------

WORDS = {"1": ["claim", "damage", "理赔"], "2": ["buy", "new policy", "买保险"], "0": ["operator"]}
ASR = Recognizer("unimrcp", "builtin:speech/transcribe")


def by_voice(turns, **settings):
    call = FakeCall(turns, **settings)
    options = {"1": "claims", "2": "sales", "0": "operator"}
    return call.menu("menu.wav", options=options, words=WORDS, recognizer=ASR, tries=2), call


def test_a_caller_says_what_they_want():
    choice, call = by_voice([Speaks("I want to report a damage, please")])
    assert (choice.value, choice.key, choice.spoken) == ("claims", "1", "I want to report a damage, please")
    assert call.control.executed[-1] == (
        "play_and_detect_speech",
        "menu.wav detect:unimrcp builtin:speech/transcribe",
    )


@pytest.mark.parametrize(
    ("turns", "value", "tries"),
    [
        (["2"], "sales", 1),  # keys work all the same
        ([Press("2", early=True)], "sales", 1),
        ([Speaks("good weather today"), Speaks("operator!")], "operator", 2),
        ([Speaks("hm"), "1"], "claims", 2),
        ([Speaks("我要理赔")], "claims", 1),
        (["", Speaks("buy")], "sales", 2),
    ],
)
def test_by_voice_and_by_key(turns, value, tries):
    choice, call = by_voice(turns)
    assert (choice.value, choice.tries) == (value, tries)
    assert call.elapsed_s < 15


def test_a_switch_that_cannot_listen_goes_on_with_keys_and_is_asked_once():
    call = FakeCall(["1", "2"], recognizes=False)
    for wanted in ("claims", "sales"):
        options = {"1": "claims", "2": "sales", "0": "operator"}
        assert call.menu("menu.wav", options=options, words=WORDS, recognizer=ASR).value == wanted
    assert [application for application, _ in call.control.executed].count("play_and_detect_speech") == 1


def test_silence_is_nothing_and_noise_is_invalid():
    choice, _ = by_voice(["", ""])
    assert choice.outcome == "nothing"
    choice, _ = by_voice([Speaks("hm"), Speaks("hm")])
    assert (choice.outcome, choice.spoken) == ("invalid", "hm")


@pytest.mark.parametrize(
    ("said", "option"),
    [
        ("I would like a NEW  policy.", "2"),
        ("reclaiming", None),  # whole words only
        ("a claim and a new policy", "2"),  # the longer words win
        ("claim operator buy", "0"),
        ("", None),
        ("请帮我买保险", "2"),
    ],
)
def test_which_option_is_meant(said, option):
    assert option_for(said, WORDS) == option


def test_two_options_with_words_as_long_are_none():
    assert option_for("red blue", {"1": ["red"], "2": ["rot", "blu"]}) == "1"
    assert option_for("red and tea", {"1": ["red"], "2": ["tea"]}) is None


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("claims", "claims"),
        ('{"text": "claims please", "confidence": 0.9}', "claims please"),
        ('{"text": 5}', ""),
        ("{nonsense", ""),
        ('<?xml version="1.0"?><result><interpretation confidence="0.9"><input mode="speech">a &amp; b</input>', ""),
        ('<result><interpretation><input mode="speech">a &amp; b</input></interpretation></result>', "a & b"),
        ("<result/>", ""),
        ("Completion-Cause: 002", ""),
        ("", ""),
    ],
)
def test_what_recognizers_return(result, said):
    if result.startswith("<?xml"):
        said = "a & b"
    assert utterance(result) == said


@pytest.mark.parametrize("engine", ["", "a b", "a\nb"])
def test_an_engine_is_one_word(engine):
    with pytest.raises(ConfigurationError, match="engine"):
        Recognizer(engine, "g")


def test_words_for_options_that_are_not_there():
    with pytest.raises(ConfigurationError, match="not there: 9"):
        FakeCall().menu("m.wav", options={"1": 1}, words={"9": ["x"]}, recognizer=ASR)

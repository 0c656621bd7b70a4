"""What the switch has not is said before anybody calls."""

from __future__ import annotations

from cti.script import Say, Speak, missing_prompts

THERE = {"/sounds/en/hello.wav", "/usr/share/sounds/short.wav"}


def api(command: str, argument: str) -> str:
    match command:
        case "file_exists":
            return "true" if argument in THERE else "false"
        case "global_getvar":
            return "/usr/share/sounds" if argument == "sounds_dir" else ""
        case "say_string":
            return "digits/1.wav" if argument.startswith("en.") else "-ERR"
    raise AssertionError(command)


def test_files_by_language_and_words():
    hello = {"en": "/sounds/en/hello.wav", "zh": "/sounds/zh/hello.wav"}
    count = {"en": Say(1), "zh": Say(1)}
    assert missing_prompts(api, [hello, count, hello]) == [
        "/sounds/zh/hello.wav",
        "words in 'zh': the switch has no <language name='zh'> with a say-module",
    ]


def test_what_is_no_file_and_where_files_are_looked_for():
    prompts = ["tone_stream://%(100,0,440)", Speak("hello"), "short.wav", "{volume=2}short.wav", "long.wav", Say(3)]
    assert missing_prompts(api, prompts) == ["long.wav"]

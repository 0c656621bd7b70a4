"""Which prompts the switch has not: to be said when a service starts, and not when its first caller hears a tone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath

from cti.script.prompt import Prompt, Say

Api = Callable[[str, str], str]
"""Runs an api command of the switch: ``centre.switch.api``."""


def missing_prompts(api: Api, prompts: Iterable[Prompt]) -> list[str]:
    """The files of these prompts that the switch has not, and the languages in which it can say no number. Blocks.

    Callers hear a tone in place of a file, and nothing in place of a number. Whether each recorded word of a language is
    there, FreeSWITCH does not tell.

    Args:
        api: runs an api command.
        prompts: what a script plays; a Say counts for the language that it is under, and for none outside of all.
    """
    files: dict[str, None] = {}
    said: dict[str, None] = {}
    for prompt in prompts:
        _collect(prompt, "", files, said)
    return [*missing_files(api, files), *missing_languages(api, said)]


def _collect(prompt: Prompt, language: str, files: dict[str, None], said: dict[str, None]) -> None:
    if isinstance(prompt, Mapping):
        for name, variant in prompt.items():
            _collect(variant, name, files, said)
    elif isinstance(prompt, Say):
        said.update({language: None} if language else {})
    elif isinstance(prompt, str) and "://" not in prompt:
        files[prompt] = None


def missing_files(api: Api, files: Iterable[str]) -> list[str]:
    """Which of these files the switch has not; a relative one is looked for in its folder of sounds. Blocks."""
    wanted = list(files)
    folder = ""
    if any(not _path(file).startswith("/") for file in wanted):
        for name in ("sound_prefix", "sounds_dir"):
            folder = api("global_getvar", name).strip()
            if folder.startswith("/"):
                break
    return [file for file in wanted if api("file_exists", str(PurePosixPath(folder) / _path(file))).strip() == "false"]


def missing_languages(api: Api, languages: Iterable[str]) -> list[str]:
    """In which of these languages the switch can say no number, as sentences. Blocks."""
    return [
        f"words in {language!r}: the switch has no <language name={language!r}> with a say-module"
        for language in languages
        if "digits/" not in api("say_string", f"{language}.wav {language} number pronounced 1")
    ]


def _path(file: str) -> str:
    return file.rpartition("}")[2]  # files may begin with parameters in braces: {name=value}file

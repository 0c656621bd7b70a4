"""The hotline's recordings: each by name, in two languages. Their words are in prompts.toml, for whoever records them."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

LANGUAGES = {"1": "en", "2": "zh"}
"""By the key that chooses them; the first is for those who choose none."""


class Prompts:
    """Recordings by name: ``prompts["welcome"]`` is a file by language.

    Args:
        folder: where the switch has them: ``FOLDER/en/welcome.wav``.
    """

    def __init__(self, folder: str) -> None:
        texts = tomllib.loads((Path(__file__).parent / "prompts.toml").read_text(encoding="utf-8"))
        self._files = {name: {each: f"{folder}/{each}/{name}.wav" for each in by} for name, by in texts.items()}
        incomplete = sorted(name for name, files in self._files.items() if set(files) != set(LANGUAGES.values()))
        if incomplete:
            raise ValueError(f"prompts.toml: not in every language: {', '.join(incomplete)}")

    def __getitem__(self, name: str) -> Mapping[str, str]:
        return self._files[name]

    def __iter__(self) -> Iterator[Mapping[str, str]]:
        return iter(self._files.values())

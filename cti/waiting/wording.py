"""Prompts of a treatment as what a script plays: names filled in, numbers to be said."""

from __future__ import annotations

import math
from collections.abc import Mapping

from cti.model.treatment import Prompts, filled
from cti.script.prompt import Say, Sound, sounds


def minutes(seconds: float) -> int:
    """Minutes, rounded up; at least one."""
    return max(1, math.ceil(seconds / 60))


def worded(prompts: Prompts, language: str, values: Mapping[str, object]) -> list[Sound]:
    """The applications that play these prompts, in order.

    Args:
        prompts: of a treatment.
        language: in which numbers are said, and what ``{language}`` stands for.
        values: what the other names in braces stand for.

    Raises:
        ConfigurationError: a number cannot be said.
    """
    known = {**values, "language": language}
    said = [
        filled(part, known) if isinstance(part, str) else Say(_number(known.get(part.of)), part.kind)
        for part in prompts
    ]
    return sounds(said, language, ("", ""))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0

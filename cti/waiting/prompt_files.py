"""Which of a treatment's files the switch has not."""

from __future__ import annotations

from collections.abc import Callable

from cti.model.treatment import WaitingTreatment, filled, places
from cti.script.prompt_files import missing_files as missing


def missing_files(treatment: WaitingTreatment, queue: str, api: Callable[[str, str], str]) -> list[str]:
    """The files that are not there, in the treatment's own language. Blocks.

    Names that hold a number, or a channel variable of FreeSWITCH's, stand for many files: these are not looked for.

    Args:
        treatment: what is played.
        queue: the queue's name.
        api: runs an api command of the switch.
    """
    known = {"language": treatment.language, "queue": queue}
    files = [
        filled(part, known)
        for part in treatment.prompts
        if isinstance(part, str) and "://" not in part and "$" not in part and places(part) <= known.keys()
    ]
    return missing(api, files)

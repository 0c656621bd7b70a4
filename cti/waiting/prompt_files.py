"""Which of a treatment's files the switch has not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from cti.model.treatment import WaitingTreatment, filled, places


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
    folder = ""
    if any(not _path(file).startswith("/") for file in files):
        for name in ("sound_prefix", "sounds_dir"):
            folder = api("global_getvar", name).strip()
            if folder.startswith("/"):
                break
    return [file for file in files if api("file_exists", str(PurePosixPath(folder) / _path(file))).strip() == "false"]


def _path(file: str) -> str:
    return file.rpartition("}")[2]  # files may begin with parameters in braces: {name=value}file

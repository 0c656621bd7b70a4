"""A PDF drawn as the pages of a fax, by Ghostscript: another program, with a deadline and bounds of its own."""

from __future__ import annotations

import os
import resource
import shutil
import signal
from pathlib import Path
from typing import Final

import structlog
from gevent import subprocess

from cti.errors import ConfigurationError
from cti.messages.fax_document import DPI, MOST_PAGES

GHOSTSCRIPT: Final = "gs"
DEADLINE_S: Final = 60.0
"""How long it may take; a hundred pages of text take five seconds."""
_CPU_S: Final = 60
_MEMORY: Final = 1 << 30
_WRITTEN: Final = 1 << 26
"""Bytes that it may write: a hundred pages of photographs have as many."""
_LATER: Final = 5
"""Its niceness: calls come first."""
_SAID: Final = 2000
_HEADER: Final = 1024
"""A PDF begins within so many bytes (as its readers have it; ISO 32000-1 has it at the first)."""

_log = structlog.get_logger("cti.messages")


def is_pdf(path: Path) -> bool:
    """Whether a file is a PDF, by what is in it. Blocks.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as opened:
        return b"%PDF-" in opened.read(_HEADER)


def draw_pdf(pdf: Path, folder: Path) -> Path:
    """Draw a PDF as a TIFF that can be sent as a fax: A4, fine resolution, black and white. Blocks this greenlet only.

    Args:
        pdf: the PDF.
        folder: an empty one; the TIFF is made in it, and whatever else Ghostscript writes.

    Raises:
        ConfigurationError: Ghostscript is not there, cannot read it, or takes more than a minute or its bounds.
    """
    program = shutil.which(GHOSTSCRIPT)
    if program is None:
        raise ConfigurationError(
            f"{pdf.name} is a PDF, and Ghostscript is not there to draw it: install it (apt install ghostscript), or send a"
            " TIFF, PNG or JPEG"
        )
    command = [
        *(program, "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE"),
        *("-sDEVICE=tiffg4", f"-r{DPI[0]}x{DPI[1]}", "-sPAPERSIZE=a4", "-dFIXEDMEDIA", "-dPDFFitPage"),
        *(f"-dLastPage={MOST_PAGES + 1}", "-sOutputFile=pages.tif", "-f", str(pdf.absolute())),
    ]
    said = folder / "said.txt"
    with said.open("wb") as output:
        drawing = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ.get("PATH", os.defpath), "TMPDIR": str(folder), "LC_ALL": "C"},
            start_new_session=True,
            preexec_fn=_bounded,
        )
    try:
        code = drawing.wait(DEADLINE_S)
    except subprocess.TimeoutExpired:
        raise ConfigurationError(f"{pdf.name} takes longer than {DEADLINE_S:.0f} s to draw") from None
    finally:
        if drawing.poll() is None:
            os.killpg(drawing.pid, signal.SIGKILL)
            drawing.wait()
    tiff = folder / "pages.tif"
    if code or not tiff.exists() or not tiff.stat().st_size:
        lines = said.read_bytes()[-_SAID:].decode("utf-8", "replace").split("\n")
        why = next((line.strip() for line in lines if line.strip()), "") or f"it ended with {code}"
        _log.warning("a PDF cannot be drawn", file=pdf.name, code=code, said=why)
        raise ConfigurationError(f"{pdf.name} cannot be drawn by Ghostscript: {why}")
    return tiff


def _bounded() -> None:
    """In the new process."""
    for what, most in (
        (resource.RLIMIT_CPU, _CPU_S),
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_FSIZE, _WRITTEN),
        (resource.RLIMIT_CORE, 0),
    ):
        _, highest = resource.getrlimit(what)
        bound = most if highest == resource.RLIM_INFINITY else min(most, highest)  # nobody but root may raise it
        resource.setrlimit(what, (bound, bound))
    os.nice(_LATER)

"""Faxes as documents: how many pages a TIFF has, a PDF of it, and a TIFF that can be sent. By Pillow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cti.errors import ConfigurationError

WIDTH: Final = 1728
"""Pixels in a line of a fax (ITU-T T.4)."""
DPI: Final = (204, 196)
"""Fine resolution (ITU-T T.4)."""
MOST_PAGES: Final = 100
"""Of one fax; more take longer than an hour, which is the most that one may take."""
_LONGEST: Final = 6000
"""Lines of one page; more than half a metre."""


def _pillow() -> Any:
    try:
        from PIL import Image, ImageSequence  # noqa: PLC0415 - an extra: only faxes need it
    except ImportError:
        raise ConfigurationError("faxes need Pillow: pip install cti[fax]") from None
    return Image, ImageSequence


def pages_of(path: Path) -> int:
    """How many pages a TIFF has; 0 if it cannot be read. Blocks."""
    image, _ = _pillow()
    try:
        with image.open(path) as opened:
            return int(getattr(opened, "n_frames", 1))
    except (OSError, ValueError, SyntaxError):
        return 0


def make_pdf(tiff: Path, pdf: Path) -> None:
    """Make a PDF of a fax, its pages upright and in proportion. Blocks.

    Raises:
        OSError: the TIFF cannot be read, or the PDF not written.
        ConfigurationError: Pillow is not there.
    """
    image, sequence = _pillow()
    part = pdf.with_suffix(".part")
    with image.open(tiff) as opened:
        pages = list(_square(image, sequence.Iterator(opened)))
    pages[0].save(part, format="PDF", save_all=True, append_images=pages[1:], resolution=float(DPI[0]))
    part.rename(pdf)


def _square(image: Any, frames: Any) -> Iterator[Any]:
    """Each page with square pixels: a fax of standard resolution has half as many lines as columns."""
    for frame in frames:
        across, down = frame.info.get("dpi", DPI)
        page = frame.convert("1")
        height = round(page.height * float(across) / float(down or across or 1)) if across else page.height
        yield page if height == page.height else page.resize((page.width, height), image.Resampling.NEAREST)


def make_fax(source: Path, tiff: Path) -> int:
    """Make a TIFF that can be sent as a fax, of a TIFF, PNG or JPEG; returns its pages. Blocks.

    Raises:
        ConfigurationError: the file is none of these or not sound, is too large, or Pillow is not there.
        OSError: it cannot be read, or the TIFF not written.
    """
    image, sequence = _pillow()
    try:
        opened = image.open(source)
        with opened:
            few_enough(source, int(getattr(opened, "n_frames", 1)))
            pages = [_fitted(image, frame) for frame in sequence.Iterator(opened)]
    except image.UnidentifiedImageError:
        raise ConfigurationError(f"{source.name} is no picture: a PDF, TIFF, PNG or JPEG can be sent") from None
    except image.DecompressionBombError:
        raise ConfigurationError(f"{source.name} has too many pixels for a fax") from None
    except (ValueError, SyntaxError) as error:  # Pillow's words for a file that is not sound
        raise ConfigurationError(f"{source.name} is not sound: {error}") from error
    pages[0].save(tiff, format="TIFF", save_all=True, append_images=pages[1:], compression="group4", dpi=DPI)
    return len(pages)


def few_enough(source: Path, pages: int) -> None:
    """Raise ConfigurationError if these are more pages than one fax may have."""
    if pages > MOST_PAGES:
        raise ConfigurationError(f"{source.name} has more than {MOST_PAGES} pages; send it in parts")


def _fitted(image: Any, frame: Any) -> Any:
    """A page in black and white, as wide as a fax is."""
    across, down = frame.info.get("dpi", (1, 1))
    shape = float(across) / float(down) if across and down else 1.0
    height = round(frame.height * WIDTH / frame.width * shape * DPI[1] / DPI[0])
    grey = frame.convert("RGBA")
    paper = image.new("RGBA", grey.size, "white")
    paper.alpha_composite(grey)
    return paper.convert("L").resize((WIDTH, max(1, min(height, _LONGEST)))).convert("1")

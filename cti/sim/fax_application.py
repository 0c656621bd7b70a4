"""Fax machines: rxfax, txfax and the detection of one, as ``mod_spandsp_fax.c`` has them. There is no sound.

A channel whose far end is a fax machine is told so by :func:`fax_machine`; on any other, rxfax and txfax fail as they do
when nobody answers with a fax's tones.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

from attrs import define

from cti.sim.event import SimEvent, members_after

if TYPE_CHECKING:
    from cti.sim.application import Running
    from cti.sim.channel import Channel
    from cti.sim.event_bus import Origin

_RESULT: Origin = ("mod_spandsp_fax.c", "phase_e_handler", "676")
_TONE: Origin = ("mod_spandsp_fax.c", "tone_detect_callback", "2408")

NO_FAX = (48, "Disconnected after permitted retries")
"""What spandsp says of somebody who is no fax machine (``t30.h``: T30_ERR_RETRYDCN)."""
NO_FAX_S = 35.0
HUNG_UP = (49, "The call dropped prematurely")
"""What it says when the other side hangs up in the middle (T30_ERR_CALLDROPPED)."""


@define
class FaxMachine:
    """The far end of a channel.

    Args:
        pages: how many it sends.
        page_s: how long one page takes, either way.
        result: spandsp's code and words; (0, "OK") for success.
        good_pages: how many go over; all of them if not given.
        tone_s: when its calling tone is heard.
        station: what it calls itself.
    """

    pages: int = 1
    page_s: float = 3.0
    result: tuple[int, str] = (0, "OK")
    good_pages: int | None = None
    tone_s: float = 0.5
    station: str = "SpanDSP Fax Ident"


class Finish(Protocol):
    """Ends an application; see ``cti.sim.application.finish``."""

    def __call__(self, channel: Channel, running: Running, *, interrupted: bool = ..., broken: bool = ...) -> None:
        """End it."""


_machines: WeakKeyDictionary[Channel, FaxMachine] = WeakKeyDictionary()


def fax_machine(channel: Channel, machine: FaxMachine) -> None:
    """The far end of this channel is a fax machine."""
    _machines[channel] = machine


def _machine(channel: Channel) -> FaxMachine | None:
    return _machines.get(channel) or channel.switch.fax_machines.get(getattr(channel.far, "contact", ""))


def _fax(channel: Channel, running: Running, finish: Finish, *, sends: bool) -> bool:
    if sends and channel.switch.writes_files and not Path(running.data).exists():
        channel.set_variable("current_application_response", "Cannot send non-existant fax file")
        return False
    machine = _machine(channel)
    total = _pages_in(running.data) if sends else machine.pages if machine is not None else 0
    result = machine.result if machine is not None else NO_FAX
    good = total if result[0] == 0 else 0
    if machine is not None and machine.good_pages is not None:
        good = machine.good_pages
    said = False

    def told(code: int, text: str, pages: int) -> None:
        nonlocal said
        if said:
            return
        said = True
        if not sends and pages and channel.switch.writes_files:
            blank_pages(Path(running.data), pages)
        _tell(channel, machine, sends=sends, code=code, text=text, pages=pages, total=total if sends else pages)

    def over() -> None:
        told(*result, good)
        finish(channel, running)

    running.ending = lambda: told(*HUNG_UP, 0)  # the other side has hung up in the middle
    lasts_s = NO_FAX_S if machine is None else machine.page_s * max(1, total if sends else machine.pages)
    running.timer = channel.switch.scheduler.call_later(lasts_s, over)
    return True


def _tell(
    channel: Channel, machine: FaxMachine | None, *, sends: bool, code: int, text: str, pages: int, total: int
) -> None:
    found = {
        "success": "1" if code == 0 else "0",
        "result_code": str(code),
        "result_text": text,
        "ecm_used": "on" if machine is not None else "off",
        "t38_status": "off",
        "local_station_id": "SpanDSP Fax Ident",
        "remote_station_id": machine.station if machine is not None else "",
        "document_transferred_pages": str(pages),
        "document_total_pages": str(total),
        "image_resolution": "8040x3850",
        "image_size": "0",
        "bad_rows": "0",
        "transfer_rate": "14400",
    }
    for name, value in found.items():
        channel.set_variable(f"fax_{name}", value or None)
    bus = channel.switch.bus
    after = {"Event-Subclass": f"spandsp::{'tx' if sends else 'rx'}faxresult"}
    after |= {f"fax-{name.replace('_', '-')}": value for name, value in found.items()}
    members = f"{bus.envelope('CUSTOM', _RESULT)}{channel.headers()}{members_after(after)}"
    bus.fire(SimEvent("CUSTOM", members, None, after["Event-Subclass"]))


def _detect(channel: Channel, running: Running) -> bool:
    if " " not in running.data:
        return False  # mod_spandsp wants an application and its argument
    machine = _machine(channel)
    if not channel.media_up:
        channel.early_media()
    if machine is not None:
        channel.post(_heard, channel, running.data, delay_s=machine.tone_s)
    return False


def _heard(channel: Channel, then: str) -> None:
    application, _, argument = then.partition(" ")
    if application == "set":
        name, _, value = argument.partition("=")
        channel.set_variable(name, value)
    for _ in range(2):  # once to everybody, once by way of the channel's own queue
        channel.fire("DETECTED_TONE", _TONE, after={"Detected-Fax-Tone": "true"})


# -- files --------------------------------------------------------------------------------------------------------------


def blank_pages(path: Path, pages: int) -> None:
    """A TIFF of blank fax pages, 1728 pixels wide and as good as no height, uncompressed."""
    width, height = 1728, 16
    strip = b"\xff" * (width // 8 * height)
    body, ifd_at = b"", 8
    for page in range(pages):
        tags = [
            (256, 4, width),
            (257, 4, height),
            (258, 3, 1),
            (259, 3, 1),
            (262, 3, 1),
            (273, 4, 0),
            (277, 3, 1),
            (278, 4, height),
            (279, 4, len(strip)),
            (282, 5, 0),
            (283, 5, 0),
            (296, 3, 2),
        ]
        length = 2 + 12 * len(tags) + 4
        data_at = ifd_at + length
        values = {273: data_at + 16, 282: data_at, 283: data_at + 8}
        ifd = struct.pack("<H", len(tags))
        for tag, kind, value in tags:
            ifd += struct.pack("<HHII", tag, kind, 1, values.get(tag, value))
        after = data_at + 16 + len(strip)
        ifd += struct.pack("<I", after if page + 1 < pages else 0)
        body += ifd + struct.pack("<IIII", 204, 1, 98, 1) + strip
        ifd_at = after
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8) + body)


def _pages_in(path: str) -> int:
    try:
        raw = Path(path).read_bytes()
    except OSError:
        return 1
    pages, at = 0, int.from_bytes(raw[4:8], "little") if raw[:2] == b"II" else 0
    while at and pages < 1000:
        pages += 1
        entries = int.from_bytes(raw[at : at + 2], "little")
        at = int.from_bytes(raw[at + 2 + 12 * entries : at + 6 + 12 * entries], "little")
    return max(1, pages)


def applications(finish: Finish) -> dict[str, Callable[[Channel, Running], bool]]:
    """The applications, given how one ends."""
    return {
        "rxfax": partial(_fax, finish=finish, sends=False),
        "spandsp_start_fax_detect": _detect,
        "txfax": partial(_fax, finish=finish, sends=True),
    }

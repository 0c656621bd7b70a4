"""A call receives a fax: FreeSWITCH's rxfax, and what it says of the outcome."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from cti.esl import Event, application_argument
from cti.script.conversation import Conversation
from cti.script.sounding import Sounding

LONGEST_S: Final = 3600.0
"""How long one fax may take: sixty pages at 14,400 bit/s, or a few by a bad line."""
GOODBYE_S: Final = 3.0
"""How long the sender is given to hang up itself: it takes a hang-up of ours, however late, for a failure."""


@frozen
class FaxOutcome:
    """What mod_spandsp says of a fax, sent or received (its channel variables ``fax_*``).

    Args:
        success: whether all of it went over.
        pages: pages that went over.
        total_pages: pages there were, as far as known.
        code: spandsp's result code (``t30.h``); -1 if nothing was said.
        text: the same in words.
        station: what the other side calls itself.
    """

    success: bool
    pages: int
    total_pages: int
    code: int
    text: str
    station: str


def outcome_of(ended: Event) -> FaxOutcome:
    """The outcome in the CHANNEL_EXECUTE_COMPLETE of rxfax or txfax."""

    def number(name: str, otherwise: int) -> int:
        said = ended.text(f"variable_{name}") or ""
        return int(said) if said.isdecimal() else otherwise

    response = ended.text("Application-Response") or ""
    said = ended.text("variable_fax_result_text") or ("" if response == "_none_" else response)
    return FaxOutcome(
        success=ended.text("variable_fax_success") == "1",
        pages=number("fax_document_transferred_pages", 0),
        total_pages=number("fax_document_total_pages", 0),
        code=number("fax_result_code", -1),
        text=said or "the line was lost before anything was said",
        station=(ended.text("variable_fax_remote_station_id") or "").strip(),
    )


def receive_fax(call: Conversation, sounding: Sounding, now_s: float, path: str) -> FaxOutcome:
    """Receive a fax into a TIFF file on the switch. Answers the call. Blocks until it is there.

    Args:
        call: the sender.
        sounding: the call's.
        now_s: the call's clock.
        path: the file, absolute.

    Raises:
        CallGone: the sender hung up; the file may hold pages.
        JobTimeout: it takes longer than an hour.
    """
    call.answer()
    sounding.hush()
    ended = sounding.run("rxfax", application_argument(path), key=False, until=now_s + LONGEST_S)
    assert ended is not None  # no key ends it
    return outcome_of(ended)

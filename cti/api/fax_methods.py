"""Faxes that are sent: in the name of a mailbox that the key covers, or of the centre by a key that sees everything."""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen

from cti.api.converter import Line
from cti.api.mailbox_methods import covered_mailbox, covers_mailbox
from cti.api.refusal import InvalidParameter, NotPermitted
from cti.api.service import Service
from cti.api.table import NO_TEXT, NOT_AGENTS, method
from cti.errors import ConfigurationError, DestinationNotAllowed, UnknownMailbox, UnknownMessage
from cti.messages.fax_job import FAILED, SENDING, SENT, WAITING, FaxJob

MOST: Final = 1000
"""So many faxes are in one reply."""
STATES: Final = (WAITING, SENDING, SENT, FAILED)


@frozen
class FaxParams:
    """To whom a fax goes, which file it is, in whose name, and how it is sent."""

    number: Line
    file: Line
    mailbox: Line = NO_TEXT
    tries: int = 3
    pause_s: float = 300.0
    calling_number: Line = NO_TEXT
    station: Line = NO_TEXT


@frozen
class WhichFax:
    """Which fax."""

    fax: Line


@frozen
class FaxesParams:
    """Of which mailbox, and in which state; of all that the key covers where none is named."""

    mailbox: Line = NO_TEXT
    state: Line = NO_TEXT
    most: int = 100


@frozen
class FaxRecord:
    """How a fax stands that is to be sent, is being sent, or has been."""

    fax: str
    number: str
    mailbox: str
    calling_number: str
    station: str
    created_at: float
    state: str
    tries: int
    most_tries: int
    pause_s: float
    next_at: float
    pages: int
    total_pages: int
    code: int
    text: str
    remote: str
    ended_at: float


@frozen
class FaxList:
    """Faxes, the newest first."""

    faxes: tuple[FaxRecord, ...]


@method(
    "fax.send",
    FaxParams,
    FaxRecord,
    DestinationNotAllowed,
    ConfigurationError,
    UnknownMailbox,
    roles=NOT_AGENTS,
    slow=True,
    changes=True,
    cost=20,
)
def send_fax(service: Service, params: FaxParams) -> FaxRecord:
    """Send a file as a fax, over and over until it has gone or its tries are used up."""
    _permit(service, params.mailbox)
    centre = service.centre
    made = centre.send_fax(
        params.number,
        centre.fax_file(params.file),
        tries=params.tries,
        pause_s=params.pause_s,
        calling_number=params.calling_number,
        station=params.station,
        mailbox=params.mailbox,
    )
    return _record(made)


@method("fax.get", WhichFax, FaxRecord, UnknownMessage, ConfigurationError, roles=NOT_AGENTS, slow=True)
def get_fax(service: Service, params: WhichFax) -> FaxRecord:
    """How a fax stands that is to be sent."""
    job = service.centre.fax(params.fax)
    if not covers_mailbox(service, job.mailbox):
        raise NotPermitted(f"key {service.grant.name!r} does not cover this fax", "params.fax")
    return _record(job)


@method(
    "fax.list",
    FaxesParams,
    FaxList,
    UnknownMailbox,
    ConfigurationError,
    InvalidParameter,
    roles=NOT_AGENTS,
    slow=True,
    cost=10,
)
def list_faxes(service: Service, params: FaxesParams) -> FaxList:
    """The faxes that are to be sent or have been in the last month, the newest first."""
    if params.state and params.state not in STATES:
        raise InvalidParameter(f"params.state is {params.state!r}; give one of {', '.join(STATES)}", "params.state")
    if not 1 <= params.most <= MOST:
        raise InvalidParameter(f"params.most is {params.most}; give 1 to {MOST}", "params.most")
    if params.mailbox:
        covered_mailbox(service, params.mailbox)
    found = (
        job
        for job in service.centre.faxes()
        if params.state in ("", job.state)
        and params.mailbox in ("", job.mailbox)
        and covers_mailbox(service, job.mailbox)
    )
    return FaxList(tuple(_record(job) for job, _ in zip(found, range(params.most), strict=False)))


def _permit(service: Service, mailbox: str) -> None:
    """Whether the key may send faxes in the name of a mailbox, or, with none, of the centre."""
    if mailbox:
        covered_mailbox(service, mailbox)
    elif not service.grant.sees_all:
        raise NotPermitted(
            f"key {service.grant.name!r} does not see everything; name a mailbox that it covers", "params.mailbox"
        )


def _record(job: FaxJob) -> FaxRecord:
    names = (each.name for each in FaxRecord.__attrs_attrs__)
    values: dict[str, Any] = {name: getattr(job, name) for name in names if name != "fax"}
    return FaxRecord(fax=job.id, **values)

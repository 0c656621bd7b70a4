"""Methods about the connection itself: who am I, are you there, tell me of events. Only where connections last."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from cti._version import __version__
from cti.api.envelope import VERSION
from cti.api.interest import InterestParams, interest
from cti.api.limits import Limits
from cti.api.method import EVERY_ROLE, Method, Subject
from cti.api.peers import Peer
from cti.api.refusal import NotPermitted, TooManySubjects
from cti.api.table import Nothing
from cti.api.telling import Telling
from cti.errors import UnknownEvent


@frozen
class Welcome:
    """Who the client is to the server, and what the server expects of it."""

    version: int
    server: str
    """The version of the software."""
    epoch: str
    seq: int
    name: str
    role: str
    agents: tuple[str, ...]
    queues: tuple[str, ...]
    heartbeat_s: float
    silence_s: float
    publish: str
    """Where the publisher is; empty for none, or when the key may not read it."""


@frozen
class Pulse:
    """The answer to a heartbeat."""

    epoch: str
    seq: int
    """The number of the last event of all."""
    sent: int
    """The number of the last event meant for this connection; if the client has not seen it, it missed something."""
    subscribed: bool


@frozen
class Subscribed:
    """From which number on events come."""

    epoch: str
    seq: int


@frozen
class Session:
    """One connection, and the server's side of it."""

    peer: Peer
    telling: Telling
    limits: Limits


def hello(session: Session, params: Nothing) -> Welcome:  # noqa: ARG001 - the form of every method
    """Say who the client is to the server, and what the server expects of it."""
    grant, telling = session.peer.grant, session.telling
    publisher = telling.publisher if grant.sees_all else None
    return Welcome(
        version=VERSION,
        server=__version__,
        epoch=telling.numbering.epoch,
        seq=telling.numbering.seq,
        name=grant.name,
        role=grant.role.value,
        agents=tuple(sorted(grant.agents)),
        queues=tuple(sorted(grant.queues)),
        heartbeat_s=session.limits.heartbeat_s,
        silence_s=session.limits.silence_s,
        publish=publisher.address if publisher is not None else "",
    )


def ping(session: Session, params: Nothing) -> Pulse:  # noqa: ARG001 - the form of every method
    """The heartbeat of both sides: the client is alive, and so is the server; and nothing was missed, or was."""
    numbering = session.telling.numbering
    return Pulse(numbering.epoch, numbering.seq, session.peer.sent, session.peer in session.telling.readers)


def subscribe(session: Session, params: InterestParams) -> Subscribed:
    """Be told of events on this connection from now on; replaces what was subscribed before."""
    if params.subjects > session.limits.subjects:
        raise TooManySubjects(
            f"a subscription may name {session.limits.subjects} agents, queues and calls, not {params.subjects}"
        )
    wanted = interest(params, session.peer.grant)
    numbering = session.telling.numbering
    session.telling.readers.add(session.peer, wanted)
    session.peer.sent = numbering.seq
    return Subscribed(numbering.epoch, numbering.seq)


def unsubscribe(session: Session, params: Nothing) -> None:  # noqa: ARG001 - the form of every method
    """Be told of nothing any more; harmless without a subscription."""
    session.telling.readers.discard(session.peer)


def _method(name: str, params: type, result: type | None, call: object, *errors: type) -> Method:
    summary = (call.__doc__ or "").strip()
    return Method(name, params, result, EVERY_ROLE, Subject.NONE, False, False, 1.0, errors, summary, call)  # type: ignore[arg-type]


SESSION_METHODS: Final = {
    method.name: method
    for method in (
        _method("hello", Nothing, Welcome, hello),
        _method("ping", Nothing, Pulse, ping),
        _method("subscribe", InterestParams, Subscribed, subscribe, NotPermitted, TooManySubjects, UnknownEvent),
        _method("unsubscribe", Nothing, None, unsubscribe),
    )
}
"""As METHODS, but what they are called with is a Session."""

"""One webhook: who is told of which events, and how they know that it is us."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from attrs import Attribute, field, frozen

from cti.api.grant import LOCAL
from cti.api.interest import Interest, InterestParams, interest
from cti.api.refusal import Refused
from cti.errors import ConfigurationError
from cti.model.ids import AgentId, QueueId
from cti.model.validate import count, name, seconds

PREFIX: Final = "whsec_"
"""How a secret begins, after the Standard Webhooks specification (standardwebhooks.com), which is followed here."""
SECRET_BYTES: Final = range(24, 65)
ID_HEADER: Final = "webhook-id"
TIME_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"
TOLERANCE_S: Final = 300.0
"""A message that was signed longer ago is refused by ``verify``: somebody may have kept it."""


class BadSignature(Refused):
    """A message is not from whom it says it is from, or is old."""

    code = "security.bad_signature"


def _url(_instance: object, attribute: Attribute[str], value: str) -> None:
    parts = urlsplit(value)
    try:
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not value.isascii() or not value.isprintable() or " " in value or parts.username is not None:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be an http or https URL without a password")


def _secret(_instance: object, attribute: Attribute[str], value: str) -> None:
    try:
        key = secret_key(value)
    except ConfigurationError as error:
        raise ConfigurationError(f"{attribute.name}: {error}") from None
    assert key


def _texts(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(value)


@frozen
class Webhook:
    """One receiver of events.

    Args:
        name: unique among the webhooks.
        url: where events are posted; https unless it is this machine or a network of your own.
        secret: ``whsec_`` and 24 to 64 bytes in base64; `cti webhooks secret` makes one.
        kinds: events of these kinds only, such as ``Delivered``; all if none is given.
        agents: events about these agents, or about one of the queues; about everything if neither is given.
        queues: see ``agents``.
        at_once: messages that may be under way at the same time.
        timeout_s: seconds for one attempt, from the connection to the answer's head.
        tries: attempts before a message is given up.
        first_delay_s: the wait after the first failed attempt; it doubles with each.
        longest_delay_s: the longest wait between two.
        backlog: messages that may wait; more are given up at once.
    """

    name: str = field(validator=name)
    url: str = field(validator=_url)
    secret: str = field(validator=_secret, repr=False)
    kinds: tuple[str, ...] = field(default=(), converter=_texts)
    agents: tuple[str, ...] = field(default=(), converter=_texts)
    queues: tuple[str, ...] = field(default=(), converter=_texts)
    at_once: int = field(default=4, validator=count)
    timeout_s: float = field(default=10.0, validator=seconds)
    tries: int = field(default=10, validator=count)
    first_delay_s: float = field(default=1.0, validator=seconds)
    longest_delay_s: float = field(default=300.0, validator=seconds)
    backlog: int = field(default=1_000, validator=count)

    def interest(self) -> Interest:
        """What it is told of.

        Raises:
            UnknownEvent: a kind that no event is of.
        """
        agents = tuple(AgentId(each) for each in self.agents)
        queues = tuple(QueueId(each) for each in self.queues)
        return interest(InterestParams(agents=agents, queues=queues, kinds=self.kinds), LOCAL)  # type: ignore[arg-type]


def new_secret() -> str:
    """A secret for a webhook."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def secret_key(secret: str) -> bytes:
    """The key in a secret.

    Raises:
        ConfigurationError: it has not the form of one.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or len(key) not in SECRET_BYTES:
        raise ConfigurationError(f"a secret is {PREFIX} and 24 to 64 bytes in base64; `cti webhooks secret` makes one")
    return key


def signature(secret: str, id: str, at: int, body: bytes) -> str:  # noqa: A002 - the specification's word
    """The signature of a message: HMAC-SHA256 of its id, its time and its body, with a dot between them."""
    signed = f"{id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret_key(secret), signed, hashlib.sha256)).decode()


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now: float | None = None) -> None:
    """Check a message that was received.

    Args:
        secret: the webhook's.
        headers: the request's, by names in lower case.
        body: as it came.
        now: Unix seconds; the clock's if left out.

    Raises:
        BadSignature: it was not signed with the secret, or longer ago than five minutes.
    """
    said_at = headers.get(TIME_HEADER, "")
    if not said_at.isdecimal() or abs((time.time() if now is None else now) - int(said_at)) > TOLERANCE_S:
        raise BadSignature("the message is old, or does not say when it was signed")
    wanted = signature(secret, headers.get(ID_HEADER, ""), int(said_at), body).encode()
    shown = headers.get(SIGNATURE_HEADER, "").encode().split()
    if not any(hmac.compare_digest(wanted, each) for each in shown):
        raise BadSignature("the message was not signed with this secret")

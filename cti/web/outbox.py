"""What one webhook is still to be told: attempts, waits between them, and giving up."""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import gevent
import gevent.event
import gevent.pool
import structlog
from attrs import define
from gevent.ssl import PROTOCOL_TLS_CLIENT, SSLContext
from geventhttpclient import HTTPClient
from geventhttpclient.response import HTTPConnectionClosed
from geventhttpclient.url import URL

from cti._version import __version__
from cti.web.dead_letters import DeadLetter
from cti.web.webhook import ID_HEADER, SIGNATURE_HEADER, TIME_HEADER, Webhook, signature

AGAIN: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
"""Of the statuses from 400 to 499 those after which the same may succeed; those from 500 on all may."""
BURY_S: Final = 5.0
"""How long the end waits for the disk."""
ANSWER_BYTES: Final = 16_384
"""More of an answer is not read, and its connection not used again."""

_log = structlog.get_logger("cti.web")


@define(eq=False)
class Message:
    """One event for one webhook."""

    id: str
    body: bytes
    tries: int = 0


class Refusal(Exception):
    """An attempt failed.

    Args:
        why: for the log and the dead letter.
        again: whether another may succeed.
        after_s: the receiver asked for this wait.
    """

    def __init__(self, why: str, *, again: bool = True, after_s: float = 0.0) -> None:
        super().__init__(why)
        self.again = again
        self.after_s = after_s


class Outbox:
    """Sends messages to one receiver, several at once and each by itself, so that none waits for another's retries.

    The order is that of the events only while no attempt fails.

    Args:
        webhook: the receiver.
        give_up: takes a message that is given up.
        chance: the back-off's jitter.
    """

    def __init__(self, webhook: Webhook, give_up: Callable[[DeadLetter], object], chance: random.Random) -> None:
        self.webhook = webhook
        self.sent = 0
        self.failed_attempts = 0
        self.given_up = 0
        self._give_up = give_up
        self._chance = chance
        self._waiting: list[tuple[float, int, Message]] = []
        self._numbers = itertools.count()
        self._more = gevent.event.Event()
        self._pool = gevent.pool.Pool(webhook.at_once)
        self._burying = gevent.pool.Group()
        self._post = Post(webhook)

    def __len__(self) -> int:
        """How many messages wait or are under way."""
        return len(self._waiting) + len(self._pool)

    def add(self, message: Message) -> None:
        """Send a message as soon as may be; given up at once when too many wait. Never blocks."""
        if len(self) >= self.webhook.backlog:
            self._bury(message, "too many messages wait for this receiver")
            return
        self._wait_until(0.0, message)

    def run(self) -> None:
        """Send, until killed. Blocks this greenlet."""
        while True:
            wait_s = self._waiting[0][0] - time.monotonic() if self._waiting else None
            if wait_s is None or wait_s > 0:
                self._more.wait(wait_s)
                self._more.clear()
                continue
            self._pool.wait_available()
            self._pool.spawn(self._try, heapq.heappop(self._waiting)[2])

    def close(self, why: str) -> None:
        """Send nothing more; what waits or is under way is given up. Blocks this greenlet."""
        self._pool.kill()
        for _, _, message in sorted(self._waiting):
            self._bury(message, why)
        self._waiting.clear()
        self._burying.join(BURY_S)
        self._post.close()

    def _wait_until(self, at: float, message: Message) -> None:
        heapq.heappush(self._waiting, (at, next(self._numbers), message))
        self._more.set()

    def _try(self, message: Message) -> None:
        message.tries += 1
        try:
            self._post.send(message)
        except Refusal as refusal:
            self.failed_attempts += 1
            if not refusal.again or message.tries >= self.webhook.tries:
                self._bury(message, str(refusal))
                return
            delay_s = max(self._delay_s(message.tries), min(refusal.after_s, self.webhook.longest_delay_s))
            self._wait_until(time.monotonic() + delay_s, message)
        except gevent.GreenletExit:
            self._wait_until(0.0, message)  # killed by close, which gives it up
            raise
        else:
            self.sent += 1

    def _delay_s(self, tries: int) -> float:
        """Doubling, and each time by chance between half of it and the whole: receivers come back one by one."""
        whole = min(self.webhook.first_delay_s * 2.0 ** min(tries - 1, 30), self.webhook.longest_delay_s)
        return whole * self._chance.uniform(0.5, 1.0)

    def _bury(self, message: Message, why: str) -> None:
        self.given_up += 1
        webhook = self.webhook
        _log.warning(
            "a webhook's message is given up", webhook=webhook.name, id=message.id, tries=message.tries, reason=why
        )
        body = message.body.decode("utf-8", "replace")
        letter = DeadLetter(webhook.name, webhook.url, message.id, time.time(), message.tries, why, body)
        self._burying.spawn(self._give_up, letter)


class Post:
    """Makes attempts, over connections that are kept.

    geventhttpclient: it is made for gevent's sockets and needs no monkey-patching, which urllib3, requests and httpx do.
    It follows no redirect here: a receiver that has moved is to be configured anew.

    Args:
        webhook: the receiver.
    """

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook
        url = URL(webhook.url)
        self._target = url.request_uri
        self._client = HTTPClient.from_url(
            url,
            concurrency=webhook.at_once,
            connection_timeout=webhook.timeout_s,
            network_timeout=webhook.timeout_s,
            ssl_context_factory=verifying_context,
            headers={"User-Agent": f"cti/{__version__}", "Content-Type": "application/json"},
        )

    def send(self, message: Message) -> None:
        """Make one attempt. Blocks this greenlet for at most ``timeout_s``.

        Raises:
            Refusal: it failed.
        """
        at = int(time.time())
        signed = signature(self._webhook.secret, message.id, at, message.body)
        headers = {ID_HEADER: message.id, TIME_HEADER: str(at), SIGNATURE_HEADER: signed}
        try:
            with gevent.Timeout(self._webhook.timeout_s, Refusal(f"no answer within {self._webhook.timeout_s:g} s")):
                response = self._answer(message.body, headers)
        except Refusal:
            raise
        except Exception as error:  # noqa: BLE001 - name resolution, sockets, TLS, the HTTP parser: all mean the same
            raise Refusal(f"{type(error).__name__}: {error}"[:200]) from None
        status = response.status_code
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            again = status in AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR
            raise Refusal(f"status {status}", again=again, after_s=_retry_after_s(response.get("retry-after")))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _answer(self, body: bytes, headers: dict[str, str]) -> Any:
        try:
            response = self._client.request("POST", self._target, body, headers)
        except HTTPConnectionClosed:  # a kept connection that the receiver has just closed
            response = self._client.request("POST", self._target, body, headers)
        try:
            response.read(ANSWER_BYTES)
        finally:
            response.release()
        return response


def verifying_context(cafile: str) -> SSLContext:
    """A TLS context of gevent's. (The library's default is Python's own, which blocks where nobody has monkey-patched.)

    Args:
        cafile: whom to trust.
    """
    made = SSLContext(PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(cafile)
    return made


def _retry_after_s(said: Any) -> float:
    text = str(said or "")
    if text.isascii() and text.isdecimal():
        return float(text[:6])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError):
        return 0.0

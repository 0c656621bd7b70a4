"""Webhooks: each event posted to those who want it, without anybody waiting for them."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import gevent
import gevent.event
import structlog
from attrs import frozen
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from cti.api.centre import Centre
from cti.api.event_record import event_record
from cti.api.interest import Readers
from cti.api.numbering import Numbering
from cti.errors import ConfigurationError
from cti.web.dead_letters import DeadLetter, DeadLetters
from cti.web.json_text import written_event
from cti.web.outbox import Message, Outbox, Post, Refusal
from cti.web.webhook import Webhook

_log = structlog.get_logger("cti.web")


class Webhooks:
    """Posts a centre's events to webhooks.

    To be made and used in the thread of the centre.

    Args:
        centre: whose events; a CallCenter.
        webhooks: the receivers.
        dead_letters: the file for messages that no receiver took; None to drop them, which is logged.
        chance: the back-off's jitter.

    Raises:
        ConfigurationError: two have the same name.
        UnknownEvent: a kind that no event is of.
    """

    def __init__(
        self,
        centre: Centre,
        webhooks: Iterable[Webhook],
        *,
        dead_letters: str | os.PathLike[str] | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._centre = centre
        self._webhooks = _by_name(webhooks)
        self._readers: Readers[str] = Readers()
        for webhook in self._webhooks.values():
            webhook.interest()
        self._dead = DeadLetters(dead_letters) if dead_letters is not None else None
        self._chance = chance or random.Random()
        self._numbering = Numbering()
        self._outboxes: dict[str, Outbox] = {}
        self._greenlets: dict[str, gevent.Greenlet[..., Any]] = {}
        self._subscription: Any = None
        self.failed: gevent.event.AsyncResult[Any] = gevent.event.AsyncResult()
        """Set when a part of it ended that must not; ``get`` raises why."""

    def start(self) -> None:
        """Begin to tell. Does not block."""
        for webhook in self._webhooks.values():
            self._open(webhook)
        self._subscription = self._centre.subscribe(self._tell, object)

    def use(self, webhooks: Iterable[Webhook]) -> None:
        """Tell these from now on. Blocks this greenlet until what one that is gone was still to be told is a dead letter.

        What waits for one that is as it was goes on waiting.

        Raises:
            ConfigurationError: two have the same name; nothing was changed.
            UnknownEvent: a kind that no event is of; nothing was changed.
        """
        wanted = _by_name(webhooks)
        for webhook in wanted.values():
            webhook.interest()
        old, self._webhooks = self._webhooks, wanted
        closing = []
        for name in [name for name, webhook in old.items() if wanted.get(name) != webhook]:
            self._readers.discard(name)
            self._greenlets.pop(name).kill()
            closing.append(self._outboxes.pop(name))
        for name, webhook in wanted.items():
            if old.get(name) != webhook:
                self._open(webhook)
        for outbox in closing:
            outbox.close("the webhook was taken out of the configuration, or changed")

    def stop(self) -> None:
        """Tell nothing more; what was not sent yet becomes dead letters. Blocks this greenlet until they are written."""
        if self._subscription is None:
            return
        self._centre.unsubscribe(self._subscription)
        self._subscription = None
        gevent.killall(list(self._greenlets.values()))
        self._greenlets.clear()
        for outbox in self._outboxes.values():
            outbox.close("the server was being stopped")

    def collect(self) -> Iterable[Metric]:
        """The metrics, for ``WebServer(collectors=...)``."""
        label = ["webhook"]
        sent = CounterMetricFamily("cti_webhook_sent", "Messages that were taken.", labels=label)
        failed = CounterMetricFamily("cti_webhook_failed_attempts", "Attempts that failed.", labels=label)
        given_up = CounterMetricFamily("cti_webhook_given_up", "Messages that were given up.", labels=label)
        waiting = GaugeMetricFamily("cti_webhook_waiting", "Messages that wait or are under way.", labels=label)
        for name, outbox in self._outboxes.items():
            sent.add_metric([name], outbox.sent)
            failed.add_metric([name], outbox.failed_attempts)
            given_up.add_metric([name], outbox.given_up)
            waiting.add_metric([name], len(outbox))
        return sent, failed, given_up, waiting

    def _open(self, webhook: Webhook) -> None:
        outbox = self._outboxes[webhook.name] = Outbox(webhook, self._give_up, self._chance)
        greenlet = self._greenlets[webhook.name] = gevent.spawn(outbox.run)
        greenlet.link_exception(self._ended)
        self._readers.add(webhook.name, webhook.interest())

    def _tell(self, event: Any) -> None:
        seq = self._numbering.next(event.at)
        names = self._readers.of(event)
        if not names:
            return
        message_id = f"msg_{self._numbering.epoch}_{seq}"
        body = _body(event_record(event, self._numbering))
        for name in names:
            self._outboxes[name].add(Message(message_id, body))

    def _give_up(self, letter: DeadLetter) -> None:
        if self._dead is not None:
            self._dead.add(letter)

    def _ended(self, greenlet: gevent.Greenlet[..., Any]) -> None:
        assert greenlet.exception is not None
        _log.critical("a part of the webhooks ended", exc_info=greenlet.exception)
        self.failed.set_exception(greenlet.exception)


@frozen
class Replayed:
    """What became of dead letters that were sent again; those not sent are dead letters still."""

    sent: int
    failed: int
    others: int
    """Of webhooks that were not given."""


def replay(dead: DeadLetters, webhooks: Mapping[str, Webhook]) -> Replayed:
    """Send dead letters again, each once and with the id it had. Blocks this greenlet.

    Args:
        dead: the file.
        webhooks: the receivers by name; the letters of others stay where they are.
    """
    posts = {name: Post(webhook) for name, webhook in webhooks.items()}
    sent = failed = others = 0
    for letter in dead.take():
        post = posts.get(letter.webhook)
        if post is None:
            others += 1
            dead.add(letter)
            continue
        try:
            post.send(Message(letter.id, letter.body.encode()))
            sent += 1
        except Refusal as refusal:
            failed += 1
            again = (letter.webhook, letter.url, letter.id, letter.at, letter.tries + 1, str(refusal), letter.body)
            dead.add(DeadLetter(*again))
    dead.done()
    return Replayed(sent, failed, others)


def _by_name(webhooks: Iterable[Webhook]) -> dict[str, Webhook]:
    each = tuple(webhooks)
    found = {webhook.name: webhook for webhook in each}
    if len(found) != len(each):
        raise ConfigurationError(f"two webhooks have the same name: {', '.join(sorted(one.name for one in each))}")
    return found


def _body(record: dict[str, Any]) -> bytes:
    """The message as the specification proposes it: type, time and data."""
    at = datetime.fromtimestamp(record["at"], UTC).isoformat().replace("+00:00", "Z")
    data = written_event(record)
    return b'{"type":"%s","timestamp":"%s","data":%s}' % (record["kind"].encode(), at.encode(), data)

"""Alarms by e-mail: a digest at most so often, sent by another thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from email.message import EmailMessage
from typing import Final

import gevent
import gevent.event
import structlog
from attrs import Attribute, field, frozen

from cti.alarms.alarm import RAISED, Alarm, Grade
from cti.errors import ConfigurationError
from cti.mail_server import MailServer, mail_address, mail_addresses
from cti.model.validate import count, name, one_of, seconds

MOST: Final = 200
"""Alarms in one message; those before are counted in it."""

_log = structlog.get_logger("cti.alarms")


def _addresses(_instance: object, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    if not value:
        raise ConfigurationError(f"{attribute.name} is empty; name whoever is to get the alarms")
    mail_addresses(_instance, attribute, value)


@frozen
class MailSettings:
    """Where alarms are mailed, and how often.

    Args:
        host: the mail server.
        sender: the address they come from.
        to: the addresses they go to.
        port: the server's port.
        security: ``starttls``, ``tls`` from the first byte, or ``none``.
        user: for a server that wants to know; empty for none.
        password: the same.
        at_least: alarms below this grade are not mailed.
        gather_s: how long is waited for more, after the first.
        every_s: no two messages come closer than this.
    """

    host: str = field(validator=name)
    sender: str = field(validator=mail_address)
    to: tuple[str, ...] = field(converter=tuple, validator=_addresses)
    port: int = field(default=587, validator=count)
    security: str = field(default="starttls", validator=one_of("starttls", "tls", "none"))
    user: str = ""
    password: str = field(default="", repr=False)
    at_least: str = field(default="major", validator=one_of(*(grade.value for grade in Grade)))
    gather_s: float = field(default=10.0, validator=seconds)
    every_s: float = field(default=300.0, validator=seconds)


class AlarmMail:
    """Mails alarms as they are raised and cleared. A subscriber: ``centre.subscribe(mail.take, Alarm)``.

    Args:
        settings: where to, and how often.
        send: sends one message; blocks its thread. SMTP if not given.
    """

    def __init__(self, settings: MailSettings, send: Callable[[EmailMessage], object] | None = None) -> None:
        self._settings = settings
        made = settings
        self._server = MailServer(made.host, made.sender, made.port, made.security, made.user, made.password)
        self._send = send or self._server.send
        self._least = Grade(settings.at_least).rank
        self._waiting: deque[Alarm] = deque(maxlen=MOST)
        self._left_out = 0
        self._more = gevent.event.Event()
        self._greenlet: gevent.Greenlet[..., None] = gevent.spawn(self._run)

    def stop(self) -> None:
        """Send no more; what has been gathered is not sent."""
        self._greenlet.kill()

    def take(self, alarm: Alarm) -> None:
        """Take an alarm that was raised or cleared. Never blocks."""
        if alarm.grade.rank < self._least:
            return
        self._left_out += len(self._waiting) == MOST
        self._waiting.append(alarm)
        self._more.set()

    def _run(self) -> None:
        while True:
            self._more.wait()
            gevent.sleep(self._settings.gather_s)
            self._more.clear()
            gathered, left_out = list(self._waiting), self._left_out
            self._waiting.clear()
            self._left_out = 0
            try:
                gevent.get_hub().threadpool.apply(self._send, (self._message(gathered, left_out),))
            except Exception as error:  # noqa: BLE001 - whatever a mail server does; it is tried again
                _log.error("alarms cannot be mailed", server=self._settings.host, why=repr(error), alarms=len(gathered))
                self._put_back(gathered, left_out)
            gevent.sleep(self._settings.every_s)

    def _put_back(self, gathered: list[Alarm], left_out: int) -> None:
        room = MOST - len(self._waiting)
        self._waiting.extendleft(reversed(gathered[len(gathered) - min(room, len(gathered)) :]))
        self._left_out += left_out + max(0, len(gathered) - room)
        self._more.set()

    def _message(self, alarms: list[Alarm], left_out: int) -> EmailMessage:
        raised = [alarm for alarm in alarms if alarm.state == RAISED]
        worst = max((alarm.grade for alarm in raised), key=lambda grade: grade.rank, default=None)
        said = f"{len(raised)} raised, worst {worst.value}" if worst is not None else "cleared"
        message = self._server.message(f"[cti] alarms: {said}", self._settings.to)
        lines = [f"{left_out} earlier ones are not shown; the log has them.", ""] if left_out else []
        for alarm in alarms:
            lines += _lines(alarm)
        message.set_content("\n".join(lines))
        return message


def _lines(alarm: Alarm) -> list[str]:
    about = f" {alarm.subject}" if alarm.subject else ""
    if alarm.state != RAISED:
        return [f"cleared after {alarm.lasted_s:.0f} s: {alarm.name}{about}", ""]
    said = f"{alarm.grade.value.upper()} {alarm.name}{about}: {alarm.cause}"
    return ["".join(c if c.isprintable() else " " for c in said), f"    {alarm.suggestion}", ""]

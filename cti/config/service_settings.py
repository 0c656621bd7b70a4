"""What a configuration file says of the services around the calls: state, web, webhooks, alarms, audit, recording."""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo

from attrs import Attribute, Factory, field, frozen

from cti.alarms import AlarmSettings, MailSettings
from cti.errors import ConfigurationError
from cti.mail_server import MailServer
from cti.model.recording import RecordingSettings
from cti.model.validate import count, name, seconds

DAY_S: Final = 86_400.0
INTERVALS_S: Final = (900.0, 1800.0)
"""Of figures: a quarter of an hour, or half of one. Every zone's hours begin with one of these."""


def _printable(_instance: object, attribute: Attribute[str], value: str) -> None:
    if not value.isprintable() or len(value) > 1000:
        raise ConfigurationError(f"{attribute.name} must be at most 1000 printable characters")


def _interval(_instance: object, attribute: Attribute[float], value: float) -> None:
    if value not in INTERVALS_S:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be '15m' or '30m'")


def _some_time(instance: object, attribute: Attribute[Any], value: float | None) -> None:
    seconds(instance, attribute, value)
    if value == 0:
        raise ConfigurationError(
            f"{attribute.name} is {value!r}; it must be more than 0 seconds; leave it out to keep all"
        )


def _zone(_instance: object, attribute: Attribute[str], value: str) -> None:
    try:
        ZoneInfo(value)
    except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        raise ConfigurationError(f"{attribute.name} is {value!r}; write it as Europe/Berlin or UTC") from None
    except KeyError:
        raise ConfigurationError(f"{attribute.name}: there is no time zone {value!r}") from None


def _from_zero(_instance: object, attribute: Attribute[int], value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a whole number from 0 up")


@frozen
class StateSettings:
    """What is to outlive the process.

    Args:
        directory: where it is kept: figures and alarms, and if nothing else is said the journal, the audit and the
            messages that no webhook took.
    """

    directory: str = field(validator=name)


@frozen
class StatisticsSettings:
    """Figures by interval.

    Args:
        interval_s: how long an interval is: 900 or 1800 seconds.
        keep_s: how long intervals are kept.
        time_zone: where a day begins at midnight.
    """

    interval_s: float = field(default=1800.0, validator=_interval)
    keep_s: float = field(default=400 * DAY_S, validator=seconds)
    time_zone: str = field(default="UTC", validator=_zone)


@frozen
class WebSettings:
    """HTTP.

    Args:
        bind: host and port.
        accounts: the file that ``cti accounts`` makes; empty: whoever is on this machine may do everything.
        certificate: the file of a TLS certificate and its chain; empty for plain HTTP.
        key: the file of its key; empty if it is in the same.
        proxied: that a proxy on this machine speaks HTTPS to clients.
        allow_plain: that without accounts or TLS the address may be one that other machines reach.
        metrics_token: a bearer token for ``/metrics`` alone; empty for none.
        wallboard: whether there is a page at ``/``.
        limits: what one client may ask for, a WebLimits; None for its defaults.
    """

    bind: str = field(default="127.0.0.1:8080", validator=name)
    accounts: str = field(default="", validator=_printable)
    certificate: str = field(default="", validator=_printable)
    key: str = field(default="", validator=_printable)
    proxied: bool = False
    allow_plain: bool = False
    metrics_token: str = field(default="", validator=_printable, repr=False)
    wallboard: bool = True
    limits: Any = None


@frozen
class AlarmsSettings:
    """Alarms.

    Args:
        rules: from when on something is cause for one.
        mail: where they are mailed; None for nowhere.
    """

    rules: AlarmSettings = Factory(AlarmSettings)
    mail: MailSettings | None = None


@frozen
class AuditSettings:
    """Who did what.

    Args:
        directory: where its files are.
        max_bytes: a longer file is put aside.
        keep: so many of those are kept; 0 keeps all.
    """

    directory: str = field(default="", validator=_printable)
    max_bytes: int = field(default=16 << 20, validator=count)
    keep: int = field(default=0, validator=_from_zero)


@frozen
class HistorySettings:
    """Where what has happened to each call is kept.

    Args:
        directory: of the SQLite file ``history.db``; not together with ``url``.
        url: of a database, as SQLAlchemy writes it; empty for that file.
        keep_s: the history of a call that ended longer ago is deleted; None keeps all.
    """

    directory: str = field(default="", validator=_printable)
    url: str = field(default="", validator=_printable, repr=False)
    keep_s: float | None = field(default=None, validator=_some_time)


@frozen
class RecordingsSettings:
    """Where recordings go, and for how long; which calls are recorded is said by queues and agents.

    Args:
        directory: on the switch's machine; absolute.
        name: the file below it.
        reached_at: the same directory as this process sees it; empty for the same.
        index: the index's file; empty for one in that directory.
        keep_s: a recording that ended longer ago is deleted, unless it is held; None deletes nothing.
    """

    directory: str = field(validator=name)
    name: str = "{date}/{interaction}/{n}-{agent}.wav"
    reached_at: str = field(default="", validator=_printable)
    index: str = field(default="", validator=_printable)
    keep_s: float | None = field(default=None, validator=seconds)

    @property
    def on_the_switch(self) -> RecordingSettings:
        """What the engine is told.

        Raises:
            ConfigurationError: the directory or the name cannot be used.
        """
        return RecordingSettings(self.directory, self.name)


@frozen
class MessagesSettings:
    """Where voice messages and faxes are kept, and how they are mailed; the mailboxes are tables of their own.

    Args:
        directory: on the switch's machine; absolute.
        reached_at: the same directory as this process sees it; empty for the same.
        index: the index's file; empty for one in that directory.
        detect_fax: the mailbox that receives the faxes of machines which call voice numbers; empty listens for none.
        fax_files: a directory whose files the API may send as faxes; empty lets it send none.
        mail: what takes e-mail; None sends none.
    """

    directory: str = field(validator=name)
    reached_at: str = field(default="", validator=_printable)
    index: str = field(default="", validator=_printable)
    detect_fax: str = field(default="", validator=_printable)
    fax_files: str = field(default="", validator=_printable)
    mail: MailServer | None = None

    @property
    def on_the_switch(self) -> RecordingSettings:
        """The directory, if it can be used.

        Raises:
            ConfigurationError: it cannot.
        """
        return RecordingSettings(self.directory)

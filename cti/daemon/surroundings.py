"""What a daemon has around its centre: alarms, the audit, the API, HTTP, webhooks, recordings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from zoneinfo import ZoneInfo

import gevent
import gevent.event
import structlog

from cti.alarms import Alarm, AlarmLedger, AlarmMail, AlarmWatch
from cti.api import ApiServer, DefinedRole
from cti.audit import AuditLog
from cti.center import CallCenter
from cti.config import (
    ApiSettings,
    Configuration,
    HistorySettings,
    JournalSettings,
    MessagesSettings,
    RecordingsSettings,
    Services,
    WebSettings,
)
from cti.errors import ConfigurationError, CtiError
from cti.messages import Messages
from cti.model import events
from cti.recordings import DAY_S, Recordings
from cti.statistics import FigureBook, Statistics
from cti.store import HistoryStore, Journal, Retention
from cti.store.history_store import HISTORY_FILE

if TYPE_CHECKING:
    from cti.web import Webhooks

REPLACE_AFTER_S: Final = 1.0
"""How long after its end a part is started anew; again and again if need be, while an alarm says so."""
EXPIRE_EVERY_S: Final = 3600.0
SESSIONS: Final = "sessions.sqlite3"
"""Below the directory of [state]: who is logged in over HTTP."""
DEAD_LETTERS: Final = "dead-letters.jsonl"
"""Below the directory of [state]: messages that no webhook took."""

_log = structlog.get_logger("cti.daemon")


class Part(Protocol):
    """A server beside the centre."""

    failed: gevent.event.AsyncResult[Any]
    """Set when it has ended by itself."""

    def start(self) -> None:
        """Begin. Does not block."""
        ...

    def stop(self) -> None:
        """End."""
        ...

    def use_roles(self, roles: Mapping[str, DefinedRole]) -> None:
        """Take these for the operator's own roles from now on."""
        ...


class Surroundings:
    """Makes and holds them. To be made before the centre, which is told of its journal and its recordings.

    Args:
        made: the configuration.

    Raises:
        ConfigurationError: a directory cannot be used.
    """

    def __init__(self, made: Configuration) -> None:
        self._made = made
        services = made.services
        self._watch = AlarmWatch(services.alarms.rules)
        self._mail: AlarmMail | None = None
        self._told_by_mail: Any = None
        self._greenlets: list[gevent.Greenlet[..., Any]] = []
        self._closing = contextlib.ExitStack()
        self._parts: dict[str, Part] = {}
        self._webhooks: Webhooks | None = None
        self.journal = _journal(services.journal, self._watch)
        """The journal, for the centre; None for none."""
        self.recordings = _recordings(services.recording)
        """Where recordings go, for the centre; None for nowhere."""
        self.history = _history(services.history)
        """Where what has happened to each call is kept, for the centre, which closes it; None for nowhere."""
        self.messages = _messages(services.messages)
        """Where voice messages and faxes are kept, for the centre; None for nowhere."""
        self._audit: AuditLog | None = None
        self._tend_now = gevent.event.Event()

    def open(self, centre: CallCenter) -> None:
        """Begin to watch and to write down. Before the centre is started: what it finds then is not to be missed.

        Raises:
            ConfigurationError: the audit cannot be written.
        """
        self._centre = centre
        settings = self._made.services.audit
        if settings is not None:
            trouble = self._watch.trouble("audit.trouble")
            audit = self._audit = AuditLog(
                settings.directory, max_bytes=settings.max_bytes, keep=settings.keep, on_trouble=trouble
            )
            self._closing.callback(audit.close)
            centre.subscribe(audit.audited, events.Audited)
        self._use_mail(self._made)
        services = self._made.services
        if services.state is not None:
            ledger = AlarmLedger(Path(services.state.directory))
            ledger.bring_back(centre.alarms)
            centre.subscribe(ledger.take, Alarm)
            kept = centre.statistics = Statistics(
                FigureBook(Path(services.state.directory)),
                interval_s=services.statistics.interval_s,
                keep_s=services.statistics.keep_s,
                zone=ZoneInfo(services.statistics.time_zone),
                on_trouble=self._watch.trouble("state.trouble"),
            )
            self._closing.callback(kept.stop)
        if self.recordings is not None and self._made.services.recording is not None:
            self._spawn(self._tend, self.recordings)

    def count(self) -> None:
        """Go on counting figures by interval, with what the journal has brought back. Before anything else is counted."""
        if self._centre.statistics is not None:
            self._centre.statistics.start(self._centre)

    def serve(self) -> None:
        """Open the doors: the API, HTTP, webhooks. Once the centre is started.

        Raises:
            ConfigurationError: an address cannot be bound.
        """
        made, services = self._made, self._made.services
        self._watch.start(self._centre)
        self._closing.callback(self._watch.stop)
        if made.api is not None:
            settings = made.api
            self._begin("api", lambda: self._api(settings))
        self._use_webhooks(made)
        if services.web is not None:
            self._begin("web", self._web)

    def reload(self, new: Configuration) -> None:
        """Take over the roles, webhooks, alarms and live settings of another configuration; all else is the same."""
        old, self._made = self._made, new
        if new.roles != old.roles:
            self._use_roles(new)
        self._use_settings(old.services, new.services)
        if new.services.webhooks != old.services.webhooks:
            self._use_webhooks(new)
        if new.services.alarms.rules != old.services.alarms.rules:
            self._watch.use(new.services.alarms.rules)
        if new.services.alarms.mail != old.services.alarms.mail:
            self._use_mail(new)

    def close(self) -> None:
        """End all of it, the doors first, the audit last."""
        gevent.killall(self._greenlets)
        self._greenlets.clear()
        for part in reversed(self._parts.values()):
            part.stop()
        self._parts.clear()
        if self._mail is not None:
            self._mail.stop()
        self._closing.close()

    def _use_roles(self, made: Configuration) -> None:
        for name, part in self._parts.items():
            try:
                part.use_roles(made.roles)
            except ConfigurationError as error:  # the file was changed since the configuration was checked
                _log.error("roles are not taken over", part=name, reason=str(error))

    def _use_settings(self, old: Services, new: Services) -> None:
        """Those of ``live_settings``; the others are the same."""
        web = self._parts.get("web")
        if new.web is not None and web is not None:
            self._use_web(web, new.web)
        if new.audit is not None and self._audit is not None:
            self._audit.use(max_bytes=new.audit.max_bytes, keep=new.audit.keep)
        if self._centre.statistics is not None:
            self._centre.statistics.use(keep_s=new.statistics.keep_s, zone=ZoneInfo(new.statistics.time_zone))
        if new.history is not None and self.history is not None:
            self.history.keep(_days(new.history.keep_s))
        if new.recording is not None and self.recordings is not None and new.recording != old.recording:
            self._centre.use_recordings(self.recordings.rename(new.recording.name))
            self._tend_now.set()

    @staticmethod
    def _use_web(part: Part, settings: WebSettings) -> None:
        from cti.web import WebLimits, WebServer  # noqa: PLC0415 - an extra

        if isinstance(part, WebServer):
            try:
                part.use(
                    settings.limits or WebLimits(),
                    metrics_token=settings.metrics_token,
                    certificate=settings.certificate,
                    key=settings.key,
                )
            except ConfigurationError as error:  # the file was changed since the configuration was checked
                _log.error("the certificate is not taken over", reason=str(error))

    # -- parts that serve -----------------------------------------------------------------------------------------

    def _begin(self, name: str, make: Callable[[], Part]) -> None:
        self._take(name, make)
        self._spawn(self._keep_up, name, make)

    def _take(self, name: str, make: Callable[[], Part]) -> None:
        part = make()
        part.start()
        self._parts[name] = part
        self._watch.part(name, part.failed)
        match part:
            case ApiServer():
                said = {"requests": part.address, "events": part.publish_address, "encrypted": part.encrypted}
                _log.info("the API listens", **said)
            case _:
                _log.info("HTTP is served", url=getattr(part, "url", ""))

    def _keep_up(self, name: str, make: Callable[[], Part]) -> None:
        """Replace a part whenever it has ended: calls go on without it, but nobody can do anything about them."""
        while True:
            part = self._parts[name]
            part.failed.wait()
            _log.critical("a part has ended, and is started anew", part=name, why=repr(part.failed.exception))
            self._watch.look()  # an alarm, however soon it is over
            part.stop()
            while self._parts[name] is part:
                gevent.sleep(REPLACE_AFTER_S)
                try:
                    self._take(name, make)
                except CtiError as error:
                    _log.critical("a part cannot be started anew", part=name, reason=str(error))
                except Exception:  # noqa: BLE001 - a defect; it is tried again
                    _log.exception("a part cannot be started anew", part=name)

    def _api(self, settings: ApiSettings) -> Part:
        return ApiServer(
            self._centre,
            bind=settings.bind,
            publish=settings.publish or None,
            keys=settings.keys or None,
            allow_plain=settings.allow_plain,
            limits=settings.limits,
            audit=self._audit.done if self._audit is not None else None,
            roles=self._made.roles,
        )

    def _web(self) -> Part:
        from cti.web import WebServer  # noqa: PLC0415 - an extra

        settings = self._made.services.web
        assert settings is not None
        state = self._made.services.state
        return WebServer(
            self._centre,
            settings.bind,
            accounts=settings.accounts or None,
            certificate=settings.certificate,
            key=settings.key,
            proxied=settings.proxied,
            allow_plain=settings.allow_plain,
            metrics_token=settings.metrics_token,
            wallboard=settings.wallboard,
            limits=settings.limits,
            audit=self._audit.done if self._audit is not None else None,
            roles=self._made.roles,
            sessions=Path(state.directory) / SESSIONS if state is not None else None,
            collectors=[self],
        )

    def collect(self) -> Iterator[Any]:
        """The metrics of the API and the webhooks, whichever there are by now: one of WebServer's collectors."""
        from cti.web import api_metrics  # noqa: PLC0415 - an extra

        api = self._parts.get("api")
        if isinstance(api, ApiServer):
            yield from api_metrics(api).collect()
        if self._webhooks is not None:
            yield from self._webhooks.collect()

    # -- what is told ---------------------------------------------------------------------------------------------

    def _use_webhooks(self, made: Configuration) -> None:
        """Tell these webhooks; what waits for one that stays as it is goes on waiting."""
        wanted, state = made.services.webhooks, made.services.state
        if self._webhooks is not None:
            self._webhooks.use(wanted)
        elif wanted:
            from cti.web import Webhooks  # noqa: PLC0415 - an extra

            letters = Path(state.directory) / DEAD_LETTERS if state is not None else None
            self._webhooks = Webhooks(self._centre, wanted, dead_letters=letters)
            self._webhooks.start()
            self._closing.callback(self._webhooks.stop)

    def _use_mail(self, made: Configuration) -> None:
        if self._mail is not None:
            self._centre.unsubscribe(self._told_by_mail)
            self._mail.stop()
            self._mail = None
        settings = made.services.alarms.mail
        if settings is not None:
            self._mail = AlarmMail(settings)
            self._told_by_mail = self._centre.subscribe(self._mail.take, Alarm)

    # -- what is kept ---------------------------------------------------------------------------------------------

    def _spawn(self, work: Callable[..., None], *args: object) -> None:
        self._greenlets.append(gevent.spawn(work, *args))

    def _tend(self, recordings: Recordings) -> None:
        """Index recordings that ended while nobody looked, and delete those that are too old: now and every hour, in another
        thread.
        """
        pool = gevent.get_hub().threadpool
        while True:
            self._tend_now.clear()
            settings = self._made.services.recording
            keep_s = settings.keep_s if settings is not None else None
            try:
                found = pool.apply(recordings.take_in)
                gone = (
                    pool.apply(recordings.expire, (keep_s / DAY_S,), {"dry_run": False}) if keep_s is not None else []
                )
            except Exception as error:  # noqa: BLE001 - whatever the disk does; it is tried again
                _log.error("recordings cannot be looked after", reason=str(error))
            else:
                if found:
                    _log.info("recordings were found that no record named", recordings=len(found))
                if gone:
                    _log.info("old recordings were deleted", recordings=len(gone))
            self._tend_now.wait(EXPIRE_EVERY_S)


def _journal(settings: JournalSettings | None, watch: AlarmWatch) -> Journal | None:
    if settings is None:
        return None
    keep = Retention(settings.keep_segments, settings.keep_bytes, settings.keep_s)
    return Journal(
        settings.directory,
        segment_bytes=settings.segment_bytes,
        retention=keep,
        sync=settings.sync,  # type: ignore[arg-type] # one of the two, by its validator
        on_trouble=watch.trouble("journal.trouble"),
    )


def _history(settings: HistorySettings | None) -> HistoryStore | None:
    if settings is None:
        return None
    if not settings.url:
        Path(settings.directory).mkdir(parents=True, exist_ok=True)
    return HistoryStore(settings.url or str(Path(settings.directory) / HISTORY_FILE), keep_days=_days(settings.keep_s))


def _days(keep_s: float | None) -> float | None:
    return keep_s / DAY_S if keep_s is not None else None


def _messages(settings: MessagesSettings | None) -> Messages | None:
    if settings is None:
        return None
    return Messages(
        settings.directory,
        reached_at=settings.reached_at or None,
        index=settings.index or None,
        mail=settings.mail,
        fax_files=settings.fax_files or None,
    )


def _recordings(settings: RecordingsSettings | None) -> Recordings | None:
    if settings is None:
        return None
    return Recordings(
        settings.directory,
        name=settings.name,
        reached_at=settings.reached_at or None,
        index=settings.index or None,
    )

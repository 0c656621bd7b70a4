"""The tables of the services around the calls: [state], [statistics], [web], [webhook], [alarms], [audit], [recording]."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from attrs import Factory, evolve, frozen

from cti.alarms import AlarmSettings, MailSettings
from cti.api.grant import ALL
from cti.api.grants_file import Entry
from cti.api.role import DefinedRole
from cti.config.environment import has_variable, of_variable, others_can_read, read_secret
from cti.config.service_settings import (
    DAY_S,
    AlarmsSettings,
    AuditSettings,
    HistorySettings,
    MessagesSettings,
    RecordingsSettings,
    StateSettings,
    StatisticsSettings,
    WebSettings,
)
from cti.config.settings import JournalSettings
from cti.config.table_reader import read_into
from cti.errors import CtiError, UnknownAgent, UnknownName, UnknownQueue
from cti.mail_server import MailServer
from cti.model.mailbox import Mailbox
from cti.plan.condition import short
from cti.plan.section import MISSING, Section

if TYPE_CHECKING:
    from cti.web.webhook import Webhook

T = TypeVar("T")

JOURNAL: Final = "journal"
AUDIT: Final = "audit"
"""Directories below that of [state]."""
JOURNAL_KEPT_S: Final = 14 * DAY_S
"""How long the journal is kept that nobody has said anything about."""
_TABLES: Final = (
    "state",
    "journal",
    "statistics",
    "web",
    "webhook",
    "alarms",
    "audit",
    "history",
    "recording",
    "messages",
    "mailbox",
)
Said = tuple[str, str, str]
"""A warning: table, key, and what."""


@frozen
class Services:
    """What the tables say.

    Args:
        state: where state is kept; None for nowhere.
        journal: the journal; None for none.
        statistics: figures by interval, which are kept where there is a state.
        web: HTTP; None for none.
        webhooks: the receivers of events.
        alarms: alarms, which there always are.
        audit: who did what; None for nowhere.
        history: where what has happened to each call is kept; None for nowhere.
        recording: where recordings go; None for nowhere.
        messages: where voice messages and faxes are kept; None for nowhere.
        mailboxes: what callers leave them in, by name; None if nobody knows, since the tables were not read.
    """

    state: StateSettings | None = None
    journal: JournalSettings | None = None
    statistics: StatisticsSettings = Factory(StatisticsSettings)
    web: WebSettings | None = None
    webhooks: tuple[Webhook, ...] = ()
    alarms: AlarmsSettings = Factory(AlarmsSettings)
    audit: AuditSettings | None = None
    history: HistorySettings | None = None
    recording: RecordingsSettings | None = None
    messages: MessagesSettings | None = None
    mailboxes: Mapping[str, Mailbox] | None = None


@frozen
class Tables:
    """What is needed of whoever reads the whole file.

    Args:
        path: the file.
        environ: what ``${NAME}`` stands for.
        section: the section of a table that is written ``[where]``, from ``where`` and its data.
        with_variables: the same section with what the environment says in place of variables.
        named: the tables ``[kind.NAME]`` by name, from the whole file and ``kind``.
    """

    path: Path
    environ: Mapping[str, str]
    section: Callable[[str, object], Section]
    with_variables: Callable[[Section], Section]
    named: Callable[[Section, str], Mapping[str, Section]]


class ServiceTables:
    """Reads these tables, and notes all that is wrong with them.

    Args:
        tables: the file.
        top: the whole of it; what is read here is taken out.
        queues: the names of the queues there are.
        agents: those of the agents.
        roles: the operator's own, by name.
    """

    def __init__(
        self,
        tables: Tables,
        top: Section,
        queues: Collection[str],
        agents: Collection[str],
        roles: Mapping[str, DefinedRole],
    ) -> None:
        self._tables = tables
        self._top = top
        self._names: dict[str, tuple[Collection[str], type[UnknownName]]] = {
            "queues": (queues, UnknownQueue),
            "agents": (agents, UnknownAgent),
        }
        self._keeps = False
        self._roles = roles
        self.roles_used: set[str] = set()
        """The roles that keys and accounts have."""
        self.doubts: list[Said] = []
        """What probably was not meant."""

    def skip(self) -> Services:
        """Nothing: whoever only plans needs none of it."""
        for name in _TABLES:
            self._top.take(name)
        return Services()

    def read(self) -> Services:
        """What they say; where something is wrong with one, it is as if it were not there."""
        state = self._optional("state", StateSettings)
        state = self._placed(state, "directory")
        return Services(
            state=state,
            journal=self._below(state, "journal", JournalSettings, JOURNAL, keep_s=JOURNAL_KEPT_S),
            statistics=self._optional("statistics", StatisticsSettings) or StatisticsSettings(),
            web=self._web(),
            webhooks=self._webhooks(),
            alarms=self._alarms(),
            audit=self._below(state, "audit", AuditSettings, AUDIT),
            history=self._history(state),
            recording=self._recording(),
            messages=self._messages(),
            mailboxes=self._mailboxes(),
        )

    # -- tables of several kinds ----------------------------------------------------------------------------------

    def _section(self, name: str) -> Section | None:
        data = self._top.take(name)
        return None if data is MISSING else self._tables.with_variables(self._tables.section(name, data))

    def _optional(self, name: str, kind: type[T]) -> T | None:
        section = self._section(name)
        return None if section is None else read_into(section, kind)

    def _below(self, state: StateSettings | None, name: str, kind: type[T], directory: str, **alone: Any) -> T | None:
        """A table about files that are in a directory of the state's if no other is named; ``alone`` counts without it."""
        data = self._top.take(name)
        if data is MISSING and state is None:
            return None
        section = self._tables.with_variables(self._tables.section(name, {} if data is MISSING else data))
        named = section.has("directory")
        made = read_into(section, kind)
        if not named and state is None and section.is_table:
            section.wrong("directory", "it is missing, and there is no [state] either, which has one for all")
            return None
        if made is None or named:
            return self._placed(made, "directory")
        assert state is not None
        also = alone if data is MISSING else {}
        return evolve(made, directory=os.path.join(state.directory, directory), **also)  # type: ignore[misc] # noqa: PTH118

    def _placed(self, settings: T | None, *keys: str) -> T | None:
        """Files that are named without their directories are beside the configuration."""
        named = {key: value for key in keys if settings is not None and (value := getattr(settings, key))}
        placed = {key: str((self._tables.path.parent / value).absolute()) for key, value in named.items()}
        return evolve(settings, **placed) if settings is not None else None  # type: ignore[misc]

    def _with_secret(self, name: str, data: object, key: str, stand_in: str = "x") -> Section:
        """A table with a secret in it, which may be named by ``KEY_env`` or ``KEY_file`` in place of ``KEY``.

        Where that names nothing, which is noted, ``stand_in`` is what the rest of the table is read with.
        """
        section = self._tables.section(name, data)
        given = [one for one in (key, f"{key}_env", f"{key}_file") if section.has(one)]
        if len(given) > 1:
            section.wrong(given[1], f"there is {given[0]} already; keep one of them")
        said = data.get(key) if isinstance(data, Mapping) else None
        if isinstance(said, str) and said and not has_variable(said) and others_can_read(self._tables.path):
            what = f"everybody on this machine can read it; chmod o-r, or use {key}_env"
            self.doubts.append((name, key, what))
        secret: str | None = None
        if (variable := section.text(f"{key}_env")) is not None:
            secret = section.made(f"{key}_env", of_variable, variable, self._tables.environ)
        if (file := section.text(f"{key}_file")) is not None:
            secret = section.made(f"{key}_file", read_secret, self._tables.path.parent / file)
        rest = section.rest()
        if given and given[0] != key:
            rest[key] = stand_in if secret is None else secret
        return self._tables.with_variables(self._tables.section(name, rest)) if section.is_table else section

    # -- each -----------------------------------------------------------------------------------------------------

    def _web(self) -> WebSettings | None:
        data = self._top.take("web")
        if data is MISSING:
            return None
        section = self._with_secret("web", data, "metrics_token")
        try:
            from cti.web.accounts import Accounts, read_accounts  # noqa: PLC0415 - an extra
            from cti.web.limits import WebLimits  # noqa: PLC0415 - the same
            from cti.web.listening import check_open, listener, tls_context  # noqa: PLC0415 - the same
        except ImportError as error:
            section.rest()
            section.wrong("", f"it needs the extra 'web' ({error}); pip install 'cti[web]'")
            return None
        made = read_into(section, WebSettings, {"limits": _table_of(WebLimits)})
        made = self._placed(made, "accounts", "certificate", "key")
        if made is None or section.made("bind", listener, made.bind) is None:
            return None
        if made.certificate:
            section.made("certificate", tls_context, made.certificate, made.key)
        elif made.key:
            section.wrong("key", "there is no certificate that it belongs to")
        if not made.allow_plain:
            section.made("bind", check_open, made.bind, accounts=bool(made.accounts), tls=bool(made.certificate))
        if made.accounts:
            file = Path(made.accounts)
            if section.made("accounts", Accounts, file, self._roles) is not None:
                found = [each.said for each in read_accounts(file).values()]
                self.doubts += self.of_grants("web", "accounts", found)
                if not found:
                    self.doubts.append(("web", "accounts", "it has no account: nobody can log in"))
            if others_can_read(file):
                self.doubts.append(("web", "accounts", f"others can read {made.accounts}; chmod 600 it"))
        return made

    def of_grants(self, table: str, key: str, grants: Iterable[Entry]) -> Iterator[Said]:
        """What keys or accounts cover and the file does not have."""
        for grant in grants:
            self.roles_used.add(grant.role)
            for what, (known, unknown) in self._names.items():
                for name in sorted(getattr(grant, what) - {ALL} - set(known)):
                    yield table, key, f"{grant.name!r} ({grant.role}) has an {unknown(name, known)}"

    def _webhooks(self) -> tuple[Webhook, ...]:
        if not self._top.has("webhook"):
            return ()
        found: list[Webhook] = []
        tables = self._tables.named(self._top, "webhook")
        try:
            from cti.web.webhook import Webhook, new_secret  # noqa: PLC0415 - an extra
        except ImportError as error:
            what = f"it needs the extra 'web' ({error}); pip install 'cti[web]'"
            self._tables.section("webhook", {}).wrong("", what)
            return ()
        for name, table in tables.items():
            where = table.where
            section = self._with_secret(where, table.rest(), "secret", new_secret())
            made = read_into(section, Webhook, dict.fromkeys(("kinds", "agents", "queues"), _texts), name=name)
            if made is None:
                continue
            try:
                made.interest()
            except CtiError as error:
                section.wrong("kinds", str(error))
            for key, (known, unknown) in self._names.items():
                for each in sorted(set(getattr(made, key)) - set(known)):
                    self.doubts.append((where, key, str(unknown(each, known))))
            if made.url.startswith("http:") and not made.url.startswith(
                ("http://127.", "http://localhost", "http://[::1]")
            ):
                what = "what is told of calls is not encrypted on the way there; use https"
                self.doubts.append((where, "url", what))
            found.append(made)
        return tuple(found)

    def _alarms(self) -> AlarmsSettings:
        data = self._top.take("alarms")
        if data is MISSING:
            return AlarmsSettings()
        section = self._tables.section("alarms", data)
        mail = section.take("mail")
        rules = read_into(self._tables.with_variables(section), AlarmSettings, {"off": _texts, "grades": _words})
        sent: MailSettings | None = None
        if mail is not MISSING:
            table = self._with_secret("alarms.mail", mail, "password")
            sent = read_into(table, MailSettings, {"to": _texts})
        return AlarmsSettings(rules or AlarmSettings(), sent)

    def _history(self, state: StateSettings | None) -> HistorySettings | None:
        """Only where it is asked for: a directory for state does not mean that numbers are to be kept."""
        section = self._section("history")
        if section is None:
            return None
        if find_spec("sqlalchemy") is None:
            section.rest()
            section.wrong("", "it needs the extra 'history'; pip install 'cti[history]'")
            return None
        made = read_into(section, HistorySettings)
        if made is None:
            return None
        if made.url and made.directory:
            section.wrong("url", "there is a directory already; keep one of them")
        if made.url:
            return made
        if made.directory:
            return self._placed(made, "directory")
        if state is None:
            section.wrong("directory", "it is missing, and there is no [state] either, which has one for all")
            return None
        return evolve(made, directory=state.directory)

    def _messages(self) -> MessagesSettings | None:
        data = self._top.take("messages")
        self._keeps = data is not MISSING
        if data is MISSING:
            return None
        section = self._tables.section("messages", data)
        mail = section.take("mail")
        made = read_into(self._tables.with_variables(section), MessagesSettings)
        server = None
        if mail is not MISSING:
            server = read_into(self._with_secret("messages.mail", mail, "password"), MailServer)
        if made is None:
            return None
        section.made("", lambda: made.on_the_switch)
        return evolve(self._placed(made, "reached_at", "index", "fax_files") or made, mail=server)

    def _mailboxes(self) -> dict[str, Mailbox]:
        found: dict[str, Mailbox] = {}
        for name, table in self._tables.named(self._top, "mailbox").items():
            made = read_into(self._tables.with_variables(table), Mailbox, partly=True, id=name)
            if not self._keeps:
                table.wrong("", "there is no [messages], which says where messages are kept")
            found[name] = made if made is not None else Mailbox(name)
            for key, each in (("queues", found[name].queue), ("agents", found[name].agent)):
                known, unknown = self._names[key]
                if each is not None and each not in known:
                    table.wrong(key.removesuffix("s"), str(unknown(each, known)))
        return found

    def _recording(self) -> RecordingsSettings | None:
        section = self._section("recording")
        if section is None:
            return None
        made = read_into(section, RecordingsSettings)
        if made is None:
            return None
        section.made("", lambda: made.on_the_switch)
        return self._placed(made, "reached_at", "index")


def _table_of(kind: type[Any]) -> Callable[[Section, str, Any], Any]:
    """A Reader of a table within a table."""

    def read(section: Section, key: str, value: Any) -> Any:
        made = read_into(section.within(key, value), kind)
        return MISSING if made is None else made

    return read


def _texts(section: Section, key: str, value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(one, str) and one for one in value):
        return value
    example = "['Delivered']" if key == "kinds" else "['a', 'b']"
    section.wrong(key, f"expected a list of texts, such as {example}; found {short(value)}")
    return MISSING


def _words(section: Section, key: str, value: Any) -> Any:
    if isinstance(value, Mapping) and all(isinstance(one, str) for one in value.values()):
        return value
    section.wrong(key, f"expected a table, such as {{ 'queue.unstaffed' = 'major' }}; found {short(value)}")
    return MISSING

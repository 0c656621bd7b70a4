"""Logging in: attempts limited, answers that tell nothing, sessions that end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from cti.api.refusal import Refused, TooFast
from cti.api.role import DefinedRole
from cti.errors import ConfigurationError
from cti.web.accounts import Accounts
from cti.web.buckets import Buckets
from cti.web.limits import WebLimits
from cti.web.passwords import LONGEST, Passwords
from cti.web.sessions import Session, Sessions

EVERYWHERE: Final = 4
"""A name may fail so many times more often from all addresses together than from one."""

LONGEST_NAME: Final = 65

_log = structlog.get_logger("cti.web")


class NotLoggedIn(Refused):
    """The request has no session, or one that has ended; log in."""

    code = "security.not_logged_in"


class LogInFailed(Refused):
    """Name or password is wrong. Which of the two is not said."""

    code = "security.log_in_failed"


class LogIn:
    """Checks names and passwords, and keeps the sessions.

    Args:
        accounts: who may log in.
        sessions: where they are kept.
        limits: how often.
        passwords: checks them.
    """

    def __init__(self, accounts: Accounts, sessions: Sessions, limits: WebLimits, passwords: Passwords) -> None:
        self.failures = 0
        self._accounts = accounts
        self._sessions = sessions
        self._passwords = passwords
        many = limits.log_ins_per_minute
        self._of_address = Buckets(many / 60, many)
        self._of_both = Buckets(many / 60, many)
        self._of_name = Buckets(many * EVERYWHERE / 60, many * EVERYWHERE)

    def use(self, limits: WebLimits) -> None:
        """From now on so many may fail."""
        many = limits.log_ins_per_minute
        self._of_address.use(many / 60, many)
        self._of_both.use(many / 60, many)
        self._of_name.use(many * EVERYWHERE / 60, many * EVERYWHERE)

    def log_in(self, name: str, password: str, address: str) -> tuple[str, Session]:
        """Begin a session; its token and itself. Blocks this greenlet for some 50 ms, the same whatever is wrong.

        Args:
            name: the account's.
            password: its password.
            address: where the client is.

        Raises:
            LogInFailed: name or password is wrong.
            TooFast: too many failed, from this address or with this name; not even the right password is looked at.
            TooBusy: too many wait for theirs to be checked.
            TooManyClients: as many are logged in as may be.
        """
        now = time.monotonic()
        name = name[:LONGEST_NAME]  # it is remembered for a while; no account's is so long
        taken = ((self._of_address, address), (self._of_both, f"{address} {name}"), (self._of_name, name))
        for which, (buckets, of) in enumerate(taken):
            if not buckets.take(of, now):
                for earlier, name_of in taken[:which]:
                    earlier.give_back(name_of)
                raise TooFast("too many log-ins failed; try again in a minute")
        account = self._accounts.find(name)
        if not self._passwords.verify(account, password[: LONGEST + 1], self._accounts.any()) or account is None:
            self.failures += 1
            _log.warning("a log-in failed", name=name[:64] if account is not None else "unknown", address=address)
            raise LogInFailed("name or password is wrong")
        for buckets, of in taken:
            buckets.give_back(of)
        if self._accounts.find(name) != account:  # the file was changed while the password was being checked
            raise LogInFailed("name or password is wrong")
        begun = self._sessions.begin(account, time.monotonic())
        self._sessions.written()
        return begun

    def take_over(self) -> None:
        """Read the accounts again if the file has changed; whose account is another is logged out."""
        if self._accounts.is_changed():
            self._take_over(self._accounts.reload)

    def use_roles(self, roles: Mapping[str, DefinedRole]) -> None:
        """From now on these are the operator's own roles; whose account means something else is logged out."""
        self._take_over(lambda: self._accounts.use(roles))

    def _take_over(self, read: Callable[[], None]) -> None:
        try:
            read()
        except ConfigurationError as error:
            _log.error("the accounts file is not taken over", reason=str(error))
            return
        ended = self._sessions.end_unless(self._accounts.by_name)
        _log.info("the accounts file was read again", accounts=len(self._accounts), logged_out=ended)

    def close(self) -> None:
        """End the threads."""
        self._passwords.close()

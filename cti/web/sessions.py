"""Who is logged in: sessions, known by a secret token, which end by themselves."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Mapping

from attrs import define

from cti.api.grant import Grant
from cti.api.refusal import TooManyClients
from cti.api.token_bucket import TokenBucket
from cti.web.accounts import Account
from cti.web.limits import WebLimits


@define(eq=False)
class Session:
    """Somebody who is logged in.

    Args:
        account: as it was at log-in; None where there are no accounts.
        grant: what they may do and see.
        csrf: what a request with the cookie has to repeat in ``X-CSRF-Token``.
        began_at: monotonic seconds, as all times here.
        used_at: when the last request came.
        bucket: what they may still ask for.
    """

    account: Account | None
    grant: Grant
    csrf: str
    began_at: float
    used_at: float
    bucket: TokenBucket
    under_way: int = 0
    ended: bool = False


class Sessions:
    """Every session, by the hash of its token: what is in memory does not log anybody in.

    Args:
        limits: how many, and how long.
    """

    def __init__(self, limits: WebLimits) -> None:
        self._limits = limits
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()
        self._of_account: dict[str, list[bytes]] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._sessions)

    def begin(self, account: Account, now: float) -> tuple[str, Session]:
        """A new session and its token, which nothing but the client keeps.

        Raises:
            TooManyClients: there are as many as there may be.
        """
        if len(self._sessions) >= self._limits.sessions:
            self.expire(now)
            if len(self._sessions) >= self._limits.sessions:
                raise TooManyClients("as many are logged in as may be; try later")
        own = self._of_account.setdefault(account.grant.name, [])
        if len(own) >= self._limits.sessions_per_account:
            self._end(own[0])
            own = self._of_account.setdefault(account.grant.name, [])
        token = secrets.token_urlsafe(32)
        bucket = TokenBucket(self._limits.requests_per_s, self._limits.burst, now)
        made = Session(account, account.grant, secrets.token_urlsafe(16), now, now, bucket)
        key = _key(token)
        self._sessions[key] = made
        own.append(key)
        return token, made

    def find(self, token: str, now: float) -> Session | None:
        """The living session of a token; it counts as used."""
        key = _key(token)
        found = self._sessions.get(key)
        if found is None:
            return None
        if self._is_over(found, now):
            self._end(key)
            return None
        found.used_at = now
        return found

    def end(self, token: str) -> None:
        """Log out; nothing if the session has ended."""
        self._end(_key(token))

    def expire(self, now: float) -> None:
        """End those whose time is over."""
        for key in [key for key, session in self._sessions.items() if self._is_over(session, now)]:
            self._end(key)

    def end_unless(self, accounts: Mapping[str, Account]) -> int:
        """End the sessions whose account is not among these any more, or is another; says how many."""
        ending = [
            key
            for key, session in self._sessions.items()
            if session.account is not None and accounts.get(session.grant.name) != session.account
        ]
        for key in ending:
            self._end(key)
        return len(ending)

    def _is_over(self, session: Session, now: float) -> bool:
        return now - session.began_at >= self._limits.session_s or now - session.used_at >= self._limits.session_idle_s

    def _end(self, key: bytes) -> None:
        session = self._sessions.pop(key, None)
        if session is None:
            return
        session.ended = True
        own = self._of_account[session.grant.name]
        own.remove(key)
        if not own:
            del self._of_account[session.grant.name]


def _key(token: str) -> bytes:
    """Looking a hash up says nothing of the token by how long it takes."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()

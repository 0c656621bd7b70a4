"""Who is logged in: sessions, known by a secret token, which end by themselves, and outlive a restart if they are kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping

from attrs import define

from cti.api.grant import Grant
from cti.api.refusal import TooManyClients
from cti.api.token_bucket import TokenBucket
from cti.web.accounts import Account
from cti.web.limits import WebLimits
from cti.web.session_store import KeptSession, SessionStore, fingerprint


@define(eq=False)
class Session:
    """Somebody who is logged in.

    Args:
        account: as it was at log-in; None where there are no accounts.
        grant: what they may do and see.
        csrf: what a request with the cookie has to repeat in ``X-CSRF-Token``; made of the token, so that a session which
            is brought back has it again as soon as the token is shown.
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
        store: where they are kept over a restart; None for nowhere.
    """

    def __init__(self, limits: WebLimits, store: SessionStore | None = None) -> None:
        self._limits = limits
        self._store = store
        self._kept_until = 0.0
        """Until when it is written down that sessions were used; monotonic."""
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()
        self._of_account: dict[str, list[bytes]] = {}

    def use(self, limits: WebLimits) -> None:
        """From now on these limits count, also for who is logged in; sessions too many end as others begin."""
        self._limits = limits
        for session in self._sessions.values():
            session.bucket.use(limits.requests_per_s, limits.burst)

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
        key, made = _key(token), self._session(account, _csrf(token), now, now, now)
        self._sessions[key] = made
        own.append(key)
        if self._store is not None:
            self._store.keep(self._kept(key, made, now))
        return token, made

    def bring_back(self, accounts: Mapping[str, Account], now: float) -> int:
        """Go on with the sessions that were kept, and say how many; those that are over, or whose account is not what it was
        at log-in, are forgotten.

        Raises:
            ConfigurationError: the file cannot be read.
        """
        if self._store is None:
            return 0
        since = self._store.clock()
        for kept in self._store.read():
            account = accounts.get(kept.account)
            # A clock that was set back since makes nobody younger than they are now.
            began_at, used_at = (now - max(0.0, since - at) for at in (kept.began_at, kept.used_at))
            if account is None or fingerprint(account) != kept.fingerprint:
                self._store.forget(kept.hash)
                continue
            made = self._session(account, "", began_at, used_at, now)
            if self._is_over(made, now) or len(self._sessions) >= self._limits.sessions:
                self._store.forget(kept.hash)
                continue
            self._sessions[kept.hash] = made
            own = self._of_account.setdefault(kept.account, [])
            own.append(kept.hash)
            if len(own) > self._limits.sessions_per_account:
                self._end(own[0])
        self._kept_until = now
        return len(self._sessions)

    def used(self, now: float) -> Iterator[KeptSession]:
        """Those that were used since this was last asked, as they are to be kept."""
        before, self._kept_until = self._kept_until, now
        for key, session in self._sessions.items():
            if session.used_at >= before:
                yield self._kept(key, session, now)

    def written(self) -> None:
        """Wait until what has begun and ended is on the disk, where sessions are kept. Blocks this greenlet."""
        if self._store is not None:
            self._store.write()

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
        found.csrf = found.csrf or _csrf(token)
        return found

    def end(self, token: str) -> None:
        """Log out; nothing if the session has ended."""
        self._end(_key(token))

    def end_all(self, account: str) -> None:
        """Log an account out everywhere."""
        for key in list(self._of_account.get(account, ())):
            self._end(key)

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

    def close(self) -> None:
        """Write down when sessions were used last. Blocks this greenlet."""
        if self._store is not None:
            for kept in self.used(time.monotonic()):
                self._store.keep(kept)
            self._store.write()

    def _session(self, account: Account, csrf: str, began_at: float, used_at: float, now: float) -> Session:
        bucket = TokenBucket(self._limits.requests_per_s, self._limits.burst, now)
        return Session(account, account.grant, csrf, began_at, used_at, bucket)

    def _kept(self, key: bytes, session: Session, now: float) -> KeptSession:
        assert self._store is not None
        assert session.account is not None
        wall = self._store.clock() - now
        print_ = fingerprint(session.account)
        return KeptSession(key, session.grant.name, print_, wall + session.began_at, wall + session.used_at)

    def _is_over(self, session: Session, now: float) -> bool:
        return now - session.began_at >= self._limits.session_s or now - session.used_at >= self._limits.session_idle_s

    def _end(self, key: bytes) -> None:
        session = self._sessions.pop(key, None)
        if session is None:
            return
        session.ended = True
        if self._store is not None:
            self._store.forget(key)
        own = self._of_account[session.grant.name]
        own.remove(key)
        if not own:
            del self._of_account[session.grant.name]


def _key(token: str) -> bytes:
    """Looking a hash up says nothing of the token by how long it takes."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _csrf(token: str) -> str:
    """Nobody who has not the token can say it, and it says nothing of the token."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), b"csrf", hashlib.sha256).hexdigest()[:32]

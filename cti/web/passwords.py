"""Passwords and their argon2 hashes, computed in threads so that nobody waits for them but who logs in."""

from __future__ import annotations

from typing import Final

import gevent
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool

from cti.api.refusal import TooBusy
from cti.web.accounts import Account

LONGEST: Final = 256
"""Characters of a password: argon2 would take any, at the server's cost."""
AT_ONCE: Final = 2
"""Hashes computed at the same time: each takes 64 MiB and some 50 ms of up to four cores (RFC 9106, low memory)."""
WAITING: Final = 32
"""Log-ins that may wait for their turn, a second or two; more are refused."""


class Passwords:
    """Checks passwords.

    Args:
        hasher: how a hash is made; argon2id with RFC 9106's parameters for little memory if not given.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._pool = ThreadPool(AT_ONCE)
        self._turn = BoundedSemaphore(AT_ONCE)
        self._waiting = 0
        self._nobodys = ""

    def hash(self, password: str) -> str:
        """The hash of a password, with a salt of its own. Blocks the thread: it is for the command line."""
        return self._hasher.hash(password)

    def verify(self, account: Account | None, password: str, like: Account | None = None) -> bool:
        """Whether a password is the account's. Blocks this greenlet, for as long when there is no such account.

        Args:
            account: whose; None for a name that nobody has.
            password: as it was given.
            like: any account, so that None costs what it costs.

        Raises:
            TooBusy: too many wait for theirs to be checked.
        """
        if self._waiting >= WAITING:
            raise TooBusy("too many log in at this moment; try again in a few seconds")
        self._waiting += 1
        try:
            with self._turn:
                known = account.password if account is not None else self._nobody(like)
                return bool(self._pool.apply(self._check, (known, password))) and account is not None
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads."""
        gevent.spawn(self._pool.kill)

    def _nobody(self, like: Account | None) -> str:
        """A hash that no password is known for; with the cost of the account's that is given."""
        if not self._nobodys:
            self._nobodys = _unmatched(like.password) if like is not None else str(self._pool.apply(self.hash, ("",)))
        return self._nobodys

    def _check(self, known: str, password: str) -> bool:
        """In a thread; the C code lets go of the interpreter."""
        try:
            return self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False


def _unmatched(hash_: str) -> str:
    """The same parameters, another digest: its last part is base64, of which the first character is changed."""
    head, _, digest = hash_.rpartition("$")
    return f"{head}${'A' if digest[0] != 'A' else 'B'}{digest[1:]}"

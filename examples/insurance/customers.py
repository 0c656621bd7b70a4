"""What the hotline asks its database, and what it writes there. A caller never waits longer than a look-up's deadline."""

import sqlite3
from datetime import date
from decimal import Decimal
from pathlib import Path

import gevent
import structlog

from cti.lookup import SqlLookup

UNAVAILABLE = {"unavailable": True}
"""The answer when the database gives none in time: nobody is told that their policy does not exist because of it."""

_CUSTOMER = """
    select customers.id, name, language, vip, adviser, number as policy, kind
    from customers join policies on policies.customer = customers.id
"""
_POLICY = "select status, premium, due from policies where number = :policy"
_CLAIM = """
    select number, status, amount, changed, count(*) over () as claims
    from claims where policy = :policy order by changed desc
"""

_log = structlog.get_logger("insurance")


class Customers:
    """The database.

    Args:
        file: the SQLite file; another database is another URL.
        deadline_s: seconds for which a caller may be kept waiting by a question.
    """

    def __init__(self, file: Path, deadline_s: float = 1.5) -> None:
        self._file = file
        url = f"sqlite:///file:{file}?mode=ro&uri=true"  # read only: a wrong path makes no empty database
        same = {"deadline_s": deadline_s, "pool": 10, "fallback": UNAVAILABLE, "connect_args": {"timeout": deadline_s}}
        self.by_phone = SqlLookup(url, f"{_CUSTOMER} where phone = :phone order by number", **same)
        self.by_policy = SqlLookup(url, f"{_CUSTOMER} where number = :policy", **same)
        self.pin = SqlLookup(url, "select id from customers where id = :customer and pin = :pin", **same)
        self.policy = SqlLookup(url, _POLICY, **same)
        self.claim = SqlLookup(url, _CLAIM, **same)

    def save_mark(self, call: str, agent: str, mark: int) -> None:
        """Keep a survey's answer. Never blocks; what cannot be kept is logged."""
        self._write("insert into surveys (call, agent, mark) values (?, ?, ?)", call, agent, mark)

    def close(self) -> None:
        """End the threads of the look-ups. Blocks until they have finished."""
        for lookup in (self.by_phone, self.by_policy, self.pin, self.policy, self.claim):
            lookup.close()

    def _write(self, statement: str, *values: object) -> None:
        def write() -> None:
            try:
                gevent.get_hub().threadpool.apply(self._execute, (statement, values))
            except sqlite3.Error as error:
                _log.error("the database does not take it", statement=statement, error=str(error))

        gevent.spawn(write)

    def _execute(self, statement: str, values: tuple[object, ...]) -> None:
        """In a thread: SQLite blocks."""
        connection = sqlite3.connect(f"file:{self._file}?mode=rw", uri=True, timeout=10)
        try:
            with connection:
                connection.execute(statement, values)
        finally:
            connection.close()


def money(text: str) -> Decimal:
    """A sum, as ``Say`` takes it."""
    return Decimal(text)


def day(text: str) -> date:
    """A date, as ``Say`` takes it."""
    return date.fromisoformat(text)

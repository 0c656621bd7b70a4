"""Look-ups by SQL, with SQLAlchemy Core in threads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cti.errors import ConfigurationError
from cti.lookup.lookup import LARGEST, Lookup, Nonsense, revealed

if TYPE_CHECKING:
    import sqlalchemy


class SqlLookup(Lookup):
    """Asks a database for one row, as a dict; no row is "there is none".

    Args:
        url: of the database, as SQLAlchemy writes it: ``sqlite:///customers.db``, ``postgresql+psycopg://...``.
        query: with a ``:name`` for each parameter; only the first row is looked at.
        connect_args: for the driver; give it a time limit of its own, or a thread hangs for as long as the database does.
        settings: as of Lookup.

    Raises:
        ConfigurationError: one of them makes no sense, or SQLAlchemy or the driver is not installed.
    """

    def __init__(self, url: str, query: str, *, connect_args: Mapping[str, Any] | None = None, **settings: Any) -> None:
        try:
            import sqlalchemy  # noqa: PLC0415 - an extra
        except ImportError:
            raise ConfigurationError("a SqlLookup needs SQLAlchemy; install cti[lookup]") from None
        try:
            parsed = sqlalchemy.make_url(url)
            super().__init__(f"{parsed.get_backend_name()} {parsed.database or ''}".strip(), **settings)
            self._engine: sqlalchemy.Engine = sqlalchemy.create_engine(
                parsed,
                pool_size=self._size,
                max_overflow=0,
                pool_timeout=self.deadline_s,
                pool_pre_ping=True,
                hide_parameters=True,
                connect_args=dict(connect_args or {}),
            )
        except (sqlalchemy.exc.ArgumentError, ImportError, TypeError) as error:
            raise ConfigurationError(f"a SqlLookup's url cannot be used: {type(error).__name__}") from error
        self._query = sqlalchemy.text(query)
        self._needs = frozenset(self._query.compile().params)

    def _check(self, parameters: Mapping[str, object]) -> None:
        if parameters.keys() != self._needs:
            raise ConfigurationError(
                f"look-up {self.name}: its query has {', '.join(sorted(self._needs)) or 'no parameters'}, "
                f"not {', '.join(sorted(parameters)) or 'none'}"
            )

    def _fetch(self, parameters: Mapping[str, object]) -> Any:
        with self._engine.connect() as connection:
            row = connection.execute(self._query, {name: revealed(value) for name, value in parameters.items()}).first()
        if row is None:
            return None
        found = dict(row._mapping)  # noqa: SLF001 - its documented name
        if sum(len(value) for value in found.values() if isinstance(value, str | bytes)) > LARGEST:
            raise Nonsense(f"more than {LARGEST} characters")
        return found

    def close(self) -> None:
        """End the threads and the connections. Blocks until the threads have finished."""
        super().close()
        self._engine.dispose()

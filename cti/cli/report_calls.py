"""Past calls for `cti report`, from the history store that a configuration names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from cti.config import Configuration, HistorySettings
from cti.errors import ConfigurationError
from cti.model.history import InteractionHistory
from cti.store import HistoryStore
from cti.store.history_store import HISTORY_FILE, MOST_FOUND


def store_of(path: Path, made: Configuration | None) -> str:
    """Where the past calls are: a file, or the address of a database.

    Args:
        path: the configuration, or the directory that has the file.
        made: the configuration as it was read; None for a directory.

    Raises:
        ConfigurationError: no calls are kept, or none have been yet.
    """
    settings = made.services.history if made is not None else HistorySettings(str(path))
    if settings is None:
        raise ConfigurationError(f"{path}: there is no [history], so that no calls are kept; see docs/history.md")
    if settings.url:
        return settings.url
    file = Path(settings.directory) / HISTORY_FILE
    if not file.exists():
        raise ConfigurationError(f"there is no {file}: the daemon makes it when it runs with a [history]")
    return str(file)


def past_calls(
    where: str, begin: float, end: float, queues: Sequence[str], agents: Sequence[str]
) -> Iterator[InteractionHistory]:
    """Calls that began within a time, Unix seconds, and were in one of these queues and with one of these agents; the oldest
    first. Blocks for the database.

    Args:
        where: as ``store_of`` says.
        begin: from then on.
        end: before then.
        queues: none for all.
        agents: none for all.

    Raises:
        ConfigurationError: they cannot be read.
    """
    store = HistoryStore(where)
    try:
        found: dict[str, InteractionHistory] = {}
        for queue in queues or ("",):
            for agent in agents or ("",):
                found |= {each.interaction: each for each in _all(store, begin, end, queue, agent)}
    finally:
        store.close()
    yield from sorted(found.values(), key=lambda each: (each.began, each.interaction))


def _all(store: HistoryStore, begin: float, end: float, queue: str, agent: str) -> Iterator[InteractionHistory]:
    """In pieces, the latest first: a search finds no more than so many."""
    seen: set[str] = set()
    until = end
    while True:
        some = store.find(queue=queue, agent=agent, since=begin, until=until, limit=MOST_FOUND)
        fresh = [each for each in some if each.interaction not in seen]
        seen |= {each.interaction for each in fresh}
        yield from fresh
        if len(some) < MOST_FOUND or not fresh:
            return
        until = some[-1].began + 1e-6  # those that began in the same moment, too

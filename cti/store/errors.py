"""What can be wrong with a journal, apart from its settings."""

from __future__ import annotations

from cti.errors import CtiError


class JournalError(CtiError):
    """A journal cannot be read or written; the message names the file and what to do."""

    code = "journal"


class NotUnderstood(JournalError):
    """A record is sound, and says something that this version does not know; the message names it."""

    code = "journal.not_understood"


class NotKept(JournalError):
    """A value cannot be written to a journal.

    ``keys`` are the paths of such values, ``settings.strategy`` or ``data.customer`` alike.
    """

    code = "journal.not_kept"

    def __init__(self, what: str, keys: tuple[str, ...]) -> None:
        super().__init__(
            f"{what}: {', '.join(keys)} cannot be kept; only None, booleans, numbers up to 64 bits, text, bytes, aware "
            "datetimes, and lists and mappings of these can"
        )
        self.keys = keys

"""Messages on the disk: where their files go, what is known of them, and what becomes of old ones."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
import uuid
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import gevent
import structlog
from attrs import evolve

from cti.errors import ConfigurationError
from cti.mail_server import MailServer
from cti.messages.message_index import MessageIndex
from cti.messages.message_record import FAX, MessageRecord
from cti.model.recording import RecordingSettings

P = ParamSpec("P")
T = TypeVar("T")

INDEX: Final = "messages.sqlite3"
CLOSED_S: Final = 5.0
"""How long FreeSWITCH may take to close a file after the caller has hung up."""
BEGUN_S: Final = 1.0
"""How long one that has just been begun may take to be seen from here."""
_LOOK_S: Final = 0.05
_BLOCK: Final = 1 << 20

_log = structlog.get_logger("cti.messages")


class Messages:
    """Where messages are kept. Handed to CallCenter.

    Args:
        directory: on the switch's machine; absolute. Recordings and faxes are files in it, by day.
        reached_at: the same directory as this process sees it; ``directory`` if not given. Where it cannot be reached,
            messages have no checksum, and cannot be fetched or mailed.
        index: the index's file; ``messages.sqlite3`` in ``reached_at`` if not given.
        mail: what takes the e-mail of mailboxes that send any; None sends none.
        fax_files: a directory whose files other programs may have sent as faxes, by the API; None lets them send none.

    Raises:
        ConfigurationError: the directory is no absolute path, or the index cannot be made.
    """

    def __init__(
        self,
        directory: str,
        *,
        reached_at: str | os.PathLike[str] | None = None,
        index: str | os.PathLike[str] | None = None,
        mail: MailServer | None = None,
        fax_files: str | os.PathLike[str] | None = None,
    ) -> None:
        self.mail = mail
        self.fax_files = Path(fax_files) if fax_files is not None else None
        """Where the files are that other programs may have faxed; None: nowhere."""
        self.directory = RecordingSettings(directory).directory.rstrip("/")
        self._reached_at = Path(reached_at if reached_at is not None else directory)
        try:
            self.index = MessageIndex(index if index is not None else self._reached_at / INDEX)
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(
                f"the index of messages cannot be made: {error}; say index=, a file that can be written"
            ) from error

    def do(self, what: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """Do something that may block, in the thread pool. Blocks this greenlet, and no other."""
        result: T = gevent.get_hub().threadpool.apply(what, args, more)
        return result

    def local(self, record: MessageRecord) -> Path:
        """Where this process finds a message's file."""
        return self.reached(record.path)

    def reached(self, path: str) -> Path:
        """Where this process finds what the switch's machine calls ``path``."""
        return self._reached_at / Path(path).relative_to(self.directory)

    def begin(self, kind: str, mailbox: str, **who: Any) -> MessageRecord:
        """Make room for a message that is about to be left. Blocks this greenlet, and no other.

        Args:
            kind: ``voicemail`` or ``fax``.
            mailbox: the mailbox, or the fax line.
            who: the fields of MessageRecord about the call.
        """
        now = time.time()
        day = time.strftime("%Y-%m-%d", time.gmtime(now))
        made = uuid.uuid4().hex
        ending = "tif" if kind == FAX else "wav"
        record = MessageRecord(made, kind, mailbox, f"{self.directory}/{day}/{made}.{ending}", left_at=now, **who)

        def keep() -> None:
            self.local(record).parent.mkdir(parents=True, exist_ok=True)
            self.index.put(record)

        self.do(keep)
        return record

    def measured(self, record: MessageRecord, said_s: float | None = None) -> MessageRecord:
        """What a voice message's file itself says. Blocks this greenlet, and no other; for up to 5 s, while the file is
        being closed.

        Args:
            record: what is known of it.
            said_s: its length by the switch's word; counts where the file cannot be reached.
        """
        began, path = time.monotonic(), self.local(record)
        while not self.do(_is_closed, path):
            waited_s = time.monotonic() - began
            if waited_s >= (CLOSED_S if self.do(path.exists) else BEGUN_S):
                break
            gevent.sleep(_LOOK_S)
        return self.do(self._measure, record, said_s)

    def _measure(self, record: MessageRecord, said_s: float | None) -> MessageRecord:
        length_s = said_s if said_s is not None else 0.0
        path = self.local(record)
        try:
            sha256, size = _sha256(path)
            with wave.open(str(path), "rb") as opened:
                # A file that is not closed says 0, or less than it has.
                frames = max(opened.getnframes(), (size - _HEADER) // (opened.getnchannels() * opened.getsampwidth()))
                in_file_s = frames / opened.getframerate()
        except FileNotFoundError:
            reachable = self._reached_at.is_dir()
            return evolve(record, length_s=length_s, error="there is no such file" if reachable else "")
        except (ValueError, EOFError, wave.Error) as error:
            # Not closed, or torn: as long as FreeSWITCH's own recordings of its size are.
            length_s = said_s if said_s is not None else max(0, size - _HEADER) / _BYTES_PER_S
            why = str(error) or type(error).__name__
            return evolve(record, length_s=length_s, size=size, sha256=sha256, error=why)
        except OSError as error:
            return evolve(record, length_s=length_s, error=str(error))
        return evolve(record, length_s=min(in_file_s, said_s or in_file_s), size=size, sha256=sha256)

    def summed(self, record: MessageRecord) -> MessageRecord:
        """A fax's file measured. Blocks this greenlet, and no other."""

        def look() -> MessageRecord:
            try:
                sha256, size = _sha256(self.local(record))
            except FileNotFoundError:
                return evolve(record, error="there is no such file" if self._reached_at.is_dir() else "")
            except OSError as error:
                return evolve(record, error=str(error))
            return evolve(record, size=size, sha256=sha256)

        return self.do(look)

    def delete(self, record: MessageRecord) -> None:
        """Delete a message, its files with it. Blocks this greenlet, and no other."""

        def remove() -> None:
            path = self.local(record)
            for each in (path, path.with_suffix(".pdf")):
                try:
                    each.unlink(missing_ok=True)
                except OSError as error:
                    _log.warning("a message's file cannot be deleted", path=str(each), reason=str(error))
            self.index.forget(record.id)

        self.do(remove)


def _is_closed(path: Path) -> bool:
    """Whether a recording's header says what the file holds; FreeSWITCH writes that as it closes it."""
    try:
        with wave.open(str(path), "rb") as opened:
            said = opened.getnframes() * opened.getnchannels() * opened.getsampwidth()
        return said > 0 and path.stat().st_size - said <= _HEADER
    except (OSError, EOFError, wave.Error):
        return False


_BYTES_PER_S: Final = 16_000
_HEADER: Final = 4096
"""More than any header takes."""


def _sha256(path: Path) -> tuple[str, int]:
    found, size = hashlib.sha256(), 0
    with path.open("rb") as opened:
        while block := opened.read(_BLOCK):
            found.update(block)
            size += len(block)
    return found.hexdigest(), size

"""Messages by e-mail, the recording or the fax attached; tried until the mail server has taken each."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Final

import gevent
import gevent.event
import structlog

from cti.mail_server import MailServer
from cti.messages.message_record import VOICEMAIL, MessageRecord
from cti.messages.messages import Messages
from cti.model.mailbox import Mailbox

AGAIN_S: Final = (15.0, 60.0, 300.0, 900.0)
"""How long to wait after each round that has failed; the last one again and again."""
MOST_TRIES: Final = 50
"""Half a day: what no server has taken by then is given up, and stays in its mailbox."""
LARGEST: Final = 20_000_000
"""Bytes; what is larger is mailed without it: few servers take more."""

_log = structlog.get_logger("cti.messages")


class MessageMail:
    """Mails messages, one after the other, each until it has been taken; also those of the run before.

    Args:
        messages: where they are kept.
        server: what takes them.
        box: the mailbox of this name; None for one that is no more.
        send: hands a message on; blocks its thread. SMTP if not given.
    """

    def __init__(
        self,
        messages: Messages,
        server: MailServer,
        box: Callable[[str], Mailbox | None],
        send: Callable[[EmailMessage], object] | None = None,
    ) -> None:
        self._messages = messages
        self._server = server
        self._box = box
        self._send = send or server.send
        self._more = gevent.event.Event()
        self._tries: dict[str, int] = {}

    def more(self) -> None:
        """There may be one more to be mailed. Never blocks."""
        self._more.set()

    def run(self) -> None:
        """Mail them for ever. Blocks this greenlet, and no other."""
        failed = 0
        self._more.set()
        while True:
            if self._more.wait(AGAIN_S[min(failed, len(AGAIN_S)) - 1] if failed else None):
                self._more.clear()
            try:
                failed = 0 if self._round() else failed + 1
            except Exception:  # noqa: BLE001 - the disk, say; it is tried again
                _log.exception("messages cannot be mailed")
                failed += 1

    def _round(self) -> bool:
        """Mail what has not been; whether nothing is left."""
        messages, good = self._messages, True
        for record in messages.do(messages.index.not_mailed):
            box = self._box(record.mailbox)
            if box is not None and box.email and not self._mail(record, box):
                good = False
                continue
            messages.do(messages.index.change, record.id, mailed=True)
            self._tries.pop(record.id, None)
        return good

    def _mail(self, record: MessageRecord, box: Mailbox) -> bool:
        """Mail one message; whether it is done with, for good or bad."""
        try:
            self._messages.do(self._made_and_sent, record, box)
        except Exception as error:  # noqa: BLE001 - whatever a mail server does; it is tried again
            tries = self._tries[record.id] = self._tries.get(record.id, 0) + 1
            _log.error("a message cannot be mailed", message=record.id, why=repr(error), tries=tries)
            return tries >= MOST_TRIES
        _log.info("a message has been mailed", message=record.id, to=len(box.email))
        return True

    def _made_and_sent(self, record: MessageRecord, box: Mailbox) -> None:
        """In a thread of its own."""
        self._send(self.made(record, box))

    def made(self, record: MessageRecord, box: Mailbox) -> EmailMessage:
        """The e-mail of a message. Blocks for a disk access."""
        what = "Voice message" if record.kind == VOICEMAIL else "Fax"
        who = _plain(
            f"{record.calling_name} <{record.calling_number}>" if record.calling_name else record.calling_number
        )
        made = self._server.message(f"[{_plain(box.id)}] {what} from {who or 'somebody'}", box.email)
        how_much = f"{record.length_s:.0f} s" if record.kind == VOICEMAIL else f"{record.pages} pages"
        when = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(record.left_at))
        lines = [
            f"{what} in mailbox {_plain(box.id)}",
            f"From:   {who or 'unknown'}",
            f"To:     {_plain(record.called_number)}",
            f"When:   {when}",
            f"Length: {how_much}",
        ]
        path = self._messages.local(record)
        files = [each for each in (path.with_suffix(".pdf"), path) if each.exists()]
        if record.kind != VOICEMAIL and len(files) > 1:
            files = files[:1]  # the PDF will do; the TIFF stays in the mailbox
        if not files or sum(each.stat().st_size for each in files) > LARGEST:
            lines += ["", "The file is not attached: it is in the mailbox."]
            files = []
        made.set_content("\n".join(lines) + "\n")
        for each in files:
            _attach(made, each, f"{record.kind}-{time.strftime('%Y%m%d-%H%M%S', time.localtime(record.left_at))}")
        return made


_TYPES: Final = {".wav": ("audio", "wav"), ".pdf": ("application", "pdf"), ".tif": ("image", "tiff")}


def _attach(made: EmailMessage, path: Path, stem: str) -> None:
    kind, subtype = _TYPES[path.suffix]
    made.add_attachment(path.read_bytes(), maintype=kind, subtype=subtype, filename=stem + path.suffix)


def _plain(text: str) -> str:
    """Without anything that could end a header: callers choose their names themselves."""
    return "".join(each if each.isprintable() else " " for each in text)[:200]

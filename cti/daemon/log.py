"""The daemon's log: lines as JSON or for a person, written aside so that nothing waits for whoever reads them."""

from __future__ import annotations

import logging
import os
import sys
from collections import deque
from typing import Any, Final

import gevent
import gevent.event
import structlog

from cti.config import LogSettings

LINES: Final = 10_000
"""So many lines may wait for a reader that is slow; more are dropped, and counted."""

CLOSE_S: Final = 5.0

_log = structlog.get_logger("cti.daemon")


class LogWriter:
    """Writes lines to a file descriptor, in another thread.

    A full pipe or a terminal that was stopped must not stop the calls.

    Args:
        descriptor: where to; standard error if not given.
    """

    def __init__(self, descriptor: int = 2) -> None:
        self._descriptor = descriptor
        self._lines: deque[str] = deque()
        self._due = gevent.event.Event()
        self._dropped = 0
        self._closing = False
        self._greenlet = gevent.spawn(self._run)

    def msg(self, line: str) -> None:
        """Write a line, later. Never blocks."""
        if len(self._lines) >= LINES:
            self._dropped += 1
            return
        self._lines.append(line)
        self._due.set()

    debug = info = warning = error = critical = exception = log = msg

    def close(self) -> None:
        """Write what waits; lines that come later are lost. Blocks for a few seconds at most, if nobody reads."""
        self._closing = True
        self._due.set()
        self._greenlet.join(CLOSE_S)

    def _taken(self) -> bytes:
        text = "".join(f"{line}\n" for line in self._lines)
        self._lines.clear()
        return text.encode(errors="backslashreplace")

    def _run(self) -> None:
        while not self._closing or self._lines:
            self._due.wait()
            self._due.clear()
            data = self._taken()
            if data:
                gevent.get_hub().threadpool.apply(_write, (self._descriptor, data))
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                _log.warning("lines of the log were dropped; its reader is too slow", lines=dropped)


_TRACEBACK: Final = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
"""Without the values of variables: a script's may be what a caller typed in confidence."""


def _for_a_person(*, colors: bool) -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)


def _write(descriptor: int, data: bytes) -> None:
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        return  # nobody reads it any more: there is nowhere to say so


def set_up_log(settings: LogSettings, writer: LogWriter) -> None:
    """Send structlog's lines, and those of Python's own logging, to a writer; may be called again to change how."""
    level = getattr(logging, settings.level.upper())
    as_json = settings.format == "json" or (settings.format == "auto" and not sys.stderr.isatty())
    rendered: list[Any] = (
        [structlog.processors.ExceptionRenderer(_TRACEBACK), structlog.processors.JSONRenderer(default=str)]
        if as_json
        else [_for_a_person(colors=sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *rendered,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: writer,
        cache_logger_on_first_use=False,  # the level may change
    )
    logging.basicConfig(level=max(level, logging.INFO), handlers=[_FromLogging()], force=True)


class _FromLogging(logging.Handler):
    """What scripts and the libraries they use say by Python's own logging."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it through structlog."""
        try:
            _log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)
        except Exception:  # noqa: BLE001 - as every handler: a line that cannot be made must not reach who said it
            self.handleError(record)
